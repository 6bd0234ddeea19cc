//! What the runs of a suite show before anything is tested: each benchmark's change, every run's common factor taken out of
//! its side first, and what its noise can be told from.

use super::centre;
use super::prior::Observation;
use super::shift::{MIN_SUITE, Residuals};
use rayon::prelude::*;

/// One run's value on the log scale, the sign such that larger is worse.
#[derive(Debug, Clone, Copy)]
pub struct RunValue {
    /// Which of the side's runs.
    pub run: usize,
    /// The edge that disturbance leaves alone (the low edge of times), where there are samples.
    pub fast_edge: Option<f64>,
    /// The median, or the best centre there is.
    pub centre: f64,
    /// How far the edge wandered inside the run.
    pub within_run_drift: Option<f64>,
    /// Variance of the centre as far as a summary tells it; 0 otherwise.
    pub centre_variance: f64,
}

/// All runs of one benchmark; each side has at least one.
#[derive(Debug, Clone)]
pub struct BenchmarkRuns {
    /// Base runs.
    pub base: Vec<RunValue>,
    /// Head runs.
    pub head: Vec<RunValue>,
}

/// The benchmarks of one metric that are judged together, all with an edge or all by their centres. What was observed of
/// one is made when it is asked for: of a large suite with many runs all of it would fill memory.
pub trait Suite: Sync {
    /// How many benchmarks there are.
    fn count(&self) -> usize;

    /// How many runs base and head have.
    fn runs(&self) -> [usize; 2];

    /// True where every run of every benchmark has an edge.
    fn has_fast_edges(&self) -> bool;

    /// All runs of one benchmark.
    fn observed(&self, index: usize) -> BenchmarkRuns;
}

impl Suite for Vec<BenchmarkRuns> {
    fn count(&self) -> usize {
        self.len()
    }

    fn runs(&self) -> [usize; 2] {
        let most = |runs: &[RunValue]| runs.iter().map(|run| run.run + 1).max().unwrap_or(0);
        let both = self.iter().map(|one| (most(&one.base), most(&one.head)));
        both.fold([0, 0], |[base, head], (b, h)| [base.max(b), head.max(h)])
    }

    fn has_fast_edges(&self) -> bool {
        self.iter().flat_map(|one| one.base.iter().chain(&one.head)).all(|value| value.fast_edge.is_some())
    }

    fn observed(&self, index: usize) -> BenchmarkRuns {
        self[index].clone()
    }
}

/// The share of pairs of a base and a head run that do not lie the way of the change.
pub(super) fn overlap(one: &BenchmarkRuns, by_edge: bool, delta: f64) -> f64 {
    let value = if by_edge { edge } else { centre };
    let against = |base: &RunValue| one.head.iter().filter(|head| (value(head) - value(base)) * delta <= 0.0).count();
    let count: usize = one.base.iter().map(against).sum();
    count as f64 / (one.base.len() * one.head.len()).max(1) as f64
}

fn edge(run: &RunValue) -> f64 {
    run.fast_edge.unwrap_or(run.centre)
}

fn centre(run: &RunValue) -> f64 {
    run.centre
}

/// One benchmark between reading and judging.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawChange {
    /// The change that is tested: of the edges, or of the centres where there are none.
    pub raw: f64,
    /// The change of the centres.
    pub median_raw: f64,
    /// What the fit looks at.
    pub observation: Observation,
    /// The variance of the change below which it is not trusted.
    pub floor: f64,
}

/// Looks at each benchmark, every run's common factor taken out of its side first.
pub(super) fn raw_changes(benchmarks: &dyn Suite, by_edge: bool) -> Vec<RawChange> {
    let (edges, centres) = factors(benchmarks, by_edge);
    let look = |i: usize| {
        let one = benchmarks.observed(i);
        let medians = change(&one, centre, &centres);
        let tested = if by_edge { change(&one, edge, &edges) } else { medians };
        let observation = Observation {
            wander: wander(&one),
            change: tested.raw,
            squares: tested.squares,
            df: (one.base.len() + one.head.len()) as f64 - 2.0,
            factor: centre::variance_factor(one.base.len()) + centre::variance_factor(one.head.len()),
        };
        RawChange { raw: tested.raw, median_raw: medians.raw, observation, floor: floor(&one) }
    };
    (0..benchmarks.count()).into_par_iter().map(look).collect()
}

/// The common factors of the runs of base and head: of their edges, and of their centres. None in a small suite, and of a
/// single run.
fn factors(benchmarks: &dyn Suite, by_edge: bool) -> ([Vec<f64>; 2], [Vec<f64>; 2]) {
    let wanted = benchmarks.runs().map(|runs| runs > 1 && benchmarks.count() >= MIN_SUITE);
    if wanted == [false, false] {
        return Default::default();
    }
    // Of the edges of base and head, then of their centres.
    let none = || <[Residuals; 4]>::default();
    let add = |mut sums: [Residuals; 4], i: usize| {
        let one = benchmarks.observed(i);
        for (side, runs) in [&one.base, &one.head].into_iter().enumerate().filter(|(side, _)| wanted[*side]) {
            let of = |value: fn(&RunValue) -> f64| runs.iter().map(|run| (run.run, value(run))).collect::<Vec<_>>();
            if by_edge {
                sums[side].add(&of(edge));
            }
            sums[2 + side].add(&of(centre));
        }
        sums
    };
    let both = |one: [Residuals; 4], other: [Residuals; 4]| {
        let mut other = other.into_iter();
        one.map(|side| side.and(other.next().unwrap_or_default()))
    };
    let sums = (0..benchmarks.count()).into_par_iter().fold(none, add).reduce(none, both);
    let [base, head, base_centres, head_centres] = sums.map(|side| side.factors());
    ([base, head], [base_centres, head_centres])
}

/// A benchmark's change, and how far its runs lie from their side's mean.
#[derive(Clone, Copy)]
struct ChangePoint {
    raw: f64,
    squares: f64,
}

fn change(one: &BenchmarkRuns, value: fn(&RunValue) -> f64, factors: &[Vec<f64>; 2]) -> ChangePoint {
    let side = |runs: &[RunValue], factors: &[f64]| -> Vec<f64> {
        runs.iter().map(|run| value(run) - factors.get(run.run).copied().unwrap_or(0.0)).collect()
    };
    let squares = |runs: &[f64]| {
        let mean = runs.iter().sum::<f64>() / runs.len() as f64;
        runs.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
    };
    let (base, head) = (side(&one.base, &factors[0]), side(&one.head, &factors[1]));
    ChangePoint { raw: centre::of_runs(&head) - centre::of_runs(&base), squares: squares(&base) + squares(&head) }
}

/// `ln(wander^2)` averaged over the runs that have one.
fn wander(one: &BenchmarkRuns) -> Option<f64> {
    let logs: Vec<f64> = one
        .base
        .iter()
        .chain(&one.head)
        .filter_map(|run| run.within_run_drift)
        .map(|sd| (sd * sd + 1e-8).ln())
        .collect();
    (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
}

/// The variance of the change below which it is not trusted: a run's centre is known no better than its edge wandered.
fn floor(one: &BenchmarkRuns) -> f64 {
    let side = |runs: &[RunValue]| {
        let wanders: Vec<f64> = runs.iter().filter_map(|run| run.within_run_drift).map(|sd| sd * sd).collect();
        let wander = if wanders.is_empty() { 0.0 } else { wanders.iter().sum::<f64>() / wanders.len() as f64 };
        let within = runs.iter().map(|run| run.centre_variance).sum::<f64>() / runs.len() as f64;
        centre::variance_factor(runs.len()) * (wander + within)
    };
    side(&one.base) + side(&one.head)
}
