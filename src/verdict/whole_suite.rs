//! Judges the change of a whole suite that was measured in turn. The unit of replication is the run.

use super::outcome::Outcome;
use crate::compare::RunLevels;
use crate::stats::student;
use serde::{Deserialize, Serialize};

/// The change of a whole suite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SuiteReport {
    /// `regressed`, `improved`, `unchanged`, `inconclusive`, or `accepted` by a person on the pull request.
    pub outcome: Outcome,
    /// The change of the geometric mean of all times.
    pub change: f64,
    /// Its 95% confidence interval, from the runs.
    pub interval: [f64; 2],
    /// Number of runs of base and head.
    pub runs: [usize; 2],
    /// Number of benchmarks.
    pub benchmarks: usize,
}

/// The outcome of a suite; `None` for a single run on a side, and for few benchmarks.
pub(super) fn judge(levels: &RunLevels, threshold: f64) -> Option<SuiteReport> {
    let (base, head) = (&levels.base, &levels.head);
    if base.len() < 2 || head.len() < 2 || !levels.are_of_a_suite() {
        return None;
    }
    let count = |side: &[f64]| side.len() as f64;
    let mean = |side: &[f64]| side.iter().sum::<f64>() / count(side);
    let squares = |side: &[f64]| side.iter().map(|x| (x - mean(side)).powi(2)).sum::<f64>();
    let df = count(base) + count(head) - 2.0;
    let variance = (squares(base) + squares(head)) / df * (1.0 / count(base) + 1.0 / count(head));
    let (change, half) = (mean(head) - mean(base), student::quantile(0.975, df) * variance.sqrt());
    let (low, high) = (change - half, change + half);

    let bound = threshold.ln_1p();
    let range = |side: &[f64]| {
        side.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
    };
    let ((base_low, base_high), (head_low, head_high)) = (range(base), range(head));
    // As for a suspect, head must be worse in every pair of runs.
    let outcome = if change > bound && low > 0.0 && head_low > base_high {
        Outcome::Regressed
    } else if change < -bound && high < 0.0 && head_high < base_low {
        Outcome::Improved
    } else if low > -bound && high < bound {
        Outcome::Unchanged
    } else {
        Outcome::Inconclusive
    };
    let [change, low, high] = [change, low, high].map(f64::exp_m1);
    let is_finite = change.is_finite() && low.is_finite() && high.is_finite();
    is_finite.then_some(SuiteReport {
        outcome,
        change,
        interval: [low, high],
        runs: [base.len(), head.len()],
        benchmarks: levels.benchmarks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(base: &[f64], head: &[f64], threshold: f64) -> Option<Outcome> {
        let levels = RunLevels { base: base.to_vec(), head: head.to_vec(), benchmarks: 20 };
        judge(&levels, threshold).map(|suite| suite.outcome)
    }

    #[test]
    fn a_suite_is_judged_by_its_runs() {
        let (base, slower) = ([0.0, 0.01, -0.01], [0.13, 0.12, 0.14]);
        assert_eq!(outcome(&base, &slower, 0.05), Some(Outcome::Regressed));
        assert_eq!(outcome(&slower, &base, 0.05), Some(Outcome::Improved));
        assert_eq!(outcome(&base, &slower, 0.20), Some(Outcome::Unchanged));
        assert_eq!(outcome(&base, &[0.01, 0.0, 0.0], 0.05), Some(Outcome::Unchanged));
        // The runs vary by more than the change.
        assert_eq!(outcome(&[0.0, 0.2, -0.2], &[0.13, 0.3, 0.0], 0.05), Some(Outcome::Inconclusive));
        assert_eq!(outcome(&[0.0], &[0.13], 0.05), None);
    }
}
