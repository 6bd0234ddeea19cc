//! The file that carries the results of a fork's pull request to the workflow that may comment: data alone. A line that
//! says what it is, a line of JSON with three commits and the lengths of the records, then the stored records.
//!
//! Whoever reads it must take it for a stranger's: nothing in it becomes a path, a template or a command, and the commit
//! it speaks for is held against the one that GitHub names.

use crate::model::record::{self, RecordError};
use crate::model::{Commit, Detail, Run};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The file's name wherever perfgate writes or reads it.
pub const FILE_NAME: &str = "perfgate-results.bin";
/// The largest file that is written or read.
pub const LARGEST: u64 = 10 << 20;

const MARK: &[u8] = b"perfgate-results\n";
const VERSION: u32 = 1;
/// The longest line of JSON; more runs than fit on it are nobody's benchmarks.
const LONGEST_HEADER: usize = 64 << 10;

/// What a fork's job measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The newest commit of the pull request.
    pub head: Commit,
    /// What was checked out: that commit, or GitHub's trial merge of it.
    pub measured: Commit,
    /// The commit of the base branch that it was compared with.
    pub base: Commit,
    /// The results.
    pub runs: Vec<Run>,
    /// The base's, where both sides were measured there.
    pub base_runs: Vec<Run>,
    /// Those of the suspects, base and head, where they were measured again.
    pub again: [Vec<Run>; 2],
}

/// Why there is no parcel. Each message names the file.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    /// The file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Too much.
    #[error("{}: the results of a fork are at most {} MB, and these are more; fewer samples or benchmarks make them smaller", path.display(), LARGEST >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Something else.
    #[error("{}: was not written by perfgate for a fork's pull request ({why})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Written by another perfgate.
    #[error("{}: has version {version}, and this perfgate reads version {VERSION}; use one version of the action in both workflows", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The results themselves.
    #[error("{}: {error}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with them.
        error: RecordError,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    head: String,
    measured: String,
    base: String,
    /// The lengths of the records: of head, of base, of base again, of head again.
    records: [Vec<usize>; 4],
}

impl Parcel {
    /// Writes the file.
    pub fn write(&self, path: &Path) -> Result<(), ParcelError> {
        let all = |runs: &[Run]| runs.iter().map(record::encode).collect::<Result<Vec<Vec<u8>>, RecordError>>();
        let groups = [&self.runs, &self.base_runs, &self.again[0], &self.again[1]];
        let mut records = [const { Vec::new() }; 4];
        for (records, runs) in records.iter_mut().zip(groups) {
            *records = all(runs).map_err(|error| ParcelError::Record { path: path.to_owned(), error })?;
        }
        let header = Header {
            version: VERSION,
            head: self.head.to_string(),
            measured: self.measured.to_string(),
            base: self.base.to_string(),
            records: records.each_ref().map(|records| records.iter().map(Vec::len).collect()),
        };
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let bytes = [MARK, &header, b"\n", &records.concat().concat()].concat();
        if bytes.len() as u64 > LARGEST || header.len() > LONGEST_HEADER {
            return Err(ParcelError::TooLarge { path: path.to_owned() });
        }
        std::fs::write(path, bytes).map_err(|error| ParcelError::File { path: path.to_owned(), error })
    }

    /// Reads the file, whoever wrote it.
    pub fn read(path: &Path) -> Result<Parcel, ParcelError> {
        let unreadable = |error| ParcelError::File { path: path.to_owned(), error };
        let foreign = |why: &str| ParcelError::Foreign { path: path.to_owned(), why: why.to_owned() };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(ParcelError::TooLarge { path: path.to_owned() });
        }
        let rest = bytes.strip_prefix(MARK).ok_or_else(|| foreign("it does not begin with the mark"))?;
        let end = rest.iter().take(LONGEST_HEADER + 1).position(|byte| *byte == b'\n');
        let (header, mut rest) = rest.split_at(end.ok_or_else(|| foreign("its header has no end"))?);
        rest = rest.get(1..).unwrap_or_default();
        let version: Version = serde_json::from_slice(header).map_err(|_| foreign("its header is damaged"))?;
        if version.version != VERSION {
            return Err(ParcelError::Version { path: path.to_owned(), version: version.version });
        }
        let header: Header = serde_json::from_slice(header).map_err(|_| foreign("its header is damaged"))?;
        let commit = |id: &str| Commit::parse(id).ok_or_else(|| foreign("what should be a commit is none"));
        let mut groups = [const { Vec::new() }; 4];
        for (runs, lengths) in groups.iter_mut().zip(&header.records) {
            for length in lengths {
                if *length > rest.len() {
                    return Err(foreign("it is cut off"));
                }
                let (bytes, more) = rest.split_at(*length);
                rest = more;
                let run = record::decode(bytes, Detail::Samples);
                runs.push(run.map_err(|error| ParcelError::Record { path: path.to_owned(), error })?);
            }
        }
        let [runs, base_runs, base_again, head_again] = groups;
        let again = [base_again, head_again];
        if !rest.is_empty() || runs.is_empty() {
            return Err(foreign(if runs.is_empty() {
                "it holds no results"
            } else {
                "it has more than its header says"
            }));
        }
        let [head, measured, base] = [&header.head, &header.measured, &header.base].map(|id| commit(id));
        Ok(Parcel { head: head?, measured: measured?, base: base?, runs, base_runs, again })
    }
}

/// The one field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Evidence, Measurement, Metric, Unit};

    fn parcel() -> Parcel {
        let commit = |digit: &str| Commit::parse(&digit.repeat(40)).unwrap();
        let time = Metric::measured("time", Unit::Nanosecond, Direction::Lower);
        let measurement = Measurement::new("criterion", "$(id)\n::error::x", time, Evidence::Value(5.0));
        let run = Run { measurements: vec![measurement], commit: Some(commit("2")), ..Run::default() };
        let (head, measured, base) = (commit("1"), commit("2"), commit("3"));
        Parcel { head, measured, base, runs: vec![run.clone()], base_runs: Vec::new(), again: [vec![], vec![run]] }
    }

    fn written(bytes: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Parcel, ParcelError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        parcel().write(&path).unwrap();
        let changed = bytes(std::fs::read(&path).unwrap());
        std::fs::write(&path, changed).unwrap();
        Parcel::read(&path)
    }

    #[test]
    fn a_parcel_comes_back_as_it_was_written() {
        let back = written(|bytes| bytes).unwrap();
        assert_eq!((&back.head, &back.measured, &back.base), (&parcel().head, &parcel().measured, &parcel().base));
        assert_eq!((back.runs.len(), back.base_runs.len(), back.again.each_ref().map(Vec::len)), (1, 0, [0, 1]));
        assert_eq!(back.runs[0].measurements[0].benchmark.as_str(), "$(id)\n::error::x");
    }

    #[test]
    fn what_is_not_ours_damaged_huge_or_of_another_version_is_refused_by_name() {
        let why = |change: fn(Vec<u8>) -> Vec<u8>| written(change).unwrap_err().to_string();
        fn swap(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        }
        assert!(why(|_| b"#!/bin/sh\n".to_vec()).contains("was not written by perfgate"));
        assert!(why(|_| Vec::new()).contains("was not written by perfgate"));
        assert!(why(|bytes| swap(bytes, "\"version\":1", "\"version\":2")).contains("has version 2"));
        assert!(why(|bytes| swap(bytes, &"1".repeat(40), &"Z".repeat(40))).contains("what should be a commit"));
        assert!(why(|bytes| bytes[..bytes.len() - 1].to_vec()).contains("it is cut off"));
        assert!(why(|bytes| [bytes, vec![0]].concat()).contains("more than its header says"));
        assert!(why(|bytes| [bytes, vec![0; LARGEST as usize]].concat()).contains("at most 10 MB"));
        assert!(why(|bytes| swap(bytes, "pgrun\n", "pgrux\n")).contains("not a stored run"));
        let empty = |bytes: Vec<u8>| {
            let end = bytes.windows(2).position(|window| window == b"}\n").unwrap();
            let header = String::from_utf8(bytes[..end + 2].to_vec()).unwrap();
            let at = header.find("\"records\":[").unwrap();
            format!("{}\"records\":[[],[],[],[]]}}\n", &header[..at]).into_bytes()
        };
        assert!(why(empty).contains("holds no results"));
    }
}
