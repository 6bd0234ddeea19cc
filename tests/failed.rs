//! Benchmarks that their tool reports as failed, from the file to the verdict. The outputs of tools are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Sandbox};

/// Ten results of each benchmark in the form of `go test -bench`.
fn go(names: &[&str], end: &str) -> String {
    let result =
        |name: &&str| (0..10).map(|i| format!("{name}-8   \t  1000\t  {}.5 ns/op\n", 99 + i % 3)).collect::<String>();
    let results: String = names.iter().map(result).collect();
    format!("goos: linux\ngoarch: amd64\npkg: e.org/p\ncpu: X\n{results}{end}")
}

const FAILED: &str =
    "--- FAIL: BenchmarkD\n    d_test.go:12: index out of range\nFAIL\nexit status 1\nFAIL\te.org/p\t3.1s\nFAIL\n";
const PANICKED: &str =
    "BenchmarkD-8   \tpanic: no *such* key\n\ngoroutine 35 [running]:\nexit status 2\nFAIL\te.org/p\t3.1s\nFAIL\n";
const KILLED: &str = "panic: test timed out after 10m0s\n\nFAIL\te.org/p\t600.1s\nFAIL\n";

fn compared(end: &str, more: &[&str]) -> Answer {
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", go(&["BenchmarkA", "BenchmarkB", "BenchmarkD"], "PASS\nok  \te.org/p\t3.1s\n"));
    sandbox.write("head.txt", go(&["BenchmarkA", "BenchmarkB"], end));
    sandbox.perfgate(&[&["compare", "base.txt", "head.txt"], more].concat())
}

#[test]
fn a_failed_benchmark_fails_the_gate_and_says_why() {
    for (end, why) in [
        (FAILED, "d_test.go:12: index out of range"),
        (PANICKED, "panic: no *such* key"),
        (KILLED, "no result: panic: test timed out after 10m0s"),
    ] {
        let answer = compared(end, &[]);
        answer.exits(1).prints("FAIL: 1 failed").prints("✗ failed        e.org/p/BenchmarkD").prints(why);
        answer.does_not_print("removed");
        let json = compared(end, &["--format", "json"]);
        assert_eq!(json.json()["counts"]["failed"], 1);
        assert_eq!(json.outcome("e.org/p/BenchmarkD"), "failed");
    }
}

#[test]
fn a_failed_benchmark_ticks_no_box() {
    let document = compared(FAILED, &["--template", "library"]);

    document.prints("0 of 3 unchanged or improved, 2 inconclusive, 1 failed").does_not_print("- [x] No regression");
}

#[test]
fn a_head_in_which_everything_failed_fails_the_gate() {
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", go(&["BenchmarkD"], "PASS\nok  \te.org/p\t3.1s\n"));
    sandbox.write("other.txt", go(&["BenchmarkC"], "PASS\n").replace("e.org/p", "e.org/q"));
    for end in [FAILED, PANICKED] {
        sandbox.write("head.txt", go(&[], end));
        let answer = sandbox.perfgate(&["compare", "base.txt", "head.txt"]);
        answer.exits(1).prints("FAIL: ").prints("✗ failed  e.org/p/BenchmarkD").does_not_print("removed");
        let unknown = sandbox.perfgate(&["compare", "other.txt", "head.txt"]);
        assert_eq!(unknown.code, 2, "{}{}", unknown.stdout, unknown.stderr);
        unknown.reports("no go-bench results could be read; first problem");
    }
}

#[test]
fn a_benchmark_taken_out_of_the_suite_is_removed_and_not_failed() {
    compared("PASS\nok  \te.org/p\t3.1s\n", &[]).exits(0).prints("removed").does_not_print("failed");
}

#[test]
fn other_views_name_the_failure() {
    compared(FAILED, &["--format", "junit"]).exits(1).prints("<failure type=\"failed\" message=\"failed: ");
    compared(PANICKED, &["--format", "markdown"]).exits(1).prints("💥 failed").does_not_print("*such*");
    compared(FAILED, &["--template", "comment"]).exits(1).prints("FAIL: 1 failed").prints("index out of range");
}

#[test]
fn the_gate_passes_with_a_failure_only_on_request_and_not_silently() {
    compared(FAILED, &["--fail-on", "regressed"]).exits(0).prints("PASS, but 1 benchmark failed").does_not_print("✅");
}

#[test]
fn a_stored_run_keeps_its_failures() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").commit("r", "one");
    sandbox.write("r/out.txt", go(&["BenchmarkA", "BenchmarkB", "BenchmarkD"], "PASS\n"));
    sandbox.perfgate_at("r", &["record", "out.txt"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "two");
    sandbox.write("r/out.txt", go(&["BenchmarkA", "BenchmarkB"], FAILED));
    sandbox.perfgate_at("r", &["record", "out.txt"]).exits(0);
    sandbox.perfgate_at("r", &["compare", "main", "work"]).exits(1).prints("✗ failed").prints("index out of range");
}

/// A tool, three outputs, and the reason: for `a`, for `b`, and for a `b` that failed. Base has the first two, head the first and
/// the third.
const FAILED_IN_TOOL: [(&str, &str, &str, &str, &str); 19] = [
    (
        "divan",
        "s   fastest       │ slowest       │ median        │ mean          │ samples │ iters\n\
         ├─ a  1 ns │ 4 ns │ 2 ns │ 3 ns │ 30 │ 60\n",
        "╰─ b  1 ns │ 4 ns │ 2 ns │ 3 ns │ 30 │ 60\n",
        "thread 'main' panicked at b.rs:3:1:\nboom\nerror: bench failed, to rerun pass `--bench b`\n",
        "boom",
    ),
    (
        "criterion-text",
        "a   time:   [1.0 ns 1.1 ns 1.2 ns]\n",
        "b   time:   [1.0 ns 1.1 ns 1.2 ns]\n",
        "Benchmarking b\nthread 'main' panicked at 'boom', b.rs:3:1\nerror: bench failed\n",
        "boom",
    ),
    (
        "bencher",
        "test a ... bench:   9 ns/iter (+/- 1)\n",
        "test b ... bench:   9 ns/iter (+/- 1)\n",
        "test b ... memory allocation of 99 bytes failed, boom",
        "the output ends before its result",
    ),
    (
        "catch2 with a signal",
        "benchmark name  samples  iterations  mean\n--------\na  100  208  344 ns\n\n",
        "---\nother\n---\nbenchmark name  samples  iterations  mean\n--------\nb  100  208  344 ns\n",
        "c.cpp:12: FAILED:\ndue to a fatal error condition:\n  boom\ntest cases: 1 | 1 failed\n",
        "boom",
    ),
    (
        "google-benchmark console",
        "Benchmark  Time  CPU  Iterations\na   10 ns   10 ns   100\n",
        "b   10 ns   10 ns   100\n",
        "terminate called after throwing an instance of 'std::runtime_error'\n  what():  boom\nAborted (core dumped)\n",
        "boom",
    ),
    (
        "deno console",
        "| benchmark | time/iter (avg) | iter/s | (min … max) | p75 | p99 | p995 |\n\
         | a | 183.9 µs | 5,438 | (157.9 µs … 4.3 ms) | 178.5 µs | 233.5 µs | 250.7 µs |\n",
        "| b | 183.9 µs | 5,438 | (157.9 µs … 4.3 ms) | 178.5 µs | 233.5 µs | 250.7 µs |\n",
        "| b | error: Error: boom |\n",
        "boom",
    ),
    (
        "deno console before version 2",
        "benchmark   time (avg)   iter/s   (min … max)   p75   p99   p995\n\
         a   183.9 µs/iter   5,438.2   (157.9 µs … 4.3 ms) 178.5 µs 233.5 µs 250.7 µs\n",
        "b   183.9 µs/iter   5,438.2   (157.9 µs … 4.3 ms) 178.5 µs 233.5 µs 250.7 µs\n",
        "b   error: Error: boom\n",
        "boom",
    ),
    (
        "jmh console",
        "# Benchmark: x.P.a\n",
        "# Benchmark: x.P.b\nBenchmark  Mode  Cnt  Score  Error  Units\nP.a  avgt  5  12.5 ± 0.2  us/op\nP.b  avgt  5  1 ± 1  us/op\n",
        "# Benchmark: x.P.b\n<failure>\n\nboom\nBenchmark  Mode  Cnt  Score  Error  Units\nP.a  avgt  5  12.5 ± 0.2  us/op\n",
        "boom",
    ),
    (
        "pytest table",
        "Name (time in us)   Min   Max   Mean   StdDev   Median\na   1.0   3.0   2.0   0.5   2.0\n",
        "b   1.0   3.0   2.0   0.5   2.0\n",
        "\nFAILED t.py::b - boom\n==== 1 failed, 1 passed in 3s ====\n",
        "boom",
    ),
    (
        "hyperfine console",
        "Benchmark 1: a\n  Time (mean ± σ):      1.0 s ±  0.1 s\n",
        "Benchmark 2: b\n  Time (mean ± σ):      1.0 s ±  0.1 s\n",
        "Benchmark 2: b\nError: boom. Use the '-i'/'--ignore-failure' option\n",
        "boom",
    ),
    (
        "benchmark.js console",
        "a x 325 ops/sec ±3.79% (14 runs sampled)\n",
        "b x 325 ops/sec ±3.79% (14 runs sampled)\n",
        "b: TypeError: boom\n",
        "boom",
    ),
    (
        "deno",
        r#"{"benches": [{"origin": "x", "name": "a", "results": [{"ok": {"n": 9, "avg": 100}}]}"#,
        r#", {"origin": "x", "name": "b", "results": [{"ok": {"n": 9, "avg": 100}}]}]}"#,
        r#", {"origin": "x", "name": "b", "results": [{"failed": {"exceptionMessage": "boom"}}]}]}"#,
        "boom",
    ),
    (
        "tinybench",
        r#"[{"name": "a", "result": {"latency": {"samples": [1, 2]}}}"#,
        r#", {"name": "b", "result": {"latency": {"samples": [1, 2]}}}]"#,
        r#", {"name": "b", "result": {"state": "errored", "error": {"message": "boom"}}}]"#,
        "boom",
    ),
    (
        "tinybench table",
        r#"[{"Task name": "a", "Latency avg (ns)": "26 ± 1%"}"#,
        r#", {"Task name": "b", "Latency avg (ns)": "26 ± 1%"}]"#,
        r#", {"Task name": "b", "Error": "boom", "Stack": "x"}]"#,
        "boom",
    ),
    (
        "vitest",
        r#"{"files": [{"groups": [{"benchmarks": [{"name": "a", "median": 2, "sampleCount": 9}"#,
        r#", {"name": "b", "median": 2, "sampleCount": 9}]}]}]}"#,
        r#", {"name": "b", "samples": [], "boom": 1}]}]}]}"#,
        "no result",
    ),
    (
        "lighthouse",
        r#"{"lighthouseVersion": "12", "requestedUrl": "x", "audits": {"speed-index": {"numericValue": 3, "numericUnit": "millisecond"}"#,
        r#", "interactive": {"numericValue": 3, "numericUnit": "millisecond"}}}"#,
        r#", "interactive": {"scoreDisplayMode": "error", "errorMessage": "boom"}}}"#,
        "boom",
    ),
    (
        "catch2 xml",
        r#"<Catch2TestRun name="x"><TestCase name="t"><BenchmarkResults name="a"><mean value="5"/></BenchmarkResults>"#,
        r#"<BenchmarkResults name="b"><mean value="5"/></BenchmarkResults></TestCase></Catch2TestRun>"#,
        r#"<BenchmarkResults name="b"><failed message="boom"/></BenchmarkResults></TestCase></Catch2TestRun>"#,
        "boom",
    ),
    (
        "catch2 xml, incomplete",
        r#"<Catch2TestRun name="x"><TestCase name="t"><BenchmarkResults name="a"><mean value="5"/></BenchmarkResults>"#,
        r#"<BenchmarkResults name="b"><mean value="5"/></BenchmarkResults></TestCase></Catch2TestRun>"#,
        r#"<BenchmarkResults name="boom">"#,
        "the file ends too early",
    ),
    (
        "go, incomplete",
        "BenchmarkA-8  100  5 ns/op\n",
        "BenchmarkB-8  100  5 ns/op\n",
        "BenchmarkB-8   \tboom\n",
        "the output ends before its result",
    ),
];

#[test]
fn a_benchmark_that_failed_in_its_tool_is_failed_not_removed_or_not_run() {
    let mut without_reason = Vec::new();
    for (tool, measured, other, failed, why) in FAILED_IN_TOOL {
        let sandbox = Sandbox::new();
        sandbox.write("base", format!("{measured}{other}")).write("head", format!("{measured}{failed}"));
        let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
        assert_eq!(answer.code, 1, "{tool}: {}{}", answer.stdout, answer.stderr);
        let counts = &answer.json()["counts"];
        assert_eq!((&counts["failed"], &counts["removed"]), (&1.into(), &0.into()), "{tool}: {}", answer.stdout);
        let findings = &answer.json()["benchmarks"];
        let notes: String = findings.as_array().unwrap().iter().map(|one| one["notes"].to_string()).collect();
        if !notes.contains(why) {
            without_reason.push((tool, notes));
        }
    }
    assert!(without_reason.is_empty(), "{without_reason:?}");
}

#[test]
fn a_package_that_was_not_built_is_in_the_verdict_and_a_file_with_nothing_else_is_an_error() {
    let end = "PASS\nok  \te.org/p\t3.1s\n# e.org/q\nx.go:3:2: undefined: y\nFAIL\te.org/q [build failed]\nFAIL\n";
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", go(&["BenchmarkA", "BenchmarkB"], "PASS\n"));
    sandbox.write("head.txt", go(&["BenchmarkA", "BenchmarkB"], end));
    let compare = |more: &[&str]| sandbox.perfgate(&[&["compare", "base.txt", "head.txt"], more].concat());
    compare(&[])
        .exits(0)
        .prints("PASS, but a run of head ended in an error")
        .prints("e.org/q failed to build: x.go:3:2");
    assert_eq!(compare(&["--format", "json"]).json()["ended_early"], 1);
    sandbox.write("head.txt", "# e.org/q\nx.go:3:2: undefined: y\nFAIL\te.org/q [build failed]\nFAIL\n");
    compare(&[]).exits(2).reports("e.org/q failed to build: x.go:3:2: undefined: y");
}

#[test]
fn a_file_of_a_directory_in_which_everything_failed_counts() {
    let sandbox = Sandbox::new();
    for (side, b) in [("base", "b   time:   [1.0 ns 1.1 ns 1.2 ns]\n"), ("head", "")] {
        sandbox.write(&format!("{side}/a.txt"), "a   time:   [1.0 ns 1.1 ns 1.2 ns]\n");
        let failed = go(&[], "--- FAIL: BenchmarkX\n    x_test.go:3: boom\nFAIL\te.org/p\t3s\n");
        sandbox.write(&format!("{side}/b.txt"), if b.is_empty() { &failed } else { b });
    }
    sandbox.perfgate(&["compare", "base", "head"]).exits(1).prints("✗ failed        e.org/p/BenchmarkX");
}

#[test]
fn what_go_skipped_was_not_run() {
    let answer = compared("--- SKIP: BenchmarkD\n    d_test.go:3: no GPU\nPASS\nok  \te.org/p\t3.1s\n", &[]);
    answer.exits(0).prints("not run").does_not_print("removed");
}

#[test]
fn the_budget_of_a_failed_benchmark_has_no_data() {
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", go(&["BenchmarkA", "BenchmarkB", "BenchmarkD"], "PASS\n"));
    sandbox.write("head.txt", go(&["BenchmarkA", "BenchmarkB"], FAILED));
    sandbox.write("b.toml", "[[budget]]\nmatch = \"e.org/p/BenchmarkD\"\nmetric = \"memory\"\ntarget = \"<1KB\"\n");
    let compare =
        |more: &[&str]| sandbox.perfgate(&[&["--config", "b.toml", "compare", "base.txt", "head.txt"], more].concat());
    compare(&[]).exits(1).prints("FAIL: 1 failed").prints("index out of range").prints("NO DATA");
    let report = compare(&["--format", "json"]).json();
    assert_eq!((&report["budgets"][0]["status"], report["budgets"].as_array().unwrap().len()), (&"no-data".into(), 1));
}

/// A file of tests/data up to a number of characters of a text in it.
fn cut_off(path: &str, text: &str, characters: usize) -> String {
    let whole = std::fs::read_to_string(common::data(path)).unwrap();
    whole[..whole.rfind(text).unwrap() + characters].to_owned()
}

/// The number of errors that ended a run of head.
fn ended_early(report: &serde_json::Value) -> u64 {
    report["ended_early"].as_u64().unwrap_or(0)
}

#[test]
fn a_value_that_is_cut_off_is_not_read() {
    let sandbox = Sandbox::new();
    // A digit differs: files with the same results are refused.
    for (path, text, characters, [digits, others]) in [
        ("callgrind-text/before.gungraun.txt", "13082|N/A", 2, ["10290|", "10291|"]),
        ("jmh-text/before.txt", "24.000", 3, ["75430.967", "75431.967"]),
        ("locust/before_stats.csv", "69,74,77", 4, ["67.20095", "77.20095"]),
        ("hyperfine-csv/before.csv", "0.3005903602000001,", 18, ["0.3226273", "0.3236273"]),
    ] {
        sandbox.write("cut", cut_off(path, text, characters));
        sandbox.write("whole", std::fs::read_to_string(common::data(path)).unwrap().replace(digits, others));
        for (sides, wrong) in [(["whole", "cut"], "improved"), (["cut", "whole"], "regressed")] {
            let answer = sandbox.perfgate(&[&["compare"], &sides[..]].concat());
            answer.prints("the output ends in the middle of a result").does_not_print(&format!("  {wrong}"));
        }
    }
    // The same without the line end after the last row is complete.
    let whole = std::fs::read_to_string(common::data("hyperfine-csv/before.csv")).unwrap();
    sandbox.write("whole", whole.trim_end());
    let answer = sandbox.perfgate(&["compare", &common::data("hyperfine-csv/after.csv"), "whole"]);
    answer.does_not_print("ends in the middle");
}

#[test]
fn output_of_libtest_with_fewer_results_than_tests_is_incomplete() {
    let sandbox = Sandbox::new();
    let results = |names: &[&str]| -> String {
        let line = |name: &&str| format!("test {name} ... bench:       3,162.20 ns/iter (+/- 9)\n");
        format!("\nrunning 4 tests\n{}", names.iter().map(line).collect::<String>())
    };
    let end = "\ntest result: ok. 0 passed; 0 failed; 0 ignored; 4 measured; 0 filtered out; finished in 1s\n";
    sandbox.write("base", results(&["a", "b", "c", "d"]) + end);
    sandbox.write("head", results(&["a", "b"])).write("removed", results(&["a", "b"]).replace('4', "2") + end);
    let answer = sandbox.perfgate(&["compare", "base", "head"]);
    answer.exits(1).prints("2 failed").prints("the output ends before its last results: 2 missing");
    sandbox.perfgate(&["compare", "base", "removed"]).exits(0).prints("2 removed");
}

#[test]
fn an_error_that_a_load_generator_prints_ends_its_run() {
    let sandbox = Sandbox::new();
    for (path, error) in [
        ("wrk/before.txt", "unable to connect to 127.0.0.1:1 Connection refused"),
        ("ab/before.txt", "apr_socket_recv: Connection refused (111)"),
        ("h2load/before.txt", "[ERROR] Could not connect to host"),
    ] {
        let whole = std::fs::read_to_string(common::data(path)).unwrap();
        sandbox.write("head", format!("{whole}\n{error}\n"));
        let answer = sandbox.perfgate(&["compare", &common::data(path), "head", "--format", "json"]).json();
        let found = answer["diagnostics"].as_array().unwrap().iter().any(|one| one["code"] == "ended-early");
        assert!(found && ended_early(&answer) == 1, "{path}: {answer:#}");
    }
}

#[test]
fn lines_after_json_are_left_out_and_an_error_among_them_is_reported() {
    let sandbox = Sandbox::new();
    for path in ["google-benchmark", "hyperfine", "vegeta"] {
        let base = common::data(&format!("{path}/before.json"));
        let whole = std::fs::read_to_string(common::data(&format!("{path}/after.json"))).unwrap();
        let removed =
            sandbox.perfgate(&["compare", &base, &common::data(&format!("{path}/after.json")), "--format", "json"]);
        let removed = removed.json()["counts"]["removed"].clone();
        for (more, ended) in [("make: Leaving directory '/w'", 0), ("make: *** [Makefile:3: bench] Error 1", 1)] {
            for text in [format!("{whole}\n{more}\n"), format!("Compiling\n{whole}\n{more}\n")] {
                sandbox.write("head", text);
                let answer = sandbox.perfgate(&["compare", &base, "head", "--format", "json"]).json();
                // What is missing after an error is failed, and not removed.
                let expected = if ended == 0 { removed.clone() } else { 0.into() };
                assert_eq!((ended_early(&answer), &answer["counts"]["removed"]), (ended, &expected), "{path}");
            }
        }
    }
}

#[test]
fn a_sub_benchmark_that_failed_does_not_end_the_run() {
    let failed = "--- FAIL: BenchmarkD/n=1\n    d_test.go:12: boom\nBenchmarkE-8   \t  1000\t  99.5 ns/op\nPASS\nok  \te.org/p\t3.1s\n";
    let answer = compared(failed, &["--format", "json"]).json();
    assert_eq!((ended_early(&answer), &answer["counts"]["failed"]), (0, &1.into()), "{answer:#}");
}

#[test]
fn a_small_change_of_a_share_without_counts_is_undecided() {
    let sandbox = Sandbox::new();
    let share = |value: f64| format!("name,value,unit,metric\na,{value},%,error-rate\nb,10,ms,time\n");
    sandbox.write("base", share(0.1)).write("few", share(0.3)).write("many", share(9.0));
    let answer = sandbox.perfgate(&["compare", "base", "few"]);
    answer.exits(0).prints("differs by less than 1 percentage point").does_not_print("regressed");
    sandbox.perfgate(&["compare", "base", "many"]).exits(1).prints("1 regressed");
}

#[test]
fn a_share_as_a_ratio_is_a_share_too() {
    let sandbox = Sandbox::new();
    let share = |value: f64, unit: &str| format!("name,value,unit,metric\na,{value},{unit},error-rate\nb,10,ms,time\n");
    let outcome = |base: f64, head: f64, unit: &str| {
        sandbox.write("base", share(base, unit)).write("head", share(head, unit));
        sandbox.perfgate(&["compare", "base", "head", "--format", "json"]).json()["benchmarks"][0]["outcome"].clone()
    };
    for (whole, unit) in [(1.0, "ratio"), (100.0, "%")] {
        assert_eq!(outcome(0.001 * whole, 0.003 * whole, unit), "inconclusive", "{unit}");
        assert_eq!(outcome(0.0, 0.005 * whole, unit), "inconclusive", "{unit}");
        assert_eq!(outcome(0.0, 0.05 * whole, unit), "regressed", "{unit}");
    }
}

#[test]
fn five_runs_decide_whether_errors_are_new() {
    let sandbox = Sandbox::new();
    let outcome = |runs: usize| {
        let mut args = vec!["compare".to_owned(), "--format".to_owned(), "json".to_owned()];
        for (side, value) in [("base", 0.0), ("head", 0.5)] {
            for number in 0..runs {
                let file = format!("{side}{number}");
                sandbox.write(&file, format!("name,value,unit,metric\na,{value},%,error-rate\nb,1{number},ms,time\n"));
                args.extend([format!("--{side}"), file]);
            }
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        sandbox.perfgate(&args).json()["benchmarks"][0]["outcome"].clone()
    };
    assert_eq!(outcome(4), "inconclusive");
    assert_eq!(outcome(5), "regressed");
}
