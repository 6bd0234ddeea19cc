//! Removes what other programs wrote around results: the timestamps of a CI job's log, colors, and warnings before, between and
//! after JSON. Lines keep their numbers.

use super::text::without_colors;
use std::borrow::Cow;

/// What to remove from a file of which no format is detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// Colors of a terminal.
    Colors,
    /// Lines that are not part of a JSON document, and colors.
    Lines,
}

impl Surroundings {
    /// All of them, the least intrusive first.
    pub const ALL: [Surroundings; 2] = [Surroundings::Colors, Surroundings::Lines];

    /// The content without its surroundings; `None` if it has none of this kind.
    pub fn remove(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Surroundings::Colors => bytes.contains(&b'\x1b').then(|| plain(bytes.to_vec())),
            Surroundings::Lines => only_json(&plain(bytes.to_vec())),
        }
    }
}

/// The text without colors.
fn plain(bytes: Vec<u8>) -> Vec<u8> {
    match without_colors(&String::from_utf8_lossy(&bytes)) {
        Cow::Borrowed(text) if text.len() == bytes.len() => bytes,
        text => text.into_owned().into_bytes(),
    }
}

/// Length of `2026-01-05T10:11:12.1234567Z `.
const TIMESTAMP: usize = 29;

/// Where the text of a log's line begins: after its timestamp, which `gh run view --log` prints after the job and the step.
fn log_text(line: &[u8]) -> Option<usize> {
    let pattern = b"0000-00-00T00:00:00.0000000Z ";
    let matches = |(byte, like): (&u8, &u8)| if *like == b'0' { byte.is_ascii_digit() } else { byte == like };
    let is_timestamp = |line: &[u8]| line.len() >= TIMESTAMP && line.iter().zip(pattern).all(matches);
    if is_timestamp(line) {
        return Some(TIMESTAMP);
    }
    let mut tabs = line.iter().enumerate().filter(|(_, byte)| **byte == b'\t');
    let (second_tab, _) = tabs.nth(1)?;
    let mut start = second_tab + 1;
    if line.get(start..)?.starts_with(b"\xEF\xBB\xBF") {
        start += 3;
    }
    is_timestamp(line.get(start..)?).then_some(start + TIMESTAMP)
}

/// A raw log of GitHub Actions without the timestamp before each line; `None` for other files. Many formats would be detected
/// with the timestamps too, and would read them as part of the first name of a line.
pub fn without_timestamps(bytes: &[u8]) -> Option<Vec<u8>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    log_text(bytes.split(|byte| *byte == b'\n').next()?)?;
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        out.extend_from_slice(&line[log_text(line).unwrap_or(0)..]);
    }
    Some(out)
}

/// Replaces every line outside of JSON documents by an empty one; `None` if there is no JSON or nothing else.
fn only_json(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut document = Document::default();
    let (mut has_json, mut has_others) = (false, false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let is_json = document.depth > 0 || starts_json(line);
        if is_json {
            document.read(line);
            out.extend_from_slice(line);
        } else if line.ends_with(b"\n") {
            out.push(b'\n');
        }
        has_json |= is_json;
        has_others |= !is_json && !line.iter().all(u8::is_ascii_whitespace);
    }
    (has_json && has_others).then_some(out)
}

/// Whether a line begins a JSON object or list. A log line such as `[INFO] started` does not.
fn starts_json(line: &[u8]) -> bool {
    match line.trim_ascii() {
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'}')),
        [b'[', rest @ ..] => matches!(rest.trim_ascii_start().first(), None | Some(b'{' | b'[' | b']' | b'"')),
        _ => false,
    }
}

/// The end of a JSON document, by its brackets.
#[derive(Debug, Default)]
struct Document {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Document {
    fn read(&mut self, line: &[u8]) {
        for &byte in line {
            let escaped = std::mem::take(&mut self.escaped);
            match byte {
                b'"' if !escaped => self.in_string = !self.in_string,
                b'\\' if self.in_string => self.escaped = !escaped,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(surroundings: Surroundings, text: &str) -> Option<String> {
        surroundings.remove(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn only_lines_outside_of_json_are_removed_and_the_others_keep_their_numbers() {
        let text = "Running\n[INFO] a {b}\n{\"a\": \"}{\\\"\",\n \"b\": [1]}\nwarning: x\n{\"c\": 2}\ndone";
        let json = "\n\n{\"a\": \"}{\\\"\",\n \"b\": [1]}\n\n{\"c\": 2}\n";
        assert_eq!(removed(Surroundings::Lines, text).unwrap(), json);
        assert_eq!(removed(Surroundings::Lines, json), None);
        assert_eq!(removed(Surroundings::Lines, "no json\n"), None);
    }

    #[test]
    fn the_timestamps_of_a_log_are_removed() {
        let text = "\u{feff}2026-01-05T10:11:12.1234567Z a\n2026-01-05T10:11:12.1234567Z {\"a\": 1}\nb\n";
        assert_eq!(without_timestamps(text.as_bytes()).unwrap(), b"a\n{\"a\": 1}\nb\n");
        assert_eq!(without_timestamps(b"2026-01-05 a\n"), None);
        let printed =
            "bench\tRun a\t\u{feff}2026-01-05T10:11:12.1234567Z a\tb\nbench\tRun a\t2026-01-05T10:11:12.1234567Z c\n";
        assert_eq!(without_timestamps(printed.as_bytes()).unwrap(), b"a\tb\nc\n");
    }

    #[test]
    fn colors_are_removed() {
        assert_eq!(removed(Surroundings::Colors, "\u{1b}[1ma\u{1b}[0m").unwrap(), "a");
        assert_eq!(removed(Surroundings::Colors, "a"), None);
    }
}
