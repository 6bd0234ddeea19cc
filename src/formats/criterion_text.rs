//! What criterion prints to the terminal: the estimate of each benchmark with its confidence interval.

use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Unit, Work, WorkUnit};

/// What criterion prints to the terminal.
#[derive(Debug)]
pub struct CriterionText;

impl Format for CriterionText {
    fn name(&self) -> &'static str {
        "criterion-text"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench > FILE (criterion; its directory target/criterion has the samples)"
    }

    fn metrics(&self) -> &'static str {
        "time: the estimate; work per iteration"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_estimate(line).is_some())
            && !preview.lines().any(|line| line.starts_with("test ") && line.contains(" bench: "))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        let mut names = text::TargetNames::of(&text, |names| {
            read_lines(&mut ReadingBuilder::new(self.name(), source), &text, names);
        });
        read_lines(&mut builder, &text, &mut names);
        builder.finish()
    }
}

fn read_lines(builder: &mut ReadingBuilder<'_>, text: &str, names: &mut text::TargetNames) {
    let mut above = "";
    let mut latest: Option<(String, f64)> = None;
    for (number, line) in numbered_lines(text) {
        builder.line = Some(number);
        names.read(line);
        if let Some((name, nanoseconds)) = parse_estimate(line) {
            // A long name has a line of its own.
            let name = if name.is_empty() { above.trim() } else { name };
            let name = names.unique(name);
            builder.add(&name, Metric::time(), [Evidence::Value(nanoseconds)]);
            latest = Some((name, nanoseconds));
        } else if let Some(work) = work_per_second(line)
            && let Some((name, nanoseconds)) = latest.take()
        {
            builder.set_work(&name, "time", Work { amount: work.amount * nanoseconds / 1e9, ..work });
        }
        if !line.trim().is_empty() {
            above = line;
        }
    }
}

/// A line such as `parse/64    time:   [320.1 ns 323.9 ns 327.2 ns]`: its name, which may be empty, and the estimate.
fn parse_estimate(line: &str) -> Option<(&str, f64)> {
    let (name, rest) = line.split_once("time:")?;
    let (value, unit) = middle(rest)?;
    // The line `change: time: [-1.2% …]` has no units.
    Some((name.trim(), value * nanoseconds(unit)?))
}

/// The estimate in `thrpt:  [97.3 Melem/s 99.0 Melem/s 99.8 Melem/s]`, a line below the time.
fn work_per_second(line: &str) -> Option<Work> {
    let (value, label) = middle(line.trim().strip_prefix("thrpt:")?)?;
    let scale = Unit::parse(label)?;
    let unit = match scale.unit {
        Unit::BytePerSecond => WorkUnit::Bytes,
        Unit::PerSecond => WorkUnit::Elements,
        _ => return None,
    };
    Some(Work { amount: value * scale.factor, unit })
}

/// The second of three values in brackets (the estimate), with its unit.
fn middle(values: &str) -> Option<(f64, &str)> {
    let inner = values.trim().strip_prefix('[')?.strip_suffix(']')?;
    let words: Vec<&str> = inner.split_whitespace().collect();
    let [_, _, value, unit, _, _] = words.as_slice() else { return None };
    Some((number(value)?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_an_iteration_follows_from_the_throughput() {
        let text = "a   time:   [1.0 µs 1.5 µs 1.6 µs]\n    thrpt:  [99 Melem/s 100.00 Melem/s 101 Melem/s]\n\
                    b   time:   [1.0 µs 1.5 µs 1.6 µs]\n    change: time: [-1.0% +0.0% +1.0%]\n\
                    c   time:   [1.0 ms 1.0 ms 1.0 ms]\n    thrpt:  [0.9 MiB/s 1.0 MiB/s 1.1 MiB/s]\n";
        let reading = CriterionText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let work: Vec<_> =
            reading.measurements.iter().map(|m| m.work.map(|work| (work.amount.round(), work.unit))).collect();
        assert_eq!(work, [Some((150.0, WorkUnit::Elements)), None, Some((1049.0, WorkUnit::Bytes))]);
    }
}
