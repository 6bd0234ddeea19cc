//! Benchmark lines of Go's output, and the properties of a file that determine how lines are read.

use super::super::{Source, text};
use crate::model::{Diagnostic, Direction};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// A parsed benchmark line.
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) iterations: &'a str,
    pub(super) pairs: Vec<(&'a str, &'a str)>,
}

/// What applies to all lines of a file.
#[derive(Default)]
pub(super) struct FileProperties {
    /// By package: the suffix for the number of processors, such as `-8`, if all names end with the same one. A package is one
    /// process, so those of others are not compared with it.
    pub(super) processors_suffixes: BTreeMap<String, Option<String>>,
    /// True if no name ends like a number of processors.
    has_no_suffix: bool,
    /// Directions of units, from `Unit` lines.
    pub(super) directions: BTreeMap<String, Direction>,
    /// Units whose values repeat exactly (`assume=exact`).
    pub(super) exact_units: BTreeSet<String>,
}

impl<'a> Line<'a> {
    /// Parses a line that begins with a benchmark's name and contains a number. The line may be incomplete.
    pub(super) fn of(line: &'a str) -> Option<Self> {
        if line.strip_prefix("Benchmark")?.starts_with(|c: char| c.is_lowercase()) {
            return None;
        }
        let mut words = line.split_ascii_whitespace();
        let (name, iterations) = (words.next()?, words.next()?);
        let mut pairs = Vec::new();
        while let Some(value) = words.next() {
            pairs.push((value, words.next().unwrap_or("")));
        }
        let numbers = pairs.iter().any(|(value, _)| value.parse::<f64>().is_ok());
        numbers.then_some(Line { name, iterations, pairs })
    }

    /// Whether the line is as the tool writes it.
    pub(super) fn is_complete(&self) -> bool {
        let good = |(value, unit): &(&str, &str)| value.parse::<f64>().is_ok() && !unit.is_empty();
        self.iterations.parse::<u64>().is_ok() && self.pairs.iter().all(good)
    }
}

/// The lines of a text with their numbers. Go prints a name before the run and its result after it. If the code printed lines
/// in between, name and result are joined at the line of the result.
pub(crate) fn joined_lines(text: &str) -> Vec<(u64, Cow<'_, str>)> {
    let mut lines: Vec<(u64, Cow<'_, str>)> = Vec::new();
    let mut waiting: Option<(usize, &str)> = None;
    for (at, line) in text::numbered_lines(text) {
        let mut joined = Cow::Borrowed(line);
        if ["pkg: ", "ok  ", "PASS", "FAIL", "--- FAIL", "panic: "].iter().any(|start| line.starts_with(start)) {
            waiting = None;
        } else if let Some(name) = name_without_result(line) {
            waiting = Some((lines.len(), name));
        } else if Line::of(line).is_some() {
            waiting = None;
        } else if is_result(line)
            && let Some((index, name)) = waiting.take()
        {
            joined = Cow::Owned(format!("{name} {line}"));
            if let Some((_, whole)) = lines.get_mut(index) {
                *whole = Cow::Borrowed("");
            }
        }
        lines.push((at, joined));
    }
    lines
}

/// The name that begins a line, if something else than a number of iterations follows it.
fn name_without_result(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once([' ', '\t'])?;
    let named = name.strip_prefix("Benchmark")?.starts_with(|c: char| !c.is_lowercase());
    let number = rest.split_ascii_whitespace().next().is_some_and(|word| word.parse::<u64>().is_ok());
    (named && !number).then_some(name)
}

/// True for the beginning of one of Go's own units.
pub(super) fn is_cut_unit(unit: &str) -> bool {
    ["ns/op", "MB/s", "B/op", "allocs/op"].iter().any(|whole| whole.starts_with(unit) && *whole != unit)
}

/// Whether a line is a result without its name.
pub(super) fn is_result(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let [iterations, pairs @ ..] = words.as_slice() else { return false };
    let good = |pair: &[&str]| pair.len() == 2 && pair[0].parse::<f64>().is_ok() && pair[1].parse::<f64>().is_err();
    iterations.parse::<u64>().is_ok() && pairs.contains(&"ns/op") && pairs.chunks(2).all(good)
}

impl FileProperties {
    /// The benchmark's name: with its package, without the number of processors where all names of the package have the same.
    pub(super) fn full_name(&self, package: &str, name: &str) -> String {
        let suffix = self.processors_suffixes.get(package).and_then(Option::as_deref);
        let bare = suffix.and_then(|end| name.strip_suffix(end)).unwrap_or(name);
        if package.is_empty() { bare.to_owned() } else { format!("{package}/{bare}") }
    }

    /// The number of processors, if it is the same for all packages. Go prints no suffix for one.
    pub(super) fn processors(&self) -> Option<&str> {
        if self.has_no_suffix {
            return Some("1");
        }
        let mut suffixes = self.processors_suffixes.values();
        let first = suffixes.next()?.as_deref()?;
        suffixes.all(|suffix| suffix.as_deref() == Some(first)).then(|| first.trim_start_matches('-'))
    }

    /// The properties of texts, each with the package that it begins with.
    pub(super) fn of(sources: &[(&str, Source<'_>)]) -> Result<Self, Diagnostic> {
        let mut suffixes: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut has_no_suffix = true;
        let (mut directions, mut exact_units) = (BTreeMap::new(), BTreeSet::new());
        for (package, source) in sources {
            let mut package = (*package).to_owned();
            let text = text::decode(*source)?;
            for (_, line) in &joined_lines(&text) {
                if let Some(unit) = line.strip_prefix("Unit ") {
                    let mut words = unit.split_ascii_whitespace();
                    let Some(unit) = words.next() else { continue };
                    for word in words {
                        match word {
                            "better=higher" => drop(directions.insert(unit.to_owned(), Direction::Higher)),
                            "better=lower" => drop(directions.insert(unit.to_owned(), Direction::Lower)),
                            "assume=exact" => drop(exact_units.insert(unit.to_owned())),
                            _ => {}
                        }
                    }
                } else if let Some(name) = line.strip_prefix("pkg: ") {
                    name.trim().clone_into(&mut package);
                } else if let Some(line) = Line::of(line) {
                    let digits = line.name.len() - line.name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
                    let (stem, end) = line.name.split_at(line.name.len() - digits);
                    let end = (digits > 0 && stem.ends_with('-')).then(|| format!("-{end}"));
                    has_no_suffix &= end.is_none();
                    match suffixes.get_mut(&package) {
                        None => drop(suffixes.insert(package.clone(), end)),
                        Some(seen) if *seen != end => *seen = None,
                        Some(_) => {}
                    }
                }
            }
        }
        let has_no_suffix = has_no_suffix && !suffixes.is_empty();
        Ok(FileProperties { processors_suffixes: suffixes, has_no_suffix, directions, exact_units })
    }
}
