//! Tests of `perfgate compare` on real and synthetic results.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Sandbox, data};

/// Real trees of criterion 0.5 and 0.8: one run per side, measured on a busy machine, with known changes.
#[test]
fn known_changes_of_real_trees_are_found_and_nothing_else() {
    for version in ["criterion-05", "criterion-08"] {
        let about: serde_json::Value =
            serde_json::from_slice(&std::fs::read(data(&format!("{version}/about.json"))).unwrap()).unwrap();
        let tree = data(&format!("{version}/criterion"));
        let answer = Sandbox::new().perfgate(&[
            "compare",
            &format!("{tree}@before"),
            &format!("{tree}@after"),
            "--format",
            "json",
        ]);
        answer.exits(1);
        let found = |outcome: &str| -> Vec<String> {
            let report = answer.json();
            let findings = report["benchmarks"].as_array().unwrap();
            let mut names: Vec<String> = findings
                .iter()
                .filter(|finding| finding["outcome"] == outcome)
                .map(|finding| finding["name"].as_str().unwrap().to_owned())
                .collect();
            names.sort();
            names
        };
        let expected = |key: &str| -> Vec<String> {
            about["expected"][key].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(found("regressed"), expected("slower"), "{version}");
        assert_eq!(found("improved"), expected("faster"), "{version}");
        assert_eq!(found("removed"), expected("removed"), "{version}");
        assert_eq!(found("added"), expected("added"), "{version}");
    }
}

/// One run per side of three benchmarks. The interval of the largest change contains zero.
#[test]
fn a_change_whose_interval_contains_zero_is_neither_regressed_nor_improved() {
    let sides = ["before", "after"].map(|side| data(&format!("memory-profiler/{side}.txt")));
    let answer = Sandbox::new().perfgate(&["compare", &sides[0], &sides[1], "--format", "json"]);
    let report = answer.exits(0).json();
    for finding in report["benchmarks"].as_array().unwrap() {
        let end = |index: usize| finding["interval"][index].as_f64();
        let contains_zero = end(0) < Some(0.0) && end(1) > Some(0.0);
        let is_change = ["regressed", "improved"].map(Some).contains(&finding["outcome"].as_str());
        assert!(!(contains_zero && is_change), "{finding}");
    }
    assert_eq!(answer.outcome("mp.py::load"), "inconclusive");
}

/// A regression that does not fail the gate because fail-on does not list it, together with a suspect.
#[test]
fn the_headline_names_tolerated_regressions_and_suspects() {
    let measurement = |name: &str, samples: &[f64]| serde_json::json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": samples}]});
    let file = |scale: f64, wide: [f64; 3]| {
        let exact = serde_json::json!({"tool": "t", "benchmark": "count", "metric": "allocations", "unit": "count",
            "exact": true, "direction": "lower", "replicates": [{"value": 10.0 * scale}]});
        let all = vec![exact, measurement("wide", &wide)];
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": all}).to_string()
    };
    let sandbox = Sandbox::new();
    sandbox.write("old.json", file(1.0, [100.0, 101.0, 102.0])).write("new.json", file(2.0, [140.0, 150.0, 160.0]));
    let answer = sandbox.perfgate(&["compare", "old.json", "new.json", "--fail-on", "budget"]);
    answer.exits(0).prints("PASS, but 1 regressed (not in fail-on), and 1 of 2 inconclusive (1 suspected)");
}

#[test]
fn a_change_within_the_threshold_has_a_row_and_passes() {
    let sandbox = Sandbox::new();
    (1..=3).for_each(|run| suite(&sandbox, &format!("r{run}"), run, None));
    (4..=6).for_each(|run| suite(&sandbox, &format!("r{run}"), run, Some(("c", 1.12))));
    let sides = ["r1", "r2", "r3", "r4", "r5", "r6"];
    let sides = sides.iter().enumerate().flat_map(|(i, run)| [if i < 3 { "--base" } else { "--head" }, run]);
    let arguments: Vec<&str> = ["compare"].into_iter().chain(sides).collect();
    let with = |more: &[&str]| sandbox.perfgate(&[&arguments[..], more].concat());
    with(&[]).exits(0).prints("slower, within 20%  c").prints("9 more benchmarks unchanged");
    with(&["--format", "markdown"])
        .exits(0)
        .prints("| slower, within 20% |")
        .prints("Not listed: 9 more benchmarks unchanged.");
    with(&["--template", "comment"])
        .exits(0)
        .prints("but within the threshold")
        .prints("Not listed: 9 more benchmarks unchanged.");
    let json = with(&["--format", "json"]);
    let report = json.exits(0).json();
    let c = report["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "c").unwrap();
    assert_eq!((&c["outcome"], &c["within"]), (&"unchanged".into(), &"slower".into()));
    assert_eq!(json.stdout.matches("\"within\"").count(), 1);
}

#[test]
fn an_undecided_suspect_is_in_the_headline() {
    let sandbox = Sandbox::new();
    sandbox.bench("base", "fib", 1000.0, 1).bench("head", "fib", 1360.0, 2);
    let answer = sandbox.perfgate(&["compare", "base", "head"]);
    answer
        .exits(0)
        .prints("PASS, but 1 of 1 inconclusive (suspected: fib +3")
        .prints("%): too few runs for a small suite\n")
        .prints("perfgate measure");
    answer.does_not_print("cannot be told");
    let comment = sandbox.perfgate(&["compare", "base", "head", "--template", "comment"]);
    comment.exits(0).prints("❔ perfgate: PASS, but 1 of 1 inconclusive (suspected: fib +3").does_not_print("✅");
}

fn suite(sandbox: &Sandbox, tree: &str, run: u32, slow: Option<(&str, f64)>) {
    for (index, name) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].iter().enumerate() {
        let factor = slow.filter(|(slow, _)| slow == name).map_or(1.0, |(_, factor)| factor);
        sandbox.bench(tree, name, 1000.0 * (index + 1) as f64 * factor, run);
    }
}

#[test]
fn equal_suites_pass() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, None);
    sandbox.perfgate(&["compare", "old", "new"]).exits(0).prints("PASS").prints("10 benchmarks unchanged");
}

#[test]
fn a_slower_benchmark_fails_the_gate_and_is_listed_first() {
    let sandbox = Sandbox::new();
    (1..=3).for_each(|run| suite(&sandbox, &format!("r{run}"), run, None));
    suite(&sandbox, "r4", 4, Some(("c", 1.5)));
    let sides = ["compare", "--base", "r1", "--base", "r2", "--base", "r3", "--head", "r4"];
    sandbox.perfgate(&sides).exits(1).prints("FAIL: 1 regressed").prints("✗ regressed  c");

    let json = [&sides[..], &["--format", "json", "--save", "comparison.json"]].concat();
    let answer = sandbox.perfgate(&json);
    let report = answer.exits(1).json();
    assert_eq!(answer.outcome("c"), "regressed");
    assert_eq!(report["benchmarks"][0]["name"], "c", "worst first");
    assert_eq!(report["base"]["runs"], 3);
    assert_eq!(report["tests"], 10);
    assert_eq!(report["benchmarks"][0]["base"]["samples"], 150);
    assert_eq!(sandbox.read("comparison.json"), answer.stdout, "the saved file is the printed one");
}

#[test]
fn a_regression_is_an_improvement_with_the_sides_exchanged() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    assert_eq!(sandbox.perfgate(&["compare", "new", "old", "--format", "json"]).exits(0).outcome("c"), "improved");
}

#[test]
fn a_saved_baseline_is_selected_with_an_at_sign() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "target/criterion", 2, Some(("c", 2.0)));
    for name in ["a", "b", "c", "d"] {
        sandbox.baseline("target/criterion", "main", name, 1000.0, 1);
    }
    let answer = sandbox.perfgate(&["compare", "target/criterion@main", "target/criterion@new", "--format", "json"]);
    assert_eq!(answer.exits(1).outcome("e"), "added");
    // Without HEAD, head is target/criterion.
    let short = sandbox.perfgate(&["compare", "target/criterion@main", "--format", "json"]);
    assert_eq!(short.exits(1).outcome("e"), "added");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    for view in ["table", "markdown", "json"] {
        let one = sandbox.perfgate(&["compare", "old", "new", "--format", view]);
        let two = sandbox.perfgate(&["compare", "old", "new", "--format", view]);
        assert_eq!(one.stdout, two.stdout, "{view}");
    }
}

#[test]
fn output_to_a_file_has_colours_only_with_color_always() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    sandbox.perfgate(&["compare", "old", "new"]).does_not_print("\u{1b}[");
    sandbox.perfgate(&["compare", "old", "new", "--color", "always"]).prints("\u{1b}[");
    sandbox.perfgate(&["compare", "old", "new", "--color", "never"]).does_not_print("\u{1b}[");
}

#[test]
fn the_config_decides_what_fails() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    let verdict = |toml: &str| {
        sandbox.write("perfgate.toml", toml);
        sandbox.perfgate(&["compare", "old", "new", "--format", "json"])
    };
    verdict("[[benchmark]]\nmatch = 'c'\nthreshold = '150%'\n").exits(0);
    assert_eq!(verdict("[[benchmark]]\nmatch = 'c'\nfloor = '1ms'\n").exits(0).outcome("c"), "unchanged");
    assert_eq!(verdict("[gate]\nfail-on = ['removed']\n").exits(0).outcome("c"), "regressed");
    let accept = "[[accept]]\nbenchmark = 'c'\nup-to = '120%'\nreason = 'known'\nuntil = '2999-01-01'\n";
    let accepted = verdict(accept);
    assert_eq!(accepted.exits(0).outcome("c"), "accepted");
    assert_eq!(verdict(&accept.replace("120%", "50%")).exits(1).outcome("c"), "regressed");
    let ended = verdict(&accept.replace("2999", "2001"));
    assert_eq!(ended.exits(1).outcome("c"), "regressed");
    ended.prints("waiver-ended");
    verdict(&accept.replace("'c'", "'a'")).exits(1).prints("waiver-unused");
}

#[test]
fn a_renamed_benchmark_keeps_its_base() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, None);
    std::fs::remove_dir_all(sandbox.path("new/c")).unwrap();
    sandbox.bench("new", "z", 6000.0, 2);
    let compare = || sandbox.perfgate(&["compare", "old", "new", "--format", "json"]);
    assert_eq!(compare().outcome("z"), "added");
    sandbox.write("perfgate.toml", "[rename]\nc = 'z'\n");
    assert_eq!(compare().exits(1).outcome("z"), "regressed");
}

#[test]
fn a_rename_onto_a_benchmark_of_the_same_run_is_an_error() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    for (toml, what) in [
        ("[rename]\nb = 'c'\n", "`b` is renamed to `c`, but head has both"),
        ("[rename]\n'*c' = 'x*'\n'*b' = '*x'\n", "of head are both renamed to `x`"),
    ] {
        sandbox.write("perfgate.toml", toml);
        let answer = sandbox.perfgate(&["compare", "old", "new"]);
        answer.exits(2).reports("error[rename-collision]").reports(what).reports("perfgate.toml:");
    }
}

#[test]
fn all_problems_of_a_config_are_reported_with_exit_code_2() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    sandbox.write("perfgate.toml", "[gate]\ntreshold = '20%'\nalpha = 7\n");
    sandbox.perfgate(&["compare", "old", "old"]).exits(2).reports("treshold").reports("threshold").reports("alpha");
}

#[test]
fn options_override_the_config() {
    let sandbox = Sandbox::new();
    suite(&sandbox, "old", 1, None);
    suite(&sandbox, "new", 2, Some(("c", 2.0)));
    sandbox.perfgate(&["compare", "old", "new", "--threshold", "150%"]).exits(0);
    sandbox.perfgate(&["compare", "old", "new", "--fail-on", "added,removed"]).exits(0);
    sandbox.perfgate(&["compare", "old", "new", "--threshold", "nonsense"]).exits(2).reports("nonsense");
}

#[test]
fn results_that_were_not_measured_for_head_are_an_error() {
    let sandbox = Sandbox::new();
    sandbox.bench("a", "one", 1000.0, 1).bench("a", "two", 2000.0, 1);
    sandbox
        .perfgate(&["compare", "a", "a"])
        .exits(2)
        .reports("base and head are the same results (a); give two different results to compare");
    // If only one benchmark is a leftover, that is a warning.
    sandbox.bench("b", "one", 1000.0, 1).bench("b", "two", 2000.0, 2);
    sandbox.perfgate(&["compare", "a", "b"]).exits(0).prints("the same samples in base and head");
}

/// A run of 20 steady benchmarks and two others, one number each.
fn run_with(factor: f64, edge: f64, goal: f64) -> String {
    let measurement = |name: String, ns: f64| serde_json::json!({"tool": "t", "benchmark": name, "unit": "ns", "replicates": [{"samples": [ns]}]});
    let steady = (0..20).map(|i| measurement(format!("steady/{i:02}"), 1000.0 * f64::from(i + 1) * factor));
    let others = [measurement("edge".to_owned(), edge), measurement("goal".to_owned(), goal)];
    let measurements: Vec<_> = steady.chain(others).collect();
    serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": measurements}).to_string()
}

#[test]
fn a_shift_that_decides_about_the_threshold_is_explained_by_its_numbers() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run_with(1.0, 1e4, 1e4));
    let note = |factor: f64, edge: f64| {
        sandbox.write("head.json", run_with(factor, edge, 1e4 * factor));
        let answer = sandbox.perfgate(&["compare", "base.json", "head.json"]);
        answer.exits(0);
        answer
    };
    note(1.004, 12_020.0)
        .prints("+19.7% ")
        .prints("suite-wide shift +0.4% subtracted from the changes in time")
        .prints("+20.2% as measured, over the threshold; +19.7% without the suite-wide shift, within it");
    note(0.996, 11_980.0)
        .prints("+19.8% as measured, within the threshold; +20.3% without the suite-wide shift, over it");
    // As many digits as distinguish it from the threshold.
    note(1.001, 12_002.0).prints("+20.02% as measured, over the threshold; +19.9% without");
}

#[test]
fn an_expectation_has_the_change_of_the_row() {
    let sandbox = Sandbox::new();
    sandbox.write("base.json", run_with(1.0, 1e4, 1e4)).write("head.json", run_with(1.05, 1.05e4, 6100.0));
    let args = ["compare", "base.json", "head.json", "--expect", "goal:time -40%"];
    let answer = sandbox.perfgate(&args);
    answer
        .exits(0)
        .prints("suite-wide shift +5.0% subtracted")
        .prints("−41.9% ")
        .prints("undecided goal time 6.100 µs, −41.9% (");
    let json = sandbox.perfgate(&[&args[..], &["--format", "json"]].concat()).json();
    let row = json["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "goal").unwrap();
    let goal = &json["goals"][0];
    assert_eq!((&goal["change"], &goal["interval"]), (&row["change"], &row["interval"]), "{json}");
}

#[test]
fn several_files_of_one_suite_are_repetitions_and_none_is_dropped() {
    let result = |name: &str, slower: f64, run: u32| {
        let times: Vec<String> =
            (0..10).map(|i| format!("{:.6}", slower * (1.0 + 0.002 * f64::from((i * 7 + run * 3) % 11)))).collect();
        format!(r#"{{"command": "{name}", "mean": {slower}, "stddev": 0.001, "times": [{}]}}"#, times.join(","))
    };
    let suite = |slower: f64, run: u32| {
        let results: Vec<String> = (0..8)
            .map(|i| result(&format!("b{i}"), f64::from(i + 1) * if i == 3 { slower } else { 1.0 }, run))
            .collect();
        format!(r#"{{"results": [{}]}}"#, results.join(","))
    };
    let sandbox = Sandbox::new();
    for run in 0..3 {
        sandbox.write(&format!("old/run{run}.json"), suite(1.0, run));
        // Only the first file is as fast as before.
        sandbox.write(&format!("new/run{run}.json"), suite(if run == 0 { 1.0 } else { 1.6 }, run + 3));
    }
    let answer = sandbox.perfgate(&["compare", "old", "new"]);
    answer.prints("count as repetitions").does_not_print("only the first is used");
    let row = sandbox.perfgate(&["compare", "old", "new", "--format", "json"]).json();
    let b3 = row["benchmarks"].as_array().unwrap().iter().find(|row| row["name"] == "b3").unwrap();
    assert!(b3["outcome"] == "inconclusive" || b3["outcome"] == "regressed", "{b3}");
    assert!(b3["change"].as_f64().unwrap() > 0.5, "{b3}");
    // Files of other suites that share a name are not pooled.
    let other = |name: &str| format!(r#"{{"results": [{}, {}]}}"#, result("b0", 5.0, 0), result(name, 1.0, 0));
    sandbox.write("mixed/a.json", suite(1.0, 1)).write("mixed/b.json", other("x"));
    sandbox.perfgate(&["compare", "old/run0.json", "mixed"]).prints("b0: has two results of this name");
}
