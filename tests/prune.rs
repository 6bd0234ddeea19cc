//! Tests of pruning: which runs are kept, thinned and removed, that a kill at any moment loses nothing, and that pull and
//! push do not restore pruned runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use perfgate::io::store::{self, GitStore, Key, Store, read_run};
use perfgate::model::{Commit, Detail, Environment, Evidence, Measurement, Metric, Run, record};
use std::collections::BTreeSet;
use std::time::Duration;

const REF: &str = "refs/perfgate/baselines";
/// 2026-01-01T00:00:00Z, the time of the first run; the others follow an hour apart.
const BEGIN: i64 = 1_767_225_600;

/// A synthetic run of its own commit: `samples` samples of `benchmark` around 1000 ns.
fn run(number: i64, cpu: &str, benchmark: &str, samples: u32) -> Run {
    let sample = |i: u32| 1000.0 + f64::from((i * 7919 + number.rem_euclid(1000) as u32 * 104_729) % 1000) / 50.0;
    let measured = Evidence::Samples((0..samples).map(sample).collect());
    let mut environment = Environment::default();
    environment.set(Environment::CPU, cpu);
    Run {
        commit: Commit::parse(&format!("{:040x}", 0xabcd_0000 + number)),
        time: BEGIN + 3600 * number,
        branch: Some("main".into()),
        environment,
        measurements: vec![Measurement::new("criterion", benchmark, Metric::time(), measured)],
        ..Run::default()
    }
}

fn stored(run: &Run) -> (Key, Vec<u8>) {
    let bytes = record::encode(run).unwrap();
    (Key::new(run, &bytes), bytes)
}

/// Runs of one machine, oldest first.
fn runs(count: i64) -> Vec<(Key, Vec<u8>)> {
    (0..count).map(|number| stored(&run(number, "x", "parse", 200))).collect()
}

/// A repository, with runs in the store at a URL.
fn sandbox(url: &str, records: &[(Key, Vec<u8>)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    open(&sandbox, url).write(records).unwrap();
    sandbox
}

fn open(sandbox: &Sandbox, url: &str) -> Box<dyn Store> {
    store::open(url, &sandbox.path("r")).unwrap()
}

const STORES: [&str; 2] = ["git:refs/perfgate/baselines", "dir:runs"];

/// The numbers of whole and thinned runs. Reads each of them.
fn count_runs(store: &dyn Store) -> (usize, usize) {
    let keys = store.list().unwrap().keys;
    for key in &keys {
        let run = read_run(store, key, Detail::Samples).unwrap();
        let thinned = matches!(run.measurements[0].evidence[0], Evidence::Thinned(_));
        assert_eq!(thinned, key.is_thinned(), "{key}");
    }
    let thinned = keys.iter().filter(|key| key.is_thinned()).count();
    (keys.len() - thinned, thinned)
}

fn ids(store: &dyn Store) -> BTreeSet<String> {
    store.list().unwrap().keys.iter().map(|key| key.id().to_owned()).collect()
}

#[test]
fn the_newest_runs_stay_whole_older_ones_are_thinned_and_the_oldest_are_removed() {
    let records = runs(40);
    for url in STORES {
        let sandbox = sandbox(url, &records);
        let prune = ["runs", "prune", "--keep", "15", "--thin", "20", "--store", url];
        sandbox
            .perfgate_at("r", &prune)
            .exits(0)
            .prints("    15 whole (15 newest)")
            .prints("    20 thinned")
            .prints("     5 removed")
            .prints("% smaller");
        let store = open(&sandbox, url);
        assert_eq!(count_runs(&*store), (15, 20), "{url}");
        // The ids of the whole runs, the newest 35 of 40.
        let expected: BTreeSet<String> = records[5..].iter().map(|(key, _)| key.id().to_owned()).collect();
        assert_eq!(ids(&*store), expected);
        for (key, bytes) in &records[25..] {
            assert_eq!(&store.read(key).unwrap(), bytes, "newer runs are unchanged");
        }
        // Thinning does not change the digests.
        let thin = store.list().unwrap().keys.into_iter().find(Key::is_thinned).unwrap();
        let whole = records.iter().find(|(key, _)| key.identity() == thin.identity()).unwrap();
        let digests = read_run(&*store, &thin, Detail::Digests).unwrap();
        assert_eq!(digests, record::decode(&whole.1, Detail::Digests).unwrap());
        // A second prune has nothing to do.
        let listed = store.list().unwrap();
        sandbox.perfgate_at("r", &prune).exits(0).prints("     0 thinned (20 already were)").prints("     0 removed");
        assert_eq!(store.list().unwrap(), listed);
    }
}

#[test]
fn a_dry_run_prints_what_would_be_removed_and_changes_nothing() {
    let records = runs(20);
    for url in STORES {
        let sandbox = sandbox(url, &records);
        let before = open(&sandbox, url).list().unwrap();
        let dry = ["runs", "prune", "--keep", "12", "--thin", "5", "--dry-run", "--store", url];
        sandbox
            .perfgate_at("r", &dry)
            .exits(0)
            .prints("dry run: nothing is changed")
            .prints("     5 would be thinned")
            .prints("     3 would be removed")
            .prints(&format!("remove {}", records[0].0))
            .prints(&format!("thin   {}", records[7].0));
        assert_eq!(open(&sandbox, url).list().unwrap(), before);
        // Of the six runs before the newest four, five would be thinned, but they are a baseline.
        let kept = ["runs", "prune", "--keep", "4", "--thin", "5", "--dry-run", "--store", url];
        sandbox
            .perfgate_at("r", &kept)
            .exits(0)
            .prints("    10 whole (4 newest, 6 older, in a baseline)")
            .prints("     0 would be thinned (--thin 5 also counts the 6 in a baseline, which stay whole)");
    }
}

#[test]
fn tags_pins_and_the_commits_of_epochs_stay_whole() {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let mut records = runs(30);
    for (number, word) in [(0, "tagged"), (1, "pinned"), (2, "epoch"), (3, "nothing")] {
        sandbox.commit("r", word);
        let commit = Commit::parse(&sandbox.git("r", &["rev-parse", "HEAD"]));
        records[number] = stored(&Run { commit, ..run(number as i64, "x", "parse", 200) });
    }
    sandbox.git("r", &["tag", "-a", "-m", "a release", "v1", "HEAD~3"]);
    sandbox.git("r", &["branch", "pin", "HEAD~2"]);
    sandbox.git("r", &["branch", "epoch", "HEAD~1"]);
    let config = "[baseline]\npin = \"pin\"\n[[epoch]]\nmatch = \"other/*\"\nfrom = \"epoch\"\nreason = \"x\"\n";
    sandbox.write("r/perfgate.toml", config);
    let store = open(&sandbox, STORES[0]);
    store.write(&records).unwrap();
    sandbox
        .perfgate_at("r", &["runs", "prune", "--keep", "12", "--thin", "0"])
        .exits(0)
        .prints("3 for tags, pins or epochs");
    assert_eq!(count_runs(&*store), (15, 0));
    for (key, bytes) in &records[..3] {
        assert_eq!(&store.read(key).unwrap(), bytes);
    }
    assert!(!ids(&*store).contains(records[3].0.id()));

    sandbox.write("r/perfgate.toml", "[baseline]\npin = \"v9\"\n");
    sandbox.perfgate_at("r", &["runs", "prune"]).exits(2).reports("v9").reports("would not be kept");
}

#[test]
fn runs_are_counted_per_machine_and_on_or_off_the_default_branch() {
    let mut records = runs(40);
    records.push(stored(&run(-10, "quiet machine", "parse", 200)));
    let work = |number| Run { branch: Some("work".into()), ..run(number, "x", "parse", 200) };
    records.extend((100..140).map(|number| stored(&work(number))));
    let sandbox = sandbox(STORES[1], &records);
    sandbox.perfgate_at("r", &["runs", "prune", "--keep", "30", "--thin", "0", "--store", STORES[1]]).exits(0);
    // 30 of main, 30 off main, and the only one of the quiet machine, which is the oldest.
    assert_eq!(count_runs(&*open(&sandbox, STORES[1])), (61, 0));
    assert!(ids(&*open(&sandbox, STORES[1])).contains(records[40].0.id()));
}

#[test]
fn nothing_is_pruned_where_the_tags_are_unknown() {
    let sandbox = sandbox(STORES[1], &runs(30));
    sandbox.commit("r", "second");
    let url = format!("file://{}", sandbox.path("r").display());
    sandbox.git("", &["clone", "-q", "--depth=1", &url, "shallow"]);
    let store = format!("dir:{}", sandbox.path("r/runs").display());
    let prune = ["runs", "prune", "--keep", "12", "--store", &store];
    sandbox.perfgate_at("shallow", &prune).exits(2).reports("shallow").reports("fetch-depth: 0");
    sandbox.perfgate_at("", &prune).exits(2).reports("is not in a git repository; run perfgate in one");
    assert_eq!(count_runs(&*open(&sandbox, STORES[1])), (30, 0));
    sandbox.perfgate_at("r", &["runs", "prune", "--store", "dir:nowhere"]).exits(2).reports("has no run");
    sandbox.perfgate_at("r", &["runs", "prune", "--keep", "0"]).exits(2);
}

#[test]
fn a_damaged_run_is_reported_and_kept_and_the_others_are_pruned() {
    let records = runs(30);
    let sandbox = sandbox(STORES[1], &records);
    let damaged = sandbox.path("r/runs").join(records[2].0.to_string());
    std::fs::write(&damaged, b"pgrun\nnonsense").unwrap();
    sandbox
        .perfgate_at("r", &["runs", "prune", "--keep", "12", "--thin", "0", "--store", STORES[1]])
        .exits(2)
        .reports("damaged")
        .prints("1 could not be read")
        .prints("    17 removed");
    assert!(damaged.exists());
}

#[test]
fn a_run_in_whole_and_thinned_form_counts_once() {
    let records = runs(12);
    for url in STORES {
        let sandbox = sandbox(url, &records);
        let store = open(&sandbox, url);
        let (key, bytes) = &records[0];
        let thin = perfgate::history::thin(bytes).unwrap().unwrap();
        let thin = (key.thinned(&thin), thin);
        store.write(std::slice::from_ref(&thin)).unwrap();
        let listed = store.list().unwrap();
        assert_eq!((listed.keys.len(), listed.duplicates.as_slice()), (12, std::slice::from_ref(&thin.0)));
        assert!(listed.keys.contains(key), "the whole one is read");
        // The whole form counts; the thinned one is the duplicate.
        sandbox.perfgate_at("r", &["runs", "prune", "--store", url]).exits(0);
        assert_eq!((count_runs(&*store), store.list().unwrap().duplicates.len()), ((12, 0), 0));
        // A whole form is not written next to a thinned one.
        store.write(std::slice::from_ref(&thin)).unwrap();
        store.remove(std::slice::from_ref(key)).unwrap();
        assert_eq!(store.write(&records[..1]).unwrap().already, 1);
        assert_eq!(count_runs(&*store), (11, 1), "{url}");
    }
}

/// Limits the size of files to 0, like a full disk.
#[test]
fn temporary_files_of_dead_writers_are_removed() {
    let sandbox = sandbox("dir:runs", &runs(30));
    let month = std::fs::read_dir(sandbox.path("r/runs")).unwrap().next().unwrap().unwrap().path();
    let [old, young] = ["1-0", "2-0"].map(|who| month.join(format!(".unfinished-{who}")));
    for (path, hours) in [(&old, 25), (&young, 1)] {
        let file = std::fs::File::create(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
    }
    sandbox.perfgate_at("r", &["runs", "prune", "--keep", "12", "--store", "dir:runs"]).exits(0);
    assert_eq!((old.exists(), young.exists()), (false, true));
}

#[cfg(unix)]
#[test]
fn nothing_is_removed_on_a_full_disk() {
    let records = runs(30);
    for url in STORES {
        let sandbox = sandbox(url, &records);
        let before = open(&sandbox, url).list().unwrap();
        let program = env!("CARGO_BIN_EXE_perfgate");
        let prune =
            format!("trap '' XFSZ; ulimit -f 0; exec '{program}' runs prune --keep 12 --thin 10 --store '{url}'");
        let output =
            std::process::Command::new("sh").args(["-c", &prune]).current_dir(sandbox.path("r")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{url}: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(open(&sandbox, url).list().unwrap(), before);
        assert_eq!(count_runs(&*open(&sandbox, url)), (30, 0));
    }
}

/// Kills a prune after a time that grows from round to round, until one completes. After each round, every kept run exists
/// once and can be read.
#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let records = runs(90);
    for url in STORES {
        let sandbox = sandbox(url, &records);
        let store = open(&sandbox, url);
        let kept: BTreeSet<String> = records[30..].iter().map(|(key, _)| key.id().to_owned()).collect();
        let all: BTreeSet<String> = records.iter().map(|(key, _)| key.id().to_owned()).collect();
        let (mut killed, mut delay) = (0, 0);
        loop {
            let prune = ["runs", "prune", "--keep", "20", "--thin", "40", "--store", url];
            let done = sandbox.killed("r", &prune, Duration::from_millis(delay));
            let there = ids(&*store);
            assert!(there.is_superset(&kept) && there.is_subset(&all), "{url}, after {delay} ms");
            count_runs(&*store);
            for (key, bytes) in &records[70..] {
                assert_eq!(&store.read(key).unwrap(), bytes);
            }
            if done {
                break;
            }
            killed += 1;
            delay += 2;
            // The user has to remove a lock that a killed git or libgit2 left, as the message explains.
            let _ = std::fs::remove_file(sandbox.path("r/.git").join(format!("{REF}.lock")));
        }
        assert!(killed > 0, "{url}");
        assert_eq!((count_runs(&*store), ids(&*store)), ((20, 40), kept), "{url}, killed {killed} times");
        assert_eq!(store.list().unwrap().duplicates.len(), 0);
        if url == STORES[0] {
            sandbox.git("r", &["fsck", "--strict"]);
        }
    }
}

/// A bare remote with runs, and clones that have pulled them.
fn clones(records: &[(Key, Vec<u8>)], count: usize) -> (Sandbox, Vec<String>) {
    let sandbox = sandbox(STORES[0], records);
    sandbox.git("", &["clone", "-q", "--bare", "r", "remote.git"]);
    let names: Vec<String> = (0..count).map(|i| format!("clone-{i}")).collect();
    sandbox.git("r", &["push", "-q", "../remote.git", &format!("{REF}:{REF}")]);
    for name in &names {
        sandbox.git("", &["clone", "-q", "remote.git", name]);
        sandbox.perfgate_at(name, &["runs", "pull"]).exits(0);
    }
    (sandbox, names)
}

fn clone(sandbox: &Sandbox, name: &str) -> GitStore {
    GitStore::open(&sandbox.path(name), REF).unwrap()
}

#[test]
fn a_clone_with_the_old_history_restores_nothing_and_loses_nothing() {
    let records = runs(40);
    let (sandbox, _) = clones(&records, 2);
    let fresh = stored(&run(50, "x", "parse", 200));
    let old_commit = stored(&run(-5, "x", "parse", 200));
    clone(&sandbox, "clone-1").write(&[fresh.clone(), old_commit.clone()]).unwrap();
    let prune = ["runs", "prune", "--keep", "15", "--thin", "20", "--push"];
    sandbox.perfgate_at("clone-0", &prune).exits(0).prints("pushed to origin, removals included: 20 runs sent");
    let remote = clone(&sandbox, "remote.git");
    assert_eq!(count_runs(&remote), (15, 20));
    assert_eq!(sandbox.git("remote.git", &["rev-list", "--count", REF]), "1", "the history is restarted");

    // A new run is kept, even if its commit is older than those of the pruned runs.
    sandbox.perfgate_at("clone-1", &["runs", "push"]).exits(0).prints("2 runs sent");
    assert_eq!(count_runs(&remote), (17, 20));
    assert!(ids(&remote).contains(fresh.0.id()) && ids(&remote).contains(old_commit.0.id()));
    assert_eq!(count_runs(&clone(&sandbox, "clone-1")), (17, 20));
    assert_eq!(sandbox.git("remote.git", &["rev-list", "--count", REF]), "2");
    sandbox.perfgate_at("clone-0", &["runs", "pull"]).exits(0).prints("2 runs received");
    assert_eq!(count_runs(&clone(&sandbox, "clone-0")), (17, 20));
    // Recording a pruned run again restores it.
    clone(&sandbox, "clone-0").write(&records[..1]).unwrap();
    sandbox.perfgate_at("clone-0", &["runs", "push"]).exits(0).prints("1 run sent");
    sandbox.perfgate_at("clone-1", &["runs", "push"]).exits(0).prints("0 runs sent, 1 received");
    assert_eq!(count_runs(&remote), (18, 20));
}

#[test]
fn two_clones_that_prune_at_once_end_with_the_same_runs() {
    let records = runs(40);
    let (sandbox, _) = clones(&records, 3);
    sandbox.perfgate_at("clone-0", &["runs", "prune", "--keep", "15", "--thin", "20"]).exits(0);
    sandbox.perfgate_at("clone-1", &["runs", "prune", "--keep", "20", "--thin", "5"]).exits(0);
    clone(&sandbox, "clone-2").write(&[stored(&run(60, "x", "parse", 200))]).unwrap();
    for name in ["clone-0", "clone-1", "clone-2", "clone-0", "clone-1"] {
        sandbox.perfgate_at(name, &["runs", "push"]).exits(0);
    }
    // The removals of both clones apply: the newest 25 runs remain, 10 of them thinned, and the new run.
    let remote = clone(&sandbox, "remote.git");
    assert_eq!(count_runs(&remote), (16, 10));
    for name in ["clone-0", "clone-1", "clone-2"] {
        assert_eq!(ids(&clone(&sandbox, name)), ids(&remote), "{name}");
    }
    assert_eq!(sandbox.git("remote.git", &["rev-list", "--merges", "--count", REF]), "0");
}

#[test]
fn writers_that_push_during_a_prune_lose_no_run() {
    let records = runs(40);
    let (sandbox, names) = clones(&records, 4);
    for round in 0..4 {
        std::thread::scope(|scope| {
            for (writer, name) in names.iter().enumerate() {
                let sandbox = &sandbox;
                scope.spawn(move || {
                    let number = 100 + round * 10 + writer as i64;
                    let record = stored(&run(number, &format!("machine {writer}"), "parse", 200));
                    clone(sandbox, name).write(&[record]).unwrap();
                    let args: &[&str] = match writer {
                        0 => &["runs", "prune", "--keep", "15", "--thin", "10", "--push"],
                        _ => &["runs", "push"],
                    };
                    sandbox.perfgate_at(name, args).exits(0);
                });
            }
        });
        let remote = clone(&sandbox, "remote.git");
        // 15 whole and 10 thinned runs of the first machine, and every new one.
        assert_eq!(count_runs(&remote), (15 + 4 * (round as usize + 1), 10), "after round {round}");
        assert_eq!(remote.list().unwrap().duplicates.len(), 0);
    }
}

#[test]
fn a_remote_that_refuses_force_gets_the_pruned_runs_too() {
    let (sandbox, _) = clones(&runs(40), 2);
    sandbox.git("remote.git", &["config", "receive.denyNonFastForwards", "true"]);
    sandbox.perfgate_at("clone-0", &["runs", "prune", "--keep", "15", "--thin", "20", "--push"]).exits(0);
    assert_eq!(count_runs(&clone(&sandbox, "remote.git")), (15, 20));
    sandbox.perfgate_at("clone-1", &["runs", "push"]).exits(0);
    assert_eq!(count_runs(&clone(&sandbox, "remote.git")), (15, 20));
    assert_eq!(count_runs(&clone(&sandbox, "clone-1")), (15, 20));
}

#[test]
fn unreadable_tombstones_stop_pull_and_push() {
    let (sandbox, _) = clones(&runs(20), 1);
    sandbox.perfgate_at("clone-0", &["runs", "prune", "--keep", "12", "--thin", "0"]).exits(0);
    let repository = git2::Repository::open(sandbox.path("clone-0")).unwrap();
    let tip = repository.find_reference(REF).unwrap().peel_to_commit().unwrap();
    let mut tree = repository.treebuilder(Some(&tip.tree().unwrap())).unwrap();
    assert!(tree.get("pruned").unwrap().is_some());
    tree.insert("pruned", repository.blob(b"something else").unwrap(), 0o100_644).unwrap();
    let tree = repository.find_tree(tree.write().unwrap()).unwrap();
    let author = git2::Signature::now("A", "a@example.org").unwrap();
    repository.commit(Some(REF), &author, &author, "x", &tree, &[&tip]).unwrap();
    sandbox.perfgate_at("clone-0", &["runs", "push"]).exits(2).reports("pruned").reports("damaged");
}
