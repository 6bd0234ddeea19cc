//! Which measurements of two sides belong together: same benchmark (after renames), metric and tool.

use super::{Comparison, Effect, Kind, sample_statistics};
use crate::model::{
    BenchId, Digest, Direction, Evidence, Measurement, Metric, Places, Run, SampleStatistics, Summary, Unit,
};
use crate::stats::centre;
use crate::stats::suite::{BenchmarkRuns, RunValue};
use std::borrow::Cow;
use std::sync::Arc;

/// The value of a side, in the metric's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideValue {
    /// Centre of the runs' centres.
    pub value: f64,
    /// Runs behind it.
    pub runs: usize,
    /// Samples behind it, as far as the tool says.
    pub samples: u64,
}

/// One process run of a metric: which of the side's Runs it is of, and its evidence.
#[derive(Debug, Clone, Copy)]
pub struct Replicate<'a> {
    run: usize,
    evidence: &'a Evidence,
}

/// All that two sides say of one metric of one benchmark.
#[derive(Debug)]
pub struct Pair<'a> {
    pub(super) benchmark: Cow<'a, str>,
    pub(super) metric: &'a Metric,
    measurement: &'a Measurement,
    /// Those of the base, then those of the head.
    replicates: Vec<Replicate<'a>>,
    base: usize,
    other_unit: Option<&'a Metric>,
    unreadable: bool,
}

/// Pairs the measurements of two sides, ordered by benchmark, metric and tool.
pub fn pair<'a>(base: &'a [Run], head: &'a [Run], rename: impl Fn(&str) -> Option<String>) -> Vec<Pair<'a>> {
    let room = base.len() + head.len();
    let (mut pairs, mut places) = (Vec::<Pair<'a>>::new(), Places::default());
    for (is_head, runs) in [(false, base), (true, head)] {
        for (run, measurements) in runs.iter().map(|run| &run.measurements).enumerate() {
            places.begin_run();
            for measurement in measurements {
                let old = measurement.benchmark.as_str();
                let name = rename(old).map_or(Cow::Borrowed(old), Cow::Owned);
                let place = places.of((name.clone(), &*measurement.metric.name, &*measurement.tool));
                if place == pairs.len() {
                    pairs.push(Pair::new(name, measurement, room));
                }
                pairs[place].add(is_head, run, measurement);
            }
        }
    }
    for id in head.iter().flat_map(|run| &run.unreadable) {
        for pair in pairs.iter_mut().filter(|pair| pair.benchmark == id.as_str() && pair.head().is_empty()) {
            pair.unreadable = true;
        }
    }
    pairs.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    pairs
}

impl<'a> Pair<'a> {
    /// With room for so many runs of base and head together.
    fn new(benchmark: Cow<'a, str>, measurement: &'a Measurement, runs: usize) -> Self {
        let (metric, replicates) = (&*measurement.metric, Vec::with_capacity(runs));
        Pair { benchmark, metric, measurement, replicates, base: 0, other_unit: None, unreadable: false }
    }

    fn base(&self) -> &[Replicate<'a>] {
        &self.replicates[..self.base]
    }

    fn head(&self) -> &[Replicate<'a>] {
        &self.replicates[self.base..]
    }

    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.benchmark, &self.metric.name, &self.measurement.tool)
    }

    fn add(&mut self, is_head: bool, run: usize, measurement: &'a Measurement) {
        let metric = &measurement.metric;
        if (&metric.unit, metric.direction) != (&self.metric.unit, self.metric.direction) {
            self.other_unit = Some(metric);
        }
        self.replicates.extend(measurement.replicates.iter().map(|evidence| Replicate { run, evidence }));
        if is_head {
            self.measurement = measurement; // head's statement of the work of one operation is today's
        } else {
            self.base = self.replicates.len();
        }
    }

    /// True when both sides have it.
    pub(super) fn is_shared(&self) -> bool {
        !self.base().is_empty() && !self.head().is_empty()
    }

    /// What kind it is of, if it wants a test.
    pub(super) fn look(&self) -> Result<Kind<'_>, Box<Comparison>> {
        match self.first_look() {
            Some(effect) => Err(Box::new(self.comparison(effect))),
            None => Ok(Kind { metric: &self.metric.name, exact: self.metric.exact, samples: self.has_samples() }),
        }
    }

    /// What can be said before any statistics: one side only, numbers that cannot be compared, counts that need no test.
    fn first_look(&self) -> Option<Effect> {
        match (self.base().is_empty(), self.head().is_empty()) {
            _ if self.unreadable => return Some(Effect::Invalid("its result in head could not be read".to_owned())),
            (_, true) => return Some(Effect::BaseOnly),
            (true, _) => return Some(Effect::HeadOnly),
            _ => {}
        }
        if let Some(other) = self.other_unit {
            let [a, b] = [self.metric, other].map(|metric| format!("{} ({} is better)", metric.unit, metric.direction));
            return Some(Effect::Invalid(format!("base and head are in different units: {a} and {b}")));
        }
        let values: Vec<f64> = self.replicates.iter().map(|one| one.evidence.centre()).collect();
        let (base, head) = values.split_at(self.base);
        if values.iter().any(|value| !value.is_finite() || *value < 0.0) {
            return Some(Effect::Invalid("a value is negative or no number".to_owned()));
        }
        let constant = |side: &[f64]| side.windows(2).all(|two| two[0] == two[1]);
        let nothing = |side: &[f64]| side.iter().all(|value| *value == 0.0);
        if self.metric.exact && constant(base) && constant(head) || nothing(base) || nothing(head) {
            return Some(self.exact(centre::median(base), centre::median(head)));
        }
        None
    }

    /// Numbers compared as they are. From zero the ratio is infinite, which a count may be and a time may not.
    fn exact(&self, base: f64, head: f64) -> Effect {
        let worse = match self.metric.direction {
            Direction::Lower => (head / base).ln(),
            Direction::Higher => (base / head).ln(),
        };
        match (base == 0.0, head == 0.0) {
            (true, true) => Effect::Exact(0.0),
            (true, false) | (false, true) if self.metric.unit == Unit::Nanosecond => {
                Effect::Invalid("a time of zero is below what its clock can tell".to_owned())
            }
            _ => Effect::Exact(worse),
        }
    }

    /// The pair as the statistics want it: worse is larger. Where some runs have zero, which has no logarithm, it stands
    /// for less than could be seen: half of the least value that was.
    pub(super) fn observed(&self) -> BenchmarkRuns {
        let centres = self.replicates.iter().map(|one| one.evidence.centre());
        let least = centres.filter(|value| *value > 0.0).min_by(f64::total_cmp).unwrap_or(1.0) / 2.0;
        let side = |side: &[Replicate<'_>]| side.iter().map(|one| self.run_value(one, least)).collect();
        BenchmarkRuns { base: side(self.base()), head: side(self.head()) }
    }

    fn run_value(&self, one: &Replicate<'_>, least: f64) -> RunValue {
        let ln = |value: f64| if value > 0.0 { value.ln() } else { least.ln() };
        let sign = match self.metric.direction {
            Direction::Lower => 1.0,
            Direction::Higher => -1.0,
        };
        let digest = one.evidence.digest(self.metric.direction);
        RunValue {
            run: one.run,
            fast_edge: digest.map(|digest| sign * ln(digest.fast_edge)),
            centre: sign * ln(one.evidence.centre()),
            within_run_drift: digest.and_then(|digest| digest.within_run_drift).map(f64::from),
            centre_variance: within(one.evidence),
        }
    }

    /// True when every run of both sides has samples.
    fn has_samples(&self) -> bool {
        let sampled = |one: &Replicate<'_>| !matches!(one.evidence, Evidence::Summary(_) | Evidence::Value(_));
        self.replicates.iter().all(sampled)
    }

    /// True when some head run holds the very samples of a base run, which two measurements never do.
    pub(super) fn same_samples(&self) -> bool {
        let marks = |side: &[Replicate<'_>]| -> Vec<(f64, u32, f32)> {
            let varied = |digest: Digest| {
                let drift = digest.within_run_drift.filter(|drift| *drift > 0.0)?;
                Some((digest.median, digest.samples, drift))
            };
            side.iter().filter_map(|one| one.evidence.digest(self.metric.direction)).filter_map(varied).collect()
        };
        let base = marks(self.base());
        marks(self.head()).iter().any(|mark| base.contains(mark))
    }

    /// The evidence of base and head, in the order of their runs.
    pub(super) fn evidence(&self) -> [Vec<&'a Evidence>; 2] {
        [self.base(), self.head()].map(evidence)
    }

    /// Its name today: most often that of its measurement, which is kept once for both.
    fn name(&self) -> BenchId {
        let name = &self.measurement.benchmark;
        if name.as_str() == self.benchmark { name.clone() } else { BenchId::new(&*self.benchmark) }
    }

    fn statistics(&self) -> Option<Box<[Option<SampleStatistics>; 2]>> {
        let statistics = [self.base(), self.head()].map(|side| sample_statistics::of(&evidence(side)));
        statistics.iter().any(Option::is_some).then(|| Box::new(statistics))
    }

    pub(super) fn comparison(&self, effect: Effect) -> Comparison {
        Comparison {
            benchmark: self.name(),
            metric: Arc::clone(&self.measurement.metric),
            tool: self.measurement.tool.clone(),
            work: self.measurement.work,
            base: level(self.base()),
            head: level(self.head()),
            effect,
            statistics: self.statistics(),
            confirmed: false,
        }
    }
}

fn evidence<'a>(side: &[Replicate<'a>]) -> Vec<&'a Evidence> {
    side.iter().map(|one| one.evidence).collect()
}

fn level(side: &[Replicate<'_>]) -> Option<SideValue> {
    let values: Vec<f64> = side.iter().map(|one| one.evidence.centre()).collect();
    (!values.is_empty()).then(|| SideValue {
        value: centre::median(&values),
        runs: side.len(),
        samples: side.iter().map(|one| one.evidence.samples()).sum(),
    })
}

/// Variance of a summary's centre on the log scale. Samples of one process hang together: taken for a quarter as many.
fn within(evidence: &Evidence) -> f64 {
    let Evidence::Summary(summary) = evidence else { return 0.0 };
    match **summary {
        Summary { centre, sd: Some(sd), samples: Some(samples), .. } if samples > 0 && centre > 0.0 => {
            4.0 * (sd / centre).powi(2) / samples as f64
        }
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(names: &[&str]) -> Run {
        let measurement = |name: &&str| Measurement::new("t", *name, Metric::time(), Evidence::Value(1.0));
        Run { measurements: names.iter().map(measurement).collect(), ..Run::default() }
    }

    /// Each benchmark with its runs in base and head.
    fn paired(base: &[&[&str]], head: &[&[&str]]) -> Vec<(String, Vec<usize>, Vec<usize>)> {
        let [base, head] = [base, head].map(|side| side.iter().map(|names| run(names)).collect::<Vec<_>>());
        let runs = |side: &[Replicate<'_>]| side.iter().map(|one| one.run).collect();
        let rename = |old: &str| (old == "old").then(|| "c".to_owned());
        let pairs = pair(&base, &head, rename);
        pairs.iter().map(|pair| (pair.benchmark.to_string(), runs(pair.base()), runs(pair.head()))).collect()
    }

    #[test]
    fn runs_in_any_order_with_any_gaps_are_paired_alike() {
        let expected = |a: [&[usize]; 2], b: [&[usize]; 2], c: [&[usize]; 2], d: [&[usize]; 2]| {
            let sides = [("a", a), ("b", b), ("c", c), ("d", d)];
            sides.map(|(name, [base, head])| (name.to_owned(), base.to_vec(), head.to_vec())).to_vec()
        };
        let all = expected([&[0, 1], &[0]], [&[0, 1], &[0]], [&[0, 1], &[0]], [&[0, 1], &[0]]);
        assert_eq!(paired(&[&["a", "b", "c", "d"], &["a", "b", "c", "d"]], &[&["a", "b", "c", "d"]]), all);
        assert_eq!(paired(&[&["d", "b", "c", "a"], &["a", "c", "b", "d"]], &[&["b", "a", "d", "c"]]), all);
        assert_eq!(paired(&[&["a", "b", "d", "old"], &["a", "b", "old", "d"]], &[&["a", "b", "c", "d"]]), all);
        // One is gone from the middle, one comes into it, one at the end.
        let some = expected([&[0], &[0]], [&[0], &[]], [&[], &[0]], [&[], &[0]]);
        assert_eq!(paired(&[&["a", "b"]], &[&["a", "c", "d"]]), some);
        let some = expected([&[0, 1], &[0]], [&[1], &[0]], [&[0], &[]], [&[0, 1], &[0]]);
        assert_eq!(paired(&[&["a", "c", "d"], &["a", "b", "d"]], &[&["a", "b", "d"]]), some);
    }

    #[test]
    fn the_same_name_twice_in_a_run_is_two_runs_of_one_benchmark() {
        assert_eq!(paired(&[&["a", "a"]], &[&["a"]]), [("a".to_owned(), vec![0, 0], vec![0])]);
    }
}
