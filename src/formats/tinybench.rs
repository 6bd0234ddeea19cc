//! tinybench: `JSON.stringify(bench.tasks)`, `JSON.stringify(bench.table())`, or an object with one of them. Tasks contain
//! sorted samples in milliseconds (in version 2 without `latency`), tables formatted values in nanoseconds. Throughput is
//! skipped: it is the reciprocal of the times.

use super::builder::ReadingBuilder;
use super::json::{Number, Numbers, parse_lenient};
use super::{Format, Preview, Reading, Source, localized, text};
use crate::model::{Diagnostic, Evidence, Metric, Summary};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// tinybench.
#[derive(Debug)]
pub struct Tinybench;

/// Nanoseconds in tinybench's unit of time.
const MILLISECOND: f64 = 1e6;

impl Format for Tinybench {
    fn name(&self) -> &'static str {
        "tinybench"
    }

    fn produced_by(&self) -> &'static str {
        "JSON.stringify(bench.tasks) or JSON.stringify(bench.table()) (tinybench)"
    }

    fn metrics(&self) -> &'static str {
        "time: every sample, sorted by the tool (if samples are missing: median, mean, sd, quantiles)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        ["[].", "tasks[].", "table[]."].iter().any(|at| {
            ["result.latency", "result.samples", "result.period", "Task name", "Task Name"]
                .iter()
                .any(|key| preview.json_keys.contains(&format!("{at}{key}")))
        })
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let list = match text::first_byte(source)? {
            Some(b'[') => parse_lenient(source, &mut scratch)?,
            _ => {
                let file: File<'_> = parse_lenient(source, &mut scratch)?;
                file.tasks.or(file.table).unwrap_or_default()
            }
        };
        let mut builder = ReadingBuilder::new(self.name(), source);
        for (at, raw) in list.into_iter().enumerate() {
            let Some(Task { name, row_name, error, result, mean, median, samples }) =
                builder.parse_entry("task", at, raw)
            else {
                continue;
            };
            let Some(name) = name.or(row_name) else {
                builder.warn("unreadable-entry", format!("task {} has no name; skipped", at + 1));
                continue;
            };
            let evidence = match result {
                Some(raw) => task_evidence(&mut builder, &name, at, raw),
                None => match row_evidence(mean, median, samples.count()) {
                    Some(evidence) => Some(evidence),
                    None => {
                        builder.fail(&name, error.as_deref().unwrap_or("no result"));
                        continue;
                    }
                },
            };
            builder.add(&name, Metric::time(), evidence);
        }
        builder.finish()
    }
}

fn task_evidence(builder: &mut ReadingBuilder<'_>, name: &str, at: usize, raw: &RawValue) -> Option<Evidence> {
    let result: Outcome = builder.parse_entry("result of task", at, raw)?;
    let stats: Stats = match result.latency {
        Some(stats) => stats,
        None => builder.parse_entry("result of task", at, raw)?,
    };
    let count = stats.samples.0.len();
    let complete = stats.samples_count.count().is_none_or(|total| total == count as u64);
    if count > 0 && complete {
        return Some(Evidence::Samples(stats.samples.0).scaled(MILLISECOND));
    }
    if result.error.is_some() || stats.mean.0.is_nan() {
        builder.fail(name, &result.error.map_or_else(String::new, Failure::message));
        return None;
    }
    Some(Evidence::summary(stats.summary()).scaled(MILLISECOND))
}

/// The evidence in a row of `bench.table()`: `2613000 ± 12.06%` and `2098230 ± 11401`, in nanoseconds.
fn row_evidence(mean: Option<Cell<'_>>, median: Option<Cell<'_>>, samples: Option<u64>) -> Option<Evidence> {
    let mean = mean.as_ref().and_then(Cell::number);
    let centre = median.as_ref().and_then(Cell::number).or(mean)?;
    Some(Evidence::summary(Summary { centre, mean, samples, ..Summary::default() }))
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    tasks: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    table: Option<Vec<&'a RawValue>>,
}

/// A task, which has a `result`, or a row of the table, which has columns.
#[derive(Deserialize)]
struct Task<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "Task name", alias = "Task Name")]
    row_name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "Error")]
    error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow, rename = "Latency avg (ns)", alias = "Latency average (ns)", alias = "Average Time (ns)")]
    mean: Option<Cell<'a>>,
    #[serde(borrow, rename = "Latency med (ns)", alias = "Latency median (ns)")]
    median: Option<Cell<'a>>,
    #[serde(default, rename = "Samples")]
    samples: Number,
}

/// A cell of the table.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell<'a> {
    Number(f64),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl Cell<'_> {
    /// The number before `±`.
    fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(value) => Some(*value),
            Cell::Text(text) => {
                let text = text.split('±').next()?.trim();
                let mark = localized::decimal_mark([text]).unwrap_or('.');
                localized::number(text, mark)
            }
        }
    }
}

#[derive(Deserialize)]
struct Outcome {
    latency: Option<Stats>,
    error: Option<Failure>,
}

/// The error of a task: a JavaScript error has no properties in JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum Failure {
    Text(String),
    Error { message: String },
    Other(IgnoredAny),
}

impl Failure {
    fn message(self) -> String {
        match self {
            Failure::Text(message) | Failure::Error { message } => message,
            Failure::Other(_) => String::new(),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Stats {
    samples: Numbers,
    samples_count: Number,
    p50: Number,
    mean: Number,
    sd: Number,
    min: Number,
    p75: Number,
    p99: Number,
    p995: Number,
    p999: Number,
    max: Number,
}

impl Stats {
    fn summary(&self) -> Summary {
        let shares = [0.0, 0.5, 0.75, 0.99, 0.995, 0.999, 1.0];
        let values = [self.min, self.p50, self.p75, self.p99, self.p995, self.p999, self.max];
        Summary {
            centre: self.p50.finite().unwrap_or(self.mean.0),
            mean: self.mean.finite(),
            sd: self.sd.finite(),
            samples: self.samples_count.count(),
            quantiles: shares.into_iter().zip(values.map(|value| value.0)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Tinybench.parse(Source { name: "t.json", bytes: text.as_bytes() })
    }

    #[test]
    fn samples_of_both_versions_are_read() {
        let text = r#"[{"name": "new", "result": {"latency": {"samples": [1, 2], "samplesCount": 2}}},
            {"name": "old", "result": {"mean": 9, "samples": [3]}}, {"name": "bad", "result": {"error": {}}}]"#;
        let run = parse(text).unwrap();
        assert_eq!(run.measurements[0].evidence, [Evidence::Samples(vec![1e6, 2e6])]);
        assert_eq!(run.measurements[1].evidence, [Evidence::Samples(vec![3e6])]);
        assert_eq!(run.failures.benchmarks[0].benchmark.as_str(), "bad");
    }

    #[test]
    fn the_summary_is_used_if_samples_are_missing() {
        let text = r#"{"tasks": [{"name": "a", "result": {"latency":
            {"samples": [1, 2], "samplesCount": 9, "p50": 4, "mean": 5}}}]}"#;
        let run = parse(text).unwrap();
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.samples), (4e6, Some(9)));
    }

    #[test]
    fn a_table_is_read_from_its_formatted_cells() {
        let text = r#"[{"Task name": "a", "Latency avg (ns)": "2613000 ± 12.06%",
            "Latency med (ns)": "2098230 ± 11401", "Samples": 58}]"#;
        let run = parse(text).unwrap();
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.mean, summary.samples), (2098230.0, Some(2613000.0), Some(58)));
    }
}
