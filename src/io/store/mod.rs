//! Stores of runs: the `Store` trait, with a file of bytes for each run, and its implementations. `model::record` defines
//! the bytes; the rooms above decide which runs are a base.

mod backoff;
mod directory;
mod error;
mod git;
mod key;
mod object;
mod remote;
mod sync;
mod tombstones;
mod url;

pub use directory::DirectoryStore;
#[cfg(feature = "parquet")]
pub(super) use directory::TemporaryFile;
pub use error::StoreError;
pub use git::GitStore;
pub use key::{Key, RunIdentity, fingerprint};
pub use object::{Bucket, BucketError, BucketStore, BucketUrl, Created, Page, Provider};
pub use sync::SyncCounts;
pub use url::StoreUrl;

use crate::model::record::{self, RecordError};
use crate::model::{BenchId, Commit, Detail, Run};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::path::Path;

/// The default store.
pub const DEFAULT_URL: &str = "git:refs/perfgate/baselines";

/// The number of newest records that a write checks for a later version.
const NEWEST: usize = 4;

/// A store of runs. Any number of processes may use it at once.
pub trait Store: Send + Sync {
    /// All runs in time order. Empty for a store that was never written to; an error for one that cannot be read.
    fn list(&self) -> Result<Listing, StoreError>;

    /// The runs with a time in one of these spans, in time order. Most stores do not list all of their runs for this.
    fn within(&self, spans: &[RangeInclusive<i64>]) -> Result<Vec<Key>, StoreError> {
        let mut keys = self.list()?.keys;
        keys.retain(|key| spans.iter().any(|span| span.contains(&key.time())));
        Ok(keys)
    }

    /// At least `count` of the newest runs, or all if there are fewer. A store where listings cost money returns few more.
    fn newest(&self, count: usize) -> Result<Newest, StoreError> {
        let _ = count;
        let Listing { keys, foreign, .. } = self.list()?;
        Ok(Newest { keys, foreign, more: false })
    }

    /// The bytes of a run, checked against the hash in its name.
    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError>;

    /// The beginning of a run's bytes, at least up to the end of its digests. Not checked against the hash in the name:
    /// the digests have a checksum of their own.
    fn read_digests(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.read(key)
    }

    /// True where reads mostly wait for a network, so that many should run at once.
    fn is_remote(&self) -> bool {
        false
    }

    /// The bytes of several runs, in the order of the keys.
    fn read_all(&self, keys: &[Key]) -> Vec<Result<Vec<u8>, StoreError>> {
        keys.par_iter().map(|key| self.read(key)).collect()
    }

    /// Adds runs. Runs that exist, whole or thinned, are left unchanged. A thinned run may be added next to its whole form,
    /// until that is removed. Each run becomes visible as a whole or not at all.
    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<Written, StoreError>;

    /// Removes runs; returns how many of them existed.
    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError>;

    /// Removes runs permanently: no pull or push restores them, and their space is freed as far as the store can. Returns
    /// how many of them existed.
    fn prune(&self, keys: &[Key]) -> Result<usize, StoreError> {
        self.remove(keys)
    }

    /// The store's URL (`git:refs/perfgate/baselines`).
    fn describe(&self) -> String;

    /// Fetches the runs of a remote into this store.
    fn pull(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.describe(), remote: remote.to_owned() })
    }

    /// Sends this store's runs to a remote and fetches the remote's, until both have all.
    fn push(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.describe(), remote: remote.to_owned() })
    }
}

/// The content of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The runs, in time order, each once.
    pub keys: Vec<Key>,
    /// Thinned runs whose whole form still exists, because a prune was interrupted. They are not used.
    pub duplicates: Vec<Key>,
    /// Names of other files, which are left alone.
    pub foreign: Vec<String>,
}

impl Listing {
    /// Sorts the names, and moves the second form of a run to `duplicates`.
    fn normalize(&mut self) {
        self.keys.sort_unstable();
        self.foreign.sort_unstable();
        // A whole run sorts right before its thinned form.
        let mut last: Option<Key> = None;
        self.keys.retain(|key| {
            let is_duplicate = last.as_ref().is_some_and(|last| last.identity() == key.identity());
            if is_duplicate {
                self.duplicates.push(key.clone());
            } else {
                last = Some(key.clone());
            }
            !is_duplicate
        });
    }
}

/// Sorted names, with one form of each run.
fn deduplicated(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup_by(|later, earlier| later.identity() == earlier.identity());
    keys
}

/// The newest part of a store's content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// Runs in time order.
    pub keys: Vec<Key>,
    /// True if there are older ones.
    pub more: bool,
    /// Names of other files, as far as they were listed.
    pub foreign: Vec<String>,
}

/// The outcome of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Runs that are new.
    pub added: usize,
    /// Runs that existed.
    pub already: usize,
}

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
    for time in commits.iter().map(|(_, time)| key::named(*time)) {
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
            return if key.names(&run) { Ok(run) } else { Err(misnamed(store.describe(), key)) };
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
        other => StoreError::Damaged { store: store.describe(), place: key.to_string(), why: other.reason() },
    }
}

fn misnamed(store: String, key: &Key) -> StoreError {
    StoreError::Damaged { store, place: key.to_string(), why: "its content does not match its name".into() }
}

/// The records that need no write, because the thinned form of the run exists.
fn with_thinned_form<'r>(store: &dyn Store, records: &'r [(Key, Vec<u8>)]) -> Result<BTreeSet<&'r Key>, StoreError> {
    let whole: Vec<&Key> = records.iter().map(|(key, _)| key).filter(|key| !key.is_thinned()).collect();
    let spans: Vec<RangeInclusive<i64>> = whole.iter().map(|key| key.time()..=key.time()).collect();
    let existing = store.within(&spans)?;
    let existing: BTreeSet<RunIdentity<'_>> =
        existing.iter().filter(|key| key.is_thinned()).map(Key::identity).collect();
    Ok(whole.into_iter().filter(|key| existing.contains(&key.identity())).collect())
}

/// Refuses to write into a store of a later perfgate. Checks only the newest records, so the cost does not grow with the
/// history.
fn refuse_newer(store: &dyn Store, keys: &[Key]) -> Result<(), StoreError> {
    for key in keys.iter().rev().take(NEWEST) {
        // A damaged record, or one removed in between, has no version.
        let Ok(bytes) = store.read(key) else { continue };
        let version = record::version(&bytes).unwrap_or_default();
        if version > record::VERSION {
            return Err(StoreError::Newer { store: store.describe(), key: Box::new(key.clone()), version });
        }
    }
    Ok(())
}

/// Refuses records whose bytes do not have the hash in their keys.
fn refuse_mismatch(records: &[(Key, Vec<u8>)]) -> Result<(), StoreError> {
    match records.iter().find(|(key, bytes)| !key.fits(bytes)) {
        Some((key, _)) => Err(StoreError::Mismatch(Box::new(key.clone()))),
        None => Ok(()),
    }
}

/// Bytes from a store, checked against the hash in the key. Records of a later version are passed on unchecked: decoding
/// reports them with a better error.
fn checked(store: String, key: &Key, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let later = record::version(&bytes).is_ok_and(|version| version > record::VERSION);
    if later || key.fits(&bytes) {
        return Ok(bytes);
    }
    Err(misnamed(store, key))
}
