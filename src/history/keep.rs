//! Which stored runs stay whole, which are thinned, and which go, as the user asked for so many of each.
//!
//! Runs are counted within their like: of one class of machine, one shard, the same tools, on the default branch or off
//! it. A busy machine takes no place from a quiet one, and pull requests none from main. Beyond the counts there stays
//! whole what is named (a pin, a tag, an epoch's first commit: the caller knows) and what still stands for a base: the
//! last runs of each benchmark that the whole ones have.

use super::series::class;
use super::{Reading, WINDOW_RUNS};
use crate::model::{Environment, Run};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many runs of a kind are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// So many of the newest, whole.
    pub whole: usize,
    /// So many before those, thinned.
    pub thinned: usize,
}

/// Where a run's commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// On the default branch.
    Trunk,
    /// Anywhere else, or not known.
    Other,
}

/// A stored run, as far as its fate hangs on it.
#[derive(Debug)]
pub struct StoredRun<'a> {
    /// The run; digests are enough.
    pub run: &'a Run,
    /// Where its commit is.
    pub line: Line,
    /// True where it is named by a pin, a tag or an epoch.
    pub named: bool,
}

/// What becomes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Among the newest: stays as it is.
    Newest,
    /// Named by a pin, a tag or an epoch: stays as it is.
    Named,
    /// Still stands for the base of a benchmark: stays as it is.
    Base,
    /// Its samples give way to quantiles.
    Thinned,
    /// Goes.
    Gone,
}

/// Decides over runs, one after the other.
pub struct Keeper<'r> {
    keep: Keep,
    reading: &'r Reading<'r>,
    kinds: BTreeMap<Kind, Counted>,
}

/// Runs that are counted together: machine, line, shard, tools.
type Kind = (String, Line, String, String);

#[derive(Debug, Default)]
struct Counted {
    runs: usize,
    /// Benchmarks of the whole runs, each with how many runs have it so far.
    benchmarks: HashMap<u64, usize>,
}

impl<'r> Keeper<'r> {
    /// Nothing counted yet.
    pub fn new(keep: Keep, reading: &'r Reading<'r>) -> Self {
        Keeper { keep, reading, kinds: BTreeMap::new() }
    }

    /// What becomes of the next run. They must be asked for newest first.
    pub fn fate(&mut self, stored: &StoredRun<'_>) -> Fate {
        let StoredRun { run, line, named } = *stored;
        let tools: BTreeSet<&str> = run.measurements.iter().map(|measurement| &*measurement.tool).collect();
        let tools = tools.into_iter().collect::<Vec<_>>().join("\n");
        let shard = run.environment.get(Environment::SHARD).unwrap_or_default().to_owned();
        let kind = (class(&run.environment, self.reading.ignored), line, shard, tools);
        let benchmarks = self.benchmarks(run);
        let counted = self.kinds.entry(kind).or_default();
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
            _ if newest => Fate::Newest,
            _ if named => Fate::Named,
            _ if base && line == Line::Trunk => Fate::Base,
            place if place < self.keep.whole.saturating_add(self.keep.thinned) => Fate::Thinned,
            _ => Fate::Gone,
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

    /// The fates of runs given oldest first, in the same order.
    fn fates(whole: usize, thinned: usize, runs: &[(Run, Line, bool)]) -> Vec<Fate> {
        let reading = Reading { rename: &|_| None, epoch: &|name| (name == "late").then_some(50), ignored: &[] };
        let mut keeper = Keeper::new(Keep { whole, thinned }, &reading);
        let mut fates: Vec<Fate> = runs
            .iter()
            .rev()
            .map(|(run, line, named)| keeper.fate(&StoredRun { run, line: *line, named: *named }))
            .collect();
        fates.reverse();
        fates
    }

    #[test]
    fn a_busy_machine_takes_no_place_from_a_quiet_one() {
        let mut runs: Vec<_> = (0..30).map(|time| (run(time, "busy", &["a"]), Line::Trunk, false)).collect();
        runs[3].0 = run(3, "quiet", &["a"]);
        let fates = fates(12, 5, &runs);
        assert_eq!(fates[3], Fate::Newest);
        // 29 busy runs: 12 whole, 5 thinned, 12 gone.
        let count = |fate: Fate| fates.iter().filter(|one| **one == fate).count();
        assert_eq!([Fate::Newest, Fate::Thinned, Fate::Gone].map(count), [13, 5, 12]);
    }

    #[test]
    fn pull_requests_take_no_place_from_main() {
        let mut runs: Vec<_> = (0..40).map(|time| (run(time, "x", &["a"]), Line::Other, false)).collect();
        runs[0].1 = Line::Trunk;
        runs[1].1 = Line::Trunk;
        assert_eq!(fates(11, 0, &runs)[..3], [Fate::Newest, Fate::Newest, Fate::Gone]);
    }

    #[test]
    fn what_is_named_stays_whole() {
        let mut runs: Vec<_> = (0..30).map(|time| (run(time, "x", &["a"]), Line::Trunk, false)).collect();
        runs[0].2 = true;
        runs[29].2 = true;
        let fates = fates(12, 1, &runs);
        assert_eq!((fates[0], fates[1], fates[29]), (Fate::Named, Fate::Gone, Fate::Newest));
    }

    #[test]
    fn the_last_ten_runs_of_each_benchmark_of_main_stay_whole_however_few_are_asked_for() {
        // `rare` is in one run of five; the last ten of those reach back to the run at 5 of 0..55.
        let benchmarks = |time: i64| if time % 5 == 0 { vec!["a", "rare"] } else { vec!["a"] };
        let runs: Vec<_> = (0..56).map(|time| (run(time, "x", &benchmarks(time)), Line::Trunk, false)).collect();
        let fates = fates(3, 0, &runs);
        let whole: Vec<usize> = (0..56).filter(|time| fates[*time] != Fate::Gone).collect();
        // The newest three (one of them has `rare`), the last ten of `a`, and every fifth down to 10.
        let expected: Vec<usize> = (10..46).filter(|time| time % 5 == 0).chain(46..56).collect();
        assert_eq!(whole, expected);
        assert_eq!(fates[55], Fate::Newest);
        assert_eq!(fates[52], Fate::Base);
    }

    #[test]
    fn what_an_epoch_cut_off_stands_for_no_base() {
        let runs: Vec<_> = (45..56).map(|time| (run(time, "x", &["late"]), Line::Trunk, false)).collect();
        let fates = fates(1, 0, &runs);
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Gone).count(), 5); // 45 to 49
    }
}
