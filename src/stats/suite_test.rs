//! Estimates the changes of all benchmarks of a suite together: the suite-wide shift, the prior for the noise, and the
//! correction for the number of tests.

use super::estimate::{Estimate, Noise, NullDistribution, TAIL};
use super::fdr;
use super::prior::{Observation, Prior, ValueKind};
use super::shift::{self, MIN_SUITE};
use super::suite::{RawChange, Suite, overlap, raw_changes};
use rayon::prelude::*;
use std::sync::Arc;

/// A suite-wide shift up to this is attributed to the machine and subtracted; a larger one may come from the code.
const MAX_SUBTRACTED_SHIFT: f64 = 0.139_761_942_375_158_77; // ln 1.15

/// The estimates of a suite. Each is computed on request: for a large suite all of them take much memory.
#[derive(Debug)]
pub struct SuiteEstimates {
    changes: Vec<RawChange>,
    prior: Arc<Prior>,
    shift: f64,
    median_shift: f64,
    small: bool,
    tests: Tests,
}

/// The results of the tests, in the order of the benchmarks.
#[derive(Debug, Default)]
struct Tests {
    /// P values, each towards the side of its change.
    p: Vec<f64>,
    q_worse: Vec<f64>,
    q_better: Vec<f64>,
    /// The p value that one more finding would need.
    critical_p: f64,
    /// Tail probabilities of the intervals of findings, towards worse and towards better.
    finding_tails: [f64; 2],
    /// For re-measured suspects: the overlap of their runs.
    overlaps: Option<Vec<f64>>,
}

/// Estimates the changes of a suite; corrected by Benjamini and Hochberg.
pub fn estimate_suite(suite: &dyn Suite, kind: ValueKind, alpha: f64) -> SuiteEstimates {
    estimate(suite, kind, alpha, None)
}

/// Estimates the changes of re-measured suspects; corrected by Holm.
///
/// The prior is fitted to the first measurement of the whole suite and to the new runs: the suspects alone are few, and
/// selected for being far off. No suite-wide shift is subtracted: it may be the change that they were selected for.
pub fn estimate_remeasured(suspects: &dyn Suite, kind: ValueKind, alpha: f64, suite: &[Observation]) -> SuiteEstimates {
    estimate(suspects, kind, alpha, Some(suite))
}

/// `screened` is the first measurement of the suite, where suspects are re-measured.
fn estimate(suite: &dyn Suite, kind: ValueKind, alpha: f64, screened: Option<&[Observation]>) -> SuiteEstimates {
    let by_edge = suite.has_fast_edges();
    let mut changes = raw_changes(suite, by_edge);
    let common = |change: fn(&RawChange) -> f64| match screened {
        Some(_) => 0.0,
        None => shift::suite_wide_shift(&changes.iter().map(change).collect::<Vec<_>>()),
    };
    let (shift, median_shift) = (common(|one| one.observation.change), common(|one| one.median_raw));

    // The fit needs changes around zero, also where the shift is too large to be subtracted from the estimates.
    changes.iter_mut().for_each(|one| one.observation.change -= shift);
    let fitted = screened.unwrap_or_default().iter().copied().chain(changes.iter().map(|one| one.observation));
    let small = screened.map_or(changes.len(), <[Observation]>::len) < MIN_SUITE;
    let prior = Arc::new(Prior::fit(&fitted.collect::<Vec<_>>(), kind, small));
    let mut estimates = SuiteEstimates { changes, prior, shift, median_shift, small, tests: Tests::default() };
    let all = 0..estimates.count();
    let p_value = |i: usize| estimates.null_distribution(i).tail(estimates.delta(i).abs());
    estimates.tests.p = all.clone().into_par_iter().map(p_value).collect();
    estimates.tests.overlaps =
        screened.map(|_| all.map(|i| overlap(&suite.benchmark(i), by_edge, estimates.delta(i))).collect());
    estimates.correct(alpha, screened.is_some());
    estimates
}

impl SuiteEstimates {
    /// Number of benchmarks.
    pub fn count(&self) -> usize {
        self.changes.len()
    }

    /// The suite-wide shift.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// True where the suite-wide shift was subtracted.
    pub fn shift_is_subtracted(&self) -> bool {
        self.shift.abs() <= MAX_SUBTRACTED_SHIFT
    }

    /// The estimates, in the order of the benchmarks.
    #[cfg(feature = "internals")]
    pub fn estimates(&self) -> impl Iterator<Item = Estimate> {
        (0..self.count()).map(|index| self.estimate(index))
    }

    /// The estimate of one benchmark.
    pub fn estimate(&self, index: usize) -> Estimate {
        let [p_worse, p_better] = self.p_values(index);
        let RawChange { raw, median_raw, observation, variance_floor } = self.changes[index];
        Estimate {
            delta: self.delta(index),
            raw,
            median_delta: median_raw - subtracted(self.median_shift),
            median_raw,
            p_worse,
            p_better,
            q_worse: self.tests.q_worse[index],
            q_better: self.tests.q_better[index],
            low_evidence: self.small && observation.df == 0.0,
            control: None,
            overlap: self.tests.overlaps.as_ref().map(|overlaps| overlaps[index]),
            critical_p: self.tests.critical_p,
            finding_tail: self.tests.finding_tails[usize::from(p_better < p_worse)],
            noise: Noise { prior: Arc::clone(&self.prior), observation, variance_floor },
        }
    }

    fn delta(&self, index: usize) -> f64 {
        self.changes[index].raw - subtracted(self.shift)
    }

    fn null_distribution(&self, index: usize) -> NullDistribution<'_> {
        let RawChange { observation, variance_floor, .. } = &self.changes[index];
        NullDistribution { prior: &self.prior, observation, variance_floor: *variance_floor }
    }

    /// P values towards worse and towards better.
    fn p_values(&self, index: usize) -> [f64; 2] {
        let (nearer, further) = (self.tests.p[index], 1.0 - self.tests.p[index]);
        if self.delta(index) > 0.0 { [nearer, further] } else { [further, nearer] }
    }

    /// Corrects the p values for the number of tests.
    fn correct(&mut self, alpha: f64, remeasured: bool) {
        let correction = if remeasured { fdr::holm } else { fdr::benjamini_hochberg };
        let corrected = |way: usize| correction(&(0..self.count()).map(|i| self.p_values(i)[way]).collect::<Vec<_>>());
        let (worse, better) = (corrected(0), corrected(1));
        let found = worse.iter().filter(|q| **q < alpha).count();
        let tests = self.count().max(1);
        self.tests.critical_p = match remeasured {
            true => alpha / tests.saturating_sub(found).max(1) as f64,
            false => alpha * (found + 1).min(tests) as f64 / tests as f64,
        };
        // Benjamini and Yekutieli (2005): the level is 1 - R alpha / tests for R findings. All findings of Holm's method have
        // p values below alpha / (tests - R + 1), which is never larger. No interval is narrower than the plain one.
        let finding_tail = |q: &[f64]| {
            let found = q.iter().filter(|q| **q < alpha).count().max(1) as f64;
            let critical = if remeasured { alpha / (tests as f64 - found + 1.0) } else { alpha * found / tests as f64 };
            critical.min(TAIL.max(alpha / 2.0))
        };
        self.tests.finding_tails = [finding_tail(&worse), finding_tail(&better)];
        self.tests.critical_p = self.tests.critical_p.min(TAIL.max(alpha / 2.0));
        (self.tests.q_worse, self.tests.q_better) = (worse, better);
    }
}

/// The part of a suite-wide shift that is subtracted: all or nothing.
fn subtracted(shift: f64) -> f64 {
    if shift.abs() <= MAX_SUBTRACTED_SHIFT { shift } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{BenchmarkRuns, RunValue};
    use super::*;

    fn run(run: usize, y: f64, drift: f64) -> RunValue {
        RunValue { run, fast_edge: Some(y), centre: y, within_run_drift: Some(drift), centre_variance: 0.0 }
    }

    /// Three pairs of runs of one benchmark that is slower by 0.25 on the log scale; its runs lie 0.02 apart.
    fn suspect() -> Vec<BenchmarkRuns> {
        let side = |centre: f64| (0..3).map(|i| run(i, centre + 0.02 * (i as f64 - 1.0), 0.01)).collect();
        vec![BenchmarkRuns { base: side(0.0), head: side(0.25) }]
    }

    /// Thirty benchmarks with one run on each side, which move by about `sd`.
    fn screened(sd: f64) -> Vec<Observation> {
        let change = |i: u32| sd * (f64::from(i % 7) - 3.0) / 2.0;
        let suite: Vec<BenchmarkRuns> = (0..30)
            .map(|i| BenchmarkRuns { base: vec![run(0, 0.0, 0.01)], head: vec![run(0, change(i), 0.01)] })
            .collect();
        let estimates = estimate_suite(&suite, ValueKind::Measured, 0.05);
        estimates.estimates().map(|estimate| estimate.observation()).collect()
    }

    #[test]
    fn a_suspect_is_as_noisy_as_its_suite() {
        let p = |suite: &[Observation]| {
            estimate_remeasured(&suspect(), ValueKind::Measured, 0.05, suite).estimate(0).p_worse
        };
        let (quiet, noisy, alone) = (p(&screened(0.005)), p(&screened(0.2)), p(&[]));
        assert!(quiet < alone && alone < noisy, "{quiet} {alone} {noisy}");
        assert!(quiet < 0.001);
    }

    #[test]
    fn a_change_common_to_all_suspects_is_not_subtracted() {
        let slower: Vec<BenchmarkRuns> = (0..12).flat_map(|_| suspect()).collect();
        let suspects = estimate_remeasured(&slower, ValueKind::Measured, 0.05, &screened(0.02));
        assert!(suspects.estimates().all(|estimate| (estimate.delta - 0.25).abs() < 1e-9));
        assert_eq!(suspects.shift(), 0.0);
    }
}
