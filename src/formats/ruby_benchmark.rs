//! Ruby's `Benchmark.bm`: user, system and real time of each report.

use super::builder::ReadingBuilder;
use super::text::{number, numbered_lines};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// Nanoseconds in Ruby's unit of time.
const SECOND: f64 = 1e9;

/// Ruby's `Benchmark.bm`.
#[derive(Debug)]
pub struct RubyBenchmark;

impl Format for RubyBenchmark {
    fn name(&self) -> &'static str {
        "ruby-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "ruby bench.rb > FILE (Benchmark.bm, Benchmark.bmbm)"
    }

    fn metrics(&self) -> &'static str {
        "time (real), time:user, time:system: one value"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(is_header)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let mut in_table = false;
        let mut is_rehearsal = false;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if line.starts_with("Rehearsal ") {
                is_rehearsal = true;
            } else if is_header(line) {
                in_table = true;
                is_rehearsal = false;
            } else if let Some((name, [user, system, real])) = parse_line(line).filter(|_| in_table && !is_rehearsal) {
                builder.add_run(&name, Metric::time(), Evidence::Value(real * SECOND));
                for (metric, seconds) in [("time:user", user), ("time:system", system)] {
                    let metric = Metric::measured(metric, Unit::Nanosecond, Direction::Lower);
                    builder.add_run(&name, metric, Evidence::Value(seconds * SECOND));
                }
            }
        }
        builder.finish()
    }
}

/// The header above the results. That of a rehearsal has a line of its own above it.
fn is_header(line: &str) -> bool {
    line.split_whitespace().eq(["user", "system", "total", "real"])
}

/// A row: label, user, system, total, and the real time in brackets.
fn parse_line(line: &str) -> Option<(String, [f64; 3])> {
    let (before, real) = line.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let mut words: Vec<&str> = before.split_whitespace().collect();
    let mut next = || number(words.pop()?);
    let (_total, system, user) = (next()?, next()?, next()?);
    let label = words.join(" ");
    let label = label.trim_end_matches(':');
    let name = if label.is_empty() { "benchmark" } else { label };
    Some((name.to_owned(), [user, system, number(real)?]))
}
