//! ghz's JSON report of one run, named by the gRPC method.

use super::builder::ReadingBuilder;
use super::fields::{items, number_at, sum, text_at};
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// ghz's JSON report of one run, named by the gRPC method.
#[derive(Debug)]
pub struct Ghz;

impl Format for Ghz {
    fn name(&self) -> &'static str {
        "ghz"
    }

    fn produced_by(&self) -> &'static str {
        "ghz -O json -o FILE --call METHOD HOST"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["average", "fastest", "slowest", "rps", "latencyDistribution"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        builder.set_measured(text_at(&file, "date").and_then(stated_time::with_zone));
        let quantile = |item: &Value| Some((number_at(item, "percentage")? / 100.0, number_at(item, "latency")?));
        let quantiles = items(&file, "latencyDistribution").filter_map(quantile);
        let ends = [(0.0, number_at(&file, "fastest")), (1.0, number_at(&file, "slowest"))];
        let ends = ends.into_iter().filter_map(|(share, value)| Some((share, value?)));
        let count = number_at(&file, "count");
        let concurrency = number_at(&file, "options.concurrency");
        let endpoint = Endpoint {
            name: text_at(&file, "options.call").or(text_at(&file, "name")).unwrap_or("ghz").to_owned(),
            requests: count,
            errors: Some(sum(&file, "errorDistribution")),
            rate: number_at(&file, "rps").map(Evidence::Value),
            mean: number_at(&file, "average"),
            samples: count.map(|count| count as u64),
            quantiles: quantiles.chain(ends).collect(),
            settings: concurrency.map(|count| ("concurrency", count.to_string())).into_iter().collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}
