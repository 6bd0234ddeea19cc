//! How much one benchmark changed, and how sure one can be: what was measured held against what the suite's own noise
//! (`prior`) would give by chance. The order of the steps and the figures behind each constant are in docs/statistics.md.

use super::prior::{Observation, Prior, Variance};
use super::{centre, student};
use std::sync::Arc;

/// Relative precision of quantiles.
const PRECISION: f64 = 1e-7;
/// No more runs than this are asked for.
const MOST_RUNS: u32 = 20;

/// A benchmark's change on the log scale; larger is worse.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The change that is tested: of the edges where there are samples, the common shift taken out.
    pub delta: f64,
    /// The same with the common shift left in.
    pub raw: f64,
    /// The change of the medians, the common shift taken out.
    pub median_delta: f64,
    /// The change of the medians as measured.
    pub median_raw: f64,
    /// P value against no change, towards worse.
    pub p_worse: f64,
    /// P value against no change, towards better.
    pub p_better: f64,
    /// `p_worse`, corrected over the suite.
    pub q_worse: f64,
    /// `p_better`, corrected over the suite.
    pub q_better: f64,
    /// True where one run stands against one and the suite is too small to tell its own noise.
    pub low_evidence: bool,
    /// How far the base moved against itself while this was measured, where that was looked at.
    pub control: Option<f64>,
    /// Of runs that were taken again: the share of their pairs, one of base and one of head, that do not lie the way of
    /// the change.
    pub overlap: Option<f64>,
    /// The p value that one more finding of this suite would have to reach.
    pub(super) level: f64,
    pub(super) noise: Noise,
}

/// What chance alone would do to one benchmark's change.
#[derive(Debug, Clone)]
pub(super) struct Noise {
    pub prior: Arc<Prior>,
    pub observation: Observation,
    /// Variance of the change is never below this: what the runs themselves show.
    pub floor: f64,
}
impl Noise {
    fn chance(&self) -> NullDistribution<'_> {
        NullDistribution { prior: &self.prior, observation: &self.observation, floor: self.floor }
    }
}

/// Noise as it is reckoned with.
pub(super) struct NullDistribution<'a> {
    pub prior: &'a Prior,
    pub observation: &'a Observation,
    pub floor: f64,
}

impl NullDistribution<'_> {
    /// Weight, standard error of the change and degrees of freedom, for each point of the prior. Where a floor holds, many
    /// points come to the same, and are one.
    fn components(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let floored = |v: Variance| Variance { variance: (self.observation.factor * v.variance).max(self.floor), ..v };
        let mut points = self.prior.variances(self.observation).map(floored).peekable();
        std::iter::from_fn(move || {
            let mut one = points.next()?;
            while let Some(same) = points.next_if(|next| (next.variance, next.df) == (one.variance, one.df)) {
                one.weight += same.weight;
            }
            Some((one.weight, one.variance.sqrt(), one.df))
        })
    }

    /// P(a change of `x` or more by chance), averaged over the prior.
    pub fn tail(&self, x: f64) -> f64 {
        self.components().map(|(weight, se, df)| weight * student::upper_tail(x / se, df)).sum()
    }

    /// The change that chance reaches with probability `p` (below one half).
    fn quantile(&self, p: f64) -> f64 {
        // Each component alone would put it at its own quantile: the answer lies between the least and the largest.
        let alone = self.components().map(|(_, se, df)| se * student::quantile(1.0 - p, df));
        let (least, largest) = alone.fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        if least <= 0.0 || largest - least <= PRECISION * largest {
            return largest;
        }
        // Regula falsi, Illinois variant, where a tail is nearly straight: both axes logarithmic.
        let excess = |x: f64| (self.tail(x.exp()) / p).ln();
        let (mut low, mut high) = (least.ln(), largest.ln());
        let (mut above, mut below) = (excess(low), excess(high));
        for _ in 0..60 {
            if high - low <= PRECISION || above <= 0.0 || below >= 0.0 {
                break;
            }
            let x = (low * below - high * above) / (below - above);
            let at = excess(x);
            if at.abs() <= PRECISION {
                return x.exp();
            }
            if at > 0.0 {
                (low, above, below) = (x, at, below / 2.0);
            } else {
                (high, below, above) = (x, at, above / 2.0);
            }
        }
        f64::midpoint(low, high).exp()
    }

    /// One variance and its degrees of freedom that stand for the whole.
    fn typical(&self) -> (f64, f64) {
        let (mut log, mut inverse) = (0.0, 0.0);
        for (weight, se, df) in self.components() {
            log += weight * (se * se / self.observation.factor).ln();
            inverse += weight / df;
        }
        (log.exp(), 1.0 / inverse)
    }
}

impl Estimate {
    /// Interval of `delta` at a confidence level.
    pub fn edge_interval(&self, level: f64) -> (f64, f64) {
        let half = self.noise.chance().quantile((1.0 - level) / 2.0);
        (self.delta - half, self.delta + half)
    }

    /// Interval at a confidence level of the change as measured: that of the edges, and as much more as it takes to
    /// hold the change of the medians.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let (low, high) = self.edge_interval(level);
        let shift = self.raw - self.delta;
        ((low + shift).min(self.median_raw), (high + shift).max(self.median_raw))
    }

    /// P value towards the side on which the change lies.
    pub fn p(&self) -> f64 {
        self.p_worse.min(self.p_better)
    }

    /// Q value towards the side on which the change lies.
    pub fn q(&self) -> f64 {
        if self.p_worse <= self.p_better { self.q_worse } else { self.q_better }
    }

    /// Two one-sided tests: shown to lie within ± `bound`.
    pub fn lies_within(&self, bound: f64, alpha: f64) -> bool {
        // Of the two tests the one at the nearer bound decides.
        self.delta.abs() < bound && self.noise.chance().tail(bound - self.delta.abs()) < alpha
    }

    /// What this benchmark says of its suite's noise.
    pub fn observation(&self) -> Observation {
        self.noise.observation
    }

    /// The smallest change for the worse that these runs would have told from none, beside what else was found.
    pub fn detectable(&self) -> f64 {
        self.noise.chance().quantile(self.level)
    }

    /// Standard error of the change, for charts: the prior's components taken together.
    pub fn standard_error(&self) -> f64 {
        (self.noise.chance().typical().0 * self.noise.observation.factor).sqrt()
    }

    /// The least number of fresh pairs of runs that would decide this change, where 20 would.
    pub fn runs_needed(&self, bound: f64, alpha: f64) -> Option<u32> {
        let (variance, df) = self.noise.chance().typical();
        // Within the threshold the question is whether it stays there; beyond it, whether it is chance.
        let (distance, level) =
            if self.delta.abs() <= bound { (bound - self.delta.abs(), alpha) } else { (self.delta.abs(), self.level) };
        (2..=MOST_RUNS).find(|runs| {
            let t = student::quantile(1.0 - level, df + 2.0 * f64::from(runs - 1));
            distance >= t * (2.0 * variance * centre::variance_factor(*runs as usize)).sqrt()
        })
    }
}
