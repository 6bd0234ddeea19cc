//! Head compared with a pinned release, which reveals slow drift that comparisons with the latest runs miss. Information
//! only: it never fails the gate.

use super::outcome::{Counts, MeanChange, Outcome};
use crate::model::Commit;
use serde::{Deserialize, Serialize};

/// How far head is from the pinned release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PinnedReport {
    /// The release, as written in perfgate.toml.
    pub revision: String,
    /// Its commit.
    pub commit: Option<Commit>,
    /// Number of its stored runs.
    pub runs: usize,
    /// Outcomes since the release, by the thresholds of the gate.
    pub counts: Counts,
    /// Geometric mean of all changes in time since.
    pub mean_change: Option<MeanChange>,
    /// Benchmarks of both sides, worst first.
    pub benchmarks: Vec<PinnedFinding>,
}

/// How far one benchmark is from the pinned release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PinnedFinding {
    /// The benchmark's full name: untrusted text.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The outcome against the release.
    pub outcome: Outcome,
    /// head / release - 1.
    pub change: Option<f64>,
    /// 95% confidence interval of `change`.
    pub interval: Option<[f64; 2]>,
}
