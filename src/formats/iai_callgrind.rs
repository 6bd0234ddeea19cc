//! iai-callgrind's `summary.json` (schema 6): valgrind's counts of one benchmark. It also contains the values of the
//! previous run, which are not read.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, callgrind, gungraun, json};
use crate::model::Diagnostic;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// iai-callgrind.
pub struct IaiCallgrind;

#[derive(Deserialize)]
struct Document<'a> {
    version: Cow<'a, str>,
    module_path: Cow<'a, str>,
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    profiles: Vec<Profile<'a>>,
}

#[derive(Deserialize)]
struct Profile<'a> {
    #[serde(borrow)]
    summaries: Summaries<'a>,
}

#[derive(Deserialize)]
struct Summaries<'a> {
    #[serde(borrow)]
    total: Total<'a>,
}

#[derive(Deserialize)]
struct Total<'a> {
    /// `{"Callgrind": {event: ..}}`, or `"None"` for a tool that counts nothing.
    #[serde(borrow)]
    summary: &'a RawValue,
}

type Events<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

#[derive(Deserialize)]
struct Event {
    metrics: Sides,
}

/// The value of the new run (left), of the old run (right), or both.
#[derive(Deserialize)]
enum Sides {
    Left(Number),
    Right(serde::de::IgnoredAny),
    Both(Number, serde::de::IgnoredAny),
}

#[derive(Deserialize)]
enum Number {
    Int(u64),
    Float(f64),
}

impl Format for IaiCallgrind {
    fn name(&self) -> &'static str {
        "iai-callgrind"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- --save-summary=json (with iai-callgrind 0.16): target/iai/**/summary.json"
    }

    fn metrics(&self) -> &'static str {
        "instructions, cycles (estimated), with DHAT also memory, allocations, memory:peak: exact counts"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["benchmark_exe", "module_path"]) && !gungraun::has_own_keys(preview)
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        json::for_each_document(source, |document| match document {
            Ok(document) => add_document(&mut builder, document),
            Err(message) => builder.warn("unreadable-entry", message),
        })?;
        builder.finish()
    }
}

fn add_document(builder: &mut ReadingBuilder<'_>, document: Document<'_>) {
    let name = callgrind::name(&document.module_path, document.id.as_deref());
    if document.profiles.is_empty() {
        let version = &document.version;
        let message =
            format!("`{name}` has no profiles (schema {version}); perfgate reads iai-callgrind 0.16 and gungraun");
        return builder.warn("no-value", message);
    }
    let summaries = document.profiles.iter().map(|profile| profile.summaries.total.summary);
    let tools = summaries.filter_map(|summary| serde_json::from_str::<BTreeMap<&str, Events<'_>>>(summary.get()).ok());
    let events = tools.flat_map(|tools| tools.into_values().flatten());
    let events = events.filter(|(event, _)| callgrind::metric(event).is_some()).map(|(event, raw)| {
        let count = serde_json::from_str::<Event>(raw.get()).ok().and_then(|event| match event.metrics {
            Sides::Left(Number::Int(count)) | Sides::Both(Number::Int(count), _) => Some(count as f64),
            Sides::Left(Number::Float(count)) | Sides::Both(Number::Float(count), _) => Some(count),
            Sides::Right(_) => None,
        });
        (event, count)
    });
    callgrind::add(builder, &name, events);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Evidence, Unit};

    fn document(metrics: &str) -> String {
        format!(
            r#"{{"version":"6","benchmark_exe":"x","module_path":"m::f","id":null,"profiles":[{{"summaries":{{"total":{{"summary":{metrics}}}}}}}]}}"#
        )
    }

    fn read(text: &str) -> Result<Reading, Diagnostic> {
        IaiCallgrind.parse(Source { name: "x", bytes: text.as_bytes() })
    }

    #[test]
    fn only_the_value_of_the_new_run_is_read() {
        let both = r#"{"Callgrind":{"Ir":{"metrics":{"Both":[{"Int":5},{"Int":7}]}},"EstimatedCycles":{"metrics":{"Left":{"Float":2.5}}}}}"#;
        let reading = read(&document(both)).unwrap();
        let (cycles, ir) = (&reading.measurements[0], &reading.measurements[1]);
        assert_eq!((ir.benchmark.as_str(), &*ir.metric.name, ir.metric.exact), ("m::f", "instructions", true));
        assert_eq!((&ir.metric.unit, ir.metric.direction), (&Unit::Count, Direction::Lower));
        assert_eq!(ir.evidence, [Evidence::Value(5.0)]);
        assert_eq!(cycles.evidence, [Evidence::Value(2.5)]);
    }

    #[test]
    fn a_summary_without_new_values_is_an_error() {
        let old = read(&document(r#"{"Callgrind":{"Ir":{"metrics":{"Right":{"Int":7}}}}}"#)).unwrap_err();
        assert!(old.message.contains("earlier run"), "{old}");
        assert!(read(&document(r#""None""#)).is_err());
    }
}
