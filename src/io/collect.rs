//! Finds the results of a benchmark command: in the files that the user named (`{out}`, `[[input]]`), otherwise in criterion's
//! directory, in files below the work tree and in the output. Only files that this run wrote are read.

use super::capture::CapturedOutput;
use super::copies::{Copies, leave_out_copies};
use super::criterion_tree;
use super::input::{self, InputError, LoadedResults, Location, Request};
use super::printed;
use super::regular;
use crate::model::{Detail, Diagnostic, Severity};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Directories without results but with many files.
const SKIPPED: [&str; 8] = [".git", "target", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".cargo"];
/// Extensions of possible result files.
const ENDINGS: [&str; 12] =
    ["json", "jsonl", "ndjson", "csv", "tsv", "xml", "txt", "out", "log", "jtl", "bench", "results"];
/// Larger files are skipped.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Maximum depth of directories that are searched.
const MAX_DEPTH: usize = 12;

/// Where a run may have written results.
#[derive(Debug)]
pub struct ResultSources<'a> {
    /// The `{out}` file, if the command has one.
    pub out: Option<&'a Path>,
    /// Criterion's directories.
    pub criterion: &'a [PathBuf],
    /// Paths from the config.
    pub inputs: &'a [(PathBuf, Option<String>)],
    /// The work tree.
    pub tree: &'a Path,
    /// The start of the run, by the file system's clock.
    pub since: SystemTime,
    /// Standard output.
    pub stdout: &'a CapturedOutput,
    /// Standard error.
    pub stderr: &'a CapturedOutput,
    /// `--input-format`.
    pub format: Option<&'a str>,
}

/// Reads the results of the run; `None` if there are none of a known format. The first run decides which tools' results are
/// `copies`.
pub fn collect(sources: &ResultSources<'_>, copies: &mut Copies) -> Result<Option<LoadedResults>, InputError> {
    let request = Request { format: sources.format, detail: Detail::Samples, committed: None };
    let mut found = CollectedResults { has_format: sources.format.is_some(), ..CollectedResults::default() };
    // Several named files may be repetitions of one suite, so they are one place.
    let place = found.place();
    if let Some(out) = sources.out {
        let left = out.is_dir() || out.metadata().is_ok_and(|file| file.len() > 0);
        if !left {
            return Ok(None);
        }
        found.add_to(place, "", Ok(load(out, request)?.measured_or_failed()?))?;
    }
    let inputs: &[_] = if sources.out.is_some() { &[] } else { sources.inputs };
    for (path, format) in inputs.iter().filter(|(path, _)| written_since(path, sources.since, 0)) {
        let request = Request { format: format.as_deref().or(sources.format), ..fresh(request, sources) };
        found.add_to(place, "", Ok(load(path, request)?.measured_or_failed()?))?;
    }
    let is_input = |path: &Path| inputs.iter().any(|(input, _)| path.starts_with(input));
    let trees = sources.criterion.iter().filter(|path| {
        !is_input(path) && path.is_dir() && criterion_tree::is_tree(path) && written_since(path, sources.since, 0)
    });
    let mut trees: Vec<&PathBuf> = trees.collect();
    // Each run has a new directory of criterion instead of the one that the config names.
    if sources.criterion.iter().any(|path| is_input(path)) {
        for path in trees.drain(..) {
            found.add_to(place, "", Ok(load(path, fresh(request, sources))?))?;
        }
    }
    let named = if sources.out.is_some() { "{out}" } else { "[[input]]" };
    found.named = (sources.out.is_some() || !found.is_empty()).then_some(named);
    let place = found.place();
    for path in trees {
        let loaded = load(path, fresh(request, sources));
        found.add_to(place, "criterion's directory", loaded)?;
    }
    add_files(&mut found, sources, request, is_input)?;
    add_printed(&mut found, sources, request)?;
    found.whole(copies)
}

/// Adds the results of files below the work tree.
fn add_files(
    found: &mut CollectedResults,
    sources: &ResultSources<'_>,
    request: Request<'_>,
    is_read: impl Fn(&Path) -> bool,
) -> Result<(), InputError> {
    let place = found.place();
    for path in files_since(sources.tree, sources.since).iter().filter(|path| !is_read(path)) {
        let read = regular::read(path).map_err(|error| refused(path, error));
        let name = path.strip_prefix(sources.tree).unwrap_or(path).display().to_string();
        let results = read.and_then(|bytes| input::read(&path.display().to_string(), &bytes, request));
        if let Some(loaded) = results.transpose() {
            found.add_to(place, &name, loaded)?;
        }
    }
    Ok(())
}

/// Adds the results that the command printed.
fn add_printed(
    found: &mut CollectedResults,
    sources: &ResultSources<'_>,
    request: Request<'_>,
) -> Result<(), InputError> {
    for (place, output) in [("standard output", sources.stdout), ("standard error", sources.stderr)] {
        if let Some(loaded) = printed::results(&format!("{place} of the command"), output, request).transpose() {
            found.add(place, loaded)?;
        } else if output.is_cut() && !found.is_empty() && found.named.is_none() {
            let message = format!("{place} is too long to be searched for more results");
            found.diagnostics.push(Diagnostic::warning("unread-output", "", message));
        }
    }
    Ok(())
}

/// The results that were found so far.
#[derive(Default)]
struct CollectedResults {
    /// The results of each place, the places in their order.
    kept: Vec<(usize, LoadedResults)>,
    /// The number of places.
    places: usize,
    /// The user's word for the places that are read alone, if they have results.
    named: Option<&'static str>,
    diagnostics: Vec<Diagnostic>,
    /// True if results in one of the places could not be read.
    is_incomplete: bool,
    /// True with `--input-format`: places without such results have other content.
    has_format: bool,
    /// With `--input-format`, the error of the first place that has other content.
    error: Option<InputError>,
}

impl CollectedResults {
    fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// A new place.
    fn place(&mut self) -> usize {
        self.places += 1;
        self.places
    }

    /// Adds the results of a place of its own.
    fn add(&mut self, name: &str, loaded: Result<LoadedResults, InputError>) -> Result<(), InputError> {
        let place = self.place();
        self.add_to(place, name, loaded)
    }

    /// Adds results, without those that another place has, too. Results that cannot be read are an error if there are no others.
    fn add_to(
        &mut self,
        place: usize,
        name: &str,
        loaded: Result<LoadedResults, InputError>,
    ) -> Result<(), InputError> {
        let mut loaded = match loaded {
            Ok(loaded) => loaded,
            Err(_) if self.named.is_some() => return Ok(()),
            Err(error) if self.has_format => {
                self.error.get_or_insert(error);
                return Ok(());
            }
            Err(error) if self.is_empty() => return Err(error),
            Err(error) => {
                self.is_incomplete = true;
                self.diagnostics.push(Diagnostic::warning("unreadable", name, format!("{error}; left out")));
                return Ok(());
            }
        };
        let mut others: Vec<&mut LoadedResults> =
            self.kept.iter_mut().filter(|(of, _)| *of != place).map(|(_, loaded)| loaded).collect();
        leave_out_copies(&mut others, &mut loaded, self.named.is_some());
        match self.named {
            Some(named) if !loaded.run.measurements.is_empty() => self.diagnostics.push(unread(name, &loaded, named)),
            None if loaded.has_results() => self.kept.push((place, loaded)),
            _ => {}
        }
        Ok(())
    }

    /// All results as one run.
    fn whole(self, copies: &mut Copies) -> Result<Option<LoadedResults>, InputError> {
        if self.kept.is_empty() {
            return self.error.map_or(Ok(None), Err);
        }
        let mut kept: Vec<LoadedResults> = self.kept.into_iter().map(|(_, loaded)| loaded).collect();
        // What the user named is read as it is.
        let notes = if self.named.is_none() { copies.leave_out(&mut kept) } else { Vec::new() };
        kept.retain(LoadedResults::has_results);
        let mut whole = input::merge(kept);
        whole.diagnostics.extend(self.diagnostics.into_iter().chain(notes));
        whole.run.is_incomplete |= self.is_incomplete;
        Ok(Some(whole))
    }
}

/// The remark on results that are not read, because the user named other places.
fn unread(place: &str, loaded: &LoadedResults, named: &str) -> Diagnostic {
    let measurements = &loaded.run.measurements;
    let tools: BTreeSet<&str> = measurements.iter().map(|one| &*one.tool).collect();
    let names: BTreeSet<&str> = measurements.iter().map(|one| one.benchmark.as_str()).collect();
    let tools: Vec<&str> = tools.into_iter().collect();
    let first = names.first().copied().unwrap_or_default();
    let others = if names.len() == 1 { String::new() } else { format!(" and {} more", names.len() - 1) };
    let message = format!(
        "has {} results that are not read, because {named} has results: {first:?}{others}; to read them, write them to a file \
         that {named} names",
        tools.join(" and ")
    );
    // A tool may write files next to its results, such as a report of tests. What it prints is rarely a by-product.
    let severity = if place.starts_with("standard") { Severity::Warning } else { Severity::Note };
    Diagnostic { severity, ..Diagnostic::warning("unread-results", place, message) }
}

/// A request that leaves out benchmarks of an older tree that this run did not write.
fn fresh<'a>(request: Request<'a>, sources: &ResultSources<'_>) -> Request<'a> {
    let since = sources.since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    Request { committed: Some(since), ..request }
}

fn load(path: &Path, request: Request<'_>) -> Result<LoadedResults, InputError> {
    let location = if path.is_dir() {
        Location::Directory { path: path.to_owned(), baseline: "new".to_owned() }
    } else if path.exists() {
        Location::File(path.to_owned())
    } else {
        let word = path.display().to_string();
        Location::parse(&word).ok_or(InputError::Missing(word))?
    };
    input::load(&location, request)
}

fn refused(path: &Path, error: io::Error) -> InputError {
    InputError::Refused { place: path.display().to_string(), error }
}

/// True if a file, or any file below a directory, was written since.
fn written_since(path: &Path, since: SystemTime, depth: usize) -> bool {
    let Ok(metadata) = path.metadata() else { return false };
    if !metadata.is_dir() {
        return metadata.modified().is_ok_and(|modified| modified >= since);
    }
    let Ok(entries) = fs::read_dir(path) else { return false };
    depth < MAX_DEPTH && entries.flatten().any(|entry| written_since(&entry.path(), since, depth + 1))
}

/// Possible result files below a directory that were written since, sorted.
fn files_since(root: &Path, since: SystemTime) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![(root.to_owned(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            let (Ok(metadata), name) = (entry.metadata(), entry.file_name()) else { continue };
            if metadata.is_dir() {
                if depth < MAX_DEPTH && !SKIPPED.iter().any(|skipped| name == *skipped) {
                    open.push((entry.path(), depth + 1));
                }
                continue;
            }
            let path = entry.path();
            let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            let candidate = ENDINGS.contains(&ending) && metadata.is_file() && metadata.len() <= MAX_FILE_BYTES;
            if candidate && metadata.modified().is_ok_and(|modified| modified >= since) {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn only_files_written_since_are_read() {
        let directory = tempfile::TempDir::new().unwrap();
        let write = |path: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "{}").unwrap();
            path
        };
        let old = write("old.json");
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        let new = write("a/new.json");
        write("a/new.rs");
        write("node_modules/x.json");
        let since = SystemTime::now() - Duration::from_secs(60);
        assert_eq!(files_since(directory.path(), since), [new]);
        assert!(written_since(directory.path(), since, 0));
        assert!(!written_since(&old, since, 0));
    }
}
