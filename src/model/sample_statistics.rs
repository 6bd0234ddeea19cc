//! How the samples of one side spread: what a table of a benchmark tool shows, kept with the comparison.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The spread of one metric of one benchmark on one side, in the metric's unit. What is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SampleStatistics {
    /// Samples behind it.
    pub samples: u64,
    /// Standard deviation of single samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// Third quartile less first quartile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iqr: Option<f64>,
    /// Samples further than one and a half quartile distances from the quartiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outliers: Option<u64>,
    /// By name: `min`, `mean`, `p50`, `p90`, `p95`, `p99`, `max`.
    pub statistics: BTreeMap<String, Statistic>,
}

/// A statistic of samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Statistic {
    /// Its value.
    pub value: f64,
    /// Its 95 % interval, where the samples say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
}

impl SampleStatistics {
    /// The statistics that can be asked of samples, as they stand behind a metric's colon.
    pub const STATISTICS: [&'static str; 7] = ["min", "mean", "p50", "p90", "p95", "p99", "max"];

    /// The metric and the statistic of it that a name asks for: `time:p95` is p95 of `time`.
    pub fn split_metric(metric: &str) -> Option<(&str, &str)> {
        metric.rsplit_once(':').filter(|(_, statistic)| Self::STATISTICS.contains(statistic))
    }

    /// A statistic's value.
    pub fn get(&self, statistic: &str) -> Option<f64> {
        self.statistics.get(statistic).map(|statistic| statistic.value)
    }
}
