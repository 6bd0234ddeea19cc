//! `perf stat` as JSON lines (`-j`), as CSV (`-x,`) or as the printed report. Only the report contains the command, so the
//! events are the benchmarks. With `-r` a value is the mean of an unknown number of runs; with `-I` the values of the
//! intervals are the samples of one run.

mod report;

use super::builder::ReadingBuilder;
use super::metric_by_unit::metric_by_unit;
use super::{Format, Preview, Reading, Source, json, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit, UnitScale};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// perf stat.
pub struct PerfStat;

/// A line of `-j`. Values are strings, since they may be `<not counted>`.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "counter-value")]
    value: Option<Cow<'a, str>>,
    #[serde(default)]
    unit: Cow<'a, str>,
    event: Option<Cow<'a, str>>,
    interval: Option<f64>,
    cpu: Option<Cow<'a, str>>,
    core: Option<Cow<'a, str>>,
    die: Option<Cow<'a, str>>,
    socket: Option<Cow<'a, str>>,
    node: Option<Cow<'a, str>>,
    thread: Option<Cow<'a, str>>,
}

/// A value from any of the forms.
struct Row {
    /// The event, prefixed with the processor if it was counted on each one.
    name: String,
    value: String,
    unit: String,
    interval: bool,
}

/// Maximum number of fields before the value: interval, processor, number of processors.
const MAX_PREFIX: usize = 3;
/// Maximum number of fields of a line. A metric follows the 10 fields of the event, and a decimal comma splits numbers.
const MAX_FIELDS: usize = 20;

impl Format for PerfStat {
    fn name(&self) -> &'static str {
        "perf-stat"
    }

    fn produced_by(&self) -> &'static str {
        "perf stat -r 10 -j -o out.json COMMAND (or -x, -o out.csv, or the report itself)"
    }

    fn metrics(&self) -> &'static str {
        "time, instructions, cycles or count of each event: one value, the mean of the runs (with -I: a sample \
         per interval)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let mut lines = preview.lines().filter(|line| !is_comment(line));
        let titled = preview.lines().any(report::is_title);
        let Some(first) = lines.next() else { return false };
        titled
            || first.trim_start().starts_with('{') && first.contains("\"counter-value\"")
            || delimiter(first).is_some()
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut intervals: BTreeMap<String, (Metric, Vec<f64>)> = BTreeMap::new();
        let mut csv_delimiter = None;
        let mut decimal_mark = '.';
        let (mut has_title, mut in_report) = (false, false);
        let text = text::decode(source)?;
        let mut marks = report::decimal_marks(&text).into_iter();
        for (at, line) in text::numbered_lines(&text) {
            builder.line = Some(at);
            if is_comment(line) {
                continue;
            }
            if report::is_title(line) {
                (has_title, in_report) = (true, true);
                decimal_mark = marks.next().unwrap_or(decimal_mark);
            }
            let row = if in_report {
                in_report = !report::is_end(line);
                Ok(report::row(line, decimal_mark))
            } else if has_title {
                Ok(None) // output of the next program
            } else if line.trim_start().starts_with('{') {
                serde_json::from_str::<Line<'_>>(line).map(Line::row).map_err(|error| json::line_message(&error))
            } else {
                csv_delimiter = csv_delimiter.or_else(|| delimiter(line));
                let row = csv_delimiter.and_then(|delimiter| csv_row(line, delimiter));
                // Further derived metrics of the previous event are in lines whose first fields are empty.
                let derived = csv_delimiter.is_some_and(|delimiter| line.as_bytes().starts_with(&[delimiter; 3]));
                let message = "expected value, unit, event and the time it was counted; line skipped";
                if row.is_some() || derived { Ok(row) } else { Err(message.to_owned()) }
            };
            match row {
                Ok(Some(row)) => add_row(&mut builder, row, &mut intervals),
                Ok(None) => {}
                Err(message) => builder.warn("unreadable-line", message),
            }
        }
        builder.line = None;
        for (name, (metric, samples)) in intervals {
            builder.add(&name, metric, [Evidence::Samples(samples)]);
        }
        builder.finish()
    }
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// The delimiter of a CSV line of perf stat; `None` for other lines.
fn delimiter(line: &str) -> Option<u8> {
    b",;\t|:"
        .iter()
        .copied()
        .find(|delimiter| csv_row(line, *delimiter).is_some_and(|row| row.name.chars().all(|c| !c.is_whitespace())))
}

/// Parses a CSV line: value, unit, event, with `-r` the spread in percent, the time counted and its percentage.
fn csv_row(line: &str, delimiter: u8) -> Option<Row> {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(line.as_bytes());
    let record = reader.records().next()?.ok().filter(|record| record.len() <= MAX_FIELDS)?;
    let field = |at: usize| record.get(at).map(str::trim);
    let decimal = |text: &str| match delimiter {
        b',' => text.parse::<f64>().ok(),
        _ => text.replace(',', ".").parse().ok(), // some locales use a decimal comma
    };
    let number = |at: usize| field(at).and_then(decimal);
    let start = (0..=MAX_PREFIX).find(|start| {
        let value = field(*start).is_some_and(|text| text.starts_with("<not ") || decimal(text).is_some());
        let unit = field(start + 1).is_some_and(|text| text.parse::<f64>().is_err());
        let event = field(start + 2).is_some_and(|text| !text.is_empty() && text.parse::<f64>().is_err());
        let spread = field(start + 3).is_some_and(|text| text.ends_with('%'));
        let counted = start + 3 + usize::from(spread);
        let share = number(counted + 1).is_some_and(|share| (0.0..=100.0).contains(&share));
        // The percentage always has two decimals, unlike a column in the CSV of other programs. With `-x,` a decimal
        // comma splits it.
        let has_decimals = |text: &str| text.len() > 3 && matches!(text.as_bytes()[text.len() - 3], b'.' | b',');
        let is_split = delimiter == b',' && field(counted + 2).is_some_and(|text| text.len() == 2);
        let share = share && (is_split || field(counted + 1).is_some_and(has_decimals));
        value && unit && event && field(counted).is_some_and(|text| text.parse::<u64>().is_ok()) && share
    })?;
    // The time of an interval has a decimal point in all locales.
    let interval = start > 0 && number(0).is_some() && field(0).is_some_and(|text| text.contains('.'));
    let processor = (usize::from(interval)..start).filter_map(field).find(|text| text.parse::<f64>().is_err());
    let event = field(start + 2)?;
    let value = field(start)?;
    // Values with a unit have two decimals. With `-x,` a decimal comma splits such a value into two fields.
    let is_whole = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let split = delimiter == b','
        && value.len() == 2
        && is_whole(&value)
        && field(start + 1).is_some_and(|unit| !unit.is_empty());
    let whole = start.checked_sub(1).and_then(field).filter(is_whole).filter(|_| split);
    Some(Row {
        name: processor.map_or(event.to_owned(), |processor| format!("{processor}/{event}")),
        value: whole.map_or(value.to_owned(), |whole| format!("{whole}.{value}")),
        unit: field(start + 1)?.to_owned(),
        interval,
    })
}

impl Line<'_> {
    /// The value in the line; `None` for a derived metric of the previous event.
    fn row(self) -> Option<Row> {
        let (value, event) = (self.value?.into_owned(), self.event?.into_owned());
        let cpu = self.cpu.map(|cpu| format!("CPU{cpu}").into());
        let processor = [cpu, self.core, self.die, self.socket, self.node, self.thread].into_iter().flatten().next();
        let name = processor.map_or(event.clone(), |processor| format!("{processor}/{event}"));
        Some(Row { name, value, unit: self.unit.into_owned(), interval: self.interval.is_some() })
    }
}

fn add_row(builder: &mut ReadingBuilder<'_>, row: Row, intervals: &mut BTreeMap<String, (Metric, Vec<f64>)>) {
    let name = &row.name;
    if row.value.starts_with('<') {
        return builder.note("not-counted", format!("`{name}` is {}; skipped", row.value));
    }
    // Some locales use a decimal comma.
    let Ok(value) = row.value.replace(',', ".").parse::<f64>() else {
        return builder.warn("unreadable-line", format!("`{name}`: `{}` is not a number; skipped", row.value));
    };
    let event = name.rsplit('/').find(|part| !part.is_empty()).unwrap_or(name);
    let (metric, factor) = match (row.unit.as_str(), event.split(':').next()) {
        ("", Some(event @ ("instructions" | "cycles"))) => {
            (Metric::measured(event.to_owned(), Unit::Count, Direction::Lower), 1.0)
        }
        ("", _) => (Metric::measured("count", Unit::Count, Direction::Lower), 1.0),
        (label, _) => {
            let UnitScale { unit, factor } = builder.unit(label);
            (metric_by_unit(unit, label), factor)
        }
    };
    let value = value * factor;
    if row.interval {
        let (known, samples) = intervals.entry(row.name).or_insert_with(|| (metric.clone(), Vec::new()));
        if *known == metric {
            samples.push(value);
        }
    } else {
        builder.add(name, metric, [Evidence::Value(value)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        PerfStat.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    #[test]
    fn a_valid_line_among_invalid_ones_is_read() {
        let reading = read(
            "# started on x\n\nnonsense\n<not supported>,,cycles,0,100.00,,\n12.5,msec,task-clock,1250,100.00,,\n",
        )
        .unwrap();
        let time = &reading.measurements[0];
        assert_eq!((time.benchmark.as_str(), &*time.metric.name), ("task-clock", "time"));
        assert_eq!(time.evidence, [Evidence::Value(12.5e6)]);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unreadable-line", "not-counted"]);
    }

    #[test]
    fn intervals_are_samples_and_names_include_the_processor() {
        let reading = read("1.0;CPU0;5;;cycles:u;9;100.00;;\n2.0;CPU0;7;;cycles:u;9;100.00;;\n").unwrap();
        let cycles = &reading.measurements[0];
        assert_eq!((cycles.benchmark.as_str(), &*cycles.metric.name), ("CPU0/cycles:u", "cycles"));
        assert_eq!(cycles.evidence, [Evidence::Samples(vec![5.0, 7.0])]);
    }

    #[test]
    fn a_decimal_comma_between_commas_is_joined() {
        for (line, name, value) in [
            (
                "1234,56,msec,task-clock,1234560000,100,00,0,998,CPUs utilized\n",
                "task-clock",
                Evidence::Value(1234.56e6),
            ),
            ("CPU0,1234,56,msec,task-clock,1234560000,100,00,,\n", "CPU0/task-clock", Evidence::Value(1234.56e6)),
            (
                "     1.000123,1234,56,msec,task-clock,1234560000,100,00,,\n",
                "task-clock",
                Evidence::Samples(vec![1234.56e6]),
            ),
        ] {
            let reading = read(line).unwrap();
            let time = &reading.measurements[0];
            assert_eq!((time.benchmark.as_str(), &time.evidence[..]), (name, &[value][..]), "{line}");
        }
        assert_eq!(read("S0,8,1234,,cycles,9,100,00,,\n").unwrap().measurements[0].evidence, [Evidence::Value(1234.0)]);
    }

    #[test]
    fn a_decimal_comma_between_other_delimiters_is_read() {
        let text = "1234,56;msec;task-clock;1234560000;100,00;0,998;CPUs utilized\n5;;cycles;9;83,20;;\n";
        assert!(PerfStat.sniff(&Preview::of(text.as_bytes())));
        let reading = read(text).unwrap();
        let values: Vec<_> = reading.measurements.iter().map(|m| m.evidence[0].centre()).collect();
        assert_eq!((values, reading.diagnostics.len()), (vec![1234.56e6, 5.0], 0));
    }

    #[test]
    fn output_between_reports_is_not_read() {
        let report = |event: &str| {
            format!(
                " Performance counter stats for './a':\n\n  1.234,56 msec {event}\n\n  1,237000000 seconds time elapsed\n\n  \
                 1,200000000 seconds user\n  0,000000000 seconds sys\n\n"
            )
        };
        let text = format!("0.5 s done\n{}0.5 s done\n3.25 requests\n{}", report("task-clock"), report("cpu-clock"));
        let reading = read(&text).unwrap();
        let read: Vec<_> =
            reading.measurements.iter().map(|m| (m.benchmark.as_str(), m.evidence[0].centre())).collect();
        assert_eq!(read[..2], [("task-clock", 1234.56e6), ("duration_time", 1.237e9)]);
        assert_eq!(read[2..], [("cpu-clock", 1234.56e6)]);
    }

    #[test]
    fn derived_metrics_are_not_benchmarks() {
        let csv = "5,,cycles,9,100.00,1.5,GHz\n,,,,,0.5,stalled cycles\n";
        let json = "{\"counter-value\":\"5\",\"unit\":\"\",\"event\":\"cycles\"}\n{\"metric-value\":\"0.5\"}\n";
        for text in [csv, json] {
            let reading = read(text).unwrap();
            assert_eq!((reading.measurements.len(), reading.diagnostics.len()), (1, 0));
        }
    }

    #[test]
    fn other_tables_are_not_detected() {
        let sniff = |text: &str| PerfStat.sniff(&Preview::of(text.as_bytes()));
        assert!(sniff("12.5,msec,task-clock,1250,100.00,1.0,CPUs utilized\n"));
        assert!(!sniff("1717000000,120,home,200,OK,true\n"));
        assert!(!sniff("name,value,unit\na,1,ns\n"));
        assert!(!sniff("12,ms,home page,1250,100.00\n"), "event names have no spaces");
        let terse = format!("3;fio-3.33;a;0;0;{}100.00%\n", "12;".repeat(120));
        assert!(!sniff(&terse), "fio --output-format=terse");
    }
}
