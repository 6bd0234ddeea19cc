//! The console report: below a head of three lines each benchmark has its name with samples, iterations and an estimate,
//! then the mean with its interval, then the standard deviation. A long name goes over several lines.

use super::super::builder::ReadingBuilder;
use super::super::{Source, text};
use super::{Row, summary};
use crate::model::Diagnostic;

/// Where in the report a line stands.
enum State {
    /// Between heading and table.
    Outside,
    /// Below the rule that opens a heading: test case and sections.
    Heading,
    /// In a table's head, up to the rule below it.
    Head,
    /// In a table: the lines of the next name so far.
    Table(Vec<String>),
    /// Below a name and its number of samples: the mean comes next.
    Mean(String, Option<u64>),
    /// Below the mean: the standard deviation comes next.
    Deviation(String, Option<u64>, f64),
}

/// True for the first line of a table's head.
pub(super) fn is_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    ["benchmark", "name", "samples", "iterations"].iter().all(|word| words.next() == Some(word))
}

/// Every benchmark of the report.
pub(super) fn read(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<Vec<Row>, Diagnostic> {
    let (mut rows, mut state, mut heading) = (Vec::new(), State::Outside, Vec::new());
    let mut short = false; // a table without analysis: the mean stands in the estimate's place
    let text = text::decode(source)?;
    for (at, line) in text::numbered_lines(&text) {
        builder.line = Some(at);
        let line = line.trim_end();
        state = match state {
            _ if is_header(line) => {
                short = line.ends_with("mean");
                State::Head
            }
            State::Head if line.starts_with("---") => State::Table(Vec::new()),
            State::Head => State::Head,
            State::Heading if line.starts_with("---") => State::Outside,
            State::Mean(name, _) | State::Deviation(name, ..) if line.starts_with("---") || line.starts_with("===") => {
                cut_off(builder, &name);
                State::Outside
            }
            _ if line.starts_with("---") => {
                heading.clear();
                State::Heading
            }
            _ if line.starts_with("===") || line.starts_with("...") => State::Outside,
            State::Heading => {
                heading.push(line.trim().to_owned());
                State::Heading
            }
            State::Outside => State::Outside,
            State::Table(_) if line.is_empty() => State::Table(Vec::new()),
            State::Table(mut name) => match name_line(line) {
                Some((rest, samples, value)) => {
                    name.push(rest.to_owned());
                    let name = joined(&name);
                    if short {
                        push(&mut rows, &heading, name, value, None, samples);
                        State::Table(Vec::new())
                    } else {
                        State::Mean(name, samples)
                    }
                }
                None => {
                    name.push(line.trim().to_owned());
                    State::Table(name)
                }
            },
            State::Mean(name, samples) => match first_time(line) {
                Some(mean) => State::Deviation(name, samples, mean),
                None => {
                    builder.warn("unreadable-line", format!("`{name}` has no mean here; did the benchmark throw?"));
                    State::Table(Vec::new())
                }
            },
            State::Deviation(name, samples, mean) => {
                push(&mut rows, &heading, name, mean, first_time(line), samples);
                State::Table(Vec::new())
            }
        };
    }
    if let State::Mean(name, _) | State::Deviation(name, ..) = state {
        cut_off(builder, &name);
    }
    Ok(rows)
}

fn cut_off(builder: &mut ReadingBuilder<'_>, name: &str) {
    builder.warn("unreadable-line", format!("`{name}` is cut off before its mean and deviation; was the run stopped?"));
}

fn push(rows: &mut Vec<Row>, heading: &[String], name: String, mean: f64, sd: Option<f64>, samples: Option<u64>) {
    rows.push(Row { place: heading.join("/"), name, summary: summary(mean, sd, samples) });
}

/// The end of a name, the number of samples and the time of `NAME   25   1   68.05 ms`.
fn name_line(line: &str) -> Option<(&str, Option<u64>, f64)> {
    let mut rest = line;
    let mut word = || {
        let (before, word) = rest.rsplit_once(' ')?;
        rest = before.trim_end();
        Some(word)
    };
    let (unit, number, iterations, samples) = (word()?, word()?, word()?, word()?);
    iterations.parse::<u64>().ok()?;
    Some((rest.trim_start(), Some(samples.parse().ok()?), Some(text::number(number)? * text::nanoseconds(unit)?)?))
}

/// The first of the three times of a line.
fn first_time(line: &str) -> Option<f64> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [number, unit, _, _, _, _] = words.as_slice() else { return None };
    Some(text::number(number)? * text::nanoseconds(unit)?)
}

/// The lines of a name as one. Catch2 breaks at spaces, which are lost, and behind some marks, where there was none.
fn joined(lines: &[String]) -> String {
    let mut name = String::new();
    for line in lines {
        if !name.is_empty() && !name.ends_with(['/', '\\']) {
            name.push(' ');
        }
        name.push_str(line);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::super::Format;
    use super::super::Catch2;
    use super::*;
    use crate::model::{Evidence, Summary};

    fn parse(text: &str) -> Result<super::super::Reading, Diagnostic> {
        Catch2.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    const HEAD: &str = "benchmark name  samples  iterations  estimated\n   mean  low mean  high mean\n\
                        \x20  std dev  low std dev  high std dev\n-----------\n";

    #[test]
    fn a_wrapped_name_and_its_three_lines_are_one_benchmark() {
        let text = format!("{HEAD}long\nname  25  1  68.05 ms\n  2.5 ms  2 ms  5 ms\n  3 us  1 us  4 ms\n\n");
        let reading = parse(&text).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "long name");
        let summary =
            Summary { centre: 2.5e6, mean: Some(2.5e6), sd: Some(3e3), samples: Some(25), quantiles: Vec::new() };
        assert_eq!(reading.measurements[0].replicates, [Evidence::summary(summary)]);
    }

    #[test]
    fn a_table_without_analysis_has_the_mean_in_the_first_line() {
        let text = "benchmark name  samples  iterations  mean\n--------\na  100  208  344 ns\nb  100  208  1 us\n";
        let reading = parse(text).unwrap();
        assert_eq!(reading.measurements.len(), 2);
        let summary = Summary { centre: 344.0, mean: Some(344.0), samples: Some(100), ..Summary::default() };
        assert_eq!(reading.measurements[0].replicates, [Evidence::summary(summary)]);
    }

    #[test]
    fn one_good_benchmark_among_bad_ones_is_read() {
        let text = format!(
            "{HEAD}a  25  1  68.05 ms\nboom\n\nb  25  1  1 ms\n 2 ms 2 ms 5 ms\n 3 us 1 us 4 ms\n\nc  25  1  1 ms\n"
        );
        let reading = parse(&text).unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.diagnostics.len(), 2);
    }
}
