//! The names of benchmarks and the ids of commits.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The full name of a benchmark, as reported by its tool. Not trusted: escape it for display.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BenchId(Arc<str>);

impl BenchId {
    /// An unchanged name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        BenchId(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<BenchId> for Arc<str> {
    fn from(id: BenchId) -> Self {
        id.0
    }
}

impl fmt::Display for BenchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for BenchId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A git commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(Box<str>);

impl Commit {
    /// A full commit id, or `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (hex && matches!(text.len(), 40 | 64)).then(|| Commit(text.into()))
    }

    /// The full id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first ten digits: enough for a reader.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> String {
        commit.0.into()
    }
}

/// The first digits of a commit id, from a file that does not contain the whole id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPrefix(Box<str>);

impl CommitPrefix {
    /// The fewest digits that git prints by default; a shorter text may be another kind of number.
    const DIGITS: usize = 7;

    /// Parses the first digits of an id; `None` for any other text, and for a full id.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        let is_short = (Self::DIGITS..64).contains(&text.len()) && Commit::parse(&text).is_none();
        (hex && is_short).then(|| CommitPrefix(text.into()))
    }

    /// Whether this is the beginning of the commit's id.
    pub fn is_of(&self, commit: &Commit) -> bool {
        commit.as_str().starts_with(&*self.0)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a full commit id.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a full commit id (40 or 64 lower-case hexadecimal digits)")]
pub struct InvalidCommit(String);

impl TryFrom<String> for Commit {
    type Error = InvalidCommit;

    fn try_from(text: String) -> Result<Commit, InvalidCommit> {
        Commit::parse(&text).ok_or(InvalidCommit(text))
    }
}
