//! Compares base runs with head runs: pairs the measurements and estimates the change of each. What a change means for the
//! gate is decided in `verdict`.

pub mod bisection;
mod comparable;
mod comparison;
mod conditions;
mod confirm;
mod exact_counts;
mod failures;
pub mod filter;
mod match_rules;
mod not_run;
mod pairs;
mod plot_samples;
mod repeated_results;
mod repetitions;
mod run_levels;
mod run_values;
mod sample_groups;
mod sample_statistics;
pub mod schedule;
mod slow_part;
mod untested;

pub use comparison::{Comparison, Effect, FailedInHead};
pub use confirm::{BenchmarkMetric, base_ranges, keep_suspects};
pub use match_rules::MatchRules;
pub use pairs::{Pair, SideValue, pair};
pub use plot_samples::plot_samples;
pub use repeated_results::SameResults;
pub use run_levels::RunLevels;

use crate::model::{Diagnostic, Direction, Environment, Metric, Run, ShiftTreatment, SuiteShift};
use crate::stats::estimate::Estimate;
use crate::stats::prior::{Observation, ValueKind};
use crate::stats::suite::{BenchmarkRuns, Suite, TestedValue};
use crate::stats::suite_test::{self, ShiftRule, SuiteEstimates, TestRules};
use not_run::UnrunBenchmarks;
use rayon::prelude::*;
use repeated_results::RepeatedResults;
use std::collections::BTreeMap;

/// All comparisons of two sides.
#[derive(Debug, Clone, Default)]
pub struct SuiteComparison {
    /// By benchmark, metric, tool.
    pub comparisons: Vec<Comparison>,
    /// Number of metrics of benchmarks that both sides have.
    pub shared: usize,
    /// Number of statistical tests.
    pub tests: usize,
    /// The suite-wide shift of times, as a fraction (0.08: head is 8% slower as a whole).
    pub common_shift: f64,
    /// `common_shift`, where its cause is unknown: it is too large to be attributed to the machine, and a side has a single run or
    /// a single run explains it. Benchmarks whose change it can explain are inconclusive.
    pub unexplained_shift: Option<f64>,
    /// Whether `common_shift` is subtracted from each change.
    pub shift_is_subtracted: bool,
    /// The suite-wide shift of each metric that has one; `common_shift` is that of the first.
    pub shifts: Vec<SuiteShift>,
    /// Whether every benchmark of head has exactly the results of base: nothing was measured.
    pub same_results: SameResults,
    /// Number of errors that ended a run of head, or a part of one.
    pub ended_early: usize,
    /// How slow each run was, where base and head ran in turn.
    pub levels: Option<RunLevels>,
    /// By metric: what each benchmark contributes to the prior of typical means, where those were tested.
    means: BTreeMap<String, Vec<Observation>>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares every metric of every benchmark.
pub fn compare(base: &[Run], head: &[Run], rules: TestRules, matching: impl MatchRules) -> SuiteComparison {
    compare_all(base, head, rules, matching, None)
}

/// Whether head has exactly the results of base.
pub fn same_results(base: &[Run], head: &[Run], matching: impl MatchRules) -> SameResults {
    RepeatedResults::of(&pair(base, head, matching), base, head).same_results
}

/// Compares the new runs of re-measured suspects. Their noise is estimated together with the screening of the whole suite.
pub fn compare_re_measured(
    base: &[Run],
    head: &[Run],
    alpha: f64,
    matching: impl MatchRules,
    screened: &SuiteComparison,
) -> SuiteComparison {
    compare_all(base, head, TestRules::in_turn(alpha), matching, Some(screened))
}

fn compare_all(
    base: &[Run],
    head: &[Run],
    rules: TestRules,
    matching: impl MatchRules,
    screened: Option<&SuiteComparison>,
) -> SuiteComparison {
    let mut pairs = pair(base, head, matching);
    let failed = failures::take_failed(&mut pairs, base, head);
    let mut compared =
        SuiteComparison { shared: pairs.iter().filter(|pair| pair.is_shared()).count(), ..SuiteComparison::default() };
    let repeated_results = RepeatedResults::of(&pairs, base, head);
    compared.same_results = repeated_results.same_results;
    compared.diagnostics.extend(repeated_samples(&repeated_results.repeated));
    let early_ends = head.iter().flat_map(|run| &run.failures.early_ends);
    compared.ended_early = early_ends.filter(|end| end.is_of_run()).count();

    // The runs of sides that were measured in turn are of one commit each.
    if rules.shift != ShiftRule::Keep {
        pairs.iter_mut().for_each(Pair::leave_out_old_counts);
    }
    let not_run = UnrunBenchmarks::of(&pairs, head);
    compared.diagnostics.extend(not_run.diagnostics());

    let (mut untested, groups) = test_groups(&pairs);
    not_run.mark(&mut untested);
    if rules.shift == ShiftRule::Keep {
        untested.iter_mut().for_each(Comparison::clear_newest_base_share);
    }
    let mut parts = vec![failed, untested];
    for (group, members) in groups {
        let runs = [base.len(), head.len()];
        let suite = GroupSuite { pairs: &pairs, members: &members, has_samples: group.has_samples, runs };
        let kind = if group.exact { ValueKind::Counted } else { ValueKind::Measured };
        let estimates = match screened {
            None => suite_test::estimate_suite(&suite, kind, rules),
            Some(screened) => {
                suite_test::estimate_re_measured(&suite, kind, rules.alpha, &screened.observations(&group))
            }
        };
        let shift = shift_of(&group, &estimates, rules, pairs[members[0]].direction);
        let is_common = estimates.count() > compared.tests / 2 && group.metric == "time" || compared.tests == 0;
        if let Some(shift) = shift {
            if matches!(shift.treatment, ShiftTreatment::Unexplained | ShiftTreatment::InEveryRun) {
                compared.diagnostics.push(large_shift(&shift, estimates.count()));
            }
            let shift = shift.of_tools(members.iter().map(|index| &*pairs[*index].measurement.tool));
            compared.shifts.insert(if is_common { 0 } else { compared.shifts.len() }, shift);
        }
        if is_common {
            compared.common_shift = estimates.shift().exp_m1();
            compared.unexplained_shift = estimates.unexplained_shift().map(f64::exp_m1);
            compared.shift_is_subtracted = estimates.shift_is_subtracted();
            if rules.shift == ShiftRule::Keep && group.metric == "time" {
                compared.levels = Some(RunLevels::of(&pairs, &members, suite.tested(), runs));
            }
        }
        compared.tests += if group.has_direction { estimates.count() } else { 0 };
        let comparison = |(position, index): (usize, &usize)| {
            pairs[*index].comparison(Effect::Estimated(estimates.estimate(position)))
        };
        let mut part: Vec<Comparison> = members.par_iter().enumerate().map(comparison).collect();
        if !group.exact {
            let screened = screened.map(|screened| screened.mean_observations(&group));
            let means = slow_part::test(&pairs, &group, &members, runs, rules, screened.as_deref());
            let position = |index: usize| members.binary_search(&index).ok();
            for (index, estimate) in means.estimates {
                if let Some(comparison) = position(index).and_then(|position| part.get_mut(position)) {
                    comparison.mean = Some(Box::new(estimate));
                }
            }
            for (index, change) in means.slowest {
                if let Some(comparison) = position(index).and_then(|position| part.get_mut(position)) {
                    comparison.least_change_of_means = Some(change);
                }
            }
            if !means.observations.is_empty() {
                compared.means.insert(group.metric.to_owned(), means.observations);
            }
        }
        parts.push(part);
    }
    SuiteShift::keep_tools_of_same_metric(&mut compared.shifts);
    compared.comparisons = in_order(parts);
    let clock = clock_mhz(head);
    compared.comparisons.iter_mut().for_each(|comparison| comparison.clock_mhz = clock);
    compared
}

/// All comparisons, sorted by benchmark, metric and tool, as each part is.
fn in_order(parts: Vec<Vec<Comparison>>) -> Vec<Comparison> {
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|part| all.extend(part));
    all.sort_by(|a, b| (&a.benchmark, &a.metric.name, &a.tool).cmp(&(&b.benchmark, &b.metric.name, &b.tool)));
    all
}

impl SuiteComparison {
    /// Whether the sides have a benchmark in common. Benchmarks of base that failed in head are in both suites.
    pub fn has_common(&self) -> bool {
        let has_failed = |one: &Comparison| matches!(one.effect, Effect::Failed(_)) && one.base.is_some();
        self.shared > 0 || self.comparisons.iter().any(has_failed)
    }

    /// The observations of the noise of the typical means. If those were not tested, their noise is assumed to equal
    /// that of the fast edges.
    fn mean_observations(&self, group: &TestGroup<'_>) -> Vec<Observation> {
        self.means.get(group.metric).cloned().unwrap_or_else(|| self.observations(group))
    }

    /// The observations of the noise of all benchmarks that were measured like a group.
    fn observations(&self, group: &TestGroup<'_>) -> Vec<Observation> {
        let in_group = |metric: &Metric| metric.name == group.metric && metric.exact == group.exact;
        let comparisons = self.comparisons.iter().filter(|comparison| in_group(&comparison.metric));
        comparisons.filter_map(Comparison::estimate).map(Estimate::observation).collect()
    }
}

/// Comparisons that are tested together: each group has its own prior and its own correction for the number of tests.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct TestGroup<'a> {
    metric: &'a str,
    exact: bool,
    has_samples: bool,
    /// False if the better direction is unknown: the change is shown, but no test counts.
    has_direction: bool,
}

/// The pairs of a group; `members` are their indices.
struct GroupSuite<'a> {
    pairs: &'a [Pair<'a>],
    members: &'a [usize],
    has_samples: bool,
    runs: [usize; 2],
}

impl Suite for GroupSuite<'_> {
    fn count(&self) -> usize {
        self.members.len()
    }

    fn run_counts(&self) -> [usize; 2] {
        self.runs
    }

    fn tested(&self) -> TestedValue {
        if self.has_samples { TestedValue::FastEdge } else { TestedValue::Centre }
    }

    fn benchmark(&self, index: usize) -> BenchmarkRuns {
        self.pairs[self.members[index]].runs()
    }
}

/// The comparisons that need no test, and the indices of the other pairs by group.
fn test_groups<'a>(pairs: &'a [Pair<'_>]) -> (Vec<Comparison>, BTreeMap<TestGroup<'a>, Vec<usize>>) {
    let group_of_each: Vec<Result<TestGroup<'_>, Box<Comparison>>> = pairs.par_iter().map(Pair::test_group).collect();
    let (mut untested, mut groups) = (Vec::new(), BTreeMap::<TestGroup<'_>, Vec<usize>>::new());
    for (index, group) in group_of_each.into_iter().enumerate() {
        match group {
            Ok(group) => groups.entry(group).or_default().push(index),
            Err(comparison) => untested.push(*comparison),
        }
    }
    (untested, groups)
}

/// The lowest clock that the runs state.
fn clock_mhz(runs: &[Run]) -> Option<f32> {
    let stated = runs.iter().filter_map(|run| run.environment.get(Environment::MHZ)?.parse::<f32>().ok());
    stated.filter(|mhz| *mhz > 0.0).reduce(f32::min)
}

/// Code of the warning about a shift of the whole suite that is not subtracted.
pub const COMMON_SHIFT: &str = "common-shift";

/// The suite-wide shift of a group, and what was done with it; `None` for a group too small to have one, and if the
/// better direction is unknown: such changes are shown as measured.
fn shift_of(
    group: &TestGroup<'_>,
    estimates: &SuiteEstimates,
    rules: TestRules,
    direction: Direction,
) -> Option<SuiteShift> {
    let treatment = match rules.shift {
        ShiftRule::Keep => ShiftTreatment::InTurn,
        ShiftRule::SubtractUpTo(_) if estimates.shift_is_subtracted() => ShiftTreatment::Subtracted,
        ShiftRule::SubtractUpTo(_) if estimates.unexplained_shift().is_some() => ShiftTreatment::Unexplained,
        ShiftRule::SubtractUpTo(_) => ShiftTreatment::InEveryRun,
    };
    let shift = estimates.shift().exp_m1();
    (shift != 0.0 && group.has_direction)
        .then(|| SuiteShift::new(group.metric.to_owned().into(), direction, shift, treatment))
}

fn large_shift(shift: &SuiteShift, count: usize) -> Diagnostic {
    let runs = if shift.treatment == ShiftTreatment::InEveryRun { " in every run" } else { "" };
    let message = format!(
        "{}{runs} ({count} compared). The results do not show whether the machine or the code is the cause, so this suite-wide \
        shift is not subtracted. To find out, re-measure base and head in turn",
        shift.sentence()
    );
    Diagnostic::warning(COMMON_SHIFT, "", message)
}

/// Code of the warning about results that are probably left over from an earlier run.
pub const SAME_SAMPLES: &str = "same-samples";

/// Warns about benchmarks that have exactly the samples of the base.
fn repeated_samples(repeated: &[&str]) -> Option<Diagnostic> {
    let first = repeated.first()?;
    let others = match repeated.len() {
        1 => " has".to_owned(),
        count => format!(" and {} more have", count - 1),
    };
    let message =
        format!("{first:?}{others} the same samples in base and head; probably left over from an earlier run");
    Some(Diagnostic::warning(SAME_SAMPLES, "", message))
}
