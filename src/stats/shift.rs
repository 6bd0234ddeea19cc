//! What all benchmarks of a run have in common is the machine's: taken out of each run of a side, and found between
//! the sides.

use super::centre;

/// A smaller suite cannot tell its own change from the machine's.
pub const MIN_SUITE: usize = 8;
/// The share of the suite that must agree to be its bulk.
const BULK: f64 = 0.4;
/// Windows up to so much longer than the shortest count as equally good.
const SLACK: f64 = 1.5;

/// Takes each run's common factor out of a side's values, given as (run, y) for each benchmark, on the log scale.
pub fn polish(side: &mut [Vec<(usize, f64)>]) {
    let runs = side.iter().flatten().map(|(run, _)| run + 1).max().unwrap_or(0);
    if runs < 2 || side.len() < MIN_SUITE {
        return;
    }
    let mut residuals: Vec<Vec<f64>> = vec![Vec::new(); runs];
    for values in side.iter() {
        let median = centre::median(&values.iter().map(|(_, y)| *y).collect::<Vec<_>>());
        values.iter().for_each(|(run, y)| residuals[*run].push(y - median));
    }
    let factors: Vec<f64> = residuals.iter().map(|residuals| centre::median(residuals)).collect();
    side.iter_mut().flatten().for_each(|(run, y)| *y -= factors[*run]);
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
    fn polishing_takes_out_what_a_run_has_in_common() {
        let mut side: Vec<Vec<(usize, f64)>> =
            (0..10).map(|i| (0..3).map(|run| (run, i as f64 + [0.0, 0.1, -0.2][run])).collect()).collect();
        polish(&mut side);
        for (i, values) in side.iter().enumerate() {
            values.iter().for_each(|(_, y)| assert!((y - i as f64).abs() < 1e-12));
        }
    }
}
