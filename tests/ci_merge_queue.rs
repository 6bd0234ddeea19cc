//! `perfgate ci` with a stand-in for GitHub: groups of a merge queue, and acceptances on their pull requests.

#![cfg(feature = "github")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod hub;

use common::Sandbox;
use common::workflow::{benches, check_out_test_merge, ci_at, head, project};
use hub::{Hub, TOKEN};
use serde_json::{Value, json};

/// The group of pull request 7, whose merge commit is checked out and slow.
struct Queue {
    sandbox: Sandbox,
    hub: Hub,
    event: Value,
    /// The newest commit of the pull request.
    head: String,
}

impl Queue {
    fn new() -> Queue {
        let (sandbox, hub) = (project(), Hub::new());
        check_out_test_merge(&sandbox);
        let head = head(&sandbox);
        hub.state().writers = vec!["maintainer".to_owned()];
        hub.state().push(&head, false);
        let event = group(&sandbox, 7);
        Queue { sandbox, hub, event, head }
    }

    /// Runs the job of the group; its summary.
    fn run(&self, code: i32, more: &[(&str, &str)]) -> String {
        // Again, so that the results are newer than the commit that is checked out.
        benches(&self.sandbox, 9, 1600.0);
        let answer = ci_at(&self.sandbox, &self.hub.url(), TOKEN, "merge_group", self.event.clone(), more);
        answer.exits(code);
        self.sandbox.read("summary") + &answer.stderr
    }

    fn accept(&self, words: &str) {
        self.hub.state().add("maintainer", &format!("/perfgate accept {words}"));
    }

    /// Adds a second pull request to the group, behind the first one, and checks the group out.
    fn add_second(&mut self) -> String {
        let git = |args: &[&str]| self.sandbox.git("r", args);
        let first = git(&["rev-parse", "HEAD"]);
        git(&["checkout", "-q", "-b", "second", "main"]);
        self.sandbox.write("r/second", "second");
        git(&["add", "second"]);
        git(&["commit", "-q", "-m", "second"]);
        let second = git(&["rev-parse", "HEAD"]);
        git(&["checkout", "-q", "--detach", &first]);
        git(&["merge", "-q", "--no-ff", "-m", "group", "second"]);
        self.event = group(&self.sandbox, 8);
        self.hub.state().second = Some(second.clone());
        second
    }
}

/// The event of a group whose commit is checked out.
fn group(sandbox: &Sandbox, number: u64) -> Value {
    let [head, base] = ["HEAD", "main"].map(|revision| sandbox.git("r", &["rev-parse", revision]));
    json!({
        "action": "checks_requested",
        "repository": {"full_name": "o/r", "default_branch": "main"},
        "merge_group": {
            "head_sha": head, "head_ref": format!("refs/heads/gh-readonly-queue/main/pr-{number}-{base}"),
            "base_sha": base, "base_ref": "refs/heads/main",
        },
    })
}

#[test]
fn what_was_accepted_on_the_pull_request_counts_for_its_group() {
    let queue = Queue::new();
    let head = &queue.head;
    let summary = queue.run(1, &[]);
    assert!(summary.contains(&format!("/perfgate accept all {head}")), "{summary}");
    queue.hub.state().add("stranger", &format!("/perfgate accept all {head}"));
    queue.accept(&format!("all {}", "a".repeat(40)));
    let summary = queue.run(1, &[]);
    assert!(summary.contains("does not accept this commit"), "{summary}");
    queue.accept(&format!("parse {head} bounds checks"));
    let summary = queue.run(0, &[]);
    let line =
        format!("maintainer accepted 1 regression of parse for {} (pull request 7): bounds checks.", &head[..10]);
    assert!(summary.contains(&line), "{summary}");
    let state = queue.hub.state();
    let check = state.checks.last().unwrap();
    assert_eq!(check["conclusion"], "success");
    assert_eq!(
        check["head_sha"], queue.event["merge_group"]["head_sha"],
        "the check run is on the commit of the group"
    );
    assert!(check["output"]["summary"].as_str().unwrap().contains(&line), "{check}");
}

#[test]
fn a_label_on_the_pull_request_counts_for_its_group() {
    let queue = Queue::new();
    queue.hub.state().label("perfgate: accepted", "maintainer");
    queue.run(1, &[]); // there is no report on the pull request
    let mut report = json!({"name": "perfgate", "head_sha": queue.head, "started_at": "2026-01-01T00:00:00Z"});
    queue.hub.state().checks.push(report.clone());
    queue.run(1, &[]); // that is a job with the name of the report
    report["external_id"] = "perfgate:1".into();
    queue.hub.state().checks.push(report);
    let summary = queue.run(0, &[]);
    assert!(summary.contains("maintainer accepted 1 regression for"), "{summary}");
}

#[test]
fn a_squashed_pull_request_is_accepted_if_it_is_alone_in_its_group() {
    let mut queue = Queue::new();
    let git = |args: &[&str]| queue.sandbox.git("r", args);
    let one = git(&["commit-tree", "HEAD^{tree}", "-p", "main", "-m", "work (#7)"]);
    git(&["checkout", "-q", "--detach", &one]);
    queue.event = group(&queue.sandbox, 7);
    queue.run(1, &[]);
    queue.accept(&format!("all {}", queue.head));
    queue.run(0, &[]);
    let git = |args: &[&str]| queue.sandbox.git("r", args);
    let two = git(&["commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "another (#8)"]);
    git(&["checkout", "-q", "--detach", &two]);
    queue.event = group(&queue.sandbox, 7);
    let summary = queue.run(1, &[]);
    assert!(summary.contains("it has several commits, not all of which are merges"), "{summary}");
}

#[test]
fn a_group_is_not_accepted_by_another_or_a_changed_pull_request() {
    let mut queue = Queue::new();
    queue.accept(&format!("all {}", queue.head));
    queue.run(0, &[]);
    let refused = |queue: &Queue, why: &str, more: &[(&str, &str)]| {
        let summary = queue.run(1, more);
        assert!(summary.contains(why), "{why}: {summary}");
    };
    // After a push, the newest commit is accepted too, but the group has the older one.
    let other = "b".repeat(40);
    queue.accept(&format!("all {other}"));
    queue.hub.state().head = other;
    refused(&queue, "pull request 7 was closed, retargeted or pushed to", &[]);
    queue.hub.state().head.clone_from(&queue.head);
    queue.hub.state().is_closed = true;
    refused(&queue, "pull request 7 was closed, retargeted or pushed to", &[]);
    queue.hub.state().is_closed = false;
    refused(
        &queue,
        "it was compared with another commit",
        &[("PERFGATE_BASE", &queue.sandbox.git("r", &["rev-parse", "main"]))],
    );
    let event = queue.event.clone();
    for (head_ref, why) in [
        (json!("refs/heads/gh-readonly-queue/main/pr-9-main"), "its branch does not name a pull request"),
        (Value::Null, "its branch does not name a pull request"),
        (json!(format!("refs/heads/gh-readonly-queue/main/pr-9-{}", queue.head)), "pull request #9 of o/r: not found"),
    ] {
        queue.event["merge_group"]["head_ref"] = head_ref;
        refused(&queue, why, &[]);
    }
    queue.event = event;
    queue.run(0, &[]);
}

#[test]
fn in_a_group_of_several_each_accepts_the_benchmarks_named_on_it() {
    let mut queue = Queue::new();
    let second = queue.add_second();
    let first = queue.head.clone();
    queue.run(1, &[]);
    queue.accept(&format!("all {first}"));
    let summary = queue.run(1, &[]);
    assert!(
        summary.contains(
            "maintainer accepted all regressions of pull request 7. This merge group has other pull requests"
        ),
        "{summary}"
    );
    queue.accept(&format!("parse {first}"));
    let summary = queue.run(0, &[]);
    assert!(summary.contains(&format!("of parse for {} (pull request 7)", &first[..10])), "{summary}");

    // `all` counts only if it was accepted on every pull request of the group.
    queue.hub.state().comments.pop();
    queue.run(1, &[]);
    let comment = |head: &str| json!({"body": format!("/perfgate accept all {head}"), "user": {"login": "maintainer"}});
    queue.hub.state().second_comments = vec![comment(&first)];
    queue.run(1, &[]);
    queue.hub.state().second_comments = vec![comment(&second)];
    queue.run(0, &[]);
    // One of the pull requests was pushed to.
    queue.hub.state().second = Some("c".repeat(40));
    let summary = queue.run(1, &[]);
    assert!(summary.contains("do not count for this merge group"), "{summary}");
}
