//! `[[benchmark]]` rules: for each benchmark and metric, the most specific rule that sets a value applies.

use super::pattern::{Pattern, Patterns, Specificity};
use super::problem::Invalid;
use super::quantity::Quantity;
use super::unused::MeasuredMetric;
use crate::model::{Certainty, Direction, Metric, Unit};

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

/// A rule, or a setting of a rule, that has no effect.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnusedPart {
    /// It matches nothing.
    Rule,
    /// No metric has the unit of the floor. The value is the unit of one of the metrics.
    Floor(Unit),
    /// All its metrics have another better direction, which the rule does not override.
    Direction,
}

/// Which parts of a rule have an effect.
struct RuleUse {
    rule: bool,
    floor: bool,
    direction: bool,
    unit: Option<Unit>,
}

impl RuleUse {
    /// A setting that the rule does not have counts as used.
    fn of(rule: &Rule) -> RuleUse {
        RuleUse { rule: false, floor: rule.floor.is_none(), direction: rule.direction.is_none(), unit: None }
    }

    fn is_complete(&self) -> bool {
        self.rule && self.floor && self.direction
    }

    fn add(&mut self, rule: &Rule, measured: &MeasuredMetric<'_>) {
        if rule.metric.as_ref().is_some_and(|pattern| !pattern.matches(measured.metric)) {
            return;
        }
        self.rule = true;
        self.floor |= rule.floor.as_ref().is_some_and(|floor| floor.value_in(&measured.unit).is_some());
        // A rule with `metric` overrides an assumed direction; a rule without `metric` only sets an unknown one.
        self.direction |= rule.direction == Some(measured.direction);
        self.unit.get_or_insert_with(|| measured.unit.clone());
    }

    fn unused(self) -> impl Iterator<Item = UnusedPart> {
        let (rule, floor) = (!self.rule, self.unit.filter(|_| !self.floor));
        let direction = self.rule && !self.direction;
        [rule.then_some(UnusedPart::Rule), floor.map(UnusedPart::Floor), direction.then_some(UnusedPart::Direction)]
            .into_iter()
            .flatten()
    }
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
pub struct BenchmarkSettings {
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

    /// Adds a rule for each of these benchmarks. A name that cannot be a pattern gets none.
    pub fn with_thresholds(self, thresholds: impl IntoIterator<Item = (String, f64)>) -> Rules {
        let rule = |(name, threshold): (String, f64)| {
            let benchmark = Pattern::new(&super::literal(&name)).ok()?;
            let threshold = Some(threshold);
            Some(Rule { benchmark, metric: None, threshold, floor: None, direction: None, line: 0 })
        };
        let mut rules = self.rules.clone();
        rules.reverse(); // back to an order in which the later of two equal rules wins
        rules.extend(thresholds.into_iter().filter_map(rule));
        Rules::new(rules).unwrap_or(self)
    }

    /// The rules that have no effect on these results, or a setting without effect, in file order.
    pub fn unused(&self, results: &[MeasuredMetric<'_>]) -> Vec<(&Rule, UnusedPart)> {
        let mut uses: Vec<RuleUse> = self.rules.iter().map(RuleUse::of).collect();
        for measured in results {
            if uses.iter().all(RuleUse::is_complete) {
                break;
            }
            for index in self.patterns.matching(measured.benchmark) {
                if let (Some(rule), Some(one)) = (self.rules.get(index), uses.get_mut(index)) {
                    one.add(rule, measured);
                }
            }
        }
        let unused = self.rules.iter().zip(uses).flat_map(|(rule, one)| one.unused().map(move |what| (rule, what)));
        let mut unused: Vec<(&Rule, UnusedPart)> = unused.collect();
        unused.sort_by_key(|(rule, _)| rule.line);
        unused
    }

    /// The better direction of a metric whose results do not state it. A rule without `metric` applies only if the direction is
    /// unknown: `match = "*"` must not reverse the direction of times.
    pub fn direction(&self, benchmark: &str, metric: &Metric) -> Option<Direction> {
        if metric.certainty() == Certainty::Stated || self.rules.iter().all(|rule| rule.direction.is_none()) {
            return None;
        }
        let applies = |rule: &&Rule| match &rule.metric {
            Some(pattern) => pattern.matches(&metric.name),
            None => !metric.direction.is_known(),
        };
        let hits = self.patterns.matching(benchmark).filter_map(|index| self.rules.get(index));
        hits.filter(applies).find_map(|rule| rule.direction)
    }

    pub fn benchmark_settings(&self, benchmark: &str, metric: &Metric) -> BenchmarkSettings {
        let mut settings = BenchmarkSettings::default();
        if self.rules.is_empty() {
            return settings;
        }
        let hits = self.patterns.matching(benchmark).filter_map(|index| self.rules.get(index));
        for rule in hits.filter(|rule| rule.metric.as_ref().is_none_or(|m| m.matches(&metric.name))) {
            if let (None, Some(threshold)) = (settings.threshold, rule.threshold) {
                settings.threshold = Some(threshold);
                settings.threshold_line = Some(rule.line);
            }
            let floor = rule.floor.as_ref().and_then(|floor| floor.value_in(&metric.unit));
            if let (None, Some(floor)) = (settings.floor, floor) {
                settings.floor = Some(floor);
                settings.floor_line = Some(rule.line);
            }
        }
        settings
    }
}
