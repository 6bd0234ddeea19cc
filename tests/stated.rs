//! Tests of the machine and the commit that results state, where another machine records or compares them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use serde_json::json;

/// A synthetic BenchmarkDotNet file of a machine.
fn dotnet(cpu: &str, cores: u32, factor: f64) -> String {
    let benchmarks: Vec<_> = ["Add", "Clear", "Sum", "Tax"].iter().enumerate().map(|(index, name)| {
        let values: Vec<f64> =
            (0..15).map(|i| 100.0 * (index + 1) as f64 * factor + f64::from(i * 7 % 5) / 10.0).collect();
        let measurements: Vec<_> = values.iter().map(|value| json!({
            "IterationMode": "Workload", "IterationStage": "Result", "LaunchIndex": 1, "Operations": 1, "Nanoseconds": value
        })).collect();
        json!({"FullName": format!("Shop.Cart.{name}"), "Namespace": "Shop", "Type": "Cart", "Method": name, "Parameters": "",
            "Statistics": {"OriginalValues": values, "N": 15, "Median": values[7], "Mean": values[7], "StandardDeviation": 0.1},
            "Measurements": measurements})
    }).collect();
    json!({"Title": "Shop", "HostEnvironmentInfo": {"BenchmarkDotNetVersion": "0.15.8", "OsVersion": "Windows 11",
        "ProcessorName": cpu, "LogicalCoreCount": cores, "Architecture": "X64"}, "Benchmarks": benchmarks})
    .to_string()
}

const FAST: &str = "AMD Ryzen 9 9950X";
const SLOW: &str = "Intel Core i5-6200U";

/// Two commits, each with a stored run: of a fast machine, and of a slow one.
fn recorded_from_two_machines() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.commit("r", "fast");
    sandbox.write("fast.json", dotnet(FAST, 32, 1.0)).write("slow.json", dotnet(SLOW, 4, 2.2));
    sandbox
        .perfgate_at("r", &["record", "../fast.json"])
        .exits(0)
        .reports("note: the results were measured on another machine");
    sandbox.commit("r", "slow");
    sandbox.perfgate_at("r", &["record", "../slow.json"]).exits(0).reports("count as results of that machine");
    sandbox
}

#[test]
fn a_run_is_stored_with_the_machine_that_its_results_state() {
    let sandbox = recorded_from_two_machines();
    sandbox.perfgate_at("r", &["runs", "list"]).exits(0).prints(FAST).prints(SLOW);
    let shown = sandbox.perfgate_at("r", &["runs", "show", "HEAD"]).exits(0).stdout.clone();
    assert!(shown.contains("cores     4\n") && shown.contains("os        windows"), "{shown}");
    assert!(!shown.contains("kernel"), "the kernel is that of the machine that only recorded: {shown}");
}

#[test]
fn stored_runs_of_two_machines_are_not_compared() {
    let sandbox = recorded_from_two_machines();
    for head in ["HEAD", "../slow.json"] {
        let report = sandbox.perfgate_at("r", &["compare", "--base", "HEAD~1", "--head", head, "--format", "json"]);
        let report = report.exits(2).reports("no verdict: base and head ran on different machines").json();
        assert_eq!(report["counts"]["regressed"], 0, "{head}");
        assert_eq!(report["environment"]["match"], false, "{head}");
        // A table has the reason already.
        let table = sandbox.perfgate_at("r", &["compare", "--base", "HEAD~1", "--head", head]);
        table.exits(2).prints("NO VERDICT: base and head ran on different machines");
        assert!(!table.stderr.contains("error:"), "{}", table.stderr);
        assert_eq!(
            (&report["base"]["environment"]["cpu"], &report["head"]["environment"]["cpu"]),
            (&json!(FAST), &json!(SLOW))
        );
    }
}

#[test]
fn the_baseline_is_of_the_machine_that_the_results_state() {
    let sandbox = recorded_from_two_machines();
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    sandbox.write("r/perfgate.toml", "[[input]]\npath = \"../fast.json\"\n").write("fast.json", dotnet(FAST, 32, 1.6));
    sandbox.git("r", &["add", "."]);
    sandbox.git("r", &["commit", "-q", "-m", "config"]);
    // The newest stored run is of the slow machine, so the fast one did not measure the merge base.
    sandbox.perfgate_at("r", &["compare"]).exits(2).prints("4 regressed").prints("other machines were left out");
}

#[test]
fn the_machine_of_both_sides_is_in_the_report_of_two_files() {
    let sandbox = recorded_from_two_machines();
    let report = sandbox.perfgate(&["compare", "fast.json", "slow.json", "--format", "json", "--html", "page.html"]);
    assert_eq!(report.json()["base"]["environment"]["cpu"], FAST);
    assert!(sandbox.read("page.html").contains(&format!("<td>{FAST}</td><td>{SLOW}</td>")));
}

fn stating(commit: &str) -> String {
    json!({"format": "perfgate-run", "version": 1, "commit": commit,
        "measurements": [{"benchmark": "a", "metric": "time", "unit": "ns", "replicates": [{"value": 12.5}]}]})
    .to_string()
}

#[test]
fn results_of_another_commit_are_refused_unless_the_commit_is_given() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let old = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.commit("r", "next");
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.write("old.json", stating(&old)).write("new.json", stating(&head));
    sandbox
        .perfgate_at("r", &["record", "../old.json"])
        .exits(2)
        .reports(&format!("old.json: the results state commit {old}"));
    sandbox.perfgate_at("r", &["runs", "list"]).exits(2);
    sandbox.perfgate_at("r", &["record", "../old.json", "--commit", &old]).exits(0).prints(&old[..10]);
    sandbox.perfgate_at("r", &["record", "../new.json"]).exits(0).prints(&head[..10]);
    // The user insists, and is warned.
    sandbox
        .perfgate_at("r", &["record", "../old.json", "--commit", "HEAD"])
        .exits(0)
        .reports("state that they are of commit");
}

#[test]
fn the_beginning_of_a_commit_id_is_matched_with_the_commit() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let old = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.commit("r", "next");
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.write("old.json", stating(&old[..8])).write("new.json", stating(&head[..8]));
    let stated = format!("old.json: the results state commit {}", &old[..8]);
    sandbox.perfgate_at("r", &["record", "../old.json"]).exits(2).reports(&stated);
    let recorded = sandbox.perfgate_at("r", &["record", "../new.json"]);
    assert!(!recorded.exits(0).prints(&head[..10]).stderr.contains("commit"), "{}", recorded.stderr);

    // An import stores each run for the commit of which the file has the beginning of the id.
    let import = ["runs", "import", "../old.json", "--store", "dir:../st"];
    sandbox.perfgate_at("r", &import).exits(0).prints("imported 1 of 1 run");
    sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../st"]).exits(0).prints(&old[..10]);
}
