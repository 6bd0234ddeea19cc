//! Splits the samples of a run into a lower and an upper group: a slow path that part of the samples take, or two modes.
//!
//! The split is the one with the least variance within the groups, on the log scale (Otsu 1979; two means). Every set
//! of samples has one, so a split is a description and not evidence. Two modes are reported only if the groups also lie
//! apart and alternate.

use super::centre;
use std::num::NonZeroU8;

/// Fewer samples are not split.
const MIN_SAMPLES: usize = 5;
/// If there are more samples, about this many are split, evenly spaced: more would not change a share by one percent.
const MAX_SAMPLES: usize = 1000;
/// Samples within this share of the median count as steady, and a split requires at least the second share of other
/// samples. Most runs are steady, so their samples need not be sorted.
const STEADY: f64 = 0.05;
const MIN_MOVED: f64 = 0.1;

/// Two modes: each has this share and number of samples, and their medians differ by this factor.
const MIN_MODE_SHARE: f64 = 0.25;
const MIN_MODE_SAMPLES: usize = 5;
const MIN_MODE_RATIO: f64 = 1.2;
/// The gap between two modes is at least this many times the width of each mode. The gap is from the upper decile of the lower
/// mode to the lower decile of the upper one; the width of a mode is the distance of its deciles.
const MIN_GAP: f64 = 1.5;
/// Two modes alternate at least this often, compared with a random order. One change from the first to the second is a machine
/// that became slower, or a warm-up.
const MIN_ALTERNATION: f64 = 0.5;

/// One step of the stored ratio, on the log scale, and the largest stored number of steps.
const RATIO_STEP: f64 = 1.0 / 4096.0;
const MAX_RATIO: u16 = 0x7fff;
const TWO_MODES: u16 = 0x8000;

/// A split of samples; in four bytes, because a large suite has many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Share of the upper group, in 1/256.
    share: NonZeroU8,
    /// Position of the median of all samples between the medians of the lower and the upper group, in 1/255.
    median_at: u8,
    /// The ratio of the medians of the groups, in [`RATIO_STEP`]; the top bit is set for two modes.
    ratio: u16,
}

impl Split {
    /// The split of samples in the order they were taken, with their median. `None` for few or steady samples, and where one
    /// is not positive.
    pub fn of(samples: &[f64], median: f64) -> Option<Split> {
        let every = samples.len().div_ceil(MAX_SAMPLES).max(1);
        let selected = || samples.iter().step_by(every).copied();
        let n = selected().count();
        let (low, high) = (median * (1.0 - STEADY), median * (1.0 + STEADY));
        let moved = selected().filter(|x| *x < low || *x > high).count();
        if n < MIN_SAMPLES || (moved as f64) < MIN_MOVED * n as f64 || selected().any(|x| x <= 0.0) {
            return None;
        }
        let mut sorted: Vec<f64> = selected().map(f64::ln).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let groups = Groups::of(&sorted);
        let [lower, upper] = [groups.lower, groups.upper].map(centre::median);
        let ratio = upper - lower;
        let steps = ((ratio / RATIO_STEP).round() as u16).min(MAX_RATIO);
        let share = (groups.upper.len() as f64 / n as f64 * 256.0).round().clamp(1.0, 255.0) as u8;
        let limit = groups.limit().exp();
        let two_modes = groups.are_apart(ratio) && alternate(selected(), limit, groups.upper.len(), n);
        Some(Split {
            share: NonZeroU8::new(share)?,
            median_at: ((median.ln() - lower) / ratio * 255.0).round().clamp(0.0, 255.0) as u8,
            ratio: steps | if two_modes { TWO_MODES } else { 0 },
        })
    }

    /// Share of the samples in the upper group.
    pub fn upper_share(self) -> f64 {
        f64::from(self.share.get()) / 256.0
    }

    /// Median of the upper group divided by that of the lower group.
    pub fn ratio(self) -> f64 {
        self.ln_ratio().exp()
    }

    /// True if the two groups are modes.
    pub fn is_bimodal(self) -> bool {
        self.ratio & TWO_MODES != 0
    }

    /// The values of the lower and the upper group, from the median of all samples.
    pub fn values(self, median: f64) -> [f64; 2] {
        let below = f64::from(self.median_at) / 255.0;
        [median * (-below * self.ln_ratio()).exp(), median * ((1.0 - below) * self.ln_ratio()).exp()]
    }

    fn ln_ratio(self) -> f64 {
        f64::from(self.ratio & MAX_RATIO) * RATIO_STEP
    }

    /// The bytes of a split in a record; zero for none.
    pub fn to_bits(split: Option<Split>) -> u32 {
        split.map_or(0, |one| u32::from(one.share.get()) | u32::from(one.median_at) << 8 | u32::from(one.ratio) << 16)
    }

    /// The split with these bytes.
    pub fn from_bits(bits: u32) -> Option<Split> {
        let share = NonZeroU8::new(bits as u8)?;
        Some(Split { share, median_at: (bits >> 8) as u8, ratio: (bits >> 16) as u16 })
    }

    /// The typical split of the runs of a side, where most of them have one: its index. Two modes are typical only where most
    /// runs have them.
    pub fn typical(runs: &[Option<Split>]) -> Option<usize> {
        let all: Vec<(usize, Split)> =
            runs.iter().enumerate().filter_map(|(at, split)| Some((at, (*split)?))).collect();
        let most = |count: usize| 2 * count > runs.len();
        if !most(all.len()) {
            return None;
        }
        let with_modes = most(all.iter().filter(|(_, split)| split.is_bimodal()).count());
        let mut alike: Vec<(usize, Split)> =
            all.into_iter().filter(|(_, split)| split.is_bimodal() == with_modes).collect();
        alike.sort_by_key(|(_, split)| split.share);
        alike.get(alike.len() / 2).map(|(index, _)| *index)
    }
}

/// Sorted logarithms in two groups; neither is empty.
struct Groups<'a> {
    lower: &'a [f64],
    upper: &'a [f64],
}

impl<'a> Groups<'a> {
    fn of(sorted: &'a [f64]) -> Self {
        let n = sorted.len() as f64;
        let total: f64 = sorted.iter().sum();
        let (mut sum, mut best) = (0.0, (f64::NEG_INFINITY, 1));
        for (index, x) in sorted.iter().enumerate().take(sorted.len() - 1) {
            sum += x;
            let count = (index + 1) as f64;
            let between = (sum / count - (total - sum) / (n - count)).powi(2) * count * (n - count);
            if between > best.0 {
                best = (between, index + 1);
            }
        }
        let (lower, upper) = sorted.split_at(best.1);
        Groups { lower, upper }
    }

    /// Halfway between the groups.
    fn limit(&self) -> f64 {
        match (self.lower.last(), self.upper.first()) {
            (Some(low), Some(high)) => f64::midpoint(*low, *high),
            _ => 0.0,
        }
    }

    fn are_apart(&self, ratio: f64) -> bool {
        let decile = |group: &[f64], share: f64| group[(share * (group.len() - 1) as f64).round() as usize];
        let width = |group: &[f64]| decile(group, 0.9) - decile(group, 0.1);
        let (fewest, all) = (self.lower.len().min(self.upper.len()), self.lower.len() + self.upper.len());
        let gap = decile(self.upper, 0.1) - decile(self.lower, 0.9);
        fewest >= MIN_MODE_SAMPLES
            && fewest as f64 >= MIN_MODE_SHARE * all as f64
            && ratio >= MIN_MODE_RATIO.ln()
            && gap >= MIN_GAP * width(self.lower).max(width(self.upper))
    }
}

/// True if samples on both sides of `limit` alternate. The order of sorted samples is not known, and counts as alternating.
fn alternate(samples: impl Iterator<Item = f64> + Clone, limit: f64, upper: usize, n: usize) -> bool {
    let ascending = samples.clone().is_sorted();
    let descending = samples.clone().zip(samples.clone().skip(1)).all(|(one, next)| one >= next);
    let switches = samples.clone().zip(samples.skip(1)).filter(|(one, next)| (*one > limit) != (*next > limit)).count();
    let share = upper as f64 / n as f64;
    ascending || descending || switches as f64 >= MIN_ALTERNATION * 2.0 * n as f64 * share * (1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples of 100 with a spread of 2%; those that `slow` names take `factor` times as long.
    fn samples(count: u32, factor: f64, slow: impl Fn(u32) -> bool) -> Vec<f64> {
        (0..count).map(|i| (100.0 + f64::from(i * 7 % 5) / 2.0) * if slow(i) { factor } else { 1.0 }).collect()
    }

    fn split(samples: &[f64]) -> Option<Split> {
        Split::of(samples, centre::median(samples))
    }

    #[test]
    fn two_modes_have_their_shares_and_values() {
        for (factor, every) in [(3.0, 3), (1.25, 2), (3.0, 2), (20.0, 3)] {
            let two = split(&samples(60, factor, |i| i * 7 % 60 % every == 0)).unwrap();
            assert!(two.is_bimodal(), "{factor} {every}");
            assert!((two.upper_share() - 1.0 / f64::from(every)).abs() < 0.01, "{two:?}");
            assert!((two.ratio() / factor - 1.0).abs() < 0.02, "{two:?}");
            let all = samples(60, factor, |i| i * 7 % 60 % every == 0);
            let [low, high] = two.values(centre::median(&all));
            assert!((low / 101.0 - 1.0).abs() < 0.03 && (high / low / factor - 1.0).abs() < 0.02, "{low} {high}");
        }
    }

    #[test]
    fn steady_samples_single_spikes_and_few_samples_are_not_split() {
        assert_eq!(split(&samples(60, 1.0, |_| true)), None);
        assert_eq!(split(&samples(60, 3.0, |i| i == 30)), None);
        assert_eq!(split(&samples(4, 3.0, |i| i % 2 == 0)), None);
        assert_eq!(split(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]), None);
    }

    #[test]
    fn a_wide_distribution_has_no_modes() {
        let uniform: Vec<f64> = (0..100).map(|i| 100.0 + f64::from(i * 37 % 101)).collect();
        assert!(!split(&uniform).unwrap().is_bimodal());
        let tail: Vec<f64> = (0..100).map(|i| 100.0 * (f64::from(i * 37 % 101) / 101.0).exp().powi(2)).collect();
        assert!(!split(&tail).unwrap().is_bimodal());
    }

    #[test]
    fn a_machine_that_became_slower_once_has_no_modes() {
        let once = samples(60, 1.5, |i| i > 35);
        assert!(!split(&once).unwrap().is_bimodal());
        assert!(split(&samples(60, 1.5, |i| i % 5 < 2)).unwrap().is_bimodal());
        // A tool that sorts its samples hides their order.
        let mut sorted = once;
        sorted.sort_unstable_by(f64::total_cmp);
        assert!(split(&sorted).unwrap().is_bimodal());
    }

    #[test]
    fn a_split_survives_a_record() {
        let one = split(&samples(60, 3.0, |i| i % 5 < 2));
        assert_eq!(Split::from_bits(Split::to_bits(one)), one);
        assert_eq!(Split::from_bits(Split::to_bits(None)), None);
        assert_eq!((size_of::<Split>(), size_of::<Option<Split>>()), (4, 4));
    }

    #[test]
    fn a_side_is_bimodal_where_most_of_its_runs_are() {
        let modes = split(&samples(60, 3.0, |i| i % 5 < 2));
        let wide = split(&(0..100).map(|i| 100.0 + f64::from(i * 37 % 101)).collect::<Vec<_>>());
        let is_bimodal = |runs: &[Option<Split>]| Split::typical(runs).map(|index| runs[index].unwrap().is_bimodal());
        assert_eq!(is_bimodal(&[modes]), Some(true));
        assert_eq!(is_bimodal(&[modes, wide, modes]), Some(true));
        assert_eq!(is_bimodal(&[wide, wide, modes]), Some(false));
        assert_eq!(is_bimodal(&[None, None, modes]), None);
        assert_eq!(is_bimodal(&[]), None);
    }
}
