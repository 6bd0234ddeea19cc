//! Pairs the measurements of two sides: same benchmark (after renames), metric and tool.

use super::comparable::{self, Sampling};
use super::conditions;
use super::{Comparison, Effect, MatchRules, TestGroup, sample_groups, sample_statistics};
use crate::model::{BenchId, Direction, Evidence, Measurement, Metric, Run, SampleGroups, SampleStatistics, Unit};
use crate::stats::centre;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The value of a side, in the unit of the metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SideValue {
    /// Median of the centres of the runs.
    pub value: f64,
    /// Number of runs.
    pub runs: usize,
    /// Number of samples, as far as the tool reports it.
    pub samples: u64,
    /// For a share in percent: the number of samples that it counts, such as failed requests.
    pub events: Option<u64>,
}

/// One entry of evidence; `run` is the index of its run within its side. Several entries of one run are repetitions.
#[derive(Debug, Clone, Copy)]
pub struct RunEvidence<'a> {
    pub(super) run: usize,
    pub(super) evidence: &'a Evidence,
}

/// The measurements of one metric of one benchmark on both sides.
#[derive(Debug)]
pub struct Pair<'a> {
    pub(super) benchmark: Cow<'a, str>,
    /// The names that the config renames to it, where runs have them.
    pub(super) old_names: Vec<&'a str>,
    pub(super) metric: &'a Metric,
    pub(super) measurement: &'a Measurement,
    /// The evidence of the base runs, then of the head runs.
    pub(super) evidence: Vec<RunEvidence<'a>>,
    /// How many of them are of the base.
    pub(super) base: usize,
    pub(super) other_unit: Option<&'a Metric>,
    /// The better direction: that of `most_certain`, unless the config states it.
    pub(super) direction: Direction,
    /// The metric of the newest among the runs in which the direction is most certain.
    most_certain: &'a Metric,
    /// True if a run was read with another direction. Its digest then has the fast edge of the other end, so the
    /// medians are compared.
    pub(super) directions_differ: bool,
    /// Iterations of a sample of base and head, where the tool reports them.
    pub(super) iterations: [Option<f32>; 2],
    /// The note on different settings, if base and head were measured with settings that are not comparable.
    pub(super) other_settings: Option<String>,
    /// The last measurement of base.
    base_measurement: Option<&'a Measurement>,
    /// The note on a missing result of one side, if that result may be one that could not be read.
    pub(super) unreadable: Option<String>,
    /// Runs of the base that measured another version of the benchmark than head.
    pub(super) other_versions: Vec<usize>,
}

/// Pairs the measurements of two sides; sorted by benchmark, metric and tool.
pub fn pair<'a>(base: &'a [Run], head: &'a [Run], matching: impl MatchRules) -> Vec<Pair<'a>> {
    let runs = base.len() + head.len();
    let head_versions: BTreeMap<&BenchId, &str> =
        head.iter().flat_map(|run| &run.versions).map(|(name, version)| (name, &**version)).collect();
    let mut pairs = Vec::<Pair<'a>>::new();
    let mut positions: HashMap<(Cow<'a, str>, &str, &str), usize> = HashMap::new();
    for (is_head, runs_of_side) in [(false, base), (true, head)] {
        for (run, whole) in runs_of_side.iter().enumerate() {
            for measurement in &whole.measurements {
                let old = measurement.benchmark.as_str();
                let name = matching.current_name(old).map_or(Cow::Borrowed(old), Cow::Owned);
                let is_renamed = matches!(name, Cow::Owned(_));
                let key = (name, &*measurement.metric.name, &*measurement.tool);
                let position = *positions.entry(key).or_insert_with_key(|(name, ..)| {
                    pairs.push(Pair::new(name.clone(), measurement, runs));
                    pairs.len() - 1
                });
                pairs[position].add(is_head, run, measurement);
                if is_renamed && !pairs[position].old_names.contains(&old) {
                    pairs[position].old_names.push(old);
                }
                if let Some(version) = whole.versions.get(&measurement.benchmark)
                    && !is_head
                    && head_versions.get(&measurement.benchmark).is_some_and(|of_head| *of_head != &**version)
                {
                    pairs[position].other_versions.push(run);
                }
            }
        }
    }
    for (side, runs_of_side) in [("base", base), ("head", head)] {
        let lost: HashSet<&str> = runs_of_side.iter().flat_map(|run| &run.unreadable).map(BenchId::as_str).collect();
        let is_incomplete = !runs_of_side.is_empty() && runs_of_side.iter().all(|run| run.is_incomplete);
        for pair in pairs.iter_mut().filter(|_| is_incomplete || !lost.is_empty()) {
            let is_empty = if side == "base" { pair.base().is_empty() } else { pair.head().is_empty() };
            if is_empty && lost.contains(&*pair.benchmark) {
                pair.unreadable = Some(format!("its result in {side} could not be read"));
            } else if is_empty && is_incomplete {
                pair.unreadable = Some(format!("it may be among the results of {side} that could not be read"));
            }
        }
    }
    for pair in &mut pairs {
        pair.leave_out_other_versions();
        if let Some(direction) = matching.direction(&pair.benchmark, pair.most_certain) {
            pair.set_direction(direction);
        }
    }
    pairs.sort_unstable_by(|a, b| a.key().cmp(&b.key()));
    conditions::check(&mut pairs, base, head);
    pairs
}

impl<'a> Pair<'a> {
    /// `runs` is the expected number of runs of both sides.
    fn new(benchmark: Cow<'a, str>, measurement: &'a Measurement, runs: usize) -> Self {
        let (metric, evidence) = (&*measurement.metric, Vec::with_capacity(runs));
        Pair {
            benchmark,
            old_names: Vec::new(),
            metric,
            measurement,
            evidence,
            base: 0,
            other_unit: None,
            direction: metric.direction,
            most_certain: metric,
            directions_differ: false,
            iterations: [None; 2],
            other_settings: None,
            base_measurement: None,
            unreadable: None,
            other_versions: Vec::new(),
        }
    }

    pub(super) fn base(&self) -> &[RunEvidence<'a>] {
        &self.evidence[..self.base]
    }

    pub(super) fn head(&self) -> &[RunEvidence<'a>] {
        &self.evidence[self.base..]
    }

    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.benchmark, &self.metric.name, &self.measurement.tool)
    }

    fn add(&mut self, is_head: bool, run: usize, measurement: &'a Measurement) {
        let metric = &measurement.metric;
        if metric.unit != self.metric.unit {
            self.other_unit = Some(metric);
        }
        // A direction that one side states applies to both.
        if metric.certainty() >= self.most_certain.certainty() {
            self.set_direction(metric.direction);
            self.most_certain = metric;
        } else {
            self.directions_differ |= metric.direction.sign() != self.direction.sign();
        }
        self.evidence.extend(measurement.evidence.iter().map(|evidence| RunEvidence { run, evidence }));
        self.iterations[usize::from(is_head)] = measurement.iterations;
        if is_head {
            self.measurement = measurement; // the work of one operation is taken from head
        } else {
            self.base = self.evidence.len();
            self.base_measurement = Some(measurement);
        }
    }

    /// Sets the better direction of all runs.
    fn set_direction(&mut self, direction: Direction) {
        self.directions_differ |= direction != self.direction;
        self.direction = direction;
    }

    /// Leaves out the base runs of other versions of the benchmark, unless no others would remain.
    fn leave_out_other_versions(&mut self) {
        let others = std::mem::take(&mut self.other_versions);
        let remaining = self.base().iter().filter(|one| !others.contains(&one.run)).count();
        if remaining == 0 {
            self.other_versions = others;
        } else {
            self.leave_out(&others);
        }
    }

    /// Leaves out runs of the base.
    pub(super) fn leave_out(&mut self, runs: &[usize]) {
        if !runs.is_empty() {
            let head = self.evidence.split_off(self.base);
            self.evidence.retain(|one| !runs.contains(&one.run));
            self.base = self.evidence.len();
            self.evidence.extend(head);
        }
    }

    /// True if only the base has measurements.
    pub(super) fn is_base_only(&self) -> bool {
        self.head().is_empty()
    }

    /// True if both sides have measurements.
    pub(super) fn is_shared(&self) -> bool {
        !self.base().is_empty() && !self.head().is_empty()
    }

    /// The group that it is tested in, or its comparison if it needs no test.
    pub(super) fn test_group(&self) -> Result<TestGroup<'_>, Box<Comparison>> {
        match self.untested_effect() {
            Some(effect) => Err(Box::new(self.comparison(effect))),
            None => Ok(TestGroup {
                metric: &self.metric.name,
                exact: self.measurement.metric.exact,
                has_samples: self.has_samples(),
                has_direction: self.metric.direction.is_known(),
            }),
        }
    }

    /// How the time of an operation was sampled; `None` for other metrics, and for one side only.
    pub(super) fn sampling(&self) -> Option<[Sampling; 2]> {
        if !self.is_shared() || self.metric.unit != Unit::Nanosecond {
            return None;
        }
        let samples = |side: &[RunEvidence<'_>]| -> Option<f64> {
            let counts =
                side.iter().map(|one| one.evidence.digest(self.metric.direction).map(|one| one.samples.into()));
            counts.collect::<Option<Vec<f64>>>().map(|counts| centre::median(&counts))
        };
        let sampling = |iterations: Option<f32>, side: &[RunEvidence<'_>]| Sampling {
            iterations: iterations.map(f64::from),
            samples: samples(side),
            time: side_centre(side),
        };
        let [of_base, of_head] = self.iterations;
        Some([sampling(of_base, self.base()), sampling(of_head, self.head())])
    }

    /// Work per operation of head divided by that of base, where they differ and the metric is the time of an
    /// operation.
    pub(super) fn work_ratio(&self) -> Option<f64> {
        comparable::work_ratio(self.base_measurement?, self.measurement)
            .filter(|_| self.metric.unit == Unit::Nanosecond)
    }

    /// The evidence of base and head, in the order of their runs.
    pub(super) fn evidence_of_sides(&self) -> [Vec<&'a Evidence>; 2] {
        [self.base(), self.head()].map(evidence)
    }

    /// The current name; shared with the measurement where it was not renamed.
    fn name(&self) -> BenchId {
        let name = &self.measurement.benchmark;
        if name.as_str() == self.benchmark { name.clone() } else { BenchId::new(&*self.benchmark) }
    }

    /// The metric of the newest run, with the direction of the pair.
    fn current_metric(&self) -> Arc<Metric> {
        let metric = &self.measurement.metric;
        if metric.direction == self.direction {
            return Arc::clone(metric);
        }
        Arc::new(Metric { direction: self.direction, ..(**metric).clone() })
    }

    fn sample_groups(&self) -> Option<Box<[Option<SampleGroups>; 2]>> {
        let groups = [self.base(), self.head()].map(|side| sample_groups::of(&evidence(side)));
        groups.iter().any(Option::is_some).then(|| Box::new(groups))
    }

    fn statistics(&self) -> Option<Box<[Option<SampleStatistics>; 2]>> {
        let statistics = [self.base(), self.head()].map(|side| sample_statistics::of(&evidence(side)));
        statistics.iter().any(Option::is_some).then(|| Box::new(statistics))
    }

    pub(super) fn comparison(&self, effect: Effect) -> Comparison {
        Comparison {
            benchmark: self.name(),
            per_class: None,
            metric: self.current_metric(),
            tool: self.measurement.tool.clone(),
            work: self.measurement.work,
            work_ratio: self.work_ratio().filter(|_| self.is_shared()),
            other_settings: self.other_settings.clone(),
            base: side_value(self.base(), self.metric),
            newest_base_run: self.base().last().map(|one| one.run),
            base_unit: self.other_unit.and(self.base_measurement).filter(|_| self.is_shared()).and_then(|base| {
                let unit = &base.metric.unit;
                (*unit != self.measurement.metric.unit).then(|| unit.kept_label().into())
            }),
            head: side_value(self.head(), self.metric),
            effect,
            mean: None,
            least_change_of_means: None,
            sample_groups: self.sample_groups(),
            clock_mhz: None,
            iterations: self.iterations[0].zip(self.iterations[1]).map(|(base, head)| base.min(head)),
            statistics: self.statistics(),
            re_measured: false,
        }
    }
}

/// Median of the centres of the runs; that of a run is the median of its repetitions, as in the test.
pub(super) fn side_centre(entries: &[RunEvidence<'_>]) -> f64 {
    let of_run = |run: &[RunEvidence<'_>]| match run {
        [one] => one.evidence.centre(),
        repetitions => centre::median(&repetitions.iter().map(|one| one.evidence.centre()).collect::<Vec<_>>()),
    };
    centre::median(&runs_of(entries).map(of_run).collect::<Vec<_>>())
}

/// The entries of each run of a side.
pub(super) fn runs_of<'s, 'a>(side: &'s [RunEvidence<'a>]) -> impl Iterator<Item = &'s [RunEvidence<'a>]> {
    side.chunk_by(|one, next| one.run == next.run)
}

pub(super) fn evidence<'a>(side: &[RunEvidence<'a>]) -> Vec<&'a Evidence> {
    side.iter().map(|one| one.evidence).collect()
}

fn side_value(side: &[RunEvidence<'_>], metric: &Metric) -> Option<SideValue> {
    (!side.is_empty()).then(|| SideValue {
        value: side_centre(side),
        runs: runs_of(side).count(),
        samples: side.iter().map(|one| one.evidence.samples()).fold(0, u64::saturating_add),
        events: side.iter().map(|one| events(one.evidence, metric)).sum(),
    })
}

/// How many samples a share in percent counts; `None` for other values.
pub(super) fn events(evidence: &Evidence, metric: &Metric) -> Option<u64> {
    let Evidence::Summary(summary) = evidence else { return None };
    let (all, whole) = summary.samples.zip(metric.whole())?;
    (summary.centre <= whole).then_some((summary.centre / whole * all as f64).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(names: &[&str]) -> Run {
        let measurement = |name: &&str| Measurement::new("t", *name, Metric::time(), Evidence::Value(1.0));
        Run { measurements: names.iter().map(measurement).collect(), ..Run::default() }
    }

    /// Each benchmark with the indices of its runs in base and head.
    fn paired(base: &[&[&str]], head: &[&[&str]]) -> Vec<(String, Vec<usize>, Vec<usize>)> {
        let [base, head] = [base, head].map(|side| side.iter().map(|names| run(names)).collect::<Vec<_>>());
        let runs = |side: &[RunEvidence<'_>]| side.iter().map(|one| one.run).collect();
        let rename = |old: &str| (old == "old").then(|| "c".to_owned());
        let pairs = pair(&base, &head, rename);
        pairs.iter().map(|pair| (pair.benchmark.to_string(), runs(pair.base()), runs(pair.head()))).collect()
    }

    #[test]
    fn runs_are_paired_in_any_order_and_with_gaps() {
        let expected = |a: [&[usize]; 2], b: [&[usize]; 2], c: [&[usize]; 2], d: [&[usize]; 2]| {
            let sides = [("a", a), ("b", b), ("c", c), ("d", d)];
            sides.map(|(name, [base, head])| (name.to_owned(), base.to_vec(), head.to_vec())).to_vec()
        };
        let all = expected([&[0, 1], &[0]], [&[0, 1], &[0]], [&[0, 1], &[0]], [&[0, 1], &[0]]);
        assert_eq!(paired(&[&["a", "b", "c", "d"], &["a", "b", "c", "d"]], &[&["a", "b", "c", "d"]]), all);
        assert_eq!(paired(&[&["d", "b", "c", "a"], &["a", "c", "b", "d"]], &[&["b", "a", "d", "c"]]), all);
        assert_eq!(paired(&[&["a", "b", "d", "old"], &["a", "b", "old", "d"]], &[&["a", "b", "c", "d"]]), all);
        // One removed and one added in the middle, one added at the end.
        let some = expected([&[0], &[0]], [&[0], &[]], [&[], &[0]], [&[], &[0]]);
        assert_eq!(paired(&[&["a", "b"]], &[&["a", "c", "d"]]), some);
        let some = expected([&[0, 1], &[0]], [&[1], &[0]], [&[0], &[]], [&[0, 1], &[0]]);
        assert_eq!(paired(&[&["a", "c", "d"], &["a", "b", "d"]], &[&["a", "b", "d"]]), some);
    }

    #[test]
    fn a_name_used_twice_in_a_run_is_one_run_with_two_repetitions() {
        assert_eq!(paired(&[&["a", "a"]], &[&["a"]]), [("a".to_owned(), vec![0, 0], vec![0])]);
        let [base, head] = [run(&["a", "a"]), run(&["a"])].map(|run| [run]);
        let pairs = pair(&base, &head, |_: &str| None);
        let runs = pairs[0].runs();
        assert_eq!((runs.base.len(), runs.head.len()), (1, 1));
        assert_eq!(side_value(pairs[0].base(), pairs[0].metric).map(|side| (side.runs, side.samples)), Some((1, 2)));
    }
}
