//! The data of the history pages: an overview of all series, the commits, and the points of each series. docs/site.md has
//! the schema.

use crate::history::{CommitOrRun, SegmentedSeries, Series, SeriesChange};
use crate::policy::UpTo;
use crate::render::escape::message;
use crate::render::file_stem::{file_stem, make_unique};
use crate::render::history::{HistoryFacts, HistoryView, by_last_change};
use crate::render::html::report::significant;
use crate::render::quantity::{pair, scale};
use crate::render::trend::{part_of_change, trend};
use crate::stats::changepoint::Shape;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Maximum number of parts of a trend, and the height of a trend in steps.
const TREND_PARTS: usize = 60;
const TREND_STEPS: f64 = 100.0;
/// Significant digits of a value: finer than a pixel.
const DIGITS: usize = 6;

/// The data of a page.
pub struct HistoryData {
    /// What the first view shows.
    pub overview: Value,
    /// The commits, oldest first.
    pub commits: Value,
    /// The points of each series, with the name of its file.
    pub series: Vec<(String, Value)>,
}

/// The commits of all series with their positions, in the order of their runs.
struct Commits<'a> {
    positions: HashMap<CommitOrRun<'a>, usize>,
    rows: Vec<Value>,
}

impl<'a> Commits<'a> {
    fn of(view: &HistoryView<'a>, facts: &HistoryFacts) -> Commits<'a> {
        // For each commit its first run and its time.
        let mut first_runs: HashMap<CommitOrRun<'a>, (usize, i64)> = HashMap::new();
        for point in view.series.iter().flat_map(|segmented| &segmented.series.points) {
            let first = first_runs.entry(point.commit_or_run()).or_insert((point.run, point.time));
            *first = (*first).min((point.run, point.time));
        }
        let mut order: Vec<(CommitOrRun<'a>, (usize, i64))> = first_runs.into_iter().collect();
        order.sort_by_key(|(_, first)| *first);
        let row = |(commit, (_, time)): &(CommitOrRun<'a>, (usize, i64))| match commit {
            CommitOrRun::Run(_) => json!([null, time]),
            CommitOrRun::Commit(commit) => match facts.commits.get(commit) {
                Some(text) => json!([commit.as_str(), time, message(&text.subject), message(&text.author)]),
                None => json!([commit.as_str(), time]),
            },
        };
        let rows = order.iter().map(row).collect();
        Commits { positions: order.iter().enumerate().map(|(index, (commit, _))| (*commit, index)).collect(), rows }
    }

    fn position(&self, point: &'a crate::history::Point) -> usize {
        self.positions.get(&point.commit_or_run()).copied().unwrap_or_default()
    }
}

/// The data of all series, in the order of [`by_last_change`].
pub fn history_data(view: &HistoryView<'_>, facts: &HistoryFacts) -> HistoryData {
    let commits = Commits::of(view, facts);
    let machines: BTreeSet<&str> = view.series.iter().map(|segmented| segmented.series.machine.as_str()).collect();
    let machines: Vec<&str> = machines.into_iter().collect();
    let mut order: Vec<(&SegmentedSeries, Vec<SeriesChange>)> =
        view.series.iter().map(|segmented| (segmented, segmented.changes().collect())).collect();
    order.sort_by(|(a, a_changes), (b, b_changes)| by_last_change((a, a_changes.last()), (b, b_changes.last())));
    let ids = ids(&order.iter().map(|(segmented, _)| &segmented.series).collect::<Vec<_>>());
    let mut stems: Vec<String> = order.iter().map(|(segmented, _)| stem(&segmented.series)).collect();
    make_unique(stems.iter_mut());
    let (mut overview, mut series) = (Vec::new(), Vec::new());
    for (((segmented, changes), id), stem) in order.iter().zip(ids).zip(stems) {
        let one = OneSeries { segmented, changes, commits: &commits, view };
        let machine = machines.iter().position(|machine| *machine == segmented.series.machine);
        overview.push(one.summary(&id, &stem, machine.unwrap_or_default()));
        series.push((stem.clone(), one.points(&stem)));
    }
    let pages = facts.pages.as_ref().map(|pages| json!({"commit": pages.commit, "compare": pages.compare}));
    HistoryData {
        overview: json!({
            "format": "perfgate-site", "version": 1, "store": message(view.store), "runs": view.runs, "links": pages,
            "machines": machines.into_iter().map(message).collect::<Vec<_>>(), "series": overview,
        }),
        commits: json!({"file": "commits", "commits": commits.rows}),
        series,
    }
}

/// A readable name for each series: the benchmark, and what else distinguishes it from the others.
fn ids(all_series: &[&Series]) -> Vec<String> {
    let mut ids: Vec<String> = all_series
        .iter()
        .map(|series| match &*series.metric.name {
            "time" => message(series.benchmark.as_str()),
            metric => format!("{} {}", message(series.benchmark.as_str()), message(metric)),
        })
        .collect();
    let parts: [fn(&Series) -> String; 3] = [
        |series| format!(" ({})", message(&series.machine)),
        |series| format!(" [{}]", message(&series.tool)),
        |series| format!(" in {}", message(series.metric.unit.label())),
    ];
    for part in parts {
        let mut counts: HashMap<String, usize> = HashMap::new();
        ids.iter().for_each(|id| *counts.entry(id.clone()).or_default() += 1);
        for (id, series) in ids.iter_mut().zip(all_series) {
            if counts[id.as_str()] > 1 {
                id.push_str(&part(series));
            }
        }
    }
    make_unique(ids.iter_mut());
    ids
}

fn stem(series: &Series) -> String {
    let parts =
        [series.benchmark.as_str(), &*series.metric.name, &*series.tool, series.metric.unit.label(), &series.machine];
    file_stem("series", &parts)
}

struct OneSeries<'a> {
    segmented: &'a SegmentedSeries,
    changes: &'a [SeriesChange],
    commits: &'a Commits<'a>,
    view: &'a HistoryView<'a>,
}

impl OneSeries<'_> {
    /// The factor from the display unit to the metric's unit, and the display unit.
    fn unit(&self) -> (f64, &str) {
        let largest = self.segmented.series.points.iter().fold(0.0, |most: f64, point| most.max(point.value.abs()));
        scale(largest, self.segmented.series.metric.unit.label())
    }

    fn summary(&self, id: &str, stem: &str, machine: usize) -> Value {
        let series = &self.segmented.series;
        let (factor, unit) = self.unit();
        let last = series.points.last();
        let [now] = pair([last.map(|point| point.value)], series.metric.unit.label());
        let trend = trend(self.segmented, TREND_PARTS);
        let beyond: Vec<usize> = (0..).zip(&trend).filter(|(_, part)| part.is_beyond).map(|(index, _)| index).collect();
        json!({
            "id": id, "file": stem, "name": message(series.benchmark.as_str()), "metric": message(&series.metric.name),
            "tool": message(&series.tool), "machine": machine,
            "unit": message(unit), "factor": factor, "base_unit": message(series.metric.unit.label()),
            "better": series.metric.direction.word(),
            "points": series.points.len(), "now": now, "value": last.map(|point| significant(point.value, DIGITS)),
            "newest": last.map(|point| point.time), "measured": series.is_measured,
            "newest_commit": last.and_then(|point| Some(point.commit.as_ref()?.short())),
            "trend": trend.iter().map(|part| (part.height * TREND_STEPS).round() as i64).collect::<Vec<_>>(),
            // Most series have none.
            "beyond": (!beyond.is_empty()).then_some(beyond),
            "mark": self.changes.last().map(|change| part_of_change(&trend, change.commits.index)),
            "changes": self.changes.len(),
            "last": self.changes.last().map(|change| self.change(change)),
            "epoch": series.epoch.as_ref().map(|epoch| json!({"start": epoch.start, "reason": message(&epoch.reason)})),
        })
    }

    fn points(&self, stem: &str) -> Value {
        let series = &self.segmented.series;
        let (factor, _) = self.unit();
        let value = |value: f64| significant(value / factor, DIGITS);
        // A drift has no level.
        let drifts = |start: usize| self.changes.iter().any(|c| c.shape == Shape::Drift && c.commits.range.0 == start);
        let stretches = self.segmented.stretches().into_iter().filter(|(start, _)| !drifts(*start));
        let level = |(start, end): (usize, usize)| json!({"start": start, "end": end, "level": value(self.segmented.level((start, end)))});
        let runs: Vec<usize> = series.points.iter().map(|point| point.runs).collect();
        let waivers = self.view.waivers_of(series).map(|waiver| {
            let until = waiver.until.to_string();
            let up_to = match &waiver.up_to {
                UpTo::Change(most) => json!(most),
                UpTo::Value(limit) => json!(limit.to_string()),
            };
            json!({"up_to": up_to, "reason": message(&waiver.reason), "until": until})
        });
        json!({
            "file": stem,
            "noise": significant(self.segmented.segmentation.noise.exp_m1(), 3),
            "commits": series.points.iter().map(|point| self.commits.position(point)).collect::<Vec<_>>(),
            "values": series.points.iter().map(|point| value(point.value)).collect::<Vec<_>>(),
            // Omitted where each commit has one run.
            "runs": runs.iter().any(|count| *count != 1).then_some(runs),
            "levels": stretches.map(level).collect::<Vec<_>>(),
            "changes": self.changes.iter().map(|change| self.change(change)).collect::<Vec<_>>(),
            "waivers": waivers.collect::<Vec<_>>(),
        })
    }

    fn change(&self, change: &SeriesChange) -> Value {
        let finite = |value: f64| Some(value).filter(|value| value.is_finite()).map(|value| significant(value, 4));
        let commits = &change.commits;
        let points = &self.segmented.series.points;
        let position = |index: usize| points.get(index).map(|point| self.commits.position(point));
        json!({
            "kind": match change.shape { Shape::Step => "step", Shape::Drift => "drift" },
            "change": finite(change.change), "low": finite(change.interval[0]), "high": finite(change.interval[1]),
            "worse": change.worse, "undoes_previous": change.undoes_previous,
            "accepted": self.view.is_accepted(&self.segmented.series, self.changes, change),
            "first": commits.range.0, "last": commits.range.1, "at": commits.index,
            "after": commits.range.0.checked_sub(1).and_then(position), "commit": position(commits.index),
            "to": position(commits.range.1), "time": commits.time,
            "start": points.get(commits.range.0).map(|point| point.time), "since": change.points_since,
            "possible": commits.possible, "ago": change.commits_since,
        })
    }
}
