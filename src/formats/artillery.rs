//! Artillery's JSON report: all requests of the test together.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, number_at};
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// Nanoseconds in Artillery's unit of time.
const MILLISECOND: f64 = 1e6;

/// Artillery's JSON report.
#[derive(Debug)]
pub struct Artillery;

impl Format for Artillery {
    fn name(&self) -> &'static str {
        "artillery"
    }

    fn produced_by(&self) -> &'static str {
        "artillery run --output FILE script.yml"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["aggregate.counters", "aggregate.summaries"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        let of = |path: &str| file.get("aggregate").and_then(|aggregate| aggregate.get(path));
        let counter = |name: &str| of("counters").and_then(|all| all.get(name)).and_then(as_number);
        let times = of("summaries").and_then(|all| all.get("http.response_time")).cloned().unwrap_or_default();
        let time = |name: &str| number_at(&times, name).map(|milliseconds| milliseconds * MILLISECOND);
        let shares = [(0.0, "min"), (0.5, "median"), (0.9, "p90"), (0.95, "p95"), (0.99, "p99"), (1.0, "max")];
        let requests = counter("http.requests");
        let errors: f64 = entries(&file, "aggregate.counters")
            .filter(|(name, _)| {
                name.starts_with("errors.") || name.starts_with("http.codes.4") || name.starts_with("http.codes.5")
            })
            .filter_map(|(_, count)| as_number(count))
            .sum();
        let endpoint = Endpoint {
            name: "http".to_owned(),
            requests,
            errors: Some(errors),
            rate: of("rates").and_then(|all| all.get("http.request_rate")).and_then(as_number).map(Evidence::Value),
            mean: time("mean"),
            samples: number_at(&times, "count").map(|count| count as u64),
            quantiles: shares.into_iter().filter_map(|(share, name)| Some((share, time(name)?))).collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}
