//! A build without a feature has the same command line. Commands that need the feature fail with exit code 2 and name
//! it. `.ci/run` runs these tests with `--no-default-features`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed
#![cfg(not(all(feature = "buckets", feature = "github", feature = "parquet", feature = "plots")))]

mod common;

use common::Sandbox;

const SIDES: [&str; 3] = ["compare", "before", "after"];

/// Two trees of results, a saved comparison of them, and a run in the store `dir:runs`.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.bench("r/before", "parse", 100.0, 1).bench("r/after", "parse", 200.0, 2).repository("r").commit("r", "one");
    sandbox.perfgate_at("r", &[&SIDES[..], &["--save", "comparison.json"]].concat());
    sandbox.perfgate_at("r", &["record", "after", "--store", "dir:runs"]).exits(0);
    sandbox
}

#[cfg(not(feature = "buckets"))]
#[test]
fn a_bucket_names_the_feature_buckets() {
    let sandbox = sandbox();
    for url in ["s3://perf-runs/parser", "gs://perf-runs/parser", "az://perf-runs/parser"] {
        let expected = format!("{url}: this perfgate was built without buckets; build it with --features buckets");
        for args in [
            &["compare", "HEAD", "after", "--store", url][..],
            &["record", "after", "--store", url],
            &["history", "--store", url],
            &["runs", "list", "--store", url],
            &["runs", "export", url, "--store", "dir:runs"],
        ] {
            sandbox.perfgate_at("r", args).exits(2).reports(&expected);
        }
    }
    sandbox.perfgate_at("r", &["history", "--store", "s3://x"]).exits(2).reports("a bucket's name");
}

#[cfg(not(feature = "github"))]
#[test]
fn publish_and_ci_name_the_feature_github() {
    let sandbox = sandbox();
    let expected = "this perfgate was built without github; build it with --features github";
    let publish = ["publish", "comparison.json", "--repository", "octo/r", "--pull", "7"];
    sandbox.perfgate_at("r", &publish).exits(2).reports(expected);
    sandbox.perfgate_at("r", &[&publish[..], &["--dry-run"]].concat()).prints("parse");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn an_export_to_parquet_names_the_feature_parquet() {
    let expected = "this perfgate was built without parquet; build it with --features parquet";
    let args = ["runs", "export", "--store", "dir:runs", "--parquet", "lake"];
    sandbox().perfgate_at("r", &args).exits(2).reports(expected);
}

#[cfg(not(feature = "plots"))]
#[test]
fn pictures_name_the_feature_plots() {
    let sandbox = sandbox();
    let expected = "this perfgate was built without plots; build it with --features plots";
    let plots = ["--plots", "pictures"];
    sandbox.perfgate_at("r", &[&SIDES[..], &plots].concat()).exits(2).reports(expected);
    sandbox.perfgate_at("r", &[&["render", "comparison.json"][..], &plots].concat()).exits(2).reports(expected);
    sandbox.perfgate_at("r", &[&["history", "--store", "dir:runs"][..], &plots].concat()).exits(2).reports(expected);
    assert!(!sandbox.path("r/pictures").exists());
}
