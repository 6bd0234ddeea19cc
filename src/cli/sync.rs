//! Exchanging stored runs with a remote.

use super::output;
use crate::io::store::{Store, StoreError, SyncCounts};
use crate::model::number_text::{counted, thousands};
use crate::render::escape;

/// Pushes the stored runs to a remote.
pub(super) fn push(store: &dyn Store, remote: &str) -> anyhow::Result<()> {
    push_and_print(store, remote, "")
}

/// Pushes the stored runs after some of them were removed or thinned.
pub(super) fn push_removals(store: &dyn Store, remote: &str) -> anyhow::Result<()> {
    push_and_print(store, remote, ", removals included")
}

fn push_and_print(store: &dyn Store, remote: &str, remark: &str) -> anyhow::Result<()> {
    let Some(counts) = unless_shared(store.push(remote))? else { return Ok(()) };
    let line = format!(
        "pushed to {remote}{remark}: {} sent, {} received{}\n",
        counted(counts.sent, "run"),
        thousands(counts.received),
        removed(&counts)
    );
    output::print(escape::lines(&line).as_bytes())
}

/// Fetches the stored runs of a remote.
pub(super) fn pull(store: &dyn Store, remote: &str) -> anyhow::Result<()> {
    let Some(counts) = unless_shared(store.pull(remote))? else { return Ok(()) };
    let line = format!("pulled from {remote}: {} received{}\n", counted(counts.received, "run"), removed(&counts));
    output::print(escape::lines(&line).as_bytes())
}

/// The number of runs that the remote no longer has: `, 3 removed`; empty without such runs.
fn removed(counts: &SyncCounts) -> String {
    if counts.removed == 0 { String::new() } else { format!(", {} removed", thousands(counts.removed)) }
}

/// The number of runs that were exchanged; `None`, with a note, where the store is shared and needs no exchange.
pub(super) fn unless_shared(exchange: Result<SyncCounts, StoreError>) -> Result<Option<SyncCounts>, StoreError> {
    match exchange {
        Err(shared @ StoreError::Shared { .. }) => {
            output::note(&shared.to_string());
            Ok(None)
        }
        exchange => exchange.map(Some),
    }
}
