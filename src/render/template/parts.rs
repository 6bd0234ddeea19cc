//! perfgate's parts of a document that a person writes on: renewed between their markers, everything else kept byte
//! for byte. Ticks and answers that a person gave inside a part are kept too.

use std::collections::BTreeMap;
use std::ops::Range;

/// What a document says where only a person can answer.
pub const OPEN: &str = "_(for the author)_";

const BEGIN: &str = "<!-- perfgate:part ";
const END: &str = "<!-- /perfgate:part ";
/// Behind it stands what ticked a box.
const TICKED: &str = " — ticked by perfgate: ";
/// Behind it stands why a box is not ticked.
const UNTICKED: &str = " — perfgate: ";

/// The parts of a rendered document, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts(BTreeMap<String, String>);

/// A document with its parts renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// The whole document.
    pub text: String,
    /// How many parts were renewed.
    pub renewed: usize,
    /// Parts of the template that the document does not have.
    pub absent: Vec<String>,
}

/// Why nothing can be renewed. Nothing is, then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// A marked part: its name, where its markers' lines are, and where its content is, in bytes.
struct Place {
    name: String,
    content: Range<usize>,
    line: usize,
}

impl Parts {
    /// The parts of a rendered document.
    pub fn of(document: &str) -> Result<Parts, PartError> {
        let content = |place: Place| {
            let content = document.get(place.content).unwrap_or_default().to_owned();
            (place.name, content)
        };
        Ok(Parts(places(document)?.into_iter().map(content).collect()))
    }

    /// True where the document has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document of a person with these parts in the places of its own.
    pub fn renew(&self, body: &str) -> Result<Renewed, PartError> {
        let places = places(body)?;
        if places.is_empty() {
            let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(PartError {
                line: 1,
                message: "there is no part of perfgate in it".to_owned(),
                help: format!(
                    "write the document with `perfgate render` first, or put {BEGIN}NAME --> and {END}NAME --> on lines of \
                     their own around a place; NAME is one of {known}"
                ),
            });
        }
        let crlf = body.contains("\r\n");
        let mut text = String::with_capacity(body.len());
        let mut done = 0;
        for place in &places {
            let Some(new) = self.0.get(&place.name) else {
                let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                let message = format!("the template has no part `{}`", place.name);
                return Err(PartError { line: place.line, message, help: format!("its parts are {known}") });
            };
            let old = body.get(place.content.clone()).unwrap_or_default();
            let new = keep_answers(old, new);
            text.push_str(body.get(done..place.content.start).unwrap_or_default());
            text.push_str(&if crlf { new.replace('\n', "\r\n") } else { new });
            done = place.content.end;
        }
        text.push_str(body.get(done..).unwrap_or_default());
        let absent = self.0.keys().filter(|name| places.iter().all(|place| place.name != **name)).cloned().collect();
        Ok(Renewed { text, renewed: places.len(), absent })
    }
}

/// Every part of a document, in order; each marker once and in its pair.
fn places(text: &str) -> Result<Vec<Place>, PartError> {
    let mut places: Vec<Place> = Vec::new();
    let mut open: Option<(String, usize, usize)> = None; // name, where its content begins, its marker's line
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
        let well = |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        match (named(BEGIN).filter(well), named(END).filter(well), open.take()) {
            (Some(name), _, None) => {
                if let Some(first) = places.iter().find(|place| place.name == name) {
                    let message = format!("the part `{name}` is there twice; it began on line {} already", first.line);
                    return wrong(message, "remove one of the two");
                }
                open = Some((name, end, number));
            }
            (Some(name), _, Some((before, _, line))) => {
                let message = format!("the part `{name}` begins before `{before}` of line {line} has ended");
                return wrong(message, &format!("put {END}{before} --> before it"));
            }
            (_, Some(name), Some((before, content, line))) if name == before => {
                places.push(Place { name, content: content..start, line });
            }
            (_, Some(name), Some((before, _, line))) => {
                let message = format!("the part `{name}` ends inside `{before}`, which began on line {line}");
                return wrong(message, &format!("put {END}{before} --> before it, or remove this marker"));
            }
            (_, Some(name), None) => {
                let twice = places.iter().any(|place| place.name == name);
                let what = if twice { "ends twice" } else { "ends without having begun" };
                return wrong(
                    format!("the part `{name}` {what}"),
                    &format!("put {BEGIN}{name} --> before it, or remove this marker"),
                );
            }
            (None, None, _) => {
                return wrong(
                    "this marker cannot be read".to_owned(),
                    "a marker stands alone on its line: <!-- perfgate:part NAME --> or <!-- /perfgate:part NAME -->",
                );
            }
        }
    }
    match open {
        None => Ok(places),
        Some((name, _, line)) => Err(PartError {
            line,
            message: format!("the part `{name}` does not end"),
            help: format!("put {END}{name} --> behind it"),
        }),
    }
}

/// The new content, with the ticks and answers of the old one that a person gave.
fn keep_answers(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.lines().collect();
    let mut out = String::with_capacity(new.len());
    for line in new.split_inclusive('\n') {
        let (text, ending) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        out.push_str(&answered(&old, text).unwrap_or_else(|| text.to_owned()));
        out.push_str(ending);
    }
    out
}

fn answered(old: &[&str], new: &str) -> Option<String> {
    if let Some((before, label)) =
        new.split_once(": ").filter(|(label, value)| label.contains("**") && value.trim() == OPEN)
    {
        let line = old.iter().find_map(|line| line.strip_prefix(before)?.strip_prefix(':'))?;
        return (line.trim() != label.trim() && !line.trim().is_empty()).then(|| format!("{before}:{line}"));
    }
    let (false, label) = check_box(new)? else { return None };
    let (label, why) = label.split_once(UNTICKED).map_or((label, None), |(label, why)| (label, Some(why)));
    let theirs = old.iter().filter_map(|line| check_box(line)).filter(|(_, text)| !text.contains(TICKED));
    let (ticked, text) = theirs
        .map(|(ticked, text)| (ticked, text.split(UNTICKED).next().unwrap_or(text)))
        .find(|(_, text)| text.starts_with(label))?;
    let start = new.find("[ ]")?;
    let why = why.map(|why| format!("{UNTICKED}{why}")).unwrap_or_default();
    (ticked || text != label).then(|| format!("{}[{}] {text}{why}", &new[..start], if ticked { "x" } else { " " }))
}

/// Whether the box of a line is ticked, and what stands behind it.
fn check_box(line: &str) -> Option<(bool, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("- ").or(line.strip_prefix("* "))?;
    let ticked = line.strip_prefix("[x] ").or(line.strip_prefix("[X] "));
    ticked.map(|label| (true, label.trim_end())).or(line.strip_prefix("[ ] ").map(|label| (false, label.trim_end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "<!-- perfgate:part a -->\nnew\n<!-- /perfgate:part a -->\n<!-- perfgate:part b -->\nnew b\n<!-- /perfgate:part b -->\n";

    fn renew(body: &str) -> Result<Renewed, String> {
        Parts::of(NEW).unwrap().renew(body).map_err(|error| format!("{}: {}", error.line, error.message))
    }

    #[test]
    fn only_what_stands_between_markers_changes() {
        let body = "mine \n\n<!-- perfgate:part a -->\nold\nold\n<!-- /perfgate:part a -->\n\tmine too";
        let renewed = renew(body).unwrap();
        assert_eq!(renewed.text, "mine \n\n<!-- perfgate:part a -->\nnew\n<!-- /perfgate:part a -->\n\tmine too");
        assert_eq!((renewed.renewed, renewed.absent), (1, vec!["b".to_owned()]));
        let windows = body.replace('\n', "\r\n");
        assert_eq!(renew(&windows).unwrap().text.replace("\r\n", "\n"), renew(body).unwrap().text);
        assert!(renew(&windows).unwrap().text.contains("new\r\n"));
    }

    #[test]
    fn a_missing_or_doubled_marker_is_refused_with_its_line() {
        let (begin, end) = ("<!-- perfgate:part a -->\n", "<!-- /perfgate:part a -->\n");
        assert_eq!(renew("text\n").unwrap_err(), "1: there is no part of perfgate in it");
        assert_eq!(renew(&format!("x\n{begin}y\n")).unwrap_err(), "2: the part `a` does not end");
        assert_eq!(renew(&format!("x\n{end}")).unwrap_err(), "2: the part `a` ends without having begun");
        assert!(renew(&format!("{begin}{end}{begin}{end}")).unwrap_err().starts_with("3: the part `a` is there twice"));
        assert_eq!(renew(&format!("{begin}{end}{end}")).unwrap_err(), "3: the part `a` ends twice");
        assert!(renew(&format!("{begin}{begin}{end}")).unwrap_err().starts_with("2: the part `a` begins before"));
        assert_eq!(
            renew("<!-- perfgate:part c -->\n<!-- /perfgate:part c -->\n").unwrap_err(),
            "1: the template has no part `c`"
        );
        assert_eq!(renew("x <!-- perfgate:part a -->\n").unwrap_err(), "1: this marker cannot be read");
    }

    #[test]
    fn ticks_and_answers_of_a_person_outlive_a_rendering() {
        let new = "- [ ] open — perfgate: 1 of 2\n- [ ] gone\n- [x] shown — ticked by perfgate: 2 of 2\n**Priority**: _(for the author)_\n";
        let old =
            "- [x] open — perfgate: 0 of 2\n- [x] gone — ticked by perfgate: 9\n- [ ] shown\n**Priority**: HIGH\n";
        let kept =
            "- [x] open — perfgate: 1 of 2\n- [ ] gone\n- [x] shown — ticked by perfgate: 2 of 2\n**Priority**: HIGH\n";
        assert_eq!(keep_answers(old, new), kept);
        assert_eq!(keep_answers("- [ ] Other: ours\n", "- [ ] Other: \n"), "- [ ] Other: ours\n");
    }

    proptest::proptest! {
        /// Whatever a body is made of, it is refused or keeps every byte outside of its parts.
        #[test]
        fn nothing_outside_of_parts_is_touched(pieces in proptest::collection::vec(0_usize..8, 0..12), eol in 0_usize..2) {
            const PIECES: [&str; 8] = [
                "<!-- perfgate:part a -->", "<!-- /perfgate:part a -->", "<!-- perfgate:part b -->",
                "<!-- /perfgate:part b -->", "é mine", "- [x] mine", "  <!-- perfgate:part", "",
            ];
            let eol = ["\n", "\r\n"][eol];
            let body: String = pieces.iter().map(|at| format!("{}{eol}", PIECES[*at])).collect();
            if let Ok(renewed) = Parts::of(NEW).unwrap().renew(&body) {
                let outside = |text: &str| -> String {
                    let mut done = 0;
                    let mut out = String::new();
                    for place in places(text).unwrap() {
                        out.push_str(&text[done..place.content.start]);
                        done = place.content.end;
                    }
                    out + &text[done..]
                };
                proptest::prop_assert_eq!(outside(&body), outside(&renewed.text));
            }
        }
    }
}
