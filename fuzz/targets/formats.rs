//! Arbitrary bytes, read with the formats that are detected.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::formats::{Source, detect};

fuzz_target!(|bytes: &[u8]| {
    for format in detect(bytes) {
        let _ = format.parse(Source { name: "fuzzed", bytes });
    }
});
