//! perfgate's CSV format: columns `name`, `value` and `unit`, optionally `metric`, `direction` (`lower` or `higher`) and
//! `run`. Rows with the same name, metric and run are the samples of that run.

use super::builder::ReadingBuilder;
use super::metric_by_unit::stated_metric;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use ::csv::{ReaderBuilder, StringRecord};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// CSV with a header.
#[derive(Debug)]
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn produced_by(&self) -> &'static str {
        "a script that writes the columns name,value,unit[,metric][,direction][,run]"
    }

    fn metrics(&self) -> &'static str {
        "any metric: one value or samples per run"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        is_header(preview.first_line())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let bytes = text::utf8(source)?;
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
        let unreadable = |message: String| Diagnostic::error("unreadable", source.name, message);
        let header = reader.headers().map_err(|error| unreadable(format!("the header could not be read: {error}")))?;
        let header_len = header.len();
        let columns = Columns::of(header).map_err(|missing| {
            let wanted = "name,value,unit[,metric][,direction][,run]";
            unreadable(format!("the header has no column `{missing}`; write {wanted}"))
        })?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        for name in columns.unknown(header) {
            builder.note("unknown-field", format!("unknown column `{name}` is ignored"));
        }
        let mut table = Table::default();
        for record in reader.records() {
            match record {
                Ok(record) => {
                    builder.line = text::csv_line(bytes, record.position());
                    let has_surplus = record.iter().skip(header_len).any(|field| !field.trim().is_empty());
                    if has_surplus && !columns.is_row(&record) {
                        builder.warn("unreadable-entry", "the line is not a row of the table; skipped");
                        continue;
                    }
                    if has_surplus {
                        let place = format!("{}:{}", source.name, builder.line.unwrap_or_default());
                        return Err(text::surplus_fields(&place, record.len(), header_len));
                    }
                    match table.add(&mut builder, &columns, &record) {
                        Ok(()) => builder.note_result(),
                        Err(message) => builder.warn("unreadable-entry", message),
                    }
                }
                Err(error) => builder.warn("unreadable-entry", error.to_string()),
            }
        }
        builder.line = None;
        for series in table.series {
            builder.add(&series.name, series.metric, series.runs.into_iter().map(evidence));
        }
        builder.finish()
    }
}

/// Whether a line has the columns that are required.
pub(super) fn is_header(line: &str) -> bool {
    // This is called for each line of a log, and splitting is much slower than searching.
    if !line.contains("value") {
        return false;
    }
    let cells: Vec<&str> = line.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
    Columns::of(&StringRecord::from(cells)).is_ok()
}

fn evidence(values: Vec<f64>) -> Evidence {
    match values[..] {
        [value] => Evidence::Value(value),
        _ => Evidence::Samples(values),
    }
}

/// The rows grouped by benchmark, metric and run, in order of first appearance.
#[derive(Default)]
struct Table {
    series: Vec<Series>,
    series_at: BTreeMap<(String, Cow<'static, str>, Unit), usize>,
    runs_at: BTreeMap<(usize, String), usize>,
}

/// One metric of one benchmark: the values of each run, in perfgate's unit.
struct Series {
    name: String,
    metric: Metric,
    runs: Vec<Vec<f64>>,
}

impl Table {
    fn add(&mut self, builder: &mut ReadingBuilder<'_>, columns: &Columns, row: &StringRecord) -> Result<(), String> {
        let cell = |column: Option<usize>| column.and_then(|at| row.get(at)).map(str::trim);
        let name = row.get(columns.name).unwrap_or_default();
        let text = cell(Some(columns.value)).unwrap_or_default();
        let value: f64 = text.parse().map_err(|_| format!("`{text}` is not a number; write 1234.5"))?;
        let label = cell(Some(columns.unit)).ok_or("the row has no unit")?;
        let direction = match cell(columns.direction).unwrap_or_default() {
            "" => None,
            "lower" => Some(Direction::Lower),
            "higher" => Some(Direction::Higher),
            other => return Err(format!("`{other}` is not a valid direction; write lower or higher")),
        };
        let scale = builder.unit(label);
        let metric = stated_metric(cell(columns.metric), label, scale.unit, direction);
        let key = (name.to_owned(), metric.name.clone(), metric.unit.clone());
        let series_at = *self.series_at.entry(key).or_insert(self.series.len());
        if series_at == self.series.len() {
            self.series.push(Series { name: name.to_owned(), metric: metric.clone(), runs: Vec::new() });
        }
        let Some(series) = self.series.get_mut(series_at) else { return Ok(()) };
        // The direction may be stated in one row of several.
        if metric.certainty() > series.metric.certainty() {
            series.metric = metric;
        } else if direction.is_some_and(|direction| direction != series.metric.direction) {
            return Err(format!("`{name}` has another direction in an earlier row; row skipped"));
        }
        let run = cell(columns.run).unwrap_or_default().to_owned();
        let run_at = *self.runs_at.entry((series_at, run)).or_insert(series.runs.len());
        if run_at == series.runs.len() {
            series.runs.push(Vec::new());
        }
        if let Some(values) = series.runs.get_mut(run_at) {
            values.push(value * scale.factor);
        }
        Ok(())
    }
}

/// Index of each column.
struct Columns {
    name: usize,
    value: usize,
    unit: usize,
    metric: Option<usize>,
    direction: Option<usize>,
    run: Option<usize>,
}

impl Columns {
    const KNOWN: [&'static str; 6] = ["name", "value", "unit", "metric", "direction", "run"];

    /// The columns of a header, or the name of the first required column that is missing.
    fn of(header: &StringRecord) -> Result<Self, &'static str> {
        let at = |name: &str| header.iter().position(|cell| cell.trim() == name);
        Ok(Columns {
            name: at("name").ok_or("name")?,
            value: at("value").ok_or("value")?,
            unit: at("unit").ok_or("unit")?,
            metric: at("metric"),
            direction: at("direction"),
            run: at("run"),
        })
    }

    /// Whether a record with more fields than the header is a row: it has a number, and a unit after it.
    fn is_row(&self, record: &StringRecord) -> bool {
        let mut fields = record.iter().map(str::trim);
        fields.any(|field| field.parse::<f64>().is_ok()) && fields.any(|field| Unit::parse(field).is_some())
    }

    fn unknown(&self, header: &StringRecord) -> Vec<String> {
        header.iter().map(str::trim).filter(|cell| !Self::KNOWN.contains(cell)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Csv.parse(Source { name: "x.csv", bytes: text.as_bytes() })
    }

    #[test]
    fn rows_of_a_run_are_its_samples() {
        let text = "run,name,value,unit\n1,a,1,us\n1,a,2000,ns\n2,a,3,us\n2,\"b, c\",5,MB/s\n";
        let run = parse(text).unwrap();
        let [a, b] = &run.measurements[..] else { panic!("two benchmarks") };
        assert_eq!(a.evidence, [Evidence::Samples(vec![1000.0, 2000.0]), Evidence::Value(3000.0)]);
        assert_eq!((b.benchmark.as_str(), b.metric.direction), ("b, c", Direction::Higher));
        assert!(run.diagnostics.is_empty(), "{:?}", run.diagnostics);
    }

    #[test]
    fn invalid_rows_are_reported_by_line_and_the_others_are_read() {
        let text = "name,value,unit,metric,direction\na,1,pt,score,higher\nb,x,ms\nc,1\nd,1,ms,,up\ne,-1,ms\n";
        let run = parse(text).unwrap();
        assert_eq!(run.measurements.len(), 1);
        assert_eq!(
            (&*run.measurements[0].metric.name, run.measurements[0].metric.direction),
            ("score", Direction::Higher)
        );
        let lines: Vec<bool> = ["x.csv:3", "x.csv:4", "x.csv:5"]
            .iter()
            .map(|line| run.diagnostics.iter().any(|d| d.place == *line))
            .collect();
        assert_eq!(lines, [true; 3], "{:?}", run.diagnostics);
        assert!(run.diagnostics.iter().any(|d| d.code == "invalid-value" && d.message.contains("`e`")));
    }

    #[test]
    fn lines_are_counted_with_windows_line_ends_and_blank_lines() {
        let unix = "name,value,unit\na,1,ms\n\nb,x,ms\n\"c\nd\",x,ms\ne,x,ms\n";
        for text in [unix.to_owned(), unix.replace('\n', "\r\n")] {
            let places: Vec<String> = parse(&text).unwrap().diagnostics.into_iter().map(|d| d.place).collect();
            assert_eq!(places, ["x.csv:4", "x.csv:5", "x.csv:7"], "{text:?}");
        }
    }

    #[test]
    fn a_decimal_comma_is_an_error_with_its_line() {
        let error = parse("name,value,unit\na,1.5,ms\nb,1,5,ms\n").unwrap_err();
        assert_eq!((&*error.place, error.message.contains("4 fields")), ("x.csv:3", true), "{}", error.message);
        assert_eq!(parse("name,value,unit\na,1.5,ms,\nb,\"1\",ms,,\n").unwrap().measurements.len(), 2);
    }

    #[test]
    fn only_the_log_line_after_a_table_is_skipped() {
        let reading = parse("name,value,unit\na,1.5,ms\ndone: 3 of 4, ok, no warnings, 2 skipped\n").unwrap();
        assert_eq!((reading.measurements.len(), &*reading.diagnostics[0].place), (1, "x.csv:3"));
    }

    #[test]
    fn the_row_that_states_the_direction_decides_it() {
        let text = "name,value,unit,direction\na,1,MB,\na,2,MB,higher\na,3,MB,\na,4,MB,lower\n";
        let reading = parse(text).unwrap();
        let [a] = &reading.measurements[..] else { panic!("{:?}", reading.measurements) };
        assert_eq!((a.metric.direction, a.metric.assumed), (Direction::Higher, false));
        assert_eq!(a.evidence, [Evidence::Samples(vec![1e6, 2e6, 3e6])]);
        assert!(reading.diagnostics[0].message.contains("another direction"), "{:?}", reading.diagnostics);
    }

    #[test]
    fn a_missing_column_is_named_in_the_error() {
        assert!(parse("name,value\na,1\n").unwrap_err().message.contains("`unit`"));
    }
}
