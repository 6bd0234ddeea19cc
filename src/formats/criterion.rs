//! criterion's results (versions 0.3 to 0.8): one benchmark from the files in a baseline's directory. A sample is
//! `times[i] / iters[i]` in nanoseconds; the name is `full_id`, not a directory. `io::criterion_tree` finds the
//! directories.

use super::{Source, json};
use crate::model::{BenchId, Diagnostic, Evidence, Measurement, Metric, Summary, Work, WorkUnit};
use crate::stats::centre;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// Name of the format.
pub const NAME: &str = "criterion";
/// Its row in `perfgate formats`: name, command, metrics.
pub const ABOUT: [&str; 3] = [NAME, "cargo bench (target/criterion)", "time: every sample; work per iteration"];

/// Invalid samples (NaN, infinite, negative, zero) are skipped. With more than this share of them the benchmark is
/// unreadable.
const INVALID_SHARE: f64 = 0.05;

/// Criterion's default number of samples.
const TYPICAL_COUNT: usize = 100;

/// The metric of every benchmark, shared to save memory in trees of thousands.
static TIME: LazyLock<Arc<Metric>> = LazyLock::new(|| Arc::new(Metric::time()));

/// A benchmark, with its measurement or the reason why it could not be read.
#[derive(Debug)]
pub struct Benchmark {
    /// Full name.
    pub id: BenchId,
    /// Times, or why there are none.
    pub measurement: Result<Measurement, Diagnostic>,
    /// A problem that did not prevent reading.
    pub diagnostic: Option<Diagnostic>,
}

/// Name and work per iteration, from `benchmark.json`.
#[derive(Debug)]
pub struct Identity {
    id: BenchId,
    work: Option<Work>,
}

#[derive(Deserialize)]
struct IdentityFile<'a> {
    #[serde(borrow)]
    full_id: Cow<'a, str>,
    #[serde(borrow, default)]
    throughput: Option<&'a RawValue>,
}

/// Work per iteration, as criterion and `cargo criterion` store it.
#[derive(Debug, Deserialize)]
pub(super) enum Throughput {
    Bits(u64),
    Bytes(u64),
    BytesDecimal(u64),
    Elements(u64),
    ElementsAndBytes { elements: u64 },
}

#[derive(Deserialize)]
struct SampleFile {
    iters: Vec<f64>,
    times: Vec<f64>,
}

#[derive(Deserialize)]
struct EstimatesFile {
    mean: Estimate,
    median: Estimate,
    std_dev: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

/// Reads `benchmark.json`.
pub fn identity(source: Source<'_>) -> Result<Identity, Diagnostic> {
    let file: IdentityFile<'_> = json::parse(source)?;
    if file.full_id.is_empty() {
        return Err(Diagnostic::error("unreadable", source.name, "`full_id` is empty; run the benchmark again"));
    }
    // An unknown kind of throughput is not an error: only the rate shown with the time is missing.
    let throughput = file.throughput.and_then(|raw| serde_json::from_str::<Throughput>(raw.get()).ok());
    Ok(Identity { id: BenchId::new(file.full_id), work: throughput.map(Work::from) })
}

impl From<Throughput> for Work {
    fn from(throughput: Throughput) -> Work {
        let (amount, unit) = match throughput {
            Throughput::Bits(n) => (n, WorkUnit::Bits),
            Throughput::Bytes(n) => (n, WorkUnit::Bytes),
            Throughput::BytesDecimal(n) => (n, WorkUnit::BytesDecimal),
            Throughput::Elements(n) | Throughput::ElementsAndBytes { elements: n } => (n, WorkUnit::Elements),
        };
        Work { amount: amount as f64, unit }
    }
}

/// Reads the samples in `sample.json`, in order.
pub fn samples(identity: Identity, source: Source<'_>) -> Benchmark {
    match read_samples(source) {
        Ok(Samples { values, iterations, diagnostic }) => {
            let mut benchmark = benchmark(identity, Ok(Evidence::Samples(values)), diagnostic);
            if let Ok(measurement) = &mut benchmark.measurement {
                measurement.iterations = Some(iterations as f32);
            }
            benchmark
        }
        Err(error) => benchmark(identity, Err(error), None),
    }
}

/// Reads the summary in `estimates.json`, for benchmarks without `sample.json`.
pub fn estimates(identity: Identity, source: Source<'_>) -> Benchmark {
    let evidence = json::parse::<EstimatesFile>(source).and_then(|file| {
        let [centre, mean, sd] = [&file.median, &file.mean, &file.std_dev].map(|e| e.point_estimate);
        if is_time(centre) && is_time(mean) {
            Ok(Evidence::summary(Summary { centre, mean: Some(mean), sd: Some(sd), ..Summary::default() }))
        } else {
            let message =
                format!("a median of {centre} ns and a mean of {mean} ns are not valid times; run the benchmark again");
            Err(Diagnostic::error("invalid-value", source.name, message))
        }
    });
    benchmark(identity, evidence, None)
}

/// A benchmark whose values are missing or could not be read.
pub fn unreadable(identity: Identity, why: Diagnostic) -> Benchmark {
    benchmark(identity, Err(why), None)
}

fn benchmark(identity: Identity, evidence: Result<Evidence, Diagnostic>, diagnostic: Option<Diagnostic>) -> Benchmark {
    let Identity { id, work } = identity;
    let measurement = evidence
        .map(|evidence| Measurement { work, ..Measurement::new(NAME, id.clone(), Arc::clone(&TIME), evidence) });
    Benchmark { id, measurement, diagnostic }
}

/// The samples of a benchmark.
struct Samples {
    values: Vec<f64>,
    /// The median number of iterations of a sample.
    iterations: f64,
    diagnostic: Option<Diagnostic>,
}

fn read_samples(source: Source<'_>) -> Result<Samples, Diagnostic> {
    let SampleFile { iters, times } = match as_criterion_writes(source.bytes) {
        Some(file) => file,
        None => json::parse(source)?,
    };
    let error = |message: String| Err(Diagnostic::error("invalid-samples", source.name, message));
    if iters.len() != times.len() {
        let message = format!("{} iteration counts for {} times; run the benchmark again", iters.len(), times.len());
        return error(message);
    }
    if times.is_empty() {
        return error("there are no samples; run the benchmark again".to_owned());
    }
    let all = times.len();
    let mut samples = times;
    let iterations = centre::median(&iters);
    let mut iters = iters.into_iter();
    samples.retain_mut(|time| {
        let iterations = iters.next().unwrap_or(0.0);
        *time /= iterations;
        iterations > 0.0 && is_time(*time)
    });
    let invalid = all - samples.len();
    if samples.is_empty() || invalid as f64 > INVALID_SHARE * all as f64 {
        return error(format!("zero, negative or not finite samples: {invalid} of {all}; run the benchmark again"));
    }
    let diagnostic = (invalid > 0).then(|| {
        let message = format!("zero, negative or not finite samples: {invalid} of {all}; skipped");
        Diagnostic::warning("invalid-samples", source.name, message)
    });
    Ok(Samples { values: samples, iterations, diagnostic })
}

/// Parses a file as criterion writes it: without spaces, and with whole numbers. `None` for any other file. This saves 103 of 364
/// million instructions of `perfgate compare` of 1,000 benchmarks.
fn as_criterion_writes(bytes: &[u8]) -> Option<SampleFile> {
    let mode = bytes.strip_prefix(br#"{"sampling_mode":""#)?;
    let rest = mode.strip_prefix(b"Linear").or_else(|| mode.strip_prefix(b"Flat"))?;
    let (iters, rest) = whole_numbers(rest.strip_prefix(br#"","iters":["#)?)?;
    let (times, rest) = whole_numbers(rest.strip_prefix(br#","times":["#)?)?;
    (rest == b"}").then_some(SampleFile { iters, times })
}

/// A list such as `1.0,20.0]` after its opening bracket, and the bytes after it. Up to 14 digits, the numbers are the same
/// as serde_json's.
fn whole_numbers(bytes: &[u8]) -> Option<(Vec<f64>, &[u8])> {
    let mut numbers = Vec::with_capacity(TYPICAL_COUNT);
    let mut at = 0;
    loop {
        let (start, mut number) = (at, 0_u64);
        while let Some(digit @ b'0'..=b'9') = bytes.get(at) {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            at += 1;
        }
        let digits = at - start;
        if !(1..=14).contains(&digits) || digits > 1 && bytes[start] == b'0' {
            return None;
        }
        numbers.push(number as f64);
        let end = bytes.get(at..at + 3)?;
        at += 3;
        match end {
            b".0," => {}
            b".0]" => return Some((numbers, &bytes[at..])),
            _ => return None,
        }
    }
}

fn is_time(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(bytes: &[u8]) -> Source<'_> {
        Source { name: "file.json", bytes }
    }

    fn id() -> Identity {
        Identity { id: BenchId::new("x"), work: None }
    }

    fn read(text: &str) -> Benchmark {
        samples(id(), source(text.as_bytes()))
    }

    #[test]
    fn a_sample_is_time_over_iterations() {
        let benchmark = read(r#"{"sampling_mode":"Linear","iters":[1.0,2.0,4.0],"times":[3.0,7.0,10.0]}"#);
        let measurement = benchmark.measurement.unwrap();
        assert_eq!(measurement.evidence, [Evidence::Samples(vec![3.0, 3.5, 2.5])]);
        assert_eq!(*measurement.metric, Metric::time());
    }

    #[test]
    fn invalid_sample_files_are_errors_with_reason_and_file() {
        for (text, word) in [
            (r#"{"iters":[1.0],"times":[1.0,2.0]}"#, "1 iteration counts for 2 times"),
            (r#"{"iters":[],"times":[]}"#, "no samples"),
            (r#"{"iters":[0.0],"times":[5.0]}"#, "samples: 1 of 1"),
            (r#"{"iters":[1.0],"times":[-5.0]}"#, "samples: 1 of 1"),
            (r#"{"iters":[1.0],"times":[1."#, "ends too early"),
            (r#"{"iters":[1.0],"times":[NaN]}"#, "not valid JSON"),
            (r#"{"iters":1.0,"times":[1.0]}"#, "unexpected JSON structure"),
            ("", "is empty"),
        ] {
            let error = read(text).measurement.unwrap_err();
            assert!(error.message.contains(word), "{text}: {error}");
            assert_eq!(error.place, "file.json");
        }
    }

    #[test]
    fn a_few_invalid_samples_are_skipped_and_reported() {
        let iters = vec!["1.0"; 40].join(",");
        let mut times = vec!["5.0"; 40];
        times[7] = "0.0";
        let benchmark = read(&format!(r#"{{"iters":[{iters}],"times":[{}]}}"#, times.join(",")));
        assert!(benchmark.diagnostic.unwrap().message.contains("1 of 40"));
        assert_eq!(benchmark.measurement.unwrap().evidence, [Evidence::Samples(vec![5.0; 39])]);
    }

    #[test]
    fn files_of_criterion_are_read_as_by_serde() {
        let numbers = ["0.0", "7.0", "20.0", "4503599627370.0", "99999999999999.0"];
        let text = |mode: &str, numbers: &[&str]| {
            let list = numbers.join(",");
            format!(r#"{{"sampling_mode":"{mode}","iters":[{list}],"times":[{list}]}}"#)
        };
        for mode in ["Linear", "Flat"] {
            let text = text(mode, &numbers);
            let [quick, by_serde] =
                [as_criterion_writes(text.as_bytes()).unwrap(), json::parse(source(text.as_bytes())).unwrap()];
            assert_eq!((quick.iters, quick.times), (by_serde.iters, by_serde.times));
        }
        let others = ["1", "1.5", "1.00", "1e3", "01.0", "-1.0", " 1.0", "1.0 ", "", "123456789012345.0", "null"];
        for other in others {
            assert!(as_criterion_writes(text("Flat", &["1.0", other]).as_bytes()).is_none(), "{other}");
        }
        for other in [text("Other", &["1.0"]), text("Flat", &[]), text("Flat", &["1.0"]) + "\n"] {
            assert!(as_criterion_writes(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn throughput_is_the_work_of_an_iteration() {
        let text = br#"{"group_id":"g","full_id":"g/1024","throughput":{"Bytes":1024}}"#;
        let identity = identity(source(text)).unwrap();
        assert_eq!(identity.id.as_str(), "g/1024");
        assert_eq!(identity.work, Some(Work { amount: 1024.0, unit: WorkUnit::Bytes }));
        let unknown = super::identity(source(br#"{"full_id":"g","throughput":{"Parsecs":[1]}}"#)).unwrap();
        assert_eq!(unknown.work, None);
    }
}
