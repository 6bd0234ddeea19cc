//! Benchmarks that their tool reports as failed, from the file to the verdict. The outputs of tools are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Sandbox};

/// Ten results of each benchmark in the form of `go test -bench`.
fn go(names: &[&str], end: &str) -> String {
    let result =
        |name: &&str| (0..10).map(|i| format!("{name}-8   \t  1000\t  {}.5 ns/op\n", 99 + i % 3)).collect::<String>();
    let results: String = names.iter().map(result).collect();
    format!("goos: linux\ngoarch: amd64\npkg: e.org/p\ncpu: X\n{results}{end}")
}

const FAILED: &str =
    "--- FAIL: BenchmarkD\n    d_test.go:12: index out of range\nFAIL\nexit status 1\nFAIL\te.org/p\t3.1s\nFAIL\n";
const PANICKED: &str =
    "BenchmarkD-8   \tpanic: no *such* key\n\ngoroutine 35 [running]:\nexit status 2\nFAIL\te.org/p\t3.1s\nFAIL\n";
const KILLED: &str = "panic: test timed out after 10m0s\n\nFAIL\te.org/p\t600.1s\nFAIL\n";

fn compared(end: &str, more: &[&str]) -> Answer {
    let sandbox = Sandbox::new();
    sandbox.write("base.txt", go(&["BenchmarkA", "BenchmarkB", "BenchmarkD"], "PASS\nok  \te.org/p\t3.1s\n"));
    sandbox.write("head.txt", go(&["BenchmarkA", "BenchmarkB"], end));
    sandbox.perfgate(&[&["compare", "base.txt", "head.txt"], more].concat())
}

#[test]
fn a_failed_benchmark_fails_the_gate_and_says_why() {
    for (end, why) in [
        (FAILED, "d_test.go:12: index out of range"),
        (PANICKED, "panic: no *such* key"),
        (KILLED, "no result: panic: test timed out after 10m0s"),
    ] {
        let answer = compared(end, &[]);
        answer.exits(1).prints("FAIL: 1 failed").prints("✗ failed        e.org/p/BenchmarkD").prints(why);
        answer.does_not_print("removed");
        let json = compared(end, &["--format", "json"]);
        assert_eq!(json.json()["counts"]["failed"], 1);
        assert_eq!(json.outcome("e.org/p/BenchmarkD"), "failed");
    }
}

#[test]
fn a_benchmark_taken_out_of_the_suite_is_removed_and_not_failed() {
    compared("PASS\nok  \te.org/p\t3.1s\n", &[]).exits(0).prints("removed").does_not_print("failed");
}

#[test]
fn other_views_name_the_failure() {
    compared(FAILED, &["--format", "junit"]).exits(1).prints("<failure type=\"failed\" message=\"failed: ");
    compared(PANICKED, &["--format", "markdown"]).exits(1).prints("💥 failed").does_not_print("*such*");
    compared(FAILED, &["--template", "comment"]).exits(1).prints("FAIL: 1 failed").prints("index out of range");
}

#[test]
fn the_gate_passes_with_a_failure_only_on_request_and_not_silently() {
    compared(FAILED, &["--fail-on", "regressed"]).exits(0).prints("PASS, but 1 benchmark failed").does_not_print("✅");
}

#[test]
fn a_stored_run_keeps_its_failures() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").commit("r", "one");
    sandbox.write("r/out.txt", go(&["BenchmarkA", "BenchmarkB", "BenchmarkD"], "PASS\n"));
    sandbox.perfgate_at("r", &["record", "out.txt"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "two");
    sandbox.write("r/out.txt", go(&["BenchmarkA", "BenchmarkB"], FAILED));
    sandbox.perfgate_at("r", &["record", "out.txt"]).exits(0);
    sandbox.perfgate_at("r", &["compare", "main", "work"]).exits(1).prints("✗ failed").prints("index out of range");
}
