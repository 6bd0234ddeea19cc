//! Reasons why a change is inconclusive although its p value is small: a suite-wide shift, a newest base run that shows the same
//! change, and outliers among single results.

use crate::model::number_text::{counted, share};
use crate::stats::estimate::Estimate;
use crate::stats::jumps::SimilarJumps;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const WITHIN_SHIFT: &str =
    "the suite-wide shift may account for the change; measuring base and head in turn would probably decide";
const WITHIN_SHIFT_OF_BASE: &str = "the suite-wide shift may account for the change, because base is a single run, which may have been \
                                    faster or slower than usual; more base runs are needed";
pub(super) const IN_NEWEST_BASE_RUN: &str = "the newest base run shows at least half of the change, so it may come from base; \
                                  `perfgate measure` would decide";
const IN_NEWEST_BASE_RUN_OR_SHIFT: &str = "the newest base run shows at least half of the change, with the suite-wide shift or without it, so it may come from \
                                  base; `perfgate measure` would decide";
const ONE_OF_TWO_HEAD_RUNS: &str = "only one of the two head runs changed by this much; more head runs are needed";
const ONE_OF_TWO_BASE_RUNS: &str = "only one of the two base runs differs by this much; more base runs are needed";
const HEADS_WITHIN: &str =
    "not every head run is over the threshold; of five or more head runs, a fifth may be within it";
const HEADS_WITHIN_OF_MANY: &str = "more than a fifth of the head runs are not over the threshold";
const FEW_BASE_RUNS: &str = "a single head run may be an outlier, and so few base runs do not show how often this suite has one; another head \
                             run may decide";
const BASE_DEVIATES: &str = "a base run deviates from the others by a similar amount or more";
const BASE_DEVIATES_OF_MANY: &str = "more than a fifth of the base runs deviate by a similar amount or more";
/// A change must exceed the largest deviation of a base run by this factor: that of one number per run and a single head run, and
/// that of samples. docs/statistics.md has the alarms and the recall.
const DEVIATION_FACTOR: f64 = 1.5;
/// The same with several head runs, each of which must exceed it. With 1.5 instead of 1.0, 0.4% instead of 0.6% of
/// heads have a false alarm, and 81% instead of 85% of slowdowns of 1.5× are found.
const DEVIATION_FACTOR_OF_SEVERAL: f64 = 1.0;

/// Samples: where a side has two runs, each of them must show at least this share of the threshold.
const SHARE_OF_EACH_RUN: f64 = 0.5;

/// The newest base run must show less than this share of a change: from there on, it is closer to head than to its base.
pub(super) const MAX_NEWEST_BASE_SHARE: f64 = 0.5;
/// A head that differs from the newest base run by more than this multiple of the threshold has a change of its own.
const MAX_BEYOND_NEWEST_BASE: f64 = 2.0;

/// Why a benchmark is inconclusive although its noise does not explain the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Doubt {
    /// A suite-wide shift accounts for it.
    WithinShift,
    /// The newest base run shows at least half of it, so it may come from base.
    InNewestBaseRun,
    /// Not enough of the head runs show it.
    NotInEveryHeadRun,
    /// Base runs deviate from the others by a similar amount.
    BaseRunDeviates,
    /// A single head run may be an outlier: base runs of other benchmarks deviate by a similar amount, or they are too few to show it.
    SimilarJumps,
    /// A part of head's samples is slow, which changes their mean, and these runs do not show that this is more than chance.
    SlowSamples,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}

/// Why a change over the threshold is inconclusive although its p value is small, with the note for the report.
pub(super) fn doubt(estimate: &Estimate, log_threshold: f64, alpha: f64) -> Option<(Doubt, Cow<'static, str>)> {
    if is_within_shift(estimate, log_threshold) {
        let [one_base_run, one_head_run] = estimate.one_run;
        let note = if one_base_run && !one_head_run { WITHIN_SHIFT_OF_BASE } else { WITHIN_SHIFT };
        return Some((Doubt::WithinShift, note.into()));
    }
    if estimate.delta.abs() <= log_threshold {
        return None;
    }
    // Otherwise noise is the reason.
    let is_shown = estimate.newest_base_stands_out || estimate.is_clear_of_zero();
    let share = estimate.newest_base_share;
    let is_like_newest = estimate.delta.abs() * (1.0 - share) <= MAX_BEYOND_NEWEST_BASE * log_threshold;
    if is_shown && share >= MAX_NEWEST_BASE_SHARE && is_like_newest {
        let has_shift = estimate.unexplained_shift.is_some();
        let note = if has_shift { IN_NEWEST_BASE_RUN_OR_SHIFT } else { IN_NEWEST_BASE_RUN };
        return Some((Doubt::InNewestBaseRun, note.into()));
    }
    if let Some((doubt, note)) =
        one_of_two_differs(estimate, log_threshold).or_else(|| single_runs_differ(estimate, log_threshold))
    {
        return Some((doubt, note.into()));
    }
    // A change that may be noise has the noise as its reason.
    if estimate.is_clear_of_zero() && base_runs_differ(estimate) {
        return Some((Doubt::BaseRunDeviates, BASE_DEVIATES.into()));
    }
    let jumps = estimate.similar_jumps.filter(|jumps| jumps.chance() >= alpha && estimate.is_clear_of_zero())?;
    Some((Doubt::SimilarJumps, similar_jumps(jumps)))
}

/// True for a change beyond the threshold that an unexplained suite-wide shift accounts for.
fn is_within_shift(estimate: &Estimate, log_threshold: f64) -> bool {
    let Estimate { delta, unexplained_shift, .. } = *estimate;
    delta.abs() > log_threshold
        && unexplained_shift.is_some_and(|shift| (delta - shift) * delta.signum() <= log_threshold)
}

/// Samples: one of the two runs of a side does not show the change.
fn one_of_two_differs(estimate: &Estimate, log_threshold: f64) -> Option<(Doubt, &'static str)> {
    let is_less = |least: Option<f64>| least.is_some_and(|least| least <= SHARE_OF_EACH_RUN * log_threshold);
    match estimate.least_of_two.as_deref().copied().unwrap_or_default().map(is_less) {
        [_, true] => Some((Doubt::NotInEveryHeadRun, ONE_OF_TWO_HEAD_RUNS)),
        [true, _] => Some((Doubt::BaseRunDeviates, ONE_OF_TWO_BASE_RUNS)),
        [false, false] => None,
    }
}

/// Samples: base runs differ from each other by a similar amount, as those of a benchmark that has two speeds.
fn base_runs_differ(estimate: &Estimate) -> bool {
    estimate.base_deviation.is_some_and(|deviation| estimate.delta.abs() <= DEVIATION_FACTOR * deviation)
}

/// One number per run: some of the head runs are within the threshold, or base runs deviate as much.
fn single_runs_differ(estimate: &Estimate, log_threshold: f64) -> Option<(Doubt, &'static str)> {
    let runs = estimate.single_runs.as_deref()?;
    let [above, below] = runs.base_deviations;
    let [best, worst] = runs.head_extremes;
    let (least, deviation) = if estimate.delta > 0.0 { (best, above) } else { (-worst, below) };
    let factor = if estimate.one_run[1] { DEVIATION_FACTOR } else { DEVIATION_FACTOR_OF_SEVERAL };
    if least <= log_threshold {
        let note = if runs.some_may_deviate { HEADS_WITHIN_OF_MANY } else { HEADS_WITHIN };
        Some((Doubt::NotInEveryHeadRun, note))
    } else if least <= factor * deviation {
        let note = if runs.some_may_deviate { BASE_DEVIATES_OF_MANY } else { BASE_DEVIATES };
        Some((Doubt::BaseRunDeviates, note))
    } else {
        None
    }
}

fn similar_jumps(jumps: SimilarJumps) -> Cow<'static, str> {
    if jumps.in_base == 0 {
        return FEW_BASE_RUNS.into();
    }
    let benchmarks = counted(jumps.in_base as usize, "benchmark");
    let verb = if jumps.in_base == 1 { "has" } else { "have" };
    let least = share(jumps.least.exp_m1());
    format!(
        "{benchmarks} {verb} a base run that deviates from the others by {least} or more, so a single head run may be an outlier; \
         another head run may decide"
    )
    .into()
}
