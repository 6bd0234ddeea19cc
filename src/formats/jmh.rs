//! JMH's JSON (`-rf json`). Each fork is a run: a row of raw data or, in mode `sample`, a histogram. Mode `thrpt` is a
//! throughput, the others are times. Secondary metrics (profilers, counters, methods of a group) keep their names. The
//! rows `METHOD·p0.99` of mode `sample` (up to JMH 1.36) are skipped: they are quantiles of the primary metric.
//! Allocation rates are skipped: they rise when the code gets faster.

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use super::json::{Number, Numbers, Pairs, parse_lenient};
use super::{Format, Preview, Reading, Source, json, machine};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// JMH.
#[derive(Debug)]
pub struct Jmh;

impl Format for Jmh {
    fn name(&self) -> &'static str {
        "jmh"
    }

    fn produced_by(&self) -> &'static str {
        "java -jar benchmarks.jar -rf json -rff out.json"
    }

    fn metrics(&self) -> &'static str {
        "time or throughput (by mode): samples of each fork; time:p95, time:p99 (mode sample); memory (-prof gc)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["[].benchmark", "[].primaryMetric"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let list: Vec<&RawValue> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut modes = TimeModes::default();
        for (at, raw) in list.into_iter().enumerate() {
            let Some(result) = builder.parse_entry::<Benchmark<'_>>("result", at, raw) else { continue };
            let jvm = [result.vm_name.as_deref(), result.jdk_version.as_deref()];
            machine::set_joined(builder.environment(), "jvm", jvm);
            let name = result.name();
            for (setting, value) in result.settings() {
                builder.settings.add(&name, setting, value);
            }
            add_primary(&mut builder, &mut modes, &name, &result.mode, result.primary_metric);
            for (label, raw) in result.secondary_metrics.0 {
                if result.mode == "sample" && is_quantile(&label) {
                    continue;
                }
                let label = label.trim_start_matches('·'); // marks profilers before JMH 1.37
                if let Some(score) = builder.parse_entry::<Score<'_>>("secondary metric of result", at, raw) {
                    add_secondary(&mut builder, &name, label, score);
                }
            }
        }
        builder.finish()
    }
}

/// The mode of each benchmark's `time`. With `-bm all` a benchmark has a time for each mode.
#[derive(Debug, Default)]
pub(super) struct TimeModes(BTreeMap<String, String>);

impl TimeModes {
    /// The metric of a time: `time` for the first mode, `time:ss` for another one.
    pub fn metric(&mut self, builder: &ReadingBuilder<'_>, benchmark: &str, mode: &str, unit: Unit) -> Metric {
        let time = Metric { unit, ..Metric::time() };
        if !builder.has(benchmark, &time.name) {
            self.0.insert(benchmark.to_owned(), mode.to_owned());
        }
        match self.0.get(benchmark).is_some_and(|first| first == mode) {
            true => time,
            false => Metric { name: format!("{}:{mode}", time.name).into(), ..time },
        }
    }
}

fn add_primary(builder: &mut ReadingBuilder<'_>, modes: &mut TimeModes, name: &str, mode: &str, score: Score<'_>) {
    let scale = builder.unit(&score.score_unit);
    let metric = match (&scale.unit, mode) {
        (Unit::PerSecond | Unit::BytePerSecond, _) | (_, "thrpt") => {
            Metric::measured("throughput", scale.unit.clone(), Direction::Higher)
        }
        _ => modes.metric(builder, name, mode, scale.unit.clone()),
    };
    let (mut whole, mut p95, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    for fork in score.raw_data_histogram.iter().flatten().map(|fork| Histogram::of(fork)) {
        if fork.total > 0 {
            whole.push(Evidence::summary(fork.summary()).scaled(scale.factor));
            p95.push(Evidence::Value(fork.quantile(0.95) * scale.factor));
            p99.push(Evidence::Value(fork.quantile(0.99) * scale.factor));
        }
    }
    if whole.is_empty() {
        whole = score.evidence(scale.factor);
    }
    let share = |share: &str| Metric { name: format!("time:{share}").into(), ..metric.clone() };
    let (at_95, at_99) = (share("p95"), share("p99"));
    builder.add(name, metric, whole);
    builder.add(name, at_95, p95);
    builder.add(name, at_99, p99);
}

fn add_secondary(builder: &mut ReadingBuilder<'_>, name: &str, label: &str, score: Score<'_>) {
    let rate = (label.starts_with("gc.alloc.rate") || label.starts_with("gc.churn")) && !label.ends_with(".norm");
    if rate || score.score_unit == "---" || score.score.0.is_nan() {
        return; // a rate that depends on speed, or a profiler's text without a value
    }
    let scale = builder.unit(&score.score_unit);
    let direction = match scale.unit {
        Unit::PerSecond | Unit::BytePerSecond => Some(Direction::Higher),
        Unit::Nanosecond | Unit::Byte => Some(Direction::Lower),
        _ => direction_of_words(label).or_else(|| direction_of_words(&score.score_unit)),
    };
    let evidence = score.evidence(scale.factor);
    if label == "gc.alloc.rate.norm" {
        return builder.add(name, allocated(), evidence.into_iter().map(whole_bytes));
    }
    let metric = Metric::measured(label.to_lowercase(), scale.unit, Direction::Unknown);
    builder.add(name, metric.with_assumed(direction), evidence);
}

/// Bytes allocated per operation: an exact count.
pub(super) fn allocated() -> Metric {
    Metric::counted("memory", Unit::Byte, Direction::Lower)
}

/// JMH's own allocations add a fraction of a byte per operation. If all values are that close to one whole number, the result is
/// this number.
pub(super) fn whole_bytes(evidence: Evidence) -> Evidence {
    /// Largest distance from a whole number, in bytes per operation.
    const FRACTION: f64 = 0.05;
    let whole = evidence.centre().round();
    let is_whole = match &evidence {
        Evidence::Samples(samples) => samples.iter().all(|sample| (sample - whole).abs() <= FRACTION),
        other => (other.centre() - whole).abs() <= FRACTION,
    };
    if is_whole { Evidence::Value(whole) } else { evidence }
}

/// Whether a secondary metric is a quantile of the primary one: `parse·p0.9999`, in some versions `parse:p0.9999`.
fn is_quantile(label: &str) -> bool {
    let share = label.rsplit_once(['·', ':']).and_then(|(_, end)| end.strip_prefix('p'));
    share.and_then(|share| share.parse::<f64>().ok()).is_some_and(|share| (0.0..=1.0).contains(&share))
}

/// The histogram of an iteration: values with their counts.
type Bins = Vec<(Number, Number)>;

/// The observations of a fork in mode `sample`, sorted by value.
struct Histogram {
    bins: Vec<(f64, u64)>,
    total: u64,
}

impl Histogram {
    fn of(iterations: &[Bins]) -> Self {
        let bins = iterations.iter().flatten();
        let mut bins: Vec<(f64, u64)> =
            bins.filter_map(|(value, count)| Some((value.finite()?, count.count()?))).collect();
        bins.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total = bins.iter().fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        Histogram { bins, total }
    }

    /// The smallest value that is at least as large as this share of the observations.
    fn quantile(&self, share: f64) -> f64 {
        let wanted = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0_u64;
        let bin = self.bins.iter().find(|(_, count)| {
            seen = seen.saturating_add(*count);
            seen >= wanted
        });
        bin.or(self.bins.last()).map_or(f64::NAN, |(value, _)| *value)
    }

    fn summary(&self) -> Summary {
        let total = self.total as f64;
        let mean = self.bins.iter().map(|(value, count)| value * (*count as f64)).sum::<f64>() / total;
        let squares = self.bins.iter().map(|(value, count)| (value - mean).powi(2) * (*count as f64)).sum::<f64>();
        Summary {
            centre: self.quantile(0.5),
            mean: Some(mean),
            sd: (self.total > 1).then(|| (squares / (total - 1.0)).sqrt()),
            samples: Some(self.total),
            quantiles: [0.0, 0.5, 0.95, 0.99, 1.0].map(|share| (share, self.quantile(share))).to_vec(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Benchmark<'a> {
    #[serde(borrow)]
    benchmark: Cow<'a, str>,
    #[serde(borrow, default)]
    mode: Cow<'a, str>,
    #[serde(borrow)]
    jdk_version: Option<Cow<'a, str>>,
    #[serde(borrow)]
    vm_name: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    threads: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    forks: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    warmup_iterations: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    warmup_time: Option<String>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    measurement_iterations: Option<u64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    measurement_time: Option<String>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    measurement_batch_size: Option<u64>,
    #[serde(borrow, default)]
    params: Pairs<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow)]
    primary_metric: Score<'a>,
    #[serde(borrow, default)]
    secondary_metrics: Pairs<Cow<'a, str>, &'a RawValue>,
}

impl Benchmark<'_> {
    /// The settings of the load and of the measuring time.
    fn settings(&self) -> impl Iterator<Item = (&'static str, String)> {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let all = [
            ("threads", number(self.threads)),
            ("batch-size", number(self.measurement_batch_size)),
            ("forks", number(self.forks)),
            ("iterations", number(self.measurement_iterations)),
            ("iteration-time", self.measurement_time.clone()),
            ("warmup-iterations", number(self.warmup_iterations)),
            ("warmup-time", self.warmup_time.clone()),
        ];
        all.into_iter().filter_map(|(setting, value)| Some((setting, value?)))
    }

    /// `package.Class.method/size=100/kind=a`.
    fn name(&self) -> String {
        let mut name = self.benchmark.clone().into_owned();
        for (key, raw) in &self.params.0 {
            let value: Option<Cow<'_, str>> = serde_json::from_str(raw.get()).ok();
            name.push_str(&format!("/{key}={}", value.unwrap_or(Cow::Borrowed(raw.get()))));
        }
        name
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Score<'a> {
    #[serde(default)]
    score: Number,
    #[serde(borrow)]
    score_unit: Cow<'a, str>,
    #[serde(default)]
    raw_data: Option<Vec<Numbers>>,
    #[serde(default)]
    raw_data_histogram: Option<Vec<Vec<Bins>>>,
    #[serde(default)]
    score_percentiles: Pairs<Cow<'a, str>, Number>,
}

impl Score<'_> {
    /// The samples of each fork or, without raw data, the score and its percentiles.
    fn evidence(self, factor: f64) -> Vec<Evidence> {
        let forks = self.raw_data.unwrap_or_default().into_iter().filter(|fork| !fork.0.is_empty());
        let forks: Vec<Evidence> = forks.map(|fork| Evidence::Samples(fork.0).scaled(factor)).collect();
        if !forks.is_empty() {
            return forks;
        }
        let percentiles = self.score_percentiles.0.iter();
        let quantiles: Vec<(f64, f64)> = percentiles
            .filter_map(|(share, value)| Some((share.parse::<f64>().ok()? / 100.0, value.finite()?)))
            .collect();
        let median = quantiles.iter().find(|(share, _)| *share == 0.5).map(|(_, value)| *value);
        let centre = median.unwrap_or(self.score.0);
        let summary = Summary { centre, mean: self.score.finite(), quantiles, ..Summary::default() };
        vec![Evidence::summary(summary).scaled(factor)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Jmh.parse(Source { name: "j.json", bytes: text.as_bytes() })
    }

    #[test]
    fn each_fork_is_a_run_and_names_include_parameters() {
        let text = r#"[{"benchmark": "a.B.c", "mode": "avgt", "params": {"n": "1", "k": "x"}, "primaryMetric":
            {"score": 2, "scoreError": "NaN", "scoreUnit": "us/op", "rawData": [[1, 2], [3, "NaN"]]},
            "secondaryMetrics": {"·gc.alloc.rate": {"score": 5, "scoreUnit": "MB/sec"},
              "·gc.alloc.rate.norm": {"score": 64, "scoreUnit": "B/op", "rawData": [[64, 64.0013], [64]]}}}]"#;
        let run = parse(text).unwrap();
        let [time, memory] = &run.measurements[..] else { panic!("two metrics: {run:?}") };
        assert_eq!((time.benchmark.as_str(), &*time.metric), ("a.B.c/n=1/k=x", &Metric::time()));
        assert_eq!(time.evidence, [Evidence::Samples(vec![1e3, 2e3]), Evidence::Samples(vec![3e3])]);
        assert_eq!((&*memory.metric.name, memory.evidence.len()), ("memory", 2));
        assert_eq!(run.diagnostics[0].code, "invalid-value");
    }

    #[test]
    fn quantiles_of_the_primary_metric_are_not_metrics_of_their_own() {
        let text = r#"[{"benchmark": "a.parse", "mode": "sample", "primaryMetric": {"score": 2, "scoreUnit": "us/op"},
            "secondaryMetrics": {"parse·p0.9999": {"score": 9, "scoreUnit": "us/op"},
              "parse:p0.50": {"score": 2, "scoreUnit": "us/op"}, "parse:p2p": {"score": 2, "scoreUnit": "us/op"}}}]"#;
        let run = parse(text).unwrap();
        let names: Vec<_> = run.measurements.iter().map(|m| &*m.metric.name).collect();
        assert_eq!(names, ["time", "parse:p2p"]);
    }

    #[test]
    fn higher_throughput_is_better_and_modes_have_distinct_metrics() {
        let template = r#"{"benchmark": "a", "mode": "MODE", "primaryMetric": {"score": 2, "scoreUnit": "UNIT"}}"#;
        let result = |mode: &str, unit: &str| template.replace("MODE", mode).replace("UNIT", unit);
        let modes = [result("thrpt", "ops/ms"), result("avgt", "ms/op"), result("ss", "s/op")];
        let run = parse(&format!("[{}]", modes.join(","))).unwrap();
        let read: Vec<_> = run.measurements.iter().map(|m| (m.metric.name.to_string(), m.metric.direction)).collect();
        let (lower, higher) = (Direction::Lower, Direction::Higher);
        assert_eq!(read, [("throughput".into(), higher), ("time".into(), lower), ("time:ss".into(), lower)]);
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!(summary.centre, 2000.0);
    }

    #[test]
    fn a_benchmark_that_is_there_twice_in_a_mode_has_one_time() {
        let text = r#"[{"benchmark": "a", "mode": "avgt", "primaryMetric": {"score": 2, "scoreUnit": "ns/op"}},
            {"benchmark": "a", "mode": "avgt", "primaryMetric": {"score": 3, "scoreUnit": "ns/op"}}]"#;
        let run = parse(text).unwrap();
        assert_eq!((run.measurements.len(), run.measurements[0].evidence[0].centre()), (1, 2.0));
        assert_eq!(run.diagnostics[0].code, "duplicate-name");
    }

    #[test]
    fn a_histogram_becomes_the_summary_of_its_fork() {
        let text = r#"[{"benchmark": "a", "mode": "sample", "primaryMetric": {"score": 1, "scoreUnit": "ns/op",
            "rawDataHistogram": [[[[1, 90], [5, 9]], [[9, 1]]]]}}]"#;
        let run = parse(text).unwrap();
        let [Evidence::Summary(summary)] = &run.measurements[0].evidence[..] else { panic!("no summary") };
        assert_eq!((summary.centre, summary.samples), (1.0, Some(100)));
        assert!((summary.mean.unwrap() - 1.44).abs() < 1e-12); // (90 + 45 + 9) / 100
        assert_eq!(summary.quantiles, [(0.0, 1.0), (0.5, 1.0), (0.95, 5.0), (0.99, 5.0), (1.0, 9.0)]);
        assert_eq!(run.measurements[1].metric.name, "time:p95");
    }
}
