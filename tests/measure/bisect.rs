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
    answer.prints("skipped: test (").prints(") does not build: ");
}

#[test]
fn bisect_needs_a_regression_and_a_common_history() {
    let sandbox = history(3, 3, &[]);
    bisect(&sandbox, &["c", "--good", "start"]).exits(2).reports("no evidence that c is slower");
    bisect(&sandbox, &["c", "--good", "HEAD", "--bad", "start"]).exits(2).reports("not an ancestor");
    bisect(&sandbox, &["c", "--good", "HEAD"]).exits(2).reports("the same commit");
    bisect(&sandbox, &["nowhere", "--good", "start"]).exits(2).reports("wrote no results");
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

/// Before anything is checked out.
#[cfg(target_os = "linux")]
#[test]
fn an_unavailable_processor_is_an_error_that_lists_the_available_ones() {
    let sandbox = history(1, 1, &[]);
    for processor in ["1023", "1024"] {
        let answer = bisect(&sandbox, &["c", "--good", "start", "--pin", processor]);
        answer.exits(2).reports(&format!("--pin: processor {processor} is not available; use some of "));
        assert!(!answer.stderr.contains("building"), "{}", answer.stderr);
    }
}
