//! A directory of exported runs, in partitions as Hive names them: `repository=…/month=YYYY-MM/RUN.parquet`. One file a
//! run, written beside its place and renamed, so that a query never sees half of one; what is there is never written
//! again. What is in a file is for `render`.

use super::store::{Key, Unfinished};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// The longest name of a folder; a longer one ends in its fingerprint instead.
const LONGEST: usize = 200;

/// A directory of exported runs of one repository.
#[derive(Debug)]
pub struct Lake {
    repository: PathBuf,
}

impl Lake {
    /// The part of a directory that is for a repository. Nothing is made yet.
    pub fn new(root: &Path, repository: &str) -> Lake {
        Lake { repository: root.join(format!("repository={}", partition(repository))) }
    }

    /// Where a run's file is, or would be. The thinned form of a run has the name of the whole one.
    pub fn place(&self, key: &Key) -> PathBuf {
        self.repository.join(format!("month={}", key.month())).join(format!("{}.parquet", key.id()))
    }

    /// Writes a run's file, unless it is there.
    pub fn add<E: From<io::Error>>(
        &self,
        key: &Key,
        write: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = self.place(key);
        let folder = place.parent().unwrap_or(&self.repository);
        fs::create_dir_all(folder)?;
        let (unfinished, file) = Unfinished::create(folder)?;
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(unfinished.path(), place)?;
        Ok(())
    }
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
