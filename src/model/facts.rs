//! Facts that documents print next to the numbers: the change in git, the tools' own reports, and the team's fields.

use super::Commit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Facts that are gathered when a comparison is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The change in git; `None` if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<CodeChange>,
    /// Why the change is unknown; `None` outside a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change_unknown: Option<String>,
    /// `[template]` of perfgate.toml.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// What the base's tools reported besides measurements.
    pub base: ToolReports,
    /// What the head's tools reported besides measurements.
    pub head: ToolReports,
    /// The day of the verdict, `2026-11-21`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// A command line that repeats the comparison, quoted for a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
}

/// What a side's tools reported besides measurements.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ToolReports {
    /// The tools whose results were read.
    pub tools: Vec<String>,
    /// Facts on the machine.
    pub environment: BTreeMap<String, String>,
    /// Tests that ran, where a test runner's report was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    /// Database statements repeated so often that they look like one query per row of another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<Statement>,
}

/// Counts of a test run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tests {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
}

/// A database statement, repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Its text, without parameters.
    pub text: String,
    /// How often it ran.
    pub times: u64,
}

/// The difference between the merge base and head.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeChange {
    /// The merge base; `None` if there is none.
    #[serde(with = "or_empty")]
    pub base: Option<Commit>,
    /// What is checked out.
    #[serde(with = "or_empty")]
    pub head: Option<Commit>,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// True if it includes uncommitted changes.
    pub dirty: bool,
    /// Trailers of the commits, the newest commit's first: `Task: T-12`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<(String, String)>,
    /// Changed files, the most changed first.
    pub files: Vec<FileChange>,
    /// The number of changed files that are not listed.
    pub more_files: usize,
    /// Statements in added lines that create an index.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<String>,
    /// Files that look like database migrations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<String>,
    /// Dependencies that were added, removed or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path in the repository: untrusted text.
    pub path: String,
    /// How it changed.
    pub kind: FileChangeKind,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Functions that contain changes, as in git's hunk headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another name.
    Renamed,
    /// Its content differs.
    Changed,
}

impl FileChangeKind {
    /// The word in documents.
    pub fn word(self) -> &'static str {
        match self {
            FileChangeKind::Added => "added",
            FileChangeKind::Removed => "removed",
            FileChangeKind::Renamed => "renamed",
            FileChangeKind::Changed => "changed",
        }
    }
}

/// In a comparison file a missing commit of [`CodeChange`] is an empty text.
mod or_empty {
    use crate::model::Commit;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(commit: &Option<Commit>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(commit.as_ref().map_or("", Commit::as_str))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Commit>, D::Error> {
        String::deserialize(deserializer).map(|text| Commit::parse(&text))
    }
}

/// A dependency that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// The manifest that declares it.
    pub manifest: String,
    /// Its name.
    pub name: String,
    /// The version that base requires; `None` for a new dependency.
    pub before: Option<String>,
    /// The version that head requires; `None` for a removed dependency.
    pub after: Option<String>,
}
