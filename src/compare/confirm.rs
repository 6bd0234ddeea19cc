//! Re-measured suspects: their new runs replace those that made them suspects, whose changes are biased by the selection.

use super::{COMMON_SHIFT, Comparison, Effect, MatchRules, SideValue, SuiteComparison};
use crate::model::number_text::counted;
use crate::model::{Evidence, Measurement, Run, ShiftTreatment, SuiteShift};
use crate::stats::centre;
use std::collections::{BTreeMap, BTreeSet};

/// A metric of a benchmark, by name; its values are in a [`Comparison`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BenchmarkMetric {
    /// The benchmark, by its name in head.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The tool.
    pub tool: String,
}

impl BenchmarkMetric {
    /// The metric of a comparison.
    pub fn of(comparison: &Comparison) -> BenchmarkMetric {
        BenchmarkMetric {
            benchmark: comparison.benchmark.as_str().to_owned(),
            metric: comparison.metric.name.to_string(),
            tool: comparison.tool.to_string(),
        }
    }

    fn of_measurement(measurement: &Measurement, matching: &impl MatchRules) -> BenchmarkMetric {
        let name = measurement.benchmark.as_str();
        BenchmarkMetric {
            benchmark: matching.current_name(name).unwrap_or_else(|| name.to_owned()),
            metric: measurement.metric.name.to_string(),
            tool: measurement.tool.to_string(),
        }
    }
}

/// The runs with only the measurements of the suspects.
pub fn keep_suspects(runs: &[Run], suspects: &BTreeSet<BenchmarkMetric>, matching: impl MatchRules) -> Vec<Run> {
    let is_suspect =
        |measurement: &&Measurement| suspects.contains(&BenchmarkMetric::of_measurement(measurement, &matching));
    let keep = |run: &Run| Run {
        measurements: run.measurements.iter().filter(is_suspect).cloned().collect(),
        environment: run.environment.clone(),
        ..Run::default()
    };
    runs.iter().map(keep).collect()
}

/// How much the base differs from itself: for each metric of each benchmark, the largest log ratio between two base
/// runs. Of four or more runs the one farthest from the median is left out, as the robust centres ignore it too.
pub fn base_ranges(base: &[Run], matching: impl MatchRules) -> BTreeMap<BenchmarkMetric, f64> {
    let mut values: BTreeMap<BenchmarkMetric, Vec<f64>> = BTreeMap::new();
    for measurement in base.iter().flat_map(|run| &run.measurements) {
        let direction = measurement.metric.direction;
        let values = values.entry(BenchmarkMetric::of_measurement(measurement, &matching)).or_default();
        let of_entry = |evidence: &Evidence| evidence.fast_edge(direction).unwrap_or_else(|| evidence.centre());
        values.push(centre::median(&measurement.evidence.iter().map(of_entry).collect::<Vec<_>>()).ln());
    }
    values.into_iter().map(|(suspect, logs)| (suspect, range(logs))).collect()
}

/// The largest value minus the smallest. With four or more values, the one farthest from the median is left out.
fn range(mut logs: Vec<f64>) -> f64 {
    logs.sort_unstable_by(f64::total_cmp);
    let n = logs.len();
    if n >= 4 {
        let middle = (logs[(n - 1) / 2] + logs[n / 2]) / 2.0;
        if middle - logs[0] > logs[n - 1] - middle {
            logs.remove(0)
        } else {
            logs.remove(n - 1)
        };
    }
    match (logs.first(), logs.last()) {
        (Some(low), Some(high)) if low.is_finite() && high.is_finite() => high - low,
        _ => 0.0,
    }
}

impl SuiteComparison {
    /// Replaces the comparisons of the suspects by those of the new runs. A suspect with fewer than `least_runs` new results on a
    /// side stays undecided, see [`Effect::NotConfirmed`]. A change must exceed the range of its base runs, see [`base_ranges`].
    pub fn confirm(
        &mut self,
        suspects: &BTreeSet<BenchmarkMetric>,
        fresh: SuiteComparison,
        base_ranges: &BTreeMap<BenchmarkMetric, f64>,
        least_runs: usize,
    ) {
        let mut fresh_comparisons: BTreeMap<BenchmarkMetric, Comparison> =
            fresh.comparisons.into_iter().map(|comparison| (BenchmarkMetric::of(&comparison), comparison)).collect();
        let is_rest = |one: &&Comparison| one.metric.name == "time" && !suspects.contains(&BenchmarkMetric::of(one));
        let rest: Vec<&Comparison> = self.comparisons.iter().filter(is_rest).collect();
        if let (Some(screened), Some(of_suspects)) = (self.levels.take(), fresh.levels) {
            self.levels = Some(screened.replaced(of_suspects, &rest));
        }
        for comparison in &mut self.comparisons {
            let suspect = BenchmarkMetric::of(comparison);
            if !suspects.contains(&suspect) {
                continue;
            }
            let fresh = fresh_comparisons.remove(&suspect);
            let runs =
                |side: fn(&Comparison) -> Option<SideValue>| fresh.as_ref().and_then(side).map_or(0, |side| side.runs);
            let (base, head) = (runs(|one| one.base), runs(|one| one.head));
            match fresh {
                Some(fresh) if fresh.is_failed() || base.min(head) >= least_runs => {
                    *comparison = Comparison { re_measured: true, ..fresh };
                    if let Effect::Estimated(estimate) = &mut comparison.effect {
                        estimate.base_range = Some(base_ranges.get(&suspect).copied().unwrap_or_default());
                    }
                }
                _ => {
                    let worse = comparison.estimate().is_some_and(|one| one.delta.max(one.median_delta) > 0.0);
                    let why = format!(
                        "re-measured, but {} of base and {head} of head had a result; {least_runs} of each are needed",
                        counted(base, "run")
                    );
                    comparison.effect = Effect::NotConfirmed { worse, why };
                }
            }
        }
        self.forget_open_shifts(suspects);
        self.diagnostics.extend(fresh.diagnostics);
    }

    /// Removes suite-wide shifts of unknown cause of the metrics that were re-measured: measuring in turn has answered the question.
    fn forget_open_shifts(&mut self, suspects: &BTreeSet<BenchmarkMetric>) {
        let is_open =
            |one: &SuiteShift| matches!(one.treatment, ShiftTreatment::Unexplained | ShiftTreatment::InEveryRun);
        let is_re_measured = |one: &SuiteShift| suspects.iter().any(|suspect| suspect.metric == *one.metric);
        self.shifts.retain(|one| !is_open(one) || !is_re_measured(one));
        if !self.shifts.iter().any(is_open) {
            self.unexplained_shift = None;
            self.diagnostics.retain(|one| one.code != COMMON_SHIFT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::model::{Evidence, Metric};
    use crate::stats::suite_test::TestRules;

    fn run(values: &[(&str, f64)]) -> Run {
        let measurement =
            |(name, value): &(&str, f64)| Measurement::new("t", *name, Metric::time(), Evidence::Value(*value));
        Run { measurements: values.iter().map(measurement).collect(), ..Run::default() }
    }

    fn suspect(name: &str) -> BenchmarkMetric {
        BenchmarkMetric { benchmark: name.into(), metric: "time".into(), tool: "t".into() }
    }

    #[test]
    fn new_runs_replace_those_of_the_screening() {
        let mut compared = compare(
            &[run(&[("a", 100.0), ("b", 50.0)])],
            &[run(&[("a", 200.0), ("b", 50.0)])],
            TestRules::at_different_times(0.05, 0.2),
            |_: &str| None,
        );
        let suspects = BTreeSet::from([suspect("a"), suspect("b")]);
        let fresh = [run(&[("a", 100.0)]), run(&[("a", 102.0)]), run(&[("a", 101.0)])];
        let again = compare(
            &keep_suspects(&fresh, &suspects, |_: &str| None),
            &keep_suspects(&fresh, &suspects, |_: &str| None),
            TestRules::at_different_times(0.05, 0.2),
            |_: &str| None,
        );
        compared.confirm(&suspects, again, &base_ranges(&fresh, |_: &str| None), 3);
        let a = &compared.comparisons[0];
        assert!(a.re_measured);
        assert_eq!(a.head.map(|side| (side.value, side.runs)), Some((101.0, 3)));
        let b = &compared.comparisons[1];
        assert!(!b.re_measured && matches!(b.effect, Effect::NotConfirmed { worse: false, .. }));
    }

    #[test]
    fn the_base_range_is_the_largest_difference_of_two_base_runs() {
        let runs: Vec<Run> = [100.0, 110.0, 105.0].iter().map(|value| run(&[("a", *value)])).collect();
        let difference = base_ranges(&runs, |_: &str| None)[&suspect("a")];
        assert!((difference - 1.1_f64.ln()).abs() < 1e-12);
        // The disturbed run of the five is left out: 100 to 104 remain.
        let runs: Vec<Run> = [100.0, 104.0, 300.0, 102.0, 101.0].iter().map(|value| run(&[("a", *value)])).collect();
        let difference = base_ranges(&runs, |_: &str| None)[&suspect("a")];
        assert!((difference - 1.04_f64.ln()).abs() < 1e-12);
    }
}
