//! The rules that decide the outcome of one comparison, in the order of docs/statistics.md.

mod counts;
mod mean;

use super::doubt::{Doubt, doubt};
use super::finding::SUSPECT_P;
use super::outcome::{ChangeDirection, Outcome, UndecidedReason, UntestedReason};
use super::samples::modes;
use crate::compare::{Comparison, Effect};
use crate::model::number_text::{change, share};
use crate::model::{Direction, Floor, sample_noun};
use crate::policy::{FailOn, Policy};
use crate::stats::estimate::Estimate;
use counts::{SHARE_WITHOUT_COUNTS, is_small_share_without_counts};

const NOT_IN_EVERY_PAIR: &str =
    "some runs of head and base differ by less than a quarter of the threshold, so the change may be noise";
/// Re-measured suspects: each pair of a base and a head run must show at least this share of the threshold. On a machine that
/// runs at two speeds, two of the three head runs may be slow by chance.
const SHARE_OF_EACH_PAIR: f64 = 0.25;

/// An unchanged benchmark is listed if its change is significant and at least this share of the threshold.
pub const MIN_LISTED_CHANGE: f64 = 0.2;

/// The result of a rule.
pub(super) struct Ruling {
    pub outcome: Outcome,
    pub suspect: bool,
    /// True if the mean of the samples decides, not their fast edge.
    pub by_mean: bool,
    /// True if the medians changed and the fast edge is unchanged.
    pub medians_alone: bool,
    /// True if the fast edge changed and the medians did not.
    pub fast_edges_alone: bool,
    /// True if the floor decides: the change is too small to be tested.
    pub by_floor: bool,
    /// Why it is inconclusive without a test.
    pub not_tested: Option<UntestedReason>,
    /// Why single runs make a change doubtful.
    pub doubt: Option<Doubt>,
    /// The change of the mean of all samples, where that makes it a suspect.
    pub sample_mean_change: Option<f64>,
    pub notes: Vec<String>,
}

impl Ruling {
    fn of(outcome: Outcome) -> Self {
        Ruling {
            outcome,
            suspect: false,
            by_mean: false,
            medians_alone: false,
            fast_edges_alone: false,
            by_floor: false,
            not_tested: None,
            doubt: None,
            sample_mean_change: None,
            notes: Vec::new(),
        }
    }

    /// Inconclusive without a test, with the reason as a note.
    fn without_test(self, why: UntestedReason) -> Self {
        Ruling { outcome: Outcome::Inconclusive, suspect: false, not_tested: Some(why), ..self.note(why.note()) }
    }

    fn suspect(self, suspect: bool) -> Self {
        Ruling { suspect, ..self }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// The limits that a change must exceed.
pub(super) struct Criteria {
    pub threshold: f64,
    floor: Floor,
    pub alpha: f64,
    /// Whether a benchmark that only base has, or only head, fails the gate.
    fails_on_removed: bool,
    fails_on_added: bool,
}

impl Criteria {
    /// The limits of a benchmark.
    pub fn of(comparison: &Comparison, policy: &Policy) -> Criteria {
        let settings = policy.benchmark_settings(comparison.own_name(), &comparison.metric);
        Criteria {
            threshold: settings.threshold.unwrap_or(policy.gate_threshold()),
            floor: settings.floor.map_or_else(
                || Floor::default_of(&comparison.metric, &comparison.tool, comparison.clock_mhz, comparison.iterations),
                Floor::Value,
            ),
            alpha: policy.alpha(),
            fails_on_removed: policy.fails_on(FailOn::Removed),
            fails_on_added: policy.fails_on(FailOn::Added),
        }
    }

    pub fn judge(&self, comparison: &Comparison, same_machine: bool) -> Ruling {
        let ruling = self.rule_known(comparison, same_machine);
        let tested = matches!(
            comparison.effect,
            Effect::Exact(_) | Effect::Counts(_) | Effect::Estimated(_) | Effect::Zero { .. }
        );
        if comparison.metric.direction.is_known() || !tested || ruling.outcome == Outcome::Unchanged {
            return ruling;
        }
        // A parameter that a tool prints among its counters is the same on both sides.
        let is_constant = match &comparison.effect {
            Effect::Exact(worse) => *worse == 0.0,
            Effect::Estimated(one) => one.raw == 0.0 && one.observation().sum_of_squares == 0.0,
            _ => false,
        };
        if is_constant {
            return Ruling::of(Outcome::Unchanged);
        }
        // The result of a test does not matter here, and re-measuring cannot show which direction is better.
        let is_test = matches!(comparison.effect, Effect::Counts(_) | Effect::Estimated(_)) && same_machine;
        let notes = if is_test && comparison.other_settings.is_none() { Vec::new() } else { ruling.notes };
        Ruling { notes, ..ruling }.without_test(UntestedReason::UnknownDirection)
    }

    /// The ruling if larger values are worse, unless the metric states that they are better.
    fn rule_known(&self, comparison: &Comparison, same_machine: bool) -> Ruling {
        match &comparison.effect {
            Effect::BaseOnly | Effect::NotRun => Ruling::of(Outcome::Removed),
            Effect::HeadOnly => Ruling::of(Outcome::Added),
            Effect::Failed(failed) if failed.why.is_empty() => Ruling::of(Outcome::Failed),
            Effect::Failed(failed) => Ruling::of(Outcome::Failed).note(failed.why.clone()),
            Effect::Invalid(why) => {
                // Whether the result is missing is unknown, so it is inconclusive. A gate that fails on missing results
                // still fails.
                let outcome = match (&comparison.base, &comparison.head) {
                    (Some(_), None) if self.fails_on_removed => Outcome::Removed,
                    (None, Some(_)) if self.fails_on_added => Outcome::Added,
                    _ => Outcome::Inconclusive,
                };
                Ruling::of(outcome).note(why.clone())
            }
            _ if comparison.other_settings.is_some() => {
                Ruling::of(Outcome::Inconclusive).note(comparison.other_settings.clone().unwrap_or_default())
            }
            Effect::NotConfirmed { worse, why } => {
                Ruling::of(Outcome::Inconclusive).suspect(*worse && same_machine).note(why.clone())
            }
            Effect::Zero { worse, why } => Ruling::of(Outcome::Inconclusive).suspect(*worse && same_machine).note(*why),
            // Chance may explain a rise from zero, too. Effects that were not tested exist between machines as well.
            Effect::Exact(worse)
                if !comparison.metric.exact && *worse != 0.0 && is_small_share_without_counts(comparison) =>
            {
                Ruling::of(Outcome::Inconclusive).suspect(*worse > 0.0 && same_machine).note(SHARE_WITHOUT_COUNTS)
            }
            // Times and rates of zero are measured values as well.
            Effect::Exact(_) if !same_machine && !comparison.metric.exact && comparison.metric.unit.is_speed() => {
                Ruling::of(Outcome::Inconclusive).without_test(UntestedReason::DifferentMachines)
            }
            Effect::Exact(worse) => self.rule_exact(*worse, self.is_below_floor(comparison)),
            Effect::Counts(_) | Effect::Estimated(_) if !same_machine => {
                Ruling::of(Outcome::Inconclusive).without_test(UntestedReason::DifferentMachines)
            }
            Effect::Counts(counts) => self.rule_counts(counts, comparison),
            Effect::Estimated(estimate) if self.is_over(estimate) && is_small_share_without_counts(comparison) => {
                Ruling::of(Outcome::Inconclusive).suspect(estimate.delta > 0.0).note(SHARE_WITHOUT_COUNTS)
            }
            Effect::Estimated(estimate) if self.is_below_floor(comparison) && self.is_over(estimate) => {
                let floor = self.floor.text(&comparison.metric.unit.kept_label());
                let ruling = Ruling { by_floor: true, ..Ruling::of(Outcome::Unchanged) };
                ruling.note(format!("the absolute change is below the floor of {floor}"))
            }
            Effect::Estimated(estimate) => {
                let ruling = self.with_mean(self.rule(estimate, comparison), estimate, comparison);
                self.with_slowest(ruling, estimate, comparison)
            }
        }
    }

    /// True if both the difference of the values and the tested change are smaller than the floor. The medians may
    /// agree although the fast edges differ.
    fn is_below_floor(&self, comparison: &Comparison) -> bool {
        let (Some(base), Some(head)) = (comparison.base, comparison.head) else { return false };
        let (base, head) = (base.value, head.value);
        let tested = comparison.estimate().map_or(0.0, |one| as_change(one.delta, comparison.metric.direction));
        self.floor.covers(base, head) && self.floor.covers(base, base * (1.0 + tested))
    }

    /// True for a change beyond the threshold that is smaller than the floor.
    pub fn is_kept_by_floor(&self, comparison: &Comparison) -> bool {
        comparison.estimate().is_some_and(|estimate| self.is_over(estimate)) && self.is_below_floor(comparison)
    }

    /// True for a change beyond the threshold in either direction.
    pub fn is_over(&self, estimate: &Estimate) -> bool {
        estimate.delta.abs() > self.log_threshold()
    }

    /// The direction of a significant change that is large enough to be listed, whether or not it is over the
    /// threshold.
    pub fn within(&self, comparison: &Comparison) -> Option<ChangeDirection> {
        if !comparison.metric.direction.is_known() {
            return None;
        }
        let worse = match &comparison.effect {
            Effect::Exact(worse) => *worse,
            Effect::Estimated(one) if one.q() < self.alpha && one.has_interval_clear_of_zero() => one.delta,
            _ => return None,
        };
        if worse.abs() < MIN_LISTED_CHANGE * self.log_threshold() || self.is_below_floor(comparison) {
            return None;
        }
        Some(if worse > 0.0 { ChangeDirection::Slower } else { ChangeDirection::Faster })
    }

    /// The threshold on the log scale: 20% worse is a factor of 1.2 in either direction.
    pub fn log_threshold(&self) -> f64 {
        self.threshold.ln_1p()
    }

    fn rule(&self, estimate: &Estimate, comparison: &Comparison) -> Ruling {
        let (log_threshold, direction) = (self.log_threshold(), comparison.metric.direction);
        // A change must be over the threshold as measured, too: the subtraction of a shift alone must not cause a finding.
        let (over, under) =
            (estimate.delta.min(estimate.raw) > log_threshold, estimate.delta.max(estimate.raw) < -log_threshold);
        if (over || under)
            && let Some((doubt, note)) = doubt(estimate, log_threshold, self.alpha)
        {
            return Ruling { doubt: Some(doubt), ..Ruling::of(Outcome::Inconclusive) }.suspect(over).note(note);
        }
        // The fast edge of the samples is tested. The medians must have moved in the same direction by more than half
        // the threshold. A finding must also be clear of zero in its own interval, which is two-sided.
        let significant = |q: f64| {
            q < self.alpha
                && estimate.is_clear_of_zero()
                && self.needed(estimate).is_none_or(|needed| estimate.delta.abs() > needed)
        };
        let shown = if over && significant(estimate.q_worse) && estimate.median_delta > log_threshold / 2.0 {
            Some(Outcome::Regressed)
        } else if under && significant(estimate.q_better) && estimate.median_delta < -log_threshold / 2.0 {
            Some(Outcome::Improved)
        } else {
            None
        };
        if let Some(outcome) = shown {
            let doubt = match estimate.base_range.filter(|base_range| *base_range >= estimate.delta.abs()) {
                Some(base_range) => Some(format!(
                    "two runs of base differ by {}, at least as much as head differs from base, so the change may be noise",
                    share(base_range.exp_m1())
                )),
                None if !self.is_in_every_pair(estimate) => Some(NOT_IN_EVERY_PAIR.to_owned()),
                None => None,
            };
            return match doubt {
                Some(doubt) => Ruling::of(Outcome::Inconclusive).suspect(over).note(doubt),
                None => Ruling::of(outcome).suspect(over),
            };
        }
        // If the machine caused a suite-wide shift, the change is the one without it.
        let without_shift = estimate.delta - estimate.unexplained_shift.unwrap_or(0.0);
        let suspect = over
            || without_shift > log_threshold
            || estimate.median_delta > log_threshold
            || estimate.delta > log_threshold / 2.0 && estimate.p_worse < SUSPECT_P;
        let undecided = Ruling::of(Outcome::Inconclusive).suspect(suspect);
        if let Some(note) = self.shift_decides(estimate, direction) {
            return undecided.note(note);
        }
        if estimate.lies_within(log_threshold, self.alpha) {
            // The median of two modes jumps from one to the other by chance.
            if estimate.median_delta.abs() < log_threshold || modes(comparison).is_some() {
                return Ruling::of(Outcome::Unchanged);
            }
            let note = format!("the fastest {} are within the threshold, and the medians are not", noun(comparison));
            return Ruling { medians_alone: true, ..undecided.note(note) };
        }
        if over && significant(estimate.q_worse) || under && significant(estimate.q_better) {
            let note = format!(
                "the fastest {} changed by this much, but the medians did not: only a part of them changed",
                noun(comparison)
            );
            return Ruling { fast_edges_alone: true, ..undecided.note(note) };
        }
        // Otherwise the noise is the reason, see `why_undecided`.
        let is_shown = (over || under) && estimate.is_clear_of_zero();
        match self.needed(estimate).filter(|needed| is_shown && estimate.delta.abs() <= *needed) {
            Some(needed) => undecided.note(format!(
                "a single run can differ this much by chance, and fewer than eight benchmarks do not show how much they vary: \
                 only changes beyond {} count",
                change(as_change(needed.copysign(estimate.delta), direction))
            )),
            None => undecided,
        }
    }

    /// True unless re-measured runs of base and head are close to each other or overlap.
    fn is_in_every_pair(&self, estimate: &Estimate) -> bool {
        estimate.least_of_pairs.is_none_or(|least| least > SHARE_OF_EACH_PAIR * self.log_threshold())
    }

    /// Both changes, if only one of them is over the threshold: as measured, and without the suite-wide shift.
    fn shift_decides(&self, estimate: &Estimate, direction: Direction) -> Option<String> {
        let is_over = |log: f64| log.abs() > self.log_threshold();
        let (raw, tested) = (estimate.raw, estimate.delta);
        let sides = match (is_over(raw), is_over(tested)) {
            (true, false) => ["over", "within"],
            (false, true) => ["within", "over"],
            _ => return None,
        };
        let [raw, tested] = [raw, tested].map(|log| self.distinct_from_threshold(log, direction));
        // The limit of a decrease is the inverse of the threshold: −16.7% for 20%.
        let limit = as_change(self.log_threshold().copysign(estimate.delta), direction);
        let limit = if limit < 0.0 { format!(" of {}", change(limit)) } else { String::new() };
        Some(format!(
            "{raw} as measured, {} the threshold{limit}; {tested} without the suite-wide shift, {} it",
            sides[0], sides[1]
        ))
    }

    /// A change with the digits that distinguish it from the threshold: `+20.04%` for 20%.
    fn distinct_from_threshold(&self, log: f64, direction: Direction) -> String {
        let [change, threshold] =
            [log, self.log_threshold().copysign(log)].map(|log| 100.0 * as_change(log, direction));
        let differs = |digits: &usize| format!("{change:.0$}", *digits) != format!("{threshold:.0$}", *digits);
        let digits = (1..6).find(differs).unwrap_or(6);
        format!("{change:+.digits$}%").replace('-', "−")
    }

    /// Why the tests leave a change undecided, for a change that no other rule applies to.
    pub fn why_undecided(&self, estimate: &Estimate) -> UndecidedReason {
        match self.is_over(estimate) {
            true => UndecidedReason::MayBeNoise,
            false if estimate.lies_within(self.log_threshold(), 1.0) => UndecidedReason::NotWithinAtAlpha,
            false => UndecidedReason::BeyondThreshold,
        }
    }

    /// The smallest change that counts as regressed or improved with one run per side, in a suite too small to estimate
    /// its own noise: twice the threshold on the log scale, in either direction.
    pub fn needed(&self, estimate: &Estimate) -> Option<f64> {
        estimate.low_evidence.then(|| 2.0 * self.log_threshold())
    }
}

/// What the samples of a comparison are called.
fn noun(comparison: &Comparison) -> &'static str {
    sample_noun(&comparison.tool, comparison.benchmark.as_str(), &comparison.metric.name)
}

/// A log ratio (positive is worse) as a change of the metric's value.
pub(super) fn as_change(log: f64, direction: Direction) -> f64 {
    (direction.sign() * log).exp_m1()
}
