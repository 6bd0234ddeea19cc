//! nanobench's tables: what it prints (Markdown), and its CSV.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, cells, has_header};
use super::text::{self, nanoseconds, number};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// nanobench's tables.
#[derive(Debug)]
pub struct NanobenchTable;

impl Format for NanobenchTable {
    fn name(&self) -> &'static str {
        "nanobench-table"
    }

    fn produced_by(&self) -> &'static str {
        "./bench > FILE, or ankerl::nanobench::render(templates::csv(), bench, out)"
    }

    fn metrics(&self) -> &'static str {
        "time: one value per unit; instructions"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["title", "name", "elapsed", "error %"]) || is_printed(line))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        if text.lines().any(is_printed) {
            read_printed(&mut builder, &text);
        } else {
            read_csv(&mut builder, source)?;
        }
        builder.finish()
    }
}

fn read_csv(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<(), Diagnostic> {
    let table =
        TableText::read(source, |cells| ["elapsed", "error %"].iter().all(|name| cells.iter().any(|c| c == name)))?;
    table.report_cut(builder);
    for (line, row) in &table.rows {
        builder.line = *line;
        let cell = |name: &str| table.cell(row, name);
        let batch = cell("batch").and_then(number).filter(|batch| *batch > 0.0).unwrap_or(1.0);
        let value = |name: &str| number(cell(name)?).map(|value| value / batch);
        let name = named(cell("title").unwrap_or_default(), cell("name").unwrap_or_default());
        add(builder, &name, value("elapsed").map(|seconds| seconds * 1e9), value("instructions"));
    }
    Ok(())
}

/// Reads the printed tables: a new one begins with each title, unit and batch size.
fn read_printed(builder: &mut ReadingBuilder<'_>, text: &str) {
    let mut header = Vec::new();
    for (line_number, line) in text::numbered_lines(text) {
        builder.line = Some(line_number);
        let Some(row) = line.strip_prefix('|').filter(|row| !row.starts_with('-')) else { continue };
        if is_printed(line) {
            header = cells(line, '|');
            continue;
        }
        // The name is last and may contain bars.
        let row: Vec<&str> = row.splitn(header.len(), '|').map(str::trim).collect();
        let (Some(title), Some(name)) = (header.last(), row.get(header.len().saturating_sub(1))) else { continue };
        let name = name.strip_prefix(":wavy_dash:").unwrap_or(name).trim_start();
        let name = name.split_once("` (Unstable with").map_or(name, |(name, _)| name).trim_matches('`');
        let unit = header.iter().enumerate().find_map(|(at, cell)| Some((at, nanoseconds(cell.split_once('/')?.0)?)));
        let time = unit.and_then(|(at, factor)| Some(number(row.get(at)?)? * factor));
        let counted = header.iter().position(|cell| cell.starts_with("ins/"));
        let instructions = counted.and_then(|at| number(row.get(at)?));
        add(builder, &named(title, name), time, instructions);
    }
}

/// `title/name`; the title of a suite without one is `benchmark`.
fn named(title: &str, name: &str) -> String {
    if matches!(title, "" | "benchmark") { name.to_owned() } else { format!("{title}/{name}") }
}

fn add(builder: &mut ReadingBuilder<'_>, name: &str, time: Option<f64>, instructions: Option<f64>) {
    let Some(time) = time else { return };
    builder.add_run(name, Metric::time(), Evidence::Value(time));
    if let Some(instructions) = instructions.filter(|count| *count > 0.0) {
        let metric = Metric::measured("instructions", Unit::Count, Direction::Lower);
        builder.add_run(name, metric, Evidence::Value(instructions));
    }
}

/// The header of the printed table.
fn is_printed(line: &str) -> bool {
    line.starts_with('|') && line.contains("|    err% |")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, f64)> {
        let reading = NanobenchTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let time = |m: &crate::model::Measurement| (m.benchmark.to_string(), m.evidence[0].centre());
        reading.measurements.iter().map(time).collect()
    }

    #[test]
    fn each_printed_table_has_its_own_unit_and_title() {
        let text = "\
            |               ns/op |                op/s |    err% |     total | codec\n\
            |--------------------:|--------------------:|--------:|----------:|:------\n\
            |           38,378.75 |           26,056.09 |    3.7% |      0.09 | :wavy_dash: `a` (Unstable with ~44 iters. Increase `minEpochIterations` to e.g. 4469)\n\
            \n\
            | relative |             us/byte |              byte/s |    err% |     total | benchmark\n\
            |---------:|--------------------:|--------------------:|--------:|----------:|:----------\n\
            |   100.0% |                0.10 |        9,759,510.16 |    4.6% |      0.08 | `b | c`\n";
        assert_eq!(read(text), [("codec/a".to_owned(), 38_378.75), ("b | c".to_owned(), 100.0)]);
    }

    #[test]
    fn values_of_the_csv_are_per_unit_of_the_batch() {
        let text = "\"title\";\"name\";\"unit\";\"batch\";\"elapsed\";\"error %\";\"instructions\"\n\
            \"t\";\"a\";\"byte\";4;2e-06;0.03;0\n";
        assert_eq!(read(text), [("t/a".to_owned(), 500.0)]);
    }
}
