//! Runs `perfgate compare` on each suite in tests/data that was measured before and after known changes. To add a case, add
//! a folder with `before*`, `after*` and an about.json that describes the changes.
//!
//! about.json contains `benchmarks` (all names in both files), `metric` (the metric of `slower` and `faster`, unless their
//! entries are `{name, metric}`), `units` by metric, `slower`, `faster`, `removed`, `added`, and `noise` (changes due to load
//! on the machine). `files` overrides these for single pairs, by the name of the `before` file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

mod common;

use common::{Answer, OTHER_FILES, Sandbox, data, files_below};
use perfgate::formats::{FORMATS, detect};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Every known change is larger than this; smaller ones may be noise.
const CHANGED: f64 = 0.15;

/// Results before and after known changes.
struct Case {
    tool: String,
    before: PathBuf,
    after: PathBuf,
    about: Map<String, Value>,
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<_> = fs::read_dir(data("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for folder in folders() {
        let Ok(about) = fs::read(folder.join("about.json")) else { continue };
        let about: Map<String, Value> = serde_json::from_slice(&about).unwrap();
        if !about.contains_key("slower") {
            continue;
        }
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for before in files {
            let after = folder.join(name(&before).replace("before", "after"));
            // Files without measurements have `null` in `files`.
            let own = about.get("files").and_then(|files| files.get(name(&before)));
            if after == before || !after.exists() || own == Some(&Value::Null) {
                continue;
            }
            let mut about = about.clone();
            if let Some(Value::Object(own)) = own {
                about.extend(own.clone());
            }
            cases.push(Case { tool: name(&folder), before, after, about });
        }
    }
    cases
}

impl Case {
    fn texts(&self, key: &str) -> BTreeSet<String> {
        let list = self.about.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().map(|item| item["name"].as_str().or(item.as_str()).unwrap().to_owned()).collect()
    }

    /// Names and metrics of benchmarks that were made slower or faster.
    fn changes(&self, key: &str) -> Vec<(String, String)> {
        let list = self.about[key].as_array().unwrap();
        let main = self.about["metric"].as_str().unwrap();
        let of = |item: &Value| match item {
            Value::String(name) => (name.clone(), main.to_owned()),
            item => (item["name"].as_str().unwrap().to_owned(), item["metric"].as_str().unwrap().to_owned()),
        };
        list.iter().map(of).collect()
    }

    fn compare(&self) -> Answer {
        let [before, after] = [&self.before, &self.after].map(|path| path.display().to_string());
        Sandbox::new().perfgate(&["compare", &before, &after, "--format", "json", "--all"])
    }

    fn check(&self) {
        let place = self.before.display();
        let answer = self.compare();
        assert!(answer.code < 2, "{place}: {}", answer.stderr);
        let report = answer.json();
        let rows: Vec<&Value> = report["benchmarks"].as_array().unwrap().iter().collect();
        let names = |outcome: Option<&str>| -> BTreeSet<String> {
            let rows = rows.iter().filter(|row| outcome.is_none_or(|outcome| row["outcome"] == outcome));
            rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
        };
        // A benchmark that failed on both sides has no values, so `benchmarks` does not list it.
        assert_eq!(names(None), &self.texts("benchmarks") | &self.texts("failed"), "{place}: names");
        assert_eq!(names(Some("failed")), self.texts("failed"), "{place}: failed");
        assert_eq!(names(Some("removed")), self.texts("removed"), "{place}: removed");
        assert_eq!(names(Some("added")), self.texts("added"), "{place}: added");

        let units: BTreeMap<&str, &Value> =
            rows.iter().map(|row| (row["metric"].as_str().unwrap(), &row["unit"])).collect();
        let known = self.about["units"].as_object().unwrap();
        assert_eq!(units, known.iter().map(|(k, v)| (k.as_str(), v)).collect(), "{place}: units by metric");

        for (key, worse) in [("slower", true), ("faster", false)] {
            for (name, metric) in self.changes(key) {
                let row = rows.iter().find(|row| row["name"] == name.as_str() && row["metric"] == metric.as_str());
                let row = row.unwrap_or_else(|| panic!("{place}: no {metric} of {name}"));
                // A change from zero has no ratio, so the outcome counts.
                let change = row["change"].as_f64().unwrap_or(if row["outcome"] == "regressed" { 9.0 } else { -0.9 });
                let change = if row["direction"] == "higher" { 1.0 / (1.0 + change) - 1.0 } else { change };
                let (as_expected, wrong) =
                    if worse { (change > CHANGED, "improved") } else { (change < -CHANGED, "regressed") };
                assert!(as_expected, "{place}: {metric} of {name} is {key}, not {change:+.2}");
                assert_ne!(row["outcome"], wrong, "{place}: {metric} of {name}");
            }
        }
        let explained: BTreeSet<String> = &self.texts("slower") | &self.texts("noise");
        let unexplained: Vec<_> = names(Some("regressed")).difference(&explained).cloned().collect();
        assert!(unexplained.is_empty(), "{place}: {unexplained:?} did not change");
    }
}

#[test]
fn known_changes_of_each_suite_are_found_and_nothing_else_regresses() {
    let cases = cases();
    cases.iter().for_each(Case::check);
    let tools: BTreeSet<&str> = cases.iter().map(|case| case.tool.as_str()).collect();
    let formats: BTreeSet<&str> = FORMATS.iter().map(|format| format.name()).collect();
    assert_eq!(tools, formats, "every format has a suite");
}

#[test]
fn each_result_file_is_detected_as_exactly_one_format() {
    let formats: BTreeSet<&str> = FORMATS.iter().map(|format| format.name()).collect();
    for folder in folders() {
        let tool = name(&folder);
        for file in files_below(&folder) {
            let detected: Vec<_> = detect(&fs::read(&file).unwrap()).iter().map(|format| format.name()).collect();
            if file.extension().is_some_and(|end| end == "pstats") {
                // `explain` reads a profile of cProfile too.
                assert_eq!(detected, ["cprofile"], "{}", file.display());
            } else if !formats.contains(&*tool) || OTHER_FILES.contains(&&*name(&file)) {
                assert!(
                    detected.is_empty(),
                    "{} is not a result file, but was detected as {detected:?}",
                    file.display()
                );
            } else {
                assert_eq!(detected, [&*tool], "{}", file.display());
            }
        }
    }
}

#[test]
fn comparing_results_of_two_formats_is_an_error() {
    let [hyperfine, jmh] = ["hyperfine/before.json", "jmh/after.json"].map(data);
    let answer = Sandbox::new().perfgate(&["compare", &hyperfine, &jmh]);
    answer.exits(2).reports("results of different tools: hyperfine (").reports(" and jmh (").reports("one format");
}

#[test]
fn equal_names_from_two_tools_stay_two_benchmarks() {
    let sandbox = Sandbox::new();
    for (directory, suffix) in [("old", "before"), ("new", "after")] {
        let read = |path: String| fs::read(data(&path)).unwrap();
        sandbox.write(&format!("{directory}/gab.json"), read(format!("github-action-benchmark/{suffix}.json")));
        sandbox.write(&format!("{directory}/csv/a.csv"), read(format!("csv/{suffix}.csv")));
    }
    let report = sandbox.perfgate(&["compare", "old", "new", "--format", "json", "--all"]).json();
    let parse = report["benchmarks"].as_array().unwrap().iter().filter(|row| row["name"] == "parse");
    assert_eq!(parse.count(), 2, "one of each tool");
}

#[test]
fn a_tools_other_files_are_not_an_error_next_to_its_results() {
    let sandbox = Sandbox::new();
    for side in ["before", "after"] {
        for file in ["stats", "failures", "exceptions", "stats_history"] {
            let name = format!("{side}_{file}.csv");
            sandbox.write(&format!("{side}/{name}"), fs::read(data(&format!("locust/{name}"))).unwrap());
        }
    }
    sandbox.perfgate(&["compare", "before", "after"]).exits(0);
    // Without the results nothing was measured.
    let [before, after] = ["locust/before_failures.csv", "locust/after_failures.csv"].map(data);
    sandbox.perfgate(&["compare", &before, &after]).exits(2).reports("_stats.csv");
}

#[test]
fn a_directory_with_results_of_two_commits_is_an_error() {
    let sandbox = Sandbox::new();
    let file = |commit: char| {
        let commit = commit.to_string().repeat(40);
        format!(
            r#"{{"commit_hash":"{commit}","env_name":"e","result_columns":["result","params"],"results":{{"t.time_a":[[1.0],[]]}}}}"#
        )
    };
    sandbox.write("results/m/a.json", file('a')).write("results/m/b.json", file('b')).write("one/a.json", file('a'));
    sandbox.perfgate(&["compare", "results", "one"]).exits(2).reports("2 commits (aaaaaaaaaa, bbbbbbbbbb)");
}

#[test]
fn a_count_regresses_if_it_was_zero_in_all_base_runs_but_not_if_only_in_some() {
    let sandbox = Sandbox::new();
    let bench_of = |iterations: u32, bytes: &[u32]| -> String {
        let line = |bytes: &u32| format!("BenchmarkA-2 \t {iterations} \t 1000 ns/op \t {bytes} B/op \t 0 allocs/op\n");
        format!("goos: linux\npkg: p\n{}", bytes.iter().map(line).collect::<String>())
    };
    let bench = |bytes: &[u32]| bench_of(3000, bytes);
    sandbox.write("a", bench(&[2, 2, 2, 0, 0, 2])).write("b", bench(&[0, 0, 2, 3, 3, 3])).write("c", bench(&[0; 6]));
    sandbox.write("few-a", bench_of(30, &[2; 6])).write("few-c", bench_of(30, &[0; 6]));
    let outcome = |old, new| {
        let report = sandbox.perfgate(&["compare", old, new, "--format", "json", "--all"]).json();
        let rows = report["benchmarks"].as_array().unwrap();
        rows.iter().find(|row| row["metric"] == "memory").unwrap()["outcome"].as_str().unwrap().to_owned()
    };
    assert_ne!(outcome("a", "b"), "regressed");
    assert_eq!((outcome("c", "a"), outcome("a", "c")), ("regressed".into(), "improved".into()));
    assert_eq!(outcome("c", "c"), "unchanged");
    // A single allocation of Go's runtime is 2 bytes in each of 30 iterations.
    assert_eq!((outcome("few-c", "few-a"), outcome("few-a", "few-c")), ("unchanged".into(), "unchanged".into()));
}

#[test]
fn the_documentation_and_the_formats_command_list_exactly_the_known_formats() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let page = fs::read_to_string(path).unwrap();
    let cells = |line: &str| line.split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let rows: BTreeMap<String, Vec<String>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| (name.to_owned(), cells(rest)))
        .collect();
    let list = Sandbox::new().perfgate(&["formats"]).stdout;
    let listed: BTreeSet<&str> = list.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    let mut known: BTreeSet<&str> = FORMATS.iter().map(|format| format.name()).collect();
    known.insert("criterion");
    assert_eq!(rows.keys().map(String::as_str).collect::<BTreeSet<_>>(), known);
    assert_eq!(listed.difference(&[""].into()).copied().collect::<BTreeSet<_>>(), known);
    for format in FORMATS {
        let row = &rows[format.name()];
        let plain = |cell: &str| cell.replace("\\|", "|");
        assert_eq!((plain(&row[0]).as_str(), plain(&row[1]).as_str()), (format.produced_by(), format.metrics()));
        assert!(row.len() == 3 && !row[2].is_empty(), "{}: the names of its benchmarks", format.name());
    }
}
