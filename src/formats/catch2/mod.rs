//! Catch2's benchmarks (versions 2 and 3), from the XML report or the console table: mean and standard deviation. Neither
//! report contains the samples.

mod console;
mod xml_report;

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};

/// Catch2.
pub struct Catch2;

/// A benchmark in either report.
struct Row {
    /// The test case and sections that contain it.
    section: String,
    name: String,
    summary: Summary,
}

impl Format for Catch2 {
    fn name(&self) -> &'static str {
        "catch2"
    }

    fn produced_by(&self) -> &'static str {
        "./tests '[benchmark]' -r xml > out.xml (or the console's text)"
    }

    fn metrics(&self) -> &'static str {
        "time: mean, standard deviation, number of samples"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        matches!(preview.xml_root, Some("Catch" | "Catch2TestRun"))
            || preview.lines().any(|line| console::is_header(&text::without_colors(line)))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let rows = if text::first_byte(source)? == Some(b'<') {
            xml_report::read(&mut builder, source)?
        } else {
            console::read(&mut builder, source)?
        };
        builder.line = None;
        add(&mut builder, rows);
        builder.finish()
    }
}

/// Adds the benchmarks, named after their test case and sections: another test case may have one of the same name.
fn add(builder: &mut ReadingBuilder<'_>, rows: Vec<Row>) {
    for row in rows {
        builder.add(&full_name(&row.section, &row.name), Metric::time(), [Evidence::summary(row.summary)]);
    }
}

/// The name of a benchmark in a test case and its sections.
fn full_name(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}/{name}") }
}

/// A summary from mean and standard deviation, in nanoseconds.
fn summary(mean: f64, sd: Option<f64>, samples: Option<u64>) -> Summary {
    Summary { centre: mean, mean: Some(mean), sd, samples, quantiles: Vec::new() }
}
