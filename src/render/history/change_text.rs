//! The words for a change of a series: its size, its place, the levels next to it.

use crate::history::{SegmentedSeries, Series, SeriesChange};
use crate::model::Commit;
use crate::render::quantity::{self, counted, pair};
use crate::stats::changepoint::Shape;
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// The levels before and after a change. Next to a drift, which has no level, the one is computed from the other and the change.
pub(super) fn levels(segmented: &SegmentedSeries, changes: &[SeriesChange], change: &SeriesChange) -> [String; 2] {
    // Where the change starts, and where what follows it starts.
    let ends = |change: &SeriesChange| match change.shape {
        Shape::Step => (change.commits.index, change.commits.index),
        Shape::Drift => (change.commits.range.0, change.commits.range.1 + 1),
    };
    let is_drift = |stretch: &(usize, usize)| changes.iter().any(|c| c.shape == Shape::Drift && ends(c) == *stretch);
    // Beyond a step at an end of the drift, the level is another one.
    let has_step = |index: usize| {
        change.shape == Shape::Drift && changes.iter().any(|c| c.shape == Shape::Step && c.commits.index == index)
    };
    let stretches: Vec<(usize, usize)> = segmented.stretches().into_iter().filter(|one| !is_drift(one)).collect();
    let level = |stretch: &(usize, usize)| segmented.level(*stretch);
    let (first, end) = ends(change);
    let before = stretches.iter().find(|(_, stop)| *stop == first && !has_step(first)).map(level);
    let after = stretches.iter().find(|(start, _)| *start == end && !has_step(end)).map(level);
    let newest =
        segmented.series.points.last().filter(|_| end == segmented.series.points.len()).map(|point| point.value);
    let ratio = Some(1.0 + change.change).filter(|ratio| ratio.is_finite() && *ratio > 0.0);
    let values = match (before, after.or(newest), ratio) {
        (Some(before), None, Some(ratio)) => [Some(before), Some(before * ratio)],
        (None, Some(after), Some(ratio)) => [Some(after / ratio), Some(after)],
        (Some(before), _, Some(ratio)) if change.shape == Shape::Drift => [Some(before), Some(before * ratio)],
        (before, after, _) => [before, after],
    };
    pair(values, segmented.series.metric.unit.label())
}

pub(in crate::render) fn mark(change: &SeriesChange) -> &'static str {
    match change.worse {
        Some(true) => "✗ worse",
        Some(false) => "✓ better",
        None => "~ changed",
    }
}

pub(super) fn style(change: &SeriesChange) -> Style {
    match change.worse {
        Some(true) => AnsiColor::Red.on_default(),
        Some(false) => AnsiColor::Green.on_default(),
        None => AnsiColor::Yellow.on_default(),
    }
}

/// When a series was measured last, if its newest point is not of the newest runs: `last measured 2026-05-01 (a1b2c3d4e5)`.
pub(in crate::render) fn last_measured(series: &Series) -> Option<String> {
    let last = series.points.last().filter(|_| !series.is_measured)?;
    let commit = last.commit.as_ref().map(|commit| format!(" ({})", commit.short())).unwrap_or_default();
    Some(format!("last measured {}{commit}", day(last.time)))
}

/// What a change is that leads back to the level before the previous change.
pub(super) const UNDOES: &str = "undoes an earlier change (back to the level before it)";

pub(super) fn when(series: &Series, last: &SeriesChange, earlier: usize) -> String {
    let gone = last_measured(series);
    let distance = match last.commits_since {
        0 => "in the last run".to_owned(),
        commits => format!("{} before the last run", counted(commits, "commit")),
    };
    let mut text = match last.shape {
        // The number of commits since the last run is known only while the series is measured.
        Shape::Step if gone.is_none() => format!("{}, {distance}", describe(last)),
        Shape::Step | Shape::Drift => describe(last),
    };
    // The change that this one undoes is an earlier one too.
    if last.undoes_previous {
        let _ = write!(text, "; {UNDOES}");
    }
    if earlier > usize::from(last.undoes_previous) {
        let _ = write!(text, "; {}", counted(earlier, "earlier change"));
    }
    if let Some(gone) = gone {
        let _ = write!(text, "; {gone}");
    }
    text
}

/// The size of a change as a percentage, or "from zero" where the old level is zero.
pub(in crate::render) fn change_size(fraction: f64) -> String {
    if fraction.is_infinite() { "from zero".to_owned() } else { quantity::change(fraction) }
}

/// The interval of a change. A step from or to zero has none, and neither has a change of an exact count.
pub(super) fn interval_of(change: &SeriesChange) -> Option<String> {
    let [low, high] = quantity::interval_ends(Some(change.change), change.interval);
    (change.interval[0] < change.interval[1] && low != high).then(|| format!("{low} … {high}"))
}

/// `after a1b2c3d4e5, up to b2c3d4e5f6 (3 possible commits)`
pub(super) fn describe(change: &SeriesChange) -> String {
    let commits = &change.commits;
    let to = label(commits.to.as_ref(), commits.time);
    match (change.shape, &commits.after) {
        (Shape::Drift, Some(after)) => {
            format!("over {} commits, {} to {to}, no single step", commits.possible, after.short())
        }
        (Shape::Drift, None) => format!("over {} commits up to {to}, no single step", commits.possible),
        (Shape::Step, _) if commits.possible == 1 => format!("at {to}"),
        (Shape::Step, Some(after)) => {
            format!("after {}, up to {to} ({} possible commits)", after.short(), commits.possible)
        }
        (Shape::Step, None) => format!("up to {to} ({} possible commits)", commits.possible),
    }
}

pub(in crate::render) fn label(commit: Option<&Commit>, time: i64) -> String {
    commit.map(|commit| commit.short().to_owned()).unwrap_or_else(|| day(time))
}

pub(in crate::render) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}
