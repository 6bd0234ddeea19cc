//! What the columns of a table of benchmarks mean, as far as its rows need it.

use super::method::{is_subtracted, pairs_of_runs};
use super::printed_change::printed_change;
use super::quantity::{change, counted, is_factor};
use crate::model::{ShiftTreatment, SuiteShift};
use crate::verdict::{ChangeOf, Finding, Outcome, Report};

/// The legend of a table with the columns base, head, change, 95% CI and q; `None` if its rows need none.
pub(super) fn legend(report: &Report, findings: &[&Finding]) -> Option<String> {
    let has_interval = findings.iter().any(|finding| finding.interval.is_some());
    let has_q = findings.iter().any(|finding| finding.q.is_some());
    let parts = [
        values(report, findings),
        re_measured(report, findings),
        factor(findings),
        has_interval.then(|| interval(report, findings)),
        has_interval.then(|| interval_around_threshold(findings)).flatten(),
        has_q.then(|| q(report, findings, has_interval)),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The legend of a table without q in a document, which has no room for the usual terms: base, head and change, re-measured rows,
/// and the interval where it is not that of one estimate.
pub(super) fn of_document(report: &Report, findings: &[&Finding]) -> Option<String> {
    let is_wide = findings.iter().any(|finding| has_open_shift(report, finding));
    let parts = [
        values(report, findings),
        re_measured(report, findings),
        factor(findings),
        is_wide.then(|| interval(report, findings)),
        interval_around_threshold(findings),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The sign next to the outcome of a row: `*` if its values are those of re-measured runs.
pub(super) fn sign(finding: &Finding) -> &'static str {
    if has_re_measured_values(finding) { "*" } else { "" }
}

/// True if the values of both sides are those of re-measured runs.
pub(super) fn has_re_measured_values(finding: &Finding) -> bool {
    finding.re_measured && finding.base.is_some() && finding.head.is_some()
}

/// Explains the sign of re-measured rows: `*: re-measured in 5 pairs (only these runs count), other rows: 1 run per side`.
pub(super) fn re_measured(report: &Report, findings: &[&Finding]) -> Option<String> {
    let marked: Vec<&Finding> = findings.iter().copied().filter(|one| has_re_measured_values(one)).collect();
    let pairs = pairs_of_runs(&marked)?;
    let is_other = |one: &&Finding| !one.re_measured && one.base.is_some() && one.head.is_some();
    let others = match [report.base.runs, report.head.runs] {
        _ if !findings.iter().any(is_other) => String::new(),
        [base, head] if base == head => format!(", other rows: {} per side", counted(base, "run")),
        [base, head] => format!(", other rows: {} and {}", counted(base, "base run"), counted(head, "head run")),
    };
    Some(format!("*: re-measured in {pairs} (only these runs count){others}"))
}

/// Explains a change that is printed as a factor: `10.2×: head takes 10.2 times as long as base`.
pub(super) fn factor(findings: &[&Finding]) -> Option<String> {
    let (by, metric) = findings.iter().find_map(|one| Some((one.change.filter(|by| is_factor(*by))?, &*one.metric)))?;
    let factor = change(by);
    let number = factor.trim_end_matches('×');
    let words = match metric == "time" || metric.starts_with("time:") {
        true => format!("head takes {number} times as long as base"),
        false => format!("head is {number} times base"),
    };
    Some(format!("{factor}: {words}"))
}

/// What the intervals are.
pub(super) fn interval(report: &Report, findings: &[&Finding]) -> String {
    let is_wide = findings.iter().any(|finding| has_open_shift(report, finding));
    let which = if is_wide { ", with and without the suite-wide shift" } else { "" };
    format!("CI: confidence interval of the change{which}")
}

/// What the column of rates is.
pub(super) const RATE: &str = "rate: work per second in head";

/// A regression may have an interval that contains the threshold: the test is of the change from 0.
pub(super) fn interval_around_threshold(findings: &[&Finding]) -> Option<String> {
    let contains_threshold = |finding: &&Finding| {
        let ends = finding.interval.filter(|_| finding.outcome == Outcome::Regressed && finding.q.is_some());
        ends.is_some_and(|[low, high]| {
            let [one, other] = [low, high].map(|end| finding.direction.worse(end));
            one.min(other) < finding.threshold && one.max(other) > finding.threshold
        })
    };
    let text = "regressed: the change is over the threshold and its CI excludes 0 (the CI may contain the threshold)";
    findings.iter().any(contains_threshold).then(|| text.to_owned())
}

/// What q is. An interval may exclude 0 although q is large: the interval is corrected for the number of tests only if
/// the change is beyond the threshold.
pub(super) fn q(report: &Report, findings: &[&Finding], has_interval: bool) -> String {
    let contradict = |finding: &&Finding| {
        let is_clear = finding.interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        is_clear && finding.q.is_some_and(|q| q >= report.alpha)
    };
    let only_q = if has_interval && findings.iter().any(contradict) {
        "; the CI of a change within the threshold is not corrected"
    } else {
        ""
    };
    let is_beyond = findings.iter().any(|finding| has_open_shift(report, finding));
    let of = if is_beyond { " of the change beyond that shift," } else { "" };
    format!("q: p value{of} corrected for the number of tests{only_q}")
}

/// Explains base, head and change, if a change differs from head / base − 1 by more than rounding.
pub(super) fn values<'a>(report: &Report, findings: impl IntoIterator<Item = &'a &'a Finding>) -> Option<String> {
    let differ: Vec<&Finding> = findings.into_iter().copied().filter(|one| printed_change(one).is_some()).collect();
    if differ.is_empty() {
        return None;
    }
    let has = |of: ChangeOf| differ.iter().any(|finding| finding.change_of == Some(of));
    let is_of_fastest = has(ChangeOf::FastestSamples);
    let compared = match (is_of_fastest, has(ChangeOf::Mean)) {
        (true, true) => {
            Some("compares the fastest samples (noise only makes samples slower), or the means where a note names them")
        }
        (true, false) => Some("compares the fastest samples (noise only makes samples slower)"),
        (false, true) => Some("compares the means"),
        (false, false) => None,
    };
    let without_shift = differ.iter().any(|finding| is_without_shift(report, finding));
    let shift = without_shift.then_some("without the suite-wide shift");
    let mut changes: Vec<&str> = compared.into_iter().chain(shift).collect();
    if changes.is_empty() {
        changes.push("of a typical head run against a typical base run");
    }
    if is_of_fastest || compared.is_none() && !without_shift {
        changes.push("so it can differ from that of the medians");
    }
    Some(format!("base, head: medians; change: {}", changes.join(", ")))
}

/// True if the metric has a suite-wide shift of unknown cause, so that q and the interval are those of different changes.
fn has_open_shift(report: &Report, finding: &Finding) -> bool {
    let is_open = |shift: &SuiteShift| {
        shift.treatment == ShiftTreatment::Unexplained && shift.covers(&finding.metric, &finding.tool)
    };
    finding.interval.is_some() && report.shifts.iter().any(is_open)
}

/// True if a suite-wide shift of a printable size was subtracted from the change.
pub(super) fn is_without_shift(report: &Report, finding: &Finding) -> bool {
    report.shifts.iter().any(|shift| shift.covers(&finding.metric, &finding.tool) && is_subtracted(shift))
}
