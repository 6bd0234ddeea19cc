//! What makes one finding fail the gate.

use super::finding::Finding;
use super::limits::BudgetStatus;
use super::outcome::Outcome;
use super::reason::Reason;
use super::report::Report;

/// What makes one finding fail the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// `fail-on` lists its outcome.
    Outcome(Outcome),
    /// `fail-on` lists `budget`, and its budget is not met.
    Budget,
}

impl Report {
    /// True if `fail-on` lists the outcome of a finding. A missed budget has a table of its own.
    pub fn fails_by_outcome(&self, finding: &Finding) -> bool {
        matches!(self.failure(finding), Some(Failure::Outcome(_)))
    }

    /// What makes a finding fail the gate; `None` if nothing does.
    pub fn failure(&self, finding: &Finding) -> Option<Failure> {
        let by_outcome = |reason: &Reason| {
            finding.is_judged() && matches!(reason, Reason::Outcome(outcome, _) if *outcome == finding.outcome)
        };
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
