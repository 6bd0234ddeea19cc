//! Runs as files in a tree behind a ref of the user's repository, a subtree for each month.
//!
//! Blobs, trees and commits are written to the object database. The ref is then moved only if it is still at the commit
//! that was read; a writer that loses this race starts again from the new commit. Work tree, index, HEAD and branches are
//! never touched. The ref's history is linear, and pruning restarts it with one commit. The network is in `sync`.

mod additions;
mod operations;
mod tree;

use super::check::checked;
use super::directory::TemporaryFile;
use super::error::StoreError;
use super::key::Key;
use super::store_trait::{Listing, Store};
use super::tombstones::{self, Tombstones};
use crate::io::git_open::{self, RepositoryLocation};
use crate::io::{git_files, loose, watchdog};
use crate::model::Commit;
use git2::{ErrorCode, ObjectFormat, ObjectType, Oid, Repository, Signature, Tree};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A store behind a ref.
#[derive(Debug, Clone)]
pub struct GitStore {
    pub(super) location: RepositoryLocation,
    pub(super) reference: String,
    cache: Arc<Cache>,
}

/// State that is shared between reads: a base takes about sixty of them, and a month may have thousands of runs.
#[derive(Default)]
struct Cache {
    /// The blobs of each listed folder, by the folder's id.
    folders: Mutex<HashMap<Oid, HashMap<Key, Oid>>>,
    /// Objects whose files were checked. Each read of a run needs the ref's commit and tree again. This saves 26 of 227 million
    /// instructions of `perfgate compare` with 60 stored runs of 100 benchmarks.
    whole: Mutex<HashSet<Oid>>,
    /// Open repositories that no thread uses at the moment.
    idle: Mutex<Vec<Repository>>,
}

impl GitStore {
    /// Opens the store behind a ref of the repository around a directory. The ref need not exist.
    pub fn open(directory: &Path, reference: &str) -> Result<GitStore, StoreError> {
        let opened = git_open::open(directory).map_err(Box::new)?;
        if opened.copy.is_some() {
            return Err(StoreError::Reftable);
        }
        let location = opened.location;
        Ok(GitStore { location, reference: reference.to_owned(), cache: Arc::default() })
    }

    /// Opens the repository for one operation: threads cannot share one, and an old one may cache stale refs.
    pub(super) fn repository(&self) -> Result<Repository, StoreError> {
        self.location.open().map_err(|e| self.failed("open the repository", e))
    }

    pub(super) fn failed(&self, what: impl Into<String>, source: git2::Error) -> StoreError {
        // libgit2 has no message for a full disk. A small write to the same directory fails with the system's message.
        if source.class() == git2::ErrorClass::None
            && let Err(source) = try_write(&self.location.git_dir)
        {
            return StoreError::File { what: "write to", path: self.location.git_dir.clone(), source };
        }
        StoreError::Git { what: what.into(), store: self.url(), source }
    }

    fn damaged(&self, place: &str, why: &str) -> StoreError {
        StoreError::Damaged { store: self.url(), place: place.to_owned(), why: why.to_owned() }
    }

    fn damaged_ref(&self, why: String, fix: String) -> StoreError {
        StoreError::DamagedRef { store: self.url(), why, fix }
    }

    /// The error for the commit or tree of the ref, if it cannot be read.
    fn unreadable_ref(&self, what: &str, id: Oid, error: git2::Error) -> StoreError {
        match error.code() {
            ErrorCode::NotFound => self.damaged_ref(
                format!("{what} {id} is not in this repository"),
                format!("delete the ref with `git update-ref -d {}`", self.reference),
            ),
            _ => self.failed(format!("read {what}"), error),
        }
    }

    /// The error for an object of a folder, run or file that cannot be read.
    fn unreadable(&self, kind: &str, name: &str, id: Oid, error: git2::Error) -> StoreError {
        match error.code() {
            ErrorCode::NotFound => self.damaged(name, &format!("its git object {id} is not in this repository")),
            _ => self.failed(format!("read {kind} {name}"), error),
        }
    }

    /// Watches an operation of libgit2 until the result is dropped.
    pub(super) fn watched(repository: &Repository) -> Option<watchdog::Operation> {
        watchdog::begin(&repository.commondir().join("objects"))
    }

    /// Refuses an object that libgit2 would read forever.
    fn check(&self, repository: &Repository, id: Oid, what: &str) -> Result<Oid, StoreError> {
        if self.cache.whole().contains(&id) {
            return Ok(id);
        }
        if loose::is_truncated(&repository.commondir().join("objects"), &id.to_string()) {
            return Err(self.damaged(what, &format!("the file of its git object {id} ends too early")));
        }
        self.cache.whole().insert(id);
        Ok(id)
    }

    /// The ref's commit; `None` if the ref does not exist.
    pub(super) fn ref_commit(&self, repository: &Repository) -> Result<Option<Oid>, StoreError> {
        match repository.find_reference(&self.reference) {
            Ok(reference) => match reference.target() {
                Some(ref_commit) => Ok(Some(ref_commit)),
                None => Err(self.damaged(&self.reference, "it is a symbolic ref")),
            },
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(match git_files::damage_of_ref(repository.commondir(), &self.reference) {
                Some(why) => self.damaged_ref(why, "delete this file".to_owned()),
                None => self.failed("read the ref", error),
            }),
        }
    }

    pub(super) fn tree<'r>(&self, repository: &'r Repository, ref_commit: Oid) -> Result<Tree<'r>, StoreError> {
        let ref_commit = self.check(repository, ref_commit, "the ref's commit")?;
        let commit =
            repository.find_commit(ref_commit).map_err(|e| self.unreadable_ref("the ref's commit", ref_commit, e))?;
        let tree = self.check(repository, commit.tree_id(), "the ref's tree")?;
        commit.tree().map_err(|e| self.unreadable_ref("the ref's tree", tree, e))
    }

    /// All files of a commit, including those that are not runs.
    pub(super) fn listing(&self, repository: &Repository, ref_commit: Oid) -> Result<Listing, StoreError> {
        self.listing_of(repository, &self.tree(repository, ref_commit)?, |_| true)
    }

    /// All files of a tree, in the folders for which `wanted` is true.
    pub(super) fn listing_of(
        &self,
        repository: &Repository,
        tree: &Tree<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Listing, StoreError> {
        let mut listing = Listing::default();
        for entry in tree {
            let month = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            if !wanted(&month) {
                continue;
            }
            if entry.kind() != Some(ObjectType::Tree) {
                if month != tombstones::NAME {
                    listing.foreign.push(month);
                }
                continue;
            }
            let folder = self.folder(repository, entry.id(), &month)?;
            let mut blobs = HashMap::new();
            for file in &folder {
                let name = format!("{month}/{}", String::from_utf8_lossy(file.name_bytes()));
                match Key::parse(&name) {
                    Some(key) if file.kind() == Some(ObjectType::Blob) => {
                        blobs.insert(key.clone(), file.id());
                        listing.keys.push(key);
                    }
                    _ => listing.foreign.push(name),
                }
            }
            self.cache.folders().insert(folder.id(), blobs);
        }
        listing.normalize();
        Ok(listing)
    }

    fn folder<'r>(&self, repository: &'r Repository, id: Oid, month: &str) -> Result<Tree<'r>, StoreError> {
        let id = self.check(repository, id, month)?;
        repository.find_tree(id).map_err(|e| self.unreadable("the folder", month, id, e))
    }

    /// The bytes of a run.
    fn content(&self, repository: &Repository, key: &Key) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::Missing { store: self.url(), key: Box::new(key.clone()) };
        let ref_commit = self.ref_commit(repository)?.ok_or_else(missing)?;
        let tree = self.tree(repository, ref_commit)?;
        let _watched = Self::watched(repository);
        let listed =
            tree.get_name(&key.month()).and_then(|folder| self.cache.folders().get(&folder.id())?.get(key).copied());
        let blob = match listed {
            Some(blob) => blob,
            None => match tree.get_path(Path::new(&key.to_string())) {
                Ok(entry) => entry.id(),
                Err(error) if error.code() == ErrorCode::NotFound => return Err(missing()),
                Err(error) => return Err(self.failed(format!("find the run {key}"), error)),
            },
        };
        self.check(repository, blob, &key.to_string())?;
        let found = repository.find_blob(blob).map_err(|e| self.unreadable("the run", &key.to_string(), blob, e))?;
        let bytes = found.content().to_vec();
        // The fingerprint in the name is git's own id, which libgit2 has already checked.
        if key.matches_fingerprint(&blob.to_string()) { Ok(bytes) } else { checked(self.url(), key, bytes) }
    }

    /// The tombstones in a tree.
    pub(super) fn tombstones(&self, repository: &Repository, tree: &Tree<'_>) -> Result<Tombstones, StoreError> {
        let Some(entry) = tree.get_name(tombstones::NAME) else { return Ok(Tombstones::default()) };
        self.check(repository, entry.id(), tombstones::NAME)?;
        let blob = repository
            .find_blob(entry.id())
            .map_err(|e| self.unreadable("the file", tombstones::NAME, entry.id(), e))?;
        Tombstones::parse(blob.content()).map_err(|why| self.damaged(tombstones::NAME, why))
    }

    /// The runs of the newest month that has any.
    fn last_month(&self, repository: &Repository) -> Result<Vec<Key>, StoreError> {
        let Some(ref_commit) = self.ref_commit(repository)? else { return Ok(Vec::new()) };
        let tree = self.tree(repository, ref_commit)?;
        let mut folders: Vec<String> =
            tree.iter().map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned()).collect();
        // Other folders have no runs and are skipped.
        folders.sort_unstable();
        for folder in folders.iter().rev() {
            let keys = self.listing_of(repository, &tree, |name| name == folder)?.keys;
            if !keys.is_empty() {
                return Ok(keys);
            }
        }
        Ok(Vec::new())
    }

    /// Moves the ref from one commit to another, unless it has moved in between.
    pub(super) fn advance(&self, repository: &Repository, from: Option<Oid>, to: Oid) -> Result<RefUpdate, StoreError> {
        // The zero id stands for a ref that must not exist.
        let zero = if to.object_format() == ObjectFormat::Sha256 { Oid::ZERO_SHA256 } else { Oid::ZERO_SHA1 };
        let from = from.unwrap_or(zero);
        match repository.reference_matching(&self.reference, to, true, from, "perfgate") {
            Ok(_) => Ok(RefUpdate::Done),
            Err(error) => match error.code() {
                code @ (ErrorCode::Modified | ErrorCode::Locked | ErrorCode::Exists | ErrorCode::NotFound) => {
                    if code == ErrorCode::Locked {
                        self.remove_stale_lock(repository);
                    }
                    Ok(RefUpdate::LostRace(error.message().to_owned()))
                }
                _ => Err(self.failed("move the ref", error)),
            },
        }
    }

    /// Removes the ref's lock if a killed process left it. Moving the ref takes only milliseconds, so an old lock is a
    /// leftover.
    fn remove_stale_lock(&self, repository: &Repository) {
        const STALE: Duration = Duration::from_secs(10 * 60);
        let lock = repository.commondir().join(format!("{}.lock", self.reference));
        let modified = lock.metadata().and_then(|file| file.modified());
        if modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > STALE)) {
            let _ = std::fs::remove_file(lock);
        }
    }

    /// Makes a commit.
    pub(super) fn commit(
        &self,
        repository: &Repository,
        tree: Oid,
        parent: Option<Oid>,
        message: &str,
    ) -> Result<Oid, StoreError> {
        let _watched = Self::watched(repository);
        commit(repository, tree, parent, message).map_err(|e| self.failed("make a commit", e))
    }

    pub(super) fn busy(&self, tries: u32, why: String) -> StoreError {
        StoreError::Busy { store: self.url(), tries, why }
    }
}

impl Cache {
    fn folders(&self) -> MutexGuard<'_, HashMap<Oid, HashMap<Key, Oid>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn whole(&self) -> MutexGuard<'_, HashSet<Oid>> {
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Repository>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("folders", &self.folders().len()).field("idle", &self.idle().len()).finish()
    }
}

/// Writes and removes a small file.
fn try_write(directory: &Path) -> std::io::Result<()> {
    TemporaryFile::write(directory, &[0; 8192]).map(drop)
}

fn commit(repository: &Repository, tree: Oid, parent: Option<Oid>, message: &str) -> Result<Oid, git2::Error> {
    let tree = repository.find_tree(tree)?;
    let author = repository.signature().or_else(|_| Signature::now("perfgate", "perfgate@localhost"))?;
    let parent = parent.map(|p| repository.find_commit(p)).transpose()?;
    repository.commit(None, &author, &author, message, &tree, &parent.iter().collect::<Vec<_>>())
}

/// The outcome of moving the ref.
#[derive(Debug)]
pub(super) enum RefUpdate {
    Done,
    /// Another process has moved the ref, or has locked it.
    LostRace(String),
}

/// The commit message: `perfgate: record 1 run of 0123456789`.
pub(super) fn message(verb: &str, keys: &BTreeSet<Key>) -> String {
    let runs = if keys.len() == 1 { "run" } else { "runs" };
    let commits: BTreeSet<Option<&Commit>> = keys.iter().map(Key::commit).collect();
    match (commits.first(), commits.len()) {
        (Some(Some(commit)), 1) => format!("perfgate: {verb} {} {runs} of {}", keys.len(), commit.short()),
        _ => format!("perfgate: {verb} {} {runs}", keys.len()),
    }
}
