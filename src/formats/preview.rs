//! One look at the beginning of a file, shared by every format's `sniff`: what kind of text it is and, for JSON, which
//! keys stand where. It reads a bounded prefix once, so that forty formats cost no more than one.

use std::collections::BTreeSet;

/// How deep JSON keys are noted.
const DEPTH: usize = 5;

/// What the beginning of a file shows.
#[derive(Debug)]
pub struct Preview<'a> {
    /// The beginning as bytes (at most 64 KiB, byte order mark left out), for files that are no text.
    pub bytes: &'a [u8],
    /// The beginning as text (at most 64 KiB, byte order mark left out, cut before the first byte that is not UTF-8).
    pub text: &'a str,
    /// For JSON: the paths of the keys seen, `results[].times`; a root array begins with `[]`, an ndjson file shows
    /// its first document.
    pub json_keys: BTreeSet<String>,
    /// For XML: the root element's name.
    pub xml_root: Option<&'a str>,
}

impl<'a> Preview<'a> {
    /// How much of a file is looked at.
    pub const LENGTH: usize = 64 * 1024;

    /// Looks at the beginning of `bytes`.
    pub fn of(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let prefix = &bytes[..bytes.len().min(Self::LENGTH)];
        let head = match std::str::from_utf8(prefix) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&prefix[..error.valid_up_to()]).unwrap_or_default(),
        };
        let first = head.trim_start();
        let keys = if first.starts_with(['{', '[']) { json_keys(first) } else { BTreeSet::new() };
        let root = if first.starts_with('<') { xml_root(first) } else { None };
        Preview { bytes: prefix, text: head, json_keys: keys, xml_root: root }
    }

    /// True when the text is a JSON object or array.
    pub fn is_json(&self) -> bool {
        self.text.trim_start().starts_with(['{', '['])
    }

    /// True when every path is among the JSON keys seen.
    pub fn has_keys(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.json_keys.contains(*path))
    }

    /// The lines of the beginning; the last one may be cut.
    pub fn lines(&self) -> impl Iterator<Item = &'a str> {
        self.text.lines()
    }
}

/// Key paths of the first JSON document in `text`, which may be cut or broken: it stops where it understands no more.
fn json_keys(text: &str) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    let mut path: Vec<String> = Vec::new(); // for each open bracket: `[]` or the key it stands under
    let mut pending: Option<&str> = None; // the key whose value comes next
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
                    if open.len() <= DEPTH {
                        keys.insert(joined(&path, word));
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

/// Index of the closing quote of a JSON string that begins at `text`.
fn string_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// `a`, `[]`, `b` and the key `c` as `a[].b.c`.
fn joined(path: &[String], key: &str) -> String {
    let mut out = String::new();
    for step in path.iter().map(String::as_str).chain([key]) {
        if !out.is_empty() && !step.is_empty() && step != "[]" {
            out.push('.');
        }
        out.push_str(step);
    }
    out
}

/// The root element of an XML text: the first tag that is no declaration, comment or document type.
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
    fn keys_are_noted_with_their_paths() {
        assert_eq!(
            keys(r#"{"results": [{"command": "a \" b", "times": [1, 2], "p": {"q": 1}}]}"#),
            ["results", "results[].command", "results[].p", "results[].p.q", "results[].times"]
        );
        assert_eq!(keys(r#"[{"name": "x"}, {"unit": "ms"}]"#), ["[].name", "[].unit"]);
        assert_eq!(keys("{\"a\": 1}\n{\"b\": 2}"), ["a"]);
    }

    #[test]
    fn broken_text_gives_what_could_be_read() {
        assert_eq!(keys(r#"{"a": {"b"#), ["a"]);
        assert!(keys(&"[".repeat(100_000)).is_empty());
        assert!(Preview::of(b"\xFF\xFE{").json_keys.is_empty());
    }

    #[test]
    fn the_root_of_an_xml_file_is_its_first_element() {
        let text = b"<?xml version=\"1.0\"?>\n<!-- <a> --><Catch2TestRun name=\"x\">";
        // A tag inside a comment is taken for the root: harmless, since no format has that root.
        assert_eq!(Preview::of(text).xml_root, Some("a"));
        assert_eq!(Preview::of(b"<?xml?><testsuites tests=\"1\">").xml_root, Some("testsuites"));
    }
}
