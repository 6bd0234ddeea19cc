//! `deno bench --json`: mean and quantiles of each benchmark, and the processor.

use super::builder::ReadingBuilder;
use super::fields::{items, number_at, text_at};
use super::{Format, Preview, Reading, Source, json, machine};
use crate::model::{Diagnostic, Environment, Evidence, Metric, Summary};
use serde_json::Value;

/// `deno bench --json`.
#[derive(Debug)]
pub struct DenoBench;

impl Format for DenoBench {
    fn name(&self) -> &'static str {
        "deno-bench"
    }

    fn produced_by(&self) -> &'static str {
        "deno bench --json > FILE"
    }

    fn metrics(&self) -> &'static str {
        "time: mean, minimum, maximum and quantiles; machine"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["benches[].origin", "benches[].results"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        builder.environment().set(Environment::CPU, text_at(&file, "cpu").unwrap_or_default());
        let runtime = text_at(&file, "runtime").unwrap_or_default();
        let (version, target) = runtime.split_once(' ').unwrap_or((runtime, ""));
        builder.environment().set("runtime", version);
        if let [arch, _, os, ..] = target.split('-').collect::<Vec<_>>().as_slice() {
            machine::set_arch(builder.environment(), arch);
            machine::set_os(builder.environment(), os);
        }
        for bench in items(&file, "benches") {
            let own = text_at(bench, "name").unwrap_or_default();
            let name = text_at(bench, "group").map_or_else(|| own.to_owned(), |group| format!("{group}/{own}"));
            for result in items(bench, "results") {
                let Some(ok) = result.get("ok") else {
                    builder.warn("failed-benchmark", format!("`{name}` failed; it has no result"));
                    continue;
                };
                let Some(mean) = number_at(ok, "avg") else { continue };
                let shares =
                    [(0.0, "min"), (0.75, "p75"), (0.99, "p99"), (0.995, "p995"), (0.999, "p999"), (1.0, "max")];
                let quantiles =
                    shares.into_iter().filter_map(|(share, key)| Some((share, number_at(ok, key)?))).collect();
                let samples = number_at(ok, "n").map(|count| count as u64);
                let summary = Summary { centre: mean, mean: Some(mean), sd: None, samples, quantiles };
                builder.add_run(&name, Metric::time(), Evidence::summary(summary));
            }
        }
        builder.finish()
    }
}
