//! Celero's CSV result table: the time of one iteration of each experiment.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::number;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};

/// Celero's CSV result table.
#[derive(Debug)]
pub struct Celero;

impl Format for Celero {
    fn name(&self) -> &'static str {
        "celero"
    }

    fn produced_by(&self) -> &'static str {
        "Celero with --outputTable FILE.csv"
    }

    fn metrics(&self) -> &'static str {
        "time: one value per iteration"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["Group", "Experiment", "us/Iteration"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "us/Iteration"))?;
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| table.cell(row, name);
            let (Some(group), Some(experiment)) = (cell("Group"), cell("Experiment")) else { continue };
            let mut name = format!("{group}/{experiment}");
            if let Some(space) = cell("Problem Space").filter(|space| !matches!(*space, "" | "0" | "Null")) {
                name.push_str(&format!("/{space}"));
            }
            let failed = cell("Failure").is_some_and(|failure| !matches!(failure, "" | "0"));
            match cell("us/Iteration").and_then(number).filter(|_| !failed) {
                Some(microseconds) => builder.add(&name, Metric::time(), [Evidence::Value(microseconds * 1e3)]),
                None => builder.fail(&name, ""),
            }
        }
        builder.finish()
    }
}
