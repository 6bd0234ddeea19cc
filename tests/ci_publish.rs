//! `perfgate ci` with a stand-in for GitHub: pushes that regress, regressions that a person accepts, changed rules.

#![cfg(feature = "github")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod hub;

use common::workflow::{benches, ci, head, project, pull, push, trial};
use common::{Answer, Scene};
use hub::{Hub, ME, TOKEN};
use serde_json::{Value, json};

/// Runs an event of the repository that the stand-in has.
fn run(scene: &Scene, hub: &Hub, event: &str, mut payload: Value, more: &[(&str, &str)]) -> Answer {
    payload["repository"]["full_name"] = "o/r".into();
    if payload["pull_request"].is_object() {
        payload["pull_request"]["head"]["repo"]["full_name"] = "o/r".into();
        payload["pull_request"]["base"]["repo"]["full_name"] = "o/r".into();
    }
    let url = hub.url();
    let mut variables = vec![
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_TOKEN", TOKEN),
        ("PERFGATE_COMMENT", "auto"),
        ("PERFGATE_CHECK", "true"),
    ];
    variables.extend(more);
    let _ = std::fs::remove_file(scene.path("summary"));
    let _ = std::fs::remove_file(scene.path("output"));
    ci(scene, event, &payload, &variables, &[])
}

fn output(scene: &Scene, name: &str) -> String {
    let outputs = scene.read("output");
    let after = outputs.split(&format!("{name}<<perfgate-end\n")).nth(1).unwrap_or_else(|| panic!("{outputs}"));
    after.split("\nperfgate-end").next().unwrap().to_owned()
}

#[test]
fn a_push_that_regresses_is_recorded_and_reported() {
    let (scene, hub) = (project(), Hub::new());
    let pushed = |number: u32, parse: f64, more: &[(&str, &str)]| {
        scene.commit("r", &format!("main {number}"));
        benches(&scene, number, parse);
        let after = scene.git("r", &["rev-parse", "HEAD"]);
        (run(&scene, &hub, "push", push("refs/heads/main", &after), more), after)
    };
    let (answer, after) = pushed(5, 1000.0, &[]);
    answer.exits(0).says("recorded 8 results").says("PASS: no regression");
    assert_eq!((output(&scene, "verdict"), output(&scene, "unchanged")), ("recorded".to_owned(), "8".to_owned()));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "success");
    assert_eq!(hub.state().checks.last().unwrap()["head_sha"], after.as_str());
    assert!(hub.state().commit_comments.is_empty());

    let mention = [("PERFGATE_COMMENT_ON_PUSH", "true"), ("PERFGATE_MENTION", "@octo/perf")];
    let (answer, after) = pushed(6, 3000.0, &mention);
    answer.exits(0).says("recorded 8 results").says("FAIL: 1 regressed").says("stored runs of the commits before");
    assert_eq!(output(&scene, "verdict"), "fail");
    assert_eq!((output(&scene, "worst"), output(&scene, "regressed")), ("parse".to_owned(), "1".to_owned()));
    assert!(output(&scene, "worst-change").starts_with("+2"), "{}", output(&scene, "worst-change"));
    assert!(scene.read("summary").contains("recorded 8 results") && scene.read("summary").contains("parse"));
    let badge: Value = serde_json::from_str(&std::fs::read_to_string(output(&scene, "badge")).unwrap()).unwrap();
    assert_eq!((&badge["schemaVersion"], &badge["message"]), (&json!(1), &json!("1 regressed")));
    assert_eq!(hub.state().checks.last().unwrap()["conclusion"], "failure");
    {
        let state = hub.state();
        assert_eq!(state.commit_comments.len(), 1);
        let body = state.commit_comments[0]["body"].as_str().unwrap();
        assert!(body.contains("\n@octo/perf\n") && body.contains("parse"), "{body}");
        assert_eq!(state.commit_comments[0]["commit_id"], after.as_str());
    }
    let stored = scene.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "{stored}");

    let (answer, after) = pushed(7, 9000.0, &[("PERFGATE_FAIL_ON_PUSH", "true")]);
    answer.exits(1).says("FAIL: 1 regressed");
    let stored = scene.git("remote.git", &["ls-tree", "-r", "--name-only", "refs/perfgate/baselines"]);
    assert!(stored.contains(&after), "a regression is recorded too: {stored}");
    let (answer, _) = pushed(8, 9000.0, &[("PERFGATE_MENTION", "everyone")]);
    answer.exits(2).complains("mention: \"everyone\" is not a list of names");
}

#[test]
fn someone_with_write_access_accepts_the_regressions_of_this_head() {
    let (scene, hub) = (project(), Hub::new());
    let base = trial(&scene);
    benches(&scene, 9, 1600.0);
    let event = pull(&scene, &base, "o/r");
    let again = |code: i32| run(&scene, &hub, "pull_request", event.clone(), &[]).exits(code).stdout.clone();
    hub.state().writers = vec!["maintainer".to_owned()];
    hub.state().add("maintainer", "/perfgate accept all: before there was a report (too early)");
    again(1);
    hub.state().add("stranger", "/perfgate accept all");
    hub.state().add("maintainer", "I would write\n> /perfgate accept all");
    hub.state().add("maintainer", "/perfgate accept another");
    again(1);
    hub.state().add("maintainer", "Fine.\r\n/perfgate accept parse it checks @bounds now");
    assert!(again(0).contains("1 accepted"));
    let state = hub.state();
    let report = state.comments.iter().find(|comment| comment.author == ME).unwrap();
    let line = "maintainer accepted 1 regression of parse for";
    assert!(report.body.contains(line) && !report.body.contains("@bounds"), "{}", report.body);
    let check = state.checks.last().unwrap();
    assert_eq!(check["conclusion"], "success");
    assert!(check["output"]["summary"].as_str().unwrap().contains(line));
}

#[test]
fn a_label_accepts_if_the_api_confirms_it() {
    let (scene, hub) = (project(), Hub::new());
    let base = trial(&scene);
    benches(&scene, 9, 1600.0);
    let mut event = pull(&scene, &base, "o/r");
    event["action"] = "labeled".into();
    event["label"] = json!({"name": "perfgate: accepted"});
    event["sender"] = json!({"login": "maintainer"});
    let again = |code: i32, more: &[(&str, &str)]| {
        run(&scene, &hub, "pull_request", event.clone(), more).exits(code).stdout.clone()
    };
    again(1, &[]); // the label is not set
    hub.state().labels = vec!["perfgate: accepted".to_owned()];
    again(1, &[]); // of another head
    hub.state().head = head(&scene);
    again(1, &[]); // by someone without write access
    hub.state().writers = vec!["maintainer".to_owned()];
    again(1, &[("PERFGATE_ACCEPT_LABEL", "slow is fine")]);
    assert!(again(0, &[]).contains("1 accepted"));
    // The next push needs it again.
    let mut pushed = event.clone();
    pushed["action"] = "synchronize".into();
    run(&scene, &hub, "pull_request", pushed, &[]).exits(1);
}

#[test]
fn a_pull_request_that_changes_the_rules_says_so_first() {
    let scene = project();
    scene.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n");
    scene.commit("r", "main 5");
    benches(&scene, 5, 1000.0);
    scene.perfgate_at("r", &["record", "--push"]).exits(0);
    let base = trial(&scene);
    benches(&scene, 9, 2200.0);
    for (config, notice) in [
        ("[gate]\nthreshold = \"150%\"\n", "threshold 20% → 150%"),
        ("[gate]\nfail-on = []\n", "fail-on regressed, budget, failed → nothing"),
        ("[store]\nurl = \"dir:own\"\n", "→ dir:own"),
    ] {
        let hub = Hub::new();
        scene.write("r/perfgate.toml", config);
        run(&scene, &hub, "pull_request", pull(&scene, &base, "o/r"), &[]).exits(0);
        let state = hub.state();
        let body = &state.comments[0].body;
        let (before, _) = body.split_once("perfgate: ").unwrap();
        let (_, rest) = body.split_once("This pull request changes the gate's own rules: ").unwrap();
        assert!(rest.lines().next().unwrap().contains(notice), "{body}");
        assert!(!before.is_empty() && body.find("own rules").unwrap() < body.find("###").unwrap(), "{body}");
        assert!(scene.read("summary").contains("changes the gate's own rules"));
    }
    let hub = Hub::new();
    scene.write("r/perfgate.toml", "[gate]\nthreshold = \"20%\"\n# the same\n");
    run(&scene, &hub, "pull_request", pull(&scene, &base, "o/r"), &[]).exits(1);
    assert!(!hub.state().comments[0].body.contains("own rules"));
}
