//! How a verdict was reached, in a line: threshold, number of tests, suite-wide shift.

use super::quantity::{change, counted, percent, thousands};
use super::summary::{mean_contradicts_shift, mean_to_show};
use super::verdict_text::{compared, is_plain_name, noun_of};
use crate::model::{Direction, ShiftTreatment, SuiteShift};
use crate::verdict::{Finding, Outcome, Report, WithoutQ};
use std::collections::BTreeSet;

/// The smallest suite-wide shift that is printed, if it was not subtracted, and that the mean may contradict.
pub(super) const LEAST_KEPT_SHIFT: f64 = 0.005;

/// How the verdict was reached, in a line.
pub fn method(report: &Report) -> String {
    let mut text = format!("threshold {}", percent(report.threshold));
    if report.tests > 0 {
        text.push_str(&format!(", {} false discovery rate across {}", percent(report.alpha), tested(report)));
    }
    for part in shifts(report) {
        text.push_str(&format!(", {part}"));
    }
    if mean_contradicts_shift(report) && mean_to_show(report).is_some() {
        text.push_str(" (outweighed in the mean by larger changes of other benchmarks)");
    }
    if let Some(re_measured) = re_measured(report) {
        text.push_str(&format!(", {re_measured}"));
    }
    text
}

/// What became of the suspects that were re-measured: `7 suspects re-measured in 5 pairs: 4 regressed, 2 unchanged (heap, sort_words)`.
/// Of an unchanged one, the report has nothing else.
fn re_measured(report: &Report) -> Option<String> {
    let confirmed: Vec<&Finding> = report.benchmarks.iter().filter(|finding| finding.re_measured).collect();
    let pairs = pairs_of_runs(&confirmed)?;
    let of_outcome = |outcome: Outcome| {
        let found: Vec<&Finding> = confirmed.iter().copied().filter(|one| one.outcome == outcome).collect();
        let count = if confirmed.len() == 1 { String::new() } else { format!("{} ", thousands(found.len())) };
        let which = if outcome == Outcome::Unchanged { in_parentheses(&found) } else { String::new() };
        (!found.is_empty()).then(|| format!("{count}{}{which}", outcome.word()))
    };
    let outcomes: Vec<String> = Outcome::ALL.into_iter().filter_map(of_outcome).collect();
    Some(format!("{} re-measured in {pairs}: {}", counted(confirmed.len(), "suspect"), outcomes.join(", ")))
}

/// The names of a few benchmarks, which are untrusted text, if every view can print them: ` (heap, sort_words)`.
fn in_parentheses(findings: &[&Finding]) -> String {
    const MAX_NAMED: usize = 3;
    const MAX_CHARS: usize = 40;
    let is_short = |one: &&Finding| is_plain_name(&one.name) && one.name.chars().count() <= MAX_CHARS;
    if findings.len() > MAX_NAMED || !findings.iter().all(is_short) {
        return String::new();
    }
    let names: BTreeSet<&str> = findings.iter().map(|finding| finding.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    format!(" ({})", names.join(", "))
}

/// The number of pairs of a base run and a head run: `5 pairs`, or `3 to 5 pairs`; `None` without findings of both sides.
pub(super) fn pairs_of_runs(findings: &[&Finding]) -> Option<String> {
    let pairs = || findings.iter().filter_map(|finding| Some(finding.base?.runs.min(finding.head?.runs)));
    let (least, most) = (pairs().min()?, pairs().max()?);
    Some(if least < most { format!("{least} to {most} pairs") } else { counted(most, "pair") })
}

/// What was tested: `12 benchmarks`, `1 metric (`errors` is an exact count and needs no test)`, or `22 of 26 metrics (the others: 3 exact
/// counts, 1 with few events)`.
fn tested(report: &Report) -> String {
    let compared = compared(report);
    let (tests, noun) = (report.tests, noun_of(&compared));
    if tests >= compared.len() {
        return counted(tests, noun);
    }
    let mut exact = compared.iter().filter(|one| one.without_q == Some(WithoutQ::ExactCount));
    if let (Some(one), true) = (exact.next(), tests + 1 == compared.len())
        && is_plain_name(&one.metric)
        && noun == "metric"
    {
        return format!("{} (`{}` is an exact count and needs no test)", counted(tests, noun), one.metric);
    }
    let all = counted(compared.len(), noun);
    format!("{} of {all} ({})", thousands(tests), untested(&compared, compared.len() - tests))
}

/// What was not tested, by the reason: `the other: 1 exact count`.
fn untested(compared: &[&Finding], count: usize) -> String {
    let is_of_unknown_direction =
        |one: &&&Finding| one.q.is_none() && one.without_q.is_none() && one.direction == Direction::Unknown;
    let of_reason = |reason: WithoutQ| compared.iter().filter(|one| one.without_q == Some(reason)).count();
    let exact = of_reason(WithoutQ::ExactCount);
    let reasons = [
        (exact, if exact == 1 { "exact count" } else { "exact counts" }),
        (of_reason(WithoutQ::FewEvents), "with few events"),
        (of_reason(WithoutQ::Zero), "with a value of zero"),
        (of_reason(WithoutQ::NotComparable), "not comparable"),
        (compared.iter().filter(is_of_unknown_direction).count(), "of unknown direction"),
    ];
    let others = if count == 1 { "the other" } else { "the others" };
    // Older comparison files do not have the reasons.
    if reasons.iter().map(|(number, _)| number).sum::<usize>() != count {
        return format!("{others} without a test");
    }
    let reasons = reasons.iter().filter(|(number, _)| *number > 0);
    let reasons: Vec<String> = reasons.map(|(number, what)| format!("{} {what}", thousands(*number))).collect();
    format!("{others}: {}", reasons.join(", "))
}

/// The suite-wide shifts that are large enough to be printed, and what was done with them. All that were subtracted are one part.
fn shifts(report: &Report) -> Vec<String> {
    const SHOWN: usize = 3;
    let is_subtracted = |shift: &&SuiteShift| is_subtracted(shift);
    let subtracted: Vec<&SuiteShift> = report.shifts.iter().filter(is_subtracted).collect();
    let mut parts = Vec::new();
    match subtracted.as_slice() {
        [] => {}
        [one] => {
            let (by, metric) = (change(one.change()), one.metric_with_tools());
            parts.push(format!("suite-wide shift {by} subtracted from the changes in {metric}"));
        }
        several => {
            let of = |one: &&SuiteShift| format!("{} {}", one.metric_with_tools(), change(one.change()));
            let mut each: Vec<String> = several.iter().take(SHOWN).map(of).collect();
            if several.len() > SHOWN {
                each.push(counted(several.len() - SHOWN, "more metric"));
            }
            parts.push(format!("suite-wide shift subtracted from the changes: {}", each.join(", ")));
        }
    }
    parts.extend(report.shifts.iter().filter_map(kept_shift));
    // Older comparison files have only the shift of times.
    if report.shifts.is_empty() && report.common_shift.abs() >= LEAST_KEPT_SHIFT {
        let done = if report.shift_is_subtracted == Some(true) { " subtracted" } else { "" };
        parts.push(format!("suite-wide shift {}{done}", change(report.common_shift)));
    }
    parts
}

/// True for a shift that was subtracted and is large enough to be printed.
pub(super) fn is_subtracted(shift: &SuiteShift) -> bool {
    shift.treatment == ShiftTreatment::Subtracted && change(shift.change()) != change(0.0)
}

/// A shift that was not subtracted, and what that means for the changes.
fn kept_shift(shift: &SuiteShift) -> Option<String> {
    let by = format!("suite-wide shift {} in {}", change(shift.change()), shift.metric_with_tools());
    let is_large = shift.shift.abs() >= LEAST_KEPT_SHIFT;
    match shift.treatment {
        ShiftTreatment::Unexplained => Some(format!("{by}, cause unknown")),
        ShiftTreatment::InEveryRun => Some(format!("{by} not subtracted, because every run has it")),
        ShiftTreatment::InTurn if is_large => {
            Some(format!("{by} not subtracted, because base and head were measured in turn"))
        }
        _ => None,
    }
}
