//! Gatling's statistics of one simulation: all requests, and each group and request.

use super::builder::ReadingBuilder;
use super::fields::{entries, number_at, text_at};
use super::load_test::Endpoint;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence};
use serde_json::Value;

/// Nanoseconds in Gatling's unit of time.
const MILLISECOND: f64 = 1e6;

/// Gatling's statistics of one simulation.
#[derive(Debug)]
pub struct Gatling;

impl Format for Gatling {
    fn name(&self) -> &'static str {
        "gatling"
    }

    fn produced_by(&self) -> &'static str {
        "results/RUN/js/stats.json or global_stats.json, which gatling writes"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p95/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["stats.numberOfRequests", "stats.percentiles1"])
            || preview.has_keys(&["numberOfRequests", "percentiles1", "meanNumberOfRequestsPerSecond"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        if file.get("stats").is_some() {
            add_with_contents(&mut builder, &file, "", 0);
        } else {
            add(&mut builder, "All Requests", &file);
        }
        builder.finish()
    }
}

/// Maximum number of levels of groups.
const MAX_DEPTH: usize = 50;

/// Adds a group or request, and what it contains.
fn add_with_contents(builder: &mut ReadingBuilder<'_>, node: &Value, group: &str, depth: usize) {
    let own = text_at(node, "name").or(text_at(node, "stats.name")).unwrap_or_default();
    let name = if group.is_empty() { own.to_owned() } else { format!("{group}/{own}") };
    if let Some(stats) = node.get("stats") {
        add(builder, &name, stats);
    }
    // The group of all requests is not part of a name.
    let group = if depth == 0 { "" } else { &name };
    for (_, child) in entries(node, "contents").filter(|_| depth < MAX_DEPTH) {
        add_with_contents(builder, child, group, depth + 1);
    }
}

fn add(builder: &mut ReadingBuilder<'_>, name: &str, stats: &Value) {
    let value = |field: &str| number_at(stats, &format!("{field}.total"));
    let time = |field: &str| value(field).map(|milliseconds| milliseconds * MILLISECOND);
    // The percentiles of the default config, which may be changed.
    let shares = [
        (0.0, "minResponseTime"),
        (0.5, "percentiles1"),
        (0.75, "percentiles2"),
        (0.95, "percentiles3"),
        (0.99, "percentiles4"),
        (1.0, "maxResponseTime"),
    ];
    let requests = value("numberOfRequests");
    let endpoint = Endpoint {
        name: name.to_owned(),
        requests,
        errors: number_at(stats, "numberOfRequests.ko"),
        rate: value("meanNumberOfRequestsPerSecond").map(Evidence::Value),
        mean: time("meanResponseTime"),
        sd: time("standardDeviation"),
        samples: requests.map(|requests| requests as u64),
        quantiles: shares.into_iter().filter_map(|(share, field)| Some((share, time(field)?))).collect(),
        ..Endpoint::default()
    };
    endpoint.add_to(builder);
}
