//! The target of `runs export --parquet`: a directory or a bucket with Hive partitions,
//! `repository=…/month=YYYY-MM/RUN.parquet`. Each run is one file, which becomes visible as a whole and is never rewritten.
//! `render` makes the files' content.

use super::store::{Bucket, BucketUrl, Key, StoreError, TemporaryFile, sweep};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Maximum number of bytes in a folder's name; a longer one is cut and ends in its hash.
const MAX_FOLDER_NAME_BYTES: usize = 200;

/// The exported runs of one repository.
#[derive(Debug)]
pub struct ExportTarget {
    destination: Destination,
    repository: String,
}

#[derive(Debug)]
enum Destination {
    Directory(PathBuf),
    Bucket(Box<Bucket>),
}

impl ExportTarget {
    /// Opens the part of a directory or bucket (a URL) for a repository. Nothing is created yet.
    pub fn open(target: &str, repository: &str) -> Result<ExportTarget, StoreError> {
        let wrong = |why: &str| StoreError::Target { target: target.to_owned(), why: why.to_owned() };
        let destination = if target.contains("://") {
            let url: BucketUrl = target.parse().map_err(wrong)?;
            Destination::Bucket(Box::new(Bucket::open(&url)?))
        } else if target.is_empty() {
            return Err(wrong("the path is missing"));
        } else {
            Destination::Directory(target.into())
        };
        Ok(ExportTarget { destination, repository: format!("repository={}", partition(repository)) })
    }

    fn folder(&self, key: &Key) -> String {
        format!("{}/month={}/", self.repository, key.month())
    }

    /// The name of a run's file; the same for the thinned form.
    fn name(&self, key: &Key) -> String {
        format!("{}{}.parquet", self.folder(key), key.id())
    }

    /// The runs that have no file yet. For a bucket this takes one listing for each month.
    pub fn missing(&self, keys: &[Key]) -> Result<Vec<Key>, StoreError> {
        let mut missing = keys.to_vec();
        match &self.destination {
            Destination::Directory(root) => missing.retain(|key| !root.join(self.name(key)).exists()),
            Destination::Bucket(bucket) => {
                let folders: BTreeSet<String> = keys.iter().map(|key| self.folder(key)).collect();
                let mut existing = BTreeSet::new();
                for folder in folders {
                    let mut next = None;
                    loop {
                        let page = bucket.page(&folder, None, next)?;
                        existing.extend(page.names);
                        next = page.next;
                        if next.is_none() {
                            break;
                        }
                    }
                }
                missing.retain(|key| !existing.contains(&self.name(key)));
            }
        }
        Ok(missing)
    }

    /// Writes the files of runs. In a bucket, a file that another writer created in the meantime is left unchanged. In
    /// a directory, it is replaced.
    pub fn add(&self, files: &[(Key, Vec<u8>)]) -> Result<(), StoreError> {
        match &self.destination {
            Destination::Directory(root) => {
                let path = |key: &Key| root.join(self.name(key));
                let folders: BTreeSet<PathBuf> =
                    files.iter().filter_map(|(key, _)| path(key).parent().map(Path::to_owned)).collect();
                folders.iter().try_for_each(|folder| sweep(folder))?;
                files.iter().try_for_each(|(key, bytes)| {
                    let path = path(key);
                    put(&path, bytes).map_err(|source| StoreError::File { what: "write", path, source })
                })
            }
            Destination::Bucket(bucket) => {
                let named: Vec<(String, Vec<u8>)> =
                    files.iter().map(|(key, bytes)| (self.name(key), bytes.clone())).collect();
                bucket.create(&named).into_iter().try_for_each(|created| Ok(created.map(drop)?))
            }
        }
    }
}

/// Writes a temporary file, syncs it to disk, and renames it.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let temporary = TemporaryFile::write(folder, bytes)?;
    fs::rename(temporary.path(), path)
}

/// A value as part of a path. Letters, digits, `-`, `_` and `.` are kept; every other byte is percent-encoded, which
/// readers of Hive partitions decode.
fn partition(value: &str) -> String {
    let dots = value.bytes().all(|byte| byte == b'.');
    let mut name = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            b'.' if !dots => name.push('.'),
            byte => name.push_str(&format!("%{byte:02X}")),
        }
    }
    if name.is_empty() {
        return "__HIVE_DEFAULT_PARTITION__".to_owned();
    }
    if name.len() > MAX_FOLDER_NAME_BYTES {
        let fingerprint = super::store::fingerprint(value.as_bytes());
        name.truncate(MAX_FOLDER_NAME_BYTES - fingerprint.len() - 1);
        // Do not cut a percent escape in half.
        if let Some(at) = name.rfind('%').filter(|at| name.len() - at < 3) {
            name.truncate(at);
        }
        name = format!("{name}-{fingerprint}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_repository_name_is_one_folder() {
        assert_eq!(partition("acme/parser-2.0"), "acme%2Fparser-2.0");
        assert_eq!(partition("../../etc"), "..%2F..%2Fetc");
        assert_eq!(partition(".."), "%2E%2E");
        assert_eq!(partition(""), "__HIVE_DEFAULT_PARTITION__");
        assert_eq!(partition("ä=\n\\"), "%C3%A4%3D%0A%5C");
        let (long, other) = ("ü".repeat(300), "ü".repeat(301));
        assert!(partition(&long).len() <= MAX_FOLDER_NAME_BYTES && partition(&long) != partition(&other));
        assert!(!partition(&long).contains("%C-") && !partition(&long).contains("%-"));
    }
}
