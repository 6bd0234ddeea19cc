//! The errors of stores.

use super::key::Key;
use super::object::BucketError;
use crate::io::git_command::advice;
use crate::io::repository::RepositoryError;
use crate::model::record::{self, RecordError};
use std::path::PathBuf;

/// Why the store in a git repository cannot be opened.
fn without_repository(error: &RepositoryError) -> String {
    match error {
        // The message has all of the cause, so that it is not printed again.
        RepositoryError::None { .. } => {
            format!("{error}, because the runs are stored in it, or use another store, as in `--store dir:PATH`")
        }
        error => format!("the runs are stored in a git repository: {error}"),
    }
}

/// How to use another remote.
fn other_remotes(known: &[String]) -> String {
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "give a URL instead".to_owned(),
        names => format!("give another name ({}) or a URL instead", names.join(", ")),
    }
}

/// Why an operation on a store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's URL is not valid.
    #[error(
        "`{url}` is not a store: {why}; use git:refs/perfgate/baselines, dir:PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX \
                 or az://CONTAINER/PREFIX"
    )]
    Url {
        /// The URL, without a password.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The target of an export is neither a directory nor a bucket.
    #[error("`{target}` is not a valid target for Parquet files: {why}; use a directory, or s3://BUCKET/PREFIX")]
    Target {
        /// The target, as written.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// The operation.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The repository of a git store cannot be opened.
    #[error("{}", without_repository(.0))]
    Repository(#[from] Box<RepositoryError>),
    /// The refs of the repository are in a format that is not written.
    #[error(
        "perfgate cannot keep runs in a repository that stores its refs as reftable; use another store, as in `--store \
         dir:PATH`, or convert it with `git refs migrate --ref-format=files`, which needs git 2.49 or later"
    )]
    Reftable,
    /// The git repository could not be read or written.
    #[error("cannot {what} in {store}: {}", source.message())]
    Git {
        /// The operation.
        what: String,
        /// The store.
        store: String,
        /// libgit2's error.
        source: git2::Error,
    },
    /// The ref is damaged, or objects that it leads to are missing.
    #[error("{store} is damaged: {why}; {fix}, then fetch the runs with `perfgate runs pull`, or record new ones")]
    DamagedRef {
        /// The store.
        store: String,
        /// What is wrong.
        why: String,
        /// How to remove the ref.
        fix: String,
    },
    /// The store has no such run.
    #[error("{store} has no run {key}")]
    Missing {
        /// The store.
        store: String,
        /// The run.
        key: Box<Key>,
    },
    /// The stored bytes are not those that were written.
    #[error("{store}: {place} is damaged ({why}); remove it, or restore it from another copy of the store")]
    Damaged {
        /// The store.
        store: String,
        /// Which part of it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The store has runs of a later perfgate.
    #[error(
        "{store} has runs of format version {version} ({key}), but this perfgate writes version {}; install a newer perfgate to record here",
        record::VERSION
    )]
    Newer {
        /// The store.
        store: String,
        /// One of these runs.
        key: Box<Key>,
        /// The version.
        version: u16,
    },
    /// The bytes do not have the hash in the key.
    #[error("the bytes for {0} do not match the hash in its name; encode the run again")]
    Mismatch(Box<Key>),
    /// All retries lost a race to other processes.
    #[error(
        "{store} was still busy after {tries} tries: {why}; if no other perfgate or git is running, remove the leftover lock"
    )]
    Busy {
        /// The store.
        store: String,
        /// The number of tries.
        tries: u32,
        /// The reason of the last failure.
        why: String,
    },
    /// The record itself.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Only git stores can be pulled and pushed.
    #[error("{store} cannot be pulled or pushed (`{remote}`): only a git: store can; copy the directory instead")]
    NoSync {
        /// The store.
        store: String,
        /// The remote.
        remote: String,
    },
    /// A bucket needs no pull and no push.
    #[error("{store} is shared: runs recorded there need no push and no pull")]
    Shared {
        /// The store.
        store: String,
    },
    /// The bucket could not be read or written.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The remote's name is not valid.
    #[error("`{0}` is not the name or URL of a remote")]
    Remote(String),
    /// The git command could not be started.
    #[error("cannot start the git command: {}{}", .0, advice(.0))]
    NoGit(#[source] std::io::Error),
    /// The repository has no remote of this name.
    #[error("the repository has no remote `{name}`; {}, or run `git remote add {name} URL`", other_remotes(known))]
    NoRemote {
        /// The name.
        name: String,
        /// The names of its remotes.
        known: Vec<String>,
    },
    /// Git could not fetch or push.
    #[error("cannot {what} `{remote}`: {stderr}")]
    Network {
        /// `fetch` or `push`.
        what: &'static str,
        /// The remote.
        remote: String,
        /// Git's last lines.
        stderr: String,
    },
    /// The remote refused the runs; a retry would fail too.
    #[error("`{remote}` refused the runs: {stderr}")]
    Refused {
        /// The remote.
        remote: String,
        /// Git's last lines.
        stderr: String,
    },
}
