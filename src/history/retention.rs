//! Decides which stored runs to keep, to thin and to remove.
//!
//! Runs are counted per machine class, shard, toolset and branch. So even many runs of one machine do not displace
//! those of another one, and pull requests do not displace the default branch. Runs named by a pin, a tag or an epoch,
//! and runs in the baseline of a benchmark, are always kept.

use super::series::machine_class;
use super::{SeriesRules, WINDOW_RUNS};
use crate::model::{Environment, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Number of runs to keep in each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Number of newest runs that are kept unchanged.
    pub whole: usize,
    /// Number of runs before those that are thinned.
    pub thinned: usize,
}

/// The branch of a commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BranchKind {
    /// The default branch.
    Default,
    /// Another branch whose runs are baselines, by name.
    Baseline(String),
    /// Another or an unknown branch.
    Other,
}

/// A stored run to decide on.
#[derive(Debug)]
pub struct PruneCandidate<'a> {
    /// The run, with digests or samples.
    pub run: &'a Run,
    /// The branch of its commit.
    pub branch: BranchKind,
    /// True if a pin, a tag or an epoch names its commit.
    pub named: bool,
}

/// What to do with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PruneAction {
    /// Keep: among the newest.
    KeepNewest,
    /// Keep: named by a pin, a tag or an epoch.
    KeepNamed,
    /// Keep: in the baseline of a benchmark.
    KeepBase,
    /// Replace the samples by quantiles.
    Thin,
    /// Remove.
    Remove,
}

/// Decides on runs, one after the other.
pub struct Pruner<'r> {
    keep: Retention,
    rules: &'r SeriesRules<'r>,
    groups: BTreeMap<Group, GroupCounts>,
}

/// Runs that are counted together: machine class, branch, shard, tools.
type Group = (String, BranchKind, String, String);

#[derive(Debug, Default)]
struct GroupCounts {
    runs: usize,
    /// Hashes of the benchmarks of the kept runs, with the number of runs that have each.
    benchmarks: HashMap<u64, usize>,
}

impl<'r> Pruner<'r> {
    /// A pruner before its first run.
    pub fn new(keep: Retention, rules: &'r SeriesRules<'r>) -> Self {
        Pruner { keep, rules, groups: BTreeMap::new() }
    }

    /// Decides on the next run; runs must come newest first.
    pub fn decide(&mut self, stored: &PruneCandidate<'_>) -> PruneAction {
        let PruneCandidate { run, branch, named } = stored;
        let tools: BTreeSet<&str> = run.measurements.iter().map(|measurement| &*measurement.tool).collect();
        let tools = tools.into_iter().collect::<Vec<_>>().join("\n");
        let shard = run.environment.get(Environment::SHARD).unwrap_or_default().to_owned();
        let group = (machine_class(&run.environment, self.rules.ignored), branch.clone(), shard, tools);
        let benchmarks = self.benchmarks(run);
        let counted = self.groups.entry(group).or_default();
        let position = counted.runs;
        counted.runs += 1;
        let newest = position < self.keep.whole;
        let mut base = false;
        for benchmark in benchmarks {
            match counted.benchmarks.get_mut(&benchmark) {
                Some(count) => {
                    base |= *count < WINDOW_RUNS;
                    *count += 1;
                }
                None if newest => {
                    counted.benchmarks.insert(benchmark, 1);
                }
                None => {}
            }
        }
        if newest {
            PruneAction::KeepNewest
        } else if *named {
            PruneAction::KeepNamed
        } else if base && *branch != BranchKind::Other {
            PruneAction::KeepBase
        } else if position < self.keep.whole.saturating_add(self.keep.thinned) {
            PruneAction::Thin
        } else {
            PruneAction::Remove
        }
    }

    /// Hashes of the benchmarks of a run that no epoch cuts off.
    fn benchmarks(&self, run: &Run) -> BTreeSet<u64> {
        let mut hashes = BTreeSet::new();
        for measurement in &run.measurements {
            let name = self.rules.name(measurement.benchmark.as_str());
            if (self.rules.epoch)(&name).is_none_or(|epoch| run.time >= epoch.start) {
                let mut hasher = DefaultHasher::new();
                (&*name, &*measurement.metric.name, &*measurement.tool).hash(&mut hasher);
                hashes.insert(hasher.finish());
            }
        }
        hashes
    }
}

#[cfg(test)]
mod tests {
    use super::super::Epoch;
    use super::*;
    use crate::model::{Evidence, Measurement, Metric};
    use std::sync::Arc;

    fn run(time: i64, cpu: &str, benchmarks: &[&str]) -> Run {
        let mut environment = Environment::default();
        environment.set(Environment::CPU, cpu);
        let measured = |name: &&str| Measurement::new("criterion", *name, Metric::time(), Evidence::Value(1.0));
        Run { time, environment, measurements: benchmarks.iter().map(measured).collect(), ..Run::default() }
    }

    /// The actions for runs given oldest first, in the same order.
    fn actions(whole: usize, thinned: usize, runs: &[(Run, BranchKind, bool)]) -> Vec<PruneAction> {
        let epoch = Arc::new(Epoch { start: 50, reason: String::new(), is_configured: true });
        let epoch = |name: &str| (name == "late").then(|| Arc::clone(&epoch));
        let rules = SeriesRules {
            rename: &|_| None,
            epoch: &epoch,
            direction: &|_, _| None,
            floor: &|_, _| None,
            ignored: &[],
        };
        let mut pruner = Pruner::new(Retention { whole, thinned }, &rules);
        let mut actions: Vec<PruneAction> = runs
            .iter()
            .rev()
            .map(|(run, branch, named)| pruner.decide(&PruneCandidate { run, branch: branch.clone(), named: *named }))
            .collect();
        actions.reverse();
        actions
    }

    #[test]
    fn a_busy_machine_does_not_displace_another() {
        let mut runs: Vec<_> = (0..30).map(|time| (run(time, "busy", &["a"]), BranchKind::Default, false)).collect();
        runs[3].0 = run(3, "quiet", &["a"]);
        let actions = actions(12, 5, &runs);
        assert_eq!(actions[3], PruneAction::KeepNewest);
        // 29 busy runs: 12 whole, 5 thinned, 12 gone.
        let count = |action: PruneAction| actions.iter().filter(|one| **one == action).count();
        assert_eq!([PruneAction::KeepNewest, PruneAction::Thin, PruneAction::Remove].map(count), [13, 5, 12]);
    }

    #[test]
    fn pull_requests_do_not_displace_main() {
        let mut runs: Vec<_> = (0..40).map(|time| (run(time, "x", &["a"]), BranchKind::Other, false)).collect();
        runs[0].1 = BranchKind::Default;
        runs[1].1 = BranchKind::Default;
        assert_eq!(actions(11, 0, &runs)[..3], [PruneAction::KeepNewest, PruneAction::KeepNewest, PruneAction::Remove]);
    }

    #[test]
    fn named_runs_are_kept() {
        let mut runs: Vec<_> = (0..30).map(|time| (run(time, "x", &["a"]), BranchKind::Default, false)).collect();
        runs[0].2 = true;
        runs[29].2 = true;
        let actions = actions(12, 1, &runs);
        assert_eq!(
            (actions[0], actions[1], actions[29]),
            (PruneAction::KeepNamed, PruneAction::Remove, PruneAction::KeepNewest)
        );
    }

    #[test]
    fn the_baseline_of_each_benchmark_is_kept() {
        // `rare` is in one run of five; the last ten of those reach back to the run at 5 of 0..55.
        let benchmarks = |time: i64| if time % 5 == 0 { vec!["a", "rare"] } else { vec!["a"] };
        let runs: Vec<_> =
            (0..56).map(|time| (run(time, "x", &benchmarks(time)), BranchKind::Default, false)).collect();
        let actions = actions(3, 0, &runs);
        let whole: Vec<usize> = (0..56).filter(|time| actions[*time] != PruneAction::Remove).collect();
        // The newest three (one of them has `rare`), the last ten of `a`, and every fifth down to 10.
        let expected: Vec<usize> = (10..46).filter(|time| time % 5 == 0).chain(46..56).collect();
        assert_eq!(whole, expected);
        assert_eq!(actions[55], PruneAction::KeepNewest);
        assert_eq!(actions[52], PruneAction::KeepBase);
    }

    #[test]
    fn runs_before_an_epoch_are_no_baseline() {
        let runs: Vec<_> = (45..56).map(|time| (run(time, "x", &["late"]), BranchKind::Default, false)).collect();
        let actions = actions(1, 0, &runs);
        assert_eq!(actions.iter().filter(|action| **action == PruneAction::Remove).count(), 5); // 45 to 49
    }
}
