//! Named pipes, damaged copies and huge directories in place of the files that a command reads: it ends, and names the file.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on has failed
#![cfg(unix)] // named pipes

mod common;
use common::{Answer, Scene, ends};
use std::fs;
use std::path::Path;
use std::process::Command;

fn pipe(scene: &Scene, path: &str) {
    let path = scene.path(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn perfgate(scene: &Scene, args: &[&str]) -> Answer {
    ends(scene.command::<&str>("r", &[], args))
}

/// Commands that read a repository, its store, or both.
const READERS: [&[&str]; 4] =
    [&["record", "--force"], &["runs", "list"], &["compare", "main", "--head", "target/criterion"], &["history"]];

#[test]
fn a_named_pipe_in_a_repository_is_named() {
    let scene = Scene::measured();
    perfgate(&scene, &["record"]).exits(0);
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
        let before = fs::read(scene.path(&path));
        let _ = fs::remove_file(scene.path(&path));
        pipe(&scene, &path);
        for args in READERS.iter().chain([&["measure", "--", "true"][..]].iter()) {
            perfgate(&scene, args).exits(2).complains(&format!("{file}: it is a named pipe"));
        }
        fs::remove_file(scene.path(&path)).unwrap();
        if let Ok(before) = before {
            scene.write(&path, before);
        }
    }
    perfgate(&scene, &["record"]).exits(0);
}

#[test]
fn a_named_pipe_in_gits_configuration_is_named() {
    for (configuration, text) in [
        (".gitconfig", "[include]\n\tpath = pipe\n"),
        (".config/git/config", "[includeIf \"gitdir:~/\"] path = ~/pipe\n"),
        ("r/.git/config", "[core]\nrepositoryformatversion = 0\n[include]\npath = ../../more\n"),
        ("r/.git/config", "[core]\nrepositoryformatversion = 0\nexcludesFile = \"~/pipe\"\n"),
    ] {
        let scene = Scene::measured();
        pipe(&scene, "pipe");
        scene.write("more", "[include]\npath = pipe\n").write(configuration, text);
        perfgate(&scene, &["record"]).exits(2).complains("pipe: it is a named pipe");
    }
}

#[test]
fn a_linked_work_tree_is_checked_with_its_repository() {
    let scene = Scene::measured();
    scene.git("r", &["worktree", "add", "-q", "../linked"]);
    scene.bench("linked/target/criterion", "a", 1000.0, 1);
    let record = || ends(scene.command::<&str>("linked", &[], &["record"]));
    record().exits(0);
    for file in ["r/.git/worktrees/linked/index", "r/.git/config"] {
        let before = fs::read(scene.path(file)).unwrap();
        fs::remove_file(scene.path(file)).unwrap();
        pipe(&scene, file);
        record().exits(2).complains(Path::new(file).file_name().unwrap().to_str().unwrap()).complains("named pipe");
        fs::remove_file(scene.path(file)).unwrap();
        scene.write(file, before);
    }
}

#[test]
fn a_named_pipe_in_a_work_tree_is_named_if_git_reads_it() {
    let scene = Scene::measured();
    // git's file system monitor has a socket here, and a work tree may have any files.
    pipe(&scene, "r/.git/fsmonitor--daemon.ipc");
    pipe(&scene, "r/pipe");
    pipe(&scene, "r/.mailmap");
    perfgate(&scene, &["record"]).exits(0);
    for file in [".gitignore", ".gitattributes", ".gitmodules"] {
        let before = fs::read(scene.path(&format!("r/{file}")));
        let _ = fs::remove_file(scene.path(&format!("r/{file}")));
        pipe(&scene, &format!("r/{file}"));
        perfgate(&scene, &["record"]).exits(2).complains(&format!("{file}: it is a named pipe"));
        fs::remove_file(scene.path(&format!("r/{file}"))).unwrap();
        if let Ok(before) = before {
            scene.write(&format!("r/{file}"), before);
        }
    }
}

#[test]
fn a_named_pipe_among_results_or_stored_runs_is_left_out_or_named() {
    let scene = Scene::measured();
    let store = ["--store", "dir:../runs"];
    perfgate(&scene, &[&["record"][..], &store].concat()).exits(0);
    let run = common::files_below(&scene.path("runs")).remove(0);
    fs::remove_file(&run).unwrap();
    assert!(Command::new("mkfifo").arg(&run).status().unwrap().success());
    perfgate(&scene, &[&["history"][..], &store].concat()).exits(2).complains("named pipe");
    perfgate(&scene, &[&["record"][..], &store].concat()).exits(2).complains("named pipe");

    scene.bench("r/before", "a", 1000.0, 2).bench("r/before", "b", 1000.0, 2);
    for file in ["sample.json", "benchmark.json"] {
        fs::remove_file(scene.path(&format!("r/target/criterion/a/new/{file}"))).unwrap();
        pipe(&scene, &format!("r/target/criterion/a/new/{file}"));
        perfgate(&scene, &["compare", "before", "target/criterion"]).says(&format!("a/new/{file}"));
    }
}

#[test]
fn a_truncated_object_that_is_borrowed_is_named() {
    let scene = Scene::measured();
    scene.git("", &["clone", "-q", "--shared", "r", "borrower"]);
    scene.bench("borrower/target/criterion", "a", 1000.0, 1);
    let id = scene.git("r", &["rev-parse", "HEAD"]);
    let object = format!("r/.git/objects/{}/{}", &id[..2], &id[2..]);
    let whole = fs::read(scene.path(&object)).unwrap();
    fs::remove_file(scene.path(&object)).unwrap();
    scene.write(&object, &whole[..20]);
    ends(scene.command::<&str>("borrower", &[], &["record"])).exits(2).complains(&id).complains("ends too early");
}

#[test]
fn a_directory_with_very_many_files_is_refused() {
    let scene = Scene::new();
    for index in 0..10_100 {
        scene.write(&format!("results/{}/{index}", index % 7), "");
    }
    let answer = ends(scene.command::<&str>("", &[], &["compare", "results", "results"]));
    answer.exits(2).complains("more than 10000 files");
}

#[test]
fn a_process_that_gnuplot_leaves_behind_does_not_stop_the_command() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    scene.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let script =
        "#!/bin/sh\nif [ \"$1\" = --version ]; then sleep 25 & echo gnuplot 5.4 patchlevel 4; exit 0; fi\nsleep 25 &\n";
    scene.write("bin/gnuplot", script);
    fs::set_permissions(scene.path("bin/gnuplot"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", scene.path("bin").display(), std::env::var("PATH").unwrap());
    let answer = ends(scene.command("", &[("PATH", path)], &["compare", "old", "new", "--plots", "plots"]));
    answer.exits(0).complains("gnuplot drew only 0 of");
}

#[test]
fn a_head_that_names_no_commit_is_not_called_a_wrong_spelling() {
    let scene = Scene::measured();
    for (head, message) in [
        ("garbage\n", "cannot read HEAD"),
        ("", "cannot read HEAD"),
        ("ref: refs/heads/nowhere\n", "the checked-out branch has no commits yet"),
    ] {
        scene.write("r/.git/HEAD", head);
        let answer = perfgate(&scene, &["record"]);
        answer.exits(2).complains(message);
        assert!(!answer.stderr.contains("spelling"), "{}", answer.stderr);
    }
}

#[test]
fn a_benchmark_that_cannot_be_read_on_one_side_is_neither_added_nor_removed() {
    for (broken, other) in [("old", "new"), ("new", "old")] {
        let scene = Scene::new();
        for (run, name) in ["a", "b"].iter().enumerate() {
            scene.bench(broken, name, 1000.0, run as u32).bench(other, name, 1000.0, 9);
        }
        scene.write(&format!("{broken}/a/new/sample.json"), "{");
        let answer = ends(scene.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
        assert_eq!(answer.outcome("a"), "inconclusive");
        let side = if broken == "old" { "base" } else { "head" };
        answer.says(&format!("its result in {side} could not be read"));
        // Without its name, each missing benchmark may be the one.
        scene.write(&format!("{broken}/a/new/benchmark.json"), "{");
        let answer = ends(scene.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
        assert_eq!(answer.outcome("a"), "inconclusive");
        answer.says(&format!("it may be among the results of {side} that could not be read"));
    }
}

#[test]
fn a_result_file_of_a_directory_that_cannot_be_read_removes_nothing() {
    let scene = Scene::new();
    let results = |name: &str, value: u32| format!(r#"[{{"name": "{name}", "unit": "ns", "value": {value}}}]"#);
    for (directory, value) in [("old", 100), ("new", 101)] {
        for name in ["a", "b"] {
            scene.write(&format!("{directory}/{name}.json"), results(name, value));
        }
    }
    fs::remove_file(scene.path("new/b.json")).unwrap();
    let compare = || ends(scene.command::<&str>("", &[], &["compare", "old", "new", "--format", "json"]));
    assert_eq!(compare().outcome("b"), "removed");
    pipe(&scene, "other");
    std::os::unix::fs::symlink("../other", scene.path("new/b.json")).unwrap();
    fs::hard_link(scene.path("other"), scene.path("new/c.json")).unwrap();
    assert_eq!(compare().outcome("b"), "removed", "a named pipe is no result file");
    scene.write("new/d.json", "[{\"name\": \"d\", \"unit\": \"ns\", \"value\": null}]");
    assert_eq!(compare().outcome("b"), "inconclusive");
}

#[test]
#[cfg(target_os = "linux")] // /dev/full
fn a_full_disk_under_standard_output_is_named() {
    let scene = Scene::new();
    scene.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    let mut command = scene.command::<&str>("", &[], &["compare", "old", "new"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    common::answer(output).exits(2).complains("cannot write to standard output: No space left on device");
}

#[test]
fn a_config_that_cannot_be_read_is_not_taken_for_none() {
    let scene = Scene::new();
    scene.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2).write("below/file", "");
    let compare = |directory: &str, args: &[&str]| ends(scene.command::<&str>(directory, &[], args));
    std::os::unix::fs::symlink("nowhere", scene.path("perfgate.toml")).unwrap();
    scene.repository(".");
    compare("", &["compare", "old", "new"]).exits(2).complains("perfgate.toml: cannot read the config");
    compare("below", &["compare", "../old", "../new"]).exits(2).complains("cannot read the config");
    fs::remove_file(scene.path("perfgate.toml")).unwrap();
    fs::create_dir(scene.path("perfgate.toml")).unwrap();
    compare("", &["compare", "old", "new"]).exits(2).complains("perfgate.toml: cannot read the config");
    fs::remove_dir(scene.path("perfgate.toml")).unwrap();
    compare("", &["compare", "old", "new"]).exits(0);
}

#[test]
fn a_huge_number_of_threads_is_limited() {
    let scene = Scene::new();
    scene.bench("old", "a", 1000.0, 1).bench("new", "a", 1000.0, 2);
    ends(scene.command("", &[("RAYON_NUM_THREADS", "99999999")], &["compare", "old", "new"])).exits(0);
}
