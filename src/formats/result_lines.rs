//! Reads printed output in which a line has one result of a benchmark, and all other lines are ignored.

use super::builder::ReadingBuilder;
use super::{Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric};

/// Reads the output of `tool`; `parse_line` gives the name and the value of a line that has a result.
pub(super) fn read(
    tool: &'static str,
    source: Source<'_>,
    metric: fn() -> Metric,
    parse_line: fn(&str) -> Option<(String, Evidence)>,
) -> Result<Reading, Diagnostic> {
    let mut builder = ReadingBuilder::new(tool, source);
    let text = text::decode(source)?;
    for (number, line) in text::numbered_lines(&text) {
        builder.line = Some(number);
        if let Some((name, evidence)) = parse_line(line) {
            builder.add_run(&name, metric(), evidence);
        }
    }
    builder.finish()
}
