//! The noise of a single head run beyond that of the base runs. The results of a head run on a busy machine scatter more than
//! those of its base. Base runs cannot predict this, but the suite shows it.

use super::shift::{ByRun, MIN_SUITE, shortest_window};
use super::suite::{BenchmarkRuns, Suite, TestedValue};
use super::{centre, prior};
use rayon::prelude::*;

/// Width of the densest 40% of a normal distribution of standard deviation one.
const NORMAL_WIDTH: f64 = 1.048_801_025_4;
/// With fewer base runs, the scatter from one to the next cannot be estimated.
const MIN_BASE_RUNS: usize = 3;
/// The variance of head may be larger by chance, by about this divided by the square root of the number of benchmarks.
/// With 0, half of all head runs would count as noisier than their base.
const TOLERANCE: f64 = 6.0;
/// The excess is measured on the quietest 40% of the benchmarks; that of the others is larger. docs/statistics.md has
/// the alarms and the recall with other factors.
const EXCESS_FACTOR: f64 = 2.0;

/// The factor of the excess: a quarter with three base runs and a quarter more with each further one. Few base runs do not show how
/// much their noise varies.
fn excess_factor(base_runs: usize) -> f64 {
    ((base_runs + 1 - MIN_BASE_RUNS) as f64 / 4.0).min(EXCESS_FACTOR)
}

/// The variance that the change of each benchmark has on top of what its base runs show, on the log scale. Zero for
/// several head runs (their own spread shows it), for few base runs and for a small suite.
pub(super) fn excess_variance(suite: &dyn Suite) -> f64 {
    let [base_runs, head_runs] = suite.run_counts();
    if base_runs < MIN_BASE_RUNS || head_runs != 1 || suite.count() < MIN_SUITE {
        return 0.0;
    }
    let add = |mut all: Differences, index: usize| {
        all.add(&suite.benchmark(index), suite.tested());
        all
    };
    let all = (0..suite.count()).into_par_iter().fold(Differences::default, add);
    let Differences { mut of_head, of_base } = all.reduce(Differences::default, Differences::merge);
    let mut pairs: Vec<f64> = of_base
        .into_runs()
        .into_iter()
        .filter(|pair| pair.len() >= MIN_SUITE)
        .map(|mut pair| variance_of_run(&mut pair, 2.0))
        .collect();
    pairs.sort_unstable_by(f64::total_cmp);
    let Some(of_base) = pairs.get(pairs.len() / 2) else { return 0.0 };
    let of_head = variance_of_run(&mut of_head, 1.0 + centre::variance_factor(base_runs));
    let by_chance = 1.0 + TOLERANCE / (suite.count() as f64).sqrt();
    excess_factor(base_runs) * (of_head - by_chance * of_base.max(prior::MIN_SD.powi(2))).max(0.0)
}

/// The differences of runs, for all benchmarks.
#[derive(Default)]
struct Differences {
    /// Head minus the median of base. If the benchmark changed within base, a mean would lie between the two levels.
    of_head: Vec<f64>,
    /// Each base run minus the base run before it.
    of_base: ByRun,
}

impl Differences {
    fn add(&mut self, runs: &BenchmarkRuns, by: TestedValue) {
        let base: Vec<f64> = runs.base.iter().map(|run| by.value(run)).collect();
        self.of_head.extend(runs.head.iter().map(|run| by.value(run) - centre::median(&base)));
        for (run, pair) in runs.base.iter().skip(1).zip(base.windows(2)) {
            self.of_base.push(run.run, pair[1] - pair[0]);
        }
    }

    fn merge(mut self, other: Differences) -> Differences {
        self.of_head.extend(other.of_head);
        Differences { of_head: self.of_head, of_base: self.of_base.merge(other.of_base) }
    }
}

/// Variance of one run, from differences whose variance is `scale` times as large.
fn variance_of_run(differences: &mut [f64], scale: f64) -> f64 {
    (shortest_window(differences) / NORMAL_WIDTH).powi(2) / scale
}
