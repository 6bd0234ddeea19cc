//! Pull and push of a git store. Afterwards, both sides have all runs, in one linear history.
//!
//! The remote's ref is fetched under a name of its own. If the two histories have diverged, one commit on top of the
//! remote's replaces the local one. It has the remote's files, plus those added here since the merge base, minus those
//! removed here. (Without a merge base, nothing is removed.) A push of that commit succeeds, or loses the race to another
//! writer and is retried with back-off.
//!
//! Pruning restarts the history and adds tombstones (see `tombstones`). Of two histories without a common commit, the one
//! of the higher generation is kept, the remote's if both are equal. The other one's runs are added on top, minus those
//! that either side has pruned. A history that the remote does not have yet is pushed by force, only if the remote is
//! still at the commit that was fetched. A remote that refuses force gets the same files on top of its old history.

use super::backoff::Backoff;
use super::error::StoreError;
use super::git::{GitStore, RefUpdate, message};
use super::incoming::IncomingRef;
use super::key::{Key, RunIdentity};
use super::remote::{PushOutcome, Remote};
use super::store_trait::{Listing, Store, SyncCounts};
use super::tombstones::Tombstones;
use git2::{Commit, ErrorCode, MergeOptions, Oid, Repository, Tree};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The verb in the message of a commit that adds the runs of one side to the other's history.
const MERGE: &str = "merge";
/// The message of the commit that a remote gets if it refuses a restarted history.
const PRUNED: &str = "perfgate: prune";

/// True for a commit of a pull or push: its time is that of the transfer, and the runs that it adds were recorded before.
pub(super) fn is_made_by_sync(commit: &Commit<'_>) -> bool {
    let message = commit.message_bytes().trim_ascii_end();
    message.starts_with(format!("perfgate: {MERGE} ").as_bytes()) || message == PRUNED.as_bytes()
}

impl GitStore {
    pub(super) fn pull_from(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        let repository = self.repository()?;
        let remote = Remote::new(&repository, &self.location.git_dir, remote)?;
        let Fetched { received, removed, .. } = self.fetch_and_merge(&repository, &remote)?;
        Ok(SyncCounts { received, removed, sent: 0 })
    }

    pub(super) fn push_to(&self, remote: &str) -> Result<SyncCounts, StoreError> {
        let repository = self.repository()?;
        let remote = Remote::new(&repository, &self.location.git_dir, remote)?;
        let mut backoff = backoff(&self.location.git_dir);
        let mut counts = SyncCounts::default();
        loop {
            let Fetched { theirs, received, removed } = self.fetch_and_merge(&repository, &remote)?;
            counts.received += received;
            counts.removed += removed;
            let ours = self.ref_commit(&repository)?;
            if ours == theirs {
                return Ok(counts);
            }
            counts.sent = self.added(&repository, ours, theirs)?.len();
            let restarted = match (ours, theirs) {
                (Some(ours), Some(theirs)) => {
                    (!self.descends_from(&repository, ours, theirs)?).then_some((ours, theirs))
                }
                _ => None,
            };
            match remote.push(&self.reference, restarted.map(|(_, theirs)| theirs))? {
                PushOutcome::Done => return Ok(counts),
                PushOutcome::ForceRefused(why) => {
                    let Some((ours, theirs)) = restarted else { return Err(remote.refused(&why)) };
                    let tree = self.tree(&repository, ours)?.id();
                    let on_top = self.commit(&repository, tree, Some(theirs), PRUNED)?;
                    if let RefUpdate::LostRace(why) = self.advance(&repository, Some(ours), on_top)? {
                        backoff.wait().map_err(|tries| self.busy(tries, why))?;
                    }
                }
                PushOutcome::LostRace(why) => backoff.wait().map_err(|tries| StoreError::Busy {
                    store: format!("{} of `{}`", self.url(), remote.shown()),
                    tries,
                    why,
                })?,
            }
        }
    }

    /// Fetches, and moves our ref to the merged history.
    fn fetch_and_merge(&self, repository: &Repository, remote: &Remote<'_>) -> Result<Fetched, StoreError> {
        // In a repository with a damaged ref, git's fetch fails with a message of its own.
        if let Some(ours) = self.ref_commit(repository)? {
            self.tree(repository, ours)?;
        }
        let incoming = IncomingRef::new(repository);
        if !remote.fetch(&self.reference, &incoming.name)? {
            return Ok(Fetched::default());
        }
        let theirs = repository.refname_to_id(&incoming.name).map_err(|e| self.failed("read what was fetched", e))?;
        // The remote's ref must be a valid store before it is merged. Only folders that differ from ours are checked.
        let (fetched, here) = (self.tree(repository, theirs)?, self.ref_commit(repository)?);
        let here = here.map(|ref_commit| self.tree(repository, ref_commit)).transpose()?;
        self.listing_of(repository, &fetched, changed(&fetched, here.as_ref()))?;
        self.tombstones(repository, &fetched)?;
        let mut backoff = backoff(&self.location.git_dir);
        loop {
            let ours = self.ref_commit(repository)?;
            let merged = self.merged(repository, ours, theirs)?;
            if ours == Some(merged) {
                return Ok(Fetched { theirs: Some(theirs), ..Fetched::default() });
            }
            let received = self.added(repository, Some(merged), ours)?;
            let gone = self.added(repository, ours, Some(merged))?;
            // A run that the remote has thinned is received in its new form, and not removed.
            let kept: BTreeSet<RunIdentity<'_>> = received.iter().map(Key::identity).collect();
            let removed = gone.iter().filter(|key| !kept.contains(&key.identity())).count();
            match self.advance(repository, ours, merged)? {
                RefUpdate::Done => return Ok(Fetched { theirs: Some(theirs), received: received.len(), removed }),
                RefUpdate::LostRace(why) => backoff.wait().map_err(|tries| self.busy(tries, why))?,
            }
        }
    }

    /// True if `ref_commit` is `from` or a descendant of it.
    fn descends_from(&self, repository: &Repository, ref_commit: Oid, from: Oid) -> Result<bool, StoreError> {
        let _watched = Self::watched(repository);
        let is_descendant = repository
            .graph_descendant_of(ref_commit, from)
            .map_err(|e| self.failed("compare the two histories", e))?;
        Ok(ref_commit == from || is_descendant)
    }

    /// A commit with the runs of both sides, on top of the remote's commit; on top of ours if ours was pruned since.
    fn merged(&self, repository: &Repository, ours: Option<Oid>, theirs: Oid) -> Result<Oid, StoreError> {
        let failed = |e| self.failed("merge our runs with the remote's", e);
        let _watched = Self::watched(repository);
        let Some(ours) = ours else { return Ok(theirs) };
        let merge_base = match repository.merge_base(ours, theirs) {
            Ok(commit) => Some(commit),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if merge_base == Some(theirs) {
            return Ok(ours);
        }
        if merge_base == Some(ours) {
            return Ok(theirs);
        }
        let base = match merge_base {
            Some(commit) => self.tree(repository, commit)?,
            None => {
                let nothing = repository.treebuilder(None).and_then(|t| t.write()).map_err(failed)?;
                repository.find_tree(nothing).map_err(failed)?
            }
        };
        let (our_tree, their_tree) = (self.tree(repository, ours)?, self.tree(repository, theirs)?);
        let (our_tombstones, their_tombstones) =
            (self.tombstones(repository, &our_tree)?, self.tombstones(repository, &their_tree)?);
        let tombstones = Tombstones::merged(&self.tombstones(repository, &base)?, &our_tombstones, &their_tombstones);
        let mut options = MergeOptions::new();
        options.find_renames(false);
        // Tombstones are merged by their own rule.
        let without = |tree: &Tree<'_>| self.without_tombstones(repository, tree);
        let (base, runs_here, runs_there) = (without(&base)?, without(&our_tree)?, without(&their_tree)?);
        let mut index = repository.merge_trees(&base, &runs_there, &runs_here, Some(&options)).map_err(failed)?;
        if index.has_conflicts() {
            return Err(StoreError::Damaged {
                store: self.url(),
                place: "a file in this repository and at the remote".to_owned(),
                why: "the two have the same name and different content".to_owned(),
            });
        }
        let tree = index.write_tree_to(repository).map_err(failed)?;
        let tree = self.without_pruned_runs(repository, tree, &tombstones)?;
        let tree = self.with_tombstones(repository, tree, &tombstones)?;
        let restarted = merge_base.is_none() && our_tombstones.generation > their_tombstones.generation;
        let (kept, kept_tree, other) = if restarted { (ours, our_tree, theirs) } else { (theirs, their_tree, ours) };
        if tree == kept_tree.id() {
            return Ok(kept);
        }
        let added = self.added(repository, Some(other), Some(kept))?;
        self.commit(repository, tree, Some(kept), &message(MERGE, &added))
    }

    fn without_tombstones<'r>(&self, repository: &'r Repository, tree: &Tree<'_>) -> Result<Tree<'r>, StoreError> {
        let tree = self.with_tombstones(repository, tree.id(), &Tombstones::default())?;
        repository.find_tree(tree).map_err(|e| self.failed("merge our runs with the remote's", e))
    }

    /// A tree without the pruned runs, and without whole runs of which the thinned form is present too.
    fn without_pruned_runs(
        &self,
        repository: &Repository,
        tree: Oid,
        tombstones: &Tombstones,
    ) -> Result<Oid, StoreError> {
        let tree = repository.find_tree(tree).map_err(|e| self.failed("merge our runs with the remote's", e))?;
        let Listing { keys, duplicates, .. } = self.listing_of(repository, &tree, |_| true)?;
        let thinned: BTreeSet<RunIdentity<'_>> = duplicates.iter().map(Key::identity).collect();
        let is_gone = |key: &&Key| tombstones.contains(key) || !key.is_thinned() && thinned.contains(&key.identity());
        let gone: BTreeSet<Key> = keys.iter().chain(&duplicates).filter(is_gone).cloned().collect();
        if gone.is_empty() {
            return Ok(tree.id());
        }
        self.without_runs(repository, &tree, &gone).map(|(tree, _)| tree)
    }

    /// The runs of one commit that another one does not have.
    fn added(&self, repository: &Repository, of: Option<Oid>, than: Option<Oid>) -> Result<BTreeSet<Key>, StoreError> {
        let tree = |ref_commit: Option<Oid>| ref_commit.map(|ref_commit| self.tree(repository, ref_commit)).transpose();
        let (Some(of), than) = (tree(of)?, tree(than)?) else { return Ok(BTreeSet::new()) };
        let list = |tree: &Tree<'_>| self.listing_of(repository, tree, changed(&of, than.as_ref()));
        let other = than.as_ref().map(list).transpose()?.unwrap_or_default();
        let other = BTreeSet::from_iter(other.keys);
        Ok(list(&of)?.keys.into_iter().filter(|key| !other.contains(key)).collect())
    }
}

/// What a fetch brought.
#[derive(Debug, Default)]
struct Fetched {
    /// The remote's commit; `None` if the remote has no runs.
    theirs: Option<Oid>,
    /// Runs that are new here.
    received: usize,
    /// Runs that were removed here.
    removed: usize,
}

/// True for a folder of a tree that differs in the second tree or is missing from it. In a long history most are equal.
fn changed<'t>(tree: &'t Tree<'_>, other: Option<&'t Tree<'_>>) -> impl Fn(&str) -> bool + use<'t> {
    move |folder| {
        let id = |tree: &Tree<'_>| tree.get_name(folder).map(|entry| entry.id());
        id(tree) != other.and_then(id)
    }
}

fn backoff(place: &Path) -> Backoff {
    Backoff::new(place, 30, Duration::from_millis(20), Duration::from_secs(2))
}
