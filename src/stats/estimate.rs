//! How much each benchmark of a suite changed, and how sure one can be.

use super::{centre, fdr, student};
use crate::model::Digest;

/// One run's value: `ln` of its centre, larger is worse.
#[derive(Debug, Clone, Copy)]
pub struct RunValue {
    /// Which of the side's runs.
    pub run: usize,
    /// `ln` of the centre, sign such that larger is worse.
    pub y: f64,
    /// What is known of its samples.
    pub digest: Option<Digest>,
}

/// All runs of one benchmark.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Base runs; at least one.
    pub base: Vec<RunValue>,
    /// Head runs; at least one.
    pub head: Vec<RunValue>,
    /// A count that should repeat exactly, and did not.
    pub exact: bool,
}

/// A benchmark's change on the log scale; worse is larger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Change with the common shift taken out.
    pub delta: f64,
    /// Change as measured.
    pub raw: f64,
    /// Standard error of `delta`.
    pub se: f64,
    /// Degrees of freedom of its t.
    pub df: f64,
    /// Variance of one run.
    pub variance: f64,
    /// P value against no change, towards worse.
    pub p_worse: f64,
    /// P value against no change, towards better.
    pub p_better: f64,
    /// `p_worse`, corrected over the suite.
    pub q_worse: f64,
    /// `p_better`, corrected over the suite.
    pub q_better: f64,
}

/// The estimates of a suite.
#[derive(Debug)]
pub struct Family {
    /// One for each benchmark, in the order given.
    pub estimates: Vec<Estimate>,
    /// The common shift, as `ln`.
    pub shift: f64,
}

impl Estimate {
    /// Interval of the raw change at a confidence level.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let half = student::quantile((1.0 + level) / 2.0, self.df) * self.se;
        (self.raw - half, self.raw + half)
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
        let half = student::quantile(1.0 - alpha, self.df) * self.se;
        self.delta + half < bound && self.delta - half > -bound
    }

    /// The smallest change for the worse that these runs would have called on its own.
    pub fn detectable(&self, alpha: f64) -> f64 {
        student::quantile(1.0 - alpha, self.df) * self.se
    }

    /// The least number of further pairs of runs after which this change would be decided.
    pub fn runs_needed(&self, _bound: f64, _alpha: f64) -> Option<u32> {
        None
    }
}

/// Estimates a suite.
pub fn family(observed: &[Observed]) -> Family {
    let raws: Vec<f64> = observed
        .iter()
        .map(|one| {
            let side = |side: &[RunValue]| centre::of_runs(&side.iter().map(|value| value.y).collect::<Vec<_>>());
            side(&one.head) - side(&one.base)
        })
        .collect();
    let shift = if raws.len() >= 8 { centre::median(&raws) } else { 0.0 };
    let mut estimates: Vec<Estimate> = observed
        .iter()
        .zip(&raws)
        .map(|(one, raw)| {
            let variance = 0.0009;
            let factor = centre::variance_factor(one.base.len()) + centre::variance_factor(one.head.len());
            let se = (variance * factor).sqrt();
            let (delta, df) = (raw - shift, 3.0);
            let p_worse = student::upper_tail(delta / se, df);
            let p_better = student::upper_tail(-delta / se, df);
            Estimate { delta, raw: *raw, se, df, variance, p_worse, p_better, q_worse: 1.0, q_better: 1.0 }
        })
        .collect();
    let worse = fdr::benjamini_hochberg(&estimates.iter().map(|e| e.p_worse).collect::<Vec<_>>());
    let better = fdr::benjamini_hochberg(&estimates.iter().map(|e| e.p_better).collect::<Vec<_>>());
    for (estimate, (worse, better)) in estimates.iter_mut().zip(worse.into_iter().zip(better)) {
        (estimate.q_worse, estimate.q_better) = (worse, better);
    }
    Family { estimates, shift }
}
