//! Tests of metrics whose better direction neither their file nor a known word states.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use serde_json::{Value, json};

/// Eight benchmarks of Google Benchmark; the first one has `depth` and `FLOPS` of this size. Synthetic.
fn google(size: f64) -> String {
    let entries: Vec<Value> = (0..8)
        .flat_map(|i| {
            (0..5).map(move |repetition| {
                let (size, wobble) = (if i == 0 { size } else { 1.0 }, f64::from(repetition * 7 % 5 + i) / 1000.0);
                json!({"name": format!("B{i}"), "run_name": format!("B{i}"), "run_type": "iteration", "repetition_index": repetition,
                    "iterations": 100, "real_time": 100.0 + wobble, "cpu_time": 100.0 + wobble, "time_unit": "ns",
                    "depth": 40.0 * size + wobble, "FLOPS": 1e9 * size + wobble, "N": 256})
            })
        })
        .collect();
    json!({"context": {"num_cpus": 4, "library_build_type": "release"}, "benchmarks": entries}).to_string()
}

fn outcome(report: &Value, name: &str, metric: &str) -> (String, String, bool) {
    let found =
        report["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == name && one["metric"] == metric);
    let found = found.unwrap();
    let text = |key: &str| found[key].as_str().unwrap().to_owned();
    (text("outcome"), text("direction"), found["suspect"].as_bool().unwrap())
}

fn notes(report: &Value) -> Vec<String> {
    let all = report["diagnostics"].as_array().unwrap().iter();
    all.filter(|one| one["code"] == "assumed-direction")
        .map(|one| one["message"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_change_of_unknown_direction_is_shown_and_not_judged() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", google(1.0)).write("half.json", google(0.4));
    for (base, head, flops, code) in
        [("base.json", "half.json", "regressed", 1), ("half.json", "base.json", "improved", 0)]
    {
        let answer = sandbox.perfgate(&["compare", base, head, "--format", "json"]);
        let report = answer.exits(code).json();
        assert_eq!(outcome(&report, "B0", "counter:depth"), ("inconclusive".into(), "unknown".into(), false), "{head}");
        assert_eq!(outcome(&report, "B0", "counter:FLOPS").0, flops, "{head}");
        assert_eq!(outcome(&report, "B0", "counter:N").0, "unchanged", "the same on both sides");
        assert_eq!(outcome(&report, "B1", "counter:depth").0, "unchanged", "within the threshold in both directions");
        let [note] = &notes(&report)[..] else { panic!("{report:#}") };
        assert!(note.contains("metric = \"counter:depth\"") && note.contains("match = \"B0\""), "{note}");
    }
    let fail_on_undecided = ["compare", "half.json", "base.json", "--fail-on", "inconclusive"];
    sandbox
        .perfgate(&fail_on_undecided)
        .exits(0)
        .prints("1 metric not judged (better direction unknown)")
        .does_not_print("1 inconclusive");
}

#[test]
fn a_constant_next_to_a_change_of_unknown_direction_is_no_verdict() {
    let sandbox = Sandbox::new();
    let run = |name: &str, values: &[(&str, u32)]| {
        let of = |(metric, value): &(&str, u32)| {
            format!(r#"{{"benchmark":"b","metric":"counter:{metric}","unit":"1","replicates":[{{"value":{value}}}]}}"#)
        };
        let all: Vec<String> = values.iter().map(of).collect();
        sandbox.write(name, format!(r#"{{"format":"perfgate-run","version":1,"measurements":[{}]}}"#, all.join(",")));
    };
    run("base.json", &[("n", 256), ("depth", 40), ("none", 0)]);
    run("head.json", &[("n", 256), ("depth", 90), ("none", 0)]);
    let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
    answer.exits(2).prints("NO VERDICT: the better direction of every changed metric is unknown");
    // Without a change there is nothing to judge.
    run("head.json", &[("n", 256), ("depth", 40), ("none", 0)]);
    sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(0).prints("PASS: no regression");
}

#[test]
fn the_config_states_the_direction() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", google(1.0)).write("half.json", google(0.4));
    let config =
        |direction: &str, metric: &str| format!("[[benchmark]]\nmatch = \"B*\"\n{metric}direction = \"{direction}\"\n");
    for (direction, metric, expected) in [
        ("higher", "metric = \"counter:d*\"\n", "regressed"),
        ("lower", "metric = \"counter:d*\"\n", "improved"),
        ("higher", "", "regressed"),
    ] {
        sandbox.write("perfgate.toml", config(direction, metric));
        let report = sandbox.perfgate(&["compare", "base.json", "half.json", "--format", "json"]).exits(1).json();
        assert_eq!(outcome(&report, "B0", "counter:depth").0, expected, "{direction} {metric}");
        assert_eq!(outcome(&report, "B0", "time").1, "lower", "a rule without a metric does not turn a time");
        assert_eq!(notes(&report), <Vec<String>>::new());
    }
    sandbox.write("perfgate.toml", config("up", ""));
    sandbox.perfgate(&["compare", "base.json", "half.json"]).exits(2).reports("`up` is not a direction");
}

/// A run of perfgate's format with 30 samples of each of eight scores.
fn scores(size: f64, direction: Option<&str>) -> String {
    let measurements: Vec<Value> = (0..8)
        .map(|i| {
            let size = if i == 0 { size } else { 1.0 };
            let samples: Vec<f64> = (0..30).map(|s| 100.0 * size * (1.0 + f64::from((s * 7 + i) % 30) / 200.0)).collect();
            let mut one = json!({"benchmark": format!("s{i}"), "metric": "score", "unit": "", "replicates": [{"samples": samples}]});
            if let Some(direction) = direction {
                one["direction"] = direction.into();
            }
            one
        })
        .collect();
    json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
}

/// A repository with twelve stored runs; from the seventh on, the first score is half.
fn recorded(stated: impl Fn(usize) -> Option<&'static str>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 0..12 {
        let (size, message) = (if run < 6 { 1.0 } else { 0.5 }, format!("commit {run}"));
        sandbox.commit("r", &message).write("s.json", scores(size * (1.0 + run as f64 / 1000.0), stated(run)));
        sandbox.perfgate_at("r", &["record", "../s.json"]).exits(0);
    }
    sandbox
}

#[test]
fn a_change_of_a_stored_series_is_neither_worse_nor_better() {
    let sandbox = recorded(|_| None);
    sandbox
        .perfgate_at("r", &["history"])
        .exits(0)
        .prints("~ changed")
        .does_not_print("worse")
        .does_not_print("better");
    let shown = sandbox.perfgate_at("r", &["history", "s0", "--format", "json"]).exits(0).json();
    assert_eq!(shown["series"][0]["direction"], "unknown");
    assert_eq!(shown["series"][0]["changes"][0]["worse"], Value::Null);
    let replay = sandbox.perfgate_at("r", &["replay", "--format", "json"]).exits(0).json();
    assert_eq!(replay["rows"][0]["alarms"], 0, "{replay:#}");

    sandbox.write("r/perfgate.toml", "[[benchmark]]\nmatch = \"s*\"\ndirection = \"higher\"\n");
    sandbox.perfgate_at("r", &["history"]).exits(0).prints("✗ worse");
    let replay = sandbox.perfgate_at("r", &["replay", "--format", "json"]).exits(0).json();
    assert_eq!(replay["rows"][0]["alarms"], 1, "{replay:#}");
}

#[test]
fn stored_runs_of_another_direction_follow_the_newest() {
    let sandbox = recorded(|run| Some(if run < 6 { "lower" } else { "higher" }));
    let shown = sandbox.perfgate_at("r", &["history", "s0", "--format", "json"]).exits(0).json();
    assert_eq!(shown["series"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&shown["series"][0]["direction"], &shown["series"][0]["changes"][0]["worse"]),
        (&json!("higher"), &json!(true))
    );
    sandbox.write("lower.json", scores(1.0, Some("lower"))).write("higher.json", scores(0.4, Some("higher")));
    let report = sandbox.perfgate(&["compare", "lower.json", "higher.json", "--format", "json"]).exits(1).json();
    assert_eq!(outcome(&report, "s0", "score"), ("regressed".into(), "higher".into(), true));
}

#[test]
fn a_file_without_any_known_direction_gets_no_verdict() {
    let sandbox = Sandbox::new();
    let points = |value: u32| json!([{"name": "a", "unit": "points", "value": value}]).to_string();
    sandbox.write("base.json", points(40)).write("head.json", points(90));
    sandbox.perfgate(&["compare", "base.json", "head.json"]).exits(2).prints("NO VERDICT: the better direction");
    sandbox.write("same.json", points(40)).perfgate(&["compare", "base.json", "same.json"]).exits(0);
}

#[test]
fn a_limit_on_a_metric_of_unknown_direction_needs_a_sign() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", google(1.0)).write("half.json", google(0.4));
    let budget =
        |target: &str| format!("[[budget]]\nmatch = \"B0\"\nmetric = \"counter:depth\"\ntarget = \"{target}\"\n");
    sandbox.write("perfgate.toml", budget("+10%"));
    sandbox.perfgate(&["compare", "base.json", "half.json"]).prints("NO DATA").prints("better direction");
    sandbox.write("perfgate.toml", budget(">-10%"));
    sandbox.perfgate(&["compare", "base.json", "half.json"]).exits(1).prints("1 over budget");
}

/// The entries of github-action-benchmark's bigger-is-better suite: the unit of a size is lower by default. `data.js` states the
/// direction, the list of a script does not.
fn bigger(size: f64, is_stated: bool) -> String {
    let entry = |i: u32| {
        let name = if is_stated { format!("b{i}") } else { format!("S/b{i}") };
        json!({"name": name, "unit": "MB", "value": if i == 0 { size } else { 1.0 } * f64::from(100 + i)})
    };
    let benches: Vec<Value> = (0..8).map(entry).collect();
    if !is_stated {
        return json!(benches).to_string();
    }
    let run = json!({"commit": {"id": "c".repeat(40)}, "date": 1_700_000_000_000_u64, "tool": "customBiggerIsBetter", "benches": benches});
    format!("window.BENCHMARK_DATA = {}", json!({"lastUpdate": 0, "repoUrl": "", "entries": {"S": [run]}}))
}

#[test]
fn a_stated_direction_takes_precedence_over_that_of_the_unit() {
    let sandbox = Sandbox::new();
    sandbox
        .write("stated.js", bigger(1.0, true))
        .write("higher.json", bigger(4.0, false))
        .write("assumed.json", bigger(1.0, false));
    for (base, head, code, direction) in [
        ("stated.js", "higher.json", 0, "higher"),
        ("higher.json", "stated.js", 1, "higher"),
        ("assumed.json", "higher.json", 1, "lower"),
    ] {
        let report = sandbox.perfgate(&["compare", base, head, "--format", "json"]).exits(code).json();
        let (outcome, of, _) = outcome(&report, "S/b0", "memory");
        assert_eq!((outcome == "regressed", &*of), (code == 1, direction), "{base} {head}");
    }
}

#[test]
fn the_stated_direction_of_older_runs_takes_precedence_in_a_series() {
    // The word `recall` decides for higher, the first runs state lower.
    let named = |text: String| text.replace("score", "recall");
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 0..12 {
        let size = if run < 6 { 1.0 } else { 0.5 } * (1.0 + f64::from(run) / 1000.0);
        sandbox.commit("r", &format!("commit {run}"));
        sandbox.write("s.json", named(scores(size, (run < 3).then_some("lower"))));
        sandbox.perfgate_at("r", &["record", "../s.json"]).exits(0);
    }
    let shown = sandbox.perfgate_at("r", &["history", "s0", "--format", "json"]).exits(0).json();
    assert_eq!(shown["series"][0]["direction"], "lower");
    assert_eq!(shown["series"][0]["changes"][0]["worse"], false);
}

#[test]
fn a_direction_that_results_state_takes_precedence_over_the_config() {
    let sandbox = recorded(|_| Some("higher"));
    for metric in ["", "metric = \"score\"\n"] {
        sandbox.write("r/perfgate.toml", format!("[[benchmark]]\nmatch = \"s*\"\n{metric}direction = \"lower\"\n"));
        let warning = "perfgate.toml:2: the direction of the rule for";
        let shown = sandbox.perfgate_at("r", &["history", "s0", "--format", "json"]).exits(0).json();
        let series = &shown["series"][0];
        assert_eq!((&series["direction"], &series["changes"][0]["worse"]), (&json!("higher"), &json!(true)));
        sandbox.perfgate_at("r", &["history"]).exits(0).reports(warning);
        sandbox.perfgate_at("r", &["replay"]).exits(0).reports(warning);
        sandbox.write("s.json", scores(0.4, Some("higher"))).write("base.json", scores(1.0, None));
        let answer = sandbox.perfgate_at("r", &["compare", "../base.json", "../s.json", "--format", "json"]);
        let report = answer.exits(1).json();
        assert_eq!(outcome(&report, "s0", "score"), ("regressed".into(), "higher".into(), true));
        assert!(report["diagnostics"].as_array().unwrap().iter().any(|one| one["code"] == "direction-unused"));
    }
    // An older run that states it counts more than a newer one that does not.
    let sandbox = recorded(|run| (run < 3).then_some("higher"));
    sandbox.write("r/perfgate.toml", "[[benchmark]]\nmatch = \"s*\"\ndirection = \"lower\"\n");
    let shown = sandbox.perfgate_at("r", &["history", "s0", "--format", "json"]).exits(0).json();
    assert_eq!(shown["series"][0]["direction"], "higher");
}
