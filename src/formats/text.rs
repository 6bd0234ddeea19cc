//! Decoding of printed output: text without byte order mark and colour codes, numbered lines, numbers and times as tools
//! print them, and unique names for repeated entries.

use super::Source;
use crate::model::{Diagnostic, Unit, wide_encoding};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The bytes without a byte order mark. UTF-16 and UTF-32 are an error.
pub fn utf8<'a>(source: Source<'a>) -> Result<&'a [u8], Diagnostic> {
    if let Some(encoding) = wide_encoding(source.bytes) {
        let message = format!("the file is {encoding}; save it as UTF-8");
        return Err(Diagnostic::error("not-utf8", source.name, message));
    }
    Ok(source.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source.bytes))
}

/// The first byte that is not white space. It shows whether JSON, XML or other text follows.
pub(super) fn first_byte(source: Source<'_>) -> Result<Option<u8>, Diagnostic> {
    Ok(utf8(source)?.trim_ascii_start().first().copied())
}

/// The source as text without color codes. Invalid UTF-8 becomes replacement characters.
pub(super) fn decode<'a>(source: Source<'a>) -> Result<Cow<'a, str>, Diagnostic> {
    Ok(match String::from_utf8_lossy(utf8(source)?) {
        Cow::Borrowed(text) => without_colors(text),
        Cow::Owned(text) => Cow::Owned(without_colors(&text).into_owned()),
    })
}

/// The lines of a text with their numbers, from 1.
pub(super) fn numbered_lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines())
}

/// The line of a CSV record. The csv crate's position is the end of the previous record, so the line ends before the
/// record are counted here: the `\n` of a CRLF, and blank lines.
pub(super) fn csv_line(bytes: &[u8], position: Option<&csv::Position>) -> Option<u64> {
    let position = position?;
    let rest = bytes.get(usize::try_from(position.byte()).ok()?..)?;
    let line_ends = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    Some(position.line() + line_ends.filter(|byte| **byte == b'\n').count() as u64)
}

/// The error about a CSV row that has more fields than the header.
pub(super) fn surplus_fields(place: &str, fields: usize, columns: usize) -> Diagnostic {
    let message = format!(
        "the row has {fields} fields and the header has {columns}; put quotes around a field that contains the delimiter, and \
         write numbers with a decimal point"
    );
    Diagnostic::error("unreadable", place, message)
}

/// The text without terminal escape sequences.
pub(super) fn without_colors(text: &str) -> Cow<'_, str> {
    if !text.contains('\x1b') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            out.push(c);
        } else if chars.next() == Some('[') {
            // A control sequence ends with its first byte from 0x40 to 0x7e; an incomplete one ends with its line.
            let end = chars.by_ref().find(|c| ('\x40'..='\x7e').contains(c) || *c == '\n');
            out.extend(end.filter(|c| *c == '\n'));
        }
    }
    Cow::Owned(out)
}

/// A finite number as tools print it, with or without thousands separators: `1,270,513`, `1.50`, `-5`. `None` for words
/// such as `nan`.
pub(super) fn number(word: &str) -> Option<f64> {
    let word = word.trim();
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    let value: f64 = if word.contains(',') { word.replace(',', "").parse() } else { word.parse() }.ok()?;
    value.is_finite().then_some(value)
}

/// A time with its unit, such as `63.28ms` or `2.07 msec`, in nanoseconds.
pub(super) fn time(words: &str) -> Option<f64> {
    let end = words.rfind(|c: char| c.is_ascii_digit() || c == '.')? + 1;
    let (value, label) = words.split_at(end);
    Some(number(value)? * nanoseconds(label)?)
}

/// Nanoseconds per unit, for a unit of time.
pub(super) fn nanoseconds(label: &str) -> Option<f64> {
    Unit::parse(label).filter(|scale| scale.unit == Unit::Nanosecond).map(|scale| scale.factor)
}

/// The path of a URL. Host and port may change between runs, so they are not part of a benchmark's name.
pub(super) fn url_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => &rest[at..],
        None => "/",
    }
}

/// The target in a line of `cargo bench` such as `Running benches/b.rs (target/release/deps/b-1234)`.
pub(super) fn cargo_target(line: &str) -> Option<&str> {
    let (path, program) = line.trim().strip_prefix("Running ")?.split_once(" (")?;
    program.strip_suffix(')')?;
    let file = path.trim_start_matches("unittests ").rsplit(['/', '\\']).next()?;
    file.strip_suffix(".rs").filter(|target| !target.is_empty())
}

/// The names of benchmarks of cargo targets, prefixed with the target if several targets have a benchmark of this name.
/// Otherwise a new target could take over the names of another one. A text is read twice; the first pass finds the
/// shared names.
#[derive(Default)]
pub(super) struct TargetNames {
    target: String,
    /// The first target that has each name.
    seen: BTreeMap<String, String>,
    shared: BTreeSet<String>,
}

impl TargetNames {
    /// The names of a text, which `read_lines` reads with all of its lines.
    pub fn of(text: &str, read_lines: impl FnOnce(&mut TargetNames)) -> TargetNames {
        let mut names = TargetNames::default();
        if text.lines().filter_map(cargo_target).nth(1).is_some() {
            read_lines(&mut names);
        }
        TargetNames { shared: names.shared, ..TargetNames::default() }
    }

    /// Reads a line that may begin the output of a target.
    pub fn read(&mut self, line: &str) {
        if let Some(target) = cargo_target(line) {
            target.clone_into(&mut self.target);
        }
    }

    /// The unique name of a benchmark of the current target.
    pub fn unique(&mut self, name: &str) -> String {
        let of = self.seen.entry(name.to_owned()).or_insert_with(|| self.target.clone());
        if *of != self.target {
            self.shared.insert(name.to_owned());
        }
        if self.shared.contains(name) && !self.target.is_empty() {
            format!("{}/{name}", self.target)
        } else {
            name.to_owned()
        }
    }
}

/// Makes repeated names unique by their order: the second `f` becomes `f#2`.
#[derive(Default)]
pub(super) struct UniqueNames(BTreeMap<String, usize>);

impl UniqueNames {
    /// The name, with `#N` appended to its second and later occurrences.
    pub(super) fn make_unique(&mut self, name: String) -> String {
        let seen = self.0.entry(name.clone()).or_default();
        *seen += 1;
        if *seen == 1 { name } else { format!("{name}#{seen}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn color_codes_and_line_ends_are_removed() {
        let text = decode(Source { name: "x", bytes: b"\x1b[1;32mtest\x1b[0m a\r\n\xFFb\x1b[1\nc" }).unwrap();
        assert_eq!(numbered_lines(&text).collect::<Vec<_>>(), [(1, "test a"), (2, "\u{FFFD}b"), (3, "c")]);
    }

    #[test]
    fn utf16_and_utf32_are_errors() {
        let message = |bytes: &'static [u8]| utf8(Source { name: "x.json", bytes }).unwrap_err().message;
        assert!(message(b"\xFF\xFE{\0}\0").contains("UTF-16"));
        assert!(message(b"\xFF\xFE\0\0{\0\0\0").contains("UTF-32"));
    }

    #[test]
    fn a_time_needs_a_number_and_a_unit_of_time() {
        assert_eq!(time("63.28ms"), Some(63.28 * 1e6));
        assert_eq!(time("75us"), Some(75e3));
        assert_eq!(time(" 1e+03 nsec"), Some(1e3));
        assert_eq!(time("1.5m"), Some(90e9));
        assert_eq!(time("12"), None);
        assert_eq!(time("5furlongs"), None);
        assert_eq!(time("ms"), None);
    }

    #[test]
    fn numbers_may_have_thousands_separators_but_words_are_not_numbers() {
        assert_eq!(number("1,270,513"), Some(1_270_513.0));
        assert_eq!((number("nan"), number("inf"), number("1e999"), number(" 2 ")), (None, None, None, Some(2.0)));
    }

    #[test]
    fn a_name_of_two_targets_begins_with_its_target() {
        let text = "     Running benches/a.rs (target/release/deps/a-1234)\nx\nx\n     \
                    Running benches/b.rs (target/release/deps/b-1234)\nx\ny\n";
        let read = |names: &mut TargetNames| -> Vec<String> {
            let unique = |line: &str| {
                names.read(line);
                (line.len() == 1).then(|| names.unique(line))
            };
            text.lines().filter_map(unique).collect()
        };
        let mut names = TargetNames::of(text, |names| drop(read(names)));
        assert_eq!(read(&mut names), ["a/x", "a/x", "b/x", "y"]);
        assert_eq!(cargo_target("Running unittests src/lib.rs (target/release/deps/p-1)"), Some("lib"));
        assert_eq!(cargo_target("Running 3s test @ http://h"), None);
    }

    #[test]
    fn the_path_of_a_url_excludes_scheme_and_host() {
        assert_eq!(url_path("http://127.0.0.1:8080/search?q=1"), "/search?q=1");
        assert_eq!(url_path("https://host"), "/");
        assert_eq!(url_path("/search"), "/search");
    }
}
