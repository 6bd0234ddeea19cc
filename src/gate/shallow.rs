//! Stored runs that a shallow clone cannot use as base, because it does not have their commits.

use super::error::Error;
use crate::history::HISTORY_RUNS;
use crate::io::repository::{CANDIDATES, Repository};
use crate::io::store::{Key, Store};
use crate::model::{Commit, Diagnostic};

/// A note on the stored runs of a history whose commits a shallow clone does not have. Their place on the branch is unknown.
pub(super) fn unknown_commits(repository: &Repository, keys: &[Key]) -> Option<Diagnostic> {
    if !repository.is_shallow() {
        return None;
    }
    let is_unknown = |key: &&Key| key.commit().is_some_and(|commit| repository.time(commit).is_err());
    let runs = match keys.iter().filter(is_unknown).count() {
        0 => return None,
        1 => "1 stored run is of a commit that it does not have, perhaps of another branch".to_owned(),
        count => format!("{count} stored runs are of commits that it does not have, perhaps of other branches"),
    };
    let message = format!("this clone is shallow: {runs}; all runs are in the order of their dates; {FIX}");
    Some(Diagnostic::note("shallow-clone", "", message))
}

/// How to get the missing history.
const FIX: &str = "fetch the full history (`git fetch --unshallow`)";

/// A message with the number of newest stored runs that are older than all candidates and whose commits the clone does not have.
/// `None` in a full clone.
pub(super) fn unused_runs(
    store: &dyn Store,
    repository: &Repository,
    candidates: &[Commit],
) -> Result<Option<String>, Error> {
    let Some(oldest) = candidates.last().filter(|_| repository.is_shallow() && candidates.len() < CANDIDATES) else {
        return Ok(None);
    };
    let oldest = repository.time(oldest)?;
    let newest = store.newest(HISTORY_RUNS)?;
    let is_unused = |commit: &Commit| repository.time(commit).is_err();
    let unused = newest.keys.iter().filter(|key| key.time() <= oldest && key.commit().is_some_and(is_unused)).count();
    let runs = match unused {
        0 => return Ok(None),
        1 => "1 stored run of an earlier commit".to_owned(),
        count => format!("{count} stored runs of earlier commits"),
    };
    let at_least = if newest.more { "at least " } else { "" };
    Ok(Some(format!("this clone is shallow, so {at_least}{runs} cannot be used as base; {FIX}")))
}
