//! Formats of native languages, Go and command-line tools, on real files. The suites in `tests/data/TOOL` were measured
//! before and after known changes.
#![allow(clippy::unwrap_used, clippy::panic)] // functions that only tests call, which clippy cannot see

#[path = "formats_native/commands.rs"]
mod commands;
mod common;

use perfgate::formats::{FORMATS, Format, Preview, Reading, Source, callgrind};
use perfgate::model::{Direction, Evidence, Measurement, Unit};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn format_of(bytes: &[u8]) -> Vec<&'static str> {
    let preview = Preview::of(bytes);
    FORMATS.iter().filter(|format| format.sniff(&preview)).map(|format| format.name()).collect()
}

fn format(name: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == name).unwrap()
}

/// Reads a file with the one format that is detected.
fn read(tool: &str, file: &str) -> Reading {
    let bytes = fs::read(data().join(tool).join(file)).unwrap();
    assert_eq!(format_of(&bytes), [tool], "{file}");
    format(tool).parse(Source { name: file, bytes: &bytes }).unwrap()
}

/// The median of the runs' centres.
fn centre(measurement: &Measurement) -> f64 {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
    };
    median(measurement.evidence.iter().map(Evidence::centre).collect())
}

/// Readings before and after known changes, and checks of them.
struct Suite {
    before: Reading,
    after: Reading,
}

impl Suite {
    fn of(tool: &str, before: &str, after: &str) -> Self {
        Suite { before: read(tool, before), after: read(tool, after) }
    }

    fn names(reading: &Reading) -> BTreeSet<&str> {
        reading.measurements.iter().map(|m| m.benchmark.as_str()).collect()
    }

    fn has_benchmarks(self, names: &[&str]) -> Self {
        let both: BTreeSet<_> = Self::names(&self.before).union(&Self::names(&self.after)).copied().collect();
        assert_eq!(both, names.iter().copied().collect());
        self
    }

    fn removed_and_added(self, removed: &[&str], added: &[&str]) -> Self {
        let (before, after) = (Self::names(&self.before), Self::names(&self.after));
        assert_eq!(before.difference(&after).copied().collect::<Vec<_>>(), removed);
        assert_eq!(after.difference(&before).copied().collect::<Vec<_>>(), added);
        self
    }

    fn measured<'a>(reading: &'a Reading, name: &str, metric: &str) -> &'a Measurement {
        let found = reading.measurements.iter().find(|m| m.benchmark.as_str() == name && m.metric.name == metric);
        found.unwrap_or_else(|| panic!("no {metric} of {name}"))
    }

    /// Ratio of after to before, inverted where higher is better: above 1 is worse.
    fn worse_by(&self, name: &str, metric: &str) -> f64 {
        let (before, after) = (Self::measured(&self.before, name, metric), Self::measured(&self.after, name, metric));
        assert_eq!(before.metric, after.metric);
        let ratio = centre(after) / centre(before);
        if before.metric.direction == Direction::Higher { 1.0 / ratio } else { ratio }
    }

    fn has_ratio(self, name: &str, metric: &str, from: f64, to: f64) -> Self {
        let ratio = self.worse_by(name, metric);
        assert!((from..to).contains(&ratio), "{metric} of {name}: {ratio}");
        self
    }

    fn has_metric(self, metric: &str, unit: Unit, direction: Direction) -> Self {
        let of = |reading: &Reading| {
            reading
                .measurements
                .iter()
                .filter(|m| m.metric.name == metric)
                .map(|m| m.metric.clone())
                .collect::<Vec<_>>()
        };
        let metrics: Vec<_> = of(&self.before).into_iter().chain(of(&self.after)).collect();
        assert!(!metrics.is_empty());
        assert!(metrics.iter().all(|m| m.unit == unit && m.direction == direction), "{metrics:?}");
        self
    }

    fn has_no_diagnostics(self) -> Self {
        assert_eq!([&self.before.diagnostics[..], &self.after.diagnostics[..]].concat(), []);
        self
    }
}

const CRITERION: [&str; 14] = [
    "parse_line",
    "fib 20",
    "stable",
    "Größe/naïve ✓",
    "old_codec",
    "new_codec",
    "encode/utf-8/scalar/64",
    "encode/utf-8/scalar/1024",
    "encode/utf-8/scalar/16384",
    "encode/utf-8/64",
    "encode/utf-8/1024",
    "encode/utf-8/16384",
    "rows/insert many",
    "weird: <name> | a*b?/quote\"s & `ticks`",
];

#[test]
fn every_sample_of_cargo_criterion_is_read() {
    let suite = Suite::of("cargo-criterion", "before.json", "after.json")
        .has_benchmarks(&CRITERION)
        .removed_and_added(&["old_codec"], &["new_codec"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("parse_line", "time", 1.4, 1.6)
        .has_ratio("fib 20", "time", 0.4, 0.6)
        .has_ratio("stable", "time", 0.95, 1.05)
        .has_no_diagnostics();
    let Evidence::Samples(samples) = &Suite::measured(&suite.before, "parse_line", "time").evidence[0] else {
        panic!()
    };
    assert_eq!((samples.len(), samples[0]), (20, 6_239_950.0 / 3.0));
    let work = Suite::measured(&suite.before, "rows/insert many", "time").work.unwrap();
    assert_eq!(work.amount, 500.0);
}

#[test]
fn each_bencher_line_gives_one_value() {
    let suite = Suite::of("bencher", "before.txt", "after.txt")
        .has_benchmarks(&CRITERION)
        .removed_and_added(&["old_codec"], &["new_codec"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("parse_line", "time", 1.4, 1.6)
        .has_ratio("fib 20", "time", 0.4, 0.6)
        .has_no_diagnostics();
    assert_eq!(Suite::measured(&suite.before, "parse_line", "time").evidence, [Evidence::Value(2_088_769.0)]);
}

#[test]
fn times_and_allocations_are_read_from_the_tree_of_divan() {
    let suite = Suite::of("divan", "before.txt", "after.txt")
        .has_benchmarks(&[
            "suite/fib 20",
            "suite/new_codec",
            "suite/old_codec",
            "suite/parse_line",
            "suite/stable",
            "suite/encode/alloc_vec/10",
            "suite/encode/alloc_vec/1000",
            "suite/encode/scalar/64",
            "suite/encode/scalar/1024",
            "suite/encode/scalar/16384",
            "suite/encode/make/String/t=1",
            "suite/encode/make/String/t=2",
            "suite/encode/make/u8/t=1",
            "suite/encode/make/u8/t=2",
        ])
        .removed_and_added(&["suite/old_codec"], &["suite/new_codec"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_metric("memory", Unit::Byte, Direction::Lower)
        .has_metric("memory:peak", Unit::Byte, Direction::Lower)
        .has_metric("allocations", Unit::Count, Direction::Lower)
        .has_ratio("suite/parse_line", "time", 1.4, 1.6)
        .has_ratio("suite/fib 20", "time", 0.4, 0.6)
        .has_ratio("suite/encode/scalar/64", "time", 0.95, 1.05)
        .has_no_diagnostics();
    let Evidence::Summary(summary) = &Suite::measured(&suite.before, "suite/encode/scalar/64", "time").evidence[0]
    else {
        panic!()
    };
    assert_eq!((summary.centre, summary.samples), (131_400.0, Some(30)));
    assert_eq!(summary.quantiles, [(0.0, 113_200.0), (1.0, 4_569_000.0)]);
    assert_eq!(centre(Suite::measured(&suite.before, "suite/encode/alloc_vec/1000", "memory")), 1000.0);
}

#[test]
fn google_benchmark_repetitions_are_runs() {
    let suite = Suite::of("google-benchmark", "before.json", "after.json")
        .has_benchmarks(&[
            "BM_Parse",
            "BM_Encode/512",
            "BM_Encode/4096",
            "BM_Encode/32768",
            "BM_Stable/real_time",
            "BM_Tmpl<int>",
            "BM_Thr/threads:2",
            "BM_Old",
            "BM_New",
        ])
        .removed_and_added(&["BM_Old"], &["BM_New"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("BM_Parse", "time", 1.4, 1.6)
        .has_ratio("BM_Encode/512", "time", 0.4, 0.6)
        .has_ratio("BM_Encode/4096", "time", 0.4, 0.6)
        .has_ratio("BM_Encode/32768", "time", 0.4, 0.6)
        .has_ratio("BM_Tmpl<int>", "time", 0.95, 1.05)
        .has_ratio("BM_Thr/threads:2", "time", 0.95, 1.05);
    let parse = Suite::measured(&suite.before, "BM_Parse", "time");
    assert_eq!(parse.evidence.len(), 5);
    assert_eq!(parse.evidence[0], Evidence::Value(3_835.351_821_642_197_6));
    let work = Suite::measured(&suite.before, "BM_Encode/512", "time").work.unwrap();
    assert_eq!(work.amount, 512.0);
    let codes: Vec<_> = suite.before.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["failed-benchmark"], "BM_Err, once");
}

#[test]
fn known_changes_are_read_from_google_benchmark_aggregates_and_single_runs() {
    for (before, after) in
        [("before.aggregates_only.json", "after.aggregates_only.json"), ("before.single.json", "after.single.json")]
    {
        let suite = Suite::of("google-benchmark", before, after)
            .removed_and_added(&["BM_Old"], &["BM_New"])
            .has_metric("time", Unit::Nanosecond, Direction::Lower)
            .has_ratio("BM_Parse", "time", 1.4, 1.6)
            .has_ratio("BM_Encode/4096", "time", 0.4, 0.6);
        assert_eq!(Suite::measured(&suite.before, "BM_Parse", "time").evidence.len(), 1);
    }
    let aggregates = read("google-benchmark", "before.aggregates_only.json");
    let Evidence::Summary(summary) = &Suite::measured(&aggregates, "BM_Parse", "time").evidence[0] else { panic!() };
    assert_eq!(summary.centre, 3_830.138_285_190_281);
    assert_eq!((summary.mean, summary.sd), (Some(3_851.323_209_536_910_3), Some(54.478_376_559_265_5)));
    assert_eq!(summary.samples, Some(5));
}

#[test]
fn known_changes_are_read_from_catch2_as_xml_and_text() {
    for (before, after) in [("before.xml", "after.xml"), ("before.txt", "after.txt")] {
        let suite = Suite::of("catch2", before, after)
            .has_benchmarks(&[
                "codec/parse line",
                "codec/encode <utf-8> & \"co\"",
                "codec/a benchmark with a very long name that wraps over the column width",
                "codec/old codec",
                "codec/new codec",
                "io/write/stable",
                "io/advanced",
            ])
            .removed_and_added(&["codec/old codec"], &["codec/new codec"])
            .has_metric("time", Unit::Nanosecond, Direction::Lower)
            .has_ratio("codec/parse line", "time", 1.1, 2.5)
            .has_ratio("codec/encode <utf-8> & \"co\"", "time", 0.2, 0.9)
            .has_no_diagnostics();
        let Evidence::Summary(summary) = &Suite::measured(&suite.before, "codec/parse line", "time").evidence[0] else {
            panic!()
        };
        let expected = if before == "before.xml" { (2.16566e6, 426_280.0) } else { (2.71907e6, 2.29255e6) };
        assert!((summary.centre - expected.0).abs() < 1e-3, "{summary:?}");
        assert!((summary.sd.unwrap() - expected.1).abs() < 1e-3, "{summary:?}");
        assert_eq!(summary.samples, Some(25));
    }
}

#[test]
fn go_lines_of_one_benchmark_are_runs() {
    let codec = "example.com/suite/codec/Benchmark";
    let store = "example.com/suite/store/Benchmark";
    let name = |package: &str, name: &str| format!("{package}{name}");
    let names = [
        name(codec, "Parse"),
        name(codec, "Encode/size=2000/with_space"),
        name(codec, "Encode/size=4000/with_space"),
        name(codec, "Alloc"),
        name(codec, "Stable"),
        name(codec, "Log"),
        name(codec, "Choice/old"),
        name(codec, "Choice/new"),
        name(store, "Stable"),
        name(store, "Parallel"),
    ];
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let suite = Suite::of("go-bench", "before.txt", "after.txt")
        .has_benchmarks(&names)
        .removed_and_added(&[names[6]], &[names[7]])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_metric("memory", Unit::Byte, Direction::Lower)
        .has_metric("allocations", Unit::Count, Direction::Lower)
        .has_metric("throughput", Unit::BytePerSecond, Direction::Higher)
        .has_metric("items", Unit::Count, Direction::Unknown)
        .has_ratio(names[0], "time", 1.2, 2.0)
        .has_ratio(names[1], "time", 0.3, 0.8)
        .has_ratio(names[1], "throughput", 0.3, 0.8)
        .has_ratio(names[2], "time", 0.3, 0.8)
        .has_ratio(names[3], "memory", 1.9, 2.1)
        .has_ratio(names[3], "items", 1.9, 2.1)
        .has_ratio(names[3], "time:p99", 0.99, 1.01)
        .has_no_diagnostics();
    let alloc = Suite::measured(&suite.before, names[3], "time:p99");
    assert_eq!(alloc.evidence, vec![Evidence::Value(12.5e6); 6]);
    assert_eq!(suite.before.environment.get("arch"), Some("x86_64"));
    assert_eq!(suite.before.environment.get("cpu"), Some("AMD EPYC"));
}

#[test]
fn go_events_give_the_same_values_as_text() {
    let reading = read("go-bench", "json_before.ndjson");
    let parse = Suite::measured(&reading, "example.com/suite/codec/BenchmarkParse", "time");
    assert_eq!(parse.evidence, [Evidence::Value(3_282_165.0), Evidence::Value(3_830_844.0)]);
    let stable = Suite::measured(&reading, "example.com/suite/codec/BenchmarkStable", "time");
    assert_eq!(stable.evidence, [Evidence::Value(3_121_280.0), Evidence::Value(4_220_542.0)]);
    Suite { before: reading, after: read("go-bench", "json_after.ndjson") }
        .removed_and_added(&[], &[])
        .has_no_diagnostics();
}

#[test]
fn known_changes_are_read_from_perf_stat_as_json_csv_and_report() {
    for (before, after) in [("before.json", "after.json"), ("before.csv", "after.csv"), ("before.txt", "after.txt")] {
        let suite = Suite::of("perf-stat", before, after)
            .has_benchmarks(&["task-clock", "page-faults", "context-switches", "duration_time"])
            .removed_and_added(&[], &[])
            .has_metric("time", Unit::Nanosecond, Direction::Lower)
            .has_metric("count", Unit::Count, Direction::Lower)
            .has_ratio("page-faults", "count", 1.4, 1.6)
            .has_ratio("duration_time", "time", 1.1, 2.0);
        let codes: Vec<_> = suite.before.diagnostics.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["not-counted"], "instructions");
    }
    let reading = read("perf-stat", "before.csv");
    assert_eq!(centre(Suite::measured(&reading, "task-clock", "time")), 11.62e6);
}

#[test]
fn junit_benchmarks_are_named_by_class_and_test() {
    let suite = Suite::of("junit-xml", "before.xml", "after.xml")
        .has_benchmarks(&[
            "test_times::test_login",
            "test_times.TestApi::test_query[a b]",
            "test_times.TestApi::test_query[<x>&y]",
            "test_times::test_stable",
            "test_times::test_old",
            "test_times::test_new",
        ])
        .removed_and_added(&["test_times::test_old"], &["test_times::test_new"])
        .has_metric("time", Unit::Nanosecond, Direction::Lower)
        .has_ratio("test_times::test_login", "time", 1.4, 1.6)
        .has_ratio("test_times.TestApi::test_query[a b]", "time", 0.4, 0.6)
        .has_ratio("test_times.TestApi::test_query[<x>&y]", "time", 0.4, 0.6);
    let codes: Vec<_> = suite.before.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["failed-benchmark", "skipped-tests"]);
}

/// The formats tested here, with files in tests/data to mutate.
const TOOLS: [(&str, &str); 16] = [
    ("bencher", "before.txt"),
    ("cargo-criterion", "before.json"),
    ("catch2", "before.xml"),
    ("catch2", "before.txt"),
    ("divan", "before.txt"),
    ("go-bench", "before.txt"),
    ("go-bench", "json_before.ndjson"),
    ("google-benchmark", "before.single.json"),
    ("gungraun", "after/gg/suite/codec/parse_line/summary.json"),
    ("hyperfine", "before.json"),
    ("iai-callgrind", "after/iai/suite/codec/parse_line/summary.json"),
    ("junit-xml", "before.xml"),
    ("perf-stat", "before.csv"),
    ("perf-stat", "before.json"),
    ("perf-stat", "before.txt"),
    ("time-v", "before.txt"),
];

/// Reads the bytes and checks that the result is valid values or an error.
fn check_reading(tool: &str, bytes: &[u8]) {
    let _ = format_of(bytes);
    match format(tool).parse(Source { name: "x", bytes }) {
        Ok(reading) => {
            assert!(!reading.measurements.is_empty() || !reading.failures.is_empty());
            for measurement in &reading.measurements {
                assert!(!measurement.evidence.is_empty());
                let value = centre(measurement);
                assert!(value.is_finite() && value >= 0.0, "{measurement:?}");
            }
        }
        Err(error) => assert!(!error.message.is_empty()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        TOOLS.iter().for_each(|(tool, _)| check_reading(tool, &bytes));
    }

    #[test]
    fn mutations_of_real_files_never_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        cut in any::<prop::sample::Index>(),
        twice in any::<bool>(),
    ) {
        for (tool, file) in TOOLS {
            let mut bytes = fs::read(data().join(tool).join(file)).unwrap();
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if twice {
                bytes.extend_from_within(..);
            } else {
                bytes.truncate(cut.index(bytes.len()));
            }
            check_reading(tool, &bytes);
        }
    }
}

#[test]
fn deep_nesting_and_entities_never_panic() {
    let hostile = [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        "<testsuite>".repeat(100_000),
        format!(r#"{{"results":[{{"command":"a","mean":1,"times":[1],"parameters":{}{}}}]}}"#, "[".repeat(100_000), "]".repeat(100_000)),
        r#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><testsuites><testsuite><testcase name="&b;" time="1"/></testsuite></testsuites>"#.to_owned(),
    ];
    for text in hostile {
        TOOLS.iter().for_each(|(tool, _)| check_reading(tool, text.as_bytes()));
    }
}
