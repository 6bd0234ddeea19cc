//! vegeta's JSON report of one attack. It contains no URL, so the benchmark is named `vegeta`.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, number_at, text_at};
use super::load_test::Endpoint;
use super::text::number;
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// vegeta's JSON report of one attack.
#[derive(Debug)]
pub struct Vegeta;

impl Format for Vegeta {
    fn name(&self) -> &'static str {
        "vegeta"
    }

    fn produced_by(&self) -> &'static str {
        "vegeta report -type=json results.bin > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["latencies.mean", "bytes_in", "bytes_out", "status_codes"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        builder.set_measured(text_at(&file, "latest").and_then(stated_time::with_zone));
        let share = |key: &str| match key {
            "min" => Some(0.0),
            "max" => Some(1.0),
            key => number(key.strip_suffix("th")?).map(|percent| percent / 100.0),
        };
        let quantiles = entries(&file, "latencies").filter_map(|(key, value)| Some((share(key)?, as_number(value)?)));
        let requests = number_at(&file, "requests");
        let failed =
            number_at(&file, "success").zip(requests).map(|(success, requests)| ((1.0 - success) * requests).round());
        let endpoint = Endpoint {
            name: "vegeta".to_owned(),
            requests,
            errors: failed,
            rate: number_at(&file, "throughput").map(Evidence::Value),
            mean: number_at(&file, "latencies.mean"),
            samples: requests.map(|requests| requests as u64),
            quantiles: quantiles.collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}
