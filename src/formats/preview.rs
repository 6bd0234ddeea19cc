//! The beginning of a file, scanned once for the `sniff` of every format: its text, JSON key paths and XML root element.
//! Only a bounded prefix is read, so the cost of detection hardly depends on the number of formats.

use std::collections::BTreeSet;

/// Maximum depth of the recorded JSON key paths.
const MAX_DEPTH: usize = 5;

/// The beginning of a file.
#[derive(Debug)]
pub struct Preview<'a> {
    /// The first 64 KiB without a byte order mark, for binary files.
    pub bytes: &'a [u8],
    /// The same as text, cut before the first byte that is not UTF-8.
    pub text: &'a str,
    /// In JSON, the key paths seen, such as `results[].times`. Paths in a root array begin with `[]`. Of several
    /// documents (ndjson) only the first is scanned.
    pub json_keys: BTreeSet<String>,
    /// In XML, the name of the root element.
    pub xml_root: Option<&'a str>,
}

impl<'a> Preview<'a> {
    /// Maximum length of a preview in bytes.
    pub const LENGTH: usize = 64 * 1024;

    /// The preview of a file's content.
    pub fn of(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let bytes = &bytes[..bytes.len().min(Self::LENGTH)];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
        };
        let trimmed = text.trim_start();
        let json_keys = if trimmed.starts_with(['{', '[']) { json_keys(trimmed) } else { BTreeSet::new() };
        let xml_root = if trimmed.starts_with('<') { xml_root(trimmed) } else { None };
        Preview { bytes, text, json_keys, xml_root }
    }

    /// Whether the text begins like a JSON object or array.
    pub fn is_json(&self) -> bool {
        self.text.trim_start().starts_with(['{', '['])
    }

    /// Whether all these JSON key paths occur.
    pub fn has_keys(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.json_keys.contains(*path))
    }

    /// The first line that is not blank.
    pub fn first_line(&self) -> &'a str {
        self.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()
    }

    /// The lines of the preview; the last one may be cut.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        self.text.lines()
    }
}

/// Key paths of the first JSON document in `text`. The text may be cut or invalid; scanning stops at the first error.
fn json_keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut path: Vec<String> = Vec::new(); // one step per open bracket: its key, `[]` or both
    let mut pending: Option<&str> = None; // key whose value comes next
    let mut open: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[', '}', ']', '"']) {
        let byte = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        match byte {
            b'"' => {
                let Some(end) = string_end(rest) else { break };
                let word = &rest[..end];
                rest = &rest[end + 1..];
                if open.last() == Some(&b'{') && rest.trim_start().starts_with(':') {
                    pending = Some(word);
                    if open.len() <= MAX_DEPTH {
                        keys.insert(join_path(&path, word));
                    }
                }
            }
            b'{' | b'[' => {
                let mut step = pending.take().unwrap_or_default().to_owned();
                if byte == b'[' {
                    step.push_str("[]");
                }
                path.push(step);
                open.push(byte);
                if open.len() > 1000 {
                    break;
                }
            }
            _ => {
                path.pop();
                pending = None;
                if open.pop().is_none() || open.is_empty() {
                    break;
                }
            }
        }
    }
    keys
}

/// Index of the closing quote of a JSON string; `text` begins after the opening one.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// Joins `a`, `[]`, `b` and the key `c` to `a[].b.c`.
fn join_path(path: &[String], key: &str) -> String {
    let mut out = String::new();
    for step in path.iter().map(String::as_str).chain([key]) {
        if !out.is_empty() && !step.is_empty() && step != "[]" {
            out.push('.');
        }
        out.push_str(step);
    }
    out
}

/// The root element of an XML text: the first tag that is not a declaration, comment or document type.
fn xml_root(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')? + 1..];
        if rest.starts_with(['?', '!']) {
            continue;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/')?;
        return (end > 0).then(|| &rest[..end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        Preview::of(text.as_bytes()).json_keys.into_iter().collect()
    }

    #[test]
    fn json_keys_are_recorded_with_their_paths() {
        assert_eq!(
            keys(r#"{"results": [{"command": "a \" b", "times": [1, 2], "p": {"q": 1}}]}"#),
            ["results", "results[].command", "results[].p", "results[].p.q", "results[].times"]
        );
        assert_eq!(keys(r#"[{"name": "x"}, {"unit": "ms"}]"#), ["[].name", "[].unit"]);
        assert_eq!(keys("{\"a\": 1}\n{\"b\": 2}"), ["a"]);
    }

    #[test]
    fn invalid_json_gives_the_keys_before_the_error() {
        assert_eq!(keys(r#"{"a": {"b"#), ["a"]);
        assert!(keys(&"[".repeat(100_000)).is_empty());
        assert!(Preview::of(b"\xFF\xFE{").json_keys.is_empty());
    }

    #[test]
    fn the_first_element_of_an_xml_file_is_its_root() {
        let text = b"<?xml version=\"1.0\"?>\n<!-- <a> --><Catch2TestRun name=\"x\">";
        // A tag inside a comment counts as the root. Harmless: no format has that root.
        assert_eq!(Preview::of(text).xml_root, Some("a"));
        assert_eq!(Preview::of(b"<?xml?><testsuites tests=\"1\">").xml_root, Some("testsuites"));
    }
}
