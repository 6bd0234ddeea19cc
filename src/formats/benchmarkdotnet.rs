//! BenchmarkDotNet's JSON (full, brief and compressed): times, memory and the metrics of other diagnosers. In full files
//! each launch is a run with its samples; brief files contain one list of samples. A method that runs under several jobs
//! gets the job in its name, unless it is the default one.

use super::builder::ReadingBuilder;
use super::json;
use super::json::{Number, Numbers, parse_lenient};
use super::{Format, Preview, Reading, Source, machine};
use crate::model::{Diagnostic, Direction, Environment, Evidence, JOB, Metric, Summary, Unit};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The job of a method without another one: a second job does not rename its results.
pub(super) const DEFAULT_JOB: &str = "DefaultJob";

/// BenchmarkDotNet.
#[derive(Debug)]
pub struct BenchmarkDotNet;

impl Format for BenchmarkDotNet {
    fn name(&self) -> &'static str {
        "benchmarkdotnet"
    }

    fn produced_by(&self) -> &'static str {
        "dotnet run -c Release -- --exporters json (BenchmarkDotNet.Artifacts/results/*-report-full.json)"
    }

    fn metrics(&self) -> &'static str {
        "time: samples of each launch; memory and metrics of other diagnosers: one value; machine"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["HostEnvironmentInfo"])
            || preview.has_keys(&["Benchmarks[].FullName", "Benchmarks[].Statistics"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: File<'_> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        if let Some(host) = &file.host {
            set_environment(builder.environment(), host);
        }
        let read = |(at, raw)| builder.parse_entry::<Benchmark<'_>>("benchmark", at, raw);
        let list: Vec<Benchmark<'_>> = file.benchmarks.into_iter().enumerate().filter_map(read).collect();
        let mut jobs: BTreeMap<String, usize> = BTreeMap::new();
        list.iter().for_each(|benchmark| *jobs.entry(benchmark.name()).or_default() += 1);
        let has_jobs = list.iter().any(|benchmark| !matches!(benchmark.job(), "" | DEFAULT_JOB));
        for (at, benchmark) in list.into_iter().enumerate() {
            let mut name = benchmark.name();
            if jobs.get(&name).is_some_and(|count| *count > 1) && benchmark.job() != DEFAULT_JOB {
                name = format!("{name}/job={}", benchmark.job());
            }
            if has_jobs {
                builder.settings.add(&name, JOB, benchmark.job());
            }
            let evidence = benchmark.time(&mut builder, &name, at);
            builder.add(&name, Metric::time(), evidence);
            benchmark.add_diagnoser_metrics(&mut builder, &name);
        }
        builder.finish()
    }
}

fn set_environment(environment: &mut Environment, host: &Host<'_>) {
    environment.set(Environment::CPU, host.processor_name.as_deref().unwrap_or_default());
    if let Some(count) = host.logical_core_count {
        environment.set(Environment::CORES, count.to_string());
    }
    machine::set_arch(environment, host.architecture.as_deref().unwrap_or_default());
    machine::set_os(environment, host.os_version.as_deref().unwrap_or_default());
    environment.set("runtime", host.runtime_version.as_deref().unwrap_or_default());
}

impl Benchmark<'_> {
    /// The full name with its parameters as in other formats: `Namespace.Type.Method/size=100`.
    fn name(&self) -> String {
        let parameters = self.parameters.as_deref().unwrap_or_default();
        match self.full_name.split_once('(') {
            Some((method, _)) if !parameters.is_empty() => format!("{method}/{}", parameters.replace('&', "/")),
            _ => self.full_name.clone().into_owned(),
        }
    }

    /// `Job` in `Type.Method: Job [parameters]`.
    fn job(&self) -> &str {
        let info = self.display_info.as_deref().unwrap_or_default();
        let job = info.split_once(": ").map_or(info, |(_, job)| job);
        job.split_once(" [").map_or(job, |(job, _)| job)
    }

    fn time(&self, builder: &mut ReadingBuilder<'_>, name: &str, at: usize) -> Vec<Evidence> {
        let iterations: Option<Vec<Iteration<'_>>> = match self.measurements {
            Some(raw) => builder.parse_entry("measurements of benchmark", at, raw),
            None => None,
        };
        let mut launches: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for iteration in iterations.into_iter().flatten().filter(Iteration::is_result) {
            let launch = launches.entry(iteration.launch_index.count().unwrap_or_default()).or_default();
            launch.push(iteration.nanoseconds.0 / iteration.operations.0);
        }
        if !launches.is_empty() {
            return launches.into_values().map(Evidence::Samples).collect();
        }
        let evidence = match &self.statistics {
            None => {
                builder.fail(name, "no result");
                None
            }
            Some(statistics) if statistics.values.0.is_empty() => Some(Evidence::summary(statistics.summary())),
            Some(statistics) => Some(Evidence::Samples(statistics.values.0.clone())),
        };
        evidence.into_iter().collect()
    }

    /// Adds memory and the metrics of other diagnosers.
    fn add_diagnoser_metrics(&self, builder: &mut ReadingBuilder<'_>, name: &str) {
        let allocated = self.memory.as_ref().and_then(|memory| memory.bytes.finite());
        if let Some(bytes) = allocated {
            builder.add(name, Metric::counted("memory", Unit::Byte, Direction::Lower), [Evidence::Value(bytes)]);
        }
        for DiagnoserMetric { value, descriptor } in self.metrics.iter().flatten() {
            // Garbage collections follow from allocations; `Allocated Memory` repeats the value added above.
            let redundant =
                descriptor.id.starts_with("Gen") || descriptor.id == "Allocated Memory" && allocated.is_some();
            if redundant {
                continue;
            }
            let scale = builder.unit(&descriptor.unit);
            let direction = if descriptor.greater_is_better { Direction::Higher } else { Direction::Lower };
            let metric = match &*descriptor.id {
                "Allocated Memory" => "memory".to_owned(),
                id => id.to_lowercase().replace(' ', "-"),
            };
            builder.add(
                name,
                Metric::measured(metric, scale.unit, direction),
                [Evidence::Value(value.0).scaled(scale.factor)],
            );
        }
    }
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, rename = "Benchmarks")]
    benchmarks: Vec<&'a RawValue>,
    #[serde(borrow, rename = "HostEnvironmentInfo", default, deserialize_with = "json::ignore_wrong_type")]
    host: Option<Host<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Host<'a> {
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    processor_name: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    logical_core_count: Option<u64>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    architecture: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    os_version: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    runtime_version: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Benchmark<'a> {
    #[serde(borrow)]
    full_name: Cow<'a, str>,
    #[serde(borrow)]
    display_info: Option<Cow<'a, str>>,
    #[serde(borrow)]
    parameters: Option<Cow<'a, str>>,
    statistics: Option<Statistics>,
    memory: Option<Memory>,
    #[serde(borrow)]
    measurements: Option<&'a RawValue>,
    #[serde(borrow)]
    metrics: Option<Vec<DiagnoserMetric<'a>>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Statistics {
    #[serde(rename = "OriginalValues")]
    values: Numbers,
    n: Number,
    min: Number,
    q1: Number,
    median: Number,
    mean: Number,
    q3: Number,
    max: Number,
    standard_deviation: Number,
}

impl Statistics {
    fn summary(&self) -> Summary {
        let shares = [(0.0, self.min), (0.25, self.q1), (0.5, self.median), (0.75, self.q3), (1.0, self.max)];
        Summary {
            centre: self.median.finite().unwrap_or(self.mean.0),
            mean: self.mean.finite(),
            sd: self.standard_deviation.finite(),
            samples: self.n.count(),
            quantiles: shares.map(|(share, value)| (share, value.0)).to_vec(),
        }
    }
}

#[derive(Deserialize)]
struct Memory {
    #[serde(default, rename = "BytesAllocatedPerOperation")]
    bytes: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Iteration<'a> {
    #[serde(borrow, default)]
    iteration_mode: Cow<'a, str>,
    #[serde(borrow, default)]
    iteration_stage: Cow<'a, str>,
    #[serde(default)]
    launch_index: Number,
    #[serde(default)]
    operations: Number,
    #[serde(default)]
    nanoseconds: Number,
}

impl Iteration<'_> {
    /// Whether this is a measured result, not pilot, warm-up or overhead.
    fn is_result(&self) -> bool {
        self.iteration_mode == "Result" || self.iteration_mode == "Workload" && self.iteration_stage == "Result"
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DiagnoserMetric<'a> {
    #[serde(default)]
    value: Number,
    #[serde(borrow)]
    descriptor: Descriptor<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Descriptor<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    unit: Cow<'a, str>,
    #[serde(default, rename = "TheGreaterIsBetter")]
    greater_is_better: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(benchmarks: &str) -> Result<Reading, Diagnostic> {
        let text = format!(r#"{{"HostEnvironmentInfo": {{"Architecture": "X64"}}, "Benchmarks": [{benchmarks}]}}"#);
        BenchmarkDotNet.parse(Source { name: "d.json", bytes: text.as_bytes() })
    }

    #[test]
    fn each_launch_is_a_run() {
        let run = parse(
            r#"{"FullName": "N.T.M(size: 8)", "Parameters": "size=8", "Statistics": {"OriginalValues": [7]},
            "Memory": {"BytesAllocatedPerOperation": 32}, "Measurements": [
            {"IterationMode": "Workload", "IterationStage": "Pilot", "LaunchIndex": 1, "Operations": 1, "Nanoseconds": 99},
            {"IterationMode": "Workload", "IterationStage": "Result", "LaunchIndex": 1, "Operations": 2, "Nanoseconds": 20},
            {"IterationMode": "Workload", "IterationStage": "Result", "LaunchIndex": 2, "Operations": 2, "Nanoseconds": 40}]}"#,
        );
        let run = run.unwrap();
        let [time, memory] = &run.measurements[..] else { panic!("two metrics") };
        assert_eq!(time.benchmark.as_str(), "N.T.M/size=8");
        assert_eq!(time.evidence, [Evidence::Samples(vec![10.0]), Evidence::Samples(vec![20.0])]);
        assert_eq!((&memory.metric.unit, &memory.evidence[..]), (&Unit::Byte, &[Evidence::Value(32.0)][..]));
    }

    #[test]
    fn two_jobs_of_a_method_are_two_benchmarks() {
        let benchmark = r#"{"FullName": "M", "DisplayInfo": "T.M: JOB [n=1]", "Statistics": {"OriginalValues": [7]}}"#;
        let run = parse(&[".NET 8.0", ".NET 9.0"].map(|job| benchmark.replace("JOB", job)).join(",")).unwrap();
        let names: Vec<&str> = run.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["M/job=.NET 8.0", "M/job=.NET 9.0"]);
    }

    #[test]
    fn a_failed_benchmark_is_reported_and_the_others_are_read() {
        let good = r#"{"FullName": "B", "Statistics": {"OriginalValues": [7]}, "Metrics": [{"Value": 3, "Descriptor":
            {"Id": "CompletedWorkItemCount", "Unit": "Count", "TheGreaterIsBetter": true}}]}"#;
        let run = parse(&format!(r#"{{"FullName": "A", "Statistics": null}}, {good}"#)).unwrap();
        assert!(run.diagnostics[0].message.contains("`A`"));
        let extra = &run.measurements[1].metric;
        assert_eq!((&extra.unit, extra.direction), (&Unit::Count, Direction::Higher));
    }
}
