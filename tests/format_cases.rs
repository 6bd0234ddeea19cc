//! Runs each folder of tests/cases and checks what a user sees: names, units, directions, failures and notes. Outcomes of one run
//! a side are not checked where the number of runs decides them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::{Answer, Sandbox};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name)
}

/// `perfgate compare` in a folder of cases, with more arguments.
fn run(case: &str, arguments: &[&str]) -> Answer {
    let sandbox = Sandbox::new();
    for file in fs::read_dir(folder(case)).unwrap().map(|entry| entry.unwrap().path()) {
        sandbox.write(file.file_name().unwrap().to_str().unwrap(), fs::read(&file).unwrap());
    }
    sandbox.perfgate(&[&["compare"], arguments].concat())
}

fn report(case: &str, arguments: &[&str]) -> Value {
    run(case, &[arguments, &["--format", "json", "--all"]].concat()).json()
}

fn compare(case: &str) -> Value {
    let extension = |end: &str| folder(case).join(format!("base.{end}")).exists().then(|| end.to_owned());
    let end = ["json", "txt", "xml"].into_iter().find_map(extension).unwrap();
    report(case, &[&format!("base.{end}"), &format!("head.{end}")])
}

fn rows(report: &Value) -> &Vec<Value> {
    report["benchmarks"].as_array().unwrap()
}

fn row<'r>(report: &'r Value, name: &str, metric: &str) -> &'r Value {
    let found = rows(report).iter().find(|row| row["name"] == name && row["metric"] == metric);
    found.unwrap_or_else(|| panic!("no {metric} of {name} in {report:#}"))
}

fn outcome<'r>(report: &'r Value, name: &str, metric: &str) -> &'r str {
    row(report, name, metric)["outcome"].as_str().unwrap()
}

/// A regression that one run a side suggests, and more runs would decide.
fn is_suspect(row: &Value) -> bool {
    row["outcome"] == "regressed" || row["suspect"] == true
}

/// Names of the rows with an outcome.
fn named<'r>(report: &'r Value, outcome: &str) -> Vec<&'r str> {
    rows(report).iter().filter(|row| row["outcome"] == outcome).map(|row| row["name"].as_str().unwrap()).collect()
}

#[test]
fn a_benchmark_of_another_version_is_not_comparable() {
    run("asv-benchmark-version", &["base.json", "head.json"]).exits(0).prints("the benchmark itself changed");
    let report = compare("asv-benchmark-version");
    assert_eq!(outcome(&report, "suite.time_parse", "time"), "inconclusive");
    let first = report_of_itself("asv-v1-not-sniffed", "base.json");
    assert_eq!(row(&first, "suite.mem_c", "memory")["unit"], "B");
}

fn report_of_itself(case: &str, file: &str) -> Value {
    report(case, &[file, file])
}

#[test]
fn names_do_not_depend_on_their_neighbours() {
    let catch2 = compare("catch2-namesake-renames");
    assert!(is_suspect(row(&catch2, "Parser/small", "time")));
    assert_eq!((named(&catch2, "added"), named(&catch2, "removed").len()), (vec!["Writer/small"], 0));
    let divan = compare("divan-second-target");
    assert!(is_suspect(row(&divan, "search/search_dir (1000 files, glob)", "time")));
    assert_eq!((named(&divan, "added"), named(&divan, "removed").len()), (vec!["extra/newbench"], 0));
}

#[test]
fn all_failed_tests_are_counted() {
    for heads in [&["--head", "head.xml"][..], &["--head", "head.xml", "--head", "head.xml"]] {
        let all = [&["--base", "base.xml"], heads].concat();
        run("failed-tests-counted-to-20", &[&all[..], &["--template", "pr"]].concat()).prints("10 passed, 50 failed");
        run("failed-tests-counted-to-20", &all).prints("and 45 more");
    }
}

#[test]
fn other_conditions_and_failures_of_google_benchmark_are_named() {
    let other = run("gbench-context-ignored", &["base.json", "head.json"]);
    other.exits(0).prints("build-type (release → debug)").prints("cpu-scaling (off → on)").prints("mhz (3000 → 2000)");
    let failed = report("gbench-context-ignored", &["base.json", "head-error.json"]);
    assert_eq!(named(&failed, "failed"), ["D"]);
}

#[test]
fn the_direction_of_counters_and_custom_units_follows_from_their_names() {
    let counters = ["FLOPS", "QPS", "ops per second", "IPC", "speedup", "bandwidth", "Mitems_sec"];
    let fall = compare("gbench-counter-direction");
    let gain = report("gbench-counter-direction", &["head.json", "base.json"]);
    for counter in counters {
        let metric = format!("counter:{counter}");
        let row_of_fall = row(&fall, "Solve/256", &metric);
        assert_eq!(row_of_fall["direction"], "higher", "{counter}");
        assert!(is_suspect(row_of_fall), "{counter}");
        assert!(!is_suspect(row(&gain, "Solve/256", &metric)), "{counter}");
    }
    let units = compare("go-custom-unit-direction");
    for unit in ["QPS", "Mops", "hit%", "recall", "flops/cycle", "tps"] {
        assert_eq!(outcome(&units, "example.org/kv/BenchmarkGet", unit), "regressed", "{unit}");
    }
}

#[test]
fn a_failed_go_benchmark_fails_the_gate() {
    for (head, why) in [("fail", "index out of range"), ("panic", "index out of range"), ("timeout", "timed out")] {
        let answer = run("go-failed-benchmark", &["base.txt", &format!("head-{head}.txt")]);
        answer.exits(1).prints("✗ failed        e.org/p/BenchmarkD").prints(why).prints("the run ended in an error");
    }
}

#[test]
fn go_results_have_their_conditions_names_and_counts() {
    run("go-gomaxprocs", &["base.txt", "head.txt"]).prints("gomaxprocs (8 → 2)");
    let joined = compare("go-log-interleaved");
    assert!(is_suspect(row(&joined, "example.org/kv/BenchmarkGet", "time")));
    let counts = compare("go-single-run-allocs");
    for metric in ["allocations", "memory"] {
        assert_eq!(outcome(&counts, "e.org/p/BenchmarkA", metric), "regressed");
        assert_eq!(outcome(&counts, "e.org/p/BenchmarkB", metric), "unchanged");
    }
}

#[test]
fn quantile_rows_of_jmh_are_not_metrics() {
    let bases = ["--base", "base0.json", "--base", "base1.json", "--base", "base2.json", "--head", "head.json"];
    let report = report("jmh-sample-percentiles-gated", &bases);
    assert!(named(&report, "regressed").is_empty());
    for report in [report, report_of_itself("jmh-sample-percentiles-gated", "jmh137.json")] {
        let metrics: Vec<_> = rows(&report).iter().map(|row| row["metric"].as_str().unwrap()).collect();
        assert_eq!(metrics.len(), 3, "{metrics:?}");
        assert!(metrics.iter().all(|metric| ["time", "time:p95", "time:p99"].contains(metric)), "{metrics:?}");
    }
}

#[test]
fn json_behind_warnings_is_read() {
    assert_eq!(rows(&report_of_itself("json-after-warnings", "out.json")).len(), 4);
}

#[test]
fn the_same_share_of_errors_passes() {
    let bases = ["--base", "base0.json", "--base", "base1.json", "--base", "base2.json", "--head"];
    for head in ["head-twice-as-fast.json", "head-same-rate-longer-test.json"] {
        run("load-errors-absolute-count", &[&bases[..], &[head]].concat()).exits(0);
        let report = report("load-errors-absolute-count", &[&bases[..], &[head]].concat());
        assert_eq!(outcome(&report, "http_req_failed", "error-rate"), "unchanged");
        assert!(rows(&report).iter().all(|row| row["metric"] != "errors"));
    }
}

#[test]
fn scripts_of_pgbench_have_rates_errors_and_retries() {
    let report = report_of_itself("pgbench-script-tps", "v18_multi.txt");
    let value = |metric| row(&report, "a.sql", metric)["head"]["value"].as_f64().unwrap();
    assert!((value("error-rate") - 100.0 / 72.0).abs() < 1e-9);
    assert!((value("throughput") - 1183.333).abs() < 0.01 && (value("retried") - 0.694).abs() < 1e-9);
}

#[test]
fn a_job_that_fio_reports_as_failed_has_failed() {
    let answer = run("fio-failed-job", &["base.json", "head.json"]);
    answer.exits(1).prints("✗ failed").prints("fill/write").prints("fio error 28 (No space left on device)");
    answer.does_not_print("base and head differ");
    let report = report("fio-failed-job", &["head.json", "base.json"]);
    assert_eq!((named(&report, "failed").len(), named(&report, "added").is_empty()), (0, false));
}

#[test]
fn the_incomplete_results_of_an_aborted_pgbench_have_failed() {
    let answer = run("pgbench-aborted", &["base.txt", "head.txt"]);
    answer.exits(1).prints("✗ failed").prints("ok.sql").prints("client 2 script 0 aborted in command 1 query 0");
    run("pgbench-aborted", &["base.txt", "base.txt"]).exits(0).does_not_print("aborted");
}

#[test]
fn a_command_that_failed_under_hyperfine_has_a_warning() {
    let answer = run("hyperfine-failing-command", &["base.txt", "head.txt"]);
    answer.prints("`b`: some or all of the runs failed; their times may be meaningless");
    run("hyperfine-failing-command", &["base.txt", "base.txt"]).does_not_print("runs failed");
}

#[test]
fn a_command_whose_runs_all_failed_under_hyperfine_has_failed() {
    let file = |seconds: f64, codes: &[i32]| {
        let times: Vec<f64> = (0..codes.len()).map(|i| seconds * (1.0 + i as f64 / 1000.0)).collect();
        serde_json::json!({"results": [
            {"command": "tool", "times": times, "exit_codes": codes},
            {"command": "other", "times": times, "exit_codes": vec![0; codes.len()]},
        ]})
        .to_string()
    };
    let sandbox = Sandbox::new();
    for (index, run) in ["1", "2", "3", "4"].iter().enumerate() {
        let factor = 1.0 + index as f64 / 997.0;
        sandbox.write(&format!("failed-{run}"), file(0.01 * factor, &[1; 10]));
        sandbox.write(&format!("good-{run}"), file(factor, &[0; 10]));
    }
    let compare = |base: [&str; 2], head: [&str; 2]| {
        let sides = ["--base", base[0], "--base", base[1], "--head", head[0], "--head", head[1]];
        sandbox.perfgate(&[&["compare"], &sides[..], &["--format", "json", "--all"]].concat())
    };
    let (failed, good) = (["failed-1", "failed-2"], ["good-1", "good-2"]);
    // The time of a command that failed is no evidence.
    let fixed = compare(failed, good).json();
    assert_eq!(outcome(&fixed, "tool", "time"), "added");
    let broken = compare(good, failed);
    assert_eq!(broken.exits(1).outcome("tool"), "failed");
    broken.prints("all 10 runs ended with an error; if this is expected, measure a command that succeeds");
    let still = compare(failed, ["failed-3", "failed-4"]);
    assert_eq!(still.outcome("tool"), "failed");
    still.prints("it failed in base too");
    // If some runs failed, the time is compared, and their number is a metric.
    sandbox.write("some", file(1.003, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]));
    let some = compare(good, ["some", "good-3"]).json();
    assert_ne!(outcome(&some, "tool", "time"), "failed");
    row(&some, "tool", "errors");
}

#[test]
fn a_time_that_grew_from_zero_far_beyond_the_resolution_is_a_suspect() {
    let sandbox = Sandbox::new();
    let file = |value: f64| {
        let entry = |name: &str, value: f64| serde_json::json!({"name": name, "unit": "s", "value": value});
        serde_json::json!([entry("login", value), entry("other", 2.5 + value / 1000.0)]).to_string()
    };
    for (name, value) in [("zero", 0.0), ("step", 0.001), ("seconds", 5.005)] {
        sandbox.write(name, file(value));
    }
    let suspect = |base: &str, head: &str| {
        let report = sandbox.perfgate(&["compare", base, head, "--format", "json", "--all"]).json();
        let row = row(&report, "login", "time");
        assert_eq!(row["outcome"], "inconclusive");
        row["suspect"].clone()
    };
    assert_eq!(suspect("zero", "seconds"), true);
    assert_eq!(suspect("seconds", "zero"), false);
    assert_eq!(suspect("zero", "step"), false);
}

#[test]
fn each_report_of_sysbench_is_a_run_of_its_test() {
    let same = report_of_itself("sysbench-two-reports", "same-test.txt");
    assert_eq!(rows(&same).iter().map(|row| row["name"].as_str().unwrap()).max(), Some("sysbench"));
    let throughput = row(&same, "sysbench", "throughput")["head"]["value"].as_f64().unwrap();
    // 13,076.86 and 7,626.42.
    assert!((7_700.0..13_000.0).contains(&throughput), "{throughput}");
    let other = report_of_itself("sysbench-two-reports", "other-test.txt");
    let value = |name| row(&other, name, "throughput")["head"]["value"].as_f64().unwrap();
    assert_eq!((value("sysbench/cpu"), value("sysbench/memory")), (13_076.86, 5_700_068.68));
}

#[test]
fn the_terse_output_of_fio_is_no_known_format() {
    let answer = run("fio-terse", &["base.txt", "base.txt"]);
    answer.exits(2).reports("output of fio");
}

#[test]
fn a_pattern_renames_a_package() {
    let report = report("rename-no-patterns", &["old.json", "new.json"]);
    assert_eq!(outcome(&report, "new.pkg.Bench.b", "time"), "regressed");
    assert!(named(&report, "removed").is_empty());
}

#[test]
fn the_machine_of_the_results_is_stored() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").commit("r", "next");
    for file in ["fast-box.json", "slow-box.json"] {
        sandbox.write(file, fs::read(folder("record-overwrites-machine").join(file)).unwrap());
    }
    sandbox.perfgate_at("r", &["record", "../fast-box.json", "--commit", "HEAD~1", "--store", "dir:../st"]).exits(0);
    sandbox.perfgate_at("r", &["record", "../slow-box.json", "--commit", "HEAD", "--store", "dir:../st"]).exits(0);
    let list = sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../st"]);
    list.prints("AMD Ryzen 9 9950X").prints("Intel Core i5-6200U");
    for head in ["HEAD", "../slow-box.json"] {
        let arguments = ["compare", "--base", "HEAD~1", "--head", head, "--store", "dir:../st"];
        let answer = sandbox.perfgate_at("r", &arguments);
        assert!(answer.code != 1, "{}", answer.stdout);
        answer.prints("base and head ran on different machines");
    }
}

#[test]
fn a_small_file_of_each_format_is_read() {
    for case in ["unread-formats", "unreadable"] {
        let mut files = 0;
        for file in fs::read_dir(folder(case)).unwrap().map(|entry| entry.unwrap().file_name()) {
            let file = file.to_str().unwrap();
            let answer = run(case, &[file, file, "--format", "json"]);
            assert!(answer.code == 0, "{case}/{file}: {}{}", answer.stdout, answer.stderr);
            assert!(!answer.json()["benchmarks"].as_array().unwrap().is_empty(), "{case}/{file}");
            files += 1;
        }
        assert!(files >= 14, "{case}");
    }
}
