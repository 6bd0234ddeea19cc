//! Tests of stores: one suite for all of them, and for git stores that nothing else in the repository changes and that
//! concurrent writers lose no runs, locally and at a remote.

#![allow(clippy::unwrap_used, clippy::panic)] // tests may panic

#[cfg(feature = "buckets")]
#[path = "common/cloud.rs"]
mod cloud;

mod common;
#[path = "store/git.rs"]
mod git;

use perfgate::io::store::{DirectoryStore, GitStore, Key, Store, StoreError, WriteCounts, of_commits, open, read_run};
use perfgate::model::record::{encode, extent};
use perfgate::model::{Commit, Detail, Evidence, Measurement, Metric, Run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

const REF: &str = "refs/perfgate/baselines";

/// A stored run, unique for its time and value.
fn record(time: i64, value: f64) -> (Key, Vec<u8>) {
    let measurement = Measurement::new("criterion", "a/b", Metric::time(), Evidence::Value(value));
    let commit = Commit::parse(&format!("{time:040x}"));
    let run = Run { commit, time, measurements: vec![measurement], ..Run::default() };
    let bytes = encode(&run).unwrap();
    (Key::new(&run, &bytes), bytes)
}

/// Runs git without the user's settings.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = command(directory).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "someone").env(format!("GIT_{who}_EMAIL"), "someone@localhost");
    }
    command
}

/// A repository with one commit on `main`.
fn repository(directory: &Path) {
    fs::create_dir_all(directory).unwrap();
    git(directory, &["init", "-q", "-b", "main"]);
    fs::write(directory.join("file"), "content\n").unwrap();
    git(directory, &["add", "file"]);
    git(directory, &["commit", "-q", "-m", "first"]);
}

fn git_store(directory: &Path) -> GitStore {
    GitStore::open(directory, REF).unwrap()
}

/// Writes a file into a store directly, without its checks.
type Plant = Box<dyn Fn(&str, &[u8])>;

/// An empty store, and a way to write files into it directly.
struct TestStore {
    store: Box<dyn Store>,
    plant: Plant,
    _directory: TempDir,
}

/// Runs each of these functions on each kind of store, as a test of its own.
macro_rules! on_each_store {
    ($($test:ident)*) => {
        mod in_a_directory {
            $(
                #[test]
                fn $test() {
                    super::$test(super::in_a_directory());
                }
            )*
        }
        mod in_git {
            $(
                #[test]
                fn $test() {
                    super::$test(super::in_git());
                }
            )*
        }
        #[cfg(feature = "buckets")]
        cloud::on_each_server! { crate::in_a_bucket => $($test)* }
    };
}

on_each_store! {
    a_store_that_was_never_written_to_is_empty
    runs_are_listed_in_time_order_and_read_back_as_written
    a_span_includes_its_ends_and_the_newest_runs_come_last
    runs_of_commits_are_found_by_the_times_of_the_commits
    recording_a_run_again_changes_nothing
    only_the_removed_runs_are_gone
    foreign_files_are_listed_and_left_alone
    bytes_under_the_name_of_another_run_are_refused_by_reads_and_writes
    a_digest_read_detects_a_run_of_another_commit_or_time
    a_store_of_a_later_perfgate_is_read_only
    concurrent_writers_lose_nothing
}

/// An empty store in a directory.
fn in_a_directory() -> TestStore {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("runs");
    let plant_root = root.clone();
    let plant = move |name: &str, content: &[u8]| {
        let path = plant_root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    TestStore { store: Box::new(DirectoryStore::new(&root)), plant: Box::new(plant), _directory: directory }
}

/// An empty store in the ref of a repository.
fn in_git() -> TestStore {
    let directory = tempfile::tempdir().unwrap();
    repository(directory.path());
    let path = directory.path().to_owned();
    let plant = move |name: &str, content: &[u8]| plant_in_ref(&path, name, content);
    TestStore { store: Box::new(git_store(directory.path())), plant: Box::new(plant), _directory: directory }
}

/// An empty store in a bucket on a server.
#[cfg(feature = "buckets")]
fn in_a_bucket(server: &cloud::Server) -> TestStore {
    let url = server.address();
    let (store, bucket) = (open(&url, Path::new(".")).unwrap(), cloud::bucket(&url));
    let plant = move |name: &str, content: &[u8]| cloud::overwrite(&bucket, name, content);
    TestStore { store, plant: Box::new(plant), _directory: tempfile::tempdir().unwrap() }
}

/// Adds a file to the ref's tree, with the git command only.
fn plant_in_ref(repository: &Path, name: &str, content: &[u8]) {
    let scratch = tempfile::tempdir().unwrap();
    let (file, index) = (scratch.path().join("file"), scratch.path().join("index"));
    fs::write(&file, content).unwrap();
    let blob = git(repository, &["hash-object", "-w", file.to_str().unwrap()]);
    let with_index = |arguments: &[&str]| {
        let output = command(repository).env("GIT_INDEX_FILE", &index).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let tip = command(repository).args(["rev-parse", "-q", "--verify", REF]).output().unwrap();
    let tip = String::from_utf8(tip.stdout).unwrap().trim().to_owned();
    if !tip.is_empty() {
        with_index(&["read-tree", &tip]);
    }
    with_index(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{name}")]);
    let tree = with_index(&["write-tree"]);
    let parent = if tip.is_empty() { vec![] } else { vec!["-p", tip.as_str()] };
    let commit = git(repository, &[&["commit-tree", &tree, "-m", "planted"], parent.as_slice()].concat());
    git(repository, &["update-ref", REF, &commit]);
}

fn a_store_that_was_never_written_to_is_empty(TestStore { store, .. }: TestStore) {
    assert_eq!(store.list().unwrap(), Default::default(), "{}", store.url());
    let (key, _) = record(1, 1.0);
    assert!(matches!(store.read(&key), Err(StoreError::Missing { .. })));
    assert_eq!(store.remove(&[key]).unwrap(), 0);
}

fn runs_are_listed_in_time_order_and_read_back_as_written(TestStore { store, .. }: TestStore) {
    // Months apart, unsorted, two with the same time.
    let records: Vec<_> = [1_700_000_000, 0, 86_400 * 40, 1_600_000_000].map(|t| record(t, 1.0)).into();
    assert_eq!(store.write(&records[..3]).unwrap(), WriteCounts { added: 3, already: 0 });
    assert_eq!(store.write(&records[3..]).unwrap(), WriteCounts { added: 1, already: 0 });
    let twin = record(0, 2.0);
    store.write(std::slice::from_ref(&twin)).unwrap();
    let listed = store.list().unwrap();
    let times: Vec<i64> = listed.keys.iter().map(Key::time).collect();
    assert_eq!(times, [0, 0, 3_456_000, 1_600_000_000, 1_700_000_000]);
    assert_eq!(listed.foreign, [""; 0]);
    for (key, bytes) in records.iter().chain([&twin]) {
        assert_eq!(&store.read(key).unwrap(), bytes);
    }
    let run = read_run(&*store, &twin.0, Detail::Digests).unwrap();
    assert_eq!(run.measurements[0].evidence, [Evidence::Value(2.0)]);
}

fn a_span_includes_its_ends_and_the_newest_runs_come_last(TestStore { store, plant, .. }: TestStore) {
    // 1970-01-31T23:59:59Z is the last second of a month.
    let times = [0, 100, 2_678_399, 2_678_400, 70_000_000];
    store.write(&times.map(|t| record(t, 1.0))).unwrap();
    plant("1970-01/notes.txt", b"not ours");
    plant("other/notes.txt", b"not ours");
    let within = |spans: &[std::ops::RangeInclusive<i64>]| -> Vec<i64> {
        store.within(spans).unwrap().iter().map(Key::time).collect()
    };
    assert_eq!(within(&[100..=2_678_400]), [100, 2_678_399, 2_678_400], "{}", store.url());
    assert_eq!(within(&[101..=2_678_398]), [0; 0]);
    assert_eq!(within(&[0..=0, 70_000_000..=70_000_000]), [0, 70_000_000]);
    assert_eq!(within(&[0..=100, 50..=2_678_399]), [0, 100, 2_678_399]);
    assert_eq!(within(&[-5..=70_000_001]).len(), 5);
    assert_eq!(within(&[]), [0; 0]);
    for count in [0, 1, 2, 3, 5, 9] {
        let newest = store.newest(count).unwrap();
        let from = 5_usize.saturating_sub(count);
        let last: Vec<i64> = newest.keys.iter().map(Key::time).collect();
        assert!(last.ends_with(&times[from..]) && times.ends_with(&last), "{count} of {}", store.url());
        assert_eq!(newest.more, last.len() < 5);
    }
}

fn runs_of_commits_are_found_by_the_times_of_the_commits(TestStore { store, .. }: TestStore) {
    let records = [record(5, 1.0), record(5, 2.0), record(6, 1.0), record(90_000_000, 1.0)];
    store.write(&records).unwrap();
    let commit = |time: i64| (Commit::parse(&format!("{time:040x}")).unwrap(), time);
    let found = of_commits(&*store, &[commit(5), commit(7), commit(90_000_000)]).unwrap();
    let mut both = [records[0].0.clone(), records[1].0.clone()];
    both.sort();
    assert_eq!(found[&commit(5).0], both);
    assert_eq!(found[&commit(7).0], []);
    assert_eq!(found[&commit(90_000_000).0], [records[3].0.clone()]);
    let read = store.read_all(&[records[3].0.clone(), record(8, 1.0).0, records[0].0.clone()]);
    assert_eq!(read[0].as_ref().unwrap(), &records[3].1);
    assert!(matches!(read[1], Err(StoreError::Missing { .. })));
    assert_eq!(read[2].as_ref().unwrap(), &records[0].1);
}

fn recording_a_run_again_changes_nothing(TestStore { store, .. }: TestStore) {
    let (first, second) = (record(7, 1.0), record(8, 1.0));
    store.write(std::slice::from_ref(&first)).unwrap();
    let listed = store.list().unwrap();
    assert_eq!(store.write(std::slice::from_ref(&first)).unwrap(), WriteCounts { added: 0, already: 1 });
    assert_eq!(store.list().unwrap(), listed);
    let twice = [first, second.clone(), second];
    assert_eq!(store.write(&twice).unwrap(), WriteCounts { added: 1, already: 2 });
    assert_eq!(store.list().unwrap().keys.len(), 2);
}

fn only_the_removed_runs_are_gone(TestStore { store, .. }: TestStore) {
    let records = [record(1, 1.0), record(2, 1.0), record(1_700_000_000, 1.0)];
    store.write(&records).unwrap();
    let gone = [records[0].0.clone(), records[2].0.clone(), record(3, 1.0).0];
    assert_eq!(store.remove(&gone).unwrap(), 2);
    assert_eq!(store.list().unwrap().keys, [records[1].0.clone()]);
    assert!(matches!(store.read(&gone[0]), Err(StoreError::Missing { .. })));
}

fn foreign_files_are_listed_and_left_alone(TestStore { store, plant, .. }: TestStore) {
    plant("README.md", b"hello");
    plant("1970-01/notes.txt", b"hello");
    plant("other/000000000001-none-0123456789ab.pgrun", b"hello");
    store.write(&[record(1, 1.0)]).unwrap();
    store.remove(&[record(1, 1.0).0]).unwrap();
    store.write(&[record(2, 1.0)]).unwrap();
    let listed = store.list().unwrap();
    assert_eq!(listed.keys, [record(2, 1.0).0]);
    assert!(listed.foreign.contains(&"README.md".to_owned()), "{:?}", listed.foreign);
    assert!(listed.foreign.contains(&"1970-01/notes.txt".to_owned()), "{:?}", listed.foreign);
    assert!(listed.foreign.iter().any(|name| name.starts_with("other")), "{:?}", listed.foreign);
}

fn bytes_under_the_name_of_another_run_are_refused_by_reads_and_writes(TestStore { store, plant, .. }: TestStore) {
    let (key, bytes) = record(1, 1.0);
    let other = record(1, 2.0).1;
    assert!(matches!(store.write(&[(key.clone(), other.clone())]), Err(StoreError::Mismatch(_))));
    plant(&key.to_string(), &other);
    assert!(matches!(store.read(&key), Err(StoreError::Damaged { .. })));
    assert!(matches!(store.write(&[(key.clone(), bytes)]), Err(StoreError::Damaged { .. })));
    plant(&key.to_string(), b"");
    let error = store.read(&key).unwrap_err().to_string();
    assert!(error.contains(&key.to_string()) && error.contains("damaged"), "{error}");
}

fn a_digest_read_detects_a_run_of_another_commit_or_time(TestStore { store, plant, .. }: TestStore) {
    let key = record(1, 1.0).0;
    plant(&key.to_string(), &record(2, 1.0).1);
    let error = read_run(&*store, &key, Detail::Digests).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn a_changed_byte_is_detected_by_every_read_of_its_part() {
    let place = TempDir::new().unwrap();
    let store = DirectoryStore::new(place.path());
    let samples = (0..50).map(|i| 100.0 + f64::from(i % 7)).collect();
    let measurement = Measurement::new("criterion", "a/b", Metric::time(), Evidence::Samples(samples));
    let run = Run { time: 1, measurements: vec![measurement], ..Run::default() };
    let bytes = encode(&run).unwrap();
    let key = Key::new(&run, &bytes);
    store.write(&[(key.clone(), bytes.clone())]).unwrap();
    let whole = read_run(&store, &key, Detail::Digests).unwrap();
    let (digests, length) = extent(&bytes).unwrap();
    assert!(digests < length && length == bytes.len());

    for (place_of, byte) in bytes.iter().enumerate() {
        let mut altered = bytes.clone();
        altered[place_of] = byte ^ 0x10;
        fs::write(place.path().join(key.to_string()), &altered).unwrap();
        let samples = read_run(&store, &key, Detail::Samples);
        // A changed version number is not damage if that version can be read.
        assert_eq!(samples.is_ok(), (6..8).contains(&place_of), "byte {place_of}");
        match read_run(&store, &key, Detail::Digests) {
            Ok(run) => assert_eq!(run, whole, "byte {place_of}"),
            Err(_) => assert!(place_of < digests, "byte {place_of}"),
        }
    }
    fs::write(place.path().join(key.to_string()), &bytes[..length - 1]).unwrap();
    assert!(read_run(&store, &key, Detail::Digests).is_err());
}

fn a_store_of_a_later_perfgate_is_read_only(TestStore { store, plant, .. }: TestStore) {
    store.write(&[record(1, 1.0)]).unwrap();
    let (key, mut bytes) = record(2, 1.0);
    bytes[6] = 2;
    plant(&key.to_string(), &bytes);
    assert!(read_run(&*store, &key, Detail::Samples).is_ok());
    let error = store.write(&[record(3, 1.0)]).unwrap_err();
    assert!(matches!(error, StoreError::Newer { version: 2, .. }), "{error}");
    assert!(error.to_string().contains("install a newer perfgate"), "{error}");

    bytes[8] = 2;
    plant(&key.to_string(), &bytes);
    let error = read_run(&*store, &key, Detail::Samples).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    assert!(read_run(&*store, &record(1, 1.0).0, Detail::Samples).is_ok());
}

fn concurrent_writers_lose_nothing(TestStore { store, .. }: TestStore) {
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..4 {
                    store.write(&[record(round, f64::from(writer))]).unwrap();
                }
            });
        }
    });
    assert_eq!(store.list().unwrap().keys.len(), 32, "{}", store.url());
}

#[test]
fn concurrent_processes_lose_nothing_in_one_repository() {
    let directory = tempfile::tempdir().unwrap();
    let repository_root = directory.path().join("repository");
    repository(&repository_root);
    // Each process stores one run: eight processes at a time, four rounds.
    let import = |writer: i32| {
        for round in 0..4 {
            let source = format!("dir:../runs-{writer}-{round}");
            let runs = open(&source, &repository_root).unwrap();
            runs.write(&[record(round, f64::from(writer))]).unwrap();
            let mut import = Command::new(env!("CARGO_BIN_EXE_perfgate"));
            let import = import.args(["runs", "import", &source]).current_dir(&repository_root).output().unwrap();
            assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let import = &import;
            scope.spawn(move || import(writer));
        }
    });
    assert_eq!(git_store(&repository_root).list().unwrap().keys.len(), 32);
    assert_eq!(git(&repository_root, &["rev-list", "--count", REF]), "32");
}

#[test]
fn files_of_dead_writers_are_not_listed() {
    let directory = tempfile::tempdir().unwrap();
    let store = DirectoryStore::new(directory.path());
    let (key, bytes) = record(1, 1.0);
    let left = directory.path().join(key.month()).join(".unfinished-4711-0");
    fs::create_dir_all(left.parent().unwrap()).unwrap();
    fs::write(&left, &bytes[..10]).unwrap();
    assert_eq!(store.list().unwrap(), Default::default());
    store.write(&[(key.clone(), bytes)]).unwrap();
    let names: Vec<PathBuf> = files(directory.path()).into_keys().collect();
    assert_eq!(names, [PathBuf::from("1970-01/.unfinished-4711-0"), PathBuf::from(key.to_string())]);
}

#[test]
fn an_unreadable_store_is_an_error_and_not_empty() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("file"), "").unwrap();
    let error = open("dir:file", directory.path()).unwrap().list().unwrap_err();
    assert!(error.to_string().contains("cannot list"), "{error}");
    assert!(matches!(open("git:refs/perfgate/baselines", directory.path()), Err(StoreError::Repository(_))));

    let repo = directory.path().join("repo");
    repository(&repo);
    let store = git_store(&repo);
    store.write(&[record(1, 1.0)]).unwrap();
    let tip = git(&repo, &["rev-parse", REF]);
    let loose = repo.join(".git").join(REF);
    fs::write(&loose, "").unwrap();
    assert!(store.list().is_err(), "a ref without content");
    fs::write(&loose, format!("{}\n", "1".repeat(40))).unwrap();
    assert!(store.list().is_err(), "a ref to nothing");
    assert!(store.write(&[record(2, 1.0)]).is_err());
    fs::write(&loose, tip).unwrap();
    assert_eq!(store.list().unwrap().keys.len(), 1);
}

/// Every file below a directory, with its content.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let content = |path: PathBuf| (path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
    common::files_below(root).into_iter().map(content).collect()
}

#[cfg(unix)]
fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(not(unix))]
fn make_executable(_: &Path) {}
