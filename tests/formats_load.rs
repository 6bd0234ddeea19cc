//! Formats of load tests, databases, memory, profiles and code, on real output (k6's is synthetic). The suites in
//! `tests/data/TOOL` were measured before and after known changes.

#![allow(clippy::unwrap_used, clippy::panic)] // a claim fails by panicking

use perfgate::formats::{FORMATS, Format, Preview, Reading, Source};
use perfgate::model::{Direction, Evidence, Measurement, Severity, Unit};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The formats tested here; each has a folder in `tests/data`.
const TESTED: [&str; 14] = [
    "ab",
    "autocannon",
    "cprofile",
    "h2load",
    "jmeter",
    "k6",
    "locust",
    "memory-profiler",
    "mprof",
    "pgbench",
    "radon",
    "siege",
    "sqlalchemy-echo",
    "wrk",
];

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

fn detect(bytes: &[u8]) -> Vec<&'static dyn Format> {
    let preview = Preview::of(bytes);
    FORMATS.iter().copied().filter(|format| format.sniff(&preview)).collect()
}

fn named(name: &str) -> &'static dyn Format {
    FORMATS.iter().copied().find(|format| format.name() == name).unwrap()
}

/// Reads a file with the one format that is detected.
fn read(path: &str) -> Reading {
    let bytes = fs::read(data(path)).unwrap();
    let found = detect(&bytes);
    assert_eq!(found.len(), 1, "{path}");
    assert_eq!(found[0].name(), path.split('/').next().unwrap());
    let reading = found[0].parse(Source { name: path, bytes: &bytes }).unwrap();
    assert!(reading.diagnostics.iter().all(|d| d.severity < Severity::Error));
    reading
}

/// Readings before and after known changes.
struct Pair {
    before: Reading,
    after: Reading,
}

fn pair(before: &str, after: &str) -> Pair {
    Pair { before: read(before), after: read(after) }
}

fn names(reading: &Reading) -> BTreeSet<&str> {
    reading.measurements.iter().map(|m| m.benchmark.as_str()).collect()
}

fn find<'r>(reading: &'r Reading, benchmark: &str, metric: &str) -> &'r Measurement {
    let found = |m: &&Measurement| m.benchmark.as_str() == benchmark && m.metric.name == metric;
    reading.measurements.iter().find(found).unwrap_or_else(|| panic!("no {metric} of {benchmark}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

fn centre(measurement: &Measurement) -> f64 {
    median(measurement.evidence.iter().map(Evidence::centre).collect())
}

impl Pair {
    /// Ratio of after to before, inverted where higher is better: above 1 is worse.
    fn worse(&self, benchmark: &str, metric: &str) -> f64 {
        let (before, after) = (find(&self.before, benchmark, metric), find(&self.after, benchmark, metric));
        assert_eq!(before.metric, after.metric);
        match after.metric.direction {
            Direction::Lower | Direction::Unknown => centre(after) / centre(before),
            Direction::Higher => centre(before) / centre(after),
        }
    }

    fn removed(&self) -> Vec<&str> {
        names(&self.before).difference(&names(&self.after)).copied().collect()
    }

    fn added(&self) -> Vec<&str> {
        names(&self.after).difference(&names(&self.before)).copied().collect()
    }
}

fn units(reading: &Reading) -> BTreeSet<(&str, &str)> {
    reading.measurements.iter().map(|m| (&*m.metric.name, m.metric.unit.label())).collect()
}

#[test]
fn known_changes_are_read_from_locust_as_csv_and_json() {
    for (before, after) in [
        ("locust/before_stats.csv", "locust/after_stats.csv"),
        ("locust/before.json", "locust/after.json"),
        ("locust/before.x.json", "locust/after.x.json"),
    ] {
        let pair = pair(before, after);
        let known = ["Aggregated", "GET /missing", "GET /old", "GET /search", "GET /stable", "POST /login"];
        assert_eq!(names(&pair.before), known.into());
        assert_eq!((pair.removed(), pair.added()), (vec!["GET /old"], vec!["GET /new"]));
        assert!(pair.worse("GET /search", "time:p50") > 1.3, "{before}");
        assert!(pair.worse("POST /login", "time:p50") < 0.75, "{before}");
        assert_eq!(centre(find(&pair.after, "GET /missing", "error-rate")), 100.0);
        assert_eq!(centre(find(&pair.after, "GET /stable", "error-rate")), 0.0);
        let metrics = [
            ("error-rate", "%"),
            ("throughput", "/s"),
            ("time:max", "ns"),
            ("time:mean", "ns"),
            ("time:p50", "ns"),
            ("time:p90", "ns"),
            ("time:p95", "ns"),
            ("time:p99", "ns"),
        ];
        assert_eq!(units(&pair.before), metrics.into());
    }
}

#[test]
fn a_locust_row_is_read_exactly() {
    // POST,/login,101,0,65,67.20095400000766,61.15595599999324,160.31072999999196,512.0,25.220028583413594,...
    let reading = read("locust/before_stats.csv");
    let value = |metric| centre(find(&reading, "POST /login", metric));
    assert_eq!(value("time:p50"), 65e6);
    assert_eq!(value("time:p95"), 75e6);
    assert!((value("time:mean") - 67.200954e6).abs() < 1.0);
    assert!((value("time:max") - 160.31073e6).abs() < 1.0);
    assert!((value("throughput") - 25.220028583413594).abs() < 1e-12);
    // 49 of 376 failed.
    assert!((centre(find(&reading, "Aggregated", "error-rate")) - 4900.0 / 376.0).abs() < 1e-9);
}

#[test]
fn csv_and_json_of_one_locust_run_agree() {
    let (csv, json) = (read("locust/after_stats.csv"), read("locust/after.x.json"));
    let after = Pair { before: csv, after: json };
    // The JSON is written a moment later than the CSV and includes a few more requests.
    for name in ["GET /search", "POST /login", "GET /stable", "Aggregated"] {
        assert!((0.8..1.25).contains(&after.worse(name, "time:p50")), "{name}");
        assert!((0.8..1.25).contains(&after.worse(name, "throughput")), "{name}");
    }
}

#[test]
fn other_files_of_locust_are_not_an_error() {
    for name in ["failures", "exceptions", "stats_history"] {
        let reading = read(&format!("locust/before_{name}.csv"));
        assert!(reading.measurements.is_empty());
        assert_eq!(reading.diagnostics[0].code, "not-read");
    }
}

#[test]
fn known_changes_are_read_from_both_layouts_of_a_k6_summary() {
    for kind in ["json", "export.json"] {
        let pair = pair(&format!("k6/before.{kind}"), &format!("k6/after.{kind}"));
        assert_eq!(pair.removed(), ["http_req_failed{gateway:old}", "old_latency"]);
        assert_eq!(pair.added(), ["http_req_failed{gateway:new}", "new_latency"]);
        for metric in ["time:p50", "time:mean", "time:p90", "time:p95", "time:max"] {
            assert!((pair.worse("http_req_duration", metric) - 1.25).abs() < 1e-9);
            assert!((pair.worse("left_latency", metric) - 1.0).abs() < 1e-9);
        }
        assert!((pair.worse("http_reqs", "throughput") - 1.25).abs() < 1e-9);
        assert_eq!(centre(find(&pair.before, "http_req_duration", "time:p50")), 3e6);
        assert_eq!(centre(find(&pair.before, "checks", "error-rate")), 1.0);
        assert_eq!(centre(find(&pair.after, "http_req_failed", "error-rate")), 1.5);
        assert!(!names(&pair.after).contains("vus") && !names(&pair.after).contains("http_req_blocked"));
        let crossed = |reading: &Reading| reading.diagnostics.iter().filter(|d| d.code == "threshold-crossed").count();
        assert_eq!((crossed(&pair.before), crossed(&pair.after)), (0, 2));
    }
}

#[test]
fn load_tests_of_one_url_show_the_slower_search() {
    for (before, after, name, time) in [
        ("wrk/before.txt", "wrk/after.txt", "/search", "time:p50"),
        ("ab/before.txt", "ab/after.txt", "/search", "time:p50"),
        ("h2load/before.txt", "h2load/after.txt", "h2load", "time:mean"),
        ("siege/before.json", "siege/after.json", "siege", "time:mean"),
        ("autocannon/before.json", "autocannon/after.json", "/search", "time:p50"),
    ] {
        let pair = pair(before, after);
        assert_eq!(names(&pair.before), [name].into(), "{before}");
        assert!(pair.removed().is_empty() && pair.added().is_empty());
        assert!((1.35..1.7).contains(&pair.worse(name, time)), "{before}");
        assert!((1.35..1.7).contains(&pair.worse(name, "throughput")), "{before}");
        assert!(pair.worse(name, "time:max") > 1.2, "{before}");
        assert_eq!(centre(find(&pair.after, name, "error-rate")), 0.0);
        assert_eq!(find(&pair.after, name, "throughput").metric.unit, Unit::PerSecond);
    }
}

#[test]
fn values_of_load_tests_are_read_with_their_units() {
    let value = |file: &str, name: &str, metric: &str| centre(find(&read(file), name, metric));
    assert_eq!(value("wrk/before.txt", "/search", "time:p99"), 47.81e6);
    assert_eq!(value("wrk/errors_nolatency.txt", "/missing", "time:mean"), 2.22e6);
    assert_eq!(value("wrk/errors_nolatency.txt", "/missing", "error-rate"), 100.0);
    assert_eq!(value("ab/before.txt", "/search", "time:mean"), 44.43e6);
    assert_eq!(value("ab/before.txt", "/search", "time:p95"), 48e6);
    assert_eq!(value("ab/before.csv", "ab", "time:max"), 50.741e6);
    assert_eq!(value("h2load/before.txt", "h2load", "throughput"), 118.09);
    assert_eq!(value("h2load/before.txt", "h2load", "time:max"), 48.72e6);
    assert_eq!(value("siege/before.json", "siege", "time:mean"), 0.04e9);
    assert_eq!(value("autocannon/before.json", "/search", "time:p99"), 76e6);
    let mean = read("autocannon/before.json");
    let Evidence::Summary(mean) = &find(&mean, "/search", "time:mean").evidence[0] else { panic!() };
    assert_eq!((mean.sd, mean.samples), (Some(5.38e6), Some(331)));
}

#[test]
fn each_request_in_the_gnuplot_file_of_ab_is_a_sample() {
    let pair = pair("ab/before.tsv", "ab/after.tsv");
    let Evidence::Samples(samples) = &find(&pair.before, "ab", "time").evidence[0] else { panic!() };
    assert_eq!(samples.len(), 200);
    assert!((1.35..1.6).contains(&pair.worse("ab", "time")));
    let percentiles = self::pair("ab/before.csv", "ab/after.csv");
    assert!((1.35..1.6).contains(&percentiles.worse("ab", "time:p50")));
}

#[test]
fn known_changes_are_read_from_jmeter_as_csv_and_xml() {
    for (before, after) in [
        ("jmeter/before.jtl", "jmeter/after.jtl"),
        ("jmeter/before.xml", "jmeter/after.xml"),
        ("jmeter/before_noheader.jtl", "jmeter/after.jtl"),
    ] {
        let pair = pair(before, after);
        let known = ["GET /search", "Login, POST", "Total", "missing", "old", "stable \"x\""];
        assert_eq!(names(&pair.before), known.into());
        assert_eq!((pair.removed(), pair.added()), (vec!["old"], vec!["new"]));
        assert!(pair.worse("GET /search", "time") > 1.2, "{before}");
        assert!(pair.worse("Login, POST", "time") < 0.8, "{before}");
        assert_eq!(centre(find(&pair.after, "missing", "error-rate")), 100.0);
        assert_eq!(centre(find(&pair.after, "stable \"x\"", "error-rate")), 0.0);
        assert_eq!(find(&pair.after, "Total", "throughput").metric.direction, Direction::Higher);
        assert!(pair.before.diagnostics.is_empty());
    }
}

#[test]
fn jmeter_samples_are_all_read_in_order() {
    let reading = read("jmeter/before.jtl");
    let lines = fs::read_to_string(data("jmeter/before.jtl")).unwrap();
    // `timeStamp,elapsed,GET /search,...`: the label has no comma.
    let expected: Vec<f64> = lines
        .lines()
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|fields| fields[2] == "GET /search")
        .map(|fields| fields[1].parse::<f64>().unwrap() * 1e6)
        .collect();
    assert_eq!(find(&reading, "GET /search", "time").evidence, [Evidence::Samples(expected)]);
}

#[test]
fn pgbench_benchmarks_are_script_names_in_reports_and_numbers_in_logs() {
    let report = pair("pgbench/before.txt", "pgbench/after.txt");
    assert_eq!((report.removed(), report.added()), (vec!["old.sql"], vec!["new.sql"]));
    assert_eq!(names(&report.before), ["login.sql", "old.sql", "search.sql", "stable.sql", "total"].into());
    assert!(report.worse("search.sql", "time:mean") > 1.25);
    assert!(report.worse("login.sql", "time:mean") < 0.6);
    assert_eq!(centre(find(&report.before, "total", "throughput")), 180.387045);
    assert_eq!(centre(find(&report.before, "search.sql", "throughput")), 55.810356);
    let Evidence::Summary(summary) = &find(&report.before, "search.sql", "time:mean").evidence[0] else { panic!() };
    assert_eq!((summary.centre, summary.sd, summary.samples), (11.833e6, Some(6.115e6), Some(168)));

    let log = pair("pgbench/before.log", "pgbench/after.log");
    assert_eq!(names(&log.before), ["script 0", "script 1", "script 2", "script 3"].into());
    assert!(log.worse("script 0", "time") > 1.25);
    assert!(log.worse("script 1", "time") < 0.6);
    let Evidence::Samples(samples) = &find(&log.before, "script 0", "time").evidence[0] else { panic!() };
    assert_eq!(samples.len(), 168);
}

#[test]
fn pgbench_intervals_and_progress_lines_are_samples_of_the_rate() {
    let aggregated = read("pgbench/before.agg.log");
    // 106 + 189 + 185 transactions took 1405419 + 2004692 + 1993850 us; only the middle interval is complete.
    assert!((centre(find(&aggregated, "total", "time:mean")) - 5403961.0 / 480.0 * 1e3).abs() < 1e-6);
    assert_eq!(find(&aggregated, "total", "throughput").evidence, [Evidence::Samples(vec![189.0])]);
    let progress = read("pgbench/before_progress.txt");
    let rates = Evidence::Samples(vec![144.0, 190.9, 185.1]);
    assert_eq!(find(&progress, "search.sql", "throughput").evidence, [rates]);
    assert!(pair("pgbench/before_progress.txt", "pgbench/after_progress.txt").worse("search.sql", "time:mean") > 1.2);
}

#[test]
fn lag_and_late_transactions_of_a_rate_limited_pgbench_are_read() {
    let reading = read("pgbench/rate_limited.txt");
    let value = |metric| centre(find(&reading, "<builtin: select only>", metric));
    assert_eq!((value("time:lag"), value("skipped"), value("over-limit")), (0.523e6, 0.0, 2.655));
    assert_eq!(names(&read("pgbench/tpcb.txt")), ["<builtin: TPC-B (sort of)>"].into());
}

#[test]
fn nine_selects_before_and_one_after_are_counted() {
    let pair = pair("sqlalchemy-echo/before.log", "sqlalchemy-echo/after.log");
    let count = |reading: &Reading, name: &str, metric: &str| {
        let found = find(reading, name, metric);
        assert!(found.metric.exact && found.metric.direction == Direction::Lower);
        centre(found)
    };
    assert_eq!(count(&pair.before, "all statements", "queries:select"), 9.0);
    assert_eq!(count(&pair.after, "all statements", "queries:select"), 1.0);
    assert_eq!(count(&pair.before, "all statements", "queries"), 10.0);
    assert_eq!(count(&pair.before, "all statements", "transactions"), 1.0);
    assert_eq!(
        (count(&pair.before, "SELECT book", "queries"), count(&pair.after, "SELECT book", "queries")),
        (8.0, 1.0)
    );
    assert_eq!(count(&pair.before, "UPDATE author", "queries"), 1.0);
    assert!(pair.removed().is_empty() && pair.added().is_empty());
    // The warning names the query in the loop.
    assert!(pair.before.diagnostics.iter().any(|d| d.code == "repeated-statement" && d.message.contains("8 times")));
    assert!(pair.after.diagnostics.is_empty());
}

#[test]
fn known_changes_are_read_from_the_lines_of_memory_profiler() {
    let pair = pair("memory-profiler/before.txt", "memory-profiler/after.txt");
    assert_eq!(names(&pair.before), ["mp.py::load", "mp.py::stable"].into());
    assert_eq!((pair.removed(), pair.added()), (vec![], vec!["mp.py::extra"]));
    // Line 7 of the file is the second one after `@profile` in line 5.
    assert!((pair.worse("mp.py::load", "memory:line+2") - 28.6 / 19.1).abs() < 1e-9);
    assert!((pair.worse("mp.py::load", "memory:line+3") - 9.5 / 19.1).abs() < 1e-9);
    assert_eq!(pair.worse("mp.py::load", "memory:peak"), 1.0);
    let peak = find(&pair.before, "mp.py::load", "memory:peak");
    assert_eq!((&peak.metric.unit, centre(peak)), (&Unit::Byte, 61.3 * 1048576.0));
}

#[test]
fn the_peak_of_the_process_is_read_from_mprof() {
    let pair = pair("mprof/before.dat", "mprof/after.dat");
    assert_eq!(names(&pair.before), ["python mp.py"].into());
    assert_eq!(centre(find(&pair.before, "python mp.py", "memory:peak")), 60.199219 * 1048576.0);
    assert!((0.9..1.1).contains(&pair.worse("python mp.py", "memory:peak")));
}

#[test]
fn known_changes_are_read_from_cprofile_files_and_tables() {
    for (before, after) in
        [("cprofile/before.txt", "cprofile/after.txt"), ("cprofile/before.pstats", "cprofile/after.pstats")]
    {
        let pair = pair(before, after);
        let file = "cp.py";
        let name = |function: &str| format!("{file}::{function}");
        assert_eq!((pair.removed(), pair.added()), (vec![&*name("old_codec")], vec![&*name("new_codec")]));
        for function in ["parse", "encode", "stable", "fact", "main"] {
            assert!(names(&pair.before).contains(&*name(function)), "{function}");
        }
        assert!(names(&pair.before).contains("{built-in method time.sleep}"));
        assert!(pair.worse(&name("parse"), "time") > 1.4);
        assert!(pair.worse(&name("encode"), "time") < 0.65);
        assert_eq!(centre(find(&pair.before, &name("fact"), "calls")), 50.0);
        assert_eq!(centre(find(&pair.before, "total", "calls")), 60.0);
        assert!((centre(find(&pair.before, "total", "time")) - 0.306e9).abs() < 1e6);
    }
    let partial = read("cprofile/before.tottime.txt");
    assert!(partial.diagnostics.iter().any(|d| d.code == "partial-list"));
    assert_eq!(centre(find(&partial, "cp.py::encode", "time")), 0.120e9);
}

#[test]
fn radon_counts_are_exact_and_an_unparsable_source_is_a_diagnostic() {
    let complexity = pair("radon/before.cc.json", "radon/after.cc.json");
    let text = pair("radon/before.cc.txt", "radon/after.cc.txt");
    assert_eq!(complexity.after.measurements, text.after.measurements);
    assert_eq!(complexity.before.measurements, text.before.measurements);
    let known = ["Box.get", "encode", "old_codec", "parse", "stable"].map(|name| format!("pkg/mod.py::{name}"));
    assert_eq!(names(&complexity.before), known.iter().map(String::as_str).collect());
    assert_eq!(complexity.removed(), ["pkg/mod.py::old_codec"]);
    assert_eq!(complexity.added(), ["pkg/mod.py::new_codec"]);
    assert_eq!(complexity.worse("pkg/mod.py::parse", "complexity"), 2.0);
    assert_eq!(complexity.worse("pkg/mod.py::encode", "complexity"), 6.0 / 13.0);
    assert!(complexity.before.measurements.iter().all(|m| m.metric.exact));
    assert_eq!(complexity.before.diagnostics.len(), 1);
    assert!(complexity.before.diagnostics[0].message.contains("pkg/broken.py"));

    let index = pair("radon/before.mi.json", "radon/after.mi.json");
    assert!(index.worse("pkg/mod.py", "maintainability") < 1.0); // 41.3 to 42.6, higher is better
    let raw = pair("radon/before.raw.json", "radon/after.raw.json");
    assert_eq!(raw.worse("pkg/mod.py", "lines"), 51.0 / 55.0);
}

/// All files of the tested formats.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let files = |name: &'static str| {
        let mut paths: Vec<_> = fs::read_dir(data(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths.retain(|path| !path.ends_with("README"));
        paths.into_iter().map(move |path| (name, fs::read(path).unwrap()))
    };
    TESTED.into_iter().flat_map(files).collect()
}

#[test]
fn a_truncated_file_is_read_partially_or_is_an_error() {
    for (name, bytes) in samples() {
        for cut in [0, 1, bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(2)] {
            match named(name).parse(Source { name: "cut", bytes: &bytes[..cut] }) {
                Ok(reading) => assert!(!reading.measurements.is_empty() || !reading.diagnostics.is_empty()),
                Err(error) => assert!(!error.message.is_empty() && error.place == "cut"),
            }
        }
    }
}

/// Whether all values are valid, which must be true for any file.
fn all_values_are_valid(reading: &Reading) -> bool {
    let valid = |value: f64| value.is_finite() && value >= 0.0;
    reading.measurements.iter().flat_map(|m| &m.evidence).all(|evidence| {
        let samples = evidence.all_samples();
        samples.is_none_or(|samples| !samples.is_empty() && samples.iter().copied().all(valid))
            && valid(evidence.centre())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = detect(&bytes);
        for name in TESTED {
            if let Ok(reading) = named(name).parse(Source { name: "x", bytes: &bytes }) {
                prop_assert!(all_values_are_valid(&reading));
            }
        }
    }

    #[test]
    fn mutations_of_real_files_never_panic(
        which in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0usize..3), 1..12),
    ) {
        let samples = samples();
        let (name, bytes) = &samples[which.index(samples.len())];
        let mut bytes = bytes.clone();
        for (at, byte, kind) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => {
                    bytes.remove(at);
                }
            }
        }
        let _ = detect(&bytes);
        if let Ok(reading) = named(name).parse(Source { name: "x", bytes: &bytes }) {
            prop_assert!(all_values_are_valid(&reading));
        }
    }
}
