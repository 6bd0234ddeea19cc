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
    answer.exits(1).reports("with the filter, results of suspects are missing; running the whole suite, 3 pairs");
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
        answer.prints("timed as a whole").prints("printed times in an unknown format");
    }
    // A program that prints no time has no warning.
    let sandbox = repository("2.0", "echo done in 1 s");
    let answer = with(&sandbox, &["--base", "main", "--rounds", "2"], &command);
    answer.prints("timed as a whole").does_not_print("printed times in an unknown format");
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

#[test]
fn with_a_chosen_format_other_content_of_a_place_is_no_warning() {
    let go = ["go_results", "go_results; echo progress >&2", "go_results >&2; echo progress", "go_results > go.txt"];
    let of_go = go.map(|script| (script, "go-bench", "BenchmarkB", "regressed"));
    let of_criterion = ("sh bench.sh \"$@\"; echo words > log.txt; go_results", "criterion", "c", "unchanged");
    for (script, format, name, outcome) in of_go.into_iter().chain([of_criterion]) {
        let options = ["--base", "main", "--input-format", format, "--format", "json"];
        let answer = with(&repository("2.0", script), &options, &["sh", "run.sh"]);
        assert_eq!(answer.exits(if outcome == "regressed" { 1 } else { 0 }).outcome(name), outcome, "{script}");
        let json = answer.json();
        assert!(json["diagnostics"].as_array().unwrap().iter().all(|one| one["code"] != "unreadable"), "{json}");
    }
    // Without results in any place, the error is that of the first place with content.
    let sandbox = repository("2.0", "echo words; echo progress >&2");
    let measure = |format| with(&sandbox, &["--base", "main", "--input-format", format], &["sh", "run.sh"]);
    measure("go-bench").exits(2).reports("standard output of the command");
    measure("go-bank").exits(2).reports("`go-bank` is not a known input format");
}

/// Benchmarks of criterion with the names and values of Go's.
fn with_the_same_names(factor: &str, script: &str) -> Sandbox {
    let sandbox = repository(factor, script);
    sandbox.write("r/speeds", "BenchmarkA 1000\nBenchmarkB 2000\n").commit("r", "names");
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/speeds", "BenchmarkA 1000\nBenchmarkB 2000\n").commit("r", "names");
    sandbox.git("r", &["switch", "-q", "work"]);
    sandbox
}

#[test]
fn two_tools_with_the_same_names_and_values_are_both_judged() {
    let sandbox = with_the_same_names("2.5", "sh bench.sh; go_results");
    let answer = with(&sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh"]);
    let json = answer.exits(1).json();
    let rows = json["benchmarks"].as_array().unwrap().iter();
    let mut rows: Vec<String> =
        rows.map(|one| format!("{} {} {}", one["tool"], one["name"], one["outcome"]).replace('"', "")).collect();
    rows.sort_unstable();
    let expected =
        ["criterion BenchmarkA unchanged", "criterion BenchmarkB unchanged", "go-bench BenchmarkB regressed"];
    // Values of Go's benchmarks vary with the time, so a row without a change may be inconclusive.
    rows.retain(|row| !["unchanged", "inconclusive"].map(|other| format!("go-bench BenchmarkA {other}")).contains(row));
    assert_eq!(rows, expected);
}

#[test]
fn which_results_are_copies_does_not_depend_on_the_values_of_a_run() {
    // The converted values of head differ by much from its own.
    let convert = r#"awk -v factor="$(cat factor)" 'BEGIN {
      printf "[{\"name\": \"BenchmarkA\", \"unit\": \"ns\", \"value\": %f},", 1000 * factor ^ 3
      printf "{\"name\": \"BenchmarkB\", \"unit\": \"ns\", \"value\": %f}]", 2000 * factor ^ 3
    }' > converted.json"#;
    let sandbox = repository("2.5", &format!("go_results; {convert}"));
    let answer = with(&sandbox, &["--base", "main", "--format", "json"], &["sh", "run.sh"]);
    let json = answer.exits(1).json();
    assert!(json["benchmarks"].as_array().unwrap().iter().all(|one| one["tool"] == "go-bench"), "{json}");
    let notes: Vec<_> =
        json["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "copied-results").collect();
    assert_eq!((notes.len(), &notes[0]["severity"]), (1, &"note".into()), "{json}");
    answer.prints("the `github-action-benchmark` results of the first run").prints("of `go-bench` results");
}

#[test]
fn a_benchmark_that_failed_on_head_is_failed_wherever_its_results_are() {
    // The table that hyperfine prints has the times of a command that fails.
    let hyperfine = r#"
      if [ "$(cat factor)" = 1.0 ]; then codes=0,0; else codes=1,1; fi
      awk -v seed="$(date +%s%N)" -v codes="$codes" 'BEGIN {
        srand(seed % 1000000007)
        printf "{\"results\": [{\"command\": \"x\", \"times\": [%f, %f], \"exit_codes\": [%s]}]}", 1 + rand() / 99, 1 + rand() / 99, codes
      }' > "${1:-results.json}"
      echo 'Benchmark 1: x'
      echo '  Time (mean ± σ):      10.3 ms ±   0.4 ms    [User: 8.1 ms, System: 2.0 ms]'
      echo '  Range (min … max):     9.6 ms …  11.5 ms    50 runs'"#;
    let go = r#"sh bench.sh
      printf 'goos: linux\npkg: example.org/x\n'
      if [ "$(cat factor)" = 1.0 ]; then go_results; else
        printf -- '--- FAIL: BenchmarkA\n    x_test.go:5: wrong\n--- FAIL: BenchmarkB\n    x_test.go:5: wrong\nFAIL\n'
        printf 'exit status 1\nFAIL\texample.org/x\t0.1s\n'
      fi"#;
    let cases = [(hyperfine, Some("{out}"), "x"), (hyperfine, None, "x"), (go, None, "example.org/x/BenchmarkA")];
    for (script, argument, name) in cases {
        let command = ["sh", "run.sh"].into_iter().chain(argument).collect::<Vec<_>>();
        let answer = with(&repository("2.0", script), &["--base", "main", "--format", "json"], &command);
        assert_eq!(answer.exits(1).outcome(name), "failed", "{script}");
    }
}
