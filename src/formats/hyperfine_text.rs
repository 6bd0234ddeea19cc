//! What hyperfine prints to the terminal: mean, standard deviation and range of each command.

use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, EndScope, Evidence, Metric, Summary};

/// What hyperfine prints to the terminal.
#[derive(Debug)]
pub struct HyperfineText;

impl Format for HyperfineText {
    fn name(&self) -> &'static str {
        "hyperfine-text"
    }

    fn produced_by(&self) -> &'static str {
        "hyperfine 'COMMAND' > FILE"
    }

    fn metrics(&self) -> &'static str {
        "time: mean, sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.trim_start().starts_with("Time (mean \u{b1} \u{3c3}):"))
            || preview.lines().any(|line| line.trim_start().starts_with("Time (abs \u{2261}):"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        let mut name = String::new();
        let mut summary: Option<(u64, Summary)> = None;
        // A command whose output is shown may print such a line too. An error of hyperfine itself ends the run.
        let mut error: Option<(u64, &str)> = None;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            let line = line.trim();
            let times = times(line);
            if let Some((_, command)) = line.strip_prefix("Benchmark ").and_then(|rest| rest.split_once(": ")) {
                add_error(&mut builder, error.take(), &name, summary.is_some());
                add_summary(&mut builder, &name, summary.take());
                name = command.to_owned();
            } else if let Some(why) = line.strip_prefix("Error: ") {
                error = Some((number, why));
            } else if line.starts_with("Time (") {
                error = None;
                summary = times.first().map(|mean| {
                    let sd = line.contains('\u{b1}').then(|| times.get(1).copied()).flatten();
                    (number, Summary { centre: *mean, mean: Some(*mean), sd, ..Summary::default() })
                });
            } else if let (true, Some((_, summary)), [min, max, ..]) =
                (line.starts_with("Range ("), &mut summary, &times[..])
            {
                summary.quantiles = vec![(0.0, *min), (1.0, *max)];
            } else if line == "Warning: Ignoring non-zero exit code." && summary.is_some() {
                let message = format!("`{name}`: some or all of the runs failed; their times may be meaningless");
                builder.warn("failed-command", message);
            }
        }
        add_error(&mut builder, error, &name, summary.is_some());
        add_summary(&mut builder, &name, summary);
        builder.finish()
    }
}

/// Adds a result, which was read in an earlier line.
fn add_summary(builder: &mut ReadingBuilder<'_>, name: &str, summary: Option<(u64, Summary)>) {
    let Some((line, summary)) = summary else { return };
    builder.line = Some(line);
    builder.add_run(name, Metric::time(), Evidence::summary(summary));
}

/// Reports an error that no result follows.
fn add_error(builder: &mut ReadingBuilder<'_>, error: Option<(u64, &str)>, name: &str, has_result: bool) {
    let Some((line, why)) = error else { return };
    builder.line = Some(line);
    if !has_result && !name.is_empty() {
        builder.fail(name, why);
    }
    builder.end_early(EndScope::Suite, why);
}

/// The times of a line before its brackets, in nanoseconds.
fn times(line: &str) -> Vec<f64> {
    let values = line.split_once("):").map_or("", |(_, values)| values);
    let values = values.split('[').next().unwrap_or_default();
    let words: Vec<&str> = values.split_whitespace().collect();
    words.windows(2).filter_map(|pair| Some(number(pair[0])? * nanoseconds(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_whose_failure_was_ignored_has_a_warning() {
        let block = |name: &str, warning: &str| {
            format!(
                "Benchmark 1: {name}\n  Time (mean \u{b1} \u{3c3}):     1.0 ms \u{b1}  0.1 ms\n  Range (min \u{2026} max): \
                 0.9 ms \u{2026} 1.1 ms    8 runs\n \n{warning}"
            )
        };
        let outliers = "  Warning: Statistical outliers were detected. Consider re-running this benchmark.\n \n";
        let text = block("a", outliers) + &block("b", "  Warning: Ignoring non-zero exit code.\n \n") + &block("c", "");
        let reading = HyperfineText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let [warning] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
        assert_eq!((&*warning.code, warning.message.starts_with("`b`: ")), ("failed-command", true));
        assert_eq!(reading.measurements.len(), 3);
    }

    #[test]
    fn an_error_before_the_result_is_output_of_the_command() {
        let read = |end: &str| {
            let text = format!("Benchmark 1: a\nError: retrying\n{end}");
            HyperfineText.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap()
        };
        let time = "  Time (mean \u{b1} \u{3c3}):     1.0 ms \u{b1}  0.1 ms    [User: 0.5 ms, System: 0.5 ms]\n";
        let reading = read(time);
        assert!(reading.failures.is_empty() && reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
        assert_eq!(reading.measurements.len(), 1);
        for end in [String::new(), format!("Benchmark 2: b\n{time}")] {
            let failures = read(&end).failures;
            assert_eq!(failures.benchmarks[0].benchmark.as_str(), "a");
            assert_eq!(failures.early_ends[0].why, "retrying");
        }
    }
}
