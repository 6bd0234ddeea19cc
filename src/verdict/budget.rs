//! Checks budgets and goals. If the confidence interval contains the limit, the check does not fail: only a value
//! clearly beyond it does. docs/budgets.md has the rules.

use super::finding::Finding;
use super::limits::{BudgetLine, BudgetReport, BudgetStatus, GoalLine, GoalStatus};
use super::outcome::UntestedReason;
use super::ruling::as_change;
use crate::compare::{Comparison, Effect};
use crate::model::{Direction, Metric, SampleStatistics, Unit};
use crate::policy::{Budget, Limit, Pattern, Policy};
use crate::stats::quantile::samples_needed;
use std::collections::{BTreeSet, HashMap};

/// The value that a limit is checked against.
#[derive(Clone, Copy)]
struct CheckedValue {
    base: Option<f64>,
    value: f64,
    interval: Option<[f64; 2]>,
    exact: bool,
}

/// What a limit is on: the value of a metric, or a statistic of its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Subject<'a> {
    Value,
    Statistic(&'a str),
}

/// The (benchmark, metric) pairs of head: a p95 reported by the tool takes precedence over one computed from samples.
pub(super) struct HeadMetrics<'a>(BTreeSet<(&'a str, &'a str)>);

impl<'a> HeadMetrics<'a> {
    pub fn of(comparisons: &'a [Comparison]) -> Self {
        let head = comparisons.iter().filter(|comparison| comparison.head.is_some());
        HeadMetrics(head.map(|comparison| (comparison.benchmark.as_str(), &*comparison.metric.name)).collect())
    }

    /// What a limit applies to, if head has a value. A failed benchmark has one comparison for all of its metrics.
    pub fn limited<'m>(&self, comparison: &Comparison, metric: &'m str) -> Option<Subject<'m>> {
        let failed = comparison.is_failed().then_some(Subject::Value);
        failed.or_else(|| self.subject(comparison, metric).filter(|_| comparison.head.is_some()))
    }

    fn subject<'m>(&self, comparison: &Comparison, metric: &'m str) -> Option<Subject<'m>> {
        if comparison.metric.name == metric {
            return Some(Subject::Value);
        }
        let (sampled, statistic) = SampleStatistics::split_metric(metric)?;
        let reported = self.0.contains(&(comparison.benchmark.as_str(), metric));
        (comparison.metric.name == sampled && !reported).then_some(Subject::Statistic(statistic))
    }
}

/// Checks every budget on every benchmark that it matches; each finding gets the worst of its budgets.
pub fn check_budgets(
    policy: &Policy,
    comparisons: &[Comparison],
    findings: &mut [Finding],
    one_machine: bool,
) -> Vec<BudgetLine> {
    if policy.budgets().is_empty() {
        return Vec::new();
    }
    let head_metrics = HeadMetrics::of(comparisons);
    let mut lines = Vec::new();
    let by_name = ByName::of(comparisons);
    for budget in policy.budgets() {
        for place in by_name.covered(&budget.pattern) {
            let (comparison, finding) = (&comparisons[place], &mut findings[place]);
            let Some(subject) = head_metrics.limited(comparison, &budget.metric) else { continue };
            let line = check(budget, comparison, finding, subject, one_machine, policy);
            if rank(line.status) > rank(finding.budget.status) {
                let acceptable = line.acceptable.clone();
                finding.budget = BudgetReport { target: Some(line.target.clone()), acceptable, status: line.status };
            }
            if line.status == BudgetStatus::Fail || line.near {
                finding.notes.extend(line.notes.iter().cloned());
            }
            lines.push(line);
        }
    }
    lines.sort_by(|a, b| {
        let worst_first = (rank(b.status), b.undecided).cmp(&(rank(a.status), a.undecided));
        let worst_first = worst_first.then_with(|| b.badness().total_cmp(&a.badness()));
        worst_first.then_with(|| (&a.benchmark, &a.metric).cmp(&(&b.benchmark, &b.metric)))
    });
    lines
}

impl BudgetLine {
    /// The limit that decides the status, the acceptable one if that is missed: what it is called, and as it is written.
    pub fn deciding_limit(&self) -> (&'static str, &str) {
        match &self.acceptable {
            Some(acceptable) if self.status == BudgetStatus::Fail || self.undecided => ("acceptable limit", acceptable),
            _ => ("target", &self.target),
        }
    }

    /// The value of that limit in the unit of the values; `None` for a budget without data.
    pub fn limit_value(&self) -> Option<f64> {
        let limit = Limit::parse(self.deciding_limit().1).filter(|_| self.status != BudgetStatus::NoData)?;
        limit.limit_value(&Unit::from_label(&self.unit), self.base)
    }

    /// The factor between the value and that limit, at least 1: 2 for twice the limit, and for half of it. `None` if one of them
    /// is unknown or negative.
    pub fn factor_off(&self) -> Option<f64> {
        let (value, limit) = (self.value?, self.limit_value()?);
        if value == limit {
            return Some(1.0);
        }
        (value >= 0.0 && limit >= 0.0).then(|| (value / limit).max(limit / value))
    }

    /// Of two budgets with one status, the worse one has the larger number: a miss by a larger factor, or a smaller margin.
    fn badness(&self) -> f64 {
        match (self.factor_off(), self.status) {
            (None, _) => f64::NEG_INFINITY,
            (Some(factor), BudgetStatus::Pass) => -factor,
            (Some(factor), _) => factor,
        }
    }
}

/// A worse status has a higher rank.
fn rank(status: BudgetStatus) -> u8 {
    match status {
        BudgetStatus::None => 0,
        BudgetStatus::Pass => 1,
        BudgetStatus::NoData => 2,
        BudgetStatus::Acceptable => 3,
        BudgetStatus::Fail => 4,
    }
}

fn check(
    budget: &Budget,
    comparison: &Comparison,
    finding: &Finding,
    subject: Subject<'_>,
    one_machine: bool,
    policy: &Policy,
) -> BudgetLine {
    let checked = checked_value(comparison, finding, subject);
    let checked = if budget.target.is_relative() {
        checked.map(|checked| with_base_uncertainty(checked, comparison, subject))
    } else {
        checked
    };
    let mut notes = Vec::new();
    let BudgetCheck { status, near, undecided } = match &checked {
        None => {
            notes.push(no_data(comparison, subject));
            BudgetCheck::NO_DATA
        }
        Some(_) if budget.target.is_relative() && !one_machine => {
            notes.push(UntestedReason::DifferentMachines.note().to_owned());
            BudgetCheck::NO_DATA
        }
        Some(checked) => match status(budget, checked, comparison) {
            Ok(status) => status,
            Err(why) => {
                notes.push(format!("{why} ({})", policy.place(budget.line)));
                BudgetCheck::NO_DATA
            }
        },
    };
    let mut line = BudgetLine {
        benchmark: finding.name.clone(),
        metric: budget.metric.clone(),
        unit: finding.unit.to_string(),
        target: budget.target.to_string(),
        acceptable: budget.acceptable.as_ref().map(Limit::to_string),
        status,
        value: checked.as_ref().map(|checked| checked.value),
        base: checked.as_ref().and_then(|checked| checked.base),
        interval: checked.as_ref().and_then(|checked| checked.interval),
        near,
        undecided,
        relative: budget.target.is_relative() || budget.acceptable.as_ref().is_some_and(Limit::is_relative),
        place: policy.place(budget.line),
        notes,
    };
    line.notes.extend(line.status_note(!finding.is_undecided()));
    line
}

/// The status of a budget.
struct BudgetCheck {
    status: BudgetStatus,
    /// Whether the interval contains the limit that decided it.
    near: bool,
    /// Whether the value misses that limit within noise.
    undecided: bool,
}

impl BudgetCheck {
    const NO_DATA: BudgetCheck = BudgetCheck { status: BudgetStatus::NoData, near: false, undecided: false };
}

fn status(budget: &Budget, checked: &CheckedValue, comparison: &Comparison) -> Result<BudgetCheck, String> {
    let metric = &comparison.metric;
    let check = |limit: &Limit| {
        check_limit(limit, checked, &metric.unit, metric.direction).ok_or_else(|| why_not(limit, checked, metric))
    };
    let target = check(&budget.target)?;
    if target.is_met {
        return Ok(BudgetCheck { status: BudgetStatus::Pass, near: !target.clear_of_noise, undecided: false });
    }
    let last = match &budget.acceptable {
        None => target,
        Some(limit) => check(limit)?,
    };
    let (status, undecided) = match (last.is_met, last.clear_of_noise) {
        (true, _) => (BudgetStatus::Acceptable, false),
        (false, false) => (BudgetStatus::Acceptable, true),
        (false, true) => (BudgetStatus::Fail, false),
    };
    Ok(BudgetCheck { status, near: !last.clear_of_noise, undecided })
}

fn why_not(limit: &Limit, checked: &CheckedValue, metric: &Metric) -> String {
    let unit = &metric.unit;
    if limit.comparison(metric.direction).is_none() {
        format!("the better direction of this metric is unknown; write \"<{limit}\" or \">{limit}\"")
    } else if limit.is_relative() && checked.base.is_none() {
        format!("{limit} limits the change, but base has no value")
    } else if limit.is_relative() {
        format!("{limit} limits the change, but base is 0")
    } else {
        format!("{limit} is not in the unit of this metric; write a limit like {}", limit.in_unit(unit))
    }
}

/// Whether a value meets a limit.
#[derive(Clone, Copy)]
struct LimitCheck {
    is_met: bool,
    /// Whether this is true of the whole interval.
    clear_of_noise: bool,
}

/// Checks a value against a limit; `None` for a limit in another unit, for one whose direction is unknown, and for a relative one without a base.
/// A measured base of 0 is below the resolution of the clock, so it counts as no base; an exact 0 is a value.
fn check_limit(limit: &Limit, checked: &CheckedValue, unit: &Unit, direction: Direction) -> Option<LimitCheck> {
    let limit_value = limit.limit_value(unit, checked.base.filter(|base| *base != 0.0 || checked.exact))?;
    let comparison = limit.comparison(direction)?;
    let is_met = comparison.is_met_by(checked.value, limit_value);
    let clear_of_noise =
        checked.interval.is_none_or(|ends| ends.iter().all(|end| comparison.is_met_by(*end, limit_value) == is_met));
    Some(LimitCheck { is_met, clear_of_noise })
}

fn checked_value(comparison: &Comparison, finding: &Finding, subject: Subject<'_>) -> Option<CheckedValue> {
    let [base_spread, head_spread] = comparison.statistics();
    match subject {
        Subject::Value => {
            let value = comparison.head.filter(|_| !comparison.is_failed())?.value;
            let base = comparison.base.map(|level| level.value);
            // The tested change has an interval; the value of head is as uncertain as it.
            let tested = finding.change.zip(finding.interval).or_else(|| untested_interval(comparison));
            let interval_from_change = tested.filter(|(change, _)| *change > -1.0);
            let interval_from_change =
                interval_from_change.map(|(change, ends)| ends.map(|end| value * (1.0 + end) / (1.0 + change)));
            let of_samples = || head_spread?.statistics.get("p50")?.interval;
            let exact = comparison.metric.exact || matches!(comparison.effect, Effect::Exact(_));
            let interval = if exact { None } else { interval_from_change.or_else(of_samples) };
            Some(CheckedValue { base, value, interval: interval.map(|[a, b]| [a.min(value), b.max(value)]), exact })
        }
        Subject::Statistic(name) => {
            let head = head_spread?.statistics.get(name)?;
            let base = base_spread.and_then(|spread| spread.statistics.get(name));
            Some(CheckedValue {
                base: base.map(|base| base.value),
                value: head.value,
                interval: head.interval,
                exact: false,
            })
        }
    }
}

/// The estimated change of what is shown without a test, as between different machines: a limit on the value still applies.
fn untested_interval(comparison: &Comparison) -> Option<(f64, [f64; 2])> {
    let estimate = comparison.estimate()?;
    let (low, high) = estimate.interval(false);
    let [change, a, b] = [estimate.delta, low, high].map(|log| as_change(log, comparison.metric.direction));
    Some((change, [a.min(b), a.max(b)]))
}

fn no_data(comparison: &Comparison, subject: Subject<'_>) -> String {
    let samples = comparison.statistics()[1].map(|spread| spread.samples);
    match (subject, samples) {
        (Subject::Statistic(name), Some(samples)) if samples > 0 => {
            let known = SampleStatistics::QUANTILES.into_iter().find(|(known, _)| *known == name);
            match known.map(|(_, share)| samples_needed(share) as u64).filter(|needed| samples < *needed) {
                Some(needed) => {
                    let there_are = if samples == 1 { "there is only" } else { "there are only" };
                    format!("{name} needs {needed} samples; {there_are} {samples}")
                }
                None => format!("the tool reports no {name}"),
            }
        }
        (Subject::Statistic(name), _) => format!("no {name}: the tool reports no samples"),
        (Subject::Value, _) if comparison.is_failed() => "the benchmark failed".to_owned(),
        (Subject::Value, _) => "no value was measured".to_owned(),
    }
}

/// Checks every goal on every benchmark that it matches.
pub fn check_goals(
    policy: &Policy,
    comparisons: &[Comparison],
    findings: &[Finding],
    one_machine: bool,
) -> Vec<GoalLine> {
    if policy.goals().is_empty() {
        return Vec::new();
    }
    let head_metrics = HeadMetrics::of(comparisons);
    let mut lines = Vec::new();
    for goal in policy.goals() {
        for (comparison, finding) in comparisons.iter().zip(findings) {
            for metric in goal.metrics().filter(|metric| goal.covers(comparison.own_name(), metric)) {
                let Some(subject) = head_metrics.limited(comparison, metric) else { continue };
                let checked = checked_value(comparison, finding, subject)
                    .map(|checked| with_base_uncertainty(checked, comparison, subject));
                let change = change_of(checked.as_ref(), finding, subject);
                let limited = match &checked {
                    Some(checked) if goal.limit.is_relative() => head_value_after_change(checked, &change),
                    _ => checked,
                };
                let check = limited.as_ref().and_then(|checked| {
                    let comparable = one_machine || !goal.limit.is_relative();
                    let check =
                        check_limit(&goal.limit, checked, &comparison.metric.unit, comparison.metric.direction)?;
                    (comparable && (checked.exact || checked.interval.is_some())).then_some(check)
                });
                let status = match check {
                    Some(LimitCheck { is_met: true, clear_of_noise: true }) => GoalStatus::Met,
                    Some(LimitCheck { is_met: false, clear_of_noise: true }) => GoalStatus::NotMet,
                    _ => GoalStatus::Undecided,
                };
                lines.push(GoalLine {
                    benchmark: finding.name.clone(),
                    metric: metric.to_owned(),
                    unit: finding.unit.to_string(),
                    expect: goal.limit.to_string(),
                    status,
                    value: checked.as_ref().map(|checked| checked.value),
                    change: change.change,
                    interval: change.interval,
                });
            }
        }
    }
    lines
}

/// A change from base and its interval, as fractions.
#[derive(Default)]
struct ChangeFromBase {
    change: Option<f64>,
    interval: Option<[f64; 2]>,
}

/// The change that a goal checks and prints. For a value, it is the change in the benchmark's row: the suite-wide shift may be
/// subtracted. For a statistic of samples, it is the change from the statistic of base to that of head.
fn change_of(checked: Option<&CheckedValue>, finding: &Finding, subject: Subject<'_>) -> ChangeFromBase {
    if subject == Subject::Value {
        let exact = checked.is_some_and(|checked| checked.exact);
        return ChangeFromBase { change: finding.change, interval: finding.interval.filter(|_| !exact) };
    }
    let Some(checked) = checked else { return ChangeFromBase::default() };
    let base = checked.base.filter(|base| *base != 0.0);
    let change = |value: f64| base.map(|base| value / base - 1.0);
    let interval = checked.interval.and_then(|[low, high]| Some([change(low)?, change(high)?]));
    ChangeFromBase { change: change(checked.value), interval }
}

/// The value of head that follows from base and the change; a relative limit is checked against it.
fn head_value_after_change(checked: &CheckedValue, change: &ChangeFromBase) -> Option<CheckedValue> {
    let base = checked.base?;
    let value = |change: f64| base * (1.0 + change);
    Some(CheckedValue {
        value: value(change.change?),
        interval: change.interval.map(|ends| ends.map(value)),
        ..*checked
    })
}

/// Widens the interval by the uncertainty of the base, which a statistic of samples has on both sides.
fn with_base_uncertainty(checked: CheckedValue, comparison: &Comparison, subject: Subject<'_>) -> CheckedValue {
    let Subject::Statistic(name) = subject else { return checked };
    let base = comparison.statistics()[0].and_then(|spread| spread.statistics.get(name));
    let interval = match (checked.interval, base.and_then(|base| Some((base.value, base.interval?)))) {
        (Some([low, high]), Some((value, [from, to]))) if from > 0.0 => Some([low * value / to, high * value / from]),
        (interval, _) => interval,
    };
    CheckedValue { interval, ..checked }
}

/// The indices of the comparisons, by the name of their benchmark. Without it, each budget would need a pass over all
/// comparisons.
pub(super) struct ByName<'a>(HashMap<&'a str, Vec<usize>>);

impl<'a> ByName<'a> {
    pub fn of(comparisons: &'a [Comparison]) -> Self {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, comparison) in comparisons.iter().enumerate() {
            places.entry(comparison.own_name()).or_default().push(place);
        }
        ByName(places)
    }

    /// The indices of the comparisons whose name the pattern matches, in ascending order.
    pub fn covered(&self, pattern: &Pattern) -> Vec<usize> {
        if pattern.is_literal() {
            return self.0.get(pattern.as_str()).cloned().unwrap_or_default();
        }
        let matching = self.0.iter().filter(|(name, _)| pattern.matches(name));
        let mut places: Vec<usize> = matching.flat_map(|(_, places)| places.iter().copied()).collect();
        places.sort_unstable();
        places
    }
}
