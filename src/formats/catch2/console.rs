//! Catch2's console report. Below a three-line table header each benchmark has a line with its name, samples, iterations
//! and estimate, then one with the mean, then one with the standard deviation. Long names are wrapped.

use super::super::builder::ReadingBuilder;
use super::super::{Source, text};
use super::{Row, full_name, summary};
use crate::model::{Diagnostic, EndScope};

/// Position in the report, and what was read of the current benchmark.
enum State {
    /// Between heading and table.
    Outside,
    /// In a heading with test case and sections, below its first rule.
    Heading,
    /// In a table header, up to the rule below it.
    TableHeader,
    /// In a table, with the lines of the next benchmark's name so far.
    Table(Vec<String>),
    /// After name and number of samples; the mean comes next.
    Mean(String, Option<u64>),
    /// After the mean; the standard deviation comes next.
    Deviation(String, Option<u64>, f64),
}

/// Whether this is the first line of a table header.
pub(super) fn is_header(line: &str) -> bool {
    let mut words = line.split_ascii_whitespace();
    ["benchmark", "name", "samples", "iterations"].iter().all(|word| words.next() == Some(word))
}

/// Reads the benchmarks of a report.
pub(super) fn read(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<Vec<Row>, Diagnostic> {
    let (mut rows, mut state, mut heading) = (Vec::new(), State::Outside, Vec::new());
    let mut short = false; // a table without analysis has the mean in place of the estimate
    let text = text::decode(source)?;
    let mut lines = text::numbered_lines(&text).peekable();
    while let Some((at, line)) = lines.next() {
        builder.line = Some(at);
        let line = line.trim_end();
        if line.starts_with("All tests passed (") || line.starts_with("test cases: ") {
            builder.note_completion();
        }
        if line.ends_with(": FAILED:") {
            let mut why = lines.peek().map_or("", |(_, next)| next.trim()).to_owned();
            if why.starts_with("due to ") {
                lines.next();
                why.extend(lines.peek().map(|(_, next)| format!(" {}", next.trim())));
            }
            fail(builder, &heading, state, &why);
            state = State::Outside;
            continue;
        }
        state = match state {
            _ if is_header(line) => {
                short = line.ends_with("mean");
                State::TableHeader
            }
            State::TableHeader if line.starts_with("---") => State::Table(Vec::new()),
            State::TableHeader => State::TableHeader,
            State::Heading if line.starts_with("---") => State::Outside,
            State::Mean(name, _) | State::Deviation(name, ..) if line.starts_with("---") || line.starts_with("===") => {
                fail_cut_off(builder, &heading, &name);
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
                    let name = join_lines(&name);
                    if short {
                        builder.note_result();
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
                    builder.fail(&full_name(&heading.join("/"), &name), line);
                    State::Table(Vec::new())
                }
            },
            State::Deviation(name, samples, mean) => {
                builder.note_result();
                push(&mut rows, &heading, name, mean, first_time(line), samples);
                State::Table(Vec::new())
            }
        };
    }
    if let State::Mean(name, _) | State::Deviation(name, ..) = state {
        fail_cut_off(builder, &heading, &name);
        builder.end_early(EndScope::Suite, "the output is incomplete");
    }
    Ok(rows)
}

fn fail_cut_off(builder: &mut ReadingBuilder<'_>, heading: &[String], name: &str) {
    builder.fail(&full_name(&heading.join("/"), name), "the output ends before its mean and standard deviation");
}

/// Reads a failed assertion, an exception or a signal: the current benchmark has failed, and others of the test case may be
/// missing. A signal ends the whole run.
fn fail(builder: &mut ReadingBuilder<'_>, heading: &[String], state: State, why: &str) {
    let section = heading.join("/");
    if let State::Mean(name, _) | State::Deviation(name, ..) = state {
        builder.fail(&full_name(&section, &name), why);
    }
    let prefix = if why.contains("fatal error condition") { String::new() } else { full_name(&section, "") };
    builder.end_early(EndScope::from_prefix(&prefix), why);
}

fn push(rows: &mut Vec<Row>, heading: &[String], name: String, mean: f64, sd: Option<f64>, samples: Option<u64>) {
    rows.push(Row { section: heading.join("/"), name, summary: summary(mean, sd, samples) });
}

/// The last line of a name, the number of samples and the time in `NAME   25   1   68.05 ms`.
fn name_line(line: &str) -> Option<(&str, Option<u64>, f64)> {
    let (rest, unit) = split_last_word(line)?;
    let (rest, number) = split_last_word(rest)?;
    let (rest, iterations) = split_last_word(rest)?;
    let (rest, samples) = split_last_word(rest)?;
    iterations.parse::<u64>().ok()?;
    Some((rest.trim_start(), Some(samples.parse().ok()?), text::number(number)? * text::nanoseconds(unit)?))
}

fn split_last_word(text: &str) -> Option<(&str, &str)> {
    let (before, word) = text.rsplit_once(' ')?;
    Some((before.trim_end(), word))
}

/// The first of the three times in a line.
fn first_time(line: &str) -> Option<f64> {
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let [number, unit, _, _, _, _] = words.as_slice() else { return None };
    Some(text::number(number)? * text::nanoseconds(unit)?)
}

/// Joins the lines of a name. Catch2 breaks names at spaces, which it drops, and after `/` and `\`.
fn join_lines(lines: &[String]) -> String {
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
    fn a_wrapped_name_and_its_values_are_one_benchmark() {
        let text = format!("{HEAD}long\nname  25  1  68.05 ms\n  2.5 ms  2 ms  5 ms\n  3 us  1 us  4 ms\n\n");
        let reading = parse(&text).unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "long name");
        let summary =
            Summary { centre: 2.5e6, mean: Some(2.5e6), sd: Some(3e3), samples: Some(25), quantiles: Vec::new() };
        assert_eq!(reading.measurements[0].evidence, [Evidence::summary(summary)]);
    }

    #[test]
    fn a_table_without_analysis_has_the_mean_in_the_first_line() {
        let text = "benchmark name  samples  iterations  mean\n--------\na  100  208  344 ns\nb  100  208  1 us\n";
        let reading = parse(text).unwrap();
        assert_eq!(reading.measurements.len(), 2);
        let summary = Summary { centre: 344.0, mean: Some(344.0), samples: Some(100), ..Summary::default() };
        assert_eq!(reading.measurements[0].evidence, [Evidence::summary(summary)]);
    }

    #[test]
    fn a_valid_benchmark_among_invalid_ones_is_read() {
        let text = format!(
            "{HEAD}a  25  1  68.05 ms\nboom\n\nb  25  1  1 ms\n 2 ms 2 ms 5 ms\n 3 us 1 us 4 ms\n\nc  25  1  1 ms\n"
        );
        let reading = parse(&text).unwrap();
        assert_eq!(reading.measurements.len(), 1);
        let failed: Vec<_> = reading.failures.benchmarks.iter().map(|f| (f.benchmark.as_str(), &*f.why)).collect();
        assert_eq!(failed, [("a", "boom"), ("c", "the output ends before its mean and standard deviation")]);
        assert_eq!(reading.failures.early_ends.len(), 1);
    }
}
