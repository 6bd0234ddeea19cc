//! Runs that other tools kept: `data.js` of github-action-benchmark, and directories of result files such as `.asv/results`
//! or `.benchmarks`. Each run keeps its own commit, date and machine.

use super::builder::Gate;
use super::error::Error;
use super::stated::set_key_of_asv;
use crate::formats::json::without_nan;
use crate::formats::{self, HistoryRun, Source, stated_time};
use crate::io::files;
use crate::io::input::{self, InputError, LoadedResults, Location, Request};
use crate::io::regular;
use crate::io::repository::Repository;
use crate::model::{Commit, Detail, Diagnostic, Environment, Run};
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the commit of a result file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitSource {
    /// The file states it.
    File,
    /// The file's name contains its id, or is a tag or branch.
    Name,
    /// The newest commit that changed the file.
    Git,
}

/// Runs that another tool kept.
#[derive(Debug, Default)]
pub(crate) struct ImportedRuns {
    /// The runs, to be stored.
    pub runs: Vec<Run>,
    /// The runs as an import with `--commit-from file` would have stored them: without a commit, where the file does
    /// not state one.
    pub former: Vec<Run>,
    /// Runs of commits that the repository does not have.
    pub unknown_commits: usize,
    /// Runs without a commit.
    pub without_commit: usize,
    /// Runs of an unknown machine.
    pub unknown_machines: usize,
    /// Files without results.
    pub other_files: usize,
    /// Files in which every benchmark failed, or whose results cannot be read.
    pub unreadable_files: usize,
    /// Warnings and notes, each once.
    pub diagnostics: Vec<Diagnostic>,
    messages: HashSet<String>,
    /// The times of commits; `None` for those that the repository does not have.
    times: HashMap<Commit, Option<i64>>,
}

/// One run, before its commit is looked up.
struct FoundRun {
    loaded: LoadedResults,
    commit: Option<Commit>,
    time: Option<i64>,
}

impl Gate {
    /// Reads a history: a file, `REVISION:PATH` of the repository, or a directory of result files.
    pub(crate) fn read_history(
        &self,
        word: &str,
        from: CommitSource,
        format: Option<&str>,
    ) -> Result<ImportedRuns, Error> {
        let repository =
            Repository::discover(&self.directory).map_err(|source| Error::NoCommit { source: Some(source) })?;
        let path = self.directory.join(word);
        let mut imported = ImportedRuns::default();
        let found = if path.is_dir() && criterion_baselines::is_tree(&path) {
            criterion_baselines::read(&path, &repository)?
        } else if path.is_dir() {
            self.read_result_files(&repository, &path, from, format, &mut imported)?
        } else {
            let bytes = if path.exists() {
                regular::read(&path).map_err(|error| InputError::Refused { place: word.to_owned(), error })?
            } else if word.contains(':') {
                repository.file_at(word)?
            } else {
                return Err(Error::NoSuchPath { word: word.to_owned(), source: None });
            };
            let source = Source { name: word, bytes: &bytes };
            match formats::history_runs(source).map_err(|problem| InputError::Unreadable(vec![problem]))? {
                Some(runs) => runs.into_iter().map(|run| of_history(&repository, run)).collect(),
                None => {
                    let request = Request { format, detail: Detail::Samples, committed: None };
                    let loaded = input::read(word, &bytes, request)?;
                    let loaded = loaded.ok_or_else(|| InputError::UnknownContent(word.to_owned(), None))?.measured()?;
                    let path = PathBuf::from(word);
                    let commits = FileCommits::of(&repository, from, std::slice::from_ref(&path))?;
                    vec![of_file(&commits, loaded, &path, &bytes)]
                }
            }
        };
        for one in found {
            imported.add(one, &repository, from != CommitSource::File);
        }
        if imported.runs.is_empty() {
            let hint = "it has no results of a known format; run `perfgate formats` for a list".to_owned();
            return Err(InputError::Nothing { place: word.to_owned(), hint }.into());
        }
        Ok(imported)
    }

    fn read_result_files(
        &self,
        repository: &Repository,
        root: &Path,
        from: CommitSource,
        format: Option<&str>,
        imported: &mut ImportedRuns,
    ) -> Result<Vec<FoundRun>, Error> {
        let refused = |place: &Path, error| InputError::Refused { place: place.display().to_string(), error };
        let paths = files::files_below(root, MAX_FILES).map_err(|error| refused(root, error))?;
        let request = Request { format, detail: Detail::Samples, committed: None };
        let read = |path: &PathBuf| -> Result<Option<(LoadedResults, Vec<u8>)>, InputError> {
            let bytes = regular::read(path).map_err(|error| refused(path, error))?;
            let loaded = input::load(&Location::File(path.clone()), request)?.measured()?;
            Ok(Some((loaded, bytes)))
        };
        let parts: Vec<_> = paths.par_iter().map(read).collect();
        let commits = FileCommits::of(repository, from, &paths)?;
        let mut found = Vec::new();
        for (path, part) in paths.iter().zip(parts) {
            match part {
                Ok(Some((loaded, bytes))) => found.push(of_file(&commits, loaded, path, &bytes)),
                Ok(None) | Err(InputError::UnknownContent(..) | InputError::Nothing { .. }) => {
                    imported.other_files += 1
                }
                Err(error) => {
                    imported.unreadable_files += 1;
                    if imported.unreadable_files <= LISTED_FILES {
                        let message = format!("{error}; left out");
                        imported.report(Diagnostic::warning("unreadable", "", message));
                    }
                }
            }
        }
        Ok(found)
    }
}

impl ImportedRuns {
    /// Adds a warning or note, unless there is one with the same message.
    fn report(&mut self, diagnostic: Diagnostic) {
        if self.messages.insert(diagnostic.message.clone()) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Adds a run. `from_elsewhere`: its commit is not the one that its file states.
    fn add(&mut self, found: FoundRun, repository: &Repository, from_elsewhere: bool) {
        let FoundRun { loaded: LoadedResults { mut run, diagnostics, .. }, commit, time } = found;
        diagnostics.into_iter().for_each(|one| self.report(one));
        let committed = commit
            .as_ref()
            .and_then(|commit| *self.times.entry(commit.clone()).or_insert_with(|| repository.time(commit).ok()));
        self.unknown_commits += usize::from(commit.is_some() && committed.is_none());
        self.without_commit += usize::from(commit.is_none());
        run.time = committed.or(time).unwrap_or_default();
        run.commit = commit;
        if run.environment.get(Environment::CPU).is_none() {
            run.environment.set(Environment::CPU, Environment::UNKNOWN);
            self.unknown_machines += 1;
        }
        set_key_of_asv(&mut run.environment);
        if from_elsewhere && run.commit.is_some() {
            self.former.push(Run { commit: None, time: time.unwrap_or_default(), ..run.clone() });
        }
        self.runs.push(run);
    }
}

/// The baselines that criterion saved under the name of a revision (`cargo bench -- --save-baseline v1.2`).
mod criterion_baselines {
    use super::{Detail, FoundRun, InputError, Location, Path, Repository, Request, input};
    pub use crate::io::input::is_criterion_tree as is_tree;

    pub fn read(tree: &Path, repository: &Repository) -> Result<Vec<FoundRun>, InputError> {
        let request = Request { format: None, detail: Detail::Samples, committed: None };
        let of = |baseline: String| {
            let commit = repository.resolve(&baseline).ok();
            let location = Location::Directory { path: tree.to_owned(), baseline };
            Ok(FoundRun { loaded: input::load(&location, request)?.measured()?, commit, time: None })
        };
        input::saved_baselines(tree).into_iter().map(of).collect()
    }
}

fn of_history(repository: &Repository, run: HistoryRun) -> FoundRun {
    let HistoryRun { time, reading } = run;
    let loaded = input::of_reading(reading);
    FoundRun { commit: stated_commit(repository, &loaded), loaded, time }
}

/// The commit that results state. The beginning of an id counts if the repository has the commit.
fn stated_commit(repository: &Repository, loaded: &LoadedResults) -> Option<Commit> {
    let resolved = || repository.resolve(loaded.run.commit_prefix.as_ref()?.as_str()).ok();
    loaded.run.commit.clone().or_else(resolved)
}

/// The commits of result files.
struct FileCommits<'a> {
    repository: &'a Repository,
    from: CommitSource,
    /// The newest commits that changed the files, if `from` is git.
    last_changes: HashMap<PathBuf, Commit>,
}

impl FileCommits<'_> {
    fn of<'a>(repository: &'a Repository, from: CommitSource, paths: &[PathBuf]) -> Result<FileCommits<'a>, Error> {
        let root = repository.root().filter(|_| from == CommitSource::Git);
        let Some(root) = root.and_then(|root| dunce::canonicalize(root).ok()) else {
            return Ok(FileCommits { repository, from, last_changes: HashMap::new() });
        };
        let below = |path: &PathBuf| Some(dunce::canonicalize(path).ok()?.strip_prefix(&root).ok()?.to_owned());
        let below: Vec<Option<PathBuf>> = paths.iter().map(below).collect();
        let files: Vec<PathBuf> = below.iter().flatten().cloned().collect();
        let changes = repository.last_changes(&files)?;
        let of_each = paths.iter().zip(below);
        let last_changes = of_each.filter_map(|(path, below)| Some((path.clone(), changes.get(&below?)?.clone())));
        Ok(FileCommits { repository, from, last_changes: last_changes.collect() })
    }

    fn of_file(&self, loaded: &LoadedResults, path: &Path) -> Option<Commit> {
        match self.from {
            CommitSource::File => stated_commit(self.repository, loaded),
            CommitSource::Name => commit_of_name(self.repository, path),
            CommitSource::Git => self.last_changes.get(path).cloned(),
        }
    }
}

fn of_file(commits: &FileCommits<'_>, loaded: LoadedResults, path: &Path, bytes: &[u8]) -> FoundRun {
    let commit = commits.of_file(&loaded, path);
    let modified = || fs::metadata(path).and_then(|file| file.modified()).ok();
    let since_1970 =
        |time: std::time::SystemTime| Some(time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs() as i64);
    let time = stated_time(bytes).or(loaded.run.measured).or_else(|| modified().and_then(since_1970));
    FoundRun { loaded, commit, time }
}

/// The commit in a file's name: a revision such as `v1.2`, or an id of at least seven digits.
fn commit_of_name(repository: &Repository, path: &Path) -> Option<Commit> {
    let stem = path.file_stem()?.to_str()?;
    let ids = stem.split(|c: char| !c.is_ascii_alphanumeric());
    let is_id = |word: &&str| word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The words of a name may also be digits of a date, so each one must be a commit of the repository.
    let mut ids: Vec<&str> = ids.filter(is_id).collect();
    ids.sort_by_key(|id| std::cmp::Reverse(id.len()));
    let resolved = ids.iter().copied().chain([stem]).find_map(|word| repository.resolve(word).ok());
    resolved.or_else(|| ids.first().and_then(|id| Commit::parse(id)))
}

/// The time of measurement that a JSON file states: asv's `date` in milliseconds, pytest-benchmark's `datetime`.
fn stated_time(bytes: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Dates {
        date: Option<serde_json::Value>,
        datetime: Option<serde_json::Value>,
    }
    let dates: Dates = serde_json::from_slice(&without_nan(bytes)).ok()?;
    let seconds = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => stated_time::utc(&text),
        other => other.as_f64().and_then(stated_time::milliseconds),
    };
    dates.datetime.and_then(seconds).or_else(|| dates.date.and_then(seconds))
}

/// Unreadable files that are listed; the others are only counted.
const LISTED_FILES: usize = 10;

/// Maximum number of files in a directory.
const MAX_FILES: usize = 50_000;
