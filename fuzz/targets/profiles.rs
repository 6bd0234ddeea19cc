//! Arbitrary bytes, read as a profile and compared with themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::profile::{NoInlineFrames, compare_profiles, read};

fuzz_target!(|bytes: &[u8]| {
    let Ok(profile) = read("fuzzed", bytes, &mut NoInlineFrames) else { return };
    let sum: f64 = profile.functions.values().map(|function| function.charged).sum();
    assert!((sum - profile.total).abs() <= 1e-6 * profile.total.max(1.0), "{sum} of {}", profile.total);
    assert!(compare_profiles(&profile, &profile, &[]).functions.is_empty());
});
