//! Where stored runs are kept: one trait, a file of bytes for each run, and the stores that implement it.
//! What is in a record is for `model::record`; which runs stand for the base is for the rooms above.

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
pub(super) use directory::Unfinished;
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

/// Where runs are kept unless told otherwise.
pub const DEFAULT_URL: &str = "git:refs/perfgate/baselines";

/// How many of the newest records are looked at before a write, for whether a later perfgate writes here.
const NEWEST: usize = 4;

/// A place for stored runs. Any number of processes may use it at once.
pub trait Store: Send + Sync {
    /// The names of all runs, in time order. A store that was never written to is empty; one that cannot be read is an
    /// error.
    fn list(&self) -> Result<Listing, StoreError>;

    /// The runs whose times lie in one of these spans, in time order. A store that can answers without a look at its
    /// other runs.
    fn within(&self, spans: &[RangeInclusive<i64>]) -> Result<Vec<Key>, StoreError> {
        let mut keys = self.list()?.keys;
        keys.retain(|key| spans.iter().any(|span| span.contains(&key.time())));
        Ok(keys)
    }

    /// At least so many of the newest runs, or all there are. A store where names are dear gives no more than needed.
    fn newest(&self, count: usize) -> Result<Newest, StoreError> {
        let _ = count;
        let Listing { keys, foreign, .. } = self.list()?;
        Ok(Newest { keys, foreign, more: false })
    }

    /// The bytes of a run, which are the ones that were written.
    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError>;

    /// Of a run's bytes as many as its digests take, from the first one on, or more. They are not held against its name: the
    /// digests carry a sum of their own.
    fn read_digests(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        self.read(key)
    }

    /// True where a read is mostly waiting for an answer, so that many should be under way at once.
    fn is_remote(&self) -> bool {
        false
    }

    /// The bytes of several runs, in the order of the keys.
    fn read_all(&self, keys: &[Key]) -> Vec<Result<Vec<u8>, StoreError>> {
        keys.par_iter().map(|key| self.read(key)).collect()
    }

    /// Adds runs; those that are there already, whole or thinned, are left as they are. A thinned run may stand beside
    /// its whole one until that is taken away. What cannot be written whole is not seen at all.
    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<Written, StoreError>;

    /// Takes runs away and says how many of them were there.
    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError>;

    /// Takes runs away for good, as `perfgate runs prune` does: no exchange with another clone brings them back, and what
    /// they took is free as far as the store can free it. Says how many of them were there.
    fn prune(&self, keys: &[Key]) -> Result<usize, StoreError> {
        self.remove(keys)
    }

    /// The store as the user writes it (`git:refs/perfgate/baselines`).
    fn describe(&self) -> String;

    /// Fetches the runs of a remote into this store.
    fn pull(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.describe(), remote: remote.to_owned() })
    }

    /// Sends this store's runs to a remote, and takes over those that it has more, until both have all.
    fn push(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.describe(), remote: remote.to_owned() })
    }
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The runs, in time order, each once.
    pub keys: Vec<Key>,
    /// Thinned forms of runs that are there whole too: a prune was stopped between the two. They count for nothing.
    pub duplicates: Vec<Key>,
    /// Names of what is not a run of ours. It is left alone.
    pub foreign: Vec<String>,
}

impl Listing {
    /// Puts the names into order, and sees to it that no run is there duplicates.
    fn settle(&mut self) {
        self.keys.sort_unstable();
        self.foreign.sort_unstable();
        // A whole run stands right before its thinned form.
        let mut last: Option<Key> = None;
        self.keys.retain(|key| {
            let again = last.as_ref().is_some_and(|last| last.identity() == key.identity());
            if again {
                self.duplicates.push(key.clone());
            } else {
                last = Some(key.clone());
            }
            !again
        });
    }
}

/// Names in order, each run once.
fn once(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup_by(|later, earlier| later.identity() == earlier.identity());
    keys
}

/// The newest part of what a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// Runs, in time order.
    pub keys: Vec<Key>,
    /// True where there are older ones.
    pub more: bool,
    /// Names of what is not a run of ours, as far as they were seen.
    pub foreign: Vec<String>,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Runs that are new.
    pub added: usize,
    /// Runs that were there.
    pub already: usize,
}

/// Opens a store. `base` is a directory of the repository, and what a relative `dir:` path starts from.
pub fn open(url: &str, base: &Path) -> Result<Box<dyn Store>, StoreError> {
    Ok(match url.parse()? {
        StoreUrl::Git(reference) => Box::new(GitStore::open(base, &reference)?),
        StoreUrl::Directory(path) => Box::new(DirectoryStore::new(base.join(path))),
        StoreUrl::Bucket(url) => Box::new(BucketStore::open(&url)?),
    })
}

/// The stored runs of some commits, each with its commit's time, which is the time of its runs. Those of a commit are in
/// time order.
pub fn of_commits(store: &dyn Store, commits: &[(Commit, i64)]) -> Result<HashMap<Commit, Vec<Key>>, StoreError> {
    // One span a month: a commit whose clock was wrong costs a look at its month, and not one at all between.
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

/// Records that a store is asked for at once, and that are in memory packed.
const AT_ONCE: usize = 16;

/// Reads several runs out of a store, in the order of the keys. Names that others share with the first are kept once.
pub fn read_runs(store: &dyn Store, keys: &[Key], detail: Detail) -> Vec<Result<Run, StoreError>> {
    let mut runs = Vec::with_capacity(keys.len());
    let mut names: Vec<BenchId> = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let fetched = if store.is_remote() { store.read_all(some) } else { Vec::new() };
        let fetched = fetched.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        let mut waiting: VecDeque<_> = some.iter().zip(fetched).collect();
        let read = |(key, fetched): (&Key, Option<Result<Vec<u8>, StoreError>>), names: &[BenchId]| match fetched {
            Some(bytes) => decoded(store, key, &bytes?, detail, names),
            None => read_beside(store, key, detail, names),
        };
        if names.is_empty()
            && let Some(first) = waiting.pop_front()
        {
            let first = read(first, &[]);
            let measurements = first.iter().flat_map(|run| &run.measurements);
            names = measurements.map(|measurement| measurement.benchmark.clone()).collect();
            runs.push(first);
        }
        runs.par_extend(waiting.into_par_iter().map(|one| read(one, &names)));
    }
    runs
}

/// Reads a run out of a store.
pub fn read_run(store: &dyn Store, key: &Key, detail: Detail) -> Result<Run, StoreError> {
    read_beside(store, key, detail, &[])
}

fn read_beside(store: &dyn Store, key: &Key, detail: Detail, names: &[BenchId]) -> Result<Run, StoreError> {
    if detail == Detail::Digests {
        let bytes = store.read_digests(key)?;
        if let Some(run) = record::decode_digests(&bytes, names).map_err(|error| damaged(store, key, error))? {
            return if key.names(&run) { Ok(run) } else { Err(misnamed(store.describe(), key)) };
        }
    }
    decoded(store, key, &store.read(key)?, detail, names)
}

fn decoded(store: &dyn Store, key: &Key, bytes: &[u8], detail: Detail, names: &[BenchId]) -> Result<Run, StoreError> {
    record::decode_beside(bytes, detail, names).map_err(|error| damaged(store, key, error))
}

fn damaged(store: &dyn Store, key: &Key, error: RecordError) -> StoreError {
    match error {
        newer @ RecordError::Newer { .. } => newer.into(),
        other => StoreError::Damaged { store: store.describe(), place: key.to_string(), why: other.to_string() },
    }
}

fn misnamed(store: String, key: &Key) -> StoreError {
    StoreError::Damaged { store, place: key.to_string(), why: "its content does not fit its name".into() }
}

/// Which of some records need not be written: their runs are there in thinned form.
fn thinned_already<'r>(store: &dyn Store, records: &'r [(Key, Vec<u8>)]) -> Result<BTreeSet<&'r Key>, StoreError> {
    let whole: Vec<&Key> = records.iter().map(|(key, _)| key).filter(|key| !key.is_thinned()).collect();
    let spans: Vec<RangeInclusive<i64>> = whole.iter().map(|key| key.time()..=key.time()).collect();
    let there = store.within(&spans)?;
    let there: BTreeSet<RunIdentity<'_>> = there.iter().filter(|key| key.is_thinned()).map(Key::identity).collect();
    Ok(whole.into_iter().filter(|key| there.contains(&key.identity())).collect())
}

/// Refuses to write into a store that a later perfgate writes to. A look at the newest records tells, whatever the
/// length of the history.
fn refuse_newer(store: &dyn Store, keys: &[Key]) -> Result<(), StoreError> {
    for key in keys.iter().rev().take(NEWEST) {
        // One that is damaged or was removed in between says nothing of versions.
        let Ok(bytes) = store.read(key) else { continue };
        let version = record::version(&bytes).unwrap_or_default();
        if version > record::VERSION {
            return Err(StoreError::Newer { store: store.describe(), key: Box::new(key.clone()), version });
        }
    }
    Ok(())
}

/// Refuses records whose bytes are not the ones that their keys name.
fn refuse_mismatch(records: &[(Key, Vec<u8>)]) -> Result<(), StoreError> {
    match records.iter().find(|(key, bytes)| !key.fits(bytes)) {
        Some((key, _)) => Err(StoreError::Mismatch(Box::new(key.clone()))),
        None => Ok(()),
    }
}

/// Bytes from a store, if they are the ones that were written. Records of a later version are for their reader to
/// refuse, who can say it better.
fn checked(store: String, key: &Key, bytes: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let later = record::version(&bytes).is_ok_and(|version| version > record::VERSION);
    if later || key.fits(&bytes) {
        return Ok(bytes);
    }
    Err(misnamed(store, key))
}
