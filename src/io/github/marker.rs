//! What makes a comment ours: a marker with its key, and one part for each shard that reports into it. Pure text.

use std::collections::BTreeMap;
use std::fmt;

/// The most characters that GitHub takes in a comment.
pub(super) const LONGEST: usize = 65_536;

const REPORT: &str = "<!-- perfgate:report key=";
const PART: &str = "<!-- perfgate:part shard=";
const END: &str = "<!-- /perfgate:part shard=";
const STATE: &str = " state=";
const RUN: &str = " run=";
const CLOSE: &str = " -->";

/// A key or the name of a shard as it stands in a marker: it cannot close the HTML comment that it stands in, and two
/// texts that differ stay different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(Box<str>);

impl Mark {
    /// Letters, digits, `.` and `_` stay; a single `-` stays too, everything else becomes `%` with its code.
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

    fn read(text: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '%');
        (!text.is_empty() && text.chars().all(plain)).then(|| Mark(text.into()))
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one shard reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    /// A digest of what was found, so that a new commit with the same findings is seen to be no news.
    pub state: String,
    /// The number of the job's run; later runs have larger ones.
    pub run: Option<u64>,
    /// The document.
    pub text: String,
}

/// A comment's content: a section for each shard, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sections {
    pub key: Mark,
    pub parts: BTreeMap<Mark, Section>,
}

impl Sections {
    /// A comment of this key without a part.
    pub fn empty(key: &Mark) -> Self {
        Sections { key: key.clone(), parts: BTreeMap::new() }
    }

    /// The sections of a comment that carries the marker of this key on its first line; `None` for any other.
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
                let (name, state) = part.split_once(STATE).unwrap_or((part, ""));
                let section = Section { state: state.to_owned(), run: run.parse().ok(), text: String::new() };
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

    /// The comment's text.
    pub fn write(&self) -> String {
        let mut out = format!("{REPORT}{}{CLOSE}\n", self.key);
        for (name, Section { state, run, text }) in &self.parts {
            let state = if state.is_empty() { String::new() } else { format!("{STATE}{state}") };
            let run = run.map(|run| format!("{RUN}{run}")).unwrap_or_default();
            let text = text.trim_end_matches('\n');
            // An empty line before the marker ends what HTML of the document may have left open.
            out.push_str(&format!("{PART}{name}{state}{run}{CLOSE}\n{text}\n\n{END}{name}{CLOSE}\n"));
        }
        out
    }

    /// How many characters the text of this section may have beside the others.
    pub fn room(&self, shard: &Mark, section: &Section) -> usize {
        let mut others = self.clone();
        others.parts.insert(shard.clone(), Section { text: String::new(), ..section.clone() });
        LONGEST.saturating_sub(others.write().chars().count() + 2)
    }
}

/// A text whose own lines cannot be taken for the end of its part.
pub(super) fn harmless(text: &str) -> String {
    let ours = |line: &str| line.starts_with(PART) || line.starts_with(END) || line.starts_with(REPORT);
    let lines = text.replace("\r\n", "\n");
    lines.split_inclusive('\n').map(|line| if ours(line) { format!(" {line}") } else { line.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Section {
        Section { state: "a1".to_owned(), run: Some(12), text: text.to_owned() }
    }

    #[test]
    fn what_is_written_is_read_again() {
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
        }
        assert_ne!(Mark::new("a b"), Mark::new("a-b"));
        assert_ne!(Mark::new("a%20.b"), Mark::new("a b"));
        assert_eq!(Mark::new(" "), Mark::new("default"));
    }

    #[test]
    fn a_document_cannot_end_its_part() {
        let key = Mark::new("k");
        let hostile = "x\n<!-- /perfgate:part shard=a -->\n<!-- perfgate:part shard=b -->\ny\n";
        let mut sections = Sections::empty(&key);
        sections.parts.insert(Mark::new("a"), section(&harmless(hostile)));
        let read = Sections::read(&sections.write(), &key).unwrap();
        assert_eq!(read.parts.len(), 1);
        assert!(read.parts[&Mark::new("a")].text.contains("\ny\n"));
    }

    #[test]
    fn the_room_beside_the_others_is_all_that_fits() {
        let mut sections = Sections::empty(&Mark::new("k"));
        sections.parts.insert(Mark::new("a"), section(&"x".repeat(1000)));
        let shard = Mark::new("b");
        let room = sections.room(&shard, &section("text"));
        sections.parts.insert(shard, section(&"é".repeat(room)));
        assert!((LONGEST - 2..=LONGEST).contains(&sections.write().chars().count()));
    }

    proptest::proptest! {
        /// Whatever a person made of our comment, what is read of it and written again is read as the same.
        #[test]
        fn what_is_read_of_any_text_is_kept(pieces in proptest::collection::vec(0_usize..9, 0..14), eol in 0_usize..2) {
            const PIECES: [&str; 9] = [
                "<!-- perfgate:part shard=a state=1 run=2 -->", "<!-- /perfgate:part shard=a -->", "é", "",
                "<!-- perfgate:part shard=b -->", "<!-- /perfgate:part shard=b -->", "<!-- perfgate:part shard= -->",
                "<!-- perfgate:part shard=a b run=x -->", "<!-- perfgate:report key=k -->",
            ];
            let eol = ["\n", "\r\n"][eol];
            let key = Mark::new("k");
            let rest: String = pieces.iter().map(|at| format!("{}{eol}", PIECES[*at])).collect();
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
