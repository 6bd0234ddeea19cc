//! The statistics of JMeter's dashboard: each transaction, and `Total`.

use super::builder::ReadingBuilder;
use super::fields::{number_at, text_at};
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// Nanoseconds in JMeter's unit of time.
const MILLISECOND: f64 = 1e6;

/// The statistics of JMeter's dashboard.
#[derive(Debug)]
pub struct JmeterStatistics;

impl Format for JmeterStatistics {
    fn name(&self) -> &'static str {
        "jmeter-statistics"
    }

    fn produced_by(&self) -> &'static str {
        "jmeter -g FILE.jtl -o DIR, or -e (DIR/statistics.json)"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let has = |end: &str| preview.json_keys.iter().any(|key| key.ends_with(end));
        has(".sampleCount") && has(".meanResTime")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        for (name, stats) in file.as_object().into_iter().flatten() {
            let time = |field: &str| number_at(stats, field).map(|milliseconds| milliseconds * MILLISECOND);
            // The percentiles of the default config, which may be changed.
            let shares = [
                (0.0, "minResTime"),
                (0.5, "medianResTime"),
                (0.9, "pct1ResTime"),
                (0.95, "pct2ResTime"),
                (0.99, "pct3ResTime"),
                (1.0, "maxResTime"),
            ];
            let requests = number_at(stats, "sampleCount");
            let endpoint = Endpoint {
                name: text_at(stats, "transaction").unwrap_or(name).to_owned(),
                requests,
                errors: number_at(stats, "errorCount"),
                rate: number_at(stats, "throughput").map(Evidence::Value),
                mean: time("meanResTime"),
                samples: requests.map(|requests| requests as u64),
                quantiles: shares.into_iter().filter_map(|(share, field)| Some((share, time(field)?))).collect(),
                ..Endpoint::default()
            };
            endpoint.add_to(&mut builder);
        }
        builder.finish()
    }
}
