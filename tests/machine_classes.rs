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
