//! Stores of runs: the `Store` trait, with a file of bytes for each run, and its implementations. `model::record`
//! defines the bytes; the layers above decide which runs are a base.

mod backoff;
mod check;
mod directory;
mod error;
mod git;
mod incoming;
mod key;
mod object;
mod remote;
mod store_trait;
mod sync;
mod tombstones;
mod url;

pub use directory::DirectoryStore;
#[cfg(feature = "parquet")]
pub(super) use directory::{TemporaryFile, sweep};
pub use error::StoreError;
pub use git::GitStore;
pub use key::{Key, RunIdentity, fingerprint};
pub use object::{Bucket, BucketError, BucketStore, BucketUrl, CreateOutcome, Page, Provider};
pub use store_trait::{Listing, Newest, RecordedTime, Store, SyncCounts, WriteCounts};
pub use url::StoreUrl;

use crate::model::record::{self, RecordError};
use crate::model::{BenchId, Commit, Detail, Run};
use check::hash_mismatch;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::path::Path;

/// The default store.
pub const DEFAULT_URL: &str = "git:refs/perfgate/baselines";

/// Opens a store. `base` is a directory in the repository, and the start of a relative `dir:` path.
pub fn open(url: &str, base: &Path) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url.parse()? {
        StoreUrl::Git(reference) => Box::new(GitStore::open(base, &reference)?),
        StoreUrl::Directory(path) => Box::new(DirectoryStore::new(base.join(path))),
        StoreUrl::Bucket(url) => Box::new(BucketStore::open(&url)?),
    })
}

/// The stored runs of commits, given with their times, which are the times of their runs. A commit's runs are in time
/// order.
pub fn of_commits(store: &dyn Store, commits: &[(Commit, i64)]) -> Result<HashMap<Commit, Vec<Key>>, StoreError> {
    // One span for each month, so that a commit with a wrong clock does not widen the span to years.
    let mut months: BTreeMap<String, RangeInclusive<i64>> = BTreeMap::new();
    for time in commits.iter().map(|(_, time)| key::clamped_time(*time)) {
        let span = months.entry(key::month_of(time)).or_insert(time..=time);
        *span = time.min(*span.start())..=time.max(*span.end());
    }
    let spans: Vec<RangeInclusive<i64>> = months.into_values().collect();
    let mut runs: HashMap<Commit, Vec<Key>> = commits.iter().map(|(commit, _)| (commit.clone(), Vec::new())).collect();
    for key in store.within(&spans)? {
        if let Some(keys) = key.commit().and_then(|commit| runs.get_mut(commit)) {
            keys.push(key);
        }
    }
    Ok(runs)
}

/// Packed records that are read, and kept in memory, at once.
const AT_ONCE: usize = 16;

/// Reads several runs, in the order of the keys. They share the benchmark names of the first one.
pub fn read_runs(store: &dyn Store, keys: &[Key], detail: Detail) -> Vec<Result<Run, StoreError>> {
    let mut runs = Vec::with_capacity(keys.len());
    let mut names: Vec<BenchId> = Vec::new();
    for chunk in keys.chunks(AT_ONCE) {
        let fetched = if store.is_remote() { store.read_all(chunk) } else { Vec::new() };
        let fetched = fetched.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let mut waiting: VecDeque<_> = chunk.iter().zip(fetched).collect();
        if names.is_empty()
            && let Some((key, fetched)) = waiting.pop_front()
        {
            let first = read_sharing(store, key, fetched, detail, &[]);
            let measurements = first.iter().flat_map(|run| &run.measurements);
            names = measurements.map(|measurement| measurement.benchmark.clone()).collect();
            runs.push(first);
        }
        let read = |(key, fetched)| read_sharing(store, key, fetched, detail, &names);
        runs.par_extend(waiting.into_par_iter().map(read));
    }
    runs
}

/// Reads a run.
#[cfg(feature = "internals")]
pub fn read_run(store: &dyn Store, key: &Key, detail: Detail) -> Result<Run, StoreError> {
    read_sharing(store, key, None, detail, &[])
}

/// Decodes a run, and reads it before that unless it was fetched. It shares those benchmark names that are equal.
fn read_sharing(
    store: &dyn Store,
    key: &Key,
    fetched: Option<Result<Vec<u8>, StoreError>>,
    detail: Detail,
    names: &[BenchId],
) -> Result<Run, StoreError> {
    if let Some(bytes) = fetched {
        return decoded(store, key, &bytes?, detail, names);
    }
    if detail == Detail::Digests {
        let bytes = store.read_digests(key)?;
        if let Some(run) = record::decode_digests(&bytes, names).map_err(|error| damaged(store, key, error))? {
            return if key.matches_run(&run) { Ok(run) } else { Err(hash_mismatch(store.url(), key)) };
        }
    }
    decoded(store, key, &store.read(key)?, detail, names)
}

fn decoded(store: &dyn Store, key: &Key, bytes: &[u8], detail: Detail, names: &[BenchId]) -> Result<Run, StoreError> {
    record::decode_sharing_names(bytes, detail, names).map_err(|error| damaged(store, key, error))
}

fn damaged(store: &dyn Store, key: &Key, error: RecordError) -> StoreError {
    match error {
        newer @ RecordError::Newer { .. } => newer.into(),
        other => StoreError::Damaged { store: store.url(), place: key.to_string(), why: other.reason() },
    }
}
