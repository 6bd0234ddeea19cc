//! Removes text that is not part of the results: timestamps of a CI job's log, colours, and log lines before, between
//! and after JSON and XML, and before CSV. Line numbers do not change.

use super::csv;
use super::text::without_colors;
use std::borrow::Cow;

/// What to remove from a file whose format is not detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surroundings {
    /// Colors of a terminal.
    Colors,
    /// Lines that are not part of a JSON document, and colors.
    AroundJson,
    /// Lines that are not part of an XML report, and colors.
    AroundXml,
    /// Lines before the header of a CSV file, and colors.
    BeforeCsv,
}

impl Surroundings {
    /// All of them, the least intrusive first.
    pub const ALL: [Surroundings; 4] =
        [Surroundings::Colors, Surroundings::AroundJson, Surroundings::AroundXml, Surroundings::BeforeCsv];

    /// The content without surroundings of this kind; `None` if it has none.
    pub fn remove(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Surroundings::Colors => bytes.contains(&b'\x1b').then(|| plain(bytes.to_vec())),
            Surroundings::AroundJson => only_json(&plain(bytes.to_vec())),
            Surroundings::AroundXml => only_xml(&plain(bytes.to_vec())),
            Surroundings::BeforeCsv => from_csv_header(&plain(bytes.to_vec())),
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

/// Replaces every line outside of JSON documents by an empty one; `None` if the text has no JSON, or nothing else.
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

/// For each line, whether it is in a code block of Markdown. Its content is an example, not a result.
fn in_fences(lines: &[&[u8]]) -> Vec<bool> {
    let mut fenced = vec![false; lines.len()];
    let mut fences = (0..lines.len()).filter(|at| lines[*at].trim_ascii_start().starts_with(b"```"));
    while let (Some(start), Some(end)) = (fences.next(), fences.next()) {
        fenced[start..=end].fill(true);
    }
    fenced
}

/// The root elements of the XML reports that are read.
const XML_ROOTS: [&str; 5] = ["Catch", "Catch2TestRun", "testResults", "testsuite", "testsuites"];

/// Replaces every line outside of XML reports by an empty one; `None` if the text has no report, or nothing else. A report ends at the
/// last line that closes its root element, before the next one begins.
fn only_xml(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let is_example = in_fences(&lines);
    let mut kept = vec![false; lines.len()];
    let mut at = 0;
    let begin =
        |from: usize| (from..lines.len()).find_map(|at| Some((at, root_at(&lines[at..])?)).filter(|_| !is_example[at]));
    while let Some((start, root)) = begin(at) {
        let whole = end_of_element(&lines[start..], root).map_or(lines.len(), |end| start + end + 1);
        at = begin(whole).map_or(lines.len(), |(next, _)| next);
        let close = format!("</{root}>");
        let closes = |line: &[u8]| line.windows(close.len()).any(|part| part == close.as_bytes());
        let end = (start..at).rev().find(|at| closes(lines[*at])).unwrap_or(at - 1);
        kept[start..=end].fill(true);
    }
    blank_except(&lines, &kept)
}

/// The line at which an element that begins at the first line ends; elements of its name may be inside.
fn end_of_element(lines: &[&[u8]], name: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, line) in lines.iter().enumerate() {
        let line = String::from_utf8_lossy(line);
        for (found, _) in line.match_indices(name) {
            let (before, after) = (&line[..found], &line[found + name.len()..]);
            let tag = &after[..after.find('>').map_or(after.len(), |end| end + 1)];
            let is_whole_name = tag.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/'));
            if before.ends_with("</") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            } else if before.ends_with('<') && is_whole_name && !tag.ends_with("/>") {
                depth += 1;
            }
        }
    }
    None
}

/// The root element of an XML report that begins at the first of these lines.
fn root_at(lines: &[&[u8]]) -> Option<&'static str> {
    let first = lines.first()?.trim_ascii_start();
    let names = |line: &[u8], root: &str| {
        let rest = line.strip_prefix(b"<").and_then(|line| line.strip_prefix(root.as_bytes()));
        rest.is_some_and(|rest| rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'>'))
    };
    let of = |line: &[u8]| XML_ROOTS.into_iter().find(|root| names(line.trim_ascii_start(), root));
    if !first.starts_with(b"<?xml ") {
        return of(first);
    }
    let on_same_line = first.windows(2).position(|part| part == b"?>").and_then(|at| of(&first[at + 2..]));
    on_same_line.or_else(|| lines[1..].iter().find(|line| !line.trim_ascii().is_empty()).and_then(|line| of(line)))
}

/// Replaces every line before the header of perfgate's CSV by an empty one; `None` if the text has no header, or nothing before it.
fn from_csv_header(bytes: &[u8]) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let is_header = |line: &&[u8]| std::str::from_utf8(line.trim_ascii_end()).is_ok_and(csv::is_header);
    let is_example = in_fences(&lines);
    let start = (0..lines.len()).find(|at| !is_example[*at] && is_header(&lines[*at]))?;
    let kept: Vec<bool> = (0..lines.len()).map(|at| at >= start).collect();
    blank_except(&lines, &kept)
}

/// The lines, with an empty line for each one that is not kept; `None` if that removes no text, or all of it.
fn blank_except(lines: &[&[u8]], kept: &[bool]) -> Option<Vec<u8>> {
    let is_blank = |line: &[u8]| line.iter().all(u8::is_ascii_whitespace);
    let removes_text = lines.iter().zip(kept).any(|(line, kept)| !kept && !is_blank(line));
    let mut out = Vec::new();
    for (line, kept) in lines.iter().zip(kept) {
        out.extend_from_slice(if *kept { line } else { b"\n" });
    }
    (removes_text && kept.contains(&true)).then_some(out)
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
        assert_eq!(removed(Surroundings::AroundJson, text).unwrap(), json);
        assert_eq!(removed(Surroundings::AroundJson, json), None);
        assert_eq!(removed(Surroundings::AroundJson, "no json\n"), None);
    }

    #[test]
    fn lines_around_xml_reports_are_removed() {
        let text = "Compiling\n<html>\n<?xml version=\"1.0\"?>\n<testsuites>\n<x/>\n</testsuites>\ndone: <b & c>\n\
                    <?xml version=\"1.0\"?><Catch2TestRun name=\"t\">\n</Catch2TestRun>\nend\n";
        let xml = "\n\n<?xml version=\"1.0\"?>\n<testsuites>\n<x/>\n</testsuites>\n\n\
                   <?xml version=\"1.0\"?><Catch2TestRun name=\"t\">\n</Catch2TestRun>\n\n";
        assert_eq!(removed(Surroundings::AroundXml, text).unwrap(), xml);
        assert_eq!(removed(Surroundings::AroundXml, "a\n<testsuite>\ncut off\n").unwrap(), "\n<testsuite>\ncut off\n");
        for other in ["a\n<html>\n</html>\n", "<testsuites>\n</testsuites>\n", "a\n<testsuitesx>\n", "a\n<?xml "] {
            assert_eq!(removed(Surroundings::AroundXml, other), None, "{other}");
        }
    }

    #[test]
    fn lines_before_a_csv_header_are_removed() {
        let text = "Compiling x, y\n\nname,value,unit\na,1,ms\ndone\n";
        assert_eq!(removed(Surroundings::BeforeCsv, text).unwrap(), "\n\nname,value,unit\na,1,ms\ndone\n");
        assert_eq!(removed(Surroundings::BeforeCsv, "name,value,unit\na,1,ms\n"), None);
        assert_eq!(removed(Surroundings::BeforeCsv, "a,b\n"), None);
    }

    #[test]
    fn examples_in_a_document_are_not_results() {
        let document = |block: &str| format!("# Results\n\n```\n{block}\n```\n");
        assert_eq!(removed(Surroundings::BeforeCsv, &document("name,value,unit\na,1,ms")), None);
        assert_eq!(removed(Surroundings::AroundXml, &document("<testsuites>\n</testsuites>")), None);
        // A log may have a code block too.
        let log = "```\n<testsuites/>\n```\n<testsuite>\n</testsuite>\n```\n";
        assert_eq!(removed(Surroundings::AroundXml, log).unwrap(), "\n\n\n<testsuite>\n</testsuite>\n\n");
    }

    #[test]
    fn reports_without_a_declaration_are_found_next_to_others() {
        let suite = "<testsuite name=\"a\">\n<testsuite name=\"b\">\n</testsuite>\n<testsuite/>\n</testsuite>\n";
        let text =
            format!("<?xml version=\"1.0\"?>\n{suite}first: 1\n{suite}second\n<testsuites>\n</testsuites>\nend\n");
        let xml = format!("<?xml version=\"1.0\"?>\n{suite}\n{suite}\n<testsuites>\n</testsuites>\n\n");
        assert_eq!(removed(Surroundings::AroundXml, &text).unwrap(), xml);
        // Output of a test that looks like the end of its report.
        let text = "a\n<testsuite>\n<![CDATA[\n</testsuite>\n]]>\n</testsuite>\nb\n";
        assert_eq!(removed(Surroundings::AroundXml, text).unwrap(), text.replace("a\n", "\n").replace("b\n", "\n"));
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
