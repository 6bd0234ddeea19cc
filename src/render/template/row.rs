//! One finding or budget as a row of text, and the numbers that rows are sorted by.

use super::context::{BudgetText, Row};
use crate::model::{Direction, Unit};
use crate::policy::Limit;
use crate::render::legend::has_re_measured_values;
use crate::render::quantity::{interval, pair, percent, thousands};
use crate::render::remarks::{self, Remarks};
use crate::render::summary;
use crate::verdict::{BudgetLine, BudgetStatus, Finding, Outcome, Report};

/// head / base, inverted for metrics where higher is better: above 1 is worse.
pub(super) fn ratio(finding: &Finding) -> f64 {
    let change = 1.0 + finding.change.unwrap_or_default();
    match finding.direction {
        Direction::Lower | Direction::Unknown => change,
        Direction::Higher => 1.0 / change,
    }
}

pub(super) fn largest(finding: &Finding) -> f64 {
    [finding.base, finding.head].into_iter().flatten().map(|value| value.value).fold(0.0, f64::max)
}

/// A row without advice on what would decide it.
pub(super) fn row(report: &Report, finding: &Finding) -> Row {
    row_with(report, remarks::without_advice(finding), finding)
}

/// A row with all remarks that the report does not have in one place.
pub(super) fn advised_row(report: &Report, remarks: &Remarks, finding: &Finding) -> Row {
    row_with(report, remarks.on(finding), finding)
}

fn row_with(report: &Report, notes: Vec<String>, finding: &Finding) -> Row {
    let [base, head] = summary::sides(finding);
    let mark = match finding.outcome {
        Outcome::Failed => "💥",
        Outcome::Regressed => "❌",
        Outcome::Accepted => "☑️",
        Outcome::Inconclusive => "❔",
        Outcome::Removed => "➖",
        Outcome::Added => "➕",
        Outcome::Improved => "🚀",
        Outcome::Unchanged if finding.within.is_some() => "☑️",
        Outcome::Unchanged => "✅",
    };
    Row {
        name: finding.name.clone(),
        metric: finding.metric.to_string(),
        tool: finding.tool.to_string(),
        outcome: finding.outcome.word().to_owned(),
        word: finding.word().to_owned(),
        fails: report.fails_by_outcome(finding),
        mark: mark.to_owned(),
        suspect: finding.is_suspected_regression(),
        re_measured: has_re_measured_values(finding),
        within: summary::within(finding),
        base: finding.base.is_some().then_some(base),
        head: finding.head.is_some().then_some(head),
        change: summary::change_of(finding),
        interval: summary::interval_of(finding).map(|ends| interval(finding.change, ends)),
        budget: finding.budget.status.word().to_owned(),
        samples: remarks::samples(finding),
        notes,
    }
}

/// The unit at the end of a value or a limit.
fn unit_of(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_alphabetic() && !matches!(c, '%' | '/'))
}

/// From here on, a distance is written as a factor.
const FACTOR: f64 = 10.0;

fn times(factor: f64) -> String {
    format!("{}×", thousands(factor.round() as usize))
}

/// `12% above`, or `2,000× the limit`.
fn off_by(far: f64) -> String {
    match far {
        far if far >= FACTOR => format!("{} the limit", times(1.0 + far)),
        far if far > 0.0 => format!("{} above", percent(far)),
        far => format!("{} below", percent(-far)),
    }
}

/// The texts of a budget.
pub(in crate::render) fn budget(line: &BudgetLine) -> BudgetText {
    let [before, value, low, high] =
        pair([line.base, line.value, line.interval.map(|i| i[0]), line.interval.map(|i| i[1])], &line.unit);
    let limit = Limit::parse(&line.target);
    let limit_value = limit.as_ref().and_then(|limit| limit.limit_value(&Unit::from_label(&line.unit), line.base));
    let is_checked = line.status != BudgetStatus::NoData;
    let limit_value = limit_value.filter(|_| is_checked);
    // Next to a value in MiB/s, a limit in MB/s cannot be checked by eye.
    let shown = limit_value.map(|limit_value| pair([Some(limit_value)], &line.unit)[0].clone());
    let shown = shown.filter(|shown| {
        limit.as_ref().is_some_and(Limit::is_relative) || unit_of(shown) != unit_of(&line.target.replace('u', "µ"))
    });
    let (name, _) = line.deciding_limit();
    let deciding = line.limit_value().filter(|limit_value| *limit_value > 0.0);
    let far = deciding.zip(line.value).map(|(limit_value, value)| value / limit_value - 1.0);
    BudgetText {
        name: line.benchmark.clone(),
        metric: line.metric.clone(),
        before: line.base.is_some().then_some(before),
        value: line.value.is_some().then_some(value),
        interval: line.interval.is_some().then(|| format!("{low} … {high}")),
        target: line.target.clone(),
        bound: shown,
        acceptable: line.acceptable.clone(),
        status: line.word().to_owned(),
        near: line.near,
        distance: far.map(|far| match far < FACTOR {
            true => format!("{} {name}", off_by(far)),
            false => format!("{} the {name}", times(1.0 + far)),
        }),
        off_by: far.map(off_by),
        notes: line.notes.clone(),
    }
}
