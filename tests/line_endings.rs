//! Every text format reads a file with Windows line endings as it reads the same file without them.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use perfgate::formats::{Source, detect};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn windows_line_endings_change_no_result() {
    let mut paths = Vec::new();
    files(Path::new(&common::data("")), &mut paths);
    let mut formats = BTreeSet::new();
    for path in paths {
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
