//! Runs that ended in an error: which of the benchmarks without a result count as failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{OTHER_FILES, Sandbox, data, files_below};
use perfgate::formats::{Source, detect};
use perfgate::model::{EarlyEnd, EndScope};
use std::fs;
use std::path::Path;

/// Formats whose file is written by a single program or describes a single server. An exception after such a report
/// comes from another program.
const OF_ONE_PROGRAM: [&str; 7] = ["ab", "cprofile", "h2load", "mprof", "pgbench", "sqlalchemy-echo", "wrk"];

/// Whether a file of the test data is text, and neither JSON nor XML.
fn is_text(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes);
    text.is_ok_and(|text| !text.contains('\0') && !text.trim_start().starts_with(['<', '{', '[']))
}

#[test]
fn the_end_of_a_crashed_run_is_recognized_in_every_text_format() {
    let (mut formats, mut unnoticed) = (std::collections::BTreeSet::new(), Vec::new());
    for path in files_below(Path::new(&data(""))) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&path).unwrap();
        let [format] = detect(&bytes)[..] else { continue };
        if OTHER_FILES.contains(&name.as_str()) || name.ends_with(".js") || !is_text(&bytes) {
            continue;
        }
        let is_of_one_program = OF_ONE_PROGRAM.contains(&format.name()) || name.ends_with(".csv");
        let read = |bytes: &[u8]| format.parse(Source { name: &name, bytes });
        // A tool may write additional files next to its results.
        let Some(whole) = read(&bytes).ok().filter(|whole| !whole.measurements.is_empty()) else { continue };
        let is_of_run = |end: &&EarlyEnd| matches!(end.scope, EndScope::Suite | EndScope::Nothing);
        assert!(!whole.failures.early_ends.iter().any(|end| is_of_run(&end)), "{}", path.display());
        for (end, why) in [
            (
                "terminate called after throwing an instance of 'E'\nAborted (core dumped)\n",
                "terminate called after throwing an instance of 'E'",
            ),
            (
                "Traceback (most recent call last):\n  File \"b.py\", line 3, in f\n    g()\nKeyError: 'a'\n",
                "KeyError: 'a'",
            ),
        ] {
            let crashed = read(&[&bytes[..], b"\n", end.as_bytes()].concat()).unwrap();
            assert_eq!(crashed.measurements.len(), whole.measurements.len(), "{}", path.display());
            let found = crashed.failures.early_ends.iter().find(is_of_run);
            if found.is_none_or(|end| end.why != why) && !(why == "KeyError: 'a'" && is_of_one_program) {
                unnoticed.push(format!("{}: {why}", path.display()));
            }
        }
        formats.insert(format.name());
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
    assert!(formats.len() >= 40, "{formats:?}");
}

/// A tool, and an output of `a` and of a failed `b` or none, whose end shows that the tool completed its run.
const COMPLETED: [(&str, &str); 5] = [
    (
        "libtest",
        "running 2 tests\ntest a ... bench:   9 ns/iter (+/- 1)\ntest b ... FAILED\n\nfailures:\n\n---- b stdout ----\n\
         thread 'main' panicked at benches/b.rs:3:1:\nboom\n\ntest result: FAILED. 0 passed; 1 failed; 1 measured\n",
    ),
    (
        "libtest, with cargo's last line",
        "running 2 tests\ntest a ... bench:   9 ns/iter (+/- 1)\ntest b ... FAILED\n\n\
         test result: FAILED. 0 passed; 1 failed; 1 measured\n\nerror: bench failed, to rerun pass `--bench b`\n",
    ),
    (
        "pytest table",
        "==== test session starts ====\nName (time in us)   Min   Max   Mean   StdDev   Median\n\
         a   1.0   3.0   2.0   0.5   2.0\n\n==== 1 passed in 3.12s ====\n\
         Traceback (most recent call last):\n  File \"b.py\", line 3\nKeyError: 'a'\nKilled\n",
    ),
    (
        "jmh console",
        "# Run complete. Total time: 00:01:40\n\nBenchmark  Mode  Cnt  Score  Error  Units\n\
         a  avgt  5  12.5 ± 0.2  us/op\n# Run complete. Total time: 00:01:40\nrun.sh: line 9: 42 Killed     ./server\n",
    ),
    ("go", "BenchmarkA-8  100  5 ns/op\n--- FAIL: BenchmarkB\n    b_test.go:12: boom\nFAIL\nFAIL\te.org/p\t3s\nFAIL\n"),
];

#[test]
fn a_benchmark_is_not_failed_if_the_tool_completed_its_run() {
    for (tool, head) in COMPLETED {
        let sandbox = Sandbox::new();
        let names = if tool == "go" { ["BenchmarkA", "BenchmarkGone"] } else { ["a", "gone"] };
        let base = |name: &str| match tool {
            "go" => format!("{name}-8  100  5 ns/op\n"),
            "pytest table" => format!("{name}   1.0   3.0   2.0   0.5   2.0\n"),
            "jmh console" => format!("{name}  avgt  5  12.5 ± 0.2  us/op\n"),
            _ => format!("test {name} ... bench:   9 ns/iter (+/- 1)\n"),
        };
        let header =
            head.lines().find(|line| ["Name (time", "Benchmark  Mode"].iter().any(|start| line.starts_with(start)));
        let base: String = names.into_iter().map(base).collect();
        sandbox.write("base", format!("{}\n{base}", header.unwrap_or_default())).write("head", head);
        let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
        assert_eq!(answer.outcome(names[1]), "removed", "{tool}: {}{}", answer.stdout, answer.stderr);
        let has_failed = head.contains("FAIL");
        assert_eq!(answer.json()["counts"]["failed"], i32::from(has_failed), "{tool}");
        assert_eq!(answer.code, i32::from(has_failed), "{tool}");
        assert!(has_failed || answer.json()["ended_early"] == 1, "{tool}");
    }
}

#[test]
fn a_failure_concerns_only_the_benchmark_of_exactly_its_name() {
    for (base, head, failed) in [
        (
            "test_a   1.0   3.0   2.0   0.5   2.0\ntest_ab   1.0   3.0   2.0   0.5   2.0\nc   1.0   3.0   2.0   0.5   2.0\n",
            "c   1.0   3.0   2.0   0.5   2.0\n\nFAILED t.py::test_a - boom\n==== 1 failed, 1 passed in 3s ====\n",
            "test_a",
        ),
        (
            "Re x 325 ops/sec ±3.79% (14 runs sampled)\nResults x 325 ops/sec ±3.79% (14 runs sampled)\n\
             c x 325 ops/sec ±3.79% (14 runs sampled)\n",
            "Re: \nc x 325 ops/sec ±3.79% (14 runs sampled)\n",
            "Re",
        ),
    ] {
        let sandbox = Sandbox::new();
        let header = "Name (time in us)   Min   Max   Mean   StdDev   Median\n";
        let header = if failed == "test_a" { header } else { "" };
        sandbox.write("base", format!("{header}{base}")).write("head", format!("{header}{head}"));
        let answer = sandbox.perfgate(&["compare", "base", "head", "--format", "json"]);
        assert_eq!(answer.json()["counts"]["failed"], 1, "{}", answer.stdout);
        assert_eq!(answer.outcome(failed), "failed");
    }
}
