//! From a path that the user names to a Run: a file or standard input by sniffing, a directory as a criterion tree or
//! as several files. Revisions are for `store`.

use super::tree::{self, Tree};
use crate::formats::{FORMATS, Format, Look, Reading, Source, criterion};
use crate::model::{Detail, Diagnostic, Environment, Measurement, Run};
use crate::stats::steadiness;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A directory with more files than this is no folder of results; naming it is a mistake.
const MAX_FILES: usize = 10_000;

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
    /// Benchmarks of a tree that are older, while others are not, were left over by an earlier commit.
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
            let mut bytes = Vec::new();
            let place = "standard input".to_owned();
            io::stdin().lock().read_to_end(&mut bytes).map_err(|error| InputError::Refused { place, error })?;
            from_bytes("standard input", &bytes, format, detail)
        }
        Location::File(path) => {
            let place = path.display().to_string();
            let bytes = fs::read(path).map_err(|error| InputError::Refused { place: place.clone(), error })?;
            from_bytes(&place, &bytes, format, detail)
        }
        Location::Directory { path, baseline } => match format {
            Some(Chosen::File(format)) => from_files(path, Some(format), detail),
            Some(Chosen::Criterion) => from_tree(path, baseline, request),
            None if baseline != "new" || tree::is_tree(path) => from_tree(path, baseline, request),
            None => from_files(path, None, detail),
        },
    }
}

/// Reads bytes that one format claims; `None` where none does.
pub fn read(place: &str, bytes: &[u8], request: Request<'_>) -> Result<Option<Loaded>, InputError> {
    let format = request.format.map(named).transpose()?;
    if format.is_none() && claimants(bytes).is_empty() {
        return Ok(None);
    }
    from_bytes(place, bytes, format, request.detail).map(Some)
}

/// Several results as one Run.
pub fn merge(all: Vec<Loaded>) -> Loaded {
    let mut whole = Reading::default();
    let mut unreadable = Vec::new();
    for Loaded { run, diagnostics } in all {
        whole.measurements.extend(run.measurements);
        whole.diagnostics.extend(diagnostics);
        whole.environment.0.extend(run.environment.0);
        unreadable.extend(run.unreadable);
    }
    let mut loaded = assemble(whole, Detail::Samples);
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

fn from_tree(path: &Path, baseline: &str, request: Request<'_>) -> Result<Loaded, InputError> {
    let mut tree = tree::read(path, baseline, request.detail, request.committed.is_some());
    let place = path.display().to_string();
    if tree.measurements.is_empty() {
        let mut errors = tree.diagnostics;
        errors.retain(|diagnostic| diagnostic.code != "looping-link");
        if !errors.is_empty() {
            return Err(InputError::Unreadable(errors));
        }
        let hint = match (baseline, tree.other_baselines || tree::is_tree(path)) {
            ("new", false) => "run `cargo bench` first".to_owned(),
            ("new", true) => "it has saved baselines only; name one as DIR@NAME".to_owned(),
            (name, _) => format!("it has no baseline {name:?}; `cargo bench -- --save-baseline {name}` saves one"),
        };
        return Err(InputError::Nothing { place, hint });
    }
    if let Some(committed) = request.committed {
        leave_out_left_over(&mut tree, &place, committed);
    }
    let Tree { measurements, diagnostics, unreadable, .. } = tree;
    let mut loaded =
        assemble(Reading { measurements, diagnostics, environment: Environment::default() }, request.detail);
    loaded.run.unreadable = unreadable;
    Ok(loaded)
}

/// Criterion never removes a benchmark's directory. One that is older than the commit under test, while others are
/// newer, was not run for it.
fn leave_out_left_over(tree: &mut Tree, place: &str, committed: i64) {
    let fresh = tree.written.iter().filter(|written| **written >= committed).count();
    if fresh == tree.written.len() {
        return;
    }
    if fresh == 0 {
        let message = "all results are older than the commit that they are taken for; were the benchmarks run for it?";
        tree.diagnostics.push(Diagnostic::warning("older-than-commit", place, message));
        return;
    }
    let mut written = tree.written.iter();
    let mut names = Vec::new();
    tree.measurements.retain(|measurement| {
        let keep = written.next().is_some_and(|written| *written >= committed);
        if !keep {
            names.push(measurement.benchmark.to_string());
        }
        keep
    });
    names.sort();
    let others = match names.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let first = names.first().cloned().unwrap_or_default();
    let message = format!("{first:?}{others}: older than the commit, not run for it; left out");
    tree.diagnostics.push(Diagnostic::warning("left-over", place, message));
}

fn from_bytes(place: &str, bytes: &[u8], format: Option<Chosen>, detail: Detail) -> Result<Loaded, InputError> {
    let format = match format {
        Some(Chosen::File(format)) => format,
        Some(Chosen::Criterion) => {
            let hint = "criterion's results are a directory; name target/criterion".to_owned();
            return Err(InputError::Nothing { place: place.to_owned(), hint });
        }
        None => match claimants(bytes).as_slice() {
            [format] => *format,
            [] if bytes.iter().all(u8::is_ascii_whitespace) => {
                let hint = "the file is empty; run the benchmarks again".to_owned();
                return Err(InputError::Nothing { place: place.to_owned(), hint });
            }
            [] => return Err(InputError::UnknownContent(place.to_owned())),
            several => {
                let formats = several.iter().map(|format| format.name()).collect::<Vec<_>>().join(" or ");
                return Err(InputError::Ambiguous { place: place.to_owned(), formats });
            }
        },
    };
    let reading = format.parse(Source { name: place, bytes }).map_err(|error| InputError::Unreadable(vec![error]))?;
    Ok(assemble(reading, detail))
}

/// The formats that claim a content.
pub fn claimants(bytes: &[u8]) -> Vec<&'static dyn Format> {
    let look = Look::at(bytes);
    FORMATS.iter().copied().filter(|format| format.sniff(&look)).collect()
}

/// Reads every file below a directory that a format claims, as one Run.
fn from_files(root: &Path, format: Option<&'static dyn Format>, detail: Detail) -> Result<Loaded, InputError> {
    let place = root.display().to_string();
    let files = files_below(root).map_err(|error| InputError::Refused { place: place.clone(), error })?;
    let mut all = Reading::default();
    for path in &files {
        let name = path.display().to_string();
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                all.diagnostics.push(Diagnostic::warning("unreadable", name, format!("{error}; left out")));
                continue;
            }
        };
        let format = match (format, claimants(&bytes).as_slice()) {
            (Some(format), _) => format,
            (None, [format]) => *format,
            (None, []) => continue,
            (None, several) => {
                let formats = several.iter().map(|format| format.name()).collect::<Vec<_>>().join(" or ");
                return Err(InputError::Ambiguous { place: name, formats });
            }
        };
        match format.parse(Source { name: &name, bytes: &bytes }) {
            Ok(reading) => {
                all.measurements.extend(reading.measurements);
                all.diagnostics.extend(reading.diagnostics);
                all.environment.0.extend(reading.environment.0);
            }
            Err(error) => all.diagnostics.push(error),
        }
    }
    if all.measurements.is_empty() {
        if !all.diagnostics.is_empty() {
            return Err(InputError::Unreadable(all.diagnostics));
        }
        let hint = match files.len() {
            0 => "the directory is empty; run the benchmarks first".to_owned(),
            count => format!("none of its {count} files is of a known format; `perfgate formats` lists them"),
        };
        return Err(InputError::Nothing { place, hint });
    }
    Ok(assemble(all, detail))
}

fn files_below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
            if files.len() + open.len() > MAX_FILES {
                let message = format!("holds more than {MAX_FILES} files; name the directory of the results itself");
                return Err(io::Error::other(message));
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Orders the measurements and drops all but the first of those alike in benchmark, metric and tool.
fn assemble(reading: Reading, detail: Detail) -> Loaded {
    let Reading { mut measurements, mut diagnostics, environment } = reading;
    measurements.sort_by(|a, b| identity(a).cmp(&identity(b))); // stable: the first of a name stays the first
    measurements.dedup_by(|later, first| {
        let twice = identity(later) == identity(first);
        if twice {
            let message = "has two results of this name; the first one is judged, so give each benchmark its own name";
            diagnostics.push(Diagnostic::warning("duplicate-name", first.benchmark.as_str(), message));
        }
        twice
    });
    if detail == Detail::Digests {
        measurements.iter_mut().for_each(steadiness::condense);
    }
    let run = Run { measurements, environment, ..Run::default() };
    Loaded { run, diagnostics }
}

fn identity(measurement: &Measurement) -> (&str, &str, &str) {
    (measurement.benchmark.as_str(), &measurement.metric.name, &measurement.tool)
}
