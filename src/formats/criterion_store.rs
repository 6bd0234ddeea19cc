//! What `cargo criterion` keeps in `target/criterion/data/TIMELINE`, as CBOR: a benchmark's identity and the file name of its
//! newest measurement. Unlike criterion it writes no JSON there. `io::criterion_tree` finds the files.

use super::Source;
use super::criterion::Throughput;
use crate::model::{Diagnostic, Evidence, Measurement, Metric, Work};
use crate::stats::centre;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The file with a benchmark's identity.
pub const BENCHMARK: &str = "benchmark.cbor";
/// The timeline that is written without `--timeline`.
pub const TIMELINE: &str = "main";

/// A stored benchmark.
#[derive(Debug, Deserialize)]
pub struct StoredBenchmark {
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
    throughput: Option<ciborium::Value>,
}

#[derive(Deserialize)]
struct Statistics {
    iterations: Vec<f64>,
    values: Vec<f64>,
}

impl StoredBenchmark {
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
pub fn benchmark(source: Source<'_>) -> Result<StoredBenchmark, Diagnostic> {
    parse(source)
}

/// Reads a measurement.
pub fn measurement(stored: &StoredBenchmark, source: Source<'_>) -> Result<Measurement, Diagnostic> {
    let Statistics { iterations, values } = parse(source)?;
    let samples: Vec<f64> = values.iter().zip(&iterations).map(|(time, count)| time / count).collect();
    let is_valid = |sample: &f64| sample.is_finite() && *sample > 0.0;
    if samples.is_empty() || values.len() != iterations.len() || !samples.iter().all(is_valid) {
        let message = "the samples are not valid times; run the benchmark again";
        return Err(Diagnostic::error("invalid-samples", source.name, message));
    }
    // An unknown kind of throughput is not an error: only the rate shown with the time is missing.
    let throughput = stored.id.throughput.as_ref().and_then(|value| value.deserialized::<Throughput>().ok());
    let work = throughput.map(Work::from);
    let measurement = Measurement::new("cargo-criterion", stored.name(), Metric::time(), Evidence::Samples(samples));
    Ok(Measurement { work, iterations: Some(centre::median(&iterations) as f32), ..measurement })
}

fn parse<T: DeserializeOwned>(source: Source<'_>) -> Result<T, Diagnostic> {
    ciborium::from_reader(source.bytes).map_err(|error| {
        let what = match error {
            ciborium::de::Error::Io(_) => "it is cut short",
            _ => "it is not a file of `cargo criterion`",
        };
        let message = format!("{what}; run the benchmark again");
        Diagnostic::error("unreadable", source.name, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WorkUnit;
    use ciborium::cbor;

    fn work(throughput: ciborium::Value) -> Option<Work> {
        let bytes = |value: ciborium::Value| {
            let mut bytes = Vec::new();
            ciborium::into_writer(&value, &mut bytes).unwrap();
            bytes
        };
        let id = cbor!({"group_id" => "g", "function_id" => null, "value_str" => "8", "throughput" => throughput});
        let stored = bytes(cbor!({"id" => id.unwrap(), "latest_record" => "m.cbor"}).unwrap());
        let stored = benchmark(Source { name: "benchmark.cbor", bytes: &stored }).unwrap();
        assert_eq!(stored.name(), "g/8");
        let samples = bytes(cbor!({"iterations" => [1.0], "values" => [5.0]}).unwrap());
        measurement(&stored, Source { name: "m.cbor", bytes: &samples }).unwrap().work
    }

    #[test]
    fn all_kinds_of_throughput_are_read_and_an_unknown_one_is_no_error() {
        let read = |value: Result<ciborium::Value, _>| work(value.unwrap()).map(|work| (work.amount, work.unit));
        assert_eq!(read(cbor!({"Bits" => 8})), Some((8.0, WorkUnit::Bits)));
        assert_eq!(read(cbor!({"BytesDecimal" => 9})), Some((9.0, WorkUnit::BytesDecimal)));
        assert_eq!(
            read(cbor!({"ElementsAndBytes" => {"elements" => 3, "bytes" => 24}})),
            Some((3.0, WorkUnit::Elements))
        );
        assert_eq!((read(cbor!({"Lines" => 8})), read(cbor!(7)), read(cbor!(null))), (None, None, None));
    }
}
