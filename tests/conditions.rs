//! Base and head measured with different settings. All results are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Sandbox};
use std::fmt::Write;

/// wrk's report of some paths.
fn wrk(connections: u32, slower: f64, run: u32) -> String {
    let mut text = String::new();
    for path in 1..=4 {
        let ms = 10.0 * f64::from(path) * slower * (1.0 + 0.002 * f64::from((run * 7 + path) % 5));
        let rate = 1000.0 / ms * f64::from(connections);
        let _ = write!(
            text,
            "Running 3s test @ http://127.0.0.1:80/{path}\n  1 threads and {connections} connections\n  Thread Stats   Avg      \
             Stdev     Max   +/- Stdev\n    Latency    {ms:.2}ms    1.65ms  {:.2}ms   75.28%\n    Req/Sec   120.17     24.61   \
             151.00     63.33%\n  360 requests in 3.01s, 211.64KB read\nRequests/sec:    {rate:.2}\n",
            2.0 * ms
        );
    }
    text
}

/// JMH's results of four benchmarks; `settings` are fields of each.
fn jmh(settings: &str, slower: f64, run: u32) -> String {
    let result = |index: u32| {
        let level = 1000.0 * f64::from(index + 1) * slower * (1.0 + 0.002 * f64::from((run * 7 + index) % 5));
        let samples: Vec<String> =
            (0..20).map(|i| format!("{:.3}", level * (1.0 + 0.004 * f64::from((i * 7 + run) % 11)))).collect();
        format!(
            r#"{{"benchmark": "a.B.m{index}", "mode": "avgt", {settings}, "primaryMetric":
               {{"score": {level}, "scoreUnit": "ns/op", "rawData": [[{}]]}}}}"#,
            samples.join(",")
        )
    };
    format!("[{}]", (0..4).map(result).collect::<Vec<_>>().join(","))
}

/// Compares three base runs with one head run.
fn compared(base: impl Fn(u32) -> String, head: &str, extension: &str, more: &[&str]) -> Answer {
    let sandbox = Sandbox::new();
    let mut args = vec!["compare".to_owned()];
    for run in 1..=3 {
        let name = format!("base{run}.{extension}");
        sandbox.write(&name, base(run));
        args.extend(["--base".to_owned(), name]);
    }
    let name = format!("head.{extension}");
    sandbox.write(&name, head);
    args.extend(["--head".to_owned(), name]);
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    sandbox.perfgate(&args)
}

const USUAL: &str = r#""threads": 1, "forks": 2, "warmupIterations": 2, "warmupTime": "1 s", "measurementIterations": 20,
    "measurementTime": "1 s""#;

#[test]
fn another_load_is_inconclusive_and_the_reason_is_printed_once() {
    let base = |run| wrk(5, 1.0, run);
    compared(base, &wrk(5, 2.0, 9), "txt", &[]).exits(1).prints("✗ regressed");
    let other = compared(base, &wrk(50, 2.0, 9), "txt", &[]);
    other.exits(0).prints("measured with different settings: connections 5 in base, 50 in head;");
    assert_eq!(other.stdout.matches("connections 5 in base").count(), 1, "{}", other.stdout);
    let json = compared(base, &wrk(50, 2.0, 9), "txt", &["--format", "json"]).json();
    assert_eq!(json["counts"]["inconclusive"], json["benchmarks"].as_array().unwrap().len(), "{json}");
}

#[test]
fn base_runs_of_another_load_are_left_out() {
    let base = |run| wrk(if run == 1 { 50 } else { 5 }, 1.0, run);
    let json = compared(base, &wrk(5, 2.0, 9), "txt", &["--format", "json"]).json();
    assert_eq!(json["benchmarks"][0]["outcome"], "regressed");
    assert_eq!(json["benchmarks"][0]["base"]["runs"], 2);
}

#[test]
fn other_threads_and_much_shorter_iterations_of_jmh_are_inconclusive() {
    let base = |run| jmh(USUAL, 1.0, run);
    let head = |old: &str, new: &str| {
        assert!(USUAL.contains(old));
        compared(base, &jmh(&USUAL.replace(old, new), 3.0, 9), "json", &[])
    };
    compared(base, &jmh(USUAL, 3.0, 9), "json", &[]).exits(1).prints("✗ regressed");
    head(r#""threads": 1"#, r#""threads": 8"#).exits(0).prints("threads 1 in base, 8 in head");
    head(r#""measurementTime": "1 s""#, r#""measurementTime": "10 ms""#)
        .exits(0)
        .prints("iteration time 1 s in base, 10 ms in head");
    head(r#""warmupIterations": 2"#, r#""warmupIterations": 0"#)
        .exits(0)
        .prints("warmup iterations 2 in base, 0 in head");
    // A smaller difference is named in a warning and does not prevent the comparison.
    head(r#""forks": 2"#, r#""forks": 1"#).exits(1).prints("jmh:forks (2 → 1)");
}

#[test]
fn stated_settings_are_stored_with_a_run() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("r/base.txt", wrk(5, 1.0, 1)).write("r/head.txt", wrk(50, 2.0, 2));
    sandbox.perfgate_at("r", &["record", "base.txt"]).exits(0);
    sandbox.commit("r", "second");
    let answer = sandbox.perfgate_at("r", &["compare", "--head", "head.txt"]);
    answer.prints("connections 5 in base, 50 in head");
}

#[test]
fn load_generators_and_lighthouse_state_their_settings() {
    let sandbox = Sandbox::new();
    let ab = |clients: u32| {
        format!(
            "This is ApacheBench, Version 2.3\nDocument Path:          /a\nConcurrency Level:      {clients}\n\
             Complete requests:      50\nFailed requests:        0\nRequests per second:    {}.5 [#/sec] (mean)\n",
            9 + clients
        )
    };
    let pgbench = |clients: u32| {
        format!(
            "transaction type: multiple scripts\nscaling factor: 1\nquery mode: simple\nnumber of clients: {clients}\n\
             number of transactions actually processed: 1000\nlatency average = {clients}.5 ms\ntps = 10.5\n\
             SQL script 1: a.sql\n - 500 transactions (50.0% of total, tps = {clients}.25)\n"
        )
    };
    let sysbench = |threads: u32| {
        format!(
            "sysbench 1.0.20\nNumber of threads: {threads}\nGeneral statistics:\n    total time: 10.0s\n    total number of \
             events: 1000\nLatency (ms):\n         min: 0.5\n         avg: {threads}.25\n         max: 9.0\n"
        )
    };
    let fio = |size: &str| {
        format!(
            r#"{{"fio version": "fio-3.33", "jobs": [{{"jobname": "j", "job options": {{"bs": "{size}", "iodepth": "1"}},
               "read": {{"iops": {}.5, "bw_bytes": 4096}}}}]}}"#,
            size.len()
        )
    };
    let autocannon = |connections: u32| {
        format!(
            r#"{{"url": "http://h:1/a", "connections": {connections}, "pipelining": 1, "errors": 0,
               "latency": {{"p50": {connections}.5, "p97_5": 9.5}}, "requests": {{"total": 90, "p97_5": 9}}}}"#
        )
    };
    let lighthouse = |form: &str, index: f64| {
        format!(
            r#"{{"lighthouseVersion": "12.2.3", "requestedUrl": "http://h/", "configSettings": {{"formFactor": "{form}"}},
               "environment": {{"benchmarkIndex": {index}}}, "categories": {{}}, "audits": {{"speed-index":
               {{"numericValue": {index}, "numericUnit": "millisecond"}}}}}}"#
        )
    };
    let cases = [
        (ab(5), ab(50), "concurrency 5 in base, 50 in head"),
        (pgbench(2), pgbench(20), "clients 2 in base, 20 in head"),
        (sysbench(1), sysbench(16), "threads 1 in base, 16 in head"),
        (fio("4k"), fio("128k"), "block size 4096 in base, 131072 in head"),
        (autocannon(5), autocannon(50), "connections 5 in base, 50 in head"),
        (lighthouse("mobile", 1893.5), lighthouse("desktop", 1800.5), "form factor mobile in base, desktop in head"),
        (
            lighthouse("mobile", 1893.5),
            lighthouse("mobile", 400.5),
            "\"the machines differ in speed: benchmark index 1893.5 in base, 400.5 in head",
        ),
    ];
    for (base, head, expected) in cases {
        sandbox.write("base", &base).write("head", &head);
        let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
        let json = answer.exits(0).json();
        for row in json["benchmarks"].as_array().unwrap() {
            assert_eq!(row["outcome"], "inconclusive", "{row}");
            let notes = row["notes"].to_string();
            assert!(notes.contains(expected), "{notes}");
        }
    }
    // The benchmark index (speed of the machine) varies from run to run, so a small difference is not reported.
    sandbox.write("base", lighthouse("mobile", 1893.5)).write("head", lighthouse("mobile", 1800.5));
    sandbox.perfgate(&["compare", "base", "head"]).exits(0).does_not_print("benchmark-index");
}

#[test]
fn the_machine_and_the_packages_of_asv_are_named() {
    let sandbox = Sandbox::new();
    let asv = |machine: &str, numpy: &str| {
        format!(
            r#"{{"commit_hash": "fcf8c079fcf8c079fcf8c079fcf8c079fcf8c079", "env_name": "e", "python": "3.9",
               "params": {{"machine": "{machine}", "cpu": "X"}}, "requirements": {{"numpy": "{numpy}"}},
               "results": {{"time_a": 0.{}1}}}}"#,
            machine.len()
        )
    };
    sandbox.write("base.json", asv("cheetah", "1.8")).write("head.json", asv("ox", "2.0"));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.prints("host (cheetah → ox)").prints("package numpy (1.8 → 2.0)");
}

#[test]
fn a_rate_is_inconclusive_if_the_time_of_its_benchmark_is() {
    let go = |iterations: u32, slower: f64, run: u32| {
        let line = |index: u32| {
            let ns = 1000.0 * f64::from(index + 1) * slower * (1.0 + 0.002 * f64::from((run * 7 + index) % 5));
            format!("BenchmarkB{index}-8\t{iterations}\t{ns:.1} ns/op\t{:.2} MB/s\t64 B/op\t2 allocs/op\n", 1e6 / ns)
        };
        format!("goos: linux\npkg: ex\n{}PASS\n", (0..6).map(line).collect::<String>())
    };
    let base = |run| go(1_000_000, 1.0, run);
    compared(base, &go(1_000_000, 2.5, 9), "txt", &[]).exits(1).prints("throughput");
    let json = compared(base, &go(1, 2.5, 9), "txt", &["--format", "json"]).exits(0).json();
    let rows = json["benchmarks"].as_array().unwrap();
    for metric in ["time", "throughput"] {
        let rows = || rows.iter().filter(|row| row["metric"] == metric);
        assert_eq!(rows().count(), 6);
        assert!(rows().all(|row| row["outcome"] == "inconclusive"), "{json}");
    }
    assert!(
        rows.iter().filter(|row| row["metric"] == "allocations").all(|row| row["outcome"] == "unchanged"),
        "{json}"
    );
}

#[test]
fn an_empty_operation_measured_as_a_rate_has_the_floor_of_its_time() {
    let result = |rate: f64| {
        let samples: Vec<String> = (0..10).map(|i| format!("{:.5}", rate * (1.0 + 0.002 * f64::from(i)))).collect();
        format!(
            r#"[{{"benchmark": "a.B.empty", "mode": "thrpt", "primaryMetric":
               {{"score": {rate}, "scoreUnit": "ops/ns", "rawData": [[{}]]}}}}]"#,
            samples.join(",")
        )
    };
    // 0.297 ns and 0.494 ns an operation, then 0.297 ns and 2 ns.
    let base = |run| result(3.369 + 0.003 * f64::from(run));
    let answer = compared(base, &result(2.026), "json", &["--all"]);
    answer.exits(0).prints("below the floor of 0.3 ns per operation");
    // The floor decides it, so it has no interval that could contradict it.
    let json = compared(base, &result(2.026), "json", &["--all", "--format", "json"]).json();
    let row = &json["benchmarks"][0];
    assert!(row["outcome"] == "unchanged" && row["interval"].is_null() && row["q"].is_null(), "{row}");
    compared(base, &result(0.5), "json", &[]).exits(1);
}

/// Printed results with the machine that the tool states: BenchmarkDotNet's Markdown, Google Benchmark's console and deno's.
fn printed(tool: &str, machine: &str) -> String {
    match tool {
        "dotnet" => format!(
            "BenchmarkDotNet v0.14.0, Ubuntu 22.04\n{machine}, 1 CPU, 4 logical and 2 physical cores\n\
             \x20 [Host] : .NET 8.0.8, X64 RyuJIT AVX2\n\n\
             | Method | Mean     | Error   | StdDev  |\n|------- |---------:|--------:|--------:|\n\
             | A      | 12.34 ns | 0.12 ns | 0.11 ns |\n"
        ),
        "google" => format!(
            "Running ./bench\nRun on ({machine} MHz CPU s)\n\
             Benchmark   Time   CPU   Iterations\nBM_A/64   100 ns   100 ns   7000000\n"
        ),
        _ => format!(
            "    CPU | {machine}\nRuntime | Deno 2.9.8 (x86_64-unknown-linux-gnu)\n\n\
             | benchmark | time/iter (avg) | iter/s | (min … max) | p75 | p99 | p995 |\n\
             | stable | 253.2 µs | 3,950 | (154.5 µs …  12.3 ms) | 174.4 µs | 4.2 ms | 4.3 ms |\n"
        ),
    }
}

#[test]
fn a_machine_that_printed_output_states_is_compared() {
    for (tool, machine, other) in [
        ("dotnet", "AMD EPYC 7763", "Intel Xeon Platinum 8370C CPU 2.80GHz"),
        ("google", "8 X 2900", "64 X 4100"),
        ("deno", "AMD EPYC", "Apple M1"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("base.txt", printed(tool, machine));
        sandbox.write("head.txt", printed(tool, other));
        sandbox.perfgate(&["compare", "base.txt", "head.txt"]).exits(2).prints("ran on different machines");
    }
}

#[test]
fn the_virtual_machine_in_a_log_of_jmh_is_compared() {
    let log = |vm: &str| {
        format!(
            "# VM version: JDK 12.0.1, {vm}, 12.0.1+12\n# Benchmark: a.P.format\n\n\
             Benchmark   Mode  Cnt  Score   Error   Units\nP.format    avgt    5   12.5 ±   0.2   us/op\n"
        )
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", log("OpenJDK 64-Bit Server VM"));
    sandbox.write("head.txt", log("Eclipse OpenJ9 VM").replace("12.5 ", "12.6 "));
    sandbox.perfgate(&["compare", "base.txt", "head.txt"]).prints("differ in jvm (OpenJDK 64-Bit Server VM 12.0.1");
}

/// A run of eight benchmarks on a machine. Each has a time and a number of errors.
fn on_machine(cpu: &str, slower: f64, errors: u32) -> String {
    let measurement = |i: u32| {
        let ms = 10.0 * f64::from(i + 1) * slower;
        format!(
            r#"{{"tool": "t", "benchmark": "b{i}", "metric": "time", "unit": "ms", "replicates": [{{"samples": [{ms}, {}]}}]}},
               {{"tool": "t", "benchmark": "b{i}", "metric": "errors", "unit": "count", "exact": true, "direction": "lower", "replicates": [{{"samples": [{errors}]}}]}}"#,
            ms * 1.003
        )
    };
    format!(
        r#"{{"format": "perfgate-run", "version": 1, "environment": {{"cpu": "{cpu}"}}, "measurements": [{}]}}"#,
        (0..8).map(measurement).collect::<Vec<_>>().join(",")
    )
}

#[test]
fn on_different_machines_only_exact_counts_are_judged_and_nothing_passes() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", on_machine("X", 1.0, 0)).write("head.json", on_machine("Y", 1.9, 0));
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.exits(2).prints("NO VERDICT: base and head ran on different machines (cpu differs)");
    answer.prints("+90.0%").does_not_print("95% CI").does_not_print("discovery rate").does_not_print("suspect");
    answer.does_not_print("suite-wide shift").does_not_print("most benchmarks");
    let json = sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).json();
    let time = json["benchmarks"].as_array().unwrap().iter().find(|row| row["metric"] == "time").unwrap();
    assert_eq!((&json["tests"], &time["suspect"]), (&0.into(), &false.into()));
    assert!(time["q"].is_null() && time["interval"].is_null(), "{time}");
    // More errors are worse on any machine.
    sandbox.write("head.json", on_machine("Y", 1.9, 3));
    sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(1).prints("FAIL: 8 regressed");
}

#[test]
fn the_headline_states_how_much_of_a_suite_is_undecided_and_how_much_is_suspected() {
    let changes = [1.25, 0.8, 1.3, 0.77, 1.12, 0.9, 1.28, 0.85, 1.05, 0.95, 1.22, 0.82];
    let suite = |changed: bool| {
        let row = |(i, change): (usize, &f64)| {
            format!("b{i},{},ms\n", 10.0 * (i + 1) as f64 * if changed { *change } else { 1.0 })
        };
        format!("name,value,unit\n{}", changes.iter().enumerate().map(row).collect::<String>())
    };
    let sandbox = Sandbox::new();
    sandbox.write("base.csv", suite(false)).write("head.csv", suite(true));
    let answer = sandbox.perfgate(&["compare", "base.csv", "head.csv"]);
    answer.exits(0).prints("PASS, but 12 of 12 inconclusive (5 suspected): too noisy for one run per side\n");
    assert!(answer.stdout.lines().next().unwrap().chars().count() <= 80, "{}", answer.stdout);
}

#[test]
fn a_renamed_benchmark_keeps_its_settings() {
    let run = |name: &str, threads: u32, ms: &str| {
        format!(
            r#"{{"format": "perfgate-run", "version": 1,
            "environment": {{"t:threads": "1", "t:threads of {name}": "{threads}"}},
            "measurements": [{{"tool": "t", "benchmark": "{name}", "unit": "ms", "replicates": [{{"samples": [{ms}0, {ms}1, {ms}2]}}]}},
            {{"tool": "t", "benchmark": "b", "unit": "ms", "replicates": [{{"samples": [1.0, 1.01, 1.02]}}]}}]}}"#
        )
    };
    let sandbox = Sandbox::new();
    sandbox.write("perfgate.toml", "[rename]\n'old' = 'new'\n");
    let compare = |of_head: u32| {
        sandbox.write("base.json", run("old", 8, "1.0")).write("head.json", run("new", of_head, "1.1"));
        sandbox.perfgate(&["compare", "base.json", "head.json"])
    };
    compare(8).exits(0).does_not_print("different settings");
    compare(1).prints("threads 8 in base, 1 in head");
}
