//! `perfgate ci` with a stand-in for GitHub: pushes that regress, regressions that a person accepts, changed rules.

#![cfg(feature = "github")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod hub;

#[cfg(unix)]
use common::workflow::slower_tool;
use common::workflow::{benches, ci, ci_at, head, project, pull, push, trial};
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
    let base = trial(&sandbox);
    benches(&sandbox, 9, 1600.0);
    let event = pull(&sandbox, &base, "o/r");
    {
        let mut state = hub.state();
        state.writers = vec!["maintainer".to_owned()];
        state.push(&head(&sandbox), false);
    }
    (sandbox, hub, event)
}

/// The newest comment of perfgate.
fn report(hub: &Hub) -> String {
    hub.state().comments.iter().rfind(|comment| comment.author == ME).unwrap().body.clone()
}

#[test]
fn someone_with_write_access_accepts_the_regressions_of_this_head() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    let head = head(&sandbox);
    let comment_by = |author: &str, words: &str| hub.state().add(author, &words.replace("HEAD", &head));
    for number in 0..130 {
        comment_by("stranger", &format!("comment {number}"));
    }
    again(1);
    let command = format!("/perfgate accept all {head}");
    assert!(report(&hub).contains(&format!("```text\n{command}\n```")), "{}", report(&hub));
    assert!(report(&hub).contains("or by a comment on the pull request"), "{}", report(&hub));
    comment_by("stranger", "/perfgate accept all HEAD");
    comment_by("maintainer", "I would write\n> /perfgate accept all HEAD");
    comment_by("maintainer", "The docs say:\n```\n/perfgate accept all HEAD\n```");
    // A bot's comment may repeat text of anyone.
    hub.state().writers.push("helpful[bot]".to_owned());
    comment_by("helpful[bot]", "/perfgate accept all HEAD");
    comment_by("maintainer", "/perfgate accept another HEAD");
    // Our own comment shows the command; its author may have write access.
    hub.state().writers.push(ME.to_owned());
    again(1);
    assert!(!report(&hub).contains("The request by octo"), "{}", report(&hub));
    let answer =
        "The request by maintainer names \"another\", which is not a regressed benchmark, so it accepts nothing.";
    assert!(report(&hub).contains(answer), "{}", report(&hub));
    assert!(sandbox.read("summary").contains(&format!("```text\n{command}\n```")), "{}", sandbox.read("summary"));
    comment_by("maintainer", "/perfgate accept parse because of the <b>bounds</b>");
    // A second commit that begins alike is easily made.
    comment_by("maintainer", &format!("/perfgate accept parse {}", &head[..12]));
    again(1);
    let answer = format!(
        "The request by maintainer does not contain the full commit id, so it has no effect. Write: `{command}`"
    );
    assert!(report(&hub).contains(&answer), "{}", report(&hub));
    comment_by("maintainer", "Fine.\r\n/perfgate accept parse HEAD it checks @bounds now");
    assert!(again(0).contains("1 accepted"));
    let line = format!("maintainer accepted 1 regression of parse for {}: it checks", &head[..10]);
    let body = report(&hub);
    assert!(body.contains(&line) && !body.contains("@bounds") && !body.contains("does not contain the full"), "{body}");
    assert!(!body.contains(&command), "there is nothing left to accept: {body}");
    let state = hub.state();
    let check = state.checks.last().unwrap();
    assert_eq!(check["conclusion"], "success");
    assert!(check["output"]["summary"].as_str().unwrap().contains(&line));
}

#[test]
fn an_accepted_head_does_not_accept_an_earlier_one_that_is_pushed_again() {
    let (sandbox, hub, event) = slow_pull();
    let slow = head(&sandbox);
    run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(1);
    // A harmless commit is pushed and accepted, and then the first one is pushed again.
    let other = "a".repeat(40);
    hub.state().push(&other, false);
    hub.state().add("maintainer", &format!("/perfgate accept all {other} harmless"));
    hub.state().label("perfgate: accepted", "maintainer");
    hub.state().push(&slow, true);
    run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(1);
    assert!(report(&hub).contains("set the label"), "{}", report(&hub));
    hub.state().unlabel();
    run(&sandbox, &hub, "pull_request", event.clone(), &[("PERFGATE_CHECK", "false")]).exits(1);
    let answer = format!("is for {other}, so it does not accept this commit. Write: `/perfgate accept all {slow}`");
    assert!(report(&hub).contains(&answer), "{}", report(&hub));
    hub.state().add("maintainer", &format!("/perfgate accept all {slow}"));
    run(&sandbox, &hub, "pull_request", event, &[("PERFGATE_CHECK", "false")]).exits(0);
}

#[test]
fn a_label_accepts_the_head_whose_report_it_follows() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32, more: &[(&str, &str)]| {
        run(&sandbox, &hub, "pull_request", event.clone(), more).exits(code).stdout.clone()
    };
    let label = "perfgate: accepted";
    let slow = head(&sandbox);
    hub.state().label(label, "maintainer");
    again(1, &[]); // before the first report
    again(1, &[]); // there is a report now, but the label is older
    assert!(report(&hub).contains("before there was a report on this commit"), "{}", report(&hub));
    hub.state().unlabel();
    again(1, &[]); // it was set once, and removed
    hub.state().label(label, "stranger");
    again(1, &[]); // by someone without write access
    hub.state().unlabel();
    hub.state().label(label, "maintainer");
    again(1, &[("PERFGATE_ACCEPT_LABEL", "slow is fine")]);
    again(1, &[("PERFGATE_CHECK", "false")]);
    assert!(again(0, &[]).contains("1 accepted"));
    assert!(report(&hub).contains("maintainer accepted 1 regression for"), "{}", report(&hub));

    // The next push needs it again, and so does this commit when it is pushed again later.
    hub.state().push(&"b".repeat(40), false);
    again(1, &[]); // a job of a commit that is no longer the newest
    hub.state().push(&slow, true);
    again(1, &[]);
    // The report of the last run is the 101st check run of this commit and later.
    let old = hub.state().checks[0].clone();
    let mut many = vec![old; 120];
    many.append(&mut hub.state().checks);
    hub.state().checks = many;
    for number in 0..110 {
        hub.state().timeline.push(json!({"event": "mentioned", "created_at": "2026-01-01T00:00:01Z", "id": number}));
    }
    hub.state().unlabel();
    hub.state().label(label, "maintainer");
    assert!(again(0, &[]).contains("1 accepted"));
}

#[test]
fn a_name_with_any_characters_is_accepted_as_the_report_shows_it() {
    let (sandbox, hub) = (project(), Hub::new());
    let names = ["two words", "with `ticks` and \"quotes\"", "two  spaces\u{200b}"];
    let measure = |number: u32, ns: f64| {
        benches(&sandbox, number, 1000.0);
        for name in names {
            sandbox.bench("r/target/criterion", name, ns, number);
        }
    };
    for number in 5..8 {
        sandbox.commit("r", &format!("main {number}"));
        measure(number, 1000.0);
        sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    }
    let base = trial(&sandbox);
    measure(9, 1600.0);
    let (event, head) = (pull(&sandbox, &base, "o/r"), head(&sandbox));
    hub.state().writers = vec!["maintainer".to_owned()];
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    assert!(again(1).contains("3 regressed"));
    for (left, command) in [
        (2, format!("/perfgate accept two words {head}")),
        (1, format!("/perfgate accept {} {head} the reason", names[1])),
        (0, format!("/perfgate accept `two spaces\\u{{200b}}` {head}")),
    ] {
        hub.state().add("maintainer", &command);
        let said = again(i32::from(left > 0));
        assert!(said.contains(&format!("{} accepted", 3 - left)), "{command}: {said}");
    }
}

#[test]
fn a_label_from_before_another_base_branch_does_not_count() {
    let (sandbox, hub, event) = slow_pull();
    let again = |code: i32| run(&sandbox, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    let label = || hub.state().label("perfgate: accepted", "maintainer");
    again(1);
    label();
    assert!(again(0).contains("1 accepted"));
    hub.state().retarget();
    again(1);
    assert!(report(&hub).contains("report on this commit against this base"), "{}", report(&hub));
    hub.state().unlabel();
    label();
    again(0);
}

#[test]
fn check_runs_of_other_jobs_and_commits_are_no_report_on_this_head() {
    let (sandbox, hub, event) = slow_pull();
    for (name, commit) in [("perfgate", "c".repeat(40)), ("another", head(&sandbox))] {
        let mut state = hub.state();
        state.checks.push(json!({"name": name, "head_sha": commit, "started_at": "2026-01-01T00:00:00Z"}));
    }
    hub.state().label("perfgate: accepted", "maintainer");
    run(&sandbox, &hub, "pull_request", event, &[]).exits(1);
}

#[test]
fn a_pull_request_from_a_fork_is_accepted_by_comment_and_not_in_its_own_config() {
    let (sandbox, hub, mut event) = slow_pull();
    event["pull_request"]["head"]["repo"]["full_name"] = "fork/r".into();
    event["repository"]["full_name"] = "o/r".into();
    let url = hub.url();
    let variables = [("GITHUB_API_URL", url.as_str()), ("GITHUB_TOKEN", TOKEN), ("PERFGATE_CHECK", "true")];
    ci(&sandbox, "pull_request", &event, &variables, &[]).exits(1).reports("comes from a fork");
    assert!(!sandbox.read("summary").contains("perfgate.toml (`[[accept]]`)"), "{}", sandbox.read("summary"));
    let head = head(&sandbox);
    let artifact = output(&sandbox, "artifact");
    let completed = completed(&sandbox, "fork/r", "work");
    let publish = || {
        run(&sandbox, &hub, "workflow_run", completed.clone(), &[("PERFGATE_ARTIFACT", artifact.as_str())])
            .exits(0)
            .stdout
            .clone()
    };
    assert!(publish().contains("FAIL: 1 regressed"));
    let body = report(&hub);
    let command = format!("/perfgate accept all {head}");
    assert!(body.contains(&command) && !body.contains("[[accept]]"), "{body}");
    assert!(body.contains("ask someone with write access to accept it"), "{body}");
    sandbox.write("r/perfgate.toml", "[[budget]]\nmatch = \"parse\"\nmetric = \"time\"\ntarget = \"<1ns\"\n");
    publish();
    assert!(report(&hub).contains("or change the budget in perfgate.toml of the base branch."), "{}", report(&hub));
    std::fs::remove_file(sandbox.path("r/perfgate.toml")).unwrap();
    hub.state().add("maintainer", &command);
    assert!(publish().contains("1 accepted"));
    hub.state().comments.retain(|comment| comment.author == ME);
    assert!(publish().contains("FAIL: 1 regressed"));
    hub.state().label("perfgate: accepted", "maintainer");
    assert!(publish().contains("1 accepted"));
}

#[test]
fn a_pull_request_that_changes_the_rules_says_so_first() {
    let sandbox = project();
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n");
    sandbox.commit("r", "main 5");
    benches(&sandbox, 5, 1000.0);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    let base = trial(&sandbox);
    benches(&sandbox, 9, 2200.0);
    for (config, notice) in [
        ("[gate]\nthreshold = \"150%\"\n", "threshold 20% → 150%"),
        ("[gate]\nfail-on = []\n", "fail-on regressed, budget, failed → nothing"),
        ("[store]\nurl = \"dir:own\"\n", "→ dir:own"),
    ] {
        let hub = Hub::new();
        sandbox.write("r/perfgate.toml", config);
        run(&sandbox, &hub, "pull_request", pull(&sandbox, &base, "o/r"), &[]).exits(0);
        let state = hub.state();
        let body = &state.comments[0].body;
        let (before, _) = body.split_once("perfgate: ").unwrap();
        let (_, rest) = body.split_once("This pull request changes the gate's own rules: ").unwrap();
        assert!(rest.lines().next().unwrap().contains(notice), "{body}");
        assert!(!before.is_empty() && body.find("own rules").unwrap() < body.find("###").unwrap(), "{body}");
        assert!(sandbox.read("summary").contains("changes the gate's own rules"));
    }
    let hub = Hub::new();
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n# the same\n");
    run(&sandbox, &hub, "pull_request", pull(&sandbox, &base, "o/r"), &[]).exits(1);
    assert!(!hub.state().comments[0].body.contains("own rules"));
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
    let (answer, _) = pushed(6, 3000.0);
    answer.exits(0).prints("FAIL: 1 regressed");
    assert_eq!((output(&sandbox, "verdict"), output(&sandbox, "worst")), ("fail".to_owned(), "parse".to_owned()));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
    assert!(sandbox.read("summary").contains("recorded a baseline"));

    let base = trial(&sandbox);
    benches(&sandbox, 9, 5200.0);
    let event = pull(&sandbox, &base, "o/r");
    let artifact = pack(&sandbox, "pull_request", &event, "perfgate-results-0", &[]);
    assert!(hub.state().comments.is_empty());
    std::fs::remove_dir_all(sandbox.path("r/target")).unwrap();
    let variables = [("PERFGATE_ARTIFACT", artifact.as_str())];
    run(&sandbox, &hub, "pull_request", event.clone(), &variables).exits(1).prints("FAIL: 1 regressed");
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
    let base = trial(&sandbox);
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
    let base = trial(&sandbox);
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

    let base = trial(&sandbox);
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

#[cfg(unix)]
#[test]
fn instructions_are_counted_on_request_and_judged_by_a_threshold_of_their_own() {
    let (sandbox, hub) = (project(), Hub::new());
    let counts = |count: u32| format!("bench.sh {count}\n");
    sandbox.write("r/built", "true\n").write("r/speeds", counts(100_000)).commit("r", "a tool");
    trial(&sandbox);
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
    let explained = "<summary>slow executes 80% more instructions; 100% of the growth is in 1 function</summary>";
    assert!(sandbox.read("summary").contains(explained));
    assert!(report(&hub).contains(explained), "{}", report(&hub));

    sandbox.write("bin/valgrind", sandbox.read("bin/valgrind").replace("app::run", &"ü".repeat(20_000)));
    let packing = [&measuring[..], &[("PERFGATE_PUBLISH", "false")]].concat();
    ci(&sandbox, "pull_request", &event, &packing, &[])
        .exits(0)
        .reports("warning: explanations left out of the packed results (size limit): slow;");
}
