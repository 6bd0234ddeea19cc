//! Catch2's benchmarks, from its XML report or its console table (versions 2 and 3). Both give the mean and its spread;
//! the samples are not kept.

mod console;
mod xml_report;

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};
use std::collections::{BTreeMap, BTreeSet};

/// Catch2.
pub struct Catch2;

/// One benchmark as either report gives it.
struct Row {
    /// Test case and sections around it.
    place: String,
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
        "time: mean and standard deviation with the number of samples"
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

/// A name that stands in several test cases or sections begins with them, which alone tells the benchmarks apart.
fn add(builder: &mut ReadingBuilder<'_>, rows: Vec<Row>) {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        places.entry(&row.name).or_default().insert(&row.place);
    }
    let several: BTreeSet<String> =
        places.into_iter().filter(|(_, places)| places.len() > 1).map(|(name, _)| name.to_owned()).collect();
    for row in rows {
        let name = if several.contains(&row.name) { format!("{}/{}", row.place, row.name) } else { row.name };
        builder.add(&name, Metric::time(), [Evidence::summary(row.summary)]);
    }
}

/// The summary of a mean and a standard deviation, both in nanoseconds and not yet known to be numbers.
fn summary(mean: f64, sd: Option<f64>, samples: Option<u64>) -> Summary {
    Summary { centre: mean, mean: Some(mean), sd, samples, quantiles: Vec::new() }
}
