//! Arbitrary bytes, read as the file of a GitHub event of each kind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::io::github::event::Event;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    for name in ["push", "pull_request", "merge_group", "schedule", "workflow_dispatch", "workflow_run"] {
        let _ = Event::parse(name, bytes, Path::new("event.json"), &|_| None);
    }
});
