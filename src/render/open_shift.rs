//! Benchmarks that are inconclusive only because of a suite-wide shift of unknown cause.

use crate::model::{ShiftTreatment, SuiteShift, number_text};
use crate::verdict::{Doubt, Finding, Outcome, UndecidedReason};

/// Why a change within the threshold is suspected: it is over the threshold without a suite-wide shift of unknown cause.
pub(super) fn suspected_without_shift(shifts: &[SuiteShift], finding: &Finding) -> Option<String> {
    let change = finding.adjusted.filter(|_| finding.is_suspected_regression())?;
    let is_unexplained = |shift: &&SuiteShift| {
        shift.treatment == ShiftTreatment::Unexplained && shift.covers(&finding.metric, &finding.tool)
    };
    let beyond = (1.0 + change) / (1.0 + shifts.iter().find(is_unexplained)?.change()) - 1.0;
    let is_over = |change: f64| finding.direction.worse(change) > finding.threshold;
    (is_over(beyond) && !is_over(change))
        .then(|| format!("suspected because without the suite-wide shift it is {}", number_text::change(beyond)))
}

/// True if the shift is the reason why a benchmark is inconclusive. Its interval covers the change with and without the shift; around
/// one of these two changes alone, it would decide.
pub(super) fn is_open_by_shift(shifts: &[SuiteShift], finding: &Finding) -> bool {
    if finding.outcome != Outcome::Inconclusive {
        return false;
    }
    if finding.doubt == Some(Doubt::WithinShift) {
        return true;
    }
    let is_unexplained = |shift: &&SuiteShift| {
        shift.treatment == ShiftTreatment::Unexplained && shift.covers(&finding.metric, &finding.tool)
    };
    let is_of_test = matches!(
        finding.undecided,
        Some(UndecidedReason::MayBeNoise | UndecidedReason::BeyondThreshold | UndecidedReason::NotWithinAtAlpha)
    );
    let shift = shifts.iter().find(is_unexplained).filter(|_| is_of_test);
    let (Some(shift), Some(change), Some(ends)) = (shift, finding.adjusted, finding.interval) else { return false };
    let threshold = finding.threshold.ln_1p();
    let (shift, change) = (shift.shift.ln_1p().abs(), change.ln_1p());
    let [low, high] = ends.map(f64::ln_1p);
    // The change is at one end of what the shift leaves open: at the lower end, the other possible change is larger.
    let other = if change - low < high - change { change + shift } else { change - shift };
    let half_width = (high - low - shift) / 2.0;
    [change.abs(), other.abs()]
        .into_iter()
        .any(|size| size + half_width < threshold || size > threshold && size > half_width)
}
