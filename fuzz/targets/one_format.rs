//! One format's reader on any bytes, as --input-format forces them on it: the first byte chooses the format, so that one
//! corpus serves them all; FORMAT=NAME in the environment chooses one for a run of its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::formats::{FORMATS, Format, Source};
use perfgate::model::{Digest, Direction, Evidence};
use std::sync::LazyLock;

static NAMED: LazyLock<Option<&'static dyn Format>> = LazyLock::new(|| {
    let name = std::env::var("FORMAT").ok()?;
    Some(*FORMATS.iter().find(|format| format.name() == name).expect("FORMAT is no input format"))
});

fuzz_target!(|bytes: &[u8]| {
    let (format, bytes) = match (*NAMED, bytes.split_first()) {
        (Some(format), _) => (format, bytes),
        (None, Some((first, rest))) => (FORMATS[usize::from(*first) % FORMATS.len()], rest),
        (None, None) => return,
    };
    let Ok(reading) = format.parse(Source { name: "fuzzed", bytes }) else { return };
    for measurement in &reading.measurements {
        assert!(!measurement.replicates.is_empty());
        for evidence in &measurement.replicates {
            let centre = evidence.centre();
            assert!(centre.is_finite() && centre >= 0.0, "{measurement:?}");
            if let Evidence::Samples(samples) = evidence {
                let _ = Digest::of(samples, Direction::Lower);
            }
        }
    }
});
