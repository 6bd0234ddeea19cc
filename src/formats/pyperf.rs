//! pyperf's JSON: each worker process is a run with its samples. Calibration runs and warm-up values are skipped. Metadata
//! is stored in the run, in the benchmark or, if common to all, at the root.

use super::builder::ReadingBuilder;
use super::json;
use super::json::{Numbers, parse_lenient};
use super::{Format, Preview, Reading, Source, machine};
use crate::model::{Diagnostic, Direction, Environment, Evidence, Metric, Unit};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// pyperf, and pyperformance, which writes the same format.
#[derive(Debug)]
pub struct Pyperf;

impl Format for Pyperf {
    fn name(&self) -> &'static str {
        "pyperf"
    }

    fn produced_by(&self) -> &'static str {
        "python bench.py -o out.json (pyperf)"
    }

    fn metrics(&self) -> &'static str {
        "time, memory or count (by the file's unit): samples of each worker process; machine"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let run = |key| preview.json_keys.contains(key);
        let values = ["benchmarks[].runs[].values", "benchmarks[].runs[].warmups", "benchmarks[].runs[].samples"];
        values.into_iter().any(run) || preview.has_keys(&["benchmarks[].runs[].metadata"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: File<'_> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let root = file.metadata.unwrap_or_default();
        set_environment(builder.environment(), &root);
        for (at, raw) in file.benchmarks.into_iter().enumerate() {
            let Some(mut benchmark) = builder.parse_entry::<Benchmark<'_>>("benchmark", at, raw) else { continue };
            let processes: Vec<_> = benchmark.runs.iter_mut().map(|run| std::mem::take(&mut run.values.0)).collect();
            let own = benchmark.metadata.or(benchmark.common_metadata).unwrap_or_default();
            let first = benchmark.runs.first().and_then(|run| run.metadata.as_ref());
            let levels = [first, Some(&own), Some(&root)];
            let Some(name) = levels.iter().flatten().find_map(|facts| facts.name.as_deref()) else {
                builder.warn("unreadable-entry", format!("benchmark {} has no name", at + 1));
                continue;
            };
            let unit = levels.iter().flatten().find_map(|facts| facts.unit.as_deref()).unwrap_or("second");
            let (metric, factor) = metric(&mut builder, unit);
            let dates = benchmark.runs.iter().filter_map(|run| run.metadata.as_ref()?.date.as_deref());
            dates.chain(own.date.as_deref()).for_each(|date| builder.set_measured_locally(date));
            if processes.iter().all(Vec::is_empty) {
                builder.warn(
                    "no-samples",
                    format!("`{name}` has only calibration and warm-up values; run the benchmark again"),
                );
            }
            builder.add(name, metric, processes.into_iter().map(|values| Evidence::Samples(values).scaled(factor)));
        }
        builder.finish()
    }
}

/// The metric of a unit, with the factor to perfgate's unit.
fn metric(builder: &mut ReadingBuilder<'_>, unit: &str) -> (Metric, f64) {
    let scale = match unit {
        "integer" => return (Metric::measured("count", Unit::Count, Direction::Lower), 1.0),
        other => builder.unit(other),
    };
    let name = match scale.unit {
        Unit::Nanosecond => "time",
        Unit::Byte => "memory",
        _ => "value",
    };
    (Metric::measured(name, scale.unit, Direction::Lower), scale.factor)
}

fn set_environment(environment: &mut Environment, facts: &Facts<'_>) {
    environment.set(Environment::CPU, facts.cpu_model_name.as_deref().unwrap_or_default());
    if let Some(count) = facts.cpu_count {
        environment.set(Environment::CORES, count.to_string());
    }
    let platform = facts.platform.as_deref().unwrap_or_default();
    machine::set_os(environment, platform);
    let arch = platform.split('-').find(|word| ["x86_64", "amd64", "AMD64", "aarch64", "arm64"].contains(word));
    machine::set_arch(environment, arch.unwrap_or_default());
    let python = [facts.python_implementation.as_deref(), facts.python_version.as_deref()];
    machine::set_joined(environment, "python", python);
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    benchmarks: Vec<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<Facts<'a>>,
}

#[derive(Deserialize)]
struct Benchmark<'a> {
    #[serde(borrow)]
    metadata: Option<Facts<'a>>,
    /// `metadata` before pyperf 0.9.6.
    #[serde(borrow)]
    common_metadata: Option<Facts<'a>>,
    #[serde(borrow, default)]
    runs: Vec<Run<'a>>,
}

#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    metadata: Option<Facts<'a>>,
    #[serde(default, alias = "samples")]
    values: Numbers,
}

#[derive(Deserialize, Default)]
struct Facts<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    unit: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    date: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    cpu_model_name: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    cpu_count: Option<u64>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    platform: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    python_implementation: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    python_version: Option<Cow<'a, str>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Pyperf.parse(Source { name: "p.json", bytes: text.as_bytes() })
    }

    #[test]
    fn each_process_is_a_run_and_calibration_is_skipped() {
        let text = r#"{"version": "1.0", "metadata": {"name": "only", "unit": "byte"}, "benchmarks": [{"runs": [
            {"warmups": [[1, 0.5]]}, {"values": [10, 20], "warmups": [[1, 5]]}, {"values": [30]}]}]}"#;
        let run = parse(text).unwrap();
        let [one] = &run.measurements[..] else { panic!("one benchmark") };
        assert_eq!((one.benchmark.as_str(), &*one.metric.name, &one.metric.unit), ("only", "memory", &Unit::Byte));
        assert_eq!(one.evidence, [Evidence::Samples(vec![10.0, 20.0]), Evidence::Samples(vec![30.0])]);
    }

    #[test]
    fn a_file_with_only_calibration_is_an_error() {
        let text = r#"{"benchmarks":[{"metadata":{"name":"a"},"runs":[{"warmups":[[1,0.1]]}]}],"metadata":{}}"#;
        let error = parse(text).unwrap_err();
        assert!(error.message.contains("only calibration and warm-up"), "{error}");
    }

    #[test]
    fn the_default_unit_is_seconds() {
        let run = parse(r#"{"benchmarks":[{"metadata":{"name":"a"},"runs":[{"values":[2e-9]}]}]}"#).unwrap();
        assert_eq!(*run.measurements[0].metric, Metric::time());
        assert_eq!(run.measurements[0].evidence, [Evidence::Samples(vec![2.0])]);
    }
}
