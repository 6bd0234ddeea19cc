//! What to do about a regression of the stored history: the command that finds or shows its commit.

use super::HistoryView;
use crate::history::{SegmentedSeries, SeriesChange};
use crate::model::VALGRIND;
use crate::render::escape;
use crate::render::quantity::percent;
use crate::stats::changepoint::Shape;

/// The smallest slowdown that `perfgate bisect` searches for by default, with a margin for measurements that vary.
const SMALL_SLOWDOWN: f64 = 0.1;

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
    let benchmark = escape::terminal(&escape::shell(series.benchmark.as_str()));
    if last.commits.possible == 1 {
        return Some(format!("to see the commit that made {benchmark} worse: `git show {bad}`"));
    }
    if series.tool == VALGRIND {
        return None;
    }
    let metric = match &*series.metric.name {
        "time" => String::new(),
        name => format!(" --metric {}", escape::terminal(&escape::shell(name))),
    };
    let worse = series.metric.direction.worse(last.change);
    let threshold = match worse < SMALL_SLOWDOWN {
        true => format!(" --threshold {}", percent(worse / 2.0)),
        false => String::new(),
    };
    Some(format!(
        "to find the commit: `perfgate bisect {benchmark}{metric} --good {good} --bad {bad}{threshold} -- COMMAND` (the \
         benchmark command, such as `cargo bench`)"
    ))
}
