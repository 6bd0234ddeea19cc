//! What people wrote inside perfgate's own sections. A section ends with a comment that has a digest of each of its lines, in
//! order; a line that the digests lack was written by a person. Such lines that are not in the new section are kept below it, and
//! marked. A fenced block is kept as a whole: half of a fence would turn code into prose.

use super::parts::{check_box, label};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

const LINES: &str = "<!-- perfgate:lines ";
const BEGIN: &str = "<!-- perfgate:kept -->";
const END: &str = "<!-- /perfgate:kept -->";
const HEADING: &str = "> **Changed by hand, kept:**";
/// A blank line of the quoted block.
const BLANK: &str = ">";
/// Above this number of pairs of lines and digests, the order of the lines is not compared.
const MAX_PAIRS: usize = 4_000_000;

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
    /// The digests of the lines that perfgate wrote, in order; `None` for a section that has none.
    digests: Option<Vec<&'a str>>,
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
                (BLANK, _) if is_kept && found.kept.is_empty() => {}
                _ if is_kept => found.kept.push(line),
                _ => found.lines.push(line),
            }
        }
        found
    }

    /// A block with the lines that people wrote and that `answered` lacks; empty if there are none. `answered` is the new
    /// section `new` with the ticks and answers of people.
    pub fn block(&self, new: &str, answered: &str) -> String {
        let lines: BTreeSet<&str> = answered.lines().map(str::trim_end).collect();
        let new_lines: BTreeSet<&str> = new.lines().map(str::trim_end).collect();
        let has_box = |line: &str| {
            let mut others = answered.lines().filter(|other| check_box(other).is_some() && label(line) == label(other));
            others.any(|other| self.has_box(line, other, new))
        };
        // A tick or an answer that the new section has too.
        let is_answer = |unit: &&[&str]| match unit {
            [line] if check_box(line).is_some() => has_box(line),
            [line] => lines.contains(line.trim_end()) && !new_lines.contains(line.trim_end()),
            _ => false,
        };
        let mut paragraphs: Vec<String> = Vec::new();
        let kept: String = self.kept.iter().map(|line| format!("{line}\n")).collect();
        paragraphs.extend((!kept.trim().is_empty()).then_some(kept));
        for passage in self.passages(answered) {
            let units = units(&passage).into_iter().filter(|unit| !is_answer(unit));
            let left: Vec<&str> = units.flatten().copied().collect();
            let is_there = left.iter().all(|line| line.trim().is_empty() || lines.contains(line.trim_end()));
            let quoted = left.iter().map(|line| match line.trim() {
                "" => format!("{BLANK}\n"),
                _ => format!("> {line}\n"),
            });
            paragraphs.extend((!is_there).then(|| quoted.collect::<String>()));
        }
        if paragraphs.is_empty() {
            return String::new();
        }
        format!("\n{BEGIN}\n{HEADING}\n{BLANK}\n{}{END}\n", paragraphs.join(&format!("{BLANK}\n")))
    }

    /// The lines that perfgate wrote, without blank lines at the end.
    pub fn lines_of_perfgate(&self) -> String {
        let digests = self.digests.as_deref().unwrap_or_default();
        let authors = authors(&self.lines, digests).into_iter().zip(&self.lines);
        let lines: String =
            authors.filter(|(author, _)| *author != Author::Person).map(|(_, line)| format!("{line}\n")).collect();
        match lines.trim_end() {
            "" => String::new(),
            text => format!("{text}\n"),
        }
    }

    /// The passages that people wrote, with the blank lines inside them. In a section without digests, these are the lines that the
    /// new section lacks.
    fn passages(&self, answered: &str) -> Vec<Vec<&'a str>> {
        let of_new: Vec<String> = digests_of(&answered.lines().collect::<Vec<_>>());
        let digests = self.digests.clone().unwrap_or_else(|| of_new.iter().map(String::as_str).collect());
        let authors = authors(&self.lines, &digests);
        let lines: Vec<(Author, &str)> = authors.into_iter().zip(self.lines.iter().copied()).collect();
        let by_author = lines.chunk_by(|a, b| a.0 == b.0);
        let by_people = by_author.filter(|lines| lines.first().is_some_and(|(author, _)| *author == Author::Person));
        by_people.map(|lines| lines.iter().map(|(_, line)| *line).collect()).collect()
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
        if digests.contains(&digest(&toggled).as_str()) {
            return is_ticked(line) == is_ticked(now);
        }
        // An answer in a blank is part of the label, which the new section does not have then.
        line.trim_end() == now.trim_end() || !new.lines().any(|other| label(other) == label(line))
    }
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Author {
    Perfgate,
    Person,
    /// A blank line next to a line of perfgate.
    Nobody,
}

/// The author of each line. A passage that only repeats lines of perfgate, as after a move, is perfgate's.
fn authors(lines: &[&str], digests: &[&str]) -> Vec<Author> {
    let units = units(lines);
    let known: BTreeSet<&str> = digests.iter().copied().collect();
    let of_units: Vec<Vec<String>> = units.iter().map(|unit| digests_of(unit)).collect();
    let mut authors = Vec::with_capacity(lines.len());
    for ((unit, in_order), own) in units.iter().zip(in_order(&of_units, digests)).zip(&of_units) {
        let author = match (own.is_empty(), in_order) {
            (true, _) => Author::Nobody,
            (false, true) => Author::Perfgate,
            (false, false) => Author::Person,
        };
        authors.extend(std::iter::repeat_n(author, unit.len()));
    }
    // Passages of people, from their first line that is not blank to their last one.
    let mut at = 0;
    while at < lines.len() {
        let next =
            authors.iter().skip(at).position(|author| *author == Author::Perfgate).map_or(lines.len(), |n| at + n);
        let is_person = |place: &usize| authors[*place] == Author::Person;
        let ends = (at..next).find(is_person).zip((at..next).rev().find(is_person));
        if let Some((first, last)) = ends {
            let passage = &lines[first..=last];
            let is_repeated = digests_of(passage).iter().all(|digest| known.contains(digest.as_str()));
            authors[first..=last].fill(if is_repeated { Author::Perfgate } else { Author::Person });
        }
        at = next + 1;
    }
    authors
}

/// Which units are in the longest sequence of lines that `digests` has in the same order.
fn in_order(units: &[Vec<String>], digests: &[&str]) -> Vec<bool> {
    let width = digests.len() + 1;
    if (units.len() + 1).saturating_mul(width) > MAX_PAIRS {
        let known: BTreeSet<&str> = digests.iter().copied().collect();
        return units.iter().map(|unit| unit.iter().all(|digest| known.contains(digest.as_str()))).collect();
    }
    let starts_at = |unit: &[String], at: usize| {
        let found = digests.get(at..at + unit.len());
        !unit.is_empty() && found.is_some_and(|found| found.iter().zip(unit).all(|(a, b)| a == b))
    };
    let with = |common: &[u32], row: usize, at: usize, unit: &[String]| {
        unit.len() as u32 + common[(row + 1) * width + at + unit.len()]
    };
    // The number of lines in common from this unit and this digest on.
    let mut common = vec![0_u32; (units.len() + 1) * width];
    for (row, unit) in units.iter().enumerate().rev() {
        for at in (0..width).rev() {
            let below = common[(row + 1) * width + at];
            let right = if at + 1 < width { common[row * width + at + 1] } else { 0 };
            let both = if starts_at(unit, at) { with(&common, row, at, unit) } else { 0 };
            common[row * width + at] = below.max(right).max(both);
        }
    }
    let mut at = 0;
    let mut found = Vec::with_capacity(units.len());
    for (row, unit) in units.iter().enumerate() {
        let most = common[row * width + at];
        let start = (at..width)
            .take_while(|from| common[row * width + from] == most)
            .find(|from| starts_at(unit, *from) && with(&common, row, *from, unit) == most);
        found.push(start.is_some());
        at = start.map_or(at, |start| start + unit.len());
    }
    found
}

/// The digests of the lines that are not blank.
fn digests_of(lines: &[&str]) -> Vec<String> {
    lines.iter().filter(|line| !line.trim().is_empty()).map(|line| digest(line)).collect()
}

/// Single lines, and fenced blocks with their fences.
fn units<'l, 'a>(lines: &'l [&'a str]) -> Vec<&'l [&'a str]> {
    let mut units = Vec::new();
    let mut rest = lines;
    while let Some((first, others)) = rest.split_first() {
        let closing = fence(first).and_then(|fence| others.iter().position(|line| closes(line, fence)));
        let (unit, after) = rest.split_at(closing.map_or(1, |closing| closing + 2));
        units.push(unit);
        rest = after;
    }
    units
}

/// The character and the length of the fence that a line opens.
fn fence(line: &str) -> Option<(char, usize)> {
    let text = line.trim_start_matches(' ');
    let mark = text.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = text.trim_start_matches(mark);
    let length = text.len() - info.len();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((mark, length))
}

fn closes(line: &str, (mark, length): (char, usize)) -> bool {
    let text = line.trim();
    text.len() >= length && text.chars().all(|c| c == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fenced_block_is_one_unit_and_an_open_fence_is_a_line() {
        let lengths = |text: &str| -> Vec<usize> {
            let lines: Vec<&str> = text.lines().collect();
            units(&lines).iter().map(|unit| unit.len()).collect()
        };
        assert_eq!(lengths("a\n```sql\nb\n\nc\n```\nd"), [1, 5, 1]);
        assert_eq!(lengths("````\n```\n````\n~~~\n```\n~~~~"), [3, 3]);
        assert_eq!(lengths("```\na\nb"), [1, 1, 1]);
        assert_eq!(lengths("``a``\n```a``` b\nc"), [1, 1, 1]);
    }

    #[test]
    fn a_line_belongs_to_perfgate_where_its_digest_has_the_same_place() {
        let people = |written: &str, found: &str| -> Vec<String> {
            let digests = digests_of(&written.lines().collect::<Vec<_>>());
            let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
            let lines: Vec<&str> = found.lines().collect();
            let authors = authors(&lines, &digests).into_iter().zip(&lines);
            authors.filter(|(author, _)| *author == Author::Person).map(|(_, line)| (*line).to_owned()).collect()
        };
        let written = "a\n```\nx\n```\nb\n";
        assert!(people(written, written).is_empty());
        // Lines that perfgate has too belong to a passage of a person.
        let mine = "Why:\n\n```\ny\n```\n\nx\nMine";
        assert_eq!(people(written, &format!("a\n\n{mine}\n\n```\nx\n```\nb\n")), mine.lines().collect::<Vec<_>>());
        // A changed block is kept as a whole.
        assert_eq!(people(written, "a\n```\nx2\n```\nb\n"), ["```", "x2", "```"]);
        // Lines that are only moved or removed are not.
        assert!(people(written, "b\na\n").is_empty());
    }
}
