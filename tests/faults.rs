//! Damaged repositories, odd files and scarce resources: every command ends, with exit code 2 and the cause.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on has failed

mod common;
#[cfg(unix)]
#[path = "faults/unix.rs"]
mod unix;

use common::{Answer, Sandbox, ends};
use std::fs;
use std::process::Command;
use std::time::Duration;

fn perfgate(sandbox: &Sandbox, args: &[&str]) -> Answer {
    ends(sandbox.command::<&str>("r", &[], args))
}

/// Cuts the file of a loose object to some bytes while `during` runs.
fn truncated(sandbox: &Sandbox, id: &str, length: usize, during: impl FnOnce()) {
    let file = sandbox.path(&format!("r/.git/objects/{}/{}", &id[..2], &id[2..]));
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, &whole[..length.min(whole.len() - 1)]).unwrap();
    during();
    fs::write(&file, whole).unwrap();
}

#[test]
fn a_truncated_object_of_the_store_is_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let reference = "refs/perfgate/baselines";
    let folder = sandbox.git("r", &["ls-tree", reference]).split_whitespace().nth(2).unwrap().to_owned();
    let run = sandbox.git("r", &["ls-tree", &folder]).split_whitespace().nth(2).unwrap().to_owned();
    for object in [reference, &format!("{reference}^{{tree}}"), &folder, &run] {
        let id = sandbox.git("r", &["rev-parse", object]);
        for length in [2, 20, 10_000] {
            truncated(&sandbox, &id, length, || {
                for args in [&["compare", "HEAD", "--head", "target/criterion"][..], &["history"]] {
                    perfgate(&sandbox, args).exits(2).reports(&id).reports("ends too early");
                }
                let answer = perfgate(&sandbox, &["runs", "list"]);
                assert!(object == run || answer.code == 2 && answer.stderr.contains(&id), "{}", answer.stderr);
                perfgate(&sandbox, &["record"]);
            });
        }
    }
}

#[test]
fn a_truncated_object_of_the_users_history_is_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    for message in ["second", "third", "fourth"] {
        sandbox.commit("r", message);
    }
    sandbox.five_benchmarks(2); // not older than the last commit
    // HEAD, an ancestor that a walk reads, and the tree that the work tree is compared with.
    for object in ["HEAD", "HEAD~2", "HEAD^{tree}"] {
        let id = sandbox.git("r", &["rev-parse", object]);
        truncated(&sandbox, &id, 20, || {
            let args = if object == "HEAD~2" { &["compare"][..] } else { &["record"] };
            perfgate(&sandbox, args).exits(2).reports(&id).reports("ends too early").reports("git fsck");
        });
    }
}

#[test]
fn a_commit_whose_object_is_gone_is_not_called_a_wrong_spelling() {
    let sandbox = Sandbox::with_unrecorded_results();
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    fs::remove_file(sandbox.path(&format!("r/.git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    for args in [&["record"][..], &["compare", "HEAD"], &["compare", "main"]] {
        perfgate(&sandbox, args).exits(2).reports(&id).reports("git fsck");
    }
}

#[test]
fn a_damaged_ref_is_named_with_what_repairs_it() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("", &["clone", "-q", "--bare", "r", "there"]);
    sandbox.git("r", &["remote", "add", "origin", "../there"]);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    let commands =
        [&["runs", "list"][..], &["record"], &["history"], &["compare", "target/criterion"], &["runs", "pull"]];
    let file = sandbox.path("r/.git/refs/perfgate/baselines");
    for (content, why) in [("", "is empty"), ("no id\n", "has no commit id")] {
        fs::write(&file, content).unwrap();
        for args in commands {
            let answer = perfgate(&sandbox, args);
            answer.exits(2).reports(&format!("baselines {why}; delete this file")).reports("perfgate runs pull");
        }
    }
    fs::remove_file(&file).unwrap();
    perfgate(&sandbox, &["runs", "pull"]).exits(0).prints("1 run received");
    let missing = "1234567890".repeat(4);
    fs::write(&file, format!("{missing}\n")).unwrap();
    for args in commands {
        let answer = perfgate(&sandbox, args);
        answer.exits(2).reports(&format!("the ref's commit {missing} is not in this repository"));
        answer.reports("git update-ref -d refs/perfgate/baselines");
    }
    sandbox.git("r", &["update-ref", "-d", "refs/perfgate/baselines"]);
    perfgate(&sandbox, &["runs", "pull"]).exits(0).prints("1 run received");
    fs::write(sandbox.path("r/.git/refs/heads/main"), "").unwrap();
    perfgate(&sandbox, &["record"]).exits(2).reports("refs/heads/main is empty").reports("HEAD has it");
}

#[test]
fn a_missing_object_of_the_store_is_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let tree = sandbox.git("r", &["rev-parse", "refs/perfgate/baselines^{tree}"]);
    let folder = sandbox.git("r", &["ls-tree", &tree]).split_whitespace().nth(2).unwrap().to_owned();
    for id in [tree, folder] {
        let file = sandbox.path(&format!("r/.git/objects/{}/{}", &id[..2], &id[2..]));
        fs::rename(&file, sandbox.path("moved")).unwrap();
        for args in [&["runs", "list"][..], &["record"], &["history"]] {
            perfgate(&sandbox, args).exits(2).reports(&format!("{id} is not in this repository"));
        }
        fs::rename(sandbox.path("moved"), &file).unwrap();
    }
}

#[test]
fn a_scratch_directory_that_does_not_exist_is_an_error_with_what_helps() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.commit("r", "second");
    let args = ["measure", "--base", "HEAD~1", "--scratch", "../nowhere", "--", "git", "--version"];
    perfgate(&sandbox, &args).exits(2).reports("cannot open the scratch directory ../nowhere").reports("create it");
}

#[test]
fn a_run_is_not_clean_where_the_index_is_damaged() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.write("r/.git/index", "this is no index of git's");
    let answer = perfgate(&sandbox, &["record"]);
    answer.exits(0).reports("cannot check whether tracked files differ").reports("the run is marked");
    perfgate(&sandbox, &["runs", "list"]).exits(0).prints("uncommitted changes");
    let answer = perfgate(&sandbox, &["compare", "target/criterion"]);
    answer.exits(2).reports("index is damaged").reports("delete this file and run `git reset`");
}

#[test]
fn a_sparse_checkout_is_clean_until_a_file_changes() {
    let sandbox = Sandbox::new();
    sandbox.repository("r").write("r/p/a", "1").write("r/q/b", "1").commit("r", "second");
    for options in [&["--no-sparse-index"][..], &["--sparse-index"]] {
        sandbox.git("r", &[&["sparse-checkout", "set"][..], options, &["p"]].concat());
        sandbox.write("r/p/a", "1").five_benchmarks(1);
        let clean = perfgate(&sandbox, &["record"]);
        assert!(!clean.exits(0).stderr.contains("differ from the commit"), "{}", clean.stderr);
        sandbox.write("r/p/a", "changed").five_benchmarks(2);
        perfgate(&sandbox, &["record"]).exits(0).reports("differ from the commit");
    }
}

#[test]
fn a_lock_of_the_ref_that_a_killed_process_left_is_removed_once_it_is_old() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.perfgate_at("r", &["record"]).exits(0);
    let lock = sandbox.path("r/.git/refs/perfgate/baselines.lock");
    fs::write(&lock, "").unwrap();
    let an_hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().write(true).open(&lock).unwrap().set_modified(an_hour_ago).unwrap();
    sandbox.five_benchmarks(2);
    perfgate(&sandbox, &["record"]).exits(0).prints("recorded 5 results");
    assert!(!lock.exists());
}

/// A repository `r` of two commits on main, in a format of git's; false where the installed git does not have it.
fn in_format(sandbox: &Sandbox, options: &[&str]) -> bool {
    let init =
        Command::new("git").args(["init", "-q", "-b", "main"]).args(options).arg(sandbox.path("r")).output().unwrap();
    if init.status.success() {
        sandbox.write("r/.gitignore", "/target\n").commit("r", "first").commit("r", "second");
        sandbox.five_benchmarks(1);
    }
    init.status.success()
}

const MEASURE_VERSION: [&str; 11] =
    ["measure", "--base", "HEAD~1", "--rounds", "1", "--warmup", "0", "--fail-on", "failed", "--", "git"];

#[test]
fn a_repository_with_sha_256_objects_is_read_and_written() {
    let sandbox = Sandbox::new();
    if !in_format(&sandbox, &["--object-format=sha256"]) {
        return; // an older git
    }
    perfgate(&sandbox, &["record", "--commit", "HEAD~1", "--force"]).exits(0).prints("recorded 5 results");
    sandbox.five_benchmarks(2);
    perfgate(&sandbox, &["compare"]).exits(0).prints("the parent commit (");
    perfgate(&sandbox, &["record"]).exits(0);
    sandbox.git("r", &["gc", "-q"]);
    sandbox.git("r", &["checkout", "-q", "-b", "topic"]);
    sandbox.commit("r", "third").five_benchmarks(3);
    perfgate(&sandbox, &["compare"]).exits(0).prints("the merge base (").prints("5 benchmarks unchanged");
    perfgate(&sandbox, &["history"]).exits(0).prints("of 2 stored runs");
    sandbox.git("", &["init", "-q", "--bare", "--object-format=sha256", "there"]);
    perfgate(&sandbox, &["runs", "push", "../there"]).exits(0).prints("2 runs sent");
    sandbox.git("", &["clone", "-q", "there", "other"]);
    ends(sandbox.command::<&str>("other", &[], &["runs", "pull"])).exits(0).prints("2 runs received");
    perfgate(&sandbox, &["runs", "prune", "--keep", "1"]).exits(0);
    perfgate(&sandbox, &[&MEASURE_VERSION[..], &["--version"]].concat()).exits(0);
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    assert_eq!(id.len(), 64);
    truncated(&sandbox, &id, 20, || {
        perfgate(&sandbox, &["record"]).exits(2).reports(&id).reports("ends too early");
    });
}

#[test]
fn a_repository_with_reftable_is_read_and_its_runs_are_kept_elsewhere() {
    for options in [&["--ref-format=reftable"][..], &["--ref-format=reftable", "--object-format=sha256"]] {
        let sandbox = Sandbox::new();
        if !in_format(&sandbox, options) {
            continue; // an older git
        }
        sandbox.write("temporary/keep", "");
        let temporary = [("TMPDIR", sandbox.path("temporary").display().to_string())];
        let perfgate = |args: &[&str]| ends(sandbox.command("r", &temporary, args));
        for args in [&["record"][..], &["runs", "list"], &["history"]] {
            perfgate(args).exits(2).reports("--store dir:PATH").reports("git refs migrate --ref-format=files");
        }
        perfgate(&["compare", "target/criterion"]).exits(2).reports("--store dir:PATH").reports("git 2.49 or later");
        perfgate(&["compare", "target/criterion", "target/criterion"])
            .exits(2)
            .reports("base and head are the same results");
        let store = ["--store", "dir:../runs"];
        perfgate(&[&["record", "--commit", "HEAD~1", "--force"][..], &store].concat()).exits(0);
        sandbox.five_benchmarks(2);
        perfgate(&[&["record"][..], &store].concat()).exits(0);
        sandbox.git("r", &["checkout", "-q", "-b", "topic"]);
        sandbox.commit("r", "third").five_benchmarks(3);
        perfgate(&[&["compare"][..], &store].concat())
            .exits(0)
            .prints("the merge base (")
            .prints("5 benchmarks unchanged");
        perfgate(&[&["history"][..], &store].concat()).exits(0).prints("of 2 stored runs");
        sandbox.git("r", &["checkout", "-q", "--detach"]);
        sandbox.write("r/file", "changed").five_benchmarks(4);
        perfgate(&[&["record"][..], &store].concat()).exits(0).reports("differ from the commit");
        perfgate(&[&MEASURE_VERSION[..], &["--version"]].concat()).exits(0).prints("HEAD with uncommitted changes");
        perfgate(&["compare", "nowhere"]).exits(2).reports("nowhere: neither a path nor a git revision");
        assert_eq!(fs::read_dir(sandbox.path("temporary")).unwrap().count(), 1, "the copy of the refs is removed");
    }
}

#[test]
fn outside_a_repository_the_cause_is_named_once_and_in_plain_words() {
    let sandbox = Sandbox::new();
    sandbox.bench("results", "a", 1000.0, 1);
    let here = fs::canonicalize(sandbox.path("")).unwrap().display().to_string();
    let cause = format!("{here} is not in a git repository");
    for args in [
        &["record", "results"][..],
        &["compare", "HEAD~1", "--head", "results"],
        &["compare", "v9.9", "--head", "results"],
        &["compare", "--head", "results"],
        &["runs", "list"],
        &["runs", "prune"],
        &["history"],
        &["measure", "--", "true"],
    ] {
        let answer = ends(sandbox.command::<&str>("", &[], args));
        answer.exits(2).reports(&cause);
        assert_eq!(answer.stderr.matches("not in a git repository").count(), 1, "{}", answer.stderr);
        assert!(answer.stderr.matches("; ").count() < 2, "one piece of advice: {}", answer.stderr);
        assert!(!answer.stderr.contains("could not find"), "{}", answer.stderr);
    }
    // The message of libgit2 about a broken repository is printed, its error numbers are not.
    sandbox.repository("r").five_benchmarks(1).write("r/.git/config", "[core\n");
    for args in [&["record"][..], &["runs", "list"]] {
        let answer = perfgate(&sandbox, args);
        answer.exits(2).reports("cannot be opened").reports("config");
        assert!(!answer.stderr.contains("class="), "{}", answer.stderr);
    }
}

#[test]
fn a_submodule_that_differs_from_head_is_not_measured() {
    let sandbox = Sandbox::new();
    sandbox.repository("part").commit("part", "1").repository("r");
    let allow = ["-c", "protocol.file.allow=always"];
    sandbox.git("r", &[&allow[..], &["submodule", "--quiet", "add", "../part", "part"]].concat());
    sandbox.commit("r", "second").commit("r", "third");
    sandbox.five_benchmarks(1);
    // The time of a short process varies, so its outcome is not checked.
    let options =
        ["measure", "--submodules", "--base", "HEAD~1", "--rounds", "1", "--warmup", "0", "--fail-on", "failed"];
    let measure = [&options[..], &["--", "git", "--version"]].concat();
    let allowed =
        [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "protocol.file.allow"), ("GIT_CONFIG_VALUE_0", "always")];
    assert!(!perfgate(&sandbox, &["record"]).exits(0).stderr.contains("differ from the commit"));
    ends(sandbox.command("r", &allowed, &measure)).exits(0);
    sandbox.commit("r/part", "moved");
    ends(sandbox.command("r", &allowed, &measure))
        .exits(2)
        .reports("the submodule part")
        .reports("git submodule update");
    sandbox.five_benchmarks(2);
    perfgate(&sandbox, &["record"]).exits(0).reports("differ from the commit");
}
