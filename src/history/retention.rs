//! Which stored runs stay whole, which are thinned, and which go, as the user asked for so many of each.
//!
//! Runs are counted within their like: of one class of machine, one shard, the same tools, on the default branch or off
//! it. A busy machine takes no place from a quiet one, and pull requests none from main. Beyond the counts there stays
//! whole what is named (a pin, a tag, an epoch's first commit: the caller knows) and what still stands for a base: the
//! last runs of each benchmark that the whole ones have.

use super::series::machine_class;
use super::{SeriesRules, WINDOW_RUNS};
use crate::model::{Environment, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many runs of a group are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// So many of the newest, whole.
    pub whole: usize,
    /// So many before those, thinned.
    pub thinned: usize,
}

/// Where a run's commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BranchKind {
    /// On the default branch.
    Default,
    /// Anywhere else, or not known.
    Other,
}

/// A stored run, as far as its action hangs on it.
#[derive(Debug)]
pub struct PruneCandidate<'a> {
    /// The run; digests are enough.
    pub run: &'a Run,
    /// Where its commit is.
    pub branch: BranchKind,
    /// True where it is named by a pin, a tag or an epoch.
    pub named: bool,
}

/// What becomes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PruneAction {
    /// Among the newest: stays as it is.
    KeepNewest,
    /// Named by a pin, a tag or an epoch: stays as it is.
    KeepNamed,
    /// Still stands for the base of a benchmark: stays as it is.
    KeepBase,
    /// Its samples give way to quantiles.
    Thin,
    /// Goes.
    Remove,
}

/// Decides over runs, one after the other.
pub struct Pruner<'r> {
    keep: Retention,
    reading: &'r SeriesRules<'r>,
    groups: BTreeMap<Group, Counted>,
}

/// Runs that are counted together: machine, branch, shard, tools.
type Group = (String, BranchKind, String, String);

#[derive(Debug, Default)]
struct Counted {
    runs: usize,
    /// Benchmarks of the whole runs, each with how many runs have it so far.
    benchmarks: HashMap<u64, usize>,
}

impl<'r> Pruner<'r> {
    /// Nothing counted yet.
    pub fn new(keep: Retention, reading: &'r SeriesRules<'r>) -> Self {
        Pruner { keep, reading, groups: BTreeMap::new() }
    }

    /// What becomes of the next run. They must be asked for newest first.
    pub fn decide(&mut self, stored: &PruneCandidate<'_>) -> PruneAction {
        let PruneCandidate { run, branch, named } = *stored;
        let tools: BTreeSet<&str> = run.measurements.iter().map(|measurement| &*measurement.tool).collect();
        let tools = tools.into_iter().collect::<Vec<_>>().join("\n");
        let shard = run.environment.get(Environment::SHARD).unwrap_or_default().to_owned();
        let group = (machine_class(&run.environment, self.reading.ignored), branch, shard, tools);
        let benchmarks = self.benchmarks(run);
        let counted = self.groups.entry(group).or_default();
        let place = counted.runs;
        counted.runs += 1;
        let newest = place < self.keep.whole;
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
        match place {
            _ if newest => PruneAction::KeepNewest,
            _ if named => PruneAction::KeepNamed,
            _ if base && branch == BranchKind::Default => PruneAction::KeepBase,
            place if place < self.keep.whole.saturating_add(self.keep.thinned) => PruneAction::Thin,
            _ => PruneAction::Remove,
        }
    }

    /// The benchmarks that a run speaks for today, as marks.
    fn benchmarks(&self, run: &Run) -> BTreeSet<u64> {
        let mut marks = BTreeSet::new();
        for measurement in &run.measurements {
            let name = self.reading.name(measurement.benchmark.as_str());
            if (self.reading.epoch)(&name).is_none_or(|from| run.time >= from) {
                let mut hasher = DefaultHasher::new();
                (&*name, &*measurement.metric.name, &*measurement.tool).hash(&mut hasher);
                marks.insert(hasher.finish());
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Measurement, Metric};

    fn run(time: i64, cpu: &str, benchmarks: &[&str]) -> Run {
        let mut environment = Environment::default();
        environment.set(Environment::CPU, cpu);
        let measured = |name: &&str| Measurement::new("criterion", *name, Metric::time(), Evidence::Value(1.0));
        Run { time, environment, measurements: benchmarks.iter().map(measured).collect(), ..Run::default() }
    }

    /// The actions of runs given oldest first, in the same order.
    fn actions(whole: usize, thinned: usize, runs: &[(Run, BranchKind, bool)]) -> Vec<PruneAction> {
        let reading = SeriesRules { rename: &|_| None, epoch: &|name| (name == "late").then_some(50), ignored: &[] };
        let mut pruner = Pruner::new(Retention { whole, thinned }, &reading);
        let mut actions: Vec<PruneAction> = runs
            .iter()
            .rev()
            .map(|(run, branch, named)| pruner.decide(&PruneCandidate { run, branch: *branch, named: *named }))
            .collect();
        actions.reverse();
        actions
    }

    #[test]
    fn a_busy_machine_takes_no_place_from_a_quiet_one() {
        let mut runs: Vec<_> = (0..30).map(|time| (run(time, "busy", &["a"]), BranchKind::Default, false)).collect();
        runs[3].0 = run(3, "quiet", &["a"]);
        let actions = actions(12, 5, &runs);
        assert_eq!(actions[3], PruneAction::KeepNewest);
        // 29 busy runs: 12 whole, 5 thinned, 12 gone.
        let count = |action: PruneAction| actions.iter().filter(|one| **one == action).count();
        assert_eq!([PruneAction::KeepNewest, PruneAction::Thin, PruneAction::Remove].map(count), [13, 5, 12]);
    }

    #[test]
    fn pull_requests_take_no_place_from_main() {
        let mut runs: Vec<_> = (0..40).map(|time| (run(time, "x", &["a"]), BranchKind::Other, false)).collect();
        runs[0].1 = BranchKind::Default;
        runs[1].1 = BranchKind::Default;
        assert_eq!(actions(11, 0, &runs)[..3], [PruneAction::KeepNewest, PruneAction::KeepNewest, PruneAction::Remove]);
    }

    #[test]
    fn what_is_named_stays_whole() {
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
    fn the_last_ten_runs_of_each_benchmark_of_main_stay_whole_however_few_are_asked_for() {
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
    fn what_an_epoch_cut_off_stands_for_no_base() {
        let runs: Vec<_> = (45..56).map(|time| (run(time, "x", &["late"]), BranchKind::Default, false)).collect();
        let actions = actions(1, 0, &runs);
        assert_eq!(actions.iter().filter(|action| **action == PruneAction::Remove).count(), 5); // 45 to 49
    }
}
