//! The rule on the mean of the samples, which grows if only a part of them becomes slower.

use super::{Criteria, Ruling, as_change, noun};
use crate::compare::{Comparison, SideValue};
use crate::model::number_text::change;
use crate::stats::estimate::Estimate;
use crate::verdict::doubt::{Doubt, doubt};
use crate::verdict::outcome::Outcome;

/// The mean of a single head run must change by this multiple of the threshold (on the log scale): +58% for 20%. In the
/// recorded suites, a machine that is busy during one run raises the mean by up to 46%, while the fast edge does not
/// move.
const ONE_RUN_MEAN_FACTOR: f64 = 2.5;

impl Criteria {
    /// The ruling by the mean of the samples, if that is over the threshold and does not contradict `by_edge`; otherwise
    /// `by_edge`.
    pub(super) fn with_mean(&self, by_edge: Ruling, edge: &Estimate, comparison: &Comparison) -> Ruling {
        let Some(mean) = comparison.mean.as_deref() else { return by_edge };
        let log_threshold = self.log_threshold();
        let as_change = |log: f64| as_change(log, comparison.metric.direction);
        let (over, under) = (mean.delta.min(mean.raw) > log_threshold, mean.delta.max(mean.raw) < -log_threshold);
        let base = comparison.base.map_or(0.0, |side| side.value);
        if self.floor.covers(base, base * (1.0 + as_change(mean.delta))) {
            return by_edge;
        }
        let doubt_of_mean = if over || under { doubt(mean, log_threshold, self.alpha) } else { None };
        let is_shown = (over || under)
            && mean.q() < self.alpha
            && mean.is_clear_of_zero()
            && (!mean.one_run[1] || mean.delta.abs() > ONE_RUN_MEAN_FACTOR * log_threshold)
            // Otherwise a row with a higher median could be improved.
            && edge.median_delta * mean.delta.signum() > -log_threshold / 2.0
            && doubt_of_mean.is_none()
            && !(self.is_over(edge) && doubt(edge, log_threshold, self.alpha).is_some())
            && self.is_in_every_pair(mean);
        let outcome = match by_edge.outcome {
            Outcome::Unchanged | Outcome::Inconclusive if is_shown && over => Outcome::Regressed,
            Outcome::Unchanged | Outcome::Inconclusive if is_shown => Outcome::Improved,
            Outcome::Unchanged if !mean.is_at_most_by_own_spread(log_threshold) => Outcome::Inconclusive,
            Outcome::Improved if over => Outcome::Inconclusive,
            // The noise of the fast edge decides nothing if that did not change by much and the mean did.
            Outcome::Inconclusive if by_edge.medians_alone || (over || under) && !self.is_over(edge) => {
                Outcome::Inconclusive
            }
            _ => return by_edge,
        };
        let edge = change(as_change(edge.delta));
        let (delta, one_head_run) = (mean.delta, mean.one_run[1]);
        let medians = match (comparison.base, comparison.head) {
            (Some(base), Some(head)) if base.value > 0.0 => {
                let by = head.value / (base.value * comparison.work_ratio.unwrap_or(1.0)) - 1.0;
                format!("medians {}, ", change(by))
            }
            _ => String::new(),
        };
        let text = format!("this row compares means; {medians}fastest {} {edge}", noun(comparison));
        let least = (ONE_RUN_MEAN_FACTOR * log_threshold).copysign(delta);
        let note = if outcome == Outcome::Inconclusive && one_head_run && delta.abs() <= least.abs() {
            format!("{text}; with a single head run, the mean must change by more than {}", change(as_change(least)))
        } else {
            text
        };
        let suspect = over || outcome == Outcome::Inconclusive && by_edge.suspect;
        let ruling = Ruling { by_mean: true, ..Ruling::of(outcome).suspect(suspect).note(note) };
        let is_by_slow_samples = delta > 0.0 && (by_edge.outcome == Outcome::Unchanged || mean.is_clear_of_zero());
        match doubt_of_mean {
            _ if outcome != Outcome::Inconclusive => ruling,
            Some((doubt, note)) => Ruling { doubt: Some(doubt), ..ruling }.note(note),
            None => Ruling { doubt: is_by_slow_samples.then_some(Doubt::SlowSamples), ..ruling },
        }
    }

    /// The ruling. An unchanged benchmark becomes inconclusive if slow samples move the mean of every head run over the threshold. One
    /// that is inconclusive because of its noise becomes a suspect.
    pub(super) fn with_slowest(&self, ruling: Ruling, estimate: &Estimate, comparison: &Comparison) -> Ruling {
        let log_threshold = self.log_threshold();
        // Over the threshold with and without a suite-wide shift that was subtracted.
        let subtracted = (estimate.raw - estimate.delta).max(0.0);
        let change_of_means = comparison.least_change_of_means.map(|change| change - subtracted);
        let Some(least) = change_of_means.filter(|change| *change > log_threshold) else { return ruling };
        let is_noise = ruling.outcome == Outcome::Inconclusive && !self.is_over(estimate) && ruling.notes.is_empty();
        let as_change = |log: f64| as_change(log, comparison.metric.direction);
        let (noun, least) = (noun(comparison), as_change(least));
        let base = comparison.base.map_or(0.0, |side| side.value);
        let is_below_floor = ruling.by_floor || self.floor.covers(base, base * (1.0 + least));
        if ruling.outcome != Outcome::Unchanged && !is_noise || is_below_floor {
            return ruling;
        }
        let runs = |side: Option<SideValue>| side.map_or(1, |side| side.runs);
        let by = match (runs(comparison.base), runs(comparison.head)) {
            (1, 1) => format!("by {}", change(least)),
            (_, 1) => format!("by at least {}", change(least)),
            _ => format!("by at least {} in every head run", change(least)),
        };
        let others = if estimate.of_fast_edges { format!("the fastest {noun}") } else { "the medians".to_owned() };
        let note = if is_noise {
            format!("slow {noun} change the mean {by}; {others} changed by {}", change(as_change(estimate.delta)))
        } else {
            format!("slow {noun} change the mean {by}; {others} are unchanged")
        };
        Ruling {
            by_mean: ruling.by_mean,
            doubt: Some(Doubt::SlowSamples),
            sample_mean_change: Some(least),
            ..Ruling::of(Outcome::Inconclusive).suspect(true).note(note)
        }
    }
}
