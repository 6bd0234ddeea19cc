//! How benchmarks of older runs are matched with current ones, and which way is better where their files do not state it.

use crate::model::{Direction, Metric};

/// The config's rules for names and directions. A closure from old to current names also implements this trait, without
/// directions.
pub trait MatchRules {
    /// The current name of a benchmark, if it was renamed.
    fn current_name(&self, old: &str) -> Option<String>;

    /// The better direction that the config states for a metric of a benchmark. The metric has the direction that is most certain
    /// among the runs: one that results state takes precedence over the config.
    fn direction(&self, _benchmark: &str, _metric: &Metric) -> Option<Direction> {
        None
    }
}

impl<F: Fn(&str) -> Option<String>> MatchRules for F {
    fn current_name(&self, old: &str) -> Option<String> {
        self(old)
    }
}
