//! `perfgate ci` with a stand-in for GitHub: pushes that regress, regressions that a person accepts, changed rules.

#![cfg(feature = "github")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ci_publish/acceptance.rs"]
mod acceptance;
mod common;
mod hub;

#[cfg(unix)]
use common::workflow::slower_tool;
use common::workflow::{benches, check_out_test_merge, ci, ci_at, head, project, pull, push};
use common::{Answer, Sandbox};
use hub::{Hub, ME, TOKEN};
use serde_json::{Value, json};

/// Runs an event of the repository that the stand-in has.
fn run(sandbox: &Sandbox, hub: &Hub, event: &str, payload: Value, more: &[(&str, &str)]) -> Answer {
    ci_at(sandbox, &hub.url(), TOKEN, event, payload, more)
}

fn output(sandbox: &Sandbox, name: &str) -> String {
    let outputs = sandbox.read("output");
    // As in the runner, the last value of a name counts.
    let (_, after) = outputs.rsplit_once(&format!("{name}<<perfgate-end\n")).unwrap_or_else(|| panic!("{outputs}"));
    after.split("\nperfgate-end").next().unwrap().to_owned()
}

#[test]
fn a_push_that_regresses_is_recorded_and_reported() {
    let (sandbox, hub) = (project(), Hub::new());
    let pushed = |number: u32, parse: f64, more: &[(&str, &str)]| {
        sandbox.commit("r", &format!("main {number}"));
        benches(&sandbox, number, parse);
        let after = sandbox.git("r", &["rev-parse", "HEAD"]);
        (run(&sandbox, &hub, "push", push("refs/heads/main", &after), more), after)
    };
    let (answer, after) = pushed(5, 1000.0, &[]);
    answer.exits(0).prints("recorded 8 results").prints("PASS: no regression");
    assert_eq!((output(&sandbox, "verdict"), output(&sandbox, "unchanged")), ("recorded".to_owned(), "8".to_owned()));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "success");
    assert_eq!(hub.state().checks.last().unwrap()["head_sha"], after.as_str());
    assert!(hub.state().commit_comments.is_empty());

    let mention = [("PERFGATE_COMMENT_ON_PUSH", "true"), ("PERFGATE_MENTION", "@octo/perf")];
    let (answer, after) = pushed(6, 3000.0, &mention);
    answer
        .exits(0)
        .prints("recorded 8 results")
        .prints("FAIL: 1 regressed")
        .prints("stored runs of the commits before");
    assert_eq!(output(&sandbox, "verdict"), "fail");
    assert_eq!((output(&sandbox, "worst"), output(&sandbox, "regressed")), ("parse".to_owned(), "1".to_owned()));
    assert!(output(&sandbox, "worst-change").starts_with("+2"), "{}", output(&sandbox, "worst-change"));
    assert!(sandbox.read("summary").contains("recorded 8 results") && sandbox.read("summary").contains("parse"));
    let badge: Value = serde_json::from_str(&std::fs::read_to_string(output(&sandbox, "badge")).unwrap()).unwrap();
    assert_eq!((&badge["schemaVersion"], &badge["message"]), (&json!(1), &json!("1 regressed")));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
    {
        let state = hub.state();
        assert_eq!(state.commit_comments.len(), 1);
        let body = state.commit_comments[0]["body"].as_str().unwrap();
        assert!(body.contains("\n@octo/perf\n") && body.contains("parse"), "{body}");
        assert_eq!(state.commit_comments[0]["commit_id"], after.as_str());
    }
    let stored = sandbox.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "{stored}");

    // The job runs again, with other results: the same comment.
    benches(&sandbox, 66, 2500.0);
    run(&sandbox, &hub, "push", push("refs/heads/main", &after), &mention).exits(0).prints("FAIL: 1 regressed");
    {
        let state = hub.state();
        let [comment] = state.commit_comments.as_slice() else { panic!("{:?}", state.commit_comments) };
        assert!(comment["body"].as_str().unwrap().contains("2.5"), "{comment}");
    }
    assert_eq!(hub.count("PATCH", "/comments/900"), 1);

    let (answer, after) = pushed(7, 9000.0, &[("PERFGATE_FAIL_ON_PUSH", "true")]);
    answer.exits(1).prints("FAIL: 1 regressed");
    let stored = sandbox.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "a regression is recorded too: {stored}");
    let (answer, _) = pushed(8, 9000.0, &[("PERFGATE_MENTION", "everyone")]);
    answer.exits(2).reports("mention: \"everyone\" is not a list of names");
}

/// A pull request with a regression, and its event.
fn slow_pull() -> (Sandbox, Hub, Value) {
    let (sandbox, hub) = (project(), Hub::new());
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let event = pull(&sandbox, &base, "o/r");
    {
        let mut state = hub.state();
        state.writers = vec!["maintainer".to_owned()];
        state.push(&head(&sandbox), false);
    }
    (sandbox, hub, event)
}

#[test]
fn the_check_run_fails_where_a_required_baseline_is_missing() {
    let (sandbox, hub) = (project(), Hub::new());
    sandbox.commit("r", "main 5, whose job has not recorded yet");
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let event = pull(&sandbox, &base, "o/r");
    hub.state().push(&head(&sandbox), false);
    let conclusion = || hub.state().checks.last().unwrap()["conclusion"].as_str().unwrap().to_owned();
    run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(0).prints("NO VERDICT");
    assert_eq!(conclusion(), "neutral");
    let insist = [("PERFGATE_MISSING_BASELINE", "fail")];
    run(&sandbox, &hub, "pull_request", event, &insist).exits(2).prints("NO VERDICT");
    assert_eq!(conclusion(), "failure");
}

/// The newest comment of perfgate.
fn report(hub: &Hub) -> String {
    hub.state().comments.iter().rfind(|comment| comment.author == ME).unwrap().body.clone()
}

/// The event of a completed workflow.
fn completed(sandbox: &Sandbox, repository: &str, branch: &str) -> Value {
    json!({"repository": {"full_name": "o/r", "default_branch": "main"}, "workflow_run": {"head_sha": head(sandbox),
        "head_branch": branch, "event": "pull_request", "head_repository": {"full_name": repository}}})
}

/// Packs the results on disk without a token, as a job that runs benchmarks does. Returns the directory of the artifact.
fn pack(sandbox: &Sandbox, event: &str, payload: &Value, artifact: &str, more: &[(&str, &str)]) -> String {
    let _ = std::fs::remove_file(sandbox.path("output"));
    let closed = [("PERFGATE_PUBLISH", "false"), ("PERFGATE_CHECK", "true"), ("GITHUB_API_URL", "http://127.0.0.1:1")];
    let answer = ci(sandbox, event, payload, &[&closed, more].concat(), &[]);
    answer.exits(0).reports("the results are packed");
    let packed = output(sandbox, "artifact");
    std::fs::create_dir_all(sandbox.path(&format!("downloaded/{artifact}"))).unwrap();
    std::fs::copy(packed, sandbox.path(&format!("downloaded/{artifact}/perfgate-results.bin"))).unwrap();
    sandbox.path("downloaded").display().to_string()
}

#[test]
fn one_job_measures_without_a_token_and_another_one_records_and_publishes() {
    let (sandbox, hub) = (project(), Hub::new());
    let stored = || sandbox.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    let before = stored();
    let pushed = |number: u32, parse: f64| {
        sandbox.commit("r", &format!("main {number}"));
        benches(&sandbox, number, parse);
        let after = sandbox.git("r", &["rev-parse", "HEAD"]);
        let event = push("refs/heads/main", &after);
        let artifact = pack(&sandbox, "push", &event, "perfgate-results-0", &[]);
        assert!(!stored().contains(&after), "the first job stores nothing");
        std::fs::remove_dir_all(sandbox.path("r/target")).unwrap();
        (run(&sandbox, &hub, "push", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]), after)
    };
    let (answer, after) = pushed(5, 1000.0);
    answer.exits(0).prints("recorded 8 results").prints("PASS: no regression").prints("results of the measuring job");
    assert_eq!(output(&sandbox, "verdict"), "recorded");
    assert!(stored().contains(&after) && stored().len() > before.len());
    let (answer, _) = pushed(6, 1500.0);
    answer.exits(0).prints("FAIL: 1 regressed");
    assert_eq!((output(&sandbox, "verdict"), output(&sandbox, "worst")), ("fail".to_owned(), "parse".to_owned()));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
    assert!(sandbox.read("summary").contains("recorded a baseline"));

    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 5200.0);
    let event = pull(&sandbox, &base, "o/r");
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &[]);
    assert!(hub.state().comments.is_empty());
    std::fs::remove_dir_all(sandbox.path("r/target")).unwrap();
    let variables = [("PERFGATE_ARTIFACT", artifact.as_str())];
    let published = run(&sandbox, &hub, "pull_request", event.clone(), &variables);
    published.exits(1).prints("FAIL: 1 regressed").reports(&format!(
        "note: to accept the regressions, comment on the pull request: /perfgate accept all {}",
        head(&sandbox)
    ));
    assert!(
        report(&hub).contains("parse") && report(&hub).contains(&format!("/perfgate accept all {}", head(&sandbox)))
    );
    assert_eq!(hub.state().checks.last().unwrap()["head_sha"], head(&sandbox).as_str());

    let both = [variables[0], ("PERFGATE_COMMAND", "true")];
    run(&sandbox, &hub, "pull_request", event.clone(), &both).exits(2).reports("artifact: cannot be combined");
    let path = [variables[0], ("PERFGATE_BASE", "../downloaded")];
    run(&sandbox, &hub, "pull_request", event.clone(), &path).exits(2).reports("cannot be compared with a path");
    sandbox.git("r", &["checkout", "-q", "work"]);
    run(&sandbox, &hub, "pull_request", event.clone(), &variables)
        .exits(2)
        .reports("check out the same commit in both jobs");
    std::fs::remove_dir_all(sandbox.path("downloaded/perfgate-results-0")).unwrap();
    // Nothing was measured: no verdict, and not a green job.
    run(&sandbox, &hub, "pull_request", event, &variables).exits(2).reports("there are no results");
}

#[test]
fn the_jobs_of_a_matrix_are_published_together() {
    let (sandbox, hub) = (project(), Hub::new());
    let matrix = |event: &str, payload: &Value, run: u32, simd: f64| {
        benches(&sandbox, run, 1000.0);
        pack(&sandbox, event, payload, "perfgate-results-0", &[("PERFGATE_KEY", "scalar")]);
        benches(&sandbox, run + 50, simd);
        pack(&sandbox, event, payload, "perfgate-results-1", &[("PERFGATE_KEY", "simd")])
    };
    for number in 5..8 {
        sandbox.commit("r", &format!("main {number}"));
        let event = push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]));
        let artifact = matrix("push", &event, number, 600.0);
        run(&sandbox, &hub, "push", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]).exits(0);
    }
    let base = check_out_test_merge(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let artifact = matrix("pull_request", &event, 20, 1200.0);
    let answer = run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]);
    answer.exits(1).prints("PASS: no regression").prints("FAIL: 1 regressed");
    assert_eq!(output(&sandbox, "regressions"), "1");
    let state = hub.state();
    let of_head: Vec<_> = state.checks.iter().filter(|check| check["head_sha"] == head(&sandbox).as_str()).collect();
    let shown = |check: &Value| format!("{} {}", check["name"], check["conclusion"]).replace('"', "");
    let shown: Vec<String> = of_head.into_iter().map(shown).collect();
    assert_eq!(shown, ["perfgate (scalar) success", "perfgate (simd) failure"]);
    let [comment] = state.comments.as_slice() else { panic!("{:?}", state.comments) };
    assert!(comment.body.contains("**simd**"), "{}", comment.body);
}

#[test]
fn jobs_of_a_matrix_without_names_are_warned_about() {
    let (sandbox, hub) = (project(), Hub::new());
    let base = check_out_test_merge(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let measured = |parse: f64, number: u32| {
        benches(&sandbox, number, parse);
        pack(&sandbox, "pull_request", &event, &format!("perfgate-results-{number}"), &[])
    };
    measured(1600.0, 20);
    let artifact = measured(1000.0, 21);
    let answer = run(&sandbox, &hub, "pull_request", event.clone(), &[("PERFGATE_ARTIFACT", artifact.as_str())]);
    let warning = "2 jobs have the same key and shard, so they share a comment and a check run";
    answer.exits(1).reports(warning);
    assert!(report(&hub).contains(warning) && report(&hub).contains("FAIL: 1 regressed"), "{}", report(&hub));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
}

#[test]
fn results_of_dependabot_are_published_by_the_other_workflow() {
    let (sandbox, hub, event) = slow_pull();
    hub.state().head_repository = "o/r".to_owned();
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &[]);
    let event = completed(&sandbox, "o/r", "dependabot/cargo/serde-2");
    run(&sandbox, &hub, "workflow_run", event, &[("PERFGATE_ARTIFACT", artifact.as_str())])
        .exits(0)
        .prints("FAIL: 1 regressed");
    assert!(report(&hub).contains("parse"));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
}

#[cfg(unix)]
#[test]
fn a_command_is_measured_in_the_job_without_a_token() {
    let (sandbox, hub) = (project(), Hub::new());
    let event = push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]));
    let artifact = pack(&sandbox, "push", &event, "perfgate-results-0", &[("PERFGATE_COMMAND", "sleep 0.01")]);
    run(&sandbox, &hub, "push", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]).exits(0).prints("recorded");

    let base = check_out_test_merge(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &[("PERFGATE_COMMAND", "sleep 0.01")]);
    let answer = run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]);
    answer.prints("the merge base, measured in the same job");
}

/// A command whose base and head have names: of a branch, a commit, and the runs of the other job.
#[cfg(unix)]
#[test]
fn a_command_of_either_job_is_reported_with_its_base() {
    let (sandbox, hub) = (project(), Hub::new());
    let base = slower_tool(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let command = [("PERFGATE_COMMAND", "sh bench.sh {filter}")];
    run(&sandbox, &hub, "pull_request", event.clone(), &command).exits(1);
    let body = report(&hub);
    let compared = |label: &str| format!("Base: {label}, branch `main`, 1 run, {}. Head: ", &base[..10]);
    assert!(body.contains(&compared("the merge base")), "{body}");
    let line = format!("perfgate measure --base {} -- sh bench.sh '{{filter}}'\n", &base[..10]);
    assert!(body.contains(&line) && body.contains("[[accept]]\nbenchmark = \"slow\"\n"), "{body}");

    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &command);
    run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]).exits(1);
    let body = report(&hub);
    assert!(body.contains(&compared("the merge base, measured in the same job")), "{body}");
    // The job that publishes cannot print the command, but prints how to accept the regression.
    assert!(!body.contains("perfgate compare '") && body.contains("[[accept]]\nbenchmark = \"slow\"\n"), "{body}");
}

/// The number of a run of the synthetic tool, as in its own script.
#[cfg(unix)]
const RUN: &str = "run=$(basename \"$(dirname \"$CRITERION_HOME\")\" | tr -cd 0-9)\n";

/// A neutral check run would allow the merge.
#[cfg(unix)]
#[test]
fn a_command_that_fails_when_suspects_are_re_measured_has_no_check_run() {
    let (sandbox, hub) = (project(), Hub::new());
    sandbox.write("r/tool.sh", format!("{RUN}[ \"$run\" -lt 3 ] || exit 3\nsh bench.sh \"$@\"\n"));
    let base = slower_tool(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let command = [("PERFGATE_COMMAND", "sh tool.sh {filter}")];
    let answer = run(&sandbox, &hub, "pull_request", event.clone(), &command);
    answer
        .exits(2)
        .prints("? inconclusive!  slow")
        .reports("no verdict: re-measuring stopped, because a run of base (");
    assert!(hub.state().checks.is_empty());
    let packing = [command[0], ("PERFGATE_PUBLISH", "false")];
    ci(&sandbox, "pull_request", &event, &packing, &[]).exits(2).reports("no verdict: re-measuring stopped");
}

#[cfg(unix)]
#[test]
fn a_suspect_without_new_results_of_head_is_inconclusive_in_the_job_that_publishes_too() {
    let (sandbox, hub) = (project(), Hub::new());
    let missing =
        "if [ \"$run\" -ge 3 ] && grep -q '^slow 9000' speeds; then grep -v '^slow ' speeds > left; mv left speeds; fi";
    sandbox.write("r/tool.sh", format!("{RUN}{missing}\nsh bench.sh \"$@\"\n"));
    let base = slower_tool(&sandbox);
    let event = pull(&sandbox, &base, "o/r");
    let command = [("PERFGATE_COMMAND", "sh tool.sh {filter}")];
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &command);
    let answer = run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]);
    answer.exits(0).prints("? inconclusive!  slow").prints("warning: \"slow\" stays inconclusive: it is missing from");
}

#[cfg(unix)]
#[test]
fn instructions_are_counted_on_request_and_judged_by_a_threshold_of_their_own() {
    let (sandbox, hub) = (project(), Hub::new());
    let counts = |count: u32| format!("bench.sh {count}\n");
    sandbox.write("r/built", "true\n").write("r/speeds", counts(100_000)).commit("r", "a tool");
    check_out_test_merge(&sandbox);
    sandbox.git("r", &["checkout", "-q", "work"]);
    sandbox.write("r/speeds", counts(103_000)).commit("r", "3% more");
    sandbox.git("r", &["checkout", "-q", "--detach", "work"]);
    let base = sandbox.git("r", &["rev-parse", "main"]);
    let event = pull(&sandbox, &base, "o/r");
    let (name, path) = sandbox.stand_in_for_valgrind(0, "");
    let counted = [
        (name, path.as_str()),
        ("PERFGATE_COMMAND", "sh bench.sh"),
        ("PERFGATE_SETUP", "mv built bench.sh"),
        ("PERFGATE_COUNT", "instructions"),
    ];
    run(&sandbox, &hub, "pull_request", event.clone(), &counted).exits(1).prints("threshold 1%");
    let body = report(&hub);
    assert!(body.contains("`sh bench.sh` instructions") && body.contains("+3.0%"), "{body}");
    assert!(body.contains("--setup 'mv built bench.sh' --count instructions -- sh bench.sh\n"), "{body}");

    // The job that publishes has no such input: the packed results state that they are counts.
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &counted);
    let publishing = [("PERFGATE_ARTIFACT", artifact.as_str())];
    let answer = run(&sandbox, &hub, "pull_request", event.clone(), &publishing);
    answer.exits(1).prints("threshold 1%").prints("instructions were counted by valgrind");
    let lenient = [("PERFGATE_ARTIFACT", artifact.as_str()), ("PERFGATE_THRESHOLD", "10%")];
    run(&sandbox, &hub, "pull_request", event, &lenient).exits(0).prints("threshold 10%");
}

#[cfg(unix)]
#[test]
fn counted_instructions_of_a_push_are_recorded_and_judged() {
    let (sandbox, hub) = (project(), Hub::new());
    let (name, path) = sandbox.stand_in_for_valgrind(0, "");
    let counted = [
        (name, path.as_str()),
        ("PERFGATE_COMMAND", "sh bench.sh"),
        ("PERFGATE_SETUP", "cp built bench.sh"),
        ("PERFGATE_COUNT", "instructions"),
    ];
    sandbox.write("r/built", "true\n").write("r/.gitignore", "bench.sh\ntarget\n");
    let pushed = |count: u32| {
        sandbox.write("r/speeds", format!("bench.sh {count}\n")).commit("r", &format!("count {count}"));
        push("refs/heads/main", &sandbox.git("r", &["rev-parse", "HEAD"]))
    };
    for count in [100_000, 100_001] {
        let _ = std::fs::remove_file(sandbox.path("r/bench.sh"));
        run(&sandbox, &hub, "push", pushed(count), &counted).exits(0);
    }
    // In one job, and in two.
    run(&sandbox, &hub, "push", pushed(103_000), &counted).exits(0).prints("FAIL: 1 regressed").prints("threshold 1%");
    let recorded = || sandbox.perfgate_at("r", &["runs", "list"]).exits(0).stdout.lines().count();
    let before = recorded();
    let event = pushed(130_000);
    let artifact = pack(&sandbox, "push", &event, "perfgate-results-0", &counted);
    let answer = run(&sandbox, &hub, "push", event, &[("PERFGATE_ARTIFACT", artifact.as_str())]);
    answer.exits(0).prints("FAIL: 1 regressed").prints("threshold 1%");
    assert_eq!(recorded(), before + 1);
}

#[cfg(unix)]
#[test]
fn explanations_of_the_measuring_job_are_published() {
    let (sandbox, hub) = (project(), Hub::new());
    let base = slower_tool(&sandbox);
    let (name, path) = sandbox.stand_in_for_valgrind(0, "");
    let measuring = [(name, path.as_str()), ("PERFGATE_COMMAND", "sh bench.sh {filter}"), ("PERFGATE_EXPLAIN", "true")];
    let event = pull(&sandbox, &base, "o/r");
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &measuring);
    run(&sandbox, &hub, "pull_request", event.clone(), &[("PERFGATE_ARTIFACT", artifact.as_str())]).exits(1);
    let explained =
        "<summary>slow: the command executes 80% more instructions; 100% of the growth is in 1 function</summary>";
    assert!(sandbox.read("summary").contains(explained));
    assert!(report(&hub).contains(explained), "{}", report(&hub));

    sandbox.write("bin/valgrind", sandbox.read("bin/valgrind").replace("app::run", &"ü".repeat(20_000)));
    let packing = [&measuring[..], &[("PERFGATE_PUBLISH", "false")]].concat();
    ci(&sandbox, "pull_request", &event, &packing, &[])
        .exits(0)
        .reports("warning: explanations left out of the packed results (size limit): slow;");
}
