//! Commits between the base and the commit that head started from.

use crate::model::number_text::counted;
use serde::{Deserialize, Serialize};

/// Commits between the newest run of the base and the commit that head started from. Their changes may look like head's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineGap {
    /// How many.
    pub commits: usize,
    /// The commit that head started from.
    #[serde(default)]
    pub behind: StartCommit,
    /// The branch that they are on, if known: untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// True if machines of other classes measured the commit that head started from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

impl BaselineGap {
    /// What a row states whose benchmark has a gap of its own.
    pub fn note_of_row(&self) -> String {
        let (commits, start) = (counted(self.commits, "commit"), self.behind.name());
        format!("base is {commits} behind {start}, which has no stored result of this benchmark")
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
