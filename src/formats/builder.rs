//! Collects the measurements and diagnostics of one file while a format reads it: rejects impossible values, resolves
//! units, merges repeated runs and limits how many diagnostics are reported.

mod failures;

use super::run_error::ProgressLines;
use super::{Reading, Source, json, stated_time};
use crate::model::{
    BenchId, Commit, CommitPrefix, Diagnostic, Environment, Evidence, Measurement, Metric, Settings, Statement, Tests,
    Unit, UnitScale, Work,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Diagnostics listed per code; further ones are only counted.
const LISTED_PER_CODE: usize = 20;
/// Maximum length of a message in characters: the line it quotes may be the whole file.
const MESSAGE_LENGTH: usize = 400;
/// Maximum number of unknown units in the note on them.
const MAX_UNKNOWN_UNITS: usize = 200;
/// Maximum length of an unknown unit in the note, in characters.
const UNIT_LENGTH: usize = 60;

/// The measurements and diagnostics read from one file so far.
#[derive(Debug)]
pub(super) struct ReadingBuilder<'a> {
    tool: &'static str,
    source: Source<'a>,
    reading: Reading,
    /// Hash of tool, name and metric, with the index of the measurement. Owned keys would double the memory of a file
    /// with many small entries.
    index: BTreeSet<(u64, usize)>,
    unknown_units: BTreeSet<String>,
    diagnostics_by_code: BTreeMap<String, usize>,
    first_problem_line: Option<u64>,
    /// Measurement settings stated in the file. Results with different settings are not compared.
    pub settings: Settings,
    /// Where the results are, in formats that are read line by line.
    progress: ProgressLines,
    /// Current line, for the place of a diagnostic; `None` in formats that are not read line by line.
    pub line: Option<u64>,
}

impl<'a> ReadingBuilder<'a> {
    /// Starts reading `source` as the output of `tool`.
    pub fn new(tool: &'static str, source: Source<'a>) -> Self {
        ReadingBuilder {
            tool,
            source,
            reading: Reading::default(),
            index: BTreeSet::new(),
            unknown_units: BTreeSet::new(),
            settings: Settings::default(),
            diagnostics_by_code: BTreeMap::new(),
            first_problem_line: None,
            progress: ProgressLines::default(),
            line: None,
        }
    }

    /// The environment that the file describes.
    pub fn environment(&mut self) -> &mut Environment {
        &mut self.reading.environment
    }

    /// Numbers of passed and failed tests, for the format of a test report to count.
    pub fn tests(&mut self) -> &mut Tests {
        self.reading.tests.get_or_insert_default()
    }

    /// Statements that ran many times, for the format of a statement log to fill.
    pub fn repeated(&mut self) -> &mut Vec<Statement> {
        self.reading.repeated.get_or_insert_default()
    }

    /// Sets the version of a benchmark: results of another version are not compared with it.
    pub fn set_version(&mut self, name: &str, version: &str) {
        self.reading.versions.insert(BenchId::new(name), version.into());
    }

    /// Sets the measured commit, by its id or the beginning of it. Other texts are ignored.
    pub fn set_commit(&mut self, id: &str) {
        self.reading.commit = Commit::parse(id);
        self.reading.commit_prefix = CommitPrefix::parse(id);
    }

    /// Sets when it was measured; of several times the last one counts.
    pub fn set_measured(&mut self, time: Option<i64>) {
        self.reading.measured = self.reading.measured.max(time);
        self.reading.latest = self.reading.latest.max(time);
    }

    /// Sets when it was measured, by a date that may have no time zone. Without one, only the latest possible time is known.
    pub fn set_measured_locally(&mut self, text: &str) {
        let zoned = stated_time::with_zone(text);
        self.set_measured(zoned);
        let latest = zoned.or_else(|| stated_time::utc(text).map(|time| time + stated_time::UNKNOWN_ZONE));
        self.reading.latest = self.reading.latest.max(latest);
    }

    /// Reports a problem in the current line, or in the file.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.report(Diagnostic::warning(code, self.place(), message));
    }

    /// [`Self::warn`] about a value of a known benchmark.
    fn warn_value(&mut self, message: String) {
        self.report(Diagnostic::warning("invalid-value", self.place(), message));
    }

    /// Skips the result of a benchmark whose value is not valid: the benchmark is not missing.
    pub fn skip_value(&mut self, name: &str, message: String) {
        self.warn_value(message);
        self.reading.unreadable.push(BenchId::new(name));
    }

    /// Reports something that does not change the values read.
    pub fn note(&mut self, code: &str, message: impl Into<String>) {
        self.report(Diagnostic::note(code, self.place(), message));
    }

    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.source.name),
            None => self.source.name.to_owned(),
        }
    }

    fn report(&mut self, mut diagnostic: Diagnostic) {
        if self.reading.diagnostics.is_empty() {
            self.first_problem_line = self.line;
        }
        let count = self.diagnostics_by_code.entry(diagnostic.code.clone()).or_default();
        *count += 1;
        if *count <= LISTED_PER_CODE {
            if let Some((end, _)) = diagnostic.message.char_indices().nth(MESSAGE_LENGTH) {
                diagnostic.message.truncate(end);
                diagnostic.message.push_str(" ...");
            }
            self.reading.diagnostics.push(diagnostic);
        }
    }

    /// Parses one entry of a JSON list. An entry that does not parse is reported and skipped. `at` counts from 0.
    pub fn parse_entry<'de, T: Deserialize<'de>>(&mut self, what: &str, at: usize, raw: &'de RawValue) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(entry) => Some(entry),
            Err(error) => {
                let message = format!("{what} {} skipped: {}", at + 1, json::reason(&error));
                self.warn("unreadable-entry", message);
                None
            }
        }
    }

    /// Parses a unit. An unknown one is kept as written and reported in one note.
    pub fn unit(&mut self, label: &str) -> UnitScale {
        Unit::parse(label).unwrap_or_else(|| {
            let is_first = self.unknown_units.is_empty();
            if self.unknown_units.len() < MAX_UNKNOWN_UNITS {
                self.unknown_units.insert(label.chars().take(UNIT_LENGTH).collect());
            }
            if is_first {
                self.report(Diagnostic::unknown_units(self.place(), self.unknown_units.iter().cloned().collect()));
            }
            UnitScale { unit: Unit::Other(label.into()), factor: 1.0 }
        })
    }

    /// Completes the note on the first unknown unit with the others.
    fn complete_unknown_units(&mut self) {
        if self.unknown_units.len() > 1
            && let Some(known) = self.reading.diagnostics.iter_mut().find(|known| !known.units.is_empty())
        {
            let units = std::mem::take(&mut self.unknown_units).into_iter().collect();
            *known = Diagnostic::unknown_units(self.source.name, units);
        }
    }

    /// Adds a measurement with the evidence of each run. Without valid evidence nothing is added. A second measurement
    /// of the same benchmark and metric is reported and ignored.
    pub fn add(&mut self, name: &str, metric: Metric, evidence: impl IntoIterator<Item = Evidence>) {
        self.add_from_tool(self.tool.into(), name, metric, evidence);
    }

    /// [`Self::add`] for a file that names the tool itself.
    pub fn add_from_tool(
        &mut self,
        tool: Cow<'static, str>,
        name: &str,
        metric: Metric,
        evidence: impl IntoIterator<Item = Evidence>,
    ) {
        self.note_result();
        let replicates: Vec<Evidence> =
            evidence.into_iter().filter_map(|evidence| self.validate(name, &metric, evidence)).collect();
        if self.find(&tool, name, &metric.name).is_some() {
            return self.warn_duplicate(name, &metric);
        }
        let hash = hash(&tool, name, &metric.name);
        if let Some(measurement) = Measurement::of_runs(tool, name, metric, replicates) {
            self.index.insert((hash, self.reading.measurements.len()));
            self.reading.measurements.push(measurement);
        } else {
            self.reading.unreadable.push(BenchId::new(name));
        }
    }

    /// Adds one run of a benchmark that may occur several times in the file.
    pub fn add_run(&mut self, name: &str, metric: Metric, evidence: Evidence) {
        match self.find(self.tool, name, &metric.name) {
            None => self.add(name, metric, [evidence]),
            Some(at) if *self.reading.measurements[at].metric == metric => {
                self.note_result();
                let valid = self.validate(name, &metric, evidence);
                self.reading.measurements[at].evidence.extend(valid);
            }
            Some(_) => {
                let message = format!(
                    "`{name}`: the unit or direction of {} differs from the first run; run skipped",
                    metric.name
                );
                self.warn("duplicate-name", message);
            }
        }
    }

    /// Sets the work of one operation on a measurement added before.
    pub fn set_work(&mut self, name: &str, metric: &str, work: Work) {
        if let Some(at) = self.find(self.tool, name, metric) {
            self.reading.measurements[at].work = Some(work);
        }
    }

    /// Sets the iterations of one sample on a measurement added before.
    pub fn set_iterations(&mut self, name: &str, metric: &str, iterations: f64) {
        if let Some(at) = self.find(self.tool, name, metric).filter(|_| iterations > 0.0) {
            self.reading.measurements[at].iterations = Some(iterations as f32);
        }
    }

    /// Whether this metric of the benchmark was added before.
    pub fn has(&self, name: &str, metric: &str) -> bool {
        self.find(self.tool, name, metric).is_some()
    }

    fn find(&self, tool: &str, name: &str, metric: &str) -> Option<usize> {
        let hash = hash(tool, name, metric);
        let same = |one: &Measurement| one.tool == tool && one.benchmark.as_str() == name && one.metric.name == metric;
        let mut candidates = self.index.range((hash, 0)..=(hash, usize::MAX)).map(|(_, at)| *at);
        candidates.find(|at| self.reading.measurements.get(*at).is_some_and(same))
    }

    /// Warns about a second measurement of the same benchmark and metric.
    pub fn warn_duplicate(&mut self, name: &str, metric: &Metric) {
        let metric = &metric.name;
        let message =
            format!("`{name}` has more than one {metric}; only the first is used. Give each benchmark its own name");
        self.warn("duplicate-name", message);
    }

    /// Drops and reports impossible values (negative, infinite, NaN). `None` if no value remains.
    fn validate(&mut self, name: &str, metric: &Metric, evidence: Evidence) -> Option<Evidence> {
        let metric = &metric.name;
        match evidence {
            Evidence::Samples(mut samples) => {
                let all = samples.len();
                samples.retain_mut(|sample| {
                    *sample += 0.0; // turns -0 into 0
                    is_valid(*sample)
                });
                let bad = all - samples.len();
                if bad > 0 {
                    let message =
                        format!("`{name}`: negative or not finite samples of {metric}: {bad} of {all}; skipped");
                    self.warn_value(message);
                }
                (!samples.is_empty()).then_some(Evidence::Samples(samples))
            }
            Evidence::Summary(mut summary) if is_valid(summary.centre) => {
                summary.centre += 0.0;
                summary.mean = summary.mean.filter(|mean| is_valid(*mean));
                summary.sd = summary.sd.filter(|sd| is_valid(*sd));
                summary.quantiles.retain(|(_, value)| is_valid(*value));
                summary.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
                Some(Evidence::Summary(summary))
            }
            Evidence::Value(value) if is_valid(value) => Some(Evidence::Value(value + 0.0)),
            Evidence::Digest(digest) if is_valid(digest.median) => Some(Evidence::Digest(digest)),
            Evidence::Thinned(thinned) if is_valid(thinned.digest.median) => Some(Evidence::Thinned(thinned)),
            invalid => {
                let value = invalid.centre();
                let reason = if value.is_nan() {
                    format!("{metric} is missing or not a number")
                } else if value.is_infinite() {
                    format!("{metric} is infinite or too large to be stored")
                } else {
                    format!("{metric} is {value}; negative values cannot be compared")
                };
                self.warn_value(format!("`{name}`: {reason}; skipped"));
                None
            }
        }
    }

    /// The reading. Without a measurement there is an error that names the first problem; failures are kept next to it.
    pub fn finish(mut self) -> Result<Reading, Diagnostic> {
        self.reading.environment.set_conditions(self.tool, std::mem::take(&mut self.settings));
        self.complete_unknown_units();
        self.read_run_error();
        let Source { name, bytes } = self.source;
        if self.reading.measurements.is_empty() {
            let tool = self.tool;
            let message = match self.reading.diagnostics.first() {
                _ if bytes.iter().all(u8::is_ascii_whitespace) => {
                    format!("the file is empty; run {tool} again and save its output")
                }
                Some(first) => {
                    let line = self.first_problem_line.map_or(String::new(), |line| format!(" (line {line})"));
                    format!("no {tool} results could be read; first problem{line}: {}", first.message)
                }
                None => format!(
                    "no {tool} results found; check that the run completed and that all of its output was saved"
                ),
            };
            let error = Diagnostic::error("no-results", name, message);
            if self.reading.failures.is_empty() {
                return Err(error);
            }
            // In a directory, other files have results.
            self.reading.diagnostics = vec![error];
            return Ok(self.reading);
        }
        for (code, count) in std::mem::take(&mut self.diagnostics_by_code) {
            if count > LISTED_PER_CODE {
                let count = count - LISTED_PER_CODE;
                let more = format!("more `{code}` diagnostics, not listed: {count}");
                self.reading.diagnostics.push(Diagnostic::note(&code, name, more).representing(count));
            }
        }
        Ok(self.reading)
    }
}

fn is_valid(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// `DefaultHasher::new` has fixed keys, so the hash is the same in every process.
fn hash(tool: &str, name: &str, metric: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tool, name, metric).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests;
