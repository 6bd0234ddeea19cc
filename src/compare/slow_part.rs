//! Tests the typical means of the samples where they changed differently from the fast edges: part of the samples
//! became slower or faster, and the others did not. A few slow samples change only the mean of all samples. It is tested if all
//! runs of a side have a slow part, and otherwise only compared.

use super::{Pair, TestGroup};
use crate::stats::estimate::Estimate;
use crate::stats::prior::{Observation, ValueKind};
use crate::stats::suite::{BenchmarkRuns, RunValue, Suite, TestedValue};
use crate::stats::suite_test::{self, TestRules};
use rayon::prelude::*;
use statrs::function::factorial::binomial;

/// The mean is tested only if it changed by more than this, and by more than this differently from the fast edge (on
/// the log scale). In most suites this applies to all benchmarks, which saves the second fit.
const MIN_DIFFERENCE: f64 = 0.04;

/// The tests of the typical means of a group.
pub(super) struct MeanTests {
    /// The estimates of the pairs whose mean and edge changed differently, with the index of the pair.
    pub estimates: Vec<(usize, Estimate)>,
    /// What each benchmark contributes to the fit of the prior; empty if no mean was tested.
    pub observations: Vec<Observation>,
    /// How much worse the means of all samples are in every head run than in every base run, where that is more than
    /// [`MIN_DIFFERENCE`], with the index of the pair.
    pub slowest: Vec<(usize, f64)>,
}

/// Tests the typical means of the pairs `members` of a group, unless mean and edge changed alike in all of them. `screened` are the
/// observations of the whole suite, where suspects are re-measured.
pub(super) fn test(
    pairs: &[Pair<'_>],
    group: &TestGroup<'_>,
    members: &[usize],
    runs: [usize; 2],
    rules: TestRules,
    screened: Option<&[Observation]>,
) -> MeanTests {
    let all: Vec<(usize, BenchmarkRuns)> = members.par_iter().map(|index| (*index, pairs[*index].runs())).collect();
    let least = |(index, runs): &(usize, BenchmarkRuns)| Some((*index, runs.least_change_of_means()?));
    let slowest = all.iter().filter_map(least).filter(|(_, change)| *change > MIN_DIFFERENCE).collect();
    // Without fast edges, for example if some samples are zero, the medians are tested, and the means are only compared.
    let tested = all.into_iter().filter(|_| group.has_samples);
    let alpha = rules.alpha / members.len() as f64;
    let suite: Vec<(usize, BenchmarkRuns)> =
        tested.filter_map(|(index, runs)| Some((index, with_typical_means(runs, alpha)?))).collect();
    let moved: Vec<bool> = suite.par_iter().map(|(_, runs)| has_moved_apart(runs)).collect();
    if !moved.contains(&true) {
        return MeanTests { estimates: Vec::new(), observations: Vec::new(), slowest };
    }
    let suite = MeanSuite { benchmarks: suite, runs };
    let tested = match screened {
        None => suite_test::estimate_suite(&suite, ValueKind::Measured, rules),
        Some(screened) => suite_test::estimate_re_measured(&suite, ValueKind::Measured, rules.alpha, screened),
    };
    let apart = suite.benchmarks.iter().zip(moved).enumerate().filter(|(_, (_, moved))| *moved);
    let estimates = apart.map(|(position, ((index, _), _))| (*index, tested.estimate(position))).collect();
    let observations = (0..tested.count()).map(|position| tested.estimate(position).observation()).collect();
    MeanTests { estimates, observations, slowest }
}

/// The runs that have a typical mean; `None` if a side has none. A busy moment fills the batch that the typical mean leaves out. If all runs of
/// a side have such a slow part, and chance does not explain it at level `alpha`, the means of all samples are tested instead.
fn with_typical_means(mut runs: BenchmarkRuns, alpha: f64) -> Option<BenchmarkRuns> {
    let [base, head] = [&runs.base, &runs.head].map(|side| SlowRuns::of(side));
    if head.are_all_beyond_chance(base, alpha) || base.are_all_beyond_chance(head, alpha) {
        runs.base.iter_mut().chain(&mut runs.head).for_each(RunValue::use_mean_of_all);
    }
    runs.base.retain(|run| run.typical_mean.is_some());
    runs.head.retain(|run| run.typical_mean.is_some());
    (!runs.base.is_empty() && !runs.head.is_empty()).then_some(runs)
}

/// How many runs of a side have a slow part that the typical mean leaves out.
#[derive(Clone, Copy)]
struct SlowRuns {
    slow: u64,
    all: u64,
}

impl SlowRuns {
    fn of(side: &[RunValue]) -> Self {
        let slow = side.iter().filter(|run| run.slow_part_error.is_some()).count();
        SlowRuns { slow: slow as u64, all: side.len() as u64 }
    }

    /// True if all runs of this side are slow, by more than chance: Fisher's exact test, one-sided.
    fn are_all_beyond_chance(self, other: SlowRuns, alpha: f64) -> bool {
        let chance = || binomial(other.all, other.slow) / binomial(self.all + other.all, self.slow + other.slow);
        self.slow == self.all && chance() <= alpha
    }
}

fn has_moved_apart(runs: &BenchmarkRuns) -> bool {
    let mean = runs.change(TestedValue::UncorrectedTypicalMean);
    mean.abs() > MIN_DIFFERENCE && (mean - runs.change(TestedValue::FastEdge)).abs() > MIN_DIFFERENCE
}

struct MeanSuite {
    benchmarks: Vec<(usize, BenchmarkRuns)>,
    runs: [usize; 2],
}

impl Suite for MeanSuite {
    fn count(&self) -> usize {
        self.benchmarks.len()
    }

    fn run_counts(&self) -> [usize; 2] {
        self.runs
    }

    fn tested(&self) -> TestedValue {
        TestedValue::TypicalMean
    }

    fn benchmark(&self, index: usize) -> BenchmarkRuns {
        self.benchmarks[index].1.clone()
    }
}
