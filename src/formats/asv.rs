//! asv result files (`.asv/results/MACHINE/COMMIT-ENV.json`): samples, else median and quartiles, of each combination of
//! parameters, named as asv prints it: `suite.time_x(10, 'a')`. Units are in another file (`benchmarks.json`), so metric
//! and unit follow from the prefix of the benchmark's name, as in asv.

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use super::json::{Number, Numbers, Pairs, parse_with_nan};
use super::{Format, Preview, Reading, Source, machine, stated_time};
use crate::model::{Diagnostic, Direction, Environment, Evidence, Metric, Summary, Unit};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Maximum number of combinations of parameters that are reported one by one if all of them failed.
const MAX_FAILED_LISTED: usize = 1000;

/// airspeed velocity.
#[derive(Debug)]
pub struct Asv;

impl Format for Asv {
    fn name(&self) -> &'static str {
        "asv"
    }

    fn produced_by(&self) -> &'static str {
        "asv run --record-samples (.asv/results/MACHINE/COMMIT-ENV.json)"
    }

    fn metrics(&self) -> &'static str {
        "time, memory, memory:peak, value (track_*): samples where recorded, else median and quartiles; machine, commit"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["result_columns", "commit_hash"])
            || preview.has_keys(&["commit_hash", "env_name", "results"])
            || preview.has_keys(&["commit_hash", "params", "python", "results"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: File<'_> = parse_with_nan(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        builder.set_commit(file.commit_hash.as_deref().unwrap_or_default());
        let requirements: BTreeMap<Cow<'_, str>, Cow<'_, str>> =
            file.requirements.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        for (package, version) in requirements {
            builder.environment().set(&format!("package {package}"), version);
        }
        set_environment(builder.environment(), &file.params.unwrap_or_default());
        builder.environment().set(Environment::ASV_ENVIRONMENT, file.env_name.unwrap_or_default());
        let columns = Columns::of(&file.result_columns);
        let versions = file.benchmark_version.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let versions: BTreeMap<Cow<'_, str>, Cow<'_, str>> = versions.unwrap_or_default();
        let mut has_track = false;
        for (at, (name, raw)) in file.results.0.into_iter().enumerate() {
            let Some(mut row) = row(&mut builder, &columns, at, raw) else { continue };
            builder.set_measured(row.started_at.and_then(stated_time::milliseconds));
            row.version = row.version.or_else(|| versions.get(&name).cloned());
            let (metric, factor) = metric(&name);
            has_track |= metric.unit == Unit::Ratio;
            add(&mut builder, &name, &row, &metric, factor);
        }
        if has_track {
            let message = "track_* benchmarks have no unit here (asv stores units in benchmarks.json); their values are plain numbers";
            builder.note("unknown-unit", message);
        }
        builder.finish()
    }
}

/// Adds the values of a benchmark, one for each combination of parameters.
fn add(builder: &mut ReadingBuilder<'_>, name: &str, row: &Row<'_>, metric: &Metric, factor: f64) {
    let combinations = row.params.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul);
    // `null` in place of the list: nothing has a result, because the setup failed.
    let failed =
        || combinations.filter(|count| *count <= MAX_FAILED_LISTED).map(|count| vec![AsvResult::Failed; count]);
    let results = if row.result.0.is_empty() { failed() } else { Some(row.result.0.clone()) };
    let Some(results) = results else { return builder.fail(name, "") };
    if combinations != Some(results.len()) {
        let message = format!("`{name}`: its results ({}) do not match its parameters; skipped", results.len());
        builder.warn("unreadable-entry", message);
        return;
    }
    for (at, result) in results.into_iter().enumerate() {
        let full_name = format!("{name}{}", arguments(&row.params, at));
        let result = match result {
            AsvResult::Value(value) => value,
            AsvResult::Failed => {
                builder.fail(&full_name, "");
                continue;
            }
            AsvResult::Skipped => {
                builder.skip(&full_name);
                continue;
            }
        };
        let evidence = match row.samples.get(at) {
            Some(samples) if !samples.0.is_empty() => Evidence::Samples(samples.0.clone()),
            _ => match row.summary(at, result) {
                Some(summary) => Evidence::summary(summary),
                None => Evidence::Value(result),
            },
        };
        builder.add(&full_name, metric.clone(), [evidence.scaled(factor)]);
        if let Some(version) = row.version.as_deref().filter(|version| !version.is_empty()) {
            builder.set_version(&full_name, version);
        }
    }
}

/// The parameters of the result at an index. The last parameter varies fastest.
fn arguments(params: &[Vec<Cow<'_, str>>], mut at: usize) -> String {
    let mut values: Vec<&str> = Vec::new();
    for choices in params.iter().rev() {
        let count = choices.len().max(1);
        values.extend(choices.get(at % count).map(|value| &**value));
        at /= count;
    }
    values.reverse();
    if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) }
}

/// The metric of a name's prefix, with the factor to perfgate's unit. asv assumes that lower is better for all; what a
/// `track_*` benchmark returns may be a score.
pub(super) fn metric(name: &str) -> (Metric, f64) {
    let last = name.rsplit('.').next().unwrap_or(name);
    let is = |prefix: &str| last.starts_with(prefix);
    let lower = |name, unit| Metric::measured(name, unit, Direction::Lower);
    if is("peakmem") || is("PeakMem") {
        (lower("memory:peak", Unit::Byte), 1.0)
    } else if is("mem") || is("Mem") {
        (lower("memory", Unit::Byte), 1.0)
    } else if is("track") || is("Track") {
        let tracked = last.get("track".len()..).unwrap_or_default();
        let metric = Metric::measured("value", Unit::Ratio, Direction::Unknown);
        (metric.with_assumed(direction_of_words(tracked)), 1.0)
    } else {
        (Metric::time(), 1e9)
    }
}

fn set_environment(environment: &mut Environment, facts: &Pairs<Cow<'_, str>, &RawValue>) {
    for (key, raw) in &facts.0 {
        let Ok(text) = serde_json::from_str::<Cow<'_, str>>(raw.get()) else { continue };
        match &**key {
            "cpu" => environment.set(Environment::CPU, text),
            "machine" => environment.set("host", text),
            "num_cpu" => environment.set(Environment::CORES, text),
            "arch" => machine::set_arch(environment, &text),
            "os" => machine::set_os(environment, &text),
            "python" => environment.set("python", text),
            _ => {}
        }
    }
}

/// Index of each column that is read.
struct Columns {
    params: Option<usize>,
    version: Option<usize>,
    started_at: Option<usize>,
    q_25: Option<usize>,
    q_75: Option<usize>,
    repeat: Option<usize>,
    samples: Option<usize>,
}

impl Columns {
    fn of(names: &[Cow<'_, str>]) -> Self {
        let at = |name: &str| names.iter().position(|column| column == name);
        Columns {
            params: at("params"),
            version: at("version"),
            started_at: at("started_at"),
            q_25: at("stats_q_25"),
            q_75: at("stats_q_75"),
            repeat: at("stats_repeat"),
            samples: at("samples"),
        }
    }
}

/// The result of one combination of parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum AsvResult {
    Value(f64),
    /// `null`: it failed, or took too long.
    Failed,
    /// `NaN`: its setup raised NotImplementedError, which skips it.
    Skipped,
}

impl<'de> Deserialize<'de> for AsvResult {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<Number>::deserialize(deserializer)? {
            None => AsvResult::Failed,
            Some(Number(value)) if value.is_nan() => AsvResult::Skipped,
            Some(Number(value)) => AsvResult::Value(value),
        })
    }
}

/// The results of all combinations; empty for `null`, where all of them failed.
#[derive(Debug, Default)]
struct Results(Vec<AsvResult>);

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Results(Option::<Vec<AsvResult>>::deserialize(deserializer)?.unwrap_or_default()))
    }
}

/// Results of one benchmark. The lists have one entry per combination of parameters.
#[derive(Default)]
struct Row<'a> {
    result: Results,
    params: Vec<Vec<Cow<'a, str>>>,
    version: Option<Cow<'a, str>>,
    /// In milliseconds since 1970; the `date` of the file is the commit's.
    started_at: Option<f64>,
    q_25: Numbers,
    q_75: Numbers,
    repeat: Numbers,
    samples: Vec<Numbers>,
}

impl Row<'_> {
    fn summary(&self, at: usize, centre: f64) -> Option<Summary> {
        let of = |list: &Numbers| list.0.get(at).copied().filter(|value| value.is_finite());
        let (low, high) = (of(&self.q_25)?, of(&self.q_75)?);
        let quantiles = vec![(0.25, low), (0.5, centre), (0.75, high)];
        let samples = of(&self.repeat).and_then(|count| Number(count).count());
        Some(Summary { centre, samples, quantiles, ..Summary::default() })
    }
}

/// Parses a row of asv's result version 2 (a list by column) or version 1 (a number, a list or an object).
fn row<'a>(builder: &mut ReadingBuilder<'_>, columns: &Columns, at: usize, raw: &'a RawValue) -> Option<Row<'a>> {
    let first = raw.get().bytes().next();
    if columns.params.is_none() || first != Some(b'[') {
        return match first {
            Some(b'{') => {
                let old: RowV1<'a> = builder.parse_entry("result", at, raw)?;
                Some(Row { result: old.result, params: old.params.unwrap_or_default(), ..Row::default() })
            }
            Some(b'[') => Some(Row { result: builder.parse_entry("result", at, raw)?, ..Row::default() }),
            _ => {
                let value: AsvResult = builder.parse_entry("result", at, raw)?;
                Some(Row { result: Results(vec![value]), ..Row::default() })
            }
        };
    }
    let cells: Vec<&'a RawValue> = builder.parse_entry("result", at, raw)?;
    let cell = |column: Option<usize>| column.and_then(|column| cells.get(column).copied());
    let numbers = |column| cell(column).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let result = match cells.first() {
        Some(raw) => builder.parse_entry("result", at, raw)?,
        None => Results::default(),
    };
    let params: Option<Vec<Vec<Cow<'a, str>>>> = match cell(columns.params) {
        Some(raw) => builder.parse_entry("result", at, raw)?,
        None => None,
    };
    let samples: Option<Vec<Numbers>> = cell(columns.samples).and_then(|raw| serde_json::from_str(raw.get()).ok());
    let version = cell(columns.version).and_then(|raw| serde_json::from_str(raw.get()).ok());
    let started_at = cell(columns.started_at).and_then(|raw| serde_json::from_str(raw.get()).ok());
    Some(Row {
        result,
        params: params.unwrap_or_default(),
        version,
        started_at,
        q_25: numbers(columns.q_25),
        q_75: numbers(columns.q_75),
        repeat: numbers(columns.repeat),
        samples: samples.unwrap_or_default(),
    })
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    results: Pairs<Cow<'a, str>, &'a RawValue>,
    #[serde(borrow)]
    commit_hash: Option<Cow<'a, str>>,
    #[serde(borrow)]
    env_name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    result_columns: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<Pairs<Cow<'a, str>, &'a RawValue>>,
    #[serde(borrow)]
    requirements: Option<&'a RawValue>,
    /// In version 1; later versions have a column.
    #[serde(borrow)]
    benchmark_version: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RowV1<'a> {
    #[serde(default)]
    result: Results,
    #[serde(borrow, default)]
    params: Option<Vec<Vec<Cow<'a, str>>>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        Asv.parse(Source { name: "a.json", bytes: text.as_bytes() })
    }

    #[test]
    fn the_last_parameter_varies_fastest() {
        let text = r#"{"commit_hash": "x", "result_columns": ["result", "params"], "results": {
            "s.time_x": [[1e-9, 2e-9, NaN, 4e-9], [["1", "2"], ["'a'", "'b'"]]]}}"#;
        let run = parse(text).unwrap();
        let names: Vec<&str> = run.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["s.time_x(1, 'a')", "s.time_x(1, 'b')", "s.time_x(2, 'b')"]);
        assert_eq!(run.measurements[2].evidence, [Evidence::Value(4.0)]);
        assert!(run.diagnostics[0].message.contains("s.time_x(2, 'a')"));
    }

    #[test]
    fn null_is_a_failure_and_nan_was_skipped() {
        let text = r#"{"commit_hash": "x", "result_columns": ["result", "params"], "results": {
            "s.time_x": [[1e-9, null, NaN], [["1", "2", "3"]]], "s.time_y": [null, [["a", "b"]]], "s.time_z": [[NaN], []],
            "s.time_w": [null, []]}}"#;
        let run = parse(text).unwrap();
        let failed: Vec<&str> = run.failures.benchmarks.iter().map(|one| one.benchmark.as_str()).collect();
        assert_eq!(failed, ["s.time_x(2)", "s.time_y(a)", "s.time_y(b)", "s.time_w"]);
        let skipped: Vec<&str> = run.failures.skipped.iter().map(|one| one.benchmark.as_str()).collect();
        assert_eq!(skipped, ["s.time_x(3)", "s.time_z"]);
        assert_eq!(run.measurements.len(), 1);
    }

    #[test]
    fn the_prefix_of_the_name_determines_the_metric() {
        let text = r#"{"results": {"s.peakmem_x": 7, "track_y": [3], "S.mem_z": {"result": [5]}, "time_n": null}}"#;
        let run = parse(text).unwrap();
        let read: Vec<(&str, &str)> =
            run.measurements.iter().map(|m| (&*m.metric.name, m.metric.unit.label())).collect();
        assert_eq!(read, [("memory:peak", "B"), ("value", "1"), ("memory", "B")]);
    }

    #[test]
    fn too_many_parameter_combinations_give_one_message() {
        let many = format!("[{}]", vec!["\"1\""; 1000].join(","));
        let params = vec![many; 8].join(",");
        let text = format!(r#"{{"result_columns": ["result", "params"], "results": {{"time_x": [[1], [{params}]]}}}}"#);
        assert!(parse(&text).unwrap_err().message.contains("do not match"));
    }
}
