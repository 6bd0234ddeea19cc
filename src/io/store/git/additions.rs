//! When runs were added to the store: the times of the commits in the ref's history that added their files.

use super::GitStore;
use crate::io::store::error::StoreError;
use crate::io::store::key::Key;
use crate::io::store::store_trait::RecordedTime;
use crate::io::store::{sync, tombstones};
use git2::{Commit, ObjectType, Oid, Repository, Tree};
use std::collections::BTreeMap;

/// A commit of the ref's history, with the folders of the months in question.
struct Step<'r> {
    commit: Commit<'r>,
    tree: Tree<'r>,
    folders: BTreeMap<String, Tree<'r>>,
}

impl Step<'_> {
    fn folder_id(&self, month: &str) -> Option<Oid> {
        self.folders.get(month).map(Tree::id)
    }

    fn has(&self, month: &str, file: &str) -> bool {
        self.folders.get(month).is_some_and(|folder| folder.get_name(file).is_some())
    }
}

/// The runs whose commits are still to be found: indices and file names, by month.
type Missing = BTreeMap<String, Vec<(usize, String)>>;

impl GitStore {
    /// When each of these runs was added. The history is read from the newest commit on, as far as necessary.
    pub(super) fn additions(&self, keys: &[Key]) -> Result<Vec<Option<RecordedTime>>, StoreError> {
        let mut found = vec![None; keys.len()];
        let repository = self.repository()?;
        let Some(newest) = self.ref_commit(&repository)? else { return Ok(found) };
        let _watched = Self::watched(&repository);
        let mut missing = Missing::new();
        for (index, key) in keys.iter().enumerate() {
            missing.entry(key.month()).or_default().push((index, key.file_name()));
        }
        let mut step = self.step(&repository, newest, &missing, None)?;
        keep(&mut missing, |month, _, file| step.has(month, file));
        while !missing.is_empty() {
            let time = step.commit.time().seconds();
            // A history that was fetched in part has a missing parent.
            let older = step.commit.parent_id(0).ok();
            let older = older.and_then(|id| self.step(&repository, id, &missing, Some(&step)).ok());
            let Some(older) = older else {
                let is_whole = step.commit.parent_count() == 0 && step.tree.get_name(tombstones::NAME).is_none();
                let is_exact = is_whole && self.is_made_by_recording(&repository, &step, None)?;
                for (index, _) in missing.values().flatten() {
                    found[*index] = Some(added(&keys[*index], time, is_exact));
                }
                break;
            };
            let mut added_here = Vec::new();
            keep(&mut missing, |month, index, file| {
                let was_there = older.folder_id(month) == step.folder_id(month) || older.has(month, file);
                if !was_there {
                    added_here.push(index);
                }
                was_there
            });
            if !added_here.is_empty() {
                let is_exact = self.is_made_by_recording(&repository, &step, Some(&older.tree))?;
                for index in added_here {
                    found[index] = Some(added(&keys[index], time, is_exact));
                }
            }
            step = older;
        }
        Ok(found)
    }

    /// True if the commit was certainly made when its run was recorded: it adds no other run, and is not one of a pull or
    /// push. Earlier versions gave the commits of a pull the same message as those of recording.
    fn is_made_by_recording(
        &self,
        repository: &Repository,
        step: &Step<'_>,
        older: Option<&Tree<'_>>,
    ) -> Result<bool, StoreError> {
        if sync::is_made_by_sync(&step.commit) {
            return Ok(false);
        }
        let mut added = 0;
        for entry in step.tree.iter().filter(|entry| entry.kind() == Some(ObjectType::Tree)) {
            let month = String::from_utf8_lossy(entry.name_bytes());
            let before = older.and_then(|tree| tree.get_name(&month)).map(|folder| folder.id());
            if before == Some(entry.id()) {
                continue;
            }
            let before = before.map(|id| self.folder(repository, id, &month)).transpose()?;
            let is_new =
                |name: &[u8]| before.as_ref().is_none_or(|folder| folder.iter().all(|file| file.name_bytes() != name));
            let folder = self.folder(repository, entry.id(), &month)?;
            added += folder.iter().filter(|file| is_new(file.name_bytes())).take(2).count();
            if added > 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn step<'r>(
        &self,
        repository: &'r Repository,
        id: Oid,
        missing: &Missing,
        newer: Option<&Step<'r>>,
    ) -> Result<Step<'r>, StoreError> {
        let tree = self.tree(repository, id)?;
        let commit = repository.find_commit(id).map_err(|e| self.failed("read the ref's history", e))?;
        let mut folders = BTreeMap::new();
        for month in missing.keys() {
            let Some(entry) = tree.get_name(month) else { continue };
            let same = newer.and_then(|newer| newer.folders.get(month)).filter(|folder| folder.id() == entry.id());
            let folder = match same {
                Some(folder) => folder.clone(),
                None => self.folder(repository, entry.id(), month)?,
            };
            folders.insert(month.clone(), folder);
        }
        Ok(Step { commit, tree, folders })
    }
}

fn added(key: &Key, time: i64, is_exact: bool) -> RecordedTime {
    if is_exact { RecordedTime::of_file(key, time) } else { RecordedTime::NoLaterThan(time) }
}

/// Keeps the runs for which `is_kept` is true of month, index and file name.
fn keep(missing: &mut Missing, mut is_kept: impl FnMut(&str, usize, &str) -> bool) {
    missing.retain(|month, files| {
        files.retain(|(index, file)| is_kept(month, *index, file));
        !files.is_empty()
    });
}
