//! Comparisons that were saved as JSON and are rendered later.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// Written by the first release, with every field that a comparison file may have.
fn saved_comparison() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/comparisons/version-1.json")
}

/// Numbers to ten digits: reading JSON may change the last ones.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(number) => format!("{:.10e}", number.as_f64().unwrap()).into(),
        serde_json::Value::Array(items) => items.into_iter().map(rounded).collect(),
        serde_json::Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, rounded(value))).collect(),
        other => other,
    }
}

#[test]
fn a_saved_comparison_of_the_first_version_can_be_read_and_is_written_the_same() {
    let saved = fs::read(saved_comparison()).unwrap();
    let report: perfgate::verdict::Report = serde_json::from_slice(&saved).unwrap();
    let mut again = Vec::new();
    perfgate::render::json(&report, &mut again).unwrap();
    let mut again: serde_json::Value = serde_json::from_slice(&again).unwrap();
    let mut saved: serde_json::Value = serde_json::from_slice(&saved).unwrap();
    // That version wrote reasons only in words, which are not read. They are derived from the counts and the budgets.
    assert_eq!(again["reasons"].take(), serde_json::json!(["1 regressed", "2 over budget"]));
    let failed_on = serde_json::json!([{"on": "regressed", "count": 1}, {"on": "budget", "count": 2}]);
    assert_eq!(again.as_object_mut().unwrap().remove("failed_on"), Some(failed_on));
    saved["reasons"].take();
    saved["counts"]["failed"] = 0.into(); // an outcome that came later
    saved["pinned"]["counts"]["failed"] = 0.into();
    assert_eq!(rounded(again), rounded(saved));

    let sandbox = Sandbox::new();
    let path = saved_comparison().display().to_string();
    let answer = sandbox.perfgate(&["render", &path, "--template", "pr"]);
    answer.exits(0).prints("FAIL: 1 regressed, 2 over budget**");
    answer.prints("perfgate: 10 passed, 1 failed").prints("SELECT a FROM b WHERE c = ?");
    let publish = ["publish", &path, "--repository", "me/repo", "--pull", "12", "--dry-run"];
    sandbox.perfgate(&publish).exits(1).prints("parse_line");
}

#[test]
fn reasons_are_read_from_their_types_and_a_newer_one_does_not_make_the_file_unreadable() {
    let mut saved: serde_json::Value = serde_json::from_slice(&fs::read(saved_comparison()).unwrap()).unwrap();
    let sandbox = Sandbox::new();
    let mut verdict = |failed_on: serde_json::Value| {
        saved["failed_on"] = failed_on;
        saved["reasons"] = serde_json::json!(["words that nothing reads"]);
        sandbox.write("comparison.json", saved.to_string());
        let answer = sandbox.perfgate(&["render", "comparison.json", "--template", "pr"]);
        answer.exits(0);
        answer
            .stdout
            .lines()
            .find_map(|line| Some(line.split_once("FAIL: ")?.1.split_once("**")?.0.to_owned()))
            .unwrap()
    };
    let removed = serde_json::json!({"on": "removed", "count": 1});
    let also = "; also 1 regressed, 2 over budget (not in fail-on)";
    assert_eq!(
        verdict(serde_json::json!([removed, {"on": "environment"}])),
        format!("1 removed, base and head ran on different machines, and fail-on lists environment{also}")
    );
    let newer = serde_json::json!({"on": "energy", "count": 2});
    let unread = "a reason that this version of perfgate cannot read";
    assert_eq!(verdict(serde_json::json!([removed, newer])), format!("1 removed, {unread}{also}"));
}

/// The saved comparison of one benchmark, 1 µs in base and 1.6 µs in head.
fn comparison_of_one(sandbox: &Sandbox) -> serde_json::Value {
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1600.0, 2);
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(1);
    serde_json::from_str(&sandbox.read("comparison.json")).unwrap()
}

#[test]
fn the_row_of_one_benchmark_has_its_tested_change() {
    let sandbox = Sandbox::new();
    let mut saved = comparison_of_one(&sandbox);
    saved["benchmarks"][0]["change"] = 0.553.into();
    sandbox.write("comparison.json", saved.to_string());
    let answer = sandbox.perfgate(&["render", "comparison.json", "--template", "library"]);
    answer.exits(0).prints("| 55.3% slower |").prints("| +55.3% |").does_not_print("60.");
}

#[test]
fn documents_do_not_state_a_change_between_different_machines() {
    let sandbox = Sandbox::new();
    let mut saved = comparison_of_one(&sandbox);
    saved["verdict"] = "none".into();
    saved["environment"]["match"] = false.into();
    saved["failed_on"] = serde_json::json!([]);
    saved["reasons"] = serde_json::json!([]);
    saved["benchmarks"][0]["outcome"] = "inconclusive".into();
    saved["benchmarks"][0]["suspect"] = false.into();
    sandbox.write("comparison.json", saved.to_string());
    for template in ["library", "pr", "issue", "report"] {
        let answer = sandbox.perfgate(&["render", "comparison.json", "--template", template]);
        answer.exits(0).prints("NO VERDICT").does_not_print("% slower");
        assert!(!answer.stdout.to_lowercase().contains("no regressions"), "{}", answer.stdout);
        if template != "report" {
            answer.prints("not compared (different machines)");
        }
    }
}

#[test]
fn every_failing_test_is_counted_once() {
    let sandbox = Sandbox::new();
    let suite = |passed: usize| {
        let case = |i: usize| {
            let failure = if i < passed { "" } else { "<failure>no</failure>" };
            format!("<testcase classname=\"c\" name=\"t{i:02}\" time=\"0.1\">{failure}</testcase>")
        };
        format!("<testsuite name=\"s\">{}</testsuite>", (0..60).map(case).collect::<String>())
    };
    sandbox.write("base.xml", suite(60)).write("head.xml", suite(10));
    // More than the list of warnings has room for.
    let counted = "perfgate: 10 passed, 50 failed";
    sandbox.perfgate(&["compare", "base.xml", "head.xml", "--template", "pr"]).exits(1).prints(counted);
    sandbox.perfgate(&["compare", "base.xml", "head.xml"]).exits(1).prints("… and 45 more failed-benchmark");
    // Two runs of one suite.
    sandbox.write("again.xml", suite(10));
    let twice = ["compare", "--base", "base.xml", "--head", "head.xml", "--head", "again.xml"];
    sandbox.perfgate(&[&twice[..], &["--save", "twice.json"]].concat()).exits(1);
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("twice.json")).unwrap();
    assert_eq!(saved["facts"]["head"]["tests"], serde_json::json!({"passed": 10, "failed": 50}));
    assert_eq!(saved["facts"]["base"]["tests"], serde_json::json!({"passed": 60, "failed": 0}));
}
