//! Runs as files of a directory, in a folder for each month.
//!
//! A run is written to a temporary file, synced to disk, and then linked to its name, which never replaces a file. So
//! readers see complete runs only, and a writer that is killed leaves at most a file whose name begins with a dot.

use super::check::{checked, refuse_mismatch, refuse_newer, with_thinned_form};
use super::error::StoreError;
use super::key::{Key, covers};
use super::store_trait::{Listing, RecordedTime, Store, WriteCounts};
use crate::io::regular;
use crate::model::record;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The prefix of temporary files.
const TEMPORARY: &str = ".unfinished-";

/// A temporary file of this age has no writer any more.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A directory of runs.
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    root: PathBuf,
}

impl DirectoryStore {
    /// A store in a directory, which the first write creates.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        DirectoryStore { root: root.into() }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.month()).join(key.file_name())
    }

    /// The months' folders, oldest first, and the names of everything else.
    fn months(&self) -> Result<(Vec<Entry>, Vec<String>), StoreError> {
        let is_month = |month: &str| month.len() == 7 && month.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let (months, foreign): (Vec<_>, Vec<_>) =
            entries(&self.root)?.into_iter().partition(|(name, path)| is_month(name) && path.is_dir());
        Ok((months, foreign.into_iter().map(|(name, _)| name).collect()))
    }

    fn read_month(&self, month: &str, path: &Path, listing: &mut Listing) -> Result<(), StoreError> {
        for (name, _) in entries(path)? {
            let name = format!("{month}/{name}");
            match Key::parse(&name) {
                Some(key) => listing.keys.push(key),
                None if name[8..].starts_with(TEMPORARY) => {}
                None => listing.foreign.push(name),
            }
        }
        Ok(())
    }

    /// The runs of the newest month that has any.
    fn last_month(&self) -> Result<Vec<Key>, StoreError> {
        for (month, path) in self.months()?.0.into_iter().rev() {
            let mut listing = Listing::default();
            self.read_month(&month, &path, &mut listing)?;
            if !listing.keys.is_empty() {
                listing.keys.sort_unstable();
                return Ok(listing.keys);
            }
        }
        Ok(Vec::new())
    }

    /// Removes temporary files that dead writers left.
    fn sweep(&self) -> Result<(), StoreError> {
        self.months()?.0.iter().try_for_each(|(_, month)| sweep(month))
    }

    /// Writes one run; false if it exists.
    fn add(&self, key: &Key, bytes: &[u8]) -> Result<bool, StoreError> {
        let path = self.path(key);
        if self.has_run(key, &path)? {
            return Ok(false);
        }
        let folder = self.root.join(key.month());
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let temporary = TemporaryFile::write(&folder, bytes).map_err(failed("write", &path))?;
        match fs::hard_link(temporary.path(), &path) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(!self.has_run(key, &path)?),
            // Some file systems have no links. The name contains the content's hash, so a rename can only replace an equal file.
            Err(_) => fs::rename(temporary.path(), &path).map_err(failed("write", &path))?,
        }
        sync_directory(&folder).map_err(failed("write", &folder))?;
        Ok(true)
    }

    /// True if the run exists; an error if the file has other content.
    fn has_run(&self, key: &Key, path: &Path) -> Result<bool, StoreError> {
        match regular::read(path) {
            Ok(bytes) => checked(self.url(), key, bytes).map(|_| true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("read", path)(error)),
        }
    }
}

impl Store for DirectoryStore {
    fn list(&self) -> Result<Listing, StoreError> {
        let (months, foreign) = self.months()?;
        let mut listing = Listing { foreign, ..Listing::default() };
        for (month, path) in months {
            self.read_month(&month, &path, &mut listing)?;
        }
        listing.normalize();
        Ok(listing)
    }

    fn within(&self, spans: &[RangeInclusive<i64>]) -> Result<Vec<Key>, StoreError> {
        let mut listing = Listing::default();
        for (month, path) in self.months()?.0 {
            if spans.iter().any(|span| covers(span, &month)) {
                self.read_month(&month, &path, &mut listing)?;
            }
        }
        listing.keys.retain(|key| spans.iter().any(|span| span.contains(&key.time())));
        listing.normalize();
        Ok(listing.keys)
    }

    fn read(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        let path = self.path(key);
        match regular::read(&path) {
            Ok(bytes) => checked(self.url(), key, bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(StoreError::Missing { store: self.url(), key: Box::new(key.clone()) })
            }
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    fn read_digests(&self, key: &Key) -> Result<Vec<u8>, StoreError> {
        match beginning(&self.path(key)) {
            Some(bytes) => Ok(bytes),
            None => self.read(key), // for its error message
        }
    }

    fn write(&self, records: &[(Key, Vec<u8>)]) -> Result<WriteCounts, StoreError> {
        refuse_mismatch(records)?;
        refuse_newer(self, &self.last_month()?)?;
        let months: BTreeSet<String> = records.iter().map(|(key, _)| key.month()).collect();
        months.iter().try_for_each(|month| sweep(&self.root.join(month)))?;
        let thinned = with_thinned_form(self, records)?;
        let mut written = WriteCounts::default();
        for (key, bytes) in records {
            if !thinned.contains(key) && self.add(key, bytes)? {
                written.added += 1;
            } else {
                written.already += 1;
            }
        }
        Ok(written)
    }

    fn remove(&self, keys: &[Key]) -> Result<usize, StoreError> {
        let mut removed = 0;
        for key in keys {
            let path = self.path(key);
            match fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(failed("remove", &path)(error)),
            }
        }
        self.sweep()?;
        Ok(removed)
    }

    fn added_at(&self, keys: &[Key]) -> Vec<Option<RecordedTime>> {
        let modified = |key: &Key| fs::metadata(self.path(key)).and_then(|file| file.modified()).ok();
        let since_1970 = |time: SystemTime| Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64);
        keys.iter().map(|key| modified(key).and_then(since_1970).map(|time| RecordedTime::of_file(key, time))).collect()
    }

    fn url(&self) -> String {
        format!("dir:{}", self.root.display())
    }
}

/// The beginning of a record, with its digests; `None` if the file's length differs from the one in its header.
fn beginning(path: &Path) -> Option<Vec<u8>> {
    let mut file = regular::open(path).ok()?;
    let mut bytes = vec![0; record::HEADER];
    file.read_exact(&mut bytes).ok()?;
    let (digests, whole) = record::extent(&bytes).ok()?;
    if file.metadata().ok()?.len() != whole as u64 {
        return None;
    }
    bytes.resize(digests, 0);
    file.read_exact(&mut bytes[record::HEADER..]).ok()?;
    Some(bytes)
}

/// Removes the temporary files in a folder that killed writers left.
pub(crate) fn sweep(folder: &Path) -> Result<(), StoreError> {
    for (_, path) in entries(folder)?.into_iter().filter(|(name, _)| name.starts_with(TEMPORARY)) {
        let written = fs::metadata(&path).and_then(|metadata| metadata.modified());
        if written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > ABANDONED_AFTER)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed("remove", &path)(error)),
                _ => {} // or another process was first
            }
        }
    }
    Ok(())
}

/// A file that is removed when dropped, unless it was renamed.
#[derive(Debug)]
pub(crate) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// A file with these bytes, synced to disk.
    pub(crate) fn write(folder: &Path, bytes: &[u8]) -> io::Result<TemporaryFile> {
        let (temporary, mut file) = TemporaryFile::create(folder)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(temporary)
    }

    /// An empty file with a new name.
    fn create(folder: &Path) -> io::Result<(TemporaryFile, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
            let file = match File::create_new(&path) {
                // Left by a killed process with our process id, or in use on another machine.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                other => other?,
            };
            return Ok((TemporaryFile(path), file));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Fails after a rename, when there is nothing to remove.
        let _ = fs::remove_file(&self.0);
    }
}

fn failed(what: &'static str, path: &Path) -> impl Fn(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::File { what, path: path.clone(), source }
}

/// A name in a directory, and its path.
type Entry = (String, PathBuf);

/// Names and paths in a directory, sorted; none if the directory does not exist.
fn entries(directory: &Path) -> Result<Vec<Entry>, StoreError> {
    let failed = failed("list", directory);
    let listed = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(&failed)?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry.map_err(&failed)?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    entries.sort_unstable();
    Ok(entries)
}

/// Syncs a new name to disk: on Unix, the directory needs a sync of its own.
fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
