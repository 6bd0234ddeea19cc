//! JMH's CSV: score and error of each benchmark, named as in its JSON.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::number;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric, Unit, UnitScale};

/// JMH's CSV.
#[derive(Debug)]
pub struct JmhCsv;

impl Format for JmhCsv {
    fn name(&self) -> &'static str {
        "jmh-csv"
    }

    fn produced_by(&self) -> &'static str {
        "java -jar benchmarks.jar -rf csv -rff FILE"
    }

    fn metrics(&self) -> &'static str {
        "time or throughput: mean and its error"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["Benchmark", "Mode", "Threads", "Score", "Unit"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "Score"))?;
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| row.get(table.column(name)?).map(String::as_str);
            let (Some(benchmark), Some(score), Some(label)) =
                (cell("Benchmark"), cell("Score").and_then(number), cell("Unit"))
            else {
                builder.warn("unreadable-entry", "the row has no score; skipped");
                continue;
            };
            // Rows of secondary results and percentiles are not benchmarks of their own.
            if benchmark.contains(':') {
                continue;
            }
            let mut name = benchmark.to_owned();
            for (column, value) in table.header.iter().zip(row).filter(|(_, value)| !value.is_empty()) {
                if let Some(parameter) = column.strip_prefix("Param: ") {
                    name.push_str(&format!("/{parameter}={value}"));
                }
            }
            let scale = match label.strip_suffix("/op").and_then(Unit::parse) {
                Some(scale) => scale,
                None => match label.strip_prefix("ops/").and_then(Unit::parse) {
                    Some(scale) => UnitScale { unit: Unit::PerSecond, factor: 1e9 / scale.factor },
                    None => builder.unit(label),
                },
            };
            let metric = if scale.unit == Unit::PerSecond { Metric::throughput() } else { Metric::time() };
            builder.add_run(&name, metric, Evidence::Value(score * scale.factor));
        }
        builder.finish()
    }
}
