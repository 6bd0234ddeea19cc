//! Dart's benchmark_harness: the time of one run.

use super::text::time;
use super::{Format, Preview, Reading, Source, result_lines};
use crate::model::{Diagnostic, Evidence, Metric};

/// Dart's benchmark_harness.
#[derive(Debug)]
pub struct DartBenchmark;

impl Format for DartBenchmark {
    fn name(&self) -> &'static str {
        "dart-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "dart run benchmark.dart > FILE (package benchmark_harness)"
    }

    fn metrics(&self) -> &'static str {
        "time: one value"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        result_lines::read(self.name(), source, Metric::time, parse_line)
    }
}

/// A line such as `Template(RunTime): 1.25 us.`
fn parse_line(line: &str) -> Option<(String, Evidence)> {
    let (name, value) = line.trim().split_once("(RunTime): ")?;
    let nanoseconds = time(value.strip_suffix('.').unwrap_or(value))?;
    (!name.is_empty()).then(|| (name.to_owned(), Evidence::Value(nanoseconds)))
}
