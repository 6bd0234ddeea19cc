//! Reasons why a change is inconclusive although its p value is small: a suite-wide shift, and outliers among single results.

use crate::model::number_text::{counted, share};
use crate::stats::estimate::Estimate;
use crate::stats::jumps::SimilarJumps;
use std::borrow::Cow;

const WITHIN_SHIFT: &str = "most benchmarks changed about as much, so the machine may be the cause; measure base and head in turn \
                            with `perfgate measure`";
const WITHIN_SHIFT_OF_BASE: &str = "most benchmarks changed about as much, and base is a single run, which may have been faster or \
                                    slower than usual; another base run would decide";
const HEADS_WITHIN: &str =
    "not every head run is over the threshold; of five or more head runs, a fifth may be within it";
const HEADS_WITHIN_OF_MANY: &str = "more than a fifth of the head runs are not over the threshold";
const BASE_DEVIATES: &str = "a base run deviates from the others by a similar amount or more";
const BASE_DEVIATES_OF_MANY: &str = "more than a fifth of the base runs deviate by a similar amount or more";
/// One number per run: a change must exceed the largest excursion of a base run by this factor. docs/statistics.md has the
/// alarms and the recall on public histories.
const EXCURSION_FACTOR: f64 = 1.5;
/// The same with several head runs, each of which must exceed it. With 1.5, 0.4 instead of 0.6 of 100 heads have an alarm that
/// vanishes, and 81% instead of 85% of slowdowns of 1.5× are found.
const EXCURSION_FACTOR_OF_SEVERAL: f64 = 1.0;

/// Samples: where a side has two runs, each of them must show at least this share of the threshold.
const SHARE_OF_EACH_RUN: f64 = 0.5;

/// True for a change beyond the threshold that an unexplained suite-wide shift accounts for.
pub(super) fn is_within_shift(estimate: &Estimate, bound: f64) -> bool {
    let Estimate { delta, unexplained_shift, .. } = *estimate;
    delta.abs() > bound && unexplained_shift.is_some_and(|shift| (delta - shift) * delta.signum() <= bound)
}

/// Why a change beyond the threshold is inconclusive even with a small p value: what single runs show against it.
pub(super) fn doubt(estimate: &Estimate, bound: f64, alpha: f64) -> Option<Cow<'static, str>> {
    let [one_base_run, one_head_run] = estimate.one_run;
    if is_within_shift(estimate, bound) {
        return Some(if one_base_run && !one_head_run { WITHIN_SHIFT_OF_BASE } else { WITHIN_SHIFT }.into());
    }
    single_runs_differ(estimate, bound)
        .map(Cow::from)
        .or_else(|| estimate.similar_jumps.filter(|_| is_likely_outlier(estimate, bound, alpha)).map(similar_jumps))
}

/// What single runs show against a change: some of the head runs are within the threshold, or base runs deviate as much.
pub(super) fn single_runs_differ(estimate: &Estimate, bound: f64) -> Option<&'static str> {
    let is_less = |least: Option<f64>| least.is_some_and(|least| least <= SHARE_OF_EACH_RUN * bound);
    match estimate.least_of_two.as_deref().copied().unwrap_or_default().map(is_less) {
        [_, true] => return Some("only one of the two head runs changed by this much; a third one would decide"),
        [true, _] => return Some("only one of the two base runs differs by this much; a third one would decide"),
        [false, false] => {}
    }
    let runs = estimate.single_runs.as_deref()?;
    let [above, below] = runs.excursions;
    let [best, worst] = runs.heads;
    let (least, excursion) = if estimate.delta > 0.0 { (best, above) } else { (-worst, below) };
    let factor = if estimate.one_run[1] { EXCURSION_FACTOR } else { EXCURSION_FACTOR_OF_SEVERAL };
    if least <= bound {
        Some(if runs.some_may_deviate { HEADS_WITHIN_OF_MANY } else { HEADS_WITHIN })
    } else if least <= factor * excursion {
        Some(if runs.some_may_deviate { BASE_DEVIATES_OF_MANY } else { BASE_DEVIATES })
    } else {
        None
    }
}

/// True for a change beyond the threshold in a single head run that may be one of the outliers that the suite has.
pub(super) fn is_likely_outlier(estimate: &Estimate, bound: f64, alpha: f64) -> bool {
    estimate.delta.abs() > bound && estimate.similar_jumps.is_some_and(|jumps| jumps.chance() >= alpha)
}

fn similar_jumps(jumps: SimilarJumps) -> Cow<'static, str> {
    let benchmarks = counted(jumps.in_base as usize, "benchmark");
    let verb = if jumps.in_base == 1 { "has" } else { "have" };
    let least = share(jumps.least.exp_m1());
    format!(
        "{benchmarks} {verb} a base run that deviates from the others by {least} or more, so a single head run may be an outlier; \
         another head run would decide"
    )
    .into()
}
