//! nanobench's tables: what it prints (Markdown), and its CSV.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::{nanoseconds, number};
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
        let table = TableText::read(source, |cells| {
            let has = |name: &str| cells.iter().any(|cell| cell == name);
            has("elapsed") && has("error %") || has("err%")
        })?;
        let is_csv = table.column("elapsed").is_some();
        let last = table.header.len().saturating_sub(1);
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| row.get(table.column(name)?).map(String::as_str);
            let value = |name: &str| number(cell(name)?);
            let (name, time, instructions) = if is_csv {
                let own = cell("name").unwrap_or_default();
                let title = cell("title").filter(|title| !matches!(*title, "" | "benchmark"));
                let name = title.map_or_else(|| own.to_owned(), |title| format!("{title}/{own}"));
                (name, value("elapsed").map(|seconds| seconds * 1e9), value("instructions"))
            } else {
                let unit = table.header.iter().enumerate().find_map(|(at, cell)| {
                    Some((at, nanoseconds(cell.split_once('/').filter(|(unit, _)| *unit != "op")?.0)?))
                });
                let time = unit.and_then(|(at, factor)| Some(number(row.get(at)?)? * factor));
                let counted = table.header.iter().position(|cell| cell.starts_with("ins/"));
                let name = row.get(last).map(|name| name.trim_matches('`').to_owned()).unwrap_or_default();
                (name, time, counted.and_then(|at| number(row.get(at)?)))
            };
            let Some(time) = time else { continue };
            builder.add_run(&name, Metric::time(), Evidence::Value(time));
            if let Some(instructions) = instructions.filter(|count| *count > 0.0) {
                let metric = Metric::measured("instructions", Unit::Count, Direction::Lower);
                builder.add_run(&name, metric, Evidence::Value(instructions));
            }
        }
        builder.finish()
    }
}

/// The header of the printed table.
fn is_printed(line: &str) -> bool {
    line.starts_with('|') && line.contains("|    err% |")
}
