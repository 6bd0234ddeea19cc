//! k6's end-of-test summary, from `--summary-export` (statistics directly in the metric), from `handleSummary` (statistics in
//! `values`, with the metric's type and content) or with `--new-machine-readable-summary` (a list). Each k6 metric is a
//! benchmark. The phases of a request (blocked, connecting, sending ...) are skipped, and also what the script determines
//! (`vus`, data sent and received).

mod metrics;
mod names;

use self::metrics::add_metric;
use super::builder::ReadingBuilder;
use super::load_test::add_errors;
use super::{Format, Preview, Reading, Source, json};
use crate::model::Diagnostic;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Built-in metrics that are phases of a request, or that the script determines.
const SKIPPED: [&str; 12] = [
    "data_received",
    "data_sent",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_looking_up",
    "http_req_receiving",
    "http_req_sending",
    "http_req_tls_handshaking",
    "vus",
    "vus_max",
    "browser_data_received",
    "browser_data_sent",
];
/// The counter of the iterations that did not start.
const DROPPED: &str = "dropped_iterations";

/// k6's summary.
pub struct K6;

#[derive(Deserialize)]
struct Summary<'a> {
    #[serde(borrow, default)]
    metrics: BTreeMap<String, &'a RawValue>,
    config: Option<Config>,
    #[serde(borrow)]
    results: Option<Results<'a>>,
}

/// The test, in the machine-readable summary.
#[derive(Deserialize)]
struct Config {
    /// Seconds.
    duration: Option<f64>,
}

/// The metrics of the machine-readable summary.
#[derive(Deserialize)]
struct Results<'a> {
    #[serde(borrow)]
    metrics: Vec<&'a RawValue>,
    #[serde(borrow)]
    checks: Option<Checks<'a>>,
}

#[derive(Deserialize)]
struct Checks<'a> {
    #[serde(borrow, default)]
    metrics: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct NamedMetric {
    name: String,
}

impl<'a> Summary<'a> {
    /// The metrics of all layouts by name; those of the list that do not parse are reported.
    fn metrics(self, builder: &mut ReadingBuilder<'_>) -> BTreeMap<String, &'a RawValue> {
        let mut metrics = self.metrics;
        let Some(results) = self.results else { return metrics };
        // The other metrics of checks repeat what this one contains.
        let is_checks = |named: &NamedMetric| named.name == "checks_succeeded";
        for (at, raw) in results.metrics.into_iter().enumerate() {
            if let Some(named) = builder.parse_entry::<NamedMetric>("metric", at, raw) {
                metrics.insert(named.name, raw);
            }
        }
        let checks = results.checks.map(|checks| checks.metrics).unwrap_or_default();
        let checks =
            checks.into_iter().find(|raw| serde_json::from_str(raw.get()).is_ok_and(|named| is_checks(&named)));
        metrics.extend(checks.map(|raw| ("checks".to_owned(), raw)));
        metrics
    }
}

/// The statistics of a metric in both layouts, with its content type and thresholds.
#[derive(Deserialize)]
struct Statistics {
    contains: Option<String>,
    values: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    thresholds: BTreeMap<String, Value>,
    #[serde(flatten)]
    direct: BTreeMap<String, Value>,
}

impl Statistics {
    /// Adds what the machine-readable summary states in other words: a counter's rate and a rate's two counts.
    fn complete(&mut self, duration: Option<f64>) {
        let Some(values) = &mut self.values else { return };
        let value = |key: &str| values.get(key).and_then(Value::as_f64);
        let rate = value("count").zip(duration).filter(|(_, duration)| *duration > 0.0);
        let counts = value("matches").zip(value("total"));
        if let (Some((count, duration)), None) = (rate, value("rate")) {
            values.insert("rate".to_owned(), (count / duration).into());
        }
        if let Some((matches, total)) = counts {
            values.insert("passes".to_owned(), matches.into());
            values.insert("fails".to_owned(), (total - matches).into());
        }
    }
}

impl Format for K6 {
    fn name(&self) -> &'static str {
        "k6"
    }

    fn produced_by(&self) -> &'static str {
        "k6 run --summary-export=FILE script.js (also with --new-machine-readable-summary), or handleSummary writing \
         JSON.stringify(data)"
    }

    fn metrics(&self) -> &'static str {
        "per metric and tag: time:p50/p90/p95/p99/max and time:mean of trends, throughput of counters, \
         error-rate of failure rates and checks; crossed thresholds as warnings"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let known = ["metrics.iterations", "metrics.http_reqs", "metrics.vus", "metrics.iteration_duration"];
        preview.has_keys(&["root_group", "root_group.checks"])
            || preview.has_keys(&["metadata.k6_version", "results.metrics"])
            || preview.has_keys(&["root_group", "metrics"])
            || known.iter().any(|key| preview.json_keys.contains(*key))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let summary: Summary<'_> = json::parse(source)?;
        let mut builder = ReadingBuilder::new("k6", source);
        let mut assumed = Vec::new();
        let duration = summary.config.as_ref().and_then(|config| config.duration);
        let metrics = summary.metrics(&mut builder);
        let iterations = metrics.get("iterations").and_then(|raw| count(raw));
        for (name, raw) in &metrics {
            let base = name.split('{').next().unwrap_or(name);
            if SKIPPED.contains(&base) {
                continue;
            }
            match serde_json::from_str::<Statistics>(raw.get()) {
                // Iterations that did not start are a share of those that should have.
                Ok(Statistics { .. }) if base == DROPPED && iterations.is_some() => {
                    let dropped = count(raw);
                    let all = dropped.zip(iterations).map(|(dropped, done)| dropped + done);
                    add_errors(&mut builder, name, dropped, all);
                }
                Ok(mut statistics) => {
                    statistics.complete(duration);
                    add_metric(name, base, &statistics, &mut builder, &mut assumed);
                }
                Err(error) => {
                    builder.warn("unreadable-entry", format!("metric `{name}` skipped: {error}"));
                }
            }
        }
        // k6 leaves out a counter that is zero.
        if let (Some(_), None) = (iterations, metrics.get(DROPPED)) {
            add_errors(&mut builder, DROPPED, Some(0.0), iterations);
        }
        if !assumed.is_empty() {
            let message = format!(
                "the content of {} is not stated; assuming milliseconds because of the name. handleSummary output states it",
                assumed.join(", ")
            );
            builder.note("assumed-unit", message);
        }
        builder.finish()
    }
}

/// The count of a counter in both layouts.
fn count(raw: &RawValue) -> Option<f64> {
    let statistics: Statistics = serde_json::from_str(raw.get()).ok()?;
    statistics.values.as_ref().unwrap_or(&statistics.direct).get("count")?.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Evidence};

    fn parse(metrics: &str) -> Reading {
        K6.parse(Source { name: "x", bytes: format!(r#"{{"metrics": {{{metrics}}}}}"#).as_bytes() }).unwrap()
    }

    fn value(reading: &Reading, benchmark: &str, metric: &str) -> Option<f64> {
        let found = |m: &&crate::model::Measurement| m.benchmark.as_str() == benchmark && m.metric.name == metric;
        reading.measurements.iter().find(found).map(|m| match &m.evidence[0] {
            Evidence::Value(value) => *value,
            Evidence::Summary(summary) => summary.centre,
            _ => f64::NAN,
        })
    }

    #[test]
    fn both_layouts_of_a_trend_give_the_same_values() {
        let trend = r#""avg": 4.5, "min": 1, "med": 4, "max": 9, "p(90)": 7, "p(95)": 8, "p(99)": 8.5"#;
        let old = parse(&format!(r#""http_req_duration": {{{trend}, "thresholds": {{"p(95)<9": false}}}}"#));
        let new = parse(&format!(
            r#""http_req_duration": {{"type": "trend", "contains": "time", "values": {{{trend}}},
               "thresholds": {{"p(95)<9": {{"ok": true}}}}}}"#
        ));
        assert_eq!(old.measurements, new.measurements);
        assert!(old.diagnostics.is_empty() && new.diagnostics.is_empty());
        assert_eq!(value(&new, "http_req_duration", "time:p50"), Some(4e6));
        assert_eq!(value(&new, "http_req_duration", "time:p99"), Some(8.5e6));
    }

    #[test]
    fn the_machine_readable_summary_gives_the_same_values() {
        let text = r#"{"config": {"duration": 10, "execution": "local", "script": "s.js"}, "metadata": {"k6_version": "1.5.0"},
            "results": {"checks": {"metrics": [
                {"name": "checks_total", "type": "counter", "contains": "default", "values": {"count": 40}},
                {"name": "checks_failed", "type": "rate", "contains": "default", "values": {"matches": 10, "total": 40, "rate": 0.25}},
                {"name": "checks_succeeded", "type": "rate", "contains": "default", "values": {"matches": 30, "total": 40, "rate": 0.75}}],
                "results": [{"name": "is 200", "passes": 30, "fails": 10}]},
              "metrics": [7,
                {"name": "http_reqs", "type": "counter", "contains": "default", "values": {"count": 50}},
                {"name": "http_req_failed", "type": "rate", "contains": "default", "values": {"matches": 1, "total": 50, "rate": 0.02}},
                {"name": "http_req_duration", "type": "trend", "contains": "time", "values": {"avg": 5, "med": 4, "p(95)": 8}}]},
            "version": "1.0.0"}"#;
        assert!(K6.sniff(&Preview::of(text.as_bytes())));
        let reading = K6.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(value(&reading, "http_reqs", "throughput"), Some(5.0));
        assert_eq!(value(&reading, "http_req_failed", "error-rate"), Some(2.0));
        assert_eq!(value(&reading, "checks", "error-rate"), Some(25.0));
        assert_eq!(value(&reading, "http_req_duration", "time:p95"), Some(8e6));
        assert_eq!(reading.measurements.len(), 6);
        assert_eq!(reading.diagnostics.len(), 1);
    }

    #[test]
    fn a_crossed_threshold_is_a_warning_in_both_layouts() {
        let old = parse(r#""http_reqs": {"count": 4, "rate": 2, "thresholds": {"rate>3": true}}"#);
        let new = parse(r#""http_reqs": {"values": {"count": 4, "rate": 2}, "thresholds": {"rate>3": {"ok": false}}}"#);
        assert_eq!((&*old.diagnostics[0].code, &*new.diagnostics[0].code), ("threshold-crossed", "threshold-crossed"));
        assert_eq!(value(&old, "http_reqs", "throughput"), Some(2.0));
    }

    #[test]
    fn the_direction_of_a_rate_follows_from_its_name_or_threshold() {
        let reading = parse(
            r#""checks": {"passes": 3, "fails": 1}, "http_req_failed{a:b}": {"passes": 1, "fails": 3},
               "cache_hits": {"passes": 1, "fails": 3}, "slow": {"passes": 1, "fails": 1, "thresholds": {"rate<0.1": true}}"#,
        );
        assert_eq!(value(&reading, "checks", "error-rate"), Some(25.0));
        assert_eq!(value(&reading, "http_req_failed{a:b}", "error-rate"), Some(25.0));
        assert_eq!(value(&reading, "cache_hits", "rate"), Some(25.0));
        assert_eq!(value(&reading, "slow", "error-rate"), Some(50.0));
        let reading = parse(
            r#""login_success": {"passes": 3, "fails": 1}, "warm": {"passes": 1, "fails": 3, "thresholds": {"rate>0.9": true}}"#,
        );
        assert_eq!(value(&reading, "login_success", "error-rate"), Some(25.0));
        assert_eq!(value(&reading, "warm", "rate"), Some(25.0));
        let reading = parse(r#""unsuccessful_logins": {"passes": 1, "fails": 3}"#);
        assert_eq!(value(&reading, "unsuccessful_logins", "error-rate"), Some(25.0));
    }

    #[test]
    fn the_direction_of_a_custom_metric_is_unknown_unless_threshold_or_name_state_it() {
        let reading = parse(
            r#""bounce_rate": {"passes": 1, "fails": 3}, "cache_hits": {"passes": 1, "fails": 3}, "queue": {"value": 4},
               "battery": {"value": 4, "thresholds": {"value>3": false}}, "score": {"avg": 1}, "orders": {"count": 4, "rate": 2},
               "http_reqs": {"count": 4, "rate": 2}"#,
        );
        let direction = |name: &str| {
            let found = reading.measurements.iter().find(|m| m.benchmark.as_str() == name);
            found.map(|m| m.metric.direction).unwrap()
        };
        assert_eq!(["bounce_rate", "queue", "score", "orders"].map(direction), [Direction::Unknown; 4]);
        assert_eq!(["cache_hits", "battery", "http_reqs"].map(direction), [Direction::Higher; 3]);
    }

    #[test]
    fn dropped_iterations_are_a_share_of_all_iterations() {
        let reading =
            parse(r#""iterations": {"count": 90, "rate": 9}, "dropped_iterations": {"count": 10, "rate": 1}"#);
        assert_eq!(value(&reading, "dropped_iterations", "error-rate"), Some(10.0));
        assert_eq!(value(&reading, "dropped_iterations", "errors"), None);
        let without = parse(r#""iterations": {"count": 90, "rate": 9}"#);
        assert_eq!(value(&without, "dropped_iterations", "error-rate"), Some(0.0));
        assert_eq!(value(&parse(r#""http_reqs": {"count": 90, "rate": 9}"#), "dropped_iterations", "error-rate"), None);
    }

    #[test]
    fn a_valid_metric_among_invalid_ones_is_read() {
        let reading =
            parse(r#""a": 3, "b": {"odd": 1}, "c": {"avg": 1}, "iterations": {"count": 1, "rate": "x"}, "vus": 1"#);
        assert_eq!(value(&reading, "c", "value:mean"), Some(1.0));
        assert_eq!(reading.diagnostics.len(), 2);
    }
}
