//! tango: the mean time of the candidate in a paired test.

use super::text::time;
use super::{Format, Preview, Reading, Source, result_lines};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// tango.
#[derive(Debug)]
pub struct Tango;

impl Format for Tango {
    fn name(&self) -> &'static str {
        "tango"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- compare BASELINE > FILE, or -- solo > FILE (tango-bench)"
    }

    fn metrics(&self) -> &'static str {
        "time: mean of the candidate; solo also sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        result_lines::read(self.name(), source, Metric::time, parse_line)
    }
}

/// A line such as `str   [   4.4 us ...   4.5 us ]   +0.87%`: baseline and candidate; or, of `solo`,
/// `str   [   4.1 us ...   4.4 us ...   6.3 us ]  stddev:   0.2 us`: minimum, mean and maximum.
fn parse_line(line: &str) -> Option<(String, Evidence)> {
    let (name, rest) = line.split_once('[')?;
    let (inner, after) = rest.split_once(']')?;
    let times: Option<Vec<f64>> = inner.split("...").map(time).collect();
    let evidence = match times?.as_slice() {
        [_, candidate] if after.contains('%') => Evidence::Value(*candidate),
        [min, mean, max] => {
            let sd = Some(time(after.trim().strip_prefix("stddev:")?)?);
            let quantiles = vec![(0.0, *min), (1.0, *max)];
            Evidence::summary(Summary { centre: *mean, mean: Some(*mean), sd, samples: None, quantiles })
        }
        _ => return None,
    };
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_the_second_time_of_both_commands() {
        // tango-bench 0.6.
        for line in [
            "parse                          [ 849.5 ns ...   1.1 us ]     +30.76%",
            "parse                          [ 267.2 ns ...   1.1 us ...  10.0 us ]  stddev:   2.3 us",
        ] {
            let (name, evidence) = parse_line(line).unwrap();
            assert_eq!((name.as_str(), evidence.centre().round()), ("parse", 1100.0), "{line}");
        }
        for line in ["new skipped...", "a [1 us ... 2 us]", "a [1 us ... 2 us ... 3 us]", "[1 us ... 2 us] 1%"] {
            assert_eq!(parse_line(line), None, "{line}");
        }
    }
}
