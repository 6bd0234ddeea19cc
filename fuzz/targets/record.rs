//! Arbitrary bytes, read as a stored run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::model::{Detail, record};

fuzz_target!(|bytes: &[u8]| {
    for detail in [Detail::Digests, Detail::Samples] {
        let _ = record::decode(bytes, detail);
    }
});
