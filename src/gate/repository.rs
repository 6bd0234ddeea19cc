//! The repository of a gate, with its default branch.

use super::builder::Gate;
use crate::io::repository::{Repository, RepositoryError};
use crate::io::store;
use crate::model::Detail;
use std::collections::BTreeMap;

/// The default branch is searched in this many of the newest stored runs.
const RUNS: usize = 20;

impl Gate {
    /// Opens the repository. The config states its default branch; if neither the config nor git does, the stored runs do.
    pub(crate) fn repository(&self) -> Result<Repository, RepositoryError> {
        let mut repository = Repository::discover(&self.directory)?;
        if let Some(branch) = self.policy().default_branch() {
            repository.state_default_branch(branch);
        } else if let Err(RepositoryError::NoDefaultBranch { .. }) = repository.default_branch()
            && let Some(branch) = self.branch_of_stored_runs(&repository)
        {
            repository.state_default_branch(&branch);
        }
        Ok(repository)
    }

    /// The branch that most of the newest stored runs are of, among those of this clone.
    fn branch_of_stored_runs(&self, repository: &Repository) -> Option<String> {
        let store = self.open_store().ok()?;
        let newest = store.newest(RUNS).ok()?;
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for run in store::read_runs(&*store, &newest.keys, Detail::Digests).into_iter().flatten() {
            if let Some(branch) = run.branch.filter(|branch| repository.is_branch(branch)) {
                *counts.entry(branch).or_default() += 1;
            }
        }
        // Of two with the same number, the one that is not checked out.
        let current = repository.head().ok().and_then(|head| head.branch);
        counts
            .into_iter()
            .max_by_key(|(branch, count)| (*count, current.as_ref() != Some(branch)))
            .map(|(name, _)| name)
    }
}
