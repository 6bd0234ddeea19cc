//! What hyperfine prints to the terminal: mean, standard deviation and range of each command.

use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

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
        let mut summary: Option<Summary> = None;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            let line = line.trim();
            let times = times(line);
            if let Some((_, command)) = line.strip_prefix("Benchmark ").and_then(|rest| rest.split_once(": ")) {
                if let Some(summary) = summary.take() {
                    builder.add_run(&name, Metric::time(), Evidence::summary(summary));
                }
                name = command.to_owned();
            } else if let Some(error) = line.strip_prefix("Error: ") {
                if summary.is_none() && !name.is_empty() {
                    builder.fail(&name, error);
                }
                builder.end_early("", error);
            } else if line.starts_with("Time (") {
                summary = times.first().map(|mean| {
                    let sd = line.contains('\u{b1}').then(|| times.get(1).copied()).flatten();
                    Summary { centre: *mean, mean: Some(*mean), sd, ..Summary::default() }
                });
            } else if let (true, Some(summary), [min, max, ..]) =
                (line.starts_with("Range ("), &mut summary, &times[..])
            {
                summary.quantiles = vec![(0.0, *min), (1.0, *max)];
            }
        }
        if let Some(summary) = summary {
            builder.add_run(&name, Metric::time(), Evidence::summary(summary));
        }
        builder.finish()
    }
}

/// The times of a line before its brackets, in nanoseconds.
fn times(line: &str) -> Vec<f64> {
    let values = line.split_once("):").map_or("", |(_, values)| values);
    let values = values.split('[').next().unwrap_or_default();
    let words: Vec<&str> = values.split_whitespace().collect();
    words.windows(2).filter_map(|pair| Some(number(pair[0])? * nanoseconds(pair[1])?)).collect()
}
