//! JMH's CSV: the score of each benchmark, named as in its JSON. The table on the console has the same rows.

use super::builder::ReadingBuilder;
use super::jmh::{allocated, whole_bytes};
use super::table_text::{TableText, has_header};
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
        "time or throughput: the mean; memory (-prof gc)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["Benchmark", "Mode", "Threads", "Score", "Unit"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "Score"))?;
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| table.cell(row, name);
            let cells = [cell("Benchmark"), cell("Mode"), cell("Score"), cell("Unit")];
            let [Some(benchmark), Some(mode), Some(score), Some(unit)] = cells else {
                builder.warn("unreadable-entry", "the row has no score; skipped");
                continue;
            };
            let parameters = table.header.iter().zip(row);
            let parameters = parameters.filter_map(|(column, value)| Some((column.strip_prefix("Param: ")?, &**value)));
            add_row(&mut builder, &Row { benchmark, mode, score, unit, parameters: parameters.collect() });
        }
        builder.finish()
    }
}

/// A row of JMH's tables.
pub(super) struct Row<'a> {
    /// The method; profilers and percentiles follow a colon.
    pub benchmark: &'a str,
    pub mode: &'a str,
    pub score: &'a str,
    pub unit: &'a str,
    /// Names and values; those that do not belong to the benchmark are empty or `N/A`.
    pub parameters: Vec<(&'a str, &'a str)>,
}

/// Adds the score of a row. Additional rows of a benchmark are skipped, except for the allocated memory.
pub(super) fn add_row(builder: &mut ReadingBuilder<'_>, row: &Row<'_>) {
    let (method, profiler) = match row.benchmark.split_once([':', '·']) {
        Some((method, profiler)) => (method, Some(profiler.trim_start_matches('·'))),
        None => (row.benchmark, None),
    };
    if profiler.is_some_and(|profiler| profiler != "gc.alloc.rate.norm") {
        return;
    }
    let mut name = method.to_owned();
    for (parameter, value) in row.parameters.iter().filter(|(_, value)| !matches!(*value, "" | "N/A")) {
        name.push_str(&format!("/{parameter}={value}"));
    }
    // The decimal point is that of the system's language; thousands are not separated.
    let score = row.score.replace(',', ".").parse::<f64>();
    if profiler.is_some() {
        // JMH prints values close to zero as a power of ten: `10⁻⁶`.
        let bytes = if row.score.starts_with("10⁻") { Ok(0.0) } else { score };
        return builder.add(&name, allocated(), bytes.into_iter().map(|bytes| whole_bytes(Evidence::Value(bytes))));
    }
    let Ok(score) = score else {
        return builder.warn("unreadable-entry", format!("`{name}` has no exact score; skipped"));
    };
    let scale = match row.unit.strip_suffix("/op").and_then(Unit::parse) {
        Some(scale) => scale,
        None => match row.unit.strip_prefix("ops/").and_then(Unit::parse) {
            Some(scale) => UnitScale { unit: Unit::PerSecond, factor: 1e9 / scale.factor },
            None => builder.unit(row.unit),
        },
    };
    let metric = match scale.unit {
        Unit::PerSecond => Metric::throughput(),
        _ if builder.has(&name, "time") => {
            Metric { name: format!("time:{}", row.mode).into(), unit: scale.unit, ..Metric::time() }
        }
        _ => Metric { unit: scale.unit, ..Metric::time() },
    };
    builder.add(&name, metric, [Evidence::Value(score * scale.factor)]);
}
