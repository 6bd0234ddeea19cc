//! Histories with known changes, in repositories made here. All stored runs are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed

#[path = "history/baseline.rs"]
mod baseline;
mod common;
#[path = "history/replay.rs"]
mod replay;

use common::Sandbox;
use perfgate::io::store::{self, Key};
use perfgate::model::{Commit, Direction, Environment, Evidence, Measurement, Metric, Run, Unit, record};
use serde_json::Value;

/// Deterministic noise between -1 and 1.
fn noise(seed: usize) -> f64 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (mixed >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

/// One run's samples around a level: they vary by 0.6% from run to run and by 1% within a run.
fn samples(level: f64, seed: usize) -> Evidence {
    let level = level * (1.0 + 0.006 * noise(seed));
    Evidence::Samples((0..30).map(|i| level * (1.0 + 0.01 * noise(1000 * seed + i).abs())).collect())
}

fn time(name: &str, level: f64, seed: usize) -> Measurement {
    Measurement::new("criterion", name, Metric::time(), samples(level, seed))
}

const STEADY: [&str; 8] = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"];

/// The suite at commit `i` of 60: a fix at 20, a drift of 9% over 12..52, a spike at 33, a regression accepted at 54.
fn suite(i: usize) -> Vec<Measurement> {
    let drift = 1.09_f64.powf(((i as f64 - 12.0) / 40.0).clamp(0.0, 1.0));
    let mut all: Vec<Measurement> =
        STEADY.iter().enumerate().map(|(k, name)| time(name, 1000.0 * (k + 1) as f64, 100 * k + i)).collect();
    all.push(time("accepted", if i >= 54 { 1300.0 } else { 1000.0 }, 900 + i));
    all.push(time("drifting", 500.0 * drift, 1000 + i));
    all.push(time("fixed", if i >= 20 { 750.0 } else { 1000.0 }, 1100 + i));
    all.push(time("spiky", if i == 33 { 160.0 } else { 100.0 }, 1200 + i));
    all
}

fn put(sandbox: &Sandbox, runs: &[Run]) {
    let store = store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap();
    let records: Vec<(Key, Vec<u8>)> = runs
        .iter()
        .map(|run| {
            let bytes = record::encode(run).unwrap();
            (Key::new(run, &bytes), bytes)
        })
        .collect();
    store.write(&records).unwrap();
}

/// `count` commits on main, one hour apart, the first at [`START`]; oldest first.
fn commits(sandbox: &Sandbox, count: usize) -> Vec<Commit> {
    sandbox.repository("r");
    sandbox.git_at("r", START, &["commit", "-q", "--amend", "--reset-author", "-m", "first"]);
    for i in 1..count {
        let message = format!("change {i}");
        sandbox.git_at("r", START + 3600 * i as i64, &["commit", "-q", "--allow-empty", "-m", &message]);
    }
    let log = sandbox.git("r", &["rev-list", "--reverse", "main"]);
    log.lines().map(|line| Commit::parse(line).unwrap()).collect()
}

fn run(commit: &Commit, time: i64, mut measurements: Vec<Measurement>) -> Run {
    measurements.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
    Run { commit: Some(commit.clone()), time, measurements, ..Run::default() }
}

const START: i64 = 1_780_000_000;

/// 60 commits with a run each.
fn sixty() -> (Sandbox, Vec<Commit>) {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 60);
    let runs: Vec<Run> =
        commits.iter().enumerate().map(|(i, commit)| run(commit, START + 3600 * i as i64, suite(i))).collect();
    put(&sandbox, &runs);
    (sandbox, commits)
}

fn series<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer["series"].as_array().unwrap().iter().find(|series| series["name"] == name).unwrap()
}

/// A drift has no level, so a step or a level next to it is not what the change is relative to.
#[test]
fn the_levels_of_a_change_fit_it_next_to_a_drift() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 60);
    let drift = |i: usize, from: f64, to: f64| 1.6_f64.powf(((i as f64 - from) / (to - from)).clamp(0.0, 1.0));
    let suite = |i: usize| {
        let doubled = |from: usize| if i >= from { 200.0 } else { 100.0 };
        vec![
            time("drift_of_all", 100.0 * drift(i, 0.0, 59.0), i),
            time("drift_then_step", drift(i, 0.0, 40.0) * doubled(40), 100 + i),
            time("level_then_drift", 100.0 * drift(i, 20.0, 59.0), 200 + i),
            time("step_then_drift", drift(i, 20.0, 59.0) * doubled(20), 300 + i),
        ]
    };
    let runs: Vec<Run> =
        commits.iter().enumerate().map(|(i, commit)| run(commit, START + 3600 * i as i64, suite(i))).collect();
    put(&sandbox, &runs);
    let table = sandbox.perfgate_at("r", &["history"]).exits(0).stdout.clone();
    let mut checked = 0;
    let is_row = |row: &&str| !row.starts_with("to ") && (row.contains("drift_") || row.contains("_drift"));
    for row in table.lines().filter(is_row) {
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let change = cells.iter().position(|cell| cell.starts_with('+') && cell.ends_with('%')).unwrap();
        let number = |cell: &str| cell.trim_end_matches([' ', 'n', 's', '%']).parse::<f64>().unwrap();
        let (before, after) = (number(cells[change - 2]), number(cells[change - 1]));
        let printed = 1.0 + number(cells[change]) / 100.0;
        assert!((after / before / printed).ln().abs() < 0.03, "{row}");
        checked += 1;
    }
    assert_eq!(checked, 4, "{table}");
}

#[test]
fn a_step_a_drift_a_spike_and_an_accepted_regression_give_exactly_these_findings() {
    let (sandbox, commits) = sixty();
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    for (name, expected) in [("accepted", 54), ("fixed", 20)] {
        let changes = series(&answer, name)["changes"].as_array().unwrap();
        assert_eq!(changes.len(), 1, "{name}: {changes:?}");
        assert_eq!((&changes[0]["kind"], &changes[0]["at"]), (&"step".into(), &commits[expected].as_str().into()));
        assert_eq!(changes[0]["up_to"], commits[expected].as_str());
        assert_eq!(changes[0]["after"], commits[expected - 1].as_str());
    }
    assert_eq!(series(&answer, "accepted")["changes"][0]["worse"], true);
    assert_eq!(series(&answer, "fixed")["changes"][0]["worse"], false);
    let drift = series(&answer, "drifting")["changes"].as_array().unwrap();
    assert_eq!((drift.len(), &drift[0]["kind"]), (1, &"drift".into()), "{drift:?}");
    assert!((drift[0]["change"].as_f64().unwrap() - 0.09).abs() < 0.015);
    for name in STEADY.into_iter().chain(["spiky"]) {
        assert_eq!(series(&answer, name)["changes"].as_array().unwrap().len(), 0, "{name}");
    }

    let table = sandbox.perfgate_at("r", &["history"]);
    table.prints(" before ").prints(" after ");
    table.exits(0).prints("9 series without a change").prints("no single step").prints("+9.");
    // The drift has no level of its own.
    let drifting = sandbox.perfgate_at("r", &["history", "drifting"]);
    drifting.exits(0).prints(" ns → 5");
    table.prints(commits[54].short()).prints("5 commits before the last run").does_not_print("✗ worse, accepted");
    let waiver = |up_to: u32| {
        format!("[[accept]]\nbenchmark = 'accepted'\nup-to = '{up_to}%'\nreason = 'r'\nuntil = '2999-01-01'\n")
    };
    // The commit is known, so there is nothing to search for. A drift has no single commit.
    table.prints(&format!("to see the commit that made accepted worse: `git show {}`\n", commits[54].short()));
    sandbox.write("r/perfgate.toml", waiver(35));
    for args in [&["history"][..], &["history", "accepted"]] {
        sandbox.perfgate_at("r", args).exits(0).prints("✗ worse, accepted  ").does_not_print("to see the commit");
    }
    sandbox.write("r/perfgate.toml", waiver(5));
    sandbox.perfgate_at("r", &["history"]).exits(0).does_not_print("✗ worse, accepted");
    std::fs::remove_file(sandbox.path("r/perfgate.toml")).unwrap();
    let one = sandbox.perfgate_at("r", &["history", "accepted"]);
    one.exits(0).prints("1.0").prints("1.3").prints(&format!("at {}", commits[54].short())).does_not_print("fixed");
}

#[test]
fn a_regression_with_several_possible_commits_has_the_command_that_finds_its_commit() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 30);
    let level = |i: usize, factor: f64| if i >= 20 { 1000.0 * factor } else { 1000.0 };
    let rate = |i: usize| {
        let metric = Metric::measured("rate", Unit::Count, Direction::Higher);
        Measurement::new("criterion", "it's", metric, samples(level(i, 0.95), 100 + i))
    };
    // Two commits were not measured.
    let runs: Vec<Run> = (0..30)
        .filter(|i| !(18..20).contains(i))
        .map(|i| {
            let suite = vec![time("parse; large", level(i, 1.5), i), rate(i), time("s1", 1000.0, 300 + i)];
            run(&commits[i], START + 3600 * i as i64, suite)
        })
        .collect();
    put(&sandbox, &runs);
    let (good, bad) = (commits[17].short(), commits[20].short());
    let find = format!("to find the commit: `perfgate bisect 'parse; large' --good {good} --bad {bad} -- COMMAND`");
    let table = sandbox.perfgate_at("r", &["history"]);
    table.exits(0).prints(&find).prints("  95% CI  ").prints(&format!("%  after {good}, up to {bad} (3 possible"));
    table.prints("CI: confidence interval of the change; after A, up to B: one of the commits in `git log A..B`");
    assert_eq!(table.stdout.matches("perfgate bisect").count(), 1, "{}", table.stdout);
    sandbox.perfgate_at("r", &["history", "parse"]).exits(0).prints(&find).prints("[ … ]: 95% confidence interval");
    sandbox.perfgate_at("r", &["history", "parse"]).prints(
        "from, to: first and last commit of each level; the first commit after a change is the most likely cause; ",
    );
    // A slowdown below the threshold of `perfgate bisect`, of another metric.
    let rate = sandbox.perfgate_at("r", &["history", "it's"]);
    rate.exits(0).prints(&format!(r"`perfgate bisect 'it'\''s' --metric rate --good {good} --bad {bad} --threshold 2"));
}

#[test]
fn a_step_back_to_the_earlier_level_undoes_the_earlier_change() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 40);
    let level = |i: usize, levels: [f64; 3]| levels[(i / 13).min(2)];
    let runs: Vec<Run> = (0..40)
        .map(|i| {
            let back = time("back", level(i, [1000.0, 1400.0, 1000.0]), i);
            let third = time("third", level(i, [1000.0, 1400.0, 1200.0]), 100 + i);
            run(&commits[i], START + 3600 * i as i64, vec![back, third, time("s1", 1000.0, 200 + i)])
        })
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    for (name, expected) in [("back", [false, true]), ("third", [false, false])] {
        let changes = series(&answer, name)["changes"].as_array().unwrap();
        let undoes: Vec<bool> = changes.iter().map(|change| change["undoes_previous"].as_bool().unwrap()).collect();
        assert_eq!(undoes, expected, "{name}: {changes:?}");
    }
    let table = sandbox.perfgate_at("r", &["history"]);
    table
        .exits(0)
        .prints("13 commits before the last run; undoes an earlier change (back to the level before it)\n")
        .prints("13 commits before the last run; 1 earlier change\n");
    assert_eq!(table.stdout.matches("undoes").count(), 1, "{}", table.stdout);
    let detail = sandbox.perfgate_at("r", &["history", "back"]);
    detail.exits(0).prints("; undoes an earlier change (back to the level before it)\n");
}

/// The suite's name is a part of imported names; no benchmark command prints it.
#[test]
fn the_bisect_command_of_an_imported_series_has_a_condition() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 30);
    let imported = |i: usize| {
        let level = if i >= 20 { 1500.0 } else { 1000.0 };
        Measurement::new("github-action-benchmark", "Suite/slow", Metric::time(), samples(level, i))
    };
    put(&sandbox, &runs_with_a_gap(&commits, |i| vec![imported(i)]));
    sandbox.perfgate_at("r", &["history"]).exits(0).prints("perfgate bisect Suite/slow --good ").prints(
        "(the benchmark command, such as `cargo bench`; it must report a benchmark of this name, otherwise see `[[continue]]` in \
         docs/migrate.md)",
    );
}

/// Runs of 30 commits, two of which were not measured.
fn runs_with_a_gap(commits: &[Commit], suite: impl Fn(usize) -> Vec<Measurement>) -> Vec<Run> {
    let measured = (0..30).filter(|i| !(18..20).contains(i));
    measured.map(|i| run(&commits[i], START + 3600 * i as i64, suite(i))).collect()
}

#[cfg(unix)] // the commands are for a POSIX shell
#[test]
fn the_printed_command_runs_for_any_name_that_a_terminal_can_show() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 30);
    std::fs::create_dir(sandbox.path("scratch")).unwrap();
    let shown = [("leading", "-leading dash"), ("threshold", "--threshold"), ("it's", "it's `a` $HOME")];
    let hidden = [("tab", "tab\tx"), ("line", "new\nline")];
    let long = format!("long {}", "x".repeat(200));
    let names: Vec<&str> = shown.iter().chain(&hidden).map(|(_, name)| *name).chain([&*long]).collect();
    let suite = |i: usize| -> Vec<Measurement> {
        let level = if i >= 20 { 1500.0 } else { 1000.0 };
        names.iter().enumerate().map(|(k, name)| time(name, level, 100 * k + i)).collect()
    };
    put(&sandbox, &runs_with_a_gap(&commits, suite));
    for (part, name) in shown.into_iter().chain([("long", &*long)]) {
        let answer = sandbox.perfgate_at("r", &["history", part]);
        let (_, command) = answer.exits(0).stdout.split_once("`perfgate bisect ").unwrap();
        let (command, _) = command.split_once(" -- COMMAND`").unwrap();
        let print = format!("printf '%s\\n' {command}");
        let printed = std::process::Command::new("sh").args(["-c", &print]).output().unwrap().stdout;
        let printed = String::from_utf8(printed).unwrap();
        let mut args = vec!["bisect", "--scratch", "../scratch"];
        args.extend(printed.lines().chain(["--", "true"]));
        // `true` has no such benchmark: the command got past its arguments.
        let bisect = sandbox.perfgate_at("r", &args);
        bisect.exits(2).reports(name);
        assert!(!bisect.stderr.contains("Usage:"), "{}", bisect.stderr);
    }
    for (part, _) in hidden {
        sandbox.perfgate_at("r", &["history", part]).exits(0).prints("✗ worse").does_not_print("perfgate bisect");
    }
}

#[test]
fn a_regression_on_another_machine_has_a_command_for_that_machine() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 30);
    let mut runs = runs_with_a_gap(&commits, |i| vec![time("a", if i >= 20 { 700.0 } else { 500.0 }, i)]);
    for run in &mut runs {
        run.environment.set(Environment::CPU, "Another CPU");
        run.environment.set(Environment::KEY, "nightly");
    }
    runs.extend((0..30).map(|i| run(&commits[i], START + 3600 * i as i64, vec![time("a", 1000.0, 500 + i)])));
    put(&sandbox, &runs);
    let find = "to find the commit on the machine Another CPU: `perfgate bisect a --good ";
    sandbox.perfgate_at("r", &["history"]).exits(0).prints(find);
    sandbox.perfgate_at("r", &["history", "a"]).exits(0).prints(find);
}

#[test]
fn a_change_of_an_exact_count_has_its_old_level_and_no_interval() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 20);
    let count = |i: usize| {
        let metric = Metric::counted("queries", Unit::Count, Direction::Lower);
        Measurement::new("t", "page", metric, Evidence::Value(if i >= 12 { 5.0 } else { 3.0 }))
    };
    let runs: Vec<Run> =
        commits.iter().enumerate().map(|(i, commit)| run(commit, START + 3600 * i as i64, vec![count(i)])).collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["history"]);
    answer.exits(0).prints("     3      5  +66.7%  at ").does_not_print("[").does_not_print("confidence");
    sandbox.perfgate_at("r", &["history", "page"]).exits(0).prints("+66.7% at ").does_not_print("[");
}

#[test]
fn a_rename_an_epoch_and_another_unit_keep_series_meaningful() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let runs: Vec<Run> = (0..24)
        .map(|i| {
            let renamed = time(if i < 12 { "old" } else { "new" }, 1000.0, i);
            let corpus = time("corpus", if i < 12 { 1000.0 } else { 3000.0 }, 50 + i);
            let metric = match i {
                0..12 => Metric::time(),
                _ => Metric { unit: Unit::Byte, ..Metric::time() },
            };
            let unit = Measurement::new("criterion", "unit", metric, samples(1000.0, 80 + i));
            run(&commits[i], START + 86_400 * i as i64, vec![renamed, corpus, unit])
        })
        .collect();
    put(&sandbox, &runs);
    let tag = commits[12].as_str();
    sandbox.git("r", &["tag", "v2", tag]);
    let points = |answer: &Value, name: &str| -> Vec<usize> {
        let all = answer["series"].as_array().unwrap().iter().filter(|series| series["name"] == name);
        all.map(|series| series["points"].as_array().unwrap().len()).collect()
    };
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    assert_eq!(
        (points(&answer, "old"), points(&answer, "new"), points(&answer, "unit")),
        (vec![12], vec![12], vec![12, 12])
    );
    assert_eq!(series(&answer, "corpus")["changes"].as_array().unwrap().len(), 1);

    // 2026-06-09 in UTC is the day of the run of commit 12: START is 2026-05-28, 20:26:40.
    for from in ["2026-06-09", "v2"] {
        let config = format!(
            "[rename]\nold = \"new\"\n[[epoch]]\nmatch = \"corpus\"\nfrom = \"{from}\"\nreason = \"a larger corpus\"\n"
        );
        sandbox.write("r/perfgate.toml", config);
        let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
        assert_eq!(points(&answer, "new"), [24], "{from}");
        assert_eq!(series(&answer, "new")["epoch"], Value::Null);
        if from == "2026-06-09" {
            assert_eq!(series(&answer, "corpus")["epoch"]["reason"], "a larger corpus");
            sandbox
                .perfgate_at("r", &["history", "--html", "page.html"])
                .exits(0)
                .prints("perfgate.toml restarts 1 series on 2026-06-09 (`[[epoch]]`: a larger corpus); earlier runs are not used: corpus\n");
            assert!(
                sandbox.read("r/page.html").contains("\"epoch\":{\"reason\":\"a larger corpus\",\"start\":1780963200}")
            );
            let corpus = sandbox.perfgate_at("r", &["history", "corpus"]);
            corpus.exits(0).prints("12 commits; commits of one level differ by about ");
            corpus.prints(
                "perfgate.toml restarts this series on 2026-06-09 (`[[epoch]]`: a larger corpus); earlier runs",
            );
            assert_eq!(points(&answer, "corpus"), [12]);
            assert_eq!(series(&answer, "corpus")["changes"].as_array().unwrap().len(), 0);
        }
    }
    sandbox.write("r/perfgate.toml", "[[epoch]]\nmatch = \"corpus\"\nfrom = \"v9\"\nreason = \"never tagged\"\n");
    sandbox.perfgate_at("r", &["history"]).exits(0).reports("perfgate.toml:2").reports("v9");
}

#[test]
fn other_machines_gaps_and_rewritten_commits_are_kept_apart() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 30);
    let mut runs: Vec<Run> = (0..30)
        .filter(|i| !(10..14).contains(i)) // a gap
        .map(|i| run(&commits[i], START + 3600 * i as i64, vec![time("a", 1000.0, i)]))
        .collect();
    for i in [20, 21, 22] {
        let mut other = run(&commits[i], START + 3600 * i as i64, vec![time("a", 2000.0, 500 + i)]);
        other.environment.set(Environment::CPU, "another");
        runs.push(other);
    }
    let lost = Commit::parse(&"ab".repeat(20)).unwrap();
    runs.push(run(&lost, START + 3600 * 15, vec![time("a", 9000.0, 600)]));
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let all = answer["series"].as_array().unwrap();
    let points: Vec<usize> = all.iter().map(|series| series["points"].as_array().unwrap().len()).collect();
    assert_eq!((points, &all[1]["machine"]), (vec![26, 3], &"another".into()));
    assert!(all.iter().all(|series| series["changes"].as_array().unwrap().is_empty()));
    assert_eq!(answer["diagnostics"][0]["code"], "other-commits");
    assert!(answer["diagnostics"][0]["message"].as_str().unwrap().starts_with("1 stored run belongs to"));
}

#[test]
fn commits_of_main_are_not_between_those_of_a_branch_that_forked_earlier() {
    let sandbox = Sandbox::new();
    let main = commits(&sandbox, 60);
    sandbox.git("r", &["switch", "-q", "-c", "work", main[9].as_str()]);
    let mut measured = main[..10].to_vec();
    for i in 10..22 {
        let commit = ["commit", "-q", "--allow-empty", "-m", &format!("work {i}")];
        sandbox.git_at("r", START + 3600 * i, &commit);
        measured.push(Commit::parse(&sandbox.git("r", &["rev-parse", "HEAD"])).unwrap());
    }
    let level = |i: usize| if i < 10 { 1000.0 } else { 2000.0 };
    let runs: Vec<Run> = (0..22)
        .map(|i| run(&measured[i], START + 3600 * i as i64, vec![time("a", level(i), i), time("b", 1000.0, 50 + i)]))
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let change = &series(&answer, "a")["changes"][0];
    assert_eq!(change["at"], measured[10].as_str(), "{answer:#}");
    sandbox.perfgate_at("r", &["history", "a"]).exits(0).prints(&format!("at {}", measured[10].short()));
    sandbox.perfgate_at("r", &["history"]).exits(0).prints("11 commits before the last run");
}

#[test]
fn history_handles_one_run_no_run_and_an_unknown_name() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 1);
    sandbox.perfgate_at("r", &["history"]).exits(2).reports("has no run").reports("perfgate record");
    put(&sandbox, &[run(&commits[0], START, vec![time("<b>\u{1b}[31m", 1000.0, 1)])]);
    sandbox.perfgate_at("r", &["history"]).exits(0).prints("1 series without a change");
    let one = sandbox.perfgate_at("r", &["history", "<b>"]);
    one.exits(0).prints("fewer than 8 commits").does_not_print("\u{1b}[31m");
    sandbox.perfgate_at("r", &["history", "nothing"]).exits(2).reports("no stored benchmark has").reports("<b>");
    sandbox
        .perfgate_at("r", &["history", "--format", "csv"])
        .exits(0)
        .prints("name,metric,unit")
        .prints(commits[0].as_str());
}

#[test]
fn runs_of_a_newer_version_are_reported_and_left_out() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 10);
    let all: Vec<Run> = (0..10).map(|i| run(&commits[i], START + i as i64, vec![time("a", 1000.0, i)])).collect();
    put(&sandbox, &all[..9]);
    let mut bytes = record::encode(&all[9]).unwrap();
    bytes[6..10].copy_from_slice(&[9, 0, 9, 0]); // written in version 9, read from version 9 on
    let store = store::open(store::DEFAULT_URL, &sandbox.path("r")).unwrap();
    store.write(&[(Key::new(&all[9], &bytes), bytes)]).unwrap();
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    assert_eq!(series(&answer, "a")["points"].as_array().unwrap().len(), 9);
    assert_eq!(answer["diagnostics"][0]["code"], "unreadable-run");
    assert!(answer["diagnostics"][0]["message"].as_str().unwrap().contains("install a newer perfgate"));
}

#[test]
fn the_page_of_a_history_has_each_series_with_its_points() {
    let (sandbox, commits) = sixty();
    sandbox.git("r", &["remote", "add", "origin", "git@github.com:octo/parser.git"]);
    sandbox.perfgate_at("r", &["history", "--html", "history.html"]).exits(0);
    let page = sandbox.read("r/history.html");
    let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: Value = serde_json::from_str(data).unwrap();
    // The latest regression comes first.
    let overview = &data["overview"];
    let names: Vec<&str> =
        overview["series"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!((names.len(), &names[..3]), (12, &["accepted", "drifting", "fixed"][..]));
    assert_eq!(overview["links"]["commit"], "https://github.com/octo/parser/commit/{commit}");
    assert_eq!(data["commits"]["commits"][54][0], commits[54].as_str());
    assert_eq!(data["commits"]["commits"][54][2], "change 54");
    let points = data["series"].as_array().unwrap();
    assert_eq!(points[0]["values"].as_array().unwrap().len(), 60);
    assert_eq!(points[0]["levels"].as_array().unwrap().len(), 2);
    // One level before the drift and one after it; the drift itself has none.
    assert_eq!(points[1]["levels"].as_array().unwrap().len(), 2);
    if cfg!(feature = "plots") {
        sandbox.perfgate_at("r", &["history", "--plots", "plots"]).exits(0).reports("12 charts in plots");
        assert_eq!(std::fs::read_dir(sandbox.path("r/plots")).unwrap().count(), 12);
    }
    assert!(page.len() < 150_000, "{}", page.len());
}

/// The JSON of a file that a site loads.
fn part(sandbox: &Sandbox, name: &str) -> Value {
    let file = sandbox.read(&format!("r/site/perf/data/{name}.js"));
    serde_json::from_str(file.strip_prefix("perfgate(").unwrap().strip_suffix(");\n").unwrap()).unwrap()
}

#[test]
fn a_site_has_a_page_and_a_file_for_each_series() {
    let (sandbox, commits) = sixty();
    sandbox.write(
        "r/perfgate.toml",
        "[[accept]]\nbenchmark = \"accepted\"\nup-to = \"35%\"\nreason = \"bounds checks\"\nuntil = \"2027-03-01\"\n",
    );
    let answer = sandbox.perfgate_at("r", &["history", "--site", "site/perf"]);
    answer.exits(0).reports("wrote the page and its data to site/perf; open ");
    assert!(sandbox.path("r/site/perf/.nojekyll").exists());
    let page = sandbox.read("r/site/perf/index.html");
    let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!((&data["series"], &data["overview"]["links"]), (&Value::Null, &Value::Null));
    assert_eq!(part(&sandbox, "commits")["commits"].as_array().unwrap().len(), 60);
    for one in data["overview"]["series"].as_array().unwrap() {
        let points = part(&sandbox, one["file"].as_str().unwrap());
        assert_eq!(points["commits"].as_array().unwrap().len(), 60, "{one}");
    }
    let first = &data["overview"]["series"][0];
    let points = part(&sandbox, first["file"].as_str().unwrap());
    assert_eq!((&first["name"], &first["last"]["accepted"]), (&"accepted".into(), &true.into()));
    assert_eq!((&points["changes"][0]["commit"], &points["changes"][0]["after"]), (&54.into(), &53.into()));
    assert_eq!(points["waivers"][0]["reason"], "bounds checks");
    let numbers: Value = serde_json::from_str(&sandbox.read("r/site/perf/history.json")).unwrap();
    assert_eq!(numbers["series"].as_array().unwrap().len(), 12);
    assert_eq!(series(&numbers, "accepted")["points"][54]["commit"], commits[54].as_str());
}

#[test]
fn a_step_below_a_clock_cycle_is_not_a_change() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let one = |(i, commit): (usize, &Commit)| {
        let value = |low: f64, high: f64| Evidence::Value(if i >= 12 { high } else { low } * (1.0 + 0.003 * noise(i)));
        let time = |name: &'static str, low, high| Measurement::new("t", name, Metric::time(), value(low, high));
        let empty_rate = Measurement::new("jmh", "rate", Metric::throughput(), value(3.4e9, 2.0e9));
        let all = vec![time("empty", 0.01, 0.2), time("small", 0.4, 0.8), empty_rate];
        run(commit, START + 3600 * i as i64, all)
    };
    put(&sandbox, &commits.iter().enumerate().map(one).collect::<Vec<_>>());
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let changes = |name| series(&answer, name)["changes"].as_array().unwrap().len();
    assert_eq!((changes("empty"), changes("rate"), changes("small")), (0, 0, 1), "{answer}");
    // The floor of the config takes the place of the default.
    for (floor, expected) in [("0ns", [1, 1]), ("1ns", [0, 0])] {
        sandbox.write("r/perfgate.toml", format!("[[benchmark]]\nmatch = \"*\"\nfloor = \"{floor}\"\n"));
        let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
        let changes = |name| series(&answer, name)["changes"].as_array().unwrap().len();
        assert_eq!([changes("empty"), changes("small")], expected, "{floor}: {answer}");
    }
}

/// The history of 16 runs of one count, as JSON and as text.
fn history_of_counts(values: [f64; 16]) -> (Value, String) {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, values.len());
    let one = |(i, commit): (usize, &Commit)| {
        let metric = Metric::counted("share", Unit::Ratio, Direction::Lower);
        let measurement = Measurement::new("custom", "counted", metric, Evidence::Samples(vec![values[i]]));
        run(commit, START + 3600 * i as i64, vec![measurement])
    };
    put(&sandbox, &commits.iter().enumerate().map(one).collect::<Vec<_>>());
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let text = sandbox.perfgate_at("r", &["history"]);
    (series(&answer, "counted")["changes"].clone(), text.exits(0).stdout.clone())
}

#[test]
fn a_zero_does_not_distort_the_size_of_a_step() {
    let stepped = |old: f64, new: f64| std::array::from_fn(|i| if i >= 8 { new } else { old });
    for (old, new, expected) in [(2.0, 4.0, 1.0), (0.001, 0.01, 9.0)] {
        let mut values = stepped(old, new);
        values[3] = 0.0;
        let (changes, _) = history_of_counts(values);
        assert_eq!(changes.as_array().unwrap().len(), 1, "{changes}");
        assert!((changes[0]["change"].as_f64().unwrap() - expected).abs() < 0.01, "{changes}");
        assert_eq!(changes[0]["index"], 8);
    }
    // A step from zero has no percentage.
    let (changes, text) = history_of_counts(stepped(0.0, 0.01));
    assert_eq!((changes.as_array().unwrap().len(), &changes[0]["change"]), (1, &Value::Null), "{changes}");
    assert_eq!((&changes[0]["index"], &changes[0]["worse"]), (&8.into(), &true.into()));
    assert!(text.contains("from zero"), "{text}");
    let (changes, text) = history_of_counts(stepped(0.01, 0.0));
    assert_eq!((&changes[0]["change"], &changes[0]["worse"]), (&(-1.0).into(), &false.into()), "{changes}");
    assert!(text.contains("−100.0%"), "{text}");
}

#[test]
fn a_rename_onto_the_name_of_a_removed_benchmark_does_not_join_the_two() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let runs: Vec<Run> = (0..24)
        .map(|i| {
            // `new` was another benchmark until commit 12, when `old` got its name. It came before `old`.
            let mut all = vec![time("s", 100.0, 50 + i), time("new", if i < 12 { 1000.0 } else { 500.0 }, i)];
            all.extend((4..12).contains(&i).then(|| time("old", 500.0, 100 + i)));
            run(&commits[i], START + 3600 * i as i64, all)
        })
        .collect();
    put(&sandbox, &runs);
    sandbox.write("r/perfgate.toml", "[rename]\nold = \"new\"\n");
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let new = series(&answer, "new");
    assert_eq!(new["points"].as_array().unwrap().len(), 20);
    assert_eq!(new["changes"].as_array().unwrap().len(), 0, "{new:#}");
    let warning = "an earlier benchmark \"new\", whose name a rename gives to another one";
    sandbox.perfgate_at("r", &["history"]).exits(0).reports(warning);
    sandbox.perfgate_at("r", &["replay"]).exits(0).reports(warning);

    // The base of a comparison has no change either.
    sandbox.git("r", &["checkout", "-q", commits[14].as_str()]);
    let compared = sandbox.perfgate_at("r", &["compare", "--head", "HEAD", "--all", "--format", "json"]).json();
    let row = compared["benchmarks"].as_array().unwrap().iter().find(|one| one["name"] == "new").unwrap();
    assert_eq!(row["base"]["runs"], 10, "{compared:#}");
}

#[test]
fn a_history_in_a_shallow_clone_names_the_runs_of_commits_that_it_lacks() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 6);
    let runs: Vec<Run> =
        (0..6).map(|i| run(&commits[i], START + 3600 * i as i64, vec![time("a", 1000.0, i)])).collect();
    put(&sandbox, &runs);
    let hub = format!("file://{}", sandbox.path("r").display());
    sandbox.git("", &["clone", "-q", "--depth", "2", &hub, "shallow"]);
    sandbox.perfgate_at("shallow", &["runs", "pull"]).exits(0);
    for command in ["history", "replay"] {
        sandbox
            .perfgate_at("shallow", &[command])
            .exits(0)
            .reports("this clone is shallow: 4 stored runs are of commits that it does not have")
            .reports("`git fetch --unshallow`");
    }
    sandbox.git("shallow", &["fetch", "-q", "--unshallow"]);
    assert!(!sandbox.perfgate_at("shallow", &["history"]).exits(0).stderr.contains("shallow"));
}

#[test]
fn a_mistake_in_an_epoch_is_reported_in_every_comparison() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").bench("r/a", "x", 1000.0, 1).bench("r/b", "x", 1000.0, 2);
    let epoch = |from: &str| format!("[[epoch]]\nmatch = \"*\"\nfrom = \"{from}\"\nreason = \"r\"\n");
    for (from, message) in [
        ("2999-01-01", "the epoch starts in the future"),
        ("v9", "the epoch has no effect"),
        ("2026/01/05", "the epoch has no effect"),
    ] {
        sandbox.write("r/perfgate.toml", epoch(from));
        sandbox.perfgate_at("r", &["compare", "a", "b"]).exits(0).prints(message);
    }
    sandbox.perfgate_at("r", &["compare", "a", "b"]).prints("a date has hyphens");
    // Only a whole repository has every revision.
    let refused = "the epoch has no effect";
    sandbox.git("", &["clone", "-q", "--depth", "1", &format!("file://{}", sandbox.path("r").display()), "shallow"]);
    for directory in ["shallow", "outside"] {
        sandbox.write(&format!("{directory}/perfgate.toml"), epoch("v9"));
        sandbox.perfgate_at(directory, &["compare", "../r/a", "../r/b"]).exits(0).does_not_print(refused);
    }
    // Git permits such a tag.
    sandbox.git("r", &["tag", "2026/01/05"]);
    sandbox.perfgate_at("r", &["compare", "a", "b"]).exits(0).does_not_print("the epoch");
}

#[test]
fn a_series_that_is_no_longer_measured_comes_last_with_its_last_run() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let runs: Vec<Run> = (0..24)
        .map(|i| {
            let mut measurements = vec![time("live", if i >= 6 { 1300.0 } else { 1000.0 }, i)];
            measurements.extend((0..4).map(|k| time(STEADY[k], 1000.0, 100 * (k + 1) + i)));
            if i < 18 {
                measurements.push(time("gone", if i >= 16 { 1300.0 } else { 1000.0 }, 700 + i));
                measurements.push(time("wild", 1000.0 * (1.0 + 0.15 * noise(7000 + i)), 900 + i));
            }
            run(&commits[i], START + 3600 * i as i64, measurements)
        })
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["history", "--format", "json"]).exits(0).json();
    let measured = |name: &str| series(&answer, name)["measured"] == true;
    assert!(measured("live") && measured("s1") && !measured("gone") && !measured("wild"));

    let table = sandbox.perfgate_at("r", &["history"]);
    let row = |name: &str| table.stdout.lines().position(|line| line.contains(&format!("  {name}  "))).unwrap();
    assert!(row("live") < row("gone"), "{}", table.stdout);
    let last = format!("last measured 2026-05-29 ({})", commits[17].short());
    table.exits(0).prints(&last).prints("17 commits before the last run").does_not_print("1 commit before");
    table.prints("5 series without a change, 1 of them no longer measured");
    sandbox.perfgate_at("r", &["history", "gone"]).exits(0).prints(&format!("no longer measured: {last}"));
    sandbox.perfgate_at("r", &["replay", "--suggest"]).exits(0).prints("[gate]").does_not_print("wild");
    sandbox.perfgate_at("r", &["history", "--html", "page.html"]).exits(0);
    let page = sandbox.read("r/page.html");
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}"));
    assert!(place("\"id\":\"live\"") < place("\"id\":\"s1\"") && place("\"id\":\"s1\"") < place("\"id\":\"gone\""));
}

#[test]
fn series_that_became_worse_come_first_then_larger_changes_and_an_old_peak_is_beyond_the_scale() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let runs: Vec<Run> = (0..24)
        .map(|i| {
            let stepped = |name: &str, factor: f64, seed: usize| {
                let level = if i >= 16 { 1000.0 * factor } else { 1000.0 };
                time(name, if name == "tenth" && i == 3 { 9000.0 } else { level }, seed + i)
            };
            let all = vec![
                stepped("down", 0.6, 100),
                stepped("half", 1.5, 200),
                stepped("tenth", 1.1, 300),
                stepped("twice", 2.0, 400),
                stepped("up", 0.9, 500),
            ];
            run(&commits[i], START + 3600 * i as i64, all)
        })
        .collect();
    put(&sandbox, &runs);
    let table = sandbox.perfgate_at("r", &["history"]).exits(0).stdout.clone();
    let place = |name: &str| table.find(&format!("  {name} ")).unwrap_or_else(|| panic!("no {name} in {table}"));
    let order = ["twice", "half", "tenth", "down", "up"].map(place);
    assert!(order.is_sorted(), "{table}");
    let row = table.lines().find(|line| line.contains("  tenth ")).unwrap();
    assert_eq!((row.matches('↑').count(), row.matches('▁').count() > 10), (1, true), "{table}");
    assert!(table.contains("worse first, then latest; CI: confidence interval of the change"), "{table}");
    assert!(table.contains("; ↑ ↓: beyond the scale of the trend\n"), "{table}");
    let page = sandbox.perfgate_at("r", &["history", "--html", "page.html"]);
    page.exits(0);
    let data = sandbox.read("r/page.html");
    let at = |name: &str| data.find(&format!("\"id\":\"{name}\"")).unwrap_or_else(|| panic!("no {name}"));
    assert!(["twice", "half", "tenth", "down", "up"].map(at).is_sorted());
    assert!(data.contains("\"beyond\":[3]"), "the peak is marked");
}
