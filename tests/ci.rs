//! `perfgate ci`: what each event does, against which base, and what is refused. tests/e2e tests the same with a real
//! runner, a fake of GitHub's API and git over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Sandbox;
#[cfg(unix)]
use common::workflow::slower_tool;
use common::workflow::{benches, check_out_test_merge, ci, head, merged, project, pull, push};
use serde_json::{Value, json};
use std::fs;

#[test]
fn a_push_to_the_default_branch_is_recorded_and_shared() {
    let sandbox = project();
    sandbox.commit("r", "main 5");
    benches(&sandbox, 5, 1000.0);
    let after = sandbox.git("r", &["rev-parse", "HEAD"]);
    let pushed = push("refs/heads/main", &after);
    ci(&sandbox, "push", &pushed, &[], &[]).exits(0).prints("recorded 8 results").prints("1 run sent");
    let stored = sandbox.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "{stored}");
    assert!(sandbox.read("output").contains("recorded") && sandbox.read("summary").contains("recorded 8 results"));
}

#[test]
fn the_base_is_the_merge_base_for_every_push() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let first = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[], &[]);
    first.exits(1).prints(&format!("stored runs of the merge base ({}", &base[..10])).prints("parse");
    assert!(sandbox.read("output").contains("verdict<<perfgate-end\nfail\n"));
    let compared = format!("Base: stored runs of the merge base, branch `main`, 4 runs, {}. Head: ", &base[..10]);
    let summary = sandbox.read("summary");
    assert!(summary.contains("parse") && summary.contains(&compared), "{summary}");

    // main becomes slower; the test merge of the pull request's second push includes that.
    sandbox.git("r", &["checkout", "-q", "main"]);
    sandbox.commit("r", "main 5");
    benches(&sandbox, 5, 1600.0);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    let newer = merged(&sandbox);
    benches(&sandbox, 10, 1601.0);
    // The event may name an older commit of main.
    let second =
        ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[("PERFGATE_BASE", "")], &["--dry-run"]);
    second.exits(0).prints(&format!("stored runs of {} (the merge base with main)", &newer[..10]));
}

#[test]
fn a_dry_run_prints_the_plan_of_each_event() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    let base_commit = base.clone();
    let plan =
        |event: &str, payload: &Value| ci(&sandbox, event, payload, &[("PERFGATE_CHECK", "true")], &["--dry-run"]);
    plan("pull_request", &pull(&sandbox, &base, "octo/r"))
        .exits(0)
        .prints("pull request #7 of octo/r\n")
        .prints(&format!("a check run on {}", &head(&sandbox)[..10]));
    plan("pull_request", &pull(&sandbox, &base, "stranger/r"))
        .exits(0)
        .prints("from a fork")
        .does_not_print("a check run");
    let group = json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "merge_group":
        {"head_sha": head(&sandbox), "base_sha": base, "base_ref": "refs/heads/main"}});
    plan("merge_group", &group)
        .exits(0)
        .prints("a merge group of octo/r\n")
        .prints(&format!("stored runs of {}", &base[..10]));
    let packed = [("PERFGATE_PUBLISH", "false")];
    ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &packed, &["--dry-run"])
        .exits(0)
        .prints("nothing: a file of results for the job that publishes");
    let branch = push("refs/heads/x\u{1b}[2J", &sandbox.git("r", &["rev-parse", "HEAD"]));
    plan("push", &branch).exits(0).prints("a branch of octo/r").does_not_print("\u{1b}");
    let named = |base: &str| {
        ci(
            &sandbox,
            "pull_request",
            &pull(&sandbox, &base_commit, "octo/r"),
            &[("PERFGATE_BASE", base)],
            &["--dry-run"],
        )
    };
    named("work").exits(0).prints("the merge base with work");
    named("HEAD~1").exits(0).prints("HEAD~1, from the input");
    sandbox.git("r", &["checkout", "-q", "main"]);
    plan("schedule", &json!({"schedule": "0 3 * * *"})).exits(0).prints("recorded in git:refs/perfgate/baselines");
    assert!(!sandbox.path("output").exists(), "a dry run writes nothing");
}

#[test]
fn a_first_run_is_neutral_unless_configured_to_fail() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    sandbox.git("", &["init", "-q", "--bare", "remote.git"]);
    sandbox.git("r", &["remote", "add", "origin", "../remote.git"]);
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 1, 1000.0);
    ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[], &[]).exits(0).prints("no baseline for");
    assert!(sandbox.read("output").contains("\nneutral\n"));
    // Everything is new on a first run; `added` must not fail it.
    ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &[("PERFGATE_FAIL_ON", "added")], &[]).exits(0);
    let insist = [("PERFGATE_MISSING_BASELINE", "fail")];
    ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), &insist, &[]).exits(2).reports("no baseline for");
    assert!(sandbox.read("summary").contains("NO VERDICT"));
}

#[test]
fn invalid_input_exits_with_2_and_names_the_fix() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    let event = pull(&sandbox, &base, "octo/r");
    ci(&sandbox, "pull_request", &event, &[("PERFGATE_RESULTS", "out/*.json")], &[])
        .exits(2)
        .reports("nothing matches \"out/*.json\"");
    ci(&sandbox, "pull_request", &event, &[("PERFGATE_WORKING_DIRECTORY", "nowhere")], &[]).exits(2).reports("nowhere");
    ci(&sandbox, "pull_request", &event, &[("PERFGATE_TEMPLATE", "nice")], &[]).exits(2).reports("no such template");
    ci(&sandbox, "pull_request_target", &event, &[], &[]).exits(2).reports("perfgate init --github");
    ci(&sandbox, "push", &event, &[], &[]).exits(2).reports("not a push event");
    sandbox.perfgate(&["ci"]).exits(2).reports("GITHUB_EVENT_NAME is not set");
    let pushed = push("refs/heads/main", &head(&sandbox));
    ci(&sandbox, "push", &pushed, &[], &[]).exits(2).reports("check out the pushed commit");

    sandbox.git("", &["clone", "-q", "--depth", "1", &format!("file://{}", sandbox.path("r").display()), "shallow"]);
    let shallow = [("PERFGATE_WORKING_DIRECTORY", "shallow")];
    ci(&sandbox, "pull_request", &event, &shallow, &[]).exits(2).reports("fetch-depth: 0");
}

#[test]
fn a_fork_saves_its_results_and_those_of_another_commit_are_refused() {
    let sandbox = project();
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let before = sandbox.git("remote.git", &["rev-parse", "refs/perfgate/baselines"]);
    // Any request to this address would fail.
    let closed = [("GITHUB_API_URL", "http://127.0.0.1:1"), ("GITHUB_TOKEN", "t"), ("PERFGATE_COMMENT", "always")];
    let answer = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "stranger/r"), &closed, &[]);
    answer.exits(1).reports("comes from a fork");
    assert!(!answer.stderr.contains("127.0.0.1:1"), "{}", answer.stderr);
    assert_eq!(sandbox.git("remote.git", &["rev-parse", "refs/perfgate/baselines"]), before);
    let left = sandbox.path("perfgate-1/perfgate-results.bin");
    assert!(sandbox.read("output").contains(&left.display().to_string()));

    let run = |head: &str, event: &str| {
        json!({"repository": {"full_name": "octo/r", "default_branch": "main"}, "workflow_run": {
            "head_sha": head, "head_branch": "work", "event": event, "head_repository": {"full_name": "stranger/r"}}})
    };
    let left = left.display().to_string();
    let artifact = [("PERFGATE_ARTIFACT", left.as_str()), ("GITHUB_API_URL", "http://127.0.0.1:1")];
    let trusted = |payload: &Value| ci(&sandbox, "workflow_run", payload, &artifact, &[]);
    trusted(&run(&"2".repeat(40), "pull_request")).exits(2).reports("the event is about 2222222222");
    trusted(&run(&head(&sandbox), "push")).exits(2).reports("only results of pull_request");
    trusted(&run(&head(&sandbox), "pull_request")).exits(2).reports("no GitHub token");
    fs::write(&left, vec![b'x'; 11 << 20]).unwrap();
    trusted(&run(&head(&sandbox), "pull_request")).exits(2).reports("at most 10 MB");
    ci(&sandbox, "workflow_run", &run(&head(&sandbox), "pull_request"), &[], &[]).exits(2).reports("artifact");
}

#[test]
fn a_head_in_which_everything_failed_fails_in_the_job_that_publishes_and_is_not_recorded() {
    let sandbox = project();
    let results = "goos: linux\npkg: e.org/p\nBenchmarkD-8  1000  99.5 ns/op\nPASS\nok  \te.org/p\t3.1s\n";
    sandbox.write("out.txt", results).perfgate_at("r", &["record", "--push", "--", "../out.txt"]).exits(0);
    let base = check_out_test_merge(&sandbox);
    let failed =
        "goos: linux\npkg: e.org/p\n--- FAIL: BenchmarkD\n    d_test.go:12: boom\nFAIL\nFAIL\te.org/p\t3.1s\nFAIL\n";
    sandbox.write("out.txt", failed);
    let why = "all benchmarks failed, so nothing was stored: e.org/p/BenchmarkD failed: d_test.go:12: boom";
    sandbox.perfgate_at("r", &["record", "../out.txt"]).exits(2).reports(why);

    let results = ("PERFGATE_RESULTS", "../out.txt");
    let forked = ci(&sandbox, "pull_request", &pull(&sandbox, &base, "stranger/r"), &[results], &[]);
    forked.exits(1).prints("FAIL: 1 failed");
    assert!(!forked.stderr.contains("cannot pack"), "{}", forked.stderr);
    let packed = || {
        let output = sandbox.read("output");
        output.rsplit_once("artifact<<perfgate-end\n").unwrap().1.lines().next().unwrap().to_owned()
    };
    let publish =
        |event: &str, payload: &Value| ci(&sandbox, event, payload, &[("PERFGATE_ARTIFACT", packed().as_str())], &[]);
    let published = publish("pull_request", &pull(&sandbox, &base, "octo/r"));
    published.exits(1).prints("FAIL: 1 failed").prints("d_test.go:12: boom");

    sandbox.git("r", &["checkout", "-q", "main"]);
    let event = push("refs/heads/main", &base);
    ci(&sandbox, "push", &event, &[results], &[]).exits(2).reports(why);
    ci(&sandbox, "push", &event, &[results, ("PERFGATE_PUBLISH", "false")], &[]).exits(0);
    publish("push", &event).exits(2).reports(why);
}

#[cfg(unix)]
#[test]
fn the_regressions_of_a_command_are_explained_in_the_job_summary() {
    let sandbox = project();
    let base = slower_tool(&sandbox);
    let (name, path) = sandbox.stand_in_for_valgrind(0, "");
    let mut variables = vec![(name, path.as_str()), ("PERFGATE_COMMAND", "sh bench.sh {filter}")];
    let summary = |variables: &[(&str, &str)]| {
        let _ = fs::remove_file(sandbox.path("summary"));
        ci(&sandbox, "pull_request", &pull(&sandbox, &base, "octo/r"), variables, &[]).exits(1);
        sandbox.read("summary")
    };
    assert!(!summary(&variables).contains("instructions"));
    variables.push(("PERFGATE_EXPLAIN", "true"));
    let explained = summary(&variables);
    assert!(
        explained.contains("<summary>slow: the command executes 80% more instructions; 100% of the growth is in 1"),
        "{explained}"
    );
    assert!(explained.contains("5,000 → 9,000"), "{explained}");
}

#[cfg(unix)]
#[test]
fn a_benchmark_command_does_not_see_the_token() {
    let sandbox = project();
    let after = sandbox.git("r", &["rev-parse", "HEAD"]);
    let pushed = push("refs/heads/main", &after);
    // The command's parent is perfgate itself, whose first environment is in /proc on Linux.
    let command = "env > SEEN; cat /proc/$PPID/environ >> SEEN 2>/dev/null; true";
    let command = command.replace("SEEN", &sandbox.path("seen").display().to_string());
    let variables = [
        ("PERFGATE_COMMAND", command.as_str()),
        ("GITHUB_TOKEN", "ghs_secret"),
        ("GH_TOKEN", "ghs_secret"),
        ("AWS_SECRET_ACCESS_KEY", "ghs_secret"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ghs_secret"),
        ("GITHUB_ENV", "ghs_secret"),
        ("PERFGATE_STORE_CREDENTIALS", "AWS_SECRET_ACCESS_KEY=ghs_secret"),
    ];
    ci(&sandbox, "push", &pushed, &variables, &[]).exits(0);
    let seen = sandbox.read("seen");
    assert!(seen.contains("PERFGATE_COMMAND") && !seen.contains("ghs_secret"), "{seen}");
    assert!(!seen.contains("GITHUB_OUTPUT") && sandbox.read("output").contains("recorded"), "{seen}");

    for words in [
        &["measure", "--no-base", "--", "sh", "-c", &command][..],
        &["bisect", "a", "--good", "HEAD~3", "--", "sh", "-c", &command],
    ] {
        std::fs::remove_file(sandbox.path("seen")).unwrap();
        sandbox.perfgate_with("r", &[variables.as_slice(), &[("SHOWN", "1")]].concat(), words);
        let seen = sandbox.read("seen");
        assert!(seen.contains("SHOWN=1") && !seen.contains("ghs_secret"), "{words:?} {seen}");
    }
}

#[cfg(feature = "buckets")]
#[test]
fn credentials_of_the_store_come_from_the_input_alone() {
    let sandbox = project();
    let pushed = push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]));
    // The client refuses an endpoint without TLS before it sends anything, unless AWS_ALLOW_HTTP allows it.
    let mut variables = vec![("PERFGATE_STORE", "s3://perf-runs/r"), ("AWS_ALLOW_HTTP", "true")];
    let given = "AWS_ENDPOINT_URL=http://127.0.0.1:9\nAWS_ACCESS_KEY_ID=k\nAWS_SECRET_ACCESS_KEY=ghs_secret\n";
    variables.push(("PERFGATE_STORE_CREDENTIALS", given));
    let answer = ci(&sandbox, "push", &pushed, &variables, &[]);
    answer.exits(2).reports("would be sent unencrypted");
    assert!(!answer.stderr.contains("ghs_secret"), "{}", answer.stderr);
    variables.pop();
    let dry = ci(&sandbox, "push", &pushed, &variables, &["--dry-run"]);
    // The machine that runs the tests may have further variables of a store.
    dry.exits(0).reports("ignored: ").reports("AWS_ALLOW_HTTP").reports("in the input store-credentials");
}

#[test]
fn init_never_overwrites_existing_files() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("r/perfgate.toml", "# mine\n");
    sandbox
        .perfgate_at("r", &["init", "--github", "--action", "octo/perfgate@v1"])
        .exits(0)
        .reports("perfgate.toml exists")
        .reports("commit and push these files: each push to main records a baseline");
    assert_eq!(sandbox.read("r/perfgate.toml"), "# mine\n");
    let workflow = sandbox.read("r/.github/workflows/perfgate.yml");
    assert!(workflow.contains("uses: octo/perfgate@v1") && workflow.contains("branches: [main]"), "{workflow}");
    let (_, jobs) = workflow.split_once("\njobs:\n").unwrap();
    let (measuring, publishing) = jobs.split_once("\n  publish:\n").unwrap();
    // Processors of hosted runners vary, so base and head are measured in turn.
    assert!(measuring.contains("\n          command: cargo bench\n") && !measuring.contains("- run: cargo bench\n"));
    assert!(!measuring.contains(": write") && !measuring.contains("secrets."));
    assert!(publishing.contains("checks: write") && !publishing.contains("run: "), "{publishing}");
    let forks = sandbox.read("r/.github/workflows/perfgate-forks.yml");
    assert!(
        forks.contains("workflow_run:") && !forks.contains("run: ") && !forks.contains("contents: write"),
        "{forks}"
    );
    sandbox.write("r/.github/workflows/perfgate.yml", "# changed\n");
    sandbox.perfgate_at("r", &["init", "--github"]).exits(0);
    assert_eq!(sandbox.read("r/.github/workflows/perfgate.yml"), "# changed\n");
    // The config names the branch whose pushes are recorded.
    sandbox.git("r", &["branch", "trunk"]);
    sandbox.write("r/perfgate.toml", "[git]\ndefault-branch = \"trunk\"\n");
    fs::remove_file(sandbox.path("r/.github/workflows/perfgate.yml")).unwrap();
    sandbox.perfgate_at("r", &["init", "--github"]).exits(0);
    let workflow = sandbox.read("r/.github/workflows/perfgate.yml");
    assert!(workflow.contains("trunk") && !workflow.contains("[main]"), "{workflow}");
    // The written config is valid, including its examples.
    fs::remove_file(sandbox.path("r/perfgate.toml")).unwrap();
    sandbox
        .perfgate_at("r", &["init"])
        .exits(0)
        .reports("next: run the benchmarks and `perfgate record` on the default branch");
    let example = |line: &str| {
        line.strip_prefix("# ").filter(|line| line.starts_with('[') || line.contains(" = ")).map(str::to_owned)
    };
    let config = sandbox.read("r/perfgate.toml");
    let config: Vec<String> = config.lines().map(|line| example(line).unwrap_or_else(|| line.to_owned())).collect();
    assert!(config.iter().any(|line| line == "[[accept]]"), "{config:?}");
    sandbox.write("r/perfgate.toml", config.join("\n"));
    for (tree, run) in [("a", 1), ("b", 2)] {
        sandbox.bench(tree, "parse/large", 10.0, run).bench(tree, "api/read_user", 10.0, run);
    }
    sandbox.perfgate_at("r", &["compare", "../a", "../b"]).exits(0);
    sandbox.perfgate_at("", &["init", "--github"]).exits(2).reports("git init");
}
