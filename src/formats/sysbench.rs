//! sysbench's report of one run: throughput and latency.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::text::{number, numbered_lines};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// Nanoseconds in sysbench's unit of time.
const MILLISECOND: f64 = 1e6;

/// sysbench's report of one run.
#[derive(Debug)]
pub struct Sysbench;

impl Format for Sysbench {
    fn name(&self) -> &'static str {
        "sysbench"
    }

    fn produced_by(&self) -> &'static str {
        "sysbench TEST run > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput (transactions or events per second), queries, time:p95/max, time:mean, error-rate"
    }

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.starts_with("sysbench ")) && preview.text.contains("General statistics:")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut endpoint = Endpoint { name: "sysbench".to_owned(), ..Endpoint::default() };
        let mut queries = None;
        for (at, line) in numbered_lines(&text) {
            let Some((key, value)) = line.trim().split_once(':') else { continue };
            builder.line = Some(at);
            let value = value.trim();
            let per_second = || number(value.split_once('(')?.1.split(' ').next()?);
            // Versions before 1.0 print the unit: `2.10ms`.
            let time = || text::time(value).or_else(|| Some(number(value)? * MILLISECOND));
            match key {
                "transactions" | "events per second" if endpoint.rate.is_none() => {
                    endpoint.rate = per_second().or_else(|| number(value)).map(Evidence::Value);
                }
                "events/s (eps)" => endpoint.rate = number(value).map(Evidence::Value),
                "Number of threads" => endpoint.settings.push(("threads", value.to_owned())),
                "queries" => queries = per_second(),
                "total number of events" => endpoint.requests = number(value),
                "ignored errors" => endpoint.errors = value.split(' ').next().and_then(number),
                "min" => endpoint.quantiles.extend(time().map(|min| (0.0, min))),
                "avg" => endpoint.mean = time(),
                "max" => endpoint.quantiles.extend(time().map(|max| (1.0, max))),
                _ => match percentile(key).zip(time()) {
                    Some(quantile) => endpoint.quantiles.push(quantile),
                    None => continue,
                },
            }
            builder.has_result();
        }
        builder.line = None;
        endpoint.add_to(&mut builder);
        if let Some(queries) = queries {
            let metric = Metric::measured("queries", Unit::PerSecond, Direction::Higher);
            builder.add_run("sysbench", metric, Evidence::Value(queries));
        }
        builder.finish()
    }
}

/// The share of `95th percentile` or, before version 1.0, `approx.  95 percentile`.
fn percentile(key: &str) -> Option<f64> {
    let percent = key.strip_suffix("percentile")?.split_whitespace().last()?;
    number(percent.trim_end_matches("th")).map(|percent| percent / 100.0).filter(|share| (0.0..1.0).contains(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_versions_before_1_0_are_read() {
        let text = "sysbench 0.5:  multi-threaded system evaluation benchmark\n    transactions:    100 (16.32 per sec.)\n\
            General statistics:\n    total number of events:   100\n    response time:\n         min:     2.10ms\n\
         avg:     9.60ms\n         max:     123.45ms\n         approx.  95 percentile:     15.43ms\n";
        let source = Source { name: "x", bytes: text.as_bytes() };
        assert!(Sysbench.sniff(&Preview::of(source.bytes)));
        let reading = Sysbench.parse(source).unwrap();
        let value = |metric: &str| {
            let found = reading.measurements.iter().find(|one| one.metric.name == metric);
            found.map(|one| one.evidence[0].centre().round())
        };
        assert_eq!(value("time:p95"), Some(15_430_000.0));
        assert_eq!(value("time:mean"), Some(9_600_000.0));
        assert_eq!(value("time:max"), Some(123_450_000.0));
    }
}
