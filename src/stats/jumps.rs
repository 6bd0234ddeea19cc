//! Jumps of single results. In a single head run, an outlier looks the same as a slowdown. The base runs show how often results of
//! this suite jump and come back. docs/statistics.md has the alarms and the recall with and without this rule.

use super::suite::{RawChange, Suite, as_head};
use statrs::function::gamma::gamma_lr;

/// With fewer base runs, it is unknown which of them is the outlier.
pub(super) const MIN_BASE_RUNS: usize = 3;
/// One number per run: jumps of at least this share of a change are similar to it. The inverse of the factor by which a change must
/// exceed the largest deviation of its own base runs.
const SIMILAR_SIZE: f64 = 1.0 / 1.5;
/// One number per run: few base runs without an outlier do not show that there are none. Before any run, half an outlier in a
/// hundred results of the suite is assumed, up to three times as large as the others (`MAX_LN_RATIO`). Without it, 14% instead of 5%
/// of simulated heads of 30 benchmarks and three base runs have an alarm (`cargo run --release --example number_outliers`).
const ASSUMED_OUTLIERS: f64 = 0.5;
const ASSUMED_RESULTS: f64 = 100.0;
/// Samples: a jump of base counts if it is at least this share of the change, and the change is at most three times as
/// large (`MAX_LN_RATIO`). A smaller share suffices for changes of head, because slowdowns with one cause often differ
/// in size.
const SIZE_OF_BASE: f64 = 0.4;
const MAX_LN_RATIO: f64 = 1.098_612_288_668_109_8;
const SIZE_OF_HEAD: f64 = 0.25;
/// Samples: deviations of base runs below this (10%) never count, nor do changes of head with a larger p value.
const MIN_JUMP: f64 = 0.1;
const MAX_P_OF_HEAD: f64 = 0.01;

/// How far results of a suite jump towards worse and towards better, in ascending order.
#[derive(Debug)]
pub(super) struct Jumps {
    /// For each benchmark that counts, the largest deviation of a base run.
    base: [Vec<f64>; 2],
    /// The changes that count, without the suite-wide shift.
    head: [Vec<f64>; 2],
    base_runs: usize,
    has_samples: bool,
    /// The number of outliers that are assumed before any base run.
    assumed: f64,
}

impl Jumps {
    /// The jumps of a suite with one number per run. All deviations and changes count.
    pub fn of_numbers(changes: &[RawChange], base_runs: usize) -> Jumps {
        Jumps { assumed: ASSUMED_OUTLIERS, ..Jumps::of_means(changes, base_runs) }
    }

    /// The jumps of the means of samples, by the same rule. No outliers are assumed, because the samples themselves show most of
    /// the slow ones.
    pub fn of_means(changes: &[RawChange], base_runs: usize) -> Jumps {
        let all = |value: &dyn Fn(&RawChange) -> f64| sorted(changes.iter().map(value).collect());
        Jumps {
            base: [0, 1].map(|way| all(&|one| one.single_runs.base_deviations[way])),
            head: [all(&|one| one.observation.change), all(&|one| -one.observation.change)],
            base_runs,
            has_samples: false,
            assumed: 0.0,
        }
    }

    /// The jumps of a suite with samples. A base run counts if it differs significantly from the other base runs. It is
    /// tested as if it were their head; the p value must be below `alpha` divided by the number of base results. If all
    /// deviations counted, a few noisy benchmarks would hide the slowdowns of the others. A jump in the newest base run
    /// does not count, because it may be a change that lasts. `p` is the p value of each change; `tail` returns the
    /// probability that noise causes a change of at least the given size.
    pub fn of_samples(
        suite: &dyn Suite,
        changes: &[RawChange],
        base_shifts: &[f64],
        (p, alpha): (&[f64], f64),
        tail: impl Fn(&RawChange, f64) -> f64,
    ) -> Jumps {
        let base_runs = suite.run_counts()[0];
        let max_p = alpha / (changes.len() * base_runs) as f64;
        let in_base = |way: usize| {
            let candidates =
                (0..changes.len()).filter(|index| changes[*index].single_runs.base_deviations[way] >= MIN_JUMP);
            let jump = |index: usize| {
                let one = as_head(&suite.benchmark(index), way, base_shifts, suite.tested())?;
                (tail(&one, one.raw.abs()) < max_p).then_some(one.raw.abs())
            };
            sorted(candidates.filter_map(jump).collect())
        };
        let in_head = |sign: f64| {
            let counts = changes.iter().zip(p).filter(|(_, p)| **p <= MAX_P_OF_HEAD);
            sorted(counts.map(|(one, _)| sign * one.observation.change).collect())
        };
        Jumps {
            base: [in_base(0), in_base(1)],
            head: [in_head(1.0), in_head(-1.0)],
            base_runs,
            has_samples: true,
            assumed: 0.0,
        }
    }

    /// The jumps that are similar to a change or larger, in its direction.
    pub fn similar_to(&self, change: f64) -> SimilarJumps {
        let (way, size) = (usize::from(change < 0.0), change.abs());
        let (least, least_in_head) = match self.has_samples {
            true => ((SIZE_OF_BASE * size).max(size - MAX_LN_RATIO), SIZE_OF_HEAD * size),
            false => (SIMILAR_SIZE * size, SIMILAR_SIZE * size),
        };
        let count = |sorted: &[f64], least: f64| (sorted.len() - sorted.partition_point(|jump| *jump < least)) as u32;
        let in_base = count(&self.base[way], least);
        let in_head = count(&self.head[way], least_in_head);
        let expected = if self.assumed == 0.0 || size > MAX_LN_RATIO {
            f64::from(in_base) / self.base_runs as f64
        } else {
            let benchmarks = self.base[way].len() as f64;
            (f64::from(in_base) + self.assumed) / (self.base_runs as f64 + ASSUMED_RESULTS / benchmarks)
        };
        SimilarJumps { in_base, in_head, least, expected }
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The jumps of a suite that are similar to a change or larger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimilarJumps {
    /// Number of benchmarks with such a jump in a base run.
    pub in_base: u32,
    /// Number of benchmarks with such a change in head, this one included.
    pub in_head: u32,
    /// The smallest such jump of base, on the log scale.
    pub least: f64,
    /// The number of such outliers expected in one run.
    expected: f64,
}

impl SimilarJumps {
    /// The probability that outliers alone cause as many such changes in head: a Poisson tail.
    pub fn chance(&self) -> f64 {
        if self.expected == 0.0 { 0.0 } else { gamma_lr(f64::from(self.in_head.max(1)), self.expected) }
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
        let chance = |base: &[f64], base_runs: usize, head: &[f64], change: f64| {
            let head = [sorted(head), sorted(&[])];
            Jumps { base: [sorted(base), sorted(&[])], head, base_runs, has_samples: false, assumed: ASSUMED_OUTLIERS }
                .similar_to(change)
                .chance()
        };
        let is = |chance: f64, expected: f64| assert!((chance - expected).abs() < 1e-6, "{chance} {expected}");
        // 2.5 jumps are expected in 15 runs of 20 benchmarks: the ten of base, and the five that are assumed.
        // 1 - exp(-1/6), and 1 - exp(-1/6) (1 + 1/6) for two changes at once.
        is(chance(&[0.4, 0.5], 10, &[0.5], 0.5), 0.153_518);
        is(chance(&[0.4, 0.5], 10, &[0.5, 0.6], 0.5), 0.012_438);
        // Larger than any jump of base, or in the other direction: 1 - exp(-0.5 / 15).
        is(chance(&[0.4, 0.5], 10, &[0.8], 0.8), 0.032_784);
        is(chance(&[0.4, 0.5], 10, &[], -0.5), 0.032_784);
        // Three base runs are too few to exclude outliers: 1 - exp(-0.5 / 8). No outlier is assumed to be larger than threefold.
        is(chance(&[], 3, &[0.5], 0.5), 0.060_587);
        is(chance(&[], 3, &[1.2], 1.2), 0.0);
    }

    #[test]
    fn with_samples_smaller_jumps_count_but_not_for_a_change_three_times_as_large() {
        let jumps = |base: &[f64], head: &[f64]| Jumps {
            base: [base.to_vec(), Vec::new()],
            head: [head.to_vec(), Vec::new()],
            base_runs: 10,
            has_samples: true,
            assumed: 0.0,
        };
        let in_base = |change: f64| jumps(&[0.4], &[change]).similar_to(change).in_base;
        assert_eq!([0.2, 0.6, 0.99, 1.01].map(in_base), [1, 1, 1, 0]);
        // 0.4 · 2.3 is less than 1, but 2.3 is more than three times as much as 1 on the plain scale.
        assert_eq!(jumps(&[1.0], &[2.3]).similar_to(2.3).in_base, 0);
        // A second slowdown that is half as large.
        assert_eq!(jumps(&[0.4], &[0.3, 0.6]).similar_to(0.6).in_head, 2);
    }
}
