//! Ruby's benchmark-driver: iterations per second of each job.

use super::text::number;
use super::{Format, Preview, Reading, Source, result_lines};
use crate::model::{Diagnostic, Evidence, Metric};

/// Ruby's benchmark-driver.
#[derive(Debug)]
pub struct BenchmarkDriver;

impl Format for BenchmarkDriver {
    fn name(&self) -> &'static str {
        "benchmark-driver"
    }

    fn produced_by(&self) -> &'static str {
        "benchmark-driver FILE.yml > FILE"
    }

    fn metrics(&self) -> &'static str {
        "throughput: one value per job"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        result_lines::read(self.name(), source, Metric::throughput, parse_line)
    }
}

/// A line of the final measurement: `name  1.210M i/s -  3.600M times in 2.975206s (826.45ns/i)`. The line of the warm-up has
/// a duration with a single decimal.
fn parse_line(line: &str) -> Option<(String, Evidence)> {
    let (before, after) = line.split_once(" i/s - ")?;
    let (times, rest) = after.split_once(" times in ")?;
    let (seconds, _) = rest.split_once('s')?;
    let decimals = seconds.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let (name, rate) = before.trim().rsplit_once(char::is_whitespace)?;
    number(times.trim().trim_end_matches(['k', 'M', 'B']))?;
    (decimals > 1).then_some(())?;
    let factor = match rate.chars().last()? {
        'k' => 1e3,
        'M' => 1e6,
        'B' => 1e9,
        _ => 1.0,
    };
    let value = number(rate.trim_end_matches(['k', 'M', 'B']))?;
    Some((name.trim().to_owned(), Evidence::Value(value * factor)))
}
