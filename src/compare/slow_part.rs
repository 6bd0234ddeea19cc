//! Tests the typical means of the samples where they changed differently from the fast edges: part of the samples
//! became slower or faster, and the others did not. A few very slow samples change only the mean of all samples, which is not
//! tested: several runs must show it.

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

/// The runs that have a typical mean; `None` if a side has none. If more runs of one side have a slow part that the typical mean leaves out
/// than chance explains, these are not busy moments: then the means of all samples are tested. `alpha` is for this benchmark alone.
fn with_typical_means(mut runs: BenchmarkRuns, alpha: f64) -> Option<BenchmarkRuns> {
    let slow = |side: &[RunValue]| side.iter().filter(|run| run.slow_part_error.is_some()).count();
    let (base, head) = (slow(&runs.base), slow(&runs.head));
    let [of_base, of_head] = [&runs.base, &runs.head].map(Vec::len);
    let is_all = |all: [usize; 2], some: [usize; 2]| all[0] == all[1] && chance_of_all(all[1], some) <= alpha;
    if is_all([head, of_head], [base, of_base]) || is_all([base, of_base], [head, of_head]) {
        runs.base.iter_mut().chain(&mut runs.head).for_each(RunValue::use_mean_of_all);
    }
    runs.base.retain(|run| run.typical_mean.is_some());
    runs.head.retain(|run| run.typical_mean.is_some());
    (!runs.base.is_empty() && !runs.head.is_empty()).then_some(runs)
}

/// How likely it is by chance that all of the slow runs of both sides include all `n` runs of a side, if `some` of the runs of the other side
/// are slow (Fisher's exact test, one-sided).
fn chance_of_all(n: usize, [some, of]: [usize; 2]) -> f64 {
    let [n, some, of] = [n, some, of].map(|count| count as u64);
    binomial(of, some) / binomial(n + of, n + some)
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
