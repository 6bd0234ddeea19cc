//! Leaves benchmarks out of a baseline that were taken out of the suite before head: head did not remove them.

use crate::model::{Environment, Measurement, Run};
use std::collections::BTreeSet;

/// Removes the metrics that neither head nor the newest commit of the baseline has. `base` is in time order, and `current`
/// gives the present name of a benchmark.
///
/// Nothing is removed where a missing result can have another cause: the newest runs are one shard of several, or a run ended
/// early.
pub fn leave_out_gone(base: &mut [Run], head: &[Run], current: impl Fn(&str) -> Option<String>) {
    let Some(newest) = base.last().and_then(|run| run.commit.clone()) else { return };
    let older = base.iter().rposition(|run| run.commit.as_ref() != Some(&newest)).map_or(0, |last| last + 1);
    let (older, newest) = base.split_at_mut(older);
    let present = || newest.iter().chain(head);
    let is_partial = |run: &Run| !run.failures.early_ends.is_empty();
    let has_shard = |run: &Run| run.environment.get(Environment::SHARD).is_some();
    if older.is_empty() || present().any(is_partial) || newest.iter().any(has_shard) && !head.iter().all(has_shard) {
        return;
    }
    let name = |name: &str| current(name).unwrap_or_else(|| name.to_owned());
    let key = |one: &Measurement| (name(one.benchmark.as_str()), one.metric.name.clone(), one.tool.clone());
    let kept: BTreeSet<_> = present().flat_map(|run| &run.measurements).map(key).collect();
    // A failed benchmark has no metrics.
    let failed: BTreeSet<String> =
        present().flat_map(|run| &run.failures.benchmarks).map(|failed| name(failed.benchmark.as_str())).collect();
    for run in older {
        run.measurements.retain(|one| kept.contains(&key(one)) || failed.contains(&name(one.benchmark.as_str())));
    }
}
