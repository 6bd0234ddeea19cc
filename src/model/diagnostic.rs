//! A warning or error as a value: it travels with the numbers and comes out in every view of the report.

use serde::{Deserialize, Serialize};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Something is not as it should be; the rest is judged.
    Warning,
    /// Nothing can be said of this place.
    Error,
}

/// What was odd, where, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable, kebab-case: what scripts match on.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What is odd and how to mend it, in one sentence or two. Names in it are quoted raw: escape when showing.
    pub message: String,
    /// A file, `file:line`, or a benchmark; empty when it is about the whole.
    pub place: String,
}

impl Diagnostic {
    /// Something worth knowing.
    pub fn note(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic { code: code.into(), severity: Severity::Note, message: message.into(), place: place.into() }
    }

    /// Something that is not as it should be.
    pub fn warning(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic { code: code.into(), severity: Severity::Warning, message: message.into(), place: place.into() }
    }

    /// Something that stops this place from being read.
    pub fn error(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic { code: code.into(), severity: Severity::Error, message: message.into(), place: place.into() }
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.place, self.message) }
    }
}

impl std::error::Error for Diagnostic {}
