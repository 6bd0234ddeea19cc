//! From a path that the user names to a Run: a file or standard input by sniffing, a directory as a criterion tree or
//! as several files. Revisions are for `store`.

use super::criterion_tree::{self, BaselineResults};
use super::files;
use crate::formats::{FORMATS, Format, Reading, criterion};
use crate::model::{Detail, Diagnostic, Measurement, Run};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A path as the user wrote it: a file, a directory, a saved baseline `DIR@NAME`, or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// `-`
    StandardInput,
    /// A file of some format.
    File(PathBuf),
    /// A directory, and the criterion baseline to read in it.
    Directory {
        /// The directory.
        path: PathBuf,
        /// The baseline's name, `new` unless `@NAME` says otherwise.
        baseline: String,
    },
}

/// How results are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The format, where it is not to be sniffed.
    pub format: Option<&'a str>,
    /// How much is kept.
    pub detail: Detail,
    /// When the commit that was measured was made (seconds since 1970), where the results are those of the work tree.
    /// Benchmarks of a tree that are older, while others are not, were left over by an earlier commit; with every sample
    /// asked for, as for storing, they are left out.
    pub committed: Option<i64>,
}

/// What was read, and what was odd about it.
#[derive(Debug)]
pub struct Loaded {
    /// The results.
    pub run: Run,
    /// Warnings of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is no Run. Each message says what to do.
#[derive(Debug, Error)]
pub enum InputError {
    /// The path is neither a file nor a directory.
    #[error("{0}: no such file or directory")]
    Missing(String),
    /// The file system refused.
    #[error("{place}: {error}")]
    Refused {
        /// The file.
        place: String,
        /// Its answer.
        error: io::Error,
    },
    /// Nothing in it could be read.
    #[error("{}", list(.0))]
    Unreadable(Vec<Diagnostic>),
    /// There is nothing in it that was measured.
    #[error("{place}: nothing was measured here: {hint}")]
    Nothing {
        /// The path.
        place: String,
        /// How to get results.
        hint: String,
    },
    /// No format claims the file.
    #[error(
        "{0}: none of the known formats; `perfgate formats` lists them, --input-format NAME overrules the sniffing"
    )]
    UnknownContent(String),
    /// Several formats claim the file.
    #[error("{place}: could be {formats}; say which with --input-format NAME")]
    Ambiguous {
        /// The file.
        place: String,
        /// The names.
        formats: String,
    },
    /// A directory of results of several commits, which are no one Run.
    #[error("{place}: holds results of {} commits ({}); name the file of one", commits.len(), commits.join(", "))]
    SeveralCommits {
        /// The directory.
        place: String,
        /// The commits.
        commits: Vec<String>,
    },
    /// `--input-format` names none.
    #[error("there is no input format {name:?}; `perfgate formats` lists them{near}")]
    UnknownFormat {
        /// What was asked for.
        name: String,
        /// A name that is near.
        near: String,
    },
}

fn list(diagnostics: &[Diagnostic]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> = diagnostics.iter().take(SHOWN).map(ToString::to_string).collect();
    if diagnostics.len() > SHOWN {
        lines.push(format!("… and {} more", diagnostics.len() - SHOWN));
    }
    lines.join("\n")
}

impl Location {
    /// What a word on the command line names, when it names a path at all.
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

    /// True for a word that can only be meant as a path, so that a missing one is called a missing path.
    pub fn looks_like_path(word: &str) -> bool {
        let path = Path::new(word.rsplit_once('@').map_or(word, |(directory, _)| directory));
        word.starts_with(['.', '/', '~']) || word.ends_with('/') || path.extension().is_some() || {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            parent.is_some_and(Path::is_dir)
        }
    }

    /// Where criterion leaves its results, seen from a project's directory.
    pub fn default_tree(directory: &Path) -> Option<PathBuf> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let candidates = [
            set("CRITERION_HOME"),
            set("CARGO_TARGET_DIR").map(|target| target.join("criterion")),
            Some(PathBuf::from("target/criterion")),
        ];
        candidates.into_iter().flatten().map(|path| directory.join(path)).find(|path| path.is_dir())
    }
}

/// Reads everything at a location.
pub fn load(location: &Location, request: Request<'_>) -> Result<Loaded, InputError> {
    let format = request.format.map(named).transpose()?;
    let detail = request.detail;
    match location {
        Location::StandardInput => {
            let place = "standard input";
            let reading = files::stream(place, io::stdin().lock(), of_file(place, format)?, detail)?;
            Ok(assemble(reading))
        }
        Location::File(path) => {
            let format = of_file(&path.display().to_string(), format)?;
            Ok(assemble(files::file(path, format, detail)?))
        }
        Location::Directory { path, baseline } => match format {
            Some(Chosen::File(format)) => Ok(assemble(files::directory(path, Some(format), detail)?)),
            None if baseline == "new" && !criterion_tree::is_tree(path) => {
                Ok(assemble(files::directory(path, None, detail)?))
            }
            Some(Chosen::Criterion) | None => {
                let [tree] = criterion_tree::read(path, [baseline], detail, request.committed.is_some());
                from_tree(tree, path, baseline, request)
            }
        },
    }
}

/// Reads bytes that one format claims; `None` where none does.
pub fn read(place: &str, bytes: &[u8], request: Request<'_>) -> Result<Option<Loaded>, InputError> {
    let format = of_file(place, request.format.map(named).transpose()?)?;
    match files::stream(place, bytes, format, request.detail) {
        Ok(reading) => Ok(Some(assemble(reading))),
        Err(InputError::UnknownContent(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads two locations at once; two baselines of one tree in one walk.
pub fn load_two(
    one: (&Location, Request<'_>),
    two: (&Location, Request<'_>),
) -> (Result<Loaded, InputError>, Result<Loaded, InputError>) {
    if let (Location::Directory { path, baseline }, Location::Directory { path: other, baseline: second }) =
        (one.0, two.0)
        && path == other
        && baseline != second
        && one.1.format.is_none_or(|name| name == criterion::NAME)
        && criterion_tree::is_tree(path)
    {
        let [first, last] = criterion_tree::read(path, [baseline, second], one.1.detail, false);
        return (from_tree(first, path, baseline, one.1), from_tree(last, path, second, two.1));
    }
    rayon::join(|| load(one.0, one.1), || load(two.0, two.1))
}

/// Several results as one Run.
pub fn merge(all: Vec<Loaded>) -> Loaded {
    let mut whole = Reading::default();
    let mut unreadable = Vec::new();
    for Loaded { run, diagnostics } in all {
        let Run { commit, environment, measurements, .. } = run;
        whole = whole.and(Reading { measurements, diagnostics, environment, commit });
        unreadable.extend(run.unreadable);
    }
    let mut loaded = assemble(whole);
    loaded.run.unreadable = unreadable;
    loaded
}

/// What `--input-format` names.
enum Chosen {
    Criterion,
    File(&'static dyn Format),
}

fn named(name: &str) -> Result<Chosen, InputError> {
    if name == criterion::NAME {
        return Ok(Chosen::Criterion);
    }
    if let Some(format) = FORMATS.iter().find(|format| format.name() == name) {
        return Ok(Chosen::File(*format));
    }
    let near = FORMATS.iter().map(|format| format.name()).find(|known| known.contains(name) || name.contains(known));
    let near = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
    Err(InputError::UnknownFormat { name: name.to_owned(), near })
}

/// The format that a file is to be read as; criterion's results are no file.
fn of_file(place: &str, format: Option<Chosen>) -> Result<Option<&'static dyn Format>, InputError> {
    match format {
        None => Ok(None),
        Some(Chosen::File(format)) => Ok(Some(format)),
        Some(Chosen::Criterion) => {
            let hint = "criterion's results are a directory; name target/criterion".to_owned();
            Err(InputError::Nothing { place: place.to_owned(), hint })
        }
    }
}

fn from_tree(
    mut tree: BaselineResults,
    path: &Path,
    baseline: &str,
    request: Request<'_>,
) -> Result<Loaded, InputError> {
    let place = path.display().to_string();
    if tree.measurements.is_empty() {
        let mut errors = tree.diagnostics;
        errors.retain(|diagnostic| diagnostic.code != "looping-link");
        if !errors.is_empty() {
            return Err(InputError::Unreadable(errors));
        }
        let hint = match (baseline, criterion_tree::is_tree(path)) {
            ("new", false) => "run `cargo bench` first".to_owned(),
            ("new", true) => "it has saved baselines only; name one as DIR@NAME".to_owned(),
            (name, _) => format!("it has no baseline {name:?}; `cargo bench -- --save-baseline {name}` saves one"),
        };
        return Err(InputError::Nothing { place, hint });
    }
    if let Some(committed) = request.committed {
        look_for_left_over(&mut tree, &place, committed, request.detail == Detail::Samples);
    }
    let BaselineResults { measurements, diagnostics, unreadable, .. } = tree;
    let mut loaded = assemble(Reading { measurements, diagnostics, ..Reading::default() });
    loaded.run.unreadable = unreadable;
    Ok(loaded)
}

/// Criterion never removes a benchmark's directory: one that is older than the commit under test, while others are
/// newer, was not run for it. It is said when results are judged, and left out when they are stored under that commit.
fn look_for_left_over(tree: &mut BaselineResults, place: &str, committed: i64, leave_out: bool) {
    let fresh = |written: &i64| *written >= committed;
    if tree.written.iter().all(fresh) {
        return;
    }
    if !tree.written.iter().any(fresh) {
        let message = "all results are older than the commit that they are taken for; were the benchmarks run for it?";
        tree.diagnostics.push(Diagnostic::warning("older-than-commit", place, message));
        return;
    }
    let old = tree.measurements.iter().zip(&tree.written).filter(|(_, written)| !fresh(written));
    let mut names: Vec<String> = old.map(|(measurement, _)| measurement.benchmark.to_string()).collect();
    names.sort_unstable();
    let others = match names.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let first = names.first().cloned().unwrap_or_default();
    let done = if leave_out { "left out" } else { "taken as they are; remove the tree and run the benchmarks again" };
    let message = format!("{first:?}{others}: older than the commit, left over from another one? {done}");
    tree.diagnostics.push(Diagnostic::warning("left-over", place, message));
    if leave_out {
        let mut written = tree.written.iter();
        tree.measurements.retain(|_| written.next().is_some_and(fresh));
    }
}

/// Orders the measurements and drops all but the first of those alike in benchmark, metric and tool.
fn assemble(reading: Reading) -> Loaded {
    let Reading { mut measurements, mut diagnostics, environment, commit } = reading;
    measurements.sort_by(|a, b| identity(a).cmp(&identity(b))); // stable: the first of a name stays the first
    measurements.dedup_by(|later, first| {
        let twice = identity(later) == identity(first);
        if twice {
            let message = "has two results of this name; the first one is judged, so give each benchmark its own name";
            diagnostics.push(Diagnostic::warning("duplicate-name", first.benchmark.as_str(), message));
        }
        twice
    });
    let run = Run { commit, measurements, environment, ..Run::default() };
    Loaded { run, diagnostics }
}

fn identity(measurement: &Measurement) -> (&str, &str, &str) {
    (measurement.benchmark.as_str(), &measurement.metric.name, &measurement.tool)
}
