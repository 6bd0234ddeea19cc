//! siege: the JSON summary of one run. It names no URL, so the one benchmark is called `siege`.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde::Deserialize;

/// Nanoseconds in siege's unit of time.
const SECOND: f64 = 1e9;

/// siege's summary.
pub struct Siege;

/// The summary: seconds with two decimals, transactions a second.
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
        "one benchmark `siege`: throughput, time:mean and time:max (in hundredths of a second), errors, error-rate"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["transactions", "availability", "transaction_rate", "longest_transaction"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let summary: Summary = json::parse(source)?;
        let mut builder = ReadingBuilder::new("siege", source);
        let failed = summary.failed_transactions;
        let mut time = |what: &str, value: Option<f64>| {
            if value == Some(0.0) {
                let message = format!("the {what} is 0.00 s: too short for siege's two decimals; it is left out");
                builder.note("too-coarse", message);
            }
            value.filter(|value| *value != 0.0).map(|value| value * SECOND)
        };
        let mean = time("mean response time", summary.response_time);
        let longest = time("longest transaction", summary.longest_transaction);
        let shortest = summary.shortest_transaction.map(|value| (0.0, value * SECOND));
        let endpoint = Endpoint {
            name: "siege".to_owned(),
            // siege counts a failed transaction beside the others, not among them.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_zero_hundredths_is_noted_and_left_out() {
        let text = br#"{"transactions": 90, "availability": 90.0, "transaction_rate": 5.0, "response_time": 0.00,
            "failed_transactions": 10, "longest_transaction": 0.02, "shortest_transaction": 0.0}"#;
        assert!(Siege.sniff(&Preview::of(text)));
        let reading = Siege.parse(Source { name: "x", bytes: text }).unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| &*m.metric.name).collect();
        assert_eq!(names, ["throughput", "time:max", "errors", "error-rate"]);
        assert_eq!(reading.measurements[3].replicates, [Evidence::Value(10.0)]);
        assert_eq!(reading.diagnostics[0].code, "too-coarse");
    }
}
