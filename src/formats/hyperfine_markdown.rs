//! hyperfine's Markdown table: mean, standard deviation and range of each command.

use super::builder::ReadingBuilder;
use super::table_text::TableText;
use super::text::{nanoseconds, number};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// hyperfine's Markdown table.
#[derive(Debug)]
pub struct HyperfineMarkdown;

impl Format for HyperfineMarkdown {
    fn name(&self) -> &'static str {
        "hyperfine-markdown"
    }

    fn produced_by(&self) -> &'static str {
        "hyperfine --export-markdown FILE 'COMMAND'"
    }

    fn metrics(&self) -> &'static str {
        "time: mean, sd, minimum, maximum"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| line.starts_with("| Command |") && line.contains("| Mean ["))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell.starts_with("Mean [")))?;
        table.report_cut(&mut builder);
        let unit = table.header.iter().find_map(|cell| cell.strip_prefix("Mean [")?.strip_suffix(']'));
        let factor = unit.and_then(nanoseconds).unwrap_or(1.0);
        let [command, mean, min, max] = ["Command", "Mean [", "Min [", "Max ["]
            .map(|start| table.header.iter().position(|cell| cell.starts_with(start)));
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |column: Option<usize>| row.get(column?).map(String::as_str);
            let time = |text: &str| number(text).map(|value| value * factor);
            let (centre, sd) = cell(mean).map_or(("", None), |cell| match cell.split_once('\u{b1}') {
                Some((mean, sd)) => (mean.trim(), Some(sd.trim())),
                None => (cell, None),
            });
            let (Some(command), Some(centre)) = (cell(command), time(centre)) else {
                builder.warn("unreadable-entry", "the row has no time; skipped");
                continue;
            };
            let ends = [(0.0, cell(min).and_then(time)), (1.0, cell(max).and_then(time))];
            let quantiles = ends.into_iter().filter_map(|(share, value)| Some((share, value?))).collect();
            let summary = Summary { centre, mean: Some(centre), sd: sd.and_then(time), samples: None, quantiles };
            let command = command.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(command);
            builder.add(command, Metric::time(), [Evidence::summary(summary)]);
        }
        builder.finish()
    }
}
