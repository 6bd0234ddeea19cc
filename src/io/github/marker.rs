//! Markers in comments: one for the key, and a pair around the section of each shard.

use std::collections::BTreeMap;
use std::fmt;

/// Longest comment that GitHub accepts, in characters.
pub(super) const MAX_COMMENT_CHARS: usize = 65_536;

const REPORT: &str = "<!-- perfgate:report key=";
const PART: &str = "<!-- perfgate:part shard=";
const END: &str = "<!-- /perfgate:part shard=";
const STATE: &str = " state=";
const RUN: &str = " run=";
const CLOSE: &str = " -->";

/// True for a comment that begins with the marker of a key.
pub(super) fn is_ours(body: &str) -> bool {
    body.starts_with(REPORT)
}

/// A key or shard name, encoded for a marker: it cannot close the HTML comment, and different texts stay different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(Box<str>);

impl Mark {
    /// Keeps letters, digits, `.`, `_` and single `-`; encodes everything else as `%` and its code point.
    pub fn new(text: &str) -> Self {
        let mut out = String::new();
        for c in text.trim().chars() {
            let plain = c.is_ascii_alphanumeric() || matches!(c, '.' | '_') || c == '-' && !out.ends_with('-');
            if plain { out.push(c) } else { out.push_str(&format!("%{:x}.", c as u32)) }
        }
        if out.is_empty() {
            out.push_str("default");
        }
        Mark(out.into())
    }

    /// The text that was encoded.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut rest = &*self.0;
        while let Some((before, code)) = rest.split_once('%') {
            let (code, after) = code.split_once('.').unwrap_or((code, ""));
            out.push_str(before);
            out.extend(u32::from_str_radix(code, 16).ok().and_then(char::from_u32));
            rest = after;
        }
        out + rest
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '%');
        (!text.is_empty() && text.chars().all(plain)).then(|| Mark(text.into()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The section of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// Hash of the findings, to recognize a new commit with the same findings.
    pub findings_digest: String,
    /// Number of the workflow run; increases over time.
    pub run: Option<u64>,
    /// The text.
    pub text: String,
}

/// Content of a comment: one section per shard, ordered by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sections {
    pub key: Mark,
    pub parts: BTreeMap<Mark, Section>,
}

impl Sections {
    /// A comment of this key without sections.
    pub fn empty(key: &Mark) -> Self {
        Sections { key: key.clone(), parts: BTreeMap::new() }
    }

    /// Parses a comment; `None` if its first line is not the marker of this key.
    pub fn read(body: &str, key: &Mark) -> Option<Self> {
        let body = body.replace("\r\n", "\n");
        let (first, rest) = body.split_once('\n').unwrap_or((&body, ""));
        let found = first.trim_end().strip_prefix(REPORT)?.strip_suffix(CLOSE).and_then(Mark::read)?;
        if found != *key {
            return None;
        }
        let mut sections = Sections::empty(key);
        let mut open: Option<(Mark, Section)> = None;
        for line in rest.split_inclusive('\n') {
            let marker = line.trim_end();
            if let Some(part) = marker.strip_prefix(PART).and_then(|part| part.strip_suffix(CLOSE)) {
                let (part, run) = part.split_once(RUN).unwrap_or((part, ""));
                let (name, findings_digest) = part.split_once(STATE).unwrap_or((part, ""));
                let section =
                    Section { findings_digest: findings_digest.to_owned(), run: run.parse().ok(), text: String::new() };
                open = Mark::read(name).map(|name| (name, section));
            } else if marker.starts_with(END) {
                if let Some((name, section)) = open.take() {
                    sections.parts.insert(name, section);
                }
            } else if let Some((_, section)) = &mut open {
                section.text.push_str(line);
            }
        }
        Some(sections)
    }

    /// Formats the comment.
    pub fn write(&self) -> String {
        let mut out = format!("{REPORT}{}{CLOSE}\n", self.key);
        for (name, Section { findings_digest, run, text }) in &self.parts {
            let findings_digest =
                if findings_digest.is_empty() { String::new() } else { format!("{STATE}{findings_digest}") };
            let run = run.map(|run| format!("{RUN}{run}")).unwrap_or_default();
            let text = text.trim_end_matches('\n');
            // The empty line ends an HTML block that the document may have left open.
            out.push_str(&format!("{PART}{name}{findings_digest}{run}{CLOSE}\n{text}\n\n{END}{name}{CLOSE}\n"));
        }
        out
    }

    /// Maximum number of characters for the text of this section, given the others.
    pub fn room(&self, shard: &Mark, section: &Section) -> usize {
        let mut others = self.clone();
        others.parts.insert(shard.clone(), Section { text: String::new(), ..section.clone() });
        MAX_COMMENT_CHARS.saturating_sub(others.write().chars().count() + 2)
    }
}

/// Indents lines that look like markers, so that they cannot end the section.
pub(super) fn neutralize(text: &str) -> String {
    let ours = |line: &str| line.starts_with(PART) || line.starts_with(END) || line.starts_with(REPORT);
    let lines = text.replace("\r\n", "\n");
    lines.split_inclusive('\n').map(|line| if ours(line) { format!(" {line}") } else { line.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Section {
        Section { findings_digest: "a1".to_owned(), run: Some(12), text: text.to_owned() }
    }

    #[test]
    fn a_written_comment_is_read_back_unchanged() {
        let mut sections = Sections::empty(&Mark::new("linux x86"));
        sections.parts.insert(Mark::new("b"), section("two\n\nlines\n\n"));
        sections.parts.insert(Mark::new("a"), section("one\n\n"));
        let body = sections.write();
        assert!(body.starts_with(
            "<!-- perfgate:report key=linux%20.x86 -->\n<!-- perfgate:part shard=a state=a1 run=12 -->\none\n"
        ));
        assert_eq!(Sections::read(&body, &sections.key).unwrap(), sections);
        assert_eq!(Sections::read(&body.replace('\n', "\r\n"), &sections.key).unwrap(), sections);
        assert_eq!(Sections::read(&body, &Mark::new("linux")), None);
        assert_eq!(Sections::read(&format!("hello\n{body}"), &sections.key), None);
    }

    #[test]
    fn a_key_cannot_close_its_comment() {
        for hostile in ["a --> <script>", "--", "->", "key=b shard=c", "é\n-->", "a\u{202e}"] {
            let mark = Mark::new(hostile).to_string();
            assert!(!mark.contains("--") && !mark.contains(['>', '<', ' ', '=', '\n']), "{mark}");
            assert_eq!(Mark::read(&mark), Some(Mark::new(hostile)));
            assert_eq!(Mark::new(hostile).text(), hostile);
        }
        assert_ne!(Mark::new("a b"), Mark::new("a-b"));
        assert_ne!(Mark::new("a%20.b"), Mark::new("a b"));
        assert_eq!(Mark::new(" "), Mark::new("default"));
    }

    #[test]
    fn a_document_cannot_end_its_section() {
        let key = Mark::new("k");
        let hostile = "x\n<!-- /perfgate:part shard=a -->\n<!-- perfgate:part shard=b -->\ny\n";
        let mut sections = Sections::empty(&key);
        sections.parts.insert(Mark::new("a"), section(&neutralize(hostile)));
        let read = Sections::read(&sections.write(), &key).unwrap();
        assert_eq!(read.parts.len(), 1);
        assert!(read.parts[&Mark::new("a")].text.contains("\ny\n"));
    }

    #[test]
    fn the_room_for_a_section_is_exact() {
        let mut sections = Sections::empty(&Mark::new("k"));
        sections.parts.insert(Mark::new("a"), section(&"x".repeat(1000)));
        let shard = Mark::new("b");
        let room = sections.room(&shard, &section("text"));
        sections.parts.insert(shard, section(&"é".repeat(room)));
        assert!((MAX_COMMENT_CHARS - 2..=MAX_COMMENT_CHARS).contains(&sections.write().chars().count()));
    }

    proptest::proptest! {
        /// Reading, writing and reading again gives the same sections, even after edits by people.
        #[test]
        fn any_text_that_was_read_survives_a_round_trip(indices in proptest::collection::vec(0_usize..9, 0..14), eol in 0_usize..2) {
            const LINES: [&str; 9] = [
                "<!-- perfgate:part shard=a state=1 run=2 -->", "<!-- /perfgate:part shard=a -->", "é", "",
                "<!-- perfgate:part shard=b -->", "<!-- /perfgate:part shard=b -->", "<!-- perfgate:part shard= -->",
                "<!-- perfgate:part shard=a b run=x -->", "<!-- perfgate:report key=k -->",
            ];
            let eol = ["\n", "\r\n"][eol];
            let key = Mark::new("k");
            let rest: String = indices.iter().map(|at| format!("{}{eol}", LINES[*at])).collect();
            let read = Sections::read(&format!("{REPORT}k{CLOSE}{eol}{rest}"), &key).unwrap();
            let again = Sections::read(&read.write(), &key).unwrap();
            let texts = |sections: &Sections| -> Vec<(Mark, String)> {
                let trimmed = |section: &Section| section.text.trim_end().to_owned();
                sections.parts.iter().map(|(name, section)| (name.clone(), trimmed(section))).collect()
            };
            proptest::prop_assert_eq!(texts(&read), texts(&again));
        }
    }
}
