//! Tests of suites in several parts: the shards of a commit are compared as one run, a benchmark in two shards has two runs,
//! and results of two machines are never pooled.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use perfgate::io::store::{self, Key};
use perfgate::model::{Commit, Environment, Evidence, Measurement, Metric, Run, record};

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Writes results of some benchmarks to a tree.
fn part(sandbox: &Sandbox, tree: &str, names: &[&str], run: u32, slow: Option<&str>) {
    for name in names {
        let factor = if slow == Some(name) { 2.0 } else { 1.0 };
        sandbox.bench(&format!("r/{tree}"), name, 1000.0 * factor, run);
    }
}

#[test]
fn the_shards_of_a_commit_are_judged_as_one_run() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 1..=4 {
        sandbox.commit("r", &format!("change {run}"));
        part(&sandbox, "target/one", &NAMES[..3], run, None);
        part(&sandbox, "target/two", &NAMES[3..], run, None);
        sandbox.perfgate_at("r", &["record", "target/one", "--shard", "one"]).exits(0).prints("recorded 3 results");
        sandbox.perfgate_at("r", &["record", "target/two", "--shard", "two"]).exits(0).prints("recorded 3 results");
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    part(&sandbox, "target/criterion", &NAMES, 9, Some("e"));
    let report = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    report.exits(1);
    let json = report.json();
    assert_eq!(json["base"]["runs"], 4, "a run for each commit, not for each shard");
    for finding in json["benchmarks"].as_array().unwrap() {
        assert_eq!((&finding["base"]["runs"], finding["outcome"] == "regressed"), (&4.into(), finding["name"] == "e"));
    }
    assert_eq!(
        json["environment"]["differences"],
        serde_json::json!([]),
        "a shard's name is not a fact about the machine"
    );
    // A stored head of two shards and a base of stored runs: one run and four.
    for (shard, names) in [("one", &NAMES[..3]), ("two", &NAMES[3..])] {
        part(&sandbox, &format!("target/work-{shard}"), names, 9, Some("e"));
        let tree = format!("target/work-{shard}");
        sandbox.perfgate_at("r", &["record", &tree, "--shard", shard]).exits(0);
    }
    let json = sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--format", "json"]).json();
    assert_eq!((&json["head"]["runs"], &json["base"]["runs"]), (&1.into(), &4.into()));
    assert_eq!(json["counts"]["added"].as_i64().unwrap() + json["counts"]["removed"].as_i64().unwrap(), 0);
}

#[test]
fn a_job_of_one_shard_is_compared_with_that_shard() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let at = |shard: &str, args: &[&str]| sandbox.perfgate_with("r", &[("PERFGATE_SHARD", shard)], args);
    for run in 1..=4 {
        sandbox.commit("r", &format!("change {run}"));
        for (shard, names) in [("one", &NAMES[..3]), ("two", &NAMES[3..])] {
            part(&sandbox, &format!("target/{shard}"), names, run, None);
            at(shard, &["record", &format!("target/{shard}")]).exits(0).prints("recorded 3 results");
        }
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    part(&sandbox, "target/criterion", &NAMES[3..], 9, Some("e"));
    let json = at("two", &["compare", "--format", "json"]).exits(1).json();
    assert_eq!((&json["counts"]["removed"], &json["counts"]["regressed"]), (&0.into(), &1.into()));
    assert_eq!(json["base"]["runs"], 4);
    // Without --shard the whole suite is expected.
    let json = sandbox.perfgate_at("r", &["compare", "--format", "json"]).exits(1).json();
    assert_eq!(json["counts"]["removed"], 3);
}

#[test]
fn a_benchmark_in_two_shards_has_two_runs() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for (shard, run) in [("one", 1), ("two", 2)] {
        part(&sandbox, &format!("target/{shard}"), &NAMES[..2], run, None);
        sandbox.perfgate_at("r", &["record", &format!("target/{shard}"), "--shard", shard]).exits(0);
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    part(&sandbox, "target/criterion", &NAMES[..2], 9, None);
    let json = sandbox.perfgate_at("r", &["compare", "--format", "json"]).json();
    assert_eq!((&json["base"]["runs"], &json["benchmarks"][0]["base"]["runs"]), (&2.into(), &2.into()));
}

/// A stored run of a commit on a synthetic machine.
fn stored(commit: &str, time: i64, cpu: &str, shard: &str, values: &[(&str, f64)], number: u32) -> (Key, Vec<u8>) {
    let mut environment = Environment::default();
    for (key, value) in [(Environment::CPU, cpu), (Environment::CORES, "4"), (Environment::SHARD, shard)] {
        environment.set(key, value);
    }
    let wobble = |i: u32| f64::from((i * 7919 + number * 104_729) % 997) / 997.0;
    let samples = |ns: f64| Evidence::Samples((0..60).map(|i| ns * (1.0 + 0.01 * wobble(i))).collect());
    let measured = |(name, ns): &(&str, f64)| Measurement::new("criterion", *name, Metric::time(), samples(*ns));
    let measurements = values.iter().map(measured).collect();
    let run = Run { commit: Commit::parse(commit), time, environment, measurements, ..Run::default() };
    let bytes = record::encode(&run).unwrap();
    (Key::new(&run, &bytes), bytes)
}

/// Four commits on main and one on a branch, each measured on two machines. On the second one, `b` is slower.
fn matrix() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let mut records = Vec::new();
    let mut record = |number: u32, factor: f64| {
        let commit = sandbox.git("r", &["rev-parse", "HEAD"]);
        let time: i64 = sandbox.git("r", &["show", "-s", "--format=%ct"]).parse().unwrap();
        let slow = [("a", 3000.0), ("b", 6000.0 * factor), ("only", 50.0)];
        records.push(stored(&commit, time, "fast", "linux", &[("a", 1000.0), ("b", 2000.0)], number));
        records.push(stored(&commit, time, "slow", "arm", &slow, number + 50));
    };
    for number in 0..4 {
        sandbox.commit("r", &format!("change {number}"));
        record(number, 1.0);
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    record(9, 2.0);
    store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap().write(&records).unwrap();
    sandbox
}

#[test]
fn results_of_two_machines_are_judged_separately() {
    let sandbox = matrix();
    for base in [vec![], vec!["--base", "main"]] {
        let args = [&["compare", "--head", "HEAD", "--format", "json"][..], &base].concat();
        let report = sandbox.perfgate_at("r", &args);
        report.exits(1);
        for (name, outcome) in [
            ("a [fast, 4 cores]", "unchanged"),
            ("a [slow, 4 cores]", "unchanged"),
            ("b [fast, 4 cores]", "unchanged"),
            ("b [slow, 4 cores]", "regressed"),
            ("only", "unchanged"),
        ] {
            // With one run a side, only a large change is significant.
            let outcome =
                if base.is_empty() || outcome == "regressed" { outcome.to_owned() } else { report.outcome(name) };
            assert_eq!(report.outcome(name), outcome, "{name}");
        }
        let json = report.json();
        assert_eq!(json["benchmarks"].as_array().unwrap().len(), 5);
        assert_eq!(json["environment"]["match"], true);
        let codes: Vec<&str> =
            json["diagnostics"].as_array().unwrap().iter().filter_map(|one| one["code"].as_str()).collect();
        assert!(codes.contains(&"several-machines"), "{codes:?}");
    }
}

#[test]
fn runs_of_machines_that_the_other_side_lacks_are_left_out() {
    let sandbox = matrix();
    let commit = sandbox.git("r", &["rev-parse", "HEAD"]);
    let store = store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap();
    let arm: Vec<Key> = store.list().unwrap().keys;
    let arm: Vec<Key> = arm
        .into_iter()
        .filter(|key| key.commit().unwrap().as_str() == commit)
        .filter(|key| {
            let run = store::read_run(&*store, key, perfgate::model::Detail::Digests).unwrap();
            run.environment.get(Environment::SHARD) == Some("arm")
        })
        .collect();
    store.remove(&arm).unwrap();
    let report = sandbox.perfgate_at("r", &["compare", "--base", "main", "--head", "HEAD", "--format", "json"]);
    let json = report.json();
    assert_eq!(json["benchmarks"].as_array().unwrap().len(), 2, "{}", json["benchmarks"]);
    // The base values of the fast machine are 1000; the 3000 of the slow machine do not count.
    let a = &json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "a").unwrap()["base"];
    assert!((a["value"].as_f64().unwrap() / 1005.0 - 1.0).abs() < 0.01, "{a}");
    assert!(report.stdout.contains("other-machines"));
}

#[test]
fn two_machines_are_two_series() {
    let sandbox = matrix();
    let report = sandbox.perfgate_at("r", &["history", "a", "--format", "json"]);
    let json = report.json();
    let series = json["series"].as_array().unwrap();
    assert_eq!(series.len(), 2);
    assert!(series.iter().all(|series| series["points"].as_array().unwrap().len() == 5), "{json}");
}

#[test]
fn a_shards_name_is_shown_without_escapes_and_cannot_be_empty() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    part(&sandbox, "target/criterion", &NAMES[..1], 1, None);
    sandbox.perfgate_at("r", &["record", "--shard", "../\u{1b}[31m$(x)"]).exits(0);
    let shown = sandbox.perfgate_at("r", &["runs", "show", "HEAD"]);
    shown.exits(0).prints("shard").does_not_print("\u{1b}");
    sandbox.perfgate_at("r", &["record", "--shard", ""]).exits(2);
}
