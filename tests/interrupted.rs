//! Tests of recorders that are killed or run out of disk space, in a directory and in git: no partial run is visible, old
//! runs stay, and the next recorder succeeds. For buckets see `bucket.rs`.
#![cfg(unix)] // signals, and limits of the shell
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;

use common::Sandbox;
use perfgate::io::store::{open, read_run};
use perfgate::model::Detail;
use std::process::{Command, Stdio};
use std::time::Duration;

const STORES: [&str; 2] = ["git:refs/perfgate/baselines", "dir:../runs"];

/// Writes results that compress badly, so that a run has some 60 kilobytes.
fn measure(sandbox: &Sandbox, run: u64) {
    let mut state = run + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{}", 10_000_000 + (state >> 45))
    };
    for name in ["a", "b", "c", "d"] {
        let times: Vec<String> = (0..12_000).map(|_| next()).collect();
        let iters = vec!["1000.0"; 12_000].join(",");
        let sample = format!(r#"{{"sampling_mode":"Flat","iters":[{iters}],"times":[{}]}}"#, times.join(","));
        let at = format!("r/target/criterion/{name}/new");
        let identity = format!(r#"{{"group_id":"{name}","full_id":"{name}","throughput":null}}"#);
        sandbox.write(&format!("{at}/benchmark.json"), identity).write(&format!("{at}/sample.json"), sample);
    }
}

/// Checks that all listed runs are complete; returns their number.
fn whole(sandbox: &Sandbox, url: &str) -> usize {
    let store = open(url, &sandbox.path("r")).unwrap();
    let listing = store.list().unwrap();
    assert_eq!(listing.foreign, [""; 0]);
    for key in &listing.keys {
        assert_eq!(read_run(&*store, key, Detail::Samples).unwrap().measurements.len(), 4, "{key}");
    }
    if url.starts_with("git:") {
        sandbox.git("r", &["fsck", "--strict", "--no-dangling"]);
    }
    listing.keys.len()
}

#[test]
fn a_recorder_killed_at_any_moment_leaves_whole_runs_or_none() {
    for url in STORES {
        let sandbox = Sandbox::new();
        sandbox.repository("r");
        measure(&sandbox, 0);
        sandbox.perfgate_at("r", &["record", "--store", url]).exits(0);
        let mut kept = 1;
        for attempt in 1..=25 {
            measure(&sandbox, attempt);
            let mut recorder = sandbox
                .command::<&str>("r", &[], &["record", "--store", url])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            // Kills at times from the start of the process to after its end.
            std::thread::sleep(Duration::from_millis(12 * attempt));
            let _ = recorder.kill();
            recorder.wait().unwrap();
            let now = whole(&sandbox, url);
            assert!(now == kept || now == kept + 1, "{url}: {kept} runs became {now}");
            kept = now;
            // A writer that dies with git's lock leaves it behind; git's own message names the file to remove.
            let lock = sandbox.path("r/.git/refs/perfgate/baselines.lock");
            if lock.exists() {
                std::fs::remove_file(lock).unwrap();
            }
        }
        measure(&sandbox, 99);
        sandbox.perfgate_at("r", &["record", "--store", url]).exits(0).prints("recorded 4");
        assert_eq!(whole(&sandbox, url), kept + 1, "{url}");
    }
}

#[test]
fn a_full_disk_is_an_error_and_keeps_the_old_runs() {
    for url in STORES {
        let sandbox = Sandbox::new();
        sandbox.repository("r");
        measure(&sandbox, 0);
        sandbox.perfgate_at("r", &["record", "--store", url]).exits(0);
        measure(&sandbox, 1);
        // Limits the size of files to 8 blocks of 512 or 1,024 bytes. The signal is ignored, so that writes fail like on
        // a full disk.
        let limited = "trap '' XFSZ 2>/dev/null || trap '' 25; ulimit -f 8; exec \"$0\" record --store \"$1\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", limited, env!("CARGO_BIN_EXE_perfgate"), url]).current_dir(sandbox.path("r"));
        let answer = common::answer(shell.env("HOME", sandbox.path("")).output().unwrap());
        answer.exits(2).reports("cannot write");
        assert_eq!(whole(&sandbox, url), 1, "{url}");
        sandbox.perfgate_at("r", &["record", "--store", url]).exits(0).prints("recorded 4");
        assert_eq!(whole(&sandbox, url), 2, "{url}");
        if url.starts_with("dir:") {
            let mut find = Command::new("find");
            let left = find.args(["../runs", "-name", ".unfinished*"]).current_dir(sandbox.path("r")).output().unwrap();
            assert!(left.stdout.is_empty(), "{}", String::from_utf8_lossy(&left.stdout));
        }
    }
}
