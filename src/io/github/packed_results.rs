//! The file with the results of a job that runs code under test, for the job that may record and comment: a magic line,
//! a line of JSON, then the records. The JSON has the commits, the config, the explanations and the lengths of the
//! records.
//!
//! The file is untrusted: nothing in it becomes a path, a template or a command, and its commit is compared with the one
//! in GitHub's event.

use crate::io::regular;
use crate::model::number_text::thousands;
use crate::model::record::{self, RecordError};
use crate::model::{Commit, Detail, Run};
use crate::profile::Explanation;
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Name of the file.
pub const FILE_NAME: &str = "perfgate-results.bin";
/// Largest file to write or read.
pub const MAX_FILE_BYTES: u64 = 10 << 20;

/// Maximum number of records, and of bytes that they unpack to together. A file of 10 MB with the noise of real samples stays far
/// below; without this limit, 28 kB of equal samples took 1.5 GB of memory.
const MAX_RECORDS: usize = 256;
const LARGEST_UNPACKED: usize = 64 << 20;

const MAGIC: &[u8] = b"perfgate-results\n";
const VERSION: u32 = 1;
/// Longest config that is handed over, in bytes.
const LONGEST_CONFIG: usize = 16 << 10;
/// Maximum numbers of explanations, of functions in each, and of bytes of JSON in all.
const MAX_EXPLANATIONS: usize = 5;
const MAX_FUNCTIONS: usize = 20;
const LONGEST_EXPLANATIONS: usize = 32 << 10;
/// Longest line of JSON, in bytes; enough for thousands of runs.
const LONGEST_HEADER: usize = 64 << 10;

/// The results of another job.
#[derive(Debug, Clone, PartialEq)]
pub struct PackedResults {
    /// Newest commit of the pull request or branch.
    pub head: Commit,
    /// Commit that was checked out: the newest one, or GitHub's test merge of it.
    pub measured: Commit,
    /// Commit of the base branch to compare with.
    pub base: Commit,
    /// Runs of head.
    pub runs: Vec<Run>,
    /// Runs of base, if the job measured both sides.
    pub base_runs: Vec<Run>,
    /// Re-measured runs of the suspects: base and head.
    pub again: [Vec<Run>; 2],
    /// Number of the pull request. It is only used to choose between several pull requests of one commit.
    pub pull: Option<u64>,
    /// The config of that job, only to report which rules it would change. It is never applied.
    pub config: Option<String>,
    /// Which functions caused the largest regressions.
    pub explanations: Vec<Explanation>,
    /// True for counts of instructions, which have a threshold of their own.
    pub are_counts: bool,
}

/// Why the file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PackedResultsError {
    /// The file could not be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// The file is too large.
    #[error("{}: the results of a job may have at most {} MB; use fewer samples or benchmarks", path.display(), MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The records unpack to too much.
    #[error(
        "{}: the results of a job may have at most {MAX_RECORDS} runs that unpack to {} MiB together; use fewer rounds, samples or benchmarks",
        path.display(), LARGEST_UNPACKED >> 20
    )]
    TooMuch {
        /// The file.
        path: PathBuf,
    },
    /// The file is something else.
    #[error("{}: was not written by perfgate for another job ({why})", path.display())]
    NotPackedResults {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file has another version.
    #[error("{}: has version {version}, but this perfgate reads version {VERSION}; use the same version of the action in both jobs", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A record is invalid.
    #[error("{}: {error}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: RecordError,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    head: String,
    measured: String,
    base: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pull: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    explanations: Vec<Explanation>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    are_counts: bool,
    /// Lengths of the records: head, base, re-measured base, re-measured head.
    records: [Vec<usize>; 4],
}

impl PackedResults {
    /// Writes the file. Returns the benchmarks whose explanations are left out because they are too long.
    pub fn write(&self, path: &Path) -> Result<Vec<String>, PackedResultsError> {
        let all = |runs: &[Run]| runs.iter().map(record::encode).collect::<Result<Vec<Vec<u8>>, RecordError>>();
        let groups = [&self.runs, &self.base_runs, &self.again[0], &self.again[1]];
        let mut records = [const { Vec::new() }; 4];
        for (records, runs) in records.iter_mut().zip(groups) {
            *records = all(runs).map_err(|error| PackedResultsError::Record { path: path.to_owned(), error })?;
        }
        let all: Vec<&[u8]> = records.iter().flatten().map(Vec::as_slice).collect();
        refuse_too_much(&all, path)?;
        let (explanations, left_out) = that_fit(&self.explanations);
        let header = Header {
            version: VERSION,
            head: self.head.to_string(),
            measured: self.measured.to_string(),
            base: self.base.to_string(),
            pull: self.pull,
            config: self.config.clone().filter(|text| text.len() <= LONGEST_CONFIG),
            explanations,
            are_counts: self.are_counts,
            records: records.each_ref().map(|records| records.iter().map(Vec::len).collect()),
        };
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let bytes = [MAGIC, &header, b"\n", &records.concat().concat()].concat();
        if bytes.len() as u64 > MAX_FILE_BYTES || header.len() > LONGEST_HEADER {
            return Err(PackedResultsError::TooLarge { path: path.to_owned() });
        }
        std::fs::write(path, bytes).map_err(|error| PackedResultsError::File { path: path.to_owned(), error })?;
        Ok(left_out)
    }

    /// Reads the file, which is untrusted.
    pub fn read(path: &Path) -> Result<PackedResults, PackedResultsError> {
        let unreadable = |error| PackedResultsError::File { path: path.to_owned(), error };
        let mut bytes = Vec::new();
        let file = regular::open(path).map_err(unreadable)?;
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(PackedResultsError::TooLarge { path: path.to_owned() });
        }
        PackedResults::parse(&bytes, path)
    }

    /// Reads the content of the file; `path` is for messages.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<PackedResults, PackedResultsError> {
        let foreign = |why: &str| PackedResultsError::NotPackedResults { path: path.to_owned(), why: why.to_owned() };
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| foreign("it does not start with the magic line"))?;
        let end = rest.iter().take(LONGEST_HEADER + 1).position(|byte| *byte == b'\n');
        let (header, mut rest) = rest.split_at(end.ok_or_else(|| foreign("its header is not terminated"))?);
        rest = rest.get(1..).unwrap_or_default();
        let version: Version = serde_json::from_slice(header).map_err(|_| foreign("its header is damaged"))?;
        if version.version != VERSION {
            return Err(PackedResultsError::Version { path: path.to_owned(), version: version.version });
        }
        let header: Header = serde_json::from_slice(header).map_err(|_| foreign("its header is damaged"))?;
        let commit = |id: &str| Commit::parse(id).ok_or_else(|| foreign("a commit id is invalid"));
        let mut parts = Vec::new();
        for length in header.records.iter().flatten() {
            let (bytes, more) = rest.split_at_checked(*length).ok_or_else(|| foreign("it is truncated"))?;
            rest = more;
            parts.push(bytes);
        }
        refuse_too_much(&parts, path)?;
        let mut parts = parts.into_iter();
        let mut groups = [const { Vec::new() }; 4];
        for (runs, lengths) in groups.iter_mut().zip(&header.records) {
            for bytes in parts.by_ref().take(lengths.len()) {
                let run = record::decode(bytes, Detail::Samples);
                runs.push(run.map_err(|error| PackedResultsError::Record { path: path.to_owned(), error })?);
            }
        }
        let [runs, base_runs, base_again, head_again] = groups;
        let again = [base_again, head_again];
        if !rest.is_empty() || runs.is_empty() {
            return Err(foreign(if runs.is_empty() {
                "it contains no results"
            } else {
                "it is longer than its header states"
            }));
        }
        let [head, measured, base] = [&header.head, &header.measured, &header.base].map(|id| commit(id));
        Ok(PackedResults {
            head: head?,
            measured: measured?,
            base: base?,
            runs,
            base_runs,
            again,
            pull: header.pull,
            config: header.config,
            explanations: header.explanations.into_iter().take(MAX_EXPLANATIONS).collect(),
            are_counts: header.are_counts,
        })
    }
}

/// The first explanations that there is room for, with their first functions, and the benchmarks of the others. Flame graphs are
/// left out: one takes most of the room.
fn that_fit(explanations: &[Explanation]) -> (Vec<Explanation>, Vec<String>) {
    let mut room = LONGEST_EXPLANATIONS;
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for explanation in explanations {
        let mut explanation = explanation.clone();
        explanation.growth.flame = None;
        explanation.growth.functions.truncate(MAX_FUNCTIONS);
        let changed = explanation.changed.len();
        if changed > MAX_FUNCTIONS {
            explanation.changed.truncate(MAX_FUNCTIONS);
            // The sentence of the explanation counts those that are left.
            let changed = thousands(changed);
            let note = format!("the diff changes {changed} functions that ran; only {MAX_FUNCTIONS} of them are kept");
            explanation.notes.push(note);
        }
        let length = serde_json::to_vec(&explanation).unwrap_or_default().len();
        match room.checked_sub(length).filter(|_| kept.len() < MAX_EXPLANATIONS) {
            Some(left) => {
                room = left;
                kept.push(explanation);
            }
            None => {
                left_out.push(explanation.benchmark.unwrap_or_else(|| "all benchmarks".to_owned()));
            }
        }
    }
    (kept, left_out)
}

/// Refuses records before any of them is unpacked. The sizes in their headers can be trusted: unpacking checks them.
fn refuse_too_much(records: &[&[u8]], path: &Path) -> Result<(), PackedResultsError> {
    let size = |bytes: &&[u8]| record::unpacked_size(bytes);
    let sizes = records.iter().map(size).collect::<Result<Vec<usize>, RecordError>>();
    let sizes = sizes.map_err(|error| PackedResultsError::Record { path: path.to_owned(), error })?;
    let total = sizes.into_iter().fold(0_usize, usize::saturating_add);
    if records.len() > MAX_RECORDS || total > LARGEST_UNPACKED {
        return Err(PackedResultsError::TooMuch { path: path.to_owned() });
    }
    Ok(())
}

/// The field that every version has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Evidence, Measurement, Metric, Unit};

    fn results() -> PackedResults {
        let commit = |digit: &str| Commit::parse(&digit.repeat(40)).unwrap();
        let time = Metric::measured("time", Unit::Nanosecond, Direction::Lower);
        let measurement = Measurement::new("criterion", "$(id)\n::error::x", time, Evidence::Value(5.0));
        let run = Run { measurements: vec![measurement], commit: Some(commit("2")), ..Run::default() };
        let (head, measured, base) = (commit("1"), commit("2"), commit("3"));
        let again = [vec![], vec![run.clone()]];
        PackedResults {
            head,
            measured,
            base,
            runs: vec![run],
            base_runs: Vec::new(),
            again,
            pull: Some(7),
            config: None,
            explanations: Vec::new(),
            are_counts: false,
        }
    }

    fn read_changed(bytes: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<PackedResults, PackedResultsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        results().write(&path).unwrap();
        let changed = bytes(std::fs::read(&path).unwrap());
        std::fs::write(&path, changed).unwrap();
        PackedResults::read(&path)
    }

    #[test]
    fn written_results_are_read_back_unchanged() {
        let back = read_changed(|bytes| bytes).unwrap();
        assert_eq!((&back.head, &back.measured, &back.base), (&results().head, &results().measured, &results().base));
        assert_eq!((back.runs.len(), back.base_runs.len(), back.again.each_ref().map(Vec::len)), (1, 0, [0, 1]));
        assert_eq!(back.runs[0].measurements[0].benchmark.as_str(), "$(id)\n::error::x");
    }

    #[test]
    fn explanations_are_handed_over_as_far_as_there_is_room() {
        let explanation = |functions: usize, name: &str| -> Explanation {
            let function = serde_json::json!({"name": name, "file": null, "line": null, "base": 1.0, "head": 2.0,
                "own": {"base": 1.0, "head": 2.0}, "share": 0.1, "status": "new", "in_diff": null});
            let side = serde_json::json!({"label": "", "value": 1.0});
            serde_json::from_value(serde_json::json!({"benchmark": "a", "metric": "time", "base": side, "head": side,
                "functions": vec![function; functions]}))
            .unwrap()
        };
        let handed_over = |explanations: Vec<Explanation>| {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(FILE_NAME);
            let left_out = PackedResults { explanations, ..results() }.write(&path).unwrap();
            (PackedResults::read(&path).unwrap().explanations, left_out)
        };
        assert_eq!(handed_over(vec![explanation(3, "f")]), (vec![explanation(3, "f")], vec![]));
        let (many, left_out) = handed_over(vec![explanation(1000, "f"); 9]);
        assert_eq!((many.len(), many[0].growth.functions.len(), left_out.len()), (5, 20, 4));
        let mut long = explanation(20, &"long".repeat(1000));
        long.benchmark = Some("b".to_owned());
        assert_eq!(handed_over(vec![long.clone()]), (vec![], vec!["b".to_owned()]));
        assert_eq!(handed_over(vec![long, explanation(3, "f")]), (vec![explanation(3, "f")], vec!["b".to_owned()]));
        let frames = (0..600).map(|depth| serde_json::json!([depth, "a function with a long name", 1.0, 2.0]));
        let flame = serde_json::json!({"estimated": false, "frames": frames.collect::<Vec<_>>()});
        let mut large = explanation(3, "f");
        large.growth.flame = serde_json::from_value(flame).unwrap();
        large.changed = vec!["g".repeat(100); 1000];
        let [first, second] = &handed_over(vec![large.clone(), large]).0[..] else { panic!("one is missing") };
        assert_eq!((first, first.changed.len(), &first.growth.flame), (second, 20, &None));
        assert!(first.notes[0].starts_with("the diff changes 1,000 functions that ran"), "{:?}", first.notes);
    }

    #[test]
    fn records_that_unpack_to_too_much_are_refused_before_they_are_unpacked() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        let many = PackedResults { runs: vec![results().runs[0].clone(); MAX_RECORDS + 1], ..results() };
        assert!(many.write(&path).unwrap_err().to_string().contains("at most 256 runs that unpack to 64 MiB"));
        // A record whose header states 100 MiB of samples.
        let mut record = record::encode(&results().runs[0]).unwrap();
        let at = record::HEADER - 4;
        record[at..at + 4].copy_from_slice(&(100_u32 << 20).to_le_bytes());
        let header = format!(
            r#"{{"version":1,"head":"{0}","measured":"{0}","base":"{0}","records":[[{1}],[],[],[]]}}"#,
            "1".repeat(40),
            record.len()
        );
        std::fs::write(&path, [MAGIC, header.as_bytes(), b"\n", &record].concat()).unwrap();
        assert!(matches!(PackedResults::read(&path), Err(PackedResultsError::TooMuch { .. })));
    }

    #[test]
    fn foreign_damaged_huge_and_newer_files_are_refused() {
        let why = |change: fn(Vec<u8>) -> Vec<u8>| read_changed(change).unwrap_err().to_string();
        fn swap(bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        }
        assert!(why(|_| b"#!/bin/sh\n".to_vec()).contains("was not written by perfgate"));
        assert!(why(|_| Vec::new()).contains("was not written by perfgate"));
        assert!(why(|bytes| swap(bytes, "\"version\":1", "\"version\":2")).contains("has version 2"));
        assert!(why(|bytes| swap(bytes, &"1".repeat(40), &"Z".repeat(40))).contains("a commit id is invalid"));
        assert!(why(|bytes| bytes[..bytes.len() - 1].to_vec()).contains("it is truncated"));
        assert!(why(|bytes| [bytes, vec![0]].concat()).contains("longer than its header states"));
        assert!(why(|bytes| [bytes, vec![0; MAX_FILE_BYTES as usize]].concat()).contains("at most 10 MB"));
        assert!(why(|bytes| swap(bytes, "pgrun\n", "pgrux\n")).contains("not a stored run"));
        let empty = |bytes: Vec<u8>| {
            let end = bytes.windows(2).position(|window| window == b"}\n").unwrap();
            let header = String::from_utf8(bytes[..end + 2].to_vec()).unwrap();
            let at = header.find("\"records\":[").unwrap();
            format!("{}\"records\":[[],[],[],[]]}}\n", &header[..at]).into_bytes()
        };
        assert!(why(empty).contains("contains no results"));
    }
}
