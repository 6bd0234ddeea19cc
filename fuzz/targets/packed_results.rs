//! Arbitrary bytes, read as the results of a fork's pull request, which a workflow with a token that can write publishes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::io::github::packed_results::PackedResults;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = PackedResults::parse(bytes, Path::new("perfgate-results.bin"));
});
