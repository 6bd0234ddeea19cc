//! Stored series: a table with a trend for each, one benchmark's stretches, and the same as JSON and CSV.

use super::escape;
use super::quantity::{change, pair};
use super::rows::{Row, rows};
use crate::history::{Epoch, SegmentedSeries, SeriesChange};
use crate::model::Commit;
use crate::stats::changepoint::Shape;
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::fmt::Write;
use std::io;

/// Columns of a trend.
const TREND: usize = 24;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What the views of a history are made from.
pub struct HistoryView<'a> {
    /// The series, in order.
    pub series: &'a [SegmentedSeries],
    /// Stored runs behind them.
    pub runs: usize,
    /// The store.
    pub store: &'a str,
}

/// Every series that changed, the latest changes first; the others are counted.
pub fn overview(view: &HistoryView<'_>) -> String {
    let mut out = header(view);
    let machines = several_machines(view.series);
    let mut changed: Vec<(&SegmentedSeries, SeriesChange, usize)> = view
        .series
        .iter()
        .filter_map(|segmented| {
            let changes: Vec<SeriesChange> = segmented.changes().collect();
            Some((segmented, changes.last()?.clone(), changes.len() - 1))
        })
        .collect();
    changed.sort_by_key(|(_, last, _)| last.since);
    if !changed.is_empty() {
        let _ = writeln!(out);
        let mut table = vec![Row::head(["", "benchmark", "trend", "now", "change", "when"])];
        for (segmented, last, earlier) in &changed {
            table.push(Row {
                style: style(last),
                cells: vec![
                    mark(last).to_owned(),
                    name(segmented, machines),
                    trend(segmented),
                    now(segmented),
                    change(last.change),
                    when(last, *earlier),
                ],
            });
        }
        rows(&mut out, &table, &[3, 4]);
    }
    let quiet = view.series.len() - changed.len();
    let dim = Style::new().dimmed();
    for (epoch, count) in epochs(view.series) {
        let noun = if count == 1 { "series starts" } else { "series start" };
        let reason = escape::terminal(&epoch.reason);
        let _ = writeln!(out, "{dim}{count} {noun} with the epoch of {}: {reason}{dim:#}", day(epoch.start));
    }
    if quiet > 0 {
        let noun = if quiet == 1 { "series" } else { "series all" };
        let _ = writeln!(out, "{dim}{quiet} {noun} on one level (`perfgate history NAME` shows one){dim:#}");
    }
    out
}

/// One series: its stretches with their levels and commits, and what lies between them.
pub fn detail(view: &HistoryView<'_>) -> String {
    let mut out = header(view);
    for segmented in view.series {
        let series = &segmented.series;
        let bold = Style::new().bold();
        let _ = writeln!(out, "\n{bold}{}{bold:#}", name(segmented, true));
        let commits = series.points.len();
        let spread = format!("{:.1} %", segmented.segmentation.noise.exp_m1() * 100.0);
        let noun = if commits == 1 { "commit" } else { "commits" };
        let _ = writeln!(out, "{}  {commits} {noun}, noise {spread} from one to the next", trend(segmented));
        if let Some(epoch) = &series.epoch {
            let _ = writeln!(out, "starts with the epoch of {}: {}", day(epoch.start), escape::terminal(&epoch.reason));
        }
        let changes: Vec<SeriesChange> = segmented.changes().collect();
        let mut table = vec![Row::head(["", "from", "to", "commits", "level", ""])];
        for (start, end) in segmented.stretches() {
            let inside = changes.iter().find(|c| c.shape == Shape::Drift && c.commits.range.0 == start);
            let values: Vec<f64> = series.points[start..end].iter().map(|point| point.value).collect();
            let [level] = pair([Some(crate::stats::centre::median(&values))], series.metric.unit.label());
            let before = changes.iter().find(|c| c.shape == Shape::Step && c.commits.index == start).or(inside);
            let said = before.map(|c| format!("{} {}", change(c.change), sentence(c))).unwrap_or_default();
            table.push(Row {
                style: before.map_or(Style::new(), style),
                cells: vec![
                    before.map_or(" ", mark).to_owned(),
                    label(series.points[start].commit.as_ref(), series.points[start].time),
                    label(series.points[end - 1].commit.as_ref(), series.points[end - 1].time),
                    (end - start).to_string(),
                    if inside.is_some() { format!("… {level}") } else { level },
                    said,
                ],
            });
        }
        rows(&mut out, &table, &[3, 4]);
        if commits < crate::stats::changepoint::MIN_POINTS {
            let least = crate::stats::changepoint::MIN_POINTS;
            let _ = writeln!(out, "fewer than {least} commits: changes are not looked for");
        }
    }
    out
}

fn header(view: &HistoryView<'_>) -> String {
    let noun = if view.runs == 1 { "run" } else { "runs" };
    format!("{} series of {} stored {noun} in {}\n", view.series.len(), view.runs, escape::message(view.store))
}

/// The epochs that left runs out, with the number of series of each, in the order of the series.
fn epochs(all_series: &[SegmentedSeries]) -> Vec<(&Epoch, usize)> {
    let mut counts: Vec<(&Epoch, usize)> = Vec::new();
    for epoch in all_series.iter().filter_map(|segmented| segmented.series.epoch.as_deref()) {
        match counts.iter_mut().find(|(known, _)| *known == epoch) {
            Some((_, count)) => *count += 1,
            None => counts.push((epoch, 1)),
        }
    }
    counts
}

fn several_machines(all_series: &[SegmentedSeries]) -> bool {
    all_series.windows(2).any(|two| two[0].series.machine != two[1].series.machine)
}

fn name(segmented: &SegmentedSeries, machine: bool) -> String {
    let series = &segmented.series;
    let mut name = escape::terminal(series.benchmark.as_str());
    if series.metric.name != "time" {
        let _ = write!(name, "  {}", escape::terminal(&series.metric.name));
    }
    if machine && !series.machine.is_empty() {
        let _ = write!(name, "  ({})", escape::terminal(&series.machine));
    }
    name
}

/// Medians of equal parts as bars between the lowest and the highest.
fn trend(segmented: &SegmentedSeries) -> String {
    let points = &segmented.series.points;
    let parts = points.len().min(TREND);
    let part = |i: usize| -> f64 {
        let (from, to) = (i * points.len() / parts, (i + 1) * points.len() / parts);
        let values: Vec<f64> = points[from..to].iter().map(|point| point.value).collect();
        crate::stats::centre::median(&values)
    };
    let values: Vec<f64> = (0..parts).map(part).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    // Noise alone does not fill the height.
    let height = (high - low).max(0.05 * high.abs()).max(f64::MIN_POSITIVE);
    values.iter().map(|x| BARS[(((x - low) / height * 7.0).round() as usize).min(7)]).collect()
}

fn now(segmented: &SegmentedSeries) -> String {
    let [value] = pair([segmented.series.points.last().map(|point| point.value)], segmented.series.metric.unit.label());
    value
}

pub(super) fn mark(change: &SeriesChange) -> &'static str {
    if change.worse { "✗ worse" } else { "✓ better" }
}

fn style(change: &SeriesChange) -> Style {
    if change.worse { AnsiColor::Red.on_default() } else { AnsiColor::Green.on_default() }
}

pub(super) fn when(last: &SeriesChange, earlier: usize) -> String {
    let ago = match last.since {
        1 => "in the last run".to_owned(),
        since => format!("{since} commits ago"),
    };
    let mut text = match last.shape {
        Shape::Step => format!("{}, {ago}", sentence(last)),
        Shape::Drift => sentence(last),
    };
    match earlier {
        0 => {}
        1 => text.push_str("; 1 change before"),
        count => {
            let _ = write!(text, "; {count} changes before");
        }
    }
    text
}

/// `after a1b2c3d4e5, up to b2c3d4e5f6 (3 commits)`
fn sentence(change: &SeriesChange) -> String {
    let place = &change.commits;
    let [low, high] = change.interval.map(super::quantity::change);
    let interval = format!("[{low} … {high}]");
    let to = label(place.to.as_ref(), place.time);
    match (change.shape, &place.after) {
        (Shape::Drift, Some(after)) => {
            format!("{interval} over {} commits, {} to {to}, no single step", place.points, after.short())
        }
        (Shape::Drift, None) => format!("{interval} over {} commits up to {to}, no single step", place.points),
        (Shape::Step, _) if place.points == 1 => format!("{interval} with {to}"),
        (Shape::Step, Some(after)) => {
            format!("{interval} after {}, up to {to} ({} commits)", after.short(), place.points)
        }
        (Shape::Step, None) => format!("{interval} up to {to} ({} commits)", place.points),
    }
}

pub(super) fn label(commit: Option<&Commit>, time: i64) -> String {
    commit.map(|commit| commit.short().to_owned()).unwrap_or_else(|| day(time))
}

pub(super) fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// The series with points, stretches and changes, as JSON.
pub fn history_json(view: &HistoryView<'_>, diagnostics: &[crate::model::Diagnostic]) -> Value {
    let commit = |commit: &Option<Commit>| commit.as_ref().map(Commit::as_str).map(str::to_owned);
    let series: Vec<Value> = view
        .series
        .iter()
        .map(|segmented| {
            let series = &segmented.series;
            let point = |p: &crate::history::Point| json!({"commit": commit(&p.commit), "time": p.time, "runs": p.runs, "value": p.value});
            let told = |c: SeriesChange| {
                json!({
                    "kind": match c.shape { Shape::Step => "step", Shape::Drift => "drift" },
                    "change": c.change, "interval": c.interval, "worse": c.worse,
                    "after": commit(&c.commits.after), "at": commit(&c.commits.at), "up_to": commit(&c.commits.to),
                    "commits": c.commits.points, "index": c.commits.index, "since": c.since,
                })
            };
            let stretch = |(start, end): (usize, usize)| {
                let values: Vec<f64> = series.points[start..end].iter().map(|point| point.value).collect();
                json!({"start": start, "end": end, "level": crate::stats::centre::median(&values)})
            };
            json!({
                "name": series.benchmark.as_str(), "metric": series.metric.name, "unit": series.metric.unit.label(),
                "direction": series.metric.direction.to_string(), "tool": series.tool, "machine": series.machine,
                "epoch": series.epoch.as_ref().map(|epoch| json!({"start": epoch.start, "reason": epoch.reason})),
                "noise": segmented.segmentation.noise.exp_m1(),
                "changes": segmented.changes().map(told).collect::<Vec<_>>(),
                "stretches": segmented.stretches().into_iter().map(stretch).collect::<Vec<_>>(),
                "points": series.points.iter().map(point).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"format": "perfgate-history", "version": 1, "store": view.store, "runs": view.runs, "series": series, "diagnostics": diagnostics})
}

/// A line for each point of each series.
pub fn history_csv(view: &HistoryView<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    writeln!(out, "name,metric,unit,machine,commit,time,runs,value,stretch")?;
    for segmented in view.series {
        let series = &segmented.series;
        for (number, (start, end)) in segmented.stretches().into_iter().enumerate() {
            for point in &series.points[start..end] {
                let cells =
                    [series.benchmark.as_str(), &series.metric.name, series.metric.unit.label(), &series.machine]
                        .map(escape::csv);
                let commit = point.commit.as_ref().map(Commit::as_str).unwrap_or_default();
                let (time, runs, value) = (point.time, point.runs, point.value);
                writeln!(out, "{},{commit},{time},{runs},{value},{}", cells.join(","), number + 1)?;
            }
        }
    }
    Ok(())
}
