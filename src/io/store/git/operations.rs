//! What a store does, on the ref of a repository.

use super::{GitStore, RefUpdate, message};
use crate::io::store::backoff::Backoff;
use crate::io::store::check::{refuse_mismatch, refuse_newer};
use crate::io::store::error::StoreError;
use crate::io::store::key::{Key, RunIdentity, covers};
use crate::io::store::store_trait::{Listing, RecordedTime, Store, SyncCounts, WriteCounts};
use git2::{Oid, Repository, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

impl Store for GitStore {
    fn list(&self) -> Result<Listing, StoreError> {
        let repository = self.repository()?;
        match self.ref_commit(&repository)? {
            Some(ref_commit) => self.listing(&repository, ref_commit),
            None => Ok(Listing::default()),
        }
    }

    fn within(&self, spans: &[RangeInclusive<i64>]) -> Result<Vec<Key>, StoreError> {
        let repository = self.repository()?;
        let Some(ref_commit) = self.ref_commit(&repository)? else { return Ok(Vec::new()) };
        let is_wanted = |month: &str| spans.iter().any(|span| covers(span, month));
        let mut keys = self.listing_of(&repository, &self.tree(&repository, ref_commit)?, is_wanted)?.keys;
        keys.retain(|key| spans.iter().any(|span| span.contains(&key.time())));
        Ok(keys)
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        let idle = self.cache.idle().pop();
        let repository = idle.map_or_else(|| self.repository(), Ok)?;
        let bytes = self.content(&repository, key);
        self.cache.idle().push(repository);
        bytes
    }

    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<WriteCounts, StoreError> {
        refuse_mismatch(records)?;
        let repository = self.repository()?;
        refuse_newer(self, &self.last_month(&repository)?)?;
        let blob = |bytes: &[u8]| repository.blob(bytes).map_err(|e| self.failed("write a run", e));
        let blobs = records
            .iter()
            .map(|(key, bytes)| Ok((key, blob(bytes)?)))
            .collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        self.update(Parent::Present, |repository, tree| {
            let (next, added) = self.with_runs(repository, tree, &blobs)?;
            let written = WriteCounts { added: added.len(), already: records.len() - added.len() };
            let next = (!added.is_empty()).then(|| (next, message("record", &added)));
            Ok((next, written))
        })
    }

    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let keys: BTreeSet<Key> = keys.iter().cloned().collect();
        self.update(Parent::Present, |repository, tree| {
            let Some(tree) = tree else { return Ok((None, 0)) };
            let (next, removed) = self.without_runs(repository, tree, &keys)?;
            Ok(((removed > 0).then(|| (next, message("remove", &keys))), removed))
        })
    }

    /// Restarts the history with one commit, so that git can free the removed files.
    fn prune(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let keys: BTreeSet<Key> = keys.iter().cloned().collect();
        self.update(Parent::None, |repository, tree| {
            let Some(tree) = tree else { return Ok((None, 0)) };
            let (next, removed) = self.without_runs(repository, tree, &keys)?;
            if removed == 0 {
                return Ok((None, 0));
            }
            let left = repository.find_tree(next).map_err(|e| self.failed("make a tree", e))?;
            let left = self.listing_of(repository, &left, |_| true)?.keys;
            let left: BTreeSet<RunIdentity<'_>> = left.iter().map(Key::identity).collect();
            let mut tombstones = self.tombstones(repository, tree)?;
            tombstones.generation += 1;
            keys.iter().filter(|key| !left.contains(&key.identity())).for_each(|key| tombstones.add(key));
            let next = self.with_tombstones(repository, next, &tombstones)?;
            Ok((Some((next, message("prune", &keys))), removed))
        })
    }

    fn added_at(&self, keys: &[Key]) -> Vec<Option<RecordedTime>> {
        self.additions(keys).unwrap_or_else(|_| vec![None; keys.len()])
    }

    fn url(&self) -> String {
        format!("git:{}", self.reference)
    }

    fn pull(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        self.pull_from(remote)
    }

    fn push(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        self.push_to(remote)
    }
}

impl GitStore {
    /// Applies a change to the tree, and retries until the ref can be moved before another writer moves it. `change` gets the
    /// present tree, and returns the next tree and the commit message, or `None` if there is nothing to do.
    fn update<T>(
        &self,
        parent: Parent,
        mut change: impl FnMut(&Repository, Option<&Tree<'_>>) -> Result<(Option<(Oid, String)>, T), StoreError>,
    ) -> Result<T, StoreError> {
        let repository = self.repository()?;
        let mut backoff =
            Backoff::new(&self.location.git_dir, 1000, Duration::from_millis(1), Duration::from_millis(50));
        loop {
            let ref_commit = self.ref_commit(&repository)?;
            let tree = ref_commit.map(|ref_commit| self.tree(&repository, ref_commit)).transpose()?;
            let (next, outcome) = change(&repository, tree.as_ref())?;
            let Some((next, message)) = next else { return Ok(outcome) };
            let parent = if parent == Parent::Present { ref_commit } else { None };
            let commit = self.commit(&repository, next, parent, &message)?;
            match self.advance(&repository, ref_commit, commit)? {
                RefUpdate::Done => return Ok(outcome),
                RefUpdate::LostRace(why) => backoff.wait().map_err(|tries| self.busy(tries, why))?,
            }
        }
    }
}

/// How the next commit continues the ref's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parent {
    /// On top of the present commit.
    Present,
    /// Without a parent.
    None,
}
