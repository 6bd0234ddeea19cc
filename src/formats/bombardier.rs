//! bombardier's JSON result of one run, named by the path of its URL.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, number_at, text_at};
use super::load_test::Endpoint;
use super::text::{number, url_path};
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence, Summary};
use serde_json::Value;

/// Nanoseconds in bombardier's unit of time.
const MICROSECOND: f64 = 1e3;

/// bombardier's JSON result of one run, named by the path of its URL.
#[derive(Debug)]
pub struct Bombardier;

impl Format for Bombardier {
    fn name(&self) -> &'static str {
        "bombardier"
    }

    fn produced_by(&self) -> &'static str {
        "bombardier -l -o json URL > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["spec.numberOfConnections", "result.latency"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        let time = |path: &str| number_at(&file, path).map(|microseconds| microseconds * MICROSECOND);
        let percentiles = entries(&file, "result.latency.percentiles");
        let quantiles =
            percentiles.filter_map(|(key, value)| Some((number(key)? / 100.0, as_number(value)? * MICROSECOND)));
        let count = |class: &str| number_at(&file, &format!("result.{class}")).unwrap_or_default();
        let bad = count("req4xx") + count("req5xx") + count("others");
        let requests = count("req1xx") + count("req2xx") + count("req3xx") + bad;
        let rate = number_at(&file, "result.rps.mean").map(|mean| {
            let sd = number_at(&file, "result.rps.stddev");
            Evidence::summary(Summary { centre: mean, mean: Some(mean), sd, ..Summary::default() })
        });
        let connections = number_at(&file, "spec.numberOfConnections");
        let endpoint = Endpoint {
            name: text_at(&file, "spec.url").map_or("bombardier", url_path).to_owned(),
            requests: Some(requests),
            errors: Some(bad),
            rate,
            mean: time("result.latency.mean"),
            sd: time("result.latency.stddev"),
            samples: (requests > 0.0).then_some(requests as u64),
            quantiles: quantiles.chain(time("result.latency.max").map(|max| (1.0, max))).collect(),
            settings: connections.map(|count| ("connections", count.to_string())).into_iter().collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}
