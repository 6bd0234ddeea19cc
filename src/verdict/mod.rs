//! Turns comparisons and a policy into findings, and findings into a report. Only this module decides outcomes.

mod budget;
mod directions;
mod doubt;
mod failure;
mod file;
mod finding;
mod gap;
mod limits;
mod outcome;
mod pinned;
mod reason;
mod renamed;
mod report;
mod ruling;
mod samples;
mod unmatched;
mod unsubtracted_shift;
mod waivers;
mod whole_suite;

pub use doubt::Doubt;
pub use failure::Failure;
pub use finding::{Finding, Value, WorkReport};
pub use gap::{BaselineGap, StartCommit};
pub use limits::{BudgetLine, BudgetReport, BudgetStatus, GoalLine, GoalStatus};
pub use outcome::{ChangeDirection, ChangeOf, Counts, MeanChange, Outcome, UndecidedReason, UntestedReason, WithoutQ};
pub use pinned::{PinnedFinding, PinnedReport};
pub use reason::Reason;
pub use renamed::likely_renames;
pub use report::{
    AcceptableOnPull, EnvironmentDifference, EnvironmentReport, FORMAT, Report, SeriesPoint, SeriesReport, SideReport,
    VERSION, Verdict,
};
pub(crate) use ruling::MIN_LISTED_CHANGE;
pub use unmatched::{UnmatchedLimit, unmatched};
pub use unsubtracted_shift::UnsubtractedShift;
pub use whole_suite::SuiteReport;

use crate::compare::{COMMON_SHIFT, Comparison, Effect, SuiteComparison};
use crate::model::{Direction, Environment, Unit};
use crate::policy::unused::MeasuredMetric;
use crate::policy::{FailOn, Policy};
use finding::judge_comparison;
use jiff::civil::Date;
use rayon::prelude::*;
use report::has_only_zero_measurements;
use ruling::Criteria;
use waivers::{WaiverUse, stale_waivers, waive, waive_suite};

/// What a verdict needs besides the comparisons.
#[derive(Debug, Clone)]
pub struct JudgeContext {
    /// The base side.
    pub base: SideReport,
    /// The head side.
    pub head: SideReport,
    /// Whether the machines agree.
    pub environment: EnvironmentReport,
    /// Today, for the end dates of waivers.
    pub today: Date,
}

/// Judges every comparison by the policy.
pub fn judge(compared: SuiteComparison, policy: &Policy, context: JudgeContext) -> Report {
    let JudgeContext { base, head, environment, today } = context;
    let SuiteComparison {
        comparisons,
        tests,
        common_shift,
        unexplained_shift,
        mut shifts,
        levels,
        mut diagnostics,
        ..
    } = compared;
    // Between different machines nothing is tested.
    let common_shift = if environment.matches { common_shift } else { 0.0 };
    let shift_is_subtracted = Some(compared.shift_is_subtracted && environment.matches);
    let ended_early = compared.ended_early;
    if !environment.matches {
        diagnostics.retain(|one| one.code != COMMON_SHIFT);
        shifts.clear();
    }
    let suite = levels.and_then(|levels| whole_suite::judge(&levels, policy.gate_threshold()));
    let suite = suite.filter(|_| environment.matches);
    let mean_change = mean_change(&comparisons, policy).filter(|_| environment.matches);
    let tests = if environment.matches { tests } else { 0 };

    let mut findings: Vec<Finding> =
        comparisons.par_iter().map(|comparison| judge_comparison(comparison, policy, environment.matches)).collect();
    let mut used = vec![WaiverUse::None; policy.waivers().len()];
    findings.iter_mut().for_each(|finding| waive(finding, policy, today, &mut used));
    let suite = suite.map(|suite| whole_suite::waive(suite, &findings, policy, today, &mut used));
    let (suite, of_suite_waiver) = waive_suite(suite, policy, today);
    let budgets = budget::check_budgets(policy, &comparisons, &mut findings, environment.matches);
    let goals = budget::check_goals(policy, &comparisons, &findings, environment.matches);
    let renamed = likely_renames(&comparisons);
    drop(comparisons);
    sort_worst_first(&mut findings);

    diagnostics.extend(directions::unknown(&findings));
    diagnostics.extend(renamed.iter().map(renamed::suggestion));
    // One shard has only a part of the benchmarks.
    let is_shard = head.environment.contains_key(Environment::SHARD);
    diagnostics.extend(of_suite_waiver);
    diagnostics.extend(stale_waivers(policy, today, &used, &findings, is_shard));
    if !is_shard {
        let measured: Vec<MeasuredMetric<'_>> = findings.iter().map(measured).collect();
        diagnostics.extend(policy.unused_rules(&measured));
    }
    diagnostics.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    diagnostics.dedup();
    let counts = Counts::of(findings.iter().map(|finding| finding.outcome));
    // A constant of unknown direction decides nothing where the direction of a change is unknown too.
    let all_directions_known = findings.iter().all(Finding::is_judged);
    let counts_as_judged = |finding: &&Finding| {
        finding.is_judged() && (all_directions_known || !finding.is_constant_of_unknown_direction())
    };
    let judged = Counts::of(findings.iter().filter(counts_as_judged).map(|finding| finding.outcome));
    let reasons = reasons(policy, judged, suite, &budgets, &environment);
    let has_both_sides = findings.iter().any(|finding| finding.base.is_some() && finding.head.is_some());
    let verdict = if !reasons.is_empty() {
        Verdict::Fail
    } else if base.missing_classes.is_empty()
        && is_enough_to_pass(judged, &budgets, &environment, has_both_sides)
        && (!has_only_zero_measurements(&findings) || budgets.iter().any(|line| line.value.is_some()))
    {
        Verdict::Pass
    } else {
        Verdict::None
    };
    Report {
        format: FORMAT.to_owned(),
        version: VERSION,
        verdict,
        reasons,
        first_run: false,
        same_results: false,
        notices: Vec::new(),
        acceptable: None,
        allow_missing_baseline: false,
        by_measure: false,
        process_timed: false,
        base,
        head,
        environment,
        tests,
        threshold: policy.gate_threshold(),
        alpha: policy.alpha(),
        common_shift,
        unexplained_shift,
        shift_is_subtracted,
        shifts,
        mean_change,
        suite,
        counts,
        benchmarks: findings,
        pinned: None,
        diagnostics,
        ended_early,
        budgets,
        goals,
        explanations: Vec::new(),
        facts: None,
        series: Vec::new(),
    }
}

/// What rules of the config are matched against.
fn measured(finding: &Finding) -> MeasuredMetric<'_> {
    let (benchmark, metric) = (finding.own_name(), &*finding.metric);
    MeasuredMetric { benchmark, metric, unit: Unit::from_label(&finding.unit), direction: finding.direction }
}

/// The outcome that [`judge`] gives one comparison of runs on the same machine, without the rest of the finding.
pub fn outcome(comparison: &Comparison, policy: &Policy, today: Date) -> Outcome {
    let outcome = finding::outcome(comparison, policy, true);
    if outcome != Outcome::Regressed || policy.waivers().is_empty() {
        return outcome;
    }
    let mut finding = judge_comparison(comparison, policy, true);
    waive(&mut finding, policy, today, &mut vec![WaiverUse::None; policy.waivers().len()]);
    finding.outcome
}

/// True if at least one benchmark was compared with its base, or one value with its budget. An inconclusive comparison
/// counts unless no benchmark has results on both sides. If the machines differ and a comparison is inconclusive,
/// nothing counts as judged.
fn is_enough_to_pass(
    counts: Counts,
    budgets: &[BudgetLine],
    environment: &EnvironmentReport,
    has_both_sides: bool,
) -> bool {
    let Counts { regressed, improved, unchanged, accepted, failed, inconclusive, added: _, removed: _ } = counts;
    let decided = regressed + improved + unchanged + accepted + failed;
    let has_value = |line: &BudgetLine| line.value.is_some();
    let left_out = inconclusive > 0 && !environment.matches;
    !left_out && (decided > 0 || inconclusive > 0 && has_both_sides || budgets.iter().any(has_value))
}

/// Sorts worst first, then by name: the findings come in order of their names, and the sort is stable. Findings are large;
/// with a cached key each moves only once.
fn sort_worst_first(findings: &mut [Finding]) {
    findings.sort_by_cached_key(|finding| total_order(rank(finding)));
}

/// An integer in the order of [`f64::total_cmp`].
fn total_order(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ ((bits >> 63) as u64 >> 1) as i64
}

/// The sort key, worst first: by outcome, then by change.
fn rank(finding: &Finding) -> f64 {
    let outcome = Outcome::ALL.iter().position(|outcome| *outcome == finding.outcome).unwrap_or_default() as f64;
    let change = finding.adjusted.or(finding.change).unwrap_or_default();
    // A rate that falls to a tenth ranks like a time that grows to ten times.
    let worse = match finding.direction {
        Direction::Lower | Direction::Higher => finding.direction.worse(change),
        Direction::Unknown => change.abs(),
    };
    // The change maps to (-0.5, 0.5), so that it never outweighs the outcome.
    outcome - worse.clamp(-1.0, f64::MAX).atan() / std::f64::consts::PI * 0.99
}

/// Why the gate fails: one reason for each entry of `fail-on` that applies.
fn reasons(
    policy: &Policy,
    counts: Counts,
    suite: Option<SuiteReport>,
    budgets: &[BudgetLine],
    environment: &EnvironmentReport,
) -> Vec<Reason> {
    let outcome = |fail_on, outcome| (fail_on, counts.get(outcome), Reason::Outcome(outcome, counts.get(outcome)));
    let over_budget = budgets.iter().filter(|line| line.status == BudgetStatus::Fail).count();
    let suite_regressed = suite.is_some_and(|suite| suite.outcome == Outcome::Regressed);
    [
        outcome(FailOn::Failed, Outcome::Failed),
        (FailOn::Regressed, usize::from(suite_regressed), Reason::WholeSuite),
        outcome(FailOn::Regressed, Outcome::Regressed),
        (FailOn::Budget, over_budget, Reason::OverBudget(over_budget)),
        outcome(FailOn::Inconclusive, Outcome::Inconclusive),
        outcome(FailOn::Removed, Outcome::Removed),
        outcome(FailOn::Added, Outcome::Added),
        (FailOn::Environment, usize::from(!environment.matches), Reason::DifferentMachines),
    ]
    .into_iter()
    .filter(|(fail_on, count, _)| *count > 0 && policy.fails_on(*fail_on))
    .map(|(_, _, reason)| reason)
    .collect()
}

/// The mean of fewer benchmarks does not represent a suite.
const MIN_FOR_MEAN: usize = 8;

/// Geometric mean of all estimated times with its interval, without changes that only the floor keeps from being a finding: a
/// rise from one picosecond to six would outweigh a whole suite.
fn mean_change(comparisons: &[Comparison], policy: &Policy) -> Option<MeanChange> {
    let changes: Vec<f64> = comparisons
        .iter()
        .filter(|comparison| comparison.metric.name == "time")
        .filter(|comparison| !Criteria::of(comparison, policy).is_kept_by_floor(comparison))
        .filter_map(|comparison| match &comparison.effect {
            Effect::Estimated(estimate) => Some(estimate.median_raw),
            _ => None,
        })
        .collect();
    if changes.len() < MIN_FOR_MEAN {
        return None;
    }
    let (mean, half) = crate::stats::student::mean_interval(&changes, 0.95)?;
    Some(MeanChange { change: mean.exp_m1(), interval: [(mean - half).exp_m1(), (mean + half).exp_m1()] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::model::{Digest, Evidence, Measurement, Metric, Run};
    use crate::stats::suite_test::TestRules;

    #[test]
    fn a_change_without_a_change_of_medians_is_inconclusive_with_a_note() {
        // The fast edge of "edge" gets slower by 40%, its median by 1%; the others do not change.
        let side = |edge: (f64, f64)| {
            let digest = |(median, fast_edge)| Digest {
                median,
                fast_edge,
                samples: 50,
                within_run_drift: Some(0.002),
                typical_mean: None,
                split: None,
            };
            let named = |(name, values): (String, (f64, f64))| {
                Measurement::new("t", name, Metric::time(), Evidence::Digest(digest(values)))
            };
            let steady = (0..20).map(|i| (format!("steady/{i}"), (100.0 + f64::from(i), 99.0 + f64::from(i))));
            Run { measurements: steady.chain([("edge".to_owned(), edge)]).map(named).collect(), ..Run::default() }
        };
        let compared = compare(
            &[side((150.0, 100.0))],
            &[side((151.5, 140.0))],
            TestRules::at_different_times(0.05, 0.2),
            |_: &str| None,
        );
        let environment = EnvironmentReport { matches: true, assumed: false, differences: Vec::new() };
        let (base, head) = (SideReport::default(), SideReport::default());
        let context = JudgeContext { base, head, environment, today: Date::constant(2026, 1, 1) };
        let report = judge(compared, &Policy::default(), context);
        let edge = report.benchmarks.iter().find(|finding| finding.name == "edge").unwrap();
        assert_eq!(edge.outcome, Outcome::Inconclusive);
        assert!(edge.notes.iter().any(|note| note.contains("but the medians did not")), "{:?}", edge.notes);
    }

    #[test]
    fn findings_are_sorted_worst_first() {
        let side = |change: &dyn Fn(u32) -> f64| {
            let named =
                |i: u32| Measurement::new("t", format!("b{i:03}"), Metric::time(), Evidence::Value(100.0 * change(i)));
            Run { measurements: (0..200).map(named).collect(), ..Run::default() }
        };
        // 77 and 200 have no common factor: every change occurs once, in another order than the names.
        let compared = compare(
            &[side(&|_| 1.0)],
            &[side(&|i| 1.0 + f64::from(i * 77 % 200) / 100.0)],
            TestRules::at_different_times(0.05, 0.2),
            |_: &str| None,
        );
        let environment = EnvironmentReport { matches: true, assumed: false, differences: Vec::new() };
        let (base, head) = (SideReport::default(), SideReport::default());
        let context = JudgeContext { base, head, environment, today: Date::constant(2026, 1, 1) };
        let findings = judge(compared, &Policy::default(), context).benchmarks;
        assert!(findings.is_sorted_by(|a, b| (rank(a), &a.name) < (rank(b), &b.name)));
        let names: std::collections::BTreeSet<&str> = findings.iter().map(|finding| &*finding.name).collect();
        assert_eq!((names.len(), findings.len()), (200, 200));
    }

    #[test]
    fn outcome_agrees_with_the_report() {
        let run = |values: &[(&str, f64)]| {
            let measurement =
                |(name, value): &(&str, f64)| Measurement::new("t", *name, Metric::time(), Evidence::Value(*value));
            Run { measurements: values.iter().map(measurement).collect(), ..Run::default() }
        };
        let steady: Vec<String> = (0..12).map(|i| format!("steady/{i}")).collect();
        let side = |wobble: f64, slow: f64| {
            let mut values: Vec<(&str, f64)> = vec![("accepted", slow), ("slow", slow), ("fast", 900.0 / slow)];
            values.extend(steady.iter().enumerate().map(|(i, name)| (name.as_str(), 100.0 + wobble * i as f64)));
            values.push(if wobble > 0.0 { ("new", 1.0) } else { ("old", 1.0) });
            run(&values)
        };
        let base = [side(0.0, 100.0), side(0.0, 101.0), side(0.0, 99.0)];
        let head = [side(0.01, 400.0), side(0.02, 401.0), side(0.01, 402.0)];
        let compared = compare(&base, &head, TestRules::at_different_times(0.05, 0.2), |_: &str| None);
        let waiver = "[[accept]]\nbenchmark = \"accepted\"\nup-to = \"500%\"\nreason = \"r\"\nuntil = \"2030-01-01\"\n";
        let policy = Policy::parse(waiver, "perfgate.toml").unwrap();
        let today = Date::constant(2026, 1, 1);
        let environment = EnvironmentReport { matches: true, assumed: false, differences: Vec::new() };
        let context = JudgeContext { base: SideReport::default(), head: SideReport::default(), environment, today };
        let report = judge(compared.clone(), &policy, context);
        let mut seen = std::collections::BTreeSet::new();
        for comparison in &compared.comparisons {
            let finding = report.benchmarks.iter().find(|f| f.name == comparison.benchmark.as_str()).unwrap();
            assert_eq!(outcome(comparison, &policy, today), finding.outcome, "{}", finding.name);
            seen.insert(finding.outcome);
        }
        for expected in [Outcome::Regressed, Outcome::Accepted, Outcome::Improved, Outcome::Added, Outcome::Removed] {
            assert!(seen.contains(&expected), "{expected:?} of {seen:?}");
        }
    }
}
