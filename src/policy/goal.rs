//! What a change is expected to bring: `[[goal]]` and `--expect "api/*:time -50%"`.

use super::limit::{Limit, limit};
use super::pattern::Pattern;

/// An improvement that was promised.
#[derive(Debug, Clone)]
pub struct Goal {
    /// Patterns over benchmark names, each with the exact metric. `--expect` may be read in several ways, as names
    /// hold colons too; the ways that fit a measurement count.
    targets: Vec<(Pattern, String)>,
    /// What is expected.
    pub limit: Limit,
    /// As it was written, without the limit.
    pub written: String,
    /// Where it is written; `None` for the command line.
    pub line: Option<usize>,
}

impl Goal {
    /// A goal of the config.
    pub(super) fn new(pattern: Pattern, metric: String, limit: Limit, line: Option<usize>) -> Goal {
        let written = format!("{}:{metric}", pattern.as_str());
        Goal { targets: vec![(pattern, metric)], limit, written, line }
    }

    /// A goal of the command line: `PATTERN:METRIC LIMIT`.
    pub fn parse(text: &str) -> Result<Goal, String> {
        let usage = || format!("`{text}` is no expectation; write PATTERN:METRIC LIMIT, as in \"api/*:time -50%\"");
        let spaces = text.char_indices().filter(|(_, c)| c.is_whitespace()).map(|(at, _)| at);
        let found = spaces.into_iter().find_map(|at| Some((text[..at].trim(), limit(&text[at..]).ok()?)));
        let (written, limit) = found.ok_or_else(usage)?;
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

    /// True where the goal is on this metric of this benchmark.
    pub fn covers(&self, benchmark: &str, metric: &str) -> bool {
        self.targets.iter().any(|(pattern, own)| own == metric && pattern.matches(benchmark))
    }

    /// The metrics that it may be on.
    pub fn metrics(&self) -> impl Iterator<Item = &str> {
        self.targets.iter().map(|(_, metric)| metric.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_in_names_and_metrics_do_not_confuse_an_expectation() {
        let goal = Goal::parse("test_x.py::test_*:time:p95 <= 50 ms").unwrap();
        assert_eq!(goal.limit.to_string(), "<= 50 ms");
        assert!(goal.covers("test_x.py::test_a", "time:p95"));
        assert!(!goal.covers("test_x.py::test_a", "time"));
        assert!(Goal::parse("api/*:time -50%").unwrap().covers("api/x", "time"));
        for bad in ["", "api/*:time", "api/* -50%", ":time -50%", "api/*: -50%", "api/*:time 50%"] {
            assert!(Goal::parse(bad).is_err(), "{bad}");
        }
    }
}
