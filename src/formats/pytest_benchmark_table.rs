//! The table that pytest-benchmark prints: minimum, maximum, mean, standard deviation and median.

use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// The table that pytest-benchmark prints.
#[derive(Debug)]
pub struct PytestBenchmarkTable;

impl Format for PytestBenchmarkTable {
    fn name(&self) -> &'static str {
        "pytest-benchmark-table"
    }

    fn produced_by(&self) -> &'static str {
        "pytest > FILE (pytest-benchmark)"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| unit_of_header(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        let mut table: Option<(f64, Vec<&str>)> = None;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if let Some(factor) = unit_of_header(line) {
                let columns = line.split_once(')').map_or("", |(_, columns)| columns);
                table = Some((factor, columns.split_whitespace().collect()));
            } else if line.trim().is_empty() {
                table = None;
            } else if let Some((factor, columns)) = &table {
                let Some((name, values)) = values_of(line) else { continue };
                let value = |column: &str| {
                    let at = columns.iter().position(|name| *name == column)?;
                    values.get(at).map(|value| value * factor)
                };
                let Some(centre) = value("Median").or(value("Mean")) else { continue };
                let ends = [(0.0, value("Min")), (1.0, value("Max"))];
                let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
                let summary = Summary { centre, mean: value("Mean"), sd: value("StdDev"), samples: None, quantiles };
                builder.add_run(name, Metric::time(), Evidence::summary(summary));
            }
        }
        builder.finish()
    }
}

/// The factor to nanoseconds of a header `Name (time in us)   Min   Max …`.
fn unit_of_header(line: &str) -> Option<f64> {
    let (unit, columns) = line.trim_start().strip_prefix("Name (time in ")?.split_once(')')?;
    (columns.contains("Mean") || columns.contains("Median")).then_some(())?;
    nanoseconds(unit)
}

/// The name of a row, and its numbers without those in brackets, which are ratios to the best row.
fn values_of(line: &str) -> Option<(&str, Vec<f64>)> {
    let (name, rest) = line.split_once("  ").or_else(|| line.split_once(' '))?;
    let values = rest.split_whitespace().filter(|word| !word.starts_with('(')).map_while(number).collect::<Vec<_>>();
    (!values.is_empty() && !name.is_empty()).then_some((name, values))
}
