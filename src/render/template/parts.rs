//! Updates perfgate's sections (`perfgate:part` in their markers) of a document that people edit. Only text between markers
//! changes; everything else is kept byte for byte, as are ticks and answers that people gave inside a section.

use super::kept::{ExistingSection, line_digests};
use std::collections::BTreeMap;
use std::ops::Range;

/// The placeholder of a field that only a person can fill in.
pub const PLACEHOLDER: &str = "_(for the author)_";

const BEGIN: &str = "<!-- perfgate:part ";
const END: &str = "<!-- /perfgate:part ";
/// Separates the label of a ticked box from the evidence.
const TICKED: &str = " — ticked by perfgate: ";
/// Separates the label of an unticked box from the reason.
const UNTICKED: &str = " — perfgate: ";

/// The parts of a rendered document, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(BTreeMap<String, String>);

/// A document with updated parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedDocument {
    /// The whole document.
    pub text: String,
    /// Number of updated parts.
    pub updated: usize,
    /// Parts of the template that the document lacks.
    pub absent: Vec<String>,
}

/// Why a document cannot be updated. It stays unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// A part in a document: its name, the byte range of its content, and the line of its first marker.
struct Marked {
    name: String,
    content: Range<usize>,
    line: usize,
}

impl Parts {
    /// The parts of a rendered document.
    pub fn of(document: &str) -> Result<Parts, PartError> {
        let content = |part: Marked| {
            let found = ExistingSection::of(document.get(part.content).unwrap_or_default());
            (part.name, found.lines.iter().map(|line| format!("{line}\n")).collect())
        };
        Ok(Parts(find_parts(document)?.into_iter().map(content).collect()))
    }

    /// Takes the content of a part from a document that has it; otherwise the part stays as it is. Only perfgate's lines are
    /// taken: `update_in` keeps those of people, whose lines must not get digests.
    pub fn keep(&mut self, name: &str, document: &str) -> Result<(), PartError> {
        if let Some(part) = find_parts(document)?.into_iter().find(|part| part.name == name) {
            let old = document.get(part.content).unwrap_or_default();
            self.0.insert(name.to_owned(), ExistingSection::of(old).lines_of_perfgate());
        }
        Ok(())
    }

    /// True if the document has no parts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document `body` with its parts replaced by these.
    pub fn update_in(&self, body: &str) -> Result<UpdatedDocument, PartError> {
        let parts = find_parts(body)?;
        if parts.is_empty() {
            let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(PartError {
                line: 1,
                message: "no perfgate section found".to_owned(),
                help: format!(
                    "create the document with `perfgate render`, or add the lines {BEGIN}NAME --> and {END}NAME -->; \
                     NAME is one of {known}"
                ),
            });
        }
        let crlf = body.contains("\r\n");
        let mut text = String::with_capacity(body.len());
        let mut done = 0;
        for part in &parts {
            let Some(new) = self.0.get(&part.name) else {
                let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let message = format!("the template has no section `{}`", part.name);
                return Err(PartError { line: part.line, message, help: format!("its sections are {known}") });
            };
            let old = ExistingSection::of(body.get(part.content.clone()).unwrap_or_default());
            let answered = keep_answers(&old.lines, new);
            let new = format!("{answered}{}{}", old.block(new, &answered), line_digests(new));
            text.push_str(body.get(done..part.content.start).unwrap_or_default());
            text.push_str(&if crlf { new.replace('\n', "\r\n") } else { new });
            done = part.content.end;
        }
        text.push_str(body.get(done..).unwrap_or_default());
        let absent = self.0.keys().filter(|name| parts.iter().all(|part| part.name != **name)).cloned().collect();
        Ok(UpdatedDocument { text, updated: parts.len(), absent })
    }
}

/// A rendered document, with digests at the end of each of its parts.
pub fn with_line_digests(document: &str) -> String {
    let Ok(parts) = find_parts(document) else { return document.to_owned() };
    let mut out = String::with_capacity(document.len());
    let mut done = 0;
    for part in parts {
        out.push_str(document.get(done..part.content.end).unwrap_or_default());
        out.push_str(&line_digests(document.get(part.content.clone()).unwrap_or_default()));
        done = part.content.end;
    }
    out + document.get(done..).unwrap_or_default()
}

/// All parts of a document, in order. Markers must come in pairs, each part once.
fn find_parts(text: &str) -> Result<Vec<Marked>, PartError> {
    let mut parts: Vec<Marked> = Vec::new();
    let mut open: Option<(String, usize, usize)> = None; // name, start of the content, line of the marker
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (start, end) = (at, at + line.len());
        at = end;
        let trimmed = line.trim();
        if !trimmed.contains(BEGIN.trim_end()) && !trimmed.contains(END.trim_end()) {
            continue;
        }
        let wrong = |message: String, help: &str| Err(PartError { line: number, message, help: help.to_owned() });
        let named = |prefix: &str| trimmed.strip_prefix(prefix)?.strip_suffix("-->").map(str::trim).map(str::to_owned);
        let is_name = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match (named(BEGIN).filter(is_name), named(END).filter(is_name), open.take()) {
            (Some(name), _, None) => {
                if let Some(first) = parts.iter().find(|part| part.name == name) {
                    let message = format!("section `{name}` occurs twice; the first is on line {}", first.line);
                    return wrong(message, "remove one of the two");
                }
                open = Some((name, end, number));
            }
            (Some(name), _, Some((before, _, line))) => {
                let message = format!("section `{name}` starts inside `{before}`, which starts on line {line}");
                return wrong(message, &format!("add {END}{before} --> before it"));
            }
            (_, Some(name), Some((before, content, line))) if name == before => {
                parts.push(Marked { name, content: content..start, line });
            }
            (_, Some(name), Some((before, _, line))) => {
                let message = format!("section `{name}` ends inside `{before}`, which starts on line {line}");
                return wrong(message, &format!("add {END}{before} --> before it, or remove this marker"));
            }
            (_, Some(name), None) => {
                let twice = parts.iter().any(|part| part.name == name);
                let what = if twice { "has two end markers" } else { "has an end marker but no start marker" };
                return wrong(
                    format!("section `{name}` {what}"),
                    &format!("add {BEGIN}{name} --> before it, or remove this marker"),
                );
            }
            (None, None, _) => {
                return wrong(
                    "not a valid marker".to_owned(),
                    "a marker is alone on its line: <!-- perfgate:part NAME --> or <!-- /perfgate:part NAME -->",
                );
            }
        }
    }
    match open {
        None => Ok(parts),
        Some((name, _, line)) => Err(PartError {
            line,
            message: format!("section `{name}` has no end marker"),
            help: format!("add {END}{name} --> after it"),
        }),
    }
}

/// The new content with the ticks and answers that people gave in the old content.
fn keep_answers(old: &[&str], new: &str) -> String {
    let mut out = String::with_capacity(new.len());
    for line in new.split_inclusive('\n') {
        let (text, ending) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        out.push_str(&answered(old, text).unwrap_or_else(|| text.to_owned()));
        out.push_str(ending);
    }
    out
}

fn answered(old: &[&str], new: &str) -> Option<String> {
    if let Some((before, value)) = new.split_once(": ").filter(|(label, _)| label.contains("**")) {
        // A field without a value: a placeholder, or only the hint of the template.
        if !without_comments(value).replace(PLACEHOLDER, "").trim().is_empty() {
            return None;
        }
        let line = old.iter().find_map(|line| line.strip_prefix(before)?.strip_prefix(':'))?;
        let answer = without_comments(line).replace(PLACEHOLDER, "");
        return (!answer.trim().is_empty()).then(|| format!("{before}:{line}"));
    }
    let (false, label) = check_box(new)? else { return None };
    let (label, why) = label.split_once(UNTICKED).map_or((label, None), |(label, why)| (label, Some(why)));
    let blank = label;
    let label = label.trim_end_matches('_').trim_end(); // a blank that people fill
    let by_people = old.iter().filter_map(|line| check_box(line)).filter(|(_, text)| !text.contains(TICKED));
    let (ticked, text) = by_people
        .map(|(ticked, text)| (ticked, text.split(UNTICKED).next().unwrap_or(text)))
        .find(|(_, text)| text.starts_with(label))?;
    let start = new.find("[ ]")?;
    let why = why.map(|why| format!("{UNTICKED}{why}")).unwrap_or_default();
    (ticked || text != blank).then(|| format!("{}[{}] {text}{why}", &new[..start], if ticked { "x" } else { " " }))
}

/// A line without its HTML comments, which are hints.
fn without_comments(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, comment)) = rest.split_once("<!--") {
        out.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    out + rest
}

/// The label of a check box, without its evidence.
pub(super) fn label(line: &str) -> Option<&str> {
    let (_, text) = check_box(line)?;
    let text = text.split_once(TICKED).map_or(text, |(label, _)| label);
    Some(text.split_once(UNTICKED).map_or(text, |(label, _)| label))
}

/// Whether the box of a line is ticked, and its label.
pub(super) fn check_box(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("- ").or(line.strip_prefix("* "))?;
    let ticked = line.strip_prefix("[x] ").or(line.strip_prefix("[X] "));
    ticked.map(|label| (true, label.trim_end())).or(line.strip_prefix("[ ] ").map(|label| (false, label.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "<!-- perfgate:part a -->\nnew\n<!-- /perfgate:part a -->\n<!-- perfgate:part b -->\nnew b\n<!-- /perfgate:part b -->\n";

    fn update_in(body: &str) -> Result<UpdatedDocument, String> {
        Parts::of(NEW).unwrap().update_in(body).map_err(|error| format!("{}: {}", error.line, error.message))
    }

    #[test]
    fn only_text_between_markers_changes() {
        let body =
            with_line_digests("mine \n\n<!-- perfgate:part a -->\nold\nold\n<!-- /perfgate:part a -->\n\tmine too");
        let updated = update_in(&body).unwrap();
        let new = with_line_digests("mine \n\n<!-- perfgate:part a -->\nnew\n<!-- /perfgate:part a -->\n\tmine too");
        assert_eq!(updated.text, new);
        assert_eq!((updated.updated, updated.absent), (1, vec!["b".to_owned()]));
        let windows = body.replace('\n', "\r\n");
        assert_eq!(update_in(&windows).unwrap().text.replace("\r\n", "\n"), update_in(&body).unwrap().text);
        assert!(update_in(&windows).unwrap().text.contains("new\r\n"));
    }

    #[test]
    fn missing_and_duplicate_markers_are_reported_with_their_line() {
        let (begin, end) = ("<!-- perfgate:part a -->\n", "<!-- /perfgate:part a -->\n");
        assert_eq!(update_in("text\n").unwrap_err(), "1: no perfgate section found");
        assert_eq!(update_in(&format!("x\n{begin}y\n")).unwrap_err(), "2: section `a` has no end marker");
        assert_eq!(
            update_in(&format!("x\n{end}")).unwrap_err(),
            "2: section `a` has an end marker but no start marker"
        );
        assert!(
            update_in(&format!("{begin}{end}{begin}{end}")).unwrap_err().starts_with("3: section `a` occurs twice")
        );
        assert_eq!(update_in(&format!("{begin}{end}{end}")).unwrap_err(), "3: section `a` has two end markers");
        assert!(update_in(&format!("{begin}{begin}{end}")).unwrap_err().starts_with("2: section `a` starts inside"));
        assert_eq!(
            update_in("<!-- perfgate:part c -->\n<!-- /perfgate:part c -->\n").unwrap_err(),
            "1: the template has no section `c`"
        );
        assert_eq!(update_in("x <!-- perfgate:part a -->\n").unwrap_err(), "1: not a valid marker");
    }

    #[test]
    fn ticks_and_answers_of_people_are_kept() {
        let new = "- [ ] open — perfgate: 1 of 2\n- [ ] gone\n- [x] shown — ticked by perfgate: 2 of 2\n**Priority**: _(for the author)_\n";
        let old =
            "- [x] open — perfgate: 0 of 2\n- [x] gone — ticked by perfgate: 9\n- [ ] shown\n**Priority**: HIGH\n";
        let kept =
            "- [x] open — perfgate: 1 of 2\n- [ ] gone\n- [x] shown — ticked by perfgate: 2 of 2\n**Priority**: HIGH\n";
        let keep = |old: &str, new: &str| keep_answers(&old.lines().collect::<Vec<_>>(), new);
        assert_eq!(keep(old, new), kept);
        assert_eq!(keep("- [ ] Other: ours\n", "- [ ] Other: \n"), "- [ ] Other: ours\n");
        assert_eq!(keep("- [x] Other: ours\n", "- [ ] Other: ____\n"), "- [x] Other: ours\n");
        // A hint is no answer, and an answer stays with its hint.
        let hint = "**Phase**: <!-- e.g., Phase 2 -->\n";
        assert_eq!(keep("**Phase**: 3 <!-- e.g., Phase 2 -->\n", hint), "**Phase**: 3 <!-- e.g., Phase 2 -->\n");
        assert_eq!(keep(hint, "**Phase**: 2 <!-- e.g., Phase 2 -->\n"), "**Phase**: 2 <!-- e.g., Phase 2 -->\n");
    }

    #[test]
    fn what_a_person_wrote_inside_a_part_is_kept_and_marked() {
        let part = |text: &str| format!("<!-- perfgate:part a -->\n{text}<!-- /perfgate:part a -->\n");
        let body = with_line_digests(&part("old\nolder\n"))
            .replace("older\n", "older\nThis is expected.\n")
            .replace("old\n", "OLD\n");
        let once = update_in(&body).unwrap().text;
        let expected = "new\n\n<!-- perfgate:kept -->\n> **Changed by hand, kept:**\n>\n> OLD\n>\n> This is expected.\n<!-- /perfgate:kept -->\n";
        assert!(once.contains(expected), "{once}");
        assert!(!once.contains("older"), "{once}");
        // Again, and after another edit, nothing is lost or repeated.
        assert_eq!(update_in(&once).unwrap().text, once);
        let twice = update_in(&once.replace("new\n", "new\nMore.\n")).unwrap().text;
        assert!(twice.contains("> This is expected.\n>\n> More.\n<!-- /perfgate:kept -->"), "{twice}");
        // Text in a part that perfgate did not write.
        let own = update_in(&part("By a person.\n")).unwrap().text;
        assert!(own.contains("> By a person.\n"), "{own}");
    }

    #[test]
    fn code_and_blank_lines_of_a_person_are_kept_where_perfgate_prints_code_too() {
        let part = |text: &str| format!("<!-- perfgate:part a -->\n{text}<!-- /perfgate:part a -->\n");
        let perfgate = "Before:\n\n```sql\nSELECT 1\n```\n\nAfter: not measured\n\n| a |\n|---|\n| 1 |\n";
        let mine = "Mine:\n\n```sql\nSELECT mine;\n\n-- blank above\n```\n\n| b |\n|---|\n| 2 |\n\n```\nsecond\n```\n";
        let body = with_line_digests(&part(perfgate))
            .replace("not measured\n", &format!("not measured\n\n{mine}"))
            .replace("SELECT 1\n", "SELECT 1 -- edited\n");
        let parts = Parts::of(&part(perfgate)).unwrap();
        let once = parts.update_in(&body).unwrap().text;
        let quoted = |text: &str| -> String {
            text.lines().map(|line| if line.is_empty() { ">\n".to_owned() } else { format!("> {line}\n") }).collect()
        };
        let kept = format!("{}>\n{}", quoted("```sql\nSELECT 1 -- edited\n```\n"), quoted(mine));
        let block =
            format!("\n<!-- perfgate:kept -->\n> **Changed by hand, kept:**\n>\n{kept}<!-- /perfgate:kept -->\n");
        assert_eq!(once, part(&format!("{perfgate}{block}{}", line_digests(perfgate))));
        assert_eq!(parts.update_in(&once).unwrap().text, once);
        let windows = parts.update_in(&body.replace('\n', "\r\n")).unwrap().text;
        assert_eq!(windows, once.replace('\n', "\r\n"));
    }

    #[test]
    fn a_box_that_a_person_cleared_or_annotated_is_kept_and_marked() {
        let part = |text: &str| format!("<!-- perfgate:part a -->\n{text}<!-- /perfgate:part a -->\n");
        let new = "- [x] fast — ticked by perfgate: 2 of 2\n- [ ] tests — perfgate: no report\n- [ ] Other: ___\n";
        let parts = Parts::of(&part(new)).unwrap();
        let updated = |from: &str, to: &str| {
            let body = with_line_digests(&part(new)).replace(from, to);
            let once = parts.update_in(&body).unwrap().text;
            assert_eq!(parts.update_in(&once).unwrap().text, once);
            once
        };
        let cleared = updated("- [x] fast", "- [ ] fast");
        assert!(cleared.contains("> - [ ] fast — ticked by perfgate: 2 of 2\n") && cleared.contains("\n- [x] fast"));
        let annotated = updated("no report\n", "no report (see CI)\n");
        assert!(annotated.contains("> - [ ] tests — perfgate: no report (see CI)\n"), "{annotated}");
        // What the new line has is not there twice.
        for (from, to) in [("- [ ] tests", "- [x] tests"), ("- [ ] Other: ___", "- [x] Other: ours")] {
            let text = updated(from, to);
            assert!(text.contains(to) && !text.contains("perfgate:kept"), "{text}");
        }
    }

    #[test]
    fn lines_of_people_in_a_kept_part_are_not_sealed_as_those_of_perfgate() {
        let part = |text: &str| format!("<!-- perfgate:part a -->\n{text}<!-- /perfgate:part a -->\n");
        let body = with_line_digests(&part("explained\n\nslower\n")).replace("slower\n", "slower\nWe know why.\n");
        let kept = |body: &str| {
            let mut parts = Parts::of(&part("")).unwrap();
            parts.keep("a", body).unwrap();
            parts.update_in(body).unwrap().text
        };
        let once = kept(&body);
        let block =
            "\n<!-- perfgate:kept -->\n> **Changed by hand, kept:**\n>\n> We know why.\n<!-- /perfgate:kept -->\n";
        let perfgate = "explained\n\nslower\n";
        assert_eq!(once, part(&format!("{perfgate}{block}{}", line_digests(perfgate))));
        assert_eq!(kept(&once), once);
        // A newer explanation replaces perfgate's lines alone.
        let explained_again = Parts::of(&part("new\n")).unwrap().update_in(&once).unwrap().text;
        assert_eq!(explained_again, part(&format!("new\n{block}{}", line_digests("new\n"))));
        let windows = kept(&body.replace('\n', "\r\n"));
        assert_eq!(windows, once.replace('\n', "\r\n"));
    }

    proptest::proptest! {
        /// Any body is either rejected or keeps every byte outside its parts.
        #[test]
        fn nothing_outside_the_parts_changes(pieces in proptest::collection::vec(0_usize..8, 0..12), eol in 0_usize..2) {
            const PIECES: [&str; 8] = [
                "<!-- perfgate:part a -->", "<!-- /perfgate:part a -->", "<!-- perfgate:part b -->",
                "<!-- /perfgate:part b -->", "é mine", "- [x] mine", "  <!-- perfgate:part", "",
            ];
            let eol = ["\n", "\r\n"][eol];
            let body: String = pieces.iter().map(|at| format!("{}{eol}", PIECES[*at])).collect();
            if let Ok(updated) = Parts::of(NEW).unwrap().update_in(&body) {
                let outside = |text: &str| -> String {
                    let mut done = 0;
                    let mut out = String::new();
                    for part in find_parts(text).unwrap() {
                        out.push_str(&text[done..part.content.start]);
                        done = part.content.end;
                    }
                    out + &text[done..]
                };
                proptest::prop_assert_eq!(outside(&body), outside(&updated.text));
            }
        }
    }
}
