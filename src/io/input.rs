//! Reads results from a path of the user: a file or standard input of a detected format, or a directory as a criterion
//! tree or as several files.

use super::assemble::{assemble, assemble_of_commit, older_than_commit};
use super::cargo_target;
use super::criterion_tree::{self, BaselineResults};
use super::files;
pub use super::input_error::InputError;
use crate::formats::{FORMATS, Format, Reading, criterion};
use crate::model::suggest::closest;
use crate::model::{Detail, Diagnostic, Run, Severity};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A path on the command line: a file, a directory, a saved baseline `DIR@NAME`, or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `-`
    StandardInput,
    /// A file.
    File(PathBuf),
    /// A directory, and the criterion baseline to read in it.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The baseline's name; `new` without `@NAME`.
        baseline: String,
    },
}

/// How to read results.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The format; `None` to detect it.
    pub format: Option<&'a str>,
    /// How much of each measurement to keep.
    pub detail: Detail,
    /// The time of the measured commit (seconds since 1970), for results of the work tree. If only some benchmarks of a tree
    /// are older, they are left over from an earlier commit, and left out with a warning.
    pub committed: Option<i64>,
}

/// The results of a location, and warnings.
#[derive(Debug)]
pub struct LoadedResults {
    /// The results.
    pub run: Run,
    /// Warnings about the files.
    pub diagnostics: Vec<Diagnostic>,
    /// True if all results are older than the measured commit: nothing was measured for it.
    pub is_older_than_commit: bool,
}

impl LoadedResults {
    /// True if there are measurements, or if a benchmark or the whole run failed.
    pub fn has_results(&self) -> bool {
        !self.run.measurements.is_empty() || self.run.failures.has_failed()
    }

    /// The same, or an error if there are no results because they could not be read.
    pub fn measured_or_failed(self) -> Result<LoadedResults, InputError> {
        if self.run.failures.has_failed() { Ok(self) } else { self.measured() }
    }

    /// The same, or an error if there are no measurements because everything failed or could not be read.
    pub fn measured(self) -> Result<LoadedResults, InputError> {
        if !self.run.measurements.is_empty() {
            return Ok(self);
        }
        match errors(&self.diagnostics) {
            errors if errors.is_empty() => Ok(self),
            errors => Err(InputError::Unreadable(errors)),
        }
    }
}

/// The errors among diagnostics.
pub fn errors(diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
    diagnostics.iter().filter(|one| one.severity == Severity::Error).cloned().collect()
}

impl Location {
    /// Parses an argument; `None` if it is not a path.
    pub fn parse(word: &str) -> Option<Location> {
        if word == "-" {
            return Some(Location::StandardInput);
        }
        let path = Path::new(word);
        if path.is_dir() {
            return Some(Location::Directory { path: path.to_owned(), baseline: "new".to_owned() });
        }
        if path.exists() {
            return Some(Location::File(path.to_owned()));
        }
        let (directory, baseline) = word.rsplit_once('@')?;
        let known = !baseline.is_empty() && !baseline.contains(['/', '\\']) && Path::new(directory).is_dir();
        known.then(|| Location::Directory { path: directory.into(), baseline: baseline.to_owned() })
    }

    /// True for an argument that can only be a path, so that a path that does not exist is reported as a missing file. `v1.2` may
    /// also be a tag.
    pub fn looks_like_path(word: &str) -> bool {
        let path = Path::new(word.rsplit_once('@').map_or(word, |(directory, _)| directory));
        let separator = |c: char| std::path::is_separator(c);
        let rooted = word.starts_with(['.', '~']) || word.starts_with(separator) || path.is_absolute();
        let extension = path.extension().map(|text| text.to_string_lossy());
        let has_extension = extension.is_some_and(|text| !text.starts_with(|c: char| c.is_ascii_digit()));
        rooted || word.ends_with(separator) || has_extension || {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            parent.is_some_and(Path::is_dir)
        }
    }

    /// The directories of criterion's results for a project, the most likely first.
    pub fn default_trees(directory: &Path) -> Vec<PathBuf> {
        cargo_target::candidates(directory)
    }

    /// A directory of criterion's results above a directory, relative to it. The search ends at the top of the repository.
    pub fn tree_above(directory: &Path) -> Option<PathBuf> {
        cargo_target::results_above(directory)
    }
}

/// Reads all results at a location.
pub fn load(location: &Location, request: Request<'_>) -> Result<LoadedResults, InputError> {
    let format = request.format.map(named).transpose()?;
    let detail = request.detail;
    match location {
        Location::StandardInput => {
            let place = "standard input";
            let reading = files::stream(place, io::stdin().lock(), of_file(place, format)?, detail)?;
            Ok(assemble_of_commit(reading, place, request.committed))
        }
        Location::File(path) => {
            let place = path.display().to_string();
            let format = of_file(&place, format)?;
            Ok(assemble_of_commit(files::file(path, format, detail)?, &place, request.committed))
        }
        Location::Directory { path, baseline } => match format {
            Some(InputFormat::File(format)) => {
                let reading = files::directory(path, Some(format), detail)?;
                Ok(assemble_of_commit(reading, &path.display().to_string(), request.committed))
            }
            None if baseline == "new" && !criterion_tree::is_tree(path) => {
                let reading = files::directory(path, None, detail)?;
                Ok(assemble_of_commit(reading, &path.display().to_string(), request.committed))
            }
            Some(InputFormat::Criterion) | None => {
                let mut trees = criterion_tree::read(path, &[baseline], detail, request.committed.is_some());
                let tree = trees.pop().unwrap_or_default();
                from_tree(tree, path, baseline, request)
            }
        },
    }
}

/// A reading as a run.
pub fn of_reading(reading: Reading) -> LoadedResults {
    assemble(reading)
}

/// Whether a directory is a tree of criterion's results.
pub fn is_criterion_tree(path: &Path) -> bool {
    criterion_tree::is_tree(path)
}

/// The names of the baselines that were saved in a criterion tree, in addition to those that criterion itself writes.
pub fn saved_baselines(tree: &Path) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut open = vec![tree.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = std::fs::read_dir(&directory).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.join("benchmark.json").is_file() && path.join("sample.json").is_file() {
                if !matches!(name, "new" | "base") {
                    names.insert(name.to_owned());
                }
            } else {
                open.push(path);
            }
        }
    }
    names
}

/// The saved baselines of a tree, for a message.
fn list_baselines(tree: &Path) -> String {
    const SHOWN: usize = 10;
    let names = saved_baselines(tree);
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "and no other saved baseline".to_owned(),
        count if count > SHOWN => format!("only {} and {} more", shown.join(", "), count - SHOWN),
        _ => format!("only {}", shown.join(", ")),
    }
}

/// Reads bytes of a detected format; `None` if they match no format.
pub fn read(place: &str, bytes: &[u8], request: Request<'_>) -> Result<Option<LoadedResults>, InputError> {
    let format = of_file(place, request.format.map(named).transpose()?)?;
    match files::stream(place, bytes, format, request.detail) {
        Ok(reading) => assemble(reading).measured_or_failed().map(Some),
        Err(InputError::UnknownContent(..)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads two locations; two baselines of one tree are read in one walk.
pub fn load_two(
    one: (&Location, Request<'_>),
    two: (&Location, Request<'_>),
) -> (Result<LoadedResults, InputError>, Result<LoadedResults, InputError>) {
    if let (Location::Directory { path, baseline }, Location::Directory { path: other, baseline: second }) =
        (one.0, two.0)
        && path == other
        && baseline != second
        && one.1.format.is_none_or(|name| name == criterion::NAME)
        && criterion_tree::is_tree(path)
    {
        let mut trees = criterion_tree::read(path, &[baseline, second], one.1.detail, false).into_iter();
        let mut next = || trees.next().unwrap_or_default();
        return (from_tree(next(), path, baseline, one.1), from_tree(next(), path, second, two.1));
    }
    (load(one.0, one.1), load(two.0, two.1))
}

/// Joins several results into one run.
pub fn merge(all: Vec<LoadedResults>) -> LoadedResults {
    let mut whole = Reading::default();
    let is_older_than_commit = !all.is_empty() && all.iter().all(|loaded| loaded.is_older_than_commit);
    for LoadedResults { run, diagnostics, .. } in all {
        let Run { unreadable, commit, commit_prefix, environment, measurements, .. } = run;
        let Run { failures, versions, tests, repeated, measured, is_incomplete, .. } = run;
        whole = whole.merge(Reading {
            measurements,
            measurements_per_file: Vec::new(),
            diagnostics,
            environment,
            commit,
            commit_prefix,
            measured,
            latest: None,
            failures,
            versions,
            unreadable,
            is_incomplete,
            tests,
            repeated,
        });
    }
    LoadedResults { is_older_than_commit, ..assemble(whole) }
}

/// A parsed `--input-format`.
enum InputFormat {
    Criterion,
    File(&'static dyn Format),
}

/// Checks that an input format has this name.
pub fn check_format(name: &str) -> Result<(), InputError> {
    named(name).map(|_| ())
}

fn named(name: &str) -> Result<InputFormat, InputError> {
    if name == criterion::NAME {
        return Ok(InputFormat::Criterion);
    }
    if let Some(format) = FORMATS.iter().find(|format| format.name() == name) {
        return Ok(InputFormat::File(*format));
    }
    let known = || FORMATS.iter().map(|format| format.name()).chain([criterion::NAME]);
    let near = closest(name, known())
        .or_else(|| known().find(|known| known.starts_with(name)))
        .or_else(|| known().find(|known| known.contains(name) || name.contains(known)));
    let near = near.map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default();
    Err(InputError::UnknownFormat { name: name.to_owned(), near })
}

/// The format for a file. Criterion's results are not a file.
fn of_file(place: &str, format: Option<InputFormat>) -> Result<Option<&'static dyn Format>, InputError> {
    match format {
        None => Ok(None),
        Some(InputFormat::File(format)) => Ok(Some(format)),
        Some(InputFormat::Criterion) => {
            let hint = "criterion's results are a directory; use target/criterion".to_owned();
            Err(InputError::Nothing { place: place.to_owned(), hint })
        }
    }
}

fn from_tree(
    mut tree: BaselineResults,
    path: &Path,
    baseline: &str,
    request: Request<'_>,
) -> Result<LoadedResults, InputError> {
    let place = path.display().to_string();
    if tree.measurements.is_empty() {
        if !tree.diagnostics.is_empty() {
            return Err(InputError::Unreadable(tree.diagnostics));
        }
        let hint = match (baseline, criterion_tree::is_tree(path)) {
            ("new", false) => "run `cargo bench` first".to_owned(),
            ("new", true) => "it has only saved baselines; name one as DIR@NAME".to_owned(),
            (name, _) => format!(
                "it has no baseline `{name}`, {}; check the name, or run `cargo bench -- --save-baseline {name}`",
                list_baselines(path)
            ),
        };
        return Err(InputError::Nothing { place, hint });
    }
    let is_older_than_commit = request.committed.is_some_and(|committed| leave_out_stale(&mut tree, &place, committed));
    let BaselineResults { measurements, mut diagnostics, unreadable, is_incomplete, looping_links, .. } = tree;
    diagnostics.extend(looping_links);
    let loaded = assemble(Reading { measurements, diagnostics, unreadable, is_incomplete, ..Reading::default() });
    Ok(LoadedResults { is_older_than_commit, ..loaded })
}

/// Leaves out benchmarks that are older than the measured commit while others are newer. Criterion never removes a
/// benchmark's directory, so these were not run for this commit. Returns whether all are older: then none is left out.
fn leave_out_stale(tree: &mut BaselineResults, place: &str, committed: i64) -> bool {
    let fresh = |written: &i64| *written >= committed;
    if tree.written.iter().all(fresh) {
        return false;
    }
    if !tree.written.iter().any(fresh) {
        tree.diagnostics.push(older_than_commit(place));
        return true;
    }
    let old = tree.measurements.iter().zip(&tree.written).filter(|(_, written)| !fresh(written));
    let mut names: Vec<String> = old.map(|(measurement, _)| measurement.benchmark.to_string()).collect();
    names.sort_unstable();
    let others = match names.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let first = names.first().cloned().unwrap_or_default();
    let message = format!("{first:?}{others}: older than the commit, so not measured for it; left out");
    tree.diagnostics.push(Diagnostic::warning("left-over", place, message));
    let mut written = tree.written.iter();
    tree.measurements.retain(|_| written.next().is_some_and(fresh));
    false
}
