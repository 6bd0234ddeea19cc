//! Bencher Metric Format. Version 0 is `{"benchmark": {"measure": {"value": 1}}}`, version 1
//! `{"benchmark": [{"parameters": {"size": 16}, "measures": {"measure": {"value": 1, "p99": 2}}}]}`; a file may contain both.
//! Built-in measures have a fixed unit, others are plain numbers. The format does not define the bounds; they are kept as
//! minimum and maximum.

use super::builder::ReadingBuilder;
use super::json::{Number, Pairs, parse_lenient};
use super::metric_by_unit::stated_metric;
use super::{Format, Preview, Reading, Source, json};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Bencher Metric Format.
#[derive(Debug)]
pub struct BencherBmf;

impl Format for BencherBmf {
    fn name(&self) -> &'static str {
        "bencher-bmf"
    }

    fn produced_by(&self) -> &'static str {
        "a script or `bencher mock` that writes Bencher Metric Format JSON"
    }

    fn metrics(&self) -> &'static str {
        "time (from latency), throughput and other measures under their own names: one value with bounds; percentiles (version 1)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let first = preview.text.trim_start();
        first.starts_with('{') && {
            let clean = json::without_nan(first.as_bytes());
            let mut reader = serde_json::Deserializer::from_slice(&clean);
            Benchmarks::deserialize(&mut reader).is_err_and(|error| error.to_string().starts_with(Benchmarks::MOST))
        }
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut scratch = Vec::new();
        let file: Pairs<Cow<'_, str>, &RawValue> = parse_lenient(source, &mut scratch)?;
        let mut builder = ReadingBuilder::new(self.name(), source);
        for (at, (name, raw)) in file.0.into_iter().enumerate() {
            if !raw.get().starts_with('[') {
                let Some(measures) = builder.parse_entry::<Measures<'_>>("benchmark", at, raw) else { continue };
                add_measures(&mut builder, &name, at, measures);
                continue;
            }
            for raw in builder.parse_entry::<Vec<&RawValue>>("benchmark", at, raw).unwrap_or_default() {
                let Some(variant) = builder.parse_entry::<Variant<'_>>("variant of benchmark", at, raw) else {
                    continue;
                };
                let name = variant.name(&name);
                add_measures(&mut builder, &name, at, variant.measures);
            }
        }
        builder.finish()
    }
}

type Measures<'a> = Pairs<Cow<'a, str>, &'a RawValue>;

/// The results of a benchmark with certain parameters, in version 1.
#[derive(Deserialize)]
struct Variant<'a> {
    #[serde(borrow, default)]
    parameters: Option<Pairs<Cow<'a, str>, serde_json::Value>>,
    #[serde(borrow)]
    measures: Measures<'a>,
}

impl Variant<'_> {
    /// The name with the parameters in alphabetical order: their order and the spelling of numbers do not matter.
    fn name(&self, benchmark: &str) -> String {
        let text = |value: &serde_json::Value| match (value.as_str(), value.as_f64()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(number)) => number.to_string(),
            (None, None) => value.to_string(),
        };
        let parameters = self.parameters.iter().flat_map(|pairs| &pairs.0);
        let mut parameters: Vec<String> = parameters.map(|(key, value)| format!("/{key}={}", text(value))).collect();
        parameters.sort_unstable();
        format!("{benchmark}{}", parameters.concat())
    }
}

fn add_measures(builder: &mut ReadingBuilder<'_>, name: &str, at: usize, measures: Measures<'_>) {
    for (measure, raw) in measures.0 {
        let Some(value) = builder.parse_entry::<Value>("measure of benchmark", at, raw) else { continue };
        let (metric, factor) = metric(&measure);
        for (label, number) in &value.named {
            // Percentiles are metrics of their own, such as `time:p99`.
            let metric = Metric { name: format!("{}:{label}", metric.name).into(), ..metric.clone() };
            builder.add(name, metric, [Evidence::Value(number.0).scaled(factor)]);
        }
        let Some(centre) = value.value.finite() else {
            if value.named.is_empty() {
                builder.skip_value(name, format!("`{name}`: {measure} has no value; skipped"));
            }
            continue;
        };
        let evidence = match value.bounds() {
            Some((low, high)) => {
                let quantiles = vec![(0.0, low), (1.0, high)];
                Evidence::summary(Summary { centre, quantiles, ..Summary::default() })
            }
            None => Evidence::Value(centre),
        };
        builder.add(name, metric, [evidence.scaled(factor)]);
    }
}

/// The metric of a measure, by its name (`Build Time`) or slug (`build-time`), with the factor to perfgate's unit.
fn metric(measure: &str) -> (Metric, f64) {
    let slug = measure.to_lowercase().replace(' ', "-");
    let lower = |name: &str, unit| Metric::measured(name.to_owned(), unit, Direction::Lower);
    match slug.as_str() {
        "latency" => (Metric::time(), 1.0),
        "throughput" => (Metric::throughput(), 1.0),
        "build-time" => (lower(&slug, Unit::Nanosecond), 1e9),
        "allocated" => (lower("memory", Unit::Byte), 1.0),
        "file-size" | "total-bytes" | "at-t-gmax-bytes" | "at-t-end-bytes" => (lower(&slug, Unit::Byte), 1.0),
        "estimated-cycles" => (Metric::counted("cycles", Unit::Count, Direction::Lower), 1.0),
        "instructions" | "l1-hits" | "l2-hits" | "ll-hits" | "ram-hits" | "l1-accesses" | "l2-accesses"
        | "ram-accesses" | "total-read-write" => (Metric::counted(slug, Unit::Count, Direction::Lower), 1.0),
        _ if slug.ends_with("-hit-rate") => (Metric::measured(slug, Unit::Percent, Direction::Higher), 1.0),
        _ if slug.ends_with("-miss-rate") => (lower(&slug, Unit::Percent), 1.0),
        _ => (stated_metric(Some(measure), "", Unit::Ratio, None), 1.0),
    }
}

/// The value of a measure.
#[derive(Deserialize)]
struct Value {
    #[serde(default)]
    value: Number,
    #[serde(default)]
    lower_value: Number,
    #[serde(default)]
    upper_value: Number,
    /// In version 1, further values under names such as `p99`.
    #[serde(flatten)]
    named: BTreeMap<String, Number>,
}

impl Value {
    /// Both bounds, if the value lies between them.
    fn bounds(&self) -> Option<(f64, f64)> {
        let (low, high) = (self.lower_value.0, self.upper_value.0);
        (low <= self.value.0 && self.value.0 <= high).then_some((low, high))
    }
}

/// The structure of a value, for detection. The number stays text: a file with `1e999` has this format too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMeasure<'a> {
    #[serde(borrow)]
    value: &'a RawValue,
    #[serde(default, rename = "lower_value")]
    _lower: IgnoredAny,
    #[serde(default, rename = "upper_value")]
    _upper: IgnoredAny,
}

impl RawMeasure<'_> {
    /// Whether a text is a measure. The check for `{` is needed because serde also reads a struct from a list.
    fn is_in(raw: &RawValue) -> bool {
        let measure = raw.get().starts_with('{').then(|| serde_json::from_str::<RawMeasure<'_>>(raw.get()).ok());
        measure.flatten().is_some_and(|measure| is_number(measure.value))
    }
}

fn is_number(raw: &RawValue) -> bool {
    raw.get() == "null" || raw.get().starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

/// The structure of an entry of version 1, for detection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant<'a> {
    #[serde(default, rename = "parameters")]
    _parameters: IgnoredAny,
    #[serde(borrow)]
    measures: Pairs<Cow<'a, str>, Pairs<Cow<'a, str>, &'a RawValue>>,
}

/// Whether a benchmark has measures, and only measures, of one of the two versions.
fn has_measures(raw: &RawValue) -> bool {
    if raw.get().starts_with('[') {
        let is_measure = |values: &Pairs<Cow<'_, str>, &RawValue>| {
            !values.0.is_empty() && values.0.iter().all(|(_, value)| is_number(value))
        };
        return serde_json::from_str::<Vec<RawVariant<'_>>>(raw.get()).is_ok_and(|variants| {
            let mut measures = variants.iter().flat_map(|variant| &variant.measures.0).peekable();
            measures.peek().is_some() && measures.all(|(_, values)| is_measure(values))
        });
    }
    serde_json::from_str::<Pairs<Cow<'_, str>, &RawValue>>(raw.get())
        .is_ok_and(|measures| !measures.0.is_empty() && measures.0.iter().all(|(_, raw)| RawMeasure::is_in(raw)))
}

/// Counts the benchmarks of a file for detection, as far as the preview has them in full. Any name is allowed, so a
/// single value of this shape is not enough: most must have it. serde reports a file that is cut off as an error after
/// the visitor. So the visitor returns its result as the text of an error.
struct Benchmarks;

impl Benchmarks {
    const MOST: &'static str = "most are benchmarks";
}

impl<'de> Deserialize<'de> for Benchmarks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Benchmarks;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Benchmarks, A::Error> {
                let (mut benchmarks, mut others) = (0, 0);
                // An error is the end of the preview.
                while let Ok(Some((_, raw))) = map.next_entry::<Cow<'de, str>, &'de RawValue>() {
                    *(if has_measures(raw) { &mut benchmarks } else { &mut others }) += 1;
                }
                Err(serde::de::Error::custom(if benchmarks > others { Benchmarks::MOST } else { "not a majority" }))
            }
        }
        deserializer.deserialize_map(EntryVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn parse(text: &str) -> Result<Reading, Diagnostic> {
        BencherBmf.parse(Source { name: "b.json", bytes: text.as_bytes() })
    }

    #[test]
    fn built_in_measures_have_a_fixed_unit_and_direction() {
        let text = r#"{"a": {"latency": {"value": 5, "lower_value": 4, "upper_value": 7}, "throughput": {"value": 2},
            "Build Time": {"value": 3}, "score": {"value": 9}}}"#;
        let run = parse(text).unwrap();
        let read: Vec<_> = run.measurements.iter().map(|m| (&*m.metric.name, m.metric.unit.label())).collect();
        assert_eq!(read, [("time", "ns"), ("throughput", "/s"), ("build-time", "ns"), ("score", "1")]);
        assert_eq!(run.measurements[1].metric.direction, Direction::Higher);
        assert_eq!(run.measurements[2].evidence, [Evidence::Value(3e9)]);
        assert_eq!(run.measurements[3].metric.direction, Direction::Unknown);
    }

    #[test]
    fn version_1_has_parameters_and_percentiles_and_may_be_mixed_with_version_0() {
        let text = r#"{"a": [{"parameters": {"size": 16.0, "op": "read"}, "measures": {"latency": {"value": 42, "p99": 97}}},
              {"measures": {"latency": {"p50": 40}}}], "b": {"latency": {"value": 3}}}"#;
        let run = parse(text).unwrap();
        let read: Vec<_> =
            run.measurements.iter().map(|m| (m.benchmark.as_str(), &*m.metric.name, m.evidence[0].centre())).collect();
        let expected = [
            ("a/op=read/size=16", "time:p99", 97.0),
            ("a/op=read/size=16", "time", 42.0),
            ("a", "time:p50", 40.0),
            ("b", "time", 3.0),
        ];
        assert_eq!(read, expected);
        assert!(run.diagnostics.is_empty());
    }

    #[test]
    fn the_first_of_a_repeated_benchmark_is_used() {
        let run = parse(r#"{"a":{"latency":{"value":1}},"a":{"latency":{"value":2},"latency":{"value":3}}}"#).unwrap();
        assert_eq!(run.measurements[0].evidence, [Evidence::Value(1.0)]);
        assert_eq!(run.diagnostics.len(), 2);
    }

    #[test]
    fn other_nested_objects_are_not_detected() {
        let claims = |text: &str| BencherBmf.sniff(&Preview::of(text.as_bytes()));
        assert!(claims(r#"{"a b": {"my-measure": {"value": 1}}, "cut": {"#));
        assert!(claims(r#"{"a": [{"parameters": {"n": 1}, "measures": {"latency": {"p99": 1}}}], "cut": ["#));
        for text in [r#"{"a": []}"#, r#"{"a": [{"measures": {}}]}"#, r#"{"a": [{"measures": {"x": 1}}]}"#] {
            assert!(!claims(text), "{text}");
        }
        assert!(claims(r#"{"a": {"latency": {"value": 1e999}}}"#) && claims(r#"{"a": {"m": {"value": NaN}}}"#));
        assert!(claims(r#"{"a": {"m": {"value": "x"}}, "b": {"m": {"value": 1}}, "c": {"m": {"value": 1}}}"#));
        assert!(!claims(r#"{"params": {"m": {"value": 1}}, "commit_hash": "x", "results": {"a": [1]}}"#));
        for text in [r#"{"a": {}}"#, "{}", r#"{"a": {"m": {"value": 1, "rank": "A"}}}"#, r#"{"a": {"mi": 1}}"#, "{"] {
            assert!(!claims(text), "{text}");
        }
    }
}
