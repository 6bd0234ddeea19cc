//! Walks a criterion result tree on all cores and reads one baseline (`new`, or a saved one) of every benchmark, or one
//! timeline of `cargo criterion`. `formats::criterion` and `formats::criterion_store` parse the files.

use super::regular;
use crate::formats::{Source, criterion, criterion_store};
use crate::model::{BenchId, Detail, Diagnostic, Measurement};
use rayon::prelude::*;
use std::cell::RefCell;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Maximum depth of directories. Criterion nests at most four; this bounds the cost of a hostile tree.
const MAX_DEPTH: usize = 64;
/// Maximum size of a file in bytes; a million samples take some 30 MB.
const MAX_FILE: u64 = 1 << 30;

/// One baseline of all benchmarks of a tree.
#[derive(Debug, Default)]
pub struct BaselineResults {
    /// One for each benchmark, in path order.
    pub measurements: Vec<Measurement>,
    /// Benchmarks whose numbers could not be read.
    pub unreadable: Vec<BenchId>,
    /// True if other benchmarks could not be read, whose names are not known.
    pub is_incomplete: bool,
    /// When each measurement was written, seconds since 1970; parallel to `measurements`.
    pub written: Vec<i64>,
    /// Warnings.
    pub diagnostics: Vec<Diagnostic>,
    /// Warnings about links back to a directory on the path: nothing is missing because of them.
    pub looping_links: Vec<Diagnostic>,
}

/// Reads baselines of every benchmark below `root` in one walk; one result for each name. `dated`: whether to fill in
/// `written`.
pub fn read(root: &Path, names: &[&str], detail: Detail, dated: bool) -> Vec<BaselineResults> {
    let walk = Walk { names, detail, dated };
    let mut trees = walk.directory(root, &[], 0);
    // Warnings about the tree itself are in the first result.
    trees.iter_mut().for_each(|tree| {
        tree.diagnostics.sort_unstable();
        tree.looping_links.sort_unstable();
    });
    trees
}

/// True if some benchmark below `root` has results of any baseline; stops at the first.
pub fn is_tree(root: &Path) -> bool {
    fn search(directory: &Path, depth: usize) -> bool {
        let Ok(entries) = fs::read_dir(directory) else { return false };
        let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        directories.map(|entry| entry.path()).any(|child| {
            let is_benchmark =
                child.join("benchmark.json").is_file() || child.join(criterion_store::BENCHMARK).is_file();
            is_benchmark || depth < 8 && search(&child, depth + 1)
        })
    }
    search(root, 0)
}

struct Walk<'a> {
    names: &'a [&'a str],
    detail: Detail,
    dated: bool,
}

impl Walk<'_> {
    /// No results, for each baseline.
    fn nothing(&self) -> Vec<BaselineResults> {
        self.names.iter().map(|_| BaselineResults::default()).collect()
    }

    /// Reads a directory and everything below it. `followed` are the targets of the symbolic links on the way.
    fn directory(&self, directory: &Path, followed: &[PathBuf], depth: usize) -> Vec<BaselineResults> {
        let mut trees = self.nothing();
        let Listing { below: mut entries, has_stored } = match list(directory) {
            Ok(listing) if depth <= MAX_DEPTH => listing,
            Ok(_) => {
                leave_out(
                    &mut trees,
                    Diagnostic::warning("too-deep", show(directory), "is nested too deeply; left out"),
                );
                return trees;
            }
            Err(error) => {
                leave_out(&mut trees, Diagnostic::warning("unreadable", show(directory), format!("{error}; left out")));
                return trees;
            }
        };
        entries.sort_unstable();
        // A benchmark's directory has no other benchmarks below. Skipping its other baselines `new` and `base` halves the
        // number of directories that are opened.
        let mut is_benchmark = false;
        for (tree, name) in trees.iter_mut().zip(self.names) {
            if has_stored {
                tree.absorb(self.stored(directory, name).unwrap_or_default());
            }
            let Some(at) = entries.iter().position(|entry| entry.name.as_os_str() == *name) else { continue };
            if let Some(found) = self.benchmark(&directory.join(name)) {
                tree.absorb(found);
                is_benchmark = true;
                entries.remove(at);
            }
        }
        if is_benchmark {
            entries.retain(|entry| !matches!(entry.name.to_str(), Some("new" | "base")));
        }
        let below: Vec<Vec<BaselineResults>> =
            entries.into_par_iter().map(|entry| self.entry(directory, entry, followed, depth)).collect();
        for child in below {
            trees.iter_mut().zip(child).for_each(|(tree, child)| tree.absorb(child));
        }
        trees
    }

    fn entry(&self, directory: &Path, entry: Entry, followed: &[PathBuf], depth: usize) -> Vec<BaselineResults> {
        let path = directory.join(&entry.name);
        if !entry.is_link {
            return self.directory(&path, followed, depth + 1);
        }
        let mut trees = self.nothing();
        match follow(directory, &path, followed) {
            Ok(LinkTarget::Directory(target)) => {
                return self.directory(&path, &[followed, &[target]].concat(), depth + 1);
            }
            Ok(LinkTarget::File) => {}
            Ok(LinkTarget::Loop(diagnostic)) => {
                if let Some(first) = trees.first_mut() {
                    first.looping_links.push(diagnostic);
                }
            }
            Err(diagnostic) => leave_out(&mut trees, diagnostic),
        }
        trees
    }

    /// The benchmark of a baseline's directory; `None` if the directory has none of its files.
    fn benchmark(&self, directory: &Path) -> Option<BaselineResults> {
        let mut tree = BaselineResults::default();
        let identity = with_file(&directory.join("benchmark.json"), criterion::identity);
        let identity = match identity {
            Ok(identity) => identity,
            Err(Missing) => {
                let sample = directory.join("sample.json");
                if !sample.exists() {
                    return None;
                }
                let message = "has samples but no benchmark.json, so they have no name; run the benchmark again";
                tree.diagnostics.push(Diagnostic::warning("unreadable", show(directory), message));
                tree.is_incomplete = true;
                return Some(tree);
            }
            Err(Failed(error)) => {
                tree.diagnostics.push(warning(error));
                tree.is_incomplete = true;
                return Some(tree);
            }
        };
        let sample = directory.join("sample.json");
        let mut identity = Some(identity);
        let mut take = |read: fn(criterion::Identity, Source<'_>) -> criterion::Benchmark, source: Source<'_>| {
            Ok(identity.take().map(|identity| read(identity, source)))
        };
        let mut read = with_file(&sample, |source| take(criterion::samples, source));
        if matches!(read, Err(Missing)) {
            let estimates = directory.join("estimates.json");
            read = with_file(&estimates, |source| take(criterion::estimates, source));
            if matches!(read, Ok(Some(_))) {
                let message = "there is no sample.json; using estimates.json, which has less detail: \
                               keep the whole target/criterion";
                tree.diagnostics.push(Diagnostic::warning("no-samples", show(directory), message));
            }
        }
        let benchmark = match (read, identity) {
            (Ok(Some(benchmark)), _) => benchmark,
            (Err(Failed(error)), Some(identity)) => criterion::unreadable(identity, error),
            (_, Some(identity)) => {
                let message = "has neither sample.json nor estimates.json; run the benchmark again";
                criterion::unreadable(identity, Diagnostic::warning("unreadable", show(directory), message))
            }
            (_, None) => return Some(tree),
        };
        tree.diagnostics.extend(benchmark.diagnostic);
        match benchmark.measurement {
            Ok(measurement) => {
                tree.measurements.push(self.detailed(measurement));
                tree.written.push(if self.dated { modified(&sample) } else { 0 });
            }
            Err(error) => {
                tree.unreadable.push(benchmark.id);
                tree.diagnostics.push(warning(error));
            }
        }
        Some(tree)
    }

    /// The newest measurement of a benchmark of `cargo criterion`; `None` if the directory has none of this timeline.
    fn stored(&self, directory: &Path, name: &str) -> Option<BaselineResults> {
        let timeline = if name == "new" { criterion_store::TIMELINE } else { name };
        let is_timeline = |path: &Path| path.ends_with(Path::new("data").join(timeline));
        if !directory.ancestors().any(is_timeline) {
            return None;
        }
        let mut tree = BaselineResults::default();
        let stored = match with_file(&directory.join(criterion_store::BENCHMARK), criterion_store::benchmark) {
            Ok(stored) => stored,
            Err(Missing) => return None,
            Err(Failed(error)) => {
                tree.diagnostics.push(warning(error));
                tree.is_incomplete = true;
                return Some(tree);
            }
        };
        let file = stored.file().map(|file| directory.join(file));
        let read = file.as_deref().ok_or(Missing);
        let read = read.and_then(|file| with_file(file, |source| criterion_store::measurement(&stored, source)));
        match (read, file) {
            (Ok(measurement), file) => {
                tree.measurements.push(self.detailed(measurement));
                tree.written.push(file.filter(|_| self.dated).map_or(0, |file| modified(&file)));
            }
            (Err(Failed(error)), _) => {
                tree.unreadable.push(BenchId::new(stored.name()));
                tree.diagnostics.push(warning(error));
            }
            (Err(Missing), _) => {
                let message = "the newest measurement is missing; run the benchmark again";
                tree.unreadable.push(BenchId::new(stored.name()));
                tree.diagnostics.push(Diagnostic::warning("unreadable", show(directory), message));
            }
        }
        Some(tree)
    }

    fn detailed(&self, mut measurement: Measurement) -> Measurement {
        if self.detail == Detail::Digests {
            Measurement::condense(&mut measurement);
        }
        measurement
    }
}

/// Marks all baselines as incomplete and adds the warning to the first one.
fn leave_out(trees: &mut [BaselineResults], diagnostic: Diagnostic) {
    trees.iter_mut().for_each(|tree| tree.is_incomplete = true);
    if let Some(first) = trees.first_mut() {
        first.diagnostics.push(diagnostic);
    }
}

impl BaselineResults {
    fn absorb(&mut self, other: BaselineResults) {
        if self.measurements.is_empty() {
            self.measurements = other.measurements;
        } else {
            self.measurements.extend(other.measurements);
        }
        self.written.extend(other.written);
        self.unreadable.extend(other.unreadable);
        self.is_incomplete |= other.is_incomplete;
        self.diagnostics.extend(other.diagnostics);
        self.looping_links.extend(other.looping_links);
    }
}

/// A directory, or a link that may lead to one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: std::ffi::OsString,
    is_link: bool,
}

/// What the walk needs of a directory.
#[derive(Default)]
struct Listing {
    below: Vec<Entry>,
    /// True for a benchmark of `cargo criterion`. Few trees have one, and `stored` looks at the whole path: checking every
    /// directory takes 23 of 399 million instructions of `perfgate compare` of 1,000 benchmarks.
    has_stored: bool,
}

/// The directories and links of a directory.
fn list(directory: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = entry.file_name();
        listing.has_stored |= name == criterion_store::BENCHMARK;
        // A link to a file, such as `sample.json` elsewhere, is not followed here.
        let is_link = kind.is_symlink() && !name.to_str().is_some_and(|name| name.ends_with(".json"));
        if kind.is_dir() || is_link {
            listing.below.push(Entry { name, is_link });
        }
    }
    Ok(listing)
}

/// Where a link leads.
enum LinkTarget {
    Directory(PathBuf),
    File,
    /// Back to a directory on the way.
    Loop(Diagnostic),
}

/// The target of a link; an error if it does not exist.
fn follow(directory: &Path, link: &Path, followed: &[PathBuf]) -> Result<LinkTarget, Diagnostic> {
    let target = fs::canonicalize(link).map_err(|error| {
        Diagnostic::warning("dangling-link", show(link), format!("is a dangling link ({error}); left out"))
    })?;
    if !target.is_dir() {
        return Ok(LinkTarget::File);
    }
    let here = fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    if here.starts_with(&target) || followed.contains(&target) {
        let message = format!("leads back to {}; left out", target.display());
        return Ok(LinkTarget::Loop(Diagnostic::warning("looping-link", show(link), message)));
    }
    Ok(LinkTarget::Directory(target))
}

/// Why a file could not be read.
enum ReadFailure {
    Missing,
    Failed(Diagnostic),
}
use ReadFailure::{Failed, Missing};

/// Reads a file into this thread's buffer and passes it on.
fn with_file<T>(path: &Path, read: impl FnOnce(Source<'_>) -> Result<T, Diagnostic>) -> Result<T, ReadFailure> {
    thread_local!(static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) });
    BUFFER.with_borrow_mut(|buffer| match read_into(path, buffer) {
        Ok(size) => read(Source { name: &path.to_string_lossy(), bytes: &buffer[..size] }).map_err(Failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Err(Missing),
        Err(error) => {
            Err(Failed(Diagnostic::warning("unreadable", show(path), format!("{error}; run the benchmark again"))))
        }
    })
}

/// Reads a file into a reused buffer and returns its size: trees have tens of thousands of small files. Old bytes after the
/// end are not cleared.
fn read_into(path: &Path, buffer: &mut Vec<u8>) -> io::Result<usize> {
    const FIRST: usize = 16 * 1024;
    let mut file = regular::open_at_once(path)?;
    let mut filled = 0;
    loop {
        if buffer.len() < filled + FIRST {
            buffer.resize((2 * filled).max(FIRST), 0);
        }
        let count = match file.read(&mut buffer[filled..]) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let had_room = filled + count < buffer.len();
        filled += count;
        if filled as u64 > MAX_FILE {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "is larger than 1 GiB"));
        }
        // A short read is at the end of a regular file.
        if count == 0 || (had_room && filled < FIRST) {
            return Ok(filled);
        }
    }
}

/// The time of a file's last write; 0 if the system has none.
fn modified(path: &Path) -> i64 {
    let time = fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    let since = time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_secs() as i64)
}

fn warning(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { severity: crate::model::Severity::Warning, ..diagnostic }
}

fn show(path: &Path) -> String {
    path.display().to_string()
}
