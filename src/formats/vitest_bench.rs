//! `vitest bench --outputJson`: tinybench's statistics by file and group, with samples if `benchmark.includeSamples` is set.
//! Names are as vitest prints them: `file > describe > name`.

use super::builder::ReadingBuilder;
use super::json::{Number, Numbers, parse_lenient};
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric, Summary};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// vitest bench.
#[derive(Debug)]
pub struct VitestBench;

/// Nanoseconds in vitest's unit of time.
const MILLISECOND: f64 = 1e6;

impl Format for VitestBench {
    fn name(&self) -> &'static str {
        "vitest-bench"
    }

    fn produced_by(&self) -> &'static str {
        "vitest bench --run --outputJson=out.json"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, sd, quantiles (samples with benchmark.includeSamples)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["files[].groups[].benchmarks"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: File<'_> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let groups = file.files.into_iter().flat_map(|file| file.groups);
        for Group { full_name, benchmarks } in groups {
            for (at, raw) in benchmarks.into_iter().enumerate() {
                let Some(benchmark) = builder.parse_entry::<Benchmark<'_>>("benchmark", at, raw) else { continue };
                let name = match &full_name {
                    Some(group) if !group.is_empty() => format!("{group} > {}", benchmark.name),
                    _ => benchmark.name.clone().into_owned(),
                };
                let no_result =
                    benchmark.mean.0.is_nan() && benchmark.median.0.is_nan() || benchmark.sample_count.0 == 0.0;
                if benchmark.samples.0.is_empty() && no_result {
                    // vitest leaves out benchmarks that were skipped.
                    builder.fail(&name, "no result");
                    continue;
                }
                let evidence = if benchmark.samples.0.is_empty() {
                    Evidence::summary(benchmark.summary())
                } else {
                    Evidence::Samples(benchmark.samples.0)
                };
                builder.add(&name, Metric::time(), [evidence.scaled(MILLISECOND)]);
            }
        }
        builder.finish()
    }
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    files: Vec<TestFile<'a>>,
}

#[derive(Deserialize)]
struct TestFile<'a> {
    #[serde(borrow)]
    groups: Vec<Group<'a>>,
}

#[derive(Deserialize)]
struct Group<'a> {
    #[serde(borrow, rename = "fullName")]
    full_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    benchmarks: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Benchmark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    samples: Numbers,
    #[serde(default)]
    sample_count: Number,
    #[serde(default)]
    median: Number,
    #[serde(default)]
    mean: Number,
    #[serde(default)]
    sd: Number,
    #[serde(default)]
    min: Number,
    #[serde(default)]
    p75: Number,
    #[serde(default)]
    p99: Number,
    #[serde(default)]
    p995: Number,
    #[serde(default)]
    p999: Number,
    #[serde(default)]
    max: Number,
}

impl Benchmark<'_> {
    fn summary(&self) -> Summary {
        let shares = [0.0, 0.5, 0.75, 0.99, 0.995, 0.999, 1.0];
        let values = [self.min, self.median, self.p75, self.p99, self.p995, self.p999, self.max];
        Summary {
            centre: self.median.finite().unwrap_or(self.mean.0),
            mean: self.mean.finite(),
            sd: self.sd.finite(),
            samples: self.sample_count.count(),
            quantiles: shares.into_iter().zip(values.map(|value| value.0)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    #[test]
    fn names_include_the_group_and_the_median_is_the_centre() {
        let text = br#"{"files": [{"groups": [{"fullName": "f.js > g", "benchmarks": [
            {"name": "a", "samples": [], "median": 2, "mean": 3, "sampleCount": 9},
            {"name": "b", "samples": [1, 2]}, {"name": "c", "sampleCount": 0, "median": 0}]}]}]}"#;
        let run = VitestBench.parse(Source { name: "v.json", bytes: text }).unwrap();
        assert_eq!(run.measurements[0].benchmark.as_str(), "f.js > g > a");
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.mean, summary.samples), (2e6, Some(3e6), Some(9)));
        assert_eq!(run.failures.benchmarks[0].benchmark.as_str(), "f.js > g > c");
    }
}
