//! critcmp's export of a criterion baseline: median and mean of each benchmark.

use super::builder::ReadingBuilder;
use super::fields::{entries, number_at, text_at};
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Evidence, Metric, Summary};
use serde_json::Value;

/// critcmp's export of a criterion baseline.
#[derive(Debug)]
pub struct Critcmp;

impl Format for Critcmp {
    fn name(&self) -> &'static str {
        "critcmp"
    }

    fn produced_by(&self) -> &'static str {
        "critcmp --export BASELINE > FILE"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, sd"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["name", "benchmarks"])
            && preview.json_keys.iter().any(|key| key.ends_with(".criterion_benchmark_v1"))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        for (key, benchmark) in entries(&file, "benchmarks") {
            let name = text_at(benchmark, "criterion_benchmark_v1.full_id").unwrap_or(key);
            let of =
                |statistic: &str| number_at(benchmark, &format!("criterion_estimates_v1.{statistic}.point_estimate"));
            let Some(centre) = of("median").or(of("mean")) else { continue };
            let summary = Summary { centre, mean: of("mean"), sd: of("std_dev"), ..Summary::default() };
            builder.add(name, Metric::time(), [Evidence::summary(summary)]);
        }
        builder.finish()
    }
}
