//! Tests of files that are not exactly what a tool wrote: compressed, inside a log, or of a benchmark that changed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Sandbox, data};
use serde_json::json;
use std::io::Write;

/// A synthetic asv result file of two benchmarks.
fn asv(commit: char, seconds: f64, version: &str) -> String {
    let row = |seconds: f64, version: &str| {
        let samples: Vec<f64> = (0..10).map(|i| seconds * (1.0 + f64::from(i % 5) / 1000.0)).collect();
        json!([[seconds], [], version, 1, 0.4, [seconds], [seconds], [10], [10], [samples]])
    };
    json!({"commit_hash": commit.to_string().repeat(40), "env_name": "py", "params": {"cpu": "Test CPU"},
        "result_columns": ["result", "params", "version", "started_at", "duration", "stats_q_25", "stats_q_75",
            "stats_number", "stats_repeat", "samples"],
        "results": {"suite.time_parse": row(seconds, version), "suite.time_dump": row(seconds * 2.0, "same")}, "version": 2})
    .to_string()
}

#[test]
fn a_benchmark_of_another_version_is_not_comparable() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", asv('a', 0.001, "1")).write("head.json", asv('b', 0.003, "2"));
    let report = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]);
    let report = report.json();
    let parse = &report["benchmarks"].as_array().unwrap().iter().find(|b| b["name"] == "suite.time_parse").unwrap();
    assert_eq!(parse["outcome"], "inconclusive");
    assert!(parse["notes"].to_string().contains("the benchmark itself changed"));
    // The other one is compared.
    assert_eq!(report["tests"], 1);
}

#[test]
fn stored_runs_of_another_version_are_left_out_of_the_base() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for (file, version, factor) in [("1.json", "1", 3.0), ("2.json", "1", 3.0), ("3.json", "2", 1.0)] {
        sandbox.commit("r", file);
        sandbox.write(file, asv('a', 0.001 * factor, version));
        sandbox.perfgate_at("r", &["record", &format!("../{file}"), "--commit", "HEAD"]).exits(0);
    }
    sandbox.commit("r", "head");
    sandbox.write("head.json", asv('b', 0.001_001, "2"));
    let args = ["compare", "--head", "../head.json", "--commit", "HEAD", "--format", "json"];
    let report = sandbox.perfgate_at("r", &args).json();
    let parse = report["benchmarks"].as_array().unwrap().iter().find(|b| b["name"] == "suite.time_parse").unwrap();
    assert_eq!(
        (&parse["base"]["runs"], parse["base"]["value"].as_f64().map(f64::round)),
        (&json!(1), Some(1_002_000.0))
    );
}

#[test]
fn a_series_starts_with_the_current_version_of_its_benchmark() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 0..12 {
        let (version, seconds) = if run < 6 { ("1", 0.003) } else { ("2", 0.001) };
        sandbox.commit("r", &format!("commit {run}"));
        sandbox.write("run.json", asv('a', seconds * (1.0 + f64::from(run) / 10_000.0), version));
        sandbox.perfgate_at("r", &["record", "../run.json", "--commit", "HEAD"]).exits(0);
    }
    let history = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let series =
        |name: &str| history["series"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    let (parse, dump) = (series("suite.time_parse"), series("suite.time_dump"));
    assert_eq!((parse["points"].as_array().unwrap().len(), dump["points"].as_array().unwrap().len()), (6, 12));
    assert_eq!(
        (&parse["changes"], &parse["epoch"]["reason"]),
        (&json!([]), &json!("another version of the benchmark itself"))
    );
    assert_eq!(dump["changes"].as_array().unwrap().len(), 1, "its version did not change, its time did");
}

#[test]
fn results_of_asvs_first_version_are_recognized() {
    let sandbox = Sandbox::new();
    let old = json!({"commit_hash": "c".repeat(40), "date": 1, "params": {"cpu": "Test CPU"}, "python": "2.7",
        "requirements": {}, "results": {"suite.time_a": 0.00042, "suite.mem_c": 344}, "version": 1});
    sandbox.write("old.json", old.to_string());
    sandbox.perfgate(&["compare", "old.json", "old.json", "--all"]).exits(0).prints("suite.time_a");
}

#[test]
fn json_is_found_between_the_lines_of_other_programs() {
    let sandbox = Sandbox::new();
    let json = std::fs::read_to_string(data("google-benchmark/before.json")).unwrap();
    sandbox
        .write("out.json", format!("2026-01-05\nRunning ./bench\n[INFO] x\n***WARNING*** CPU scaling\n{json}\ndone\n"));
    let log: String = json.lines().map(|line| format!("2026-01-05T10:11:12.1234567Z {line}\n")).collect();
    sandbox.write("log.txt", format!("\u{feff}2026-01-05T10:11:12.1234567Z Run ./bench\n{log}"));
    let after = data("google-benchmark/after.json");
    let read = |path: &str| {
        let report = sandbox.perfgate(&["compare", path, &after, "--format", "json"]).json();
        let findings = report["benchmarks"].as_array().unwrap();
        findings.iter().map(|finding| finding["base"]["value"].to_string()).collect::<Vec<_>>()
    };
    let all = read(&data("google-benchmark/before.json"));
    assert!(all.len() > 1);
    assert_eq!((read("out.json"), read("log.txt")), (all.clone(), all));
}

#[test]
fn compressed_results_are_read_and_a_damaged_file_is_an_error() {
    let sandbox = Sandbox::new();
    let json = asv('a', 0.001, "1");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(json.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    sandbox.write("a.json.gz", &gzip).write("a.json.zst", zstd::bulk::compress(json.as_bytes(), 1).unwrap());
    sandbox.write("cut.json.gz", &gzip[..gzip.len() / 2]);
    sandbox.perfgate(&["compare", "a.json.gz", "a.json.zst", "--all"]).exits(0).prints("suite.time_parse");
    sandbox.perfgate(&["compare", "a.json.gz", "cut.json.gz"]).exits(2).reports("cut.json.gz: ");
}

/// A k6 summary of a test in which one request of five fails. Synthetic.
fn k6_summary(requests: u32) -> String {
    let failed = requests / 5;
    json!({"root_group": {}, "metrics": {
        "http_reqs": {"count": requests, "rate": f64::from(requests) / 60.0},
        "http_req_failed": {"passes": failed, "fails": requests - failed, "value": 0.2},
        "iterations": {"count": requests, "rate": f64::from(requests) / 60.0}}})
    .to_string()
}

#[test]
fn a_faster_server_with_the_same_error_rate_passes_and_the_numbers_of_errors_are_shown() {
    let sandbox = Sandbox::new();
    for (file, requests) in [("a.json", 60_000), ("b.json", 60_040), ("c.json", 60_120), ("head.json", 120_000)] {
        sandbox.write(file, k6_summary(requests));
    }
    let sides = ["--base", "a.json", "--base", "b.json", "--base", "c.json", "--head", "head.json"];
    let report = sandbox.perfgate(&[&["compare", "--format", "json"], &sides[..]].concat()).exits(0).json();
    let rows = report["benchmarks"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["metric"] != "errors"));
    let failed = rows.iter().find(|row| row["name"] == "http_req_failed").unwrap();
    assert_eq!((&failed["outcome"], &failed["head"]["events"]), (&json!("unchanged"), &json!(24_000)));
    assert_eq!(failed["notes"][0], "36,032 of 180,160 requests in base, 24,000 of 120,000 requests in head");
}

#[test]
fn dropped_iterations_that_k6_leaves_out_count_as_zero() {
    let sandbox = Sandbox::new();
    let mut dropped: serde_json::Value = serde_json::from_str(&k6_summary(9_000)).unwrap();
    dropped["metrics"]["dropped_iterations"] = json!({"count": 3_000, "rate": 50.0});
    sandbox.write("none.json", k6_summary(12_000)).write("dropped.json", dropped.to_string());
    let outcome = |base: &str, head: &str| {
        let answer = sandbox.perfgate(&["compare", base, head, "--format", "json"]);
        answer.outcome("dropped_iterations").to_owned()
    };
    assert_eq!(outcome("none.json", "dropped.json"), "regressed");
    assert_eq!(outcome("dropped.json", "none.json"), "improved");
}

#[test]
fn an_odd_value_that_only_describes_the_machine_costs_the_field() {
    for (file, from, to) in [
        ("google-benchmark/before.json", "\"num_cpus\":", "\"num_cpus\": {\"odd\": 1}, \"was\":"),
        ("google-benchmark/before.json", "\"host_name\":", "\"host_name\": 7, \"was\":"),
        ("pytest-benchmark/before.json", "\"brand_raw\":", "\"brand_raw\": [1], \"was\":"),
        ("benchmarkdotnet/before.json", "\"LogicalCoreCount\":", "\"LogicalCoreCount\": \"many\", \"was\":"),
        ("mitata/before.json", "\"arch\":", "\"arch\": 1, \"was\":"),
    ] {
        let sandbox = Sandbox::new();
        let text = std::fs::read_to_string(data(file)).unwrap();
        assert!(text.contains(from), "{file}");
        sandbox.write("odd.json", text.replacen(from, to, 1));
        let answer = sandbox.perfgate(&["compare", "odd.json", &data(&file.replace("before", "after"))]);
        assert!(answer.code < 2, "{file}: {}", answer.stderr);
    }
}
