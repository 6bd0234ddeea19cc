//! From the words of the command line to two sides, each one or more Runs with a label and an environment.
//! Resolving comes first and refuses everything that can be refused; only then is anything read.

use super::config::Config;
use crate::history::{WINDOW_RUNS, joined, machine};
use crate::io::input::{self, Loaded, Location, Request};
use crate::io::probe;
use crate::io::repository::Repository;
use crate::io::store::{self, Key, Store, StoreError};
use crate::model::{Commit, Detail, Diagnostic, Environment, Run, differences};
use crate::verdict::{EnvironmentDifference, EnvironmentReport, SideReport};
use anyhow::{Context, bail};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Where a side's runs come from.
#[derive(Debug)]
pub enum Origin {
    /// Paths, one a run, in time order.
    Paths(Vec<Results>),
    /// The results of the work tree: one run together.
    WorkTree(Vec<Results>),
    /// Stored runs of one commit that the user named.
    Revision {
        /// As the user wrote it.
        word: String,
        /// What it is.
        commit: Commit,
    },
    /// Stored runs of the merge base with the default branch and of the commits before it.
    MergeBase,
    /// Stored runs of a commit that is known to be the merge base, and of the commits before it.
    Before(Commit),
}

/// Results on disk.
#[derive(Debug)]
pub struct Results {
    /// As the user wrote it.
    pub word: String,
    /// What it names.
    pub location: Location,
    /// The format, where it is not to be sniffed.
    pub format: Option<String>,
}

impl Results {
    /// How they are to be read.
    pub fn request(&self, detail: Detail, committed: Option<i64>) -> Request<'_> {
        Request { format: self.format.as_deref(), detail, committed }
    }
}

/// A side, read.
#[derive(Debug)]
pub struct Side {
    /// Its runs.
    pub runs: Vec<Run>,
    /// What the report calls it.
    pub report: SideReport,
    /// Facts on its machine; `None` where nothing is known.
    pub environment: Option<Environment>,
    /// What was odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// Why there is no base, which a first run may be allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MissingBaseline(pub String);

/// A commit may have been measured in so many shards, on all machines together.
const SHARDS: usize = 50;

/// A stored run with its name.
pub type Stored = (Key, Run);

/// Everything that resolving and reading need.
pub struct Scene<'a> {
    /// The config.
    pub config: &'a Config,
    /// `--store`, where given.
    pub store: Option<&'a str>,
    /// `--input-format`, where given.
    pub format: Option<&'a str>,
}

impl Scene<'_> {
    /// What the words of a side mean. None at all means the default of that side.
    pub fn resolve(&self, words: &[String], default: Default) -> anyhow::Result<Origin> {
        if words.is_empty() {
            return match default {
                Default::Base => Ok(Origin::MergeBase),
                Default::Head => Ok(Origin::WorkTree(self.results_on_disk()?)),
            };
        }
        let mut results = Vec::new();
        for word in words {
            match Location::parse(word) {
                Some(location) => results.push(self.results(word, location)),
                None => {
                    let commit = self.revision(word)?;
                    if words.len() > 1 {
                        bail!("{word}: a revision stands alone: name paths, or one revision");
                    }
                    return Ok(Origin::Revision { word: word.clone(), commit });
                }
            }
        }
        Ok(Origin::Paths(results))
    }

    pub(super) fn results(&self, word: &str, location: Location) -> Results {
        Results { word: word.to_owned(), location, format: self.format.map(str::to_owned) }
    }

    fn revision(&self, word: &str) -> anyhow::Result<Commit> {
        let missing = || format!("{word}: no such file or directory");
        if Location::looks_like_path(word) {
            let directory = word.rsplit_once('@').map_or(word, |(directory, _)| directory);
            let exists = Path::new(directory).exists();
            bail!(
                "{}",
                if exists {
                    format!("{word}: {directory} is no directory, so it has no saved baseline")
                } else {
                    missing()
                }
            );
        }
        let repository = Repository::discover(Path::new(".")).with_context(missing)?;
        repository.resolve(word).with_context(|| format!("{word}: neither a path nor a git revision"))
    }

    /// `[[input]]` of the config, else where criterion leaves its results.
    pub fn results_on_disk(&self) -> anyhow::Result<Vec<Results>> {
        let inputs = self.config.policy.inputs();
        if inputs.is_empty() {
            let path = Location::default_tree(Path::new(".")).context(
                "nothing was measured: there is no target/criterion here; run `cargo bench` first, or name the results",
            )?;
            let word = path.strip_prefix("./").unwrap_or(&path).display().to_string();
            return Ok(vec![self.results(&word, Location::Directory { path: path.clone(), baseline: "new".into() })]);
        }
        inputs
            .iter()
            .map(|rule| {
                let path = self.config.directory.join(&rule.path).display().to_string();
                let location = Location::parse(&path).with_context(|| {
                    format!("{}: there is no {path}; run the benchmarks first", self.config.policy.place(rule.line))
                })?;
                let format = self.format.map(str::to_owned).or_else(|| rule.format.clone());
                Ok(Results { word: path, location, format })
            })
            .collect()
    }

    /// Opens the store that the flag, else the config names.
    pub fn open_store(&self) -> anyhow::Result<Box<dyn Store>> {
        let (url, base): (&str, &Path) = match self.store {
            Some(url) => (url, Path::new(".")),
            None => (self.config.policy.store_url(), &self.config.directory),
        };
        store::open(url, base).map_err(Into::into)
    }

    /// Reads results on disk, one Run a path.
    pub fn read_paths(&self, results: &[Results], detail: Detail) -> anyhow::Result<Side> {
        let read = |result: &Results| -> anyhow::Result<Loaded> {
            Ok(input::load(&result.location, result.request(detail, None))?)
        };
        Ok(disk_side(results, results.iter().map(read).collect::<anyhow::Result<_>>()?))
    }

    /// Reads both sides from disk, one Run a path.
    pub fn read_both(&self, base: &[Results], head: &[Results], detail: Detail) -> anyhow::Result<(Side, Side)> {
        if let ([one], [two]) = (base, head) {
            let (first, second) =
                input::load_two((&one.location, one.request(detail, None)), (&two.location, two.request(detail, None)));
            return Ok((disk_side(base, vec![first?]), disk_side(head, vec![second?])));
        }
        let (first, second) = rayon::join(|| self.read_paths(base, detail), || self.read_paths(head, detail));
        Ok((first?, second?))
    }

    /// Reads the results of the work tree as one Run.
    pub fn read_work_tree(&self, results: &[Results], detail: Detail) -> anyhow::Result<Side> {
        let head = Repository::discover(Path::new(".")).and_then(|repository| repository.head()).ok();
        let committed = head.as_ref().map(|head| head.time);
        let read = |result: &Results| -> anyhow::Result<Loaded> {
            Ok(input::load(&result.location, result.request(detail, committed))?)
        };
        let loaded = input::merge(results.iter().map(read).collect::<anyhow::Result<_>>()?);
        let mut side = disk_side(results, vec![loaded]);
        side.report.commit = head.map(|head| head.commit.as_str().to_owned());
        Ok(side)
    }

    /// Reads the stored runs of one commit.
    pub fn read_revision(&self, word: &str, commit: &Commit, detail: Detail) -> anyhow::Result<Side> {
        let store = self.open_store()?;
        let time = Repository::discover(Path::new(".")).and_then(|repository| repository.time(commit))?;
        let keys = store::of_commits(&*store, &[(commit.clone(), time)])?.remove(commit).unwrap_or_default();
        if keys.is_empty() {
            let store = store.describe();
            let message = format!(
                "no stored run of {word} ({}) in {store}; check it out, run the benchmarks and `perfgate record`, \
                 or fetch the runs with `perfgate runs pull`",
                commit.short()
            );
            return Err(MissingBaseline(message).into());
        }
        stored_side(&*store, &keys, word.to_owned(), detail, self.config.policy.ignored_environment())
    }
}

/// Which side's default is meant.
#[derive(Debug, Clone, Copy)]
pub enum Default {
    /// Stored runs of the merge base.
    Base,
    /// Results on disk.
    Head,
}

fn disk_side(results: &[Results], loaded: Vec<Loaded>) -> Side {
    let mut environment: Option<Environment> = None;
    let mut diagnostics = Vec::new();
    let mut runs = Vec::with_capacity(loaded.len());
    for Loaded { run, diagnostics: odd } in loaded {
        if !run.environment.is_empty() {
            environment.get_or_insert_default().0.extend(run.environment.0.clone());
        }
        diagnostics.extend(odd);
        runs.push(run);
    }
    let commit = runs.iter().find_map(|run| run.commit.as_ref()).map(|commit| commit.as_str().to_owned());
    let report = SideReport { label: label(results), runs: runs.len(), commit, ..SideReport::default() };
    Side { runs, report, environment, diagnostics }
}

fn stored_side(
    store: &dyn Store,
    keys: &[Key],
    label: String,
    detail: Detail,
    ignored: &[&str],
) -> anyhow::Result<Side> {
    let read = |keys: &[Key]| {
        let read = keys.iter().zip(store::read_runs(store, keys, detail)).rev();
        read.map(|(key, run)| Ok((key.clone(), run?))).collect::<Result<Vec<Stored>, StoreError>>()
    };
    let (older, newest) = keys.split_at(keys.len().saturating_sub(WINDOW_RUNS));
    let mut runs = read(newest)?;
    let machines: BTreeSet<String> = runs.iter().map(|(_, run)| machine(&run.environment, ignored)).collect();
    let in_parts = runs.iter().any(|(_, run)| run.environment.get(Environment::SHARD).is_some());
    if machines.len() > 1 || in_parts {
        runs.extend(read(&older[older.len().saturating_sub(SHARDS * WINDOW_RUNS)..])?);
    }
    let mut runs = joined(runs, ignored);
    // The newest of each machine.
    let mut counts: HashMap<String, usize> = HashMap::new();
    runs.retain(|(_, run)| {
        let count = counts.entry(machine(&run.environment, ignored)).or_default();
        *count += 1;
        *count <= WINDOW_RUNS
    });
    Ok(assemble(runs, label))
}

/// A side of stored runs, newest first.
pub fn assemble(runs: Vec<(Key, Run)>, label: String) -> Side {
    let mut commits: Vec<String> = Vec::new();
    for commit in runs.iter().filter_map(|(key, _)| key.commit()) {
        if commits.iter().all(|known| known != commit.as_str()) {
            commits.push(commit.as_str().to_owned());
        }
    }
    let environment = runs.first().map(|(_, run)| run.environment.clone());
    let mut diagnostics = Vec::new();
    let dirty = runs.iter().filter(|(_, run)| run.environment.get(Environment::DIRTY).is_some()).count();
    if dirty > 0 {
        let message = format!("{dirty} of the {} stored runs were made with uncommitted changes", runs.len());
        diagnostics.push(Diagnostic::warning("dirty-baseline", "", message));
    }
    let report = SideReport {
        label,
        runs: runs.len(),
        commit: commits.first().cloned(),
        commits,
        environment: environment.clone().unwrap_or_default().0,
    };
    let mut runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
    runs.reverse(); // time order
    Side { runs, report, environment, diagnostics }
}

fn label(results: &[Results]) -> String {
    let words: Vec<&str> = results.iter().map(|result| result.word.as_str()).collect();
    match words.as_slice() {
        [first, .., last] if words.len() > 3 => format!("{first} … {last}"),
        words => words.join(", "),
    }
}

/// This machine and its toolchain, and the state of the work tree.
pub fn here(directory: &Path) -> Environment {
    let mut environment = probe::probe(directory, &|name| std::env::var(name).ok());
    if let Ok(repository) = Repository::discover(directory)
        && repository.is_dirty().unwrap_or(false)
    {
        environment.set(Environment::DIRTY, "yes");
    }
    environment
}

/// Whether two sides come from one kind of machine, and whether that is known.
pub fn machines(base: &Side, head: &Side, ignored: &[&str]) -> (EnvironmentReport, Option<Diagnostic>) {
    let (Some(base), Some(head)) = (&base.environment, &head.environment) else {
        let message = "both sides are taken for results of one machine: the files do not say";
        let report = EnvironmentReport { matches: true, assumed: true, differences: Vec::new() };
        return (report, Some(Diagnostic::note("assumed-same-machine", "", message)));
    };
    let differences: Vec<EnvironmentDifference> = differences(base, head, ignored)
        .into_iter()
        .filter(|difference| difference.key != Environment::DIRTY)
        .map(|d| EnvironmentDifference { key: d.key, base: d.base, head: d.head, decisive: d.decisive })
        .collect();
    let decisive: Vec<String> = differences
        .iter()
        .filter(|difference| difference.decisive)
        .map(|difference| {
            format!("{} is {:?} in base and {:?} in head", difference.key, difference.base, difference.head)
        })
        .collect();
    let diagnostic = if decisive.is_empty() {
        let other: Vec<String> = differences.iter().map(|d| format!("{} ({} → {})", d.key, d.base, d.head)).collect();
        (!other.is_empty()).then(|| {
            let message = format!("base and head differ in {}; a change may come from that", other.join(", "));
            Diagnostic::warning("environment-differs", "", message)
        })
    } else {
        let message = format!(
            "the sides were measured on different machines, so no time is judged: {}. Measure both on one machine, or \
             list the keys that may differ under [environment] ignore",
            decisive.join("; ")
        );
        Some(Diagnostic::warning("different-machines", "", message))
    };
    (EnvironmentReport { matches: decisive.is_empty(), assumed: false, differences }, diagnostic)
}
