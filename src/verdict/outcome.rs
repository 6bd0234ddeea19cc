//! The outcomes of benchmarks, how many there are of each, and their mean change.

use serde::{Deserialize, Serialize};

/// The outcome of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// The tool reports it as failed, or its run ended in an error.
    Failed,
    /// Significantly worse than the threshold and the floor allow.
    Regressed,
    /// Regressed, but accepted by a waiver or on the pull request.
    Accepted,
    /// Not decided by these results.
    Inconclusive,
    /// Only in base.
    Removed,
    /// Only in head.
    Added,
    /// Significantly better than the threshold.
    Improved,
    /// Significantly within the threshold.
    Unchanged,
}

impl Outcome {
    /// Every outcome, worst first.
    pub const ALL: [Outcome; 8] = [
        Outcome::Failed,
        Outcome::Regressed,
        Outcome::Accepted,
        Outcome::Inconclusive,
        Outcome::Removed,
        Outcome::Added,
        Outcome::Improved,
        Outcome::Unchanged,
    ];

    /// The word used in all formats.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Failed => "failed",
            Outcome::Regressed => "regressed",
            Outcome::Accepted => "accepted",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Removed => "removed",
            Outcome::Added => "added",
            Outcome::Improved => "improved",
            Outcome::Unchanged => "unchanged",
        }
    }
}

/// The direction of a significant change within the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeDirection {
    /// Worse.
    Slower,
    /// Better.
    Faster,
}

impl ChangeDirection {
    /// The word used in all formats.
    pub fn word(self) -> &'static str {
        match self {
            ChangeDirection::Slower => "slower",
            ChangeDirection::Faster => "faster",
        }
    }
}

/// What a tested change is that of, if not of the printed values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChangeOf {
    /// The mean of the fastest samples of each run.
    FastestSamples,
    /// The mean of the samples of each run.
    Mean,
    /// Another value, of a newer version.
    #[serde(other)]
    Unknown,
}

/// Why the tests leave a change undecided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UndecidedReason {
    /// The change is over the threshold, and its interval contains 0.
    MayBeNoise,
    /// The change is within the threshold, and its interval is not.
    BeyondThreshold,
    /// Only in reports of older versions, whose interval was not corrected for the number of tests: the change is over the threshold, and not
    /// significant after that correction.
    NotSignificant,
    /// The 95% interval lies within the threshold, and the one at a stricter `alpha` does not.
    NotWithinAtAlpha,
}

/// Why an inconclusive benchmark was not tested at all. A note has the reason in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UntestedReason {
    /// Base and head ran on different machines.
    DifferentMachines,
    /// Neither the results nor the config state which values are better.
    UnknownDirection,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}

impl UntestedReason {
    /// The note of a benchmark that is not tested for this reason.
    pub fn note(self) -> &'static str {
        match self {
            UntestedReason::DifferentMachines => "base and head ran on different machines",
            UntestedReason::UnknownDirection => "not tested: its better direction is unknown",
            UntestedReason::Unknown => "",
        }
    }
}

/// Why a benchmark with a value on both sides has no q.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WithoutQ {
    /// An exact count needs no test.
    ExactCount,
    /// Few events are compared by an exact interval.
    FewEvents,
    /// No ratio can be computed, because a value is zero.
    Zero,
    /// The values cannot be compared, or a result could not be read; a note has the reason.
    NotComparable,
    /// A re-measured suspect has too few new results; a note has their number.
    TooFewResults,
    /// A reason of a newer version.
    #[serde(other)]
    Unknown,
}

/// A geometric mean with its interval, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanChange {
    /// The mean change.
    pub change: f64,
    /// Its 95% confidence interval.
    pub interval: [f64; 2],
}

/// Number of findings per outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)] // older files have no `failed`
#[allow(missing_docs)] // the names of the outcomes
pub struct Counts {
    pub regressed: usize,
    pub improved: usize,
    pub unchanged: usize,
    pub inconclusive: usize,
    pub added: usize,
    pub removed: usize,
    pub accepted: usize,
    pub failed: usize,
}

impl Counts {
    /// Counts the outcomes.
    pub fn of(outcomes: impl Iterator<Item = Outcome>) -> Self {
        let mut counts = Counts::default();
        outcomes.for_each(|outcome| *counts.slot(outcome) += 1);
        counts
    }

    /// The number of findings with an outcome.
    pub fn get(mut self, outcome: Outcome) -> usize {
        *self.slot(outcome)
    }

    fn slot(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Failed => &mut self.failed,
            Outcome::Regressed => &mut self.regressed,
            Outcome::Improved => &mut self.improved,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Inconclusive => &mut self.inconclusive,
            Outcome::Added => &mut self.added,
            Outcome::Removed => &mut self.removed,
            Outcome::Accepted => &mut self.accepted,
        }
    }
}
