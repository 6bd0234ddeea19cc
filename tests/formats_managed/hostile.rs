//! Invalid, hostile and random bytes for every format of the group: an error or diagnostics, never a panic.

use crate::TESTED;
use crate::pair::{centre, data, detect, format};
use perfgate::formats::Source;
use proptest::prelude::*;

#[test]
fn hostile_text_is_an_error_in_every_format() {
    let deep = "[".repeat(100_000);
    let objects = "{\"a\":".repeat(100_000);
    let closed = format!("{deep}{}", "]".repeat(100_000));
    let benchmarks = format!(r#"{{"benchmarks": [{deep}, "results": {closed}, "tasks": [{closed}]}}"#);
    let list = format!(r#"[{{"name": {closed}, "unit": "ns", "value": 1}}]"#);
    let texts = [
        "",
        " \n",
        "{}",
        "[]",
        "null",
        "42",
        "\"x\"",
        "{",
        "[{",
        "\u{feff}",
        "\0\0\0\0",
        &deep,
        &objects,
        &closed,
        &benchmarks,
        &list,
    ];
    for name in TESTED {
        for text in texts {
            let start: String = text.chars().take(40).collect();
            let error = format(name).parse(Source { name: "bad", bytes: text.as_bytes() }).err();
            assert!(error.is_some_and(|error| !error.message.is_empty()), "{name} accepts {start}");
        }
    }
}

#[test]
fn a_number_out_of_range_does_not_prevent_reading_the_others() {
    for (name, text) in [
        (
            "github-action-benchmark",
            r#"[{"name": "a", "unit": "ns", "value": 1e999}, {"name": "b", "unit": "ns", "value": 1}]"#,
        ),
        ("bencher-bmf", r#"{"a": {"latency": {"value": 1e999}}, "b": {"latency": {"value": 1}}}"#),
        (
            "pytest-benchmark",
            r#"{"benchmarks": [{"fullname": "a", "stats": {"data": [1e999]}}, {"fullname": "b", "stats": {"data": [1]}}]}"#,
        ),
    ] {
        assert_eq!(detect(text.as_bytes()), [name]);
        let reading = format(name).parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        assert_eq!((reading.measurements.len(), reading.diagnostics.len()), (1, 1), "{name}");
        assert_eq!(reading.measurements[0].benchmark.as_str(), "b");
    }
}

/// The files to mutate: one or two per format.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let before = |tool: &'static str| {
        let names = ["before.json", "before.txt", "before.csv", "data.js"].into_iter();
        names
            .filter_map(move |name| std::fs::read(data(&format!("{tool}/{name}"))).ok())
            .map(move |bytes| (tool, bytes))
    };
    TESTED.into_iter().flat_map(before).collect()
}

/// Detects and reads the bytes, and checks what is true of every reading.
fn check_reading(name: &str, bytes: &[u8]) {
    detect(bytes);
    let Ok(reading) = format(name).parse(Source { name: "x", bytes }) else { return };
    assert!(!reading.measurements.is_empty() || !reading.failures.is_empty());
    for measurement in &reading.measurements {
        assert!(!measurement.evidence.is_empty() && centre(measurement).is_finite(), "{measurement:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), text in "[\\[{\"a-z0-9:., ±%()/]{0,200}") {
        for name in TESTED {
            check_reading(name, &bytes);
            check_reading(name, text.as_bytes());
        }
    }

    #[test]
    fn mutations_of_real_files_never_panic(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        cuts in prop::bool::weighted(0.2),
    ) {
        const PIECES: [&str; 11] = ["null", "-", "[]", "{}", "\"", "1e999", ",", "}", "0", "NaN", "\\ud800"];
        for (name, mut bytes) in seeds() {
            for (at, kind, byte) in &edits {
                let at = at.index(bytes.len());
                match PIECES.get(*kind) {
                    Some(piece) => drop(bytes.splice(at..=at, piece.bytes())),
                    None => bytes[at] = *byte,
                }
            }
            if cuts {
                bytes.truncate(cut.index(bytes.len()));
            }
            check_reading(name, &bytes);
        }
    }
}
