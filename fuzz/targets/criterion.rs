//! Arbitrary bytes, read as the files of criterion and of `cargo criterion`, and as the history of github-action-benchmark.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::formats::{Source, criterion, criterion_store, history_runs};

fuzz_target!(|bytes: &[u8]| {
    let source = Source { name: "fuzzed", bytes };
    let identity = || criterion::identity(Source { name: "benchmark.json", bytes: br#"{"full_id":"a"}"# });
    let _ = criterion::identity(source);
    for read in [criterion::samples, criterion::estimates] {
        if let Ok(identity) = identity() {
            let _ = read(identity, source);
        }
    }
    let _ = history_runs(source);
    // A benchmark and its measurement, with the length of the first one before them.
    if let Ok(stored) = criterion_store::benchmark(source) {
        let _ = (stored.name(), stored.file(), criterion_store::measurement(&stored, source));
    }
    if let Some((length, rest)) = bytes.split_first() {
        let (first, second) = rest.split_at(rest.len().min(usize::from(*length)));
        if let Ok(stored) = criterion_store::benchmark(Source { name: "benchmark.cbor", bytes: first }) {
            let _ = criterion_store::measurement(&stored, Source { name: "measurement.cbor", bytes: second });
        }
    }
});
