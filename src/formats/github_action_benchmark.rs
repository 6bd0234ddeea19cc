//! github-action-benchmark: the list of `{name, unit, value}` that its custom tools take, and its history (`data.js`, or
//! the JSON file of `external-data-json-path`), of which the newest run of each suite is read. Only the history says
//! which way is better; in a list the unit does. The `range` is free text without a fixed meaning and is not read.

use super::builder::ReadingBuilder;
use super::json::{Number, Pairs, parse_lenient};
use super::metric_by_unit::AssumedDirections;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// github-action-benchmark.
#[derive(Debug)]
pub struct GithubActionBenchmark;

/// How `data.js` begins.
const SCRIPT: &str = "window.BENCHMARK_DATA";
/// What ends the guessing.
const ADVICE: &str = "Use a unit that says so (a rate such as ops/s), or perfgate's own run format, which states it";

impl Format for GithubActionBenchmark {
    fn name(&self) -> &'static str {
        "github-action-benchmark"
    }

    fn produced_by(&self) -> &'static str {
        "a script that writes customSmallerIsBetter or customBiggerIsBetter JSON; its data.js (newest run)"
    }

    fn metrics(&self) -> &'static str {
        "time, memory, throughput or value (by unit): one number; commit (data.js)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["[].name", "[].unit", "[].value"])
            || preview.has_keys(&["entries", "lastUpdate"])
            || preview.text.trim_start().starts_with(SCRIPT)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let source = unwrapped(source)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        let mut assumed = AssumedDirections::default();
        let mut scratch = Vec::new();
        if text::first_byte(source)? == Some(b'[') {
            let list: Vec<&RawValue> = parse_lenient(source, &mut scratch)?;
            benches(&mut builder, &mut assumed, "", list, None);
        } else {
            let history: History<'_> = parse_lenient(source, &mut scratch)?;
            newest(&mut builder, &mut assumed, history);
        }
        assumed.report(&mut builder, ADVICE);
        builder.finish()
    }
}

/// The JSON inside `window.BENCHMARK_DATA = {…};`.
fn unwrapped(source: Source<'_>) -> Result<Source<'_>, Diagnostic> {
    let bytes = text::utf8(source)?;
    if !bytes.trim_ascii_start().starts_with(SCRIPT.as_bytes()) {
        return Ok(Source { bytes, ..source });
    }
    let start = bytes.iter().position(|byte| *byte == b'{').unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| *byte == b'}').map_or(bytes.len(), |at| at + 1);
    Ok(Source { bytes: bytes.get(start..end).unwrap_or_default(), ..source })
}

fn newest(builder: &mut ReadingBuilder<'_>, assumed: &mut AssumedDirections, history: History<'_>) {
    let runs: usize = history.entries.0.iter().map(|(_, runs)| runs.len()).sum();
    if runs > history.entries.0.len() {
        builder.note("newest-only", format!("holds {runs} runs; the newest of each suite is read"));
    }
    let mut commits: Vec<String> = Vec::new();
    for (suite, runs) in history.entries.0 {
        let Some(raw) = runs.last() else { continue };
        let Some(run) = builder.parse_entry::<Run<'_>>("run", runs.len() - 1, raw) else { continue };
        let direction = match &*run.tool {
            "customBiggerIsBetter" => Some(Direction::Higher),
            "customSmallerIsBetter" => Some(Direction::Lower),
            _ => None,
        };
        commits.extend(run.commit.and_then(|commit| commit.id).map(Cow::into_owned));
        benches(builder, assumed, &format!("{suite}/"), run.benches, direction);
    }
    commits.dedup();
    if let [commit] = &commits[..] {
        builder.set_commit(commit);
    }
}

fn benches(
    builder: &mut ReadingBuilder<'_>,
    assumed: &mut AssumedDirections,
    suite: &str,
    list: Vec<&RawValue>,
    direction: Option<Direction>,
) {
    for (at, raw) in list.into_iter().enumerate() {
        let Some(Bench { name, unit, value }) = builder.parse_entry("entry", at, raw) else { continue };
        let name = format!("{suite}{name}");
        let label = unit.unwrap_or_default();
        let scale = builder.unit(&label);
        let metric = assumed.metric(None, &label, scale.unit, direction);
        builder.add(&name, metric, [Evidence::Value(value.0 * scale.factor)]);
    }
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
    fn the_unit_says_which_way_is_better_and_a_guess_is_noted() {
        let text = r#"[{"name": "a", "unit": "req/s", "value": 5}, {"name": "a", "unit": "ms", "value": "2"},
            {"name": "b", "unit": "points", "value": 3}, {"name": "c", "unit": "ms", "value": NaN}, 7]"#;
        let run = parse(text).unwrap();
        let read: Vec<_> = run.measurements.iter().map(|m| (m.metric.unit.clone(), m.metric.direction)).collect();
        let (lower, higher) = (Direction::Lower, Direction::Higher);
        assert_eq!(read, [(Unit::PerSecond, higher), (Unit::Nanosecond, lower), (Unit::Other("points".into()), lower)]);
        let codes: Vec<&str> = run.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["unknown-unit", "invalid-value", "unreadable-entry", "assumed-direction"]);
    }

    #[test]
    fn of_a_history_the_newest_run_is_read_with_its_commit_and_direction() {
        let run = |id: &str, value: u32| {
            let id = id.repeat(40);
            format!(
                r#"{{"commit": {{"id": "{id}"}}, "date": 1, "tool": "customBiggerIsBetter",
                "benches": [{{"name": "score", "unit": "points", "value": {value}}}]}}"#
            )
        };
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
}
