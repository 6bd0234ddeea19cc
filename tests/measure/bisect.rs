//! Tests of `bisect`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// A repository `r` with a commit `start` and `commits` more. `c` is slower from `planted` on; the `broken` ones do not
/// build.
fn history(commits: usize, planted: usize, broken: &[usize]) -> Sandbox {
    let sandbox = sandbox(&[]);
    sandbox.write("r/build.sh", "").commit("r", "start");
    sandbox.git("r", &["tag", "start"]);
    for number in 0..commits {
        let slower: &[(&str, f64)] = if number >= planted { &[("c", 1.15)] } else { &[] };
        sandbox.write("r/speeds", speeds(slower));
        let broken = broken.contains(&number);
        sandbox.write("r/build.sh", if broken { "exit 1" } else { "" }).commit("r", &format!("change {number}"));
    }
    sandbox
}

fn bisect(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    let mut args = vec!["bisect", "--scratch", "../scratch", "--setup", "sh build.sh"];
    args.extend(options);
    args.extend(["--", "sh", "bench.sh", "{filter}"]);
    sandbox.perfgate_at("r", &args)
}

#[test]
fn bisect_finds_the_planted_commit_of_sixteen() {
    let sandbox = history(16, 11, &[]);
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer.exits(0).prints("c got slower with\n").prints(" change 11\n").prints("(median and range of the pairs):\n");
    // The bad commit and four steps, with three pairs for each of these steady results.
    assert_eq!(answer.stdout.matches("in 3 pairs").count(), 5, "{}", answer.stdout);
    assert_clean(&sandbox);
}

#[test]
fn bisect_skips_broken_commits_and_prints_a_range() {
    let sandbox = history(6, 3, &[2]);
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer
        .exits(0)
        .prints("one of 2 commits")
        .prints(" change 2\n")
        .prints(" change 3\n")
        .does_not_print(" change 4\n");
    answer.prints(" does not build: `sh -c sh build.sh` exited with code 1");
}

#[test]
fn bisect_names_a_smaller_slowdown_before_the_one_that_it_found() {
    let sandbox = history(0, 0, &[]);
    for (change, factor) in [("a", 1.0), ("b", 1.3), ("c", 1.3), ("d", 2.0)] {
        sandbox.write("r/speeds", speeds(&[("c", factor)])).commit("r", change);
    }
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer.exits(0).prints("c got slower with\n").prints(" d\n");
    answer.prints("is already slower than start, by less than half of the slowdown").prints("--good start --bad ");
}

#[test]
fn bisect_needs_a_regression_and_a_common_history() {
    let sandbox = history(3, 3, &[]);
    bisect(&sandbox, &["c", "--good", "start"]).exits(2).reports("no evidence that c is slower");
    bisect(&sandbox, &["c", "--good", "HEAD", "--bad", "start"]).exits(2).reports("not an ancestor");
    bisect(&sandbox, &["c", "--good", "HEAD"]).exits(2).reports("the same commit");
    bisect(&sandbox, &["nowhere", "--good", "start"]).exits(2).reports("wrote no results");
    bisect(&sandbox, &["c", "--metric", "memory", "--good", "start"])
        .exits(2)
        .reports(" has no result c (memory). It has: c (time)")
        .reports("Use one of these names, or join an imported series with `[[continue]]`");
}

/// The older commits call the benchmark `c`, the newest one `renamed/c`.
#[test]
fn bisect_finds_a_renamed_benchmark_by_its_old_and_its_new_name() {
    let sandbox = history(3, 1, &[]);
    let renamed = speeds(&[("c", 1.15)]).replace("c ", "renamed/c ");
    sandbox.write("r/speeds", renamed).write("r/perfgate.toml", "[rename]\nc = 'renamed/c'\n").commit("r", "rename");
    for name in ["renamed/c", "c"] {
        let answer = bisect(&sandbox, &[name, "--good", "start"]);
        answer.exits(0).prints(&format!("{name} got slower with\n")).prints(" change 1\n");
    }
    bisect(&sandbox, &["--benchmark=renamed/c", "--good", "start"]).exits(0).prints(" change 1\n");
}

#[test]
fn bisect_prints_changes_as_every_report_does() {
    let sandbox = history(2, 2, &[]);
    sandbox.write("r/speeds", speeds(&[("c", 0.8)])).commit("r", "faster");
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer.exits(2).reports("differs by −2").reports("below the 5% of --threshold");
    sandbox.write("r/speeds", speeds(&[("c", 12.7)])).commit("r", "much slower");
    bisect(&sandbox, &["c", "--good", "start"]).exits(0).reports("slow (12.").reports("×, 3 pairs)").prints("× … 12.");
}

/// A fall of the rate is a slowdown, and its change is that of the rate.
#[test]
fn bisect_prints_the_change_of_a_rate_as_negative() {
    let sandbox = sandbox(&[]);
    let bench = r#"printf '{"name": "srv", "unit": "req/s", "value": %s}\n' "$(cat rate)" | sed 's/.*/[&]/' > "$1""#;
    sandbox.write("r/rate.sh", bench).write("r/rate", "1000").commit("r", "start");
    sandbox.git("r", &["tag", "start"]);
    sandbox.write("r/rate", "700").commit("r", "slower");
    let args = ["bisect", "srv", "--metric", "throughput", "--good", "start", "--scratch", "../scratch"];
    let answer = sandbox.perfgate_at("r", &[&args[..], &["--", "sh", "rate.sh", "{out}"]].concat());
    answer.exits(0).prints("srv (throughput) got slower with\n").prints(" slower\n").prints("slow          −30.0%");
    answer.reports(": slow (−30.0%, 3 pairs)");
}

/// Before anything is checked out.
#[cfg(target_os = "linux")]
#[test]
fn an_unavailable_processor_is_an_error_that_lists_the_available_ones() {
    let sandbox = history(1, 1, &[]);
    let answer = bisect(&sandbox, &["c", "--good", "start", "--pin", "1023"]);
    answer.exits(2).reports("--pin: processor 1023 is not available; use some of ");
    assert!(!answer.stderr.contains("building"), "{}", answer.stderr);
}
