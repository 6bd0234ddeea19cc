//! Expected improvements: `[[goal]]` and `--expect "api/*:time -50%"`.

use super::limit::{Limit, limit};
use super::pattern::Pattern;
use super::value::ValueError;

/// An expected improvement.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Patterns for benchmark names, each with an exact metric. Benchmark names may contain colons, so `--expect` can
    /// be split in several ways; all of them are kept and matched against the measurements.
    targets: Vec<(Pattern, String)>,
    /// The expected limit or change.
    pub limit: Limit,
    /// The text as written, without the limit.
    pub written: String,
    /// Line in the config; `None` for the command line.
    pub line: Option<usize>,
}

impl Goal {
    /// A goal from the config.
    pub(super) fn new(pattern: Pattern, metric: String, limit: Limit, line: Option<usize>) -> Goal {
        let written = format!("{}:{metric}", pattern.as_str());
        Goal { targets: vec![(pattern, metric)], limit, written, line }
    }

    /// A goal from the command line: `PATTERN:METRIC LIMIT`.
    pub fn parse(text: &str) -> Result<Goal, String> {
        let usage = || format!("`{text}` is not a valid goal; write PATTERN:METRIC LIMIT, as in \"api/*:time -50%\"");
        let spaces = text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
        let parts: Vec<(&str, &str)> = spaces.map(|at| (text[..at].trim(), text[at..].trim())).collect();
        let found = parts.iter().find_map(|(written, rest)| Some((*written, limit(rest).ok()?)));
        let is_meant = |rest: &&str| rest.starts_with(['<', '>', '+', '-']);
        let wrong_limit = || {
            let has_no_sign = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit());
            let all = || parts.iter().map(|(_, rest)| *rest);
            let meant = all().find(is_meant).or_else(|| all().next_back().filter(has_no_sign))?;
            limit(meant).err().map(|wrong| ValueError::from(wrong).to_string())
        };
        let (written, limit) = found.ok_or_else(|| wrong_limit().unwrap_or_else(usage))?;
        let split = |(at, _): (usize, &str)| {
            let (name, metric) = (&written[..at], &written[at + 1..]);
            let pattern = Pattern::new(name).ok()?;
            (!name.is_empty() && !metric.is_empty()).then(|| (pattern, metric.to_owned()))
        };
        let targets: Vec<_> = written.match_indices(':').filter_map(split).collect();
        if targets.is_empty() {
            return Err(usage());
        }
        Ok(Goal { targets, limit, written: written.to_owned(), line: None })
    }

    /// True if the goal applies to this metric of this benchmark.
    pub fn covers(&self, benchmark: &str, metric: &str) -> bool {
        self.targets.iter().any(|(pattern, own)| own == metric && pattern.matches(benchmark))
    }

    /// Metrics that the goal may apply to.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|(_, metric)| metric.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_may_contain_colons_in_name_and_metric() {
        let goal = Goal::parse("test_x.py::test_*:time:p95 <= 50 ms").unwrap();
        assert_eq!(goal.limit.to_string(), "<= 50 ms");
        assert!(goal.covers("test_x.py::test_a", "time:p95"));
        assert!(!goal.covers("test_x.py::test_a", "time"));
        assert!(Goal::parse("api/*:time -50%").unwrap().covers("api/x", "time"));
        for bad in ["", "api/*:time", "api/* -50%", ":time -50%", "api/*: -50%", "api/*:time 50%"] {
            assert!(Goal::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_limit_is_explained() {
        let error = |text: &str| Goal::parse(text).map(|goal| goal.written);
        let explained = |text: &str, reason: &str| {
            let message = error(text).expect_err(text);
            assert!(message.contains(reason), "{text}: {message}");
        };
        explained(
            "api/*:time -200%",
            "`-200%` is not a possible change: the value would be 0 or negative; a change against",
        );
        explained("a b:time < 50 parsecs", "`parsecs` is not a known unit");
        explained("a b:time 50%", "`50%` is neither a limit nor a change");
        explained("a b:time", "write PATTERN:METRIC LIMIT");
        explained("-200%", "write PATTERN:METRIC LIMIT");
    }
}
