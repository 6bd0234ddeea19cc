//! Budgets and goals: status near a limit, and errors for those that match nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::{Answer, Sandbox};
use serde_json::Value;

/// A criterion benchmark of 50 samples around `ns`, on both sides.
fn sandbox(base: f64, head: f64, toml: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, factor) in [("api/read", 1.0), ("api/write", 3.0)] {
        sandbox.bench("old", name, base * factor, 1).bench("new", name, head * factor, 2);
    }
    sandbox.write("perfgate.toml", toml);
    sandbox
}

fn compare(sandbox: &Sandbox) -> Answer {
    sandbox.perfgate(&["compare", "old", "new", "--format", "json"])
}

fn line(answer: &Answer, list: &str, at: usize) -> Value {
    answer.json()[list][at].clone()
}

fn budget(metric: &str, target: &str, acceptable: Option<&str>) -> String {
    let acceptable = acceptable.map(|a| format!("acceptable = '{a}'\n")).unwrap_or_default();
    format!("[[budget]]\nmatch = 'api/read'\nmetric = '{metric}'\ntarget = '{target}'\n{acceptable}")
}

#[test]
fn a_value_clearly_over_both_limits_fails_and_between_them_is_acceptable() {
    // Both sides at 1000 ns with 1% spread: clearly above 900 ns and below 2000 ns.
    let status = |target: &str, acceptable: Option<&str>| {
        let answer = compare(&sandbox(1000.0, 1000.0, &budget("time", target, acceptable)));
        let line = line(&answer, "budgets", 0);
        (answer.code, line["status"].as_str().unwrap().to_owned(), line["near"].as_bool().unwrap())
    };
    assert_eq!(status("<2us", None), (0, "pass".to_owned(), false));
    assert_eq!(status("<500ns", Some("<2us")), (0, "acceptable".to_owned(), false));
    assert_eq!(status("<500ns", Some("<700ns")), (1, "fail".to_owned(), false));
    assert_eq!(status("<500ns", None), (1, "fail".to_owned(), false));
    // A limit within the interval of the value: "near", not a failure.
    let (code, status, near) = status("<999ns", None);
    assert_eq!((code, near), (0, true));
    assert!(status == "acceptable" || status == "pass", "{status}");
}

#[test]
fn a_failed_budget_is_in_every_view_with_its_line() {
    let sandbox = sandbox(1000.0, 1000.0, &budget("time", "<500ns", None));
    let table = sandbox.perfgate(&["compare", "old", "new"]);
    table
        .exits(1)
        .prints("FAIL: 1 over budget")
        .prints("budgets: 1 FAIL")
        .prints("target <500ns")
        .prints("perfgate.toml:2");
    sandbox.perfgate(&["compare", "old", "new", "--format", "markdown"]).exits(1).prints("**FAIL** `api/read` time");
    let json = compare(&sandbox);
    let finding =
        json.json()["benchmarks"].as_array().unwrap().iter().find(|f| f["name"] == "api/read").unwrap().clone();
    assert_eq!((&finding["budget"]["status"], &finding["budget"]["target"]), (&"fail".into(), &"<500ns".into()));
    sandbox.perfgate(&["compare", "old", "new", "--fail-on", "regressed"]).exits(0);
}

#[test]
fn a_relative_budget_is_checked_against_base() {
    let held = |toml: &str, head: f64| compare(&sandbox(1000.0, head, toml));
    let toml = budget("time", "-40%", None);
    assert_eq!(line(&held(&toml, 400.0), "budgets", 0)["status"], "pass");
    let missed = held(&toml, 900.0);
    missed.exits(1);
    assert_eq!(line(&missed, "budgets", 0)["status"], "fail");
}

/// A measured time of 0 is below the resolution of the clock; a count of 0 is a value.
#[test]
fn a_relative_budget_on_a_measured_base_of_zero_has_no_data() {
    let status = |exact: bool| {
        let sandbox = Sandbox::new();
        let file = |value: f64| {
            let all = serde_json::json!([{"tool": "t", "benchmark": "a", "unit": if exact { "count" } else { "ns" },
                "metric": if exact { "errors" } else { "time" }, "direction": "lower", "exact": exact,
                "replicates": [{"value": value}]}, {"tool": "t", "benchmark": "b", "unit": "ns", "replicates": [{"value": 5.0}]}]);
            serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
        };
        sandbox.write("old.json", file(0.0)).write("new.json", file(3.0));
        let metric = if exact { "errors" } else { "time" };
        sandbox.write("perfgate.toml", format!("[[budget]]\nmatch = 'a'\nmetric = '{metric}'\ntarget = '+10%'\n"));
        let answer = sandbox.perfgate(&["compare", "old.json", "new.json", "--format", "json", "--fail-on", "budget"]);
        (answer.code, line(&answer, "budgets", 0)["status"].as_str().unwrap().to_owned())
    };
    assert_eq!(status(false), (0, "no-data".to_owned()));
    assert_eq!(status(true), (1, "fail".to_owned()));
}

#[test]
fn a_p95_is_computed_from_at_least_20_samples() {
    // 50 samples within 1% of 1000 ns: the p95 is above the median and below 1010 ns.
    let answer = compare(&sandbox(1000.0, 1000.0, &budget("time:p95", "<1.2us", None)));
    let p95 = line(&answer, "budgets", 0);
    assert_eq!((answer.code, &p95["status"], &p95["metric"]), (0, &"pass".into(), &"time:p95".into()));
    assert!(p95["value"].as_f64().unwrap() > 1000.0 && p95["value"].as_f64().unwrap() < 1020.0);
    assert!(p95["interval"].is_array());
    // A p99 needs 100 samples.
    let p99 = compare(&sandbox(1000.0, 1000.0, &budget("time:p99", "<1.2us", None)));
    assert_eq!((p99.code, &line(&p99, "budgets", 0)["status"]), (0, &"no-data".into()));
    p99.prints("p99 needs 100 samples; there are only 50");
}

#[test]
fn a_passing_gate_names_budgets_that_are_neither_met_nor_missed() {
    let filled = |template: &str, toml: &str| {
        let sandbox = sandbox(1000.0, 1000.0, toml);
        sandbox.perfgate(&["compare", "old", "new", "--template", template])
    };
    let comment = |toml: &str| filled("comment", toml);
    let p99 = budget("time:p99", "<1.2us", None);
    let no_data = comment(&p99);
    no_data.exits(0).prints("### ❔ perfgate: PASS, but 1 budget has no data\n").does_not_print("✅ perfgate");
    no_data.prints("Next: Fix the budget without data: p99 needs 100 samples; there are only 50.");
    filled("issue", &p99).exits(0).prints("No regressions; 0 of 1 budget met.");
    comment(&p99.replace("read", "*")).exits(0).prints("PASS, but 2 budgets have no data\n");
    let met = budget("time", "<2us", None);
    comment(&met).exits(0).prints("### ✅ perfgate: PASS: no regression in 2 benchmarks; 1 budget met\n");
    filled("issue", &met).exits(0).prints("No regressions; all budgets met.");

    // A limit just below the value: within the noise of 50 samples.
    let undecided = comment(&budget("time", "<999ns", None));
    undecided.exits(0).prints("### ❔ perfgate: PASS, but 1 budget is undecided\n");
    undecided.prints("Next: Re-measure the benchmark of the undecided budget with more runs (");
}

#[test]
fn a_limit_in_another_unit_is_an_error_framed_under_its_line() {
    for target in ["<200MB", "<200"] {
        let answer = compare(&sandbox(1000.0, 1000.0, &budget("time", target, None)));
        answer
            .exits(2)
            .reports("perfgate.toml:2")
            .reports("error[unit-mismatch]")
            .reports("write a limit like \"<200ms\"");
    }
    let sandbox = sandbox(1000.0, 1000.0, "");
    let goal = sandbox.perfgate(&["compare", "old", "new", "--expect", "api/*:time <200MB"]);
    goal.exits(2).reports("write a limit like \"<200ms\"");
}

/// A pattern over benchmarks with several units: those that fit are checked.
#[test]
fn a_limit_that_fits_some_of_its_benchmarks_gives_no_data_for_the_others() {
    let sandbox = Sandbox::new();
    let one = |name: &str, unit: &str| {
        serde_json::json!({"tool": "t", "benchmark": name, "metric": "size", "unit": unit, "direction": "lower",
            "exact": true, "replicates": [{"value": 3.0}]})
    };
    let file =
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": [one("a", "B"), one("b", "count")]});
    sandbox.write("old.json", file.to_string()).write("new.json", file.to_string());
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = '*'\nmetric = 'size'\ntarget = '<5'\n");
    let answer = sandbox.perfgate(&["compare", "old.json", "new.json", "--format", "json"]);
    assert_eq!(line(&answer, "budgets", 0)["status"], "no-data");
    assert_eq!(line(&answer, "budgets", 1)["status"], "pass");
    answer.prints("not in the unit of this metric; write a limit like <5MB (perfgate.toml:2)");
}

#[test]
fn a_budget_that_matches_nothing_is_an_error_framed_under_its_line() {
    let toml = "[gate]\nthreshold = '20%'\n[[budget]]\nmatch = 'api/raed'\nmetric = 'time'\ntarget = '<5ms'\n";
    sandbox(1000.0, 1000.0, toml)
        .perfgate(&["compare", "old", "new"])
        .exits(2)
        .reports("perfgate.toml:4")
        .reports("match = 'api/raed'")
        .reports("matches nothing");
    // Each cause is printed once.
    let two = budget("queries", "<5", None) + &budget("memory:peak", "<5MB", None).replace("api/read", "api/w*");
    let answer = sandbox(1000.0, 1000.0, &two).perfgate(&["compare", "old", "new"]);
    answer.exits(2).reports("perfgate.toml: 2 problems");
    for metric in ["`queries`", "`memory:peak`"] {
        assert_eq!(answer.stderr.matches(metric).count(), 1, "{}", answer.stderr);
    }
    let metric = budget("memory:peak", "<5MB", None);
    sandbox(1000.0, 1000.0, &metric)
        .perfgate(&["compare", "old", "new"])
        .exits(2)
        .reports("its benchmarks have the metrics time");
}

#[test]
fn an_expectation_is_met_not_met_or_undecided() {
    let status = |head: f64, expect: &str| {
        let answer =
            sandbox(1000.0, head, "").perfgate(&["compare", "old", "new", "--format", "json", "--expect", expect]);
        line(&answer, "goals", 0)["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(400.0, "api/*:time -50%"), "met");
    assert_eq!(status(900.0, "api/*:time -50%"), "not-met");
    assert_eq!(status(1000.0, "api/*:time +0%"), "not-shown");
    assert_eq!(status(400.0, "api/read:time:p95 -50%"), "met");
}

#[test]
fn a_configured_expectation_is_shown_and_does_not_fail_the_gate() {
    let toml = "[[goal]]\nmatch = 'api/*'\nmetric = 'time'\nexpect = '-50%'\n";
    let sandbox = sandbox(1000.0, 900.0, toml);
    sandbox.perfgate(&["compare", "old", "new"]).exits(0).prints("not met api/read time").prints("expected `-50%`");
    sandbox.perfgate(&["compare", "old", "new", "--expect", "nothing:time -5%"]).exits(2).reports("matches nothing");
    sandbox.perfgate(&["compare", "old", "new", "--expect", "nonsense"]).exits(2).reports("PATTERN:METRIC LIMIT");
}

#[test]
fn a_missed_budget_is_stated_once_and_tables_name_base_and_head() {
    let sandbox = Sandbox::new();
    sandbox.bench("base", "parse", 1000.0, 1).bench("head", "parse", 2000.0, 2);
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = \"parse\"\nmetric = \"time\"\ntarget = \"<1.5us\"\n");
    let terminal = sandbox.perfgate(&["compare", "base", "head", "--save", "c.json"]).exits(1).stdout.clone();
    assert_eq!(terminal.matches("not met (perfgate.toml:2)").count(), 1, "{terminal}");
    assert!(terminal.contains("FAIL parse time 2.0"), "{terminal}");
    assert_eq!(terminal.matches("<1.5us").count(), 1, "{terminal}");
    for template in ["comment", "summary"] {
        let text = sandbox.perfgate(&["render", "c.json", "--template", template]).exits(0).stdout.clone();
        assert!(text.contains("Base") && !text.contains("Before"), "{text}");
    }
}

#[test]
fn a_limit_in_another_unit_than_its_value_is_shown_in_both() {
    let text = |target: &str| {
        sandbox(1000.0, 3000.0, &budget("time", target, None)).perfgate(&["compare", "old", "new"]).stdout
    };
    assert!(text("<0.0021ms").contains("target <0.0021ms (2.100 µs)"), "{}", text("<0.0021ms"));
    assert!(text("<2.1us").contains("target <2.1us; not met"), "{}", text("<2.1us"));
}

#[test]
fn budgets_are_sorted_by_the_factor_between_value_and_limit() {
    let sandbox = Sandbox::new();
    let values = [("a", 24.0), ("b", 9.0), ("c", 500.0), ("d", 101.0)];
    let all = values.map(|(name, value)| {
        serde_json::json!({"tool": "t", "benchmark": name, "unit": "/s", "metric": "throughput", "direction": "higher",
            "exact": true, "replicates": [{"value": value}]})
    });
    let file = serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string();
    sandbox.write("old.json", &file).write("new.json", &file);
    sandbox.write("perfgate.toml", "[[budget]]\nmatch = '*'\nmetric = 'throughput'\ntarget = '>100'\n");
    let compare = |more: [&str; 2]| sandbox.perfgate(&[&["compare", "old.json", "new.json"][..], &more].concat());
    let answer = compare(["--format", "json"]);
    let names = [0, 1, 2, 3].map(|at| line(&answer, "budgets", at)["benchmark"].as_str().unwrap().to_owned());
    assert_eq!(names, ["b", "a", "d", "c"]);
    let report = compare(["--template", "report"]).stdout;
    let at = |name: &str| report.find(&format!("**HIGH** `{name}` throughput")).unwrap_or_else(|| panic!("{report}"));
    assert!(at("b") < at("a"), "{report}");
}
