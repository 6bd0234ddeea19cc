//! Chooses the part of a report that fits into a document: the listed findings and the lengths of the other lists.

use super::DetailLevel;
use crate::render::listing::{Listing, other_metrics};
use crate::render::quantity::counted;
use crate::render::summary::NOT_JUDGED;
use crate::verdict::{Finding, Outcome, Report};
use std::collections::BTreeMap;

/// The findings that a document lists.
pub(super) struct Selection<'r> {
    /// Those of the table of all benchmarks.
    pub rows: Vec<&'r Finding>,
    /// Unchanged benchmarks that this table leaves out.
    pub unlisted: usize,
    /// Those of the short list.
    pub listed: Vec<&'r Finding>,
    /// What the short list leaves out: `12 benchmarks inconclusive`.
    pub not_listed: Vec<String>,
    /// Regressions that the short list leaves out.
    pub more_regressions: usize,
    /// Other findings that fail the gate and that the short list leaves out.
    pub more_failing: usize,
}

impl Selection<'_> {
    pub fn of(report: &Report, level: DetailLevel) -> Selection<'_> {
        let all = &report.benchmarks;
        let left_out = other_metrics(report);
        let counted = || all.iter().enumerate().filter(|(index, _)| !left_out.contains(index)).map(|(_, one)| one);
        let is_least = |finding: &&Finding| is_regressed(finding) || report.fails_by_outcome(finding);
        let rows: Vec<&Finding> = match level {
            DetailLevel::Whole => all.iter().collect(),
            DetailLevel::WithoutUnchanged | DetailLevel::Folded => {
                all.iter().filter(|finding| finding.is_listed()).collect()
            }
            DetailLevel::Minimal(most) => all.iter().filter(is_least).take(most).collect(),
        };
        let unchanged = rows.iter().filter(|finding| finding.outcome == Outcome::Unchanged).count();
        let listing = Listing::of(report, false);
        let (listed, not_listed) = match level {
            DetailLevel::Whole | DetailLevel::WithoutUnchanged | DetailLevel::Folded => (listing.rows, listing.others),
            DetailLevel::Minimal(most) => (
                most_of_each_kind(listing.rows.into_iter().filter(is_least), most),
                counted_by_outcome(counted().filter(|finding| !is_least(finding))),
            ),
        };
        let more = |belongs: &dyn Fn(&&Finding) -> bool| {
            counted().filter(belongs).count() - listed.iter().copied().filter(belongs).count()
        };
        Selection {
            unlisted: report.counts.unchanged.saturating_sub(unchanged),
            more_regressions: more(&|finding| is_regressed(finding)),
            more_failing: more(&|finding| !is_regressed(finding) && report.fails_by_outcome(finding)),
            rows,
            listed,
            not_listed,
        }
    }
}

fn is_regressed(finding: &Finding) -> bool {
    finding.outcome == Outcome::Regressed
}

/// The first regressions and the first other findings. Each kind has its own limit, so that the short list has as many regressions
/// as the list of regressions.
fn most_of_each_kind<'r>(findings: impl Iterator<Item = &'r Finding>, most: usize) -> Vec<&'r Finding> {
    let (mut regressions, mut others) = (0, 0);
    let fits = |finding: &&Finding| {
        let count = if is_regressed(finding) { &mut regressions } else { &mut others };
        *count += 1;
        *count <= most
    };
    findings.filter(fits).collect()
}

/// `12 benchmarks inconclusive` for each outcome of these findings.
fn counted_by_outcome<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<String> {
    let mut counts: BTreeMap<(usize, &str), usize> = BTreeMap::new();
    for finding in findings {
        let place = Outcome::ALL.iter().position(|outcome| *outcome == finding.outcome).unwrap_or_default();
        let word = if finding.is_judged() { finding.word() } else { NOT_JUDGED };
        *counts.entry((place, word)).or_default() += 1;
    }
    counts.into_iter().map(|((_, word), count)| format!("{} {word}", counted(count, "benchmark"))).collect()
}

/// Maximum number of entries of each list.
pub(super) struct Limits {
    pub regressions: usize,
    pub explanations: usize,
    pub improvements: usize,
    pub budgets: usize,
    pub goals: usize,
    pub bottlenecks: usize,
    pub concerns: usize,
    /// Rows of each list of details.
    pub details: usize,
    /// Warnings and notes.
    pub diagnostics: usize,
    /// Changed files.
    pub files: usize,
}

impl Limits {
    pub fn of(level: DetailLevel) -> Limits {
        const UNFOLDED: Limits = Limits {
            regressions: usize::MAX,
            explanations: usize::MAX,
            improvements: 20,
            budgets: 500,
            goals: usize::MAX,
            bottlenecks: 15,
            concerns: 500,
            details: 40,
            diagnostics: 20,
            files: usize::MAX,
        };
        const FOLDED: Limits = Limits {
            explanations: 1,
            improvements: 0,
            budgets: 50,
            goals: 100,
            bottlenecks: 5,
            concerns: 50,
            details: 0,
            diagnostics: 5,
            files: 20,
            ..UNFOLDED
        };
        match level {
            DetailLevel::Whole | DetailLevel::WithoutUnchanged => UNFOLDED,
            DetailLevel::Folded => FOLDED,
            DetailLevel::Minimal(most) => Limits { regressions: most, explanations: 0, ..FOLDED },
        }
    }
}
