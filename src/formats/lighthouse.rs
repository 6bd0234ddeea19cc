//! Lighthouse's JSON report of a page: the scores of its categories and its timing audits.

use super::builder::ReadingBuilder;
use super::fields::{entries, number_at, text_at};
use super::text::url_path;
use super::{Format, Preview, Reading, Source, json, stated_time};
use crate::model::{Diagnostic, Direction, EndScope, Evidence, Metric, Unit};
use serde_json::Value;

/// Nanoseconds in Lighthouse's unit of time.
const MILLISECOND: f64 = 1e6;
/// The audits that measure how fast the page is.
const TIMINGS: [&str; 11] = [
    "first-contentful-paint",
    "largest-contentful-paint",
    "first-meaningful-paint",
    "speed-index",
    "interactive",
    "total-blocking-time",
    "max-potential-fid",
    "first-cpu-idle",
    "server-response-time",
    "bootup-time",
    "mainthread-work-breakdown",
];

const LAYOUT_SHIFT: &str = "cumulative-layout-shift";

/// Lighthouse's JSON report of a page.
#[derive(Debug)]
pub struct Lighthouse;

impl Format for Lighthouse {
    fn name(&self) -> &'static str {
        "lighthouse"
    }

    fn produced_by(&self) -> &'static str {
        "lighthouse URL --output json --output-path FILE"
    }

    fn metrics(&self) -> &'static str {
        "time of each timing audit, score of each category (higher is better), layout-shift: one value"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.has_keys(&["lighthouseVersion", "requestedUrl"]) || preview.has_keys(&["lighthouseVersion", "audits"])
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let file: Value = json::parse(source)?;
        builder.set_measured(text_at(&file, "fetchTime").and_then(stated_time::with_zone));
        let url = ["finalDisplayedUrl", "finalUrl", "requestedUrl"].into_iter().find_map(|key| text_at(&file, key));
        let page = url.map_or("/", url_path);
        let mut names: Vec<String> = Vec::new();
        let [code, message] =
            ["code", "message"].map(|key| text_at(&file, &format!("runtimeError.{key}")).unwrap_or_default());
        // Versions 3 and 4 always write a code.
        if !matches!(code, "" | "NO_ERROR") {
            builder.end_early(EndScope::Suite, &format!("{code}: {message}"));
        }
        for (id, category) in entries(&file, "categories") {
            let name = format!("{page} {id}");
            match number_at(category, "score") {
                Some(score) => {
                    let metric = Metric::measured("score", Unit::Percent, Direction::Higher);
                    builder.add(&name, metric, [Evidence::Value(100.0 * score)]);
                    names.push(name);
                }
                None => builder.fail(&name, "no score: at least one of its audits failed"),
            }
        }
        for (id, audit) in entries(&file, "audits") {
            let name = format!("{page} {id}");
            let is_read = TIMINGS.contains(&id.as_str()) || id == LAYOUT_SHIFT;
            if is_read && text_at(audit, "scoreDisplayMode") == Some("error") {
                builder.fail(&name, text_at(audit, "errorMessage").unwrap_or_default());
                continue;
            }
            let Some(value) = number_at(audit, "numericValue") else { continue };
            // Audits with details list savings and resources; the timing of a page is in those without.
            match text_at(audit, "numericUnit") {
                Some("millisecond") if TIMINGS.contains(&id.as_str()) => {
                    builder.add(&name, Metric::time(), [Evidence::Value(value * MILLISECOND)]);
                }
                _ if id == LAYOUT_SHIFT => {
                    let metric = Metric::measured("layout-shift", Unit::Ratio, Direction::Lower);
                    builder.add(&name, metric, [Evidence::Value(value)]);
                }
                _ => continue,
            }
            names.push(name);
        }
        for (setting, value) in conditions(&file) {
            names.iter().for_each(|name| builder.settings.add(name, setting, &value));
        }
        builder.finish()
    }
}

/// The settings with which the page was loaded, and the speed of the machine.
fn conditions(file: &Value) -> Vec<(&'static str, String)> {
    const TEXTS: [(&str, &str); 3] = [
        ("form-factor", "configSettings.formFactor"),
        ("form-factor", "configSettings.emulatedFormFactor"),
        ("throttling-method", "configSettings.throttlingMethod"),
    ];
    const NUMBERS: [(&str, &str); 4] = [
        ("round-trip-time", "configSettings.throttling.rttMs"),
        ("network-throughput", "configSettings.throttling.throughputKbps"),
        ("cpu-slowdown", "configSettings.throttling.cpuSlowdownMultiplier"),
        ("benchmark-index", "environment.benchmarkIndex"),
    ];
    let texts = TEXTS.iter().filter_map(|(setting, path)| Some((*setting, text_at(file, path)?.to_owned())));
    let numbers = NUMBERS.iter().filter_map(|(setting, path)| Some((*setting, number_at(file, path)?.to_string())));
    texts.chain(numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_no_error_is_not_an_error() {
        let parse = |code: &str| {
            let text = format!(
                r#"{{"lighthouseVersion": "4.0.0", "requestedUrl": "http://h/", "audits": {{}},
                "runtimeError": {{"code": "{code}", "message": ""}}, "categories": {{"performance": {{"score": 0.5}}}}}}"#
            );
            Lighthouse.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap()
        };
        assert!(parse("NO_ERROR").failures.is_empty());
        assert_eq!(parse("NO_FCP").failures.early_ends.len(), 1);
    }
}
