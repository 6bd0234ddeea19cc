//! Budgets and goals without effect: they match no measurement of head, or only measurements in other units.

use super::budget::{ByName, HeadMetrics};
use crate::compare::Comparison;
use crate::model::Unit;
use crate::policy::unused::{intended, intended_metric};
use crate::policy::{Limit, Policy};
use std::collections::BTreeSet;

/// A budget or goal that matches no measurement of head, or only measurements in other units: a config error, never a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmatchedLimit {
    /// Its line in perfgate.toml; `None` for the command line.
    pub line: Option<usize>,
    /// Stable code in kebab-case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
}

/// Maximum number of budgets with a suggestion.
const MAX_SUGGESTIONS: usize = 20;

/// The budgets and goals that match no benchmark of head, and those whose unit fits no value of head.
pub fn unmatched(policy: &Policy, comparisons: &[Comparison]) -> Vec<UnmatchedLimit> {
    if policy.budgets().is_empty() && policy.goals().is_empty() {
        return Vec::new();
    }
    let head_metrics = HeadMetrics::of(comparisons);
    let by_name = ByName::of(comparisons);
    let mut problems = Vec::new();
    let mut in_other_units = Vec::new();
    for budget in policy.budgets() {
        let covered: Vec<&Comparison> =
            by_name.covered(&budget.pattern).into_iter().map(|place| &comparisons[place]).collect();
        let what = || format!("the budget on `{}` of `{}`", budget.metric, budget.pattern.as_str());
        if !covered.iter().any(|c| head_metrics.limited(c, &budget.metric).is_some()) {
            // Comparing with all names is slow, so only the first budgets get a suggestion.
            let pattern = Some(budget.pattern.as_str()).filter(|_| problems.len() < MAX_SUGGESTIONS);
            let metric = Some(budget.metric.as_str());
            problems.push(unmatched_limit(Some(budget.line), what(), pattern, metric, &covered, comparisons));
        }
        let units: Vec<&Unit> = units_limited(&covered, &budget.metric, &head_metrics).collect();
        let limits = [Some(&budget.target), budget.acceptable.as_ref()];
        let wrong =
            limits.into_iter().flatten().find_map(|limit| Some((limit, other_unit(limit, units.iter().copied())?)));
        in_other_units.extend(wrong.map(|(limit, unit)| in_other_unit(Some(budget.line), what(), limit, unit)));
    }
    for goal in policy.goals() {
        let covers = |name: &str| goal.metrics().any(|metric| goal.covers(name, metric));
        let covered: Vec<&Comparison> = comparisons.iter().filter(|c| covers(c.own_name())).collect();
        let of_metric = |metric: &str| -> Vec<&Comparison> {
            covered.iter().copied().filter(|c| goal.covers(c.own_name(), metric)).collect()
        };
        let is_matched =
            |metric: &str| of_metric(metric).into_iter().any(|c| head_metrics.limited(c, metric).is_some());
        if !goal.metrics().any(is_matched) {
            let what = format!("the goal `{} {}`", goal.written, goal.limit);
            problems.push(unmatched_limit(goal.line, what, None, None, &covered, comparisons));
        }
        let wrong = goal.metrics().find_map(|metric| {
            other_unit(&goal.limit, units_limited(&of_metric(metric), metric, &head_metrics)).cloned()
        });
        let what = format!("the goal on `{}`", goal.written);
        in_other_units.extend(wrong.map(|unit| in_other_unit(goal.line, what, &goal.limit, &unit)));
    }
    problems.extend(in_other_units);
    problems
}

/// The units of the values of head that a limit on this metric applies to.
fn units_limited<'c>(
    covered: &[&'c Comparison],
    metric: &str,
    head_metrics: &HeadMetrics<'_>,
) -> impl Iterator<Item = &'c Unit> {
    let is_limited = |c: &&&Comparison| !c.is_failed() && head_metrics.limited(c, metric).is_some();
    covered.iter().filter(is_limited).map(|c| &c.metric.unit)
}

/// The first unit of head, if the limit fits none of them.
fn other_unit<'u>(limit: &Limit, mut units: impl Iterator<Item = &'u Unit>) -> Option<&'u Unit> {
    let first = units.next()?;
    (!limit.fits(first) && !units.any(|unit| limit.fits(unit))).then_some(first)
}

fn in_other_unit(line: Option<usize>, what: String, limit: &Limit, unit: &Unit) -> UnmatchedLimit {
    let label = if *unit == Unit::Ratio { "a plain number".to_owned() } else { format!("in {unit}") };
    UnmatchedLimit {
        line,
        code: "unit-mismatch",
        message: format!("{what} has the limit `{limit}`, but the values are {label}"),
        help: format!("write a limit like \"{}\"", limit.in_unit(unit)),
    }
}

fn unmatched_limit(
    line: Option<usize>,
    what: String,
    pattern: Option<&str>,
    metric: Option<&str>,
    covered: &[&Comparison],
    comparisons: &[Comparison],
) -> UnmatchedLimit {
    let metrics: BTreeSet<&str> = covered.iter().filter(|c| c.head.is_some()).map(|c| &*c.metric.name).collect();
    let help = if let Some(metric) = metric.filter(|_| !metrics.is_empty()) {
        intended_metric(metric, &metrics)
    } else if !metrics.is_empty() {
        format!("its benchmarks have the metrics {}", metrics.into_iter().collect::<Vec<_>>().join(", "))
    } else if !covered.is_empty() {
        "its benchmarks are only in base; run them again, or remove it".to_owned()
    } else {
        let names = comparisons.iter().map(Comparison::own_name);
        let intended = pattern.and_then(|pattern| intended(pattern, names));
        let list = || "`perfgate compare --all` lists all names".to_owned();
        format!("no benchmark has a matching name; {}", intended.unwrap_or_else(list))
    };
    UnmatchedLimit { line, code: "matches-nothing", message: format!("{what} matches nothing measured in head"), help }
}
