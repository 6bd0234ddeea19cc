//! What can go wrong with a store: what, where, and how to mend it.

use super::{BucketError, Key};
use crate::model::record::{self, RecordError};
use std::path::PathBuf;

/// Why a store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store's address is not one.
    #[error(
        "`{url}` is not a store: {why}; write git:refs/perfgate/baselines, dir:PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX \
         or az://CONTAINER/PREFIX"
    )]
    Url {
        /// As it was written.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Neither a directory nor a bucket.
    #[error("`{target}` is no place for Parquet files: {why}; name a directory, or s3://BUCKET/PREFIX")]
    Target {
        /// As it was written.
        target: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The git repository could not be read or written.
    #[error("cannot {what} in {store}: {}", source.message())]
    Git {
        /// What was tried.
        what: String,
        /// The store.
        store: String,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// No such run.
    #[error("{store} has no run {key}")]
    Missing {
        /// The store.
        store: String,
        /// The run.
        key: Box<Key>,
    },
    /// What is stored is not what was written.
    #[error("{store}: {place} is damaged ({why}); remove it, or restore it from another copy of the store")]
    Damaged {
        /// The store.
        store: String,
        /// Which part of it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Written by a later perfgate.
    #[error(
        "{store} holds runs of format version {version} ({key}), and this perfgate writes version {}: install a newer perfgate to record here",
        record::VERSION
    )]
    Newer {
        /// The store.
        store: String,
        /// A run of that version.
        key: Box<Key>,
        /// The version.
        version: u16,
    },
    /// The bytes are not the ones that the key names.
    #[error("the bytes for {0} are not the ones that its name was made for; encode the run again")]
    Mismatch(Box<Key>),
    /// Other processes kept the store busy.
    #[error(
        "{store} was busy for {tries} tries: {why}; if no other perfgate or git is running, remove the left-over lock"
    )]
    Busy {
        /// The store.
        store: String,
        /// How often it was tried.
        tries: u32,
        /// What stood in the way, the last time.
        why: String,
    },
    /// The record itself.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A store that is not exchanged with a remote.
    #[error("{store} is not exchanged with a remote (`{remote}`): only a git: store is; copy the directory instead")]
    NoSync {
        /// The store.
        store: String,
        /// The remote that was named.
        remote: String,
    },
    /// A store that all its users share, so that there is nothing to exchange.
    #[error("{store} is one place for everybody: what is recorded there needs no push and no pull")]
    Shared {
        /// The store.
        store: String,
    },
    /// The bucket could not be read or written.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The name of a remote that git would not take for one.
    #[error("`{0}` is not the name or URL of a remote")]
    Remote(String),
    /// The git command could not be started.
    #[error("cannot start the git command: {0}; install git, or put it on PATH")]
    NoGit(#[source] std::io::Error),
    /// Git could not fetch or push.
    #[error("cannot {what} with `{remote}`: {said}")]
    Network {
        /// Fetch or push.
        what: &'static str,
        /// The remote.
        remote: String,
        /// Git's own last lines.
        said: String,
    },
    /// The remote does not take the runs; trying again would not help.
    #[error("`{remote}` refused the runs: {said}")]
    Refused {
        /// The remote.
        remote: String,
        /// Git's own last lines.
        said: String,
    },
}
