//! Pairs that need no test: one side only, numbers that cannot be compared, exact counts, few events.

use super::Effect;
use super::pairs::{Pair, RunEvidence, events, runs_of, side_centre};
use super::repeated_results::step;
use crate::model::{Evidence, Metric, Unit};
use crate::stats::counts;

/// A value with fewer steps of its resolution may be less than this factor from a value that is printed as 0.
const MIN_STEPS: f64 = 20.0;
const BELOW_RESOLUTION: &str = "a time of zero is below the resolution of the clock";

impl Pair<'_> {
    /// The effect where no test is needed: one side only, numbers that cannot be compared, exact counts.
    pub(super) fn untested_effect(&self) -> Option<Effect> {
        if let Some(why) = &self.unreadable {
            return Some(Effect::Invalid(why.clone()));
        }
        match (self.base().is_empty(), self.head().is_empty()) {
            (_, true) => return Some(Effect::BaseOnly),
            (true, _) => return Some(Effect::HeadOnly),
            _ => {}
        }
        if !self.other_versions.is_empty() {
            let message =
                "the benchmark itself changed (the tool states another version), so base and head are not comparable";
            return Some(Effect::Invalid(message.to_owned()));
        }
        if let Some(other) = self.other_unit {
            let (a, b) = (&self.metric.unit, &other.unit);
            return Some(Effect::Invalid(format!("base and head are in different units: {a} and {b}")));
        }
        let values: Vec<f64> = self.evidence.iter().map(|one| one.evidence.centre()).collect();
        let (base, head) = values.split_at(self.base);
        if values.iter().any(|value| !value.is_finite() || *value < 0.0) {
            return Some(Effect::Invalid("a value is negative or not a number".to_owned()));
        }
        let constant = |side: &[f64]| side.windows(2).all(|two| two[0] == two[1]);
        let nothing = |side: &[f64]| side.iter().all(|value| *value == 0.0);
        let exact = || {
            let per_work = self.work_ratio().unwrap_or(1.0);
            Some(self.exact(side_centre(self.base()) * per_work, side_centre(self.head())))
        };
        if self.measurement.metric.exact && constant(base) && constant(head) || nothing(&values) {
            return exact();
        }
        let single = self.evidence.iter().all(|one| matches!(one.evidence, Evidence::Value(_)));
        let counted = if self.metric.unit == Unit::Count && single { counts::compare(base, head) } else { None };
        let counted = counted
            .or_else(|| counts::compare_shares(&shares(self.base(), self.metric)?, &shares(self.head(), self.metric)?));
        if counted.is_some() {
            return counted.map(Effect::Counts);
        }
        let sides = [(base, side_centre(self.base())), (head, side_centre(self.head()))];
        if sides.iter().any(|(values, centre)| *centre == 0.0 && !nothing(values)) {
            // The reported value is zero, and the result of a test would depend on the number that replaces the zeros.
            return Some(match self.metric.unit {
                Unit::Nanosecond => Effect::Invalid(BELOW_RESOLUTION.to_owned()),
                _ => self.zero("most results of one side are zero: a ratio cannot be computed"),
            });
        }
        if !nothing(base) && !nothing(head) {
            return None;
        }
        // One side is zero in all runs, which makes a ratio impossible. A change is reported if every run of the other side is
        // above zero. If it has samples, all of them must be: their median may be zero although some are not.
        let (zeros, other) = if nothing(base) { (self.base(), self.head()) } else { (self.head(), self.base()) };
        let all_differ = runs_of(other).all(|run| side_centre(run) > 0.0);
        let sampled = self.evidence.iter().any(|one| one.evidence.digest(self.direction).is_some());
        let all_samples_differ = || {
            zeros.iter().all(|one| one.evidence.is_all_zero()) && other.iter().all(|one| one.evidence.is_all_positive())
        };
        // A time that was below the resolution and is many steps of it now is not a ratio, but certainly a change.
        if self.metric.unit == Unit::Nanosecond && is_many_steps(&runs_of(other).map(side_centre).collect::<Vec<_>>()) {
            return Some(self.zero(BELOW_RESOLUTION));
        }
        if self.metric.unit == Unit::Nanosecond || all_differ && (!sampled || all_samples_differ()) {
            return exact();
        }
        Some(self.zero("one side is zero: a ratio cannot be computed"))
    }

    /// The effect of a side that is zero.
    fn zero(&self, why: &'static str) -> Effect {
        let change = side_centre(self.head()) - side_centre(self.base());
        Effect::Zero { worse: self.direction.is_known() && self.direction.sign() * change > 0.0, why }
    }

    /// Compares without a test. If base is zero, the ratio is infinite: valid for a count, invalid for a time.
    fn exact(&self, base: f64, head: f64) -> Effect {
        let worse = self.direction.sign() * (head / base).ln();
        match (base == 0.0, head == 0.0) {
            (true, true) => Effect::Exact(0.0),
            (true, false) | (false, true) if self.metric.unit == Unit::Nanosecond => {
                Effect::Invalid(BELOW_RESOLUTION.to_owned())
            }
            _ => Effect::Exact(worse),
        }
    }
}

/// Whether all values are many times their resolution, as far as their digits show it.
fn is_many_steps(values: &[f64]) -> bool {
    let step = values.iter().map(|value| step(*value)).fold(f64::INFINITY, f64::min);
    values.iter().all(|value| *value >= MIN_STEPS * step)
}

/// The events and samples of each result of a side; `None` unless all results are shares of samples.
fn shares(side: &[RunEvidence<'_>], metric: &Metric) -> Option<Vec<(u64, u64)>> {
    side.iter().map(|one| Some((events(one.evidence, metric)?, one.evidence.samples()))).collect()
}
