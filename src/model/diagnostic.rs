//! Notes, warnings and errors as values, which every view of the report displays.

use serde::{Deserialize, Serialize};

/// The severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Information.
    Note,
    /// A problem that affects part of the input; the rest is compared.
    Warning,
    /// The input at this place cannot be used.
    Error,
}

/// A problem, its place and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// A stable kebab-case code that scripts can match.
    pub code: String,
    /// The severity.
    pub severity: Severity,
    /// The problem and how to fix it, in one or two sentences. Not escaped: it may contain names from the input.
    pub message: String,
    /// A file, `file:line`, or a benchmark; empty for the whole input.
    pub place: String,
    /// Set on a summary: how many diagnostics of this code are not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<usize>,
}

impl Diagnostic {
    /// A note.
    pub fn note(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Note, code, place.into(), message.into())
    }

    /// A warning.
    pub fn warning(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Warning, code, place.into(), message.into())
    }

    /// An error.
    pub fn error(code: &str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Error, code, place.into(), message.into())
    }

    fn new(severity: Severity, code: &str, place: String, message: String) -> Self {
        Diagnostic { code: code.into(), severity, message, place, stands_for: None }
    }

    /// The same for a summary of `count` diagnostics that are not listed.
    pub fn representing(self, count: usize) -> Self {
        Diagnostic { stands_for: Some(count), ..self }
    }

    /// The number of diagnostics it counts as: one, or the number that it summarises.
    pub fn count(&self) -> usize {
        self.stands_for.unwrap_or(1)
    }
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.place.is_empty() { f.write_str(&self.message) } else { write!(f, "{}: {}", self.place, self.message) }
    }
}

impl std::error::Error for Diagnostic {}
