//! The level of each run of a measurement: the mean of all its benchmarks. Base and head ran in turn, so a difference between
//! these levels comes from the code. It can reveal a change that is too small to be detected in a single benchmark.

use super::{Comparison, Pair};
use crate::stats::shift::MIN_SUITE;
use crate::stats::suite::{BenchmarkRuns, RunValue, TestedValue};

/// Re-measured suspects represent the suite if they are at least this share of it.
const MIN_SHARE: f64 = 0.75;

/// The mean distance of each run from the centre of the base, on the log scale; larger is worse.
#[derive(Debug, Clone, Default)]
pub struct RunLevels {
    /// The base runs.
    pub base: Vec<f64>,
    /// The head runs.
    pub head: Vec<f64>,
    /// Number of benchmarks in the mean.
    pub benchmarks: usize,
}

impl RunLevels {
    /// The levels of the runs of these pairs; benchmarks that are missing from a run are left out.
    pub(super) fn of(pairs: &[Pair<'_>], members: &[usize], by: TestedValue, [base, head]: [usize; 2]) -> RunLevels {
        let mut levels = RunLevels { base: vec![0.0; base], head: vec![0.0; head], benchmarks: 0 };
        let whole = |runs: &BenchmarkRuns| runs.base.len() == base && runs.head.len() == head;
        for runs in members.iter().map(|index| pairs[*index].runs()).filter(whole) {
            let centre = runs.base.iter().map(|run| by.value(run)).sum::<f64>() / base as f64;
            let add = |levels: &mut [f64], runs: &[RunValue]| {
                levels.iter_mut().zip(runs).for_each(|(level, run)| *level += by.value(run) - centre);
            };
            add(&mut levels.base, &runs.base);
            add(&mut levels.head, &runs.head);
            levels.benchmarks += 1;
        }
        let count = levels.benchmarks.max(1) as f64;
        levels.base.iter_mut().chain(&mut levels.head).for_each(|level| *level /= count);
        levels
    }

    /// True if there are enough benchmarks for a suite.
    pub fn are_of_a_suite(&self) -> bool {
        self.benchmarks >= MIN_SUITE
    }

    /// The levels of re-measured suspects in place of these, where they are most of the suite. The benchmarks that were
    /// not re-measured, `rest`, contribute the change of their first measurement.
    pub(super) fn replaced(self, fresh: RunLevels, rest: &[&Comparison]) -> RunLevels {
        let changes: Vec<f64> = rest.iter().filter_map(|one| Some(one.estimate()?.raw)).collect();
        let all = fresh.benchmarks + changes.len();
        if (fresh.benchmarks as f64) < MIN_SHARE * all as f64 || fresh.benchmarks == 0 {
            return self;
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let by = (mean(&changes) - mean(&fresh.head)) * changes.len() as f64 / all as f64;
        RunLevels { head: fresh.head.iter().map(|level| level + by).collect(), benchmarks: all, ..fresh }
    }
}
