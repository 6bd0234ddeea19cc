//! Which stored runs stand for the base. The last few do, and of each benchmark only those since it last changed: a
//! regression that was accepted, or a fix, is the base of tomorrow. One odd run is no change and stays in.

use super::{Series, SeriesRules, segment, series};
use crate::model::{BenchId, Run};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// At most this many runs stand for the base: more would reach into times that say little of today.
pub const WINDOW_RUNS: usize = 10;

/// At most this many are looked at for changes, so that the cost does not grow with the history.
pub const HISTORY_RUNS: usize = 60;

/// The runs that stand for the base.
#[derive(Debug)]
pub struct BaseWindow {
    /// The last ones given, in time order, each with the benchmarks that it still speaks for; that may be none.
    pub runs: Vec<Run>,
    /// Benchmarks that changed inside the window, by their names today.
    pub cut: BTreeSet<BenchId>,
}

/// The window that runs of one class of machine, in time order, leave open.
pub fn base_window(past: &[&Run], reading: &SeriesRules<'_>) -> BaseWindow {
    let first = past.len().saturating_sub(WINDOW_RUNS);
    let starts = starts(past, reading);
    narrowed(past[first..].iter().map(|run| (*run).clone()).collect(), first, &starts, reading)
}

/// The same for runs that are not needed any more: of large suites a copy would take much memory.
pub fn base_window_of(mut past: Vec<Run>, reading: &SeriesRules<'_>) -> BaseWindow {
    let first = past.len().saturating_sub(WINDOW_RUNS);
    let starts = starts(&past.iter().collect::<Vec<_>>(), reading);
    narrowed(past.split_off(first), first, &starts, reading)
}

/// Leaves each benchmark in the runs that it still speaks for; `first` is the place of the first one in the past.
fn narrowed(
    mut runs: Vec<Run>,
    first: usize,
    starts: &BTreeMap<BenchId, Vec<Start>>,
    reading: &SeriesRules<'_>,
) -> BaseWindow {
    let narrow = |(index, run): (usize, &mut Run)| {
        let mut cut = BTreeSet::new();
        run.measurements.retain(|measurement| {
            let old = measurement.benchmark.as_str();
            let name = reading.name(old);
            if (reading.epoch)(&name).is_some_and(|from| run.time < from) {
                return false;
            }
            let start = starts
                .get(&*name)
                .into_iter()
                .flatten()
                .find(|start| start.metric == measurement.metric.name && start.tool == measurement.tool);
            let keep = start.is_none_or(|start| first + index >= start.run);
            if !keep {
                cut.insert(BenchId::new(&*name));
            }
            keep
        });
        cut
    };
    let cut = runs.par_iter_mut().enumerate().flat_map_iter(narrow).collect();
    BaseWindow { runs, cut }
}

/// Where the current stretch of a metric begins.
struct Start {
    metric: Cow<'static, str>,
    tool: Cow<'static, str>,
    run: usize,
}

/// The first run of each benchmark's current stretch, where that is not the first run of all.
fn starts(past: &[&Run], reading: &SeriesRules<'_>) -> BTreeMap<BenchId, Vec<Start>> {
    let start = |series| {
        let segmented = segment(series);
        let segment = segmented.current().filter(|segment| segment.start > 0)?;
        let run = segmented.series.points.get(segment.start)?.run;
        let Series { benchmark, metric, tool, .. } = segmented.series;
        Some((benchmark, Start { metric: metric.name.clone(), tool, run }))
    };
    let mut starts: BTreeMap<BenchId, Vec<Start>> = BTreeMap::new();
    for (benchmark, start) in series::of_each(past, reading, start) {
        starts.entry(benchmark).or_default().push(start);
    }
    starts
}
