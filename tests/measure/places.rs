//! Results in several places: files, standard output and standard error. None of them is lost without a word.

use super::*;

/// A script that prints five results of Go's benchmarks A and B. B takes longer by the factor in the file `factor`. Values vary with
/// the time.
const GO: &str = r#"
go_results() {
  awk -v seed="$(date +%s%N)" -v factor="$(cat factor)" 'BEGIN {
    srand(seed % 1000000007)
    for (i = 1; i <= 5; i++) {
      printf "BenchmarkA-2\t1000000\t%.2f ns/op\n", 1000 * (1 + 0.004 * rand())
      printf "BenchmarkB-2\t1000000\t%.2f ns/op\n", 2000 * factor * (1 + 0.004 * rand())
    }
  }'
}
"#;

/// A branch in which B is slower by a factor, and a script that calls `go_results`.
fn repository(factor: &str, script: &str) -> Sandbox {
    let sandbox = sandbox(&[]);
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/factor", "1.0").write("r/run.sh", format!("{GO}{script}\n")).commit("r", "script");
    sandbox.git("r", &["switch", "-q", "-C", "work", "main"]);
    sandbox.write("r/factor", factor).commit("r", "work");
    sandbox
}

/// `measure` with the script.
fn report(sandbox: &Sandbox) -> common::Answer {
    with(sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh", "{filter}"])
}

fn names(answer: &common::Answer) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let json = answer.json();
    json["benchmarks"].as_array().unwrap().iter().map(|one| text(&one["name"])).collect()
}

#[test]
fn results_on_standard_output_are_judged_next_to_those_of_criterion() {
    // With a filter in criterion's syntax, the other tool prints nothing, as other bench targets of a workspace do.
    let sandbox = repository("2.0", "sh bench.sh \"$@\"; [ -n \"$1\" ] || go_results");
    let answer = report(&sandbox);
    answer.exits(1).reports("the filter does not select all suspects: running the whole suite");
    assert_eq!(answer.outcome("BenchmarkB"), "regressed");
    assert_eq!(names(&answer).len(), 12);
    let b = &answer.json()["benchmarks"][0];
    assert_eq!((&b["name"], &b["confirmed"]), (&"BenchmarkB".into(), &true.into()));
}

#[test]
fn results_on_standard_output_are_judged_next_to_a_report_of_tests() {
    let junit = r#"echo '<testsuite name="s" tests="1"><testcase classname="a" name="t1" time="0.5"/></testsuite>' > report.xml"#;
    let sandbox = repository("2.0", &format!("go_results\n{junit}"));
    let answer = report(&sandbox);
    assert_eq!(answer.exits(1).outcome("BenchmarkB"), "regressed");
    assert!(names(&answer).contains(&"a::t1".to_owned()), "{:?}", names(&answer));
}

#[test]
fn several_tools_on_standard_output_are_all_read() {
    let divan = fs::read_to_string(common::data("divan/before.txt")).unwrap();
    let sandbox = repository("2.0", "cat divan.txt\ngo_results");
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/divan.txt", &divan).commit("r", "results of divan");
    sandbox.git("r", &["switch", "-q", "work"]);
    sandbox.write("r/divan.txt", &divan).commit("r", "results of divan");
    let answer = report(&sandbox);
    assert_eq!(answer.exits(1).outcome("BenchmarkB"), "regressed");
    assert!(names(&answer).iter().any(|name| name.contains('/')), "{:?}", names(&answer));
}

#[test]
fn a_printed_table_of_the_same_results_is_left_out_without_a_word() {
    let table = "for name in a b; do echo \"$name   time:   [1.0000 us 1.0100 us 1.0200 us]\"; done";
    let answer = report(&repository("1.0", &format!("sh bench.sh \"$@\"; {table}"))).exits(0).json();
    assert!(answer["benchmarks"].as_array().unwrap().iter().all(|one| one["tool"] == "criterion"), "{answer}");
    let codes: Vec<&str> =
        answer["diagnostics"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
    let about_places = ["duplicate-name", "poorer-format", "unread-results", "unreadable"];
    assert!(codes.iter().all(|code| !about_places.contains(code)), "{codes:?}");
}

#[test]
fn results_in_other_places_than_the_named_one_are_reported() {
    let sandbox = repository(
        "2.0",
        "echo '[{\"name\": \"x\", \"unit\": \"ns\", \"value\": 5}]' > \"$1\"; go_results; go_results > go.txt",
    );
    let answer = with(&sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh", "{out}"]);
    answer.exits(0);
    let message = "has go-bench results that are not read, because {out} has results: \\\"BenchmarkA\\\" and 1 more";
    answer.prints(message);
    let json = answer.json();
    let severity = |place: &str| {
        let of_place = |one: &&serde_json::Value| one["code"] == "unread-results" && one["place"] == place;
        json["diagnostics"].as_array().unwrap().iter().find(of_place).map(|one| one["severity"].clone())
    };
    assert_eq!(severity("standard output"), Some("warning".into()));
    assert_eq!(severity("go.txt"), Some("note".into()));
    // The config names other results.
    sandbox.write("r/perfgate.toml", "[[input]]\npath = 'go.txt'\n");
    let answer = with(&sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh", "other.json"]);
    assert_eq!(answer.exits(1).outcome("BenchmarkB"), "regressed");
    answer.prints("because [[input]] has results: \\\"x\\\"");
}

#[test]
fn results_on_standard_error_are_read() {
    let sandbox = repository("2.0", "go_results >&2");
    let answer = with(&sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh"]);
    assert_eq!(answer.exits(1).outcome("BenchmarkB"), "regressed");
    assert_eq!(answer.json()["process_timed"], serde_json::Value::Null);
}

#[test]
fn a_command_that_is_timed_as_a_whole_is_reported_as_such() {
    let sandbox = repository("2.0", "for i in 1 2; do echo \"bench_$i: $(cat factor)00 ms\"; done");
    let command = ["sh", "run.sh"];
    let answer = with(&sandbox, &["--base", "main", "--rounds", "2", "--format", "json"], &command);
    let json = answer.json();
    assert_eq!(json["process_timed"], true);
    let has = |code: &str, severity: &str| {
        let is = |one: &serde_json::Value| one["code"] == code && one["severity"] == severity;
        json["diagnostics"].as_array().unwrap().iter().any(is)
    };
    assert!(has("process-timed", "note") && has("unread-times", "warning"), "{json}");
    answer.prints("such as `bench_1: 1.000 ms`");
    for format in ["table", "markdown"] {
        let answer = with(&sandbox, &["--base", "main", "--rounds", "2", "--format", format], &command);
        answer.prints("timed as a whole").prints("in a format that perfgate does not know");
    }
    // A program that prints no time has no warning.
    let sandbox = repository("2.0", "echo done in 1 s");
    let answer = with(&sandbox, &["--base", "main", "--rounds", "2"], &command);
    answer.prints("timed as a whole").does_not_print("in a format that perfgate does not know");
}

#[test]
fn the_same_results_on_both_sides_are_no_measurement() {
    let sandbox = repository("1.0", "[ -e results ] || exit 1; cat results");
    let values: String = (0..30).map(|i| format!("BenchmarkA 1000000 {}.25 ns/op\n", 1000 + i * 7 % 13)).collect();
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/results", &values).commit("r", "results of an earlier run");
    sandbox.git("r", &["switch", "-q", "-C", "work", "main"]);
    sandbox.write("r/other", "").commit("r", "change");
    report(&sandbox).exits(2).reports("nothing was measured: base and head have exactly the same results");
    assert_clean(&sandbox);
}
