//! Which series are still measured: a benchmark may have been removed, its unit may have changed, or its machine class may be gone.

use super::{CommitOrRun, Point, Series};
use std::collections::{BTreeMap, HashMap};

/// A series that is missing from fewer newer commits than this is still measured: a run may contain only a part of the suite.
const MIN_MISSED: usize = 2;
/// The same for commits of the same tool on any machine: several machines may take turns.
const MIN_MISSED_ON_ANY_MACHINE: usize = 10;
/// A series that is measured irregularly may be missing for up to this multiple of its longest gap so far.
const GAP_FACTOR: usize = 2;

/// Sets [`Series::is_measured`] of each series. `all` must contain every series of a store.
pub fn mark_measured(all: &mut [Series]) {
    let (by_class, by_tool): (Vec<bool>, Vec<bool>) = {
        let of_class = |one: &Series| (one.tool.clone().into_owned(), one.machine.clone());
        let of_tool = |one: &Series| (one.tool.clone().into_owned(), String::new());
        (measured(all, of_class, MIN_MISSED), measured(all, of_tool, MIN_MISSED_ON_ANY_MACHINE))
    };
    for ((series, by_class), by_tool) in all.iter_mut().zip(by_class).zip(by_tool) {
        series.is_measured = by_class && by_tool;
    }
}

/// Whether each series is missing from few of the newest commits of its group.
fn measured(all: &[Series], group: impl Fn(&Series) -> (String, String), missed: usize) -> Vec<bool> {
    // For each group its commits with their first runs.
    let mut first_runs: BTreeMap<(String, String), HashMap<CommitOrRun<'_>, usize>> = BTreeMap::new();
    for series in all {
        let of_group = first_runs.entry(group(series)).or_default();
        for point in &series.points {
            let first = of_group.entry(point.commit_or_run()).or_insert(point.run);
            *first = (*first).min(point.run);
        }
    }
    let ranked = first_runs.into_iter().map(|(group, first_runs)| (group, ranks(first_runs)));
    let ranks: BTreeMap<(String, String), HashMap<CommitOrRun<'_>, usize>> = ranked.collect();
    let is_measured = |series: &Series| {
        let Some(ranks) = ranks.get(&group(series)) else { return true };
        let rank = |point: &Point| ranks.get(&point.commit_or_run()).copied().unwrap_or_default();
        let own: Vec<usize> = series.points.iter().map(rank).collect();
        let gap = own.windows(2).map(|two| two[1].saturating_sub(two[0]).saturating_sub(1)).max().unwrap_or_default();
        let since = ranks.len().saturating_sub(own.iter().max().map_or(0, |last| last + 1));
        since < missed || since <= GAP_FACTOR * gap
    };
    all.iter().map(is_measured).collect()
}

/// The place of each commit in the order of the runs.
fn ranks(first_runs: HashMap<CommitOrRun<'_>, usize>) -> HashMap<CommitOrRun<'_>, usize> {
    let mut order: Vec<(CommitOrRun<'_>, usize)> = first_runs.into_iter().collect();
    order.sort_unstable_by_key(|(_, run)| *run);
    order.into_iter().enumerate().map(|(rank, (commit, _))| (commit, rank)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{SeriesRules, series};
    use crate::model::{Commit, Environment, Evidence, Measurement, Metric, Run};

    /// The names that are no longer measured; each run is a commit, with a machine and its benchmarks.
    fn gone(runs: &[(&str, &[&str])]) -> Vec<String> {
        let run = |(index, (machine, names)): (usize, &(&str, &[&str]))| {
            let measured = |name: &&str| Measurement::new("t", *name, Metric::time(), Evidence::Value(1.0));
            let measurements = names.iter().map(measured).collect();
            let commit = Commit::parse(&format!("{index:040x}"));
            let mut run = Run { commit, time: index as i64, measurements, ..Run::default() };
            run.environment.set(Environment::CPU, *machine);
            run
        };
        let runs: Vec<Run> = runs.iter().enumerate().map(run).collect();
        let rules = SeriesRules {
            rename: &|_| None,
            epoch: &|_| None,
            direction: &|_, _| None,
            floor: &|_, _| None,
            ignored: &[],
        };
        let mut all = series(&runs, &rules);
        mark_measured(&mut all);
        let gone = all.iter().filter(|one| !one.is_measured);
        gone.map(|one| format!("{} {}", one.benchmark, one.machine)).collect()
    }

    #[test]
    fn a_benchmark_that_two_newer_commits_lack_is_no_longer_measured() {
        let (all, less): (&[&str], &[&str]) = (&["a", "b"], &["a"]);
        assert_eq!(gone(&[("X", all), ("X", all), ("X", less), ("X", less)]), ["b X"]);
        // A single run may be a part of the suite.
        assert_eq!(gone(&[("X", all), ("X", all), ("X", less)]), <[String; 0]>::default());
        // One that is measured at every third commit.
        let nightly: Vec<_> = (0..12).map(|i| ("X", if i % 3 == 0 { all } else { less })).collect();
        assert_eq!(gone(&nightly), <[String; 0]>::default());
    }

    #[test]
    fn a_machine_class_without_new_runs_is_no_longer_measured() {
        let names: &[&str] = &["a"];
        let with = |newer: usize| -> Vec<(&str, &[&str])> {
            [("X", names); 3].into_iter().chain(vec![("Y", names); newer]).collect()
        };
        assert_eq!(gone(&with(12)), ["a X"]);
        assert_eq!(gone(&with(9)), <[String; 0]>::default());
    }
}
