//! Arbitrary text, read as perfgate.toml.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::policy::Policy;

fuzz_target!(|text: &str| {
    let _ = Policy::parse(text, "perfgate.toml");
});
