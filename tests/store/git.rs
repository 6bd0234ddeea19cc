//! Runs in git: work trees, clones and remotes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// All files of a repository except new objects and the store's ref.
fn files_except_new_objects(repository: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = files(repository);
    files.retain(|path, _| !path.starts_with(".git/objects") && path != &Path::new(".git").join(REF));
    files
}

#[test]
fn work_tree_index_head_and_branches_stay_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let repo = directory.path().join("repo");
    repository(&repo);
    fs::write(repo.join("file"), "changed, not staged\n").unwrap();
    fs::write(repo.join("staged"), "staged\n").unwrap();
    git(&repo, &["add", "staged"]);
    fs::write(repo.join("unknown"), "").unwrap();
    git(directory.path(), &["init", "-q", "--bare", "remote.git"]);
    git(&repo, &["remote", "add", "origin", "../remote.git"]);
    let before = files_except_new_objects(&repo);
    let store = git_store(&repo);
    store.write(&[record(1, 1.0), record(2, 1.0)]).unwrap();
    store.remove(&[record(1, 1.0).0]).unwrap();
    store.push("origin").unwrap();
    store.pull("origin").unwrap();
    assert_eq!(files_except_new_objects(&repo), before);
    let log = git(&repo, &["log", "--format=%s", REF]);
    let commit = &format!("{:040x}", 1)[..10];
    assert_eq!(log, format!("perfgate: remove 1 run of {commit}\nperfgate: record 2 runs"));
    git(&repo, &["fsck", "--strict"]);
}

#[test]
fn a_linked_work_tree_and_its_clone_share_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let repo = directory.path().join("repo");
    repository(&repo);
    git(&repo, &["worktree", "add", "-q", "../linked"]);
    git_store(&directory.path().join("linked")).write(&[record(1, 1.0)]).unwrap();
    assert_eq!(git_store(&repo).list().unwrap().keys.len(), 1);
}

/// A bare remote and clones of it.
fn remote_with_clones(clones: usize) -> (TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    repository(&directory.path().join("seed"));
    git(directory.path(), &["clone", "-q", "--bare", "seed", "remote.git"]);
    let paths: Vec<PathBuf> = (0..clones).map(|i| directory.path().join(format!("clone-{i}"))).collect();
    for path in &paths {
        git(directory.path(), &["clone", "-q", "remote.git", path.to_str().unwrap()]);
    }
    (directory, paths)
}

#[test]
fn runs_of_two_clones_are_merged_at_the_remote() {
    let (directory, clones) = remote_with_clones(2);
    let (one, two) = (git_store(&clones[0]), git_store(&clones[1]));
    assert_eq!(one.pull("origin").unwrap(), Default::default(), "no ref at the remote yet");
    assert_eq!(one.push("origin").unwrap(), Default::default(), "nothing to push");
    one.write(&[record(1, 1.0)]).unwrap();
    two.write(&[record(2, 1.0)]).unwrap();
    assert_eq!(one.push("origin").unwrap().sent, 1);
    let exchange = two.push("origin").unwrap();
    assert_eq!((exchange.received, exchange.sent), (1, 1));
    assert_eq!(one.pull("origin").unwrap().received, 1);
    assert_eq!(one.list().unwrap(), two.list().unwrap());
    assert_eq!(one.push("origin").unwrap(), Default::default());

    // Removals are merged too.
    one.remove(&[record(1, 1.0).0]).unwrap();
    two.write(&[record(3, 1.0)]).unwrap();
    two.push("origin").unwrap();
    one.push("origin").unwrap();
    two.pull("origin").unwrap();
    assert_eq!(two.list().unwrap().keys, [record(2, 1.0).0, record(3, 1.0).0]);

    let merges = git(&directory.path().join("remote.git"), &["rev-list", "--merges", "--count", REF]);
    assert_eq!(merges, "0");
    assert_eq!(git(&clones[0], &["for-each-ref", "refs/perfgate-incoming"]), "");
}

#[test]
fn a_deleted_ref_of_the_remote_is_restored() {
    let (directory, clones) = remote_with_clones(1);
    let store = git_store(&clones[0]);
    store.write(&[record(1, 1.0)]).unwrap();
    store.push("origin").unwrap();
    let remote = directory.path().join("remote.git");
    git(&remote, &["update-ref", "-d", REF]);
    assert_eq!(store.pull("origin").unwrap().received, 0);
    assert_eq!(store.list().unwrap().keys.len(), 1);
    assert_eq!(store.push("origin").unwrap().sent, 1);
    assert_eq!(git_store(&remote).list().unwrap().keys.len(), 1);
}

#[test]
fn a_restarted_history_of_the_remote_is_merged() {
    let (directory, clones) = remote_with_clones(1);
    let store = git_store(&clones[0]);
    store.write(&[record(1, 1.0)]).unwrap();
    git_store(&directory.path().join("remote.git")).write(&[record(2, 1.0)]).unwrap();
    let exchange = store.push("origin").unwrap();
    assert_eq!((exchange.received, exchange.sent), (1, 1));
    assert_eq!(git(&clones[0], &["rev-list", "--count", REF]), "2");
}

#[test]
fn a_mirror_does_not_overwrite_its_own_runs() {
    let (directory, clones) = remote_with_clones(1);
    git_store(&clones[0]).write(&[record(1, 1.0)]).unwrap();
    git_store(&clones[0]).push("origin").unwrap();
    git(directory.path(), &["clone", "-q", "--bare", "remote.git", "mirror.git"]);
    let mirror = directory.path().join("mirror.git");
    git(&mirror, &["config", "remote.origin.fetch", "+refs/*:refs/*"]);
    git(&mirror, &["config", "fetch.prune", "true"]);
    let store = git_store(&mirror);
    store.write(&[record(2, 1.0)]).unwrap();
    store.pull("origin").unwrap();
    assert_eq!(store.list().unwrap().keys.len(), 2);
}

#[test]
fn partial_and_shallow_clones_get_whole_runs() {
    let (directory, clones) = remote_with_clones(1);
    git_store(&clones[0]).write(&[record(1, 1.0)]).unwrap();
    git_store(&clones[0]).push("origin").unwrap();
    let remote = directory.path().join("remote.git");
    git(&remote, &["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", remote.display());
    for (time, option) in [(2, "--filter=blob:none"), (3, "--depth=1")] {
        let clone = directory.path().join(format!("clone{option}"));
        git(directory.path(), &["clone", "-q", option, &url, clone.to_str().unwrap()]);
        let store = git_store(&clone);
        store.pull("origin").unwrap();
        assert_eq!(store.read(&record(1, 1.0).0).unwrap(), record(1, 1.0).1, "{option}");
        store.write(&[record(time, 1.0)]).unwrap();
        assert_eq!(store.push("origin").unwrap().sent, 1, "{option}");
    }
    assert_eq!(git_store(&remote).list().unwrap().keys.len(), 3);
}

#[test]
fn the_message_of_a_rejecting_hook_is_reported_without_retries() {
    let (directory, clones) = remote_with_clones(1);
    let hook = directory.path().join("remote.git/hooks/pre-receive");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\necho 'runs are not welcome here' >&2\nexit 1\n").unwrap();
    make_executable(&hook);
    let store = git_store(&clones[0]);
    store.write(&[record(1, 1.0)]).unwrap();
    let begin = std::time::Instant::now();
    let error = store.push("origin").unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("runs are not welcome here"), "{error}");
    assert!(error.to_string().contains("pre-receive hook declined"), "{error}");
    assert!(begin.elapsed().as_secs() < 10);
    assert_eq!(store.list().unwrap().keys.len(), 1);
}

#[test]
fn missing_and_invalid_remotes_are_errors() {
    let (_directory, clones) = remote_with_clones(1);
    let store = git_store(&clones[0]);
    store.write(&[record(1, 1.0)]).unwrap();
    assert!(matches!(store.push("nowhere"), Err(StoreError::NoRemote { .. })));
    assert!(matches!(store.push("../nowhere"), Err(StoreError::Network { .. })));
    for remote in ["", "-uevil", "--upload-pack=touch pwned", "a\nb"] {
        assert!(matches!(store.pull(remote), Err(StoreError::Remote(_))), "{remote}");
    }
    let files = DirectoryStore::new("runs");
    assert!(matches!(files.push("origin"), Err(StoreError::NoSync { .. })));
}

#[test]
#[cfg(unix)]
fn a_ref_that_another_writer_creates_during_the_first_fetch_is_fetched() {
    let (directory, clones) = remote_with_clones(2);
    git_store(&clones[0]).write(&[record(1, 1.0)]).unwrap();
    git_store(&clones[0]).push("origin").unwrap();
    let remote = directory.path().join("remote.git");
    let commit = git(&remote, &["rev-parse", REF]);
    git(&remote, &["update-ref", "-d", REF]);
    // The ref is created on the server after the first answer.
    let (server, answered) = (directory.path().join("upload-pack"), directory.path().join("answered"));
    let (remote, answered) = (remote.display(), answered.display());
    let create = format!("[ ! -e {answered} ] || git -C {remote} update-ref {REF} {commit}; touch {answered}");
    fs::write(&server, format!("#!/bin/sh\n{create}\nexec git-upload-pack \"$@\"\n")).unwrap();
    make_executable(&server);
    git(&clones[1], &["config", "remote.origin.uploadpack", server.to_str().unwrap()]);
    assert_eq!(git_store(&clones[1]).pull("origin").unwrap().received, 1);
}

#[test]
fn four_concurrent_pushes_lose_no_run_in_twenty_rounds() {
    const ROUNDS: i64 = 20;
    let (directory, clones) = remote_with_clones(4);
    for round in 0..ROUNDS {
        std::thread::scope(|scope| {
            for (writer, clone) in clones.iter().enumerate() {
                scope.spawn(move || {
                    let store = git_store(clone);
                    store.write(&[record(round, writer as f64)]).unwrap();
                    store.push("origin").unwrap();
                });
            }
        });
        let there = git_store(&directory.path().join("remote.git")).list().unwrap().keys.len();
        assert_eq!(there as i64, 4 * (round + 1), "after round {round}");
    }
    let remote = directory.path().join("remote.git");
    assert_eq!(git(&remote, &["rev-list", "--count", REF]), "80");
    assert_eq!(git(&remote, &["rev-list", "--merges", "--count", REF]), "0");
}
