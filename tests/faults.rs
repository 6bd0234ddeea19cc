//! Damaged repositories, odd files and scarce resources: every command ends, with exit code 2 and the cause.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on has failed

mod common;
use common::{Answer, Scene, answer};
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The answer of a command that must end within 20 seconds.
#[track_caller]
fn ends(mut command: Command) -> Answer {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            panic!("it does not end: {command:?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    answer(child.wait_with_output().unwrap())
}

fn perfgate(scene: &Scene, args: &[&str]) -> Answer {
    ends(scene.command::<&str>("r", &[], args))
}

/// Cuts the file of a loose object to some bytes while `during` runs.
fn truncated(scene: &Scene, id: &str, length: usize, during: impl FnOnce()) {
    let file = scene.path(&format!("r/.git/objects/{}/{}", &id[..2], &id[2..]));
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, &whole[..length.min(whole.len() - 1)]).unwrap();
    during();
    fs::write(&file, whole).unwrap();
}

#[test]
fn a_truncated_object_of_the_store_is_named() {
    let scene = Scene::measured();
    scene.perfgate_at("r", &["record"]).exits(0);
    let reference = "refs/perfgate/baselines";
    let folder = scene.git("r", &["ls-tree", reference]).split_whitespace().nth(2).unwrap().to_owned();
    let run = scene.git("r", &["ls-tree", &folder]).split_whitespace().nth(2).unwrap().to_owned();
    for object in [reference, &format!("{reference}^{{tree}}"), &folder, &run] {
        let id = scene.git("r", &["rev-parse", object]);
        for length in [2, 20, 10_000] {
            truncated(&scene, &id, length, || {
                for args in [&["compare", "HEAD", "--head", "target/criterion"][..], &["history"]] {
                    perfgate(&scene, args).exits(2).complains(&id).complains("ends too early");
                }
                let answer = perfgate(&scene, &["runs", "list"]);
                assert!(object == run || answer.code == 2 && answer.stderr.contains(&id), "{}", answer.stderr);
                perfgate(&scene, &["record"]);
            });
        }
    }
}

#[test]
fn a_truncated_object_of_the_users_history_is_named() {
    let scene = Scene::measured();
    for message in ["second", "third", "fourth"] {
        scene.commit("r", message);
    }
    scene.five_benchmarks(2); // not older than the last commit
    // HEAD, an ancestor that a walk comes to, and the tree that the work tree is compared with.
    for object in ["HEAD", "HEAD~2", "HEAD^{tree}"] {
        let id = scene.git("r", &["rev-parse", object]);
        truncated(&scene, &id, 20, || {
            let args = if object == "HEAD~2" { &["compare"][..] } else { &["record"] };
            perfgate(&scene, args).exits(2).complains(&id).complains("ends too early").complains("git fsck");
        });
    }
}
