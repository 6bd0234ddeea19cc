//! The baseline that a comparison takes from stored runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn the_base_of_an_accepted_regression_and_of_a_fix_is_the_new_level() {
    let (sandbox, _) = sixty();
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    let put_head = |accepted: f64, fixed: f64, spiky: f64| {
        for (k, name) in STEADY.iter().enumerate() {
            sandbox.bench("r/target/criterion", name, 1000.0 * (k + 1) as f64, 9);
        }
        sandbox.bench("r/target/criterion", "accepted", accepted, 9);
        sandbox.bench("r/target/criterion", "fixed", fixed, 9);
        sandbox.bench("r/target/criterion", "drifting", 545.0, 9);
        sandbox.bench("r/target/criterion", "spiky", spiky, 9);
    };
    // As slow as the accepted regression: unchanged, compared with the six runs since then.
    put_head(1300.0, 750.0, 100.0);
    let answer = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    let report = answer.exits(0).json();
    assert_eq!(answer.outcome("accepted"), "unchanged");
    let finding = |name: &str| {
        report["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == name).unwrap().clone()
    };
    assert_eq!(finding("accepted")["base"]["runs"], 6);
    assert_eq!(finding("s1")["base"]["runs"], 10);
    assert_eq!(finding("spiky")["outcome"], "unchanged");
    let codes: Vec<&str> =
        report["diagnostics"].as_array().unwrap().iter().map(|d| d["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"baseline-segment"), "{codes:?}");
    let note = report["diagnostics"].as_array().unwrap().iter().find(|one| one["code"] == "baseline-segment").unwrap();
    let note = note["message"].as_str().unwrap();
    assert!(note.starts_with("\"accepted\" (6 runs since ") && note.contains("only its runs since then"), "{note}");
    // Back to the level before the fix: that is a regression, though it was the level for 20 runs.
    put_head(1300.0, 1000.0, 100.0);
    assert_eq!(sandbox.perfgate_at("r", &["compare", "--format", "json"]).exits(1).outcome("fixed"), "regressed");
    // Slower than what was accepted.
    put_head(1690.0, 750.0, 100.0);
    assert_eq!(sandbox.perfgate_at("r", &["compare", "--format", "json"]).exits(1).outcome("accepted"), "regressed");
}

#[test]
fn a_change_like_an_odd_run_of_the_window_needs_a_second_head_run() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 20);
    let level = |i: usize| if i == 16 { 1.6 } else { 1.0 };
    let measure = |i: usize| -> Vec<Measurement> {
        let all = STEADY.iter().enumerate().map(|(k, name)| {
            let factor = if k == 0 { level(i) } else { 1.0 };
            time(name, 1000.0 * (k + 1) as f64 * factor, 100 * k + i)
        });
        all.collect()
    };
    let runs: Vec<Run> =
        commits.iter().enumerate().map(|(i, commit)| run(commit, START + 3600 * i as i64, measure(i))).collect();
    put(&sandbox, &runs);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    let head = |factor: f64| {
        for (k, name) in STEADY.iter().enumerate() {
            sandbox.bench("r/target/criterion", name, 1000.0 * (k + 1) as f64 * if k == 0 { factor } else { 1.0 }, 9);
        }
        sandbox.perfgate_at("r", &["compare", "--format", "json"])
    };
    assert_ne!(head(1.0).exits(0).outcome("s1"), "improved");
    assert_eq!(head(1.6).exits(0).outcome("s1"), "inconclusive");
    assert_eq!(head(5.0).exits(1).outcome("s1"), "regressed");
}

#[test]
fn a_base_opens_a_bounded_number_of_runs_however_many_machines_have_stored_theirs() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 3);
    let mut runs: Vec<Run> = (0..5).map(|i| run(&commits[2], START + 7200, vec![time("a", 1000.0, i)])).collect();
    for i in 0..250 {
        let mut other = run(&commits[1], START + 3600, vec![time("a", 2000.0, 500 + i)]);
        other.environment.set(Environment::CPU, "another");
        runs.push(other);
    }
    put(&sandbox, &runs);
    // The oldest run cannot be read: opening it fails.
    let oldest = run(&commits[0], START, vec![time("a", 1000.0, 9)]);
    let mut bytes = record::encode(&oldest).unwrap();
    bytes[6..10].copy_from_slice(&[9, 0, 9, 0]); // written in version 9, read from version 9 on
    let store = store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap();
    store.write(&[(Key::new(&oldest, &bytes), bytes)]).unwrap();
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    sandbox.bench("r/target/criterion", "a", 1000.0, 9);
    let report = sandbox.perfgate_at("r", &["compare", "--format", "json"]).exits(0).json();
    assert_eq!(report["benchmarks"][0]["base"]["runs"], 5);
    // A command that reads all runs opens it.
    sandbox.perfgate_at("r", &["history", "--last", "500"]).exits(0).reports("install a newer perfgate");
}

#[test]
fn a_pinned_release_shows_the_drift_that_no_single_comparison_shows() {
    let (sandbox, commits) = sixty();
    sandbox.git("r", &["tag", "v1", commits[10].as_str()]);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"6%\"\n[baseline]\npin = \"v1\"\n");
    sandbox.commit("r", "work");
    for (k, name) in STEADY.iter().enumerate() {
        sandbox.bench("r/target/criterion", name, 1000.0 * (k + 1) as f64, 9);
    }
    sandbox.bench("r/target/criterion", "drifting", 545.0, 9);
    let answer = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    let report = answer.exits(0).json();
    assert_eq!(answer.outcome("drifting"), "unchanged");
    assert_eq!((&report["pinned"]["revision"], &report["pinned"]["runs"]), (&"v1".into(), &1.into()));
    assert_eq!(report["pinned"]["commit"], commits[10].as_str());
    let since = report["pinned"]["benchmarks"].as_array().unwrap();
    let drifting = since.iter().find(|finding| finding["name"] == "drifting").unwrap();
    assert!((drifting["change"].as_f64().unwrap() - 0.09).abs() < 0.02, "{drifting}");
    sandbox.perfgate_at("r", &["compare"]).prints("since v1 (1 run): geometric mean");
    sandbox.perfgate_at("r", &["compare", "--format", "markdown"]).prints("Since `v1` (1 run): ");

    sandbox.write("r/perfgate.toml", "[baseline]\npin = \"v7\"\n");
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("perfgate.toml:2").prints("v7");
    sandbox.git("r", &["tag", "v7", "work"]);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("no stored run of v7");
}

#[test]
fn a_pinned_release_has_the_epochs_and_renames_of_every_base() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 14);
    // The release has two benchmarks that one name replaces.
    let suite = |i: usize| -> Vec<Measurement> {
        let names: &[&str] = if i == 0 { &["x/joined", "y/joined"] } else { &["joined"] };
        let replaced = names.iter().map(|name| time(name, 500.0, 800 + i));
        let steady = STEADY.iter().enumerate().map(|(k, name)| time(name, 1000.0 * (k + 1) as f64, 100 * k + i));
        steady.chain(replaced).collect()
    };
    let runs: Vec<Run> = (0..14).map(|i| run(&commits[i], START + 3600 * i as i64, suite(i))).collect();
    put(&sandbox, &runs);
    sandbox.git("r", &["tag", "v1", commits[0].as_str()]);
    let config = format!(
        "[baseline]\npin = \"v1\"\n[rename]\n\"x/*\" = \"*\"\n\"y/j*\" = \"j*\"\n\
         [[epoch]]\nmatch = \"s1\"\nfrom = \"{}\"\nreason = \"r\"\n",
        commits[2].as_str()
    );
    sandbox.write("r/perfgate.toml", config);
    let report = sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--format", "json"]);
    report
        .exits(0)
        .prints("the runs of v1 are from before the [[epoch]]")
        .prints("renames give the name \\\"joined\\\" to several benchmarks");
    let json = report.json();
    let pinned = json["pinned"]["benchmarks"].as_array().unwrap();
    let names: Vec<&str> = pinned.iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"s2") && !names.contains(&"s1") && !names.contains(&"joined"), "{names:?}");
}

#[test]
fn a_benchmark_that_was_removed_before_head_is_not_removed_again() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 5);
    let suite = |names: &[&str], seed: usize| names.iter().map(|name| time(name, 1000.0, seed)).collect::<Vec<_>>();
    let names: [&[&str]; 5] =
        [&["a", "b", "c", "legacy"], &["a", "b", "c", "legacy"], &["a", "b", "c"], &["a", "b", "c"], &["a", "b"]];
    let runs: Vec<Run> = (0..5).map(|i| run(&commits[i], START + 3600 * i as i64, suite(names[i], i))).collect();
    put(&sandbox, &runs);
    // The last commit removes `c`. `legacy` was removed two commits before its base.
    let compare = |more: &[&str]| sandbox.perfgate_at("r", &[&["compare", "--head", "HEAD", "--all"], more].concat());
    let json = compare(&["--format", "json"]).json();
    let rows: Vec<&str> =
        json["benchmarks"].as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(rows, ["c", "a", "b"]);
    compare(&["--fail-on", "removed"]).exits(1).prints("FAIL: 1 removed").does_not_print("legacy");
}

#[test]
fn stored_runs_give_the_same_comparison_with_and_without_their_samples() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 5);
    // Samples this quiet differ by less than the store rounds them by.
    let quiet = |name: &str, seed: usize| {
        let samples = (0..20).map(|i| 1000.0 * (1.0 + 1e-5 * noise(97 * seed + i))).collect();
        Measurement::new("criterion", name, Metric::time(), Evidence::Samples(samples))
    };
    let suite = |i: usize| STEADY.iter().enumerate().map(|(k, name)| quiet(name, 100 * k + i)).collect();
    let runs: Vec<Run> = (0..5).map(|i| run(&commits[i], START + 3600 * i as i64, suite(i))).collect();
    put(&sandbox, &runs);
    let rows = |json: &Value| -> Vec<Value> {
        let facts = ["name", "outcome", "base", "head", "change", "interval", "p", "q"];
        json["benchmarks"].as_array().unwrap().iter().map(|row| facts.map(|key| row[key].clone()).into()).collect()
    };
    let printed = sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--format", "json"]).exits(0).json();
    sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--save", "saved.json"]).exits(0);
    let saved: Value = serde_json::from_str(&sandbox.read("r/saved.json")).unwrap();
    assert_eq!((rows(&printed), rows(&printed).len()), (rows(&saved), STEADY.len()));
}
