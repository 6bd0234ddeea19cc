//! What people wrote inside perfgate's own sections. A section ends with a comment that has a digest of each of its lines;
//! a line without one was written by a person. Such lines that are not in the new section are kept below it, and marked.

use super::parts::{check_box, label};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const LINES: &str = "<!-- perfgate:lines ";
const BEGIN: &str = "<!-- perfgate:kept -->";
const END: &str = "<!-- /perfgate:kept -->";
const HEADING: &str = "> **Changed by hand, kept:**";

/// The digests of the lines of a section, as a comment.
pub fn line_digests(content: &str) -> String {
    let digests: String = content.lines().filter(|line| !line.trim().is_empty()).map(digest).collect();
    format!("{LINES}{digests} -->\n")
}

/// Four characters suffice: in a section of 100 lines, a line written by a person is mistaken for one of perfgate's in
/// about 1 of 170,000 cases.
fn digest(line: &str) -> String {
    let hash = Sha256::digest(line.trim_end());
    STANDARD_NO_PAD.encode(&hash[..3])
}

/// A section as it was found in a document.
pub struct ExistingSection<'a> {
    /// Its lines, without comments and blocks of this module.
    pub lines: Vec<&'a str>,
    /// Lines that were kept before.
    kept: Vec<&'a str>,
    /// The digests of the lines that perfgate wrote; `None` for a section that has none.
    digests: Option<BTreeSet<&'a str>>,
}

impl<'a> ExistingSection<'a> {
    /// Takes a section apart.
    pub fn of(content: &'a str) -> ExistingSection<'a> {
        let mut found = ExistingSection { lines: Vec::new(), kept: Vec::new(), digests: None };
        let mut is_kept = false;
        for line in content.lines() {
            let digests = line.trim().strip_prefix(LINES.trim_end()).and_then(|rest| rest.strip_suffix("-->"));
            match (line.trim(), digests) {
                (BEGIN, _) => is_kept = true,
                (END, _) => is_kept = false,
                (_, Some(digests)) => {
                    let digests = digests.trim();
                    let parts = (0..digests.len()).step_by(4).filter_map(|at| digests.get(at..at + 4));
                    found.digests = Some(parts.collect());
                }
                (HEADING, _) => {}
                _ if is_kept => found.kept.push(line),
                _ => found.lines.push(line),
            }
        }
        found
    }

    /// A block with the lines that people wrote and that `answered` lacks; empty if there are none. `answered` is the new
    /// section `new` with the ticks and answers of people.
    pub fn block(&self, new: &str, answered: &str) -> String {
        let is_there = |line: &str| {
            answered.lines().any(|other| match (check_box(line), check_box(other)) {
                (Some(_), Some(_)) => label(line) == label(other) && self.has_box(line, other, new),
                _ => other.trim_end() == line.trim_end(),
            })
        };
        let by_people = |line: &&&str| !line.trim().is_empty() && !self.is_by_perfgate(line);
        let lines = self.lines.iter().filter(by_people);
        let lines = lines.filter(|line| !is_there(line)).map(|line| format!("> {line}\n"));
        let kept: String = self.kept.iter().map(|line| format!("{line}\n")).chain(lines).collect();
        if kept.trim().is_empty() { String::new() } else { format!("\n{BEGIN}\n{HEADING}\n{kept}{END}\n") }
    }

    /// The lines that perfgate wrote, without blank lines at the end.
    pub fn lines_of_perfgate(&self) -> String {
        let is_kept = |line: &&&str| line.trim().is_empty() || self.is_by_perfgate(line);
        let lines: String = self.lines.iter().filter(is_kept).map(|line| format!("{line}\n")).collect();
        match lines.trim_end() {
            "" => String::new(),
            text => format!("{text}\n"),
        }
    }

    fn is_by_perfgate(&self, line: &str) -> bool {
        self.digests.as_ref().is_some_and(|digests| digests.contains(digest(line).as_str()))
    }

    /// True if the box `now` has all that a person changed in the box `line` of the same label.
    fn has_box(&self, line: &str, now: &str, new: &str) -> bool {
        let Some(digests) = &self.digests else { return true };
        let is_ticked = |line: &str| check_box(line).is_some_and(|(ticked, _)| ticked);
        let toggled = if is_ticked(line) {
            line.replacen("[x]", "[ ]", 1).replacen("[X]", "[ ]", 1)
        } else {
            line.replacen("[ ]", "[x]", 1)
        };
        if digests.contains(digest(&toggled).as_str()) {
            return is_ticked(line) == is_ticked(now);
        }
        // An answer in a blank is part of the label, which the new section does not have then.
        line.trim_end() == now.trim_end() || !new.lines().any(|other| label(other) == label(line))
    }
}
