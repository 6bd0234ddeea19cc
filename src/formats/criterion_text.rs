//! What criterion prints to the terminal: the estimate of each benchmark with its confidence interval.

use super::builder::ReadingBuilder;
use super::text::{nanoseconds, number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric};

/// What criterion prints to the terminal.
#[derive(Debug)]
pub struct CriterionText;

impl Format for CriterionText {
    fn name(&self) -> &'static str {
        "criterion-text"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench > FILE (criterion; its directory target/criterion has the samples)"
    }

    fn metrics(&self) -> &'static str {
        "time: the estimate"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| parse_estimate(line).is_some())
            && !preview.lines().any(|line| line.starts_with("test ") && line.contains(" bench: "))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        let mut above = "";
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if let Some((name, nanoseconds)) = parse_estimate(line) {
                // A long name has a line of its own.
                let name = if name.is_empty() { above.trim() } else { name };
                builder.add(name, Metric::time(), [Evidence::Value(nanoseconds)]);
            }
            if !line.trim().is_empty() {
                above = line;
            }
        }
        builder.finish()
    }
}

/// A line such as `parse/64    time:   [320.1 ns 323.9 ns 327.2 ns]`: its name, which may be empty, and the estimate.
fn parse_estimate(line: &str) -> Option<(&str, f64)> {
    let (name, rest) = line.split_once("time:")?;
    let inner = rest.trim().strip_prefix('[')?.strip_suffix(']')?;
    let words: Vec<&str> = inner.split_whitespace().collect();
    let [_, _, value, unit, _, _] = words.as_slice() else { return None };
    // The line `change: time: [-1.2% …]` has no units.
    Some((name.trim(), number(value)? * nanoseconds(unit)?))
}
