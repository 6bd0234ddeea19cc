//! When a stored run was measured or recorded: from the results, the store's history, or its files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Sandbox, data};
use perfgate::io::input::{self, Location, Request};
use perfgate::model::Detail;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// The newest runs of the repository `r`, in the JSON of `runs list`.
fn listed(sandbox: &Sandbox, args: &[&str]) -> Vec<Value> {
    let answer = sandbox.perfgate_at("r", &[&["runs", "list", "--format", "json"][..], args].concat());
    let json = answer.exits(0).json();
    assert_eq!((&json["format"], &json["version"]), (&json!("perfgate-runs"), &json!(1)));
    json["runs"].as_array().unwrap().clone()
}

#[test]
fn a_run_has_the_time_that_its_results_state_or_the_time_of_recording() {
    for store in [&[][..], &["--store", "dir:../runs"]] {
        let sandbox = Sandbox::with_unrecorded_results();
        let before = now();
        sandbox.perfgate_at("r", &[&["record"][..], store].concat()).exits(0);
        let runs = listed(&sandbox, store);
        assert_eq!(runs[0]["measured"], Value::Null);
        assert_eq!(runs[0]["recorded_exactly"], json!(true));
        assert!((before..=now()).contains(&runs[0]["recorded"].as_i64().unwrap()), "{}", runs[0]);
        assert_eq!(runs[0]["commit"], json!(sandbox.git("r", &["rev-parse", "HEAD"])));
        assert_eq!(runs[0]["results"], json!(5));
        sandbox.perfgate_at("r", &[&["runs", "list"][..], store].concat()).exits(0).prints("  recorded 20");
        sandbox
            .perfgate_at("r", &[&["runs", "show", "HEAD"][..], store].concat())
            .exits(0)
            .prints("time      recorded 20");

        let results = data("pytest-benchmark/before.json");
        // The date of the file is before that of the commit.
        let record = [&["record", &results, "--commit", "HEAD", "--force"][..], store].concat();
        sandbox.perfgate_at("r", &record).exits(0).prints("recorded ");
        // The same file counts once.
        sandbox.perfgate_at("r", &record).exits(0).prints("already recorded");
        sandbox
            .perfgate_at("r", &[&["runs", "list"][..], store].concat())
            .exits(0)
            .prints("measured 2026-11-21 09:11:58Z");
        let runs = listed(&sandbox, store);
        assert!(runs.iter().any(|run| run["measured"] == json!(1_795_252_318)), "{runs:?}");
        assert_eq!(listed(&sandbox, &[&["--last", "1"][..], store].concat()).len(), 1);
    }
}

/// A commit object of a store.
fn commit(sandbox: &Sandbox, tree: &str, parent: Option<&str>, time: i64) -> String {
    let parent = parent.map(|parent| format!("parent {parent}\n")).unwrap_or_default();
    let who = format!("a <a@example.org> {time} +0000");
    sandbox.write("commit", format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nrecord\n"));
    sandbox.git("r", &["hash-object", "-t", "commit", "-w", "../commit"])
}

#[test]
fn the_history_of_a_git_store_has_the_times_of_recording() {
    const REF: &str = "refs/perfgate/baselines";
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("r", &["switch", "-q", "-c", "topic"]); // the newest runs of main are never pruned
    let mut newest: Option<String> = None;
    for run in 1..=3 {
        sandbox.commit("r", &format!("change {run}")).five_benchmarks(run);
        sandbox.perfgate_at("r", &["record"]).exits(0);
        let tree = sandbox.git("r", &["rev-parse", &format!("{REF}^{{tree}}")]);
        let time = 1_000_000_000 + i64::from(run);
        newest = Some(commit(&sandbox, &tree, newest.as_deref(), time));
        sandbox.git("r", &["update-ref", REF, newest.as_ref().unwrap()]);
    }
    let times = |sandbox: &Sandbox| -> Vec<(i64, bool)> {
        let runs = listed(sandbox, &[]);
        let time = |run: &Value| (run["recorded"].as_i64().unwrap(), run["recorded_exactly"] == json!(true));
        runs.iter().map(time).collect()
    };
    assert_eq!(times(&sandbox), [(1_000_000_003, true), (1_000_000_002, true), (1_000_000_001, true)]);
    // A history that was fetched in part.
    let tree = sandbox.git("r", &["rev-parse", &format!("{REF}^{{tree}}")]);
    let cut = commit(&sandbox, &tree, Some(&"1".repeat(40)), 1_000_000_009);
    sandbox.git("r", &["update-ref", REF, &cut]);
    assert_eq!(times(&sandbox), [(1_000_000_009, false); 3]);
    // Pruning restarts the history.
    sandbox.git("r", &["update-ref", REF, newest.as_ref().unwrap()]);
    sandbox.perfgate_at("r", &["runs", "prune", "--keep", "2"]).exits(0);
    sandbox.perfgate_at("r", &["runs", "list"]).exits(0).prints("recorded by 20");
    let times = times(&sandbox);
    assert!(!times.is_empty() && times.iter().all(|(_, exactly)| !exactly), "{times:?}");
}

#[test]
fn runs_that_a_push_added_to_a_diverged_history_were_recorded_at_its_time_or_before() {
    const REF: &str = "refs/perfgate/baselines";
    for local in 1..=2 {
        let sandbox = Sandbox::with_unrecorded_results();
        sandbox.git("", &["init", "-q", "--bare", "remote.git"]);
        sandbox.git("r", &["remote", "add", "origin", "../remote.git"]);
        // Records a run of a new commit at a time of the past; returns both commits.
        let record = |run: u32, parent: Option<&str>| {
            sandbox.commit("r", &format!("change {run}")).five_benchmarks(run);
            sandbox.perfgate_at("r", &["record"]).exits(0);
            let tree = sandbox.git("r", &["rev-parse", &format!("{REF}^{{tree}}")]);
            let newest = commit(&sandbox, &tree, parent, 1_000_000_000 + i64::from(run));
            sandbox.git("r", &["update-ref", REF, &newest]);
            (newest, sandbox.git("r", &["rev-parse", "HEAD"]))
        };
        let (shared, _) = record(1, None);
        let (_, theirs) = record(2, Some(&shared));
        sandbox.git("r", &["push", "-q", "origin", &format!("{REF}:{REF}")]);
        sandbox.git("r", &["update-ref", REF, &shared]);
        let mut parent = shared;
        let mut ours = Vec::new();
        for run in 3..3 + local {
            let (newest, head) = record(run, Some(&parent));
            parent = newest;
            ours.push(head);
        }
        let before = now();
        sandbox.perfgate_at("r", &["runs", "push"]).exits(0).prints(&format!("{local} run"));
        let runs = listed(&sandbox, &[]);
        let of = |head: &String| runs.iter().find(|run| run["commit"] == json!(head)).unwrap();
        assert_eq!(of(&theirs)["recorded"], json!(1_000_000_002));
        assert_eq!(of(&theirs)["recorded_exactly"], json!(true));
        for run in ours.iter().map(of) {
            assert!(run["recorded"].as_i64().unwrap() >= before, "{run}");
            assert_eq!(run["recorded_exactly"], json!(false), "{run}");
        }
        // A message as earlier versions wrote it: the number of added runs remains.
        let tree = sandbox.git("r", &["rev-parse", &format!("{REF}^{{tree}}")]);
        let theirs = sandbox.git("r", &["rev-parse", &format!("{REF}~1")]);
        let old = commit(&sandbox, &tree, Some(&theirs), 1_000_000_009);
        sandbox.git("r", &["update-ref", REF, &old]);
        // The listing of the newest run alone gives the same answer.
        assert_eq!(listed(&sandbox, &["--last", "1"])[0]["recorded_exactly"], json!(local == 1));
    }
}

#[test]
fn the_time_of_measuring_is_read_where_a_file_states_it() {
    for (file, expected) in [
        ("pytest-benchmark/before.json", Some(1_795_252_318)),
        ("google-benchmark/after.json", Some(1_795_252_226)),
        ("asv/before.json", Some(1_795_253_220)),
        ("lighthouse/after.json", Some(1_795_941_555)),
        ("fio/after.json", Some(1_795_941_586)),
        ("vegeta/after.json", Some(1_767_225_601)),
        ("gungraun/before/gg/suite/codec/parse_line/summary.json", Some(1_795_252_595)),
        ("hyperfine/before.json", None),
        // A local time, without its zone.
        ("pyperf/before.json", None),
    ] {
        let location = Location::parse(&data(file)).unwrap();
        let request = Request { format: None, detail: Detail::Samples, committed: None };
        assert_eq!(input::load(&location, request).unwrap().run.measured, expected, "{file}");
    }
}
