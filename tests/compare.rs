//! Tests of `perfgate compare` on real and synthetic results.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Scene, data};

/// Real trees of criterion 0.5 and 0.8: one run per side, measured on a busy machine, with known changes.
#[test]
fn known_changes_of_real_trees_are_found_and_nothing_else() {
    for version in ["criterion-05", "criterion-08"] {
        let about: serde_json::Value =
            serde_json::from_slice(&std::fs::read(data(&format!("{version}/about.json"))).unwrap()).unwrap();
        let tree = data(&format!("{version}/criterion"));
        let answer = Scene::new().perfgate(&[
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
    let answer = Scene::new().perfgate(&["compare", &sides[0], &sides[1], "--format", "json"]);
    let report = answer.exits(0).json();
    for finding in report["benchmarks"].as_array().unwrap() {
        let end = |index: usize| finding["interval"][index].as_f64();
        let contains_zero = end(0) < Some(0.0) && end(1) > Some(0.0);
        let is_change = ["regressed", "improved"].map(Some).contains(&finding["outcome"].as_str());
        assert!(!(contains_zero && is_change), "{finding}");
    }
    assert_eq!(answer.outcome("mp.py::load"), "inconclusive");
}

#[test]
fn a_change_within_the_threshold_has_a_row_and_passes() {
    let scene = Scene::new();
    (1..=3).for_each(|run| suite(&scene, &format!("r{run}"), run, None));
    (4..=6).for_each(|run| suite(&scene, &format!("r{run}"), run, Some(("c", 1.12))));
    let sides = ["r1", "r2", "r3", "r4", "r5", "r6"];
    let sides = sides.iter().enumerate().flat_map(|(i, run)| [if i < 3 { "--base" } else { "--head" }, run]);
    let arguments: Vec<&str> = ["compare"].into_iter().chain(sides).collect();
    let with = |more: &[&str]| scene.perfgate(&[&arguments[..], more].concat());
    with(&[]).exits(0).says("slower, within 20%  c").says("9 benchmarks unchanged");
    with(&["--format", "markdown"]).exits(0).says("| slower, within 20% |").says("Not listed: 9 benchmarks unchanged.");
    with(&["--template", "comment"])
        .exits(0)
        .says("but within the threshold")
        .says("Not listed: 9 benchmarks unchanged.");
    let json = with(&["--format", "json"]);
    let report = json.exits(0).json();
    let c = report["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "c").unwrap();
    assert_eq!((&c["outcome"], &c["within"]), (&"unchanged".into(), &"slower".into()));
    assert_eq!(json.stdout.matches("\"within\"").count(), 1);
}

#[test]
fn an_undecided_suspect_is_in_the_headline() {
    let scene = Scene::new();
    scene.bench("base", "fib", 1000.0, 1).bench("head", "fib", 1360.0, 2);
    let answer = scene.perfgate(&["compare", "base", "head"]);
    answer.exits(0).says("PASS, but 1 suspected regression is inconclusive").says("perfgate measure");
    answer.does_not_say("cannot be told");
    let comment = scene.perfgate(&["compare", "base", "head", "--template", "comment"]);
    comment.exits(0).says("❔ perfgate: PASS, but 1 suspected regression is inconclusive").does_not_say("✅");
}

fn suite(scene: &Scene, tree: &str, run: u32, slow: Option<(&str, f64)>) {
    for (index, name) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].iter().enumerate() {
        let factor = slow.filter(|(slow, _)| slow == name).map_or(1.0, |(_, factor)| factor);
        scene.bench(tree, name, 1000.0 * (index + 1) as f64 * factor, run);
    }
}

#[test]
fn equal_suites_pass() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, None);
    scene.perfgate(&["compare", "old", "new"]).exits(0).says("PASS").says("10 benchmarks unchanged");
}

#[test]
fn a_slower_benchmark_fails_the_gate_and_is_listed_first() {
    let scene = Scene::new();
    (1..=3).for_each(|run| suite(&scene, &format!("r{run}"), run, None));
    suite(&scene, "r4", 4, Some(("c", 1.5)));
    let sides = ["compare", "--base", "r1", "--base", "r2", "--base", "r3", "--head", "r4"];
    scene.perfgate(&sides).exits(1).says("FAIL: 1 regressed").says("✗ regressed  c");

    let json = [&sides[..], &["--format", "json", "--save", "comparison.json"]].concat();
    let answer = scene.perfgate(&json);
    let report = answer.exits(1).json();
    assert_eq!(answer.outcome("c"), "regressed");
    assert_eq!(report["benchmarks"][0]["name"], "c", "worst first");
    assert_eq!(report["base"]["runs"], 3);
    assert_eq!(report["tests"], 10);
    assert_eq!(report["benchmarks"][0]["base"]["samples"], 150);
    assert_eq!(scene.read("comparison.json"), answer.stdout, "the saved file is the printed one");
}

#[test]
fn a_regression_is_an_improvement_with_the_sides_exchanged() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, Some(("c", 2.0)));
    assert_eq!(scene.perfgate(&["compare", "new", "old", "--format", "json"]).exits(0).outcome("c"), "improved");
}

#[test]
fn a_saved_baseline_is_selected_with_an_at_sign() {
    let scene = Scene::new();
    suite(&scene, "target/criterion", 2, Some(("c", 2.0)));
    for name in ["a", "b", "c", "d"] {
        scene.baseline("target/criterion", "main", name, 1000.0, 1);
    }
    let answer = scene.perfgate(&["compare", "target/criterion@main", "target/criterion@new", "--format", "json"]);
    assert_eq!(answer.exits(1).outcome("e"), "added");
    // Without HEAD, head is target/criterion.
    let short = scene.perfgate(&["compare", "target/criterion@main", "--format", "json"]);
    assert_eq!(short.exits(1).outcome("e"), "added");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, Some(("c", 2.0)));
    for view in ["table", "markdown", "json"] {
        let one = scene.perfgate(&["compare", "old", "new", "--format", view]);
        let two = scene.perfgate(&["compare", "old", "new", "--format", view]);
        assert_eq!(one.stdout, two.stdout, "{view}");
    }
}

#[test]
fn output_to_a_file_has_colours_only_with_color_always() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, Some(("c", 2.0)));
    scene.perfgate(&["compare", "old", "new"]).does_not_say("\u{1b}[");
    scene.perfgate(&["compare", "old", "new", "--color", "always"]).says("\u{1b}[");
    scene.perfgate(&["compare", "old", "new", "--color", "never"]).does_not_say("\u{1b}[");
}

#[test]
fn the_config_decides_what_fails() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, Some(("c", 2.0)));
    let verdict = |toml: &str| {
        scene.write("perfgate.toml", toml);
        scene.perfgate(&["compare", "old", "new", "--format", "json"])
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
    ended.says("waiver-ended");
    verdict(&accept.replace("'c'", "'a'")).exits(1).says("waiver-unused");
}

#[test]
fn a_renamed_benchmark_keeps_its_base() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, None);
    std::fs::remove_dir_all(scene.path("new/c")).unwrap();
    scene.bench("new", "z", 6000.0, 2);
    let compare = || scene.perfgate(&["compare", "old", "new", "--format", "json"]);
    assert_eq!(compare().outcome("z"), "added");
    scene.write("perfgate.toml", "[rename]\nc = 'z'\n");
    assert_eq!(compare().exits(1).outcome("z"), "regressed");
}

#[test]
fn all_problems_of_a_config_are_reported_with_exit_code_2() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    scene.write("perfgate.toml", "[gate]\ntreshold = '20%'\nalpha = 7\n");
    scene.perfgate(&["compare", "old", "old"]).exits(2).complains("treshold").complains("threshold").complains("alpha");
}

#[test]
fn options_override_the_config() {
    let scene = Scene::new();
    suite(&scene, "old", 1, None);
    suite(&scene, "new", 2, Some(("c", 2.0)));
    scene.perfgate(&["compare", "old", "new", "--threshold", "150%"]).exits(0);
    scene.perfgate(&["compare", "old", "new", "--fail-on", "added,removed"]).exits(0);
    scene.perfgate(&["compare", "old", "new", "--threshold", "nonsense"]).exits(2).complains("nonsense");
}

#[test]
fn results_that_were_not_measured_for_head_are_an_error() {
    let scene = Scene::new();
    scene.bench("a", "one", 1000.0, 1).bench("a", "two", 2000.0, 1);
    scene
        .perfgate(&["compare", "a", "a"])
        .exits(2)
        .complains("nothing was measured for a")
        .complains("run the benchmarks");
    // If only one benchmark is a leftover, that is a warning.
    scene.bench("b", "one", 1000.0, 1).bench("b", "two", 2000.0, 2);
    scene.perfgate(&["compare", "a", "b"]).exits(0).says("the same samples in base and head");
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
    let scene = Scene::new();
    scene.write("base.json", run_with(1.0, 1e4, 1e4));
    let note = |factor: f64, edge: f64| {
        scene.write("head.json", run_with(factor, edge, 1e4 * factor));
        let answer = scene.perfgate(&["compare", "base.json", "head.json"]);
        answer.exits(0);
        answer
    };
    // The shift is too small for the line on top.
    note(1.004, 12_020.0)
        .says("+19.7% ")
        .does_not_say("suite-wide shift +0.4%")
        .says("+20.2% as measured, over the threshold; +19.7% without the suite-wide shift, within it");
    note(0.996, 11_980.0)
        .says("+19.8% as measured, within the threshold; +20.3% without the suite-wide shift, over it");
    // As many digits as distinguish it from the threshold.
    note(1.001, 12_002.0).says("+20.02% as measured, over the threshold; +19.9% without");
}

#[test]
fn an_expectation_has_the_change_of_the_row() {
    let scene = Scene::new();
    scene.write("base.json", run_with(1.0, 1e4, 1e4)).write("head.json", run_with(1.05, 1.05e4, 6100.0));
    let args = ["compare", "base.json", "head.json", "--expect", "goal:time -40%"];
    let answer = scene.perfgate(&args);
    answer
        .exits(0)
        .says("suite-wide shift +5.0% subtracted")
        .says("−41.9% ")
        .says("undecided goal time 6.100 µs, −41.9% (");
    let json = scene.perfgate(&[&args[..], &["--format", "json"]].concat()).json();
    let row = json["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "goal").unwrap();
    let goal = &json["goals"][0];
    assert_eq!((&goal["change"], &goal["interval"]), (&row["change"], &row["interval"]), "{json}");
}
