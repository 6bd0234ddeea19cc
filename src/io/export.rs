//! Exported runs in a directory or a bucket, in partitions as Hive names them:
//! `repository=…/month=YYYY-MM/RUN.parquet`. One file a run, seen as a whole or not at all; what is there is never written
//! again. What is in a file is for `render`.

use super::store::{Bucket, BucketUrl, Key, StoreError, Unfinished};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The longest name of a folder; a longer one ends in its fingerprint instead.
const LONGEST: usize = 200;

/// The exported runs of one repository.
#[derive(Debug)]
pub struct ExportTarget {
    place: Place,
    repository: String,
}

#[derive(Debug)]
enum Place {
    Directory(PathBuf),
    Bucket(Box<Bucket>),
}

impl ExportTarget {
    /// The part of a directory, or of a bucket by its address, that is for a repository. Nothing is made yet.
    pub fn open(target: &str, repository: &str) -> Result<ExportTarget, StoreError> {
        let wrong = |why: &str| StoreError::Target { target: target.to_owned(), why: why.to_owned() };
        let place = if target.contains("://") {
            let url: BucketUrl = target.parse().map_err(wrong)?;
            Place::Bucket(Box::new(Bucket::open(&url)?))
        } else if target.is_empty() {
            return Err(wrong("the path is missing"));
        } else {
            Place::Directory(target.into())
        };
        Ok(ExportTarget { place, repository: format!("repository={}", partition(repository)) })
    }

    fn folder(&self, key: &Key) -> String {
        format!("{}/month={}/", self.repository, key.month())
    }

    /// The name of a run's file. The thinned form of a run has that of the whole one.
    fn name(&self, key: &Key) -> String {
        format!("{}{}.parquet", self.folder(key), key.id())
    }

    /// Those of some runs that have no file yet. In a bucket one listing for each month tells.
    pub fn missing(&self, keys: &[Key]) -> Result<Vec<Key>, StoreError> {
        let mut missing = keys.to_vec();
        match &self.place {
            Place::Directory(root) => missing.retain(|key| !root.join(self.name(key)).exists()),
            Place::Bucket(bucket) => {
                let folders: BTreeSet<String> = keys.iter().map(|key| self.folder(key)).collect();
                let mut there = BTreeSet::new();
                for folder in folders {
                    let mut next = None;
                    loop {
                        let page = bucket.page(&folder, None, next)?;
                        there.extend(page.names);
                        next = page.next;
                        if next.is_none() {
                            break;
                        }
                    }
                }
                missing.retain(|key| !there.contains(&self.name(key)));
            }
        }
        Ok(missing)
    }

    /// Writes the files of some runs; one that another writer was faster with stays as it is.
    pub fn add(&self, files: &[(Key, Vec<u8>)]) -> Result<(), StoreError> {
        match &self.place {
            Place::Directory(root) => files.iter().try_for_each(|(key, bytes)| {
                let path = root.join(self.name(key));
                put(&path, bytes).map_err(|source| StoreError::File { what: "write", path, source })
            }),
            Place::Bucket(bucket) => {
                let named: Vec<(String, Vec<u8>)> =
                    files.iter().map(|(key, bytes)| (self.name(key), bytes.clone())).collect();
                bucket.create(&named).into_iter().try_for_each(|created| Ok(created.map(drop)?))
            }
        }
    }
}

/// Writes a file beside its place, brings it to disk, and renames it.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)?;
    let (unfinished, mut file) = Unfinished::create(folder)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished.path(), path)
}

/// A value as part of a path: letters, digits, `-`, `_` and `.` stand for themselves, every other byte for its number
/// behind a percent sign, as readers of such partitions undo it.
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
    if name.len() > LONGEST {
        let fingerprint = super::store::fingerprint(value.as_bytes());
        name.truncate(LONGEST - fingerprint.len() - 1);
        // Half an escape is none.
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
    fn a_repository_is_one_folder_whatever_it_is_called() {
        assert_eq!(partition("acme/parser-2.0"), "acme%2Fparser-2.0");
        assert_eq!(partition("../../etc"), "..%2F..%2Fetc");
        assert_eq!(partition(".."), "%2E%2E");
        assert_eq!(partition(""), "__HIVE_DEFAULT_PARTITION__");
        assert_eq!(partition("ä=\n\\"), "%C3%A4%3D%0A%5C");
        let (long, other) = ("ü".repeat(300), "ü".repeat(301));
        assert!(partition(&long).len() <= LONGEST && partition(&long) != partition(&other));
        assert!(!partition(&long).contains("%C-") && !partition(&long).contains("%-"));
    }
}
