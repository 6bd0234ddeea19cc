//! `perfgate publish`: what it publishes, and that errors of GitHub never change the verdict.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
mod hub;

use common::{Answer, Sandbox};
use hub::{Hub, TOKEN, error};

const HOSTILE: &str =
    "x\n::error::owned\n%0A,:<img src=x> `a` ]( @all\nperfgate-end\nverdict=pass\n##[set-output name=verdict;]pass";
const COMMIT: &str = "c0ffee0000000000000000000000000000000000";

/// A comparison of `name`, whose time changes from 1000 ns to `ns`, and of `other`, which does not change.
fn compared(sandbox: &Sandbox, name: &str, ns: f64) {
    ["old", "new"].iter().for_each(|tree| drop(std::fs::remove_dir_all(sandbox.path(tree))));
    sandbox.bench("old", name, 1000.0, 1).bench("new", name, ns, 2);
    sandbox.bench("old", "other", 1000.0, 1).bench("new", "other", 1000.0, 2);
    let code = i32::from(ns > 1500.0);
    sandbox.perfgate(&["compare", "old", "new", "--save", "comparison.json"]).exits(code);
}

/// Publishes as in a job of pull request 7.
fn publish(sandbox: &Sandbox, hub: &Hub, args: &[&str]) -> Answer {
    let event = format!("{{\"pull_request\": {{\"number\": 7, \"head\": {{\"sha\": \"{COMMIT}\"}}}}}}");
    sandbox.write("event.json", event);
    let path = |name: &str| sandbox.path(name).display().to_string();
    let url = hub.url();
    let (event, summary, output) = (path("event.json"), path("summary.md"), path("output"));
    let environment = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_EVENT_PATH", event.as_str()),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_SHA", "1111111111111111111111111111111111111111"),
        ("GITHUB_RUN_ID", "42"),
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ("GITHUB_OUTPUT", output.as_str()),
        ("GITHUB_TOKEN", TOKEN),
    ];
    let words: Vec<&str> = ["publish", "comparison.json"].into_iter().chain(args.iter().copied()).collect();
    let answer = sandbox.perfgate_with("", &environment, &words);
    for text in [&answer.stdout, &answer.stderr] {
        assert!(!text.contains("s3cr3t"), "the token is shown: {text}");
    }
    answer
}

/// The outputs of the step, as the runner reads the file.
fn outputs(sandbox: &Sandbox) -> Vec<(String, String)> {
    let text = sandbox.read("output");
    let mut lines = text.split('\n');
    let mut found = Vec::new();
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (name, end) = line.split_once("<<").unwrap_or_else(|| panic!("{line:?} begins no output in\n{text}"));
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
        found.push((name.to_owned(), value.join("\n")));
    }
    found
}

#[test]
fn a_regression_is_published_everywhere() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "parse/large", 2000.0);
    let answer = publish(&sandbox, &hub, &[]);
    answer.exits(1).prints("::error title=parse/large::time regressed: 1.0");
    let state = hub.state();
    let body = &state.comments[0].body;
    assert!(body.contains("### ❌ perfgate: FAIL: 1 regressed\n"), "{body}");
    assert!(body.contains("[c0ffee0000](https://github.com/o/r/commit/c0ffee"), "{body}");
    assert!(body.contains("(https://github.com/o/r/actions/runs/42)"), "{body}");
    assert!(body.contains("[[accept]]\nbenchmark = \"parse/large\"\nmetric = \"time\"\n"), "{body}");
    assert!(body.contains("perfgate compare old new"), "{body}");
    let check = &state.checks[0];
    assert_eq!((check["head_sha"].as_str(), check["conclusion"].as_str()), (Some(COMMIT), Some("failure")));
    assert_eq!(check["output"]["title"].as_str(), Some("FAIL: 1 regressed"));
    assert!(sandbox.read("summary.md").contains("FAIL: 1 regressed"));
    let outputs = outputs(&sandbox);
    let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["verdict", "regressions", "comparison", "document", "comment-url"]);
    assert_eq!((outputs[0].1.as_str(), outputs[1].1.as_str()), ("fail", "1"));
    assert!(outputs[3].1.contains("parse/large"));
    assert!(outputs[4].1.ends_with("#issuecomment-1"));
}

#[test]
fn a_fix_turns_the_same_comment_green() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "parse/large", 2000.0);
    publish(&sandbox, &hub, &[]).exits(1);
    compared(&sandbox, "parse/large", 1000.0);
    publish(&sandbox, &hub, &[]).exits(0);
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    assert!(state.comments[0].body.contains("### ✅ perfgate: PASS"), "{}", state.comments[0].body);
    assert!(!state.comments[0].body.contains("[[accept]]"));
    let conclusions: Vec<&str> = state.checks.iter().filter_map(|check| check["conclusion"].as_str()).collect();
    assert_eq!(conclusions, ["failure", "success"]);
}

#[test]
fn without_news_a_comment_is_created_only_with_always() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 1000.0);
    publish(&sandbox, &hub, &[]).exits(0);
    publish(&sandbox, &hub, &["--comment", "on-change"]).exits(0);
    publish(&sandbox, &hub, &["--comment", "never"]).exits(0);
    assert!(hub.state().comments.is_empty());
    publish(&sandbox, &hub, &["--comment", "always", "--key", "arm 64"]).exits(0);
    assert!(hub.state().comments[0].body.starts_with("<!-- perfgate:report key=arm%20.64 -->\n"));
    assert!(hub.state().comments[0].body.contains("\n**arm 64**\n"));
}

#[test]
fn errors_of_github_change_neither_verdict_nor_summary_nor_outputs() {
    for (ns, code) in [(2000.0, 1), (500.0, 0)] {
        let (sandbox, hub) = (Sandbox::new(), Hub::new());
        compared(&sandbox, "a", ns);
        for (verb, path) in [("POST", "/comments"), ("POST", "/check-runs"), ("GET", "/pulls/7")] {
            hub.fails(verb, path, 9, error(403, "Resource not accessible by integration"));
        }
        let answer = publish(&sandbox, &hub, &["--body"]);
        answer.exits(code).reports("permissions: {pull-requests: write}").reports("permissions: {checks: write}");
        answer.reports("from a fork").prints("::warning title=perfgate github-permission::");
        assert!(sandbox.read("summary.md").contains("perfgate:"));
        assert_eq!(outputs(&sandbox)[4], ("comment-url".to_owned(), String::new()));
    }
}

#[test]
fn without_a_token_summary_and_annotations_are_still_written() {
    let sandbox = Sandbox::new();
    compared(&sandbox, "a", 2000.0);
    let summary = sandbox.path("summary.md").display().to_string();
    let environment = [("GITHUB_STEP_SUMMARY", summary.as_str()), ("GITHUB_REPOSITORY", "o/r")];
    let answer = sandbox.perfgate_with("", &environment, &["publish", "comparison.json", "--pull", "7"]);
    answer.exits(1).reports("no GitHub token").reports("${{ github.token }}").does_not_print("::error");
    assert!(sandbox.read("summary.md").contains("FAIL"));
}

#[test]
fn a_hostile_name_is_escaped_in_annotations_outputs_and_summary() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, HOSTILE, 2000.0);
    let answer = publish(&sandbox, &hub, &["--key", HOSTILE, "--shard", HOSTILE]);
    answer.exits(1);
    let commands: Vec<&str> = answer.stdout.lines().collect();
    assert_eq!(commands.len(), 1, "{commands:?}");
    assert!(commands[0].starts_with("::error title=x%0A%3A%3Aerror%3A%3Aowned%0A%250A%2C%3A<img"), "{}", commands[0]);
    let names: Vec<String> = outputs(&sandbox).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["verdict", "regressions", "comparison", "document", "comment-url"]);
    let summary = sandbox.read("summary.md");
    let body = hub.state().comments[0].body.clone();
    for text in [&summary, &body] {
        assert!(!text.contains("<img") && !text.contains("@all") && !text.contains("]( "), "{text}");
        assert!(!text.contains("\n::error"), "{text}");
    }
    // The suggested waiver parses to the measured name.
    let toml = body.split("```toml\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    sandbox.write("perfgate.toml", toml);
    sandbox.perfgate(&["compare", "old", "new", "--format", "json"]).exits(0).prints("\"accepted\": 1");
    // Publishing the same findings again writes nothing.
    let before = hub.count("PATCH", "comments");
    publish(&sandbox, &hub, &["--key", HOSTILE, "--shard", HOSTILE]).exits(1);
    assert_eq!(hub.count("PATCH", "comments"), before);
}

#[test]
fn two_jobs_of_a_matrix_have_a_section_each() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 2000.0);
    publish(&sandbox, &hub, &["--shard", "linux"]).exits(1);
    compared(&sandbox, "b", 500.0);
    publish(&sandbox, &hub, &["--shard", "macos"]).exits(0);
    let state = hub.state();
    assert_eq!(state.comments.len(), 1);
    let body = &state.comments[0].body;
    assert!(body.contains("shard=linux state=") && body.contains("shard=macos state="), "{body}");
    assert!(body.contains("**linux**") && body.contains("**macos**") && body.contains("**Improved**"), "{body}");
}

#[test]
fn the_description_is_updated_between_its_markers() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 2000.0);
    let part = "<!-- perfgate:part metrics -->\r\nold\r\n<!-- /perfgate:part metrics -->";
    hub.state().body = format!("Mine.\r\n{part}\r\nMine too @all");
    publish(&sandbox, &hub, &["--body"]).exits(1);
    let body = hub.state().body.clone();
    assert!(body.starts_with("Mine.\r\n<!-- perfgate:part metrics -->\r\n") && body.ends_with("-->\r\nMine too @all"));
    assert!(!body.contains("\r\nold\r\n") && body.contains("FAIL"), "{body}");
    publish(&sandbox, &hub, &["--body"]).exits(1);
    assert_eq!(hub.count("PATCH", "/pulls/7"), 1); // nothing had changed the second time
    hub.state().body = "No place for it.".to_owned();
    publish(&sandbox, &hub, &["--body"]).exits(1).reports("no perfgate section").reports("it was not updated");
    assert_eq!(hub.state().body, "No place for it.");
}

#[test]
fn a_description_is_updated_with_the_template_that_it_was_made_with() {
    for template in ["library", "pr"] {
        let (sandbox, hub) = (Sandbox::new(), Hub::new());
        compared(&sandbox, "a", 2000.0);
        let old = sandbox.perfgate(&["render", "comparison.json", "--template", template]).exits(0).stdout.clone();
        hub.state().body = old.clone();
        publish(&sandbox, &hub, &["--body"]).exits(1);
        assert_eq!((&hub.state().body, hub.count("PATCH", "/pulls/7")), (&old, 0), "{template}");
        compared(&sandbox, "a", 3000.0);
        publish(&sandbox, &hub, &["--body"]).exits(1);
        let new = sandbox.perfgate(&["render", "comparison.json", "--template", template]).exits(0).stdout.clone();
        assert_eq!(hub.state().body, new, "{template}");
    }
}

#[test]
fn a_dry_run_sends_and_writes_nothing() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 2000.0);
    let answer = publish(&sandbox, &hub, &["--dry-run"]);
    answer.exits(1).prints("### ❌ perfgate: FAIL").reports("nothing was published");
    answer
        .reports("also published without --dry-run: a check run on ")
        .reports("the job summary, the outputs of the step");
    assert!(!answer.stderr.contains("description"), "{}", answer.stderr);
    publish(&sandbox, &hub, &["--dry-run", "--body"])
        .exits(1)
        .reports("perfgate's sections of the pull request description");
    assert!(hub.requested().is_empty());
    assert!(!sandbox.path("output").exists() && !sandbox.path("summary.md").exists());
}

#[test]
fn bad_input_is_refused_before_anything_is_written() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 2000.0);
    sandbox.write("own.md.j2", "{{ verdit }}");
    publish(&sandbox, &hub, &["--template", "own.md.j2"]).exits(2).reports("did you mean `verdict`");
    publish(&sandbox, &hub, &["--template", "nothing"]).exits(2).reports("no such template");
    publish(&sandbox, &hub, &["--repository", "o/r/../x"]).exits(2).reports("OWNER/NAME");
    publish(&sandbox, &hub, &["--pull", "0"]).exits(2);
    sandbox.write("comparison.json", "{}");
    publish(&sandbox, &hub, &[]).exits(2).reports("is not a comparison");
    sandbox.perfgate(&["publish", "missing.json"]).exits(2);
    assert!(hub.requested().is_empty());
}

#[test]
fn a_document_that_is_too_long_is_reduced_to_the_verdict() {
    let (sandbox, hub) = (Sandbox::new(), Hub::new());
    compared(&sandbox, "a", 2000.0);
    sandbox.write("own.md.j2", "x".repeat(70_000));
    publish(&sandbox, &hub, &["--template", "own.md.j2"]).exits(1);
    let body = hub.state().comments[0].body.clone();
    assert!(body.contains("FAIL: 1 regressed") && body.contains("does not fit into this comment"), "{body}");
}

#[test]
fn a_comment_on_stored_runs_has_a_chart_and_the_command_to_reproduce() {
    let sandbox = Sandbox::new();
    sandbox.repository("repo");
    for run in 1..=8 {
        sandbox.commit("repo", &format!("change {run}"));
        sandbox.bench("repo/target/criterion", "a", 1000.0, run).bench("repo/target/criterion", "b", 1000.0, run);
        sandbox.perfgate_at("repo", &["record"]).exits(0);
    }
    let base = sandbox.git("repo", &["rev-parse", "HEAD"]);
    sandbox.git("repo", &["switch", "-q", "-c", "work"]);
    sandbox.commit("repo", "slower");
    sandbox.bench("repo/target/criterion", "a", 2000.0, 9).bench("repo/target/criterion", "b", 1000.0, 9);
    sandbox.perfgate_at("repo", &["compare", "--save", "comparison.json"]).exits(1);
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("repo/comparison.json")).unwrap();
    let series = saved["series"].as_array().unwrap();
    assert_eq!(series.len(), 1); // only a is worse
    let points = series[0]["points"].as_array().unwrap();
    assert_eq!((points.len(), points[7]["commit"].as_str()), (9, Some(base.as_str())));
    assert!(points[8]["value"].as_f64().unwrap() > 1900.0);
    let answer = sandbox.perfgate_at("repo", &["render", "comparison.json", "--template", "comment"]);
    answer
        .exits(0)
        .prints(&format!("\"{}\", \"head\"]", &base[..7]))
        .prints("y-axis \"µs\"")
        .prints("over the last 9 commits");
    answer.prints(&format!("perfgate measure --base {} -- cargo bench\n", &base[..10]));
    answer.prints(&format!("Base: stored runs of the merge base, branch `main`, 8 runs, {}. Head: ", &base[..10]));
}
