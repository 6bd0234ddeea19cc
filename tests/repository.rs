//! Tests of the facts that are read from a git repository, above all the commits that can be a base.

#![allow(clippy::unwrap_used)] // tests may panic

use perfgate::io::repository::{Repository, RepositoryError};
use perfgate::model::Commit;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Runs git without the user's settings.
fn git(directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "someone")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "someone@localhost")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_DATE"), "1700000000 +0100")))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes an empty commit; returns its id.
fn commit(directory: &Path, message: &str) -> Commit {
    git(directory, &["commit", "-q", "--allow-empty", "-m", message]);
    head(directory)
}

fn head(directory: &Path) -> Commit {
    Commit::parse(&git(directory, &["rev-parse", "HEAD"])).unwrap()
}

fn discover(directory: &Path) -> Repository {
    Repository::discover(directory).unwrap()
}

fn candidates(directory: &Path) -> Vec<Commit> {
    discover(directory).base_candidates(&head(directory)).unwrap()
}

/// A repository with the commits m0, m1, m2 on `main`.
fn main_of_three() -> (TempDir, PathBuf, [Commit; 3]) {
    let directory = tempfile::tempdir().unwrap();
    let repo = directory.path().join("repo");
    fs::create_dir(&repo).unwrap();
    git(&repo, &["init", "-q", "-b", "main"]);
    let commits = ["m0", "m1", "m2"].map(|message| commit(&repo, message));
    (directory, repo, commits)
}

#[test]
fn the_base_of_a_branch_is_its_merge_base_and_earlier_commits() {
    let (_directory, repo, [m0, m1, m2]) = main_of_three();
    git(&repo, &["checkout", "-q", "-b", "topic", m1.as_str()]);
    commit(&repo, "t1");
    commit(&repo, "t2");
    assert_eq!(candidates(&repo), [m1, m0.clone()]);
    // After a merge of main into the branch, all of main counts.
    git(&repo, &["merge", "-q", "--no-ff", "-m", "merge", "main"]);
    assert_eq!(candidates(&repo)[0], m2);
    assert_eq!(candidates(&repo).last(), Some(&m0));
}

#[test]
fn the_base_of_main_is_its_earlier_commits() {
    let (_directory, repo, [m0, m1, m2]) = main_of_three();
    assert_eq!(candidates(&repo), [m1.clone(), m0.clone()]);
    git(&repo, &["checkout", "-q", "-b", "topic"]);
    assert_eq!(candidates(&repo), [m1, m0.clone()], "a branch without a commit of its own");
    git(&repo, &["checkout", "-q", m0.as_str()]);
    assert_eq!(candidates(&repo), [], "the first commit of all");
    assert_eq!(discover(&repo).head().unwrap().branch, None);
    assert_ne!(m0, m2);
}

#[test]
fn only_first_parents_are_walked() {
    let (_directory, repo, [_, m1, m2]) = main_of_three();
    git(&repo, &["checkout", "-q", "-b", "topic", m1.as_str()]);
    let side = commit(&repo, "side");
    git(&repo, &["checkout", "-q", "main"]);
    git(&repo, &["merge", "-q", "--no-ff", "-m", "merge", "topic"]);
    let walked = candidates(&repo);
    assert_eq!(walked[0], m2);
    assert!(!walked.contains(&side));
    let first_two: Vec<Commit> = discover(&repo).ancestors(&head(&repo), 2).unwrap().collect();
    assert_eq!(first_two, [head(&repo), m2]);
}

#[test]
fn the_newer_of_the_local_and_the_remote_main_counts() {
    let (directory, repo, [_, m1, m2]) = main_of_three();
    git(directory.path(), &["clone", "-q", "repo", "clone"]);
    let clone = directory.path().join("clone");
    // The local main is behind.
    git(&clone, &["checkout", "-q", "-b", "topic"]);
    git(&clone, &["branch", "-q", "-f", "main", m1.as_str()]);
    commit(&clone, "t1");
    assert_eq!(candidates(&clone)[0], m2);
    // The remote main is behind.
    git(&clone, &["checkout", "-q", "-B", "main", "origin/main"]);
    let ahead = commit(&clone, "not pushed");
    git(&clone, &["checkout", "-q", "-B", "topic"]);
    commit(&clone, "t2");
    assert_eq!(candidates(&clone)[0], ahead);
    assert_eq!(head(&repo), m2);
}

#[test]
fn the_default_branch_is_the_remotes_else_a_usual_name_else_the_only_one() {
    let (directory, repo, [_, m1, _]) = main_of_three();
    assert_eq!(discover(&repo).default_branch().unwrap(), "main");
    git(&repo, &["branch", "-q", "trunk", m1.as_str()]);
    git(&repo, &["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    git(directory.path(), &["clone", "-q", "repo", "clone"]);
    assert_eq!(discover(&directory.path().join("clone")).default_branch().unwrap(), "trunk");
    git(&repo, &["branch", "-q", "-D", "main"]);
    assert_eq!(discover(&repo).default_branch().unwrap(), "trunk", "the only one");
    git(&repo, &["branch", "-q", "other"]);
    assert!(matches!(discover(&repo).default_branch(), Err(RepositoryError::NoDefaultBranch { .. })));
    git(&repo, &["config", "init.defaultBranch", "other"]);
    assert_eq!(discover(&repo).default_branch().unwrap(), "other");
}

#[test]
fn a_shallow_clone_is_an_error_with_its_fix() {
    let (directory, repo, [_, m1, _]) = main_of_three();
    git(&repo, &["checkout", "-q", "-b", "topic", m1.as_str()]);
    commit(&repo, "t1");
    let url = format!("file://{}", repo.display());
    git(directory.path(), &["clone", "-q", "--depth=1", "--no-single-branch", &url, "topic"]);
    git(directory.path(), &["clone", "-q", "--depth=1", "-b", "main", &url, "main"]);
    git(directory.path(), &["clone", "-q", "--depth=2", "-b", "main", &url, "two"]);
    for name in ["topic", "main"] {
        let clone = directory.path().join(name);
        let error = discover(&clone).base_candidates(&head(&clone)).unwrap_err();
        assert!(matches!(error, RepositoryError::Shallow { .. }), "{name}: {error}");
        assert!(error.to_string().contains("fetch-depth: 0"));
    }
    assert_eq!(candidates(&directory.path().join("two")), [m1]);

    // Like a CI job for a pull request: a detached HEAD and no branch.
    let job = directory.path().join("job");
    fs::create_dir(&job).unwrap();
    git(&job, &["init", "-q"]);
    git(&job, &["fetch", "-q", "--depth=1", &url, "+topic:refs/remotes/pull/1/merge"]);
    git(&job, &["checkout", "-q", "refs/remotes/pull/1/merge"]);
    let error = discover(&job).base_candidates(&head(&job)).unwrap_err();
    assert!(matches!(error, RepositoryError::Shallow { .. }), "{error}");
}

#[test]
fn unrelated_histories_have_no_base() {
    let (_directory, repo, _) = main_of_three();
    git(&repo, &["checkout", "-q", "--orphan", "other"]);
    commit(&repo, "o0");
    let error = discover(&repo).base_candidates(&head(&repo)).unwrap_err();
    assert!(matches!(error, RepositoryError::Unrelated { .. }), "{error}");
}

#[test]
fn head_revisions_and_times_are_read() {
    let (_directory, repo, [m0, m1, m2]) = main_of_three();
    let repository = discover(&repo);
    let at = repository.head().unwrap();
    assert_eq!((at.commit, at.time, at.branch.as_deref()), (m2.clone(), 1_700_000_000, Some("main")));
    assert_eq!(repository.resolve("HEAD~2").unwrap(), m0);
    assert_eq!(repository.resolve(m1.short()).unwrap(), m1);
    assert_eq!(repository.time(&m1).unwrap(), 1_700_000_000);
    for revision in ["", "nothing", "-x", "HEAD:", "main..HEAD"] {
        let error = repository.resolve(revision).unwrap_err();
        assert!(matches!(error, RepositoryError::Revision { .. }), "{revision}: {error}");
    }
    assert!(repository.time(&Commit::parse(&"0".repeat(40)).unwrap()).is_err());
}

#[test]
fn untracked_files_do_not_make_a_repository_dirty() {
    let (_directory, repo, _) = main_of_three();
    fs::write(repo.join("file"), "one\n").unwrap();
    assert!(!discover(&repo).is_dirty().unwrap(), "the file is untracked");
    git(&repo, &["add", "file"]);
    assert!(discover(&repo).is_dirty().unwrap(), "staged");
    git(&repo, &["commit", "-q", "-m", "file"]);
    assert!(!discover(&repo).is_dirty().unwrap());
    fs::write(repo.join("file"), "changed\n").unwrap();
    assert!(discover(&repo).is_dirty().unwrap(), "changed");
}

#[test]
fn linked_work_trees_and_bare_repositories_are_repositories() {
    let (directory, repo, [m0, m1, m2]) = main_of_three();
    git(&repo, &["worktree", "add", "-q", "../linked", "-b", "topic"]);
    let linked = directory.path().join("linked");
    commit(&linked, "t1");
    assert_eq!(candidates(&linked), [m2.clone(), m1.clone(), m0.clone()]);
    git(directory.path(), &["clone", "-q", "--bare", "repo", "bare.git"]);
    let bare = directory.path().join("bare.git");
    assert_eq!(candidates(&bare), [m1, m0]);
    assert!(!discover(&bare).is_dirty().unwrap());
    assert_eq!(discover(&bare).root(), None);
}

#[test]
fn a_missing_repository_and_a_missing_commit_are_different_errors() {
    let directory = tempfile::tempdir().unwrap();
    let none = Repository::discover(directory.path()).err().unwrap();
    assert!(matches!(none, RepositoryError::None { .. }), "{none}");
    git(directory.path(), &["init", "-q"]);
    assert!(matches!(discover(directory.path()).head(), Err(RepositoryError::Unborn)));
}
