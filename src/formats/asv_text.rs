//! What asv prints while it runs: one value of each benchmark, or a table of the values of one with parameters. If it ran in several
//! environments (`Benchmarking virtualenv-py3.12`), each name ends with its environment.

use super::asv;
use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Unit};
use std::collections::BTreeSet;
use std::ops::Range;

/// What asv prints while it runs.
#[derive(Debug)]
pub struct AsvText;

impl Format for AsvText {
    fn name(&self) -> &'static str {
        "asv-text"
    }

    fn produced_by(&self) -> &'static str {
        "asv run > FILE"
    }

    fn metrics(&self) -> &'static str {
        "time, memory, memory:peak, value (track_*): one value"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().filter_map(progress).any(|text| is_rule(text, '=') || result(text).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let environments: BTreeSet<&str> = text.lines().filter_map(environment).collect();
        let mut suffix = String::new();
        let mut name = String::new();
        // A benchmark with parameters has its failures in the cells of its table, which follows.
        let mut failed: Option<String> = None;
        let mut table: Option<Table> = None;
        let mut unread: Vec<String> = Vec::new();
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if let Some(found) = environment(line).filter(|_| environments.len() > 1) {
                suffix = format!("/{found}");
            }
            match (progress(line), &mut table) {
                (Some(rule), _) if is_rule(rule, '=') => {
                    failed = None;
                    table = Some(Table::below(line));
                }
                (Some(printed), _) => {
                    table = None;
                    failed.take().into_iter().for_each(|name| builder.fail(&name, ""));
                    match (printed.split_whitespace().collect::<Vec<_>>().as_slice(), result(printed)) {
                        ([one, "failed"], _) => failed = Some(format!("{one}{suffix}")),
                        ([one, "n/a"], _) => builder.skip(&format!("{one}{suffix}")),
                        (_, Some((name, metric, value))) => {
                            builder.add_run(&format!("{name}{suffix}"), metric, Evidence::Value(value));
                        }
                        // The values of a benchmark with parameters are in a table below.
                        ([one, value], None) if *value != "ok" && is_named_with_prefix(one) => {
                            unread.push(format!("{one}{suffix}"));
                        }
                        _ => {}
                    }
                    printed.split_whitespace().next().unwrap_or_default().clone_into(&mut name);
                }
                (None, Some(rows)) => match rows.read(line) {
                    Line::Values(values) => {
                        for (arguments, value) in &values {
                            let full_name = format!("{name}({arguments}){suffix}");
                            if !add(&mut builder, &name, &full_name, value) {
                                unread.push(full_name);
                            }
                        }
                    }
                    Line::Header => {}
                    Line::End => table = None,
                },
                (None, None) => {}
            }
            if line.starts_with("[100.00%]") {
                builder.note_completion();
            }
        }
        failed.into_iter().for_each(|name| builder.fail(&name, ""));
        builder.line = None;
        if let Some(first) = unread.first() {
            let message = format!(
                "values that are not times, sizes or numbers: {} (first: `{first}`); pass the file of asv in .asv/results",
                unread.len()
            );
            builder.warn("unreadable-value", message);
        }
        builder.finish()
    }
}

/// Adds a cell of a table of the benchmark `name`. False if its value could not be read.
fn add(builder: &mut ReadingBuilder<'_>, name: &str, full_name: &str, cell: &str) -> bool {
    match (cell, value(name, cell)) {
        ("failed", _) => builder.fail(full_name, ""),
        ("n/a", _) => builder.skip(full_name),
        (_, Some((metric, value))) => builder.add_run(full_name, metric, Evidence::Value(value)),
        // A line that is not a row, such as a message after an error.
        ("", _) => {}
        _ => return false,
    }
    true
}

/// Name, metric and value in `suite.time_parse    835±0μs`.
fn result(printed: &str) -> Option<(&str, Metric, f64)> {
    let (name, text) = printed.rsplit_once(char::is_whitespace)?;
    let name = name.trim();
    let (metric, value) = value(name, text)?;
    Some((name, metric, value))
}

/// Whether the name of a benchmark has a prefix that asv requires.
fn is_named_with_prefix(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    ["time", "mem", "peakmem", "track"].iter().any(|prefix| last.starts_with(prefix))
}

/// The metric and value of a benchmark. Its unit follows from the prefix of its name.
fn value(name: &str, text: &str) -> Option<(Metric, f64)> {
    if let Some(time) = time(text) {
        return Some((Metric::time(), time));
    }
    // A name with spaces is that of a step, such as `Setting up`.
    let (metric, _) = asv::metric(name);
    let is_of_value = metric.unit != Unit::Nanosecond && !name.contains(char::is_whitespace);
    let value = if is_of_value { size(text) } else { None };
    Some((metric, value?))
}

/// A number, or a size such as `2.1k` or `120M`: asv rounds sizes to three digits, and its prefixes are powers of 1000.
fn size(text: &str) -> Option<f64> {
    const PREFIXES: [char; 8] = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
    let prefix = text.chars().last().and_then(|last| PREFIXES.iter().position(|prefix| *prefix == last));
    match prefix {
        Some(at) => Some(number(&text[..text.len() - 1])? * 1000f64.powi(at as i32 + 1)),
        None => number(text),
    }
}

/// The environment in `[ 50.00%] ·· Benchmarking virtualenv-py3.12`.
fn environment(line: &str) -> Option<&str> {
    progress(line)?.strip_prefix("Benchmarking ").map(str::trim)
}

/// The text after `[ 75.00%] ··· `.
fn progress(line: &str) -> Option<&str> {
    let (percent, rest) = line.trim().strip_prefix('[')?.split_once("%]")?;
    number(percent)?;
    Some(rest.trim().trim_start_matches(['\u{b7}', '.', ' ']))
}

/// A value such as `11.2±0.01μs`, in nanoseconds. asv prints `+-` where the terminal has no `±`.
fn time(value: &str) -> Option<f64> {
    let (centre, after) = value.split_once('\u{b1}').or(value.split_once("+-"))?;
    let unit = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    Some(number(centre)? * nanoseconds(unit)?)
}

/// A line of a table such as `====== ==========`.
fn is_rule(text: &str, with: char) -> bool {
    let text = text.trim();
    text.contains("======".replace('=', &with.to_string()).as_str()) && text.chars().all(|c| c == with || c == ' ')
}

/// Real tables have fewer columns, because asv fits them into the terminal. The limit matters because each line is searched
/// once per column.
const MAX_COLUMNS: usize = 200;

/// A table of values: the first columns are parameters; if there are more parameters, each further column has one
/// combination of them in its header, such as `a / 10`, under a line that begins with `--`.
struct Table {
    /// Positions in characters.
    columns: Vec<Range<usize>>,
    /// How many columns are parameters.
    parameters: usize,
    header: Vec<String>,
    has_line_above_header: bool,
    in_body: bool,
}

enum Line {
    /// The arguments and the text of each value.
    Values(Vec<(String, String)>),
    Header,
    End,
}

impl Table {
    /// The table whose first line this is.
    fn below(rule: &str) -> Table {
        let start = rule.chars().position(|c| c == '=').unwrap_or_default();
        let mut columns = spans(rule, '=');
        columns.retain(|span| span.start >= start);
        if columns.len() > MAX_COLUMNS {
            columns.clear();
        }
        let parameters = columns.len().saturating_sub(1);
        Table { columns, parameters, header: Vec::new(), has_line_above_header: false, in_body: false }
    }

    fn read(&mut self, line: &str) -> Line {
        if is_rule(line, '=') {
            let end = self.in_body;
            self.in_body = true;
            return if end { Line::End } else { Line::Header };
        }
        if self.in_body {
            return Line::Values(self.values(line));
        }
        if is_rule(line, '-') {
            if self.has_line_above_header {
                // The line has one span for all parameters in front, and one for the columns of values.
                let end = spans(line, '-').first().map_or(0, |span| span.end);
                self.parameters = self.columns.iter().filter(|column| column.end <= end).count();
            } else {
                self.in_body = true;
            }
        } else {
            self.has_line_above_header |= line.trim_start().starts_with("-- ");
            self.header = self.cells(line);
        }
        Line::Header
    }

    fn values(&self, line: &str) -> Vec<(String, String)> {
        let cells = self.cells(line);
        let (parameters, values) = cells.split_at(self.parameters.min(cells.len()));
        let above = self.header.iter().skip(self.parameters).map(|header| header.replace(" / ", ", "));
        let arguments = above.map(|above| {
            let all = parameters.iter().chain(Some(&above)).filter(|argument| !argument.is_empty());
            all.map(String::as_str).collect::<Vec<_>>().join(", ")
        });
        arguments.zip(values.iter().cloned()).collect()
    }

    fn cells(&self, line: &str) -> Vec<String> {
        let cell = |column: &Range<usize>| {
            let text: String = line.chars().skip(column.start).take(column.len()).collect();
            text.trim().to_owned()
        };
        self.columns.iter().map(cell).collect()
    }
}

/// The positions of the sequences of a repeated character, in characters.
fn spans(line: &str, of: char) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for at in line.chars().enumerate().filter(|(_, c)| *c == of).map(|(at, _)| at) {
        match spans.last_mut() {
            Some(span) if span.end == at => span.end += 1,
            _ => spans.push(at..at + 1),
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading {
        AsvText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap()
    }

    #[test]
    fn both_spellings_of_plus_minus_are_read() {
        for line in ["[ 75.00%] ··· a.time_b   11.5±0.01μs", "[ 75.00%] ... a.time_b   11.5+-0.01us"] {
            let reading = read(line);
            assert_eq!(reading.measurements[0].benchmark.as_str(), "a.time_b", "{line}");
            assert_eq!(reading.measurements[0].evidence, [Evidence::Value(11.5e3)], "{line}");
        }
    }

    #[test]
    fn memory_and_tracked_values_are_read_by_the_prefix_of_their_name() {
        let lines = [
            ("a.mem_list    2.1k", "memory", 2100.0),
            ("a.mem_list    928", "memory", 928.0),
            ("a.S.peakmem_load  120M", "memory:peak", 120e6),
            ("a.PeakMemLoad   1.05G", "memory:peak", 1.05e9),
            ("a.track_size    1234", "value", 1234.0),
            ("a.track_loss    1e-05", "value", 1e-5),
        ];
        for (line, metric, value) in lines {
            let line = format!("[ 16.67%] ··· {line}\n");
            assert!(AsvText.sniff(&Preview::of(line.as_bytes())), "{line}");
            let reading = read(&line);
            let one = &reading.measurements[0];
            assert_eq!((&*one.metric.name, one.benchmark.as_str()), (metric, line.split_whitespace().nth(3).unwrap()));
            assert!((one.evidence[0].centre() / value - 1.0).abs() < 1e-12, "{line}");
        }
        let table = "[ 8.33%] ··· a.peakmem_load     ok\n[ 8.33%] ··· ====== ==========\n               n\n             \
                     ------ ----------\n               10    120M\n              1000   odd\n             ====== ==========\n";
        let reading = read(&format!("{table}[ 9.00%] ··· a.track_list     [1,2]\n"));
        let one = &reading.measurements[0];
        assert_eq!((one.benchmark.as_str(), &*one.metric.name), ("a.peakmem_load(10)", "memory:peak"));
        let message = &reading.diagnostics[0].message;
        assert!(message.contains(": 2 (first: `a.peakmem_load(1000)`)"), "{message}");
        for line in ["[ 0.00%] ·· Benchmarking existing-py3.12", "[ 5.00%] ··· Setting up bench.py:4 10"] {
            assert!(!AsvText.sniff(&Preview::of(line.as_bytes())), "{line}");
        }
    }

    #[test]
    fn names_include_the_environment_if_there_are_several() {
        let of = |environment: &str, value: &str| {
            format!("[ 0.00%] ·· Benchmarking {environment}\n[ 15.00%] ··· a.time_b     {value}±0.01μs\n")
        };
        let names = |text: &str| -> Vec<String> {
            read(text).measurements.iter().map(|one| one.benchmark.to_string()).collect()
        };
        assert_eq!(names(&of("virtualenv-py3.9", "11.1")), ["a.time_b"]);
        let both = of("virtualenv-py3.9", "11.1") + &of("virtualenv-py3.12", "5.1");
        assert_eq!(names(&both), ["a.time_b/virtualenv-py3.9", "a.time_b/virtualenv-py3.12"]);
    }

    #[test]
    fn a_table_has_the_values_of_a_benchmark_with_parameters() {
        // asv 0.6.6.
        let reading = read(
            "\
[ 7.14%] ··· suite.TimeOne.time_keys                                         ok
[ 7.14%] ··· ====== ==========
               n              
             ------ ----------
               10    3.21±0μs 
              1000   23.2±0μs 
             ====== ==========

[21.43%] ··· suite.TimeTwo.time_encode                               1/8 failed
[21.43%] ··· ====== ========== ========== ============ ===========
             --                      kind / level                 
             ------ ----------------------------------------------
               n     a / None   a / 0.5    b c / None   b c / 0.5 
             ====== ========== ========== ============ ===========
               10     failed    3.78±0μs    4.08±0μs     n/a 
              1000   28.1±0μs   29.1±0μs    39.6±0μs     41.5±0μs 
             ====== ========== ========== ============ ===========
             For parameters: 10, 'a', None
             ValueError: no

[35.71%] ··· suite.time_failed                                           failed
[42.86%] ··· suite.time_plain                                          14.8±0μs
[50.00%] ··· suite.time_skipped                                             n/a
",
        );
        let found: Vec<_> =
            reading.measurements.iter().map(|m| (m.benchmark.as_str(), m.evidence[0].centre() / 1e3)).collect();
        let expected = [
            ("suite.TimeOne.time_keys(10)", 3.21),
            ("suite.TimeOne.time_keys(1000)", 23.2),
            ("suite.TimeTwo.time_encode(10, a, 0.5)", 3.78),
            ("suite.TimeTwo.time_encode(10, b c, None)", 4.08),
            ("suite.TimeTwo.time_encode(1000, a, None)", 28.1),
            ("suite.TimeTwo.time_encode(1000, a, 0.5)", 29.1),
            ("suite.TimeTwo.time_encode(1000, b c, None)", 39.6),
            ("suite.TimeTwo.time_encode(1000, b c, 0.5)", 41.5),
            ("suite.time_plain", 14.8),
        ];
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((name, value), (expected_name, expected)) in found.iter().zip(expected) {
            assert_eq!(*name, expected_name);
            assert!((value - expected).abs() < 1e-9, "{name}: {value}");
        }
        let failed: Vec<&str> = reading.failures.benchmarks.iter().map(|failed| failed.benchmark.as_str()).collect();
        assert_eq!(failed, ["suite.TimeTwo.time_encode(10, a, None)", "suite.time_failed"]);
        let skipped: Vec<&str> = reading.failures.skipped.iter().map(|skipped| skipped.benchmark.as_str()).collect();
        assert_eq!(skipped, ["suite.TimeTwo.time_encode(10, b c, 0.5)", "suite.time_skipped"]);
    }
}
