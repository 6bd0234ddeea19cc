//! Benchmark.js: a suite or list of benchmarks as JSON (`JSON.stringify(suite)`), and the lines that
//! `String(event.target)` prints. JSON contains the time of every sample, a line operations per second with a margin of
//! error, so the two give different metrics.

use super::builder::ReadingBuilder;
use super::json::{Number, Numbers, Pairs, Present, parse_lenient};
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, EndScope, Evidence, Metric, Summary};
use crate::stats::student;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Benchmark.js.
#[derive(Debug)]
pub struct BenchmarkJs;

/// Nanoseconds in Benchmark.js's unit of time.
const SECOND: f64 = 1e9;

impl Format for BenchmarkJs {
    fn name(&self) -> &'static str {
        "benchmarkjs"
    }

    fn produced_by(&self) -> &'static str {
        "JSON.stringify(suite), or String(event.target) on each cycle (Benchmark.js)"
    }

    fn metrics(&self) -> &'static str {
        "JSON: time, every sample; text: throughput with margin of error"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        if preview.is_json() {
            return ["", "0.", "[]."].iter().any(|at| {
                preview.json_keys.contains(&format!("{at}hz")) && preview.json_keys.contains(&format!("{at}stats"))
                    || preview.json_keys.contains(&format!("{at}stats.sample"))
            });
        }
        preview.lines().any(|line| parse_line(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut scratch = Vec::new();
        match text::first_byte(source)? {
            Some(b'[') => {
                let list: Vec<&RawValue> = parse_lenient(source, &mut scratch)?;
                list.into_iter().enumerate().for_each(|(at, raw)| add_benchmark(&mut builder, at, raw));
            }
            Some(b'{') => {
                let suite: Pairs<Cow<'_, str>, &RawValue> = parse_lenient(source, &mut scratch)?;
                if suite.0.iter().any(|(key, _)| key == "stats") {
                    let mut scratch = Vec::new();
                    add_benchmark(&mut builder, 0, parse_lenient(source, &mut scratch)?);
                }
                let members = suite.0.into_iter().filter_map(|(key, raw)| Some((key.parse::<usize>().ok()?, raw)));
                members.for_each(|(at, raw)| add_benchmark(&mut builder, at, raw));
            }
            _ => {
                for (number, line) in text::numbered_lines(&text::decode(source)?) {
                    builder.line = Some(number);
                    add_line(&mut builder, line);
                }
            }
        }
        builder.finish()
    }
}

fn add_benchmark(builder: &mut ReadingBuilder<'_>, at: usize, raw: &RawValue) {
    let Some(benchmark) = builder.parse_entry::<Benchmark<'_>>("benchmark", at, raw) else { return };
    let (name, stats) = (benchmark.name, benchmark.stats);
    if benchmark.error.0 || stats.sample.0.is_empty() && !(stats.mean.0 > 0.0 || benchmark.hz.0 > 0.0) {
        builder.fail(&name, "failed or was aborted");
        return;
    }
    if !stats.sample.0.is_empty() {
        builder.add(&name, Metric::time(), [Evidence::Samples(stats.sample.0).scaled(SECOND)]);
    } else if stats.mean.0 > 0.0 {
        let summary = Summary {
            centre: stats.mean.0,
            mean: stats.mean.finite(),
            sd: stats.deviation.finite(),
            ..Summary::default()
        };
        builder.add(&name, Metric::time(), [Evidence::summary(summary).scaled(SECOND)]);
    } else {
        builder.add(&name, Metric::throughput(), [Evidence::Value(benchmark.hz.0)]);
    }
}

fn add_line(builder: &mut ReadingBuilder<'_>, text: &str) {
    let Some(Line { name, hz, margin, runs }) = parse_line(text) else {
        match text.split_once(": ") {
            Some((name, why)) if is_error(why) && !name.is_empty() => builder.fail(name, why),
            // An error without a message looks like the heading of a list, so it gets no warning.
            Some((name, "")) if !name.is_empty() => {
                builder.record_early_end(EndScope::Benchmark(name.to_owned()), "it failed");
            }
            _ => {}
        }
        return;
    };
    let sd = standard_deviation(hz, margin, runs);
    let summary = Summary { centre: hz, sd, samples: Some(runs), ..Summary::default() };
    builder.add(name, Metric::throughput(), [Evidence::summary(summary)]);
}

/// Whether a text is a JavaScript error: `TypeError: x is not a function`.
fn is_error(text: &str) -> bool {
    let class = text.split_once(": ").map_or(text, |(class, _)| class);
    class.ends_with("Error") && class.chars().all(char::is_alphanumeric)
}

/// The standard deviation of samples, from the 95% margin of error (in percent) of the mean of `runs` samples.
fn standard_deviation(centre: f64, margin: f64, runs: u64) -> Option<f64> {
    let df = runs.checked_sub(1).filter(|df| *df > 0)? as f64;
    Some(centre * margin / 100.0 * (runs as f64).sqrt() / student::quantile(0.975, df))
}

/// A parsed result line; the margin is in percent.
struct Line<'a> {
    name: &'a str,
    hz: f64,
    margin: f64,
    runs: u64,
}

/// Parses `parse line x 1,325 ops/sec ±3.79% (14 runs sampled)`.
fn parse_line(line: &str) -> Option<Line<'_>> {
    let (before, after) = line.split_once(" ops/sec ")?;
    let (name, hz) = before.rsplit_once(" x ")?;
    let after = after.strip_prefix('±').or(after.strip_prefix("+-"))?;
    let (margin, runs) = after.split_once("% (")?;
    let runs = runs.split_once(" run")?.0.parse().ok()?;
    Some(Line { name, hz: hz.replace(',', "").parse().ok()?, margin: margin.parse().ok()?, runs })
}

#[derive(Deserialize)]
struct Benchmark<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    hz: Number,
    #[serde(default)]
    stats: Stats,
    #[serde(default)]
    error: Present,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Stats {
    sample: Numbers,
    mean: Number,
    deviation: Number,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        BenchmarkJs.parse(Source { name: "b", bytes: text.as_bytes() })
    }

    #[test]
    fn the_name_in_a_line_may_contain_the_separator() {
        let run = parse("a x b x 1,250.5 ops/sec ±2.00% (4 runs sampled)\nthis x line is prose\nFastest is a").unwrap();
        assert_eq!(run.measurements[0].benchmark.as_str(), "a x b");
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        // t(0.975, 3) = 3.18245: sd = 1250.5 * 0.02 * sqrt(4) / 3.18245
        assert_eq!(summary.centre, 1250.5);
        assert!((summary.sd.unwrap() - 15.71744).abs() < 1e-4);
    }

    #[test]
    fn a_heading_is_not_a_failure() {
        let run = parse("Results: \n: \na x 1,250.5 ops/sec ±2.00% (4 runs sampled)\nb: \nc: TypeError: no\n").unwrap();
        assert_eq!(run.diagnostics.len(), 1, "{:?}", run.diagnostics);
        assert_eq!(run.failures.benchmarks.len(), 1);
        let scopes: Vec<&EndScope> = run.failures.early_ends.iter().map(|end| &end.scope).collect();
        assert_eq!(scopes, [&EndScope::Benchmark("Results".to_owned()), &EndScope::Benchmark("b".to_owned())]);
    }

    #[test]
    fn a_suite_a_list_and_a_single_benchmark_give_the_same_values() {
        let one = r#"{"name": "a", "hz": 2, "stats": {"sample": [0.5, 0.25]}}"#;
        for text in [one.to_owned(), format!("[{one}]"), format!(r#"{{"0": {one}, "name": "suite", "length": 1}}"#)] {
            let run = parse(&text).unwrap();
            assert_eq!(run.measurements.len(), 1);
            assert_eq!(run.measurements[0].evidence, [Evidence::Samples(vec![5e8, 2.5e8])]);
        }
    }

    #[test]
    fn a_single_run_has_no_standard_deviation() {
        assert_eq!(standard_deviation(5.0, 1.0, 1), None);
        assert_eq!(standard_deviation(5.0, 1.0, 0), None);
    }

    #[test]
    fn any_number_of_runs_has_a_result() {
        // sd = 5 * 1% * sqrt(20,000,000) / 1.95996
        assert!((standard_deviation(5.0, 1.0, 20_000_000).unwrap() - 114.087).abs() < 0.001);
        assert!(standard_deviation(5.0, 1.0, u64::MAX).unwrap().is_finite());
    }
}
