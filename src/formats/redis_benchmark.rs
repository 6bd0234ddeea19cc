//! redis-benchmark's CSV: one row for each command.

use super::builder::ReadingBuilder;
use super::load_test::Endpoint;
use super::table_text::{TableText, has_header};
use super::text::{number, numbered_lines};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, EndScope, Evidence};

/// Nanoseconds in redis-benchmark's unit of time.
const MILLISECOND: f64 = 1e6;

/// Beginnings of lines after which no result follows.
const ERRORS: [&str; 4] =
    ["Error from server: ", "Error: ", "Could not connect to Redis at ", "All clients disconnected"];

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

    fn is_load_test(&self) -> bool {
        true
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["test", "rps", "avg_latency_ms"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "avg_latency_ms"))?;
        table.report_cut(&mut builder);
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
        let text = text::decode(source)?;
        let has_rate = |row: &[String]| table.cell(row, "rps").and_then(number).is_some();
        let last_row = table.rows.iter().rev().find(|(_, row)| has_rate(row)).and_then(|(line, _)| *line);
        let is_error = |line: &str| ERRORS.iter().any(|start| line.starts_with(start));
        if let Some((line, why)) = numbered_lines(&text).find(|(at, line)| Some(*at) > last_row && is_error(line)) {
            builder.line = Some(line);
            builder.end_early(EndScope::Suite, why);
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_after_the_last_result_ended_the_run() {
        let header = "\"test\",\"rps\",\"avg_latency_ms\"\n";
        let ended = |rows: &str| {
            let text = format!("{header}{rows}");
            let reading = RedisBenchmark.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
            assert_eq!(reading.measurements[0].benchmark.as_str(), "SET");
            reading.failures.early_ends.into_iter().map(|end| end.why).collect::<Vec<_>>()
        };
        let set = "\"SET\",\"25284.45\",\"1.413\"\n";
        let error = "Error from server: MISCONF Redis is configured to save RDB snapshots, but it cannot";
        assert_eq!(ended(&format!("{set}{error}\n")), [error]);
        assert!(ended(&format!("WARNING: Could not fetch server CONFIG\n{set}")).is_empty());
        assert!(ended(&format!("Error: Server closed the connection\n{set}")).is_empty());
    }
}
