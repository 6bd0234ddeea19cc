//! Arbitrary bytes, read as a saved comparison and printed in all ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use perfgate::render::{self, TableOptions, template::BUILT_IN};
use perfgate::verdict::Report;

fuzz_target!(|bytes: &[u8]| {
    let Ok(report) = serde_json::from_slice::<Report>(bytes) else { return };
    for all in [false, true] {
        let _ = render::markdown(&report, all);
        let _ = render::table(&report, TableOptions { all, width: Some(80) });
    }
    let _ = render::csv(&report, &mut Vec::new());
    let _ = render::json(&report, &mut Vec::new());
    let _ = (render::junit(&report), render::workflow(&report), render::report_page(&report));
    let _ = (render::verdict_line(&report), render::reasons(&report), BUILT_IN.len());
});
