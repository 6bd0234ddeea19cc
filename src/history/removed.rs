//! Drops benchmarks from a baseline that an earlier commit removed from the suite, so that they do not count as removed
//! by head.

use super::machine_class;
use crate::model::{BenchId, Environment, Measurement, Run};
use std::collections::BTreeSet;

/// Removes the metrics that neither head nor the newest commit of the baseline has. `base` is in time order, and `current`
/// gives the current name of a benchmark.
///
/// Nothing is removed where a missing result can have another cause: base has several machines or only one shard of several, or
/// a run ended early. Where the newest commit has less than half of the suite before it, it may be a filtered run, so the
/// commit before it counts too.
pub fn leave_out_removed(base: &mut [Run], head: &[Run], ignored: &[&str], current: impl Fn(&str) -> Option<String>) {
    let machines: BTreeSet<String> = base.iter().map(|run| machine_class(&run.environment, ignored)).collect();
    let mut first = start_of_last_commit(base);
    if first > 0 && 2 * names(&base[first..]).len() < names(&base[start_of_last_commit(&base[..first])..first]).len() {
        first = start_of_last_commit(&base[..first]);
    }
    let (older, newest) = base.split_at_mut(first);
    let present = || newest.iter().chain(head);
    let is_partial = |run: &Run| !run.failures.early_ends.is_empty();
    let has_shard = |run: &Run| run.environment.get(Environment::SHARD).is_some();
    let is_one_shard = newest.iter().any(has_shard) && !head.iter().all(has_shard);
    if older.is_empty() || machines.len() > 1 || is_one_shard || present().any(is_partial) {
        return;
    }
    let name = |name: &str| current(name).unwrap_or_else(|| name.to_owned());
    let key = |one: &Measurement| (name(one.benchmark.as_str()), one.metric.name.clone(), one.tool.clone());
    let kept: BTreeSet<_> = present().flat_map(|run| &run.measurements).map(key).collect();
    // A benchmark that failed or was skipped has no measurements, but it is still part of the suite.
    let without = |run: &Run| -> Vec<String> {
        let failed = run.failures.benchmarks.iter().map(|one| &one.benchmark);
        let all = failed.chain(run.failures.skipped.iter().map(|one| &one.benchmark));
        all.map(|benchmark| name(benchmark.as_str())).collect()
    };
    let without: BTreeSet<String> = present().flat_map(without).collect();
    for run in older {
        run.measurements.retain(|one| kept.contains(&key(one)) || without.contains(&name(one.benchmark.as_str())));
    }
}

/// The index of the first run of the last commit; 0 if a run has no commit.
fn start_of_last_commit(runs: &[Run]) -> usize {
    let Some(last) = runs.last().and_then(|run| run.commit.as_ref()) else { return 0 };
    runs.iter().rposition(|run| run.commit.as_ref() != Some(last)).map_or(0, |before| before + 1)
}

fn names(runs: &[Run]) -> BTreeSet<&BenchId> {
    runs.iter().flat_map(|run| &run.measurements).map(|measurement| &measurement.benchmark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Commit, Evidence, Metric, SkippedBenchmark};

    fn run(commit: u32, cpu: &str, names: &[&str]) -> Run {
        let named = |name: &&str| Measurement::new("t", *name, Metric::time(), Evidence::Value(1.0));
        let mut run = Run {
            commit: Commit::parse(&format!("{commit:040x}")),
            measurements: names.iter().map(named).collect(),
            ..Run::default()
        };
        run.environment.set(Environment::CPU, cpu);
        run
    }

    /// The benchmarks that are left in the oldest of the base runs.
    fn left(mut base: Vec<Run>, head: Run) -> Vec<String> {
        leave_out_removed(&mut base, &[head], &[], |_| None);
        base[0].measurements.iter().map(|one| one.benchmark.to_string()).collect()
    }

    #[test]
    fn what_the_newest_commit_and_head_lack_is_left_out() {
        let all = ["a", "b", "c", "d", "e"];
        let head = || run(9, "X", &["a", "b"]);
        assert_eq!(left(vec![run(1, "X", &all), run(2, "X", &["a", "b", "c"])], head()), ["a", "b", "c"]);
        // Head, or an unknown cause, may be the reason.
        assert_eq!(left(vec![run(1, "X", &all), run(1, "X", &["a"])], head()), all);
        assert_eq!(left(vec![run(1, "X", &all), run(2, "Y", &["a", "b", "c"])], head()), all);
        let mut skipped = run(2, "X", &["a", "b", "c", "d"]);
        skipped.failures.skipped = vec![SkippedBenchmark { tool: "t".into(), benchmark: BenchId::new("e") }];
        assert_eq!(left(vec![run(1, "X", &all), skipped], head()), all);
        // Less than half of the suite may be a filtered run; two such runs in a row are not.
        let few = |commit| run(commit, "X", &["a", "b"]);
        assert_eq!(left(vec![run(1, "X", &all), run(2, "X", &all), few(3)], head()), all);
        assert_eq!(left(vec![run(1, "X", &all), few(2), few(3)], head()), ["a", "b"]);
    }
}
