//! github-action-benchmark: the list of `{name, unit, value}` for its custom tools, and the newest run of each suite in its
//! history (`data.js`, or the file of `external-data-json-path`). The history states the direction; in a list it follows
//! from the unit. `range` is free text and not read.
//!
//! For a Go benchmark with several values, the action stores one entry whose unit contains the other values
//! (`ns/op\t 48 B/op\t 2 allocs/op`). Newer versions also store each value as `NAME - UNIT`. All are read as metrics of NAME.

use super::builder::ReadingBuilder;
use super::go_bench::metric_of_unit;
use super::json::{Number, Pairs, parse_lenient};
use super::metric_by_unit::metric_of_benchmark;
use super::{Format, Preview, Reading, Source, stated_time, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// github-action-benchmark.
#[derive(Debug)]
pub struct GithubActionBenchmark;

/// How `data.js` begins.
const SCRIPT: &str = "window.BENCHMARK_DATA";
impl Format for GithubActionBenchmark {
    fn name(&self) -> &'static str {
        "github-action-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "a script that writes customSmallerIsBetter or customBiggerIsBetter JSON; its data.js (newest run)"
    }

    fn metrics(&self) -> &'static str {
        "time, memory, throughput or value (by unit): one value; commit (data.js)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["[].name", "[].unit", "[].value"])
            || preview.has_keys(&["entries", "lastUpdate"])
            || preview.text.trim_start().starts_with(SCRIPT)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let source = extract_json(source)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut scratch = Vec::new();
        if text::first_byte(source)? == Some(b'[') {
            let list: Vec<&RawValue> = parse_lenient(source, &mut scratch)?;
            add_benches(&mut builder, "", list, "");
        } else {
            let history: History<'_> = parse_lenient(source, &mut scratch)?;
            add_newest_runs(&mut builder, history);
        }
        builder.finish()
    }
}

/// The JSON inside `window.BENCHMARK_DATA = {…};`.
fn extract_json(source: Source<'_>) -> Result<Source<'_>, Diagnostic> {
    let bytes = text::utf8(source)?;
    if !bytes.trim_ascii_start().starts_with(SCRIPT.as_bytes()) {
        return Ok(Source { bytes, ..source });
    }
    let start = bytes.iter().position(|byte| *byte == b'{').unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| *byte == b'}').map_or(bytes.len(), |at| at + 1);
    Ok(Source { bytes: bytes.get(start..end).unwrap_or_default(), ..source })
}

/// Nanoseconds per second.
const SECOND: f64 = 1e9;

/// A run of a history.
#[derive(Debug)]
pub struct HistoryRun {
    /// When it was measured, in seconds since 1970.
    pub time: Option<i64>,
    /// Its results and its commit.
    pub reading: Reading,
}

/// All runs of a history (`data.js`), in its order; the suites of one commit are one run. `None` if it is not a history.
pub fn history_runs(source: Source<'_>) -> Result<Option<Vec<HistoryRun>>, Diagnostic> {
    if !GithubActionBenchmark.sniff(&Preview::of(source.bytes)) {
        return Ok(None);
    }
    let source = extract_json(source)?;
    if text::first_byte(source)? == Some(b'[') {
        return Ok(None);
    }
    let mut scratch = Vec::new();
    let history: History<'_> = parse_lenient(source, &mut scratch)?;
    let mut runs: Vec<HistoryRun> = Vec::new();
    // If a suite ran twice at a commit, the commit has two runs.
    let mut positions: HashMap<(Option<String>, usize), usize> = HashMap::new();
    for (suite, entries) in history.entries.0 {
        let mut times_of_commit: HashMap<Option<String>, usize> = HashMap::new();
        for (at, raw) in entries.into_iter().enumerate() {
            let mut builder = ReadingBuilder::new(GithubActionBenchmark.name(), source);
            let Some(run) = builder.parse_entry::<Run<'_>>("run", at, raw) else { continue };
            let id = run.commit.and_then(|commit| commit.id).map(Cow::into_owned);
            builder.set_commit(id.as_deref().unwrap_or_default());
            add_benches(&mut builder, &format!("{suite}/"), run.benches, &run.tool);
            let time = stated_time::milliseconds(run.date.0);
            builder.set_measured(time);
            let Ok(reading) = builder.finish() else { continue };
            let count = times_of_commit.entry(id.clone()).or_default();
            *count += 1;
            match positions.get(&(id.clone(), *count)) {
                Some(position) => {
                    let whole = std::mem::take(&mut runs[*position].reading);
                    runs[*position].reading = whole.merge(reading);
                }
                None => {
                    positions.insert((id, *count), runs.len());
                    runs.push(HistoryRun { time, reading });
                }
            }
        }
    }
    Ok(Some(runs))
}

/// The direction that a tool's name states.
fn stated_direction(tool: &str) -> Option<Direction> {
    match tool {
        "customBiggerIsBetter" => Some(Direction::Higher),
        "customSmallerIsBetter" => Some(Direction::Lower),
        _ => None,
    }
}

fn add_newest_runs(builder: &mut ReadingBuilder<'_>, history: History<'_>) {
    let runs: usize = history.entries.0.iter().map(|(_, runs)| runs.len()).sum();
    if runs > history.entries.0.len() {
        builder.note("newest-only", format!("the history has {runs} runs; only the newest of each suite is read"));
    }
    let mut commits: Vec<String> = Vec::new();
    for (suite, runs) in history.entries.0 {
        let Some(raw) = runs.last() else { continue };
        let Some(run) = builder.parse_entry::<Run<'_>>("run", runs.len() - 1, raw) else { continue };
        commits.extend(run.commit.and_then(|commit| commit.id).map(Cow::into_owned));
        builder.set_measured(stated_time::milliseconds(run.date.0));
        add_benches(builder, &format!("{suite}/"), run.benches, &run.tool);
    }
    commits.dedup();
    if let [commit] = &commits[..] {
        builder.set_commit(commit);
    }
}

/// Adds the entries of a run. `tool` is the `tool` input of the action; it is empty for a list.
fn add_benches(builder: &mut ReadingBuilder<'_>, suite: &str, list: Vec<&RawValue>, tool: &str) {
    let direction = stated_direction(tool);
    let mut split = BTreeSet::new();
    for (at, raw) in list.into_iter().enumerate() {
        let Some(Bench { name: own_name, unit, value }) = builder.parse_entry("entry", at, raw) else { continue };
        let own_name = if tool == "jmh" { name_of_jmh(own_name) } else { own_name };
        let name = format!("{suite}{own_name}");
        let label = unit.unwrap_or_default();
        let may_be_go = tool == "go" || tool.is_empty();
        if let Some(values) = values_of_go(value.0, &label).filter(|_| may_be_go) {
            for (value, unit) in values {
                add_value_of_go(builder, &name, value, unit);
                split.insert(format!("{name} - {unit}"));
            }
        } else if tool == "pytest" && label == "iter/sec" && value.0 > 0.0 {
            // pytest-benchmark's own files have the time, of which the action stores the reciprocal.
            builder.add(&name, Metric::time(), [Evidence::Value(SECOND / value.0)]);
        } else if tool == "go" && !split.contains(&name) {
            add_value_of_go(builder, &name, value.0, &label);
        } else if !split.contains(&name) {
            let scale = builder.unit(&label);
            let metric = metric_of_benchmark(&own_name, &label, scale.unit, direction);
            builder.add(&name, metric, [Evidence::Value(value.0 * scale.factor)]);
        }
    }
}

/// The name that JMH's own files give to `P.parse ( {"size":"64","kind":"utf-8"} )`: `P.parse/size=64/kind=utf-8`.
fn name_of_jmh(name: Cow<'_, str>) -> Cow<'_, str> {
    let parts = name.strip_suffix(" )").and_then(|name| name.split_once(" ( "));
    let Some((method, parameters)) = parts else { return name };
    let Ok(parameters) = serde_json::from_str::<Pairs<Cow<'_, str>, Cow<'_, str>>>(parameters) else { return name };
    let add = |name: String, (key, value): &(Cow<'_, str>, Cow<'_, str>)| format!("{name}/{key}={value}");
    Cow::Owned(parameters.0.iter().fold(method.to_owned(), add))
}

fn add_value_of_go(builder: &mut ReadingBuilder<'_>, name: &str, value: f64, unit: &str) {
    let (metric, factor) = metric_of_unit(builder, unit);
    builder.add(name, metric, [Evidence::Value(value * factor)]);
}

/// The values of a Go benchmark whose unit contains further values with their units.
fn values_of_go(first: f64, label: &str) -> Option<Vec<(f64, &str)>> {
    let words: Vec<&str> = label.split_ascii_whitespace().collect();
    let (unit, further) = words.split_first()?;
    let pair = |pair: &[&'_ str]| pair.len() == 2 && pair[0].parse::<f64>().is_ok();
    let is_of_go = unit.ends_with("/op") || *unit == "MB/s";
    if !is_of_go || further.is_empty() || !further.chunks(2).all(pair) {
        return None;
    }
    let further = further.chunks(2).filter_map(|pair| Some((pair[0].parse().ok()?, pair[1])));
    Some(std::iter::once((first, *unit)).chain(further).collect())
}

#[derive(Deserialize)]
struct History<'a> {
    #[serde(borrow)]
    entries: Pairs<Cow<'a, str>, Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
struct Run<'a> {
    #[serde(borrow)]
    commit: Option<CommitInfo<'a>>,
    #[serde(default)]
    date: Number,
    #[serde(borrow, default)]
    tool: Cow<'a, str>,
    #[serde(borrow)]
    benches: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct CommitInfo<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Bench<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    unit: Option<Cow<'a, str>>,
    #[serde(default)]
    value: Number,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unit;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        GithubActionBenchmark.parse(Source { name: "g.json", bytes: text.as_bytes() })
    }

    #[test]
    fn the_direction_follows_from_the_unit_or_is_unknown() {
        let text = r#"[{"name": "a", "unit": "req/s", "value": 5}, {"name": "a", "unit": "ms", "value": "2"},
            {"name": "b", "unit": "points", "value": 3}, {"name": "c", "unit": "ms", "value": NaN}, 7]"#;
        let run = parse(text).unwrap();
        let read: Vec<_> = run.measurements.iter().map(|m| (m.metric.unit.clone(), m.metric.direction)).collect();
        let (lower, higher) = (Direction::Lower, Direction::Higher);
        let points = (Unit::Other("points".into()), Direction::Unknown);
        assert_eq!(read, [(Unit::PerSecond, higher), (Unit::Nanosecond, lower), points]);
        let codes: Vec<&str> = run.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unknown-unit", "invalid-value", "unreadable-entry"]);
    }

    fn run(id: &str, value: u32) -> String {
        let id = id.repeat(40);
        format!(
            r#"{{"commit": {{"id": "{id}"}}, "date": 1, "tool": "customBiggerIsBetter",
            "benches": [{{"name": "score", "unit": "points", "value": {value}}}]}}"#
        )
    }

    #[test]
    fn the_newest_run_of_a_history_is_read_with_its_commit_and_direction() {
        let runs = [run("a", 1), run("b", 2)].join(",");
        let text = format!(r#"window.BENCHMARK_DATA = {{"lastUpdate": 1, "entries": {{"Suite": [{runs}]}}}};"#);
        let run = parse(&text).unwrap();
        assert_eq!(run.commit.unwrap().short(), "bbbbbbbbbb");
        assert_eq!(run.measurements[0].benchmark.as_str(), "Suite/score");
        assert_eq!(run.measurements[0].metric.direction, Direction::Higher);
        assert_eq!(
            run.diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(),
            ["newest-only", "unknown-unit"]
        );
    }

    #[test]
    fn all_values_of_a_go_benchmark_are_its_metrics() {
        let combined = r#"{"name": "BenchmarkA", "value": 5, "unit": "ns/op\t     48 B/op\t       2 allocs/op"}"#;
        let entry = |name: &str, value: u32, unit: &str| {
            format!(r#"{{"name": "{name}", "value": {value}, "unit": "{unit}", "extra": "9 times"}}"#)
        };
        let newer = [
            combined.to_owned(),
            entry("BenchmarkA - ns/op", 5, "ns/op"),
            entry("BenchmarkA - B/op", 48, "B/op"),
            entry("BenchmarkA - allocs/op", 2, "allocs/op"),
        ];
        let history = |benches: &str| {
            format!(
                r#"{{"lastUpdate": 1, "entries": {{"S": [{{"date": 1, "tool": "go", "benches": [{benches},
                {}]}}]}}}}"#,
                entry("BenchmarkB", 7, "ns/op")
            )
        };
        for text in [history(combined), history(&newer.join(","))] {
            let reading = parse(&text).unwrap();
            assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
            let read: Vec<_> = reading
                .measurements
                .iter()
                .map(|m| (m.benchmark.as_str(), &*m.metric.name, m.metric.exact, m.evidence[0].centre()))
                .collect();
            let expected = [
                ("S/BenchmarkA", "time", false, 5.0),
                ("S/BenchmarkA", "memory", true, 48.0),
                ("S/BenchmarkA", "allocations", true, 2.0),
                ("S/BenchmarkB", "time", false, 7.0),
            ];
            assert_eq!(read, expected);
        }
        assert_eq!(values_of_go(1.0, "requests per second"), None);
        assert_eq!(values_of_go(1.0, "ms 99 percentile"), None);
    }

    #[test]
    fn results_have_the_names_and_metrics_of_the_tools_own_files() {
        let read = |tool: &str, name: &str, unit: &str| {
            let bench = serde_json::json!({"name": name, "value": 400, "unit": unit});
            let text = format!(
                r#"{{"lastUpdate": 1, "entries": {{"S": [{{"date": 1, "tool": "{tool}", "benches": [{bench}]}}]}}}}"#
            );
            let reading = parse(&text).unwrap();
            let one = &reading.measurements[0];
            (one.benchmark.to_string(), one.metric.name.to_string(), one.evidence[0].centre())
        };
        let of = |name: &str, metric: &str, value: f64| (name.to_owned(), metric.to_owned(), value);
        let with_parameters = r#"P.parse ( {"size":"64","kind":"utf-8"} )"#;
        assert_eq!(read("jmh", with_parameters, "us/op"), of("S/P.parse/size=64/kind=utf-8", "time", 400e3));
        assert_eq!(read("jmh", "P.parse ( x )", "ops/ms"), of("S/P.parse ( x )", "throughput", 400e3));
        assert_eq!(read("pytest", "t.py::a", "iter/sec"), of("S/t.py::a", "time", 2.5e6));
        assert_eq!(read("customBiggerIsBetter", "a", "iter/sec").1, "throughput");
    }

    #[test]
    fn the_unit_of_another_tool_is_not_split() {
        let text = r#"{"lastUpdate": 1, "entries": {"Free-threaded": [{"date": 1, "tool": "pytest", "benches": [
            {"name": "a", "value": 5, "unit": "ns/op 48 B/op"}, {"name": "b", "value": 5, "unit": "ns"}]}]}}"#;
        let reading = parse(text).unwrap();
        let read: Vec<_> = reading.measurements.iter().map(|m| (m.benchmark.as_str(), &*m.metric.name)).collect();
        assert_eq!(read, [("Free-threaded/a", "value"), ("Free-threaded/b", "time")]);
        assert_eq!(reading.measurements[1].metric.direction, Direction::Lower);
    }
}
