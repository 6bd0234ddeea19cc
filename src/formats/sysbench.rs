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

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.starts_with("sysbench ")) && preview.text.contains("General statistics:")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut endpoint = Endpoint { name: "sysbench".to_owned(), ..Endpoint::default() };
        let mut queries = None;
        for (_, line) in numbered_lines(&text) {
            let Some((key, value)) = line.trim().split_once(':') else { continue };
            let value = value.trim();
            let per_second = || number(value.split_once('(')?.1.split(' ').next()?);
            let time = || number(value).map(|milliseconds| milliseconds * MILLISECOND);
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
                "95th percentile" => endpoint.quantiles.extend(time().map(|p95| (0.95, p95))),
                _ => {}
            }
        }
        endpoint.add_to(&mut builder);
        if let Some(queries) = queries {
            let metric = Metric::measured("queries", Unit::PerSecond, Direction::Higher);
            builder.add_run("sysbench", metric, Evidence::Value(queries));
        }
        builder.finish()
    }
}
