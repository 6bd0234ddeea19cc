//! Faults of files, pipes and processes that only Unix has.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

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
    measure(&sandbox, &["--copy", "pipe", "--", "./bench.sh"]).exits(2).reports("--copy pipe").reports("named pipe");
    fs::create_dir(sandbox.path("r/folder")).unwrap();
    sandbox.pipe("r/folder/pipe");
    let check = "test ! -e folder/pipe && test -e folder && ./bench.sh";
    measure(&sandbox, &["--copy", "folder", "--all", "--", "sh", "-c", check])
        .prints("BenchmarkA")
        .prints("folder/pipe: not copied (named pipes, sockets and devices are left out)");
    perfgate(&sandbox, &["compare", "pipe", "pipe"]).exits(2).reports("named pipe");
}

#[test]
fn named_pipes_and_devices_given_as_files_do_not_block_a_command() {
    let sandbox = Sandbox::with_unrecorded_results();
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
    let workflow = [&workflow[..2], &[("GITHUB_EVENT_PATH", &*payload), ("GITHUB_STEP_SUMMARY", &*summary)]].concat();
    ends(sandbox.command("r", &workflow, &["ci"])).exits(2).reports("cannot write the job summary: it is a named pipe");
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
fn a_named_pipe_is_not_written_to() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.bench("before", "a", 1000.0, 1).bench("after", "a", 1000.0, 2);
    sandbox.pipe("pipe");
    sandbox.pipe("site/index.html");
    let run = |args: &[&str]| ends(sandbox.command::<&str>("", &[], args));
    let compare = |option: &str, path: &str| run(&["compare", "before", "after", option, path]);
    compare("--save", "saved.json").exits(0);
    compare("--save", "pipe").exits(2).reports("pipe: cannot write the comparison: it is a named pipe");
    compare("--html", "pipe").exits(2).reports("pipe: cannot write the file: it is a named pipe");
    run(&["render", "saved.json", "--html", "pipe"])
        .exits(2)
        .reports("pipe: cannot write the file: it is a named pipe");
    perfgate(&sandbox, &["record"]).exits(0);
    perfgate(&sandbox, &["history", "--site", "../site"]).exits(2).reports("index.html: cannot write the file: it is");
    // Devices, and the pipes of the shell.
    compare("--save", "/dev/null").exits(0);
    compare("--save", "/dev/stdout").exits(0).prints("perfgate-comparison");
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
    let signal = || assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
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
    let sandbox = Sandbox::with_unrecorded_results();
    assert!(Command::new("chown").args(["-R", "12345"]).arg(sandbox.path("r")).status().unwrap().success());
    let directory = fs::canonicalize(sandbox.path("r")).unwrap().display().to_string();
    let advice = format!("git config --global --add safe.directory {directory}");
    for args in [
        &["record"][..],
        &["compare", "HEAD~1"],
        &["compare", "target/criterion"],
        &["compare", "--head", "target/criterion"],
        &["runs", "list"],
        &["history"],
    ] {
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
fn a_directory_that_may_not_be_entered_is_the_cause_in_the_message() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.write("r/closed/new.txt", "BenchmarkA 1 5 ns/op\n");
    fs::set_permissions(sandbox.path("r/closed"), fs::Permissions::from_mode(0o700)).unwrap();
    copy_for_others(&sandbox);
    for args in [["compare", "closed/new.txt", "target/criterion"], ["compare", "target/criterion", "closed/new.txt"]] {
        ends(as_nobody(&sandbox, &args)).exits(2).reports("closed/new.txt: Permission denied");
    }
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
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=400k", "tmpfs"]).arg(sandbox.path("r")).status();
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
    let sandbox = Sandbox::with_unrecorded_results();
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
