//! The `Store` trait and what its functions return.

use super::error::StoreError;
use super::key::Key;
use rayon::prelude::*;
use std::ops::RangeInclusive;

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

    /// At least `count` of the newest runs, or all if there are fewer. A store whose listings cost money returns only a few more.
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

    /// True if reads mostly wait for a network, so that many should run at once.
    fn is_remote(&self) -> bool {
        false
    }

    /// The bytes of several runs, in the order of the keys.
    fn read_all(&self, keys: &[Key]) -> Vec<Result<Vec<u8>, StoreError>> {
        keys.par_iter().map(|key| self.read(key)).collect()
    }

    /// Adds runs. Existing runs, whole or thinned, are not changed. A bucket does not search for the thinned form, so
    /// it may get the whole form next to it. A thinned run may be added next to its whole form, until that is removed.
    /// Each run becomes visible as a whole or not at all.
    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<WriteCounts, StoreError>;

    /// Removes runs; returns how many of them existed.
    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError>;

    /// Removes runs permanently: no pull or push restores them, and their space is freed as far as the store can. Returns
    /// how many of them existed.
    fn prune(&self, keys: &[Key]) -> Result<usize, StoreError> {
        self.remove(keys)
    }

    /// When each of these runs was recorded, as far as it is known. The runs are those of a listing by this store.
    fn added_at(&self, keys: &[Key]) -> Vec<Option<RecordedTime>>;

    /// The store's URL (`git:refs/perfgate/baselines`).
    fn url(&self) -> String;

    /// Fetches the runs of a remote into this store.
    fn pull(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.url(), remote: remote.to_owned() })
    }

    /// Sends this store's runs to a remote and fetches the remote's, until both have all.
    fn push(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        Err(StoreError::NoSync { store: self.url(), remote: remote.to_owned() })
    }
}

/// When a run was recorded, in seconds since 1970: the time of the commit, file or object that added it to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedTime {
    /// At this time.
    At(i64),
    /// At this time or before. Pruning restarts the history of a git store. A pull or push of diverged histories adds
    /// the runs of one side in a new commit, and so may any commit that adds several runs. Thinning writes a new file.
    NoLaterThan(i64),
}

impl RecordedTime {
    /// What the time of a run's file means.
    pub(super) fn of_file(key: &Key, time: i64) -> RecordedTime {
        if key.is_thinned() { RecordedTime::NoLaterThan(time) } else { RecordedTime::At(time) }
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
    pub(super) fn normalize(&mut self) {
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
pub struct WriteCounts {
    /// Runs that are new.
    pub added: usize,
    /// Runs that existed.
    pub already: usize,
}

/// Numbers of transferred runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Runs that are new in this repository.
    pub received: usize,
    /// Runs that are new at the remote.
    pub sent: usize,
    /// Runs that were removed from this repository, because the remote no longer has them.
    pub removed: usize,
}
