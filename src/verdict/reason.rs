//! Why the gate fails: one reason for each entry of `fail-on` that applies.

use super::outcome::Outcome;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Why the gate fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Entry", into = "Entry")]
#[non_exhaustive]
pub enum Reason {
    /// The number of findings with an outcome that fails the gate.
    Outcome(Outcome, usize),
    /// `measure` showed that the whole suite regressed.
    WholeSuite,
    /// The number of budgets that are not met.
    OverBudget(usize),
    /// Base and head ran on different machines.
    DifferentMachines,
    /// A reason of a comparison file that this version cannot read.
    Unknown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Outcome(outcome, count) => write!(f, "{count} {}", outcome.word()),
            Reason::WholeSuite => f.write_str("the whole suite regressed"),
            Reason::OverBudget(count) => write!(f, "{count} over budget"),
            Reason::DifferentMachines => f.write_str("measured on different machines"),
            Reason::Unknown => f.write_str("a reason that this version of perfgate cannot read"),
        }
    }
}

/// A reason in JSON: a word of `fail-on` and how often it applies.
#[derive(Serialize, Deserialize)]
struct Entry {
    on: Cow<'static, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
}

const SUITE: &str = "suite";
const BUDGET: &str = "budget";
const ENVIRONMENT: &str = "environment";

impl From<Reason> for Entry {
    fn from(reason: Reason) -> Entry {
        let (on, count) = match reason {
            Reason::Outcome(outcome, count) => (outcome.word(), Some(count)),
            Reason::WholeSuite => (SUITE, None),
            Reason::OverBudget(count) => (BUDGET, Some(count)),
            Reason::DifferentMachines => (ENVIRONMENT, None),
            Reason::Unknown => ("unknown", None),
        };
        Entry { on: on.into(), count }
    }
}

impl From<Entry> for Reason {
    fn from(Entry { on, count }: Entry) -> Reason {
        let count = count.unwrap_or_default();
        match &*on {
            SUITE => Reason::WholeSuite,
            BUDGET => Reason::OverBudget(count),
            ENVIRONMENT => Reason::DifferentMachines,
            word => Outcome::ALL
                .into_iter()
                .find(|outcome| outcome.word() == word)
                .map_or(Reason::Unknown, |outcome| Reason::Outcome(outcome, count)),
        }
    }
}

/// Writes reasons in words.
pub(super) fn words<S: Serializer>(reasons: &[Reason], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(reasons.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_a_round_trip_through_json() {
        let outcomes = Outcome::ALL.map(|outcome| Reason::Outcome(outcome, 12));
        for reason in outcomes.into_iter().chain([
            Reason::WholeSuite,
            Reason::OverBudget(1),
            Reason::DifferentMachines,
            Reason::Unknown,
        ]) {
            let json = serde_json::to_string(&reason).unwrap();
            assert_eq!(serde_json::from_str::<Reason>(&json).unwrap(), reason);
        }
        let json = |reason| serde_json::to_string(&reason).unwrap();
        assert_eq!(json(Reason::Outcome(Outcome::Regressed, 2)), r#"{"on":"regressed","count":2}"#);
        assert_eq!(json(Reason::OverBudget(1)), r#"{"on":"budget","count":1}"#);
        assert_eq!(json(Reason::DifferentMachines), r#"{"on":"environment"}"#);
    }

    #[test]
    fn a_reason_of_a_newer_version_can_be_read() {
        let newer = r#"{"on": "energy", "count": 3, "unit": "J"}"#;
        assert_eq!(serde_json::from_str::<Reason>(newer).unwrap(), Reason::Unknown);
    }
}
