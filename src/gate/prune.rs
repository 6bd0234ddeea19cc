//! Decides which stored runs stay whole, are thinned to quantiles, or are removed, and does it.
//!
//! If a run is thinned, the whole form is removed only after the thinned form is stored. A concurrent reader sees each
//! run once. A prune that is interrupted can be repeated.

use super::builder::Gate;
use super::stored_history::with_series_rules;
use crate::history::{BranchKind, PruneAction, PruneCandidate, Pruner, Retention, thin};
use crate::io::repository::RepositoryError;
use crate::io::store::{Key, Listing, Store, StoreError};
use crate::model::{Commit, Detail, Diagnostic, Evidence, Run, record};
use crate::policy::{Policy, Start};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Number of runs that are read at a time.
const BATCH_RUNS: usize = 64;

/// Why nothing was pruned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PruneError {
    /// There is no git repository.
    #[error("prune needs the default branch and the tags")]
    NoRepository {
        /// What git reported.
        source: RepositoryError,
    },
    /// The clone has only part of the history.
    #[error(
        "this clone is shallow, and prune needs the whole default branch and all tags; fetch them first \
         (actions/checkout with fetch-depth: 0, or git fetch --unshallow --tags)"
    )]
    Shallow,
    /// A revision of the config is unknown.
    #[error("{place}: {runs} would not be kept")]
    Unresolved {
        /// The line of the config.
        place: String,
        /// The runs that would be lost.
        runs: &'static str,
        /// What git reported.
        source: RepositoryError,
    },
    /// The start of an epoch is unknown or in the future.
    #[error("{0}; fix perfgate.toml first, or the runs where the epoch begins would not be kept")]
    UnknownEpoch(Diagnostic),
    /// The git repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Commits whose runs are treated specially.
pub(crate) struct SpecialCommits {
    default_branch: String,
    on_default_branch: BTreeSet<Commit>,
    /// Tagged, pinned, or the beginning of an epoch.
    named: BTreeSet<Commit>,
    /// Names the further branches of baselines.
    policy: Policy,
}

impl SpecialCommits {
    /// Reads them from git and the config; an error stops the prune, so that nothing is removed by mistake.
    pub(crate) fn find(gate: &Gate) -> Result<SpecialCommits, PruneError> {
        let repository = gate.stated_repository().map_err(|source| PruneError::NoRepository { source })?;
        if repository.is_shallow() {
            return Err(PruneError::Shallow);
        }
        let policy = gate.policy();
        let (default_branch, on_default_branch) = repository.default_branch_commits()?;
        let mut named = repository.tagged_commits()?;
        let resolve = |revision: &str, line: usize, runs: &'static str| {
            let place = policy.place(line);
            repository.resolve(revision).map_err(|source| PruneError::Unresolved { place, runs, source })
        };
        if let Some(pin) = policy.pin() {
            named.insert(resolve(&pin.revision, pin.line, "the runs of [baseline] pin")?);
        }
        for epoch in policy.epochs() {
            if let Start::Revision(revision) = &epoch.start {
                named.insert(resolve(revision, epoch.line, "the runs where the epoch begins")?);
            }
        }
        Ok(SpecialCommits { default_branch, on_default_branch, named, policy: policy.clone() })
    }

    fn candidate<'r>(&self, run: &'r Run) -> PruneCandidate<'r> {
        let has = |commits: &BTreeSet<Commit>| run.commit.as_ref().is_some_and(|commit| commits.contains(commit));
        let on_default_branch = has(&self.on_default_branch) || run.branch.as_deref() == Some(&self.default_branch);
        let further = run.branch.as_deref().filter(|branch| self.policy.is_baseline_branch(branch));
        let branch = match further {
            _ if on_default_branch => BranchKind::Default,
            Some(branch) => BranchKind::Baseline(branch.to_owned()),
            None => BranchKind::Other,
        };
        PruneCandidate { run, branch, named: has(&self.named) }
    }
}

/// What happens to every run.
#[derive(Debug, Default)]
pub(crate) struct PrunePlan {
    /// Runs that stay whole because they are among the newest.
    pub newest: usize,
    /// Runs that stay whole because a tag, pin or epoch names their commit.
    pub named: usize,
    /// Runs that stay whole because they are in a base window.
    pub base: usize,
    /// Runs that were thinned before.
    pub thin_already: usize,
    /// Old runs without samples: thinning would not make them smaller.
    pub without_samples: usize,
    /// Runs to thin.
    pub to_thin: Vec<Key>,
    /// Runs to remove.
    pub to_remove: Vec<Key>,
    /// Why some runs cannot be read.
    pub unreadable: Vec<String>,
    /// Size of all runs in bytes.
    pub bytes_before: usize,
    /// Size of the runs that remain, in bytes.
    pub bytes_after: usize,
}

impl PrunePlan {
    /// Reads every run, newest first, and decides on it. Runs that cannot be read are left as they are.
    pub(crate) fn make(
        gate: &Gate,
        store: &dyn Store,
        listing: &Listing,
        special: &SpecialCommits,
        keep: Retention,
    ) -> Result<PrunePlan, PruneError> {
        let mut diagnostics = Vec::new();
        let epochs = gate.epochs(&mut diagnostics);
        if let Some(unknown) = diagnostics.into_iter().next() {
            return Err(PruneError::UnknownEpoch(unknown));
        }
        Ok(with_series_rules(gate.policy(), &epochs, |rules| {
            PrunePlan::decide(store, listing, special, Pruner::new(keep, rules))
        }))
    }

    fn decide(store: &dyn Store, listing: &Listing, special: &SpecialCommits, mut pruner: Pruner<'_>) -> PrunePlan {
        let mut plan = PrunePlan::default();
        let newest_first: Vec<Key> = listing.keys.iter().rev().cloned().collect();
        for batch in newest_first.chunks(BATCH_RUNS) {
            let bytes = store.read_all(batch);
            let read: Vec<Result<(usize, Run), StoreError>> =
                batch.par_iter().zip(bytes).map(|(key, bytes)| read(store, key, &bytes?)).collect();
            for (key, read) in batch.iter().zip(read) {
                match read {
                    Ok((size, run)) => plan.add(key, size, &run, pruner.decide(&special.candidate(&run))),
                    Err(error) => plan.unreadable.push(error.to_string()),
                }
            }
        }
        plan
    }

    fn add(&mut self, key: &Key, size: usize, run: &Run, action: PruneAction) {
        let has_samples =
            |evidence: &Evidence| matches!(evidence, Evidence::Digest(_) | Evidence::Samples(_) | Evidence::Rounded(_));
        self.bytes_before += size;
        match action {
            PruneAction::Remove => return self.to_remove.push(key.clone()),
            PruneAction::Thin if key.is_thinned() => self.thin_already += 1,
            PruneAction::Thin if run.measurements.iter().any(|m| m.evidence.iter().any(has_samples)) => {
                return self.to_thin.push(key.clone());
            }
            PruneAction::Thin => self.without_samples += 1,
            PruneAction::KeepNewest => self.newest += 1,
            PruneAction::KeepNamed => self.named += 1,
            PruneAction::KeepBase => self.base += 1,
        }
        self.bytes_after += size;
    }

    /// The thinned forms of some runs, without runs that cannot be read or have nothing to thin.
    fn thin(&mut self, store: &dyn Store, keys: &[Key]) -> Vec<(Key, (Key, Vec<u8>))> {
        let thin = |(key, bytes): (&Key, Result<Vec<u8>, StoreError>)| -> Result<(usize, Option<Vec<u8>>), String> {
            let bytes = bytes.map_err(|error| error.to_string())?;
            let thin = thin(&bytes).map_err(|error| format!("{key}: {error}"))?;
            Ok((bytes.len(), thin.filter(|thin| thin.len() < bytes.len())))
        };
        let thin: Vec<_> = keys.par_iter().zip(store.read_all(keys)).map(thin).collect();
        let mut done = Vec::with_capacity(keys.len());
        for (key, thin) in keys.iter().zip(thin) {
            match thin {
                Ok((_, Some(thin))) => {
                    self.bytes_after += thin.len();
                    done.push((key.clone(), (key.thinned(&thin), thin)));
                }
                Ok((size, None)) => {
                    self.bytes_after += size;
                    self.without_samples += 1;
                }
                Err(why) => self.unreadable.push(why),
            }
        }
        done
    }

    /// Computes the size after thinning; does not write anything.
    pub(crate) fn estimate(&mut self, store: &dyn Store) {
        let keys = std::mem::take(&mut self.to_thin);
        for batch in keys.chunks(BATCH_RUNS) {
            let thin = self.thin(store, batch);
            self.to_thin.extend(thin.into_iter().map(|(key, _)| key));
        }
    }

    /// Stores all thinned forms, and then removes the whole runs and the oldest ones.
    pub(crate) fn execute(&mut self, store: &dyn Store, listing: &Listing) -> Result<(), StoreError> {
        let keys = std::mem::take(&mut self.to_thin);
        let mut forms = BTreeSet::new();
        for batch in keys.chunks(BATCH_RUNS) {
            let (whole, thin): (Vec<Key>, Vec<(Key, Vec<u8>)>) = self.thin(store, batch).into_iter().unzip();
            store.write(&thin)?;
            self.to_thin.extend(whole);
            forms.extend(thin.into_iter().map(|(key, _)| key));
        }
        let pruned = self.to_thin.iter().chain(&self.to_remove);
        // Thinned forms that an interrupted prune left next to the whole run.
        let left = listing.duplicates.iter().filter(|key| !forms.contains(*key));
        let pruned: Vec<Key> = pruned.chain(left).cloned().collect();
        if !pruned.is_empty() {
            store.prune(&pruned)?;
        }
        Ok(())
    }
}

fn read(store: &dyn Store, key: &Key, bytes: &[u8]) -> Result<(usize, Run), StoreError> {
    let damaged = |error: record::RecordError| StoreError::Damaged {
        store: store.url(),
        place: key.to_string(),
        why: error.reason(),
    };
    Ok((bytes.len(), record::decode(bytes, Detail::Digests).map_err(damaged)?))
}
