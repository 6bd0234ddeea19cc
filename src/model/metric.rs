//! Metrics: the name, unit and direction of a measured quantity.

use super::Unit;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// The better direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smaller is better (times, memory, counts).
    Lower,
    /// Larger is better (rates, hit shares).
    Higher,
    /// Neither the file nor a known word states it: a change is neither better nor worse.
    Unknown,
}

impl Direction {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Direction::Lower => "lower",
            Direction::Higher => "higher",
            Direction::Unknown => "unknown",
        }
    }

    /// A relative change as a change for the worse: a rate that halves is as bad as a time that doubles. The function is
    /// its own inverse, so it also gives the relative change that a threshold stands for.
    pub fn worse(self, change: f64) -> f64 {
        match self {
            Direction::Lower | Direction::Unknown => change,
            Direction::Higher => 1.0 / (1.0 + change) - 1.0,
        }
    }

    /// The factor for the logarithm of a value, so that larger is worse. It is 1 for an unknown direction, whose
    /// changes are never judged.
    pub fn sign(self) -> f64 {
        match self {
            Direction::Lower | Direction::Unknown => 1.0,
            Direction::Higher => -1.0,
        }
    }

    /// True if it is known which way is better.
    pub fn is_known(self) -> bool {
        self != Direction::Unknown
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How certain a direction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// Nothing decides it.
    Unknown,
    /// The unit or a word of the name decides it.
    Assumed,
    /// The file or its format states it.
    Stated,
}

/// The tool of instructions that perfgate counts itself.
pub const VALGRIND: &str = "valgrind";

/// One measured property of a benchmark.
///
/// Names are lower case, with the statistic after a colon: `time`, `time:p95`, `throughput`, `memory:peak`, `allocations`,
/// `errors`, `instructions`, `queries:select`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    /// The name; usually `time`.
    pub name: Cow<'static, str>,
    /// The unit of its values.
    pub unit: Unit,
    /// The better direction.
    pub direction: Direction,
    /// True if the file does not state the direction: the unit or a word of the name decides.
    pub assumed: bool,
    /// True for a count that repeats exactly (queries, instructions under a simulator): compared without a test.
    pub exact: bool,
}

impl Metric {
    /// A metric whose values vary from run to run.
    pub fn measured(name: impl Into<Cow<'static, str>>, unit: Unit, direction: Direction) -> Self {
        Metric { name: name.into(), unit, direction, assumed: false, exact: false }
    }

    /// A metric that is counted: equal runs give equal numbers.
    pub fn counted(name: impl Into<Cow<'static, str>>, unit: Unit, direction: Direction) -> Self {
        Metric { name: name.into(), unit, direction, assumed: false, exact: true }
    }

    /// The same metric with a direction that the file does not state.
    #[must_use]
    pub fn with_assumed(self, direction: Option<Direction>) -> Self {
        Metric { direction: direction.unwrap_or(Direction::Unknown), assumed: true, ..self }
    }

    /// How certain the direction is. Of several runs, the most certain direction applies.
    pub fn certainty(&self) -> Certainty {
        match self.direction {
            Direction::Unknown => Certainty::Unknown,
            _ if self.assumed => Certainty::Assumed,
            _ => Certainty::Stated,
        }
    }

    /// Time of one operation, in nanoseconds; lower is better.
    pub fn time() -> Self {
        Metric::measured("time", Unit::Nanosecond, Direction::Lower)
    }

    /// The largest possible value if its values are shares of a whole, such as an error rate: 100 for percentages, 1 for ratios.
    /// Some ratios have such a name and larger values, a score for example; they are not shares.
    pub fn whole(&self) -> Option<f64> {
        const SHARES: [&str; 10] = [
            "rate",
            "hitrate",
            "missrate",
            "recall",
            "precision",
            "accuracy",
            "score",
            "success",
            "availability",
            "coverage",
        ];
        let last = self.name.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        match self.unit {
            Unit::Percent => Some(100.0),
            Unit::Ratio => Some(1.0),
            _ => None,
        }
        .filter(|_| SHARES.contains(&last))
    }

    /// Operations, requests or transactions per second; higher is better.
    pub fn throughput() -> Self {
        Metric::measured("throughput", Unit::PerSecond, Direction::Higher)
    }
}
