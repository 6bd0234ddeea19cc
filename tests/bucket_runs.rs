//! Tests of pruning, import and export with a bucket, on real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

#[path = "common/cloud.rs"]
mod cloud;
mod common;

use cloud::Server;
use common::Sandbox;
use perfgate::io::store::{self, Key, Store, read_run};
use perfgate::model::{Commit, Detail, Evidence, Measurement, Metric, Run, record};
use std::path::Path;

cloud::on_each_server! {
    a_bucket_is_pruned_and_a_run_in_both_forms_counts_once
    runs_are_exported_to_a_bucket_and_imported_again
    #[cfg(feature = "parquet")]
    parquet_files_are_exported_to_a_bucket_once
}

fn stored(number: i64) -> (Key, Vec<u8>) {
    let sample = |i: i64| 1000.0 + ((i * 7919 + number * 104_729) % 1000) as f64 / 50.0;
    let samples = Evidence::Samples((0..200).map(sample).collect());
    let measurements = vec![Measurement::new("criterion", "a", Metric::time(), samples)];
    let commit = Commit::parse(&format!("{number:040x}"));
    // Ten days apart, so three in most months.
    let run = Run {
        commit,
        time: 1_767_225_600 + 864_000 * number,
        branch: Some("main".into()),
        measurements,
        ..Run::default()
    };
    let bytes = record::encode(&run).unwrap();
    (Key::new(&run, &bytes), bytes)
}

/// The name and the bytes of a run.
type Stored = (Key, Vec<u8>);

/// A bucket on a server with this many runs.
fn filled(server: &Server, count: i64) -> (Sandbox, String, Vec<Stored>) {
    let url = server.address();
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let records: Vec<_> = (0..count).map(stored).collect();
    open(&url).write(&records).unwrap();
    (sandbox, url, records)
}

fn open(url: &str) -> Box<dyn Store> {
    store::open(url, Path::new(".")).unwrap()
}

fn a_bucket_is_pruned_and_a_run_in_both_forms_counts_once(server: &Server) {
    let (sandbox, url, records) = filled(server, 30);
    let store = open(&url);
    // As after a prune that was interrupted when it had stored the thinned run.
    let thin = perfgate::history::thin(&records[10].1).unwrap().unwrap();
    store.write(&[(records[10].0.thinned(&thin), thin)]).unwrap();
    let listed = store.list().unwrap();
    assert_eq!((listed.keys.len(), listed.duplicates.len(), store.newest(1000).unwrap().keys.len()), (30, 1, 30));
    assert_eq!(store.within(&[records[0].0.time()..=records[29].0.time()]).unwrap(), listed.keys);

    let prune = ["runs", "prune", "--keep", "12", "--thin", "10", "--store", &url];
    sandbox.perfgate_at("r", &prune).exits(0).prints("    10 thinned").prints("     8 removed");
    let keys = store.list().unwrap().keys;
    assert_eq!((keys.len(), keys.iter().filter(|key| key.is_thinned()).count()), (22, 10));
    assert_eq!(store.list().unwrap().duplicates.len(), 0);
    for (key, (whole, bytes)) in keys.iter().zip(&records[8..]) {
        assert_eq!(key.identity(), whole.identity());
        let digests = read_run(&*store, key, Detail::Digests).unwrap();
        assert_eq!(digests, record::decode(bytes, Detail::Digests).unwrap());
    }
    sandbox.perfgate_at("r", &[&prune[..], &["--push"]].concat()).exits(0).prints("     0 removed");
}

fn runs_are_exported_to_a_bucket_and_imported_again(server: &Server) {
    let (sandbox, url, records) = filled(server, 30);
    sandbox.perfgate_at("r", &["runs", "import", &url]).exits(0).prints("imported 30 of 30").prints("30 verified");
    let there = format!("{url}-copy");
    sandbox.perfgate_at("r", &["runs", "export", &there]).exits(0).prints("exported 30 of 30").prints("30 verified");
    sandbox
        .perfgate_at("r", &["runs", "export", &there])
        .exits(0)
        .prints("exported 0 of 30")
        .prints("30 already there");
    let copy = open(&there);
    for (key, bytes) in &records {
        assert_eq!(&copy.read(key).unwrap(), bytes);
    }
}

#[cfg(feature = "parquet")]
fn parquet_files_are_exported_to_a_bucket_once(server: &Server) {
    let (sandbox, url, records) = filled(server, 8);
    let lake = format!("{url}-lake/runs");
    let export = |more: &[&str]| {
        let args = ["runs", "export", "--store", &url, "--repository", "acme/parser", "--parquet"];
        sandbox.perfgate_at("r", &[&args[..], more].concat())
    };
    export(&[&lake]).exits(0).prints("exported 8 of 8");
    export(&[&lake]).exits(0).prints("exported 0 of 8").prints("8 already there");
    export(&["../lake"]).exits(0).prints("exported 8 of 8");
    // The same names and bytes as in a directory.
    let bucket = cloud::bucket(&lake);
    for (key, _) in &records {
        let name = format!("repository=acme%2Fparser/month={}/{}.parquet", key.month(), key.id());
        let there = bucket.read(std::slice::from_ref(&name), None).pop().unwrap().unwrap();
        assert_eq!(
            there.as_deref(),
            Some(std::fs::read(sandbox.path("lake").join(&name)).unwrap().as_slice()),
            "{name}"
        );
    }
    let names = bucket.page("", None, None).unwrap().names;
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(names.iter().all(|name| name.starts_with("repository=acme%2Fparser/month=2026-")), "{names:?}");
}
