//! Named pipes, damaged copies and huge directories in place of the files that a command reads: the command ends and
//! names the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed
#![cfg(unix)] // named pipes

mod common;
use common::{Answer, Sandbox, ends};
use std::fs;
use std::path::Path;

fn perfgate(sandbox: &Sandbox, args: &[&str]) -> Answer {
    ends(sandbox.command::<&str>("r", &[], args))
}

/// Commands that read a repository, its store, or both.
const READERS: [&[&str]; 4] =
    [&["record", "--force"], &["runs", "list"], &["compare", "main", "--head", "target/criterion"], &["history"]];

#[test]
fn a_named_pipe_in_a_repository_is_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    perfgate(&sandbox, &["record"]).exits(0);
    for file in [
        "HEAD",
        "config",
        "index",
        "packed-refs",
        "shallow",
        "commondir",
        "info/exclude",
        "objects/info/alternates",
        "objects/pack/pack-1.idx",
        "objects/pack/pack-1.pack",
        "refs/heads/main",
        "refs/perfgate/baselines",
        "refs/tags/other",
        "perfgate-measure",
    ] {
        let path = format!("r/.git/{file}");
        let before = fs::read(sandbox.path(&path));
        let _ = fs::remove_file(sandbox.path(&path));
        sandbox.pipe(&path);
        for args in READERS.iter().chain([&["measure", "--", "true"][..]].iter()) {
            perfgate(&sandbox, args).exits(2).reports(&format!("{file}: it is a named pipe"));
        }
        fs::remove_file(sandbox.path(&path)).unwrap();
        if let Ok(before) = before {
            sandbox.write(&path, before);
        }
    }
    perfgate(&sandbox, &["record"]).exits(0);
}

#[test]
fn a_named_pipe_in_gits_configuration_is_named() {
    for (configuration, text) in [
        (".gitconfig", "[include]\n\tpath = pipe\n"),
        (".config/git/config", "[includeIf \"gitdir:~/\"] path = ~/pipe\n"),
        ("r/.git/config", "[core]\nrepositoryformatversion = 0\n[include]\npath = ../../more\n"),
        ("r/.git/config", "[core]\nrepositoryformatversion = 0\nexcludesFile = \"~/pipe\"\n"),
    ] {
        let sandbox = Sandbox::with_unrecorded_results();
        sandbox.pipe("pipe");
        sandbox.write("more", "[include]\npath = pipe\n").write(configuration, text);
        perfgate(&sandbox, &["record"]).exits(2).reports("pipe: it is a named pipe");
    }
}

#[test]
fn a_linked_work_tree_is_checked_with_its_repository() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("r", &["worktree", "add", "-q", "../linked"]);
    sandbox.bench("linked/target/criterion", "a", 1000.0, 1);
    let record = || ends(sandbox.command::<&str>("linked", &[], &["record"]));
    record().exits(0);
    for file in ["r/.git/worktrees/linked/index", "r/.git/config"] {
        let before = fs::read(sandbox.path(file)).unwrap();
        fs::remove_file(sandbox.path(file)).unwrap();
        sandbox.pipe(file);
        record().exits(2).reports(Path::new(file).file_name().unwrap().to_str().unwrap()).reports("named pipe");
        fs::remove_file(sandbox.path(file)).unwrap();
        sandbox.write(file, before);
    }
}

#[test]
fn a_named_pipe_in_a_work_tree_is_named_if_git_reads_it() {
    let sandbox = Sandbox::with_unrecorded_results();
    // git's file system monitor has a socket here, and a work tree may have any files.
    sandbox.pipe("r/.git/fsmonitor--daemon.ipc");
    sandbox.pipe("r/pipe");
    sandbox.pipe("r/.mailmap");
    perfgate(&sandbox, &["record"]).exits(0);
    for file in [".gitignore", ".gitattributes", ".gitmodules"] {
        let before = fs::read(sandbox.path(&format!("r/{file}")));
        let _ = fs::remove_file(sandbox.path(&format!("r/{file}")));
        sandbox.pipe(&format!("r/{file}"));
        perfgate(&sandbox, &["record"]).exits(2).reports(&format!("{file}: it is a named pipe"));
        fs::remove_file(sandbox.path(&format!("r/{file}"))).unwrap();
        if let Ok(before) = before {
            sandbox.write(&format!("r/{file}"), before);
        }
    }
}

#[test]
fn a_named_pipe_below_the_top_of_a_work_tree_is_named_if_git_reads_it() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.write("r/src/deep/file", "").write("r/sparse/file", "").commit("r", "directories");
    perfgate(&sandbox, &["record"]).exits(0);
    let measure = ["measure", "--base", "HEAD~1", "--scratch", "..", "--", "false"];
    // (path, read with the tracked files, read with new files)
    for (file, always, with_new_files) in [
        ("src/.gitattributes", true, true),
        ("src/deep/.gitignore", true, true),
        ("new/directory/.gitignore", false, true),
        ("target/.gitignore", false, false),
    ] {
        sandbox.pipe(&format!("r/{file}"));
        let message = format!("{file}: it is a named pipe");
        let answers =
            [(perfgate(&sandbox, &["record", "--force"]), always), (perfgate(&sandbox, &measure), with_new_files)];
        for (answer, is_read) in answers {
            assert_eq!(answer.stderr.contains(&message), is_read, "{file}: {}", answer.stderr);
        }
        fs::remove_file(sandbox.path(&format!("r/{file}"))).unwrap();
    }
    // A sparse checkout is read by the git command.
    sandbox.git("r", &["sparse-checkout", "set", "src"]);
    sandbox.pipe("r/src/.gitattributes");
    perfgate(&sandbox, &["record", "--force"]).exits(2).reports("src/.gitattributes: it is a named pipe");
}

#[test]
fn a_named_pipe_among_results_or_stored_runs_is_left_out_or_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    let store = ["--store", "dir:../runs"];
    perfgate(&sandbox, &[&["record"][..], &store].concat()).exits(0);
    let run = common::files_below(&sandbox.path("runs")).remove(0);
    fs::remove_file(&run).unwrap();
    sandbox.pipe(run.to_str().unwrap());
    perfgate(&sandbox, &[&["history"][..], &store].concat()).exits(2).reports("named pipe");
    perfgate(&sandbox, &[&["record"][..], &store].concat()).exits(2).reports("named pipe");

    sandbox.bench("r/before", "a", 1000.0, 2).bench("r/before", "b", 1000.0, 2);
    for file in ["sample.json", "benchmark.json"] {
        let path = sandbox.path(&format!("r/target/criterion/a/new/{file}"));
        let content = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        sandbox.pipe(&format!("r/target/criterion/a/new/{file}"));
        let answer = perfgate(&sandbox, &["compare", "before", "target/criterion"]);
        assert!(answer.code < 2, "{file}: {}", answer.stderr);
        answer.prints(&format!("a/new/{file}"));
        fs::remove_file(&path).unwrap();
        fs::write(&path, content).unwrap();
    }
}

#[test]
fn a_truncated_object_that_is_borrowed_is_named() {
    let sandbox = Sandbox::with_unrecorded_results();
    sandbox.git("", &["clone", "-q", "--shared", "r", "borrower"]);
    sandbox.bench("borrower/target/criterion", "a", 1000.0, 1);
    let id = sandbox.git("r", &["rev-parse", "HEAD"]);
    let object = format!("r/.git/objects/{}/{}", &id[..2], &id[2..]);
    let whole = fs::read(sandbox.path(&object)).unwrap();
    fs::remove_file(sandbox.path(&object)).unwrap();
    sandbox.write(&object, &whole[..20]);
    ends(sandbox.command::<&str>("borrower", &[], &["record"])).exits(2).reports(&id).reports("ends too early");
}

#[test]
fn a_report_longer_than_the_buffer_of_a_pipe_is_printed() {
    let sandbox = Sandbox::new();
    let results = (0..1000).map(|index| format!(r#"{{"name": "benchmark {index}", "unit": "ns", "value": 100}}"#));
    sandbox.write("results.json", format!("[{}]", results.collect::<Vec<_>>().join(",")));
    let compare = ["compare", "results.json", "results.json", "--format", "json"];
    let answer = ends(sandbox.command::<&str>("", &[], &compare));
    assert!(answer.stdout.len() > 100_000 && answer.json()["benchmarks"].as_array().unwrap().len() == 1000);
}

#[test]
fn a_directory_with_very_many_files_is_refused() {
    let sandbox = Sandbox::new();
    for index in 0..10_100 {
        sandbox.write(&format!("results/{}/{index}", index % 7), "");
    }
    let answer = ends(sandbox.command::<&str>("", &[], &["compare", "results", "results"]));
    answer.exits(2).reports("more than 10000 files");
}

#[test]
#[cfg(feature = "plots")]
fn a_process_that_gnuplot_leaves_behind_does_not_stop_the_command() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let script =
        "#!/bin/sh\nif [ \"$1\" = --version ]; then sleep 25 & echo gnuplot 5.4 patchlevel 4; exit 0; fi\nsleep 25 &\n";
    sandbox.write("bin/gnuplot", script);
    fs::set_permissions(sandbox.path("bin/gnuplot"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", sandbox.path("bin").display(), std::env::var("PATH").unwrap());
    let answer = ends(sandbox.command("", &[("PATH", path)], &["compare", "old", "new", "--plots", "plots"]));
    answer.exits(0).reports("gnuplot drew only 0 of");
}

#[test]
fn a_head_that_names_no_commit_is_not_called_a_wrong_spelling() {
    let sandbox = Sandbox::with_unrecorded_results();
    for (head, message) in [
        ("garbage\n", "cannot read HEAD"),
        ("", "cannot read HEAD"),
        ("ref: refs/heads/nowhere\n", "the checked-out branch has no commits yet"),
    ] {
        sandbox.write("r/.git/HEAD", head);
        let answer = perfgate(&sandbox, &["record"]);
        answer.exits(2).reports(message);
        assert!(!answer.stderr.contains("spelling"), "{}", answer.stderr);
    }
}

#[test]
fn a_benchmark_that_cannot_be_read_on_one_side_is_neither_added_nor_removed() {
    for (broken, other) in [("old", "new"), ("new", "old")] {
        let sandbox = Sandbox::new();
        for (run, name) in ["a", "b"].iter().enumerate() {
            sandbox.bench(broken, name, 1000.0, run as u32).bench(other, name, 1000.0, 9);
        }
        sandbox.write(&format!("{broken}/a/new/sample.json"), "{");
        let answer = ends(sandbox.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
        assert_eq!(answer.exits(0).outcome("a"), "inconclusive");
        let side = if broken == "old" { "base" } else { "head" };
        answer.prints(&format!("its result in {side} could not be read"));
        // The unreadable result has no name, so it may belong to any missing benchmark.
        sandbox.write(&format!("{broken}/a/new/benchmark.json"), "{");
        let answer = ends(sandbox.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
        assert_eq!(answer.exits(0).outcome("a"), "inconclusive");
        answer.prints(&format!("it may be among the results of {side} that could not be read"));
    }
}

#[test]
fn a_benchmark_with_invalid_values_on_one_side_is_neither_added_nor_removed() {
    let file = |a: u32, b: &str| {
        format!(
            r#"{{"format": "perfgate-run", "version": 1, "measurements": [
            {{"benchmark": "a", "unit": "ns", "replicates": [{{"samples": [{a}, 101, 99, 100, 102]}}]}},
            {{"benchmark": "b", "unit": "ns", "replicates": [{b}]}}]}}"#
        )
    };
    let sandbox = Sandbox::new();
    sandbox.write("good.json", file(100, r#"{"samples": [200, 203, 199, 200, 202]}"#));
    for bad in [r#"{"samples": [NaN, NaN]}"#, r#"{"samples": [-1, -2]}"#, r#"{"value": -5}"#, r#"{"value": "x"}"#] {
        sandbox.write("bad.json", file(103, bad));
        for (base, head, side) in [("good.json", "bad.json", "head"), ("bad.json", "good.json", "base")] {
            let answer = ends(sandbox.command::<&str>("", &[], &["compare", base, head, "--format", "json"]));
            assert_eq!(answer.outcome("b"), "inconclusive", "{bad} in {side}");
            answer.prints(side).prints("could not be read");
        }
    }
    // One valid sample is a result.
    sandbox.write("bad.json", file(103, r#"{"samples": [NaN, 200]}"#));
    let answer = ends(sandbox.command::<&str>("", &[], &["compare", "good.json", "bad.json", "--format", "json"]));
    answer.does_not_print("could not be read");
}

#[test]
fn a_result_file_of_a_directory_that_cannot_be_read_removes_nothing() {
    let sandbox = Sandbox::new();
    let results = |name: &str, value: u32| format!(r#"[{{"name": "{name}", "unit": "ns", "value": {value}}}]"#);
    for (directory, value) in [("old", 100), ("new", 101)] {
        for name in ["a", "b"] {
            sandbox.write(&format!("{directory}/{name}.json"), results(name, value));
        }
    }
    fs::remove_file(sandbox.path("new/b.json")).unwrap();
    let compare = || ends(sandbox.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
    assert_eq!(compare().outcome("b"), "removed");
    sandbox.pipe("other");
    std::os::unix::fs::symlink("../other", sandbox.path("new/b.json")).unwrap();
    fs::hard_link(sandbox.path("other"), sandbox.path("new/c.json")).unwrap();
    assert_eq!(compare().outcome("b"), "removed", "a named pipe is no result file");
    sandbox.write("new/d.json", "[{\"name\": \"d\", \"unit\": \"ns\", \"value\": null}]");
    assert_eq!(compare().outcome("b"), "inconclusive");
    sandbox.write("removed.toml", "[gate]\nfail-on = [\"removed\"]\n");
    let strict = ["compare", "old", "new", "--config", "removed.toml"];
    ends(sandbox.command::<&str>("", &[], &strict)).exits(1).prints("FAIL: 1 removed").prints("could not be read");
}

#[test]
#[cfg(target_os = "linux")] // /dev/full
fn a_full_disk_under_standard_output_is_named() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let mut command = sandbox.command::<&str>("", &[], &["compare", "old", "new"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    common::answer(output).exits(2).reports("cannot write to standard output: No space left on device");
}

#[test]
fn a_file_that_cannot_be_written_is_left_as_it_was() {
    let sandbox = Sandbox::new();
    for (index, name) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        let value = 1000.0 * (index + 1) as f64;
        sandbox.bench("old", name, value, 1).bench("new", name, value, 2);
    }
    sandbox.write("saved.json", "of an earlier run");
    let paths = "old new --save saved.json --html page.html";
    // Limits the size of files to 2 kB, like a full disk.
    let program = env!("CARGO_BIN_EXE_perfgate");
    let command = format!("trap '' XFSZ; ulimit -f 4; exec '{program}' compare {paths}");
    let compare = |command: &str| {
        std::process::Command::new("sh").args(["-c", command]).current_dir(sandbox.path("")).output().unwrap()
    };
    let output = compare(&command);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("saved.json: cannot write the comparison"), "{output:?}");
    assert_eq!(sandbox.read("saved.json"), "of an earlier run");
    let names: Vec<_> = fs::read_dir(sandbox.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("perfgate-") || name == "page.html"), "{names:?}");
    // A link stays one.
    std::os::unix::fs::symlink("saved.json", sandbox.path("link.json")).unwrap();
    let paths = paths.replace("--save saved.json", "--save link.json");
    assert_eq!(compare(&format!("exec '{program}' compare {paths}")).status.code(), Some(0));
    assert!(sandbox.path("link.json").is_symlink() && sandbox.read("saved.json").contains("perfgate-comparison"));
}

#[test]
fn a_config_that_cannot_be_read_is_not_taken_for_none() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2).write("below/file", "");
    let compare = |directory: &str, args: &[&str]| ends(sandbox.command::<&str>(directory, &[], args));
    std::os::unix::fs::symlink("nowhere", sandbox.path("perfgate.toml")).unwrap();
    sandbox.repository(".");
    compare("", &["compare", "old", "new"]).exits(2).reports("perfgate.toml: cannot read the config");
    compare("below", &["compare", "../old", "../new"]).exits(2).reports("cannot read the config");
    fs::remove_file(sandbox.path("perfgate.toml")).unwrap();
    fs::create_dir(sandbox.path("perfgate.toml")).unwrap();
    compare("", &["compare", "old", "new"]).exits(2).reports("perfgate.toml: cannot read the config");
    fs::remove_dir(sandbox.path("perfgate.toml")).unwrap();
    compare("", &["compare", "old", "new"]).exits(0);
}

#[test]
fn a_huge_number_of_threads_is_limited() {
    let sandbox = Sandbox::new();
    sandbox.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    ends(sandbox.command("", &[("RAYON_NUM_THREADS", "99999999")], &["compare", "old", "new"])).exits(0);
}
