//! autocannon's JSON (`-j`): throughput, response times and errors of one run. The benchmark is named by the run's title,
//! else by the path of its URL.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::text::{number, url_path};
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Evidence, Summary};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Nanoseconds in autocannon's unit of time.
const MILLISECOND: f64 = 1e6;

/// autocannon's result.
pub struct Autocannon;

/// One run. Latencies are in whole milliseconds; request rates are sampled once per second.
#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    finish: Option<Cow<'a, str>>,
    samples: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    connections: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    pipelining: Option<u64>,
    errors: Option<f64>,
    non2xx: Option<f64>,
    mismatches: Option<f64>,
    latency: BTreeMap<String, serde_json::Value>,
    requests: BTreeMap<String, serde_json::Value>,
}

impl Format for Autocannon {
    fn name(&self) -> &'static str {
        "autocannon"
    }

    fn produced_by(&self) -> &'static str {
        "autocannon -j URL > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p90/p99/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["connections", "pipelining", "latency.p97_5", "requests.p97_5"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let run: Run<'_> = json::parse(source)?;
        let mut builder = ReadingBuilder::new("autocannon", source);
        builder.set_measured(run.finish.as_deref().and_then(stated_time::with_zone));
        let field = |table: &BTreeMap<String, serde_json::Value>, name: &str| table.get(name)?.as_f64();
        let samples = run.latency.get("totalCount").and_then(serde_json::Value::as_u64);
        let title = run.title.as_deref().filter(|title| !title.is_empty());
        let answered = field(&run.requests, "total");
        // `requests.total` excludes connection errors and timeouts, but includes non-2xx and mismatched responses.
        let lost = run.errors.unwrap_or(0.0);
        let bad_responses = run.non2xx.unwrap_or(0.0) + run.mismatches.unwrap_or(0.0);
        let rate = field(&run.requests, "average").map(|mean| {
            let sd = field(&run.requests, "stddev");
            let extreme = |name, share| field(&run.requests, name).map(|value| (share, value));
            let quantiles = [extreme("min", 0.0), extreme("max", 1.0)].into_iter().flatten().collect();
            Evidence::summary(Summary { centre: mean, mean: Some(mean), sd, samples: run.samples, quantiles })
        });
        let mut endpoint = Endpoint {
            name: title.or(run.url.as_deref().map(url_path)).unwrap_or("autocannon").to_owned(),
            requests: answered.map(|answered| answered + lost),
            errors: Some(lost + bad_responses),
            rate,
            samples,
            ..Endpoint::default()
        };
        let settings = [("connections", run.connections), ("pipelining", run.pipelining)];
        let stated = settings.into_iter().filter_map(|(name, value)| Some((name, value?.to_string())));
        endpoint.settings.extend(stated);
        if samples == Some(0) {
            builder.warn("no-samples", "no request was answered; response times skipped");
        } else {
            let time = |name| field(&run.latency, name).map(|value| value * MILLISECOND);
            endpoint.mean = time("mean").or(time("average"));
            endpoint.sd = time("stddev");
            endpoint.quantiles = run.latency.keys().filter_map(|key| Some((share(key)?, time(key)?))).collect();
        }
        endpoint.add_to(&mut builder);
        builder.finish()
    }
}

/// The quantile that a key of the latency table names: `p97_5` is 0.975.
fn share(key: &str) -> Option<f64> {
    match key {
        "min" => Some(0.0),
        "max" => Some(1.0),
        _ => number(&key.strip_prefix('p')?.replace('_', ".")).map(|percent| percent / 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::load_test::share as share_of;

    #[test]
    fn keys_of_the_latency_table_are_quantiles() {
        assert_eq!((share("p50"), share("p97_5"), share("max")), (Some(0.5), Some(0.975), Some(1.0)));
        assert_eq!((share("mean"), share("stddev")), (None, None));
    }

    #[test]
    fn the_error_rate_counts_lost_requests_and_bad_responses() {
        let text =
            br#"{"url": "http://h:1/a?b=1", "errors": 10, "non2xx": 5, "latency": {}, "requests": {"total": 90}}"#;
        let reading = Autocannon.parse(Source { name: "x", bytes: text }).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "/a?b=1");
        assert_eq!(reading.measurements[0].evidence, [share_of(15.0, 100.0)]);
        assert_eq!(reading.measurements[0].metric.name, "error-rate");
    }
}
