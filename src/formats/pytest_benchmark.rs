//! pytest-benchmark's JSON: the time of every round (`--benchmark-json`) or only the statistics (`--benchmark-save`). The
//! console table is rounded; `pytest_benchmark_table` reads it.

use super::builder::ReadingBuilder;
use super::json;
use super::json::{Number, Numbers, parse_lenient};
use super::{Format, Preview, Reading, Source, machine, stated_time};
use crate::model::{Diagnostic, Environment, Evidence, Metric, Summary};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// pytest-benchmark.
#[derive(Debug)]
pub struct PytestBenchmark;

/// Nanoseconds in pytest-benchmark's unit of time.
const SECOND: f64 = 1e9;

impl Format for PytestBenchmark {
    fn name(&self) -> &'static str {
        "pytest-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "pytest --benchmark-json=out.json"
    }

    fn metrics(&self) -> &'static str {
        "time: every round (without data: median, mean, sd, quantiles); machine, commit"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["benchmarks", "machine_info"])
            || preview.has_keys(&["benchmarks[].fullname", "benchmarks[].stats"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: File<'_> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        if let Some(commit) = file.commit_info {
            builder.set_commit(commit.id.as_deref().unwrap_or_default());
            if commit.dirty == Some(true) {
                builder.environment().set(Environment::DIRTY, "yes");
            }
        }
        builder.set_measured(file.datetime.as_deref().and_then(stated_time::utc));
        set_environment(builder.environment(), &file.machine_info.unwrap_or_default());
        for (at, raw) in file.benchmarks.into_iter().enumerate() {
            let Some(Benchmark { fullname, name, stats }) = builder.parse_entry("benchmark", at, raw) else { continue };
            let name = fullname.or(name).unwrap_or_default();
            let iterations = stats.iterations.0;
            let evidence = if stats.data.0.is_empty() {
                Evidence::summary(stats.summary())
            } else {
                Evidence::Samples(stats.data.0)
            };
            builder.add(&name, Metric::time(), [evidence.scaled(SECOND)]);
            builder.set_iterations(&name, "time", iterations);
        }
        builder.finish()
    }
}

fn set_environment(environment: &mut Environment, machine: &Machine<'_>) {
    machine::set_arch(environment, machine.machine.as_deref().unwrap_or_default());
    machine::set_os(environment, machine.system.as_deref().unwrap_or_default());
    environment.set(Environment::KERNEL, machine.release.as_deref().unwrap_or_default());
    let python = [machine.python_implementation.as_deref(), machine.python_version.as_deref()];
    machine::set_joined(environment, "python", python);
    if let Some(cpu) = &machine.cpu {
        environment.set(Environment::CPU, cpu.brand_raw.as_deref().or(cpu.brand.as_deref()).unwrap_or_default());
        if let Some(count) = cpu.count {
            environment.set(Environment::CORES, count.to_string());
        }
    }
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    benchmarks: Vec<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    machine_info: Option<Machine<'a>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    commit_info: Option<CommitInfo<'a>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    datetime: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Default)]
struct Machine<'a> {
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    machine: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    system: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    release: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    python_implementation: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    python_version: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    cpu: Option<Cpu<'a>>,
}

#[derive(Deserialize)]
struct Cpu<'a> {
    /// `brand` before py-cpuinfo 6.
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    brand_raw: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    brand: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    count: Option<u64>,
}

#[derive(Deserialize)]
struct CommitInfo<'a> {
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    id: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    dirty: Option<bool>,
}

#[derive(Deserialize)]
struct Benchmark<'a> {
    #[serde(borrow)]
    fullname: Option<Cow<'a, str>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    stats: Stats,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stats {
    data: Numbers,
    median: Number,
    mean: Number,
    stddev: Number,
    rounds: Number,
    iterations: Number,
    min: Number,
    q1: Number,
    q3: Number,
    max: Number,
}

impl Stats {
    fn summary(&self) -> Summary {
        Summary {
            centre: self.median.finite().unwrap_or(self.mean.0),
            mean: self.mean.finite(),
            sd: self.stddev.finite(),
            samples: self.rounds.count(),
            quantiles: vec![
                (0.0, self.min.0),
                (0.25, self.q1.0),
                (0.5, self.median.0),
                (0.75, self.q3.0),
                (1.0, self.max.0),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        PytestBenchmark.parse(Source { name: "b.json", bytes: text.as_bytes() })
    }

    #[test]
    fn rounds_are_samples_in_nanoseconds() {
        let reading = parse(r#"{"benchmarks": [{"fullname": "t.py::a", "stats": {"data": [1e-6, 3e-6], "mean": 9}}]}"#);
        let run = reading.unwrap();
        assert_eq!(run.measurements[0].benchmark.as_str(), "t.py::a");
        assert_eq!(run.measurements[0].evidence, [Evidence::Samples(vec![1000.0, 3000.0])]);
    }

    #[test]
    fn invalid_entries_and_nan_are_skipped() {
        let text = r#"{"machine_info": {"system": "Darwin"}, "benchmarks": [7,
            {"fullname": "nan", "stats": {"median": NaN, "mean": Infinity}},
            {"fullname": "good", "stats": {"median": 2e-9, "stddev": NaN, "rounds": 5}}]}"#;
        let run = parse(text).unwrap();
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.sd, summary.samples), (2.0, None, Some(5)));
        let codes: Vec<&str> = run.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unreadable-entry", "invalid-value"]);
        assert_eq!(run.environment.get(Environment::OS), Some("macos"));
    }
}
