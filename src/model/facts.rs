//! What a document says beside the numbers: the change in git, what the tools' own reports said, and what the team
//! wrote down. Facts only; nothing here judges.

use super::Commit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Facts that are gathered when a comparison is saved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What git knows of the change; `None` outside a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// `[template]` of perfgate.toml: what the team says of its work.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// What the base's tools said beside their numbers.
    pub base: Said,
    /// What the head's tools said beside their numbers.
    pub head: Said,
    /// The day on which it was judged, `2026-11-21`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
    /// One command line that measures or compares the same again, its words quoted for a shell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduce: Option<String>,
}

/// What a side's tools said beside their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// The tools whose results were read.
    pub tools: Vec<String>,
    /// Facts on the machine.
    pub environment: BTreeMap<String, String>,
    /// Tests that ran, where a test runner's report was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    /// Database statements that were repeated so often that they look like one for each row of another.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repeated: Vec<Statement>,
}

/// What became of a test run.
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
    /// Its shape, without parameters.
    pub text: String,
    /// How often it ran.
    pub times: u64,
}

/// The difference of the merge base and head, as git has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// The merge base; `None` where there is none.
    #[serde(with = "or_empty")]
    pub base: Option<Commit>,
    /// What is checked out.
    #[serde(with = "or_empty")]
    pub head: Option<Commit>,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// True where uncommitted changes are part of it.
    pub dirty: bool,
    /// Trailers of the commits, the newest commit's first: `Task: T-12`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trailers: Vec<(String, String)>,
    /// Changed files, the most changed first.
    pub files: Vec<FileChange>,
    /// How many more files there are than are listed.
    pub more_files: usize,
    /// Statements that make an index, as added lines have them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<String>,
    /// Files that look like database migrations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub migrations: Vec<String>,
    /// Dependencies that came, went or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
}

/// A changed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path in the repository: hostile text.
    pub path: String,
    /// What became of it.
    pub kind: FileChangeKind,
    /// Lines added.
    pub added: usize,
    /// Lines removed.
    pub removed: usize,
    /// Functions that the changes stand in, as git names them in its hunk headers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
}

/// What became of a file.
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

/// In a comparison file a missing commit of [`Change`] is an empty text.
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
    /// The manifest that it stands in.
    pub manifest: String,
    /// Its name.
    pub name: String,
    /// What was asked for before; `None` where it is new.
    pub before: Option<String>,
    /// What is asked for now; `None` where it went.
    pub after: Option<String>,
}
