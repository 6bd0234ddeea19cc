//! Values in samples of single files, tools that write several files, and files that are compressed, copied from a log, or
//! not known.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{OTHER_FILES, Sandbox, data, files_below};
use perfgate::formats::{FORMATS, Source, detect};
use perfgate::io::input::{self, LoadedResults, Request};
use perfgate::model::{Detail, Measurement};
use rayon::prelude::*;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[test]
fn values_are_in_the_units_of_perfgate() {
    let expected = [
        ("artillery/before.json", "http", "time:p95", 30.9e6),
        ("asv-text/before.txt", "suite.TimeSuite.time_parse", "time", 835e3),
        ("benchmark-driver/before.txt", "a", "throughput", 1.21e6),
        ("benchmarkdotnet-table/before.csv", "Parse/N=1000", "memory", 1024.0),
        ("benchmarkdotnet-table/before.csv", "Parse/N=100", "time", 1234.5),
        ("benchmarktools/before.json", "parse/64", "memory", 512.0),
        ("bombardier/before.json", "/a", "time:p50", 1.1e6),
        ("callgrind-text/before.gungraun.txt", "suite::codec::parse_line", "instructions", 24024.0),
        ("celero/before.csv", "Demo/Complex/64", "time", 250.0),
        ("dart-benchmark/before.txt", "ForLoop", "time", 2000.0),
        ("gatling/before.json", "cart/add", "time:p50", 10e6),
        ("ghz/before.json", "a.B.C", "time:p95", 8e6),
        ("hyperfine-csv/before.csv", "encode, utf-8", "time", 0.796157073e9),
        ("hyperfine-markdown/before.md", "old | cat", "time", 300.6e6),
        ("hyperfine-text/before.txt", "encode, utf-8", "time", 0.8095e9),
        ("jmeter-statistics/before.json", "GET /b", "time:p99", 80e6),
        ("jmh-csv/before.csv", "org.example.P.format/size=10", "time", 12_500.0),
        ("jmh-text/before.txt", "P.format/size=10", "memory", 24.0),
        ("lighthouse/before.json", "/shop performance", "score", 100.0),
        ("oha/before.json", "oha", "error-rate", 4.0),
        ("pytest-benchmark-table/before.txt", "test_parse", "time", 2_089_888.0),
        ("redis-benchmark/before.csv", "GET", "time:p99", 14.887e6),
        ("sysbench/before.txt", "sysbench", "throughput", 18711.74),
        ("tango/before.txt", "parse_line", "time", 939.7),
        ("vegeta/before.json", "vegeta", "error-rate", 2.0),
    ];
    for (file, name, metric, value) in expected {
        let bytes = fs::read(data(file)).unwrap();
        let format = detect(&bytes)[0];
        let reading = format.parse(Source { name: file, bytes: &bytes }).unwrap();
        let is = |m: &&perfgate::model::Measurement| m.benchmark.as_str() == name && m.metric.name == metric;
        let found = reading.measurements.iter().find(is).unwrap_or_else(|| panic!("{file}: no {metric} of {name}"));
        let centre = found.evidence[0].centre();
        assert!((centre - value).abs() <= 1e-9 * value.abs(), "{file}: {name} {metric} is {centre}, not {value}");
    }
}

#[test]
fn of_several_files_of_one_tool_the_most_exact_one_is_read() {
    let sandbox = Sandbox::new();
    let command = "sleep 0.1";
    let json = |factor: f64| {
        let times: Vec<f64> = (0..10).map(|i| factor * (0.1 + f64::from(i) / 10_000.0)).collect();
        serde_json::json!({"results": [{"command": command, "mean": 0.1, "times": times}]}).to_string()
    };
    for (side, factor) in [("base", 1.0), ("head", 1.01)] {
        sandbox.write(&format!("{side}/out.json"), json(factor));
        sandbox.write(&format!("{side}/out.csv"), format!("command,mean,stddev,median\n{command},0.1,0.001,0.1\n"));
        sandbox.write(
            &format!("{side}/out.md"),
            format!("| Command | Mean [ms] |\n|:---|---:|\n| `{command}` | 100.0 |\n"),
        );
    }
    let report = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]).json();
    let findings = report["benchmarks"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["tool"], "hyperfine");
    assert!(report["diagnostics"].to_string().contains("poorer-format"));
}

#[test]
fn the_error_about_many_commits_is_short_and_names_the_import() {
    let sandbox = Sandbox::new();
    for commit in 0..200 {
        let file = serde_json::json!({"commit_hash": format!("{commit:040x}"), "env_name": "py", "params": {}, "results": {"time_a": 0.1}});
        sandbox.write(&format!("asv/m/{commit}.json"), file.to_string());
    }
    let answer = sandbox.perfgate(&["compare", "asv", "asv"]);
    answer.exits(2).reports("results of 200 commits").reports("perfgate runs import");
    assert!(answer.stderr.len() < 400, "{}", answer.stderr);
}

/// Every file of a format that has a folder, with the format's name.
fn samples() -> Vec<(&'static str, PathBuf)> {
    let mut samples = Vec::new();
    for format in FORMATS {
        let mut files = files_below(Path::new(&data(format.name())));
        files.retain(|path| !OTHER_FILES.contains(&path.file_name().unwrap().to_str().unwrap()));
        samples.extend(files.into_iter().map(|path| (format.name(), path)));
    }
    samples
}

fn read(path: &std::path::Path, bytes: &[u8]) -> Option<Vec<Measurement>> {
    let request = Request { format: None, detail: Detail::Samples, committed: None };
    // Some files that a tool writes next to its results have no measurement of their own.
    let loaded: Option<LoadedResults> = input::read(&path.display().to_string(), bytes, request).ok()?;
    Some(loaded.unwrap_or_else(|| panic!("{}: no format", path.display())).run.measurements)
}

#[test]
fn samples_in_a_log_of_github_actions_or_compressed_read_as_they_are() {
    let samples = samples();
    assert!(samples.len() > 150, "{}", samples.len());
    samples.par_iter().for_each(|(name, path)| {
        let bytes = fs::read(path).unwrap();
        let expected = read(path, &bytes);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&bytes).unwrap();
        let same = |bytes: &[u8], how: &str| assert!(read(path, bytes) == expected, "{name}: {} {how}", path.display());
        same(&gz.finish().unwrap(), "as .gz");
        let zst = zstd::encode_all(&*bytes, 1).unwrap();
        same(&zst, "as .zst");
        let Ok(text) = std::str::from_utf8(&bytes) else { return };
        let log: String = text.lines().map(|line| format!("2026-01-05T10:11:12.1234567Z {line}\n")).collect();
        same(log.as_bytes(), "with timestamps");
        if path.extension().is_some_and(|ending| ending == "txt") {
            let colored: String = text.lines().map(|line| format!("\u{1b}[32m{line}\u{1b}[0m\n")).collect();
            same(colored.as_bytes(), "with colors");
        }
    });
}

#[test]
fn results_far_down_in_a_log_are_found() {
    let sandbox = Sandbox::new();
    for side in ["before", "after"] {
        let other = "   Compiling serde v1.0.0\n".repeat(20_000);
        let text = fs::read_to_string(data(&format!("criterion-text/{side}.txt"))).unwrap();
        let json = fs::read_to_string(data(&format!("hyperfine/{side}.json"))).unwrap();
        for (name, results) in [("text", text), ("json", json)] {
            let log = format!("{other}{results}{other}");
            let line = |line: &str| format!("bench\tRun\t2026-01-05T10:11:12.1234567Z {line}\n");
            sandbox.write(&format!("{name}.{side}"), log.lines().map(line).collect::<String>());
        }
    }
    for (name, tool) in [("text", "criterion-text"), ("json", "hyperfine")] {
        let report = sandbox.perfgate(&[
            "compare",
            &format!("{name}.before"),
            &format!("{name}.after"),
            "--format",
            "json",
            "--all",
        ]);
        assert!(report.code < 2, "{}", report.stderr);
        assert_eq!(report.json()["benchmarks"][0]["tool"], tool);
    }
}

#[test]
fn the_error_about_an_unknown_file_names_what_it_resembles_and_how_to_get_results() {
    let sandbox = Sandbox::new();
    let cut = "2026-01-05T10:11:12+00:00\nRunning ./bench\nRun on (4 X 3000 MHz CPU s)\n";
    sandbox
        .write("gb.txt", cut)
        .write("k6.txt", "  http_req_duration..............: avg=4.5ms min=1ms\n")
        .write("x.txt", "x 3\n");
    sandbox.write("sample.json", r#"{"sampling_mode":"Linear","iters":[1.0],"times":[3.0]}"#);
    for (file, tool, command) in [
        ("gb.txt", "google-benchmark", "--benchmark_out_format=json"),
        ("k6.txt", "k6", "--summary-export=FILE"),
        ("sample.json", "criterion", "target/criterion"),
    ] {
        let answer = sandbox.perfgate(&["compare", file, file]);
        answer
            .exits(2)
            .reports(&format!("{file}: not a known format; it looks like output of {tool},"))
            .reports(command);
        assert!(answer.stderr.len() < 300, "{}", answer.stderr);
    }
    sandbox.perfgate(&["compare", "x.txt", "x.txt"]).exits(2).reports("run `perfgate formats` for a list");
}

#[test]
fn what_cargo_criterion_keeps_is_read_as_a_directory() {
    let [before, after] = ["before", "after"].map(|side| data(&format!("cargo-criterion-store/{side}")));
    let report = Sandbox::new().perfgate(&["compare", &before, &after, "--format", "json", "--all"]).json();
    let row = |name: &str| {
        let rows = report["benchmarks"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name}")).clone()
    };
    assert_eq!(report["benchmarks"].as_array().unwrap().len(), 6);
    let parse = row("parse_line");
    assert_eq!((&parse["tool"], &parse["head"]["samples"]), (&"cargo-criterion".into(), &20.into()));
    assert!(parse["change"].as_f64().unwrap() > 0.5);
    assert!(row("encode/utf-8/a function with a rather long name/64")["change"].as_f64().unwrap() < -0.5);
    assert_eq!((&row("old_codec")["outcome"], &row("new_codec")["outcome"]), (&"removed".into(), &"added".into()));
    // `--timeline NAME` is read like a saved baseline.
    let sandbox = Sandbox::new();
    let answer = sandbox.perfgate(&["compare", &format!("{before}@main"), &format!("{after}@nightly")]);
    answer.exits(2).reports("no baseline `nightly`");
}

#[test]
fn a_damaged_file_of_cargo_criterion_costs_its_benchmark() {
    let sandbox = Sandbox::new();
    let folder = PathBuf::from(data("cargo-criterion-store/before/data/main/parse_line"));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (name, bytes) = (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
        let cut = if name.starts_with("measurement") { bytes.len() / 2 } else { bytes.len() };
        sandbox.write(&format!("t/data/main/a/{name}"), &bytes).write(&format!("t/data/main/b/{name}"), &bytes[..cut]);
        if name.starts_with("benchmark") {
            sandbox.write(&format!("t/data/main/c/{name}"), &bytes);
            sandbox.write("t/data/main/d/benchmark.cbor", b"\xa1");
        }
    }
    let answer = sandbox.perfgate(&["compare", "t", &data("cargo-criterion-store/after"), "--format", "json"]);
    assert!(answer.code < 2, "{}", answer.stderr);
    let notes = answer.json()["diagnostics"].to_string();
    assert!(notes.contains("cut short") && notes.contains("the newest measurement is missing"), "{notes}");
}
