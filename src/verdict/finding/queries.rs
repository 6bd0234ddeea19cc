//! What views and the gate derive from a finding.

use super::{Finding, SUSPECT_P, Value};
use crate::compare::BenchmarkMetric;
use crate::model::Unit;
use crate::verdict::outcome::Outcome;

impl Finding {
    /// The word for its outcome in views.
    pub fn word(&self) -> &'static str {
        match self.outcome {
            Outcome::Removed if self.not_run => "not run",
            Outcome::Inconclusive if !self.is_judged() => "not judged",
            outcome => outcome.word(),
        }
    }

    /// The benchmark's own name, which the config is matched with.
    pub fn own_name(&self) -> &str {
        self.per_class.as_ref().map_or(&self.name, |one| &one.benchmark)
    }

    /// The benchmark, metric and tool that it is about.
    pub(in crate::verdict) fn series(&self) -> BenchmarkMetric {
        let (metric, tool) = (self.metric.to_string(), self.tool.to_string());
        BenchmarkMetric { benchmark: self.name.clone(), metric, tool }
    }

    /// True for a finding about the same metric of the same benchmark.
    pub fn is_of_same_series(&self, other: &Finding) -> bool {
        self.name == other.name && self.metric == other.metric && self.tool == other.tool
    }

    /// True for a change that looks worse or better: it is re-measured before it is judged.
    pub fn should_re_measure(&self) -> bool {
        self.suspect || self.looks_better()
    }

    /// True if it looks better, by the rule that makes a slower one a suspect. Exact counts have no p value, and
    /// re-measuring does not change them.
    fn looks_better(&self) -> bool {
        let is_open = matches!(self.outcome, Outcome::Improved | Outcome::Inconclusive) && self.direction.is_known();
        let (Some(change), Some(p)) = (self.change, self.p.filter(|_| is_open)) else { return false };
        let better = -self.direction.worse(change).max(-0.999).ln_1p();
        let log_threshold = self.threshold.ln_1p();
        let of_medians = match (self.base, self.head) {
            (Some(base), Some(head)) if base.value > 0.0 => {
                -self.direction.worse(head.value / base.value - 1.0).ln_1p()
            }
            _ => 0.0,
        };
        better > log_threshold || of_medians > log_threshold || better > log_threshold / 2.0 && p < SUSPECT_P
    }

    /// True for a time that is or looks worse by more than the threshold, and that no waiver accepts.
    pub fn is_unaccepted_slowdown(&self) -> bool {
        let worse = self.adjusted.or(self.change).map(|change| self.direction.worse(change));
        let is_worse = self.suspect || worse.is_some_and(|worse| worse > self.threshold);
        self.metric == "time" && self.outcome != Outcome::Accepted && is_worse
    }

    /// True if it counts for the verdict: without a better direction, a change is only shown.
    pub fn is_judged(&self) -> bool {
        self.outcome != Outcome::Inconclusive || self.direction.is_known()
    }

    /// True if it is inconclusive and counts for the verdict.
    pub fn is_undecided(&self) -> bool {
        self.outcome == Outcome::Inconclusive && self.is_judged()
    }

    /// True for a suspected regression: inconclusive, and worth re-measuring.
    pub fn is_suspected_regression(&self) -> bool {
        self.outcome == Outcome::Inconclusive && self.suspect
    }

    /// True for the same value in base and head of a metric whose better direction is unknown.
    pub(in crate::verdict) fn is_constant_of_unknown_direction(&self) -> bool {
        let is_constant = self.outcome == Outcome::Unchanged && self.change.is_none_or(|change| change == 0.0);
        is_constant && !self.direction.is_known()
    }

    /// True for a time or rate that is zero on both sides: nothing was measured.
    pub(in crate::verdict) fn is_zero_measurement(&self) -> bool {
        let is_zero = |value: Option<Value>| value.is_some_and(|value| value.value == 0.0);
        Unit::from_label(&self.unit).is_speed() && is_zero(self.base) && is_zero(self.head)
    }

    /// True for an inconclusive time that is zero on one side: below the resolution of the clock.
    pub fn has_time_of_zero(&self) -> bool {
        let has_zero = [self.base, self.head].iter().flatten().any(|side| side.value == 0.0);
        self.outcome == Outcome::Inconclusive && has_zero && Unit::from_label(&self.unit) == Unit::Nanosecond
    }

    /// The smallest regression that these runs would have shown, if it explains why an inconclusive benchmark is undecided. `None`
    /// if it explains nothing: at 95% or more, below the threshold, if the change exceeds it, or if the printed interval does not
    /// contain 0. Also `None` outside of the interval, which is possible because it includes the correction for many tests.
    pub fn noise_limit(&self) -> Option<f64> {
        let is_in_interval =
            |least: f64| self.interval.is_none_or(|[low, high]| low <= 0.0 && high >= 0.0 && high.max(-low) >= least);
        let explains = |least: &f64| {
            *least < 0.95
                && *least >= self.threshold
                && is_in_interval(*least)
                && self.needed_change.is_none()
                && self.change.is_none_or(|change| change.abs() < *least)
        };
        self.detectable.filter(explains).filter(|_| self.outcome == Outcome::Inconclusive)
    }

    /// True if it is undecided because of noise, and no reasonable number of further runs would decide it.
    pub fn is_too_noisy(&self) -> bool {
        self.outcome == Outcome::Inconclusive && self.detectable.is_some() && self.runs_needed.is_none()
    }

    /// True if views list it without `--all`: everything except unchanged benchmarks with the same work and without a
    /// significant change.
    pub fn is_listed(&self) -> bool {
        self.outcome != Outcome::Unchanged || self.within.is_some() || self.work_ratio.is_some()
    }
}
