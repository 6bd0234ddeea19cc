//! The metrics of a load test's endpoint (requests per second, response times, errors), named the same for every tool.

use super::builder::ReadingBuilder;
use crate::model::{Direction, Evidence, Metric, Summary, Unit};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Quantiles that are metrics of their own, as the median is.
const TAILS: [(f64, &str); 4] = [(0.9, "time:p90"), (0.95, "time:p95"), (0.99, "time:p99"), (1.0, "time:max")];

/// Results of one endpoint. Times are in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Endpoint {
    /// Benchmark name.
    pub name: String,
    /// All finished requests, including failed ones: the denominator of the error rate.
    pub requests: Option<f64>,
    /// Requests that failed.
    pub errors: Option<f64>,
    /// Requests per second.
    pub rate: Option<Evidence>,
    /// Mean response time.
    pub mean: Option<f64>,
    /// Standard deviation of individual response times.
    pub sd: Option<f64>,
    /// Number of response times behind the mean and the quantiles.
    pub samples: Option<u64>,
    /// Quantiles of the response time as (share, value), in any order; 0 is the minimum, 1 the maximum.
    pub quantiles: Vec<(f64, f64)>,
    /// Settings of the load in the tool's output, such as the number of connections.
    pub settings: Vec<(&'static str, String)>,
    /// Metrics that only this tool has.
    pub others: Vec<(Metric, Evidence)>,
    /// The error that makes the results invalid.
    pub failure: Option<String>,
}

/// The endpoints in a file of several reports, each with the line where its report ended.
#[derive(Debug, Default)]
pub(super) struct Endpoints(Vec<(Option<u64>, Endpoint)>);

impl Endpoints {
    /// Adds the results of an endpoint that ended at a line.
    pub(super) fn push(&mut self, line: Option<u64>, endpoint: Endpoint) {
        if !endpoint.name.is_empty() {
            self.0.push((line, endpoint));
        }
    }

    /// Adds the metrics of all endpoints. Results of one name are runs of one benchmark, unless a setting differs: then each
    /// value of the setting is a benchmark, such as `/search/connections=64`.
    pub(super) fn add_to(self, builder: &mut ReadingBuilder<'_>) {
        let mut values: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
        for (_, endpoint) in &self.0 {
            for (setting, value) in &endpoint.settings {
                values.entry((endpoint.name.clone(), *setting)).or_default().insert(value.clone());
            }
        }
        for (line, mut endpoint) in self.0 {
            builder.line = line;
            let name = endpoint.name.clone();
            for (setting, value) in &endpoint.settings {
                if values.get(&(name.clone(), *setting)).is_some_and(|values| values.len() > 1) {
                    endpoint.name.push_str(&format!("/{setting}={value}"));
                }
            }
            endpoint.add_to(builder);
        }
    }
}

impl Endpoint {
    /// Adds the endpoint's metrics as one run.
    pub(super) fn add_to(mut self, builder: &mut ReadingBuilder<'_>) {
        self.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.quantiles.dedup_by(|a, b| a.0 == b.0);
        let quantile = |share: f64| self.quantiles.iter().find(|q| q.0 == share).map(|q| q.1);
        let (mean, sd, samples) = (self.mean, self.sd, self.samples);
        let summary = |centre, quantiles| Evidence::summary(Summary { centre, mean, sd, samples, quantiles });
        let name = self.name.as_str();
        self.settings.iter().for_each(|(setting, value)| builder.settings.add(name, setting, value));
        if let Some(why) = &self.failure {
            return builder.fail(name, why);
        }
        if let Some(rate) = self.rate {
            builder.add_run(name, Metric::throughput(), rate);
        }
        let median = quantile(0.5);
        if let Some(median) = median {
            builder.add_run(name, response_time("time:p50"), summary(median, self.quantiles.clone()));
        }
        if let Some(mean) = self.mean {
            let quantiles = if median.is_none() { self.quantiles.clone() } else { Vec::new() };
            builder.add_run(name, response_time("time:mean"), summary(mean, quantiles));
        }
        for (share, metric) in TAILS {
            if let Some(value) = quantile(share) {
                builder.add_run(name, response_time(metric), Evidence::Value(value));
            }
        }
        add_errors(builder, name, self.errors, self.requests);
        for (metric, evidence) in self.others {
            builder.add_run(name, metric, evidence);
        }
    }
}

/// Adds the error rate or, if the number of requests is unknown, the number of failed ones. In a test of fixed length a server
/// that answers twice as many requests also has twice as many errors at the same rate.
pub(super) fn add_errors(builder: &mut ReadingBuilder<'_>, name: &str, errors: Option<f64>, requests: Option<f64>) {
    let Some(errors) = errors else { return };
    match requests.filter(|&requests| requests > 0.0) {
        Some(requests) => builder.add_run(name, error_rate(), share(errors, requests)),
        None => {
            builder.add_run(name, Metric::measured("errors", Unit::Count, Direction::Lower), Evidence::Value(errors));
        }
    }
}

/// A share in percent, with the total that it refers to: reports show the number of events.
pub(super) fn share(events: f64, all: f64) -> Evidence {
    Evidence::summary(Summary { centre: 100.0 * events / all, samples: Some(all as u64), ..Summary::default() })
}

/// A response time metric.
pub(super) fn response_time(name: impl Into<Cow<'static, str>>) -> Metric {
    Metric::measured(name, Unit::Nanosecond, Direction::Lower)
}

/// Percentage of failed requests.
pub(super) fn error_rate() -> Metric {
    Metric::measured("error-rate", Unit::Percent, Direction::Lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Source;

    #[test]
    fn each_statistic_of_an_endpoint_is_a_metric() {
        let mut builder = ReadingBuilder::new("tool", Source { name: "file", bytes: b"x" });
        let endpoint = Endpoint {
            name: "/a".into(),
            requests: Some(200.0),
            errors: Some(3.0),
            rate: Some(Evidence::Value(10.0)),
            mean: Some(5.0),
            quantiles: vec![(1.0, 9.0), (0.5, 4.0), (0.66, 6.0), (0.95, 8.0)],
            ..Endpoint::default()
        };
        endpoint.add_to(&mut builder);
        let reading = builder.finish().unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| &*m.metric.name).collect();
        assert_eq!(names, ["throughput", "time:p50", "time:mean", "time:p95", "time:max", "error-rate"]);
        assert_eq!(reading.measurements[5].evidence, [share(3.0, 200.0)]);
    }

    #[test]
    fn results_under_other_settings_are_other_benchmarks() {
        let endpoint = |name: &str, connections: u32, rate: f64| Endpoint {
            name: name.into(),
            rate: Some(Evidence::Value(rate)),
            settings: vec![("connections", connections.to_string()), ("threads", "2".into())],
            ..Endpoint::default()
        };
        let mut endpoints = Endpoints::default();
        for (name, connections, rate) in [("/a", 8, 1.0), ("/a", 64, 2.0), ("/a", 8, 3.0), ("/b", 8, 4.0)] {
            endpoints.push(Some(1), endpoint(name, connections, rate));
        }
        endpoints.push(Some(2), Endpoint { failure: Some("refused".into()), ..endpoint("/b", 8, 5.0) });
        let mut builder = ReadingBuilder::new("tool", Source { name: "file", bytes: b"x" });
        endpoints.add_to(&mut builder);
        let reading = builder.finish().unwrap();
        let runs = reading.measurements.iter().map(|one| (one.benchmark.as_str(), one.evidence.len()));
        assert_eq!(runs.collect::<Vec<_>>(), [("/a/connections=8", 2), ("/a/connections=64", 1), ("/b", 1)]);
        assert_eq!(reading.failures.benchmarks[0].benchmark.as_str(), "/b");
    }
}
