//! Tests of recording on main and comparing on a branch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use perfgate::io::store::{self, Key};
use perfgate::model::{Detail, record};
use std::fs;
use std::time::{Duration, SystemTime};

fn suite(sandbox: &Sandbox, run: u32, slow: Option<(&str, f64)>) {
    for (index, name) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].iter().enumerate() {
        let factor = slow.filter(|(slow, _)| slow == name).map_or(1.0, |(_, factor)| factor);
        sandbox.bench("r/target/criterion", name, 1000.0 * (index + 1) as f64 * factor, run);
    }
}

/// Three commits on main with a stored run each, then a branch.
fn recorded() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 1..=3 {
        sandbox.commit("r", &format!("change {run}"));
        suite(&sandbox, run, None);
        sandbox.perfgate_at("r", &["record"]).exits(0).prints("recorded 10 results");
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    sandbox
}

#[test]
fn a_slower_branch_fails_against_the_runs_of_main() {
    let sandbox = recorded();
    suite(&sandbox, 9, Some(("c", 1.6)));
    sandbox.perfgate_at("r", &["compare"]).exits(1).prints("✗ regressed  c").prints("3 runs");
    let report = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    let base = sandbox.git("r", &["rev-parse", "main"]);
    assert_eq!(report.json()["base"]["commit"], base);
    assert_eq!(report.json()["base"]["commits"].as_array().unwrap().len(), 3);
    assert_eq!(report.json()["environment"]["match"], true);
}

#[test]
fn an_equal_branch_passes() {
    let sandbox = recorded();
    suite(&sandbox, 9, None);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("PASS");
}

#[test]
fn the_base_is_the_merge_base_and_not_the_newest_commit_of_main() {
    let sandbox = recorded();
    let base = sandbox.git("r", &["rev-parse", "main"]);
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.commit("r", "main goes on, and is slower");
    suite(&sandbox, 4, Some(("c", 3.0)));
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.git("r", &["switch", "-q", "work"]);
    suite(&sandbox, 9, None);
    let report = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(report.exits(0).json()["base"]["commit"], base);
}

#[test]
fn recording_again_changes_nothing() {
    let sandbox = recorded();
    sandbox.git("r", &["switch", "-q", "main"]);
    let before = sandbox.git("r", &["rev-parse", "refs/perfgate/baselines"]);
    sandbox.perfgate_at("r", &["record"]).exits(0).prints("already recorded");
    assert_eq!(sandbox.git("r", &["rev-parse", "refs/perfgate/baselines"]), before);
}

#[test]
fn work_tree_index_and_branches_stay_unchanged() {
    let sandbox = recorded();
    sandbox.write("r/file", "edited").write("r/staged", "staged");
    sandbox.git("r", &["add", "staged"]);
    let state = |sandbox: &Sandbox| {
        ["status --porcelain=v2", "for-each-ref refs/heads", "symbolic-ref HEAD", "ls-files --stage"]
            .map(|args| sandbox.git("r", &args.split(' ').collect::<Vec<_>>()))
    };
    let before = state(&sandbox);
    suite(&sandbox, 9, None);
    sandbox.perfgate_at("r", &["record"]).exits(0).reports("differ from the commit");
    assert_eq!(state(&sandbox), before);
}

#[test]
fn a_missing_baseline_is_exit_code_2_with_the_command_to_run() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    suite(&sandbox, 1, None);
    sandbox.perfgate_at("r", &["compare"]).exits(2).reports("no baseline").reports("perfgate record").reports("main");
    sandbox
        .perfgate_at("r", &["compare", "--allow-missing-baseline"])
        .exits(0)
        .prints("no baseline")
        .reports("the exit code is 0 because of --allow-missing-baseline");
    let main = sandbox.perfgate_at("r", &["compare", "main"]);
    main.exits(2).reports("no stored run of main").reports("; check it out, run the benchmarks and `perfgate record`");
    let checked_out = sandbox.perfgate_at("r", &["compare", "work", "--head", "target/criterion"]);
    checked_out.exits(2).reports("no stored run of work").reports("; run the benchmarks and `perfgate record`, or");
}

#[test]
fn a_revision_is_read_from_the_store() {
    let sandbox = recorded();
    sandbox.git("r", &["tag", "v1", "main~1"]);
    suite(&sandbox, 9, Some(("c", 2.0)));
    let report = sandbox.perfgate_at("r", &["compare", "v1", "--format", "json"]);
    assert_eq!(report.json()["base"]["commit"], sandbox.git("r", &["rev-parse", "v1"]));
    assert_eq!(report.json()["base"]["label"], "v1");
    sandbox.perfgate_at("r", &["compare", "v9"]).exits(2).reports("v9").reports("neither a path nor a git revision");
}

/// Rewrites stored runs as those of another machine: those of a commit, or all with an empty text.
fn move_to_another_machine(sandbox: &Sandbox, commit: &str, key: &str) {
    let store = store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap();
    let mut keys = store.list().unwrap().keys;
    keys.retain(|key| key.commit().unwrap().as_str().starts_with(commit));
    for old in &keys {
        let mut run = store::read_run(&*store, old, Detail::Samples).unwrap();
        run.environment.set(key, "another");
        let bytes = record::encode(&run).unwrap();
        store.write(&[(Key::new(&run, &bytes), bytes)]).unwrap();
    }
    assert_eq!(store.remove(&keys).unwrap(), keys.len());
}

#[test]
fn runs_of_another_machine_are_not_compared() {
    let sandbox = recorded();
    move_to_another_machine(&sandbox, "", "cpu");
    suite(&sandbox, 9, Some(("c", 3.0)));
    let answer = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    let report =
        answer.exits(2).reports("different machines (cpu differs). Measure base and head on one machine").json();
    assert_eq!(report["verdict"], "none");
    assert_eq!(report["environment"]["match"], false);
    assert_eq!(report["environment"]["differences"][0]["key"], "cpu");
    assert_eq!(report["counts"]["inconclusive"], 10);
    answer.prints("different-machines");
    sandbox
        .perfgate_at("r", &["compare", "--allow-missing-baseline"])
        .exits(0)
        .prints("NO VERDICT: ")
        .does_not_print("PASS");
    let comment = sandbox.perfgate_at("r", &["compare", "--template", "comment"]);
    comment.exits(2).prints("❔").prints("NO VERDICT: base and head ran on different machines").does_not_print("✅");
    let tests = sandbox.perfgate_at("r", &["compare", "--format", "junit"]);
    tests.exits(2).prints("failures=\"0\" skipped=\"11\"");
    sandbox.perfgate_at("r", &["compare", "--fail-on", "environment"]).exits(1);

    sandbox.write("r/perfgate.toml", "[environment]\nignore = ['cpu']\n");
    assert_eq!(sandbox.perfgate_at("r", &["compare", "--format", "json"]).exits(1).outcome("c"), "regressed");
}

#[test]
fn a_merge_base_with_runs_of_another_machine_only_is_reported_as_such() {
    let sandbox = recorded();
    move_to_another_machine(&sandbox, &sandbox.git("r", &["rev-parse", "main"]), "cpu");
    suite(&sandbox, 9, Some(("c", 1.6)));
    let answer = sandbox.perfgate_at("r", &["compare"]);
    // What the other machine measured shows nothing about the commit in between.
    answer
        .exits(2)
        .prints("stored runs from before the merge base (")
        .prints("NO VERDICT: the baseline is ")
        .prints("; 1 regressed\n");
    answer.prints("has no stored run of this machine class; comparing with the nearest earlier commit that has one");
    answer.prints("stored runs of other machines were left out");
}

#[test]
fn another_toolchain_is_reported_and_compared() {
    let sandbox = recorded();
    move_to_another_machine(&sandbox, "", "rustc");
    suite(&sandbox, 9, Some(("c", 3.0)));
    let answer = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(answer.exits(1).json()["environment"]["match"], true);
    answer.prints("environment-differs");
}

#[test]
fn stored_runs_are_listed_and_shown() {
    let sandbox = recorded();
    let list = sandbox.perfgate_at("r", &["runs", "list"]);
    assert_eq!(list.exits(0).stdout.lines().count(), 4, "a header and three runs");
    sandbox.perfgate_at("r", &["runs", "list", "--last", "1"]).prints("2 older ones");
    sandbox
        .perfgate_at("r", &["runs", "show", "main"])
        .exits(0)
        .prints("s  a")
        .prints("cpu ")
        .prints("median  benchmark");
    sandbox.perfgate_at("r", &["runs", "show", "work"]).exits(2).reports("no run of work");
    sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:nowhere"]).exits(2).reports("has no run");
}

#[test]
fn a_directory_is_a_store_too() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.write("r/perfgate.toml", "[store]\nurl = 'dir:../runs'\n");
    suite(&sandbox, 1, None);
    sandbox.perfgate_at("r", &["record"]).exits(0).prints("dir:");
    sandbox.commit("r", "slower");
    suite(&sandbox, 2, Some(("c", 2.0)));
    sandbox.perfgate_at("r", &["compare"]).exits(1);
    assert!(sandbox.path("runs").is_dir());
}

#[test]
fn a_file_after_push_is_not_taken_as_the_remote() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("r/bench.txt", "BenchmarkA 1 5 ns/op\n");
    let answer = sandbox.perfgate_at("r", &["record", "--push", "bench.txt"]);
    answer.exits(2).reports("perfgate record bench.txt --push").reports("--push=REMOTE");
}

#[test]
fn runs_are_pushed_and_pulled_between_clones() {
    let sandbox = recorded();
    sandbox.git("", &["init", "-q", "--bare", "hub.git"]);
    let hub = sandbox.path("hub.git").display().to_string();
    sandbox.git("r", &["remote", "add", "origin", &hub]);
    sandbox.git("r", &["push", "-q", "origin", "main", "work"]);
    sandbox.perfgate_at("r", &["runs", "push"]).exits(0).prints("3 runs sent");
    sandbox.git("", &["clone", "-q", &hub, "other", "-b", "work"]);
    sandbox.perfgate_at("other", &["runs", "pull"]).exits(0).prints("3 runs received");
    suite(&sandbox, 9, Some(("c", 2.0)));
    std::fs::rename(sandbox.path("r/target"), sandbox.path("other/target")).unwrap();
    sandbox.perfgate_at("other", &["compare"]).exits(1).prints("✗ regressed  c");
    sandbox.perfgate_at("other", &["runs", "push", "nowhere"]).exits(2).reports("nowhere");
}

#[test]
fn a_shallow_clone_names_the_stored_runs_that_it_cannot_use() {
    let sandbox = recorded();
    sandbox.git("r", &["switch", "-q", "main"]);
    let hub = format!("file://{}", sandbox.path("r").display());
    suite(&sandbox, 9, None);
    for depth in ["1", "2", "3"] {
        sandbox.git("", &["clone", "-q", "--depth", depth, &hub, depth]);
        sandbox.perfgate_at(depth, &["runs", "pull"]).exits(0).prints("3 runs received");
        sandbox.git(depth, &["switch", "-q", "-c", "work"]);
        sandbox.commit(depth, "work");
    }
    let compare = |clone: &str| sandbox.perfgate_at(clone, &["compare", "../r/target/criterion"]);
    let unused = |runs: &str| {
        format!(
            "this clone is shallow, so {runs} cannot be used as base; fetch the full history (`git fetch --unshallow`)"
        )
    };
    compare("1").exits(0).prints("1 run)").prints(&unused("2 stored runs of earlier commits"));
    compare("2").exits(0).prints("2 runs)").prints(&unused("1 stored run of an earlier commit"));
    compare("3").exits(0).prints("3 runs)").does_not_print("shallow");
    sandbox.git("1", &["fetch", "-q", "--unshallow"]);
    compare("1").exits(0).prints("3 runs)").does_not_print("shallow");
    // The only base has no run, but earlier commits have.
    sandbox.git("", &["clone", "-q", "--depth", "1", &hub, "none"]);
    sandbox.commit("none", "not recorded");
    sandbox.git("none", &["push", "-q", "origin", "HEAD:refs/heads/next"]);
    sandbox.git("", &["clone", "-q", "--depth", "1", "-b", "next", &hub, "last"]);
    sandbox.git("last", &["switch", "-q", "-c", "work"]);
    sandbox.commit("last", "work");
    sandbox.git("last", &["branch", "-q", "main", "next"]);
    sandbox.perfgate_at("last", &["runs", "pull"]).exits(0);
    compare("last").exits(2).reports("no baseline for").reports(&unused("3 stored runs of earlier commits"));
}

#[test]
fn results_older_than_the_commit_are_reported_and_not_stored() {
    let sandbox = recorded();
    suite(&sandbox, 9, None);
    let old = sandbox.path("r/target/criterion/j/new/sample.json");
    let file = std::fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    // Whether samples are read for a saved comparison or not, it is left out.
    for more in [&[][..], &["--save", "../c.json"], &["--html", "../c.html"], &["--head", "target/criterion"]] {
        let compared = sandbox.perfgate_at("r", &[&["compare", "--format", "json"], more].concat());
        compared.exits(0).prints("\\\"j\\\": older than the commit, so not measured for it; left out");
        let report = compared.json();
        assert_eq!((compared.outcome("j"), &report["counts"]["unchanged"]), ("removed".into(), &9.into()));
    }
    sandbox.perfgate_at("r", &["record"]).exits(0).prints("recorded 9 results").reports("left out");
}

#[test]
fn uncommitted_changes_are_compared_with_their_commit() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    suite(&sandbox, 1, None);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.write("r/file", "edited");
    suite(&sandbox, 2, Some(("c", 2.0)));
    let report = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(report.exits(1).json()["base"]["commit"], sandbox.git("r", &["rev-parse", "HEAD"]));
}

#[test]
fn the_stored_run_of_uncommitted_results_is_not_their_base() {
    let sandbox = recorded();
    suite(&sandbox, 9, Some(("c", 1.6)));
    sandbox.write("r/file", "edited on the branch");
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(1).prints("stored runs of the merge base (").prints("3 runs)");
    answer.prints("has no stored run other than that of these results; comparing with the merge base");
    sandbox.git("r", &["stash", "-q"]);
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/file", "edited on main");
    suite(&sandbox, 10, Some(("c", 1.6)));
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(1).prints("stored runs of HEAD (").prints("3 runs)").does_not_print("has no stored run");
    // Another run with the same changes is a base.
    suite(&sandbox, 11, Some(("c", 1.6)));
    sandbox.perfgate_at("r", &["compare"]).prints("4 runs)");
}

#[test]
fn results_older_than_head_are_recorded_only_on_request() {
    let sandbox = Sandbox::with_unrecorded_results();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a", "b", "c", "d", "e"] {
        let sample = sandbox.path(&format!("r/target/criterion/{name}/new/sample.json"));
        fs::File::options().write(true).open(sample).unwrap().set_modified(long_ago).unwrap();
    }
    sandbox.git_at("r", 1_100_000_000, &["commit", "--quiet", "--allow-empty", "--message", "later"]);
    sandbox.perfgate_at("r", &["record"]).exits(2).reports("nothing was measured for").reports("older than the commit");
    sandbox.perfgate_at("r", &["compare"]).exits(2);
    sandbox.perfgate_at("r", &["record", "--commit", "HEAD~1"]).exits(0);
    sandbox.perfgate_at("r", &["compare"]).exits(2).reports("nothing was measured for");
    sandbox.perfgate_at("r", &["record", "--force"]).exits(0);
}

#[test]
fn the_commit_of_older_results_can_be_named_in_any_way() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.five_benchmarks(2);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a", "b", "c", "d", "e"] {
        let sample = sandbox.path(&format!("r/target/criterion/{name}/new/sample.json"));
        fs::File::options().write(true).open(sample).unwrap().set_modified(long_ago).unwrap();
    }
    sandbox.git_at("r", 1_100_000_000, &["commit", "--quiet", "--allow-empty", "--message", "later"]);
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.perfgate_at("r", &["record"]).exits(2).reports("or use --commit HEAD if these are its results");
    for paths in [&["compare"][..], &["compare", "--head", "target/criterion"]] {
        sandbox.perfgate_at("r", paths).exits(2).reports("nothing was measured for");
        for revision in ["HEAD", "main", &id] {
            let compared = sandbox.perfgate_at("r", &[paths, &["--commit", revision]].concat());
            compared.exits(0).prints("all results are older than the commit").prints("the parent commit");
        }
    }
    for (revision, done) in [("HEAD", "recorded 5"), ("main", "already recorded 5"), (&*id, "already recorded 5")] {
        let recorded = sandbox.perfgate_at("r", &["record", "--commit", revision]);
        recorded.exits(0).prints(done).reports("older than the commit");
    }
}

/// A test report of this date.
fn junit(date: &str) -> String {
    let case = r#"<testcase name="a" classname="c" time="1.5"/>"#;
    format!(r#"<testsuites><testsuite name="s" timestamp="{date}">{case}</testsuite></testsuites>"#)
}

#[test]
fn results_whose_file_states_a_date_before_the_commit_are_recorded_only_on_request() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("r/perfgate.toml", "[[input]]\npath = \"../out.xml\"\n");
    // 2025-06-15T15:06:40Z
    sandbox.git_at("r", 1_750_000_000, &["commit", "--quiet", "--allow-empty", "--message", "next"]);
    // A local time may be that of another zone, and clocks differ.
    for fresh in
        ["2025-06-15T15:03:00+00:00", "2025-06-15T17:03:00+02:00", "2025-06-15T02:00:00", "2026-01-01T00:00:00"]
    {
        sandbox.write("out.xml", junit(fresh));
        sandbox.perfgate_at("r", &["record"]).exits(0);
    }
    for old in ["2025-06-15T14:00:00+00:00", "2025-06-15T16:03:00+02:00", "2025-06-13T02:00:00"] {
        sandbox.write("out.xml", junit(old));
        sandbox.perfgate_at("r", &["record"]).exits(2).reports("older than the commit");
        sandbox.perfgate_at("r", &["compare"]).exits(2).reports("nothing was measured for");
        for named in [&["compare", "../out.xml"][..], &["compare", "--head", "../out.xml"]] {
            let answer = sandbox.perfgate_at("r", named);
            answer.exits(2).reports("../out.xml: nothing was measured for").reports("--base REVISION");
        }
        let with_base = sandbox.perfgate_at("r", &["compare", "--base", "HEAD", "--head", "../out.xml"]);
        assert!(
            !with_base.stderr.contains("older than the commit"),
            "with a base, a named file may be of another commit: {}",
            with_base.stderr
        );
        sandbox.perfgate_at("r", &["record", "--force"]).exits(0).reports("older than the commit");
    }
    // A file without a date next to it may be newer.
    sandbox.write("several/out.xml", junit("2025-06-13T02:00:00"));
    sandbox.perfgate_at("r", &["record", "../several"]).exits(2).reports("older than the commit");
    sandbox.write("several/b.txt", "test parse ... bench:       1,310 ns/iter (+/- 9)\n");
    sandbox.perfgate_at("r", &["record", "../several"]).exits(0);
}

#[test]
fn a_named_tree_that_is_older_than_the_commit_is_not_judged() {
    let sandbox = recorded();
    suite(&sandbox, 9, None);
    sandbox.perfgate_at("r", &["compare", "target/criterion"]).exits(0);
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        let sample = sandbox.path(&format!("r/target/criterion/{name}/new/sample.json"));
        fs::File::options().write(true).open(sample).unwrap().set_modified(long_ago).unwrap();
    }
    sandbox
        .perfgate_at("r", &["compare", "target/criterion"])
        .exits(2)
        .reports("all results are older than the commit");
    sandbox.perfgate_at("r", &["compare", "main", "target/criterion"]).exits(0);
}

#[test]
fn results_of_the_parent_commit_are_not_stored_again() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    suite(&sandbox, 1, None);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.commit("r", "docs only");
    sandbox.commit("r", "nothing was measured");
    suite(&sandbox, 1, None);
    let parent = sandbox.git("r", &["rev-parse", "HEAD~2"]);
    let refused = sandbox.perfgate_at("r", &["record"]);
    refused.exits(2).reports(&format!("the results are exactly those stored for {}", &parent[..10])).reports("--force");
    sandbox.perfgate_at("r", &["record", "--commit", "HEAD"]).exits(2).reports("exactly those stored for");
    sandbox.perfgate_at("r", &["record", "--force"]).exits(0).prints("recorded 10 results");
    // Other results of this commit, and results that differ in one benchmark.
    suite(&sandbox, 2, None);
    sandbox.perfgate_at("r", &["record"]).exits(0).prints("recorded 10 results");
}

#[test]
fn results_of_a_commit_are_stored_once_whichever_branch_is_checked_out() {
    let sandbox = recorded();
    let measured = sandbox.git("r", &["rev-parse", "main"]);
    for branch in
        [&["switch", "-q", "-c", "other", "main"][..], &["switch", "-q", "--detach", "main"], &["switch", "-q", "work"]]
    {
        sandbox.git("r", branch);
        let again = ["record", "--commit", measured.as_str()];
        sandbox.perfgate_at("r", &again).exits(0).prints("already recorded 10 results");
    }
    assert_eq!(sandbox.perfgate_at("r", &["runs", "list"]).stdout.lines().count(), 4, "a header and three runs");
}
