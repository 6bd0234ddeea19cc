//! The repository of a gate, with its default branch.

use super::builder::Gate;
use crate::io::repository::{Repository, RepositoryError};
use crate::io::store;
use crate::model::{Detail, Diagnostic};
use std::collections::BTreeMap;

/// Number of newest stored runs that are searched for the default branch.
const MAX_SEARCHED_RUNS: usize = 20;

impl Gate {
    /// Opens the repository. The config states its default branch; if neither the config nor git does, the stored runs do.
    pub(crate) fn repository(&self) -> Result<Repository, RepositoryError> {
        let mut repository = self.stated_repository()?;
        if let Err(RepositoryError::NoDefaultBranch { .. }) = repository.default_branch()
            && let Some(branch) = self.branch_of_stored_runs(&repository)
        {
            repository.set_default_branch(&branch);
        }
        Ok(repository)
    }

    /// Opens the repository. Only the config or git states its default branch.
    pub(crate) fn stated_repository(&self) -> Result<Repository, RepositoryError> {
        let mut repository = Repository::discover(&self.directory)?;
        if let Some(branch) = self.policy().default_branch() {
            repository.set_default_branch(branch);
        }
        Ok(repository)
    }

    /// A note if the default branch is that of the stored runs.
    pub(super) fn note_on_default_branch(&self, repository: &Repository) -> Option<Diagnostic> {
        let stated = self.stated_repository().ok()?.default_branch();
        let Err(RepositoryError::NoDefaultBranch { .. }) = stated else { return None };
        let branch = repository.default_branch().ok()?;
        let message = format!(
            "git does not state the default branch, so it is {branch:?}, that of most stored runs; to state it, set \
             `[git] default-branch` in perfgate.toml"
        );
        Some(Diagnostic::note("default-branch", "", message))
    }

    /// The branch of most of the newest stored runs. Only branches of this clone count.
    fn branch_of_stored_runs(&self, repository: &Repository) -> Option<String> {
        let store = self.open_store().ok()?;
        let newest = store.newest(MAX_SEARCHED_RUNS).ok()?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for run in store::read_runs(&*store, &newest.keys, Detail::Digests).into_iter().flatten() {
            if let Some(branch) = run.branch.filter(|branch| repository.is_branch(branch)) {
                *counts.entry(branch).or_default() += 1;
            }
        }
        // In a tie, the branch that is not checked out.
        let current = repository.head().ok().and_then(|head| head.branch);
        counts
            .into_iter()
            .max_by_key(|(branch, count)| (*count, current.as_ref() != Some(branch)))
            .map(|(name, _)| name)
    }
}
