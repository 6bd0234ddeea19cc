//! What load tests have in common: requests a second, response times and errors of one endpoint, under one set of
//! metric names whatever the tool calls them. How a tool writes them down is for its own file.

use super::builder::ReadingBuilder;
use crate::model::{Direction, Evidence, Metric, Summary, Unit};
use std::borrow::Cow;

/// The quantiles that become metrics of their own, beside the median.
const TAILS: [(f64, &str); 4] = [(0.9, "time:p90"), (0.95, "time:p95"), (0.99, "time:p99"), (1.0, "time:max")];

/// What a load test says of one endpoint. Times are in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Endpoint {
    /// The benchmark's name.
    pub name: String,
    /// Requests that were answered or failed: what the errors are a share of.
    pub requests: Option<f64>,
    /// Requests that failed.
    pub errors: Option<f64>,
    /// Requests a second.
    pub rate: Option<Evidence>,
    /// Mean response time.
    pub mean: Option<f64>,
    /// Standard deviation of single response times.
    pub sd: Option<f64>,
    /// How many response times the mean and the quantiles stand on.
    pub samples: Option<u64>,
    /// Quantiles of the response time as (share, value), in any order; 0 and 1 are the extremes.
    pub quantiles: Vec<(f64, f64)>,
}

impl Endpoint {
    /// Writes the endpoint's metrics down as one process run.
    pub(super) fn add_to(mut self, builder: &mut ReadingBuilder<'_>) {
        self.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.quantiles.dedup_by(|a, b| a.0 == b.0);
        let quantile = |share: f64| self.quantiles.iter().find(|q| q.0 == share).map(|q| q.1);
        let summary = |centre, quantiles| {
            let (mean, sd, samples) = (self.mean, self.sd, self.samples);
            Evidence::summary(Summary { centre, mean, sd, samples, quantiles })
        };
        let name = self.name.as_str();
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
    }
}

/// Writes down how many of the requests failed, and their share; a share of nothing is left out.
pub(super) fn add_errors(builder: &mut ReadingBuilder<'_>, name: &str, errors: Option<f64>, requests: Option<f64>) {
    let Some(errors) = errors else { return };
    builder.add_run(name, Metric::measured("errors", Unit::Count, Direction::Lower), Evidence::Value(errors));
    if let Some(requests) = requests.filter(|&requests| requests > 0.0) {
        builder.add_run(name, error_rate(), Evidence::Value(100.0 * errors / requests));
    }
}

/// A statistic of the response time.
pub(super) fn response_time(name: impl Into<Cow<'static, str>>) -> Metric {
    Metric::measured(name, Unit::Nanosecond, Direction::Lower)
}

/// Failed requests in percent.
pub(super) fn error_rate() -> Metric {
    Metric::measured("error-rate", Unit::Percent, Direction::Lower)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Source;

    #[test]
    fn an_endpoint_becomes_one_metric_for_each_statistic_that_the_tool_gives() {
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
        assert_eq!(names, ["throughput", "time:p50", "time:mean", "time:p95", "time:max", "errors", "error-rate"]);
        assert_eq!(reading.measurements[6].replicates, [Evidence::Value(1.5)]);
    }
}
