//! Which stored runs a head is compared with: the commit that its results state, uncommitted changes, commits without runs of
//! this machine class, epochs, and a config outside of the repository.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use common::workflow::{ci, pull};
use serde_json::{Value, json};

const EPYC: &str = "AMD EPYC 7763";
const XEON: &str = "Intel Xeon 8370C";

/// A synthetic run of ten benchmarks and of `slow`, which takes 1 ms times `factor`.
fn results(commit: Option<&str>, cpu: &str, factor: f64, run: u32) -> String {
    let samples = |ms: f64, seed: u32| -> Vec<f64> {
        let level = ms * (1.0 + 0.0005 * f64::from((run * 7 + seed) % 23));
        (0..20).map(|i| level * (1.0 + 0.0005 * f64::from((i * 7 + seed) % 11))).collect()
    };
    let one = |name: String, ms: f64, seed: u32| json!({"tool": "t", "benchmark": name, "unit": "ms", "replicates": [{"samples": samples(ms, seed)}]});
    let steady = (0..10).map(|i| one(format!("b{i}"), f64::from(i + 1), i));
    let all: Vec<Value> = steady.chain([one("slow".to_owned(), factor, 3)]).collect();
    let environment = json!({"cpu": cpu, "cores": 4, "os": "linux", "arch": "x86_64"});
    let mut file = json!({"format": "perfgate-run", "version": 1, "environment": environment, "measurements": all});
    if let Some(commit) = commit {
        file["commit"] = commit.into();
    }
    file.to_string()
}

fn id(sandbox: &Sandbox, revision: &str) -> String {
    sandbox.git("r", &["rev-parse", revision])
}

/// Three commits on main, each with a stored run of an EPYC, and a branch `work` with one commit.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 1..=3 {
        sandbox.commit("r", &format!("main {run}"));
        record(&sandbox, EPYC, 1.0, run);
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    sandbox
}

fn record(sandbox: &Sandbox, cpu: &str, factor: f64, run: u32) {
    sandbox.write("run.json", results(None, cpu, factor, run));
    sandbox.perfgate_at("r", &["record", "../run.json"]).exits(0);
}

#[test]
fn results_of_another_commit_are_not_compared_as_head() {
    let sandbox = project();
    let main = id(&sandbox, "main");
    sandbox.write("old.json", results(Some(&main), EPYC, 1.0, 9));
    let refused = format!("old.json: the results state commit {main}, and {}", &id(&sandbox, "HEAD")[..10]);
    let compare = |more: &[&str]| sandbox.perfgate_at("r", &[&["compare", "--head", "../old.json"], more].concat());
    compare(&[]).exits(2).reports(&refused).reports("--commit HEAD");
    // The same applies to a path as head, and to [[input]].
    sandbox.perfgate_at("r", &["compare", "../old.json"]).exits(2).reports(&refused);
    sandbox.write("r/perfgate.toml", "[[input]]\npath = '../old.json'\n");
    sandbox.perfgate_at("r", &["compare"]).exits(2).reports("the results state commit");
    // Their own commit is on main, so it is compared with its parent.
    let parent = &id(&sandbox, "main~1")[..10];
    compare(&["--commit", &main[..8]])
        .exits(0)
        .prints(&format!("stored runs of the parent commit ({parent}"))
        .does_not_print("state that they are of commit");
    sandbox.perfgate_at("r", &["compare", "--commit", "main"]).exits(0).prints(parent);
    // The user insists, and is warned.
    let insisted = compare(&["--commit", "HEAD", "--format", "json"]);
    insisted.exits(0).prints("the results state that they are of commit");
    assert_eq!(insisted.json()["head"]["commit"], id(&sandbox, "HEAD"));
    compare(&["--commit", "HEAD"]).exits(0).prints("stored runs of the merge base");
    compare(&["--commit", "HEAD", "--base", "main"]).exits(2);
    let stored = ["compare", "--commit", "HEAD", "--head", "main"];
    sandbox.perfgate_at("r", &stored).exits(2).reports("applies only to results on disk");
    compare(&["--commit", "nothing"]).exits(2).reports("nothing");
}

#[test]
fn results_of_another_commit_can_be_compared_with_a_named_base() {
    let sandbox = project();
    let main = id(&sandbox, "main");
    sandbox.write("old.json", results(Some(&main), EPYC, 1.0, 9));
    sandbox.write("other.json", results(Some("1234567890"), EPYC, 1.0, 8));
    let compare = |base: &str, head: &str| sandbox.perfgate_at("r", &["compare", "--base", base, "--head", head]);
    compare("main", "../old.json").exits(0).prints("the commit of base, so nothing was measured for head");
    compare("main~1", "../old.json").exits(0).does_not_print("the commit of base");
    compare("../other.json", "../old.json").exits(0).does_not_print("the commit of base");
}

#[test]
fn results_in_the_default_place_that_are_of_the_base_are_refused() {
    let sandbox = project();
    sandbox.write("r/perfgate.toml", "[[input]]\npath = '../old.json'\n");
    let compare = |stated: &str, base: &str| {
        sandbox.write("old.json", results(Some(&id(&sandbox, stated)), EPYC, 1.0, 9));
        sandbox.perfgate_at("r", &["compare", base])
    };
    for stated in ["main", "main~1"] {
        compare(stated, "main").exits(2).reports("which is part of the base; run the benchmarks");
    }
    compare("main", "main~1").exits(0);
    compare("HEAD", "main").exits(0);
    // An older commit is checked out, and its results are compared with a newer one.
    sandbox.git("r", &["switch", "-q", "--detach", "main~1"]);
    compare("HEAD", "main").exits(0);
}

#[test]
fn the_test_merge_of_a_pull_request_is_compared_with_results_of_its_branch() {
    let sandbox = project();
    let (main, work) = (id(&sandbox, "main"), id(&sandbox, "work"));
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.git("r", &["switch", "-q", "--detach"]);
    sandbox.git("r", &["merge", "-q", "--no-ff", "-m", "trial", "work"]);
    sandbox.write("r/out.json", results(Some(&work), EPYC, 1.0, 9));
    sandbox.perfgate_at("r", &["compare", "out.json"]).exits(0).prints("the results state that they are of commit");
    let event = pull(&sandbox, &main, "octo/r");
    let paths = [("PERFGATE_RESULTS", "out.json"), ("PERFGATE_STORE", "git:refs/perfgate/baselines")];
    sandbox.git("", &["init", "-q", "--bare", "remote.git"]);
    sandbox.git("r", &["remote", "add", "origin", "../remote.git"]);
    sandbox.perfgate_at("r", &["runs", "push"]).exits(0);
    ci(&sandbox, "pull_request", &event, &paths, &[]).exits(0).prints("PASS");
    // Results of main are not results of the pull request, although main is a parent of the test merge.
    sandbox.write("r/out.json", results(Some(&main), EPYC, 1.0, 9));
    let stale = "the results state commit";
    sandbox.perfgate_at("r", &["compare", "out.json"]).exits(2).reports(stale);
    ci(&sandbox, "pull_request", &event, &paths, &[]).exits(2).reports(stale);
}

#[test]
fn an_uncommitted_change_does_not_make_head_its_own_baseline() {
    let sandbox = project();
    let head = id(&sandbox, "HEAD");
    sandbox.write("r/perfgate.toml", "# nothing yet\n");
    sandbox.git("r", &["add", "."]);
    let merge_base = format!("stored runs of the merge base ({}", &id(&sandbox, "main")[..10]);
    let compare = |commit: Option<&str>, run: u32, more: &[&str]| {
        sandbox.write("new.json", results(commit, EPYC, 1.5, run));
        sandbox.perfgate_at("r", &[&["compare", "--head", "../new.json"], more].concat())
    };
    record(&sandbox, EPYC, 1.5, 4);
    compare(Some(&head), 4, &[]).exits(1).prints(&merge_base);
    compare(None, 5, &[]).exits(1).prints(&merge_base).does_not_print("uncommitted");
    // Now the work tree also has changes. Results that state the commit do not include them.
    sandbox.write("r/file", "changed");
    compare(Some(&head), 4, &[]).exits(1).prints(&merge_base).prints("the work tree has uncommitted changes");
    let own = format!("stored runs of HEAD ({}", &head[..10]);
    compare(None, 5, &[]).exits(0).prints(&own).prints("use --commit HEAD");
    compare(None, 5, &["--commit", "HEAD"]).exits(1).prints(&merge_base);
    // Results that include uncommitted changes, as pytest-benchmark states it.
    let mut dirty: Value = serde_json::from_str(&results(Some(&head), EPYC, 1.5, 5)).unwrap();
    dirty["environment"]["dirty"] = "yes".into();
    sandbox.write("new.json", dirty.to_string());
    sandbox.perfgate_at("r", &["compare", "--head", "../new.json"]).exits(0).prints(&own);
}

#[test]
fn a_stored_head_is_compared_with_the_commits_before_it() {
    let sandbox = project();
    let parent = format!("stored runs of the parent commit ({}", &id(&sandbox, "main~2")[..10]);
    sandbox.perfgate_at("r", &["compare", "--head", "main~1"]).exits(0).prints(&parent).prints(", 1 run");
    sandbox.write("r/file", "changed");
    sandbox.perfgate_at("r", &["compare", "--head", "main~1"]).exits(0).prints(&parent).does_not_print("uncommitted");
}

/// A project in which main gets slower by 40% in a commit that only a Xeon measured.
fn behind() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 1..=3 {
        sandbox.commit("r", &format!("main {run}"));
        record(&sandbox, EPYC, 1.0, run);
        record(&sandbox, XEON, 1.5, run);
    }
    for run in 4..=6 {
        sandbox.commit("r", &format!("main {run}, slower"));
        record(&sandbox, XEON, 2.1, run);
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    sandbox
}

#[test]
fn what_another_machine_class_measured_does_not_close_a_gap() {
    let sandbox = behind();
    let compare = |cpu: &str, factor: f64, more: &[&str]| {
        sandbox.write("new.json", results(None, cpu, factor, 9));
        sandbox.perfgate_at("r", &[&["compare", "--head", "../new.json"], more].concat())
    };
    compare(XEON, 2.1, &[]).exits(0);
    let gap = "the baseline is 3 commits of main behind the merge base, which has no stored run of this machine class";
    let unknown = compare(EPYC, 1.4, &[]);
    unknown.exits(2).prints(&format!("NO VERDICT: {gap}; 1 regressed\n"));
    unknown.prints("Run this again when the merge base has a stored run of this machine class");
    compare(EPYC, 1.4, &["--allow-missing-baseline"]).exits(2);
    compare(EPYC, 1.0, &[]).exits(0).prints(&format!("PASS: no regression in 11 benchmarks; {gap}"));
    let report = compare(EPYC, 1.0, &["--format", "json"]).json();
    let expected = json!({"commits": 3, "behind": "merge-base", "branch": "main", "elsewhere": true});
    assert_eq!(report["base"]["gap"], expected);
}

/// The results without the benchmark `slow`.
fn without_slow(results: &str) -> String {
    let mut file: Value = serde_json::from_str(results).unwrap();
    file["measurements"].as_array_mut().unwrap().retain(|one| one["benchmark"] != "slow");
    file.to_string()
}

#[test]
fn the_row_of_a_benchmark_that_the_merge_base_did_not_run_states_how_old_its_base_is() {
    let sandbox = project();
    sandbox.git("r", &["switch", "-q", "main"]);
    for run in 4..=5 {
        sandbox.commit("r", &format!("main {run}"));
        sandbox.write("run.json", without_slow(&results(None, EPYC, 1.0, run)));
    }
    // Only the newest of these two commits has a run.
    sandbox.perfgate_at("r", &["record", "../run.json"]).exits(0);
    sandbox.git("r", &["switch", "-q", "-c", "next"]);
    sandbox.commit("r", "next");
    sandbox.write("new.json", results(None, EPYC, 2.0, 9));
    let compare = |more: &[&str]| sandbox.perfgate_at("r", &[&["compare", "--head", "../new.json"], more].concat());
    let note = "base is 2 commits behind the merge base, which has no stored result of this benchmark";
    compare(&[]).exits(1).prints(note).prints("stored runs of the merge base (");
    let report = compare(&["--format", "json"]).json();
    assert!(report["base"].get("gap").is_none(), "{}", report["base"]);
    for row in report["benchmarks"].as_array().unwrap() {
        let is_slow = row["name"] == "slow";
        let expected = if is_slow { json!({"commits": 2, "behind": "merge-base"}) } else { Value::Null };
        assert_eq!((row["base_gap"].clone(), row["notes"].as_array().unwrap().len()), (expected, usize::from(is_slow)));
    }
    // The gap of the whole base is in the headline, not in its rows.
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.commit("r", "main 6");
    sandbox.git("r", &["switch", "-q", "-c", "later"]);
    sandbox.commit("r", "later");
    let later = compare(&["--format", "json"]).json();
    assert_eq!(later["base"]["gap"]["commits"], 1);
    let rows = later["benchmarks"].as_array().unwrap().iter();
    let gaps: Vec<_> = rows.filter_map(|row| Some((&row["name"], &row.get("base_gap")?["commits"]))).collect();
    assert_eq!(gaps, [(&json!("slow"), &json!(3))]);
}

#[test]
fn a_budget_relative_to_base_has_no_verdict_behind_a_gap() {
    let sandbox = behind();
    let compare = |limits: &str, more: &[&str]| {
        sandbox.write("perfgate.toml", format!("[gate]\nthreshold = '50%'\n{limits}"));
        sandbox.write("new.json", results(None, EPYC, 1.4, 9));
        let config = ["--config", "../perfgate.toml", "compare", "--head", "../new.json"];
        sandbox.perfgate_at("r", &[&config, more].concat())
    };
    let budget = |target: &str| {
        // Two budgets of one pattern would be an error.
        let pattern = if target.contains('%') { "slow" } else { "s*" };
        format!("[[budget]]\nmatch = '{pattern}'\nmetric = 'time'\ntarget = '{target}'\n")
    };
    let relative = compare(&budget("<+10%"), &[]);
    relative.exits(2).prints("NO VERDICT: the baseline is 3 commits").prints("; 1 over budget\n");
    compare(&budget("<+10%"), &["--allow-missing-baseline"]).exits(2);
    compare(&budget("<+60%"), &[]).exits(0);
    // A limit on the value does not depend on base.
    compare(&budget("<1.1ms"), &[]).exits(1).prints("1 over budget");
    compare(&(budget("<+10%") + &budget("<1.1ms")), &[]).exits(1).prints("2 over budget");
    // If `acceptable` is relative to base, there is no verdict either.
    compare(&(budget("<1.1ms") + "acceptable = '<+10%'\n"), &[]).exits(2);
}

#[test]
fn a_git_store_is_that_of_the_measured_repository_wherever_the_config_is() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").repository("shared");
    sandbox.write("run.json", results(None, EPYC, 1.0, 1)).write("plain/perfgate.toml", "[gate]\nthreshold = '30%'\n");
    sandbox.write("shared/perfgate.toml", "[gate]\nthreshold = '30%'\n");
    sandbox.perfgate_at("r", &["--config", "../shared/perfgate.toml", "record", "../run.json"]).exits(0);
    assert!(sandbox.git("r", &["for-each-ref"]).contains("refs/perfgate/baselines"));
    assert!(!sandbox.git("shared", &["for-each-ref"]).contains("perfgate"));
    sandbox.perfgate_at("r", &["--config", "../plain/perfgate.toml", "runs", "list"]).exits(0).prints(EPYC);
    // A path of the config is relative to it.
    sandbox.write("plain/perfgate.toml", "[store]\nurl = 'dir:runs'\n");
    sandbox.perfgate_at("r", &["--config", "../plain/perfgate.toml", "record", "../run.json"]).exits(0);
    assert!(sandbox.path("plain/runs").is_dir());
}

#[test]
fn a_pin_and_a_named_base_leave_out_what_is_from_before_an_epoch() {
    let sandbox = project();
    sandbox.git("r", &["tag", "v1", "main~2"]);
    sandbox.write("r/note", "").git("r", &["add", "."]);
    // The commits of the sandbox are a few seconds apart; the epoch starts after all of them.
    sandbox.git_at("r", 4_000_000_000 / 2, &["commit", "-q", "-m", "a larger corpus"]);
    let epoch = "[[epoch]]\nmatch = 'slow'\nfrom = 'HEAD'\nreason = 'a larger corpus'\n[baseline]\npin = 'v1'\n";
    sandbox.write("perfgate.toml", epoch).write("new.json", results(None, EPYC, 1.5, 9));
    let compare = |base: &[&str]| {
        let config = ["--config", "../perfgate.toml", "compare", "--head", "../new.json", "--format", "json"];
        sandbox.perfgate_at("r", &[&config, base].concat())
    };
    for base in [&[] as &[&str], &["--base", "v1"]] {
        let answer = compare(base);
        answer.exits(0).prints("\\\"slow\\\" has no baseline");
        assert_eq!(answer.outcome("slow"), "added");
        let pinned = answer.json()["pinned"].clone();
        assert!(pinned["benchmarks"].as_array().unwrap().iter().all(|one| one["name"] != "slow"), "{pinned}");
        assert_eq!(pinned["counts"]["regressed"], 0);
    }
    // Two runs from before the epoch are compared.
    let both = ["--config", "../perfgate.toml", "compare", "--base", "main~2", "--head", "main~1", "--format", "json"];
    assert_eq!(sandbox.perfgate_at("r", &both).exits(0).outcome("slow"), "unchanged");
    sandbox.write("perfgate.toml", epoch.replace("'slow'", "'*'"));
    compare(&["--base", "v1"]).exits(2).reports("leave out all stored runs of v1");
}

#[test]
fn each_machine_class_of_head_is_compared_with_its_own_runs() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    for run in 1..=3 {
        sandbox.commit("r", &format!("main {run}"));
        record(&sandbox, EPYC, 1.0, run);
        record(&sandbox, XEON, 1.5, run);
    }
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.commit("r", "work");
    let run = |cpu: &str, factor: f64| results(None, cpu, factor, 9);
    sandbox
        .write("epyc.json", run(EPYC, 2.0))
        .write("xeon.json", run(XEON, 1.5))
        .write("arm.json", run("Neoverse", 1.0));
    let compare = |one: &str, other: &str| sandbox.perfgate_at("r", &["compare", "--head", one, "--head", other]);
    for (one, other) in [("../epyc.json", "../xeon.json"), ("../xeon.json", "../epyc.json")] {
        let both = compare(one, other);
        both.exits(1).prints("1 regressed, 21 unchanged").prints(&format!("slow [{EPYC}, 4 cores, x86_64, linux]"));
    }
    // A class without a baseline has no verdict.
    let missing = compare("../arm.json", "../xeon.json");
    missing.exits(2).prints("warning: left out 1 of the 2 runs of ../arm.json");
}

#[test]
fn a_missing_baseline_that_is_allowed_is_saved_and_published() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("new.json", results(None, EPYC, 1.0, 9));
    let compare = |more: &[&str]| {
        sandbox.write("c.json", "of an earlier job").write("c.html", "of an earlier job");
        let saved = ["compare", "--head", "../new.json", "--save", "../c.json", "--html", "../c.html"];
        sandbox.perfgate_at("r", &[&saved, more].concat())
    };
    let published = || sandbox.perfgate_at("r", &["publish", "../c.json", "--dry-run", "--repository", "o/r"]);
    let first = compare(&["--allow-missing-baseline", "--format", "json"]);
    assert_eq!((&first.exits(0).json()["verdict"], &first.json()["first_run"]), (&json!("none"), &json!(true)));
    first.prints("no baseline for");
    assert!(sandbox.read("c.html").contains("no baseline yet"));
    published().exits(0).prints("NO VERDICT: no baseline yet");
    compare(&[]).exits(2).reports("--allow-missing-baseline");
    // A revision without a stored run was not measured.
    sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--allow-missing-baseline"]).exits(2);
    // The commit that the results are of is kept.
    let first = id(&sandbox, "HEAD");
    sandbox.commit("r", "second");
    sandbox.write("new.json", results(Some(&id(&sandbox, "HEAD")), EPYC, 1.0, 9));
    let of_first = compare(&["--commit", &first, "--allow-missing-baseline", "--format", "json"]);
    of_first.exits(0).prints("the results state that they are of commit");
    assert_eq!((&of_first.json()["head"]["commit"], &of_first.json()["first_run"]), (&json!(first), &json!(true)));
    sandbox.write("new.json", results(None, EPYC, 1.0, 9));
    // The baseline is of another machine class.
    record(&sandbox, XEON, 1.0, 1);
    compare(&["--allow-missing-baseline"]).exits(0).prints("NO VERDICT: ");
    published().exits(0);
    compare(&[]).exits(2);
    published().exits(2);
}

#[test]
fn results_on_standard_input_without_a_baseline_are_read_once() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("new.json", results(None, EPYC, 1.0, 9));
    let words = ["compare", "--head", "-", "--allow-missing-baseline"];
    let mut command = sandbox.command::<&str>("r", &[], &words);
    command.stdin(std::fs::File::open(sandbox.path("new.json")).unwrap());
    common::answer(command.output().unwrap()).exits(0).prints("11 added");
}

#[test]
fn another_suite_is_not_a_missing_baseline() {
    let sandbox = project();
    let other = (0..10).fold(results(None, EPYC, 1.0, 9).replace("slow", "fast"), |text, i| {
        text.replace(&format!("\"b{i}\""), &format!("\"c{i}\""))
    });
    sandbox.write("new.json", other);
    let compare = |more: &[&str]| sandbox.perfgate_at("r", &[&["compare", "--head", "../new.json"], more].concat());
    compare(&[]).exits(2).reports("have no benchmark in common");
    compare(&["--allow-missing-baseline"]).exits(2).reports("have no benchmark in common");
    compare(&["--allow-missing-baseline", "--fail-on", "removed"]).exits(2);
}

#[test]
fn a_stored_side_that_is_zero_in_every_sample_is_known_without_options_that_read_samples() {
    let sandbox = project();
    let with_memory = |run: u32, bytes: [u32; 2]| {
        let mut file: Value = serde_json::from_str(&results(None, EPYC, 1.0, run)).unwrap();
        let samples: Vec<u32> = (0..20).map(|i| bytes[usize::from(i % 20 == 7)]).collect();
        let memory = json!({"tool": "t", "benchmark": "memory", "metric": "memory", "unit": "B",
            "replicates": [{"samples": samples}]});
        file["measurements"].as_array_mut().unwrap().push(memory);
        file.to_string()
    };
    sandbox.git("r", &["switch", "-q", "main"]);
    for (of_base, code, outcome) in [([0, 0], 1_i32, "regressed"), ([0, 500], 0, "inconclusive")] {
        sandbox.commit("r", outcome);
        sandbox.write("run.json", with_memory(20 + code.unsigned_abs(), of_base));
        sandbox.perfgate_at("r", &["record", "../run.json"]).exits(0);
        sandbox.commit("r", &format!("after {outcome}"));
        sandbox.write("new.json", with_memory(9, [1000, 1001]));
        for more in [&[] as &[&str], &["--save", "../c.json"]] {
            let compare = ["compare", "--head", "../new.json", "--format", "json"];
            let answer = sandbox.perfgate_at("r", &[&compare, more].concat());
            assert_eq!(answer.exits(code).outcome("memory"), outcome);
        }
    }
}
