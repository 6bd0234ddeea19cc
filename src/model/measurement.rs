//! One benchmark, one metric, and the evidence for it: samples, a summary, or a bare number.

use super::{BenchId, Direction, Metric, Replicates};
use crate::stats::{centre, samples};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::Arc;

/// What one run of a suite says of one metric of one benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The format that it was read by (`criterion`, `hyperfine`); two tools' benchmarks never merge.
    pub tool: Cow<'static, str>,
    /// The benchmark.
    pub benchmark: BenchId,
    /// What was measured.
    pub metric: Arc<Metric>,
    /// One entry for each process run that the tool tells apart (usually one); never empty.
    pub replicates: Replicates,
    /// The work of one operation, where the tool states it: shows as a rate beside the time.
    pub work: Option<Work>,
}

/// What is known of a value from one process run. Values are in the metric's house unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// Every sample in the order it was taken; finite, never empty.
    Samples(Vec<f64>),
    /// The samples' digest, the samples themselves being left where they are.
    Digest(Digest),
    /// What was kept of the samples of an old run: their digest and their quantiles.
    Thinned(Box<Thinned>),
    /// A summary made by the tool; boxed, so that the many single numbers of a large file stay small.
    Summary(Box<Summary>),
    /// A single number.
    Value(f64),
}

impl Evidence {
    /// A summary made by the tool.
    pub fn summary(summary: Summary) -> Self {
        Evidence::Summary(Box::new(summary))
    }

    /// How many samples are behind it, as far as the tool says.
    pub fn samples(&self) -> u64 {
        match self {
            Evidence::Samples(samples) => samples.len() as u64,
            Evidence::Digest(digest) => u64::from(digest.samples),
            Evidence::Thinned(thinned) => u64::from(thinned.digest.samples),
            Evidence::Summary(summary) => summary.samples.unwrap_or(1),
            Evidence::Value(_) => 1,
        }
    }

    /// The same evidence in another unit: every value times `factor`.
    pub fn scaled(mut self, factor: f64) -> Self {
        match &mut self {
            Evidence::Samples(samples) => samples.iter_mut().for_each(|sample| *sample *= factor),
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

    /// The digest of the samples; `None` where the tool reports only a summary or a value.
    pub fn digest(&self, direction: Direction) -> Option<Digest> {
        match self {
            Evidence::Samples(samples) => Some(Digest::of(samples, direction)),
            Evidence::Digest(digest) => Some(*digest),
            Evidence::Thinned(thinned) => Some(thinned.digest),
            Evidence::Summary(_) | Evidence::Value(_) => None,
        }
    }

    /// The fast edge of the samples; `None` where the tool reports only a summary or a value.
    pub fn fast_edge(&self, direction: Direction) -> Option<f64> {
        self.digest(direction).map(|digest| digest.fast_edge)
    }

    /// The median of the samples, the summary's centre, or the value.
    pub fn centre(&self) -> f64 {
        match self {
            Evidence::Samples(samples) => centre::median(samples),
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
}

impl Digest {
    /// The digest of samples in the order they were taken; at least one. Where a sample is not positive, the median
    /// replaces the fast edge.
    pub fn of(samples: &[f64], direction: Direction) -> Digest {
        let median = centre::median(samples);
        let fast = match direction {
            Direction::Lower => samples::Fast::Smallest,
            Direction::Higher => samples::Fast::Largest,
        };
        Digest {
            median,
            fast_edge: samples::fast_edge(samples, fast).unwrap_or(median),
            samples: samples.len() as u32,
            within_run_drift: samples::within_run_drift(samples, fast).map(|drift| drift as f32),
        }
    }

    fn scale(&mut self, factor: f64) {
        self.median *= factor;
        self.fast_edge *= factor;
    }
}

/// What pruning keeps of the samples of an old run.
#[derive(Debug, Clone, PartialEq)]
pub struct Thinned {
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

/// How much work one operation does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Work {
    /// Amount for each operation.
    pub amount: f64,
    /// Of what.
    pub unit: WorkUnit,
}

/// What the work of an operation is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkUnit {
    /// Bytes, shown with binary prefixes.
    Bytes,
    /// Bytes, shown with decimal prefixes.
    BytesDecimal,
    /// Bits.
    Bits,
    /// Elements.
    Elements,
}

impl Measurement {
    /// A measurement of one process run.
    pub fn new(
        tool: impl Into<Cow<'static, str>>,
        benchmark: impl Into<Arc<str>>,
        metric: impl Into<Arc<Metric>>,
        evidence: Evidence,
    ) -> Self {
        let benchmark = BenchId::new(benchmark);
        let (tool, metric) = (tool.into(), metric.into());
        Measurement { tool, benchmark, metric, replicates: evidence.into(), work: None }
    }

    /// A measurement of several process runs; `None` where there is none.
    pub fn of_runs(
        tool: impl Into<Cow<'static, str>>,
        benchmark: impl Into<Arc<str>>,
        metric: impl Into<Arc<Metric>>,
        replicates: Vec<Evidence>,
    ) -> Option<Self> {
        let benchmark = BenchId::new(benchmark);
        let (tool, metric) = (tool.into(), metric.into());
        let made = Measurement { tool, benchmark, metric, replicates: replicates.into(), work: None };
        (!made.replicates.is_empty()).then_some(made)
    }

    /// Replaces samples by their digests.
    pub fn condense(&mut self) {
        let direction = self.metric.direction;
        for evidence in &mut self.replicates {
            if let Evidence::Samples(samples) = evidence {
                *evidence = Evidence::Digest(Digest::of(samples, direction));
            }
        }
    }
}

/// How much of the evidence a reader keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Digests only: what a verdict needs, a few dozen bytes a benchmark.
    Digests,
    /// Every sample.
    Samples,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_among_many_takes_little() {
        assert!(size_of::<Evidence>() <= 32, "{}", size_of::<Evidence>());
    }
}
