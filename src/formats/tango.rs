//! tango: the mean time of the candidate in a paired test.

use super::text::{nanoseconds, number};
use super::{Format, Preview, Reading, Source, result_lines};
use crate::model::{Diagnostic, Evidence, Metric};

/// tango.
#[derive(Debug)]
pub struct Tango;

impl Format for Tango {
    fn name(&self) -> &'static str {
        "tango"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- compare BASELINE > FILE (tango-bench)"
    }

    fn metrics(&self) -> &'static str {
        "time: mean of the candidate"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        result_lines::read(self.name(), source, Metric::time, parse_line)
    }
}

/// A line such as `str   [   4.4 us ...   4.5 us ]   +0.87%`: baseline and candidate.
fn parse_line(line: &str) -> Option<(String, Evidence)> {
    let (name, rest) = line.split_once('[')?;
    let (inner, change) = rest.split_once(']')?;
    let (_, candidate) = inner.split_once("...")?;
    change.contains('%').then_some(())?;
    let mut words = candidate.split_whitespace();
    let time = number(words.next()?)? * nanoseconds(words.next()?)?;
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), Evidence::Value(time)))
}
