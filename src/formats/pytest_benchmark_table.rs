//! pytest-benchmark's printed table and its CSV: minimum, maximum, mean, standard deviation and median.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, EndScope, Evidence, Metric, Summary};

/// pytest-benchmark's tables.
#[derive(Debug)]
pub struct PytestBenchmarkTable;

impl Format for PytestBenchmarkTable {
    fn name(&self) -> &'static str {
        "pytest-benchmark-table"
    }

    fn produced_by(&self) -> &'static str {
        "pytest > FILE (pytest-benchmark), or pytest-benchmark compare --csv=FILE"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| unit_of_header(line).is_some() || has_header(line, &CSV_COLUMNS))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        if text.lines().any(|line| has_header(line, &CSV_COLUMNS)) {
            read_csv(&mut builder, source)?;
            return builder.finish();
        }
        let mut table: Option<(f64, Vec<&str>)> = None;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if line.starts_with("===") && line.contains(" test session starts ") {
                builder.note_start();
            } else if is_last_line(line) {
                builder.note_completion();
            }
            if let Some((test, why)) = failed(line) {
                match test {
                    Some(name) => builder.fail_if_known(name, why),
                    // A file that could not be loaded: its tests are missing.
                    None => builder.end_early(EndScope::Suite, why),
                }
            } else if let Some(factor) = unit_of_header(line) {
                let columns = line.split_once(')').map_or("", |(_, columns)| columns);
                table = Some((factor, columns.split_whitespace().collect()));
            } else if line.trim().is_empty() {
                table = None;
            } else if let Some((factor, columns)) = &table {
                let Some((name, values)) = values_of(line) else { continue };
                // With `--benchmark-compare` the table also has the results of earlier runs, such as `test_a (0001_1a2b)`.
                let name = match name.rsplit_once(" (") {
                    Some((name, "NOW)")) => name,
                    Some((_, run)) if run.starts_with(|c: char| c.is_ascii_digit()) => continue,
                    _ => name,
                };
                let value = |column: &str| {
                    let at = columns.iter().position(|name| *name == column)?;
                    values.get(at).map(|value| value * factor)
                };
                add(&mut builder, name, ["Min", "Max", "Mean", "StdDev", "Median"].map(value));
            }
        }
        builder.finish()
    }
}

/// Columns that are in every CSV.
const CSV_COLUMNS: [&str; 7] = ["name", "min", "max", "mean", "stddev", "median", "rounds"];

/// Reads the CSV. Its times are in seconds.
fn read_csv(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<(), Diagnostic> {
    let table = TableText::read(source, |cells| CSV_COLUMNS.iter().all(|name| cells.iter().any(|cell| cell == name)))?;
    table.report_cut(builder);
    for (line, row) in &table.rows {
        builder.line = *line;
        let cell = |name: &str| table.cell(row, name);
        let value = |name: &str| number(cell(name)?).map(|seconds| seconds * 1e9);
        let name = cell("name").unwrap_or_default();
        add(builder, name, ["min", "max", "mean", "stddev", "median"].map(value));
    }
    Ok(())
}

fn add(builder: &mut ReadingBuilder<'_>, name: &str, [min, max, mean, sd, median]: [Option<f64>; 5]) {
    let Some(centre) = median.or(mean) else { return };
    let ends = [(0.0, min), (1.0, max)];
    let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
    let summary = Summary { centre, mean, sd, samples: None, quantiles };
    builder.add_run(name, Metric::time(), Evidence::summary(summary));
}

/// The name and the reason in a line of pytest's summary, `FAILED test_a.py::C::test_x[1] - KeyError`; a file that could not
/// be loaded has no name. Whether a test is a benchmark is not printed.
fn failed(line: &str) -> Option<(Option<&str>, &str)> {
    let rest = line.strip_prefix("FAILED ").or(line.strip_prefix("ERROR "))?;
    let (test, why) = rest.split_once(" - ").unwrap_or((rest, "pytest reports an error"));
    let (file, name) = test.split_once("::").map_or((test, None), |(file, name)| (file, Some(name)));
    file.trim_end().ends_with(".py").then_some(())?;
    // Parameters may contain colons.
    let class = |name: &str| name[..name.find('[').unwrap_or(name.len())].rfind("::").map_or(0, |at| at + 2);
    Some((name.map(|name| name[class(name)..].trim_end()), why))
}

/// Whether this is pytest's last line, `==== 1 failed, 6 passed in 3.12s ====`.
fn is_last_line(line: &str) -> bool {
    let counts = line.trim_matches('=').split_once(" in ").map_or("", |(counts, _)| counts.trim());
    let is_count = |count: &str| {
        let number = count.split_once(' ').map_or("", |(number, _)| number);
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    line.starts_with("===") && line.ends_with("===") && counts.split(", ").all(is_count)
}

/// The factor to nanoseconds of a header `Name (time in us)   Min   Max …`.
fn unit_of_header(line: &str) -> Option<f64> {
    let (unit, columns) = line.trim_start().strip_prefix("Name (time in ")?.split_once(')')?;
    (columns.contains("Mean") || columns.contains("Median")).then_some(())?;
    nanoseconds(unit)
}

/// The name of a row, which may contain spaces, and its numbers without those in brackets, which are ratios to the best row.
fn values_of(line: &str) -> Option<(&str, Vec<f64>)> {
    let is_gap = |(at, _): &(usize, &str)| number(line[*at..].split_whitespace().next().unwrap_or_default()).is_some();
    let (at, _) = line.match_indices(' ').find(is_gap)?;
    let (name, rest) = (line[..at].trim(), &line[at..]);
    let values = rest.split_whitespace().filter(|word| !word.starts_with('(')).map_while(number).collect::<Vec<_>>();
    (!values.is_empty() && !name.is_empty()).then_some((name, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_contain_spaces_and_earlier_runs_are_left_out() {
        let text = "\
            Name (time in ms)            Min                Max              Mean   StdDev    Median\n\
            ---------------------------------------------------------------------------------------\n\
            test_a[x y] 1.0000 (1.0)     3.0 (1.0)      2.0 (1.0)   0.5 (1.0)   2.0 (1.0)\n\
            test_b (NOW)           1,001.5 (9.0)     3.0 (1.0)      2.0 (1.0)   0.5 (1.0)   4.0 (1.0)\n\
            test_b (0001_1a2b3c4)     1.0 (9.0)     3.0 (1.0)      2.0 (1.0)   0.5 (1.0)   9.0 (1.0)\n";
        let reading = PytestBenchmarkTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let read: Vec<_> = reading
            .measurements
            .iter()
            .map(|m| (m.benchmark.as_str(), m.evidence[0].centre(), m.evidence.len()))
            .collect();
        assert_eq!(read, [("test_a[x y]", 2e6, 1), ("test_b", 4e6, 1)]);
    }

    #[test]
    fn failed_tests_are_named_as_in_the_table() {
        let expected = [
            ("FAILED a/test_a.py::test_x - KeyError: 'a'", Some((Some("test_x"), "KeyError: 'a'"))),
            ("FAILED test_a.py::C::test_x[a::b]", Some((Some("test_x[a::b]"), "pytest reports an error"))),
            ("ERROR test_b.py - ImportError: no", Some((None, "ImportError: no"))),
            ("FAILED to connect", None),
            ("test_a.py::test_x FAILED", None),
        ];
        for (line, result) in expected {
            assert_eq!(failed(line), result, "{line}");
        }
    }
}
