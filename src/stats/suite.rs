//! The raw change of each benchmark of a suite, before any test. The shift shared by all benchmarks of a run is
//! subtracted from each run of a side first.

use super::centre;
use super::newest_base::NewestBaseRun;
use super::prior::Observation;
use super::samples::MAX_BATCHES;
use super::shift::{ByRun, MIN_SUITE};
use rayon::prelude::*;

/// Lower bound (30%) of the limit that samples set on run-to-run noise: on a busy machine or with another code layout,
/// the samples can be steady although the runs differ.
const LEAST_MAX_SD: f64 = 0.30;

/// The same bound for values without samples and one run per side. It is divided by (df + 1)^[`RUNS_REDUCE_MAX_SD`], because more
/// runs show their spread themselves. docs/statistics.md has the alarms and the recall of other values.
const LEAST_MAX_SD_OF_NUMBERS: f64 = 0.35;
const RUNS_REDUCE_MAX_SD: f64 = 0.6;

/// Bias of the typical mean, which leaves out the slowest batch, in standard errors of the mean: `E √n / (n − 1)`
/// for n batches, where E is the expected largest of n normal values. 0.73 for three batches, 0.60 for seven.
const LEFT_OUT_BATCH: f64 = 0.65;
/// A smaller drift counts in full, on the log scale. With 0.2, one of five unchanged suites next to a busy loop has an alarm
/// (`cargo test --test accuracy`, three base runs); with 0.3, none has.
const LARGE_DRIFT: f64 = 0.3;

/// One run's value on the log scale, with the sign chosen such that larger is worse.
#[derive(Debug, Clone, Copy)]
pub struct RunValue {
    /// Index of the run within its side.
    pub run: usize,
    /// The fast edge, where there are samples.
    pub fast_edge: Option<f64>,
    /// The median, or the best centre that the tool reports.
    pub centre: f64,
    /// Drift of the fast edge within the run.
    pub within_run_drift: Option<f64>,
    /// Variance of the centre according to the tool's summary; 0 where there is none.
    pub centre_variance: f64,
    /// The typical mean of the samples, without the slowest batch, and its standard error, where they are known.
    pub typical_mean: Option<(f64, f64)>,
    /// The mean of the samples with the slowest batch, where it is known.
    pub mean_with_slowest: Option<f64>,
    /// The standard error of that mean, where more than one sample of the run makes it differ from the median and the typical mean may
    /// contain none of them.
    pub slow_part_error: Option<f64>,
}

impl RunValue {
    /// Replaces the typical mean by the mean of all samples: with its own error if a part of them is slow, otherwise as it is.
    pub fn use_mean_of_all(&mut self) {
        if let Some(mean) = self.mean_with_slowest {
            let error = self.slow_part_error.unwrap_or_default();
            // No batch is left out, so the tested value needs no correction.
            self.typical_mean = Some((mean - LEFT_OUT_BATCH * error, error));
        }
    }

    /// Adds to each value.
    pub fn shift(&mut self, by: f64) {
        self.centre += by;
        self.fast_edge = self.fast_edge.map(|edge| edge + by);
        self.typical_mean = self.typical_mean.map(|(mean, error)| (mean + by, error));
        self.mean_with_slowest = self.mean_with_slowest.map(|mean| mean + by);
    }
}

/// The value of a run that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestedValue {
    /// The fast edge of the samples.
    FastEdge,
    /// The typical mean of the samples, corrected for the batch that it leaves out.
    TypicalMean,
    /// The typical mean without the correction: one slow batch does not change it.
    UncorrectedTypicalMean,
    /// The median, or the best centre that the tool reports.
    Centre,
}

impl TestedValue {
    /// The value of a run.
    pub fn value(self, run: &RunValue) -> f64 {
        match self {
            TestedValue::FastEdge => run.fast_edge.unwrap_or(run.centre),
            TestedValue::TypicalMean => {
                run.typical_mean.map_or(run.centre, |(mean, error)| mean + LEFT_OUT_BATCH * error)
            }
            TestedValue::UncorrectedTypicalMean => run.typical_mean.map_or(run.centre, |(mean, _)| mean),
            TestedValue::Centre => run.centre,
        }
    }
}

/// All runs of one benchmark; at least one on each side.
#[derive(Debug, Clone)]
pub struct BenchmarkRuns {
    /// Base runs, in order of time.
    pub base: Vec<RunValue>,
    /// Head runs, in order of time.
    pub head: Vec<RunValue>,
}

impl BenchmarkRuns {
    /// The change of a value, before any shift is subtracted.
    pub fn change(&self, by: TestedValue) -> f64 {
        let centre = |runs: &[RunValue]| centre::of_runs(&runs.iter().map(|run| by.value(run)).collect::<Vec<_>>());
        centre(&self.head) - centre(&self.base)
    }

    /// How much worse the means of all samples are in every head run than in every base run. `None` if a side has a single run and a
    /// single sample may be the cause, because any run may contain a very slow sample.
    pub fn least_change_of_means(&self) -> Option<f64> {
        let means = |runs: &[RunValue]| runs.iter().map(|run| run.mean_with_slowest).collect::<Option<Vec<f64>>>();
        let (base, head) = (means(&self.base)?, means(&self.head)?);
        let several = base.len() > 1 && head.len() > 1 || self.head.iter().all(|run| run.slow_part_error.is_some());
        let (best_head, worst_base) = (head.into_iter().reduce(f64::min)?, base.into_iter().reduce(f64::max)?);
        several.then_some(best_head - worst_base)
    }
}

/// The benchmarks of one metric that are tested together, all by the same value of their runs. The values of a benchmark are
/// computed on request: for a large suite with many runs they would fill the memory.
pub trait Suite: Sync {
    /// Number of benchmarks.
    fn count(&self) -> usize;

    /// Number of runs of base and head.
    fn run_counts(&self) -> [usize; 2];

    /// The value that is tested.
    fn tested(&self) -> TestedValue;

    /// All runs of one benchmark.
    fn benchmark(&self, index: usize) -> BenchmarkRuns;
}

impl Suite for Vec<BenchmarkRuns> {
    fn count(&self) -> usize {
        self.len()
    }

    fn run_counts(&self) -> [usize; 2] {
        let count = |runs: &[RunValue]| runs.iter().map(|run| run.run + 1).max().unwrap_or(0);
        let counts = self.iter().map(|one| (count(&one.base), count(&one.head)));
        counts.fold([0, 0], |[base, head], (b, h)| [base.max(b), head.max(h)])
    }

    fn tested(&self) -> TestedValue {
        let mut runs = self.iter().flat_map(|one| one.base.iter().chain(&one.head));
        if runs.all(|value| value.fast_edge.is_some()) { TestedValue::FastEdge } else { TestedValue::Centre }
    }

    fn benchmark(&self, index: usize) -> BenchmarkRuns {
        self[index].clone()
    }
}

/// At most one in this many pairs of a base and a head run may contradict a change: none with three runs per side, 1 of 25 with
/// five.
const PAIRS_FOR_ONE_EXCEPTION: usize = 20;

/// The smallest change that a pair of a base and a head run shows, in the direction of the change `delta`, without the exceptions.
pub(super) fn least_of_pairs(runs: &BenchmarkRuns, tested: TestedValue, delta: f64) -> f64 {
    let changes_from = |base: &RunValue| {
        let base = tested.value(base);
        runs.head.iter().map(move |head| (tested.value(head) - base) * delta.signum())
    };
    let mut changes: Vec<f64> = runs.base.iter().flat_map(changes_from).collect();
    changes.sort_unstable_by(f64::total_cmp);
    changes.get(changes.len() / PAIRS_FOR_ONE_EXCEPTION).copied().unwrap_or_default()
}

/// The change of one benchmark as measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawChange {
    /// The change that is tested.
    pub raw: f64,
    /// The change of the centres.
    pub median_raw: f64,
    /// What the benchmark contributes to the fit of the prior.
    pub observation: Observation,
    /// Lower limit of the variance of the change.
    pub variance_floor: f64,
    /// Upper limit of the standard deviation of the tested value from run to run; infinite if nothing limits it.
    pub max_sd: f64,
    /// What single runs show.
    pub single_runs: SingleRuns,
}

/// With at least this number of head runs, one in [`MAY_DEVIATE`] runs of a side may deviate: many runs are likely to contain an
/// outlier.
const MANY_HEAD_RUNS: usize = 5;
const MAY_DEVIATE: usize = 5;
/// Samples: one in this many base runs may deviate.
const MAY_DEVIATE_WITH_SAMPLES: usize = 10;

/// What single runs of a benchmark show and the centres of the sides do not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SingleRuns {
    /// How far the base run farthest from the base's centre lies above it (worse), and below it.
    pub base_deviations: [f64; 2],
    /// For samples: the same, one in [`MAY_DEVIATE_WITH_SAMPLES`] base runs left out at each end.
    pub frequent_base_deviations: [f64; 2],
    /// The change of the best and of the worst head run.
    pub head_extremes: [f64; 2],
    /// True with at least [`MANY_HEAD_RUNS`] head runs. Then `base_deviations` and `head_extremes` leave out the runs that may deviate.
    pub some_may_deviate: bool,
    /// How far the newest base run lies above the base's centre.
    pub newest: NewestBaseRun,
}

impl SingleRuns {
    /// The smallest changes that single runs of base and of head show, in the direction of the change `delta`.
    pub(super) fn least(&self, delta: f64, subtracted: f64) -> [f64; 2] {
        let SingleRuns { base_deviations: [above, below], head_extremes: [best, worst], .. } = *self;
        match delta > 0.0 {
            true => [delta - above, best - subtracted],
            false => [-delta - below, subtracted - worst],
        }
    }
}

/// The raw change of each benchmark, and the shift of each run of base and head from the centre of its side (empty for a small
/// suite and for a single run). The shift of each run is subtracted from its side first.
pub(super) fn raw_changes(suite: &dyn Suite) -> (Vec<RawChange>, [Vec<f64>; 2]) {
    let shifts = RunShifts::of(suite);
    let one = |index| raw_change(&suite.benchmark(index), &shifts, suite.tested());
    let changes = (0..suite.count()).into_par_iter().map(one).collect();
    (changes, if suite.tested() == TestedValue::Centre { shifts.centres } else { shifts.tested })
}

fn raw_change(runs: &BenchmarkRuns, shifts: &RunShifts, by: TestedValue) -> RawChange {
    let medians = difference(runs, TestedValue::Centre, &shifts.centres);
    let tested = if by == TestedValue::Centre { medians } else { difference(runs, by, &shifts.tested) };
    let observation = Observation {
        ln_drift_squared: ln_drift_squared(runs, by),
        change: tested.raw,
        sum_of_squares: tested.sum_of_squares,
        df: (runs.base.len() + runs.head.len()) as f64 - 2.0,
        variance_factor: centre::variance_factor(runs.base.len()) + centre::variance_factor(runs.head.len()),
    };
    let variance_floor = variance_floor(runs, by);
    let max_sd = match by {
        TestedValue::FastEdge | TestedValue::Centre => max_sd(runs, by, &observation),
        TestedValue::TypicalMean | TestedValue::UncorrectedTypicalMean => f64::INFINITY,
    };
    RawChange {
        raw: tested.raw,
        median_raw: medians.raw,
        observation,
        variance_floor,
        max_sd,
        single_runs: tested.single_runs,
    }
}

/// The base run that lies farthest above the others (`way` 0) or below them (1), compared with them as if it were head. `None` if
/// it is the newest one: the change may last.
pub(super) fn as_head(runs: &BenchmarkRuns, way: usize, base_shifts: &[f64], by: TestedValue) -> Option<RawChange> {
    let mut base = runs.base.clone();
    let newest = base.iter().map(|run| run.run).max()?;
    base.iter_mut().for_each(|run| run.shift(-base_shifts.get(run.run).copied().unwrap_or(0.0)));
    base.sort_unstable_by(|a, b| by.value(a).total_cmp(&by.value(b)));
    let farthest = if way == 0 { base.pop()? } else { base.remove(0) };
    (!base.is_empty() && farthest.run != newest)
        .then(|| raw_change(&BenchmarkRuns { base, head: vec![farthest] }, &RunShifts::default(), by))
}

/// The shift of each run of base and head; empty for a small suite, and for a side with a single run.
#[derive(Debug, Default)]
struct RunShifts {
    tested: [Vec<f64>; 2],
    centres: [Vec<f64>; 2],
}

impl RunShifts {
    fn of(suite: &dyn Suite) -> RunShifts {
        let wanted = suite.run_counts().map(|runs| runs > 1 && suite.count() >= MIN_SUITE);
        if wanted == [false, false] {
            return RunShifts::default();
        }
        // The residuals of the tested values of base and head, then those of the centres.
        let tested = suite.tested();
        let none = || <[ByRun; 4]>::default();
        let add = |mut residuals: [ByRun; 4], index: usize| {
            let benchmark = suite.benchmark(index);
            let sides = [&benchmark.base, &benchmark.head].into_iter().enumerate();
            for (side, runs) in sides.filter(|(side, _)| wanted[*side]) {
                let of = |by: TestedValue| runs.iter().map(|run| (run.run, by.value(run))).collect::<Vec<_>>();
                if tested != TestedValue::Centre {
                    residuals[side].add_residuals(&of(tested));
                }
                residuals[2 + side].add_residuals(&of(TestedValue::Centre));
            }
            residuals
        };
        let merge = |one: [ByRun; 4], other: [ByRun; 4]| {
            let mut other = other.into_iter();
            one.map(|side| side.merge(other.next().unwrap_or_default()))
        };
        let residuals = (0..suite.count()).into_par_iter().fold(none, add).reduce(none, merge);
        let [base, head, base_centres, head_centres] = residuals.map(|side| side.medians());
        RunShifts { tested: [base, head], centres: [base_centres, head_centres] }
    }
}

/// The difference of head and base, and the squared deviations of the runs from the mean of their side.
#[derive(Clone, Copy)]
struct Difference {
    raw: f64,
    sum_of_squares: f64,
    single_runs: SingleRuns,
}

fn difference(runs: &BenchmarkRuns, by: TestedValue, shifts: &[Vec<f64>; 2]) -> Difference {
    let side = |runs: &[RunValue], shifts: &[f64]| -> Vec<f64> {
        runs.iter().map(|run| by.value(run) - shifts.get(run.run).copied().unwrap_or(0.0)).collect()
    };
    let squares = |runs: &[f64]| {
        let mean = runs.iter().sum::<f64>() / runs.len() as f64;
        runs.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
    };
    let (base, head) = (side(&runs.base, &shifts[0]), side(&runs.head, &shifts[1]));
    let (base_centre, head_centre) = (centre::of_runs(&base), centre::of_runs(&head));
    let some_may_deviate = head.len() >= MANY_HEAD_RUNS;
    // The smallest and the largest value without `left_out` at each end.
    let range = |runs: &[f64], left_out: usize| {
        let mut sorted: Vec<f64> = runs.iter().map(|y| y - base_centre).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let end = |from_end: Option<&f64>, otherwise: f64| from_end.copied().unwrap_or(otherwise);
        [end(sorted.get(left_out), f64::INFINITY), end(sorted.iter().rev().nth(left_out), f64::NEG_INFINITY)]
    };
    let may_deviate = |runs: &[f64]| if some_may_deviate { runs.len() / MAY_DEVIATE } else { 0 };
    let deviations = |[below, above]: [f64; 2]| [above, -below];
    let shift_of_newest = runs.base.last().and_then(|run| shifts[0].get(run.run)).copied().unwrap_or(0.0);
    let newest = NewestBaseRun::of(&base, base_centre, shift_of_newest);
    let single_runs = SingleRuns {
        base_deviations: deviations(range(&base, may_deviate(&base))),
        frequent_base_deviations: deviations(range(&base, base.len() / MAY_DEVIATE_WITH_SAMPLES)),
        head_extremes: range(&head, may_deviate(&head)),
        some_may_deviate,
        newest,
    };
    Difference { raw: head_centre - base_centre, sum_of_squares: squares(&base) + squares(&head), single_runs }
}

/// The within-run drift of the tested value of a run. If most samples of a run are slow and a few are fast, some batches have none
/// of the fast ones. Their fast edges then differ by the whole slowdown, although their means are nearly the same. So a large
/// drift counts at most as the standard deviation between the batches' means.
fn drift(run: &RunValue, by: TestedValue) -> Option<f64> {
    let drift = run.within_run_drift?;
    match (by, run.typical_mean) {
        (TestedValue::TypicalMean, Some((_, error))) => {
            Some(drift.min(LARGE_DRIFT.max(error * (MAX_BATCHES as f64).sqrt())))
        }
        _ => Some(drift),
    }
}

/// Mean of `ln(drift^2)` over the runs with a drift. Adding 1e-8 keeps the logarithm finite for a drift of 0.
fn ln_drift_squared(runs: &BenchmarkRuns, by: TestedValue) -> Option<f64> {
    let drifts = runs.base.iter().chain(&runs.head).filter_map(|run| drift(run, by));
    let logs: Vec<f64> = drifts.map(|sd| (sd * sd + 1e-8).ln()).collect();
    (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
}

/// Upper limit of the standard deviation of the tested value from run to run, on the log scale: the largest of [`LEAST_MAX_SD`], the
/// standard deviation of the runs, and what the samples of a run show. For fast edges that is half the distance from the edge to the
/// median, which is about one standard deviation of the samples; for repetitions it is their drift and the error of their centre.
fn max_sd(runs: &BenchmarkRuns, by: TestedValue, observation: &Observation) -> f64 {
    let of_run = |run: &RunValue| match (by, run.fast_edge) {
        (TestedValue::FastEdge, Some(edge)) => (run.centre - edge).abs() / 2.0,
        _ => run.within_run_drift.unwrap_or_default().max(run.centre_variance.sqrt()),
    };
    let all = runs.base.iter().chain(&runs.head);
    let of_samples = all.map(of_run).sum::<f64>() / (runs.base.len() + runs.head.len()) as f64;
    let of_runs = if observation.df > 0.0 { (observation.sum_of_squares / observation.df).sqrt() } else { 0.0 };
    let least = match by {
        TestedValue::Centre => LEAST_MAX_SD_OF_NUMBERS / (observation.df + 1.0).powf(RUNS_REDUCE_MAX_SD),
        _ => LEAST_MAX_SD,
    };
    least.max(of_samples).max(of_runs)
}

/// Lower limit of the variance of the change. The value of a run has at least the error that its within-run drift and its own
/// standard error imply.
fn variance_floor(runs: &BenchmarkRuns, by: TestedValue) -> f64 {
    let error = |run: &RunValue| match (by, run.typical_mean) {
        (TestedValue::TypicalMean, Some((_, error))) => error * error,
        _ => run.centre_variance,
    };
    let side = |runs: &[RunValue]| {
        let drifts: Vec<f64> = runs.iter().filter_map(|run| drift(run, by)).map(|sd| sd * sd).collect();
        let drift = if drifts.is_empty() { 0.0 } else { drifts.iter().sum::<f64>() / drifts.len() as f64 };
        let errors = runs.iter().map(error).sum::<f64>() / runs.len() as f64;
        centre::variance_factor(runs.len()) * (drift + errors)
    };
    side(&runs.base) + side(&runs.head)
}
