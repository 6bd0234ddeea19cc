//! A reading in the making: it keeps measurements in order, refuses what is no number, and says what was odd without
//! drowning the reader. What the numbers are is left to each format.

use super::{Reading, Source};
use crate::model::{BenchId, Diagnostic, Direction, Environment, Evidence, Measurement, Metric, Unit, UnitScale, Work};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// How many diagnostics are told one by one; the rest is counted.
const TOLD: usize = 100;

/// What has been read so far.
pub(super) struct Draft<'a> {
    tool: &'static str,
    source: Source<'a>,
    measurements: Vec<Measurement>,
    /// Where each benchmark's metric stands in `measurements`.
    places: BTreeMap<(BenchId, Cow<'static, str>), usize>,
    unknown_units: BTreeSet<String>,
    diagnostics: Vec<Diagnostic>,
    untold: usize,
    /// The line that is being read, for the place of a diagnostic; `None` where lines mean nothing.
    pub(super) line: Option<usize>,
    /// Facts on the machine, for the format to fill.
    pub(super) environment: Environment,
}

impl<'a> Draft<'a> {
    /// Nothing read yet.
    pub(super) fn new(tool: &'static str, source: Source<'a>) -> Self {
        let (measurements, places) = (Vec::new(), BTreeMap::new());
        let (diagnostics, environment) = (Vec::new(), Environment::default());
        let unknown_units = BTreeSet::new();
        Draft { tool, source, measurements, places, unknown_units, diagnostics, untold: 0, line: None, environment }
    }

    /// A diagnostic about the line that is being read, or the whole file.
    pub(super) fn warn(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::warning(code, self.place(), message));
    }

    /// A diagnostic that changes nothing about what was read.
    pub(super) fn note(&mut self, code: &str, message: impl Into<String>) {
        self.tell(Diagnostic::note(code, self.place(), message));
    }

    fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.source.name),
            None => self.source.name.to_owned(),
        }
    }

    fn tell(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < TOLD {
            self.diagnostics.push(diagnostic);
        } else {
            self.untold += 1;
        }
    }

    /// `value * factor` where that is a number that can have been measured; else a diagnostic.
    pub(super) fn value(&mut self, benchmark: &str, what: &str, value: f64, factor: f64) -> Option<f64> {
        let scaled = value * factor + 0.0; // the sum turns -0 into 0
        if scaled.is_finite() && scaled >= 0.0 {
            return Some(scaled);
        }
        self.warn(
            "invalid-value",
            format!("`{benchmark}`: {what} of {value} cannot have been measured; it is left out"),
        );
        None
    }

    /// The values that can have been measured, in order.
    pub(super) fn values(&mut self, benchmark: &str, what: &str, mut values: Vec<f64>, factor: f64) -> Vec<f64> {
        let count = values.len();
        values.retain_mut(|value| {
            *value = *value * factor + 0.0;
            value.is_finite() && *value >= 0.0
        });
        let lost = count - values.len();
        if lost > 0 {
            let message = format!("`{benchmark}`: {lost} of {count} values of {what} are negative or no numbers");
            self.warn("invalid-value", message + "; they are left out");
        }
        values
    }

    /// What a unit's label means; an unknown one is kept by its name, with a diagnostic for its first benchmark.
    pub(super) fn unit(&mut self, benchmark: &str, label: &str) -> UnitScale {
        Unit::parse(label).unwrap_or_else(|| {
            if self.unknown_units.insert(label.to_owned()) {
                let message =
                    format!("`{benchmark}`: the unit `{label}` is not known; compared only with the same unit");
                self.note("unknown-unit", message);
            }
            UnitScale { unit: Unit::Other(label.into()), factor: 1.0 }
        })
    }

    /// A measurement that a file holds once; of two with one name the first is kept.
    pub(super) fn add(&mut self, benchmark: &str, metric: Metric, evidence: Vec<Evidence>) {
        self.add_work(benchmark, metric, evidence, None);
    }

    /// Like [`Draft::add`], with the work of one operation.
    pub(super) fn add_work(&mut self, benchmark: &str, metric: Metric, evidence: Vec<Evidence>, work: Option<Work>) {
        let key = (BenchId::new(benchmark), metric.name.clone());
        if self.places.contains_key(&key) {
            let message = format!(
                "`{benchmark}` ({}) stands here more than once; the first is kept. Give each benchmark its own name",
                metric.name
            );
            return self.warn("duplicate-name", message);
        }
        if let Some(measurement) = Measurement::of_runs(self.tool, benchmark, metric, evidence) {
            self.places.insert(key, self.measurements.len());
            self.measurements.push(Measurement { work, ..measurement });
        }
    }

    /// One more process run of a benchmark. A change of unit between its runs is a diagnostic.
    pub(super) fn repeat(&mut self, benchmark: &str, metric: Metric, value: f64) {
        let key = (BenchId::new(benchmark), metric.name.clone());
        match self.places.get(&key).and_then(|place| self.measurements.get_mut(*place)) {
            Some(measurement) if measurement.metric == metric => measurement.replicates.push(Evidence::Value(value)),
            Some(_) => {
                let message = format!("`{benchmark}` ({}) changes its unit here; the first is kept", metric.name);
                self.warn("duplicate-name", message);
            }
            None => {
                let measurement = Measurement::new(self.tool, benchmark, metric, Evidence::Value(value));
                self.places.insert(key, self.measurements.len());
                self.measurements.push(measurement);
            }
        }
    }

    /// States the work of one operation of a metric that is there.
    pub(super) fn work(&mut self, benchmark: &str, metric: &'static str, work: Work) {
        let place = self.places.get(&(BenchId::new(benchmark), Cow::Borrowed(metric)));
        if let Some(measurement) = place.and_then(|place| self.measurements.get_mut(*place)) {
            measurement.work = Some(work);
        }
    }

    /// The reading; without a single measurement it is the error, which names the first thing that was odd.
    pub(super) fn finish(self) -> Result<Reading, Diagnostic> {
        let Draft { tool, source, mut measurements, mut diagnostics, untold, environment, .. } = self;
        if measurements.is_empty() {
            let message = match diagnostics.first() {
                Some(first) => format!("holds no benchmark of {tool} that can be read. First: {}", first.message),
                None => format!("holds no benchmark of {tool}; run the benchmarks again"),
            };
            let place = diagnostics.into_iter().next().map_or(source.name.to_owned(), |first| first.place);
            return Err(Diagnostic::error("no-benchmarks", place, message));
        }
        if untold > 0 {
            let message = format!("{untold} more places like these are not listed");
            diagnostics.push(Diagnostic::note("more-diagnostics", source.name, message));
        }
        measurements.sort_unstable_by(|a, b| (&a.benchmark, &a.metric.name).cmp(&(&b.benchmark, &b.metric.name)));
        Ok(Reading { measurements, diagnostics, environment })
    }
}

/// The metric that a bare unit stands for, where the file names no metric: times are `time`, rates `throughput`
/// (more is better), anything else goes by the unit's own label.
pub(super) fn metric_of(unit: Unit, label: &str) -> Metric {
    let bare = ["/op", "/iter"].iter().find_map(|end| label.strip_suffix(end)).unwrap_or(label);
    match unit {
        Unit::Nanosecond => Metric::time(),
        Unit::Byte => Metric::measured("memory", unit, Direction::Lower),
        Unit::PerSecond | Unit::BytePerSecond => Metric::measured("throughput", unit, Direction::Higher),
        _ if bare.ends_with("/s") => Metric::measured("throughput", unit, Direction::Higher),
        _ => Metric::measured(bare.to_owned(), unit, Direction::Lower),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source<'_> = Source { name: "x", bytes: b"" };

    #[test]
    fn of_two_with_one_name_the_first_is_kept() {
        let mut draft = Draft::new("t", SOURCE);
        draft.add("a", Metric::time(), vec![Evidence::Value(1.0)]);
        draft.add("a", Metric::time(), vec![Evidence::Value(2.0)]);
        let reading = draft.finish().unwrap();
        assert_eq!(reading.measurements[0].replicates, [Evidence::Value(1.0)]);
        assert_eq!(reading.diagnostics[0].code, "duplicate-name");
    }

    #[test]
    fn nothing_read_is_an_error_that_names_the_first_problem() {
        let mut draft = Draft::new("t", SOURCE);
        assert_eq!(draft.value("a", "time", f64::NAN, 1.0), None);
        assert!(draft.finish().unwrap_err().message.contains("`a`"));
    }

    #[test]
    fn a_flood_of_problems_is_counted_not_told() {
        let mut draft = Draft::new("t", SOURCE);
        draft.add("a", Metric::time(), vec![Evidence::Value(1.0)]);
        (0..TOLD + 7).for_each(|_| draft.warn("unreadable-line", "no"));
        let reading = draft.finish().unwrap();
        assert_eq!(reading.diagnostics.len(), TOLD + 1);
        assert!(reading.diagnostics[TOLD].message.starts_with("7 more"));
    }
}
