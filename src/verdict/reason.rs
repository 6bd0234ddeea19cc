//! Why the gate fails: one reason for each entry of `fail-on` that applies.

use super::limits::BudgetStatus;
use super::outcome::Outcome;
use super::report::{Finding, Report};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the gate fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Reason {
    /// The number of findings with an outcome that fails the gate.
    Outcome(Outcome, usize),
    /// The number of budgets that are not met.
    OverBudget(usize),
    /// Base and head ran on different machines.
    DifferentMachines,
}

const OVER_BUDGET: &str = "over budget";
const DIFFERENT_MACHINES: &str = "measured on different machines";

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Outcome(outcome, count) => write!(f, "{count} {}", outcome.word()),
            Reason::OverBudget(count) => write!(f, "{count} {OVER_BUDGET}"),
            Reason::DifferentMachines => f.write_str(DIFFERENT_MACHINES),
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> String {
        reason.to_string()
    }
}

/// A reason in a comparison file that this version does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a known reason")]
pub struct UnknownReason(String);

impl TryFrom<String> for Reason {
    type Error = UnknownReason;

    fn try_from(text: String) -> Result<Reason, UnknownReason> {
        parse(&text).ok_or(UnknownReason(text))
    }
}

fn parse(text: &str) -> Option<Reason> {
    if text == DIFFERENT_MACHINES {
        return Some(Reason::DifferentMachines);
    }
    let (count, words) = text.split_once(' ')?;
    let count = count.parse().ok()?;
    if words == OVER_BUDGET {
        return Some(Reason::OverBudget(count));
    }
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.word() == words)?;
    Some(Reason::Outcome(outcome, count))
}

/// What makes one finding fail the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// `fail-on` lists its outcome.
    Outcome(Outcome),
    /// `fail-on` lists `budget`, and its budget is not met.
    Budget,
}

impl Report {
    /// What makes a finding fail the gate; `None` where nothing does.
    pub fn failure(&self, finding: &Finding) -> Option<Failure> {
        let by_outcome = |reason: &Reason| matches!(reason, Reason::Outcome(outcome, _) if *outcome == finding.outcome);
        let by_budget = |reason: &Reason| matches!(reason, Reason::OverBudget(_));
        if self.reasons.iter().any(by_outcome) {
            Some(Failure::Outcome(finding.outcome))
        } else if finding.budget.status == BudgetStatus::Fail && self.reasons.iter().any(by_budget) {
            Some(Failure::Budget)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_a_round_trip_through_json() {
        let outcomes = Outcome::ALL.map(|outcome| Reason::Outcome(outcome, 12));
        for reason in outcomes.into_iter().chain([Reason::OverBudget(1), Reason::DifferentMachines]) {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(json, format!("\"{reason}\""));
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
        }
        assert_eq!(Reason::Outcome(Outcome::Regressed, 2).to_string(), "2 regressed");
        assert_eq!(Reason::OverBudget(1).to_string(), "1 over budget");
        for wrong in ["regressed", "two regressed", "2 slow", ""] {
            assert!(Reason::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
