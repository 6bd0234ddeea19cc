//! Jumps of single results. In a single head run, an outlier looks the same as a slowdown. The base runs show how often results of
//! this suite jump and come back.

use super::suite::RawChange;
use statrs::function::gamma::gamma_lr;

/// With fewer base runs, it is unknown which of them is the outlier.
const MIN_BASE_RUNS: usize = 3;
/// Jumps of at least this share of a change are similar to it: the inverse of the factor by which a change must exceed the largest
/// deviation of its own base runs.
const SIMILAR_SIZE: f64 = 1.0 / 1.5;

/// How far results of a suite jump towards worse and towards better, in ascending order.
#[derive(Debug)]
pub(super) struct Jumps {
    /// For each benchmark, the largest deviation of a base run from the centre of base.
    base: [Vec<f64>; 2],
    /// The change of each benchmark without the suite-wide shift.
    head: [Vec<f64>; 2],
    base_runs: usize,
}

impl Jumps {
    /// The jumps of a suite; `None` with too few base runs.
    pub fn of(changes: &[RawChange], base_runs: usize) -> Option<Jumps> {
        let sorted = |value: &dyn Fn(&RawChange) -> f64| {
            let mut values: Vec<f64> = changes.iter().map(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        (base_runs >= MIN_BASE_RUNS).then(|| Jumps {
            base: [0, 1].map(|way| sorted(&|one| one.single_runs.excursions[way])),
            head: [sorted(&|one| one.observation.change), sorted(&|one| -one.observation.change)],
            base_runs,
        })
    }

    /// The jumps that are similar to a change or larger, in its direction.
    pub fn similar_to(&self, change: f64) -> SimilarJumps {
        let way = usize::from(change < 0.0);
        let least = SIMILAR_SIZE * change.abs();
        let count = |sorted: &[f64]| sorted.len() - sorted.partition_point(|jump| *jump < least);
        let in_base = count(&self.base[way]);
        SimilarJumps { in_base, in_head: count(&self.head[way]), expected: in_base as f64 / self.base_runs as f64 }
    }
}

/// The jumps of a suite that are similar to a change or larger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimilarJumps {
    /// Number of benchmarks with such a jump in a base run.
    pub in_base: usize,
    /// Number of benchmarks with such a change in head, this one included.
    pub in_head: usize,
    /// The number expected in one run, if those of base are outliers.
    expected: f64,
}

impl SimilarJumps {
    /// The probability that outliers alone cause as many such changes in head: a Poisson tail.
    pub fn chance(&self) -> f64 {
        if self.in_base == 0 { 0.0 } else { gamma_lr(self.in_head.max(1) as f64, self.expected) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_likely_an_outlier_if_the_suite_has_such_outliers() {
        let sorted = |jumps: &[f64]| {
            let mut all = vec![0.01; 20 - jumps.len()];
            all.extend(jumps);
            all
        };
        let chance = |base: &[f64], head: &[f64], change: f64| {
            let head = [sorted(head), sorted(&[])];
            Jumps { base: [sorted(base), sorted(&[])], head, base_runs: 10 }.similar_to(change).chance()
        };
        // 1 - exp(-0.2) for two jumps in ten runs, and 1 - exp(-0.2) (1 + 0.2) for two changes at once.
        assert!((chance(&[0.4, 0.5], &[0.5], 0.5) - 0.181_269).abs() < 1e-6);
        assert!((chance(&[0.4, 0.5], &[0.5, 0.6], 0.5) - 0.017_523).abs() < 1e-6);
        // Larger than any jump of base, or in the other direction.
        assert_eq!(chance(&[0.4, 0.5], &[0.8], 0.8), 0.0);
        assert_eq!(chance(&[0.4, 0.5], &[], -0.5), 0.0);
    }
}
