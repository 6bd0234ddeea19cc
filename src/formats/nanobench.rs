//! nanobench's JSON: the epochs of each benchmark.

use super::builder::ReadingBuilder;
use super::fields::{as_number, items, number_at, text_at};
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence, Metric};
use serde_json::Value;

/// Nanoseconds in nanobench's unit of time.
const SECOND: f64 = 1e9;

/// nanobench's JSON.
#[derive(Debug)]
pub struct Nanobench;

impl Format for Nanobench {
    fn name(&self) -> &'static str {
        "nanobench"
    }

    fn produced_by(&self) -> &'static str {
        "ankerl::nanobench::render(templates::json(), bench, out)"
    }

    fn metrics(&self) -> &'static str {
        "time: every epoch, per unit"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["results[].title", "results[].name", "results[].median(elapsed)"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        for result in items(&file, "results") {
            let own = text_at(result, "name").unwrap_or_default();
            let title = text_at(result, "title").filter(|title| *title != "benchmark");
            let name = title.map_or_else(|| own.to_owned(), |title| format!("{title}/{own}"));
            let batch = number_at(result, "batch").filter(|batch| *batch > 0.0).unwrap_or(1.0);
            let epochs = items(result, "measurements").filter_map(|epoch| number_at(epoch, "elapsed"));
            let samples: Vec<f64> = epochs.map(|elapsed| elapsed * SECOND / batch).collect();
            let median = result.get("median(elapsed)").and_then(as_number);
            let evidence = match (samples.is_empty(), median) {
                (false, _) => Evidence::Samples(samples),
                (true, Some(median)) => Evidence::Value(median * SECOND / batch),
                (true, None) => continue,
            };
            builder.add(&name, Metric::time(), [evidence]);
        }
        builder.finish()
    }
}
