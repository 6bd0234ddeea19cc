//! perfgate's own JSON format for tools that have no reader (`docs/run-format.md`). Unknown fields are reported, and a file
//! of a newer version is an error.

use super::builder::ReadingBuilder;
use super::json::{Number, Numbers, Pairs, parse_lenient};
use super::metric_by_unit::stated_metric;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// perfgate's run format.
#[derive(Debug)]
pub struct PerfgateRun;

/// Value of the `format` field.
const NAME: &str = "perfgate-run";
/// Newest version that can be read.
const VERSION: u64 = 1;
/// The fields of a JSON object, in file order.
type Fields<'a> = Pairs<Cow<'a, str>, &'a RawValue>;

impl Format for PerfgateRun {
    fn name(&self) -> &'static str {
        NAME
    }

    fn produced_by(&self) -> &'static str {
        "a script of your own: docs/run-format.md"
    }

    fn metrics(&self) -> &'static str {
        "any metric: samples, a summary or a value per run; machine, commit"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        // The text "perfgate-run" alone is not enough: a benchmark may have that name.
        let named = preview.text.split("\"format\"").nth(1).and_then(|rest| rest.trim_start().strip_prefix(':'));
        preview.has_keys(&["format"]) && named.is_some_and(|rest| rest.trim_start().starts_with("\"perfgate-run\""))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: Fields<'_> = parse_lenient(source, &mut scratch)?;
        check_version(source, &file)?;
        let mut builder = ReadingBuilder::new(NAME, source);
        for (at, (key, raw)) in file.0.into_iter().enumerate() {
            match &*key {
                "format" | "version" => {}
                "commit" => {
                    let id =
                        builder.parse_entry::<Option<Cow<'_, str>>>("field", at, raw).flatten().unwrap_or_default();
                    builder.set_commit(&id);
                }
                "environment" => read_environment(&mut builder, at, raw),
                "measurements" => {
                    let list: Vec<&RawValue> = builder.parse_entry("field", at, raw).unwrap_or_default();
                    for (at, raw) in list.into_iter().enumerate() {
                        read_measurement(&mut builder, at, raw);
                    }
                }
                other => warn_unknown_field(&mut builder, other, "the file"),
            }
        }
        builder.finish()
    }
}

/// Rejects other formats and newer versions.
fn check_version(source: Source<'_>, file: &Fields<'_>) -> Result<(), Diagnostic> {
    let field = |name: &str| file.0.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get());
    let error = |code: &str, message: String| Err(Diagnostic::error(code, source.name, message));
    if field("format") != Some("\"perfgate-run\"") {
        return error("unreadable", "not a run file: \"format\": \"perfgate-run\" is missing".to_owned());
    }
    match field("version").map(|text| (text, text.parse::<u64>())) {
        Some((_, Ok(1..=VERSION))) => Ok(()),
        Some((version, Ok(newer))) if newer > VERSION => {
            let message = format!(
                "version {version} of {NAME} is not supported (this perfgate reads version {VERSION}). Update perfgate"
            );
            error("newer-version", message)
        }
        _ => error("unreadable", format!("the version is missing; add \"version\": {VERSION}")),
    }
}

fn warn_unknown_field(builder: &mut ReadingBuilder<'_>, field: &str, place: &str) {
    builder.warn("unknown-field", format!("unknown field `{field}` in {place} is ignored"));
}

fn read_environment(builder: &mut ReadingBuilder<'_>, at: usize, raw: &RawValue) {
    let Some(facts) = builder.parse_entry::<Fields<'_>>("field", at, raw) else { return };
    for (key, raw) in facts.0 {
        match serde_json::from_str::<Cow<'_, str>>(raw.get()) {
            Ok(text) => builder.environment().set(&key, text),
            Err(_) if raw.get().bytes().all(|byte| byte.is_ascii_digit()) => {
                builder.environment().set(&key, raw.get());
            }
            Err(_) => builder.warn("unreadable-entry", format!("`{key}` in the environment is not a string; ignored")),
        }
    }
}

#[derive(Default)]
struct Measurement<'a> {
    tool: Option<Cow<'a, str>>,
    benchmark: Option<Cow<'a, str>>,
    metric: Option<Cow<'a, str>>,
    unit: Option<Cow<'a, str>>,
    direction: Option<Cow<'a, str>>,
    exact: bool,
    replicates: Vec<&'a RawValue>,
}

fn read_measurement(builder: &mut ReadingBuilder<'_>, at: usize, raw: &RawValue) {
    let place = format!("measurement {}", at + 1);
    let Some(fields) = builder.parse_entry::<Fields<'_>>("measurement", at, raw) else { return };
    let mut read = Measurement::default();
    for (key, raw) in fields.0 {
        let json = raw.get();
        let parsed = match &*key {
            "tool" => serde_json::from_str(json).map(|value| read.tool = value),
            "benchmark" => serde_json::from_str(json).map(|value| read.benchmark = value),
            "metric" => serde_json::from_str(json).map(|value| read.metric = value),
            "unit" => serde_json::from_str(json).map(|value| read.unit = value),
            "direction" => serde_json::from_str(json).map(|value| read.direction = value),
            "exact" => serde_json::from_str(json).map(|value| read.exact = value),
            "replicates" => serde_json::from_str(json).map(|value| read.replicates = value),
            other => {
                warn_unknown_field(builder, other, &place);
                Ok(())
            }
        };
        if let Err(error) = parsed {
            builder.warn("unreadable-entry", format!("{place} skipped: `{key}`: {error}"));
            return;
        }
    }
    if let Err(message) = add_measurement(builder, read) {
        builder.warn("unreadable-entry", format!("{place} skipped: {message}"));
    }
}

fn add_measurement(builder: &mut ReadingBuilder<'_>, read: Measurement<'_>) -> Result<(), String> {
    let name = read.benchmark.ok_or("`benchmark` is missing")?;
    let label = read.unit.ok_or_else(|| format!("`{name}` has no `unit`; use \"\" for a plain number"))?;
    let direction = match read.direction.as_deref() {
        None => None,
        Some("lower") => Some(Direction::Lower),
        Some("higher") => Some(Direction::Higher),
        Some(other) => return Err(format!("`{name}`: `{other}` is not a valid direction; use lower or higher")),
    };
    if read.replicates.is_empty() {
        return Err(format!("`{name}` has no `replicates`"));
    }
    let scale = builder.unit(&label);
    let metric = stated_metric(read.metric.as_deref(), &label, scale.unit, direction);
    let metric = Metric { exact: read.exact, ..metric };
    let mut replicates: Vec<Evidence> = Vec::new();
    for (at, raw) in read.replicates.into_iter().enumerate() {
        replicates.extend(read_replicate(builder, &name, at, raw, scale.factor));
    }
    let tool = read.tool.filter(|tool| !tool.is_empty()).map_or(Cow::Borrowed(NAME), |tool| tool.into_owned().into());
    builder.add_from_tool(tool, &name, metric, replicates);
    Ok(())
}

/// One run: its samples, a summary or a value.
#[derive(Deserialize)]
struct RunFields {
    samples: Option<Numbers>,
    value: Option<Number>,
    mean: Option<Number>,
    sd: Option<Number>,
    n: Option<Number>,
    #[serde(default)]
    quantiles: Vec<(Number, Number)>,
}

fn read_replicate(
    builder: &mut ReadingBuilder<'_>,
    name: &str,
    at: usize,
    raw: &RawValue,
    factor: f64,
) -> Option<Evidence> {
    let what = format!("`{name}`: replicate");
    let known = ["samples", "value", "mean", "sd", "n", "quantiles"];
    for (key, _) in builder.parse_entry::<Fields<'_>>(&what, at, raw)?.0 {
        if !known.contains(&&*key) {
            warn_unknown_field(builder, &key, &format!("{what} {}", at + 1));
        }
    }
    let read: RunFields = builder.parse_entry(&what, at, raw)?;
    if let Some(samples) = read.samples {
        return Some(Evidence::Samples(samples.0).scaled(factor));
    }
    if let Some(value) = read.value {
        return Some(Evidence::Value(value.0 * factor));
    }
    let shares: Vec<(f64, f64)> = read.quantiles.iter().map(|(share, value)| (share.0, value.0)).collect();
    if !shares.iter().all(|(share, _)| (0.0..=1.0).contains(share)) {
        builder.warn(
            "invalid-value",
            format!("{what} {} skipped: the share of a quantile must be between 0 and 1", at + 1),
        );
        return None;
    }
    let mean = read.mean.and_then(Number::finite);
    let median = shares.iter().find(|(share, _)| *share == 0.5).map(|(_, value)| *value);
    let summary = Summary {
        centre: median.or(mean).unwrap_or(f64::NAN),
        mean,
        sd: read.sd.and_then(Number::finite),
        samples: read.n.and_then(Number::count),
        quantiles: shares,
    };
    Some(Evidence::summary(summary).scaled(factor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Environment, Unit};

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        PerfgateRun.parse(Source { name: "r.json", bytes: text.as_bytes() })
    }

    fn file(measurements: &str) -> String {
        format!(r#"{{"format": "perfgate-run", "version": 1, "measurements": [{measurements}]}}"#)
    }

    #[test]
    fn every_kind_of_evidence_is_read() {
        let text = file(
            r#"{"tool": "ours", "benchmark": "a", "metric": "queries", "unit": "count", "direction": "lower",
            "exact": true, "replicates": [{"value": 3}]},
            {"benchmark": "a", "unit": "ms", "replicates": [{"samples": [1, 2]},
              {"mean": 4, "sd": 1, "n": 9, "quantiles": [[0.95, 6], [0.5, 3]]}]}"#,
        );
        let run = parse(&text).unwrap();
        let [queries, time] = &run.measurements[..] else { panic!("two: {run:?}") };
        assert_eq!((&*queries.tool, queries.metric.exact), ("ours", true));
        assert_eq!((&*time.tool, &*time.metric), ("perfgate-run", &Metric { assumed: true, ..Metric::time() }));
        let summary = Summary {
            centre: 3e6,
            mean: Some(4e6),
            sd: Some(1e6),
            samples: Some(9),
            quantiles: vec![(0.5, 3e6), (0.95, 6e6)],
        };
        assert_eq!(time.evidence, [Evidence::Samples(vec![1e6, 2e6]), Evidence::summary(summary)]);
        assert!(run.diagnostics.is_empty(), "{:?}", run.diagnostics);
    }

    #[test]
    fn unknown_fields_are_reported_and_the_rest_is_read() {
        let text = r#"{"format": "perfgate-run", "version": 1, "comit": "x", "environment": {"cpu": "Z", "cores": 8},
            "measurements": [{"benchmark": "a", "unit": "B", "colour": 1, "replicates": [{"value": 1, "max": 2}]}]}"#;
        let run = parse(text).unwrap();
        let messages: Vec<&str> = run.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(messages[0].contains("`comit`") && messages[1].contains("`colour`") && messages[2].contains("`max`"));
        assert_eq!(
            (run.environment.get(Environment::CORES), &run.measurements[0].metric.unit),
            (Some("8"), &Unit::Byte)
        );
    }

    #[test]
    fn a_newer_version_is_an_error() {
        let error = parse(r#"{"format": "perfgate-run", "version": 2, "measurements": []}"#).unwrap_err();
        assert_eq!(error.code, "newer-version");
        assert!(error.message.contains("version 2") && error.message.contains("Update perfgate"), "{error}");
        assert!(parse(r#"{"format": "perfgate-run"}"#).unwrap_err().message.contains("version"));
    }

    #[test]
    fn a_valid_measurement_among_invalid_ones_is_read() {
        let bad = [r#"{"unit": "ms"}"#, r#"{"benchmark": "u", "replicates": []}"#, "3", r#"{"benchmark": 3}"#];
        let good = r#"{"benchmark": "a", "unit": "s", "replicates": [{"value": 1}]}"#;
        let run = parse(&file(&format!("{},{good}", bad.join(",")))).unwrap();
        assert_eq!((run.measurements.len(), run.diagnostics.len()), (1, 4));
    }
}
