//! The first steps of a new user: results are found where cargo writes them, and messages name the base correctly.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::Sandbox;

/// A workspace with results and a member in `r/crates/sim`.
fn workspace() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("r/Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n");
    sandbox.write("r/crates/sim/Cargo.toml", "[package]\nname = \"sim\"\n").repository("r");
    sandbox
}

#[test]
fn results_are_found_from_a_sub_folder_of_the_workspace() {
    let sandbox = workspace();
    sandbox.five_benchmarks(1);
    sandbox.perfgate_at("r/crates/sim", &["record"]).exits(0).prints("recorded 5 results");
    sandbox.commit("r", "next").five_benchmarks(2);
    sandbox.perfgate_at("r/crates/sim", &["compare", "--all"]).exits(0).prints("head  ../../target/criterion");
}

#[test]
fn results_are_found_in_the_target_directory_of_cargos_configuration() {
    let sandbox = workspace();
    sandbox.write("r/.cargo/config.toml", "[build]\ntarget-dir = \"../elsewhere\"\n");
    sandbox.bench("elsewhere/criterion", "a", 1000.0, 1);
    for directory in ["r", "r/crates/sim"] {
        sandbox.perfgate_at(directory, &["record"]).exits(0).prints("recorded 1 result");
    }
}

#[test]
fn the_message_names_all_places_that_were_searched() {
    let sandbox = workspace();
    let answer = sandbox.perfgate_at("r/crates/sim", &["record"]);
    answer.exits(2).reports("no results in ../../target/criterion or target/criterion").reports("cargo bench");
    sandbox.perfgate_at("r/crates/sim", &["compare"]).exits(2).reports("no results for head in ../../target/criterion");
}

#[test]
fn messages_name_which_commit_is_the_base() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let first = sandbox.git("r", &["rev-parse", "HEAD"])[..10].to_owned();
    // The first commit has nothing before it.
    sandbox.five_benchmarks(2);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(0).prints(&format!("stored runs of the same commit ({first}"));
    answer.prints(&format!("no run of a commit before {first} is stored")).does_not_print("merge base");
    // Uncommitted changes are compared with the commit that they change.
    sandbox.write("r/file", "changed");
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints(&format!("stored runs of HEAD ({first}"));
    // A commit of the default branch is compared with the one before it.
    sandbox.commit("r", "second").five_benchmarks(3);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints(&format!("stored runs of the parent commit ({first}"));
    let second = sandbox.git("r", &["rev-parse", "HEAD"])[..10].to_owned();
    sandbox.commit("r", "third").five_benchmarks(4);
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(0).prints(&format!("stored runs from before the parent commit ({first}"));
    answer
        .prints(&format!("the parent commit ({second}) has no stored run; comparing with the nearest earlier commit"));
    answer.prints("the baseline is 1 commit of main behind the parent commit, which has no stored run");
    // Uncommitted changes of a commit that is not recorded.
    sandbox.write("r/file", "changed again");
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer.exits(0).prints("stored runs from before HEAD (").does_not_print("merge base");
    answer.prints("the baseline is 2 commits behind HEAD, which has no stored run");
    sandbox.git("r", &["checkout", "-q", "file"]);
    // A branch is compared with its merge base.
    sandbox.git("r", &["checkout", "-q", "-b", "work"]);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.commit("r", "fourth").five_benchmarks(5);
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("stored runs of the merge base (");
    // The changes of the branch are head's, whether or not they are committed.
    sandbox.write("r/file", "changed on the branch");
    let answer = sandbox.perfgate_at("r", &["compare"]);
    answer
        .exits(0)
        .prints("stored runs of the merge base (")
        .prints("has no stored run; comparing with the merge base");
    answer.does_not_print("behind");
}

#[test]
fn a_suite_with_only_inconclusive_benchmarks_has_no_green_tick() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "BenchmarkA 1 5 ns/op\n").write("b.txt", "BenchmarkA 1 5.1 ns/op\n");
    let answer = sandbox.perfgate(&["compare", "a.txt", "b.txt", "--format", "markdown"]);
    answer.exits(0).prints("1 of 1 inconclusive").does_not_print("✅");
}

#[test]
fn a_rule_without_effect_is_reported() {
    let sandbox = Sandbox::new();
    for (tree, run) in [("old", 1), ("new", 2)] {
        sandbox.bench(tree, "u64[0]/std::fmt", 1000.0, run).bench(tree, "parse/large", 1000.0, run);
    }
    let rule = |pattern: &str| format!("[[benchmark]]\nmatch = '{pattern}'\nthreshold = '11%'\n");
    sandbox.write(
        "perfgate.toml",
        rule("u64[0]/*") + &rule("parser/*") + &rule("parse/*") + "[rename]\n'gone' = 'other'\n",
    );
    let answer = sandbox.perfgate(&["compare", "old", "new"]);
    answer.exits(0).prints(r"perfgate.toml:2: the rule for `u64[0]/*` matches nothing").prints(r"match = 'u64\[0\]/*'");
    answer.prints("perfgate.toml:5: the rule for `parser/*`").prints("no result is named `gone` or `other`");
    answer.does_not_print("`parse/*`");
}

#[test]
fn the_same_results_given_twice_count_as_one_run() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let answer =
        sandbox.perfgate(&["compare", "--base", "old", "--base", "./old", "--head", "new", "--format", "json"]);
    assert_eq!(answer.exits(0).json()["base"]["runs"], 1);
    assert_eq!(answer.json()["diagnostics"][0]["code"], "given-twice");
}

#[test]
fn absurd_values_are_short() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", "BenchmarkA 1 1.79e308 ns/op\nBenchmarkB 1 5e-324 ns/op\n");
    sandbox.write("b.txt", "BenchmarkA 1 1.5e300 ns/op\nBenchmarkB 1 2e-300 ns/op\n");
    for format in ["table", "markdown"] {
        let answer = sandbox.perfgate(&["compare", "a.txt", "b.txt", "--all", "--format", format]);
        answer.prints("1.79e299 s").prints("1.5e291 s").does_not_print("0000000000");
        assert!(answer.stdout.lines().filter(|line| line.contains("Benchmark")).all(|line| line.len() < 300));
    }
}

#[test]
fn the_first_example_of_the_readme_prints_what_the_readme_shows() {
    let readme = include_str!("../README.md").replace("\r\n", "\n");
    let block = readme.split("```\n").nth(1).unwrap();
    let (command, shown) = block.split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ perfgate ").unwrap().split_whitespace();
    let mut perfgate = std::process::Command::new(env!("CARGO_BIN_EXE_perfgate"));
    let output = perfgate.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn one_path_is_the_head_where_runs_are_stored_and_the_base_elsewhere() {
    let sandbox = Sandbox::with_unrecorded_results();
    for name in ["a", "b", "c", "d", "e"] {
        sandbox.bench("r/elsewhere", name, 1000.0, 7);
    }
    let base = sandbox.perfgate_at("r", &["compare", "elsewhere", "--format", "json"]);
    let label = |answer: &common::Answer, side: &str| answer.json()[side]["label"].as_str().unwrap().to_owned();
    base.prints("one path and no stored runs, so it is the base, and target/criterion is the head");
    assert_eq!((label(&base, "base"), label(&base, "head")), ("elsewhere".into(), "target/criterion".into()));
    let nothing = sandbox.perfgate_at("r", &["compare", "target/criterion"]);
    nothing.exits(2).reports("target/criterion: nothing to compare it with").reports("perfgate record");
    nothing.reports("perfgate runs pull");

    sandbox.perfgate_at("r", &["record"]).exits(0);
    let head = sandbox.perfgate_at("r", &["compare", "elsewhere", "--format", "json"]);
    head.prints("comparing this path with the stored runs").prints("to use it as the base, write `--base elsewhere`");
    head.prints("target/criterion is not read").prints("\"severity\": \"warning\"");
    assert_eq!(
        (label(&head, "base"), label(&head, "head")),
        ("stored runs of the same commit".into(), "elsewhere".into())
    );
    // A saved baseline and a revision are the base.
    sandbox.baseline("r/target/criterion", "main", "a", 1000.0, 9);
    let saved = sandbox.perfgate_at("r", &["compare", "target/criterion@main", "--format", "json"]);
    assert_eq!(label(&saved, "base"), "target/criterion@main");
    saved.does_not_print("one path");
}

#[test]
fn one_path_outside_of_a_repository_has_an_error_with_advice() {
    let sandbox = Sandbox::new();
    sandbox.bench("only", "a", 1000.0, 1);
    sandbox.perfgate(&["compare", "only"]).exits(2).reports("only: nothing to compare it with");
}

#[test]
fn results_of_other_tools_in_the_directory_are_named() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let record = || sandbox.perfgate_at("r", &["record"]);
    let answer = record();
    answer.exits(2).reports("no results in target/criterion; run the benchmarks first, and give the path");
    sandbox.write("r/bench.txt", "BenchmarkA-2 1000000 1000.5 ns/op\n").write("r/a.txt", "text");
    record().exits(2).reports("give the path of the results, such as `bench.txt` (it looks like go-bench)");
    std::fs::remove_file(sandbox.path("r/bench.txt")).unwrap();
    sandbox.write("r/Cargo.toml", "");
    record().exits(2).reports("run `cargo bench` first");
}

#[test]
fn results_above_the_directory_are_suggested() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.write("r/a/b/file", "");
    for command in ["record", "compare"] {
        let answer = sandbox.perfgate_at("r/a/b", &[command]);
        answer.exits(2).reports("in target/criterion; give the path of the results, such as `../../target/criterion`");
    }
}

#[test]
fn a_baseline_that_does_not_exist_comes_with_those_that_do() {
    let sandbox = Sandbox::new();
    sandbox.bench("tree", "a", 1000.0, 1);
    let compare = || sandbox.perfgate(&["compare", "tree@nope", "tree"]);
    compare().exits(2).reports("no baseline `nope`, and no other saved baseline");
    sandbox.baseline("tree", "main", "a", 1000.0, 1).baseline("tree", "v1", "a", 1000.0, 1);
    compare().exits(2).reports("no baseline `nope`, only `main`, `v1`");
}

#[test]
fn runs_of_one_second_are_listed_in_the_order_of_their_commits() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let mut commits = Vec::new();
    for run in 1..=6 {
        sandbox.write("r/file", run.to_string());
        sandbox.git_at("r", 1_700_000_000, &["commit", "-q", "-a", "--allow-empty", "-m", "next"]);
        sandbox.five_benchmarks(run).perfgate_at("r", &["record"]).exits(0);
        commits.insert(0, sandbox.git("r", &["rev-parse", "HEAD"])[..10].to_owned());
    }
    let listed = sandbox.perfgate_at("r", &["runs", "list"]);
    let listed: Vec<&str> =
        listed.exits(0).stdout.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3)).collect();
    assert_eq!(listed, commits);
    let newest = sandbox.perfgate_at("r", &["runs", "list", "--last", "1"]);
    newest.exits(0).prints(&commits[0]).does_not_print(&commits[1]).prints("and 5 older ones");
}

#[test]
fn a_run_is_removed_by_its_id_here_and_at_the_remote() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("", &["clone", "-q", "--bare", "r", "remote"]);
    sandbox.git("r", &["remote", "add", "origin", "../remote"]);
    sandbox.perfgate_at("r", &["record"]).exits(0);
    sandbox.five_benchmarks(2).perfgate_at("r", &["record", "--push"]).exits(0);
    let ids = || -> Vec<String> {
        let listed = sandbox.perfgate_at("r", &["runs", "list"]);
        listed.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    };
    let before = ids();
    assert_eq!(before.len(), 2);
    sandbox.git("", &["clone", "-q", "remote", "other"]);
    sandbox.perfgate_at("other", &["runs", "pull"]).exits(0).prints("2 runs received\n");
    let shown = sandbox.perfgate_at("r", &["runs", "show", &before[0]]);
    shown.exits(0).prints(&format!("run {} of ", before[0])).does_not_print(&before[1]);
    sandbox
        .perfgate_at("r", &["runs", "show", "0123456789ab"])
        .exits(2)
        .reports("neither a commit with stored runs nor the id of a run");
    for (id, complaint) in [("zz", "not a run id"), ("0123456789ab", "has no run `0123456789ab`")] {
        sandbox.perfgate_at("r", &["runs", "remove", &before[0], id]).exits(2).reports(complaint);
    }
    assert_eq!(ids(), before, "an unknown id removes nothing");
    let removed = sandbox.perfgate_at("r", &["runs", "remove", &before[0][..8], "--push"]);
    removed.exits(0).prints(&format!("removed run {}", before[0]));
    assert_eq!(ids(), before[1..]);
    sandbox.perfgate_at("r", &["runs", "pull"]).exits(0).prints("0 runs received\n");
    sandbox.perfgate_at("other", &["runs", "pull"]).exits(0).prints("0 runs received, 1 removed\n");
    assert_eq!(ids(), before[1..]);
    // In a directory too.
    sandbox.perfgate_at("r", &["record", "--store", "dir:../runs"]).exits(0);
    let listed = sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../runs"]);
    let id = listed.stdout.lines().nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    sandbox.perfgate_at("r", &["runs", "remove", &id, "--store", "dir:../runs"]).exits(0);
    sandbox.perfgate_at("r", &["runs", "list", "--store", "dir:../runs"]).exits(2).reports("has no runs");
}
