//! Google Benchmark's JSON. Each repetition is a run; aggregates are read only if the file has no repetitions.
//!
//! `time` is the clock that controls the benchmark: CPU time, or real time if the name contains `/real_time` or
//! `/manual_time`. Bytes and items per second become the work of one operation. User counters are named `counter:NAME`.
//! The file does not state their direction: words in the name decide, else it is unknown.

mod entry;
mod table;

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use super::text;
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Direction, Environment, Evidence, Metric, Summary, Unit, UnitScale, Work, WorkUnit};
use entry::Entry;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
pub use table::GoogleBenchmarkTable;

/// Google Benchmark.
pub struct GoogleBenchmark;

#[derive(Deserialize)]
struct Document<E> {
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    context: Option<Context>,
    benchmarks: Vec<E>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    num_cpus: Option<u32>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    mhz_per_cpu: Option<f64>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    cpu_scaling_enabled: Option<bool>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    host_name: Option<String>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    library_build_type: Option<String>,
    #[serde(default, deserialize_with = "json::ignore_wrong_type")]
    date: Option<String>,
}

impl Context {
    fn describe(&self, environment: &mut Environment) {
        let facts = [
            (Environment::CORES, self.num_cpus.map(|cores| cores.to_string())),
            // Rounded to 100 MHz, because a measured clock rate varies.
            (Environment::MHZ, self.mhz_per_cpu.map(|mhz| format!("{:.0}", (mhz / 100.0).round() * 100.0))),
            ("cpu-scaling", self.cpu_scaling_enabled.map(|is_on| if is_on { "on" } else { "off" }.to_owned())),
            ("host", self.host_name.clone()),
            ("build-type", self.library_build_type.clone()),
        ];
        facts.into_iter().for_each(|(key, value)| environment.set(key, value.unwrap_or_default()));
    }
}

impl Format for GoogleBenchmark {
    fn name(&self) -> &'static str {
        "google-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "./benchmarks --benchmark_repetitions=9 --benchmark_out=out.json --benchmark_out_format=json"
    }

    fn metrics(&self) -> &'static str {
        "time (CPU, or real for /real_time and /manual_time): every repetition (without repetitions: median, \
         mean, sd); counter:NAME; with a memory manager allocations, memory, memory:peak"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        // mitata's files have the same two keys with other content.
        let own = ["benchmarks[].time_unit", "context.library_build_type"];
        preview.has_keys(&["context", "benchmarks"])
            && (preview.json_keys.len() == 2 || own.iter().any(|key| preview.json_keys.contains(*key)))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let bytes = json::without_nan(text::utf8(source)?);
        let text = Source { bytes: &bytes, ..source };
        let (context, entries) = match json::parse::<Document<Entry<'_>>>(text) {
            Ok(document) => (document.context, document.benchmarks),
            // Slower: parse entry by entry, so that only the invalid ones are skipped.
            Err(error) => {
                let Ok(document) = json::parse::<Document<&RawValue>>(text) else { return Err(error) };
                let mut entries = Vec::new();
                for (at, raw) in document.benchmarks.into_iter().enumerate() {
                    match serde_json::from_str(raw.get()) {
                        Ok(entry) => entries.push(entry),
                        Err(error) => builder.warn("unreadable-entry", json::entry_message("benchmarks", at, &error)),
                    }
                }
                (document.context, entries)
            }
        };
        if let Some(context) = context {
            context.describe(builder.environment());
            builder.set_measured(context.date.as_deref().and_then(stated_time::with_zone));
        }
        add_entries(&mut builder, &entries);
        builder.finish()
    }
}

fn add_entries(builder: &mut ReadingBuilder<'_>, entries: &[Entry<'_>]) {
    let (mut repeated, mut with_work) = (BTreeSet::new(), BTreeSet::new());
    let mut reported = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.statistic().is_none()) {
        let name = entry.run();
        if let Some(error) = &entry.error {
            if reported.insert(name) {
                builder.fail(name, error);
            }
            continue;
        }
        if entry.skipped {
            if reported.insert(name) {
                builder.skip(name);
            }
            continue;
        }
        if entry.iterations == Some(0.0) {
            builder.skip_value(name, format!("`{name}` ran no iterations; skipped"));
            continue;
        }
        let (metric, time) = time(builder, entry);
        let (_, clock) = entry.clock();
        builder.add_run(name, metric, Evidence::Value(time));
        builder.set_iterations(name, "time", entry.iterations.unwrap_or_default());
        repeated.insert(name);
        if let Some(work) = work(entry, clock).filter(|_| with_work.insert(name)) {
            builder.set_work(name, "time", work);
        }
        for (counter, value) in &entry.counters {
            if let Some(metric) = counter_metric(counter) {
                builder.add_run(name, metric, Evidence::Value(value.unwrap_or(f64::NAN)));
            }
        }
    }
    let mut aggregates: BTreeMap<&str, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.statistic().is_some() && !repeated.contains(entry.run())) {
        aggregates.entry(entry.run()).or_default().push(entry);
    }
    for (name, entries) in aggregates {
        add_aggregates(builder, name, &entries);
    }
}

/// Metric and time of an entry, in nanoseconds; NaN if the entry has no time.
fn time(builder: &mut ReadingBuilder<'_>, entry: &Entry<'_>) -> (Metric, f64) {
    let (_, value) = entry.clock();
    let scale = builder.unit(&entry.unit);
    (Metric { unit: scale.unit, ..Metric::time() }, value.unwrap_or(f64::NAN) * scale.factor)
}

fn add_aggregates(builder: &mut ReadingBuilder<'_>, name: &str, entries: &[&Entry<'_>]) {
    let of = |statistic| entries.iter().find(|entry| entry.statistic() == Some(statistic));
    let Some(centre) = of("median").or_else(|| of("mean")) else { return };
    let (metric, median) = time(builder, centre);
    if entries.iter().filter(|entry| entry.statistic() == centre.statistic()).count() > 1 {
        builder.warn_duplicate(name, &metric);
    }
    let mut times = |statistic| of(statistic).map(|entry| time(builder, entry).1);
    let (mean, sd, min, max) = (times("mean"), times("stddev"), times("min"), times("max"));
    let samples = centre.repetitions.filter(|count| *count >= 1.0).map(|count| count as u64);
    let quantiles: Vec<_> = [(0.0, min), (1.0, max)].into_iter().filter_map(|(q, v)| Some((q, v?))).collect();
    let summary = Summary { centre: median, mean, sd, samples, quantiles };
    builder.add(name, metric, [Evidence::summary(summary)]);
    if let Some(work) = work(centre, centre.clock().1) {
        builder.set_work(name, "time", work);
    }
    for (counter, value) in &centre.counters {
        if let Some((metric, centre)) = counter_metric(counter).zip(*value) {
            builder.add(name, metric, [Evidence::summary(Summary { centre, samples, ..Summary::default() })]);
        }
    }
}

/// Bytes or items per operation, from their rate and the time. With several threads there is none: the rate is that of all
/// threads, the time that of one.
fn work(entry: &Entry<'_>, clock: Option<f64>) -> Option<Work> {
    let rate = |name| entry.counters.iter().find(|(counter, _)| counter == name).and_then(|(_, value)| *value);
    let (rate, unit) = match rate("bytes_per_second") {
        Some(bytes) => (bytes, WorkUnit::Bytes),
        None => (rate("items_per_second")?, WorkUnit::Elements),
    };
    let UnitScale { unit: Unit::Nanosecond, factor } = Unit::parse(&entry.unit)? else { return None };
    let amount = rate * clock? * factor / 1e9;
    let whole = amount.round();
    let amount = if (amount - whole).abs() <= whole * 1e-6 { whole } else { amount };
    (amount.is_finite() && amount > 0.0 && entry.threads.is_none_or(|threads| threads <= 1.0))
        .then_some(Work { amount, unit })
}

/// The metric of a counter; `None` for rates that follow from the time.
fn counter_metric(counter: &str) -> Option<Metric> {
    let known = |name, unit| Some(Metric::measured(name, unit, Direction::Lower));
    match counter {
        "bytes_per_second" | "items_per_second" => return None,
        "allocs_per_iter" => return known("allocations", Unit::Count),
        "total_allocated_bytes" => return known("memory", Unit::Byte),
        "max_bytes_used" => return known("memory:peak", Unit::Byte),
        _ => {}
    }
    let metric = Metric::measured(format!("counter:{counter}"), Unit::Ratio, Direction::Unknown);
    Some(metric.with_assumed(direction_of_words(counter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_direction_of_a_counter_is_that_of_its_words_or_unknown() {
        let more = r#","cpu_time":2,"depth":3,"FLOPS":4,"ops per second":5"#;
        let reading = read(&format!("[{},{}]", entry("a", more), entry("b", more))).unwrap();
        let direction = |name: &str| {
            let found = reading.measurements.iter().find(|m| m.metric.name == format!("counter:{name}"));
            found.map(|m| m.metric.direction)
        };
        assert_eq!(["FLOPS", "ops per second"].map(direction), [Some(Direction::Higher); 2]);
        assert_eq!(direction("depth"), Some(Direction::Unknown));
        assert_eq!(reading.diagnostics, []);
    }

    fn read(benchmarks: &str) -> Result<Reading, Diagnostic> {
        let text = format!(r#"{{"context":{{"num_cpus":2}},"benchmarks":{benchmarks}}}"#);
        GoogleBenchmark.parse(Source { name: "x.json", bytes: text.as_bytes() })
    }

    fn entry(name: &str, more: &str) -> String {
        format!(r#"{{"name":"{name}","run_type":"iteration","iterations":9,"time_unit":"us"{more}}}"#)
    }

    #[test]
    fn time_is_the_clock_that_controls_the_benchmark() {
        let times = r#","real_time":4,"cpu_time":3"#;
        let reading = read(&format!(
            "[{},{},{}]",
            entry("a", times),
            entry("b/real_time/threads:2", times),
            entry("c/manual_time", times)
        ))
        .unwrap();
        let times: Vec<_> = reading.measurements.iter().map(|m| m.evidence.clone()).collect();
        assert_eq!(times, [[Evidence::Value(3e3)], [Evidence::Value(4e3)], [Evidence::Value(4e3)]]);
        assert_eq!(reading.environment.get("cores"), Some("2"));
    }

    #[test]
    fn the_real_time_does_not_replace_a_cpu_time_that_is_not_a_number() {
        let times = |cpu: &str| entry("a", &format!(r#","real_time":40,"bytes_per_second":5e8{cpu}"#));
        let all =
            [r#","cpu_time":Infinity"#, r#","cpu_time":2"#, r#","cpu_time":NaN"#, r#","cpu_time":null"#].map(times);
        let reading = read(&format!("[{}]", all.join(","))).unwrap();
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(2e3)]);
        assert_eq!(reading.measurements[0].work.map(|work| work.amount), Some(1000.0));
        let codes: Vec<&str> = reading.diagnostics.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["invalid-value"; 3]);
        let reading = read(&format!("[{}]", times(""))).unwrap();
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(40e3)], "a file without CPU times");
    }

    #[test]
    fn rates_become_work_and_the_direction_of_counters_follows_from_their_names() {
        let more =
            r#","cpu_time":2,"bytes_per_second":5e8,"items_per_second":5e5,"misses":3,"hit_rate":0.5,"label":"x""#;
        let reading = read(&format!("[{}]", entry("a", more))).unwrap();
        let metrics: Vec<_> = reading.measurements.iter().map(|m| (&*m.metric.name, m.metric.direction)).collect();
        let expected =
            [("time", Direction::Lower), ("counter:misses", Direction::Lower), ("counter:hit_rate", Direction::Higher)];
        assert_eq!(metrics, expected);
        assert_eq!(reading.measurements[0].work, Some(Work { amount: 1000.0, unit: WorkUnit::Bytes }));
    }

    #[test]
    fn a_valid_entry_among_invalid_ones_is_read() {
        let nan = entry("nan", r#","cpu_time":NaN"#);
        let reading = read(&format!(
            "[{},7,{},{},{}]",
            nan,
            entry("text", r#","cpu_time":"3""#),
            entry("a", r#","cpu_time":3"#),
            entry("err", r#","error_occurred":true,"error_message":"no file","cpu_time":0"#)
        ))
        .unwrap();
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a");
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unreadable-entry", "unreadable-entry", "invalid-value", "failed-benchmark"]);
    }

    #[test]
    fn a_skipped_benchmark_did_not_fail() {
        let reading = read(&format!(
            "[{},{},{}]",
            entry("a", r#","cpu_time":3,"skipped":2"#),
            entry("b", r#","skipped":true,"skip_message":"no GPU","cpu_time":0"#),
            entry("c", r#","error_occurred":true,"error_message":"no file","cpu_time":0"#)
        ))
        .unwrap();
        let names: Vec<_> = reading.measurements.iter().map(|m| (m.benchmark.as_str(), &*m.metric.name)).collect();
        assert_eq!(names, [("a", "time"), ("a", "counter:skipped")]);
        assert_eq!(reading.failures.skipped[0].benchmark.as_str(), "b");
        assert_eq!(reading.failures.benchmarks.len(), 1);
    }

    #[test]
    fn aggregates_of_old_versions_are_detected_by_name() {
        let aggregate =
            |name, time| format!(r#"{{"name":"{name}","iterations":3,"cpu_time":{time},"time_unit":"ns"}}"#);
        let reading =
            read(&format!("[{},{},{}]", aggregate("a_mean", 5), aggregate("a_median", 4), aggregate("a_stddev", 1)))
                .unwrap();
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a");
        let summary = Summary { centre: 4.0, mean: Some(5.0), sd: Some(1.0), ..Summary::default() };
        assert_eq!(reading.measurements[0].evidence, [Evidence::summary(summary)]);
    }

    #[test]
    fn an_unknown_unit_is_kept_and_reported() {
        let reading = read(r#"[{"name":"a","iterations":1,"cpu_time":1,"time_unit":"fortnight"}]"#).unwrap();
        assert_eq!(reading.measurements[0].metric.unit, Unit::Other("fortnight".into()));
        assert_eq!(reading.diagnostics[0].code, "unknown-unit");
    }

    #[test]
    fn an_entry_without_iterations_gives_no_measurement() {
        assert!(read(r#"[{"name":"a","iterations":0,"cpu_time":0,"time_unit":"ns"}]"#).is_err());
        assert!(read("[]").is_err());
    }
}
