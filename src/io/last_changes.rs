//! The newest commit that changed each of many files, in one walk through the history.

use super::repository::{Repository, RepositoryError, failed, name, path_of};
use crate::model::Commit;
use git2::{DiffOptions, Oid, Tree};
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::path::{Path, PathBuf};

impl Repository {
    /// For each of these files that HEAD has, the commit that gave it its content; paths are relative to the root. At a merge, the
    /// history of the first parent with the same content counts.
    pub fn last_changes(&self, files: &[PathBuf]) -> Result<HashMap<PathBuf, Commit>, RepositoryError> {
        let reading = failed("read the history of the files");
        let head = match self.head() {
            Err(RepositoryError::Unborn) => return Ok(HashMap::new()),
            head => self.commit(&head?.commit)?,
        };
        let below = common_directory(files);
        let wanted: HashSet<&Path> = files.iter().map(PathBuf::as_path).collect();
        let mut present = self.changed_files(None, &head.tree().map_err(&reading)?, &below)?;
        present.retain(|file| wanted.contains(file.as_path()));

        let mut found = HashMap::new();
        // The files whose content a commit has, and whose last change is still to be found.
        let mut followed = HashMap::from([(head.id(), present)]);
        // Newest first, so that the files of several branches are followed together from their merge base on.
        let mut next = BinaryHeap::from([(head.time().seconds(), head.id())]);
        while let Some((_, id)) = next.pop() {
            let Some(mut files) = followed.remove(&id).filter(|files| !files.is_empty()) else { continue };
            let _watched = self.watched();
            let commit = self.git().find_commit(id).map_err(&reading)?;
            let tree = commit.tree().map_err(&reading)?;
            // In a shallow clone, the parents of the oldest commits are missing and are skipped here.
            for parent in commit.parents() {
                let changed = self.changed_files(Some(&parent.tree().map_err(&reading)?), &tree, &below)?;
                let changed: BTreeSet<PathBuf> = changed.into_iter().filter_map(|file| files.take(&file)).collect();
                move_files(&mut followed, parent.id(), files);
                next.push((parent.time().seconds(), parent.id()));
                files = changed.into_iter().collect();
                if files.is_empty() {
                    break;
                }
            }
            let commit = name(id)?;
            found.extend(files.into_iter().map(|file| (file, commit.clone())));
        }
        Ok(found)
    }

    /// The files below a directory that differ between two trees, or all files of one tree.
    fn changed_files(
        &self,
        before: Option<&Tree<'_>>,
        after: &Tree<'_>,
        below: &Path,
    ) -> Result<HashSet<PathBuf>, RepositoryError> {
        let mut options = DiffOptions::new();
        if below.components().next().is_some() {
            options.pathspec(below).disable_pathspec_match(true);
        }
        let diff = self.git().diff_tree_to_tree(before, Some(after), Some(&mut options));
        let diff = diff.map_err(failed("compare two commits"))?;
        Ok(diff.deltas().filter_map(|delta| delta.new_file().path_bytes().map(path_of)).collect())
    }
}

/// Adds files to those that are followed from a commit on. The smaller set is moved.
fn move_files(followed: &mut HashMap<Oid, HashSet<PathBuf>>, to: Oid, mut files: HashSet<PathBuf>) {
    let there = followed.entry(to).or_default();
    if there.len() < files.len() {
        std::mem::swap(there, &mut files);
    }
    there.extend(files);
}

/// The directory that contains all of these files.
fn common_directory(files: &[PathBuf]) -> PathBuf {
    let mut directories = files.iter().map(|file| file.parent().unwrap_or(Path::new("")));
    let first = directories.next().unwrap_or(Path::new(""));
    let common = |common: &Path, other: &Path| -> PathBuf {
        common.components().zip(other.components()).take_while(|(a, b)| a == b).map(|(same, _)| same).collect()
    };
    directories.fold(first.to_owned(), |so_far, other| common(&so_far, other))
}
