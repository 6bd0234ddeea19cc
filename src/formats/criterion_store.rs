//! What `cargo criterion` keeps in `target/criterion/data/TIMELINE`, as CBOR: a benchmark's identity and the file name of its
//! newest measurement. Unlike criterion it writes no JSON there. `io::criterion_tree` finds the files.

use super::Source;
use crate::model::{Diagnostic, Evidence, Measurement, Metric, Work, WorkUnit};
use crate::stats::centre;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The file with a benchmark's identity.
pub const BENCHMARK: &str = "benchmark.cbor";
/// The timeline that is written without `--timeline`.
pub const TIMELINE: &str = "main";

/// A stored benchmark.
#[derive(Debug, Deserialize)]
pub struct Stored {
    id: Id,
    /// The file of the newest measurement, in the same directory.
    latest_record: String,
}

#[derive(Debug, Deserialize)]
struct Id {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    #[serde(default)]
    throughput: Option<BTreeMap<String, u64>>,
}

#[derive(Deserialize)]
struct Statistics {
    iterations: Vec<f64>,
    values: Vec<f64>,
}

impl Stored {
    /// The file of the newest measurement; `None` if it would be in another directory.
    pub fn file(&self) -> Option<&str> {
        Some(self.latest_record.as_str()).filter(|name| !name.contains(['/', '\\', ':']))
    }

    /// The name that criterion prints.
    pub fn name(&self) -> String {
        let parts = [Some(&self.id.group_id), self.id.function_id.as_ref(), self.id.value_str.as_ref()];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

/// Reads a benchmark's identity.
pub fn benchmark(source: Source<'_>) -> Result<Stored, Diagnostic> {
    parse(source)
}

/// Reads a measurement.
pub fn measurement(stored: &Stored, source: Source<'_>) -> Result<Measurement, Diagnostic> {
    let Statistics { iterations, values } = parse(source)?;
    let samples: Vec<f64> = values.iter().zip(&iterations).map(|(time, count)| time / count).collect();
    let is_valid = |sample: &f64| sample.is_finite() && *sample > 0.0;
    if samples.is_empty() || values.len() != iterations.len() || !samples.iter().all(is_valid) {
        let message = "the samples are not valid times; run the benchmark again";
        return Err(Diagnostic::error("invalid-samples", source.name, message));
    }
    let work = stored.id.throughput.iter().flatten().find_map(|(kind, amount)| {
        let unit = match kind.as_str() {
            "Bytes" => WorkUnit::Bytes,
            "BytesDecimal" => WorkUnit::BytesDecimal,
            "Elements" => WorkUnit::Elements,
            _ => return None,
        };
        Some(Work { amount: *amount as f64, unit })
    });
    let measurement = Measurement::new("cargo-criterion", stored.name(), Metric::time(), Evidence::Samples(samples));
    Ok(Measurement { work, iterations: Some(centre::median(&iterations) as f32), ..measurement })
}

fn parse<T: DeserializeOwned>(source: Source<'_>) -> Result<T, Diagnostic> {
    ciborium::from_reader(source.bytes).map_err(|error| {
        let message = format!("not a file of `cargo criterion`, or cut short ({error}); run the benchmark again");
        Diagnostic::error("unreadable", source.name, message)
    })
}
