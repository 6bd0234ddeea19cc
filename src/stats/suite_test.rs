//! The benchmarks of a suite judged together: the shift that they have in common, the noise that they tell of each other, and
//! the correction for the number of tests.

use super::estimate::{Estimate, Noise, NullDistribution};
use super::fdr;
use super::prior::{Observation, Prior, ValueKind};
use super::shift::{self, MIN_SUITE};
use super::suite::{RawChange, Suite, overlap, raw_changes};
use rayon::prelude::*;
use std::sync::Arc;

/// A common change up to this is taken for the machine's and taken out; a larger one may be the code's.
const SHIFT_CAP: f64 = 0.139_761_942_375_158_77; // ln 1.15

/// The estimates of a suite, each of which is made when it is asked for: of a large suite all of them take much memory.
#[derive(Debug)]
pub struct SuiteEstimates {
    seen: Vec<RawChange>,
    prior: Arc<Prior>,
    shift: f64,
    median_shift: f64,
    small: bool,
    tests: Tests,
}

/// What the tests of a suite say, in the order of its benchmarks.
#[derive(Debug, Default)]
struct Tests {
    /// P values, each towards the side on which its change lies.
    p: Vec<f64>,
    q_worse: Vec<f64>,
    q_better: Vec<f64>,
    /// The p value that one more finding would have to reach.
    level: f64,
    /// Where suspects were measured again: how their runs overlap.
    overlaps: Option<Vec<f64>>,
}

/// Estimates a suite.
pub fn estimate_suite(suite: &dyn Suite, nature: ValueKind, alpha: f64) -> SuiteEstimates {
    estimated(suite, nature, alpha, None)
}

/// Estimates some benchmarks of a suite that were measured again, base and head in turn. Their noise is told by the
/// whole suite, as it was first measured, and by the fresh runs: those alone are few, and chosen for being far off. What
/// they have in common is not taken out, as that may be the very change that they were chosen for.
pub fn estimate_remeasured(
    suspects: &dyn Suite,
    nature: ValueKind,
    alpha: f64,
    suite: &[Observation],
) -> SuiteEstimates {
    estimated(suspects, nature, alpha, Some(suite))
}

fn estimated(benchmarks: &dyn Suite, nature: ValueKind, alpha: f64, suite: Option<&[Observation]>) -> SuiteEstimates {
    let by_edge = benchmarks.has_fast_edges();
    let mut seen = raw_changes(benchmarks, by_edge);
    let common = |change: fn(&RawChange) -> f64| match suite {
        Some(_) => 0.0,
        None => shift::common(&seen.iter().map(change).collect::<Vec<_>>()),
    };
    let (shift, median_shift) = rayon::join(|| common(|one| one.observation.change), || common(|one| one.median_raw));

    // Where the common shift stays in, the fit still looks at the spread around the bulk.
    seen.iter_mut().for_each(|one| one.observation.change -= shift);
    let whole: Vec<Observation> =
        suite.unwrap_or_default().iter().copied().chain(seen.iter().map(|one| one.observation)).collect();
    let small = suite.map_or(seen.len(), <[Observation]>::len) < MIN_SUITE;
    let prior = Arc::new(Prior::fit(&whole, nature, small));
    drop(whole);
    let mut family = SuiteEstimates { seen, prior, shift, median_shift, small, tests: Tests::default() };
    let all = 0..family.count();
    family.tests.p = all.clone().into_par_iter().map(|i| family.chance(i).tail(family.delta(i).abs())).collect();
    family.tests.overlaps =
        suite.map(|_| all.map(|i| overlap(&benchmarks.observed(i), by_edge, family.delta(i))).collect());
    family.correct(alpha, suite.is_some());
    family
}

impl SuiteEstimates {
    /// How many benchmarks there are.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    /// The common shift.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// Whether it was taken out.
    pub fn shift_taken_out(&self) -> bool {
        self.shift.abs() <= SHIFT_CAP
    }

    /// The estimates, in the order of the benchmarks.
    pub fn estimates(&self) -> impl Iterator<Item = Estimate> {
        (0..self.count()).map(|index| self.estimate(index))
    }

    /// The estimate of one benchmark.
    pub fn estimate(&self, index: usize) -> Estimate {
        let [p_worse, p_better] = self.p_values(index);
        let RawChange { raw, median_raw, observation, floor } = self.seen[index];
        Estimate {
            delta: self.delta(index),
            raw,
            median_delta: median_raw - taken_out(self.median_shift),
            median_raw,
            p_worse,
            p_better,
            q_worse: self.tests.q_worse[index],
            q_better: self.tests.q_better[index],
            low_evidence: self.small && observation.df == 0.0,
            control: None,
            overlap: self.tests.overlaps.as_ref().map(|overlaps| overlaps[index]),
            level: self.tests.level,
            noise: Noise { prior: Arc::clone(&self.prior), observation, floor },
        }
    }

    fn delta(&self, index: usize) -> f64 {
        self.seen[index].raw - taken_out(self.shift)
    }

    fn chance(&self, index: usize) -> NullDistribution<'_> {
        let RawChange { observation, floor, .. } = &self.seen[index];
        NullDistribution { prior: &self.prior, observation, floor: *floor }
    }

    /// Towards worse and towards better.
    fn p_values(&self, index: usize) -> [f64; 2] {
        let (nearer, further) = (self.tests.p[index], 1.0 - self.tests.p[index]);
        if self.delta(index) > 0.0 { [nearer, further] } else { [further, nearer] }
    }

    /// Fills in what hangs on the number of tests.
    fn correct(&mut self, alpha: f64, last_word: bool) {
        let correction = if last_word { fdr::holm } else { fdr::benjamini_hochberg };
        let corrected = |way: usize| correction(&(0..self.count()).map(|i| self.p_values(i)[way]).collect::<Vec<_>>());
        let (worse, better) = rayon::join(|| corrected(0), || corrected(1));
        let called = worse.iter().filter(|q| **q < alpha).count();
        let tests = self.count().max(1);
        self.tests.level = match last_word {
            true => alpha / tests.saturating_sub(called).max(1) as f64,
            false => alpha * (called + 1).min(tests) as f64 / tests as f64,
        };
        (self.tests.q_worse, self.tests.q_better) = (worse, better);
    }
}

/// What of a common shift is taken out.
fn taken_out(shift: f64) -> f64 {
    if shift.abs() <= SHIFT_CAP { shift } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::suite::{BenchmarkRuns, RunValue};
    use super::*;

    fn run(run: usize, y: f64, wander: f64) -> RunValue {
        RunValue { run, fast_edge: Some(y), centre: y, within_run_drift: Some(wander), centre_variance: 0.0 }
    }

    /// Three pairs of one benchmark that is slower by 0.25 on the log scale, its runs 0.02 apart.
    fn fresh() -> Vec<BenchmarkRuns> {
        let side = |level: f64| (0..3).map(|i| run(i, level + 0.02 * (i as f64 - 1.0), 0.01)).collect();
        vec![BenchmarkRuns { base: side(0.0), head: side(0.25) }]
    }

    /// One run a side of thirty benchmarks that move by `sd` or so.
    fn suite(sd: f64) -> Vec<Observation> {
        let change = |i: u32| sd * (f64::from(i % 7) - 3.0) / 2.0;
        let observed: Vec<BenchmarkRuns> = (0..30)
            .map(|i| BenchmarkRuns { base: vec![run(0, 0.0, 0.01)], head: vec![run(0, change(i), 0.01)] })
            .collect();
        estimate_suite(&observed, ValueKind::Measured, 0.05)
            .estimates()
            .map(|estimate| estimate.observation())
            .collect()
    }

    #[test]
    fn what_is_measured_again_is_as_noisy_as_its_suite() {
        let p =
            |suite: &[Observation]| estimate_remeasured(&fresh(), ValueKind::Measured, 0.05, suite).estimate(0).p_worse;
        let (quiet, noisy, alone) = (p(&suite(0.005)), p(&suite(0.2)), p(&[]));
        assert!(quiet < alone && alone < noisy, "{quiet} {alone} {noisy}");
        assert!(quiet < 0.001);
    }

    #[test]
    fn what_the_suspects_have_in_common_stays_in() {
        let slower: Vec<BenchmarkRuns> = (0..12).flat_map(|_| fresh()).collect();
        let suspects = estimate_remeasured(&slower, ValueKind::Measured, 0.05, &suite(0.02));
        assert!(suspects.estimates().all(|estimate| (estimate.delta - 0.25).abs() < 1e-9));
        assert_eq!(suspects.shift(), 0.0);
    }
}
