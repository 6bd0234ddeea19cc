//! What follows from a report on a pull request: the result of its check run, and whether to write a comment.

use crate::io::github::Conclusion;
use crate::verdict::{BudgetStatus, Finding, Outcome, Report, UnsubtractedShift, Verdict};

/// The result of the check run. Without a verdict it is neutral, or a failure if a required baseline is missing. A gate that
/// passes is neutral too if something is in doubt: an undecided suspect, no decided benchmark, a run that ended in an error, or a
/// suite-wide shift of unknown cause.
pub(crate) fn conclusion(report: &Report) -> Conclusion {
    let counts = report.counts;
    let decided = counts.unchanged + counts.improved + counts.regressed + counts.accepted;
    match report.verdict {
        Verdict::Fail => Conclusion::Failure,
        Verdict::None if report.lacks_required_baseline() => Conclusion::Failure,
        Verdict::None => Conclusion::Neutral,
        Verdict::Pass if has_undecided_suspect(report) || report.ended_early > 0 || decided == 0 => Conclusion::Neutral,
        Verdict::Pass if is_in_doubt(report) => Conclusion::Neutral,
        Verdict::Pass => Conclusion::Success,
    }
}

/// True if there is something to report: only then the comment mode `auto` creates a comment.
pub(crate) fn needs_comment(report: &Report) -> bool {
    let has = |outcome| report.counts.get(outcome) > 0;
    let over_budget = report.budgets.iter().any(|line| line.status == BudgetStatus::Fail);
    let nothing_in_common = report.verdict == Verdict::None && !report.first_run && report.environment.matches;
    report.verdict == Verdict::Fail
        || nothing_in_common
        || !report.notices.is_empty()
        || has(Outcome::Failed)
        || report.ended_early > 0
        || has(Outcome::Regressed)
        || has(Outcome::Improved)
        || over_budget
        || has_undecided_suspect(report)
        || is_in_doubt(report)
}

fn is_in_doubt(report: &Report) -> bool {
    UnsubtractedShift::of(report).is_some_and(|open| open.needs_re_measuring)
}

fn has_undecided_suspect(report: &Report) -> bool {
    report.benchmarks.iter().any(Finding::is_suspected_regression)
}
