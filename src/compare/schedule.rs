//! In which order two sides are measured, and how many rounds a budget allows. A round is one run of each side.
//!
//! Rounds alternate in mirror order (B H, H B, B H …): a machine that drifts evenly then favours neither side.

use crate::stats::centre;
use std::time::Duration;

/// A budget is never spent on more rounds than this: by then the benchmark's own unsteadiness is all that is left.
pub const MOST_ROUNDS: usize = 10;
/// The share of a suite that is measured again, as planned: what recorded harmless suites needed, and some slow-downs.
const SUSPECTS: f64 = 0.15;

/// Pairs of runs of the suspects.
pub const FEW_PAIRS: usize = 3;
const MORE_PAIRS: usize = 5;

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// The base runs.
    Base,
    /// The head runs.
    Head,
}

impl Turn {
    /// The word for messages.
    pub fn word(self) -> &'static str {
        match self {
            Turn::Base => "base",
            Turn::Head => "head",
        }
    }
}

/// The order of so many rounds.
pub fn order(rounds: usize) -> Vec<Turn> {
    let round =
        |index: usize| if index.is_multiple_of(2) { [Turn::Base, Turn::Head] } else { [Turn::Head, Turn::Base] };
    (0..rounds).flat_map(round).collect()
}

/// Pairs of runs of the suspects where nobody says: five, which find more and mistake less, as long as they cost no more
/// than one and a half rounds of the suite; else three.
pub fn pairs(suspects: usize, suite: usize, can_filter: bool) -> usize {
    if can_filter && 10 * suspects <= 3 * suite { MORE_PAIRS } else { FEW_PAIRS }
}

/// What a budget is planned with.
#[derive(Debug, Clone, Copy)]
pub struct Costs {
    /// All the time there is.
    pub budget: Duration,
    /// What the builds and the first round took of it.
    pub spent: Duration,
    /// One more round.
    pub round: Duration,
    /// Pairs of runs of the suspects.
    pub pairs: usize,
    /// Whether the tool can run the suspects alone.
    pub can_filter: bool,
}

/// How many rounds fit, the first one included; at least that one. Time for the suspects is set aside first.
pub fn rounds_within(costs: Costs) -> usize {
    let round = costs.round.as_secs_f64().max(1e-3);
    let share = if costs.can_filter { SUSPECTS } else { 1.0 };
    let left = costs.budget.as_secs_f64() - costs.spent.as_secs_f64() - costs.pairs as f64 * share * round;
    let more = (left / round).floor().max(0.0);
    (1 + more as usize).min(MOST_ROUNDS)
}

/// The change that `pairs` pairs of runs could show, from the one that a single pair could (both as fractions).
pub fn detectable(by_one_pair: f64, pairs: usize) -> f64 {
    (by_one_pair.ln_1p() * centre::variance_factor(pairs).sqrt()).exp_m1()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_side_is_favoured_by_drift() {
        use Turn::{Base, Head};
        assert_eq!(order(3), [Base, Head, Head, Base, Base, Head]);
        // With an even number of rounds the places of both sides have the same sum.
        let places = |turn| order(4).iter().enumerate().filter(|(_, t)| **t == turn).map(|(i, _)| i).sum::<usize>();
        assert_eq!(places(Base), places(Head));
    }

    #[test]
    fn a_few_suspects_of_many_are_measured_more_often() {
        assert_eq!((pairs(9, 30, true), pairs(10, 30, true)), (5, 3));
        assert_eq!((pairs(1, 1, true), pairs(1, 30, false)), (3, 3));
    }

    #[test]
    fn a_budget_is_spent_on_rounds_once_the_suspects_have_their_share() {
        let seconds = Duration::from_secs;
        let costs =
            Costs { budget: seconds(900), spent: seconds(200), round: seconds(100), pairs: 3, can_filter: true };
        // 700 s left, 45 s for the suspects: six more rounds.
        assert_eq!(rounds_within(costs), 7);
        // Without a filter three whole rounds are set aside.
        assert_eq!(rounds_within(Costs { can_filter: false, ..costs }), 5);
        assert_eq!(rounds_within(Costs { budget: seconds(10), ..costs }), 1);
        assert_eq!(rounds_within(Costs { round: Duration::ZERO, ..costs }), MOST_ROUNDS);
    }

    #[test]
    fn more_pairs_show_smaller_changes() {
        assert!((detectable(0.2, 1) - 0.2).abs() < 1e-12);
        // Two pairs: 1.2^(1/sqrt 2) = 1.1376.
        assert!((detectable(0.2, 2) - 0.1376).abs() < 1e-3);
    }
}
