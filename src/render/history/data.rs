//! Stored series as JSON and as CSV.

use super::HistoryView;
use crate::history::{Point, SeriesChange};
use crate::model::{Commit, Diagnostic};
use crate::render::escape;
use crate::stats::changepoint::Shape;
use serde_json::{Value, json};
use std::io;

/// The series as JSON, with points, stretches and changes.
pub fn history_json(view: &HistoryView<'_>, diagnostics: &[Diagnostic]) -> Value {
    let commit = |commit: &Option<Commit>| commit.as_ref().map(Commit::as_str).map(str::to_owned);
    let series: Vec<Value> = view
        .series
        .iter()
        .map(|segmented| {
            let series = &segmented.series;
            let point = |p: &Point| json!({"commit": commit(&p.commit), "time": p.time, "runs": p.runs, "value": p.value});
            let to_json = |c: SeriesChange| {
                json!({
                    "kind": match c.shape { Shape::Step => "step", Shape::Drift => "drift" },
                    "change": c.change, "interval": c.interval, "worse": c.worse, "undoes_previous": c.undoes_previous,
                    "after": commit(&c.commits.after), "at": commit(&c.commits.at), "up_to": commit(&c.commits.to),
                    "commits": c.commits.possible, "index": c.commits.index, "since": c.points_since, "ago": c.commits_since,
                })
            };
            let stretch = |(start, end): (usize, usize)| {
                json!({"start": start, "end": end, "level": segmented.level((start, end))})
            };
            json!({
                "name": series.benchmark.as_str(), "metric": series.metric.name, "unit": series.metric.unit.label(),
                "direction": series.metric.direction.to_string(), "tool": series.tool, "machine": series.machine,
                "epoch": series.epoch.as_ref().map(|epoch| json!({"start": epoch.start, "reason": epoch.reason})),
                "measured": series.is_measured, "noise": segmented.segmentation.noise.exp_m1(),
                "changes": segmented.changes().map(to_json).collect::<Vec<_>>(),
                "stretches": segmented.stretches().into_iter().map(stretch).collect::<Vec<_>>(),
                "points": series.points.iter().map(point).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({"format": "perfgate-history", "version": 1, "store": view.store, "runs": view.runs, "series": series, "diagnostics": diagnostics})
}

/// The series as CSV, a line per point.
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
