//! Tests of `measure` and `bisect`. The benchmark tool is synthetic (tests/data/measure/bench.sh): it writes results like
//! criterion's, with numbers from the checked-out commit.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

#[path = "measure/bisect.rs"]
mod bisect;
#[path = "measure/builds.rs"]
mod builds;
mod common;
#[path = "measure/counts.rs"]
mod counts;
#[path = "measure/ends.rs"]
mod ends;
#[path = "measure/explained.rs"]
mod explained;
#[path = "measure/places.rs"]
mod places;
#[path = "measure/re_measuring.rs"]
mod re_measuring;

use common::Sandbox;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Ten benchmarks, some of them slower by a factor.
fn speeds(slower: &[(&str, f64)]) -> String {
    let line = |(index, name): (usize, &str)| {
        let factor = slower.iter().find(|(slow, _)| *slow == name).map_or(1.0, |(_, factor)| *factor);
        format!("{name} {}\n", 1000.0 * (index + 1) as f64 * factor)
    };
    ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].into_iter().enumerate().map(line).collect()
}

/// A repository `r` with the tool on main, and a branch on top of it with other speeds.
fn sandbox(slower: &[(&str, f64)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("r/bench.sh", fs::read(common::data("measure/bench.sh")).unwrap());
    sandbox.write("r/speeds", speeds(&[]));
    sandbox.repository("r");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.write("r/speeds", speeds(slower)).commit("r", "work");
    fs::create_dir(sandbox.path("scratch")).unwrap();
    sandbox
}

/// `measure` with these options and the synthetic tool.
fn measure(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    with(sandbox, options, &["sh", "bench.sh", "{filter}"])
}

fn with(sandbox: &Sandbox, options: &[&str], command: &[&str]) -> common::Answer {
    let mut args = vec!["measure", "--scratch", "../scratch"];
    args.extend(options);
    args.push("--");
    args.extend(command);
    sandbox.perfgate_at("r", &args)
}

/// Checks that a measurement left nothing in the scratch directory or in git's.
#[track_caller]
fn assert_clean(sandbox: &Sandbox) {
    let left: Vec<_> = fs::read_dir(sandbox.path("scratch")).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!sandbox.path("r/.git/worktrees").exists());
}

/// Runs a command as root, with `sudo` where this user is not root.
fn as_root(words: &[&str], path: &Path) -> bool {
    let run = |words: &[&str]| Command::new(words[0]).args(&words[1..]).arg(path).output();
    let done = |words: &[&str]| run(words).is_ok_and(|output| output.status.success());
    done(words) || done(&[&["sudo", "-n"], words].concat())
}

/// All files of a directory with their bytes.
fn bytes(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => open.push(entry.path()),
                false => files.push((entry.path(), fs::read(entry.path()).unwrap())),
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_slower_commit_is_detected() {
    let sandbox = sandbox(&[("c", 1.5)]);
    let answer = measure(&sandbox, &["--base", "main"]);
    // The sign marks the row that was re-measured; the rest of the suite ran once per side.
    let legend = "*: re-measured in 5 pairs (only these runs count)";
    answer.exits(1).prints("✗ regressed*  c").prints(legend).reports("re-measuring 1 suspect in 5 pairs, alone");
    let all = measure(&sandbox, &["--base", "main", "--all"]);
    all.prints("\n  unchanged   ").prints(&format!("{legend}, other rows: 1 run per side"));
    measure(&sandbox, &["--base", "main", "--confirm", "3"])
        .exits(1)
        .reports("re-measuring 1 suspect in 3 pairs, alone");
    let report = measure(&sandbox, &["--format", "json", "--save", "../saved.json"]);
    let json = report.exits(1).json();
    let c = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap();
    assert_eq!(c["confirmed"], true);
    assert_eq!(c["head"]["runs"], 5);
    assert!((c["change"].as_f64().unwrap() - 0.5).abs() < 0.02);
    assert_eq!(json["base"]["commit"], sandbox.git("r", &["rev-parse", "main"]));
    assert_eq!(json["counts"]["regressed"], 1);
    // The report that was printed can be rendered as well as the saved one.
    sandbox.write("printed.json", &report.stdout);
    let comment = sandbox.perfgate(&["render", "printed.json", "--template", "comment"]);
    comment.exits(0).prints("[[accept]]\nbenchmark = \"c\"\n").prints("perfgate measure --base ");
    comment.prints("| ❌* | `c` | ").prints("&#42;: re-measured in 5 pairs (only these runs count)");
    // A comment has the command to repeat the measurement; the terminal has only the numbers.
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let base = &sandbox.git("r", &["rev-parse", "main"])[..10];
    assert_eq!(saved["facts"]["reproduce"], format!("perfgate measure --base {base} -- sh bench.sh '{{filter}}'"));
    assert_clean(&sandbox);
}

/// A repository whose benchmarks change their speeds during the measurement: from a run's number on, those of head are the ones in
/// the file `speeds-NUMBER`. The runs are numbered from 1: the screening has two, and each pair two more.
fn changing(head: &[(&str, String)]) -> Sandbox {
    let sandbox = sandbox(&[]);
    let script = "run=$(basename \"$(dirname \"$CRITERION_HOME\")\" | tr -cd 0-9)\nfor first in 3 9; do\n  if [ -f speeds-$first ] && \
                  [ \"$run\" -ge $first ]; then cp speeds-$first speeds; fi\ndone\nsh bench.sh \"$@\"\n";
    sandbox.write("r/changing.sh", script).commit("r", "changing");
    head.iter().for_each(|(file, speeds)| {
        sandbox.write(&format!("r/{file}"), speeds);
    });
    sandbox.commit("r", "slower");
    sandbox
}

/// Four of ten benchmarks are suspects, which is more than 30%. Three pairs show two of them as slower, and two more pairs only one.
#[test]
fn what_three_pairs_of_many_suspects_show_must_be_in_two_more_pairs() {
    let slow = |names: &[&'static str]| speeds(&names.iter().map(|name| (*name, 1.5)).collect::<Vec<_>>());
    let sandbox = changing(&[
        ("speeds", slow(&["a", "b", "c", "d"])),
        ("speeds-3", slow(&["a", "b"])),
        ("speeds-9", slow(&["b"])),
    ]);
    for command in [&["sh", "changing.sh", "{filter}"][..], &["sh", "changing.sh"]] {
        let answer = with(&sandbox, &["--base", "HEAD~1", "--format", "json", "--all"], command);
        answer
            .exits(1)
            .reports("re-measuring 4 suspects in 3 pairs")
            .reports("re-measuring 2 suspects in 2 more pairs");
        let json = answer.json();
        let row = |name: &str| {
            let findings = json["benchmarks"].as_array().unwrap();
            let finding = findings.iter().find(|finding| finding["name"] == name).unwrap();
            (finding["outcome"].as_str().unwrap().to_owned(), finding["head"]["runs"].as_u64().unwrap())
        };
        let expected = [("a", "inconclusive", 5), ("b", "regressed", 5), ("c", "unchanged", 3), ("d", "unchanged", 3)];
        for (name, outcome, runs) in expected {
            assert_eq!(row(name), (outcome.to_owned(), runs), "{name}");
        }
        answer.prints("re-measured in 3 to 5 pairs because they looked slower or faster");
    }
    with(&sandbox, &["--base", "HEAD~1"], &["sh", "changing.sh"])
        .prints("4 suspects re-measured in 3 to 5 pairs: 1 regressed, 1 inconclusive, 2 unchanged (c, d)\n");
    // A number that was asked for stays.
    let answer = with(&sandbox, &["--base", "HEAD~1", "--confirm", "3"], &["sh", "changing.sh", "{filter}"]);
    assert!(
        !answer.reports("re-measuring 4 suspects in 3 pairs, alone").stderr.contains("more pairs"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_suspect_without_enough_new_results_stays_a_suspect() {
    let without_b: String =
        speeds(&[]).lines().filter(|line| !line.starts_with("b ")).map(|line| format!("{line}\n")).collect();
    let sandbox = changing(&[("speeds", speeds(&[("b", 1.5)])), ("speeds-3", without_b)]);
    let measured =
        |options: &[&str]| with(&sandbox, &[&["--base", "HEAD~1"], options].concat(), &["sh", "changing.sh"]);
    let why = "re-measured, but 3 runs of base and 0 of head had a result; 3 of each are needed";
    let report = measured(&[]);
    report.exits(0).prints("? inconclusive!  b").prints(why).does_not_print("decided by these runs alone");
    // The benchmark would be missing from more runs, too.
    let next = "Next: Check why \"b\" has no result in some runs, then measure again.\n";
    report.prints(next).does_not_print("`--rounds`").does_not_print("`--confirm`");
    let json = measured(&["--format", "json"]).json();
    let b = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "b").unwrap();
    assert_eq!((b["outcome"].as_str(), b["suspect"].as_bool()), (Some("inconclusive"), Some(true)), "{b}");
    assert_eq!((&b["without_q"], &b["confirmed"]), (&"too-few-results".into(), &false.into()));
    measured(&["--fail-on", "inconclusive"]).exits(1).prints(next);
}

#[test]
fn what_looks_better_is_re_measured_too() {
    let sandbox = sandbox(&[("c", 0.6)]);
    let answer = measure(&sandbox, &["--base", "main", "--format", "json"]);
    answer.exits(0).reports("re-measuring 1 suspect in 5 pairs, alone");
    let json = answer.json();
    let c = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap();
    assert_eq!((&c["outcome"], &c["confirmed"], &c["suspect"]), (&"improved".into(), &true.into(), &false.into()));
    measure(&sandbox, &["--base", "main"]).exits(0).prints(", 1 suspect re-measured in 5 pairs: improved\n");
    assert_clean(&sandbox);
}

#[test]
fn a_change_of_the_whole_suite_fails_and_is_named_as_one() {
    let all: Vec<(&str, f64)> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|name| (name, 1.14)).to_vec();
    let sandbox = sandbox(&all);
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = '5%'\n");
    let answer = measure(&sandbox, &["--base", "main"]);
    answer.exits(1).prints("FAIL: the whole suite is 14").prints("% slower, ").prints("whole suite +1");
    let json = measure(&sandbox, &["--base", "main", "--format", "json"]).json();
    let suite = &json["suite"];
    assert_eq!(
        (&suite["outcome"], &suite["runs"], &json["by_measure"]),
        (&"regressed".into(), &[3, 3].into(), &true.into())
    );
    assert!((suite["change"].as_f64().unwrap() - 0.14).abs() < 0.01 && suite["interval"][0].as_f64().unwrap() > 0.1);
    assert_eq!(json["failed_on"][0], serde_json::json!({"on": "suite"}));
    // A shift below the threshold does not fail the gate.
    let answer = measure(&sandbox, &["--base", "main", "--threshold", "20%", "--rounds", "3", "--format", "json"]);
    assert_eq!(answer.exits(0).json()["suite"]["outcome"], "unchanged");
}

#[test]
fn advice_in_a_measurement_names_its_own_options() {
    let sandbox = sandbox(&[("c", 1.036)]);
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = '4%'\n");
    let advice = "about 4 more runs per side would probably decide";
    for view in [&[][..], &["--format", "markdown", "--save", "../saved.json"]] {
        let answer = measure(&sandbox, &[&["--base", "main", "--confirm", "3"], view].concat());
        answer.exits(0).prints(advice).prints("`perfgate measure` with `--confirm 7`").does_not_print("`--base`");
    }
    let comment = sandbox.perfgate(&["render", "saved.json", "--template", "comment"]);
    comment.exits(0).prints(advice).prints("`perfgate measure` with `--confirm 7`").does_not_print("`--base`");
    let answer = measure(&sandbox, &["--base", "main", "--confirm", "7"]);
    answer.exits(0).reports("re-measuring 1 suspect in 7 pairs").does_not_print("undecided");
}

#[test]
fn an_equal_commit_passes() {
    let sandbox = sandbox(&[]);
    measure(&sandbox, &["--base", "main"]).exits(0).prints("PASS");
    assert_clean(&sandbox);
}

#[test]
fn a_budget_or_goal_that_matches_nothing_is_an_error() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/perfgate.toml", "[[budget]]\nmatch = 'no such'\nmetric = 'time'\ntarget = '<5ms'\n");
    measure(&sandbox, &["--base", "main"]).exits(2).reports("perfgate.toml:2").reports("matches nothing");
    sandbox.write("r/perfgate.toml", "[[goal]]\nmatch = 'no such'\nmetric = 'time'\nexpect = '-50%'\n");
    measure(&sandbox, &["--base", "main"]).exits(2).reports("matches nothing");
    assert_clean(&sandbox);
}

#[test]
fn work_tree_and_index_stay_unchanged() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/speeds", speeds(&[("e", 2.0)])).write("r/new", "new").write("r/staged", "staged");
    sandbox.git("r", &["add", "staged"]);
    fs::remove_file(sandbox.path("r/file")).unwrap();
    let status = sandbox.git("r", &["status", "--porcelain=v2"]);
    let before = bytes(&sandbox.path("r"));
    // Uncommitted changes are measured.
    measure(&sandbox, &["--base", "main"]).exits(1).prints("✗ regressed*  e");
    let lock = sandbox.path("r/.git/perfgate-measure");
    let after: Vec<_> = bytes(&sandbox.path("r")).into_iter().filter(|(path, _)| *path != lock).collect();
    assert_eq!(fs::read(&lock).unwrap(), b"");
    for (a, b) in before.iter().zip(&after) {
        assert_eq!(a.0, b.0);
        assert!(a.1 == b.1, "{} was changed", a.0.display());
    }
    assert_eq!(before.len(), after.len());
    assert_eq!(sandbox.git("r", &["status", "--porcelain=v2"]), status);
}

#[test]
fn a_base_that_does_not_build_has_no_verdict() {
    let sandbox = sandbox(&[]);
    let answer = measure(&sandbox, &["--base", "main", "--setup", "echo no such thing >&2; test -e built"]);
    answer.exits(2).reports("does not build").reports("no such thing").reports("base (");
    assert_eq!(answer.stdout, "");
    assert_clean(&sandbox);
}

#[test]
fn what_cannot_be_measured_is_an_error_without_a_verdict() {
    let sandbox = sandbox(&[]);
    measure(&sandbox, &["--base", "nowhere"]).exits(2).reports("`nowhere` is not a revision");
    with(&sandbox, &["--base", "main"], &["no-such-program"]).exits(2).reports("cannot find the command");
    let failing = with(&sandbox, &["--base", "main"], &["sh", "-c", "echo the reason; exit 3"]);
    failing.exits(2).reports("exited with code 3").reports("the reason");
    let empty = with(&sandbox, &["--base", "main"], &["sh", "-c", "echo only words", "{filter}"]);
    empty.exits(2).reports("wrote no results").reports("only words");
    let out = with(&sandbox, &["--base", "main"], &["sh", "-c", "true {out}"]);
    out.exits(2).reports("wrote no results");
    let bad = with(&sandbox, &["--base", "main"], &["sh", "-c", "echo '{' > {out}"]);
    bad.exits(2);
    assert_clean(&sandbox);
}

#[test]
fn a_command_over_the_time_limit_is_killed_with_its_children() {
    let sandbox = sandbox(&[]);
    let started = Instant::now();
    let stubborn = "trap '' TERM; echo begun >&2; sleep 77 & sleep 77";
    let answer = with(&sandbox, &["--base", "main", "--timeout", "300ms"], &["sh", "-c", stubborn]);
    answer.exits(2).reports("time limit").reports("begun");
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_clean(&sandbox);
}

#[test]
fn an_old_result_is_never_read() {
    let sandbox = sandbox(&[]);
    // Committed results are part of the checkout and have its time.
    sandbox.bench("r/target/criterion", "stale", 5.0, 1);
    sandbox.git("r", &["add", "-f", "target"]);
    sandbox.git("r", &["commit", "-q", "-m", "results"]);
    let answer = with(&sandbox, &["--base", "HEAD~1"], &["sh", "-c", "true", "{filter}"]);
    answer.exits(2).reports("wrote no results");
}

#[test]
fn a_gigabyte_of_output_takes_little_memory() {
    let sandbox = sandbox(&[]);
    let noisy = "head -c 1000000000 /dev/zero | tr '\\0' 'x'; echo; echo the end; exit 1";
    with(&sandbox, &["--base", "main"], &["sh", "-c", noisy]).exits(2).reports("the end");
}

#[test]
fn a_benchmark_of_one_side_is_added_or_removed() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/speeds", speeds(&[]).replace("j ", "new ")).commit("r", "renamed");
    let report = measure(&sandbox, &["--base", "main", "--format", "json"]);
    report.exits(0);
    assert_eq!(report.outcome("new"), "added");
    assert_eq!(report.outcome("j"), "removed");
}

#[test]
fn a_suspect_without_a_filter_is_measured_with_the_whole_suite() {
    let sandbox = sandbox(&[("c", 1.5)]);
    let answer = with(&sandbox, &["--base", "main"], &["sh", "bench.sh"]);
    answer.exits(1).prints("✗ regressed*  c").reports("with the whole suite");
}

#[test]
fn a_lock_file_that_git_ignores_is_there_on_both_sides() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/.git/info/exclude", "Cargo.lock\n").write("r/Cargo.lock", "of the user");
    with(
        &sandbox,
        &["--rounds", "1"],
        &["sh", "-c", "grep -q 'of the user' Cargo.lock && echo 'BenchmarkA 1 5 ns/op'"],
    )
    .exits(0);
    with(&sandbox, &["--rounds", "1"], &["cat speeds"]).exits(2).reports("write `-- cat speeds` without them");
    assert_clean(&sandbox);
}

#[test]
fn a_chance_result_of_the_screening_is_not_judged() {
    let sandbox = sandbox(&[]);
    // Head is slow in its first run only, which the fresh pairs show.
    sandbox.write(
        "r/once.sh",
        "case $PWD/$CRITERION_HOME in */head/*run-0002*|*/head*run-0002*) sed -i 's/^c 3000/c 6000/' speeds;; esac\n\
         sh bench.sh \"$@\"; git checkout -q speeds\n",
    );
    sandbox.commit("r", "a tool that hiccups");
    let answer = with(&sandbox, &["--base", "HEAD", "--format", "json"], &["sh", "once.sh", "{filter}"]);
    let json = answer.exits(0).json();
    let c = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap();
    assert_eq!((&c["confirmed"], &c["outcome"]), (&true.into(), &"unchanged".into()));
}

#[test]
fn a_base_that_varies_as_much_makes_it_inconclusive() {
    let sandbox = sandbox(&[("c", 1.3)]);
    // One of the three fresh base runs is slower by a little more than the regression.
    sandbox.git("r", &["switch", "-q", "main"]);
    let tool = fs::read_to_string(common::data("measure/bench.sh")).unwrap();
    let hiccup = "case $CRITERION_HOME in *run-0006/*) [ \"$name\" = c ] && ns=3950 || :;; esac";
    let tool = tool.replace("  at=", &format!("  {hiccup}\n  at="));
    sandbox.write("r/bench.sh", tool).commit("r", "disturbed");
    sandbox.git("r", &["switch", "-q", "work"]);
    let report = measure(&sandbox, &["--base", "main", "--confirm", "3", "--format", "json"]);
    report.exits(0).prints("two runs of base differ by 32%");
    assert_eq!(report.outcome("c"), "inconclusive");
}

#[test]
fn a_command_without_results_is_timed_itself() {
    let sandbox = sandbox(&[]);
    // The outcome does not depend on the load of the machine: memory grows by a large factor, and a sleep is never
    // shorter than requested.
    let work = |bytes: usize, seconds: f64| {
        let script = format!("dd if=/dev/zero of=/dev/null bs={bytes} count=1 2>/dev/null; exec sleep {seconds}");
        sandbox.write("r/work.sh", script).commit("r", &bytes.to_string());
    };
    work(64 << 20, 0.02);
    work(192 << 20, 0.06);
    let started = Instant::now();
    let report = with(&sandbox, &["--base", "HEAD~1", "--format", "json"], &["sh", "work.sh"]);
    let elapsed = started.elapsed();
    let json = report.exits(1).json();
    let of = |metric: &str| {
        let finding = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["metric"] == metric);
        finding.unwrap_or_else(|| panic!("no {metric}: {json}"))
    };
    let memory = of("memory:peak");
    assert_eq!((&memory["name"], &memory["tool"]), (&"sh work.sh".into(), &"process".into()));
    assert_eq!((&memory["outcome"], &memory["confirmed"]), (&"regressed".into(), &true.into()));
    let time = |side: &str| {
        assert_eq!(of("time")["unit"], "ns");
        Duration::from_nanos(of("time")[side]["value"].as_f64().unwrap() as u64)
    };
    assert!(time("base") >= Duration::from_millis(20) && time("head") >= Duration::from_millis(60), "{json}");
    assert!(time("base") + time("head") < elapsed, "{json}");
    let metrics: Vec<&str> =
        json["benchmarks"].as_array().unwrap().iter().filter_map(|finding| finding["metric"].as_str()).collect();
    for metric in ["memory:peak", "time:user", "time:system"] {
        assert!(metrics.contains(&metric), "{metrics:?}");
    }
}

#[test]
fn runs_of_one_side_are_stored_one_by_one() {
    let sandbox = sandbox(&[]);
    let answer = with(&sandbox, &["--no-base", "--rounds", "3"], &["sh", "bench.sh"]);
    answer.exits(0).reports("recorded 10 results");
    sandbox.perfgate_at("r", &["runs", "list"]).exits(0);
    let shown = sandbox.perfgate_at("r", &["runs", "show", "HEAD"]);
    assert_eq!(shown.exits(0).stdout.matches("run ").count(), 3);
    // `--setup` also builds what is measured without a base.
    let built = with(&sandbox, &["--no-base", "--setup", "cp bench.sh built.sh"], &["sh", "built.sh"]);
    built.exits(0).reports("recorded 10 results");
    with(&sandbox, &["--no-base", "--setup", "exit 3"], &["sh", "built.sh"]).exits(2);
}

#[test]
fn head_is_screened_against_stored_runs_and_judged_by_fresh_pairs() {
    let sandbox = sandbox(&[("c", 1.5)]);
    measure(&sandbox, &["--base", "main", "--stored"]).exits(2).reports("no stored run of main");
    sandbox.git("r", &["switch", "-q", "main"]);
    with(&sandbox, &["--no-base", "--rounds", "3"], &["sh", "bench.sh"]).exits(0);
    sandbox.git("r", &["switch", "-q", "work"]);
    let report = measure(&sandbox, &["--base", "main", "--stored", "--format", "json"]);
    let json = report.exits(1).json();
    let c = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap();
    assert_eq!((&c["confirmed"], &c["base"]["runs"]), (&true.into(), &5.into()));
    assert!(!report.stderr.contains("round 1"), "{}", report.stderr);
}

#[test]
fn stored_runs_from_before_an_epoch_are_not_the_base_of_a_measurement() {
    let sandbox = sandbox(&[("a", 1.001), ("c", 1.5)]);
    sandbox.git("r", &["switch", "-q", "main"]);
    with(&sandbox, &["--no-base", "--rounds", "3"], &["sh", "bench.sh"]).exits(0);
    sandbox.git("r", &["switch", "-q", "work"]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    sandbox.git_at("r", now - 1, &["commit", "-q", "--allow-empty", "-m", "c measures something else"]);
    sandbox.write("r/perfgate.toml", "[[epoch]]\nmatch = \"c\"\nfrom = \"work\"\nreason = \"r\"\n");
    let report = measure(&sandbox, &["--base", "main", "--stored", "--format", "json"]);
    report.exits(0).prints("the runs of main are from before the [[epoch]]");
    assert_eq!(report.outcome("c"), "added");
}

#[test]
fn the_time_budget_is_planned_before_measuring() {
    let sandbox = sandbox(&[]);
    // Ten rounds are the most, and half an hour is enough for them on any machine.
    let answer = measure(&sandbox, &["--base", "main", "--budget", "30m"]);
    answer.exits(0).reports("plan: 10 rounds of about").reports("smallest detectable change of a typical benchmark");
    answer.reports("round 2 of 10, head").reports("round 10 of 10, head");
    let answer = measure(&sandbox, &["--base", "main", "--budget", "1ms"]);
    answer.exits(0).reports("plan: 1 round of about").reports("too small for more than one round");
    assert!(!answer.stderr.contains("round 2"), "{}", answer.stderr);
}

/// A file system of this size in bytes.
struct Small {
    at: PathBuf,
}

impl Small {
    fn mount(at: PathBuf, bytes: usize) -> Small {
        fs::create_dir_all(&at).unwrap();
        let options = format!("size={bytes},mode=0777");
        assert!(as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs"], &at), "cannot mount a file system");
        Small { at }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        as_root(&["umount", "-l"], &self.at);
    }
}

#[test]
fn a_submodule_is_checked_out_on_both_sides() {
    let sandbox = sandbox(&[("c", 1.5)]);
    sandbox.repository("tool");
    sandbox.write("tool/run.sh", fs::read(common::data("measure/bench.sh")).unwrap()).commit("tool", "the tool");
    let from = sandbox.path("tool").display().to_string();
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.git("r", &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &from, "tool"]);
    sandbox.commit("r", "the tool is a submodule");
    sandbox.git("r", &["switch", "-q", "work"]);
    sandbox.git("r", &["merge", "-q", "--no-edit", "-X", "ours", "main"]);
    let measure = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(["measure", "--scratch", "../scratch", "--base", "main"]).args(options);
        command.args(["--format", "json", "--", "sh", "tool/run.sh", "{filter}"]).current_dir(sandbox.path("r"));
        // Git only fetches submodules from the file system with this setting.
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "protocol.file.allow");
        let output = command.env("GIT_CONFIG_VALUE_0", "always").stdin(Stdio::null()).output().unwrap();
        common::Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    };
    measure(&[]).exits(2).reports("tool/run.sh").reports("--submodules fetches them");
    assert_eq!(measure(&["--submodules"]).exits(1).outcome("c"), "regressed");
    assert_clean(&sandbox);
}
