//! criterion's raw.csv: every sample of each benchmark.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::{nanoseconds, number};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};
use std::collections::BTreeMap;

/// criterion's raw.csv.
#[derive(Debug)]
pub struct CriterionRaw;

impl Format for CriterionRaw {
    fn name(&self) -> &'static str {
        "criterion-raw"
    }

    fn produced_by(&self) -> &'static str {
        "criterion with the feature csv_output (target/criterion/…/new/raw.csv)"
    }

    fn metrics(&self) -> &'static str {
        "time: every sample, per iteration"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["sample_measured_value", "iteration_count"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let table = TableText::read(source, |cells| cells.iter().any(|cell| cell == "iteration_count"))?;
        table.report_cut(&mut builder);
        let mut samples: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (line, row) in &table.rows {
            builder.line = *line;
            let cell = |name: &str| table.cell(row, name);
            let parts = ["group", "function", "value"].into_iter().filter_map(cell).filter(|part| !part.is_empty());
            let name = parts.collect::<Vec<_>>().join("/");
            let time = || {
                let factor = nanoseconds(cell("unit")?)?;
                let count = number(cell("iteration_count")?).filter(|count| *count > 0.0)?;
                Some(number(cell("sample_measured_value")?)? * factor / count)
            };
            match time() {
                Some(time) => samples.entry(name).or_default().push(time),
                None => builder.warn("unreadable-entry", "the row has no time; skipped"),
            }
        }
        for (name, samples) in samples {
            builder.add(&name, Metric::time(), [Evidence::Samples(samples)]);
        }
        builder.finish()
    }
}
