//! Tests of recording on main and comparing on a branch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Scene;
use perfgate::io::store::{self, Key};
use perfgate::model::{Detail, record};
use std::fs;
use std::time::{Duration, SystemTime};

fn suite(scene: &Scene, run: u32, slow: Option<(&str, f64)>) {
    for (index, name) in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].iter().enumerate() {
        let factor = slow.filter(|(slow, _)| slow == name).map_or(1.0, |(_, factor)| factor);
        scene.bench("r/target/criterion", name, 1000.0 * (index + 1) as f64 * factor, run);
    }
}

/// Three commits on main with a stored run each, then a branch.
fn recorded() -> Scene {
    let scene = Scene::new();
    scene.repository("r");
    for run in 1..=3 {
        scene.commit("r", &format!("change {run}"));
        suite(&scene, run, None);
        scene.perfgate_at("r", &["record"]).exits(0).says("recorded 10 results");
    }
    scene.git("r", &["switch", "-q", "-c", "work"]);
    scene.commit("r", "work");
    scene
}

#[test]
fn a_slower_branch_fails_against_the_runs_of_main() {
    let scene = recorded();
    suite(&scene, 9, Some(("c", 1.6)));
    scene.perfgate_at("r", &["compare"]).exits(1).says("✗ regressed  c").says("3 runs");
    let report = scene.perfgate_at("r", &["compare", "--format", "json"]);
    let base = scene.git("r", &["rev-parse", "main"]);
    assert_eq!(report.json()["base"]["commit"], base);
    assert_eq!(report.json()["base"]["commits"].as_array().unwrap().len(), 3);
    assert_eq!(report.json()["environment"]["match"], true);
}

#[test]
fn an_equal_branch_passes() {
    let scene = recorded();
    suite(&scene, 9, None);
    scene.perfgate_at("r", &["compare"]).exits(0).says("PASS");
}

#[test]
fn the_base_is_the_merge_base_and_not_the_newest_commit_of_main() {
    let scene = recorded();
    let base = scene.git("r", &["rev-parse", "main"]);
    scene.git("r", &["switch", "-q", "main"]);
    scene.commit("r", "main goes on, and is slower");
    suite(&scene, 4, Some(("c", 3.0)));
    scene.perfgate_at("r", &["record"]).exits(0);
    scene.git("r", &["switch", "-q", "work"]);
    suite(&scene, 9, None);
    let report = scene.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(report.exits(0).json()["base"]["commit"], base);
}

#[test]
fn recording_again_changes_nothing() {
    let scene = recorded();
    scene.git("r", &["switch", "-q", "main"]);
    let before = scene.git("r", &["rev-parse", "refs/perfgate/baselines"]);
    scene.perfgate_at("r", &["record"]).exits(0).says("already recorded");
    assert_eq!(scene.git("r", &["rev-parse", "refs/perfgate/baselines"]), before);
}

#[test]
fn work_tree_index_and_branches_stay_unchanged() {
    let scene = recorded();
    scene.write("r/file", "edited").write("r/staged", "staged");
    scene.git("r", &["add", "staged"]);
    let state = |scene: &Scene| {
        ["status --porcelain=v2", "for-each-ref refs/heads", "symbolic-ref HEAD", "ls-files --stage"]
            .map(|args| scene.git("r", &args.split(' ').collect::<Vec<_>>()))
    };
    let before = state(&scene);
    suite(&scene, 9, None);
    scene.perfgate_at("r", &["record"]).exits(0).complains("differ from the commit");
    assert_eq!(state(&scene), before);
}

#[test]
fn a_missing_baseline_is_exit_code_2_with_the_command_to_run() {
    let scene = Scene::new();
    scene.repository("r");
    scene.git("r", &["switch", "-q", "-c", "work"]);
    scene.commit("r", "work");
    suite(&scene, 1, None);
    scene
        .perfgate_at("r", &["compare"])
        .exits(2)
        .complains("no baseline")
        .complains("perfgate record")
        .complains("main");
    scene.perfgate_at("r", &["compare", "--allow-missing-baseline"]).exits(0).complains("no baseline");
    scene.perfgate_at("r", &["compare", "main"]).exits(2).complains("no stored run of main");
}

#[test]
fn a_revision_is_read_from_the_store() {
    let scene = recorded();
    scene.git("r", &["tag", "v1", "main~1"]);
    suite(&scene, 9, Some(("c", 2.0)));
    let report = scene.perfgate_at("r", &["compare", "v1", "--format", "json"]);
    assert_eq!(report.json()["base"]["commit"], scene.git("r", &["rev-parse", "v1"]));
    assert_eq!(report.json()["base"]["label"], "v1");
    scene.perfgate_at("r", &["compare", "v9"]).exits(2).complains("v9").complains("neither a path nor a git revision");
}

/// Rewrites every stored run as one of another machine.
fn move_to_another_machine(scene: &Scene, key: &str) {
    let store = store::open(store::DEFAULT_URL, &scene.path("r")).unwrap();
    let keys = store.list().unwrap().keys;
    for old in &keys {
        let mut run = store::read_run(&*store, old, Detail::Samples).unwrap();
        run.environment.set(key, "another");
        let bytes = record::encode(&run).unwrap();
        store.write(&[(Key::new(&run, &bytes), bytes)]).unwrap();
    }
    assert_eq!(store.remove(&keys).unwrap(), keys.len());
}

#[test]
fn runs_of_another_machine_are_not_compared() {
    let scene = recorded();
    move_to_another_machine(&scene, "cpu");
    suite(&scene, 9, Some(("c", 3.0)));
    let answer = scene.perfgate_at("r", &["compare", "--format", "json"]);
    let report =
        answer.exits(2).complains("different machines (cpu differs). Measure base and head on one machine").json();
    assert_eq!(report["verdict"], "none");
    assert_eq!(report["environment"]["match"], false);
    assert_eq!(report["environment"]["differences"][0]["key"], "cpu");
    assert_eq!(report["counts"]["inconclusive"], 10);
    answer.says("different-machines");
    scene.perfgate_at("r", &["compare", "--allow-missing-baseline"]).exits(0).says("NO VERDICT: ").does_not_say("PASS");
    let comment = scene.perfgate_at("r", &["compare", "--template", "comment"]);
    comment.exits(2).says("❔").says("NO VERDICT: base and head ran on different machines").does_not_say("✅");
    let tests = scene.perfgate_at("r", &["compare", "--format", "junit"]);
    tests.exits(2).says("failures=\"0\" skipped=\"11\"");
    scene.perfgate_at("r", &["compare", "--fail-on", "environment"]).exits(1);

    scene.write("r/perfgate.toml", "[environment]\nignore = ['cpu']\n");
    assert_eq!(scene.perfgate_at("r", &["compare", "--format", "json"]).exits(1).outcome("c"), "regressed");
}

#[test]
fn another_toolchain_is_reported_and_compared() {
    let scene = recorded();
    move_to_another_machine(&scene, "rustc");
    suite(&scene, 9, Some(("c", 3.0)));
    let answer = scene.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(answer.exits(1).json()["environment"]["match"], true);
    answer.says("environment-differs");
}

#[test]
fn stored_runs_are_listed_and_shown() {
    let scene = recorded();
    let list = scene.perfgate_at("r", &["runs", "list"]);
    assert_eq!(list.exits(0).stdout.lines().count(), 4, "a header and three runs");
    scene.perfgate_at("r", &["runs", "list", "--last", "1"]).says("2 older ones");
    scene.perfgate_at("r", &["runs", "show", "main"]).exits(0).says("s  a").says("cpu ");
    scene.perfgate_at("r", &["runs", "show", "work"]).exits(2).complains("no run of work");
    scene.perfgate_at("r", &["runs", "list", "--store", "dir:nowhere"]).exits(2).complains("has no run");
}

#[test]
fn a_directory_is_a_store_too() {
    let scene = Scene::new();
    scene.repository("r");
    scene.write("r/perfgate.toml", "[store]\nurl = 'dir:../runs'\n");
    suite(&scene, 1, None);
    scene.perfgate_at("r", &["record"]).exits(0).says("dir:");
    scene.commit("r", "slower");
    suite(&scene, 2, Some(("c", 2.0)));
    scene.perfgate_at("r", &["compare"]).exits(1);
    assert!(scene.path("runs").is_dir());
}

#[test]
fn runs_are_pushed_and_pulled_between_clones() {
    let scene = recorded();
    scene.git("", &["init", "-q", "--bare", "hub.git"]);
    let hub = scene.path("hub.git").display().to_string();
    scene.git("r", &["remote", "add", "origin", &hub]);
    scene.git("r", &["push", "-q", "origin", "main", "work"]);
    scene.perfgate_at("r", &["runs", "push"]).exits(0).says("3 runs sent");
    scene.git("", &["clone", "-q", &hub, "other", "-b", "work"]);
    scene.perfgate_at("other", &["runs", "pull"]).exits(0).says("3 runs received");
    suite(&scene, 9, Some(("c", 2.0)));
    std::fs::rename(scene.path("r/target"), scene.path("other/target")).unwrap();
    scene.perfgate_at("other", &["compare"]).exits(1).says("✗ regressed  c");
    scene.perfgate_at("other", &["runs", "push", "nowhere"]).exits(2).complains("nowhere");
}

#[test]
fn results_older_than_the_commit_are_reported_and_not_stored() {
    let scene = recorded();
    suite(&scene, 9, None);
    let old = scene.path("r/target/criterion/j/new/sample.json");
    let file = std::fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000)).unwrap();
    scene.perfgate_at("r", &["compare"]).exits(0).says("\"j\": older than the commit");
    scene.perfgate_at("r", &["record"]).exits(0).says("recorded 9 results").complains("left out");
}

#[test]
fn uncommitted_changes_are_compared_with_their_commit() {
    let scene = Scene::new();
    scene.repository("r");
    suite(&scene, 1, None);
    scene.perfgate_at("r", &["record"]).exits(0);
    scene.write("r/file", "edited");
    suite(&scene, 2, Some(("c", 2.0)));
    let report = scene.perfgate_at("r", &["compare", "--format", "json"]);
    assert_eq!(report.exits(1).json()["base"]["commit"], scene.git("r", &["rev-parse", "HEAD"]));
}

#[test]
fn results_older_than_head_are_recorded_only_on_request() {
    let scene = Scene::measured();
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for name in ["a", "b", "c", "d", "e"] {
        let sample = scene.path(&format!("r/target/criterion/{name}/new/sample.json"));
        fs::File::options().write(true).open(sample).unwrap().set_modified(long_ago).unwrap();
    }
    scene.git_at("r", 1_100_000_000, &["commit", "--quiet", "--allow-empty", "--message", "later"]);
    scene
        .perfgate_at("r", &["record"])
        .exits(2)
        .complains("nothing was measured for")
        .complains("older than the commit");
    scene.perfgate_at("r", &["compare"]).exits(2);
    scene.perfgate_at("r", &["record", "--commit", "HEAD~1"]).exits(0);
    scene.perfgate_at("r", &["compare"]).exits(2).complains("nothing was measured for");
    scene.perfgate_at("r", &["record", "--force"]).exits(0);
}
