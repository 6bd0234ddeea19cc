//! A head with results of several machine classes. All results are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::{Answer, Sandbox};
use serde_json::{Value, json};

/// Sorted before `LATER`.
const EARLIER: &str = "AMD EPYC 7763";
const LATER: &str = "Intel Xeon 8370C";

/// A run of ten benchmarks and of the one named `name`, which takes 1 ms times `factor`.
fn results(cpu: &str, name: &str, factor: f64, run: u32) -> String {
    let samples = |ms: f64, seed: u32| -> Vec<f64> {
        let level = ms * (1.0 + 0.0005 * f64::from((run * 7 + seed) % 23));
        (0..20).map(|i| level * (1.0 + 0.0005 * f64::from((i * 7 + seed) % 11))).collect()
    };
    let one = |name: &str, ms: f64, seed: u32| json!({"tool": "t", "benchmark": name, "unit": "ms", "replicates": [{"samples": samples(ms, seed)}]});
    let mut all: Vec<Value> = (0..10).map(|i| one(&format!("b{i}"), f64::from(i + 1), i)).collect();
    all.push(one(name, factor, 3));
    let environment = json!({"cpu": cpu, "cores": 4, "os": "linux", "arch": "x86_64"});
    json!({"format": "perfgate-run", "version": 1, "environment": environment, "measurements": all}).to_string()
}

fn class(cpu: &str) -> String {
    format!("{cpu}, 4 cores, x86_64, linux")
}

/// Commits on main, each with runs of machines: the CPU, and the name of the eleventh benchmark. Then a branch with one commit.
fn project(commits: &[&[(&str, &str)]]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let commit = |number: u32| {
        sandbox.write("r/file", number.to_string()).git("r", &["add", "."]);
        sandbox.git_at("r", 1_700_000_000 + i64::from(number), &["commit", "-q", "-m", &format!("change {number}")]);
    };
    for (number, runs) in (1..).zip(commits) {
        commit(number);
        for (cpu, name) in *runs {
            sandbox.write("run.json", results(cpu, name, 1.0, number));
            sandbox.perfgate_at("r", &["record", "../run.json"]).exits(0);
        }
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    commit(99);
    sandbox
}

/// Compares a head of both machines; the eleventh benchmark takes `factor` as long on the one that is sorted first.
fn compare(sandbox: &Sandbox, name: &str, factor: f64, config: &str, more: &[&str]) -> Answer {
    sandbox.write("earlier.json", results(EARLIER, name, factor, 9)).write("later.json", results(LATER, name, 1.0, 9));
    sandbox.write("perfgate.toml", config);
    let both = ["--config", "../perfgate.toml", "compare", "--head", "../earlier.json", "--head", "../later.json"];
    sandbox.perfgate_at("r", &[&both, more].concat())
}

#[test]
fn a_rename_that_one_class_measured_later_loses_no_run_of_another() {
    let (old, new) = ("old", "new");
    let both: &[(&str, &str)] = &[(EARLIER, new), (LATER, new)];
    let sandbox = project(&[&[(LATER, old)], &[(LATER, old)], &[(LATER, old)], both, both]);
    let answer = compare(&sandbox, new, 2.0, "[rename]\n'old' = 'new'\n", &["--format", "json"]);
    assert_eq!(answer.exits(1).outcome(&format!("new [{}]", class(EARLIER))), "regressed");
    assert_eq!(answer.outcome(&format!("new [{}]", class(LATER))), "unchanged");
    answer.does_not_print("rename-unused").does_not_print("rename-replaces");
    // The runs of a class that has had the new name for another benchmark are still left out.
    let sandbox = project(&[&[(LATER, new)], &[(LATER, old), (EARLIER, new)], both, both]);
    let answer = compare(&sandbox, new, 2.0, "[rename]\n'old' = 'new'\n", &["--format", "json"]);
    answer.exits(1).prints("rename-replaces");
}

#[test]
fn the_config_is_matched_with_the_name_without_the_class() {
    let both: &[(&str, &str)] = &[(EARLIER, "slow"), (LATER, "slow")];
    let sandbox = project(&[both, both, both]);
    let compare = |config: &str, more: &[&str]| compare(&sandbox, "slow", 2.0, config, more);
    let row = format!("slow [{}]", class(EARLIER));
    let plain = compare("", &["--format", "json"]);
    assert_eq!(plain.exits(1).outcome(&row), "regressed");
    let findings = plain.json()["benchmarks"].clone();
    let finding = findings.as_array().unwrap().iter().find(|one| one["name"] == row.as_str()).unwrap();
    assert_eq!(finding["per_class"], json!({"benchmark": "slow", "machine_class": class(EARLIER)}));

    let accept = "[[accept]]\nbenchmark = 'slow'\nup-to = '150%'\nreason = 'r'\nuntil = '2999-01-01'\n";
    let accepted = compare(accept, &["--format", "json"]);
    assert_eq!(accepted.exits(0).outcome(&row), "accepted");
    accepted.does_not_print("waiver-unused");
    let rule = "[[benchmark]]\nmatch = 'slow'\nthreshold = '150%'\n[rename]\n'old' = 'slow'\n";
    compare(rule, &["--format", "json"]).exits(0).does_not_print("rule-unused").does_not_print("rename-unused");
    let budget = "[gate]\nthreshold = '300%'\n[[budget]]\nmatch = 'slow'\nmetric = 'time'\ntarget = '<1.5ms'\n";
    compare(budget, &[]).exits(1).prints("FAIL: 1 over budget");
    let goal = compare("[gate]\nthreshold = '300%'\n", &["--expect", "slow:time -50%", "--format", "json"]);
    assert_eq!(goal.exits(0).json()["goals"].as_array().unwrap().len(), 2);

    // Waivers to paste have the plain name, once for all classes.
    sandbox.write("earlier.json", results(EARLIER, "slow", 2.0, 9)).write("later.json", results(LATER, "slow", 3.0, 9));
    let saved = ["compare", "--head", "../earlier.json", "--head", "../later.json", "--save", "../c.json"];
    sandbox.perfgate_at("r", &saved).exits(1);
    let page = sandbox.perfgate_at("r", &["publish", "../c.json", "--dry-run", "--repository", "o/r"]).stdout.clone();
    assert_eq!(page.matches("benchmark = \"slow\"").count(), 1, "{page}");
    assert!(!page.contains("benchmark = \"slow ["), "{page}");
}

#[test]
fn a_class_without_a_baseline_has_no_verdict() {
    let sandbox = project(&[&[(EARLIER, "slow")], &[(EARLIER, "slow")]]);
    let compare = |factor: f64, more: &[&str]| compare(&sandbox, "slow", factor, "", more);
    let missing = format!("no stored runs to compare with of {}", class(LATER));
    let none = compare(1.0, &[]);
    none.exits(2).prints("NO VERDICT: 1 machine class of head has no baseline\n").prints(&missing);
    none.prints("Record a baseline for each machine class of head");
    let allowed = compare(1.0, &["--allow-missing-baseline", "--format", "json"]);
    allowed.exits(0).prints(&missing);
    assert_eq!(allowed.json()["base"]["missing_classes"], json!([class(LATER)]));
    // A regression of the other class still fails.
    compare(2.0, &[]).exits(1).prints("FAIL: 1 regressed");
    compare(2.0, &["--allow-missing-baseline"]).exits(1);
    // The same applies to a named base. Files that the user names are compared even if a class is missing.
    let named = |base: &str| {
        let both = ["compare", "--base", base, "--head", "../earlier.json", "--head", "../later.json"];
        compare(1.0, &[]);
        sandbox.perfgate_at("r", &both)
    };
    named("main").exits(2).prints(&missing);
    sandbox.write("base.json", results(EARLIER, "slow", 1.0, 5));
    named("../base.json").exits(0).prints("left out 1 of the 2 runs");
}

#[test]
fn the_base_of_several_classes_names_all_of_its_commits() {
    let sandbox = project(&[&[(EARLIER, "slow")], &[(LATER, "slow")], &[(EARLIER, "slow")], &[(EARLIER, "slow")]]);
    let answer = compare(&sandbox, "slow", 1.0, "", &["--format", "json"]);
    let base = answer.exits(0).json()["base"].clone();
    let id = |revision: &str| sandbox.git("r", &["rev-parse", revision]);
    let all = ["main", "main~1", "main~2", "main~3"].map(id);
    assert_eq!(base["commits"], json!(all), "newest first");
    assert_eq!(base["runs"], 4);
    // The gap, the label and the commit are those of the class that is further behind.
    assert_eq!((&base["gap"]["commits"], &base["commit"]), (&json!(2), &json!(all[2])));
    assert_eq!(base["label"], "stored runs from before the merge base");
}

#[test]
fn a_setting_of_one_benchmark_is_compared_within_its_class() {
    let with_threads = |results: String, threads: u32| {
        let mut file: Value = serde_json::from_str(&results).unwrap();
        file["environment"]["t:threads"] = "1".into();
        file["environment"]["t:threads of slow"] = threads.to_string().into();
        file.to_string()
    };
    let sandbox = project(&[&[]]);
    let compare = |threads_of_base: u32, threads_of_head: u32| {
        let mut args = vec!["compare".to_owned(), "--format".to_owned(), "json".to_owned()];
        for (side, first, factor, threads) in [("base", 1, 1.0, threads_of_base), ("head", 11, 2.0, threads_of_head)] {
            for run in first..first + 3 {
                for (cpu, threads) in [(EARLIER, threads), (LATER, 4)] {
                    let file = format!("{side} {cpu} {run}.json");
                    sandbox.write(&file, with_threads(results(cpu, "slow", factor, run), threads));
                    args.extend([format!("--{side}"), file]);
                }
            }
        }
        sandbox.perfgate(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let row = |cpu: &str| format!("slow [{}]", class(cpu));
    let other = compare(8, 1);
    other.prints("threads 8 in base, 1 in head");
    assert_eq!((other.outcome(&row(EARLIER)), other.outcome(&row(LATER))), ("inconclusive".into(), "regressed".into()));
    assert_eq!(compare(8, 8).outcome(&row(EARLIER)), "regressed");
}

#[test]
fn each_class_is_compared_with_its_own_runs_of_the_pinned_release() {
    let both: &[(&str, &str)] = &[(EARLIER, "slow"), (LATER, "slow")];
    let release: &[(&str, &str)] = &[(EARLIER, "slow"), (LATER, "other"), ("ARM Neoverse", "slow")];
    let sandbox = project(&[release, both, both]);
    sandbox.git("r", &["tag", "v1", "main~2"]);
    let answer = compare(&sandbox, "slow", 2.0, "[baseline]\npin = 'v1'\n", &["--format", "json"]);
    let pinned = answer.exits(1).json()["pinned"].clone();
    assert_eq!(pinned["runs"], 2, "none of another class");
    let rows = pinned["benchmarks"].as_array().unwrap();
    let mut names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let steady = (0..10).flat_map(|i| [EARLIER, LATER].map(|cpu| format!("b{i} [{}]", class(cpu))));
    let expected: Vec<String> = steady.chain([format!("slow [{}]", class(EARLIER))]).collect();
    assert_eq!(names, expected);
    assert_eq!(rows[0]["name"], expected[20].as_str(), "the worst one");
    assert!((rows[0]["change"].as_f64().unwrap() - 1.0).abs() < 0.05, "{}", rows[0]);
}
