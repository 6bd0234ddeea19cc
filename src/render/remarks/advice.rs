//! What would decide an inconclusive benchmark.

use crate::compare::schedule::MAX_PAIRS;
use crate::model::number_text;
use crate::render::quantity::{counted, percent};
use crate::verdict::{Finding, Outcome, UndecidedReason};
use std::collections::BTreeMap;

/// The advice for a benchmark that is so noisy that more runs may not decide it.
pub(in crate::render) const LESS_NOISE: &str =
    "reduce the noise (longer benchmarks, a quieter machine), or change the threshold";
/// The advice for a benchmark whose change is about as large as the threshold.
pub(in crate::render) const OTHER_THRESHOLD: &str = "set a threshold clearly above or below it";

/// How to add runs.
pub(in crate::render) const FURTHER_RUNS: &str = " (`perfgate measure -- COMMAND`, or further `--base` and `--head`)";

/// The same, if base and head must be measured in turn.
pub(in crate::render) const IN_TURN: &str = " (`perfgate measure -- COMMAND`)";

/// Advice or a note that fewer benchmarks share is printed for each of them.
pub(super) const MIN_USUAL: usize = 3;

/// Why a benchmark is undecided, and what would decide it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Advice {
    pub why: Option<String>,
    pub remedy: Fix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fix {
    /// More than 20 further runs per side, or more pairs than `measure` allows.
    LessNoise,
    /// The same, but because the change is close to the threshold, and not because of noise.
    OtherThreshold,
    /// About this number of further runs per side.
    Runs(usize),
    /// The same, as an option of `perfgate measure`: this number of rounds, or of pairs.
    Rounds(usize, usize),
    Pairs(usize, usize),
}

/// True if there is advice for a finding. The other reasons for being undecided are notes.
pub(in crate::render) fn has_advice(finding: &Finding) -> bool {
    finding.outcome == Outcome::Inconclusive && (finding.detectable.is_some() || finding.undecided.is_some())
}

/// The advice for a finding.
pub(super) fn advice(finding: &Finding, by_measure: bool) -> Option<Advice> {
    if !has_advice(finding) {
        return None;
    }
    let done = finding.base.map_or(0, |side| side.runs);
    let remedy = match finding.runs_needed.map(|runs| runs as usize) {
        None if is_close_to_threshold(finding) => Fix::OtherThreshold,
        None => Fix::LessNoise,
        Some(runs) if !by_measure => Fix::Runs(runs),
        Some(runs) if finding.re_measured && done + runs > usize::from(MAX_PAIRS) => Fix::LessNoise,
        Some(runs) if finding.re_measured => Fix::Pairs(runs, done + runs),
        Some(runs) => Fix::Rounds(runs, done + runs),
    };
    let limit = finding.noise_limit();
    let of_limit = limit.map(|least| format!("changes below {} cannot be told from noise here", percent(least)));
    let why = of_limit.or_else(|| finding.undecided.map(|why| undecided(why, finding.threshold)));
    Some(Advice { why, remedy })
}

/// True if noise is not the reason that more runs may not decide a change: the results would show that no change at all is within
/// the threshold.
pub(in crate::render) fn is_close_to_threshold(finding: &Finding) -> bool {
    let half_width = finding.interval.map(|[low, high]| (high.ln_1p() - low.ln_1p()) / 2.0);
    finding.is_too_noisy()
        && finding.undecided == Some(UndecidedReason::BeyondThreshold)
        && half_width.is_some_and(|half| half < finding.threshold.ln_1p())
}

fn undecided(why: UndecidedReason, threshold: f64) -> String {
    match why {
        UndecidedReason::MayBeNoise => "the interval contains 0, so the change may be noise".to_owned(),
        UndecidedReason::BeyondThreshold => {
            let factor = 1.0 + threshold;
            let lower = number_text::change(1.0 / factor - 1.0);
            // With as many digits as the threshold has.
            let factor = (factor * 1e4).round() / 1e4;
            let upper = percent(threshold);
            format!("the interval extends beyond the threshold ({lower} to +{upper}, a factor of {factor} either way)")
        }
        UndecidedReason::NotSignificant => "not significant after correction for the number of tests".to_owned(),
        UndecidedReason::NotWithinAtAlpha => "not shown to be within the threshold at this `alpha`".to_owned(),
    }
}

impl Fix {
    pub fn text(self) -> String {
        // Only an estimate: with one run per side, its error is large.
        let runs = |count| format!("about {} per side would decide", counted(count, "more run"));
        match self {
            Fix::LessNoise => "more runs may not decide".to_owned(),
            Fix::OtherThreshold => "the change is close to the threshold, so more runs may not decide".to_owned(),
            Fix::Runs(count) => runs(count),
            Fix::Rounds(count, all) => format!("{} (`perfgate measure --rounds {all}`)", runs(count)),
            Fix::Pairs(count, all) => format!("{} (`perfgate measure --confirm {all}`)", runs(count)),
        }
    }

    /// What to do if more runs may not decide.
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Fix::LessNoise => Some(LESS_NOISE),
            Fix::OtherThreshold => Some(OTHER_THRESHOLD),
            Fix::Runs(_) | Fix::Rounds(..) | Fix::Pairs(..) => None,
        }
    }
}

/// The most frequent advice, and how often it occurs, if that is at least a third of all.
pub(super) fn usual(all: &[Advice]) -> Option<(Advice, usize)> {
    let mut counts: BTreeMap<&Advice, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let (most, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= MIN_USUAL && 3 * count >= all.len()).then(|| (most.clone(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_of_a_threshold_has_its_factor() {
        let text = |threshold| undecided(UndecidedReason::BeyondThreshold, threshold);
        let expected = "the interval extends beyond the threshold (−16.7% to +20%, a factor of 1.2 either way)";
        assert_eq!(text(0.2), expected);
        assert!(text(0.075).ends_with(" to +7.5%, a factor of 1.075 either way)"), "{}", text(0.075));
    }
}
