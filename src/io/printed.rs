//! Results that a command printed. Other output may come before and between them, and several tools may have printed
//! theirs: `cargo bench` runs all bench targets of a workspace, whichever library they use.

use super::capture::CapturedOutput;
use super::copies::leave_out_copies;
use super::files;
use super::input::{self, InputError, LoadedResults, Request};
use crate::model::Diagnostic;
use std::io::{BufReader, Seek};

/// More bytes of results are an error.
const MAX_RESULT_BYTES: u64 = 256 << 20;

/// The results in a stream of output; `None` if it has none of a known format. `place` names it in messages.
pub(super) fn results(
    place: &str,
    output: &CapturedOutput,
    request: Request<'_>,
) -> Result<Option<LoadedResults>, InputError> {
    let refused = |error| InputError::Refused { place: place.to_owned(), error };
    let part = match (&output.whole, &output.file) {
        (Some(bytes), _) if bytes.trim_ascii().is_empty() => return Ok(None),
        (Some(bytes), _) => match of_all_tools(place, bytes, request) {
            Ok(None) if request.format.is_none() => files::from_first_results(&**bytes, MAX_RESULT_BYTES),
            Err(InputError::Nothing { .. }) => return Ok(None),
            other => return other,
        },
        (None, Some(file)) => {
            let mut file = file;
            file.rewind().and_then(|()| files::from_first_results(BufReader::new(file), MAX_RESULT_BYTES))
        }
        (None, None) => return Ok(None),
    };
    match part.map_err(refused)? {
        Some(part) => of_all_tools(place, &part, request),
        None => Ok(None),
    }
}

/// Reads the text in each of its formats.
fn of_all_tools(place: &str, text: &[u8], request: Request<'_>) -> Result<Option<LoadedResults>, InputError> {
    let formats = if request.format.is_some() { Vec::new() } else { files::formats_in_text(text) };
    if formats.len() < 2 {
        return input::read(place, text, request);
    }
    let mut all: Vec<LoadedResults> = Vec::new();
    let mut errors = Vec::new();
    for (format, part) in formats {
        match input::read(place, &part, Request { format: Some(format), ..request }) {
            Ok(None) => {}
            Ok(Some(mut loaded)) => {
                leave_out_copies(&mut all.iter_mut().collect::<Vec<_>>(), &mut loaded, false);
                all.push(loaded);
            }
            Err(error) => errors.push(error),
        }
    }
    all.retain(LoadedResults::has_results);
    if all.is_empty() {
        return errors.into_iter().next().map_or(Ok(None), Err);
    }
    let mut whole = input::merge(all);
    whole.run.is_incomplete |= !errors.is_empty();
    let left_out = |error: InputError| Diagnostic::warning("unreadable", place, format!("{error}; left out"));
    whole.diagnostics.extend(errors.into_iter().map(left_out));
    Ok(Some(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::assemble::is_less_exact_format;
    use crate::io::capture::Capture;
    use crate::model::Detail;
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    /// Tools that people run one after the other with one stream of output.
    const CONSOLE: [&str; 11] = [
        "bencher/before.txt",
        "criterion-text/before.txt",
        "divan/before.txt",
        "go-bench/before.txt",
        "google-benchmark-table/before.txt",
        "hyperfine-text/before.txt",
        "jmh-text/before.txt",
        "nanobench-table/before.txt",
        "pytest-benchmark-table/before.txt",
        "tango/before.txt",
        "hyperfine/before.json",
    ];

    fn read(text: &[u8]) -> Option<LoadedResults> {
        let stream = std::io::Cursor::new(text.to_vec());
        let output = Capture::start(stream, None).unwrap().finish(Instant::now() + Duration::from_secs(60));
        results("output", &output, Request { format: None, detail: Detail::Samples, committed: None }).unwrap()
    }

    fn benchmarks(loaded: Option<LoadedResults>) -> BTreeSet<(String, String, String)> {
        let measurements = loaded.map(|loaded| loaded.run.measurements).unwrap_or_default();
        let key = |one: &crate::model::Measurement| {
            (one.tool.to_string(), one.benchmark.to_string(), one.metric.name.to_string())
        };
        measurements.iter().map(key).collect()
    }

    #[test]
    fn two_tools_in_one_stream_are_both_read() {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut lost = Vec::new();
        let files = CONSOLE.map(|name| (name, std::fs::read(data.join(name)).unwrap()));
        // A text that begins with JSON is read as a document; other results after it are an error.
        for (name, text) in files.iter().filter(|(name, _)| !name.ends_with(".json")) {
            let alone = benchmarks(read(text));
            for (other, second) in files.iter().filter(|(other, _)| other != name) {
                // Criterion's text is not recognized next to libtest's. `measure` reads criterion's directory.
                if [name, other].iter().all(|one| one.starts_with("bencher/") || one.starts_with("criterion-text/")) {
                    continue;
                }
                let both = benchmarks(read(&[text.as_slice(), b"\n", second.as_slice()].concat()));
                let expected: BTreeSet<_> = alone.union(&benchmarks(read(second))).cloned().collect();
                let tools: BTreeSet<&str> = expected.iter().map(|(tool, ..)| tool.as_str()).collect();
                let is_less_exact = |tool: &str| tools.iter().any(|better| is_less_exact_format(tool, better));
                let expected: BTreeSet<_> =
                    expected.iter().filter(|(tool, ..)| !is_less_exact(tool)).cloned().collect();
                if both != expected {
                    let (missing, more) = (expected.difference(&both).count(), both.difference(&expected).count());
                    lost.push(format!("{name} + {other}: {missing} missing, {more} more"));
                }
            }
        }
        assert_eq!(lost, [""; 0]);
    }
}
