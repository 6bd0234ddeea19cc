//! Budgets and goals: limits on what was measured, whatever it was before. The interval decides near a limit: only what
//! is clearly beyond fails. docs/budgets.md has the rules.

use super::report::{BudgetLine, BudgetReport, BudgetStatus, Finding, GoalLine, GoalStatus};
use crate::compare::{Comparison, Effect};
use crate::model::{Direction, SampleStatistics, Unit};
use crate::policy::{Budget, Limit, Policy};
use std::collections::BTreeSet;

/// A budget or goal that is on nothing that was measured: an error of the config, never a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Where it is written; `None` for the command line.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

/// What a limit is held against.
struct Held {
    base: Option<f64>,
    value: f64,
    interval: Option<[f64; 2]>,
    exact: bool,
}

/// Which metric of a benchmark a limit asks for: its own, or a statistic of its samples.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked<'a> {
    Own,
    Statistic(&'a str),
}

/// The budgets and goals that no benchmark of head answers to.
pub fn unmatched(policy: &Policy, comparisons: &[Comparison]) -> Vec<Unmatched> {
    if policy.budgets().is_empty() && policy.goals().is_empty() {
        return Vec::new();
    }
    let known = Known::of(comparisons);
    let on = |covers: &dyn Fn(&str) -> bool, metric: &str| {
        comparisons.iter().any(|c| c.head.is_some() && covers(c.benchmark.as_str()) && known.asked(c, metric).is_some())
    };
    let budgets = policy.budgets().iter().filter(|b| !on(&|name| b.covers(name, &b.metric), &b.metric));
    let budgets = budgets.map(|budget| {
        let what = format!("the budget on `{}` of `{}`", budget.metric, budget.pattern.as_str());
        none(Some(budget.line), what, &|name| budget.covers(name, &budget.metric), comparisons)
    });
    let goals = policy.goals().iter();
    let goals = goals.filter(|goal| !goal.metrics().any(|metric| on(&|name| goal.covers(name, metric), metric)));
    let goals = goals.map(|goal| {
        let covers = |name: &str| goal.metrics().any(|metric| goal.covers(name, metric));
        none(goal.line, format!("the goal `{} {}`", goal.written, goal.limit), &covers, comparisons)
    });
    budgets.chain(goals).collect()
}

fn none(line: Option<usize>, what: String, covers: &dyn Fn(&str) -> bool, comparisons: &[Comparison]) -> Unmatched {
    let named = comparisons.iter().filter(|c| covers(c.benchmark.as_str()));
    let metrics: BTreeSet<&str> = named.clone().filter(|c| c.head.is_some()).map(|c| &*c.metric.name).collect();
    let help = if !metrics.is_empty() {
        format!("its benchmarks have {}", metrics.into_iter().collect::<Vec<_>>().join(", "))
    } else if named.count() > 0 {
        "its benchmarks are in base only: run them again, or remove it".to_owned()
    } else {
        "no benchmark has such a name: `perfgate compare --all` lists them".to_owned()
    };
    Unmatched { line, message: format!("{what} matches nothing that was measured in head"), help }
}

/// Which metrics each benchmark of head has by itself, so that a tool's own p95 goes before one made from samples.
struct Known<'a>(BTreeSet<(&'a str, &'a str)>);

impl<'a> Known<'a> {
    fn of(comparisons: &'a [Comparison]) -> Self {
        let head = comparisons.iter().filter(|comparison| comparison.head.is_some());
        Known(head.map(|comparison| (comparison.benchmark.as_str(), &*comparison.metric.name)).collect())
    }

    fn asked<'m>(&self, comparison: &Comparison, metric: &'m str) -> Option<Asked<'m>> {
        if comparison.metric.name == metric {
            return Some(Asked::Own);
        }
        let (own, statistic) = SampleStatistics::split_metric(metric)?;
        let by_itself = self.0.contains(&(comparison.benchmark.as_str(), metric));
        (comparison.metric.name == own && !by_itself).then_some(Asked::Statistic(statistic))
    }
}

/// Holds every budget against every benchmark that it is on; each finding gets the worst of its own.
pub fn hold(
    policy: &Policy,
    comparisons: &[Comparison],
    findings: &mut [Finding],
    one_machine: bool,
) -> Vec<BudgetLine> {
    if policy.budgets().is_empty() {
        return Vec::new();
    }
    let known = Known::of(comparisons);
    let mut lines = Vec::new();
    for budget in policy.budgets() {
        for (comparison, finding) in comparisons.iter().zip(&mut *findings) {
            if comparison.head.is_none() || !budget.covers(comparison.benchmark.as_str(), &budget.metric) {
                continue;
            }
            let Some(asked) = known.asked(comparison, &budget.metric) else { continue };
            let line = check(budget, comparison, finding, asked, one_machine, policy);
            let worse = |status| STATUSES.iter().position(|s| *s == status);
            if worse(line.status) > worse(finding.budget.status) {
                let acceptable = line.acceptable.clone();
                finding.budget = BudgetReport { target: Some(line.target.clone()), acceptable, status: line.status };
            }
            if line.status == BudgetStatus::Fail || line.near {
                finding.notes.extend(line.notes.iter().cloned());
            }
            lines.push(line);
        }
    }
    let rank = |line: &BudgetLine| std::cmp::Reverse(STATUSES.iter().position(|status| *status == line.status));
    lines.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| (&a.benchmark, &a.metric).cmp(&(&b.benchmark, &b.metric))));
    lines
}

/// Worse is later.
const STATUSES: [BudgetStatus; 5] =
    [BudgetStatus::None, BudgetStatus::Pass, BudgetStatus::NoData, BudgetStatus::Acceptable, BudgetStatus::Fail];

fn check(
    budget: &Budget,
    comparison: &Comparison,
    finding: &Finding,
    asked: Asked<'_>,
    one_machine: bool,
    policy: &Policy,
) -> BudgetLine {
    let held = held(comparison, finding, asked);
    let held = if budget.target.is_relative() { held.map(|held| against_base(held, comparison, asked)) } else { held };
    let mut notes = Vec::new();
    let (status, near) = match &held {
        None => {
            notes.push(no_data(comparison, asked));
            (BudgetStatus::NoData, false)
        }
        Some(_) if budget.target.is_relative() && !one_machine => {
            notes.push("base and head were measured on different machines".to_owned());
            (BudgetStatus::NoData, false)
        }
        Some(held) => match standing(budget, held, comparison) {
            Ok(standing) => standing,
            Err(why) => {
                notes.push(why);
                (BudgetStatus::NoData, false)
            }
        },
    };
    let place = policy.place(budget.line);
    if status == BudgetStatus::Fail {
        let last = budget.acceptable.as_ref().unwrap_or(&budget.target);
        notes.push(format!("over the budget {last} on {} ({place})", budget.metric));
    } else if near {
        notes.push(format!(
            "so near the budget {} on {} that chance may decide ({place})",
            budget.target, budget.metric
        ));
    }
    BudgetLine {
        benchmark: finding.name.clone(),
        metric: budget.metric.clone(),
        unit: finding.unit.to_string(),
        target: budget.target.to_string(),
        acceptable: budget.acceptable.as_ref().map(Limit::to_string),
        status,
        value: held.as_ref().map(|held| held.value),
        base: held.as_ref().and_then(|held| held.base),
        interval: held.as_ref().and_then(|held| held.interval),
        near,
        place,
        notes,
    }
}

/// Status, and whether the interval holds the limit that decided it.
fn standing(budget: &Budget, held: &Held, comparison: &Comparison) -> Result<(BudgetStatus, bool), String> {
    let metric = &comparison.metric;
    let side = |limit: &Limit| side(limit, held, &metric.unit, metric.direction).ok_or_else(|| why_not(limit, held));
    let target = side(&budget.target)?;
    if target.good {
        return Ok((BudgetStatus::Pass, !target.clear));
    }
    let last = match &budget.acceptable {
        None => target,
        Some(limit) => side(limit)?,
    };
    Ok(match (last.good, last.clear) {
        (true, clear) => (BudgetStatus::Acceptable, !clear),
        (false, false) => (BudgetStatus::Acceptable, true),
        (false, true) => (BudgetStatus::Fail, false),
    })
}

fn why_not(limit: &Limit, held: &Held) -> String {
    if limit.is_relative() && held.base.is_none() {
        format!("{limit} is on the change, and the base has no value")
    } else {
        format!("{limit} is not in the unit of this metric")
    }
}

/// On which side of a limit a value lies.
#[derive(Clone, Copy)]
struct Side {
    good: bool,
    clear: bool,
}

fn side(limit: &Limit, held: &Held, unit: &Unit, direction: Direction) -> Option<Side> {
    let bound = limit.bound(unit, held.base)?;
    let comparison = limit.comparison(direction);
    let good = comparison.holds(held.value, bound);
    let clear = held.interval.is_none_or(|ends| ends.iter().all(|end| comparison.holds(*end, bound) == good));
    Some(Side { good, clear })
}

fn held(comparison: &Comparison, finding: &Finding, asked: Asked<'_>) -> Option<Held> {
    let [base_spread, head_spread] = comparison.statistics();
    match asked {
        Asked::Own => {
            let value = comparison.head?.value;
            let base = comparison.base.map(|level| level.value);
            let of_change = base.zip(finding.interval).map(|(base, ends)| ends.map(|end| base * (1.0 + end)));
            let of_samples = || head_spread?.statistics.get("p50")?.interval;
            let exact = comparison.metric.exact || matches!(comparison.effect, Effect::Exact(_));
            let interval = if exact { None } else { of_change.or_else(of_samples) };
            Some(Held { base, value, interval: interval.map(|[a, b]| [a.min(value), b.max(value)]), exact })
        }
        Asked::Statistic(name) => {
            let head = head_spread?.statistics.get(name)?;
            let base = base_spread.and_then(|spread| spread.statistics.get(name));
            Some(Held { base: base.map(|base| base.value), value: head.value, interval: head.interval, exact: false })
        }
    }
}

fn no_data(comparison: &Comparison, asked: Asked<'_>) -> String {
    let samples = comparison.statistics()[1].map(|spread| spread.samples);
    match (asked, samples) {
        (Asked::Statistic(name), Some(samples)) if samples > 0 => format!("{samples} samples are too few for a {name}"),
        (Asked::Statistic(name), _) => format!("the tool gives no samples to take a {name} of"),
        (Asked::Own, _) => "there is no value".to_owned(),
    }
}

/// Holds every goal against every benchmark that it is on.
pub fn goals(policy: &Policy, comparisons: &[Comparison], findings: &[Finding], one_machine: bool) -> Vec<GoalLine> {
    if policy.goals().is_empty() {
        return Vec::new();
    }
    let known = Known::of(comparisons);
    let mut lines = Vec::new();
    for goal in policy.goals() {
        for (comparison, finding) in comparisons.iter().zip(findings) {
            let name = comparison.benchmark.as_str();
            for metric in goal.metrics().filter(|metric| goal.covers(name, metric)) {
                let Some(asked) = known.asked(comparison, metric).filter(|_| comparison.head.is_some()) else {
                    continue;
                };
                let held = held(comparison, finding, asked).map(|held| against_base(held, comparison, asked));
                let side = held.as_ref().and_then(|held| {
                    let comparable = one_machine || !goal.limit.is_relative();
                    let side = side(&goal.limit, held, &comparison.metric.unit, comparison.metric.direction)?;
                    (comparable && (held.exact || held.interval.is_some())).then_some(side)
                });
                let status = match side {
                    Some(Side { good: true, clear: true }) => GoalStatus::Met,
                    Some(Side { good: false, clear: true }) => GoalStatus::NotMet,
                    _ => GoalStatus::NotShown,
                };
                let base = held.as_ref().and_then(|held| held.base).filter(|base| *base != 0.0);
                let change = |value: f64| base.map(|base| value / base - 1.0);
                lines.push(GoalLine {
                    benchmark: name.to_owned(),
                    metric: metric.to_owned(),
                    unit: finding.unit.to_string(),
                    expect: goal.limit.to_string(),
                    status,
                    value: held.as_ref().map(|held| held.value),
                    change: held.as_ref().and_then(|held| change(held.value)),
                    interval: held
                        .as_ref()
                        .and_then(|held| held.interval)
                        .and_then(|[low, high]| Some([change(low)?, change(high)?])),
                });
            }
        }
    }
    lines
}

/// A statistic of samples is uncertain on both sides: the interval takes up the base's part too.
fn against_base(held: Held, comparison: &Comparison, asked: Asked<'_>) -> Held {
    let Asked::Statistic(name) = asked else { return held };
    let base = comparison.statistics()[0].and_then(|spread| spread.statistics.get(name));
    let interval = match (held.interval, base.and_then(|base| Some((base.value, base.interval?)))) {
        (Some([low, high]), Some((value, [from, to]))) if from > 0.0 => Some([low * value / to, high * value / from]),
        (interval, _) => interval,
    };
    Held { interval, ..held }
}
