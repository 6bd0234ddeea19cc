//! Budgets and goals without effect: they match no measurement of head, or only measurements in other units.

use super::budget::HeadMetrics;
use crate::compare::Comparison;
use crate::model::Unit;
use crate::policy::unused::{intended, intended_metric};
use crate::policy::{Limit, Policy};
use std::collections::BTreeSet;

/// A budget or goal that matches no measurement of head, or only measurements in other units: a config error, never a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Its line in perfgate.toml; `None` for the command line.
    pub line: Option<usize>,
    /// Stable code in kebab-case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// The budgets and goals that match no benchmark of head, and those whose unit fits no value of head.
pub fn unmatched(policy: &Policy, comparisons: &[Comparison]) -> Vec<Unmatched> {
    if policy.budgets().is_empty() && policy.goals().is_empty() {
        return Vec::new();
    }
    let head_metrics = HeadMetrics::of(comparisons);
    let matched = |covers: &dyn Fn(&str) -> bool, metric: &str| {
        comparisons.iter().any(|c| covers(c.benchmark.as_str()) && head_metrics.limited(c, metric).is_some())
    };
    let budgets = policy.budgets().iter().filter(|b| !matched(&|name| b.covers(name, &b.metric), &b.metric));
    let budgets = budgets.map(|budget| {
        let what = format!("the budget on `{}` of `{}`", budget.metric, budget.pattern.as_str());
        let pattern = Some(budget.pattern.as_str());
        let covers = |name: &str| budget.covers(name, &budget.metric);
        unmatched_limit(Some(budget.line), what, pattern, Some(&budget.metric), &covers, comparisons)
    });
    let goals = policy.goals().iter();
    let goals = goals.filter(|goal| !goal.metrics().any(|metric| matched(&|name| goal.covers(name, metric), metric)));
    let goals = goals.map(|goal| {
        let covers = |name: &str| goal.metrics().any(|metric| goal.covers(name, metric));
        unmatched_limit(
            goal.line,
            format!("the goal `{} {}`", goal.written, goal.limit),
            None,
            None,
            &covers,
            comparisons,
        )
    });
    budgets.chain(goals).chain(in_other_units(policy, comparisons, &head_metrics)).collect()
}

/// The budgets and goals with a limit in a unit that no value of head has.
fn in_other_units(policy: &Policy, comparisons: &[Comparison], head_metrics: &HeadMetrics<'_>) -> Vec<Unmatched> {
    // The first unit of head, if the limit fits none of them.
    let other_unit = |limit: &Limit, metric: &str, covers: &dyn Fn(&str) -> bool| {
        let is_limited = |c: &&Comparison| {
            covers(c.benchmark.as_str()) && !c.is_failed() && head_metrics.limited(c, metric).is_some()
        };
        let mut units = comparisons.iter().filter(is_limited).map(|c| &c.metric.unit);
        let first = units.next()?;
        (!limit.fits(first) && !units.any(|unit| limit.fits(unit))).then(|| first.clone())
    };
    let problem = |line: Option<usize>, what: String, limit: &Limit, unit: &Unit| {
        let label = if *unit == Unit::Ratio { "a plain number".to_owned() } else { format!("in {unit}") };
        Unmatched {
            line,
            code: "unit-mismatch",
            message: format!("{what} has the limit `{limit}`, but the values are {label}"),
            help: format!("write a limit like \"{}\"", limit.in_unit(unit)),
        }
    };
    let mut problems = Vec::new();
    for budget in policy.budgets() {
        let limits = [Some(&budget.target), budget.acceptable.as_ref()];
        let wrong = limits.into_iter().flatten().find_map(|limit| {
            let covers = |name: &str| budget.covers(name, &budget.metric);
            Some((limit, other_unit(limit, &budget.metric, &covers)?))
        });
        let what = || format!("the budget on `{}` of `{}`", budget.metric, budget.pattern.as_str());
        problems.extend(wrong.map(|(limit, unit)| problem(Some(budget.line), what(), limit, &unit)));
    }
    for goal in policy.goals() {
        let wrong =
            goal.metrics().find_map(|metric| other_unit(&goal.limit, metric, &|name| goal.covers(name, metric)));
        let what = || format!("the goal on `{}`", goal.written);
        problems.extend(wrong.map(|unit| problem(goal.line, what(), &goal.limit, &unit)));
    }
    problems
}

fn unmatched_limit(
    line: Option<usize>,
    what: String,
    pattern: Option<&str>,
    metric: Option<&str>,
    covers: &dyn Fn(&str) -> bool,
    comparisons: &[Comparison],
) -> Unmatched {
    let named = comparisons.iter().filter(|c| covers(c.benchmark.as_str()));
    let metrics: BTreeSet<&str> = named.clone().filter(|c| c.head.is_some()).map(|c| &*c.metric.name).collect();
    let help = if let Some(metric) = metric.filter(|_| !metrics.is_empty()) {
        intended_metric(metric, &metrics)
    } else if !metrics.is_empty() {
        format!("its benchmarks have the metrics {}", metrics.into_iter().collect::<Vec<_>>().join(", "))
    } else if named.count() > 0 {
        "its benchmarks are only in base; run them again, or remove it".to_owned()
    } else {
        let names = comparisons.iter().map(|one| one.benchmark.as_str());
        let intended = pattern.and_then(|pattern| intended(pattern, names));
        let list = || "`perfgate compare --all` lists all names".to_owned();
        format!("no benchmark has a matching name; {}", intended.unwrap_or_else(list))
    };
    Unmatched { line, code: "matches-nothing", message: format!("{what} matches nothing measured in head"), help }
}
