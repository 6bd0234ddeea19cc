//! What a file reports as failed or skipped, and the errors that ended its run.

use super::ReadingBuilder;
use crate::formats::run_error::{Progress, run_error};
use crate::formats::text;
use crate::model::{BenchId, EarlyEnd, EndScope, FailedBenchmark, SkippedBenchmark};

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
        self.record_early_end(EndScope::Benchmark(name.to_owned()), &why);
    }

    /// Warns about a failure. Returns the tool's message, shortened.
    fn warn_failed(&mut self, name: &str, why: &str) -> String {
        self.note_result();
        let why = why.trim();
        let detail = if why.is_empty() { String::new() } else { format!(": {why}") };
        self.warn("failed-benchmark", format!("`{name}` failed{detail}"));
        shortened(why)
    }

    /// Reports a benchmark that was skipped on purpose.
    pub fn skip(&mut self, name: &str) {
        self.note_result();
        self.note("skipped-benchmark", format!("`{name}` was skipped"));
        let skipped = SkippedBenchmark { tool: self.tool.into(), benchmark: BenchId::new(name) };
        self.reading.failures.skipped.push(skipped);
    }

    /// Reports an error that ended the run, or the part of it with these benchmarks.
    pub fn end_early(&mut self, scope: EndScope, why: &str) {
        self.warn("ended-early", format!("the run ended in an error: {why}"));
        self.record_early_end(scope, why);
    }

    /// [`Self::end_early`] without a warning.
    pub fn record_early_end(&mut self, scope: EndScope, why: &str) {
        let end = EarlyEnd { tool: self.tool.into(), scope, why: shortened(why) };
        self.reading.failures.early_ends.push(end);
    }

    /// Reports that the output ends in the middle of a result.
    pub fn cut_off(&mut self, line: u64) {
        self.line = Some(line);
        self.end_early(EndScope::Suite, "the output ends in the middle of a result");
    }

    /// Notes that the current line has a result, or a failure. Formats that add results later call it themselves.
    pub fn note_result(&mut self) {
        self.progress.add(self.line, Progress::Result);
    }

    /// Notes that the tool printed the current line when it began.
    pub fn note_start(&mut self) {
        self.progress.add(self.line, Progress::Begun);
    }

    /// Notes that the tool printed the current line when all of its benchmarks were done.
    pub fn note_completion(&mut self) {
        self.progress.add(self.line, Progress::Completed);
    }

    /// Looks for an error that ended the run, unless the tool itself reports one. XML is not searched: a test report contains the
    /// output of failed tests, and a crash there did not end the run. A JSON document cannot contain a line that another
    /// program printed.
    pub(super) fn read_run_error(&mut self) {
        let content = text::utf8(self.source).unwrap_or_default().trim_ascii();
        let is_json = matches!(content, [b'{', .., b'}'] | [b'[', .., b']']) && self.progress.is_empty();
        let is_xml = content.first() == Some(&b'<');
        let is_known = self.reading.failures.early_ends.iter().any(|end| end.scope == EndScope::Suite);
        if is_json || is_xml || is_known {
            return;
        }
        let Ok(text) = text::decode(self.source) else { return };
        let Some(error) = run_error(&text, &self.progress, !self.reading.measurements.is_empty()) else { return };
        self.line = Some(error.line);
        if error.is_after_completion {
            self.warn("ended-early", format!("the output has an error, but the tool completed its run: {}", error.why));
            self.record_early_end(EndScope::Nothing, &error.why);
        } else {
            self.end_early(EndScope::Suite, &error.why);
        }
    }
}

/// The first line of a tool's message, shortened.
fn shortened(why: &str) -> String {
    why.trim().lines().next().unwrap_or_default().chars().take(super::MESSAGE_LENGTH).collect()
}
