//! Runs to and from a remote. Both sides end up with both sides' runs, on one straight line of commits.
//!
//! What the remote has is fetched beside our ref. Where the two lines have parted, ours is made anew as one commit on
//! top of the remote's tip: the remote's files, plus those that we added since the lines parted, less those that we
//! removed. (Where they share no commit, nothing is removed.) Then an ordinary push either takes that tip, or another
//! writer was faster and it begins again.
//!
//! Pruning begins a line anew, with a list of the runs that are gone (see `pruned`). Two lines that share no commit are
//! joined on the one of the higher generation, the remote's where they are equal: what the other one has on top goes
//! along, less what either side has pruned. A line that the remote does not have yet is pushed by force, and only if the
//! remote is still where it was fetched from; a remote that takes no force gets the same files on top of its old line.

use super::backoff::Backoff;
use super::git::{Moved, message};
use super::remote::{Pushed, Remote};
use super::tombstones::Tombstones;
use super::{GitStore, Key, Listing, RunIdentity, Store, StoreError};
use git2::{ErrorCode, MergeOptions, Oid, Repository, Tree};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What was exchanged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SyncCounts {
    /// Runs that are new here.
    pub received: usize,
    /// Runs that are new there.
    pub sent: usize,
}

impl GitStore {
    pub(super) fn pull_from(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        let repository = self.repository()?;
        let remote = Remote::new(&repository, &self.git_dir, remote)?;
        let (_, received) = self.take_over(&repository, &remote)?;
        Ok(SyncCounts { received, sent: 0 })
    }

    pub(super) fn push_to(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        let repository = self.repository()?;
        let remote = Remote::new(&repository, &self.git_dir, remote)?;
        let mut backoff = waits(&self.git_dir);
        let mut exchange = SyncCounts::default();
        loop {
            let (theirs, received) = self.take_over(&repository, &remote)?;
            exchange.received += received;
            let ours = self.tip(&repository)?;
            if ours == theirs {
                return Ok(exchange);
            }
            exchange.sent = self.more(&repository, ours, theirs)?.len();
            let anew = match (ours, theirs) {
                (Some(ours), Some(theirs)) => (!self.goes_on(&repository, ours, theirs)?).then_some((ours, theirs)),
                _ => None,
            };
            match remote.push(&self.reference, anew.map(|(_, theirs)| theirs))? {
                Pushed::Done => return Ok(exchange),
                Pushed::Unforced(why) => {
                    let Some((ours, theirs)) = anew else { return Err(remote.refused(&why)) };
                    let tree = self.tree(&repository, ours)?.id();
                    let on_top = self.commit(&repository, tree, Some(theirs), "perfgate: prune")?;
                    if let Moved::Overtaken(why) = self.advance(&repository, Some(ours), on_top)? {
                        backoff.wait().map_err(|tries| self.busy(tries, why))?;
                    }
                }
                Pushed::Overtaken(why) => backoff.wait().map_err(|tries| StoreError::Busy {
                    store: format!("{} of `{}`", self.describe(), remote.shown()),
                    tries,
                    why,
                })?,
            }
        }
    }

    /// Fetches, and moves our ref to what both have. Gives the remote's tip and how many runs were new here.
    fn take_over(&self, repository: &Repository, remote: &Remote<'_>) -> Result<(Option<Oid>, usize), StoreError> {
        let incoming = Incoming::new(repository);
        if !remote.fetch(&self.reference, &incoming.name)? {
            return Ok((None, 0));
        }
        let theirs = repository.refname_to_id(&incoming.name).map_err(|e| self.failed("read what was fetched", e))?;
        // Whatever it is, it must be a store before it becomes ours; what we have of it is one.
        let (fetched, here) = (self.tree(repository, theirs)?, self.tip(repository)?);
        let here = here.map(|tip| self.tree(repository, tip)).transpose()?;
        self.listing_of(repository, &fetched, changed(&fetched, here.as_ref()))?;
        self.pruned(repository, &fetched)?;
        let mut backoff = waits(&self.git_dir);
        loop {
            let ours = self.tip(repository)?;
            let joined = self.joined(repository, ours, theirs)?;
            if ours == Some(joined) {
                return Ok((Some(theirs), 0));
            }
            let received = self.more(repository, Some(joined), ours)?.len();
            match self.advance(repository, ours, joined)? {
                Moved::Done => return Ok((Some(theirs), received)),
                Moved::Overtaken(why) => backoff.wait().map_err(|tries| self.busy(tries, why))?,
            }
        }
    }

    /// True where a commit has another one behind it.
    fn goes_on(&self, repository: &Repository, tip: Oid, from: Oid) -> Result<bool, StoreError> {
        let behind = repository.graph_descendant_of(tip, from).map_err(|e| self.failed("compare two lines", e))?;
        Ok(tip == from || behind)
    }

    /// The commit that has both sides' runs and one of the tips behind it: the remote's, unless ours is of a line that
    /// was begun anew since.
    fn joined(&self, repository: &Repository, ours: Option<Oid>, theirs: Oid) -> Result<Oid, StoreError> {
        let failed = |e| self.failed("join our runs with the remote's", e);
        let Some(ours) = ours else { return Ok(theirs) };
        let parted = match repository.merge_base(ours, theirs) {
            Ok(commit) => Some(commit),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if parted == Some(theirs) {
            return Ok(ours);
        }
        if parted == Some(ours) {
            return Ok(theirs);
        }
        let before = match parted {
            Some(commit) => self.tree(repository, commit)?,
            None => {
                let nothing = repository.treebuilder(None).and_then(|t| t.write()).map_err(failed)?;
                repository.find_tree(nothing).map_err(failed)?
            }
        };
        let (our_tree, their_tree) = (self.tree(repository, ours)?, self.tree(repository, theirs)?);
        let (our_pruned, their_pruned) = (self.pruned(repository, &our_tree)?, self.pruned(repository, &their_tree)?);
        let pruned = Tombstones::merged(&self.pruned(repository, &before)?, &our_pruned, &their_pruned);
        let mut options = MergeOptions::new();
        options.find_renames(false);
        // The list of pruned runs is joined by its own rule.
        let bare = |tree: &Tree<'_>| {
            let bare = self.with_pruned(repository, tree.id(), &Tombstones::default())?;
            repository.find_tree(bare).map_err(failed)
        };
        let (before, bare_ours, bare_theirs) = (bare(&before)?, bare(&our_tree)?, bare(&their_tree)?);
        let mut index = repository.merge_trees(&before, &bare_theirs, &bare_ours, Some(&options)).map_err(failed)?;
        if index.has_conflicts() {
            return Err(StoreError::Damaged {
                store: self.describe(),
                place: "a file that is here and at the remote".to_owned(),
                why: "the two have one name and different content".to_owned(),
            });
        }
        let tree = index.write_tree_to(repository).map_err(failed)?;
        let tree = self.without_pruned(repository, tree, &pruned)?;
        let tree = self.with_pruned(repository, tree, &pruned)?;
        let anew = parted.is_none() && our_pruned.generation > their_pruned.generation;
        let (line, its_tree, other) = if anew { (ours, our_tree, theirs) } else { (theirs, their_tree, ours) };
        if tree == its_tree.id() {
            return Ok(line);
        }
        let added = self.more(repository, Some(other), Some(line))?;
        self.commit(repository, tree, Some(line), &message("record", &added))
    }

    /// A tree without the runs that are gone for good, and without whole runs that are there thinned too.
    fn without_pruned(&self, repository: &Repository, tree: Oid, pruned: &Tombstones) -> Result<Oid, StoreError> {
        let tree = repository.find_tree(tree).map_err(|e| self.failed("join our runs with the remote's", e))?;
        let Listing { keys, duplicates, .. } = self.listing_of(repository, &tree, |_| true)?;
        let thinned: BTreeSet<RunIdentity<'_>> = duplicates.iter().map(Key::identity).collect();
        let gone = |key: &&Key| pruned.contains(key) || !key.is_thinned() && thinned.contains(&key.identity());
        let gone: BTreeSet<Key> = keys.iter().chain(&duplicates).filter(gone).cloned().collect();
        if gone.is_empty() {
            return Ok(tree.id());
        }
        self.without_runs(repository, &tree, &gone).map(|(tree, _)| tree)
    }

    /// The runs of one tip that another one does not have.
    fn more(&self, repository: &Repository, of: Option<Oid>, than: Option<Oid>) -> Result<BTreeSet<Key>, StoreError> {
        let tree = |tip: Option<Oid>| tip.map(|tip| self.tree(repository, tip)).transpose();
        let (Some(of), than) = (tree(of)?, tree(than)?) else { return Ok(BTreeSet::new()) };
        let keys = |tree: &Tree<'_>| {
            let listing = self.listing_of(repository, tree, changed(&of, than.as_ref()))?;
            Ok::<_, StoreError>(BTreeSet::from_iter(listing.keys))
        };
        let there = than.as_ref().map(keys).transpose()?.unwrap_or_default();
        Ok(keys(&of)?.difference(&there).cloned().collect())
    }
}

/// Whether a folder of a tree is another one in a second tree, or not in it. Of a long history most folders are the same.
fn changed<'t>(tree: &'t Tree<'_>, other: Option<&'t Tree<'_>>) -> impl Fn(&str) -> bool + use<'t> {
    move |folder| {
        let id = |tree: &Tree<'_>| tree.get_name(folder).map(|entry| entry.id());
        id(tree) != other.and_then(id)
    }
}

fn waits(place: &Path) -> Backoff {
    Backoff::new(place, 30, Duration::from_millis(20), Duration::from_secs(2))
}

/// The ref that a fetch writes to: one for each fetch, so that two at once do not meet, and gone when dropped. It has
/// its own folder, since git removes the folder with the last ref in it.
struct Incoming<'r> {
    repository: &'r Repository,
    name: String,
}

impl<'r> Incoming<'r> {
    fn new(repository: &'r Repository) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Incoming { repository, name: format!("refs/perfgate-incoming/{}-{number}", std::process::id()) }
    }
}

impl Drop for Incoming<'_> {
    fn drop(&mut self) {
        if let Ok(mut reference) = self.repository.find_reference(&self.name) {
            // What stays behind is overwritten by a later fetch of the same number, and harms nobody.
            let _ = reference.delete();
        }
    }
}
