//! `perfgate ci`: which stored runs are the base, and events without a verdict.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Scene;
use common::workflow::{benches, ci, head, merged, project, pull, push, trial};
use serde_json::{Value, json};
use std::fs;

#[test]
fn the_base_of_a_key_is_what_was_stored_under_that_key() {
    let scene = Scene::new();
    scene.repository("r");
    scene.git("", &["init", "-q", "--bare", "remote.git"]);
    scene.git("r", &["remote", "add", "origin", "../remote.git"]);
    for number in 1..=3 {
        scene.commit("r", &format!("main {number}"));
        let pushed = push("refs/heads/main", &scene.git("r", &["rev-parse", "HEAD"]));
        for (key, parse) in [("scalar", 1000.0), ("simd", 500.0)] {
            benches(&scene, number, parse);
            ci(&scene, "push", &pushed, &[("PERFGATE_KEY", key)], &[]).exits(0);
        }
    }
    let base = trial(&scene);
    let judged = |key: &str, parse: f64, run: u32| {
        benches(&scene, run, parse);
        ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &[("PERFGATE_KEY", key)], &[])
    };
    judged("scalar", 1000.0, 10).exits(0).says("PASS: no regression").says("3 runs");
    judged("simd", 500.0, 11).exits(0).says("PASS: no regression");
    judged("simd", 800.0, 12).exits(1).says("1 regressed");
    // Another key has no baseline yet, and the message names those that have.
    judged("avx", 400.0, 13).exits(0).says("there is no baseline yet").says("there are runs with the key");
    judged("", 400.0, 14).exits(0).says("there is no baseline yet").says("without a key (there are runs with the key");
}

#[test]
fn commits_without_runs_are_not_attributed_to_the_pull_request() {
    let scene = project();
    scene.commit("r", "main 5, whose job has not recorded yet");
    let base = trial(&scene);
    benches(&scene, 9, 1600.0);
    let event = pull(&scene, &base, "octo/r");
    let behind = "1 regressed, 7 unchanged, but the baseline is 1 commit of main behind the merge base";
    ci(&scene, "pull_request", &event, &[], &[]).exits(0).says(behind);
    assert!(scene.read("output").contains("verdict<<perfgate-end\nneutral\n"));
    assert!(scene.read("summary").contains(behind));
    let summary = scene.read("summary");
    assert!(summary.contains("Next: Run this again when the merge base has a stored run"), "{summary}");
    assert!(!summary.contains("accept"), "{summary}");
    let newest = scene.git("r", &["rev-parse", "--short=10", "main~"]);
    let base = format!("branch `main`, 4 runs, {newest}, 1 commit behind the merge base. Head: ");
    assert!(summary.contains(&format!("Base: stored runs from before the merge base, {base}")), "{summary}");
    let insist = [("PERFGATE_MISSING_BASELINE", "fail")];
    ci(&scene, "pull_request", &event, &insist, &[]).exits(2).says(behind);
    // Without a regression it passes, and the headline names the gap too.
    benches(&scene, 10, 1000.0);
    let passed = "PASS: no regression; the baseline is 1 commit of main behind";
    ci(&scene, "pull_request", &event, &[], &[]).exits(0).says(passed);
    ci(&scene, "pull_request", &event, &insist, &[]).exits(2);
    // With a run of the merge base there is a verdict.
    scene.git("r", &["checkout", "-q", "main"]);
    benches(&scene, 5, 1000.0);
    scene.perfgate_at("r", &["record", "--push"]).exits(0);
    merged(&scene);
    benches(&scene, 9, 1600.0);
    ci(&scene, "pull_request", &event, &[], &[]).exits(1).says("FAIL: 1 regressed\n");
}

#[test]
fn further_branches_can_be_baselines() {
    let scene = project();
    scene.git("r", &["checkout", "-q", "-b", "release/1.0", "main~2"]);
    scene.commit("r", "slow, and meant to be");
    scene.git("r", &["push", "-q", "origin", "release/1.0"]);
    benches(&scene, 5, 2000.0);
    let after = scene.git("r", &["rev-parse", "HEAD"]);
    let pushed = push("refs/heads/release/1.0", &after);
    ci(&scene, "push", &pushed, &[], &[]).exits(1).says("1 regressed");
    scene.write("r/perfgate.toml", "[baseline]\nbranches = [\"release/*\"]\n");
    ci(&scene, "push", &pushed, &[], &[]).exits(0).says("recorded 8 results");
    let stored = scene.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "{stored}");

    scene.git("r", &["checkout", "-q", "-b", "work"]);
    scene.commit("r", "a fix");
    let mut event = pull(&scene, &after, "octo/r");
    event["pull_request"]["base"]["ref"] = "release/1.0".into();
    benches(&scene, 6, 1000.0);
    ci(&scene, "pull_request", &event, &[], &[]).exits(0).says(&after[..10]).does_not_say("behind the merge base");
    scene.write("r/perfgate.toml", "[baseline]\nbranches = [\"release/[\"]\n");
    ci(&scene, "push", &pushed, &[], &[]).exits(2).complains("release/[");
}

#[test]
fn a_revision_with_a_dot_is_a_revision() {
    let scene = project();
    scene.git("r", &["tag", "v1.0", "main"]);
    let base = trial(&scene);
    benches(&scene, 9, 1000.0);
    for word in ["v1.0", "refs/tags/v1.0", "v1.0~0"] {
        let named = [("PERFGATE_BASE", word)];
        ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &named, &[]).exits(0).says(word);
        scene.perfgate_at("r", &["compare", word]).exits(0).says(word);
    }
    // What exists is a path, and what is neither is reported as a path by its shape.
    scene.write("r/v1.0", "not results");
    scene.perfgate_at("r", &["compare", "v1.0"]).exits(2).complains("v1.0");
    scene.perfgate_at("r", &["compare", "v2.0"]).exits(2).complains("v2.0: no such file or directory");
}

#[test]
fn any_threshold_has_a_verdict_and_a_page() {
    let scene = project();
    let base = trial(&scene);
    benches(&scene, 9, 1600.0);
    for threshold in ["171%", "172%", "200%", "1000%"] {
        let variables = [("PERFGATE_THRESHOLD", threshold)];
        ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &variables, &[]).exits(0).says("PASS");
    }
    let pages = fs::read_dir(scene.path("")).unwrap().flatten().map(|entry| entry.path().join("report.html"));
    assert_eq!(pages.filter(|page| page.is_file()).count(), 4);
    // A threshold that no config can have, in a file that perfgate did not write.
    scene.perfgate_at("r", &["compare", "--threshold", "20%", "--save", "saved.json", "HEAD~1"]);
    let saved = scene.read("r/saved.json").replace("\"threshold\": 0.2", "\"threshold\": -5");
    assert!(saved.contains("-5"));
    scene.write("r/saved.json", saved);
    #[cfg(feature = "plots")]
    scene.perfgate_at("r", &["render", "saved.json", "--plots", "plots"]).exits(0);
    #[cfg(not(feature = "plots"))]
    scene.perfgate_at("r", &["render", "saved.json"]).exits(0);
}

#[test]
fn events_without_anything_to_judge_end_with_a_note() {
    let scene = project();
    let base = trial(&scene);
    benches(&scene, 9, 1000.0);
    let main = scene.git("r", &["rev-parse", "main"]);
    let mut closed = pull(&scene, &base, "octo/r");
    closed["action"] = "closed".into();
    let deleted = json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "workflow_run": {
        "head_sha": main, "head_branch": "x", "event": "pull_request", "head_repository": null}});
    ci(&scene, "pull_request", &closed, &[], &[]).exits(0).complains("the pull request was closed");
    ci(&scene, "workflow_run", &deleted, &[], &[]).exits(0).complains("the fork was deleted");
    scene.git("r", &["checkout", "-q", "--detach", "main"]);
    for reference in ["refs/tags/v1", "refs/heads/same"] {
        ci(&scene, "push", &push(reference, &main), &[], &[]).exits(0).complains("which is on main");
    }
    assert!(!scene.path("perfgate-1").exists());
}

#[test]
fn a_commit_of_something_else_is_refused() {
    let scene = project();
    let base = trial(&scene);
    scene.git("r", &["checkout", "-q", "-b", "unrelated", "main~1"]);
    scene.commit("r", "unrelated");
    benches(&scene, 9, 1600.0);
    let unrelated = scene.git("r", &["rev-parse", "HEAD"]);
    let refused = |event: &str, payload: &Value, why: &str| {
        ci(&scene, event, payload, &[], &[]).exits(2).complains(why).complains(&unrelated[..10]);
    };
    let mine = format!("the newest commit of the pull request is {}", &head(&scene)[..10]);
    refused("pull_request", &pull(&scene, &base, "octo/r"), &mine);
    refused("schedule", &json!({"schedule": "0 3 * * *"}), "which is not on main");
    refused("push", &push("refs/heads/work", &head(&scene)), "was pushed, but");
    let group = json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "merge_group":
        {"head_sha": head(&scene), "base_sha": base, "base_ref": "refs/heads/main"}});
    refused("merge_group", &group, "the commit of the merge group is");
    assert!(!scene.path("perfgate-1").exists());
}

#[test]
fn a_pull_request_that_renames_everything_is_neutral() {
    let scene = project();
    let base = trial(&scene);
    fs::remove_dir_all(scene.path("r/target")).unwrap();
    scene.bench("r/target/criterion", "new/a", 500.0, 1).bench("r/target/criterion", "new/b", 500.0, 2);
    let answer = ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &[], &[]);
    answer.exits(0).says("NO VERDICT: base and head have no benchmark in common").says("8 removed, 2 added");
    assert!(scene.read("output").contains("\nneutral\n"));
}

#[test]
fn a_template_that_cannot_be_filled_is_an_error_before_anything_is_compared() {
    let scene = project();
    let base = trial(&scene);
    benches(&scene, 9, 1600.0);
    for (text, place) in [
        ("\n{{ verdict.sentence | nosuchfilter }}\n", "own.md.j2:2:23"),
        ("{% for row in rows %}\n{{ row.name | nosuchfilter }}{% endfor %}", "own.md.j2:2:15"),
        ("{% if false %}\n\n{{ regresions }}{% endif %}", "own.md.j2:3:"),
        ("{{ verdict.sentence", "own.md.j2:1:"),
    ] {
        scene.write("r/own.md.j2", text);
        let own = [("PERFGATE_TEMPLATE", "own.md.j2")];
        let answer = ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &own, &[]);
        answer.exits(2).complains(place).complains("cannot be filled");
        assert!(!scene.path("perfgate-1").exists(), "{text}");
    }
    // A name that depends on the results is no error before there are any.
    scene.write("r/own.md.j2", "{{ best.name }} {{ fields.ticket }} {{ rows[7].name }}");
    scene.write("r/perfgate.toml", "[template]\nticket = \"T-1\"\n");
    let own = [("PERFGATE_TEMPLATE", "own.md.j2")];
    ci(&scene, "pull_request", &pull(&scene, &base, "octo/r"), &own, &[]).exits(1);
}

#[test]
fn a_shallow_checkout_is_deepened_with_a_token() {
    let scene = project();
    let base = trial(&scene);
    let merge = scene.git("r", &["rev-parse", "HEAD"]);
    scene.git("r", &["push", "-q", "origin", "HEAD:refs/pull/7/merge"]);
    scene.git("remote.git", &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    let event = pull(&scene, &base, "octo/r");
    scene.git("", &["init", "-q", "shallow"]);
    scene.git("shallow", &["remote", "add", "origin", &format!("file://{}", scene.path("remote.git").display())]);
    scene.git("shallow", &["fetch", "-q", "--no-tags", "--depth=1", "origin", &merge]);
    scene.git("shallow", &["checkout", "-q", "FETCH_HEAD"]);
    fs::create_dir(scene.path("shallow/target")).unwrap();
    benches(&scene, 9, 1600.0);
    fs::rename(scene.path("r/target/criterion"), scene.path("shallow/target/criterion")).unwrap();
    let with = |token: &str| {
        let variables = [
            ("PERFGATE_WORKING_DIRECTORY", "shallow"),
            ("GITHUB_TOKEN", token),
            ("GITHUB_API_URL", "http://127.0.0.1:1"),
        ];
        ci(&scene, "pull_request", &event, &variables, &[])
    };
    with("").exits(2).complains("fetch-depth: 0");
    with("ghs_x").exits(1).says("stored runs of the merge base").says("1 regressed");
}
