//! Values of formats whose samples are synthetic, written after the documentation of the tools, and tools that write several
//! files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Scene, data};
use perfgate::formats::{Source, detect};
use std::fs;

#[test]
fn values_are_in_the_units_of_perfgate() {
    let expected = [
        ("artillery/before.json", "http", "time:p95", 40e6),
        ("asv-text/before.txt", "suite.TimeSuite.time_keys", "time", 11_200.0),
        ("benchmark-driver/before.txt", "a", "throughput", 1.21e6),
        ("benchmarkdotnet-table/before.csv", "Parse/N=1000", "memory", 1024.0),
        ("benchmarkdotnet-table/before.csv", "Parse/N=100", "time", 1234.5),
        ("benchmarktools/before.json", "parse/64", "memory", 512.0),
        ("bombardier/before.json", "/a", "time:p50", 1.1e6),
        ("callgrind-text/before.txt", "fib_short", "instructions", 1735.0),
        ("celero/before.csv", "Demo/Complex/64", "time", 250.0),
        ("critcmp/before.json", "g/parse/64", "time", 322.9),
        ("criterion-raw/before.csv", "g/parse/64", "time", 100.5),
        ("criterion-text/before.txt", "a group with a long name/and a long function", "time", 1210.0),
        ("dart-benchmark/before.txt", "ForLoop", "time", 2000.0),
        ("deno-bench/before.json", "url/split", "time", 1241.4),
        ("fio/before.json", "randread/read", "throughput", 1_228_800.0),
        ("gatling/before.json", "cart/add", "time:p50", 10e6),
        ("ghz/before.json", "a.B.C", "time:p95", 8e6),
        ("hyperfine-csv/before.csv", "sort a, b/n=1", "time", 0.2e9),
        ("hyperfine-markdown/before.md", "fd", "time", 73.3e6),
        ("hyperfine-text/before.txt", "sort a", "time", 1.012e9),
        ("jmeter-statistics/before.json", "GET /b", "time:p99", 80e6),
        ("jmh-csv/before.csv", "org.example.P.format/size=10", "time", 12_500.0),
        ("lighthouse/before.json", "/shop performance", "score", 90.0),
        ("nanobench/before.json", "parse", "time", 120.12),
        ("nanobench-table/before.csv", "render", "time", 1250.5),
        ("nanobench-table/before.txt", "render", "time", 1250.5),
        ("oha/before.json", "oha", "error-rate", 0.0),
        ("pytest-benchmark-table/before.txt", "test_parse", "time", 2_089_888.0),
        ("redis-benchmark/before.csv", "GET", "time:p99", 1.655e6),
        ("ruby-benchmark/before.txt", "render", "time:system", 0.01e9),
        ("sysbench/before.txt", "sysbench", "throughput", 999.1),
        ("tango/before.txt", "sort/16", "time", 121.5),
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
    let scene = Scene::new();
    let command = "sleep 0.1";
    let json = |factor: f64| {
        let times: Vec<f64> = (0..10).map(|i| factor * (0.1 + f64::from(i) / 10_000.0)).collect();
        serde_json::json!({"results": [{"command": command, "mean": 0.1, "times": times}]}).to_string()
    };
    for (side, factor) in [("base", 1.0), ("head", 1.01)] {
        scene.write(&format!("{side}/out.json"), json(factor));
        scene.write(&format!("{side}/out.csv"), format!("command,mean,stddev,median\n{command},0.1,0.001,0.1\n"));
        scene.write(
            &format!("{side}/out.md"),
            format!("| Command | Mean [ms] |\n|:---|---:|\n| `{command}` | 100.0 |\n"),
        );
    }
    let report = scene.perfgate(&["compare", "base", "head", "--format", "json"]).json();
    let findings = report["benchmarks"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["tool"], "hyperfine");
    assert!(report["diagnostics"].to_string().contains("poorer-format"));
}

#[test]
fn the_error_about_many_commits_is_short_and_names_the_import() {
    let scene = Scene::new();
    for commit in 0..200 {
        let file = serde_json::json!({"commit_hash": format!("{commit:040x}"), "env_name": "py", "params": {}, "results": {"time_a": 0.1}});
        scene.write(&format!("asv/m/{commit}.json"), file.to_string());
    }
    let answer = scene.perfgate(&["compare", "asv", "asv"]);
    answer.exits(2).complains("results of 200 commits").complains("perfgate runs import");
    assert!(answer.stderr.len() < 400, "{}", answer.stderr);
}
