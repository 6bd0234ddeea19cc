//! Damaged repositories, odd files and scarce resources: every command ends, with exit code 2 and the cause.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on has failed

mod common;
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
    let sandbox = Sandbox::measured();
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
    let sandbox = Sandbox::measured();
    for message in ["second", "third", "fourth"] {
        sandbox.commit("r", message);
    }
    sandbox.five_benchmarks(2); // not older than the last commit
    // HEAD, an ancestor that a walk comes to, and the tree that the work tree is compared with.
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
    let sandbox = Sandbox::measured();
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    fs::remove_file(sandbox.path(&format!("r/.git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    for args in [&["record"][..], &["compare", "HEAD"], &["compare", "main"]] {
        perfgate(&sandbox, args).exits(2).reports(&id).reports("git fsck");
    }
}

#[test]
fn a_run_is_not_clean_where_the_index_is_damaged() {
    let sandbox = Sandbox::measured();
    sandbox.write("r/.git/index", "this is no index of git's");
    perfgate(&sandbox, &["record"]).exits(0).reports("the run is marked");
    perfgate(&sandbox, &["runs", "list"]).exits(0).prints("uncommitted changes");
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
    let sandbox = Sandbox::measured();
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
    perfgate(&sandbox, &["compare"]).exits(0).prints("the commit before (");
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
    let cause = format!("{here} is not in a git repository; run perfgate in one");
    for args in [
        &["record", "results"][..],
        &["compare", "HEAD~1", "--head", "results"],
        &["runs", "list"],
        &["history"],
        &["measure", "--", "true"],
    ] {
        let answer = ends(sandbox.command::<&str>("", &[], args));
        answer.exits(2).reports(&cause);
        assert_eq!(answer.stderr.matches("git repository;").count(), 1, "{}", answer.stderr);
        assert!(!answer.stderr.contains("could not find"), "{}", answer.stderr);
    }
    // What libgit2 reports about a broken repository helps, and its numbers do not.
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
    // What a short process costs varies; it decides nothing here.
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

#[cfg(unix)]
mod unix {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A script in the repository `r`.
    fn script(sandbox: &Sandbox, name: &str, lines: &str) {
        sandbox.write(&format!("r/{name}"), format!("#!/bin/sh\n{lines}\n"));
        fs::set_permissions(sandbox.path(&format!("r/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A repository of two commits with a script that both have.
    fn with_script(lines: &str) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.repository("r");
        script(&sandbox, "bench.sh", lines);
        sandbox.commit("r", "second").commit("r", "third");
        sandbox
    }

    const MEASURE: [&str; 7] = ["measure", "--base", "HEAD~1", "--rounds", "1", "--warmup", "0"];

    fn measure(sandbox: &Sandbox, more: &[&str]) -> Answer {
        let scratch = sandbox.path("").display().to_string();
        perfgate(sandbox, &[&MEASURE[..], &["--scratch", &scratch], more].concat())
    }

    const GO_RESULTS: &str = "for i in 1 2 3; do echo \"BenchmarkA 1000 10$i ns/op\"; done";

    #[test]
    fn results_are_read_although_a_daemon_keeps_standard_output_open() {
        let sandbox = with_script(&format!("if command -v setsid >/dev/null; then setsid sleep 15 & fi\n{GO_RESULTS}"));
        let started = std::time::Instant::now();
        measure(&sandbox, &["--all", "--", "./bench.sh"]).prints("BenchmarkA").does_not_print("time:user");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    }

    #[test]
    fn results_are_read_after_any_amount_of_other_output() {
        for noise in ["head -c 200000 /dev/zero", "head -c 40000000 /dev/zero"] {
            let sandbox = with_script(&format!("{noise} | tr '\\0' x | fold -w 100\n{GO_RESULTS}"));
            measure(&sandbox, &["--all", "--", "./bench.sh"]).prints("BenchmarkA").does_not_print("time:user");
        }
    }

    #[test]
    fn the_process_is_not_timed_in_place_of_results_that_were_too_long() {
        let sandbox = with_script(&format!("head -c 300000000 /dev/zero | tr '\\0' x | fold -w 100\n{GO_RESULTS}"));
        measure(&sandbox, &["--", "./bench.sh"]).exits(2).reports("more than 256 MiB").reports("{out}");
    }

    #[test]
    fn named_pipes_are_refused_or_left_out() {
        let sandbox = with_script(GO_RESULTS);
        sandbox.pipe("r/pipe");
        measure(&sandbox, &["--copy", "pipe", "--", "./bench.sh"])
            .exits(2)
            .reports("--copy pipe")
            .reports("named pipe");
        fs::create_dir(sandbox.path("r/folder")).unwrap();
        sandbox.pipe("r/folder/pipe");
        let check = "test ! -e folder/pipe && test -e folder && ./bench.sh";
        measure(&sandbox, &["--copy", "folder", "--all", "--", "sh", "-c", check]).prints("BenchmarkA");
        perfgate(&sandbox, &["compare", "pipe", "pipe"]).exits(2).reports("named pipe");
    }

    #[test]
    fn named_pipes_and_devices_given_as_files_do_not_block_a_command() {
        let sandbox = Sandbox::measured();
        sandbox.pipe("pipe");
        sandbox.bench("before", "a", 1000.0, 1).bench("after", "a", 1000.0, 2);
        let go = common::data("go-bench/before.txt");
        for args in [
            &["compare", "before", "after", "--config", "pipe"][..],
            &["compare", "before", "after", "--template", "pipe"],
            &["render", "pipe", "--template", "pr"],
            &["explain", "pipe", "pipe"],
            &["compare", &go, "/dev/zero", "--input-format", "go-bench"],
            &["render", "/dev/zero", "--template", "pr"],
        ] {
            ends(sandbox.command::<&str>("", &[], args)).exits(2).reports("named pipe, socket or device");
        }
        let event = sandbox.path("pipe").display().to_string();
        let workflow = [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", "push"), ("GITHUB_EVENT_PATH", &*event)];
        ends(sandbox.command("r", &workflow, &["ci"])).exits(2);
        sandbox.write("event.json", "{}");
        let path = |name: &str| sandbox.path(name).display().to_string();
        let (payload, summary) = (path("event.json"), path("pipe"));
        let workflow =
            [&workflow[..2], &[("GITHUB_EVENT_PATH", &*payload), ("GITHUB_STEP_SUMMARY", &*summary)]].concat();
        ends(sandbox.command("r", &workflow, &["ci"]))
            .exits(2)
            .reports("cannot write the job summary: it is a named pipe");
        perfgate(&sandbox, &["runs", "import", "../pipe"]).exits(2).reports("../pipe: it is a named pipe");
        for file in ["Cargo.toml", ".cargo/config.toml"] {
            fs::create_dir_all(sandbox.path("r/.cargo")).unwrap();
            sandbox.pipe(&format!("r/{file}"));
            ends(sandbox.command::<&str>("r", &[], &["record"])).exits(0);
            fs::remove_file(sandbox.path(&format!("r/{file}"))).unwrap();
        }
        let id = sandbox.git("r", &["rev-parse", "HEAD"]);
        let object = format!("r/.git/objects/{}/{}", &id[..2], &id[2..]);
        fs::remove_file(sandbox.path(&object)).unwrap();
        sandbox.pipe(&object);
        perfgate(&sandbox, &["record", "--force"]).exits(2).reports(&id);
    }

    #[test]
    fn zero_bytes_are_not_called_utf_16() {
        let sandbox = Sandbox::new();
        sandbox.write("zeros", vec![0; 5000]);
        ends(sandbox.command::<&str>("", &[], &["compare", "zeros", "zeros"])).exits(2).reports("only zero bytes");
    }

    #[test]
    fn a_second_signal_ends_the_program_at_once() {
        let sandbox = with_script("trap '' TERM INT\nsleep 30");
        let scratch = sandbox.path("").display().to_string();
        let args = [&MEASURE[..], &["--scratch", &scratch, "--", "./bench.sh"]].concat();
        let mut child = sandbox.command::<&str>("r", &[], &args).stderr(std::process::Stdio::null()).spawn().unwrap();
        // The benchmark command has started once its PID file is there.
        let has_pid_file = |directory: &std::path::Path| {
            let mut entries = fs::read_dir(directory).into_iter().flatten().flatten();
            entries.any(|entry| entry.file_name().to_string_lossy().starts_with("running-"))
        };
        let running = || fs::read_dir(&scratch).unwrap().flatten().any(|entry| has_pid_file(&entry.path()));
        let started = std::time::Instant::now();
        while !running() {
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(20));
        }
        let signal =
            || assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        signal();
        std::thread::sleep(Duration::from_millis(200));
        let second = std::time::Instant::now();
        signal();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert!(second.elapsed() < Duration::from_secs(1), "{:?}", second.elapsed());
        // The next run removes what was left.
        measure(&sandbox, &["--", "true"]);
        assert!(
            !fs::read_dir(&scratch)
                .unwrap()
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().starts_with("perfgate-"))
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[ignore = "needs root, setpriv and prlimit"]
    fn the_program_works_where_no_thread_can_be_started() {
        let sandbox = Sandbox::new();
        for name in ["before.txt", "after.txt"] {
            fs::copy(common::data(&format!("go-bench/{name}")), sandbox.path(name)).unwrap();
        }
        let program = copy_for_others(&sandbox);
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "12345", "--clear-groups", "prlimit", "--nproc=1"]).arg(program);
        command.args(["compare", "before.txt", "after.txt", "--format", "json"]).current_dir(sandbox.path(""));
        assert!(ends(command).code < 2);
    }

    /// A copy of the program that every user can run: the checkout may be in a private directory.
    #[cfg(target_os = "linux")]
    fn copy_for_others(sandbox: &Sandbox) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let program = sandbox.path("program");
        fs::copy(env!("CARGO_BIN_EXE_perfgate"), &program).unwrap();
        for path in [sandbox.path(""), program.clone()] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        program
    }

    #[test]
    #[ignore = "needs root"]
    fn a_repository_of_another_user_is_opened_as_git_allows_it() {
        let sandbox = Sandbox::measured();
        assert!(Command::new("chown").args(["-R", "12345"]).arg(sandbox.path("r")).status().unwrap().success());
        let directory = fs::canonicalize(sandbox.path("r")).unwrap().display().to_string();
        let advice = format!("git config --global --add safe.directory {directory}");
        for args in [&["record"][..], &["compare", "HEAD~1"], &["runs", "list"], &["history"]] {
            let answer = perfgate(&sandbox, args);
            answer.exits(2).reports(&advice);
            assert_eq!(answer.stderr.matches(&advice).count(), 1, "{}", answer.stderr);
        }
        let by_count = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory"), ("GIT_CONFIG_VALUE_0", "*")];
        ends(sandbox.command("r", &by_count, &["record"])).exits(0);
        sandbox.write("allow", format!("[safe]\ndirectory = {directory}\n"));
        let by_file = [("GIT_CONFIG_GLOBAL", sandbox.path("allow").display().to_string())];
        ends(sandbox.command("r", &by_file, &["runs", "list"])).exits(0).prints("5");
        sandbox.write("r/file", "changed").five_benchmarks(2);
        ends(sandbox.command("r", &by_file, &["record"])).exits(0).reports("differ from the commit");
    }

    /// Directories that measurements left in the scratch directory, and git's records of work trees.
    #[cfg(target_os = "linux")]
    fn left_behind(sandbox: &Sandbox, scratch: &std::path::Path) -> Vec<String> {
        let names = |path: &std::path::Path| -> Vec<String> {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
        };
        let trees = names(scratch).into_iter().filter(|name| name.starts_with("perfgate-"));
        trees.chain(names(&sandbox.path("r/.git/worktrees"))).collect()
    }

    #[test]
    #[cfg(target_os = "linux")] // other systems refuse such names
    fn a_scratch_directory_may_have_any_name() {
        use std::os::unix::ffi::OsStrExt;
        let sandbox = with_script("echo '[{\"unit\": \"ns\", \"name\": \"a\", \"value\": 5}]' > ${1:-out.json}");
        for name in [&b"t\xff"[..], b"a\nb"] {
            let scratch = sandbox.path("").join(std::ffi::OsStr::from_bytes(name));
            fs::create_dir(&scratch).unwrap();
            for words in [&["./bench.sh"][..], &["./bench.sh", "{out}"]] {
                let mut command = sandbox.command::<&str>("r", &[], &MEASURE);
                command.arg("--all").arg("--scratch").arg(&scratch).arg("--").args(words);
                ends(command).exits(0).prints("inconclusive  a ").does_not_print("time:user");
                assert_eq!(left_behind(&sandbox, &scratch), <Vec<String>>::new());
            }
            // What a killed process left there is found.
            let left = scratch.join("perfgate-4711-0");
            fs::create_dir(&left).unwrap();
            let note = [b"process 4711\n", left.as_os_str().as_bytes(), b"\0"].concat();
            fs::write(sandbox.path("r/.git/perfgate-measure-holder"), note).unwrap();
            measure(&sandbox, &["--", "true"]);
            assert!(!left.exists());
        }
        // The note of an earlier version.
        let left = sandbox.path("perfgate-4712-0");
        fs::create_dir(&left).unwrap();
        sandbox.write("r/.git/perfgate-measure-holder", format!("process 4712\n{}\n", left.display()));
        measure(&sandbox, &["--", "true"]);
        assert!(!left.exists());
    }

    /// Runs the program as another user than root, to whom permissions apply.
    #[cfg(target_os = "linux")]
    fn as_nobody(sandbox: &Sandbox, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "12345", "--clear-groups"]).arg(sandbox.path("program")).args(args);
        command.current_dir(sandbox.path("r")).stdin(std::process::Stdio::null()).env("HOME", sandbox.path(""));
        command
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[ignore = "needs root and setpriv"]
    fn read_only_directories_are_removed_and_what_stays_is_reported() {
        let sandbox = with_script(&format!("mkdir -p ro/d && touch ro/d/f && chmod 500 ro/d ro\n{GO_RESULTS}"));
        let give = |path: &str| {
            assert!(Command::new("chown").args(["-R", "12345"]).arg(sandbox.path(path)).status().unwrap().success())
        };
        fs::create_dir(sandbox.path("scratch")).unwrap();
        copy_for_others(&sandbox);
        give("");
        let scratch = sandbox.path("scratch").display().to_string();
        let args = [&MEASURE[..], &["--scratch", &scratch, "--all", "--", "./bench.sh"]].concat();
        ends(as_nobody(&sandbox, &args)).exits(0).prints("BenchmarkA");
        assert_eq!(left_behind(&sandbox, &sandbox.path("scratch")), <Vec<String>>::new());

        // A directory of another user cannot be removed. Each run tries again, and none adds another.
        fs::create_dir_all(sandbox.path("scratch/perfgate-4711-0/d")).unwrap();
        fs::write(sandbox.path("scratch/perfgate-4711-0/d/f"), "").unwrap();
        sandbox.write("r/.git/perfgate-measure-holder", format!("process 4711\n{scratch}/perfgate-4711-0\0"));
        give("r/.git/perfgate-measure-holder");
        for _ in 0..2 {
            ends(as_nobody(&sandbox, &args)).exits(0).reports("perfgate-4711-0").reports("remove it yourself");
            assert_eq!(left_behind(&sandbox, &sandbox.path("scratch")), ["perfgate-4711-0"]);
        }
        give("scratch");
        ends(as_nobody(&sandbox, &args)).exits(0);
        assert_eq!(left_behind(&sandbox, &sandbox.path("scratch")), <Vec<String>>::new());
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[ignore = "needs root, to mount a small file system"]
    fn a_full_disk_under_a_git_store_is_named() {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.path("r")).unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=400k", "tmpfs"]).arg(sandbox.path("r")).status();
        assert!(mount.unwrap().success());
        sandbox.repository("r").bench("results", "a", 1000.0, 1);
        let mut fill = vec![0; 1 << 20];
        while !fill.is_empty() {
            let length = fill.len();
            if fs::write(sandbox.path(&format!("r/fill-{length}")), &fill).is_err() {
                let _ = fs::remove_file(sandbox.path(&format!("r/fill-{length}")));
            }
            fill.truncate(length / 2);
        }
        let answer = perfgate(&sandbox, &["record", "../results", "--force"]);
        assert!(Command::new("umount").arg("-l").arg(sandbox.path("r")).status().unwrap().success());
        answer.exits(2).reports("No space left on device");
        assert!(!answer.stderr.contains("no error"), "{}", answer.stderr);
        assert_eq!(answer.stderr.matches("No space left").count(), 1, "{}", answer.stderr);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn refs_of_killed_exchanges_are_removed() {
        let sandbox = Sandbox::measured();
        sandbox.perfgate_at("r", &["record"]).exits(0);
        sandbox.git("", &["init", "-q", "--bare", "there"]);
        let space: String = fs::read_link("/proc/self/ns/pid").unwrap().display().to_string();
        let space: String = space.chars().filter(char::is_ascii_digit).collect();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
        let tip = sandbox.git("r", &["rev-parse", "refs/perfgate/baselines"]);
        let make = |name: &str| sandbox.git("r", &["update-ref", &format!("refs/perfgate-incoming/{name}"), &tip]);
        let left = || sandbox.git("r", &["for-each-ref", "--format=%(refname:lstrip=2)", "refs/perfgate-incoming"]);
        let alive = format!("{space}-{}-{start}-0", child.id());
        make(&alive);
        make(&format!("{space}-{}-1-0", child.id())); // an earlier process with the same id
        make("1-4711-5-0"); // another container's
        make("4711-0"); // by an earlier version
        perfgate(&sandbox, &["runs", "push", "../there"]).exits(0);
        let mut expected = ["1-4711-5-0", "4711-0", &alive];
        expected.sort_unstable();
        assert_eq!(left().lines().collect::<Vec<_>>(), expected);
        child.kill().unwrap();
        child.wait().unwrap();
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(25 * 60 * 60);
        let file = sandbox.path("r/.git/refs/perfgate-incoming/4711-0");
        fs::File::options().write(true).open(file).unwrap().set_modified(long_ago).unwrap();
        perfgate(&sandbox, &["runs", "pull", "../there"]).exits(0);
        assert_eq!(left(), "1-4711-5-0");
    }
}
