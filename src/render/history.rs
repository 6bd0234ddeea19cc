//! Stored series: a table with a trend per series, and the stretches of one benchmark.

mod change_text;
mod data;
mod next_step;

use super::fit::paragraph;
use super::quantity::{counted, pair, percent};
use super::rows::{Column, Narrow, Row, rows};
use super::trend::{ABOVE, BELOW_SCALE, trend_bars};
use super::{escape, quantity};
use crate::history::{Epoch, SegmentedSeries, Series, SeriesChange};
use crate::io::forge::CommitPages;
use crate::model::{Commit, Environment};
use crate::policy::Waiver;
use crate::stats::changepoint::Shape;
use anstyle::Style;
use change_text::{UNDOES, describe, interval_of, levels, style, when};
pub(super) use change_text::{change_size, day, label, last_measured, mark};
pub use data::{history_csv, history_json};
use next_step::{first_next_step, next_step};
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::fmt::Write;

const TREND_TITLE: &str = "trend";

/// The data of all history views.
pub struct HistoryView<'a> {
    /// The series, in order.
    pub series: &'a [SegmentedSeries],
    /// Number of stored runs.
    pub runs: usize,
    /// The store's address.
    pub store: &'a str,
    /// The waivers of the config.
    pub waivers: &'a [Waiver],
    /// The class of this machine, if it is needed for the next step.
    pub machine: Option<&'a str>,
}

impl HistoryView<'_> {
    /// The waivers of a series.
    pub(super) fn waivers_of(&self, series: &Series) -> impl Iterator<Item = &Waiver> {
        self.waivers.iter().filter(|waiver| waiver.covers(series.benchmark.as_str(), &series.metric.name))
    }

    /// True if a waiver covers the last change for the worse. `changes` are all those of the series.
    pub(super) fn is_accepted(&self, series: &Series, changes: &[SeriesChange], change: &SeriesChange) -> bool {
        let is_last = changes.iter().rev().find(|change| change.worse == Some(true)) == Some(change);
        let (direction, unit) = (series.metric.direction, &series.metric.unit);
        // A step from zero is infinite.
        let worse = Some(direction.worse(change.change)).filter(|worse| worse.is_finite());
        let newest = series.points.last().map(|point| point.value);
        is_last && self.waivers_of(series).any(|waiver| waiver.up_to.covers(worse, newest, unit, direction))
    }

    /// What a change is, in a word or two: `✗ worse, accepted`.
    fn mark(&self, series: &Series, changes: &[SeriesChange], change: &SeriesChange) -> String {
        let accepted = if self.is_accepted(series, changes, change) { ", accepted" } else { "" };
        format!("{}{accepted}", mark(change))
    }
}

/// What the pages show besides the series.
#[derive(Debug, Default)]
pub struct HistoryFacts {
    /// The texts of the commits that the repository has.
    pub commits: HashMap<Commit, CommitText>,
    /// The web pages of commits, where the remote has some.
    pub pages: Option<CommitPages>,
}

/// The readable text of a commit.
#[derive(Debug, Clone, Default)]
pub struct CommitText {
    /// The first line of its message.
    pub subject: String,
    /// The author's name.
    pub author: String,
}

/// The column at which texts start that do not fit next to a row.
const BELOW: usize = 10;

/// The order of series in lists: those that are still measured, then those that became worse, then the latest change, then the
/// largest one. Sizes are compared as ratios: −39% (a factor of 1.64) is larger than +60%.
pub(super) fn by_last_change(
    (a, a_last): (&SegmentedSeries, Option<&SeriesChange>),
    (b, b_last): (&SegmentedSeries, Option<&SeriesChange>),
) -> Ordering {
    let kind = |last: Option<&SeriesChange>| match last {
        Some(last) => (u8::from(last.worse != Some(true)), Reverse(last.commits.time)),
        None => (2, Reverse(0)),
    };
    let key = |one: &SegmentedSeries, last| (!one.series.is_measured, kind(last));
    let size = |last: Option<&SeriesChange>| last.map_or(0.0, |last| last.change.ln_1p().abs());
    key(a, a_last).cmp(&key(b, b_last)).then_with(|| size(b_last).total_cmp(&size(a_last)))
}

/// Every series with a change, in the order of [`by_last_change`]; the others are counted. Ends with what to do about the first
/// regression. `width` is that of the terminal.
pub fn overview(view: &HistoryView<'_>, width: Option<usize>) -> String {
    let mut out = header(view, width);
    let machines = several_machines(view.series);
    let mut changed: Vec<(&SegmentedSeries, Vec<SeriesChange>, SeriesChange)> = view
        .series
        .iter()
        .filter_map(|segmented| {
            let changes: Vec<SeriesChange> = segmented.changes().collect();
            let last = changes.last()?.clone();
            Some((segmented, changes, last))
        })
        .collect();
    changed.sort_by(|(a, _, a_last), (b, _, b_last)| by_last_change((a, Some(a_last)), (b, Some(b_last))));
    if !changed.is_empty() {
        let _ = writeln!(out);
        let has_intervals = changed.iter().any(|(_, _, last)| interval_of(last).is_some());
        let mut columns = vec![
            Column::left("", Narrow::Keep),
            Column::left("benchmark", Narrow::Shorten),
            Column::left(TREND_TITLE, Narrow::Drop(2)),
            Column::right("before", Narrow::Drop(3)),
            Column::right("after", Narrow::Keep),
            Column::right("change", Narrow::Keep),
        ];
        columns.extend(has_intervals.then_some(Column::right("95% CI", Narrow::TitledBelow(1))));
        columns.push(Column::left("when", Narrow::Below));
        let row = |(segmented, changes, last): &(&SegmentedSeries, Vec<SeriesChange>, SeriesChange)| {
            let [before, after] = levels(segmented, changes, last);
            let mut cells = vec![
                view.mark(&segmented.series, changes, last),
                name(segmented, machines),
                trend_bars(segmented),
                before,
                after,
                change_size(last.change),
            ];
            cells.extend(has_intervals.then(|| interval_of(last).unwrap_or_default()));
            cells.push(when(&segmented.series, last, changes.len() - 1));
            Row::new(style(last), cells)
        };
        let table: Vec<Row> = changed.iter().map(row).collect();
        let titles = rows(&mut out, &columns, &table, BELOW, width);
        let trends: String = changed.iter().map(|(segmented, ..)| trend_bars(segmented)).collect();
        let trends = if titles.contains(&TREND_TITLE) { trends } else { String::new() };
        let parts = [
            (changed.len() > 1).then_some("worse first, then latest"),
            has_intervals.then_some("CI: confidence interval of the change"),
            changed.iter().any(|(_, _, last)| is_range(last)).then_some(RANGE),
        ];
        out.push_str(&legend(&parts, &trends, width));
    }
    let is_gone = |segmented: &&SegmentedSeries| !segmented.series.is_measured;
    let unchanged = view.series.len() - changed.len();
    let gone = view.series.iter().filter(is_gone).count() - changed.iter().filter(|one| is_gone(&one.0)).count();
    let dim = Style::new().dimmed();
    for (epoch, names) in epochs(view.series, machines) {
        let restarted = restarted(epoch, &format!("{} series", names.len()));
        let text = format!("{dim}{restarted}: {}{dim:#}", listed(&names));
        out.push_str(&paragraph(&text, 2, width));
    }
    if unchanged > 0 {
        let gone = if gone > 0 { format!(", {gone} of them no longer measured") } else { String::new() };
        let text =
            format!("{dim}{unchanged} series without a change{gone} (to show one: `perfgate history NAME`){dim:#}");
        out.push_str(&paragraph(&text, 2, width));
    }
    let step = first_next_step(view, changed.iter().map(|(segmented, changes, _)| (*segmented, changes.as_slice())));
    out.push_str(&step.map(|step| paragraph(&step, 2, width)).unwrap_or_default());
    out
}

/// Each series in detail: its stretches with their commits and levels, and the change at the start of each.
pub fn detail(view: &HistoryView<'_>, width: Option<usize>) -> String {
    let mut out = header(view, width);
    for segmented in view.series {
        let series = &segmented.series;
        let bold = Style::new().bold();
        let title = format!("{bold}{}{bold:#}", name(segmented, true));
        let _ = write!(out, "\n{}", paragraph(&title, 2, width));
        let commits = series.points.len();
        let noise = percent(segmented.segmentation.noise.exp_m1());
        let trend = trend_bars(segmented);
        let count = counted(commits, "commit");
        let line = format!("{trend}  {count}; commits of one level differ by about {noise} (standard deviation)");
        out.push_str(&paragraph(&line, 2, width));
        if let Some(epoch) = &series.epoch {
            out.push_str(&paragraph(&restarted(epoch, "this series"), 2, width));
        }
        if let Some(last) = last_measured(series) {
            out.push_str(&paragraph(&format!("no longer measured: {last}"), 2, width));
        }
        let changes: Vec<SeriesChange> = segmented.changes().collect();
        let columns = [
            Column::left("", Narrow::Keep),
            Column::left("from", Narrow::Keep),
            Column::left("to", Narrow::Keep),
            Column::right("commits", Narrow::Keep),
            Column::right("level", Narrow::Keep),
            Column::left("change", Narrow::Below),
        ];
        let mut table = Vec::new();
        for (start, end) in segmented.stretches() {
            let drift = changes.iter().find(|c| c.shape == Shape::Drift && c.commits.range.0 == start);
            let [level] = pair([Some(segmented.level((start, end)))], series.metric.unit.label());
            let step = changes.iter().find(|c| c.shape == Shape::Step && c.commits.index == start);
            let here = step.into_iter().chain(drift);
            let description = |c: &SeriesChange| {
                let interval = interval_of(c).map(|ends| format!("[{ends}] ")).unwrap_or_default();
                let undoes = if c.undoes_previous { format!("; {UNDOES}") } else { String::new() };
                format!("{} {interval}{}{undoes}", change_size(c.change), describe(c))
            };
            let description: Vec<String> = here.map(description).collect();
            let change = step.or(drift);
            let cells = vec![
                change.map_or_else(String::new, |change| view.mark(series, &changes, change)),
                label(series.points[start].commit.as_ref(), series.points[start].time),
                label(series.points[end - 1].commit.as_ref(), series.points[end - 1].time),
                (end - start).to_string(),
                match drift {
                    Some(drift) => levels(segmented, &changes, drift).join(" → "),
                    None => level,
                },
                description.join("; then "),
            ];
            table.push(Row::new(change.map_or(Style::new(), style), cells));
        }
        rows(&mut out, &columns, &table, BELOW, width);
        let is_unsure = changes.iter().any(|change| change.shape == Shape::Step && change.commits.possible > 1);
        let has_intervals = changes.iter().any(|change| interval_of(change).is_some());
        let parts = [
            (!changes.is_empty()).then_some("from, to: first and last commit of each level"),
            is_unsure.then_some("the first commit after a change is the most likely cause"),
            has_intervals.then_some("[ … ]: 95% confidence interval of the change"),
            changes.iter().any(is_range).then_some(RANGE),
        ];
        out.push_str(&legend(&parts, &trend, width));
        if commits < crate::stats::changepoint::MIN_POINTS {
            let least = crate::stats::changepoint::MIN_POINTS;
            let _ = writeln!(out, "fewer than {least} commits: too few to find changes");
        }
        let step = next_step(view, segmented, &changes);
        out.push_str(&step.map(|step| paragraph(&step, 2, width)).unwrap_or_default());
    }
    out
}

/// The meaning of the ranges of [`describe`].
const RANGE: &str = "after A, up to B: one of the commits in `git log A..B` made the change";

fn is_range(change: &SeriesChange) -> bool {
    change.shape == Shape::Step && change.commits.possible > 1 && change.commits.after.is_some()
}

/// The parts that apply, and what the arrows in these trends mean.
fn legend(parts: &[Option<&str>], trends: &str, width: Option<usize>) -> String {
    let arrows = trends.contains([ABOVE, BELOW_SCALE]).then_some("↑ ↓: beyond the scale of the trend");
    let parts: Vec<&str> = parts.iter().copied().chain([arrows]).flatten().collect();
    if parts.is_empty() {
        return String::new();
    }
    let dim = Style::new().dimmed();
    paragraph(&format!("{dim}{}{dim:#}", parts.join("; ")), 2, width)
}

fn header(view: &HistoryView<'_>, width: Option<usize>) -> String {
    let (runs, store) = (counted(view.runs, "stored run"), escape::message(view.store));
    paragraph(&format!("{} series of {runs} in {store}", view.series.len()), 2, width)
}

/// Why series start later than the stored runs. `series` names or counts them.
fn restarted(epoch: &Epoch, series: &str) -> String {
    let (start, reason) = (day(epoch.start), escape::terminal(&epoch.reason));
    match epoch.is_configured {
        true => {
            format!("perfgate.toml restarts {series} on {start} (`[[epoch]]`: {reason}); earlier runs are not used")
        }
        false => format!("new start of {series} on {start} ({reason}); earlier runs are not used"),
    }
}

/// The epochs that some series start at, with the names of these series, in order of appearance.
fn epochs(all_series: &[SegmentedSeries], machines: bool) -> Vec<(&Epoch, Vec<String>)> {
    let mut found: Vec<(&Epoch, Vec<String>)> = Vec::new();
    for segmented in all_series {
        let Some(epoch) = segmented.series.epoch.as_deref() else { continue };
        let name = name(segmented, machines);
        match found.iter_mut().find(|(known, _)| *known == epoch) {
            Some((_, names)) => names.push(name),
            None => found.push((epoch, vec![name])),
        }
    }
    found
}

/// The first names of a list, and the number of the others.
fn listed(names: &[String]) -> String {
    const MOST: usize = 5;
    let more = names.len().saturating_sub(MOST);
    let first = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{first} and {} more", quantity::thousands(more)) } else { first }
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
        let machine = if series.machine == Environment::UNKNOWN { "unknown machine" } else { &*series.machine };
        let _ = write!(name, "  ({})", escape::terminal(machine));
    }
    name
}
