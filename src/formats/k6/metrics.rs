//! Reads a metric of a k6 summary: a trend, a rate, a counter or a gauge.

use super::Statistics;
use super::names::{counts_failures, counts_successes};
use crate::formats::builder::ReadingBuilder;
use crate::formats::direction_words::direction_of_words;
use crate::formats::load_test::{Endpoint, add_errors, error_rate, share as share_of};
use crate::formats::text;
use crate::model::{Direction, Evidence, Metric, Unit};
use serde_json::Value;
use std::collections::BTreeMap;

/// Nanoseconds in k6's unit of time.
const MILLISECOND: f64 = 1e6;

/// Words in the name of a custom metric that make it a time, if the file does not state its content.
const TIME_WORDS: [&str; 10] =
    ["duration", "latency", "time", "waiting", "delay", "elapsed", "ttfb", "_ms", "connecting", "handshaking"];

/// Prefixes of built-in counters that count the work of the tested system.
const BUILT_IN_COUNTERS: [&str; 4] = ["http_reqs", "iterations", "ws_", "grpc_"];

/// Adds a metric. `base` is its name without tags; `assumed` collects the names of trends that are times by their name alone.
pub(super) fn add_metric(
    name: &str,
    base: &str,
    statistics: &Statistics,
    builder: &mut ReadingBuilder<'_>,
    assumed: &mut Vec<String>,
) {
    for (condition, outcome) in &statistics.thresholds {
        // For a crossed threshold `--summary-export` writes true and handleSummary {"ok": false}.
        if outcome.as_bool() == Some(true) || outcome.get("ok").and_then(Value::as_bool) == Some(false) {
            builder.warn("threshold-crossed", format!("k6 threshold `{condition}` of `{name}` was crossed"));
        }
    }
    let values = statistics.values.as_ref().unwrap_or(&statistics.direct);
    let value = |key: &str| values.get(key).and_then(Value::as_f64);
    if let Some(mean) = value("avg") {
        add_trend(name, base, mean, values, statistics, builder, assumed);
    } else if let (Some(passes), Some(fails)) = (value("passes"), value("fails")) {
        add_rate(name, base, passes, fails, statistics, builder);
    } else if let (Some(count), rate) = (value("count"), value("rate")) {
        if counts_failures(base) {
            builder.add(name, Metric::measured("errors", Unit::Count, Direction::Lower), [Evidence::Value(count)]);
        } else if let Some(rate) = rate {
            let built_in = BUILT_IN_COUNTERS.iter().any(|prefix| base.starts_with(prefix));
            let throughput = Metric::throughput();
            let metric = if built_in { throughput } else { with_direction(throughput, base, statistics) };
            builder.add(name, metric, [Evidence::Value(rate)]);
        }
    } else if let Some(last) = value("value") {
        let metric = Metric::measured("value", Unit::Ratio, Direction::Unknown);
        builder.add(name, with_direction(metric, base, statistics), [Evidence::Value(last)]);
    } else {
        builder.warn("unreadable-entry", format!("metric `{name}` is not a trend, rate, counter or gauge; skipped"));
    }
}

/// Adds a trend: times as in every load test, anything else as plain numbers.
fn add_trend(
    name: &str,
    base: &str,
    mean: f64,
    values: &BTreeMap<String, Value>,
    statistics: &Statistics,
    builder: &mut ReadingBuilder<'_>,
    assumed: &mut Vec<String>,
) {
    let lower = base.to_ascii_lowercase();
    let built_in = ["http_req_", "iteration_duration", "group_duration", "ws_", "grpc_req_", "browser_"];
    let time = match statistics.contains.as_deref() {
        Some(contains) => contains == "time",
        None if built_in.iter().any(|prefix| base.starts_with(prefix)) => true,
        None => {
            let time = TIME_WORDS.iter().any(|word| lower.contains(word));
            if time {
                assumed.push(format!("`{name}`"));
            }
            time
        }
    };
    let value = |key: &str| values.get(key).and_then(Value::as_f64);
    let quantiles = || values.keys().filter_map(|key| Some((share(key)?, value(key)?)));
    if time {
        let endpoint = Endpoint {
            name: name.to_owned(),
            mean: Some(mean * MILLISECOND),
            samples: value("count").map(|count| count as u64),
            quantiles: quantiles().map(|(share, value)| (share, value * MILLISECOND)).collect(),
            ..Endpoint::default()
        };
        endpoint.add_to(builder);
        return;
    }
    let unit = if statistics.contains.as_deref() == Some("data") { Unit::Byte } else { Unit::Ratio };
    let metric = |name: &'static str| match &unit {
        Unit::Byte => Metric::measured(name, Unit::Byte, Direction::Lower),
        other => with_direction(Metric::measured(name, other.clone(), Direction::Unknown), base, statistics),
    };
    builder.add(name, metric("value:mean"), [Evidence::Value(mean)]);
    for (share, value) in quantiles() {
        let statistic = match share {
            0.5 => "value:p50",
            0.9 => "value:p90",
            0.95 => "value:p95",
            0.99 => "value:p99",
            _ => continue,
        };
        builder.add(name, metric(statistic), [Evidence::Value(value)]);
    }
}

/// Adds a rate. `passes` counts `true`, which is good for `checks` and bad for `http_req_failed`.
fn add_rate(
    name: &str,
    base: &str,
    passes: f64,
    fails: f64,
    statistics: &Statistics,
    builder: &mut ReadingBuilder<'_>,
) {
    let all = passes + fails;
    if all == 0.0 {
        return builder.warn("no-samples", format!("rate `{name}` has no samples; skipped"));
    }
    let failures = counts_failures(base);
    let stated = threshold_direction(statistics);
    if base == "checks" {
        return add_errors(builder, name, Some(fails), Some(all));
    }
    if failures && stated != Some(Direction::Higher) {
        return add_errors(builder, name, Some(passes), Some(all));
    }
    // As an error rate: a success rate that falls from 99.9% to 90% changes by only 10%, its error rate by a factor of 100.
    if stated != Some(Direction::Lower) && counts_successes(base) {
        return add_errors(builder, name, Some(fails), Some(all));
    }
    // A rate may be the share of successes or of errors.
    let metric = Metric::measured("rate", Unit::Percent, Direction::Unknown);
    let metric = match with_direction(metric, base.trim_end_matches("_rate"), statistics) {
        metric if metric.direction == Direction::Lower => error_rate(),
        metric => metric,
    };
    builder.add(name, metric, [share_of(passes, all)]);
}

/// A custom metric with its better direction: as its threshold states it, else by the words of its name.
fn with_direction(metric: Metric, base: &str, statistics: &Statistics) -> Metric {
    match threshold_direction(statistics) {
        Some(direction) => Metric { direction, ..metric },
        None => metric.with_assumed(direction_of_words(base)),
    }
}

/// The better direction according to a threshold: lower for `rate<0.01`, higher for `rate>0.95`.
fn threshold_direction(statistics: &Statistics) -> Option<Direction> {
    let condition = statistics.thresholds.keys().find(|condition| condition.contains(['<', '>']))?;
    Some(if condition.contains('<') { Direction::Lower } else { Direction::Higher })
}

/// The quantile of a statistic's name: `med`, `p(95)`, `max`.
fn share(key: &str) -> Option<f64> {
    match key {
        "min" => Some(0.0),
        "med" => Some(0.5),
        "max" => Some(1.0),
        _ => text::number(key.strip_prefix("p(")?.strip_suffix(')')?).map(|percent| percent / 100.0),
    }
}
