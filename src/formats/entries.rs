//! The tray on which a reader lays what it finds: good measurements in file order, and beside them what was odd.
//! It looks after what every reader must do alike (values that are no values, names given twice, unknown units, at most
//! a handful of messages of one kind). What an entry means is for its format.

use super::{Reading, Source};
use crate::model::{Commit, Diagnostic, Environment, Evidence, Measurement, Metric, Summary, Unit, UnitScale};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many messages of one code a file may raise before the rest is only counted.
const TOLD: usize = 20;

/// The entries of one file, as they are read.
#[derive(Debug)]
pub(super) struct Entries<'a> {
    tool: &'static str,
    source: Source<'a>,
    reading: Reading,
    seen: BTreeSet<(u64, usize)>, // hash of tool, name and metric; place among the measurements
    told: BTreeMap<String, usize>,
    units: BTreeSet<String>,
}

impl<'a> Entries<'a> {
    /// An empty tray for a file of a tool.
    pub fn new(tool: &'static str, source: Source<'a>) -> Self {
        let (reading, seen, told, units) = Default::default();
        Entries { tool, source, reading, seen, told, units }
    }

    /// The machine's facts.
    pub fn environment(&mut self) -> &mut Environment {
        &mut self.reading.environment
    }

    /// Notes the commit that was measured; what is no full commit id is not one.
    pub fn commit(&mut self, id: &str) {
        self.reading.commit = Commit::parse(id);
    }

    /// Reports something odd in the file.
    pub fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::warning(code, self.source.name, message));
    }

    /// Reports something worth knowing of the file.
    pub fn note(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::note(code, self.source.name, message));
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        let count = match self.told.get_mut(&diagnostic.code) {
            Some(count) => count,
            None => self.told.entry(diagnostic.code.clone()).or_default(),
        };
        *count += 1;
        if *count <= TOLD {
            self.reading.diagnostics.push(diagnostic);
        }
    }

    /// Reads one entry of a JSON list; an entry of another shape is reported and left out. `at` counts from 0.
    pub fn read<'de, T: Deserialize<'de>>(&mut self, what: &str, at: usize, raw: &'de RawValue) -> Option<T> {
        match serde_json::from_str(raw.get()) {
            Ok(entry) => Some(entry),
            Err(error) => {
                self.warn("unreadable-entry", format!("{what} {} cannot be read: {error}", at + 1));
                None
            }
        }
    }

    /// The house unit of a label; an unknown label is kept as it is and reported once.
    pub fn unit(&mut self, label: &str) -> UnitScale {
        if let Some(scale) = Unit::parse(label) {
            return scale;
        }
        if self.units.insert(label.to_owned()) {
            let message = format!("the unit `{label}` is not known; its values are compared as they stand");
            self.note("unknown-unit", message);
        }
        UnitScale { unit: Unit::Other(label.into()), factor: 1.0 }
    }

    /// Samples of one process run; those that are no values are reported and left out.
    pub fn samples(&mut self, name: &str, mut values: Vec<f64>, factor: f64) -> Option<Evidence> {
        let all = values.len();
        values.retain_mut(|value| match scaled(*value, factor) {
            Some(good) => {
                *value = good;
                true
            }
            None => false,
        });
        let bad = all - values.len();
        if bad > 0 {
            let message = format!("`{name}`: {bad} of {all} samples are negative or not finite and are left out");
            self.warn("invalid-value", message);
        }
        (!values.is_empty()).then_some(Evidence::Samples(values))
    }

    /// A single number; one that is no value is reported.
    pub fn value(&mut self, name: &str, value: f64, factor: f64) -> Option<Evidence> {
        self.good(name, value, factor).map(Evidence::Value)
    }

    /// A summary in the tool's unit. Without a valid centre there is none; other parts that are no values are dropped.
    pub fn summary(&mut self, name: &str, summary: Summary, factor: f64) -> Option<Evidence> {
        let centre = self.good(name, summary.centre, factor)?;
        let part = |value: Option<f64>| value.and_then(|value| scaled(value, factor));
        let shares = summary.quantiles.into_iter();
        let mut quantiles: Vec<(f64, f64)> =
            shares.filter_map(|(share, value)| Some((share, scaled(value, factor)?))).collect();
        quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (mean, sd) = (part(summary.mean), part(summary.sd));
        Some(Evidence::Summary(Summary { centre, mean, sd, samples: summary.samples, quantiles }))
    }

    fn good(&mut self, name: &str, value: f64, factor: f64) -> Option<f64> {
        let good = scaled(value, factor);
        if good.is_none() {
            self.warn("invalid-value", format!("`{name}`: the value is missing, negative or not finite; left out"));
        }
        good
    }

    /// Lays down a measurement; without evidence there is none, and of two with one name and metric the first stays.
    pub fn add(&mut self, name: &str, metric: Metric, replicates: impl IntoIterator<Item = Evidence>) {
        self.add_of(self.tool.into(), name, metric, replicates.into_iter().collect());
    }

    /// The same for a tool that the file names itself.
    pub fn add_of(&mut self, tool: Cow<'static, str>, name: &str, metric: Metric, replicates: Vec<Evidence>) {
        let Some(measurement) = Measurement::of_runs(tool, name, metric, replicates) else { return };
        let metric = &measurement.metric;
        if !self.holds(&measurement.tool, name, metric) {
            self.seen.insert((hash(&measurement.tool, name, metric), self.reading.measurements.len()));
            self.reading.measurements.push(measurement);
        } else {
            let metric = &metric.name;
            let message =
                format!("`{name}` has a second `{metric}`; the first is kept. Give each benchmark its own name");
            self.warn("duplicate-name", message);
        }
    }

    /// True where the benchmark has this metric already.
    pub fn has(&self, name: &str, metric: &Metric) -> bool {
        self.holds(self.tool, name, metric)
    }

    /// Looks up the measurement by its hash, so that a file of many small entries is not kept twice.
    fn holds(&self, tool: &str, name: &str, metric: &Metric) -> bool {
        let hash = hash(tool, name, metric);
        self.seen.range((hash, 0)..=(hash, usize::MAX)).any(|(_, at)| {
            let known = self.reading.measurements.get(*at);
            known.is_some_and(|one| one.tool == tool && one.benchmark.as_str() == name && one.metric == *metric)
        })
    }

    /// What was read, or why nothing could be.
    pub fn finish(mut self) -> Result<Reading, Diagnostic> {
        if self.reading.measurements.is_empty() {
            let why = match self.reading.diagnostics.first() {
                Some(first) => format!("holds no result that can be read: {}", first.message),
                None => "holds no result; did the benchmarks run?".to_owned(),
            };
            return Err(Diagnostic::error("no-results", self.source.name, why));
        }
        for (code, count) in std::mem::take(&mut self.told) {
            if count > TOLD {
                let more = format!("and {} more of the same kind ({code})", count - TOLD);
                self.reading.diagnostics.push(Diagnostic::note(&code, self.source.name, more));
            }
        }
        Ok(self.reading)
    }
}

/// The same for the same words in every run of perfgate: this hasher has fixed keys.
fn hash(tool: &str, name: &str, metric: &Metric) -> u64 {
    let mut hasher = DefaultHasher::new();
    (tool, name, metric).hash(&mut hasher);
    hasher.finish()
}

/// A finite value that is not negative, in the house unit; zero without a sign.
fn scaled(value: f64, factor: f64) -> Option<f64> {
    let house = value * factor + 0.0;
    (house.is_finite() && house >= 0.0).then_some(house)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Source<'_> = Source { name: "x.json", bytes: b"" };

    #[test]
    fn bad_samples_are_left_out_and_reported() {
        let mut entries = Entries::new("t", FILE);
        let evidence = entries.samples("a", vec![1.0, f64::NAN, -1.0, -0.0, f64::MAX], 1e3);
        assert_eq!(evidence, Some(Evidence::Samples(vec![1000.0, 0.0])));
        entries.add("a", Metric::time(), evidence);
        let reading = entries.finish().unwrap();
        assert_eq!(reading.diagnostics[0].code, "invalid-value");
        assert!(reading.diagnostics[0].message.contains("3 of 5"));
    }

    #[test]
    fn of_two_measurements_of_one_name_the_first_stays() {
        let mut entries = Entries::new("t", FILE);
        entries.add("a", Metric::time(), [Evidence::Value(1.0)]);
        entries.add("a", Metric::time(), [Evidence::Value(2.0)]);
        let reading = entries.finish().unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].replicates, [Evidence::Value(1.0)]);
        assert_eq!(reading.diagnostics[0].code, "duplicate-name");
    }

    #[test]
    fn a_flood_of_one_message_is_counted_instead_of_repeated() {
        let mut entries = Entries::new("t", FILE);
        entries.add("a", Metric::time(), [Evidence::Value(1.0)]);
        (0..1000).for_each(|_| entries.warn("odd", "is odd"));
        let reading = entries.finish().unwrap();
        assert_eq!(reading.diagnostics.len(), TOLD + 1);
        assert!(reading.diagnostics[TOLD].message.contains("980 more"));
    }

    #[test]
    fn nothing_read_is_an_error_with_the_first_reason() {
        let mut entries = Entries::new("t", FILE);
        entries.warn("odd", "the moon was full");
        assert!(entries.finish().unwrap_err().message.contains("the moon was full"));
    }
}
