//! The change of one benchmark with its uncertainty, tested against the noise of the suite (`prior`).
//! docs/statistics.md has the order of the steps and the measurements behind each constant.

use super::jumps::SimilarJumps;
use super::prior::{Observation, Prior, Variance};
use super::suite::SingleRuns;
use super::{centre, root, student};
use std::sync::Arc;

/// Relative precision of quantiles.
const PRECISION: f64 = 1e-7;
/// Tail probability of each end of a 95% confidence interval.
pub(super) const TAIL: f64 = 0.025;
/// The upper limit of the noise counts only beyond this many of its standard errors.
const NOISE_LIMIT_STANDARD_ERRORS: f64 = 3.0;
/// Degrees of freedom of the tail at the upper limit of the noise. With a normal tail, recorded runs that shared their
/// machine with a busy core cause false alarms.
const LIMIT_DF: f64 = 20.0;
/// More runs than this are never recommended.
const MAX_RUNS: u32 = 20;

/// A benchmark's change on the log scale; larger is worse.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The tested change: of the fast edges where there are samples, the suite-wide shift subtracted.
    pub delta: f64,
    /// The tested change with the suite-wide shift left in.
    pub raw: f64,
    /// True if the tested change is that of the fast edges of samples.
    pub of_fast_edges: bool,
    /// The change of the medians, the suite-wide shift subtracted.
    pub median_delta: f64,
    /// The change of the medians as measured.
    pub median_raw: f64,
    /// For one number per run: what single runs show.
    pub single_runs: Option<Box<SingleRuns>>,
    /// For samples, where base or head has exactly two runs: the smaller of the changes that the two show, in the
    /// direction of this change. The mean of two runs is sensitive to an outlier in either.
    pub least_of_two: Option<Box<[Option<f64>; 2]>>,
    /// For samples: how far base runs deviate from the base's centre in the direction of this change, on the log scale. More than
    /// a tenth of them deviate by at least this much.
    pub base_deviation: Option<f64>,
    /// For a single head run and several base runs: results of the suite that jump as far as this change.
    pub similar_jumps: Option<SimilarJumps>,
    /// The share of this change that the newest of several base runs shows, for runs that were not measured in turn.
    pub newest_base_share: f64,
    /// True if that run lies more than twice as far from the base's centre as any other base run.
    pub newest_base_stands_out: bool,
    /// A suite-wide shift that is too large to be attributed to the machine and whose cause is unknown: a side has a single
    /// run, or a single run explains it. The p values are valid for the change with this shift and without it.
    pub unexplained_shift: Option<f64>,
    /// Whether base and head are a single run each, measured at another time than the other side.
    pub one_run: [bool; 2],
    /// One-sided p value towards worse.
    pub p_worse: f64,
    /// One-sided p value towards better.
    pub p_better: f64,
    /// `p_worse`, corrected for the number of tests.
    pub q_worse: f64,
    /// `p_better`, corrected for the number of tests.
    pub q_better: f64,
    /// True for one run against one in a suite too small to estimate its own noise.
    pub low_evidence: bool,
    /// For re-measured suspects: the largest difference between two base runs, on the log scale.
    pub base_range: Option<f64>,
    /// For re-measured suspects: the smallest change that a pair of a base and a head run shows, in the direction of this change.
    /// One in twenty pairs is left out.
    pub least_of_pairs: Option<f64>,
    /// The p value that one more regression of this suite would need.
    pub(super) critical_p: f64,
    /// Tail probability of each end of the interval of this change, if the change is over the threshold. For a significant
    /// change it is that of a finding, otherwise that of one more finding in its direction.
    pub(super) finding_tail: f64,
    pub(super) noise: Noise,
}

/// The noise of one benchmark.
#[derive(Debug, Clone)]
pub(super) struct Noise {
    pub prior: Arc<Prior>,
    pub observation: Observation,
    /// Lower limit of the variance of the change, from the runs themselves.
    pub variance_floor: f64,
    /// Variance of the change beyond what the base runs show: the noise of a single head run.
    pub excess_variance: f64,
    /// Upper limit of the degrees of freedom.
    pub max_df: f64,
    /// Upper limit of the standard deviation from run to run; infinite if nothing limits it.
    pub max_sd: f64,
}

impl Noise {
    fn null_distribution(&self) -> NullDistribution<'_> {
        let Noise { prior, observation, variance_floor, excess_variance, max_df, max_sd } = self;
        NullDistribution {
            prior,
            observation,
            variance_floor: *variance_floor,
            excess_variance: *excess_variance,
            max_df: *max_df,
            max_sd: *max_sd,
        }
    }
}

/// The distribution of the measured change of a benchmark that did not change: a mixture of t distributions over the
/// grid points of the prior. Their heavy tails come from noise of unknown size; if the samples limit its size, no far
/// tail is heavier than the one at that limit.
pub(super) struct NullDistribution<'a> {
    pub prior: &'a Prior,
    pub observation: &'a Observation,
    pub variance_floor: f64,
    pub excess_variance: f64,
    pub max_df: f64,
    pub max_sd: f64,
}

impl NullDistribution<'_> {
    /// Weight, standard error of the change and degrees of freedom, for each point of the prior. Neighbouring points
    /// that the variance floor makes equal are merged.
    fn components(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let floored = |v: Variance| Variance {
            variance: (self.observation.variance_factor * v.variance).max(self.variance_floor),
            df: v.df.min(self.max_df),
            ..v
        };
        let mut points = self.prior.variances(self.observation).map(floored).peekable();
        std::iter::from_fn(move || {
            let mut one = points.next()?;
            while let Some(same) = points.next_if(|next| (next.variance, next.df) == (one.variance, one.df)) {
                one.weight += same.weight;
            }
            Some((one.weight, one.variance.sqrt(), one.df))
        })
    }

    /// P(change >= `x`).
    pub fn tail(&self, x: f64) -> f64 {
        let x = x / self.inflation();
        let limit = self.max_se();
        let of_prior = self.tail_of_prior(x);
        if x > NOISE_LIMIT_STANDARD_ERRORS * limit {
            of_prior.min(student::upper_tail(x / limit, LIMIT_DF))
        } else {
            of_prior
        }
    }

    /// The tail without the limit.
    fn tail_of_prior(&self, x: f64) -> f64 {
        self.components().map(|(weight, se, df)| weight * student::upper_tail(x / se, df)).sum()
    }

    /// The standard error of the change at the upper limit of the noise.
    fn max_se(&self) -> f64 {
        (self.max_sd.powi(2) * self.observation.variance_factor).max(self.variance_floor).sqrt()
    }

    /// The change that is exceeded with probability `p` (below one half).
    fn quantile(&self, p: f64) -> f64 {
        self.inflation()
            * self
                .quantile_of_prior(p)
                .min(self.max_se() * NOISE_LIMIT_STANDARD_ERRORS.max(student::quantile(1.0 - p, LIMIT_DF)))
    }

    /// How many times wider the distribution is because of the excess variance.
    fn inflation(&self) -> f64 {
        if self.excess_variance == 0.0 {
            return 1.0;
        }
        (1.0 + self.excess_variance / (self.typical_variance().0 * self.observation.variance_factor)).sqrt()
    }

    fn quantile_of_prior(&self, p: f64) -> f64 {
        // The search evaluates the tail about eight times. Computing the components each time takes 93 instead of 46 million
        // instructions for the tests and intervals of 100 benchmarks, and 117 instead of 90 for 1,000.
        let components: Vec<(f64, f64, f64)> = self.components().collect();
        // The quantile of the mixture lies between the smallest and the largest quantile of its components.
        let (mut least, mut largest, mut start) = (f64::INFINITY, 0.0_f64, 0.0);
        for (weight, se, df) in &components {
            let alone = se * student::quantile(1.0 - p, *df);
            (least, largest, start) = (least.min(alone), largest.max(alone), start + weight * alone.ln());
        }
        if least <= 0.0 || largest - least <= PRECISION * largest {
            return largest;
        }
        // On logarithmic axes the tail is nearly straight.
        let tail =
            |x: f64| components.iter().map(|(weight, se, df)| weight * student::upper_tail(x / se, *df)).sum::<f64>();
        let excess = |x: f64| (tail(x.exp()) / p).ln();
        root::of_decreasing(excess, [least.ln(), largest.ln()], start, PRECISION).exp()
    }

    /// Geometric mean of the variance of one run, and harmonic mean of the degrees of freedom.
    fn typical_variance(&self) -> (f64, f64) {
        let (mut log, mut inverse) = (0.0, 0.0);
        for (weight, se, df) in self.components() {
            log += weight * (se * se / self.observation.variance_factor).ln();
            inverse += weight / df;
        }
        (log.exp(), 1.0 / inverse)
    }
}

impl Estimate {
    /// Confidence interval of the change. With an unexplained suite-wide shift it contains the change with the shift and
    /// without it.
    pub fn delta_interval(&self, level: f64) -> (f64, f64) {
        let half = self.noise.null_distribution().quantile((1.0 - level) / 2.0);
        let [low, high] = self.possible_changes();
        (low - half, high + half)
    }

    /// The tested change, and the same without an unexplained shift; the smaller first.
    fn possible_changes(&self) -> [f64; 2] {
        let other = self.delta - self.unexplained_shift.unwrap_or(0.0);
        [self.delta.min(other), self.delta.max(other)]
    }

    /// The interval that the outcome is based on. It is adjusted for the number of tests (Benjamini and Yekutieli 2005)
    /// if the change is over the threshold and its plain 95% interval does not contain 0. The adjusted interval
    /// contains 0 exactly if the change is not significant. Otherwise it is the plain interval.
    pub fn interval(&self, is_over_threshold: bool) -> (f64, f64) {
        let is_adjusted = is_over_threshold && (self.is_clear_of_zero() || self.has_interval_clear_of_zero());
        self.delta_interval(1.0 - 2.0 * if is_adjusted { self.finding_tail } else { TAIL })
    }

    /// True if the plain 95% interval does not contain zero.
    pub fn has_interval_clear_of_zero(&self) -> bool {
        self.p() < TAIL
    }

    /// True if the interval of a finding would not contain zero.
    pub fn is_clear_of_zero(&self) -> bool {
        self.p() < self.finding_tail
    }

    /// P value towards the side of the change.
    pub fn p(&self) -> f64 {
        self.p_worse.min(self.p_better)
    }

    /// Q value towards the side of the change; at least the two-sided p value, because the interval of a finding is two-sided.
    pub fn q(&self) -> f64 {
        let one_sided = if self.p_worse <= self.p_better { self.q_worse } else { self.q_better };
        one_sided.max((2.0 * self.p()).min(1.0))
    }

    /// Two one-sided tests (Schuirmann 1987): true where the 95% interval (or a wider one, for a small `alpha`) lies within
    /// ± `limit`.
    pub fn lies_within(&self, limit: f64, alpha: f64) -> bool {
        // The test at the nearer limit decides.
        let [low, high] = self.possible_changes();
        let furthest = high.max(-low);
        furthest < limit && self.noise.null_distribution().tail(limit - furthest) < alpha.min(TAIL)
    }

    /// True if the change is less than its standard error, or not worse than `limit` with this error added. The error is from
    /// the spread of the runs and samples of this benchmark alone, without the noise of its suite.
    pub fn is_at_most_by_own_spread(&self, limit: f64) -> bool {
        let Noise { observation, variance_floor, .. } = &self.noise;
        let of_runs = if observation.df > 0.0 { observation.sum_of_squares / observation.df } else { 0.0 };
        let error = variance_floor.max(of_runs * observation.variance_factor).sqrt();
        let [_, high] = self.possible_changes();
        high < error || high + error < limit
    }

    /// What this benchmark contributes to the fit of the prior.
    pub fn observation(&self) -> Observation {
        self.noise.observation
    }

    /// The smallest regression that these runs would have shown, given the other findings of the suite.
    pub fn detectable(&self) -> f64 {
        self.noise.null_distribution().quantile(self.critical_p)
    }

    /// Standard error of the change, which tests compare with a reference.
    #[cfg(feature = "internals")]
    pub fn standard_error(&self) -> f64 {
        (self.noise.null_distribution().typical_variance().0 * self.noise.observation.variance_factor).sqrt()
    }

    /// The smallest number of new runs of each side that would decide this change; `None` for more than 20.
    pub fn runs_needed(&self, threshold: f64, alpha: f64) -> Option<u32> {
        let null = self.noise.null_distribution();
        let (variance, df) = null.typical_variance();
        let variance = variance * null.inflation().powi(2);
        // A change within the threshold must be significantly within it; a larger one must be significantly different
        // from 0.
        let (distance, p) = if self.delta.abs() <= threshold {
            (threshold - self.delta.abs(), alpha.min(TAIL))
        } else {
            (self.delta.abs(), self.critical_p)
        };
        (2..=MAX_RUNS).find(|runs| {
            let t = student::quantile(1.0 - p, df + 2.0 * f64::from(runs - 1));
            distance >= t * (2.0 * variance * centre::variance_factor(*runs as usize)).sqrt()
        })
    }
}
