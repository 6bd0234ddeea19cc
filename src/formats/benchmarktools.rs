//! BenchmarkTools.jl: the samples of each trial, with memory and allocations.

use super::builder::ReadingBuilder;
use super::fields::{as_number, entries, items, number_at};
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Unit};
use serde_json::Value;

/// BenchmarkTools.
#[derive(Debug)]
pub struct BenchmarkTools;

impl Format for BenchmarkTools {
    fn name(&self) -> &'static str {
        "benchmarktools"
    }

    fn produced_by(&self) -> &'static str {
        "BenchmarkTools.save(\"FILE.json\", results)"
    }

    fn metrics(&self) -> &'static str {
        "time: every sample; memory, allocations"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.is_json() && preview.text.get(..200).unwrap_or(preview.text).contains("\"BenchmarkTools\"")
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        for item in file.get(1).and_then(Value::as_array).into_iter().flatten() {
            add(&mut builder, item, "", 0);
        }
        builder.finish()
    }
}

/// Maximum number of levels of groups.
const MAX_DEPTH: usize = 50;

/// Adds a trial or a group, both of which are a pair of type and fields.
fn add(builder: &mut ReadingBuilder<'_>, item: &Value, name: &str, depth: usize) {
    let Some([kind, fields]) = item.as_array().map(Vec::as_slice) else { return };
    let kind = kind.as_str().unwrap_or_default();
    if kind.ends_with("BenchmarkGroup") && depth < MAX_DEPTH {
        for (key, child) in entries(fields, "data") {
            let key = key.trim_matches('"');
            let name = if name.is_empty() { key.to_owned() } else { format!("{name}/{key}") };
            add(builder, child, &name, depth + 1);
        }
    } else if kind.ends_with("Trial") || kind.ends_with("TrialEstimate") {
        let name = if name.is_empty() { "benchmark" } else { name };
        let samples: Vec<f64> = items(fields, "times").filter_map(as_number).collect();
        let evidence = match number_at(fields, "time") {
            _ if !samples.is_empty() => Evidence::Samples(samples),
            Some(time) => Evidence::Value(time),
            None => return,
        };
        builder.add(name, Metric::time(), [evidence]);
        for (field, metric, unit) in [("memory", "memory", Unit::Byte), ("allocs", "allocations", Unit::Count)] {
            if let Some(value) = number_at(fields, field) {
                builder.add(name, Metric::measured(metric, unit, Direction::Lower), [Evidence::Value(value)]);
            }
        }
    }
}
