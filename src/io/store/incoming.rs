//! The refs that fetches write to. They must not stay: they keep removed runs from git's garbage collection, and a mirror
//! would push them.

use crate::io::pid_file;
use git2::Repository;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A folder of its own, because git removes a folder with its last ref.
const FOLDER: &str = "refs/perfgate-incoming";
/// A ref of this age was abandoned, whichever machine wrote it.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A ref for one fetch, with a new name; deleted when dropped.
pub(super) struct IncomingRef<'r> {
    repository: &'r Repository,
    pub name: String,
}

impl<'r> IncomingRef<'r> {
    /// A new name. Removes the refs that killed processes left.
    pub fn new(repository: &'r Repository) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        sweep(repository);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        IncomingRef { repository, name: format!("{FOLDER}/{}-{number}", pid_file::process_name()) }
    }
}

impl Drop for IncomingRef<'_> {
    fn drop(&mut self) {
        delete(self.repository, &self.name);
    }
}

/// Best effort: what stays is removed by a later exchange.
fn delete(repository: &Repository, name: &str) {
    if let Ok(mut reference) = repository.find_reference(name) {
        let _ = reference.delete();
    }
}

fn sweep(repository: &Repository) {
    let Ok(references) = repository.references_glob(&format!("{FOLDER}/*")) else { return };
    let names: Vec<String> =
        references.flatten().map(|one| String::from_utf8_lossy(one.name_bytes()).into_owned()).collect();
    for name in names {
        let process = name.rsplit('/').next().and_then(|last| last.rsplit_once('-')).map(|(process, _)| process);
        let written = repository.commondir().join(&name).metadata().and_then(|file| file.modified());
        let is_old = written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER));
        if is_old || process.is_some_and(pid_file::has_ended) {
            delete(repository, &name);
        }
    }
}
