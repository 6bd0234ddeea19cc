//! `perfgate ci`: which stored runs are the base, and events without a verdict.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Sandbox;
use common::workflow::{benches, check_out_test_merge, ci, head, merged, project, pull, push};
use serde_json::{Value, json};
use std::fs;

#[test]
fn the_base_of_a_key_is_what_was_stored_under_that_key() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.git("", &["init", "-q", "--bare", "remote.git"]);
    sandbox.git("r", &["remote", "add", "origin", "../remote.git"]);
    for number in 1..=3 {
        sandbox.commit("r", &format!("main {number}"));
        let pushed = push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]));
        for (key, parse) in [("scalar", 1000.0), ("simd", 500.0)] {
            benches(&sandbox, number, parse);
            ci(&sandbox, "push", &pushed, &[("PERFGATE_KEY", key)], &[]).exits(0);
        }
    }
    let base = check_out_test_merge(&sandbox);
    let judged = |key: &str, parse: f64, run: u32| {
        benches(&sandbox, run, parse);
        ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[("PERFGATE_KEY", key)], &[])
    };
    judged("scalar", 1000.0, 10).exits(0).prints("PASS: no regression").prints("3 runs");
    judged("simd", 500.0, 11).exits(0).prints("PASS: no regression");
    judged("simd", 800.0, 12).exits(1).prints("1 regressed");
    // Another key has no baseline yet, and the message names those that have.
    judged("avx", 400.0, 13).exits(0).prints("NO VERDICT: no baseline yet").prints("there are runs with the key");
    judged("", 400.0, 14)
        .exits(0)
        .prints("NO VERDICT: no baseline yet")
        .prints("without a key (there are runs with the key");
}

#[test]
fn commits_without_runs_are_not_attributed_to_the_pull_request() {
    let sandbox = project();
    sandbox.commit("r", "main 5, whose job has not recorded yet");
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let event = pull(&sandbox, &base, "octo/r");
    let behind = "the baseline is 1 commit of main behind the merge base, which has no stored run; 1 regressed";
    ci(&sandbox, "pull_request", &event, &[], &[]).exits(0).prints(behind);
    assert!(sandbox.read("output").contains("verdict<<perfgate-end\nneutral\n"));
    assert!(sandbox.read("summary").contains(behind));
    let summary = sandbox.read("summary");
    assert!(summary.contains("Next: Run this again when the merge base has a stored run"), "{summary}");
    assert!(!summary.contains("accept"), "{summary}");
    let newest = sandbox.git("r", &["rev-parse", "--short=10", "main~"]);
    let base = format!("branch `main`, 4 runs, {newest}, 1 commit behind the merge base. Head: ");
    assert!(summary.contains(&format!("Base: stored runs from before the merge base, {base}")), "{summary}");
    let insist = [("PERFGATE_MISSING_BASELINE", "fail")];
    ci(&sandbox, "pull_request", &event, &insist, &[]).exits(2).prints(behind);
    // The same rule outside of `perfgate ci`.
    let compared = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    compared.exits(2).reports(&format!("no verdict: {behind}")).reports("Run this again when the merge base has");
    assert_eq!(compared.json()["verdict"], "none");
    assert_eq!(compared.json()["base"]["gap"], json!({"commits": 1, "behind": "merge-base", "branch": "main"}));
    // The baseline is there; the flag does not hide a regression.
    sandbox.perfgate_at("r", &["compare", "--allow-missing-baseline"]).exits(2).prints(behind);
    // Without a regression it passes, and the headline names the gap too.
    benches(&sandbox, 10, 1000.0);
    let passed = "PASS: no regression in 8 benchmarks; the baseline is 1 commit of main behind";
    ci(&sandbox, "pull_request", &event, &[], &[]).exits(0).prints(passed);
    ci(&sandbox, "pull_request", &event, &insist, &[]).exits(2);
    // With a run of the merge base there is a verdict.
    sandbox.git("r", &["checkout", "-q", "main"]);
    benches(&sandbox, 5, 1000.0);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    merged(&sandbox);
    benches(&sandbox, 9, 1600.0);
    ci(&sandbox, "pull_request", &event, &[], &[]).exits(1).prints("FAIL: 1 regressed\n");
}

#[test]
fn further_branches_can_be_baselines() {
    let sandbox = project();
    sandbox.git("r", &["checkout", "-q", "-b", "release/1.0", "main~2"]);
    sandbox.commit("r", "slow, and meant to be");
    sandbox.git("r", &["push", "-q", "origin", "release/1.0"]);
    benches(&sandbox, 5, 2000.0);
    let after = sandbox.git("r", &["rev-parse", "HEAD"]);
    let pushed = push("refs/heads/release/1.0", &after);
    ci(&sandbox, "push", &pushed, &[], &[]).exits(1).prints("1 regressed");
    sandbox.write("r/perfgate.toml", "[baseline]\nbranches = [\"release/*\"]\n");
    ci(&sandbox, "push", &pushed, &[], &[]).exits(0).prints("recorded 8 results");
    let stored = sandbox.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "{stored}");

    sandbox.git("r", &["checkout", "-q", "-b", "work"]);
    sandbox.commit("r", "a fix");
    let mut event = pull(&sandbox, &after, "octo/r");
    event["pull_request"]["base"]["ref"] = "release/1.0".into();
    benches(&sandbox, 6, 1000.0);
    ci(&sandbox, "pull_request", &event, &[], &[])
        .exits(0)
        .prints(&after[..10])
        .does_not_print("behind the merge base");
    sandbox.write("r/perfgate.toml", "[baseline]\nbranches = [\"release/[\"]\n");
    ci(&sandbox, "push", &pushed, &[], &[]).exits(2).reports("release/[");
}

#[test]
fn a_revision_with_a_dot_is_a_revision() {
    let sandbox = project();
    sandbox.git("r", &["tag", "v1.0", "main"]);
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1000.0);
    for word in ["v1.0", "refs/tags/v1.0", "v1.0~0"] {
        let named = [("PERFGATE_BASE", word)];
        ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &named, &[]).exits(0).prints(word);
        sandbox.perfgate_at("r", &["compare", word]).exits(0).prints(word);
    }
    // What exists is a path. What is neither is reported by its shape: a tag may not have been fetched.
    sandbox.write("r/v1.0", "not results");
    sandbox.perfgate_at("r", &["compare", "v1.0"]).exits(2).reports("v1.0");
    sandbox.perfgate_at("r", &["compare", "v2.0"]).exits(2).reports("v2.0: neither a path nor a git revision");
    sandbox.perfgate_at("r", &["compare", "v2.json"]).exits(2).reports("v2.json: no such file or directory");
}

#[test]
fn any_threshold_has_a_verdict_and_a_page() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    for threshold in ["171%", "172%", "200%", "1000%"] {
        let variables = [("PERFGATE_THRESHOLD", threshold)];
        ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &variables, &[]).exits(0).prints("PASS");
    }
    let pages = fs::read_dir(sandbox.path("")).unwrap().flatten().map(|entry| entry.path().join("report.html"));
    assert_eq!(pages.filter(|page| page.is_file()).count(), 4);
    // A threshold that no config can have, in a file that perfgate did not write.
    sandbox.perfgate_at("r", &["compare", "--threshold", "20%", "--save", "saved.json", "HEAD~1"]);
    let saved = sandbox.read("r/saved.json").replace("\"threshold\": 0.2", "\"threshold\": -5");
    assert!(saved.contains("-5"));
    sandbox.write("r/saved.json", saved);
    #[cfg(feature = "plots")]
    sandbox.perfgate_at("r", &["render", "saved.json", "--plots", "plots"]).exits(0);
    #[cfg(not(feature = "plots"))]
    sandbox.perfgate_at("r", &["render", "saved.json"]).exits(0);
}

#[test]
fn events_without_anything_to_judge_end_with_a_note() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1000.0);
    let main = sandbox.git("r", &["rev-parse", "main"]);
    let mut closed = pull(&sandbox, &base, "octo/r");
    closed["action"] = "closed".into();
    let deleted = json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "workflow_run": {
        "head_sha": main, "head_branch": "x", "event": "pull_request", "head_repository": null}});
    ci(&sandbox, "pull_request", &closed, &[], &[]).exits(0).reports("the pull request was closed");
    ci(&sandbox, "workflow_run", &deleted, &[], &[]).exits(0).reports("the fork was deleted");
    sandbox.git("r", &["checkout", "-q", "--detach", "main"]);
    for reference in ["refs/tags/v1", "refs/heads/same"] {
        ci(&sandbox, "push", &push(reference, &main), &[], &[]).exits(0).reports("which is on main");
    }
    assert!(!sandbox.path("perfgate-1").exists());
}

#[test]
fn a_commit_of_something_else_is_refused() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    sandbox.git("r", &["checkout", "-q", "-b", "unrelated", "main~1"]);
    sandbox.commit("r", "unrelated");
    benches(&sandbox, 9, 1600.0);
    let unrelated = sandbox.git("r", &["rev-parse", "HEAD"]);
    let refused = |event: &str, payload: &Value, why: &str| {
        ci(&sandbox, event, payload, &[], &[]).exits(2).reports(why).reports(&unrelated[..10]);
    };
    let mine = format!("the newest commit of the pull request is {}", &head(&sandbox)[..10]);
    refused("pull_request", &pull(&sandbox, &base, "octo/r"), &mine);
    refused("schedule", &json!({"schedule": "0 3 * * *"}), "which is not on main");
    refused("push", &push("refs/heads/work", &head(&sandbox)), "was pushed, but");
    let group = json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "merge_group":
        {"head_sha": head(&sandbox), "base_sha": base, "base_ref": "refs/heads/main"}});
    refused("merge_group", &group, "the commit of the merge group is");
    assert!(!sandbox.path("perfgate-1").exists());
}

#[test]
fn a_pull_request_that_renames_everything_has_no_verdict() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    fs::remove_dir_all(sandbox.path("r/target")).unwrap();
    sandbox.bench("r/target/criterion", "new/a", 500.0, 1).bench("r/target/criterion", "new/b", 500.0, 2);
    let answer = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[], &[]);
    answer.exits(2).prints("NO VERDICT: base and head have no benchmark in common").prints("8 removed, 2 added");
    assert!(sandbox.read("output").contains("\nneutral\n"));
    // `compare` and `publish` have the same rule: another suite is not a missing baseline.
    sandbox.perfgate_at("r", &["compare", "--allow-missing-baseline"]).exits(2);
    let saved = sandbox.path("perfgate-1/comparison.json").display().to_string();
    let saved_report: Value = serde_json::from_str(&sandbox.read("perfgate-1/comparison.json")).unwrap();
    assert_eq!(saved_report["allow_missing_baseline"], true);
    sandbox.perfgate(&["publish", &saved, "--dry-run", "--repository", "o/r"]).exits(2);

    // Next to a result that cannot be read, missing benchmarks are inconclusive, and still nothing was compared.
    sandbox
        .write("r/target/criterion/stray/new/benchmark.json", "{")
        .write("r/target/criterion/stray/new/sample.json", "{");
    let answer = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[], &[]);
    answer.exits(2).prints("NO VERDICT").does_not_print("PASS");

    // A base that is behind the merge base is not the reason either.
    sandbox.git("r", &["checkout", "-q", "main"]);
    sandbox.commit("r", "main 5, whose job has not recorded yet");
    let base = merged(&sandbox);
    // Results are newer than the commit.
    sandbox.bench("r/target/criterion", "new/a", 500.0, 3).bench("r/target/criterion", "new/b", 500.0, 4);
    let answer = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[], &[]);
    answer.exits(2).prints("NO VERDICT");
    let saved: Value = serde_json::from_str(&sandbox.read("perfgate-3/comparison.json")).unwrap();
    assert_eq!(saved["base"]["gap"]["commits"], 1);
}

#[test]
fn the_error_about_results_of_an_earlier_commit_names_only_what_a_job_can_do() {
    let sandbox = project();
    sandbox.commit("r", "main 5, for which nothing was measured");
    let pushed = push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]));
    let answer = ci(&sandbox, "push", &pushed, &[], &[]);
    answer.exits(2).reports("the results are exactly those stored for").reports("run the benchmarks");
    assert!(!answer.stderr.contains("--force"), "{}", answer.stderr);
}

#[test]
fn a_template_that_cannot_be_filled_is_an_error_before_anything_is_compared() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    for (text, place) in [
        ("\n{{ verdict.sentence | nosuchfilter }}\n", "own.md.j2:2:23"),
        ("{% for row in rows %}\n{{ row.name | nosuchfilter }}{% endfor %}", "own.md.j2:2:15"),
        ("{% if false %}\n\n{{ regresions }}{% endif %}", "own.md.j2:3:"),
        ("{{ verdict.sentence", "own.md.j2:1:"),
    ] {
        sandbox.write("r/own.md.j2", text);
        let own = [("PERFGATE_TEMPLATE", "own.md.j2")];
        let answer = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &own, &[]);
        answer.exits(2).reports(place).reports("cannot be filled");
        assert!(!sandbox.path("perfgate-1").exists(), "{text}");
    }
    // A name that depends on the results is no error before there are any.
    sandbox.write("r/own.md.j2", "{{ best.name }} {{ fields.ticket }} {{ rows[7].name }}");
    sandbox.write("r/perfgate.toml", "[template]\nticket = \"T-1\"\n");
    let own = [("PERFGATE_TEMPLATE", "own.md.j2")];
    ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &own, &[]).exits(1);
}

#[test]
fn a_shallow_checkout_is_deepened_with_a_token() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    let merge = sandbox.git("r", &["rev-parse", "HEAD"]);
    sandbox.git("r", &["push", "-q", "origin", "HEAD:refs/pull/7/merge"]);
    sandbox.git("remote.git", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let event = pull(&sandbox, &base, "octo/r");
    sandbox.git("", &["init", "-q", "shallow"]);
    sandbox.git("shallow", &["remote", "add", "origin", &format!("file://{}", sandbox.path("remote.git").display())]);
    sandbox.git("shallow", &["fetch", "-q", "--no-tags", "--depth=1", "origin", &merge]);
    sandbox.git("shallow", &["checkout", "-q", "FETCH_HEAD"]);
    fs::create_dir(sandbox.path("shallow/target")).unwrap();
    benches(&sandbox, 9, 1600.0);
    fs::rename(sandbox.path("r/target/criterion"), sandbox.path("shallow/target/criterion")).unwrap();
    let with = |token: &str| {
        let variables = [
            ("PERFGATE_WORKING_DIRECTORY", "shallow"),
            ("GITHUB_TOKEN", token),
            ("GITHUB_API_URL", "http://127.0.0.1:1"),
        ];
        ci(&sandbox, "pull_request", &event, &variables, &[])
    };
    with("").exits(2).reports("fetch-depth: 0");
    with("ghs_x").exits(1).prints("stored runs of the merge base").prints("1 regressed");
}
