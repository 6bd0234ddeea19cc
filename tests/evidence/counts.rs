//! Exact counts, few events and shares.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn few_events_are_compared_as_counts() {
    let sandbox = Sandbox::new();
    let run = |name: &str, values: [u32; 3]| {
        let of = |(index, value): (usize, &u32)| {
            format!(
                r#"{{"benchmark":"b{index}","metric":"errors","unit":"count","direction":"lower","replicates":[{{"value":{value}}}]}}"#
            )
        };
        let lines: Vec<String> = values.iter().enumerate().map(of).collect();
        sandbox.write(name, format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{}]}}"#, lines.join(",")));
    };
    run("base0.json", [0, 1, 5]);
    run("base1.json", [0, 0, 7]);
    run("base2.json", [1, 2, 4]);
    run("head.json", [3, 14, 6]);
    let sides =
        ["compare", "--base", "base0.json", "--base", "base1.json", "--base", "base2.json", "--head", "head.json"];
    let answer = sandbox.perfgate(&sides);
    answer
        .exits(1)
        .prints("too few events to distinguish the change from chance; total: 1 in 3 runs of base, 3 in 1 run of head")
        .does_not_print("inf");
    let json = sandbox.perfgate(&[&sides[..], &["--format", "json"]].concat());
    assert_eq!(["b0", "b1", "b2"].map(|name| json.outcome(name)), ["inconclusive", "regressed", "inconclusive"]);
}

#[test]
fn results_of_exact_counts_alone_need_no_machine() {
    let compare = |kind: &str| {
        let [base, head] = ["before", "after"].map(|side| common::data(&format!("{kind}/{side}")));
        let extension = if kind == "radon" { "cc.json" } else { "pstats" };
        let sandbox = Sandbox::new();
        sandbox.perfgate(&["compare", &format!("{base}.{extension}"), &format!("{head}.{extension}")])
    };
    compare("radon").prints("cc.json (1 run)").does_not_print("do not name a machine");
    compare("cprofile").prints("do not name a machine");
}

#[test]
fn a_share_of_few_events_is_compared_as_a_count() {
    let ab = |failed: u32| {
        format!(
            "This is ApacheBench, Version 2.3\nDocument Path:          /a\nComplete requests:      1000\n\
             Failed requests:        {failed}\nRequests per second:    9.5 [#/sec] (mean)\n"
        )
    };
    let outcome = |base: u32, head: u32| {
        let json = compared(&ab(base), &ab(head), &["--format", "json"]).json();
        let rows = json["benchmarks"].as_array().unwrap();
        let row = rows.iter().find(|row| row["metric"] == "error-rate").unwrap();
        row["outcome"].as_str().unwrap().to_owned()
    };
    // One failure is chance, twenty are not.
    assert_eq!([outcome(0, 1), outcome(0, 20), outcome(2, 30)], ["inconclusive", "regressed", "regressed"]);
    assert_eq!([outcome(0, 0), outcome(30, 2)], ["unchanged", "improved"]);
    compared(&ab(0), &ab(1), &[])
        .prints("0 of 1,000 requests in base, 1 of 1,000 requests in head")
        .does_not_print("… ∞") // a multiple of zero
        .does_not_print("total:");
    // Equal shares have no change that could be chance.
    compared(&ab(3), &ab(3).replace("9.5", "9.6"), &[])
        .prints("no change, but with so few events a change of 20% would not show; 3 of 1,000 requests in base")
        .does_not_print("from chance");
    // JSON has no infinity: the page has a number that stands for it.
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", ab(0)).write("head.txt", ab(1));
    sandbox.perfgate(&["compare", "base.txt", "head.txt", "--html", "page.html"]);
    assert!(sandbox.read("page.html").contains(",10000000000000.0"), "{}", sandbox.read("page.html"));
}

#[test]
fn allocations_are_counts_that_one_run_shows() {
    let sandbox = Sandbox::new();
    let go = |bytes: u32, allocations: u32, processors: u32| {
        format!(
            "goos: linux\ncpu: X\nBenchmarkA-{processors} \t 9 \t 100 ns/op \t {bytes} B/op \t {allocations} allocs/op\n"
        )
    };
    sandbox.write("base.txt", go(64, 2, 8)).write("head.txt", go(64, 4, 8)).write("other.txt", go(64, 2, 2));
    let report = sandbox.perfgate(&["compare", "base.txt", "head.txt", "--format", "json", "--all"]).exits(1).json();
    let outcome = |metric: &str| {
        let rows = report["benchmarks"].as_array().unwrap();
        rows.iter().find(|row| row["metric"] == metric).unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(["allocations", "memory"].map(outcome), ["regressed", "unchanged"]);
    sandbox
        .perfgate(&["compare", "base.txt", "other.txt"])
        .exits(0)
        .prints("base and head differ in gomaxprocs (8 → 2)");
    sandbox.write("one.txt", go(64, 2, 8).replace("A-8", "A"));
    sandbox.perfgate(&["compare", "base.txt", "one.txt"]).exits(0).prints("base and head differ in gomaxprocs (8 → 1)");
}

#[test]
fn few_events_of_another_machine_are_not_judged() {
    let sandbox = Sandbox::new();
    let run = |name: &str, cpu: &str, value: u32| {
        let measurement = format!(
            r#"{{"benchmark":"b","metric":"errors","unit":"count","direction":"lower","replicates":[{{"value":{value}}}]}}"#
        );
        let environment = format!(r#"{{"cpu":"{cpu}"}}"#);
        sandbox.write(
            name,
            format!(
                r#"{{"format":"perfgate-run","version":1,"environment":{environment},"measurements":[{measurement}]}}"#
            ),
        );
    };
    run("base.json", "one", 2);
    run("head.json", "one", 30);
    run("other.json", "two", 30);
    assert_eq!(
        sandbox.perfgate(&["compare", "base.json", "head.json", "--format", "json"]).exits(1).outcome("b"),
        "regressed"
    );
    let answer = sandbox.perfgate(&["compare", "base.json", "other.json", "--format", "json"]);
    assert_eq!(answer.exits(2).outcome("b"), "inconclusive");
}
