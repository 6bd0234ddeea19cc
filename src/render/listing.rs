//! Which benchmarks a view lists: first those that fail the gate, then all important ones, the largest changes of the others, and a
//! count of the rest.

use super::quantity::counted;
use super::summary::NOT_JUDGED;
use super::verdict_text::noun_of;
use crate::verdict::{Finding, Outcome, Report};
use std::collections::{HashMap, HashSet};

/// Maximum number of listed benchmarks of each group: undecided, changed within the threshold, added, removed.
pub(super) const MAX_LISTED: usize = 10;

/// The benchmarks that a view lists.
pub struct Listing<'a> {
    /// First those that fail the gate, then the others, in the order of the report.
    pub rows: Vec<&'a Finding>,
    /// The others: `12 more benchmarks inconclusive`.
    pub others: Vec<String>,
    /// The number of the others.
    pub others_count: usize,
}

/// Groups of listed benchmarks. All but the first have a maximum number of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Always,
    Undecided,
    UnknownDirection,
    ChangedWithin,
    Added,
    Removed,
    NotRun,
    Never,
}

impl Group {
    fn of(report: &Report, finding: &Finding) -> Group {
        match finding.outcome {
            _ if report.fails_by_outcome(finding) => Group::Always,
            Outcome::Failed | Outcome::Regressed | Outcome::Accepted | Outcome::Improved => Group::Always,
            Outcome::Inconclusive if !finding.is_judged() => Group::UnknownDirection,
            Outcome::Inconclusive => Group::Undecided,
            Outcome::Added => Group::Added,
            Outcome::Removed if finding.not_run => Group::NotRun,
            Outcome::Removed => Group::Removed,
            Outcome::Unchanged if finding.is_listed() => Group::ChangedWithin,
            Outcome::Unchanged => Group::Never,
        }
    }
}

/// Findings in their order, but those that fail the gate before the others.
pub fn failing_first<'a>(report: &Report, findings: impl Iterator<Item = &'a Finding>) -> Vec<&'a Finding> {
    let mut findings: Vec<&Finding> = findings.collect();
    findings.sort_by_key(|finding| !report.fails_by_outcome(finding));
    findings
}

/// The indices of the findings that a listing leaves out. If only one side has several metrics of a benchmark, only its
/// time is listed, or else its first metric.
pub fn other_metrics(report: &Report) -> HashSet<usize> {
    let mut chosen: HashMap<(&str, &str, Outcome, bool), usize> = HashMap::new();
    let mut others = HashSet::new();
    let findings = report.benchmarks.iter().enumerate();
    for (index, one) in findings.filter(|(_, one)| matches!(one.outcome, Outcome::Added | Outcome::Removed)) {
        let known = chosen.entry((&one.tool, &one.name, one.outcome, one.not_run)).or_insert(index);
        if *known != index {
            let other = if one.metric == "time" { std::mem::replace(known, index) } else { index };
            others.insert(other);
        }
    }
    others
}

impl Listing<'_> {
    /// The listing of a report; with `all`, of every benchmark.
    pub fn of(report: &Report, all: bool) -> Listing<'_> {
        let left_out = other_metrics(report);
        let mut shown = vec![false; report.benchmarks.len()];
        let mut others = Vec::new();
        let mut others_count = 0;
        let noun = noun_of(&report.benchmarks.iter().collect::<Vec<_>>());
        // Changes within the threshold are unchanged too.
        let has_within = report.benchmarks.iter().any(|finding| Group::of(report, finding) == Group::ChangedWithin);
        let mut limit = |group: Group, words: &str| {
            let listed = report.benchmarks.iter().enumerate().filter(|(index, _)| !left_out.contains(index));
            let in_group = listed.filter(|(_, finding)| Group::of(report, finding) == group);
            let mut found: Vec<(usize, &Finding)> = in_group.collect();
            let noun = match group {
                Group::Added | Group::Removed | Group::NotRun => "benchmark",
                _ => noun,
            };
            // Added and removed ones have no change and stay in order.
            found.sort_by(|(_, a), (_, b)| {
                let size = |finding: &Finding| finding.change.map_or(-1.0, |change| change.ln_1p().abs());
                b.suspect.cmp(&a.suspect).then(size(b).total_cmp(&size(a)))
            });
            let most = match group {
                Group::Always => found.len(),
                Group::Never => 0,
                Group::Undecided
                | Group::UnknownDirection
                | Group::ChangedWithin
                | Group::Added
                | Group::Removed
                | Group::NotRun => MAX_LISTED,
            };
            found.iter().take(most).for_each(|(index, _)| shown[*index] = true);
            others_count += found.len().saturating_sub(most);
            match found.len().saturating_sub(most) {
                0 => {}
                more if group == Group::Never && !has_within => others.push(format!("{} {words}", counted(more, noun))),
                more => others.push(format!("{} {words}", counted(more, &format!("more {noun}")))),
            }
        };
        if !all {
            limit(Group::Always, "");
            limit(Group::Undecided, "inconclusive");
            limit(Group::UnknownDirection, NOT_JUDGED);
            limit(Group::Removed, "removed");
            limit(Group::NotRun, "not run");
            limit(Group::Added, "added");
            limit(Group::ChangedWithin, "changed within the threshold");
            limit(Group::Never, "unchanged");
        }
        let rows = report.benchmarks.iter().zip(shown).filter(|(_, shown)| *shown || all).map(|(finding, _)| finding);
        Listing { rows: failing_first(report, rows), others, others_count }
    }
}
