//! Resolves the words for base and head. Every invalid word is an error here, before anything is read.

use super::builder::Gate;
use super::error::Error;
use crate::io::files;
use crate::io::input::{InputError, Location, Request};
use crate::io::repository::{Repository, RepositoryError};
use crate::io::store::{self, Store, StoreError};
use crate::model::{Commit, Detail, Diagnostic};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where the runs of a side come from.
#[derive(Debug)]
pub(crate) enum SideSource {
    /// Paths, one per run, in time order.
    Paths(Vec<Results>),
    /// The results of the work tree, together one run.
    WorkTree(Vec<Results>),
    /// The stored runs of one commit.
    Revision {
        /// As the user wrote it.
        word: String,
        /// The commit.
        commit: Commit,
    },
    /// Stored runs of the merge base with the default branch and of the commits before it.
    MergeBase {
        /// The commit that results on disk count for, where it is given; otherwise the checked-out one.
        of: Option<Commit>,
    },
    /// Stored runs of a commit and of the commits before it.
    CommitAndBefore(Commit),
}

impl SideSource {
    pub(crate) fn is_on_disk(&self) -> bool {
        matches!(self, SideSource::Paths(_) | SideSource::WorkTree(_))
    }

    pub(super) fn reads_standard_input(&self) -> bool {
        match self {
            SideSource::Paths(results) | SideSource::WorkTree(results) => {
                results.iter().any(|one| one.location == Location::StandardInput)
            }
            _ => false,
        }
    }
}

/// Results on disk.
#[derive(Debug, Clone)]
pub(crate) struct Results {
    /// As the user wrote it.
    pub word: String,
    /// The file or directory.
    pub location: Location,
    /// The format, where it is given.
    pub format: Option<String>,
}

impl Results {
    pub(super) fn request(&self, detail: Detail, committed: Option<i64>) -> Request<'_> {
        Request { format: self.format.as_deref(), detail, committed }
    }
}

/// The default of a side that was left out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum DefaultSide {
    /// Stored runs of the merge base.
    Base,
    /// Results on disk.
    Head,
}

impl Gate {
    /// Resolves the words for a side; no words mean its default.
    pub(crate) fn resolve(&self, words: &[String], default: DefaultSide) -> Result<SideSource, Error> {
        if words.is_empty() {
            return match default {
                DefaultSide::Base => Ok(SideSource::MergeBase { of: None }),
                DefaultSide::Head => match self.default_results() {
                    Err(Error::NoResults { looked, advice, .. }) => {
                        Err(Error::NoResults { is_head: true, looked, advice })
                    }
                    results => Ok(SideSource::WorkTree(results?)),
                },
            };
        }
        let mut results = Vec::new();
        for word in words {
            match Location::parse(word) {
                Some(location) => results.push(self.results_at(word, location)),
                None => {
                    let commit = self.resolve_revision(word)?;
                    if words.len() > 1 {
                        return Err(Error::RevisionAmongPaths { word: word.clone() });
                    }
                    return Ok(SideSource::Revision { word: word.clone(), commit });
                }
            }
        }
        Ok(SideSource::Paths(results))
    }

    /// The default base of results of a commit.
    pub(crate) fn merge_base_of(&self, revision: &str) -> Result<SideSource, Error> {
        let of = Repository::discover(&self.directory)?.resolve(revision)?;
        Ok(SideSource::MergeBase { of: Some(of) })
    }

    /// Resolves both sides of a comparison for which one word was given. A path is head if the store has runs to compare it
    /// with, and otherwise the base of the results in the default place; a note reports which. A revision, and a
    /// baseline that criterion saved under a name, are always the base.
    pub(crate) fn resolve_one(&self, word: &str) -> Result<(SideSource, SideSource, Option<Diagnostic>), Error> {
        let one = self.resolve(&[word.to_owned()], DefaultSide::Base)?;
        let SideSource::Paths(results) = &one else { return Ok((one, self.resolve(&[], DefaultSide::Head)?, None)) };
        let is_saved = |results: &Results| match &results.location {
            Location::Directory { baseline, .. } => baseline != "new" || word.ends_with("@new"),
            Location::StandardInput | Location::File(_) => false,
        };
        if results.iter().any(is_saved) {
            return Ok((one, self.resolve(&[], DefaultSide::Head)?, None));
        }
        if self.has_stored_runs()? {
            let message =
                format!("comparing this path with the stored runs; to use it as the base, write `--base {word}`");
            // Without stored runs, the same command compares these results with the path.
            let unread = self.resolve(&[], DefaultSide::Head).ok().and_then(|head| names_of_others(&head, results));
            let diagnostic = match unread {
                Some(names) => Diagnostic::warning("one-path", "", format!("{message}; {names} is not read")),
                None => Diagnostic::note("one-path", "", message),
            };
            return Ok((SideSource::MergeBase { of: None }, one, Some(diagnostic)));
        }
        let alone = |looked: String| match self.open_store() {
            Err(error @ Error::Store(StoreError::Reftable)) => error,
            _ => Error::OnePath { word: word.to_owned(), store: self.store_url().to_owned(), looked },
        };
        let head = match self.resolve(&[], DefaultSide::Head) {
            Ok(head) => head,
            Err(Error::NoResults { looked, .. }) => return Err(alone(looked)),
            Err(error) => return Err(error),
        };
        let SideSource::WorkTree(_) = &head else { return Ok((one, head, None)) };
        let Some(names) = names_of_others(&head, results) else { return Err(alone("any other place".to_owned())) };
        let message = format!("one path and no stored runs, so it is the base, and {names} is the head");
        Ok((one, head, Some(Diagnostic::note("one-path", "", message))))
    }

    /// False outside of a git repository.
    fn has_stored_runs(&self) -> Result<bool, Error> {
        match self.open_store() {
            Ok(store) => Ok(!store.newest(1)?.keys.is_empty()),
            Err(Error::Store(StoreError::Reftable)) => Ok(false),
            Err(Error::Store(StoreError::Repository(why))) if matches!(*why, RepositoryError::None { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn results_at(&self, word: &str, location: Location) -> Results {
        Results { word: word.to_owned(), location, format: self.input_format.clone() }
    }

    fn resolve_revision(&self, word: &str) -> Result<Commit, Error> {
        self.find_revision(word).map_err(|error| inaccessible(word).unwrap_or(error))
    }

    fn find_revision(&self, word: &str) -> Result<Commit, Error> {
        let path = word.rsplit_once('@').map_or(word, |(path, _)| path);
        let is_path = Location::looks_like_path(word);
        if is_path && Path::new(path).exists() {
            return Err(Error::NotADirectory { word: word.to_owned(), path: path.to_owned() });
        }
        // Look the word up in git before judging it by its form: `v1.0` and `release/1.0` may be revisions.
        let no_such_path = |source| Error::NoSuchPath { word: word.to_owned(), source };
        let repository = match Repository::discover(&self.directory) {
            Ok(repository) => repository,
            Err(_) if is_path => return Err(no_such_path(None)),
            Err(RepositoryError::None { directory }) => {
                return Err(Error::NotInRepository { word: word.to_owned(), directory });
            }
            Err(source) => return Err(no_such_path(Some(source))),
        };
        repository.resolve(word).map_err(|error| match error {
            _ if is_path => no_such_path(None),
            RepositoryError::Revision { .. } | RepositoryError::Unborn => Error::UnknownSide { word: word.to_owned() },
            other => other.into(),
        })
    }

    /// The results at these paths; without paths, the default results.
    pub(crate) fn results(&self, paths: &[String]) -> Result<Vec<Results>, Error> {
        if paths.is_empty() {
            return self.default_results();
        }
        let at = |word: &String| {
            let missing = || Error::NoSuchPath { word: word.clone(), source: None };
            let location = Location::parse(word).ok_or_else(|| inaccessible(word).unwrap_or_else(missing))?;
            Ok(self.results_at(word, location))
        };
        paths.iter().map(at).collect()
    }

    /// `[[input]]` of the config, or criterion's directory.
    fn default_results(&self) -> Result<Vec<Results>, Error> {
        let inputs = self.config.policy.inputs();
        if inputs.is_empty() {
            let trees = Location::default_trees(&self.directory);
            let path = trees.iter().find(|path| path.is_dir());
            let path = path.cloned().ok_or_else(|| Error::NoResults {
                is_head: false,
                looked: list(&trees),
                advice: advice_on_results(&self.directory),
            })?;
            let word = path.strip_prefix("./").unwrap_or(&path).display().to_string();
            return Ok(vec![
                self.results_at(&word, Location::Directory { path: path.clone(), baseline: "new".into() }),
            ]);
        }
        inputs
            .iter()
            .map(|rule| {
                let path = self.config.directory.join(&rule.path).display().to_string();
                let missing = || Error::MissingInput { place: self.config.policy.place(rule.line), path: path.clone() };
                let location = Location::parse(&path).ok_or_else(|| inaccessible(&path).unwrap_or_else(missing))?;
                let format = self.input_format.clone().or_else(|| rule.format.clone());
                Ok(Results { word: path, location, format })
            })
            .collect()
    }

    /// Opens the store. A ref is looked up in the measured repository. A path in the config is relative to the config's directory.
    pub(crate) fn open_store(&self) -> Result<Box<dyn Store>, Error> {
        let url = self.store_url();
        let of_config = self.store.is_none() && !url.starts_with("git:");
        let base: &Path = if of_config { &self.config.directory } else { &self.directory };
        Ok(store::open(url, base)?)
    }

    /// The URL of the store.
    pub(crate) fn store_url(&self) -> &str {
        self.store.as_deref().unwrap_or_else(|| self.config.policy.store_url())
    }
}

/// The error for a path in a directory that may not be entered.
fn inaccessible(path: &str) -> Option<Error> {
    let error = Path::new(path).metadata().err().filter(|error| error.kind() == ErrorKind::PermissionDenied)?;
    Some(InputError::Refused { place: path.to_owned(), error }.into())
}

/// The names of the results that were found in the default place, unless they are those that the user named.
fn names_of_others(found: &SideSource, results: &[Results]) -> Option<String> {
    let SideSource::WorkTree(found) = found else { return None };
    let real = |results: &[Results]| results.iter().map(|one| real_location(&one.location)).collect::<Vec<_>>();
    let names = found.iter().map(|results| results.word.as_str()).collect::<Vec<_>>();
    (real(found) != real(results)).then(|| names.join(", "))
}

/// A location with the real path, so that two spellings of one place are equal.
pub(super) fn real_location(location: &Location) -> Location {
    let real = |path: &Path| dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match location {
        Location::StandardInput => Location::StandardInput,
        Location::File(path) => Location::File(real(path)),
        Location::Directory { path, baseline } => Location::Directory { path: real(path), baseline: baseline.clone() },
    }
}

/// How to name results in a directory: those that are there, or how to get some.
pub(super) fn advice_on_results(directory: &Path) -> String {
    let real = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let results = files::results_in(directory);
    if results.is_empty()
        && let Some(above) = Location::tree_above(directory)
    {
        return format!("give the path of the results, such as `{}`", above.display());
    }
    match results.as_slice() {
        [] if real.ancestors().any(|above| above.join("Cargo.toml").is_file()) => {
            "run `cargo bench` first, or give the path of the results".to_owned()
        }
        [] => "run the benchmarks first, and give the path of the results".to_owned(),
        [(name, format), ..] => format!("give the path of the results, such as `{name}` (it looks like {format})"),
    }
}

/// Paths for a message.
fn list(paths: &[PathBuf]) -> String {
    let shown = |path: &PathBuf| path.strip_prefix(".").unwrap_or(path).display().to_string();
    paths.iter().map(shown).collect::<Vec<_>>().join(" or ")
}

/// Paths as the words of a command line.
pub(super) fn path_words<P: AsRef<Path>>(paths: &[P]) -> Vec<String> {
    paths.iter().map(|path| path.as_ref().to_string_lossy().into_owned()).collect()
}
