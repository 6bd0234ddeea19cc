//! A reading under way: measurements found again by name and metric, every value checked at the door, and complaints
//! kept to a number that can be read. What a file says is for its format.

use super::{Reading, Source};
use crate::model::{Diagnostic, Evidence, Measurement, Metric};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How many unreadable places of one file are named one by one.
const NAMED: usize = 20;
/// How many characters a message may have: the line that it quotes may be the whole file.
const LONGEST: usize = 300;

/// The measurements and diagnostics of one file, as a format fills them in.
pub(super) struct Ledger<'a> {
    tool: &'static str,
    source: Source<'a>,
    reading: Reading,
    index: BTreeMap<(Box<str>, Cow<'static, str>), usize>,
    complaints: usize,
}

impl<'a> Ledger<'a> {
    /// An empty reading of `source` by the format named `tool`.
    pub(super) fn new(tool: &'static str, source: Source<'a>) -> Self {
        Ledger { tool, source, reading: Reading::default(), index: BTreeMap::new(), complaints: 0 }
    }

    /// Writes down one entry. The file repeats the name: the first entry stays and a diagnostic says so.
    pub(super) fn keep(&mut self, benchmark: &str, metric: Metric, evidence: Evidence) {
        self.enter(benchmark, metric, evidence, false);
    }

    /// Writes down one process run of a benchmark that the file may hold several runs of.
    pub(super) fn repeat(&mut self, benchmark: &str, metric: Metric, evidence: Evidence) {
        self.enter(benchmark, metric, evidence, true);
    }

    fn enter(&mut self, benchmark: &str, metric: Metric, evidence: Evidence, replicate: bool) {
        if let Some(value) = invalid(&evidence) {
            let message = format!("`{benchmark}` has the {} {value}; it is left out", metric.name);
            return self.complain("invalid-value", None, message);
        }
        let key = (Box::from(benchmark), metric.name.clone());
        match self.index.get(&key).and_then(|&at| self.reading.measurements.get_mut(at)) {
            Some(known) if replicate && known.metric == metric => known.replicates.push(evidence),
            Some(_) => {
                let message = format!("`{benchmark}` has a second {}; the first one is kept", metric.name);
                self.complain("duplicate-name", None, message);
            }
            None => {
                self.index.insert(key, self.reading.measurements.len());
                self.reading.measurements.push(Measurement::new(self.tool, benchmark, metric, evidence));
            }
        }
    }

    /// A line or entry that cannot be read. After the first twenty they are only counted.
    pub(super) fn complain(&mut self, code: &str, line: Option<u64>, message: impl Into<String>) {
        self.complaints += 1;
        if self.complaints <= NAMED {
            let place = match line {
                Some(line) => format!("{}:{line}", self.source.name),
                None => self.source.name.to_owned(),
            };
            let mut message = message.into();
            if let Some((end, _)) = message.char_indices().nth(LONGEST) {
                message.truncate(end);
                message.push_str(" ...");
            }
            self.reading.diagnostics.push(Diagnostic::warning(code, place, message));
        }
    }

    /// Something worth knowing about the whole file.
    pub(super) fn note(&mut self, code: &str, message: impl Into<String>) {
        self.reading.diagnostics.push(Diagnostic::note(code, self.source.name, message));
    }

    /// True when something was measured under this name.
    pub(super) fn knows(&self, benchmark: &str) -> bool {
        let from = (Box::from(benchmark), Cow::Borrowed(""));
        self.index.range(from..).next().is_some_and(|((name, _), _)| &**name == benchmark)
    }

    /// The reading, or why there is none: `what` names what a good file would hold.
    pub(super) fn finish(mut self, what: &str) -> Result<Reading, Diagnostic> {
        if self.reading.measurements.is_empty() {
            return Err(nothing(self.source, what, self.reading.diagnostics.first()));
        }
        if self.complaints > NAMED {
            let more = self.complaints - NAMED;
            let message = format!("{more} more places could not be read");
            self.reading.diagnostics.push(Diagnostic::warning("more-unreadable", self.source.name, message));
        }
        Ok(self.reading)
    }
}

/// The error for a source without a good line.
fn nothing(source: Source<'_>, what: &str, first: Option<&Diagnostic>) -> Diagnostic {
    if source.bytes.iter().all(u8::is_ascii_whitespace) {
        return Diagnostic::error("unreadable", source.name, "is empty; run it again and keep its output");
    }
    let reason = first.map(|d| format!(" ({}: {})", d.place, d.message)).unwrap_or_default();
    Diagnostic::error("unreadable", source.name, format!("holds no {what}{reason}"))
}

/// The first number in the evidence that no measurement can be: negative, infinite or no number at all.
fn invalid(evidence: &Evidence) -> Option<f64> {
    let bad = |value: &f64| !value.is_finite() || *value < 0.0;
    match evidence {
        Evidence::Samples(samples) => match samples.as_slice() {
            [] => Some(f64::NAN),
            samples => samples.iter().copied().find(bad),
        },
        Evidence::Digest(digest) => Some(digest.median).filter(bad),
        Evidence::Value(value) => Some(*value).filter(bad),
        Evidence::Summary(summary) => {
            let quantiles = summary.quantiles.iter().map(|(_, value)| *value);
            [Some(summary.centre), summary.mean, summary.sd].into_iter().flatten().chain(quantiles).find(bad)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(bytes: &[u8]) -> Ledger<'_> {
        Ledger::new("tool", Source { name: "file", bytes })
    }

    #[test]
    fn a_second_entry_of_a_name_is_reported_and_a_second_run_is_a_replicate() {
        let mut ledger = ledger(b"x");
        ledger.keep("a", Metric::time(), Evidence::Value(1.0));
        ledger.keep("a", Metric::time(), Evidence::Value(2.0));
        ledger.repeat("b", Metric::time(), Evidence::Value(1.0));
        ledger.repeat("b", Metric::time(), Evidence::Value(2.0));
        assert!(ledger.knows("a") && !ledger.knows("") && !ledger.knows("c"));
        let reading = ledger.finish("line").unwrap();
        assert_eq!(reading.measurements[0].replicates, [Evidence::Value(1.0)]);
        assert_eq!(reading.measurements[1].replicates.len(), 2);
        assert_eq!(reading.diagnostics[0].code, "duplicate-name");
    }

    #[test]
    fn a_value_that_nothing_can_measure_is_left_out_by_name() {
        let mut ledger = ledger(b"x");
        ledger.keep("a", Metric::time(), Evidence::Value(-1.0));
        ledger.keep("b", Metric::time(), Evidence::Samples(vec![1.0, f64::NAN]));
        let error = ledger.finish("line").unwrap_err();
        assert!(error.message.contains("holds no line") && error.message.contains("`a`"), "{}", error.message);
    }

    #[test]
    fn complaints_beyond_twenty_are_counted() {
        let mut ledger = ledger(b"x");
        ledger.keep("a", Metric::time(), Evidence::Value(1.0));
        (1..=50).for_each(|line| ledger.complain("unreadable-line", Some(line), "is odd"));
        let reading = ledger.finish("line").unwrap();
        assert_eq!(reading.diagnostics.len(), 21);
        assert_eq!(reading.diagnostics[19].place, "file:20");
        assert!(reading.diagnostics[20].message.starts_with("30 more"));
    }

    #[test]
    fn a_message_does_not_quote_a_file_that_is_one_line() {
        let mut ledger = ledger(b"x");
        ledger.complain("unreadable-line", Some(1), "é".repeat(100_000));
        assert!(ledger.finish("line").unwrap_err().message.len() < 1000);
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        assert!(ledger(b" \n").finish("line").unwrap_err().message.contains("is empty"));
    }
}
