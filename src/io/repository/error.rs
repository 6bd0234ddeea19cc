//! Errors of reading a git repository.

use crate::model::Commit;
use git2::{ErrorClass, ErrorCode};
use std::path::PathBuf;

/// Why a git repository could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// There is no repository.
    #[error("{} is not in a git repository; run perfgate in one", directory.display())]
    None {
        /// The directory.
        directory: PathBuf,
    },
    /// There is a repository that cannot be opened.
    #[error("the git repository in {} cannot be opened: {why}; `git status` in it may report more", directory.display())]
    Unreadable {
        /// Its `.git`, or the bare repository.
        directory: PathBuf,
        /// libgit2's message.
        why: String,
    },
    /// A named pipe, socket or device is in place of a file that git reads.
    #[error("{}: it is a named pipe, socket or device, and git needs a file; remove it, or restore the file", path.display())]
    NotAFile {
        /// Its path.
        path: PathBuf,
    },
    /// The repository belongs to another user.
    #[error(
        "the repository in {} belongs to another user, which is usual in a container; if you trust it, allow it with \
         `git config --global --add safe.directory {}`", directory.display(), directory.display()
    )]
    Owner {
        /// The top of the work tree, or the bare repository.
        directory: PathBuf,
    },
    /// The git command failed.
    #[error("git cannot {what}: {why}")]
    Command {
        /// The operation.
        what: &'static str,
        /// Its message, or the system's.
        why: String,
    },
    /// The checked-out branch has no commit.
    #[error("the checked-out branch has no commits yet; commit something first")]
    Unborn,
    /// The revision does not exist.
    #[error("`{revision}` is not a revision of this repository; check the spelling, or fetch it first")]
    Revision {
        /// The revision, as written.
        revision: String,
    },
    /// A ref points to an object that the repository does not have.
    #[error(
        "the commit {id} of `{revision}` cannot be found in this repository; `git fsck` lists damaged objects; fetch them again \
         from another clone"
    )]
    Missing {
        /// The revision, as written.
        revision: String,
        /// The object.
        id: String,
    },
    /// Several objects have an id that begins like this.
    #[error("`{revision}` is the beginning of several ids; give more digits")]
    Ambiguous {
        /// The revision, as written.
        revision: String,
    },
    /// The default branch is unknown.
    #[error("cannot find the default branch; {}", name_default_branch(remote.as_deref()))]
    NoDefaultBranch {
        /// The remote that could name it.
        remote: Option<String>,
    },
    /// The config names a default branch that the clone does not have.
    #[error(
        "the default branch `{branch}` of `[git]` in perfgate.toml is not in this clone; fetch it, or correct the name"
    )]
    ConfiguredBranchMissing {
        /// The branch.
        branch: String,
    },
    /// The file of an object ends too early.
    #[error(
        "the git object {id} is damaged: its file ends too early; `git fsck` lists damaged objects; fetch them again from another clone"
    )]
    Truncated {
        /// The object.
        id: String,
    },
    /// The file of the checked-out branch is damaged.
    #[error(
        "{why}, so the checked-out commit is unknown; write the id of the branch's newest commit into this file: the last line of \
         {} has it", log.display()
    )]
    DamagedBranch {
        /// What is wrong.
        why: String,
        /// git's log of the checked-out commits.
        log: PathBuf,
    },
    /// The index is damaged.
    #[error(
        "{} is damaged, so the work tree cannot be compared with HEAD; delete this file and run `git reset`, which creates it again \
         (changes stay in the files, but are no longer staged)", path.display()
    )]
    DamagedIndex {
        /// Its file.
        path: PathBuf,
    },
    /// The clone lacks a part of the history.
    #[error(
        "this clone is shallow and ends before the base of {commit}; fetch the full history (actions/checkout with \
         fetch-depth: 0, or git fetch --unshallow)"
    )]
    Shallow {
        /// The commit that needs a base.
        commit: Commit,
    },
    /// There is no merge base.
    #[error("{commit} has no commit in common with {branch}; name the base with --base")]
    Unrelated {
        /// The commit that needs a base.
        commit: Commit,
        /// The default branch.
        branch: String,
    },
    /// The repository could not be read.
    #[error("cannot {what}: {}", source.message())]
    Git {
        /// The operation.
        what: &'static str,
        /// libgit2's error.
        source: git2::Error,
    },
}

/// How to name the default branch.
fn name_default_branch(remote: Option<&str>) -> String {
    let set_head = remote.map(|remote| format!("run `git remote set-head {remote} --auto`, or ")).unwrap_or_default();
    format!("{set_head}name it in perfgate.toml (`default-branch` in `[git]`), or use --base")
}

/// Why a revision has no commit: it is unknown, or its object cannot be read.
pub(super) fn unresolved(revision: &str, error: git2::Error) -> RepositoryError {
    match error.code() {
        ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Peel => {
            RepositoryError::Revision { revision: revision.to_owned() }
        }
        ErrorCode::Ambiguous => RepositoryError::Ambiguous { revision: revision.to_owned() },
        _ if matches!(error.class(), ErrorClass::Odb | ErrorClass::Zlib | ErrorClass::Object) => {
            RepositoryError::Git { what: "read a commit", source: error }
        }
        _ => RepositoryError::Revision { revision: revision.to_owned() },
    }
}

pub(in crate::io) fn failed(what: &'static str) -> impl Fn(git2::Error) -> RepositoryError {
    move |source| RepositoryError::Git { what, source }
}
