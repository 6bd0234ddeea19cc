//! Tests of a store in a bucket, from the command line, with working and with broken connections. On real servers (see
//! `common/cloud.rs`). Tests of permissions are in `bucket_access.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

#[path = "common/cloud.rs"]
mod cloud;
mod common;
#[path = "common/wire.rs"]
mod wire;

use cloud::{Cloud, Environment, Server};
use common::{Answer, Sandbox};
use perfgate::io::store::{Key, Store, StoreError, open, read_run};
use perfgate::model::{Commit, Detail, record};
use std::path::Path;
use std::time::Duration;
use wire::{Fault, Proxy};

cloud::on_each_server! {
    a_branch_is_compared_with_runs_in_a_bucket
    a_bucket_needs_no_push_and_no_pull
    an_empty_bucket_is_a_missing_baseline
    the_requests_of_a_comparison_and_a_recording_do_not_grow_with_the_history
    the_newest_runs_of_a_large_month_take_few_requests
    eight_concurrent_writers_of_one_run_write_it_once
    a_recorder_killed_during_its_write_leaves_nothing
    requests_on_a_cut_connection_are_retried
    a_connection_that_is_always_cut_is_an_error_and_stores_nothing
    runs_are_found_despite_wrong_clocks
    a_bucket_cannot_be_pushed
}

fn suite(sandbox: &Sandbox, run: u32, slow: Option<(&str, f64)>) {
    for (index, name) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].iter().enumerate() {
        let factor = slow.filter(|(slow, _)| slow == name).map_or(1.0, |(_, factor)| factor);
        sandbox.bench("r/target/criterion", name, 1000.0 * (index + 1) as f64 * factor, run);
    }
}

fn store(url: &str) -> Box<dyn Store> {
    open(url, Path::new(".")).unwrap()
}

/// A repository with results on disk and no stored run.
fn measured() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    suite(&sandbox, 1, None);
    // Random samples compress badly, so the run has a few kilobytes and its upload can be cut off in the middle.
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{}", 10_000_000 + (state >> 45))
    };
    let times: Vec<String> = (0..4000).map(|_| next()).collect();
    let iters = vec!["1000.0"; 4000].join(",");
    let sample = format!(r#"{{"sampling_mode":"Flat","iters":[{iters}],"times":[{}]}}"#, times.join(","));
    sandbox.write("r/target/criterion/j/new/sample.json", sample);
    sandbox
}

fn record_at(sandbox: &Sandbox, environment: &Environment, url: &str) -> Answer {
    let mut command = sandbox.command::<&str>("r", &[], &["record", "--store", url]);
    cloud::stripped(&mut command).envs(environment.iter().map(|(name, value)| (name, value)));
    common::answer(command.output().unwrap())
}

fn a_branch_is_compared_with_runs_in_a_bucket(server: &Server) {
    let url = server.address();
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let recorded = format!("recorded 10 results of {}", "");
    for run in 1..=3 {
        sandbox.commit("r", &format!("change {run}"));
        suite(&sandbox, run, None);
        sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0).prints(&recorded).prints(&url);
    }
    sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0).prints("already recorded");
    assert_eq!(store(&url).list().unwrap().keys.len(), 3);

    // The config can name the store too.
    sandbox.write("r/perfgate.toml", format!("[store]\nurl = \"{url}\"\n"));
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", "work"]);
    suite(&sandbox, 9, Some(("c", 1.6)));
    sandbox.perfgate_at("r", &["compare"]).exits(1).prints("✗ regressed  c").prints("3 runs");
    sandbox.perfgate_at("r", &["compare", "main"]).exits(1).prints("✗ regressed  c");
    suite(&sandbox, 9, None);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("PASS");

    sandbox.perfgate_at("r", &["runs", "list", "--last", "2"]).exits(0).prints("… and 1 older one (");
    sandbox.perfgate_at("r", &["runs", "show", "main"]).exits(0).prints("branch    main");
    sandbox.perfgate_at("r", &["runs", "show", "work"]).exits(2).reports("has no run of work");
    sandbox.perfgate_at("r", &["history", "--format", "csv"]).exits(0).prints("j");
    sandbox.perfgate_at("r", &["replay"]).exits(0);
    sandbox.git("r", &["for-each-ref", "refs/perfgate"]).is_empty().then_some(()).expect("git has no stored runs");
}

fn a_bucket_needs_no_push_and_no_pull(server: &Server) {
    let url = server.address();
    let sandbox = measured();
    let words = "need no push and no pull";
    sandbox.perfgate_at("r", &["record", "--store", &url, "--push"]).exits(0).prints("recorded 10").reports(words);
    sandbox.perfgate_at("r", &["runs", "--store", &url, "push"]).exits(0).reports(words);
    sandbox.perfgate_at("r", &["runs", "--store", &url, "pull"]).exits(0).reports(words);
}

fn an_empty_bucket_is_a_missing_baseline(server: &Server) {
    let url = server.address();
    let sandbox = measured();
    sandbox.perfgate_at("r", &["compare", "--store", &url]).exits(2).reports("no baseline");
    sandbox.perfgate_at("r", &["compare", "--store", &url, "--allow-missing-baseline"]).exits(0);
    sandbox.perfgate_at("r", &["runs", "--store", &url, "list"]).exits(2).reports("has no run");
    sandbox.perfgate_at("r", &["history", "--store", &url]).exits(2).reports("has no run");
}

/// The number of requests of a comparison and of a recording, with one run for each commit and `others` more runs.
fn requests(server: &Server, others: i64) -> (usize, usize) {
    let (sandbox, url) = (measured(), server.address());
    let here = 1_700_000_000;
    sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0);
    let store = store(&url);
    let model = read_run(&*store, &store.list().unwrap().keys[0], Detail::Samples).unwrap();
    let place = |time: i64, commit: Commit| {
        let run = perfgate::model::Run { time, commit: Some(commit), ..model.clone() };
        let bytes = record::encode(&run).unwrap();
        (Key::new(&run, &bytes), bytes)
    };
    // An hour between commits, all in one month.
    let mut records = Vec::new();
    for hour in 0..80 {
        let time = here + 3600 * hour;
        let date = format!("@{time} +0000");
        let made = std::process::Command::new("git")
            .args(["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"])
            .current_dir(sandbox.path("r"))
            .envs([("GIT_COMMITTER_DATE", &date), ("GIT_AUTHOR_DATE", &date)])
            .status();
        assert!(made.unwrap().success());
        records.push(place(time, Commit::parse(&sandbox.git("r", &["rev-parse", "HEAD"])).unwrap()));
    }
    // Runs of two months in other years, which no query needs.
    records.extend((0..others).map(|i| place(i % 2 * 2_700_000 + i, Commit::parse(&format!("{i:040x}")).unwrap())));
    store.write(&records).unwrap();
    // The stored runs are copies of the first one, which would not count as measured.
    suite(&sandbox, 4, None);
    let proxy = Proxy::before(&server.endpoint, Fault::None, 0);
    let base = ["compare", "--store", &url];
    sandbox.perfgate_with("r", &server.through(&proxy.url), &base).exits(0);
    let compared = proxy.requests();
    suite(&sandbox, 5, None);
    record_at(&sandbox, &server.through(&proxy.url), &url).exits(0).prints("recorded");
    (compared, proxy.requests() - compared)
}

fn the_requests_of_a_comparison_and_a_recording_do_not_grow_with_the_history(server: &Server) {
    // To compare: a listing of the month and sixty runs. To record: the month and the newest run of the commits before, the months,
    // the two newest of them (the first has only one run, and four are needed), the beginnings of those four, and the write.
    assert_eq!(requests(server, 20), (61, 11));
    assert_eq!(requests(server, 1500), (61, 11));
}

fn the_newest_runs_of_a_large_month_take_few_requests(server: &Server) {
    let url = server.address();
    // More than a page of names in one month, most of them at its beginning. The content does not matter.
    let early = match server.cloud {
        Cloud::S3 => 2200,    // pages of 1,000
        Cloud::Azure => 5100, // pages of 5,000
    };
    let times: Vec<i64> = (0..early).chain((0..30).map(|i| 1_000_000 + 1000 * i)).collect();
    let all = times.len();
    let name = |time: i64| format!("1970-01/{time:012}-none-0123456789ab.pgrun");
    let objects: Vec<(String, Vec<u8>)> = times.iter().map(|time| (name(*time), vec![0])).collect();
    cloud::bucket(&url).create(&objects).into_iter().for_each(|created| assert!(created.is_ok()));
    let store = store(&url);
    assert_eq!(store.list().unwrap().keys.len(), all);
    assert_eq!(store.within(&[5..=1_000_000]).unwrap().len(), all - 5 - 29);
    for count in [1, 4, 30, 31, 500, all] {
        let newest = store.newest(count).unwrap();
        let found: Vec<i64> = newest.keys.iter().map(Key::time).collect();
        assert!(found.len() >= count && times.ends_with(&found), "{count}");
        assert_eq!(newest.more, found.len() < all, "{count}");
    }
    // The month of the commit, the months, a full page, nothing after the middle of the month, thirty runs after its first quarter,
    // the beginnings of four, and the write.
    let proxy = Proxy::before(&server.endpoint, Fault::None, 0);
    record_at(&measured(), &server.through(&proxy.url), &url).exits(0).prints("recorded");
    assert_eq!(proxy.requests(), 10, "{url}");
    if server.cloud == Cloud::Azure {
        // A server without `startFrom` returns the first page again where the search begins, and both pages of the month
        // instead of its rest. There is one more month now.
        let proxy = Proxy::before(&server.endpoint, Fault::Without("startFrom"), usize::MAX);
        let sandbox = measured();
        // Another first commit: two of the same second would be one commit, whose stored run is read as well.
        sandbox.git("r", &["update-ref", "-d", "HEAD"]);
        sandbox.commit("r", "first of another repository");
        suite(&sandbox, 2, None);
        record_at(&sandbox, &server.recorder(&proxy.url), &url).exits(0).prints("recorded");
        assert_eq!(proxy.requests(), 12, "{url}");
    }
}

fn eight_concurrent_writers_of_one_run_write_it_once(server: &Server) {
    let url = server.address();
    let sandbox = measured();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let git = open("git:refs/perfgate/baselines", &sandbox.path("r")).unwrap();
    let key = git.list().unwrap().keys.remove(0);
    let bytes = git.read(&key).unwrap();
    let added: usize = std::thread::scope(|scope| {
        let writers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| store(&url).write(&[(key.clone(), bytes.clone())]).unwrap().added)).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).sum()
    });
    assert_eq!(added, 1);
    assert_eq!(store(&url).read(&key).unwrap(), bytes);
}

fn a_recorder_killed_during_its_write_leaves_nothing(server: &Server) {
    let (sandbox, url) = (measured(), server.address());
    // The requests before the write have about 1,200 bytes, the run has about 5,000.
    let proxy = Proxy::before(&server.endpoint, Fault::Hold(4000), usize::MAX);
    let mut recorder = sandbox.command("r", &server.through(&proxy.url), &["record", "--store", &url]).spawn().unwrap();
    proxy.wait_for_fault();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(store(&url).list().unwrap(), Default::default(), "an incomplete run is visible");
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(store(&url).list().unwrap(), Default::default(), "an incomplete run remains");
    record_at(&sandbox, &server.writer(), &url).exits(0).prints("recorded 10");
    assert_complete(&url, 1);
}

/// Checks that a store has `count` runs and that all can be read.
fn assert_complete(url: &str, count: usize) {
    let store = store(url);
    let keys = store.list().unwrap().keys;
    assert_eq!(keys.len(), count);
    for key in keys {
        assert_eq!(read_run(&*store, &key, Detail::Samples).unwrap().measurements.len(), 10);
    }
}

fn requests_on_a_cut_connection_are_retried(server: &Server) {
    let sandbox = measured();
    let mut cut = 0;
    for fault in [
        Fault::CutSent(0),
        Fault::CutSent(100),
        Fault::CutSent(4000),
        Fault::CutAnswered(1),
        Fault::CutAnswered(300),
        Fault::CutAnswered(900),
    ] {
        let url = server.address();
        let proxy = Proxy::before(&server.endpoint, fault, 1);
        record_at(&sandbox, &server.through(&proxy.url), &url).exits(0);
        cut += usize::from(proxy.faulted());
        assert_complete(&url, 1);
        // Reads too.
        let proxy = Proxy::before(&server.endpoint, fault, 1);
        sandbox
            .perfgate_with("r", &server.through(&proxy.url), &["runs", "--store", &url, "list"])
            .exits(0)
            .prints("2");
        cut += usize::from(proxy.faulted());
    }
    assert!(cut >= 8, "only {cut} of 12 connections were cut: adjust the byte counts above to the sizes");
}

fn a_connection_that_is_always_cut_is_an_error_and_stores_nothing(server: &Server) {
    let (sandbox, url) = (measured(), server.address());
    let proxy = Proxy::before(&server.endpoint, Fault::CutSent(4000), usize::MAX);
    record_at(&sandbox, &server.through(&proxy.url), &url)
        .exits(2)
        .reports("cannot write")
        .reports(&url)
        .reports("all retries failed");
    assert_eq!(store(&url).list().unwrap(), Default::default());
}

fn runs_are_found_despite_wrong_clocks(server: &Server) {
    let url = server.address();
    let sandbox = measured();
    // 2024, 2033, 1971, 2026, and a second before that.
    for (run, time) in [1_710_000_000_i64, 2_000_000_000, 40_000_000, 1_780_000_000, 1_779_999_999].iter().enumerate() {
        let date = format!("@{time} +0000");
        sandbox.write("r/file", format!("{run}"));
        sandbox.git("r", &["add", "."]);
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@b", "commit", "-q", "-m", "x"]);
        command.current_dir(sandbox.path("r")).envs([("GIT_COMMITTER_DATE", &date), ("GIT_AUTHOR_DATE", &date)]);
        assert!(command.status().unwrap().success());
        suite(&sandbox, run as u32, None);
        sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0).prints("recorded");
    }
    assert_eq!(store(&url).list().unwrap().keys.len(), 5);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.git("r", &["commit", "-q", "--allow-empty", "-m", "work"]);
    suite(&sandbox, 9, None);
    let report = sandbox.perfgate_at("r", &["compare", "--store", &url, "--format", "json"]);
    assert_eq!(report.exits(0).json()["base"]["runs"], 5);
    // The base and the history are in the order of the commits, not of their times.
    let commits = sandbox.git("r", &["log", "--format=%H", "-5", "main"]);
    let base: Vec<String> =
        report.json()["base"]["commits"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
    assert_eq!(base, commits.lines().collect::<Vec<_>>());
    let history = sandbox.perfgate_at("r", &["history", "--store", &url, "--format", "csv", "a"]);
    let of_history: Vec<&str> =
        history.exits(0).stdout.lines().filter_map(|line| commits.lines().find(|c| line.contains(*c))).collect();
    assert_eq!(of_history, commits.lines().rev().collect::<Vec<_>>());
}

fn a_bucket_cannot_be_pushed(server: &Server) {
    let url = server.address();
    assert!(matches!(store(&url).push("origin"), Err(StoreError::Shared { .. })));
}
