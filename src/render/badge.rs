//! A badge with the verdict.

use super::summary::reasons;
use crate::verdict::{Report, Verdict};

/// A badge in the format that shields.io reads from an address (`endpoint`).
pub fn badge(report: &Report) -> String {
    let (message, color) = match (report.verdict, report.counts.regressed) {
        (Verdict::None, _) => ("no verdict".to_owned(), "lightgrey"),
        (_, 1..) => (format!("{} regressed", report.counts.regressed), "red"),
        (Verdict::Fail, 0) => (reasons(report).join(", "), "red"),
        (Verdict::Pass, 0) => ("no regression".to_owned(), "brightgreen"),
    };
    serde_json::json!({"schemaVersion": 1, "label": "performance", "message": message, "color": color}).to_string()
}
