//! Why benchmarks are inconclusive, in the few words that fit into a headline.

use super::open_shift::is_open_by_shift;
use super::quantity::{counted, thousands};
use super::remarks::{has_advice, is_close_to_threshold};
use crate::model::SuiteShift;
use crate::verdict::{Doubt, Finding, Report, UnsubtractedShift};
use std::collections::{BTreeMap, BTreeSet};

/// Why a benchmark is inconclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum OpenReason {
    Noise,
    SmallSuite,
    CloseToThreshold,
    OtherSettings,
    WithinShift,
    NewestBaseRun,
    FewHeadRuns,
    BaseRunDeviates,
    SimilarJumps,
    SlowSamples,
}

impl OpenReason {
    /// That of an inconclusive benchmark; `None` if only its note has it.
    fn of(finding: &Finding, shifts: &[SuiteShift]) -> Option<OpenReason> {
        match finding.doubt {
            _ if finding.other_settings => Some(OpenReason::OtherSettings),
            Some(Doubt::WithinShift) => Some(OpenReason::WithinShift),
            Some(Doubt::InNewestBaseRun) => Some(OpenReason::NewestBaseRun),
            Some(Doubt::NotInEveryHeadRun) => Some(OpenReason::FewHeadRuns),
            Some(Doubt::BaseRunDeviates) => Some(OpenReason::BaseRunDeviates),
            Some(Doubt::SimilarJumps) => Some(OpenReason::SimilarJumps),
            Some(Doubt::SlowSamples) => Some(OpenReason::SlowSamples),
            Some(_) => None,
            None if is_too_small_for_its_suite(finding) => Some(OpenReason::SmallSuite),
            None if is_open_by_shift(shifts, finding) => Some(OpenReason::WithinShift),
            None if is_close_to_threshold(finding) => Some(OpenReason::CloseToThreshold),
            None => has_advice(finding).then_some(OpenReason::Noise),
        }
    }

    fn text(self, open: &[&Finding], shifts: &[SuiteShift]) -> String {
        let words = match self {
            OpenReason::Noise => return too_noisy(open, shifts),
            OpenReason::SmallSuite => "too few runs for a small suite",
            OpenReason::CloseToThreshold => "close to the threshold",
            OpenReason::OtherSettings => "measured with different settings",
            OpenReason::WithinShift => "within the suite-wide shift",
            OpenReason::NewestBaseRun => "like the newest base run",
            OpenReason::FewHeadRuns => "not in every head run",
            OpenReason::BaseRunDeviates => "within the spread of base runs",
            OpenReason::SimilarJumps => "possible outliers of single runs",
            OpenReason::SlowSamples => "slow samples in head",
        };
        words.to_owned()
    }
}

/// True for a change over the threshold that is too small for one run per side of few benchmarks; its note has the limit.
fn is_too_small_for_its_suite(finding: &Finding) -> bool {
    let size = finding.change.map(|change| change.ln_1p().abs()).filter(|_| finding.undecided.is_none());
    let limits = finding.needed_change.map(|needed| finding.threshold.ln_1p()..needed.ln_1p());
    size.zip(limits).is_some_and(|(size, limits)| limits.contains(&size))
}

/// `too noisy for one run per side`, with the number of runs if it is the same for all noisy benchmarks.
fn too_noisy(open: &[&Finding], shifts: &[SuiteShift]) -> String {
    let noisy = open.iter().filter(|finding| OpenReason::of(finding, shifts) == Some(OpenReason::Noise));
    let runs: BTreeSet<[usize; 2]> = noisy.filter_map(|one| Some([one.base?.runs, one.head?.runs])).collect();
    match runs.first() {
        Some([1, 1]) if runs.len() == 1 => "too noisy for one run per side".to_owned(),
        Some([base, head]) if runs.len() == 1 && base == head => format!("too noisy for {base} runs per side"),
        Some([base, head]) if runs.len() == 1 => {
            format!("too noisy for {base} base and {}", counted(*head, "head run"))
        }
        _ => "too noisy for these runs".to_owned(),
    }
}

/// The most frequent reason of inconclusive benchmarks, if at least half of them have it.
pub(super) fn usual_reason(report: &Report, open: &[&Finding]) -> Option<String> {
    let mut counts: BTreeMap<OpenReason, usize> = BTreeMap::new();
    for reason in open.iter().filter_map(|finding| OpenReason::of(finding, &report.shifts)) {
        *counts.entry(reason).or_default() += 1;
    }
    // Of equally frequent ones, the first.
    let (reason, count) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    // The headline names a shift itself.
    let is_named = reason == OpenReason::WithinShift && UnsubtractedShift::of(report).is_some();
    let count_of_some = if count < open.len() { format!("{} ", thousands(count)) } else { String::new() };
    (2 * count >= open.len() && !is_named).then(|| count_of_some + &reason.text(open, &report.shifts))
}
