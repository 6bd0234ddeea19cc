//! siege's JSON summary of one run: throughput, response times and errors. It contains no URL, so the benchmark is named
//! `siege`.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde::Deserialize;

/// Nanoseconds in siege's unit of time.
const SECOND: f64 = 1e9;

/// siege's summary.
pub struct Siege;

/// The summary. Times are in seconds with two decimals, rates per second.
#[derive(Deserialize)]
struct Summary {
    transactions: f64,
    transaction_rate: Option<f64>,
    response_time: Option<f64>,
    failed_transactions: Option<f64>,
    longest_transaction: Option<f64>,
    shortest_transaction: Option<f64>,
}

impl Format for Siege {
    fn name(&self) -> &'static str {
        "siege"
    }

    fn produced_by(&self) -> &'static str {
        "siege -b --json-output URL > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:mean and time:max (resolution 0.01 s), error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["transactions", "availability", "transaction_rate", "longest_transaction"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let summary: Summary = json::parse(source)?;
        let mut builder = ReadingBuilder::new("siege", source);
        let failed = summary.failed_transactions;
        let mean = nanoseconds(&mut builder, "mean response time", summary.response_time);
        let longest = nanoseconds(&mut builder, "longest transaction", summary.longest_transaction);
        let shortest = summary.shortest_transaction.map(|value| (0.0, value * SECOND));
        let endpoint = Endpoint {
            name: "siege".to_owned(),
            // siege's transactions do not include the failed ones.
            requests: Some(summary.transactions + failed.unwrap_or(0.0)),
            errors: failed,
            rate: summary.transaction_rate.map(Evidence::Value),
            mean,
            samples: Some(summary.transactions as u64),
            quantiles: longest.map(|value| (1.0, value)).into_iter().chain(shortest).collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}

/// A time in nanoseconds. Zero means below siege's resolution and is skipped with a note.
fn nanoseconds(builder: &mut ReadingBuilder<'_>, name: &str, seconds: Option<f64>) -> Option<f64> {
    if seconds == Some(0.0) {
        builder.note("too-coarse", format!("the {name} is 0.00 s, below siege's resolution; skipped"));
    }
    seconds.filter(|seconds| *seconds != 0.0).map(|seconds| seconds * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share;

    #[test]
    fn a_time_of_zero_hundredths_is_reported_and_skipped() {
        let text = br#"{"transactions": 90, "availability": 90.0, "transaction_rate": 5.0, "response_time": 0.00,
            "failed_transactions": 10, "longest_transaction": 0.02, "shortest_transaction": 0.0}"#;
        assert!(Siege.sniff(&Preview::of(text)));
        let reading = Siege.parse(Source { name: "x", bytes: text }).unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| &*m.metric.name).collect();
        assert_eq!(names, ["throughput", "time:max", "error-rate"]);
        assert_eq!(reading.measurements[2].evidence, [share(10.0, 100.0)]);
        assert_eq!(reading.diagnostics[0].code, "too-coarse");
    }
}
