//! What a file reports as failed or skipped, and the errors that ended its run.

use super::ReadingBuilder;
use crate::formats::run_error::run_error;
use crate::formats::text;
use crate::model::{BenchId, EarlyEnd, FailedBenchmark, SkippedBenchmark};

impl ReadingBuilder<'_> {
    /// Reports a benchmark that failed; `why` is the tool's message, which may be empty.
    pub fn fail(&mut self, name: &str, why: &str) {
        let why = self.warn_failed(name, why);
        let failed = FailedBenchmark { tool: self.tool.into(), benchmark: BenchId::new(name), why };
        self.reading.failures.benchmarks.push(failed);
    }

    /// Reports a failure of something that counts as a benchmark only if base has results of it.
    pub fn fail_if_known(&mut self, name: &str, why: &str) {
        let why = self.warn_failed(name, why);
        let why = if why.is_empty() { "it failed".to_owned() } else { why };
        self.record_early_end(name, &why);
    }

    /// Warns about a failure. Returns the tool's message, shortened.
    fn warn_failed(&mut self, name: &str, why: &str) -> String {
        self.has_result();
        let why = why.trim();
        let detail = if why.is_empty() { String::new() } else { format!(": {why}") };
        self.warn("failed-benchmark", format!("`{name}` failed{detail}"));
        shortened(why)
    }

    /// Reports a benchmark that was skipped on purpose.
    pub fn skip(&mut self, name: &str) {
        self.has_result();
        self.note("skipped-benchmark", format!("`{name}` was skipped"));
        let skipped = SkippedBenchmark { tool: self.tool.into(), benchmark: BenchId::new(name) };
        self.reading.failures.skipped.push(skipped);
    }

    /// Reports an error that ended the run of all benchmarks whose names begin with `prefix`.
    pub fn end_early(&mut self, prefix: &str, why: &str) {
        self.warn("ended-early", format!("the run ended in an error: {why}"));
        self.record_early_end(prefix, why);
    }

    /// [`Self::end_early`] without a warning.
    pub fn record_early_end(&mut self, prefix: &str, why: &str) {
        let end = EarlyEnd { tool: self.tool.into(), prefix: prefix.to_owned(), why: shortened(why) };
        self.reading.failures.early_ends.push(end);
    }

    /// Looks for an error that ended the run, unless the tool itself reports one. XML is not searched: a test report contains the
    /// output of failed tests, and a crash there did not end the run.
    pub(super) fn read_run_error(&mut self) {
        let is_xml = text::first_byte(self.source).is_ok_and(|first| first == Some(b'<'));
        if is_xml || self.reading.failures.early_ends.iter().any(|end| end.prefix.is_empty()) {
            return;
        }
        let Ok(text) = text::decode(self.source) else { return };
        // Some formats do not record the lines of their results. An exception may precede them.
        let last_result = self.last_result.or_else(|| (!self.reading.measurements.is_empty()).then_some(u64::MAX));
        if let Some(error) = run_error(&text, last_result) {
            self.line = Some(error.line);
            self.end_early("", &error.why);
        }
    }
}

/// The first line of a tool's message, shortened.
fn shortened(why: &str) -> String {
    why.trim().lines().next().unwrap_or_default().chars().take(super::MESSAGE_LENGTH).collect()
}
