//! What differs between operating systems: line endings, paths, the console, signals, locks of files, trees of processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::Sandbox;
use perfgate::formats::{Source, detect};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
#[cfg(windows)]
use std::process::Command;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

#[test]
fn windows_line_endings_change_no_result() {
    let mut formats = BTreeSet::new();
    for path in common::files_below(Path::new(&common::data(""))) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let (unix, name) = (text.replace("\r\n", "\n"), path.display().to_string());
        let [format] = detect(unix.as_bytes())[..] else { continue };
        let Ok(expected) = format.parse(Source { name: &name, bytes: unix.as_bytes() }) else { continue };
        let windows = unix.replace('\n', "\r\n");
        let detected: Vec<&str> = detect(windows.as_bytes()).iter().map(|format| format.name()).collect();
        assert_eq!(detected, [format.name()], "{name}");
        let reading = format.parse(Source { name: &name, bytes: windows.as_bytes() });
        let reading = reading.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(reading.measurements, expected.measurements, "{name}");
        assert_eq!(reading.diagnostics, expected.diagnostics, "{name}");
        formats.insert(format.name());
    }
    for format in
        ["ab", "benchmark-ips", "catch2", "csv", "divan", "go-bench", "h2load", "jmeter", "locust", "perf-stat"]
    {
        assert!(formats.contains(format), "no file of {format}: {formats:?}");
    }
    assert!(formats.len() >= 30, "{formats:?}");
}

#[test]
fn output_that_is_piped_is_utf_8_and_help_has_at_most_100_columns() {
    let sandbox = Sandbox::new();
    sandbox.bench("base", "parse/größe", 100.0, 1).bench("head", "parse/größe", 200.0, 2);
    sandbox.perfgate(&["compare", "base", "head"]).exits(1).prints("✗ regressed  parse/größe");
    let help = sandbox.perfgate(&["compare", "--help"]);
    let widest = help.exits(0).stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest.is_some_and(|columns| (60..=100).contains(&columns)), "{widest:?}");
}

#[test]
fn an_input_of_a_config_in_a_parent_directory_is_found() {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.path("project/crates/parser")).unwrap();
    sandbox.bench("base", "parse", 100.0, 1).bench("project/target/criterion", "parse", 200.0, 2);
    sandbox.write("project/perfgate.toml", "[[input]]\npath = \"target/criterion\"\n");
    sandbox
        .perfgate_at("project/crates/parser", &["compare", "--base", "../../../base"])
        .exits(1)
        .prints("regressed  parse");
}

/// A repository `r` with one commit, made without the git command.
fn repository(sandbox: &Sandbox) {
    sandbox.write("r/.gitignore", "/target\n");
    let repository = git2::Repository::init(sandbox.path("r")).unwrap();
    let mut index = repository.index().unwrap();
    index.add_path(Path::new(".gitignore")).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let someone = git2::Signature::now("A", "a@example.org").unwrap();
    repository.commit(Some("HEAD"), &someone, &someone, "first", &tree, &[]).unwrap();
}

/// A command line that takes a minute.
const WAIT: [&str; 4] = if cfg!(windows) { ["ping", "-n", "60", "127.0.0.1"] } else { ["sh", "-c", "sleep 60", "sh"] };

/// Starts a measurement in a repository `r` that takes a minute, and waits until its command runs.
fn start_measurement(sandbox: &Sandbox) -> Child {
    let arguments = [&["measure", "--no-base", "--scratch", "../scratch", "--"], &WAIT[..]].concat();
    fs::create_dir_all(sandbox.path("scratch")).unwrap();
    let mut command = sandbox.command::<&str>("r", &[], &arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // The directory of a run is created just before its command is started.
    let started = Instant::now();
    while !scratch_directories(sandbox).iter().any(|directory| directory.join("run-0001/start").exists()) {
        assert!(started.elapsed() < Duration::from_secs(60), "the measurement never began");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(500));
    child
}

fn scratch_directories(sandbox: &Sandbox) -> Vec<PathBuf> {
    fs::read_dir(sandbox.path("scratch")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn two_measurements_of_one_repository_at_once_are_refused_and_a_killed_one_is_cleaned_up() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let mut first = start_measurement(&sandbox);
    let arguments = ["measure", "--no-base", "--scratch", "../scratch", "--timeout", "1s", "--"];
    let again = || sandbox.perfgate_at("r", &[&arguments[..], &WAIT].concat());
    again().exits(2).reports(&format!("another perfgate (process {}) is measuring", first.id()));
    first.kill().unwrap();
    first.wait().unwrap();
    again().exits(2).reports("time limit");
    assert!(scratch_directories(&sandbox).is_empty());
}

#[cfg(windows)]
mod windows {
    use super::*;
    use perfgate::io::store;

    #[test]
    fn paths_with_backslashes_and_drive_letters_name_results() {
        let sandbox = Sandbox::new();
        for (baseline, run) in [("before", 1), ("after", 2)] {
            sandbox.baseline("target/criterion", baseline, "parse", 100.0 * f64::from(run), run);
        }
        sandbox
            .perfgate(&["compare", r"target\criterion@before", r"target\criterion@after"])
            .exits(1)
            .prints("regressed  parse");
        let path = sandbox.path(r"target\criterion").display().to_string();
        assert_eq!(&path[1..3], r":\");
        sandbox
            .perfgate(&["compare", &format!("{path}@before"), &format!("{path}@after")])
            .exits(1)
            .prints("regressed  parse");
        sandbox.perfgate(&["compare", &format!("{path}@before"), r"C:\nowhere@after"]).exits(2).reports("no such file");
        sandbox.perfgate(&["compare", r"\nowhere", r"nowhere\"]).exits(2).reports("no such file");
    }

    #[test]
    fn an_input_of_the_config_may_have_backslashes() {
        let sandbox = Sandbox::new();
        sandbox.bench("base", "parse", 100.0, 1).bench("target/criterion", "parse", 200.0, 2);
        sandbox.write("perfgate.toml", "[[input]]\r\npath = 'target\\criterion'\r\n");
        sandbox.perfgate(&["compare", "--base", "base"]).exits(1).prints("regressed  parse");
    }

    #[test]
    fn a_store_may_be_a_directory_on_a_drive() {
        let sandbox = Sandbox::new();
        repository(&sandbox);
        sandbox.five_benchmarks(1);
        let url = format!("dir:{}", sandbox.path("runs").display());
        sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0).prints("recorded 5");
        sandbox.perfgate_at("r", &["record", "--store", &url]).exits(0).prints("already recorded");
        sandbox.perfgate_at("r", &["compare", "--store", &url]).exits(0).prints("PASS");
        sandbox.perfgate_at("r", &["runs", "list", "--store", &url]).exits(0);
        assert_eq!(store::open(&url, Path::new(".")).unwrap().list().unwrap().keys.len(), 1);
        sandbox.perfgate_at("r", &["compare", "--store", r"dir:C:\nowhere"]).exits(2).reports("no baseline");
    }

    #[test]
    #[ignore = "needs tests/windows/interrupt.c, compiled: tests/windows/run"]
    fn ctrl_c_ends_the_command_and_removes_the_scratch_directory() {
        let sandbox = Sandbox::new();
        repository(&sandbox);
        fs::create_dir_all(sandbox.path("scratch")).unwrap();
        let interrupt = std::env::var("PERFGATE_TEST_INTERRUPT").expect("PERFGATE_TEST_INTERRUPT is not set");
        let mut command = Command::new(interrupt);
        command.args(["3000", env!("CARGO_BIN_EXE_perfgate"), "measure", "--no-base", "--scratch", "../scratch", "--"]);
        let started = Instant::now();
        let answer = common::answer(command.args(WAIT).current_dir(sandbox.path("r")).output().unwrap());
        answer.exits(2).reports("interrupted");
        assert!(started.elapsed() < Duration::from_secs(40));
        assert!(scratch_directories(&sandbox).is_empty());
    }
}
