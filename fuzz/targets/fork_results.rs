//! Arbitrary bytes, read as the results of a fork's pull request, which a workflow with a token that can write publishes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::io::github::fork_results::ForkResults;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = ForkResults::parse(bytes, Path::new("perfgate-results.bin"));
});
