//! The reason for a report without a verdict, for its headline.

use super::missed_budgets;
use crate::render::quantity::{counted, thousands};
use crate::render::summary::{self, different_machines};
use crate::verdict::{BaselineGap, Outcome, Reason, Report, StartCommit};

/// The reason for a missing verdict.
pub fn not_judged(report: &Report) -> String {
    if report.first_run && report.by_measure {
        "the base does not have these benchmarks".to_owned()
    } else if report.first_run {
        "no baseline yet".to_owned()
    } else if report.same_results {
        "base and head are the same results".to_owned()
    } else if report.re_measuring_stopped() {
        "a run failed while suspects were re-measured".to_owned()
    } else if !report.environment.matches {
        different_machines(report)
    } else if !report.base.missing_classes.is_empty() && !report.has_regressed_behind_gap() {
        let (all, classes) = (report.base.missing_classes.len(), "machine classes of head have");
        let classes = if all == 1 { "1 machine class of head has".to_owned() } else { format!("{all} {classes}") };
        format!("{classes} no baseline{}", found(report))
    } else if let Some(gap) = &report.base.gap {
        format!("{}{}", behind(gap), found(report))
    } else if report.has_only_zero_measurements() {
        "all times and rates are 0, so nothing was measured".to_owned()
    } else if report.counts.inconclusive > 0 {
        "the better direction of every changed metric is unknown".to_owned()
    } else {
        "base and head have no benchmark in common".to_owned()
    }
}

/// The findings of a report without a verdict, for its headline: `; 1 regressed, 2 over budget`.
fn found(report: &Report) -> String {
    let suite = report.suite.filter(|suite| suite.outcome == Outcome::Regressed);
    let suite = suite.map(|_| summary::reason(report, &Reason::WholeSuite));
    let counted = [
        (report.counts.failed, "failed"),
        (report.counts.regressed, "regressed"),
        (missed_budgets(report), "over budget"),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> =
        suite.into_iter().chain(counted.map(|(count, word)| format!("{} {word}", thousands(count)))).collect();
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
}

/// Follows "stored run" if other machines measured the commit that head started from.
pub(in crate::render) const OF_THIS_CLASS: &str = " of this machine class";

/// How far a base is behind: `the baseline is 2 commits of main behind the merge base, which has no stored run`.
pub(super) fn behind(gap: &BaselineGap) -> String {
    let branch = gap.branch.as_deref().filter(|branch| is_plain_branch(branch));
    let branch = branch.map(|branch| format!(" of {branch}")).unwrap_or_default();
    let commits = counted(gap.commits, "commit");
    // HEAD may have the stored run of head's own results.
    let to_compare = if gap.behind == StartCommit::Head { " to compare with" } else { "" };
    let class = if gap.elsewhere { OF_THIS_CLASS } else { "" };
    let behind = gap.behind.name();
    format!("the baseline is {commits}{branch} behind {behind}, which has no stored run{class}{to_compare}")
}

/// True if the name of a branch, which is untrusted text, is safe in a sentence and in a command.
pub(in crate::render) fn is_plain_branch(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    !name.starts_with('-') && name.len() <= 100 && name.chars().all(is_plain)
}
