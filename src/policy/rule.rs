//! `[[benchmark]]` rules: for each benchmark and metric, the most specific rule that sets a value applies.

use super::pattern::{Pattern, Patterns, Specificity};
use super::problem::Invalid;
use super::quantity::Quantity;
use crate::model::{Direction, Metric};

/// One `[[benchmark]]` entry.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub benchmark: Pattern,
    /// `None` matches every metric.
    pub metric: Option<Pattern>,
    pub threshold: Option<f64>,
    pub floor: Option<Quantity>,
    pub direction: Option<Direction>,
    pub line: usize,
}

/// All rules, the most specific first.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    patterns: Patterns,
}

/// Settings of one benchmark and metric. Each comes from the most specific rule that sets it: a threshold for `parse/*`
/// still applies to `parse/large` if the rule for `parse/large` sets only a floor.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bounds {
    /// Threshold, as a fraction.
    pub threshold: Option<f64>,
    /// The line that set it.
    pub threshold_line: Option<usize>,
    /// Smallest change that counts, in the metric's unit.
    pub floor: Option<f64>,
    /// The line that set it.
    pub floor_line: Option<usize>,
}

impl Rules {
    /// Takes the rules in file order. Specificity of the benchmark pattern counts before that of the metric pattern.
    pub fn new(mut rules: Vec<Rule>) -> Result<Rules, Invalid> {
        rules.reverse(); // the sort is stable: of two equal rules the later one comes first
        rules.sort_by_cached_key(|rule| {
            let metric = rule.metric.as_ref().map(|metric| Specificity::of(metric.as_str()));
            std::cmp::Reverse((Specificity::of(rule.benchmark.as_str()), metric))
        });
        let patterns = Patterns::new(rules.iter().map(|rule| rule.benchmark.as_str()))?;
        Ok(Rules { rules, patterns })
    }

    /// The rules that match none of these benchmarks and metrics.
    pub fn unused<'n>(&self, results: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<&Rule> {
        let mut used = vec![false; self.rules.len()];
        for (benchmark, metric) in results {
            if used.iter().all(|used| *used) {
                break;
            }
            for index in self.patterns.matching(benchmark) {
                let metrics = self.rules.get(index).and_then(|rule| rule.metric.as_ref());
                used[index] |= metrics.is_none_or(|pattern| pattern.matches(metric));
            }
        }
        self.rules.iter().zip(used).filter(|(_, used)| !used).map(|(rule, _)| rule).collect()
    }

    /// The better direction of a metric. A rule without `metric` applies only if the direction is unknown: `match = "*"`
    /// must not reverse the direction of times.
    pub fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        if self.rules.iter().all(|rule| rule.direction.is_none()) {
            return None;
        }
        let applies = |rule: &&Rule| match &rule.metric {
            Some(pattern) => pattern.matches(&metric.name),
            None => !metric.direction.is_known(),
        };
        let hits = self.patterns.matching(benchmark).filter_map(|index| self.rules.get(index));
        hits.filter(applies).find_map(|rule| rule.direction)
    }

    pub fn bounds(&self, benchmark: &str, metric: &Metric) -> Bounds {
        let mut bounds = Bounds::default();
        if self.rules.is_empty() {
            return bounds;
        }
        let hits = self.patterns.matching(benchmark).filter_map(|index| self.rules.get(index));
        for rule in hits.filter(|rule| rule.metric.as_ref().is_none_or(|m| m.matches(&metric.name))) {
            if let (None, Some(threshold)) = (bounds.threshold, rule.threshold) {
                bounds.threshold = Some(threshold);
                bounds.threshold_line = Some(rule.line);
            }
            let floor = rule.floor.as_ref().and_then(|floor| floor.within(&metric.unit));
            if let (None, Some(floor)) = (bounds.floor, floor) {
                bounds.floor = Some(floor);
                bounds.floor_line = Some(rule.line);
            }
        }
        bounds
    }
}
