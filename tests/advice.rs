//! Advice that can be followed: the default branch, one path next to `--base`, and the command that repeats a comparison.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;

/// A repository without a remote whose default branch is `trunk`, with one stored run of it; `topic` is checked out.
fn trunk() -> Sandbox {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("r", &["branch", "-q", "-m", "main", "trunk"]);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "topic"]);
    sandbox.commit("r", "work");
    sandbox.five_benchmarks(2);
    sandbox
}

#[test]
fn the_default_branch_is_that_of_the_stored_runs() {
    trunk().perfgate_at("r", &["compare"]).exits(0).prints("stored runs of the merge base");
}

#[test]
fn the_config_names_the_default_branch() {
    let sandbox = trunk();
    // Without the config, another branch would be the default branch.
    sandbox.git("r", &["branch", "-q", "main", "topic"]);
    sandbox.write("r/perfgate.toml", "[git]\ndefault-branch = 'trunk'\n");
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("stored runs of the merge base");
    sandbox.write("r/perfgate.toml", "[git]\ndefault-branch = 'gone'\n");
    sandbox.perfgate_at("r", &["compare"]).exits(2).reports("the default branch `gone`");
}

#[test]
fn the_change_is_described_with_the_same_default_branch() {
    let answer = trunk().perfgate_at("r", &["compare", "target/criterion", "--template", "comment"]);
    assert!(!answer.exits(0).stderr.contains("cannot find the default branch"), "{}", answer.stderr);
}

#[test]
fn without_a_remote_the_advice_is_to_add_or_name_one() {
    let sandbox = trunk();
    let commands = [&["runs", "push"][..], &["runs", "pull"], &["record", "--push"]];
    for args in commands {
        let answer = sandbox.perfgate_at("r", args);
        answer.exits(2).reports("the repository has no remote `origin`; give a URL instead, or run `git remote add");
    }
    sandbox.git("r", &["remote", "add", "upstream", "../nowhere"]);
    for args in commands {
        sandbox.perfgate_at("r", args).exits(2).reports("give another name (`upstream`) or a URL instead");
    }
}

#[test]
fn one_path_next_to_base_is_head() {
    let sandbox = Sandbox::new();
    for name in ["a", "b"] {
        sandbox.bench("old", name, 1000.0, 1).bench("new", name, 1500.0, 2);
    }
    for head in [&["new"][..], &["--head", "new"]] {
        let args = [&["compare", "--base", "old"], head].concat();
        sandbox.perfgate(&args).exits(1).prints("2 regressed");
    }
    let twice = sandbox.perfgate(&["compare", "old", "new", "--base", "old"]);
    twice.exits(2).reports("`old` and `--base` both name the base");
}

#[test]
fn without_a_remote_the_advice_names_the_config() {
    let sandbox = trunk();
    sandbox.git("r", &["update-ref", "-d", "refs/perfgate/baselines"]);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(2).reports("name it in perfgate.toml (`default-branch` in `[git]`)");
    assert!(!answer.stderr.contains("set-head"), "{}", answer.stderr);
}

#[test]
fn the_command_that_repeats_a_comparison_has_its_sides_and_options() {
    let sandbox = Sandbox::new();
    for name in ["a", "b"] {
        sandbox.bench("one", name, 1000.0, 1).bench("two", name, 1000.0, 2).bench("new", name, 2000.0, 3);
    }
    sandbox.write("other.toml", "");
    let args =
        ["compare", "--base", "one", "--base", "two", "--head", "new", "--threshold", "12.5%", "--alpha", "0.01"];
    let options = ["--fail-on", "regressed,inconclusive", "--expect", "a:time -50%", "--config", "other.toml"];
    let command = [&args[..], &options, &["--template", "comment"]].concat();
    let line = "perfgate compare --base one --base two --head new --threshold 12.5% --alpha 0.01 --fail-on \
                regressed,inconclusive --expect 'a:time -50%' --config other.toml";
    sandbox.perfgate(&command).exits(1).prints(line);
}

/// Standard input cannot be read again, so no command repeats the comparison.
#[test]
fn a_document_without_a_command_has_no_heading_for_one() {
    let sandbox = Sandbox::new();
    let file = |ns: f64| {
        let one = |name: &str| {
            serde_json::json!({"tool": "t", "benchmark": name, "metric": "allocations", "unit": "count",
                "direction": "lower", "exact": true, "replicates": [{"value": ns}]})
        };
        serde_json::json!({"format": "perfgate-run", "version": 1, "measurements": [one("a"), one("b")]}).to_string()
    };
    sandbox.write("old.json", file(10.0));
    let answer = sandbox.perfgate_with_input(&["compare", "old.json", "-", "--template", "comment"], &file(20.0));
    answer.exits(1).prints("<summary>Accept this</summary>").does_not_print("Reproduce");
}

#[test]
fn runs_of_another_key_or_without_one_can_be_found_and_selected() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_with("r", &[("PERFGATE_KEY", "big")], &["record", "--shard", "a"]).exits(0);
    sandbox.perfgate_at("r", &["runs", "list"]).exits(0).prints(", shard a, key big\n");
    sandbox.git("r", &["switch", "-q", "-c", "topic"]);
    sandbox.commit("r", "work");
    sandbox.five_benchmarks(2);
    sandbox.perfgate_at("r", &["compare"]).exits(2).reports("set PERFGATE_KEY to select them");
    sandbox.git("r", &["update-ref", "-d", "refs/perfgate/baselines"]);
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.five_benchmarks(1);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.git("r", &["switch", "-q", "topic"]);
    sandbox.five_benchmarks(2);
    let keyed = sandbox.perfgate_with("r", &[("PERFGATE_KEY", "big")], &["compare"]);
    keyed.exits(2).reports("there are runs without a key; unset PERFGATE_KEY to select them");
}

#[test]
fn runs_of_asv_without_a_key_are_to_be_imported_again() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.commit("r", "next");
    let head = sandbox.git("r", &["rev-parse", "HEAD"]);
    let result = serde_json::json!({"commit_hash": head, "env_name": "conda-py3.12", "params": {}, "results": {"t.time_a": 0.1}});
    sandbox.write("head.json", result.to_string());
    let answer = sandbox.perfgate_at("r", &["compare", "--head", "../head.json"]);
    answer
        .exits(2)
        .reports("with the key \"conda-py3.12\" (there are runs without a key; asv's environment is the key");
    answer.reports("`perfgate runs import .asv/results`");
    assert!(!answer.stderr.contains("PERFGATE_KEY"), "{}", answer.stderr);
}

#[test]
fn an_epoch_that_removes_the_baseline_is_reported() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "topic"]);
    sandbox.commit("r", "work");
    sandbox.five_benchmarks(2);
    let epoch = "[[epoch]]\nmatch = '[ab]'\nfrom = '2999-01-01'\nreason = 'r'\n";
    sandbox.write("r/perfgate.toml", epoch);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(0).prints("perfgate.toml:2: the epoch starts in the future");
    answer.prints("\"a\" and 1 more have no baseline: all stored runs are from before the [[epoch]]");
    sandbox.write("r/perfgate.toml", epoch.replace("2999", "2001"));
    sandbox.perfgate_at("r", &["compare"]).exits(0).does_not_print("epoch");
}
