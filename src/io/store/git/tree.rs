//! The next tree of the ref: runs added to or removed from the folders of their months.

use super::GitStore;
use crate::io::store::error::StoreError;
use crate::io::store::key::{Key, RunIdentity};
use crate::io::store::tombstones::{self, Tombstones};
use git2::{Oid, Repository, Tree};
use std::collections::{BTreeMap, BTreeSet};

const FILE: i32 = 0o100_644;
const FOLDER: i32 = 0o040_000;

impl GitStore {
    /// A tree with other tombstones; without the file if nothing was ever pruned.
    pub(in crate::io::store) fn with_tombstones(
        &self,
        repository: &Repository,
        tree: Oid,
        tombstones: &Tombstones,
    ) -> Result<Oid, StoreError> {
        with_tombstones(repository, tree, tombstones).map_err(|e| self.failed("make a tree", e))
    }

    /// A tree with runs added, and the keys of those that are new.
    pub(super) fn with_runs(
        &self,
        repository: &Repository,
        tree: Option<&Tree<'_>>,
        blobs: &BTreeMap<&Key, Oid>,
    ) -> Result<(Oid, BTreeSet<Key>), StoreError> {
        let failed = |e| self.failed("make a tree", e);
        let mut added = BTreeSet::new();
        let mut tombstones = tree.map(|tree| self.tombstones(repository, tree)).transpose()?.unwrap_or_default();
        let mut removed_tombstone = false;
        let _watched = Self::watched(repository);
        let mut root = repository.treebuilder(tree).map_err(failed)?;
        for (month, keys) in by_month(blobs.keys().copied()) {
            let folder = match root.get(&month).map_err(failed)? {
                Some(entry) => {
                    Some(repository.find_tree(entry.id()).map_err(|_| self.damaged(&month, "it is not a folder"))?)
                }
                None => None,
            };
            let mut builder = repository.treebuilder(folder.as_ref()).map_err(failed)?;
            let names = folder.iter().flat_map(Tree::iter);
            let names = names.map(|file| format!("{month}/{}", String::from_utf8_lossy(file.name_bytes())));
            let thinned: Vec<Key> = names.filter_map(|name| Key::parse(&name)).filter(Key::is_thinned).collect();
            let thinned: BTreeSet<RunIdentity<'_>> = thinned.iter().map(Key::identity).collect();
            for key in keys {
                if !key.is_thinned() && thinned.contains(&key.identity()) {
                    continue;
                }
                removed_tombstone |= tombstones.remove(key);
                let blob = blobs[key];
                let there = builder.get(key.file_name()).map_err(failed)?.map(|entry| entry.id());
                match there {
                    Some(there) if there == blob => {}
                    Some(_) => return Err(self.damaged(&key.to_string(), "its content does not match its name")),
                    None => {
                        builder.insert(key.file_name(), blob, FILE).map_err(failed)?;
                        added.insert(key.clone());
                    }
                }
            }
            if !builder.is_empty() {
                root.insert(&month, builder.write().map_err(failed)?, FOLDER).map_err(failed)?;
            }
        }
        let next = root.write().map_err(failed)?;
        let next = if removed_tombstone { self.with_tombstones(repository, next, &tombstones)? } else { next };
        Ok((next, added))
    }

    /// A tree with runs removed, and the number of runs removed.
    pub(in crate::io::store) fn without_runs(
        &self,
        repository: &Repository,
        tree: &Tree<'_>,
        keys: &BTreeSet<Key>,
    ) -> Result<(Oid, usize), StoreError> {
        let failed = |e| self.failed("make a tree", e);
        let mut removed = 0;
        let _watched = Self::watched(repository);
        let mut root = repository.treebuilder(Some(tree)).map_err(failed)?;
        for (month, keys) in by_month(keys.iter()) {
            let Some(id) = root.get(&month).map_err(failed)?.map(|entry| entry.id()) else { continue };
            let folder = repository.find_tree(id).map_err(|_| self.damaged(&month, "it is not a folder"))?;
            let mut builder = repository.treebuilder(Some(&folder)).map_err(failed)?;
            for key in keys {
                if builder.get(key.file_name()).map_err(failed)?.is_some() {
                    builder.remove(key.file_name()).map_err(failed)?;
                    removed += 1;
                }
            }
            if builder.is_empty() {
                root.remove(&month).map_err(failed)?;
            } else {
                root.insert(&month, builder.write().map_err(failed)?, FOLDER).map_err(failed)?;
            }
        }
        Ok((root.write().map_err(failed)?, removed))
    }
}

fn with_tombstones(repository: &Repository, tree: Oid, tombstones: &Tombstones) -> Result<Oid, git2::Error> {
    let tree = repository.find_tree(tree)?;
    let mut root = repository.treebuilder(Some(&tree))?;
    if *tombstones != Tombstones::default() {
        root.insert(tombstones::NAME, repository.blob(&tombstones.bytes())?, FILE)?;
    } else if root.get(tombstones::NAME)?.is_some() {
        root.remove(tombstones::NAME)?;
    }
    root.write()
}

fn by_month<'a>(keys: impl Iterator<Item = &'a Key>) -> BTreeMap<String, Vec<&'a Key>> {
    let mut months: BTreeMap<String, Vec<&Key>> = BTreeMap::new();
    for key in keys {
        months.entry(key.month()).or_default().push(key);
    }
    months
}
