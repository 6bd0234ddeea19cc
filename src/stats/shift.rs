//! What all benchmarks of a run have in common is the machine's: taken out of each run of a side, and found between
//! the sides.

use super::centre;

/// A smaller suite cannot tell its own change from the machine's.
pub const MIN_SUITE: usize = 8;
/// The share of the suite that must agree to be its bulk.
const BULK: f64 = 0.4;
/// Windows up to so much longer than the shortest count as equally good.
const SLACK: f64 = 1.5;

/// How far the values of each run of a side lie from their benchmarks' medians, on the log scale: what a run's common
/// factor is found from.
#[derive(Debug, Default)]
pub struct Residuals(Vec<Vec<f64>>);

impl Residuals {
    /// Adds a benchmark, given as (run, y).
    pub fn add(&mut self, benchmark: &[(usize, f64)]) {
        let median = centre::median(&benchmark.iter().map(|(_, y)| *y).collect::<Vec<_>>());
        for (run, y) in benchmark {
            if self.0.len() <= *run {
                self.0.resize_with(run + 1, Vec::new);
            }
            self.0[*run].push(y - median);
        }
    }

    /// Both taken together.
    pub fn and(mut self, other: Residuals) -> Residuals {
        if self.0.len() < other.0.len() {
            self.0.resize_with(other.0.len(), Vec::new);
        }
        self.0.iter_mut().zip(other.0).for_each(|(run, more)| run.extend(more));
        self
    }

    /// Each run's common factor.
    pub fn factors(&self) -> Vec<f64> {
        self.0.iter().map(|run| centre::median(run)).collect()
    }
}

/// Where the bulk of the changes lies: of the windows that hold 40 % of them and are about the shortest, the one
/// nearest to no change; the median around it. Half a suite that got slower is not taken for the machine, as it would
/// be by a plain median. 0 for a small suite.
pub fn common(changes: &[f64]) -> f64 {
    let n = changes.len();
    if n < MIN_SUITE {
        return 0.0;
    }
    let mut sorted = changes.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = ((BULK * n as f64).ceil() as usize).max(2);
    let shortest = sorted.windows(count).map(|w| w[count - 1] - w[0]).fold(f64::INFINITY, f64::min);
    let reach = SLACK * shortest + 1e-12;
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
    let bulk: Vec<f64> = sorted.into_iter().filter(|x| (x - nearest).abs() <= reach).collect();
    centre::median(&bulk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_factor_is_found_and_a_changed_half_is_not_one() {
        let noise = |i: usize| (i % 5) as f64 * 0.001 - 0.002;
        let all: Vec<f64> = (0..20).map(|i| 0.08 + noise(i)).collect();
        assert!((common(&all) - 0.08).abs() < 0.002);
        let half: Vec<f64> = (0..20).map(|i| if i < 10 { 0.26 } else { 0.0 } + noise(i)).collect();
        assert!(common(&half).abs() < 0.002);
        assert_eq!(common(&all[..7]), 0.0);
    }

    #[test]
    fn what_a_run_has_in_common_is_found_for_each() {
        let benchmark = |i: usize| [0.0, 0.1, -0.2].map(|factor| i as f64 + factor);
        let side = |range: std::ops::Range<usize>| {
            let mut side = Residuals::default();
            range.for_each(|i| side.add(&benchmark(i).into_iter().enumerate().collect::<Vec<_>>()));
            side
        };
        // The median of the three is the first.
        for (factor, expected) in side(0..4).and(side(4..10)).factors().into_iter().zip([0.0, 0.1, -0.2]) {
            assert!((factor - expected).abs() < 1e-12);
        }
        assert_eq!(Residuals::default().and(side(0..1)).factors().len(), 3);
    }
}
