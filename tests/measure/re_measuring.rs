//! Re-measuring that fails: a filter that does not work, suspects without results, commands that fail or are interrupted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// Adds a base commit and a head in which `c` is 1.5 times slower. Their command, `sh tool.sh {filter}`, runs these lines before the
/// synthetic tool. In them, `$run` is the number of the run: the screening has runs 1 and 2, and the pairs begin with run 3. The file
/// `side` has `base` or `head`.
fn add_tool(sandbox: &Sandbox, lines: &str) {
    let run = "run=$(basename \"$(dirname \"$CRITERION_HOME\")\" | tr -cd 0-9)\n";
    sandbox.write("r/tool.sh", format!("{run}{lines}\nsh bench.sh \"$@\"\n"));
    sandbox.write("r/side", "base").commit("r", "a tool");
    sandbox.write("r/speeds", speeds(&[("c", 1.5)])).write("r/side", "head").commit("r", "slower");
}

fn measure_tool(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    with(sandbox, &[&["--base", "HEAD~1"], options].concat(), &["sh", "tool.sh", "{filter}"])
}

/// The finding of `c` in a report that was printed as JSON.
fn finding(json: &serde_json::Value) -> &serde_json::Value {
    json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap()
}

#[test]
fn a_filter_that_makes_the_command_fail_is_tried_once() {
    let sandbox = sandbox(&[]);
    let tries = sandbox.path("tries").display().to_string();
    add_tool(
        &sandbox,
        &format!("if [ -n \"${{1:-}}\" ]; then echo \"$1\" >> {tries}; echo no tests ran >&2; exit 5; fi"),
    );
    let answer = measure_tool(&sandbox, &["--format", "json"]);
    answer.exits(1).reports("re-measuring 1 suspect in 5 pairs, alone");
    answer.reports("with the filter, a run of base (").reports("exited with code 5; running the whole suite, 3 pairs");
    answer.reports("re-measuring 1 suspect in 2 more pairs, with the whole suite: the filter failed before");
    let json = answer.json();
    assert_eq!((&finding(&json)["outcome"], &finding(&json)["head"]["runs"]), (&"regressed".into(), &5.into()));
    assert_eq!(sandbox.read("tries"), "^(c)$\n");
    assert_clean(&sandbox);
}

#[test]
fn a_suspect_that_is_missing_from_one_side_stays_a_suspect() {
    for (side, why) in [("base", "0 runs of base and 3 of head"), ("head", "5 runs of base and 0 of head")] {
        let sandbox = sandbox(&[]);
        let missing =
            "if [ \"$run\" -ge 3 ] && grep -q SIDE side; then grep -v '^c ' speeds > left; mv left speeds; fi";
        add_tool(&sandbox, &missing.replace("SIDE", side));
        let answer = measure_tool(&sandbox, &[]);
        answer.exits(0).prints("? inconclusive!  c").prints(&format!("re-measured, but {why} had a result"));
        answer.reports("with the filter, results of suspects are missing; running the whole suite, ");
        answer.prints(
            "warning: \"c\" stays inconclusive: it is missing from re-measured runs of `sh tool.sh {filter}`. Check that this \
             command runs it each time",
        );
        measure_tool(&sandbox, &["--fail-on", "inconclusive"]).exits(1);
        assert_clean(&sandbox);
    }
}

#[test]
fn a_suspect_that_its_tool_reports_as_failed_when_re_measured_is_failed() {
    let sandbox = sandbox(&[]);
    let tool = r#"run=$(basename "$(dirname "$CRITERION_HOME")" | tr -cd 0-9)
awk -v run="$run" -v only="$1" -v side="$(cat side)" '
  BEGIN { print "{\"context\": {\"library_build_type\": \"release\"}, \"benchmarks\": [" }
  $1 ~ only {
    printf "%s{\"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": \"iteration\", ", separator, $1, $1; separator = ",\n"
    time = $2 * (1 + run % 7 / 1000)
    if ($1 == "c" && side == "head" && run >= 3) printf "\"error_occurred\": true, \"error_message\": \"out of range\"}"
    else printf "\"iterations\": 100, \"real_time\": %.2f, \"cpu_time\": %.2f, \"time_unit\": \"ns\"}", time, time
  }
  END { print "]}" }' speeds
"#;
    sandbox.write("r/google.sh", tool).write("r/side", "base").commit("r", "a tool");
    sandbox.write("r/speeds", speeds(&[("c", 1.5)])).write("r/side", "head").commit("r", "slower");
    let answer = with(&sandbox, &["--base", "HEAD~1"], &["sh", "google.sh", "{filter}"]);
    answer.exits(1).reports("re-measuring 1 suspect in ").prints("✗ failed  c").prints("out of range");
}

#[test]
fn a_command_that_fails_when_suspects_are_re_measured_leaves_the_other_results() {
    let sandbox = sandbox(&[]);
    add_tool(&sandbox, "[ \"$run\" -lt 6 ] || { echo the disk is full >&2; exit 3; }");
    let answer = measure_tool(&sandbox, &["--format", "json", "--save", "../saved.json"]);
    answer
        .exits(2)
        .reports("exited with code 3; running the whole suite, from this run on")
        .reports("the disk is full");
    let json = answer.json();
    assert_eq!((&json["verdict"], &json["counts"]["unchanged"]), (&"none".into(), &9.into()));
    assert_eq!((&finding(&json)["outcome"], &finding(&json)["suspect"]), (&"inconclusive".into(), &true.into()));
    let warning = json["diagnostics"].as_array().unwrap().iter().find(|one| one["code"] == "re-measuring-stopped");
    let message = warning.unwrap()["message"].as_str().unwrap();
    assert!(message.starts_with("re-measuring stopped, because a run of base ("), "{message}");
    assert!(message.contains(") failed: `sh tool.sh` exited with code 3. "), "{message}");
    assert!(sandbox.path("saved.json").exists());
    let table = measure_tool(&sandbox, &[]);
    table.exits(2).prints("NO VERDICT: a run failed while suspects were re-measured\n");
    table
        .prints("? inconclusive!  c")
        .prints("warning: re-measuring stopped, because")
        .prints("Next: Check why the run failed");
    assert_clean(&sandbox);
}

#[test]
fn three_pairs_before_a_failure_decide() {
    let sandbox = sandbox(&[]);
    add_tool(&sandbox, "[ \"$run\" -lt 9 ] || exit 3");
    let answer = measure_tool(&sandbox, &["--format", "json"]);
    let json = answer.exits(1).json();
    assert_eq!((&finding(&json)["outcome"], &finding(&json)["head"]["runs"]), (&"regressed".into(), &3.into()));
    assert!(json["diagnostics"].to_string().contains("re-measuring stopped"), "{json}");
}

#[test]
fn an_error_has_the_number_of_lost_and_of_stored_runs() {
    let sandbox = sandbox(&[]);
    add_tool(&sandbox, "[ \"$run\" -lt 4 ] || exit 3");
    let answer = measure_tool(&sandbox, &["--rounds", "3"]);
    answer.exits(2).reports("3 finished runs are lost (`perfgate measure --record` stores each run of the whole suite");
    answer.reports("exited with code 3");
    let answer = measure_tool(&sandbox, &["--rounds", "3", "--record"]);
    answer.exits(2).reports("3 finished runs are stored; the others are lost or were not measured: ");
    let first = sandbox.perfgate_at("r", &["runs", "show", "HEAD~1"]);
    assert_eq!(first.exits(0).stdout.matches("run ").count(), 1);
}

#[test]
fn an_interrupt_while_suspects_are_re_measured_has_the_number_of_lost_runs() {
    let sandbox = sandbox(&[]);
    let mark = sandbox.path("running").display().to_string();
    add_tool(&sandbox, &format!("[ \"$run\" -lt 3 ] || {{ echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 61; }}"));
    let child = ends::start(&sandbox, "HEAD~1", &["sh", "tool.sh", "{filter}"]);
    assert!(ends::signal(child.id(), "-INT"));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("2 finished runs are lost") && stderr.contains("interrupted"), "{stderr}");
    assert_clean(&sandbox);
}
