//! Finds the results of a benchmark command: in its `{out}` file, in criterion's directory, in files below the work tree, or
//! on standard output, in this order. Only files that this run wrote are read.

use super::capture::Captured;
use super::criterion_tree;
use super::files;
use super::input::{self, InputError, Loaded, Location, Request};
use super::regular;
use crate::model::Detail;
use std::fs;
use std::io::{self, BufReader, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Directories without results but with many files.
const SKIPPED: [&str; 8] = [".git", "target", "node_modules", ".venv", "venv", "__pycache__", ".tox", ".cargo"];
/// Extensions of possible result files.
const ENDINGS: [&str; 12] =
    ["json", "jsonl", "ndjson", "csv", "tsv", "xml", "txt", "out", "log", "jtl", "bench", "results"];
/// Larger files are skipped.
const LARGEST: u64 = 256 << 20;
/// Maximum depth of directories that are searched.
const MAX_DEPTH: usize = 12;

/// Where a run may have written results.
#[derive(Debug)]
pub struct ResultSources<'a> {
    /// The `{out}` file, if the command has one: then nothing else is read.
    pub out: Option<&'a Path>,
    /// Criterion's directories.
    pub criterion: &'a [PathBuf],
    /// Paths from the config.
    pub inputs: &'a [(PathBuf, Option<String>)],
    /// The work tree.
    pub tree: &'a Path,
    /// The start of the run, by the file system's clock.
    pub since: SystemTime,
    /// The output.
    pub stdout: &'a Captured,
    /// `--input-format`.
    pub format: Option<&'a str>,
}

/// Reads the results of the run; `None` if there are none of a known format.
pub fn collect(sources: &ResultSources<'_>) -> Result<Option<Loaded>, InputError> {
    let request = Request { format: sources.format, detail: Detail::Samples, committed: None };
    if let Some(out) = sources.out {
        let left = out.is_dir() || out.metadata().is_ok_and(|file| file.len() > 0);
        return if left { load(out, request)?.measured().map(Some) } else { Ok(None) };
    }
    let mut found = Vec::new();
    for (path, format) in sources.inputs.iter().filter(|(path, _)| written_since(path, sources.since, 0)) {
        found.push(
            load(path, Request { format: format.as_deref().or(sources.format), ..fresh(request, sources) })?
                .measured()?,
        );
    }
    if found.is_empty() {
        for path in sources.criterion {
            if path.is_dir() && criterion_tree::is_tree(path) && written_since(path, sources.since, 0) {
                found.push(load(path, fresh(request, sources))?);
            }
        }
    }
    if found.is_empty() {
        for path in files_since(sources.tree, sources.since) {
            let bytes = regular::read(&path).map_err(|error| refused(&path, error))?;
            found.extend(input::read(&path.display().to_string(), &bytes, request)?);
        }
    }
    if found.is_empty() {
        found.extend(in_output(sources.stdout, request)?);
    }
    found.retain(|loaded| !loaded.run.measurements.is_empty());
    Ok((!found.is_empty()).then(|| input::merge(found)))
}

/// The results in the output of a command. Other output may come before them.
fn in_output(stdout: &Captured, request: Request<'_>) -> Result<Option<Loaded>, InputError> {
    const PLACE: &str = "standard output of the command";
    let refused = |error| InputError::Refused { place: PLACE.to_owned(), error };
    let part = match (&stdout.whole, &stdout.file) {
        (Some(bytes), _) => match input::read(PLACE, bytes, request) {
            Ok(None) if request.format.is_none() => files::from_first_results(&**bytes, LARGEST),
            Err(InputError::Nothing { .. }) => return Ok(None),
            other => return other,
        },
        (None, Some(file)) => {
            let mut file = file;
            file.rewind().and_then(|()| files::from_first_results(BufReader::new(file), LARGEST))
        }
        (None, None) => return Ok(None),
    };
    match part.map_err(refused)? {
        Some(part) => input::read(PLACE, &part, request),
        None => Ok(None),
    }
}

/// A request that leaves out benchmarks of an older tree that this run did not write.
fn fresh<'a>(request: Request<'a>, sources: &ResultSources<'_>) -> Request<'a> {
    let since = sources.since.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
    Request { committed: Some(since), ..request }
}

fn load(path: &Path, request: Request<'_>) -> Result<Loaded, InputError> {
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
            let candidate = ENDINGS.contains(&ending) && metadata.is_file() && metadata.len() <= LARGEST;
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
