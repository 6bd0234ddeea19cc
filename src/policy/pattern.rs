//! Patterns for names, and which of several is the most specific.
//!
//! `*` matches any text including `/`; `?` one character; `[ab]` one of these; `{a,b}` either text; `\` escapes the
//! next character. A pattern also matches a name that it equals exactly, so `test_sum[param]` matches the benchmark of
//! that name.
//!
//! A pattern is more specific than another if, in this order: it equals the name; it has more literal characters; it
//! has fewer wildcards; it comes later in the file.

use super::problem::{Invalid, printable};
use globset::{Candidate, Glob, GlobBuilder, GlobSet};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Longest pattern with wildcards, in bytes: more than anyone needs, and short enough to compile.
const MAX_PATTERN_BYTES: usize = 1_000;

/// One pattern, ready to match.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Box<str>,
    glob: GlobSet,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Result<Pattern, Invalid> {
        let glob = GlobSet::new([glob(text)?]).map_err(|error| bad(text, &error))?;
        Ok(Pattern { text: text.into(), glob })
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True if the pattern matches only the name that it equals.
    pub fn is_literal(&self) -> bool {
        !self.text.contains(is_wildcard)
    }

    /// True if the pattern matches the name.
    pub fn matches(&self, name: &str) -> bool {
        *self.text == *name || self.glob.is_match_candidate(&Candidate::from_bytes(name))
    }
}

/// A name as a pattern that matches only this name.
pub fn literal(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if is_wildcard(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn is_wildcard(c: char) -> bool {
    matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\')
}

/// How specific a pattern is: greater is more specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    exact: bool,
    literals: usize,
    wildcards: Reverse<usize>,
}

impl Specificity {
    pub fn of(pattern: &str) -> Self {
        let weight = Weight::of(&mut pattern.chars(), false);
        Specificity { exact: weight.wildcards == 0, literals: weight.literals, wildcards: Reverse(weight.wildcards) }
    }
}

/// Many patterns, compiled once and matched against many names.
#[derive(Debug, Clone, Default)]
pub(super) struct Patterns {
    globs: GlobSet,
    /// Indices of each pattern text, for exact matches.
    literal: BTreeMap<Box<str>, Vec<usize>>,
}

impl Patterns {
    /// Each pattern must have passed [`Pattern::new`]; too many of them can still fail.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Patterns, Invalid> {
        let mut globs = Vec::new();
        let mut literal: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        for (index, text) in patterns.into_iter().enumerate() {
            globs.push(glob(text)?);
            literal.entry(text.into()).or_default().push(index);
        }
        let too_many = |error: globset::Error| {
            let message = format!("there are too many patterns, or they are too large together: {}", error.kind());
            Invalid::new("bad-pattern", message, "merge some of the rules")
        };
        Ok(Patterns { globs: GlobSet::new(globs).map_err(too_many)?, literal })
    }

    /// Indices of the patterns that match a name: first those that equal it, then the others, each in list order.
    pub fn matching(&self, name: &str) -> impl Iterator<Item = usize> + '_ {
        let exact = self.literal.get(name).map_or(&[][..], Vec::as_slice);
        let mut others = self.globs.matches_candidate(&Candidate::from_bytes(name));
        others.retain(|index| !exact.contains(index));
        exact.iter().copied().chain(others)
    }
}

fn glob(text: &str) -> Result<Glob, Invalid> {
    if text.is_empty() {
        return Err(Invalid::new("bad-pattern", "an empty pattern matches nothing", "write \"*\" to match every name"));
    }
    let has_wildcards = text.contains(['*', '?', '[', '{', '\\']);
    if has_wildcards && text.len() > MAX_PATTERN_BYTES {
        let message = format!("a pattern of {} bytes is too long", text.len());
        return Err(Invalid::new(
            "bad-pattern",
            message,
            format!("with wildcards it may have at most {MAX_PATTERN_BYTES} bytes"),
        ));
    }
    // Set explicitly: globset turns escapes off on Windows, and a config must mean the same everywhere.
    let mut builder = GlobBuilder::new(text);
    builder.literal_separator(false).backslash_escape(true).build().map_err(|error| bad(text, &error))
}

fn bad(text: &str, error: &globset::Error) -> Invalid {
    let message = format!("`{}` is not a valid pattern: {}", printable(text), error.kind());
    Invalid::new(
        "bad-pattern",
        message,
        "to match one of * ? [ { literally, put a backslash before it and use 'single' quotes",
    )
}

/// Literals and wildcards of a pattern. Of alternatives in braces, the one with the fewest literals counts.
#[derive(Debug, Clone, Copy)]
struct Weight {
    literals: usize,
    wildcards: usize,
}

impl Weight {
    /// Counts up to the end, or, inside braces, up to the closing brace.
    fn of(chars: &mut std::str::Chars<'_>, inside: bool) -> Weight {
        let mut here = Weight { literals: 0, wildcards: 0 };
        let mut least: Option<Weight> = None;
        let lesser = |a: Option<Weight>, b: Weight| match a {
            Some(a) if (a.literals, Reverse(a.wildcards)) <= (b.literals, Reverse(b.wildcards)) => Some(a),
            _ => Some(b),
        };
        let mut star = false;
        while let Some(c) = chars.next() {
            let was_star = std::mem::replace(&mut star, c == '*');
            match c {
                '*' if was_star => {}
                '*' | '?' => here.wildcards += 1,
                '[' => {
                    here.wildcards += 1;
                    skip_class(chars);
                }
                '{' => {
                    let inner = Weight::of(chars, true);
                    here.literals += inner.literals;
                    here.wildcards += inner.wildcards + 1;
                }
                '}' if inside => break,
                ',' if inside => {
                    least = lesser(least, here);
                    here = Weight { literals: 0, wildcards: 0 };
                }
                '\\' => here.literals += usize::from(chars.next().is_some()),
                _ => here.literals += 1,
            }
        }
        if inside { lesser(least, here).unwrap_or(here) } else { here }
    }
}

/// Skips a character class; a `]` right after `[` or `[!` is part of it.
fn skip_class(chars: &mut std::str::Chars<'_>) {
    let rest = chars.as_str();
    let members = rest.strip_prefix(['!', '^']).unwrap_or(rest);
    let end = members.char_indices().skip(1).find(|(_, c)| *c == ']');
    *chars = end.map_or("", |(at, _)| &members[at + 1..]).chars();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::new(pattern).expect("a good pattern").matches(name)
    }

    #[test]
    fn a_star_crosses_slashes_and_lines() {
        assert!(matches("parse/*", "parse/a/b"));
        assert!(matches("*large", "parse/x\nlarge"));
        assert!(matches("parse/*", "parse/"));
        assert!(!matches("parse/*", "render/parse/a"));
        for name in ["", "..", "a/..", ".", "x.", "/", "é", "\u{0}"] {
            assert!(matches("*", name), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_contains_wildcards_matches_itself() {
        assert!(matches("test_sum[param]", "test_sum[param]"));
        assert!(matches("a\\*b", "a*b"));
        assert!(!matches("a\\*b", "axb"));
        assert!(matches("BM_{x,y}<int>", "BM_y<int>"));
    }

    #[test]
    fn invalid_patterns_are_refused_and_long_ones_compile() {
        for bad in ["", "a[", "a[z-a]", "{a", "a}", "a\\", &"?".repeat(1_001), &"{a,".repeat(300)] {
            assert!(Pattern::new(bad).is_err_and(|w| w.code == "bad-pattern"), "{bad}");
        }
        let long = "x".repeat(5_000);
        assert!(matches(&long, &long));
        assert!(matches(&"?".repeat(1_000), &"y".repeat(1_000)));
        let deep = format!("{}a{}", "{b,".repeat(200), "}".repeat(200));
        assert!(Pattern::new(&deep).is_ok_and(|p| p.matches("a")) || Pattern::new(&deep).is_err());
    }

    #[test]
    fn specificity_is_exact_then_literals_then_fewer_wildcards() {
        let order = ["parse/large", "parse/large*", "parse/l?rge", "parse/[lx]*rge", "parse/*", "*/*", "*"];
        for pair in order.windows(2) {
            assert!(Specificity::of(pair[0]) > Specificity::of(pair[1]), "{pair:?}");
        }
        assert_eq!(Specificity::of("**"), Specificity::of("*"));
        assert!(Specificity::of("a/b*") > Specificity::of("{a/bcd,a/}*"));
        assert!(Specificity::of("\\*") > Specificity::of("ab*"));
        assert_eq!(Specificity::of("[]a]b"), Specificity::of("[a]b"));
        assert_eq!(Specificity::of("[!]é]b"), Specificity::of("?b"));
    }

    #[test]
    fn an_exact_match_comes_first() {
        let patterns = Patterns::new(["a*", "a[b]", "ab", "*"]).expect("good patterns");
        assert_eq!(patterns.matching("ab").collect::<Vec<_>>(), [2, 0, 1, 3]);
        assert_eq!(patterns.matching("a[b]").collect::<Vec<_>>(), [1, 0, 3]);
        assert_eq!(patterns.matching("z").collect::<Vec<_>>(), [3]);
    }
}
