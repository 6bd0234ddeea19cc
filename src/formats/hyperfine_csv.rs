//! hyperfine's CSV: mean, standard deviation and range of each command.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::number;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// Nanoseconds in hyperfine's unit of time.
const SECOND: f64 = 1e9;

/// hyperfine's CSV.
#[derive(Debug)]
pub struct HyperfineCsv;

impl Format for HyperfineCsv {
    fn name(&self) -> &'static str {
        "hyperfine-csv"
    }

    fn produced_by(&self) -> &'static str {
        "hyperfine --export-csv FILE 'COMMAND'"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["command", "mean", "stddev", "median"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "median"))?;
        table.report_cut(&mut builder);
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| table.cell(row, name);
            let time = |name: &str| cell(name).and_then(number).map(|seconds| seconds * SECOND);
            let Some(centre) = time("median").or(time("mean")) else {
                builder.warn("unreadable-entry", "the row has no time; skipped");
                continue;
            };
            let mut name = cell("command").unwrap_or_default().to_owned();
            for (column, value) in table.header.iter().zip(row) {
                if let Some(parameter) = column.strip_prefix("parameter_") {
                    name.push_str(&format!("/{parameter}={value}"));
                }
            }
            let ends = [(0.0, time("min")), (1.0, time("max"))];
            let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
            let summary = Summary { centre, mean: time("mean"), sd: time("stddev"), samples: None, quantiles };
            builder.add(&name, Metric::time(), [Evidence::summary(summary)]);
        }
        builder.finish()
    }
}
