//! Function names that are the same on both sides: demangled, without hashes, disambiguators and type arguments.

/// Names longer than this are cut before they are parsed: no real one is as long.
const MAX_NAME_CHARS: usize = 1 << 14;

/// A function's name for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FunctionName(pub String);

impl FunctionName {
    /// Makes a name comparable.
    pub(super) fn of(raw: &str) -> FunctionName {
        let raw = match raw.char_indices().nth(MAX_NAME_CHARS) {
            Some((end, _)) => &raw[..end],
            None => raw,
        };
        let name = demangled(without_suffix(raw));
        let name = without_disambiguators(&name);
        let name = without_closures(&without_type_arguments(&name));
        FunctionName(if name.is_empty() { raw.to_owned() } else { name })
    }
}

/// The path of a function: demangled, without hash, disambiguators and type arguments, but with closures.
pub(super) fn qualified(raw: &str) -> String {
    without_type_arguments(&without_disambiguators(&demangled(raw)))
}

fn demangled(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}"); // without the hash
    }
    if name.starts_with("_Z") || name.starts_with("__Z") {
        let symbol = cpp_demangle::Symbol::new(name.as_bytes());
        let options = cpp_demangle::DemangleOptions::new();
        if let Some(text) = symbol.ok().and_then(|symbol| symbol.demangle_with_options(&options).ok()) {
            return text;
        }
    }
    // The hash that legacy names end with, if another tool has demangled them.
    match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => name.to_owned(),
        _ => name.to_owned(),
    }
}

/// Without what compilers and callgrind append to the name of a copy: `f.constprop.0`, `f.cold`, `f.llvm.123`, and `f'2` for
/// a recursive call.
fn without_suffix(name: &str) -> &str {
    let mut name = name;
    if let Some((plain, number)) = name.rsplit_once('\'')
        && !number.is_empty()
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        name = plain;
    }
    for mark in [".constprop.", ".isra.", ".part.", ".cold", ".llvm.", ".lto_priv."] {
        if let Some(at) = name.find(mark).filter(|at| *at > 0) {
            name = &name[..at];
        }
    }
    name
}

/// Without the crate disambiguators of Rust's v0 names: `core[846817f741e54dfd]::fmt`.
fn without_disambiguators(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('[') {
        let (before, bracket) = rest.split_at(at);
        out.push_str(before);
        let digits = bracket[1..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let is_disambiguator = digits >= 12 && bracket[1 + digits..].starts_with(']');
        let kept = if is_disambiguator { &bracket[2 + digits..] } else { bracket };
        if !is_disambiguator {
            out.push('[');
        }
        rest = if is_disambiguator { kept } else { &kept[1..] };
    }
    out + rest
}

/// Without type arguments: `Vec<u8>::push` and `Vec<u16>::push` are one function of the source. A qualified path, such as
/// `<a::B<u8> as Clone>::clone`, keeps its brackets.
fn without_type_arguments(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut skipped = 0usize; // open brackets of arguments
    let mut kept = 0usize; // open brackets of qualified paths
    let mut before = '\0';
    for (at, c) in name.char_indices() {
        let arrow = c == '>' && matches!(before, '-' | '=');
        before = c;
        match c {
            '<' | '>' if name[..at].trim_end_matches(['<', '>', '=', '-']).ends_with("operator") => {
                if skipped == 0 {
                    out.push(c);
                }
            }
            '<' if skipped > 0 => skipped += 1,
            '>' if skipped > 0 => skipped -= usize::from(!arrow),
            '<' => {
                let after_operator = out.trim_end().trim_end_matches(['<', '>', '=', '-']).ends_with("operator");
                let path_starts =
                    !after_operator && (out.is_empty() || out.ends_with(['<', ' ', '(', '&', '*', ',', '[', '.']));
                let is_impl = name[at..].starts_with("<impl ");
                if path_starts || is_impl {
                    kept += 1;
                    out.push(c);
                } else {
                    skipped = 1;
                    if out.ends_with("::") {
                        out.truncate(out.len() - 2);
                    }
                }
            }
            '>' if !arrow && kept > 0 => {
                kept -= 1;
                out.push(c);
            }
            _ if skipped > 0 => {}
            c => out.push(c),
        }
    }
    out
}

/// A closure is charged to the function that contains it: closures have numbers that change with every edit.
fn without_closures(name: &str) -> String {
    let mut name = name.replace("[...]", ""); // Go's type arguments
    // Go: `main.parse.func1`, `main.parse.func1.2`
    while let Some((function, last)) = name.rsplit_once('.') {
        let digits = last.strip_prefix("func").unwrap_or(last);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) || !function.contains('.') {
            break;
        }
        name.truncate(function.len());
    }
    for (start, end) in [("::{{closure}}", ""), ("::{closure#", "}"), ("::{closure}", "")] {
        while let Some(at) = name.find(start) {
            let after = at + start.len();
            let until =
                if end.is_empty() { Some(after) } else { name[after..].find(end).map(|e| after + e + end.len()) };
            name.replace_range(at..until.unwrap_or(name.len()), "");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_named(raw: &str, name: &str) {
        assert_eq!(FunctionName::of(raw).0, name);
    }

    #[test]
    fn rust_names_have_no_hashes_and_no_type_arguments() {
        assert_named("_ZN4demo5parse17h0123456789abcdefE", "demo::parse");
        assert_named("demo::parse::h0123456789abcdef", "demo::parse");
        assert_named("_RNvCs1234_7mycrate3foo", "mycrate::foo");
        assert_named("core[846817f741e54dfd]::fmt::write", "core::fmt::write");
        assert_named("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push");
        assert_named("core::ptr::drop_in_place::<alloc::vec::Vec<fn(u8) -> u8>>", "core::ptr::drop_in_place");
        assert_named("<demo::Map<K,V> as core::ops::Index<&K>>::index", "<demo::Map as core::ops::Index>::index");
        assert_named("demo::<impl demo::T for [u8; 4]>::run", "demo::<impl demo::T for [u8; 4]>::run");
        assert_named("demo::parse::{{closure}}::{{closure}}", "demo::parse");
        assert_named("demo::parse::{closure#12}::{closure#0}", "demo::parse");
    }

    #[test]
    fn c_and_cpp_names_are_demangled_and_copies_are_folded() {
        assert_named("_Z5parsePKci", "parse(char const*, int)");
        assert_named(
            "std::vector<int, std::allocator<int> >::push_back(int const&)",
            "std::vector::push_back(int const&)",
        );
        assert_named("operator<< <char>(std::ostream<char>&)", "operator<< (std::ostream&)");
        assert_named("a::operator->()", "a::operator->()");
        assert_named("parse.constprop.0", "parse");
        assert_named("parse.cold", "parse");
        assert_named("fact'2", "fact");
        assert_named("main", "main");
        assert_named("example.org/app.(*T).parse.func1.2", "example.org/app.(*T).parse");
        assert_named("main.Map[...]", "main.Map");
        assert_named(".text", ".text");
    }

    #[test]
    fn odd_names_are_kept_unchanged_and_do_not_panic() {
        for odd in ["<", ">", ">>>", "a<b", "::{closure#", "[", "[[", "'", "_Z", "_R", "é<ü>[0]", "<<<<>"] {
            let _ = FunctionName::of(odd);
        }
        assert_named("lambda x: a[0]", "lambda x: a[0]");
        assert_named("split.<locals>.<listcomp>", "split.<locals>.<listcomp>");
        assert_named("{closure#", "{closure#");
        assert!(FunctionName::of(&"é<".repeat(100_000)).0.contains('é'));
    }
}
