//! A stored series: its points, the levels of its stretches, and the possible commits of each change.

use super::chart::{Axis, Chart, ColorRole, Layer, Marks, around, name as named, text, ticks};
use super::samples::axis;
use crate::history::{SegmentedSeries, SeriesChange};
use crate::render::file_stem::file_stem;
use crate::render::history::{change_size, label, last_measured};
use crate::render::quantity::scale;
use crate::stats::changepoint::Shape;

/// Labelled commits on the axis.
const MAX_LABELS: usize = 7;
/// Maximum number of characters of an upright label that names the better side.
const MAX_AXIS_CHARS: usize = 44;

/// The chart of a series.
pub(super) fn chart(segmented: &SegmentedSeries) -> Chart {
    let series = &segmented.series;
    let (factor, unit) =
        scale(series.points.iter().fold(0.0, |a: f64, point| a.max(point.value.abs())), series.metric.unit.label());
    let points: Vec<(f64, f64)> =
        series.points.iter().enumerate().map(|(i, point)| (i as f64, point.value / factor)).collect();
    let last = points.len().saturating_sub(1) as f64;
    let y = around(points.iter().map(|(_, value)| *value), 0.08);
    let x = (-0.02 * last - 0.5, 1.02 * last + 0.5);
    let changes: Vec<SeriesChange> = segmented.changes().collect();
    let mut layers = Vec::new();
    let kinds = [
        (Some(true), ColorRole::Bad, "worse"),
        (Some(false), ColorRole::Good, "better"),
        (None, ColorRole::Open, "changed"),
    ];
    for (worse, role, word) in kinds {
        for change in changes.iter().filter(|change| change.worse == worse) {
            let (from, to) = change.commits.range;
            let band = vec![((from as f64 - 0.5).max(x.0), y.0, y.1), ((to as f64 + 0.5).min(x.1), y.0, y.1)];
            let what = match change.shape {
                Shape::Step => "possible commits",
                Shape::Drift => "drift",
            };
            // One entry for each kind and colour.
            let is_first = !changes.iter().any(|other| {
                (other.worse, other.shape) == (change.worse, change.shape) && other.commits.index < change.commits.index
            });
            let legend = is_first.then(|| format!("{word}: {what}"));
            layers.push(Layer { marks: Marks::Area(band), role, legend });
        }
    }
    layers.push(Layer {
        marks: Marks::Dots(points.clone()),
        role: ColorRole::Head,
        legend: Some("commits".to_owned()),
    });
    let mut legend = Some("level".to_owned());
    for line in levels(segmented, &changes, &points, factor) {
        layers.push(Layer { marks: Marks::Line(line), role: ColorRole::Dim, legend: legend.take() });
    }
    let last_change = match changes.last() {
        Some(last) => format!(": {} {}", change_size(last.change), location(last)),
        None => ": no change".to_owned(),
    };
    let gone = last_measured(series).map(|last| format!("; {last}")).unwrap_or_default();
    let machine = if series.machine.is_empty() { String::new() } else { format!(" ({})", text(&series.machine, 30)) };
    let (name, tool, metric) = (series.benchmark.as_str(), &*series.tool, &*series.metric.name);
    Chart {
        file_stem: file_stem("series", &[name, metric, tool, series.metric.unit.label(), &series.machine]),
        title: format!("{}{machine}{last_change}{gone}", named(name, 60)),
        size: (960, 360),
        x: Axis { label: "commit".to_owned(), range: x, ticks: commits(segmented), grid: false },
        y: Axis {
            label: axis(metric, unit, series.metric.direction, MAX_AXIS_CHARS),
            range: y,
            ticks: ticks(y, 5),
            grid: true,
        },
        layers,
    }
}

fn location(change: &SeriesChange) -> String {
    let at = label(change.commits.at.as_ref(), change.commits.time);
    match change.shape {
        Shape::Step => format!("at {at}"),
        Shape::Drift => format!("over {} commits up to {at}", change.commits.points),
    }
}

/// Lines at the level of each stretch; for a drift, from the level before it to the level after it.
fn levels(
    segmented: &SegmentedSeries,
    changes: &[SeriesChange],
    points: &[(f64, f64)],
    factor: f64,
) -> Vec<Vec<(f64, f64)>> {
    let drifts = |start: usize| changes.iter().any(|c| c.shape == Shape::Drift && c.commits.range.0 == start);
    let level = |stretch: (usize, usize)| segmented.level(stretch) / factor;
    let stretches = segmented.stretches();
    let mut lines = Vec::new();
    for (number, (start, end)) in stretches.iter().copied().enumerate() {
        let (from, to) = (start as f64, (end - 1) as f64);
        let own = level((start, end));
        if drifts(start) {
            let neighbour = |at: Option<usize>| at.and_then(|at| stretches.get(at)).map(|stretch| level(*stretch));
            let before = neighbour(number.checked_sub(1)).unwrap_or_else(|| points[start].1);
            let after = neighbour(Some(number + 1)).unwrap_or_else(|| points[end - 1].1);
            lines.push(vec![(from, before), (to, after)]);
        } else {
            lines.push(vec![(from - 0.3, own), (to + 0.3, own)]);
        }
    }
    lines
}

fn commits(segmented: &SegmentedSeries) -> Vec<(f64, String)> {
    let points = &segmented.series.points;
    let last = points.len().saturating_sub(1);
    let count = last.min(MAX_LABELS - 1);
    let mut labelled: Vec<usize> = (0..=count).map(|i| (i * last).checked_div(count).unwrap_or(0)).collect();
    labelled.dedup();
    labelled.into_iter().map(|i| (i as f64, text(&label(points[i].commit.as_ref(), points[i].time), 12))).collect()
}
