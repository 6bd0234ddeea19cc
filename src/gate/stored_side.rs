//! The stored runs of one commit as a side of a comparison: as head, or as the base that a revision names.

use super::builder::Gate;
use super::error::Error;
use super::side::Side;
use crate::history::{WINDOW_RUNS, join_shards, machine_class};
use crate::io::repository::Repository;
use crate::io::store::{self, Key, Store, StoreError};
use crate::model::{Commit, Detail, Diagnostic, Environment, Run};
use crate::verdict::SideReport;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Maximum number of shards of one commit, over all machines.
const MAX_SHARDS: usize = 50;

/// A stored run with its name.
pub(super) type KeyedRun = (Key, Run);

impl Gate {
    /// Reads the stored runs of one commit, with their samples.
    pub(crate) fn read_own(&self, commit: &Commit) -> Result<Side, Error> {
        self.read_revision(commit.short(), commit, Detail::Samples)
    }

    /// Reads the stored runs of one commit as a head. If there is none, head was not measured: that is not a missing
    /// baseline.
    pub(super) fn read_stored_head(&self, word: &str, commit: &Commit, detail: Detail) -> Result<Side, Error> {
        self.read_revision(word, commit, detail).map_err(|error| match error {
            Error::MissingBaseline(message) => Error::HeadNotStored(message),
            error => error,
        })
    }

    /// Reads the stored runs of one commit as the base of a head that was measured at `head_time`. Benchmarks for
    /// which an epoch starts between the two are left out.
    pub(super) fn read_base_revision(
        &self,
        word: &str,
        commit: &Commit,
        head_time: i64,
        detail: Detail,
    ) -> Result<Side, Error> {
        let mut base = self.read_revision(word, commit, detail)?;
        self.leave_out_other_epochs(&mut base, head_time)?;
        Ok(base)
    }

    /// Reads the stored runs of one commit.
    fn read_revision(&self, word: &str, commit: &Commit, detail: Detail) -> Result<Side, Error> {
        let store = self.open_store()?;
        let repository = Repository::discover(&self.directory)?;
        let time = repository.time(commit)?;
        let keys = store::of_commits(&*store, &[(commit.clone(), time)])?.remove(commit).unwrap_or_default();
        if keys.is_empty() {
            let is_checked_out = repository.head().is_ok_and(|head| head.commit == *commit);
            return Err(Error::MissingBaseline(format!(
                "no stored run of {word} ({}) in {}; {}run the benchmarks and `perfgate record`, or fetch the runs with \
                 `perfgate runs pull`",
                commit.short(),
                store.url(),
                if is_checked_out { "" } else { "check it out, " }
            )));
        }
        let mut side = stored_side(&*store, &keys, word.to_owned(), detail, self.config.policy.ignored_environment())?;
        side.runs.iter_mut().for_each(|run| self.continue_series(run));
        Ok(side)
    }
}

/// The newest runs of each machine class among the stored runs of a commit.
fn stored_side(
    store: &dyn Store,
    keys: &[Key],
    label: String,
    detail: Detail,
    ignored: &[&str],
) -> Result<Side, StoreError> {
    let read = |keys: &[Key]| {
        let read = keys.iter().zip(store::read_runs(store, keys, detail)).rev();
        read.map(|(key, run)| Ok((key.clone(), run?))).collect::<Result<Vec<KeyedRun>, StoreError>>()
    };
    let (older, newest) = keys.split_at(keys.len().saturating_sub(WINDOW_RUNS));
    let mut runs = read(newest)?;
    let machines: BTreeSet<String> = runs.iter().map(|(_, run)| machine_class(&run.environment, ignored)).collect();
    let sharded = runs.iter().any(|(_, run)| run.environment.get(Environment::SHARD).is_some());
    if machines.len() > 1 || sharded {
        runs.extend(read(&older[older.len().saturating_sub(MAX_SHARDS * WINDOW_RUNS)..])?);
    }
    let mut runs = join_shards(runs, ignored);
    let mut counts: HashMap<String, usize> = HashMap::new();
    runs.retain(|(_, run)| {
        let count = counts.entry(machine_class(&run.environment, ignored)).or_default();
        *count += 1;
        *count <= WINDOW_RUNS
    });
    Ok(side_of_stored(runs, label))
}

/// Makes a side of stored runs. They are given newest first; in the side they are oldest first.
pub(super) fn side_of_stored(mut runs: Vec<KeyedRun>, label: String) -> Side {
    // The keys of one commit have no order. Where the results state when they were measured, that is their order.
    for same in runs.chunk_by_mut(|(a, _), (b, _)| a.commit().is_some() && a.commit() == b.commit()) {
        if same.iter().all(|(_, run)| run.measured.is_some()) {
            same.sort_by_key(|(_, run)| Reverse(run.measured));
        }
    }
    let mut commits: Vec<Commit> = Vec::new();
    for commit in runs.iter().filter_map(|(key, _)| key.commit()) {
        if !commits.contains(commit) {
            commits.push(commit.clone());
        }
    }
    let environment = runs.first().map(|(_, run)| run.environment.clone());
    let diagnostics = dirty_baseline(runs.iter().map(|(_, run)| run)).into_iter().collect();
    let report = SideReport {
        label,
        runs: runs.len(),
        commit: commits.first().cloned(),
        commits,
        environment: environment.clone().unwrap_or_default().0,
        ..SideReport::default()
    };
    let mut runs: Vec<Run> = runs.into_iter().map(|(_, run)| run).collect();
    runs.reverse();
    Side { runs, report, environment, diagnostics, locations: Vec::new(), older: BTreeMap::new() }
}

/// A warning if stored runs were made with uncommitted changes.
pub(super) fn dirty_baseline<'r>(runs: impl ExactSizeIterator<Item = &'r Run>) -> Option<Diagnostic> {
    let all = runs.len();
    let dirty = runs.filter(|run| run.environment.get(Environment::DIRTY).is_some()).count();
    let verb = if dirty == 1 { "was" } else { "were" };
    let message = format!("{dirty} of the {all} stored runs {verb} made with uncommitted changes");
    (dirty > 0).then(|| Diagnostic::warning("dirty-baseline", "", message))
}
