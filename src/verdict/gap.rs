//! Commits between the newest run of the base and the commit that head started from.

use crate::model::SampleStatistics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Commits between the newest run of the base and the commit that head started from. Their changes may look like head's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineGap {
    /// How many.
    pub commits: usize,
    /// The commit that head started from.
    #[serde(default)]
    pub behind: StartCommit,
    /// The branch that they are on, if known: untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// True if the commit that head started from has runs of another machine class.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_machine: bool,
    /// Benchmarks and metrics that another machine class shows not to be worse after these commits.
    #[serde(skip)]
    pub not_worse: BTreeSet<(String, String)>,
}

impl BaselineGap {
    /// True if these commits may be the reason that a metric is worse. Of a statistic, its metric counts.
    pub(super) fn may_explain(&self, benchmark: &str, metric: &str) -> bool {
        let whole = SampleStatistics::split_metric(metric).map_or(metric, |(whole, _)| whole);
        let is_excluded = |metric: &str| self.not_worse.contains(&(benchmark.to_owned(), metric.to_owned()));
        !is_excluded(metric) && !is_excluded(whole)
    }
}

/// The commit that head started from. The search for stored runs of the base begins there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartCommit {
    /// The merge base with the default branch, or with the branch that a pull request targets.
    #[default]
    MergeBase,
    /// The first parent: head is a commit of the default branch.
    Parent,
    /// The checked-out commit: the work tree has uncommitted changes.
    Head,
}

impl StartCommit {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            StartCommit::MergeBase => "the merge base",
            StartCommit::Parent => "the parent commit",
            StartCommit::Head => "HEAD",
        }
    }
}
