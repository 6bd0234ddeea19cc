//! Which benchmarks a view lists: first those that fail the gate, then all important ones, the largest changes of the others, and a
//! count of the rest.

use super::quantity::counted;
use super::verdict_text::noun_of;
use crate::verdict::{Finding, Outcome, Report};

/// Listed undecided benchmarks, benchmarks that changed within the threshold, added and removed ones, each at most.
const SHOWN: usize = 10;

/// The benchmarks that a view lists.
pub struct Listing<'a> {
    /// First those that fail the gate, then the others, in the order of the report.
    pub rows: Vec<&'a Finding>,
    /// The others: `12 more undecided benchmarks`.
    pub others: Vec<String>,
}

/// Benchmarks that are listed up to a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Always,
    Undecided,
    Within,
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
            Outcome::Inconclusive => Group::Undecided,
            Outcome::Added => Group::Added,
            Outcome::Removed if finding.not_run => Group::NotRun,
            Outcome::Removed => Group::Removed,
            Outcome::Unchanged if finding.is_listed() => Group::Within,
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

impl Listing<'_> {
    /// The listing of a report; with `all`, of every benchmark.
    pub fn of(report: &Report, all: bool) -> Listing<'_> {
        let mut shown = vec![false; report.benchmarks.len()];
        let mut others = Vec::new();
        let noun = noun_of(&report.benchmarks.iter().collect::<Vec<_>>());
        let mut limit = |group: Group, words: &str| {
            let in_group =
                report.benchmarks.iter().enumerate().filter(|(_, finding)| Group::of(report, finding) == group);
            let mut found: Vec<(usize, &Finding)> = in_group.collect();
            // Added and removed ones have no change and stay in order.
            found.sort_by(|(_, a), (_, b)| {
                let size = |finding: &Finding| finding.change.map_or(-1.0, f64::abs);
                b.suspect.cmp(&a.suspect).then(size(b).total_cmp(&size(a)))
            });
            let most = match group {
                Group::Always => found.len(),
                Group::Never => 0,
                Group::Undecided | Group::Within | Group::Added | Group::Removed | Group::NotRun => SHOWN,
            };
            found.iter().take(most).for_each(|(index, _)| shown[*index] = true);
            match found.len().saturating_sub(most) {
                0 => {}
                more if group == Group::Never => others.push(format!("{} {words}", counted(more, noun))),
                more => others.push(format!("{} {words}", counted(more, &format!("more {noun}")))),
            }
        };
        if !all {
            limit(Group::Always, "");
            limit(Group::Undecided, "inconclusive");
            limit(Group::Removed, "removed");
            limit(Group::NotRun, "not run");
            limit(Group::Added, "added");
            limit(Group::Within, "changed within the threshold");
            limit(Group::Never, "unchanged");
        }
        let rows = report.benchmarks.iter().zip(shown).filter(|(_, shown)| *shown || all).map(|(finding, _)| finding);
        Listing { rows: failing_first(report, rows), others }
    }
}
