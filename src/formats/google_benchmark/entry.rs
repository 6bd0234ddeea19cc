//! An entry of Google Benchmark's JSON. User counters are stored next to the tool's own keys.

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// A repetition or an aggregate. A counter that is NaN or infinite is `None`, and such a time is NaN: `None` is a clock that the
/// file does not have.
#[derive(Default)]
pub(super) struct Entry<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) run_name: Option<Cow<'a, str>>,
    pub(super) aggregate: Option<Cow<'a, str>>,
    pub(super) unit: Cow<'a, str>,
    pub(super) error: Option<Cow<'a, str>>,
    /// Skipped on purpose, which is not an error.
    pub(super) skipped: bool,
    pub(super) real: Option<f64>,
    pub(super) cpu: Option<f64>,
    pub(super) iterations: Option<f64>,
    pub(super) repetitions: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) counters: Vec<(Cow<'a, str>, Option<f64>)>,
}

impl Entry<'_> {
    /// The benchmark's name without the name of a statistic.
    pub(super) fn run(&self) -> &str {
        let stem = || self.statistic().and_then(|end| self.name.strip_suffix(end)?.strip_suffix('_'));
        self.run_name.as_deref().or_else(stem).unwrap_or(&self.name)
    }

    /// The statistic, for an aggregate. Before version 1.5 it was only in the suffix of the name.
    pub(super) fn statistic(&self) -> Option<&str> {
        let old = || ["mean", "median", "stddev", "cv"].into_iter().find(|end| self.name.ends_with(&format!("_{end}")));
        self.aggregate.as_deref().or_else(|| if self.run_name.is_none() { old() } else { None })
    }

    /// Name and value of the clock that controls the benchmark, in the entry's unit.
    pub(super) fn clock(&self) -> (&'static str, Option<f64>) {
        let real = ["/real_time", "/manual_time"]
            .iter()
            .any(|mark| self.run().split_once(mark).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with('/')));
        if real { ("the real time", self.real) } else { ("the CPU time", self.cpu.or(self.real)) }
    }
}

impl<'de> Deserialize<'de> for Entry<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a benchmark")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry<'de>, A::Error> {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut entry = Entry::default();
        let mut named = false;
        while let Some(Text(key)) = map.next_key()? {
            match &*key {
                "name" => {
                    entry.name = map.next_value::<Text<'_>>()?.0;
                    named = true;
                }
                "run_name" => entry.run_name = Some(map.next_value::<Text<'_>>()?.0),
                "aggregate_name" => entry.aggregate = Some(map.next_value::<Text<'_>>()?.0),
                "time_unit" => entry.unit = map.next_value::<Text<'_>>()?.0,
                "error_occurred" => {
                    if map.next_value::<bool>()? {
                        entry.error.get_or_insert_default();
                    }
                }
                "error_message" => entry.error = Some(map.next_value::<Text<'_>>()?.0),
                "skip_message" => {
                    map.next_value::<IgnoredAny>()?;
                    entry.skipped = true;
                }
                "real_time" => entry.real = Some(map.next_value::<Option<f64>>()?.unwrap_or(f64::NAN)),
                "cpu_time" => entry.cpu = Some(map.next_value::<Option<f64>>()?.unwrap_or(f64::NAN)),
                "iterations" => entry.iterations = map.next_value()?,
                "repetitions" => entry.repetitions = map.next_value()?,
                "threads" => entry.threads = map.next_value()?,
                "family_index"
                | "per_family_instance_index"
                | "repetition_index"
                | "run_type"
                | "aggregate_unit"
                | "label"
                | "big_o"
                | "cpu_coefficient"
                | "real_coefficient"
                | "rms" => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => match map.next_value_seed(CounterSeed)? {
                    Counter::Number(value) => entry.counters.push((key, value)),
                    Counter::Bool(value) => entry.skipped |= value && key == "skipped",
                    Counter::Other => {}
                },
            }
        }
        if named { Ok(entry) } else { Err(serde::de::Error::missing_field("name")) }
    }
}

/// The value of an unknown key: a user counter, which may have any name, or something that is not a number.
enum Counter {
    Number(Option<f64>),
    Bool(bool),
    Other,
}

struct CounterSeed;

impl<'de> DeserializeSeed<'de> for CounterSeed {
    type Value = Counter;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Counter, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match (raw, serde_json::from_str::<Option<f64>>(raw)) {
            ("true" | "false", _) => Counter::Bool(raw == "true"),
            (_, Ok(value)) => Counter::Number(value),
            (_, Err(_)) => Counter::Other,
        })
    }
}
