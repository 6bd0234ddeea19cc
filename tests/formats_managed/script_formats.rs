//! Formats that scripts write: github-action-benchmark, Bencher Metric Format, CSV and perfgate's run format.

use crate::pair::{Pair, centre, detect, format, read};
use perfgate::formats::Source;
use perfgate::model::{Direction, Evidence};
use std::path::Path;

#[test]
fn known_changes_are_read_from_github_action_benchmark_and_bencher_metric_format() {
    let (slower, faster): (&[&str], &[&str]) = (&["parse"], &["encode/utf-8"]);
    let (stable, removed, added): (&[&str], &[&str], &[&str]) = (&["stable"], &["old"], &["new"]);
    let custom = |tool, files, metric, unit| {
        Pair { tool, files, metric, unit, stable, slower, faster, removed, added }.check();
    };
    custom("github-action-benchmark", ["before.json", "after.json"], "time", "ns");
    custom("github-action-benchmark", ["before.bigger.json", "after.bigger.json"], "throughput", "/s");
    custom("bencher-bmf", ["before.json", "after.json"], "time", "ns");
    custom("bencher-bmf", ["before.json", "after.json"], "throughput", "/s");
}

#[test]
fn the_newest_run_of_a_history_is_read() {
    for file in ["data.js", "external.json"] {
        let reading = read("github-action-benchmark", file);
        let names: Vec<&str> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["Rust/parse", "Scores/score"]);
        assert_eq!(centre(&reading.measurements[0]), 3150.0);
        assert_eq!(reading.measurements[1].metric.direction, Direction::Higher, "customBiggerIsBetter");
        assert_eq!(reading.commit.unwrap().short(), "bbbbbbbbbb");
    }
}

#[test]
fn known_changes_are_read_from_csv() {
    let pair = Pair {
        tool: "csv",
        files: ["before.csv", "after.csv"],
        metric: "time",
        unit: "ns",
        stable: &["stable"],
        slower: &["parse"],
        faster: &[],
        removed: &["old"],
        added: &["new"],
    };
    pair.check();
    let none: &[&str] = &[];
    Pair {
        metric: "throughput",
        unit: "/s",
        stable: none,
        slower: none,
        faster: &["encode, utf-8"],
        removed: none,
        added: none,
        ..pair
    }
    .check();
    let reading = read("csv", "before.csv");
    let parse = &reading.measurements[0];
    assert_eq!(parse.evidence.len(), 3, "three runs");
    assert_eq!(parse.evidence[0], Evidence::Samples(vec![2e6, 2.02e6]));
    let score = reading.measurements.iter().find(|m| m.metric.name == "score").unwrap();
    assert_eq!((score.metric.unit.label(), score.metric.direction), ("points", Direction::Higher));
}

#[test]
fn known_changes_are_read_from_perfgate_runs() {
    let none: &[&str] = &[];
    let pair = Pair {
        tool: "perfgate-run",
        files: ["before.json", "after.json"],
        metric: "time",
        unit: "ns",
        stable: &["stable"],
        slower: &["api/read_user"],
        faster: &[],
        removed: &["old"],
        added: &["new"],
    };
    pair.check();
    let rate = Pair {
        metric: "throughput",
        unit: "B/s",
        stable: none,
        slower: none,
        faster: &["encode/utf-8"],
        removed: none,
        added: none,
        ..pair
    };
    rate.check();
    Pair { metric: "queries", unit: "count", slower: &["api/read_user"], faster: none, ..rate }.check();
    let reading = read("perfgate-run", "before.json");
    assert!(reading.measurements[1].metric.exact);
    assert_eq!((&*reading.measurements[0].tool, &*reading.measurements[3].tool), ("ourbench", "perfgate-run"));
}

#[test]
fn the_example_in_the_documentation_is_read_without_diagnostics() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/run-format.md")).unwrap();
    let example = text.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert_eq!(detect(example.as_bytes()), ["perfgate-run"]);
    let reading = format("perfgate-run").parse(Source { name: "docs", bytes: example.as_bytes() }).unwrap();
    assert_eq!((reading.measurements.len(), reading.diagnostics.len()), (3, 0));
}
