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

impl Severity {
    /// The word in front of a message, the same in every view.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
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
    /// The units in a note on unknown units: the notes of several files are joined by them.
    #[serde(skip)]
    pub units: Vec<String>,
}

const UNKNOWN_UNIT: &str = "unknown-unit";
/// Maximum number of units that a note names.
const NAMED_UNITS: usize = 5;

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
        Diagnostic { code: code.into(), severity, message, place, stands_for: None, units: Vec::new() }
    }

    /// A note on unknown units, which are kept as written.
    pub fn unknown_units(place: impl Into<String>, units: Vec<String>) -> Self {
        let named = |units: &[String]| units.iter().map(|unit| format!("`{unit}`")).collect::<Vec<_>>().join(", ");
        let message = match units.as_slice() {
            [one] => format!("`{one}` is not a known unit; its values are compared only with values in `{one}`"),
            units => {
                let (last, others) = match units.len() {
                    count if count > NAMED_UNITS => (format!("{} more", count - NAMED_UNITS), &units[..NAMED_UNITS]),
                    count => (named(&units[count.saturating_sub(1)..]), &units[..count.saturating_sub(1)]),
                };
                let others = named(others);
                format!(
                    "{others} and {last} are not known units; values are compared only with values in the same unit"
                )
            }
        };
        Diagnostic { units, ..Diagnostic::note(UNKNOWN_UNIT, place, message) }
    }

    /// Joins the notes on unknown units of all runs of both sides into one.
    pub fn join_unknown_units(diagnostics: &mut Vec<Diagnostic>) {
        let notes = || diagnostics.iter().filter(|one| one.code == UNKNOWN_UNIT);
        if notes().count() < 2 {
            return;
        }
        let mut units: Vec<String> = notes().flat_map(|note| note.units.iter().cloned()).collect();
        units.sort();
        units.dedup();
        let mut others: Vec<Diagnostic> = Vec::new();
        for note in notes().filter(|note| note.units.is_empty()) {
            if others.iter().all(|known| known.message != note.message) {
                others.push(Diagnostic { place: String::new(), ..note.clone() });
            }
        }
        diagnostics.retain(|one| one.code != UNKNOWN_UNIT);
        diagnostics.extend(others);
        if !units.is_empty() {
            diagnostics.push(Diagnostic::unknown_units("", units));
        }
    }

    /// The same for a summary of `count` diagnostics that are not listed.
    pub fn representing(self, count: usize) -> Self {
        Diagnostic { stands_for: Some(count), ..self }
    }

    /// The number of diagnostics it counts as: one, or the number that it summarizes.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_on_unknown_units_are_joined() {
        let note = |place: &str, units: &[&str]| {
            Diagnostic::unknown_units(place, units.iter().map(|one| (*one).to_owned()).collect())
        };
        let other = |place: &str| Diagnostic::note(UNKNOWN_UNIT, place, "no unit here");
        let mut all = vec![
            note("a", &["points"]),
            other("a"),
            note("b", &["points", "score"]),
            other("b"),
            Diagnostic::note("x", "b", "x"),
        ];
        Diagnostic::join_unknown_units(&mut all);
        let texts: Vec<String> = all.iter().map(ToString::to_string).collect();
        let joined = "`points` and `score` are not known units; values are compared only with values in the same unit";
        assert_eq!(texts, ["b: x", "no unit here", joined]);
        let one = note("a", &["points"]);
        assert_eq!(
            one.to_string(),
            "a: `points` is not a known unit; its values are compared only with values in `points`"
        );
        let many = note("", &["a", "b", "c", "d", "e", "f", "g"]).to_string();
        assert!(many.starts_with("`a`, `b`, `c`, `d`, `e` and 2 more are not known units"), "{many}");
    }
}
