//! What to do about a regression of the stored history: the command that finds or shows its commit.

use super::HistoryView;
use crate::history::{SegmentedSeries, Series, SeriesChange};
use crate::model::{Environment, VALGRIND};
use crate::render::escape;
use crate::render::quantity::percent;
use crate::stats::changepoint::Shape;

/// The smallest slowdown that `perfgate bisect` searches for by default, with a margin for measurements that vary.
const SMALL_SLOWDOWN: f64 = 0.1;

/// The tool of runs that were imported from github-action-benchmark. Their names start with the name of the suite, which the
/// benchmark tool itself does not print.
const IMPORTED: &str = "github-action-benchmark";

/// How to find the commit of the first regression of a list that has such a step. If the same metric also regressed on this
/// machine class, that regression is used: its command can run here.
pub(super) fn first_next_step<'a>(
    view: &HistoryView<'_>,
    changed: impl Iterator<Item = (&'a SegmentedSeries, &'a [SeriesChange])>,
) -> Option<String> {
    let mut steps =
        changed.filter_map(|(segmented, changes)| Some((&segmented.series, next_step(view, segmented, changes)?)));
    let (first, step) = steps.next()?;
    if other_machine(view, first).is_none() {
        return Some(step);
    }
    let here = steps.find(|(series, _)| {
        let is_same = series.benchmark == first.benchmark && series.metric.name == first.metric.name;
        is_same && other_machine(view, series).is_none()
    });
    Some(here.map_or(step, |(_, step)| step))
}

/// How to find the commit of the last change: if that is a regression that is neither accepted nor a drift, and the benchmark
/// is still measured. `perfgate bisect` cannot count instructions under valgrind.
pub(super) fn next_step(
    view: &HistoryView<'_>,
    segmented: &SegmentedSeries,
    changes: &[SeriesChange],
) -> Option<String> {
    let (series, last) = (&segmented.series, changes.last()?);
    let is_regression = last.worse == Some(true) && last.shape == Shape::Step && series.is_measured;
    if !is_regression || view.is_accepted(series, changes, last) {
        return None;
    }
    let good = last.commits.after.as_ref()?.short();
    let bad = last.commits.to.as_ref()?.short();
    let benchmark = series.benchmark.as_str();
    if last.commits.possible == 1 {
        let benchmark = escape::terminal(&escape::shell(benchmark));
        return Some(format!("to see the commit that made {benchmark} worse: `git show {bad}`"));
    }
    if series.tool == VALGRIND {
        return None;
    }
    let benchmark = match escape::shell(benchmark) {
        word if benchmark.starts_with('-') => format!("--benchmark={word}"),
        word => word,
    };
    let metric = match &*series.metric.name {
        "time" => String::new(),
        name if name.starts_with('-') => format!(" --metric={}", escape::shell(name)),
        name => format!(" --metric {}", escape::shell(name)),
    };
    // Invisible characters are printed as escapes, which a shell does not read as these characters.
    if [&benchmark, &metric].into_iter().any(|word| escape::message(word) != *word) {
        return None;
    }
    let worse = series.metric.direction.worse(last.change);
    let threshold = match worse < SMALL_SLOWDOWN {
        true => format!(" --threshold {}", percent(worse / 2.0)),
        false => String::new(),
    };
    let machine = other_machine(view, series)
        .map(|machine| format!(" on the machine {}", escape::terminal(machine)))
        .unwrap_or_default();
    let imported = match &*series.tool {
        IMPORTED => "; it must report a benchmark of this name, otherwise see `[[continue]]` in docs/migrate.md",
        _ => "",
    };
    Some(format!(
        "to find the commit{machine}: `perfgate bisect {benchmark}{metric} --good {good} --bad {bad}{threshold} -- COMMAND` \
         (the benchmark command, such as `cargo bench`{imported})"
    ))
}

/// The machine class of a series, if it is known and is not that of this machine. The key of the runs is not part of the machine.
fn other_machine<'a>(view: &HistoryView<'_>, series: &'a Series) -> Option<&'a str> {
    let here = without_key(view.machine?);
    let machine = Some(without_key(&series.machine)).filter(|machine| !machine.is_empty());
    machine.filter(|machine| *machine != Environment::UNKNOWN && *machine != here)
}

/// A machine class without the key of its runs, which is at its end.
fn without_key(machine: &str) -> &str {
    let start = if machine.starts_with("key ") { Some(0) } else { machine.find(", key ") };
    start.map_or(machine, |start| &machine[..start])
}
