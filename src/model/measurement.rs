//! One metric of one benchmark, with its evidence: samples, a summary, or a single value.

use super::{BenchId, Direction, Metric};
use crate::stats::samples::TypicalMean;
use crate::stats::split::Split;
use crate::stats::{centre, samples};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// One metric of one benchmark, as measured by one run of a suite.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The format that read it (`criterion`, `hyperfine`). Benchmarks of different tools are never merged.
    pub tool: Cow<'static, str>,
    /// The benchmark.
    pub benchmark: BenchId,
    /// What was measured.
    pub metric: Arc<Metric>,
    /// One entry for each run that the tool reports separately (usually one); never empty.
    pub evidence: Vec<Evidence>,
    /// The work of one operation, where the tool reports it; displayed as a rate next to the time.
    pub work: Option<Work>,
    /// Iterations in one sample (the median), where the tool reports them.
    pub iterations: Option<f32>,
}

/// The evidence of one run, in the unit of the metric.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// All samples in the order they were taken; finite, never empty.
    Samples(Vec<f64>),
    /// Samples from a store, which rounds them, and the digest of the original ones.
    Rounded(Box<RoundedSamples>),
    /// The digest of samples that were not read.
    Digest(Digest),
    /// Digest and quantiles of samples that were pruned.
    Thinned(Box<ThinnedSamples>),
    /// A summary reported by the tool; boxed, so that the variant does not enlarge the others.
    Summary(Box<Summary>),
    /// A single value.
    Value(f64),
}

impl Evidence {
    /// Evidence from a summary reported by the tool.
    pub fn summary(summary: Summary) -> Self {
        Evidence::Summary(Box::new(summary))
    }

    /// All samples, where they were read.
    pub fn all_samples(&self) -> Option<&[f64]> {
        match self {
            Evidence::Samples(samples) => Some(samples),
            Evidence::Rounded(rounded) => Some(&rounded.samples),
            Evidence::Digest(_) | Evidence::Thinned(_) | Evidence::Summary(_) | Evidence::Value(_) => None,
        }
    }

    /// Number of samples, as far as the tool reports it.
    pub fn samples(&self) -> u64 {
        match self {
            Evidence::Samples(samples) => samples.len() as u64,
            Evidence::Rounded(rounded) => u64::from(rounded.digest.samples),
            Evidence::Digest(digest) => u64::from(digest.samples),
            Evidence::Thinned(thinned) => u64::from(thinned.digest.samples),
            Evidence::Summary(summary) => summary.samples.unwrap_or(1),
            Evidence::Value(_) => 1,
        }
    }

    /// The smallest and the largest sample, where they are known; a single value is both.
    fn range(&self) -> Option<[f64; 2]> {
        let of_samples = |samples: &[f64]| {
            let ends =
                samples.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| [low.min(*x), high.max(*x)]);
            (!samples.is_empty()).then_some(ends)
        };
        let of_summary = |summary: &Summary| {
            let quantile = |share: f64| summary.quantiles.iter().find(|(at, _)| *at == share).map(|(_, value)| *value);
            Some([quantile(0.0)?, quantile(1.0)?])
        };
        match self {
            Evidence::Samples(samples) => of_samples(samples),
            Evidence::Rounded(rounded) => of_samples(&rounded.samples),
            Evidence::Thinned(thinned) => of_summary(&thinned.quantiles),
            Evidence::Summary(summary) => of_summary(summary),
            Evidence::Digest(_) => None,
            Evidence::Value(value) => Some([*value; 2]),
        }
    }

    /// True if all samples are known to be zero.
    pub fn is_all_zero(&self) -> bool {
        self.range() == Some([0.0, 0.0])
    }

    /// True if all samples are known to be above zero.
    pub fn is_all_positive(&self) -> bool {
        match self {
            Evidence::Digest(digest) => !digest.lacks_edge(),
            other => other.range().is_some_and(|[low, _]| low > 0.0),
        }
    }

    /// True for a digest of samples of which at least half are zero. Only the samples show whether all of them are.
    pub fn is_digest_of_zeros(&self) -> bool {
        matches!(self, Evidence::Digest(digest) if digest.median == 0.0)
    }

    /// Converts to another unit: every value times `factor`.
    pub fn scaled(mut self, factor: f64) -> Self {
        match &mut self {
            Evidence::Samples(samples) => samples.iter_mut().for_each(|sample| *sample *= factor),
            Evidence::Rounded(rounded) => {
                rounded.digest.scale(factor);
                rounded.samples.iter_mut().for_each(|sample| *sample *= factor);
            }
            Evidence::Digest(digest) => digest.scale(factor),
            Evidence::Thinned(thinned) => {
                thinned.digest.scale(factor);
                thinned.quantiles.scale(factor);
            }
            Evidence::Summary(summary) => summary.scale(factor),
            Evidence::Value(value) => *value *= factor,
        }
        self
    }

    /// The digest of the samples; `None` if the tool reports only a summary or a value.
    pub fn digest(&self, direction: Direction) -> Option<Digest> {
        match self {
            Evidence::Samples(samples) => Some(Digest::of(samples, direction)),
            Evidence::Rounded(rounded) => Some(rounded.digest),
            Evidence::Digest(digest) => Some(*digest),
            Evidence::Thinned(thinned) => Some(thinned.digest),
            Evidence::Summary(_) | Evidence::Value(_) => None,
        }
    }

    /// The samples in two groups; `None` for few or steady samples, and where the tool reports only a summary or a value.
    pub fn split(&self) -> Option<Split> {
        match self {
            Evidence::Samples(samples) => Split::of(samples, centre::median(samples)),
            Evidence::Rounded(rounded) => rounded.digest.split,
            Evidence::Digest(digest) => digest.split,
            Evidence::Thinned(thinned) => thinned.digest.split,
            Evidence::Summary(_) | Evidence::Value(_) => None,
        }
    }

    /// The fast edge of the samples; `None` if the tool reports only a summary or a value.
    pub fn fast_edge(&self, direction: Direction) -> Option<f64> {
        self.digest(direction).map(|digest| digest.fast_edge)
    }

    /// The median of the samples, the summary's centre, or the value.
    pub fn centre(&self) -> f64 {
        match self {
            Evidence::Samples(samples) => centre::median(samples),
            Evidence::Rounded(rounded) => rounded.digest.median,
            Evidence::Digest(digest) => digest.median,
            Evidence::Thinned(thinned) => thinned.digest.median,
            Evidence::Summary(summary) => summary.centre,
            Evidence::Value(value) => *value,
        }
    }
}

/// What a comparison needs of the samples of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digest {
    /// Median of the samples.
    pub median: f64,
    /// Geometric mean of the fastest samples: the lowest of times, the highest of rates (see [`samples::fast_edge`]).
    pub fast_edge: f64,
    /// Number of samples.
    pub samples: u32,
    /// Drift of the fast edge within the run, on the log scale (see [`samples::within_run_drift`]); `None` for few samples.
    pub within_run_drift: Option<f32>,
    /// The typical mean of the samples (see [`samples::typical_mean`]); `None` for few samples, and for runs that were stored
    /// before it was computed.
    pub typical_mean: Option<TypicalMean>,
    /// The samples in two groups; `None` for few or steady samples, and for runs that were stored before it was computed.
    pub split: Option<Split>,
}

fn fast_end(direction: Direction) -> samples::FastEnd {
    match direction {
        Direction::Lower | Direction::Unknown => samples::FastEnd::Smallest,
        Direction::Higher => samples::FastEnd::Largest,
    }
}

impl Digest {
    /// The digest of samples in the order they were taken; at least one. The median replaces the fast edge where a sample is
    /// not positive, and where the direction is unknown, because no sample is the fastest then.
    pub fn of(samples: &[f64], direction: Direction) -> Digest {
        let median = centre::median(samples);
        let fast = fast_end(direction);
        let known = direction.is_known();
        Digest {
            median,
            fast_edge: samples::fast_edge(samples, fast).filter(|_| known).unwrap_or(median),
            samples: samples.len() as u32,
            within_run_drift: samples::within_run_drift(samples, fast).map(|drift| drift as f32),
            typical_mean: samples::typical_mean(samples, median, fast).filter(|_| known),
            split: Split::of(samples, median),
        }
    }

    /// The mean of the samples with their slowest batch, on the log scale, where it is known (see
    /// [`TypicalMean::ln_mean_with_slowest_batch`]).
    pub fn ln_mean_with_slowest_batch(&self, direction: Direction) -> Option<f64> {
        let ratio = self.typical_mean?.ln_mean_with_slowest_batch(self.samples as usize, fast_end(direction));
        (self.median > 0.0).then(|| self.median.ln() + ratio)
    }

    /// True if the median replaces the fast edge: a sample is not positive, or there is only one.
    pub fn lacks_edge(&self) -> bool {
        let is_median = (self.fast_edge - self.median).abs() <= 1e-9 * self.median;
        is_median && self.within_run_drift.is_none() && self.typical_mean.is_none()
    }

    /// True if the digest shows that a sample is not positive. The digest of a few samples never shows it.
    pub fn has_zero(&self) -> bool {
        self.lacks_edge() && self.samples as usize >= samples::DRIFT_MIN_SAMPLES
    }

    fn scale(&mut self, factor: f64) {
        self.median *= factor;
        self.fast_edge *= factor;
    }
}

/// Samples as a store keeps them. A comparison uses the digest, so that it gives the same results whether or not samples are
/// read.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundedSamples {
    /// The digest of the original samples.
    pub digest: Digest,
    /// The samples, with a rounding error of at most 0.01%.
    pub samples: Vec<f64>,
}

/// What pruning keeps of the samples of an old run.
#[derive(Debug, Clone, PartialEq)]
pub struct ThinnedSamples {
    /// The digest of the original samples, to the last bit.
    pub digest: Digest,
    /// Mean, standard deviation and quantiles of the samples.
    pub quantiles: Summary,
}

/// A summary that a tool reports in place of its samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// The most robust centre that the tool reports: the median, otherwise the mean.
    pub centre: f64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Standard deviation of single samples.
    pub sd: Option<f64>,
    /// Number of samples.
    pub samples: Option<u64>,
    /// Quantiles as (share, value), ascending; minimum and maximum are 0 and 1.
    pub quantiles: Vec<(f64, f64)>,
}

impl Summary {
    fn scale(&mut self, factor: f64) {
        self.centre *= factor;
        self.mean = self.mean.map(|mean| mean * factor);
        self.sd = self.sd.map(|sd| sd * factor);
        self.quantiles.iter_mut().for_each(|(_, value)| *value *= factor);
    }
}

/// The work of one operation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// Amount per operation.
    pub amount: f64,
    /// What the amount counts.
    pub unit: WorkUnit,
}

/// The unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkUnit {
    /// Bytes, displayed with binary prefixes.
    Bytes,
    /// Bytes, displayed with decimal prefixes.
    BytesDecimal,
    /// Bits.
    Bits,
    /// Elements.
    Elements,
}

impl Measurement {
    /// A measurement with the evidence of one run.
    pub fn new(
        tool: impl Into<Cow<'static, str>>,
        benchmark: impl Into<Arc<str>>,
        metric: impl Into<Arc<Metric>>,
        evidence: Evidence,
    ) -> Self {
        let benchmark = BenchId::new(benchmark);
        let (tool, metric) = (tool.into(), metric.into());
        Measurement { tool, benchmark, metric, evidence: vec![evidence], work: None, iterations: None }
    }

    /// A measurement with the evidence of several runs; `None` for no evidence.
    pub fn of_runs(
        tool: impl Into<Cow<'static, str>>,
        benchmark: impl Into<Arc<str>>,
        metric: impl Into<Arc<Metric>>,
        evidence: Vec<Evidence>,
    ) -> Option<Self> {
        let benchmark = BenchId::new(benchmark);
        let (tool, metric) = (tool.into(), metric.into());
        let made = Measurement { tool, benchmark, metric, evidence, work: None, iterations: None };
        (!made.evidence.is_empty()).then_some(made)
    }

    /// Replaces samples by their digests, except where a digest has no typical mean: then the samples show their mean.
    pub fn condense(&mut self) {
        let direction = self.metric.direction;
        for evidence in &mut self.evidence {
            if let (Some(_), Some(digest)) = (evidence.all_samples(), evidence.digest(direction))
                && (digest.typical_mean.is_some() || !direction.is_known())
            {
                *evidence = Evidence::Digest(digest);
            }
        }
    }
}

/// How much of the evidence a reader loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Digests only: enough for a comparison, a few dozen bytes per benchmark.
    Digests,
    /// All samples.
    Samples,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_small() {
        // Eight more bytes than without typical mean and split: 9 MB for a suite of 100,000 benchmarks and ten base runs.
        assert!(size_of::<Evidence>() <= 40, "{}", size_of::<Evidence>());
    }
}
