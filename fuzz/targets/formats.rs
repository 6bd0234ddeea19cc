//! Arbitrary bytes, read as a result file of the formats that are detected: compressed, as a log or as they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::io::input::{Request, read};
use perfgate::model::Detail;

fuzz_target!(|bytes: &[u8]| {
    let _ = read("fuzzed", bytes, Request { format: None, detail: Detail::Samples, committed: None });
});
