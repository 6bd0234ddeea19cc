//! Tests of `measure` and `bisect`. The benchmark tool is synthetic (tests/data/measure/bench.sh): it writes results like
//! criterion's, with numbers from the checked-out commit.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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
    answer.exits(1).prints("✗ regressed  c").reports("re-measuring 1 suspect in 5 pairs, alone");
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
    // A comment has the command to repeat the measurement; the terminal has only the numbers.
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let base = &sandbox.git("r", &["rev-parse", "main"])[..10];
    assert_eq!(saved["facts"]["reproduce"], format!("perfgate measure --base {base} -- sh bench.sh '{{filter}}'"));
    assert_clean(&sandbox);
}

/// `measure --explain` with these options and the synthetic tool.
fn explain(sandbox: &Sandbox, valgrind: &(&str, String), options: &[&str]) -> common::Answer {
    let measure = ["measure", "--scratch", "../scratch", "--base", "main", "--explain"];
    let args = [&measure[..], options, &["--", "sh", "bench.sh", "{filter}"]].concat();
    sandbox.perfgate_with("r", std::slice::from_ref(valgrind), &args)
}

#[test]
fn confirmed_regressions_are_explained_by_their_functions() {
    let sandbox = sandbox(&[("b", 1.4), ("c", 2.0)]);
    let valgrind = sandbox.stand_in_for_valgrind(1000, "");
    let answer = explain(&sandbox, &valgrind, &["--save", "../saved.json", "--html", "../page.html"]);
    answer.exits(1).reports("explaining the regressions").prints("FAIL: 2 regressed\n");
    answer.prints("\nc executes 75% more instructions; 100% of the growth is in 1 function\n");
    answer
        .prints(" 100%  app::run|c  3,000  6,000  +100.0%  in the diff  speeds:3\n")
        .prints("b executes 27% more instructions; ");
    let saved: serde_json::Value = serde_json::from_str(&sandbox.read("saved.json")).unwrap();
    let explanations = saved["explanations"].as_array().unwrap();
    let names: Vec<_> = explanations.iter().map(|one| one["benchmark"].as_str().unwrap()).collect();
    assert_eq!(names, ["c", "b"], "the largest first");
    let c = &explanations[0];
    assert_eq!((&c["format"], &c["metric"]), (&"perfgate-explanation".into(), &"instructions".into()), "{c}");
    assert_eq!((&c["base"]["value"], &c["head"]["value"]), (&4000.0.into(), &7000.0.into()), "{c}");
    assert!((c["time_change"].as_f64().unwrap() - 1.0).abs() < 0.03, "{c}");
    assert!(c["summary"].as_str().unwrap().starts_with("c executes 75% more"), "{c}");
    assert_eq!((&c["functions"][0]["in_diff"], &c["functions"][0]["line"]), (&true.into(), &3.into()), "{c}");
    assert!(sandbox.read("page.html").contains("<summary>c executes 75% more instructions; "));
    // Later views show them without another measurement.
    let comment = sandbox.perfgate(&["render", "saved.json", "--template", "comment"]);
    comment
        .exits(0)
        .prints("<summary>c executes 75% more")
        .prints("<code>app&#58;&#58;run&#124;c</code> (in the diff)");
    let posted = sandbox.perfgate(&["publish", "saved.json", "--repository", "me/repo", "--pull", "1", "--dry-run"]);
    posted.exits(1).prints("c executes 75% more instructions");
    assert_clean(&sandbox);
    // Without the option nothing is explained, and an improvement needs no explanation.
    let without = measure(&sandbox, &["--base", "main", "--format", "json"]);
    assert!(without.exits(1).json().get("explanations").is_none());
}

#[test]
fn at_most_five_regressions_are_explained() {
    let slower = [("a", 1.5), ("b", 1.6), ("c", 1.7), ("d", 1.8), ("e", 1.9), ("f", 2.0)];
    let sandbox = sandbox(&slower);
    // More benchmarks, so that the slower ones are not a shift of the suite.
    let steady: String = (0..12).map(|index| format!("steady{index} 5000\n")).collect();
    sandbox.git("r", &["switch", "-q", "main"]);
    sandbox.write("r/speeds", speeds(&[]) + &steady).commit("r", "more");
    sandbox.git("r", &["switch", "-q", "work"]);
    sandbox.git("r", &["reset", "-q", "--hard", "main"]);
    sandbox.write("r/speeds", speeds(&slower) + &steady).commit("r", "work");
    let valgrind = sandbox.stand_in_for_valgrind(1, "");
    let json = explain(&sandbox, &valgrind, &["--format", "json"]).exits(1).json();
    assert_eq!(json["counts"]["regressed"], 6, "{json}");
    let names: Vec<_> = json["explanations"].as_array().unwrap().iter().map(|one| &one["benchmark"]).collect();
    assert_eq!(names, ["f", "e", "d", "c", "b"]);
    let notes: Vec<_> =
        json["diagnostics"].as_array().unwrap().iter().filter(|d| d["code"] == "not-explained").collect();
    assert_eq!(notes.len(), 1, "{json}");
    assert!(
        notes[0]["message"].as_str().unwrap().starts_with("only the 5 largest of 6 regressions are explained"),
        "{json}"
    );
}

#[test]
fn time_that_grew_without_instructions_is_explained_in_one_sentence() {
    let sandbox = sandbox(&[("c", 1.5)]);
    let valgrind = sandbox.stand_in_for_valgrind(10_000_000, "");
    let answer = explain(&sandbox, &valgrind, &[]);
    answer
        .exits(1)
        .prints("more time, but executes as many instructions as base (0.0%): the cause is code layout, caches, ");
}

#[test]
fn a_failed_explanation_is_a_warning_and_leaves_the_verdict() {
    let sandbox = sandbox(&[("b", 1.4), ("c", 2.0)]);
    let valgrind = sandbox.stand_in_for_valgrind(1000, "b");
    let json = explain(&sandbox, &valgrind, &["--format", "json"]).exits(1).json();
    assert_eq!(json["explanations"].as_array().unwrap().len(), 1, "{json}");
    let warning = json["diagnostics"].as_array().unwrap().iter().find(|d| d["code"] == "not-explained").unwrap();
    let message = warning["message"].as_str().unwrap();
    assert!(message.starts_with("1 regression not explained: base fails under the profiler: `valgrind "), "{message}");
    // Without valgrind.
    sandbox.write("bin/valgrind", "#!/bin/sh\nexit 127\n");
    let answer = explain(&sandbox, &valgrind, &[]);
    answer
        .exits(1)
        .prints("warning: 2 regressions not explained: valgrind is not installed")
        .prints("apt-get install valgrind");
    assert_clean(&sandbox);
}

#[test]
fn nothing_is_profiled_where_nothing_regressed() {
    let sandbox = sandbox(&[("c", 0.6)]);
    let valgrind = sandbox.stand_in_for_valgrind(1, "c");
    explain(&sandbox, &valgrind, &[]).exits(0).does_not_print("explained").prints("1 improved");
}

#[test]
fn what_looks_better_is_re_measured_too() {
    let sandbox = sandbox(&[("c", 0.6)]);
    let answer = measure(&sandbox, &["--base", "main", "--format", "json"]);
    answer.exits(0).reports("re-measuring 1 suspect in 5 pairs, alone");
    let json = answer.json();
    let c = json["benchmarks"].as_array().unwrap().iter().find(|finding| finding["name"] == "c").unwrap();
    assert_eq!((&c["outcome"], &c["confirmed"], &c["suspect"]), (&"improved".into(), &true.into(), &false.into()));
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
    // Below the threshold it is no reason to fail.
    let answer = measure(&sandbox, &["--base", "main", "--threshold", "20%", "--rounds", "3", "--format", "json"]);
    assert_eq!(answer.exits(0).json()["suite"]["outcome"], "unchanged");
}

#[test]
fn advice_in_a_measurement_names_its_own_options() {
    let sandbox = sandbox(&[("c", 1.036)]);
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = '4%'\n");
    let advice = "4 more runs per side would decide";
    for view in [&[][..], &["--format", "markdown", "--save", "../saved.json"]] {
        let answer = measure(&sandbox, &[&["--base", "main", "--confirm", "3"], view].concat());
        answer.exits(0).prints(advice).prints("--confirm 7").does_not_print("perfgate measure");
    }
    let comment = sandbox.perfgate(&["render", "saved.json", "--template", "comment"]);
    comment.exits(0).prints(advice).prints("--confirm 7").does_not_print("perfgate measure");
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
    measure(&sandbox, &["--base", "main"]).exits(1).prints("✗ regressed  e");
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
    answer.exits(1).prints("✗ regressed  c").reports("with the whole suite");
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
    // The outcome does not depend on the load of the machine: memory grows by a large factor, and a sleep is never too short.
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

/// A repository `r` with a C program on main, and a branch on top of it with other code. `BODY` runs `n` times 100,000 loops.
#[cfg(target_os = "linux")]
fn c_program(of_base: &str, of_head: &str) -> Sandbox {
    let program = |n: &str| {
        let before = "#include <stdio.h>\nint main(void) {\n    volatile unsigned x = 1;\n    int n = 0;\n    ";
        format!("{before}{n}\n    for (int i = 0; i < n * 100000; i++) x = x * 31 + i;\n    return x == 0;\n}}\n")
    };
    let sandbox = Sandbox::new();
    sandbox.write("r/tool.c", program(of_base)).repository("r").write("r/.gitignore", "tool\n").commit("r", "base");
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    sandbox.write("r/tool.c", program(of_head)).commit("r", "work");
    fs::create_dir(sandbox.path("scratch")).unwrap();
    sandbox
}

#[cfg(target_os = "linux")]
fn count(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    let options = [&["--count", "instructions", "--setup", "cc -O1 tool.c -o tool"], options].concat();
    with(sandbox, &options, &["./tool"])
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind and a C compiler"]
fn instructions_are_counted_on_a_busy_machine_as_on_an_idle_one() {
    let sandbox = c_program("n = 100;", "n = 105;");
    let loops = [0, 1].map(|_| Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap());
    let slower = count(&sandbox, &["--format", "json"]);
    let equal = count(&sandbox, &["--base", "HEAD", "--format", "json"]);
    for mut busy in loops {
        busy.kill().unwrap();
        busy.wait().unwrap();
    }
    let json = slower.exits(1).json();
    let finding = &json["benchmarks"][0];
    assert_eq!((&finding["name"], &finding["metric"]), (&"./tool".into(), &"instructions".into()));
    assert_eq!((&finding["outcome"], &finding["confirmed"]), (&"regressed".into(), &true.into()));
    assert!((0.045..0.05).contains(&finding["change"].as_f64().unwrap()), "{json}");
    assert_eq!((&json["threshold"], &finding["threshold"]), (&0.01.into(), &0.01.into()));
    assert_eq!(
        (json["diagnostics"].as_array().unwrap().len(), &json["diagnostics"][0]["code"]),
        (1, &"instruction-counts".into())
    );
    let json = equal.exits(0).json();
    assert_eq!((&json["benchmarks"][0]["outcome"], &json["counts"]["unchanged"]), (&"unchanged".into(), &1.into()));
    assert!(json["benchmarks"][0]["change"].as_f64().unwrap().abs() < 1e-3, "{json}");

    count(&sandbox, &[]).exits(1).prints("✗ regressed").prints("threshold 1%").prints("cache misses");
    count(&sandbox, &["--format", "markdown"]).exits(1).prints("cache misses");
    count(&sandbox, &["--threshold", "10%"]).exits(0).prints("threshold 10%");
    sandbox.write("r/perfgate.toml", "[gate]\nthreshold = \"30%\"\n");
    count(&sandbox, &[]).exits(1).prints("threshold 1%");
    sandbox.write("r/perfgate.toml", "[[benchmark]]\nmatch = \"*\"\nmetric = \"instructions\"\nthreshold = \"8%\"\n");
    count(&sandbox, &[]).exits(0);
    assert_clean(&sandbox);
    assert!(
        Command::new("cc").args(["tool.c", "-o", "tool"]).current_dir(sandbox.path("r")).status().unwrap().success()
    );
    count(&sandbox, &["--no-base", "--store", "dir:../store"]).exits(0);
    sandbox.perfgate_at("r", &["history", "./tool", "--store", "dir:../store"]).exits(0).prints("instructions");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs valgrind and a C compiler"]
fn a_varying_count_regresses_only_where_the_sides_do_not_overlap() {
    // The program reads how much to do from the end of a file that grows with each run of either side.
    let varied = |file: &str| {
        format!(
            "FILE *f = fopen(\"{file}\", \"r+\"); int odd; fseek(f, 0, SEEK_END); odd = ftell(f); fputc(0, f); fclose(f); \
             n = WORK[odd];"
        )
    };
    let sandbox = Sandbox::new();
    let file = sandbox.path("runs").display().to_string();
    let outcome = |work: &str| {
        let body = format!("static const int WORK[] = {{{work}}}; {}", varied(&file));
        let sandbox = c_program(&body, &format!("{body} "));
        fs::write(&file, "").unwrap();
        let json = count(&sandbox, &["--format", "json"]).json();
        let notes = json["diagnostics"].as_array().unwrap().iter().filter(|one| one["code"] == "counts-vary").count();
        (json["benchmarks"][0]["outcome"].as_str().unwrap().to_owned(), notes, fs::read(&file).unwrap().len())
    };
    // The order is base, head, then base, head, head, base, and so on.
    assert_eq!(outcome("100, 105, 104, 101"), ("unchanged".to_owned(), 1, 4));
    let apart = outcome("100, 110, 101, 112, 113, 102, 101, 110, 112, 100, 101, 110, 111, 102");
    assert_eq!(apart, ("regressed".to_owned(), 1, 14));
}

#[test]
fn what_cannot_be_counted_is_refused_before_it_is_built() {
    let sandbox = sandbox(&[]);
    let count = |options: &[&str], command: &[&str]| {
        with(&sandbox, &[&["--count", "instructions", "--setup", "touch ../built"], options].concat(), command)
    };
    for command in [
        &["python3.11", "bench.py"][..],
        &["pytest", "benches"],
        &["go", "test", "-bench", "."],
        &["./bench", "--benchmark_filter={filter}"],
    ] {
        count(&[], command).exits(2).reports("cannot be compared").reports("Leave out --count to measure time");
    }
    for option in ["--rounds=3", "--confirm=5", "--budget=5m", "--pin=0", "--stored", "--warmup", "--input-format=go"] {
        count(&[option], &["./tool"]).exits(2).reports("cannot be used with");
    }
    let args = ["measure", "--count", "instructions", "--", "./tool"];
    let answer = sandbox.perfgate_with("r", &[("PATH", "/nowhere")], &args);
    answer.exits(2).reports("valgrind, which is not installed").reports("apt-get install valgrind");
    assert_clean(&sandbox);
}

#[test]
fn runs_of_one_side_are_stored_one_by_one() {
    let sandbox = sandbox(&[]);
    let answer = with(&sandbox, &["--no-base", "--rounds", "3"], &["sh", "bench.sh"]);
    answer.exits(0).reports("recorded 10 results");
    sandbox.perfgate_at("r", &["runs", "list"]).exits(0);
    let shown = sandbox.perfgate_at("r", &["runs", "show", "HEAD"]);
    assert_eq!(shown.exits(0).stdout.matches("run ").count(), 3);
    // What is measured may have to be built, here too.
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

/// Starts a measurement whose command writes a file and then sleeps.
fn start_sleeping(sandbox: &Sandbox) -> std::process::Child {
    let mark = sandbox.path("running").display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
    command
        .args(["measure", "--scratch", "../scratch", "--base", "main", "--", "sh", "-c"])
        .arg(format!("echo $$ > {mark}.new; mv {mark}.new {mark}; sleep 61"))
        .current_dir(sandbox.path("r"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let started = Instant::now();
    while !sandbox.path("running").exists() {
        assert!(started.elapsed() < Duration::from_secs(20), "it never ran");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn signal(process: u32, name: &str) -> bool {
    Command::new("kill").args([name, &process.to_string()]).stderr(Stdio::null()).status().unwrap().success()
}

/// True for a process that runs; false for a zombie.
fn runs(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    match stat.rsplit_once(") ") {
        Some((_, rest)) => !rest.starts_with('Z'),
        None => signal(process, "-0"),
    }
}

#[test]
fn an_interrupt_stops_children_and_removes_work_trees() {
    let sandbox = sandbox(&[]);
    let child = start_sleeping(&sandbox);
    let inner: u32 = sandbox.read("running").trim().parse().unwrap();
    assert!(signal(child.id(), "-INT"));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert!(!signal(inner, "-0"), "the command still runs");
    assert_clean(&sandbox);
}

#[test]
fn a_second_measurement_is_refused_and_the_files_of_a_killed_one_are_removed() {
    let sandbox = sandbox(&[]);
    let mut child = start_sleeping(&sandbox);
    let inner: u32 = sandbox.read("running").trim().parse().unwrap();
    let second = measure(&sandbox, &["--base", "main"]);
    second.exits(2).reports(&format!("another perfgate (process {}) is measuring", child.id()));
    assert!(signal(child.id(), "-KILL"));
    child.wait().unwrap();
    assert!(sandbox.path("r/.git/worktrees").exists());
    if !cfg!(target_os = "linux") {
        signal(inner, "-KILL"); // elsewhere perfgate cannot find it again
    }
    measure(&sandbox, &["--base", "main"]).exits(0);
    assert!(!runs(inner), "the killed perfgate's command still runs");
    assert_clean(&sandbox);
}

/// A file system of this size in bytes.
struct Small {
    at: PathBuf,
}

/// Runs a command as root, with `sudo` where this user is not root.
fn as_root(words: &[&str], path: &Path) -> bool {
    let run = |words: &[&str]| Command::new(words[0]).args(&words[1..]).arg(path).output();
    let done = |words: &[&str]| run(words).is_ok_and(|output| output.status.success());
    done(words) || done(&[&["sudo", "-n"], words].concat())
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
#[ignore = "needs Linux and root, to mount a small file system"]
fn a_full_disk_has_no_verdict_and_leaves_nothing() {
    let sandbox = sandbox(&[]);
    sandbox.write("r/large", vec![b'x'; 300_000]).commit("r", "large");
    let small = Small::mount(sandbox.path("small"), 100_000);
    // Full during the checkout, and full while the command runs.
    let measure = |words: &[&str]| sandbox.perfgate_at("r", words);
    let options = ["measure", "--scratch", "../small", "--base", "HEAD~1", "--"];
    measure(&[&options[..], &["sh", "bench.sh"]].concat())
        .exits(2)
        .reports("git cannot check out")
        .reports("may be full");
    assert_eq!(fs::read_dir(&small.at).unwrap().count(), 0);
    sandbox.git("r", &["rm", "-q", "large"]);
    sandbox.commit("r", "small again");
    let fill = ["sh", "-c", "head -c 1000000 /dev/zero > fill && sh bench.sh"];
    let options = ["measure", "--scratch", "../small", "--base", "HEAD", "--"];
    measure(&[&options[..], &fill].concat()).exits(2).reports("no verdict").reports("No space left");
    assert_eq!(fs::read_dir(&small.at).unwrap().count(), 0);
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

/// A repository `r` with a commit `start` and `commits` more. `c` is slower from `planted` on; the `broken` ones do not
/// build.
fn history(commits: usize, planted: usize, broken: &[usize]) -> Sandbox {
    let sandbox = sandbox(&[]);
    sandbox.write("r/build.sh", "").commit("r", "start");
    sandbox.git("r", &["tag", "start"]);
    for number in 0..commits {
        let slower: &[(&str, f64)] = if number >= planted { &[("c", 1.15)] } else { &[] };
        sandbox.write("r/speeds", speeds(slower));
        let broken = broken.contains(&number);
        sandbox.write("r/build.sh", if broken { "exit 1" } else { "" }).commit("r", &format!("change {number}"));
    }
    sandbox
}

fn bisect(sandbox: &Sandbox, options: &[&str]) -> common::Answer {
    let mut args = vec!["bisect", "--scratch", "../scratch", "--setup", "sh build.sh"];
    args.extend(options);
    args.extend(["--", "sh", "bench.sh", "{filter}"]);
    sandbox.perfgate_at("r", &args)
}

#[test]
fn bisect_finds_the_planted_commit_of_sixteen() {
    let sandbox = history(16, 11, &[]);
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer.exits(0).prints("c got slower with\n").prints(" change 11\n").prints("Evidence");
    // The bad commit and four steps, with three pairs for each of these steady results.
    assert_eq!(answer.stdout.matches("in 3 pairs").count(), 5, "{}", answer.stdout);
    assert_clean(&sandbox);
}

#[test]
fn bisect_skips_broken_commits_and_prints_a_range() {
    let sandbox = history(6, 3, &[2]);
    let answer = bisect(&sandbox, &["c", "--good", "start"]);
    answer
        .exits(0)
        .prints("one of 2 commits")
        .prints(" change 2\n")
        .prints(" change 3\n")
        .does_not_print(" change 4\n");
    answer.prints("skipped: it does not build or run");
}

#[test]
fn bisect_needs_a_regression_and_a_common_history() {
    let sandbox = history(3, 3, &[]);
    bisect(&sandbox, &["c", "--good", "start"]).exits(2).reports("no evidence that c is slower");
    bisect(&sandbox, &["c", "--good", "HEAD", "--bad", "start"]).exits(2).reports("not an ancestor");
    bisect(&sandbox, &["c", "--good", "HEAD"]).exits(2).reports("the same commit");
    bisect(&sandbox, &["nowhere", "--good", "start"]).exits(2).reports("wrote no results");
}

/// A package whose benchmark prints a number of the library in its workspace, and which depends on a package outside of the
/// repository that counts how often it is built.
fn cargo_package(sandbox: &Sandbox, number: u32) {
    let outside = sandbox.path("outside").display().to_string();
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n");
    sandbox.write("outside/Cargo.toml", package("outside") + "build = \"build.rs\"\n[workspace]\n");
    let count = "let old = std::fs::read_to_string(\"count\").unwrap_or_default();\n    std::fs::write(\"count\", old + \"x\").unwrap();";
    let build = format!("fn main() {{\n    println!(\"cargo:rerun-if-changed=build.rs\");\n    {count}\n}}\n");
    sandbox.write("outside/build.rs", build).write("outside/src/lib.rs", "");
    sandbox.write("r/lib-part/Cargo.toml", package("lib-part"));
    sandbox.write("r/lib-part/src/lib.rs", format!("pub fn number() -> u32 {{\n    {number}\n}}\n"));
    let rest = format!(
        "[workspace]\nmembers = [\"lib-part\"]\n[dev-dependencies]\nlib-part = {{ path = \"lib-part\" }}\noutside = {{ path = \"{outside}\" \
         }}\n[[bench]]\nname = \"printed\"\nharness = false\n"
    );
    sandbox.write("r/Cargo.toml", package("whole") + &rest).write("r/src/lib.rs", "");
    let print = "println!(\"BenchmarkA 1000 {} ns/op\", lib_part::number());";
    sandbox.write("r/benches/printed.rs", format!("use outside as _;\nfn main() {{\n    {print}\n}}\n"));
}

/// Where cargo and rustup are, in variables: tests change HOME.
fn cargo_home() -> [(&'static str, String); 2] {
    [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")].map(|(name, below)| {
        let usual = || std::env::home_dir().unwrap().join(below).display().to_string();
        (name, std::env::var(name).unwrap_or_else(|_| usual()))
    })
}

#[test]
fn dependencies_are_built_once_and_the_code_of_each_side_for_itself() {
    let sandbox = Sandbox::new();
    cargo_package(&sandbox, 1000);
    sandbox.repository("r").write("r/.gitignore", "target\nCargo.lock\n");
    cargo_package(&sandbox, 2000);
    sandbox.commit("r", "slower");
    let measure = |options: &[&str]| {
        let args = ["measure", "--base", "HEAD~1", "--confirm", "3", "--format", "json"];
        let command = ["--", "cargo", "bench", "--offline", "--bench", "printed"];
        let args = [&args[..], options, &command].concat();
        let answer = sandbox.perfgate_with("r", &cargo_home(), &args);
        let report = if answer.code < 2 { answer.json() } else { panic!("{}", answer.stderr) };
        let side = |side: &str| report["benchmarks"][0][side]["value"].as_f64().unwrap();
        assert_eq!((side("base"), side("head")), (1000.0, 2000.0));
        answer.reports("building base").reports("built head");
        fs::read_to_string(sandbox.path("outside/count")).unwrap().len()
    };
    assert_eq!(measure(&[]), 1, "head takes over what was built for base");
    // Both sides take over what the user built. That includes the repository's own package, built from head.
    let mut cargo = Command::new("cargo");
    cargo.env_remove("CARGO_TARGET_DIR").env_remove("CARGO_BUILD_TARGET_DIR");
    let built = cargo.args(["bench", "--no-run", "--offline"]).current_dir(sandbox.path("r")).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert_eq!(measure(&[]), 2);
    // A cache serves a clone in which nothing was built.
    fs::remove_dir_all(sandbox.path("r/target")).unwrap();
    assert_eq!(measure(&["--cache", "../cache"]), 3);
    assert_eq!(measure(&["--cache", "../cache"]), 3);
}

#[test]
fn a_base_without_the_bench_target_leaves_head_measured_alone() {
    let sandbox = Sandbox::new();
    cargo_package(&sandbox, 1000);
    let whole = sandbox.read("r/Cargo.toml");
    let without = whole.split("[[bench]]").next().unwrap().to_owned();
    sandbox.write("r/Cargo.toml", without);
    let bench = sandbox.read("r/benches/printed.rs");
    fs::remove_dir_all(sandbox.path("r/benches")).unwrap();
    sandbox.repository("r").write("r/.gitignore", "target\nCargo.lock\n");
    sandbox.write("r/Cargo.toml", whole).write("r/benches/printed.rs", bench).commit("r", "benchmarks");
    let command = ["--", "cargo", "bench", "--offline", "--bench", "printed"];
    let args = [&["measure", "--base", "HEAD~1", "--format", "json"][..], &command].concat();
    let answer = sandbox.perfgate_with("r", &cargo_home(), &args);
    assert_eq!(answer.exits(0).outcome("BenchmarkA"), "added");
    answer.prints("has no `printed`, so head was measured alone");
    // A base that does not compile is an error.
    sandbox.write("r/src/lib.rs", "no").commit("r", "broken").write("r/src/lib.rs", "").commit("r", "fixed");
    sandbox.perfgate_with("r", &cargo_home(), &args).exits(2).reports("does not build");
}

/// A real criterion crate with ten benchmarks; one of them does `slow` times as much work.
fn criterion_crate(sandbox: &Sandbox, slow: u32) {
    let manifest = common::criterion_manifest("tiny");
    sandbox.write("r/Cargo.toml", format!("{manifest}\n[profile.bench]\nopt-level = 0\n"));
    sandbox.write("r/src/lib.rs", "");
    sandbox.write(
        "r/benches/tiny.rs",
        format!(
            "use criterion::{{Criterion, criterion_group, criterion_main}};\nuse std::{{hint::black_box, time::Duration}};\n\
             fn all(c: &mut Criterion) {{\n    for size in 1..=10u64 {{\n        \
             let work = size * 200 * if size == 7 {{ {slow} }} else {{ 1 }};\n        \
             c.bench_function(&format!(\"sum/{{size}}\"), |b| b.iter(|| (0..black_box(work)).fold(0u64, |a, x| a ^ x)));\n    \
             }}\n}}\ncriterion_group! {{ name = benches; config = Criterion::default()\n    \
             .warm_up_time(Duration::from_millis(20)).measurement_time(Duration::from_millis(60)).sample_size(20).nresamples(1000);\n    \
             targets = all }}\ncriterion_main!(benches);\n"
        ),
    );
}

/// Builds criterion four times, which takes some minutes.
#[test]
#[ignore = "needs criterion in cargo's cache, minutes to build it, and valgrind on Linux"]
fn a_real_criterion_crate_is_measured() {
    let sandbox = Sandbox::new();
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
    sandbox.write("r/Cargo.lock", fs::read(lock).unwrap());
    criterion_crate(&sandbox, 1);
    sandbox.repository("r");
    fs::create_dir(sandbox.path("scratch")).unwrap();
    let perfgate = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_perfgate"));
        command.args(args).current_dir(sandbox.path("r")).stdin(Stdio::null()).env_remove("CARGO_TARGET_DIR");
        command.env("CARGO_NET_OFFLINE", "true");
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        common::Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    };
    // A lock file with this crate's packages only, like a user's.
    let pruned = Command::new("cargo")
        .args(["update", "--workspace", "--offline", "-q"])
        .current_dir(sandbox.path("r"))
        .output();
    let pruned = pruned.unwrap();
    assert!(pruned.status.success(), "{}", String::from_utf8_lossy(&pruned.stderr));
    sandbox.commit("r", "locked");
    let equal = ["measure", "--scratch", "../scratch", "--base", "HEAD", "--format", "json", "--", "cargo", "bench"];
    let answer = perfgate(&equal);
    assert_eq!(answer.exits(0).json()["counts"]["regressed"], 0);
    sandbox.git("r", &["switch", "-q", "-c", "work"]);
    criterion_crate(&sandbox, 3);
    sandbox.commit("r", "slower");
    let status = sandbox.git("r", &["status", "--porcelain=v2", "--ignored"]);
    let answer = perfgate(&["measure", "--scratch", "../scratch", "--format", "json", "--", "cargo", "bench"]);
    assert_eq!(answer.exits(1).outcome("sum/7"), "regressed");
    assert_eq!(answer.json()["counts"]["regressed"], 1);
    assert_eq!(sandbox.git("r", &["status", "--porcelain=v2", "--ignored"]), status);
    assert!(!sandbox.path("r/target").exists());
    if cfg!(target_os = "linux") {
        let count = ["measure", "--count", "instructions", "--scratch", "../scratch", "--format", "json", "--all"];
        let json = perfgate(&[&count[..], &["--", "cargo", "bench"]].concat()).exits(1).json();
        let changed = |finding: &&serde_json::Value| finding["change"].as_f64() != Some(0.0);
        let findings = json["benchmarks"].as_array().unwrap();
        let changed: Vec<_> = findings.iter().filter(changed).map(|finding| finding["name"].as_str()).collect();
        assert_eq!((findings.len(), changed), (10, vec![Some("sum/7")]), "{json}");
        // The body alone is counted: three times the work is nearly three times the instructions.
        let change = findings.iter().find(|finding| finding["name"] == "sum/7").and_then(|one| one["change"].as_f64());
        assert!((1.9..2.01).contains(&change.unwrap()), "{json}");
    }
    for number in 0..3 {
        sandbox.write("r/note", number.to_string()).commit("r", "no change");
    }
    let command = ["--", "cargo", "bench", "--bench", "tiny", "--", "{filter}"];
    let bisect = ["bisect", "sum/7", "--good", "main", "--scratch", "../scratch"];
    let slower = sandbox.git("r", &["rev-parse", "--short=7", "HEAD~3"]);
    perfgate(&[&bisect[..], &command].concat()).exits(0).prints(slower.trim());
    sandbox.write("r/Cargo.toml", "no manifest").commit("r", "broken");
    perfgate(&["measure", "--scratch", "../scratch", "--base", "HEAD", "--", "cargo", "bench"])
        .exits(2)
        .reports("does not build");
    assert_clean(&sandbox);
}
