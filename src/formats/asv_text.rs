//! What asv prints while it runs: one value of each benchmark without parameters.

use super::text::{nanoseconds, number};
use super::{Format, Preview, Reading, Source, result_lines};
use crate::model::{Diagnostic, Evidence, Metric};

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
        "time: one value"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        result_lines::read(self.name(), source, Metric::time, parse_line)
    }
}

/// A line such as `[ 75.00%] ··· suite.TimeSuite.time_keys    11.2±0.01μs`.
fn parse_line(line: &str) -> Option<(String, Evidence)> {
    let (percent, rest) = line.trim().strip_prefix('[')?.split_once("%]")?;
    number(percent)?;
    let rest = rest.trim().trim_start_matches(['\u{b7}', '.', ' ']);
    let (name, value) = rest.rsplit_once(char::is_whitespace)?;
    // asv prints `+-` where the terminal has no `±`.
    let (centre, after) = value.split_once('\u{b1}').or(value.split_once("+-"))?;
    let unit = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let value = number(centre)? * nanoseconds(unit)?;
    Some((name.trim().to_owned(), Evidence::Value(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_plus_minus_are_read_and_other_values_are_not() {
        for line in ["[ 75.00%] ··· a.time_b   11.5±0.01μs", "[ 75.00%] ... a.time_b   11.5+-0.01us"] {
            assert_eq!(parse_line(line), Some(("a.time_b".to_owned(), Evidence::Value(11.5e3))), "{line}");
        }
        assert_eq!(parse_line("[ 16.67%] ··· a.mem_list    2.1k"), None);
    }
}
