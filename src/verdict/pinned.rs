//! Head compared with a pinned release, which reveals slow drift that comparisons with the latest runs miss. Information
//! only: it never fails the gate.

use super::outcome::{Counts, Outcome};
use super::report::{MeanChange, Report};
use crate::model::Commit;
use serde::{Deserialize, Serialize};

/// How far head is from the pinned release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pinned {
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
    /// The benchmark's full name: hostile text.
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

impl Pinned {
    /// The pinned part of a report, from a whole report against the release.
    pub fn of(revision: &str, report: Report) -> Pinned {
        let both = report.benchmarks.into_iter().filter(|finding| finding.base.is_some() && finding.head.is_some());
        let benchmarks = both.map(|finding| PinnedFinding {
            name: finding.name,
            metric: finding.metric.into_owned(),
            outcome: finding.outcome,
            change: finding.change,
            interval: finding.interval,
        });
        Pinned {
            revision: revision.to_owned(),
            commit: report.base.commit,
            runs: report.base.runs,
            counts: report.counts,
            mean_change: report.mean_change,
            benchmarks: benchmarks.collect(),
        }
    }
}
