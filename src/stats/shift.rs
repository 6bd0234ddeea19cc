//! Shifts that are shared by most benchmarks and so attributed to the machine: of each run within its side, and of the
//! whole suite between base and head.

use super::{centre, student};

/// With fewer benchmarks, real changes cannot be separated from a shift of the machine.
pub const MIN_SUITE: usize = 8;
/// The share of the suite that must agree on a shift.
const WINDOW_SHARE: f64 = 0.4;
/// Windows up to this factor longer than the shortest one count as equally good.
const WINDOW_SLACK: f64 = 1.5;
/// The variance of the suite-wide shift, in squared widths of the densest 40% of the changes over their number.
const VARIANCE_OF_SHIFT: f64 = 2.0;

/// One value of each benchmark for each run of a side.
#[derive(Debug, Default)]
pub struct ByRun(Vec<Vec<f64>>);

impl ByRun {
    /// Adds the values of a benchmark, given as (run, y), as distances from their median: the residuals.
    pub fn add_residuals(&mut self, benchmark: &[(usize, f64)]) {
        let median = centre::median(&benchmark.iter().map(|(_, y)| *y).collect::<Vec<_>>());
        benchmark.iter().for_each(|(run, y)| self.push(*run, y - median));
    }

    /// Adds a value of a run.
    pub fn push(&mut self, run: usize, value: f64) {
        if self.0.len() <= run {
            self.0.resize_with(run + 1, Vec::new);
        }
        self.0[run].push(value);
    }

    /// Adds the values of other benchmarks.
    pub fn merge(mut self, other: ByRun) -> ByRun {
        if self.0.len() < other.0.len() {
            self.0.resize_with(other.0.len(), Vec::new);
        }
        self.0.iter_mut().zip(other.0).for_each(|(run, more)| run.extend(more));
        self
    }

    /// The median of each run: of residuals, the shift of the run. It is 0 for a run of few benchmarks.
    pub fn medians(&self) -> Vec<f64> {
        let median = |run: &Vec<f64>| if run.len() < MIN_SUITE { 0.0 } else { centre::median(run) };
        self.0.iter().map(median).collect()
    }

    /// The values of each run.
    pub fn into_runs(self) -> Vec<Vec<f64>> {
        self.0
    }
}

/// The suite-wide shift; 0 for a small suite.
///
/// Of all windows with 40% of the changes whose width is close to the smallest, the one nearest to zero is chosen; the
/// result is the median around it. A plain median would attribute a regression of half the suite to the machine.
pub fn suite_wide_shift(changes: &[f64]) -> f64 {
    let n = changes.len();
    if n < MIN_SUITE {
        return 0.0;
    }
    let mut sorted = changes.to_vec();
    let (count, shortest) = (window_size(n), shortest_window(&mut sorted));
    let reach = WINDOW_SLACK * shortest + 1e-12;
    let middle = |window: &[f64]| {
        let half = window.len() / 2;
        if window.len().is_multiple_of(2) { (window[half - 1] + window[half]) / 2.0 } else { window[half] }
    };
    let nearest = sorted
        .windows(count)
        .filter(|window| window[count - 1] - window[0] <= reach)
        .map(middle)
        .min_by(|a, b| a.abs().total_cmp(&b.abs()))
        .unwrap_or(0.0);
    let around: Vec<f64> = sorted.into_iter().filter(|x| (x - nearest).abs() <= reach).collect();
    centre::median(&around)
}

/// The share of the changes that differ from a shift by less than `reach` times the shift.
pub fn share_with(changes: impl ExactSizeIterator<Item = f64>, shift: f64, reach: f64) -> f64 {
    let count = changes.len();
    changes.filter(|change| (change - shift).abs() < reach * shift.abs()).count() as f64 / count.max(1) as f64
}

/// Half the 95% confidence interval of the suite-wide shift, from the shifts of the runs of base and head; `None` if no side has
/// two runs, and for a small suite.
pub(super) fn error_of_shift(run_shifts: &[Vec<f64>; 2]) -> Option<f64> {
    let squares = |side: &Vec<f64>| {
        let mean = side.iter().sum::<f64>() / side.len().max(1) as f64;
        side.iter().map(|shift| (shift - mean).powi(2)).sum::<f64>()
    };
    let df: usize = run_shifts.iter().map(|side| side.len().saturating_sub(1)).sum();
    if df == 0 {
        return None;
    }
    let factor: f64 = run_shifts.iter().map(|side| centre::variance_factor(side.len().max(1))).sum();
    let variance = run_shifts.iter().map(squares).sum::<f64>() / df as f64 * factor;
    Some(student::quantile(0.975, df as f64) * variance.sqrt())
}

/// Variance of the suite-wide shift of `changes` as an estimate: that of the median of normal changes is 1.4 times their squared
/// densest width over their number. The rest is for the shifts of the runs, which are estimates as well.
///
/// In simulated suites of 8 to 60 benchmarks, the 95% interval then contains 93% to 97% of the changes; without this variance
/// it contains 91% to 93% with ten base runs.
pub(super) fn variance_of_shift(changes: impl Iterator<Item = f64>) -> f64 {
    let mut changes: Vec<f64> = changes.collect();
    VARIANCE_OF_SHIFT * shortest_window(&mut changes).powi(2) / changes.len() as f64
}

/// The suite-wide shift without the run that adds most to it. If two runs of a side come from different machines, the
/// whole shift may be in one of them. With three or more base runs, one of them hardly moves their centre.
pub(super) fn least_shift(shift: f64, [base, head]: &[Vec<f64>; 2]) -> f64 {
    let base = base.iter().filter(|_| base.len() == 2).map(|of_run| shift - of_run);
    let each = base.chain(head.iter().map(|of_run| shift + of_run));
    each.map(|left| left * shift.signum()).fold(f64::INFINITY, f64::min)
}

/// Width of the densest 40% of the values, which are sorted.
pub(super) fn shortest_window(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let count = window_size(values.len());
    values.windows(count).map(|w| w[count - 1] - w[0]).fold(f64::INFINITY, f64::min)
}

fn window_size(count: usize) -> usize {
    ((WINDOW_SHARE * count as f64).ceil() as usize).max(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_shift_is_found_and_half_a_suite_is_not_one() {
        let noise = |i: usize| (i % 5) as f64 * 0.001 - 0.002;
        let all: Vec<f64> = (0..20).map(|i| 0.08 + noise(i)).collect();
        assert!((suite_wide_shift(&all) - 0.08).abs() < 0.002);
        let half: Vec<f64> = (0..20).map(|i| if i < 10 { 0.26 } else { 0.0 } + noise(i)).collect();
        assert!(suite_wide_shift(&half).abs() < 0.002);
        assert_eq!(suite_wide_shift(&all[..7]), 0.0);
    }

    #[test]
    fn changes_within_reach_of_a_shift_share_it() {
        let share = |changes: &[f64]| share_with(changes.iter().copied(), -0.1, 1.0);
        assert_eq!(share(&[-0.1, -0.19, -0.01, 0.2]), 0.75);
        assert_eq!(share(&[-0.1, -0.21, -0.19, 0.01]), 0.5);
        assert_eq!(share(&[-0.1, -0.3, -0.4, 0.2, 0.3]), 0.2);
        assert_eq!(share(&[]), 0.0);
        assert_eq!(share_with([-0.1, -0.14, -0.16, -0.01].into_iter(), -0.1, 0.5), 0.5);
    }

    #[test]
    fn each_run_of_a_side_has_its_shift() {
        let benchmark = |i: usize| [0.0, 0.1, -0.2].map(|shift| i as f64 + shift);
        let side = |range: std::ops::Range<usize>| {
            let mut side = ByRun::default();
            range.for_each(|i| side.add_residuals(&benchmark(i).into_iter().enumerate().collect::<Vec<_>>()));
            side
        };
        // The median of the three is the first.
        for (shift, expected) in side(0..4).merge(side(4..10)).medians().into_iter().zip([0.0, 0.1, -0.2]) {
            assert!((shift - expected).abs() < 1e-12);
        }
        assert_eq!(ByRun::default().merge(side(0..1)).medians().len(), 3);
    }
}
