//! The order in which base and head are measured, and the number of rounds that fit a time budget. A round is one run of
//! each side.
//!
//! Rounds alternate in mirrored order (B H, H B, B H …), so that a steady drift of the machine affects both sides equally.

use crate::stats::centre;
use std::time::Duration;

/// Largest number of rounds: more do not reduce the noise of the benchmark itself.
pub const MAX_ROUNDS: usize = 10;
/// Planned share of a suite that is re-measured: what recorded suites without a change needed, and some slowdowns.
const SUSPECT_SHARE: f64 = 0.15;

/// Number of pairs of runs in which suspects are re-measured: `FEW_PAIRS` for many suspects, `MORE_PAIRS` for few.
pub const FEW_PAIRS: usize = 3;
const MORE_PAIRS: usize = 5;
/// The largest number of pairs that can be chosen.
pub const MAX_PAIRS: u16 = 25;

/// One of the two sides of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SideKind {
    /// The base.
    Base,
    /// The head.
    Head,
}

impl SideKind {
    /// The name for messages.
    pub fn word(self) -> &'static str {
        match self {
            SideKind::Base => "base",
            SideKind::Head => "head",
        }
    }
}

/// The order of a number of rounds.
pub fn order(rounds: usize) -> Vec<SideKind> {
    let round = |index: usize| {
        if index.is_multiple_of(2) { [SideKind::Base, SideKind::Head] } else { [SideKind::Head, SideKind::Base] }
    };
    (0..rounds).flat_map(round).collect()
}

/// Default number of pairs of runs of the suspects: five if they take at most as long as one and a half rounds of the suite,
/// otherwise three. Five find more changes with fewer false alarms.
pub fn pairs(suspects: usize, suite: usize, can_filter: bool) -> usize {
    if can_filter && 10 * suspects <= 3 * suite { MORE_PAIRS } else { FEW_PAIRS }
}

/// The times that a budget is planned with.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// The total time available.
    pub budget: Duration,
    /// Time taken by the builds and the first round.
    pub spent: Duration,
    /// Time of one more round.
    pub round: Duration,
    /// Number of pairs of runs of the suspects.
    pub pairs: usize,
    /// True if the tool can run only the suspects.
    pub can_filter: bool,
}

/// Number of rounds that fit, including the first one, which always counts. Time for the suspects is reserved first.
pub fn rounds_within(costs: Costs) -> usize {
    let round = costs.round.as_secs_f64().max(1e-3);
    let share = if costs.can_filter { SUSPECT_SHARE } else { 1.0 };
    let left = costs.budget.as_secs_f64() - costs.spent.as_secs_f64() - costs.pairs as f64 * share * round;
    let more = (left / round).floor().max(0.0);
    (1 + more as usize).min(MAX_ROUNDS)
}

/// The change detectable with a number of pairs of runs, from the one detectable with a single pair (as fractions).
pub fn detectable(by_one_pair: f64, pairs: usize) -> f64 {
    (by_one_pair.ln_1p() * centre::variance_factor(pairs).sqrt()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_favours_neither_side() {
        use SideKind::{Base, Head};
        assert_eq!(order(3), [Base, Head, Head, Base, Base, Head]);
        // With an even number of rounds the positions of both sides have the same sum.
        let positions =
            |kind| order(4).iter().enumerate().filter(|(_, side)| **side == kind).map(|(i, _)| i).sum::<usize>();
        assert_eq!(positions(Base), positions(Head));
    }

    #[test]
    fn few_suspects_of_a_large_suite_get_more_pairs() {
        assert_eq!((pairs(9, 30, true), pairs(10, 30, true)), (5, 3));
        assert_eq!((pairs(1, 1, true), pairs(1, 30, false)), (3, 3));
    }

    #[test]
    fn a_budget_is_spent_on_rounds_after_reserving_time_for_suspects() {
        let seconds = Duration::from_secs;
        let costs =
            Costs { budget: seconds(900), spent: seconds(200), round: seconds(100), pairs: 3, can_filter: true };
        // 700 s remain, 45 s of them for the suspects: six more rounds.
        assert_eq!(rounds_within(costs), 7);
        // Without a filter three whole rounds are reserved.
        assert_eq!(rounds_within(Costs { can_filter: false, ..costs }), 5);
        assert_eq!(rounds_within(Costs { budget: seconds(10), ..costs }), 1);
        assert_eq!(rounds_within(Costs { round: Duration::ZERO, ..costs }), MAX_ROUNDS);
    }

    #[test]
    fn more_pairs_detect_smaller_changes() {
        assert!((detectable(0.2, 1) - 0.2).abs() < 1e-12);
        // Two pairs: 1.2^(1/sqrt 2) = 1.1376.
        assert!((detectable(0.2, 2) - 0.1376).abs() < 1e-3);
    }
}
