//! gungraun's `summary.json` (schema 7): valgrind's counts of one benchmark. It also contains the values of the previous
//! run, which are not read.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, callgrind, json, stated_time};
use crate::model::Diagnostic;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// gungraun.
pub struct Gungraun;

#[derive(Deserialize)]
struct Document<'a> {
    module_path: Cow<'a, str>,
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "json::ignore_wrong_type")]
    started_at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    profiles: Vec<Profile<'a>>,
}

#[derive(Deserialize)]
struct Profile<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    total: Total<'a>,
}

#[derive(Deserialize)]
struct Total<'a> {
    #[serde(borrow)]
    metrics: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

#[derive(Deserialize)]
struct Event {
    values: Values,
}

#[derive(Deserialize)]
struct Values {
    new: Option<f64>,
}

/// Whether a summary is not one of iai-callgrind, which gungraun was before.
pub(super) fn has_own_keys(preview: &Preview<'_>) -> bool {
    ["profiles[].data", "duration_ns"].iter().any(|key| preview.json_keys.contains(*key))
}

impl Format for Gungraun {
    fn name(&self) -> &'static str {
        "gungraun"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- --save-summary=json (with gungraun): target/gungraun/**/summary.json"
    }

    fn metrics(&self) -> &'static str {
        "instructions, cycles (estimated), with DHAT also memory, allocations, memory:peak: exact counts"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["benchmark_exe", "module_path"]) && has_own_keys(preview)
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
    builder.set_measured(document.started_at.as_deref().and_then(stated_time::with_zone));
    let name = callgrind::name(&document.module_path, document.id.as_deref());
    let events = document.profiles.into_iter().flat_map(|profile| profile.data.total.metrics);
    let events = events.filter(|(event, _)| callgrind::metric(event).is_some()).map(|(event, raw)| {
        let count = serde_json::from_str::<Event>(raw.get()).ok().and_then(|event| event.values.new);
        (event, count)
    });
    callgrind::add(builder, &name, events);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Evidence, Unit};

    fn document(name: &str, metrics: &str) -> String {
        format!(
            r#"{{"benchmark_exe":"x","module_path":"{name}","id":"one","profiles":[{{"data":{{"total":{{"metrics":{metrics}}}}}}}]}}"#
        )
    }

    #[test]
    fn only_the_value_of_the_new_run_is_read() {
        let text = document(
            "m::f",
            r#"{"Ir":{"change":{"diff_pct":"inf"},"values":{"new":5,"old":7}},"Dr":{"values":{"new":1}}}"#,
        );
        let reading = Gungraun.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.measurements.len(), 1);
        let ir = &reading.measurements[0];
        assert_eq!((ir.benchmark.as_str(), &*ir.metric.name), ("m::f one", "instructions"));
        assert_eq!((&ir.metric.unit, ir.metric.direction, ir.metric.exact), (&Unit::Count, Direction::Lower, true));
        assert_eq!(ir.evidence, [Evidence::Value(5.0)]);
    }

    #[test]
    fn a_file_may_contain_several_documents() {
        let text = document("a", r#"{"Ir":{"values":{"new":5}}}"#)
            + "\n"
            + &document("b", r#"{"Ir":{"values":{"old":5}}}"#)
            + "{";
        let reading = Gungraun.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!(reading.measurements.len(), 1);
        let codes: Vec<_> = reading.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["no-value", "no-value", "unreadable-entry"]);
    }
}
