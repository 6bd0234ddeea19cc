//! Descriptive statistics of the samples of a side, saved with the comparison.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Statistics of the samples of one metric of one benchmark on one side, in the unit of the metric.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleStatistics {
    /// Number of samples.
    pub samples: u64,
    /// Standard deviation of single samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// Interquartile range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iqr: Option<f64>,
    /// Number of samples farther than 1.5 interquartile ranges from the quartiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outliers: Option<u64>,
    /// By name: `min`, `mean`, `p50`, `p90`, `p95`, `p99`, `max`.
    pub statistics: BTreeMap<String, Statistic>,
}

/// A statistic with its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Statistic {
    /// The value.
    pub value: f64,
    /// The 95% confidence interval, where there are enough samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

impl SampleStatistics {
    /// The statistics of samples that can follow the colon in the name of a metric.
    pub const STATISTICS: [&'static str; 7] = ["min", "mean", "p50", "p90", "p95", "p99", "max"];

    /// The quantiles that are computed from samples, by name.
    pub const QUANTILES: [(&'static str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)];

    /// Splits the name of a statistic of a metric: `time:p95` is `p95` of `time`.
    pub fn split_metric(metric: &str) -> Option<(&str, &str)> {
        metric.rsplit_once(':').filter(|(_, statistic)| Self::STATISTICS.contains(statistic))
    }

    /// The value of a statistic.
    pub fn get(&self, statistic: &str) -> Option<f64> {
        self.statistics.get(statistic).map(|statistic| statistic.value)
    }
}
