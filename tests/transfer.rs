//! Tests of import and export between stores: all runs are copied and verified, an interrupted transfer can be resumed, and
//! damaged runs are left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use perfgate::io::store::{self, Key, Store};
use perfgate::model::{Commit, Evidence, Measurement, Metric, Run, record};
use std::collections::BTreeMap;
use std::time::Duration;

fn stored(number: i64, value: f64) -> (Key, Vec<u8>) {
    let samples = Evidence::Samples((0..50).map(|i| value + f64::from(i)).collect());
    let measurements = vec![Measurement::new("criterion", "a", Metric::time(), samples)];
    let commit = Commit::parse(&format!("{number:040x}"));
    let run = Run { commit, time: 1_767_225_600 + number, measurements, ..Run::default() };
    let bytes = record::encode(&run).unwrap();
    (Key::new(&run, &bytes), bytes)
}

fn records(count: i64) -> Vec<(Key, Vec<u8>)> {
    (0..count).map(|number| stored(number, 100.0)).collect()
}

/// A repository with runs in its default store.
fn sandbox(records: &[(Key, Vec<u8>)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    if !records.is_empty() {
        open(&sandbox, store::DEFAULT_URL).write(records).unwrap();
    }
    sandbox
}

fn open(sandbox: &Sandbox, url: &str) -> Box<dyn Store> {
    store::open(url, &sandbox.path("r")).unwrap()
}

fn content(store: &dyn Store) -> BTreeMap<String, Vec<u8>> {
    store.list().unwrap().keys.iter().map(|key| (key.to_string(), store.read(key).unwrap())).collect()
}

#[test]
fn runs_are_copied_byte_for_byte_and_only_once() {
    let mut records = records(300);
    let (key, whole) = stored(1000, 5.0);
    let thin = perfgate::history::thin(&whole).unwrap().unwrap();
    records.push((key.thinned(&thin), thin));
    let sandbox = sandbox(&records);
    let all = content(&*open(&sandbox, store::DEFAULT_URL));
    assert_eq!(all.len(), 301);
    let line = "exported 301 of 301 runs from git:refs/perfgate/baselines to dir:";
    sandbox
        .perfgate_at("r", &["runs", "export", "dir:copy"])
        .exits(0)
        .prints(line)
        .prints("301 verified by their hash");
    assert_eq!(content(&*open(&sandbox, "dir:copy")), all);
    sandbox
        .perfgate_at("r", &["runs", "export", "copy"])
        .exits(0)
        .prints("exported 0 of 301")
        .prints("301 already there");

    let other = ["runs", "import", "copy", "--store", "git:refs/perfgate/other"];
    sandbox.perfgate_at("r", &other).exits(0).prints("imported 301 of 301").prints("301 verified");
    assert_eq!(content(&*open(&sandbox, "git:refs/perfgate/other")), all);
    // A clone by its path; a missing directory is created.
    sandbox.repository("second");
    sandbox
        .perfgate_at("second", &["runs", "import", "../r"])
        .exits(0)
        .prints("imported 301 of 301 runs from ../r to git:");
    sandbox.perfgate_at("second", &["runs", "export", "new/place"]).exits(0).prints("exported 301 of 301");
}

#[test]
fn a_thinned_run_and_its_whole_form_are_the_same_run() {
    let (key, whole) = stored(1, 5.0);
    let thin = perfgate::history::thin(&whole).unwrap().unwrap();
    let sandbox = sandbox(&[(key.clone(), whole.clone())]);
    open(&sandbox, "dir:thin").write(&[(key.thinned(&thin), thin)]).unwrap();
    sandbox.perfgate_at("r", &["runs", "import", "thin"]).exits(0).prints("imported 0 of 1").prints("1 already there");
    assert_eq!(open(&sandbox, store::DEFAULT_URL).read(&key).unwrap(), whole);
    sandbox.perfgate_at("r", &["runs", "export", "thin"]).exits(0).prints("exported 0 of 1");
}

#[test]
fn damaged_runs_of_both_stores_are_reported_and_left_out() {
    let records = records(20);
    let sandbox = sandbox(&[]);
    open(&sandbox, "dir:from").write(&records).unwrap();
    let at = |store: &str, number: usize| sandbox.path("r").join(store).join(records[number].0.to_string());
    std::fs::write(at("from", 3), b"pgrun\nxx").unwrap();
    // The bytes of another run, under a name with the right hash and the wrong commit.
    let (other, bytes) = stored(77, 7.0);
    let name = other.to_string().replace(&format!("{:040x}", 77), &format!("{:040x}", 78));
    std::fs::write(sandbox.path("r/from").join(&name), &bytes).unwrap();
    sandbox
        .perfgate_at("r", &["runs", "import", "from"])
        .exits(2)
        .reports("damaged")
        .reports("another commit")
        .prints("imported 19 of 21")
        .prints("19 verified");
    // Damage in the target is found by verifying.
    sandbox.perfgate_at("r", &["runs", "export", "to"]).exits(0);
    std::fs::write(at("to", 5), b"").unwrap();
    sandbox.perfgate_at("r", &["runs", "export", "to"]).exits(2).reports("damaged").prints("18 verified");
}

#[test]
fn missing_and_empty_sources_are_refused() {
    let sandbox = sandbox(&records(1));
    sandbox.perfgate_at("r", &["runs", "import", "nowhere"]).exits(2).reports("no such directory");
    sandbox.perfgate_at("r", &["runs", "import", "dir:nowhere"]).exits(2).reports("no such directory");
    sandbox.write("r/empty/.keep", "");
    sandbox.perfgate_at("r", &["runs", "import", "empty"]).exits(2).reports("no results of a known format");
    sandbox.perfgate_at("r", &["runs", "import", "git:refs/heads/main"]).exits(2).reports("branches");
    sandbox.perfgate_at("r", &["runs", "export", "file"]).exits(2);
}

#[test]
fn a_killed_transfer_can_be_resumed() {
    let records = records(300);
    for target in ["dir:copy", "git:refs/perfgate/copy"] {
        let sandbox = sandbox(&records);
        let (mut killed, mut delay) = (0, 5);
        loop {
            let done = sandbox.killed("r", &["runs", "export", target], Duration::from_millis(delay));
            // The copied runs are complete.
            content(&*open(&sandbox, target));
            if done {
                break;
            }
            killed += 1;
            delay = delay * 3 / 2;
            let _ = std::fs::remove_file(sandbox.path("r/.git/refs/perfgate/copy.lock"));
        }
        assert!(killed > 0);
        assert_eq!(content(&*open(&sandbox, target)), content(&*open(&sandbox, store::DEFAULT_URL)), "{target}");
    }
}
