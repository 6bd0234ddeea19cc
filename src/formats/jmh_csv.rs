//! JMH's CSV: the score of each benchmark, named as in its JSON. The table on the console has the same rows.

use super::builder::ReadingBuilder;
use super::jmh::{TimeModes, allocated, whole_bytes};
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
        let is_header = |cells: &[String]| cells.iter().any(|cell| cell == "Score");
        let table = TableText::read_repaired(source, is_header, with_decimal_commas)?;
        table.report_cut(&mut builder);
        let mut modes = TimeModes::default();
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
            add_row(&mut builder, &mut modes, &Row { benchmark, mode, score, unit, parameters: parameters.collect() });
        }
        builder.finish()
    }
}

/// A row of JMH's CSV in a language with a decimal comma, which JMH does not quote: score and error are two fields each, unless
/// the error is `NaN`.
fn with_decimal_commas(table: &TableText, row: &[String]) -> Option<Vec<String>> {
    let score = table.column("Score")?;
    let after = table.header.get(score + 2..).filter(|_| table.header[score + 1].starts_with("Score Error"))?;
    let end = row.len().checked_sub(after.len())?;
    let whole = |[whole, decimals]: [&String; 2]| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole.trim_start_matches('-')) && digits(decimals)).then(|| format!("{whole},{decimals}"))
    };
    let [score_of_row, error] = match row.get(score..end)? {
        [a, b, c, d] => [whole([a, b])?, whole([c, d])?],
        [a, b, nan] if nan == "NaN" => [whole([a, b])?, nan.clone()],
        _ => return None,
    };
    Some([&row[..score], &[score_of_row, error], &row[end..]].concat())
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
pub(super) fn add_row(builder: &mut ReadingBuilder<'_>, modes: &mut TimeModes, row: &Row<'_>) {
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
        _ => modes.metric(builder, &name, row.mode, scale.unit),
    };
    builder.add(&name, metric, [Evidence::Value(score * scale.factor)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows: &str) -> Result<Reading, Diagnostic> {
        let header = "\"Benchmark\",\"Mode\",\"Threads\",\"Samples\",\"Score\",\"Score Error (99,9%)\",\"Unit\",\"Param: size\"\n";
        JmhCsv.parse(Source { name: "j.csv", bytes: format!("{header}{rows}").as_bytes() })
    }

    #[test]
    fn a_decimal_comma_is_understood_where_it_is_certain() {
        let rows = "\"P.format\",\"avgt\",1,5,12,500000,0,200000,\"us/op\",10\n\
                    \"P.parse\",\"thrpt\",1,1,75430,967000,NaN,\"ops/s\",10\n\
                    \"P.plain\",\"avgt\",1,5,12.5,0.2,\"us/op\",10\n";
        let reading = read(rows).unwrap();
        let values: Vec<_> = reading.measurements.iter().map(|one| one.evidence[0].centre()).collect();
        assert_eq!(values, [12_500.0, 75_430.967, 12_500.0]);
        assert_eq!(reading.measurements[0].benchmark.as_str(), "P.format/size=10");
        assert_eq!(reading.diagnostics, []);
    }

    #[test]
    fn any_other_row_with_more_fields_than_the_header_is_an_error() {
        for row in
            ["\"P.a\",\"avgt\",1,5,12,500000,0,\"us/op\",10\n", "\"P.a\",\"avgt\",1,5,12.5,0.2,\"us/op\",10,20\n"]
        {
            let error = read(&format!("\"P.b\",\"avgt\",1,5,12.5,0.2,\"us/op\",10\n{row}")).unwrap_err();
            assert_eq!(error.place, "j.csv:3", "{error:?}");
        }
    }
}
