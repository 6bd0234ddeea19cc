//! Results as a stored run of a commit.

use super::builder::Gate;
use super::error::Error;
use super::judge::PolicyRules;
use super::sources::{Results, path_words};
use super::stated::{complete, other_commit, refuse_other_commits};
use crate::compare::{SameResults, same_results};
use crate::history::WINDOW_RUNS;
use crate::io::input::{self, LoadedResults};
use crate::io::repository::{Head, Repository};
use crate::io::store::{self, Key, Store};
use crate::model::number_text::{counted, thousands};
use crate::model::{Commit, Detail, Environment, Run, record};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// A run that was stored.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedRun {
    /// The commit.
    pub commit: Commit,
    /// How many results it has.
    pub results: usize,
    /// Its size in bytes.
    pub bytes: usize,
    /// False if the store had it already.
    pub added: bool,
    /// The store's name.
    pub store: String,
}

/// The commit of results.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ResultsOf<'a> {
    /// The checked-out one. Results that state another one are refused.
    CheckedOut,
    /// The checked-out one, which may be the test merge of the commit that the results state.
    CheckedOutOrMerged,
    /// The one that the user names. The results may state another one, and may be older.
    Named(&'a str),
}

impl std::fmt::Display for RecordedRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = if self.added { "recorded" } else { "already recorded" };
        let (commit, store) = (self.commit.short(), &self.store);
        let results = counted(self.results, "result");
        write!(f, "{what} {results} of {commit} in {store} ({} bytes)", thousands(self.bytes))
    }
}

impl Gate {
    /// Stores results as a run of the checked-out commit. Paths as in [`Gate::compare_with_store`]. Storing the same
    /// results again changes nothing.
    ///
    /// # Errors
    ///
    /// Returns an error
    /// - if the results cannot be read or are empty;
    /// - if they state another commit or are older than the checked-out one;
    /// - if exactly the same results are stored for an earlier commit;
    /// - outside a git repository;
    /// - if the store cannot be written.
    pub fn record<P: AsRef<Path>>(&self, results: &[P]) -> Result<RecordedRun, Error> {
        let loaded = self.read_run(&path_words(results), ResultsOf::CheckedOut, false)?;
        self.store(&*self.open_store()?, &loaded.run, false)
    }

    /// Stores a run of a commit. Results that the commit already has under another branch are not stored again. Unless
    /// `force`, a run is refused as by [`Self::refuse_repeated`].
    pub(crate) fn store(&self, store: &dyn Store, run: &Run, force: bool) -> Result<RecordedRun, Error> {
        let commit = run.commit.clone().ok_or(Error::NoCommit { source: None })?;
        let near = self.stored_near(store, &commit);
        let own = near.as_ref().and_then(|near| near.stored.get(&commit)).map(Vec::as_slice).unwrap_or_default();
        if let Some(bytes) = stored_on_another_branch(store, run, own)? {
            return Ok(RecordedRun {
                commit,
                results: run.measurements.len(),
                bytes,
                added: false,
                store: store.url(),
            });
        }
        if let Some(near) = near.filter(|_| !force) {
            self.refuse_same_as_earlier(store, run, &near)?;
        }
        store_run(store, run)
    }

    /// Refuses a run with exactly the results of the nearest earlier commit that has a stored run: nothing was measured.
    pub(crate) fn refuse_repeated(&self, store: &dyn Store, run: &Run) -> Result<(), Error> {
        let near = run.commit.as_ref().and_then(|commit| self.stored_near(store, commit));
        near.map_or(Ok(()), |near| self.refuse_same_as_earlier(store, run, &near))
    }

    fn refuse_same_as_earlier(&self, store: &dyn Store, run: &Run, near: &StoredNear) -> Result<(), Error> {
        let keys_of = |commit: &Commit| near.stored.get(commit).map(Vec::as_slice).unwrap_or_default();
        let Some(earlier) = near.commits.iter().skip(1).find(|earlier| !keys_of(earlier).is_empty()) else {
            return Ok(());
        };
        let newest: Vec<Key> = keys_of(earlier).iter().rev().take(WINDOW_RUNS).cloned().collect();
        // A stored run that cannot be read must not prevent storing this one.
        let base: Vec<Run> = store::read_runs(store, &newest, Detail::Samples).into_iter().flatten().collect();
        match same_results(&base, std::slice::from_ref(run), PolicyRules(&self.config.policy)) {
            SameResults::No => Ok(()),
            SameResults::Samples | SameResults::Numbers => {
                let commit = near.commits.first().map(Commit::short).unwrap_or_default().to_owned();
                Err(Error::StoredForEarlierCommit { commit, earlier: earlier.short().to_owned() })
            }
        }
    }

    /// A commit and those before it, newest first, with their stored runs; `None` if they cannot be listed.
    fn stored_near(&self, store: &dyn Store, commit: &Commit) -> Option<StoredNear> {
        let repository = Repository::discover(&self.directory).ok()?;
        let commits: Vec<Commit> = repository.ancestors(commit, 1 + WINDOW_RUNS).ok()?.collect();
        let timed = commits.iter().map(|one| Some((one.clone(), repository.time(one).ok()?)));
        let stored = store::of_commits(store, &timed.collect::<Option<Vec<_>>>()?).ok()?;
        Some(StoredNear { commits, stored })
    }

    /// Reads results as one run of a commit. Facts on the machine that the results do not state are those of this machine.
    /// Results that are all older than the checked-out commit are refused, unless `force` or the user names their commit.
    pub(crate) fn read_run(&self, paths: &[String], of: ResultsOf<'_>, force: bool) -> Result<LoadedResults, Error> {
        let loaded = self.read_run_or_failures(paths, of, force)?;
        refuse_empty(&loaded.run)?;
        Ok(loaded)
    }

    /// [`Self::read_run`], but the run may have only failures, for a comparison elsewhere.
    pub(crate) fn read_run_or_failures(
        &self,
        paths: &[String],
        of: ResultsOf<'_>,
        force: bool,
    ) -> Result<LoadedResults, Error> {
        let (revision, is_named) = match of {
            ResultsOf::CheckedOut | ResultsOf::CheckedOutOrMerged => ("HEAD", false),
            ResultsOf::Named(revision) => (revision, true),
        };
        let repository =
            Repository::discover(&self.directory).map_err(|source| Error::NoCommit { source: Some(source) })?;
        let commit = repository.resolve(revision)?;
        let head = repository.head()?;
        let is_head = head.commit == commit;
        let committed = oldest_result(&head).filter(|_| is_head);
        let results = self.results(paths)?;
        let load = |result: &Results| input::load(&result.location, result.request(Detail::Samples, committed));
        let (here, loaded) =
            rayon::join(|| self.here(), || results.iter().map(load).collect::<Result<Vec<LoadedResults>, _>>());
        let (loaded, here) = (loaded?, here?);
        if matches!(of, ResultsOf::CheckedOut) {
            let words: Vec<&str> = results.iter().map(|result| result.word.as_str()).collect();
            refuse_other_commits(&words, &loaded, &commit)?;
        }
        let merged = input::merge(loaded);
        let LoadedResults { mut run, mut diagnostics, is_older_than_commit } = merged.measured_or_failed()?;
        if is_older_than_commit && !force && !is_named {
            return Err(Error::OnlyOlderResults { commit: commit.short().to_owned() });
        }
        if !run.failures.has_failed() {
            refuse_empty(&run)?;
        }
        run.time = repository.time(&commit)?;
        run.branch = head.branch.filter(|_| is_head);
        diagnostics.extend(complete(&mut run.environment, &here));
        diagnostics.extend(other_commit(&run, &commit));
        run.commit = Some(commit);
        Ok(LoadedResults { run, diagnostics, is_older_than_commit })
    }
}

/// The time of the checked-out commit: its results cannot be older. `None` for a commit dated in the future, because all results
/// would be older.
pub(super) fn oldest_result(head: &Head) -> Option<i64> {
    (head.time <= jiff::Timestamp::now().as_second()).then_some(head.time)
}

/// True for a run that was measured with uncommitted changes.
pub(crate) fn is_dirty(run: &Run) -> bool {
    run.environment.get(Environment::DIRTY).is_some()
}

/// Refuses a run in which nothing was measured: later runs cannot be compared with it.
pub(crate) fn refuse_empty(run: &Run) -> Result<(), Error> {
    if !run.measurements.is_empty() {
        return Ok(());
    }
    let failed = run.failures.benchmarks.first();
    let failed = failed.map(|one| (one.benchmark.as_str(), one.why.as_str()));
    let ended = run.failures.early_ends.first().map(|one| ("the run", one.why.as_str()));
    match failed.or(ended) {
        None => Err(Error::NothingToStore),
        Some((what, why)) => Err(Error::AllFailed { what: what.to_owned(), why: why.to_owned() }),
    }
}

/// Largest number of a commit's stored runs whose branches are looked up. With more runs, which only repeated measurements of one commit
/// give, the same results may be stored twice.
const MAX_RUNS_READ: usize = 50;

/// The stored runs of a commit and of those before it.
struct StoredNear {
    /// The commit, then those before it.
    commits: Vec<Commit>,
    stored: HashMap<Commit, Vec<Key>>,
}

/// The size of a run in bytes, if one of its commit's stored runs differs from it only by the branch.
fn stored_on_another_branch(store: &dyn Store, run: &Run, stored: &[Key]) -> Result<Option<usize>, Error> {
    let newest = &stored[stored.len().saturating_sub(MAX_RUNS_READ)..];
    let others = store::read_runs(store, newest, Detail::Digests).into_iter().flatten().map(|other| other.branch);
    let branches: BTreeSet<Option<String>> = others.filter(|branch| *branch != run.branch).collect();
    for branch in branches {
        let bytes = record::encode(&Run { branch, ..run.clone() }).map_err(|source| Error::Encode { source })?;
        let key = Key::new(run, &bytes);
        if stored.iter().any(|one| one.identity() == key.identity()) {
            return Ok(Some(bytes.len()));
        }
    }
    Ok(None)
}

/// Writes a run of a commit to a store.
pub(crate) fn store_run(store: &dyn Store, run: &Run) -> Result<RecordedRun, Error> {
    let commit = run.commit.clone().ok_or(Error::NoCommit { source: None })?;
    refuse_empty(run)?;
    let bytes = record::encode(run).map_err(|source| Error::Encode { source })?;
    let size = bytes.len();
    let written = store.write(&[(Key::new(run, &bytes), bytes)])?;
    Ok(RecordedRun {
        commit,
        results: run.measurements.len(),
        bytes: size,
        added: written.added == 1,
        store: store.url(),
    })
}
