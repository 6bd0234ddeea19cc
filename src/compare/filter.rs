//! Builds the command that runs only some benchmarks: `{filter}` in the user's command is replaced by a filter in the
//! syntax of the benchmark tool, which is recognized from the command.

use std::collections::BTreeSet;

/// The placeholder for a filter.
pub const FILTER: &str = "{filter}";

/// The filter syntax of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// A regular expression that matches whole names: criterion, and most tools that cargo runs.
    Criterion,
    /// `-k` of pytest: function names joined by `or`.
    Pytest,
    /// `-bench` of go: a regular expression for each part of a name.
    Go,
    /// `--benchmark_filter` of Google Benchmark: a regular expression that matches whole names.
    Google,
}

impl Dialect {
    /// The dialect of a command; criterion's by default.
    pub fn of(command: &[String]) -> Dialect {
        let has = |test: &dyn Fn(&str) -> bool| command.iter().any(|word| test(word));
        if has(&|word| word.starts_with("--benchmark_filter")) {
            Dialect::Google
        } else if has(&|word| matches!(program_name(word), "pytest" | "py.test")) {
            Dialect::Pytest
        } else if command.first().is_some_and(|word| program_name(word) == "go")
            || has(&|word| word.starts_with("-bench"))
        {
            Dialect::Go
        } else {
            Dialect::Criterion
        }
    }

    /// The words of a command that runs only these benchmarks, or all for `None`. Without a placeholder the filter is
    /// appended to an unfiltered `cargo bench`; any other command runs all benchmarks.
    pub fn words(self, command: &[String], only: Option<&[String]>) -> Vec<String> {
        let filter = only.map(|names| self.filter(names));
        let mut words: Vec<String> = Vec::with_capacity(command.len() + 2);
        for word in command {
            if word != FILTER {
                let all = if self == Dialect::Pytest { "" } else { "." };
                words.push(word.replace(FILTER, filter.as_deref().unwrap_or(all)));
                continue;
            }
            let takes_value = matches!(words.last().map(String::as_str), Some("-k" | "-bench" | "--benchmark_filter"));
            match (&filter, takes_value) {
                (Some(filter), true) => words.push(filter.clone()),
                (Some(filter), false) if self == Dialect::Pytest => words.extend(["-k".to_owned(), filter.clone()]),
                (Some(filter), false) => words.push(filter.clone()),
                (None, true) => words.push(if self == Dialect::Pytest { String::new() } else { ".".to_owned() }),
                (None, false) => {}
            }
        }
        if let (Some(filter), true) = (filter, can_append(command)) {
            if !command.iter().any(|word| word == "--") {
                words.push("--".to_owned());
            }
            words.push(filter);
        }
        words
    }

    /// True if the command can run only some benchmarks.
    pub fn can_filter(command: &[String]) -> bool {
        command.iter().any(|word| word.contains(FILTER)) || can_append(command)
    }

    /// The filter for these benchmarks.
    pub fn filter(self, names: &[String]) -> String {
        match self {
            Dialect::Criterion | Dialect::Google => format!("^({})$", alternatives(names.iter().map(String::as_str))),
            Dialect::Pytest => {
                let functions: BTreeSet<&str> = names.iter().map(|name| python_function(name)).collect();
                functions.into_iter().collect::<Vec<_>>().join(" or ")
            }
            Dialect::Go => go_levels(names),
        }
    }
}

/// The name of a program without its directory, and without the `.exe` of Windows.
pub fn program_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// True for a `cargo bench` without a filter: only options follow `--`.
fn can_append(command: &[String]) -> bool {
    let mut words = command.iter().map(String::as_str);
    let cargo = words.next().is_some_and(|word| program_name(word) == "cargo");
    let bench = words.find(|word| !word.starts_with(['-', '+'])) == Some("bench");
    let marked = command.iter().any(|word| word.contains(FILTER));
    let mut own = command.iter().skip_while(|word| *word != "--").skip(1).peekable();
    // An option may be followed by its value, so only the first word is certainly a filter or not.
    let filtered = own.peek().is_some_and(|first| !first.starts_with('-')) || own.any(|word| !word.contains("--"));
    let positional = {
        let before: Vec<&str> = command.iter().map(String::as_str).take_while(|word| *word != "--").skip(2).collect();
        let takes_value = |word: &str| {
            matches!(
                word,
                "--bench"
                    | "-p"
                    | "--package"
                    | "--features"
                    | "-F"
                    | "--profile"
                    | "--manifest-path"
                    | "--target"
                    | "-j"
                    | "--jobs"
                    | "--config"
                    | "--target-dir"
                    | "--color"
                    | "-Z"
                    | "--exclude"
                    | "--bin"
                    | "--example"
            )
        };
        before.iter().enumerate().any(|(index, word)| {
            !word.starts_with(['-', '+']) && *word != "bench" && !(index > 0 && takes_value(before[index - 1]))
        })
    };
    cargo && bench && !marked && !filtered && !positional
}

fn alternatives<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(escape).collect::<Vec<_>>().join("|")
}

/// A regular expression that matches this name alone. Criterion's list truncates names of more than 100 bytes and
/// appends `...`.
pub fn exactly(name: &str) -> String {
    match name.strip_suffix("...") {
        Some(start) if start.len() > 90 => format!("^{}", escape(start)),
        _ => format!("^{}$", escape(name)),
    }
}

/// Escapes a text for a regular expression.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// `test_b` for `tests/test_x.py::TestA::test_b[64]`; it also runs the other parameters.
fn python_function(name: &str) -> &str {
    let name = name.split('[').next().unwrap_or_default();
    name.rsplit("::").next().unwrap_or_default()
}

/// An expression for each part of a name, as go matches them. The alternatives of a part apply to all benchmarks, so some
/// others may run too.
fn go_levels(names: &[String]) -> String {
    let mut levels: Vec<BTreeSet<String>> = Vec::new();
    for name in names {
        // The benchmark follows its package.
        let parts: Vec<&str> = name.split('/').collect();
        let first = parts.iter().position(|part| part.starts_with("Benchmark")).unwrap_or(0);
        for (level, part) in parts[first..].iter().enumerate() {
            // `size-100` may be a name, or `size` on 100 processors.
            let plain = if level + first + 1 == parts.len() { without_processors(part) } else { part };
            if levels.len() <= level {
                levels.push(BTreeSet::new());
            }
            levels[level].extend([plain, part].map(str::to_owned));
        }
    }
    let level = |names: &BTreeSet<String>| format!("^({})$", alternatives(names.iter().map(String::as_str)));
    levels.iter().map(level).collect::<Vec<_>>().join("/")
}

/// `Parse` for `Parse-8`.
fn without_processors(part: &str) -> &str {
    match part.rsplit_once('-') {
        Some((plain, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => plain,
        _ => part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn line(command: &str, only: Option<&[&str]>) -> String {
        let command = split(command);
        let only = only.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        Dialect::of(&command).words(&command, only.as_deref()).join(" ")
    }

    #[test]
    fn criterion_gets_an_expression_of_whole_names() {
        let command = "cargo bench --bench parser -- {filter}";
        assert_eq!(line(command, None), "cargo bench --bench parser --");
        assert_eq!(
            line(command, Some(&["parse/large", "a.b (c)"])),
            r"cargo bench --bench parser -- ^(parse/large|a\.b \(c\))$"
        );
    }

    #[test]
    fn a_name_that_criterion_cut_matches_by_its_start() {
        assert_eq!(exactly("a.b"), r"^a\.b$");
        assert_eq!(exactly("a..."), r"^a\.\.\.$");
        let start = "x".repeat(100);
        assert_eq!(exactly(&format!("{start}...")), format!("^{start}"));
    }

    #[test]
    fn cargo_bench_needs_no_placeholder() {
        assert_eq!(line("cargo bench --bench parser", Some(&["x"])), "cargo bench --bench parser -- ^(x)$");
        assert_eq!(line("cargo bench -- --quick", Some(&["x"])), "cargo bench -- --quick ^(x)$");
        assert!(Dialect::can_filter(&split("cargo +nightly bench")));
        for filtered in ["cargo bench -- parse", "cargo bench parse", "cargo test", "make bench"] {
            assert!(!Dialect::can_filter(&split(filtered)), "{filtered}");
            assert_eq!(line(filtered, Some(&["x"])), filtered);
        }
    }

    #[test]
    fn a_program_of_windows_is_recognized() {
        assert_eq!(["/usr/bin/go", r"C:\go\bin\go.exe", "go", ""].map(program_name), ["go", "go", "go", ""]);
        assert_eq!(line(r"C:\cargo\bin\cargo.exe bench", Some(&["x"])), r"C:\cargo\bin\cargo.exe bench -- ^(x)$");
        assert_eq!(Dialect::of(&split("go.exe test ./...")), Dialect::Go);
        assert_eq!(Dialect::of(&split(r"uv run Scripts\pytest.exe benches")), Dialect::Pytest);
    }

    #[test]
    fn each_tool_has_its_own_syntax() {
        let pytest = "pytest benches --benchmark-json={out} -k {filter}";
        let names = ["benches/test_a.py::test_one[64]", "benches/test_a.py::test_one[8]", "b.py::T::test_two"];
        assert_eq!(line(pytest, Some(&names)), "pytest benches --benchmark-json={out} -k test_one or test_two");
        assert_eq!(line(pytest, None), "pytest benches --benchmark-json={out} -k ");
        let go = "go test -run ^$ -bench {filter} ./...";
        assert_eq!(line(go, None), "go test -run ^$ -bench . ./...");
        let names = ["example.org/x/BenchmarkA/size=1-8", "example.org/x/BenchmarkB/size=2-8"];
        assert_eq!(
            line(go, Some(&names)),
            "go test -run ^$ -bench ^(BenchmarkA|BenchmarkB)$/^(size=1|size=1-8|size=2|size=2-8)$ ./..."
        );
        assert_eq!(
            line("go test -bench {filter}", Some(&["x/BenchmarkA/size-100"])),
            "go test -bench ^(BenchmarkA)$/^(size|size-100)$"
        );
        let google = "./bench --benchmark_filter={filter} --benchmark_format=json";
        assert_eq!(line(google, Some(&["BM_x/8"])), "./bench --benchmark_filter=^(BM_x/8)$ --benchmark_format=json");
        assert_eq!(line(google, None), "./bench --benchmark_filter=. --benchmark_format=json");
    }
}
