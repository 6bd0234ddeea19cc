//! BenchmarkDotNet's tables (CSV in any culture, and GitHub's Markdown): mean, standard deviation and allocations. Version 0.9
//! has the median in place of the mean.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};

/// BenchmarkDotNet's tables (CSV in any culture, and GitHub's Markdown).
#[derive(Debug)]
pub struct BenchmarkDotNetTable;

impl Format for BenchmarkDotNetTable {
    fn name(&self) -> &'static str {
        "benchmarkdotnet-table"
    }

    fn produced_by(&self) -> &'static str {
        "dotnet run -c Release -- --exporters csv github (*-report.csv, *-report-github.md)"
    }

    fn metrics(&self) -> &'static str {
        "time: mean and sd; memory (Allocated)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let has = |line, columns: &[&str]| has_header(line, columns);
        preview.lines().any(|line| {
            (has(line, &["Method", "Mean"]) || has(line, &["Method", "Median", "StdDev"])) && !line.contains("Ratio to")
        })
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| {
            let has = |name: &str| cells.iter().any(|cell| cell == name);
            has("Method") && (has("Mean") || has("Median"))
        })?;
        let fixed =
            ["Method", "Mean", "Error", "StdDev", "StdErr", "Median", "Min", "Max", "Allocated", "Alloc Ratio", "Op/s"];
        let centre = if table.column("Mean").is_some() { "Mean" } else { "Median" };
        let mean = table.column(centre).unwrap_or_default();
        let point = decimal_point(table.rows.iter().filter_map(|(_, row)| row.get(mean).cloned()));
        let quantity = |cell: &str| quantity(cell, point);
        // Columns before the mean that differ between rows are parameters and jobs; those after it are statistics.
        let varies = |at: usize| table.rows.iter().any(|(_, row)| row.get(at) != table.rows[0].1.get(at));
        let parameters: Vec<usize> = (0..mean)
            .filter(|at| table.header.get(*at).is_some_and(|name| !fixed.contains(&name.as_str())) && varies(*at))
            .collect();
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| row.get(table.column(name)?).map(String::as_str);
            let Some(method) = cell("Method").filter(|method| !method.is_empty()) else { continue };
            let mut name = cell("Type").map_or_else(|| method.to_owned(), |class| format!("{class}.{method}"));
            for at in &parameters {
                if let (Some(parameter), Some(value)) = (table.header.get(*at), row.get(*at))
                    && parameter != "Type"
                {
                    name.push_str(&format!("/{parameter}={value}"));
                }
            }
            let Some((value, unit)) = cell(centre).and_then(quantity) else {
                builder.warn("failed-benchmark", format!("`{name}` has no {}; skipped", centre.to_lowercase()));
                continue;
            };
            let scale = builder.unit(&unit);
            let sd =
                cell("StdDev").and_then(quantity).and_then(|(value, unit)| Some(value * Unit::parse(&unit)?.factor));
            let value = value * scale.factor;
            let mean = (centre == "Mean").then_some(value);
            let summary = Summary { centre: value, mean, sd, ..Summary::default() };
            builder.add(&name, Metric::time(), [Evidence::summary(summary)]);
            if let Some((bytes, unit)) = cell("Allocated").and_then(quantity) {
                let scale = builder.unit(&unit);
                let metric = Metric::measured("memory", Unit::Byte, Direction::Lower);
                builder.add(&name, metric, [Evidence::Value(bytes * scale.factor)]);
            }
        }
        builder.finish()
    }
}

/// The decimal point of the table: the last separator of a mean, which always has decimals.
fn decimal_point(means: impl Iterator<Item = String>) -> char {
    means.filter_map(|mean| mean.chars().rev().find(|c| matches!(c, '.' | ','))).next().unwrap_or('.')
}

/// A number with its unit, in any culture: `1,234.5 ns`, `1.234,5 ns`, `1 234,5 ns`.
fn quantity(cell: &str, point: char) -> Option<(f64, String)> {
    let at = cell.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (number, unit) = cell.split_at(at);
    let plain: String = number
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '\u{2019}'))
        .filter_map(|c| match c {
            _ if c == point => Some('.'),
            '.' | ',' => None,
            c => Some(c),
        })
        .collect();
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then(|| (value, unit.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_old_versions_are_read() {
        for text in [
            "      Method |     Median |    StdDev |\n------------ |----------- |---------- |\n ContainsKey | 22.5000 ns | 0.3243 ns |\n",
            "Type;Method;Mode;Median;StdDev\nMaps;ContainsKey;Throughput;22.5000 ns;0.3243 ns\n",
        ] {
            assert!(BenchmarkDotNetTable.sniff(&Preview::of(text.as_bytes())), "{text}");
            let reading = BenchmarkDotNetTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
            assert_eq!(reading.measurements.len(), 1);
            assert!(reading.measurements[0].benchmark.as_str().ends_with("ContainsKey"));
            assert_eq!(reading.measurements[0].evidence[0].centre(), 22.5);
        }
    }

    #[test]
    fn numbers_of_all_cultures_are_read() {
        for text in ["1,234.5 ns", "1.234,5 ns", "1 234,5 ns", "1\u{a0}234,5 ns", "1'234.5 ns"] {
            let point = decimal_point([text.to_owned()].into_iter());
            assert_eq!(quantity(text, point).map(|(value, _)| value), Some(1234.5), "{text}");
            assert_eq!(quantity("112 B", point), Some((112.0, "B".to_owned())));
        }
        assert_eq!((quantity("1.024 B", ','), quantity("NA", ',')), (Some((1024.0, "B".to_owned())), None));
    }
}
