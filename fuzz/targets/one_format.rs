//! Arbitrary bytes, read with one format as with --input-format. The first byte selects the format, unless the environment
//! variable FORMAT is set to a format's name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::formats::{FORMATS, Format, Source};
use perfgate::model::{Digest, Direction, Evidence};
use std::sync::LazyLock;

static SELECTED: LazyLock<Option<&'static dyn Format>> = LazyLock::new(|| {
    let name = std::env::var("FORMAT").ok()?;
    Some(*FORMATS.iter().find(|format| format.name() == name).expect("FORMAT is not a known input format"))
});

fuzz_target!(|bytes: &[u8]| {
    let (format, bytes) = match (*SELECTED, bytes.split_first()) {
        (Some(format), _) => (format, bytes),
        (None, Some((first, rest))) => (FORMATS[usize::from(*first) % FORMATS.len()], rest),
        (None, None) => return,
    };
    let Ok(reading) = format.parse(Source { name: "fuzzed", bytes }) else { return };
    for measurement in &reading.measurements {
        assert!(!measurement.evidence.is_empty());
        for evidence in &measurement.evidence {
            let centre = evidence.centre();
            assert!(centre.is_finite() && centre >= 0.0, "{measurement:?}");
            if let Evidence::Samples(samples) = evidence {
                let _ = Digest::of(samples, Direction::Lower);
            }
        }
    }
});
