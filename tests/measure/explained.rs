//! Regressions that are explained by their functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// `measure --explain` with these options and the synthetic tool.
fn explain(sandbox: &Sandbox, valgrind: &(&str, String), options: &[&str]) -> common::Answer {
    let measure = ["measure", "--scratch", "../scratch", "--base", "main", "--explain"];
    let args = [&measure[..], options, &["--", "sh", "bench.sh", "{filter}"]].concat();
    sandbox.perfgate_with("r", std::slice::from_ref(valgrind), &args)
}

#[test]
fn confirmed_regressions_are_explained_by_their_functions() {
    let sandbox = sandbox(&[("b", 1.4), ("c", 2.0)]);
    let valgrind = sandbox.stand_in_for_valgrind(1000, "");
    let answer = explain(&sandbox, &valgrind, &["--save", "../saved.json", "--html", "../page.html"]);
    answer.exits(1).reports("explaining the regressions").prints("FAIL: 2 regressed\n");
    answer.prints("\nc: the command executes 75% more instructions; 100% of the growth is in 1 function\n");
    answer
        .prints(" 100%  app::run|c  3,000  6,000  +100.0%  in the diff  speeds:3\n")
        .prints("b: the command executes 27% more instructions; ");
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let explanations = saved["explanations"].as_array().unwrap();
    let names: Vec<_> = explanations.iter().map(|one| one["benchmark"].as_str().unwrap()).collect();
    assert_eq!(names, ["c", "b"], "the largest first");
    let c = &explanations[0];
    assert_eq!((&c["format"], &c["metric"]), (&"perfgate-explanation".into(), &"instructions".into()), "{c}");
    assert_eq!((&c["base"]["value"], &c["head"]["value"]), (&4000.0.into(), &7000.0.into()), "{c}");
    assert!((c["time_change"].as_f64().unwrap() - 1.0).abs() < 0.03, "{c}");
    assert!(c["summary"].as_str().unwrap().starts_with("c: the command executes 75% more"), "{c}");
    assert_eq!((&c["functions"][0]["in_diff"], &c["functions"][0]["line"]), (&true.into(), &3.into()), "{c}");
    assert!(sandbox.read("page.html").contains("<summary>c: the command executes 75% more instructions; "));
    // Later views show them without another measurement.
    let comment = sandbox.perfgate(&["render", "saved.json", "--template", "comment"]);
    comment
        .exits(0)
        .prints("<summary>c: the command executes 75% more")
        .prints("<code>app&#58;&#58;run&#124;c</code> (in the diff)");
    let posted = sandbox.perfgate(&["publish", "saved.json", "--repository", "me/repo", "--pull", "1", "--dry-run"]);
    posted.exits(1).prints("c: the command executes 75% more instructions");
    assert_clean(&sandbox);
    // Without the option nothing is explained, and an improvement needs no explanation.
    let without = measure(&sandbox, &["--base", "main", "--format", "json"]);
    assert!(without.exits(1).json().get("explanations").is_none());
}

#[test]
fn at_most_five_regressions_are_explained() {
    let slower = [("a", 1.5), ("b", 1.6), ("c", 1.7), ("d", 1.8), ("e", 1.9), ("f", 2.0)];
    let sandbox = sandbox(&slower);
    // More benchmarks, so that the slower ones are not a shift of the suite.
    let steady: String = (0..12).map(|index| format!("steady{index} 5000\n")).collect();
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/speeds", speeds(&[]) + &steady).commit("r", "more");
    sandbox.git("r", &["switch", "-q", "work"]);
    sandbox.git("r", &["reset", "-q", "--hard", "main"]);
    sandbox.write("r/speeds", speeds(&slower) + &steady).commit("r", "work");
    let valgrind = sandbox.stand_in_for_valgrind(1, "");
    let json = explain(&sandbox, &valgrind, &["--format", "json"]).exits(1).json();
    assert_eq!(json["counts"]["regressed"], 6, "{json}");
    let names: Vec<_> = json["explanations"].as_array().unwrap().iter().map(|one| &one["benchmark"]).collect();
    assert_eq!(names, ["f", "e", "d", "c", "b"]);
    let notes: Vec<_> =
        json["diagnostics"].as_array().unwrap().iter().filter(|d| d["code"] == "not-explained").collect();
    assert_eq!(notes.len(), 1, "{json}");
    assert!(
        notes[0]["message"].as_str().unwrap().starts_with("only the 5 largest of 6 regressions are explained"),
        "{json}"
    );
}

#[test]
fn time_that_grew_without_instructions_is_explained_in_one_sentence() {
    let sandbox = sandbox(&[("c", 1.5)]);
    let valgrind = sandbox.stand_in_for_valgrind(10_000_000, "");
    let answer = explain(&sandbox, &valgrind, &[]);
    answer.exits(1).prints(
        "more time, but the command executes as many instructions as base (0.0%): the cause is code layout, caches, ",
    );
}

#[test]
fn a_failed_explanation_is_a_warning_and_leaves_the_verdict() {
    let sandbox = sandbox(&[("b", 1.4), ("c", 2.0)]);
    let valgrind = sandbox.stand_in_for_valgrind(1000, "b");
    let json = explain(&sandbox, &valgrind, &["--format", "json"]).exits(1).json();
    assert_eq!(json["explanations"].as_array().unwrap().len(), 1, "{json}");
    let warning = json["diagnostics"].as_array().unwrap().iter().find(|d| d["code"] == "not-explained").unwrap();
    let message = warning["message"].as_str().unwrap();
    assert!(message.starts_with("1 regression not explained: base fails under the profiler: `valgrind "), "{message}");
    // Without valgrind.
    sandbox.write("bin/valgrind", "#!/bin/sh\nexit 127\n");
    let answer = explain(&sandbox, &valgrind, &[]);
    answer
        .exits(1)
        .prints("warning: 2 regressions not explained: valgrind is not installed")
        .prints("apt-get install valgrind");
    assert_clean(&sandbox);
}

#[test]
fn nothing_is_profiled_where_nothing_regressed() {
    let sandbox = sandbox(&[("c", 0.6)]);
    let valgrind = sandbox.stand_in_for_valgrind(1, "c");
    explain(&sandbox, &valgrind, &[]).exits(0).does_not_print("explained").prints("1 improved");
}
