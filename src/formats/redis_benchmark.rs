//! redis-benchmark's CSV: one row for each command.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::table_text::{TableText, has_header};
use super::text::number;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence};

/// Nanoseconds in redis-benchmark's unit of time.
const MILLISECOND: f64 = 1e6;

/// redis-benchmark's CSV.
#[derive(Debug)]
pub struct RedisBenchmark;

impl Format for RedisBenchmark {
    fn name(&self) -> &'static str {
        "redis-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "redis-benchmark --csv > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput, time:p50/p95/p99/max, time:mean"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["test", "rps", "avg_latency_ms"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "avg_latency_ms"))?;
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| table.cell(row, name);
            let value = |name: &str| number(cell(name)?);
            let time = |name: &str| value(name).map(|milliseconds| milliseconds * MILLISECOND);
            let shares = [
                (0.0, "min_latency_ms"),
                (0.5, "p50_latency_ms"),
                (0.95, "p95_latency_ms"),
                (0.99, "p99_latency_ms"),
                (1.0, "max_latency_ms"),
            ];
            let endpoint = Endpoint {
                name: cell("test").unwrap_or_default().to_owned(),
                rate: value("rps").map(Evidence::Value),
                mean: time("avg_latency_ms"),
                quantiles: shares.into_iter().filter_map(|(share, name)| Some((share, time(name)?))).collect(),
                ..Endpoint::default()
            };
            endpoint.add_to(&mut builder);
        }
        builder.finish()
    }
}
