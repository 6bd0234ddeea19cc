//! What gungraun, iai-callgrind and iai print to the terminal: the counts of each benchmark.

use super::builder::ReadingBuilder;
use super::text::{number, numbered_lines, without_colors};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};

/// What gungraun, iai-callgrind and iai print to the terminal.
#[derive(Debug)]
pub struct CallgrindText;

impl Format for CallgrindText {
    fn name(&self) -> &'static str {
        "callgrind-text"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench > FILE (gungraun, iai-callgrind, iai)"
    }

    fn metrics(&self) -> &'static str {
        "instructions, cycles (estimated): exact counts"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| count_of(line).is_some_and(|(name, _)| name == "Instructions"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let text = without_colors(&text);
        let mut name = "";
        // gungraun and iai-callgrind print the old count after the new one.
        let is_cut = !text.ends_with('\n') && text.contains('|');
        let last = text.lines().count() as u64;
        for (number, line) in numbered_lines(&text) {
            builder.line = Some(number);
            if is_cut && number == last && count_of(line).is_some() && !line.contains('|') {
                builder.cut_off(number);
                continue;
            }
            if line.starts_with("Gungraun result: ") {
                builder.note_completion();
            }
            if !line.starts_with(char::is_whitespace) && !line.is_empty() {
                name = line.trim();
            }
            let metric = match count_of(line) {
                Some(("Instructions", _)) => "instructions",
                Some(("Estimated Cycles", _)) => "cycles",
                _ => continue,
            };
            if let Some((_, count)) = count_of(line) {
                // The arguments of a benchmark follow its name: `suite::fib short:1`.
                let metric = Metric::counted(metric, Unit::Count, Direction::Lower);
                builder.add(name, metric, [Evidence::Value(count)]);
            }
        }
        builder.finish()
    }
}

/// A line such as `  Instructions:    36024|24024    (+49.9500%)`: its name and the new count, before the old one.
fn count_of(line: &str) -> Option<(&str, f64)> {
    let (name, value) = line.strip_prefix("  ")?.trim_start().split_once(':')?;
    let value = value.trim().split([' ', '|']).next()?;
    Some((name, number(value)?))
}
