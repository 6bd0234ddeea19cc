//! A reading under way: measurements by name and metric, every value checked at the door, units looked up, and what was
//! odd kept to a number that can be read. What a file says is for its format.

use super::{Reading, Source, json};
use crate::model::{Commit, Diagnostic, Environment, Evidence, Measurement, Metric, Unit, UnitScale, Work};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many diagnostics of one code are told one by one; the rest is counted.
const TOLD: usize = 20;
/// How many characters a message may have: the line that it quotes may be the whole file.
const LONGEST: usize = 400;

/// The measurements and diagnostics of one file, as a format fills them in.
#[derive(Debug)]
pub(super) struct ReadingBuilder<'a> {
    tool: &'static str,
    source: Source<'a>,
    reading: Reading,
    /// Each measurement by the hash of its tool, name and metric, so that a file of many small entries is not kept twice.
    places: BTreeSet<(u64, usize)>,
    units: BTreeSet<String>,
    told: BTreeMap<String, usize>,
    /// The line that is being read, for the place of a diagnostic; `None` where lines mean nothing.
    pub line: Option<u64>,
}

impl<'a> ReadingBuilder<'a> {
    /// An empty reading of `source` by the format named `tool`.
    pub fn new(tool: &'static str, source: Source<'a>) -> Self {
        let (reading, places, units, told) = Default::default();
        ReadingBuilder { tool, source, reading, places, units, told, line: None }
    }

    /// The facts on the machine, for the format to fill.
    pub fn environment(&mut self) -> &mut Environment {
        &mut self.reading.environment
    }

    /// Notes the commit that was measured; what is no full commit id is not one.
    pub fn set_commit(&mut self, id: &str) {
        self.reading.commit = Commit::parse(id);
    }

    /// Reports something odd in the line that is being read, or in the file.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::warning(code, self.place(), message));
    }

    /// Reports something that changes nothing about what was read.
    pub fn note(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::note(code, self.place(), message));
    }

    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.source.name),
            None => self.source.name.to_owned(),
        }
    }

    fn tell(&mut self, mut diagnostic: Diagnostic) {
        let told = self.told.entry(diagnostic.code.clone()).or_default();
        *told += 1;
        if *told <= TOLD {
            if let Some((end, _)) = diagnostic.message.char_indices().nth(LONGEST) {
                diagnostic.message.truncate(end);
                diagnostic.message.push_str(" ...");
            }
            self.reading.diagnostics.push(diagnostic);
        }
    }

    /// Reads one entry of a JSON list; an entry of another shape is reported and left out. `at` counts from 0.
    pub fn parse_entry<'de, T: Deserialize<'de>>(&mut self, what: &str, at: usize, raw: &'de RawValue) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(entry) => Some(entry),
            Err(error) => {
                let message = format!("{what} {} is left out: {}", at + 1, json::reason(&error));
                self.warn("unreadable-entry", message);
                None
            }
        }
    }

    /// What a unit's label means; an unknown label is kept as it is and reported once.
    pub fn unit(&mut self, label: &str) -> UnitScale {
        Unit::parse(label).unwrap_or_else(|| {
            if self.units.insert(label.to_owned()) {
                let message =
                    format!("the unit `{label}` is not known; its values are compared only with the same unit");
                self.note("unknown-unit", message);
            }
            UnitScale { unit: Unit::Other(label.into()), factor: 1.0 }
        })
    }

    /// Writes down a measurement that a file holds once, with one evidence for each process run. Without sound evidence
    /// there is none; of two with one name and metric the first stays.
    pub fn add(&mut self, name: &str, metric: Metric, evidence: impl IntoIterator<Item = Evidence>) {
        self.add_from_tool(self.tool.into(), name, metric, evidence);
    }

    /// The same for a tool that the file names itself.
    pub fn add_from_tool(
        &mut self,
        tool: Cow<'static, str>,
        name: &str,
        metric: Metric,
        evidence: impl IntoIterator<Item = Evidence>,
    ) {
        let replicates: Vec<Evidence> = evidence.into_iter().filter_map(|one| self.sound(name, &metric, one)).collect();
        if self.find(&tool, name, &metric.name).is_some() {
            return self.twice(name, &metric);
        }
        let hash = hash(&tool, name, &metric.name);
        if let Some(measurement) = Measurement::of_runs(tool, name, metric, replicates) {
            self.places.insert((hash, self.reading.measurements.len()));
            self.reading.measurements.push(measurement);
        }
    }

    /// Writes down one process run of a benchmark that the file may hold several runs of.
    pub fn add_run(&mut self, name: &str, metric: Metric, evidence: Evidence) {
        match self.find(self.tool, name, &metric.name) {
            None => self.add(name, metric, [evidence]),
            Some(at) if *self.reading.measurements[at].metric == metric => {
                let sound = self.sound(name, &metric, evidence);
                self.reading.measurements[at].replicates.extend(sound);
            }
            Some(_) => {
                let message = format!("`{name}`: the unit of {} changes here; the first is kept", metric.name);
                self.warn("duplicate-name", message);
            }
        }
    }

    /// States the work of one operation, beside the metric that it belongs to.
    pub fn set_work(&mut self, name: &str, metric: &str, work: Work) {
        if let Some(at) = self.find(self.tool, name, metric) {
            self.reading.measurements[at].work = Some(work);
        }
    }

    /// True where the benchmark has this metric already.
    pub fn has(&self, name: &str, metric: &str) -> bool {
        self.find(self.tool, name, metric).is_some()
    }

    fn find(&self, tool: &str, name: &str, metric: &str) -> Option<usize> {
        let hash = hash(tool, name, metric);
        let same = |one: &Measurement| one.tool == tool && one.benchmark.as_str() == name && one.metric.name == metric;
        let mut places = self.places.range((hash, 0)..=(hash, usize::MAX)).map(|(_, at)| *at);
        places.find(|at| self.reading.measurements.get(*at).is_some_and(same))
    }

    fn twice(&mut self, name: &str, metric: &Metric) {
        let metric = &metric.name;
        let message = format!("`{name}` has a second {metric}; the first is kept. Give each benchmark its own name");
        self.warn("duplicate-name", message);
    }

    /// The evidence without what nothing can measure (negative, infinite or no number), which is reported.
    fn sound(&mut self, name: &str, metric: &Metric, evidence: Evidence) -> Option<Evidence> {
        let metric = &metric.name;
        match evidence {
            Evidence::Samples(mut samples) => {
                let all = samples.len();
                samples.retain_mut(|sample| {
                    *sample += 0.0; // turns -0 into 0
                    is_sound(*sample)
                });
                let bad = all - samples.len();
                if bad > 0 {
                    let message =
                        format!("`{name}`: {bad} of {all} samples of {metric} are negative or no numbers; left out");
                    self.warn("invalid-value", message);
                }
                (!samples.is_empty()).then_some(Evidence::Samples(samples))
            }
            Evidence::Summary(mut summary) if is_sound(summary.centre) => {
                summary.centre += 0.0;
                summary.mean = summary.mean.filter(|mean| is_sound(*mean));
                summary.sd = summary.sd.filter(|sd| is_sound(*sd));
                summary.quantiles.retain(|(_, value)| is_sound(*value));
                summary.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
                Some(Evidence::Summary(summary))
            }
            Evidence::Value(value) if is_sound(value) => Some(Evidence::Value(value + 0.0)),
            Evidence::Digest(digest) if is_sound(digest.median) => Some(Evidence::Digest(digest)),
            Evidence::Thinned(thinned) if is_sound(thinned.digest.median) => Some(Evidence::Thinned(thinned)),
            unsound => {
                let value = unsound.centre();
                let what = if value.is_nan() {
                    "is missing or no number".to_owned()
                } else {
                    format!("of {value:e} cannot be")
                };
                self.warn("invalid-value", format!("`{name}`: {metric} {what}; left out"));
                None
            }
        }
    }

    /// The reading; without a single measurement it is the error, which names the first thing that was odd.
    pub fn finish(mut self) -> Result<Reading, Diagnostic> {
        let Source { name, bytes } = self.source;
        if self.reading.measurements.is_empty() {
            let tool = self.tool;
            let message = match self.reading.diagnostics.first() {
                _ if bytes.iter().all(u8::is_ascii_whitespace) => {
                    "is empty; run it again and keep its output".to_owned()
                }
                Some(first) => {
                    let line = first.place.strip_prefix(name).map_or("", |line| line.trim_start_matches(':'));
                    let line = if line.is_empty() { String::new() } else { format!(" (line {line})") };
                    format!("holds no result of {tool} that can be read. First{line}: {}", first.message)
                }
                None => format!("holds no result of {tool}; was it run to its end?"),
            };
            return Err(Diagnostic::error("no-results", name, message));
        }
        for (code, count) in std::mem::take(&mut self.told) {
            if count > TOLD {
                let more = format!("{} more of the same kind ({code}) are not listed", count - TOLD);
                self.reading.diagnostics.push(Diagnostic::note(&code, name, more));
            }
        }
        Ok(self.reading)
    }
}

fn is_sound(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}

/// The same for the same words in every run of perfgate: this hasher has fixed keys.
fn hash(tool: &str, name: &str, metric: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tool, name, metric).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Summary;

    fn new_builder(bytes: &[u8]) -> ReadingBuilder<'_> {
        ReadingBuilder::new("tool", Source { name: "file", bytes })
    }

    #[test]
    fn a_second_entry_of_a_name_is_reported_and_a_second_run_is_a_replicate() {
        let mut builder = new_builder(b"x");
        builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
        builder.add("a", Metric::time(), [Evidence::Value(2.0)]);
        builder.add_run("b", Metric::time(), Evidence::Value(1.0));
        builder.add_run("b", Metric::time(), Evidence::Value(2.0));
        assert!(builder.has("a", "time") && !builder.has("a", "memory") && !builder.has("c", "time"));
        let reading = builder.finish().unwrap();
        assert_eq!(reading.measurements[0].replicates, [Evidence::Value(1.0)]);
        assert_eq!(reading.measurements[1].replicates.len(), 2);
        assert_eq!(reading.diagnostics[0].code, "duplicate-name");
    }

    #[test]
    fn what_nothing_can_measure_is_left_out_and_reported() {
        let mut builder = new_builder(b"x");
        builder.add("a", Metric::time(), [Evidence::Samples(vec![1.0, f64::NAN, -1.0, -0.0, f64::INFINITY])]);
        builder.add("b", Metric::time(), [Evidence::Value(-1.0)]);
        let summary = Summary {
            centre: 1.0,
            sd: Some(-1.0),
            quantiles: vec![(1.0, 2.0), (0.5, f64::NAN), (0.0, 0.5)],
            ..Summary::default()
        };
        builder.add("c", Metric::time(), [Evidence::summary(summary)]);
        let reading = builder.finish().unwrap();
        assert_eq!(reading.measurements[0].replicates, [Evidence::Samples(vec![1.0, 0.0])]);
        let whole = Summary { centre: 1.0, quantiles: vec![(0.0, 0.5), (1.0, 2.0)], ..Summary::default() };
        assert_eq!(reading.measurements[1].replicates, [Evidence::summary(whole)]);
        assert!(reading.diagnostics[0].message.contains("3 of 5"));
        assert!(reading.diagnostics[1].message.contains("`b`: time of -1"), "{}", reading.diagnostics[1]);
    }

    #[test]
    fn a_flood_of_one_problem_is_counted_instead_of_repeated() {
        let mut builder = new_builder(b"x");
        builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
        for line in 1..=1000 {
            builder.line = Some(line);
            builder.warn("odd", "is odd");
        }
        let reading = builder.finish().unwrap();
        assert_eq!(reading.diagnostics.len(), TOLD + 1);
        assert_eq!(reading.diagnostics[19].place, "file:20");
        assert!(reading.diagnostics[TOLD].message.starts_with("980 more"));
    }

    #[test]
    fn nothing_read_is_an_error_with_the_first_reason() {
        let mut odd = new_builder(b"x");
        odd.warn("odd", "the moon was full");
        assert!(odd.finish().unwrap_err().message.contains("the moon was full"));
        assert!(new_builder(b" \n").finish().unwrap_err().message.contains("is empty"));
    }

    #[test]
    fn a_message_does_not_quote_a_file_that_is_one_line() {
        let mut builder = new_builder(b"x");
        builder.warn("odd", "é".repeat(100_000));
        assert!(builder.finish().unwrap_err().message.len() < 1000);
    }
}
