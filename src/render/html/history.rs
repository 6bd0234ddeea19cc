//! The page of stored series: each with its trend, its last change, and a chart that opens on click.

use super::{Page, filter_bar, header_cell, sort_key};
use crate::history::{SegmentedSeries, SeriesChange};
use crate::render::escape::{terminal, xml};
use crate::render::history::{HistoryView, change_size, day, label, mark, when};
use crate::render::quantity::{counted, pair};
use crate::stats::centre;
use crate::stats::changepoint::Shape;
use serde_json::{Value, json};
use std::fmt::Write;

/// Size of a trend, in pixels.
const WIDTH: f64 = 150.0;
const HEIGHT: f64 = 26.0;
/// Points of a trend at most.
const POINTS: usize = 50;

/// The page of a history.
pub fn page(view: &HistoryView<'_>) -> String {
    let mut out = String::new();
    let heading = format!("{} series of {}", view.series.len(), counted(view.runs, "stored run"));
    let _ = writeln!(out, "<header><h1>{heading}</h1>\n<p class=\"dim\">from {}</p></header>\n<main>", xml(view.store));
    let mut kinds = vec!["worse", "better", "unchanged"];
    if view.series.iter().any(|segmented| !segmented.series.metric.direction.is_known()) {
        kinds.insert(2, "changed");
    }
    out.push_str(&filter_bar(&kinds, view.series.len()));
    out.push_str("<div class=\"wide\"><table class=\"sortable\"><caption class=\"dim\">Series, latest change first; select a name for its chart</caption><thead><tr>");
    for (text, class) in
        [("last change", ""), ("benchmark", ""), ("", ""), ("now", "number"), ("change", "number"), ("when", "")]
    {
        // Trends cannot be sorted.
        out.push_str(&if text.is_empty() {
            "<th scope=\"col\">trend</th>".to_owned()
        } else {
            header_cell(text, class, "")
        });
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    let mut order: Vec<(usize, &SegmentedSeries, Vec<SeriesChange>)> = view
        .series
        .iter()
        .enumerate()
        .map(|(index, segmented)| (index, segmented, segmented.changes().collect()))
        .collect();
    order.sort_by_key(|(_, _, changes)| changes.last().map_or(usize::MAX, |last| last.since));
    for (index, segmented, changes) in &order {
        row(&mut out, *index, segmented, changes);
    }
    out.push_str("</tbody></table></div>\n</main>\n");
    let data: Vec<Value> = view.series.iter().map(chart).collect();
    let data = Value::Array(data).to_string();
    Page { title: &format!("perfgate: {heading}"), body: &out, data: &data, script: include_str!("page.js") }.html()
}

fn row(out: &mut String, index: usize, segmented: &SegmentedSeries, changes: &[SeriesChange]) {
    let series = &segmented.series;
    let last = changes.last();
    let (kind, class) = match last {
        Some(SeriesChange { worse: Some(true), .. }) => ("worse", "bad"),
        Some(SeriesChange { worse: Some(false), .. }) => ("better", "good"),
        Some(SeriesChange { worse: None, .. }) => ("changed", "dim"),
        None => ("unchanged", "dim"),
    };
    let name = xml(series.benchmark.as_str());
    let folded = xml(&series.benchmark.as_str().to_lowercase());
    let since = last.map_or(f64::NAN, |last| -(last.since as f64));
    let _ = write!(
        out,
        "<tr data-kind=\"{kind}\" data-name=\"{folded}\"><td class=\"{class}\" data-v=\"{kind}\">{}</td>",
        last.map_or("–", mark)
    );
    let _ = write!(
        out,
        "<td class=\"name\" data-v=\"{folded}\"><button type=\"button\" class=\"chart\" data-chart=\"{index}\" aria-expanded=\"false\">{name}</button>"
    );
    let mut notes = Vec::new();
    if series.metric.name != "time" {
        notes.push(series.metric.name.to_string());
    }
    if !series.machine.is_empty() {
        notes.push(series.machine.clone());
    }
    if let Some(epoch) = &series.epoch {
        notes.push(format!("starts at the epoch of {}: {}", day(epoch.start), epoch.reason));
    }
    if !notes.is_empty() {
        let _ = write!(out, "<div class=\"notes\">{}</div>", xml(&notes.join(", ")));
    }
    let now = series.points.last().map(|point| point.value);
    let [text] = pair([now], series.metric.unit.label());
    let _ = write!(
        out,
        "</td><td>{}</td><td class=\"number\" data-v=\"{}\">{}</td>",
        trend(segmented),
        sort_key(now),
        xml(&text)
    );
    let by = last.map(|last| last.change);
    // A step from zero sorts above every ratio.
    let key = sort_key(by.map(|by| by.min(f64::MAX)));
    let _ = write!(out, "<td class=\"number\" data-v=\"{key}\">{}</td>", by.map(change_size).unwrap_or_default());
    let text = last.map(|last| when(last, changes.len() - 1)).unwrap_or_default();
    let _ = writeln!(out, "<td data-v=\"{}\">{}</td></tr>", sort_key(Some(since)), xml(&text));
}

/// A line through the medians of up to `POINTS` equal parts.
fn trend(segmented: &SegmentedSeries) -> String {
    let points = &segmented.series.points;
    let parts = points.len().min(POINTS);
    let values: Vec<f64> = (0..parts)
        .map(|i| {
            let part = &points[i * points.len() / parts..(i + 1) * points.len() / parts];
            centre::median(&part.iter().map(|point| point.value).collect::<Vec<_>>())
        })
        .collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
    let height = (high - low).max(0.05 * high.abs()).max(f64::MIN_POSITIVE);
    let mut path = String::new();
    for (i, value) in values.iter().enumerate() {
        let x = 2.0 + (WIDTH - 4.0) * i as f64 / (parts.max(2) - 1) as f64;
        let y = HEIGHT - 3.0 - (HEIGHT - 6.0) * (value - low) / height;
        let _ = write!(path, "{x:.0},{y:.1} ");
    }
    format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" aria-hidden=\"true\"><polyline class=\"trend\" points=\"{}\"/></svg>",
        path.trim_end()
    )
}

/// The data of a chart: values, commits, unit, stretches with their levels, changes with their ranges.
fn chart(segmented: &SegmentedSeries) -> Value {
    let points = &segmented.series.points;
    // Five significant digits are finer than a pixel.
    let short = |value: f64| -> f64 { format!("{value:.4e}").parse().unwrap_or(value) };
    // A drift has no level.
    let drifts = |start: usize| segmented.changes().any(|c| c.shape == Shape::Drift && c.commits.range.0 == start);
    let level = segmented.stretches().into_iter().filter(|(start, _)| !drifts(*start));
    let stretches = level.map(|(start, end)| {
        let values: Vec<f64> = points[start..end].iter().map(|point| point.value).collect();
        json!([start, end, short(centre::median(&values))])
    });
    let changes = segmented.changes().map(|one| json!([one.commits.range.0, one.commits.range.1, when(&one, 0)]));
    json!({
        "v": points.iter().map(|point| short(point.value)).collect::<Vec<_>>(),
        "c": points.iter().map(|point| label(point.commit.as_ref(), point.time)).collect::<Vec<_>>(),
        "u": terminal(segmented.series.metric.unit.label()),
        "s": stretches.collect::<Vec<_>>(),
        "x": changes.collect::<Vec<_>>(),
    })
}
