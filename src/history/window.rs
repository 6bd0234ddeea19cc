//! Selects the baseline: the last stored runs, and of each benchmark only those since its last change. After an accepted
//! regression or a fix, the new level is the baseline. A single outlier is not a change and stays in.

use super::{Series, SeriesRules, segment, series};
use crate::model::{BenchId, Run};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Largest number of runs of the baseline: older runs are less representative.
pub const WINDOW_RUNS: usize = 10;

/// Number of newest runs searched for changes, so that the cost does not grow with the history.
pub const HISTORY_RUNS: usize = 60;

/// The baseline.
#[derive(Debug)]
pub struct Baseline {
    /// The last runs in time order, each with only the benchmarks that it is a baseline of; possibly none.
    pub runs: Vec<Run>,
    /// Benchmarks that changed within the window, by their current names.
    pub changed: BTreeSet<BenchId>,
    /// Benchmarks without a baseline because all runs are from before their epoch, by their current names.
    pub before_epoch: BTreeSet<BenchId>,
}

/// The baseline from runs of one machine class, in time order.
pub fn baseline_of(history: &[&Run], rules: &SeriesRules<'_>) -> Baseline {
    let first = history.len().saturating_sub(WINDOW_RUNS);
    let starts = starts(history, rules);
    narrowed(history[first..].iter().map(|run| (*run).clone()).collect(), first, &starts, rules)
}

/// The same, but consumes the runs: a copy of the runs of a large suite would need much memory.
pub fn into_baseline(mut history: Vec<Run>, rules: &SeriesRules<'_>) -> Baseline {
    let first = history.len().saturating_sub(WINDOW_RUNS);
    let starts = starts(&history.iter().collect::<Vec<_>>(), rules);
    narrowed(history.split_off(first), first, &starts, rules)
}

/// Removes the benchmarks that a run is not a baseline of; `first` is the index of the first run in the history.
fn narrowed(
    mut runs: Vec<Run>,
    first: usize,
    starts: &BTreeMap<BenchId, Vec<Start>>,
    rules: &SeriesRules<'_>,
) -> Baseline {
    let narrow = |(index, run): (usize, &mut Run)| {
        let (mut changed, mut before_epoch) = (BTreeSet::new(), BTreeSet::new());
        run.measurements.retain(|measurement| {
            let old = measurement.benchmark.as_str();
            let name = rules.name(old);
            if (rules.epoch)(&name).is_some_and(|epoch| run.time < epoch.start) {
                before_epoch.insert(BenchId::new(&*name));
                return false;
            }
            let start = starts
                .get(&*name)
                .into_iter()
                .flatten()
                .find(|start| start.metric == measurement.metric.name && start.tool == measurement.tool);
            let keep = start.is_none_or(|start| first + index >= start.run);
            if !keep {
                changed.insert(BenchId::new(&*name));
            }
            keep
        });
        (changed, before_epoch)
    };
    let removed: Vec<_> = runs.par_iter_mut().enumerate().map(narrow).collect();
    let (mut changed, mut before_epoch) = (BTreeSet::new(), BTreeSet::new());
    for (of_change, of_epoch) in removed {
        changed.extend(of_change);
        before_epoch.extend(of_epoch);
    }
    if !before_epoch.is_empty() {
        for measurement in runs.iter().flat_map(|run| &run.measurements) {
            before_epoch.remove(&BenchId::new(&*rules.name(measurement.benchmark.as_str())));
        }
    }
    Baseline { runs, changed, before_epoch }
}

/// The first run of the current segment of a metric.
struct Start {
    metric: Cow<'static, str>,
    tool: Cow<'static, str>,
    run: usize,
}

/// The starts of the current segments, by benchmark, of those that do not start with the first run.
fn starts(history: &[&Run], rules: &SeriesRules<'_>) -> BTreeMap<BenchId, Vec<Start>> {
    let start = |series| {
        let segmented = segment(series);
        let segment = segmented.current().filter(|segment| segment.start > 0)?;
        let run = segmented.series.points.get(segment.start)?.run;
        let Series { benchmark, metric, tool, .. } = segmented.series;
        Some((benchmark, Start { metric: metric.name.clone(), tool, run }))
    };
    let mut starts: BTreeMap<BenchId, Vec<Start>> = BTreeMap::new();
    for (benchmark, start) in series::filter_map_series(history, rules, start) {
        starts.entry(benchmark).or_default().push(start);
    }
    starts
}
