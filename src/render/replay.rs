//! The results of a replay: a table to choose a threshold from, the same as JSON, and lines for perfgate.toml.

use super::fit::paragraph;
use super::quantity::{counted, percent};
use super::rows::{Column, Narrow, Row, rows};
use crate::policy::Pattern;
use crate::replay::{Detection, Replay, SLOWDOWNS, Suggestion};
use serde_json::{Value, json};
use std::fmt::Write;

/// The title of a column that a narrow terminal has no room for.
const PERSISTED: &str = "persisted";

/// Benchmarks listed in a suggestion; the rest are counted.
const SUGGESTED: usize = 20;

/// The replay as a table; `width` is that of the terminal.
pub fn replay_table(replay: &Replay, configured: f64, width: Option<usize>) -> String {
    let first = match replay.first {
        0 => String::new(),
        count => format!("; {count} had no earlier run"),
    };
    let judged = counted(replay.judged, "stored run");
    let mut out = paragraph(&format!("{judged} compared with the runs before them{first}"), 2, width);
    let slowdowns = SLOWDOWNS.map(|slowdown| format!("+{}", percent(slowdown)));
    let mut columns = vec![Column::left("threshold", Narrow::Keep)];
    columns.push(Column::right("alarms", Narrow::Keep));
    columns.push(Column::right("per 100 runs", Narrow::Drop(1)));
    columns.push(Column::right(PERSISTED, Narrow::Drop(2)));
    columns.extend(slowdowns.iter().map(|title| Column::right(title, Narrow::Keep)));
    let mut table = Vec::new();
    for row in &replay.rows {
        let threshold = match row.threshold {
            Some(threshold) => percent(threshold),
            None => format!("as configured ({})", percent(configured)),
        };
        let rate = if replay.judged == 0 { 0.0 } else { 100.0 * row.alarms as f64 / replay.judged as f64 };
        let persisted = if row.alarms == 0 { "–".to_owned() } else { format!("{} of {}", row.persisted, row.alarms) };
        let mut cells = vec![threshold, row.alarms.to_string(), format!("{rate:.1}"), persisted];
        cells.extend(row.detections.iter().map(|detection| match detection.injected {
            0 => "–".to_owned(),
            _ => format!("{:.0}%", share_detected(detection)),
        }));
        table.push(Row::new(anstyle::Style::new(), cells));
    }
    let _ = writeln!(out);
    let titles = rows(&mut out, &columns, &table, 0, width);
    let injected = replay.rows.first().map_or(0, |row| row.detections.iter().map(|detection| detection.injected).sum());
    let of = counted(injected, "injected slowdown");
    let _ = writeln!(out);
    let persisted = titles.contains(&PERSISTED).then_some("persisted: alarms with a lasting change in the history");
    for line in [
        Some(
            "as configured: with the rules and waivers of perfgate.toml; the other rows have one threshold for all benchmarks",
        ),
        Some("alarms: benchmarks that regressed, but not in the previous run; without re-measuring"),
        persisted,
        Some(&*format!("+…%: share of {of} of that size that was detected")),
    ]
    .into_iter()
    .flatten()
    {
        out.push_str(&paragraph(line, 2, width));
    }
    out
}

/// The lines for perfgate.toml.
pub fn suggestion(suggestion: &Suggestion, judged: usize) -> String {
    let mut out = String::new();
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let Suggestion { threshold, transient, detections, for_most, benchmarks } = suggestion;
    let runs = counted(judged, "replayed run");
    let _ = writeln!(out, "# with these lines, in {runs}: {transient:.1} alarms per 100 runs did not persist");
    let found = |(by, one): (&f64, &Detection)| {
        (one.injected > 0).then(|| format!("{:.0}% of +{}", share_detected(one), percent(*by)))
    };
    let found: Vec<String> = SLOWDOWNS.iter().zip(detections).filter_map(found).collect();
    if !found.is_empty() {
        let _ = writeln!(out, "# and of the injected slowdowns were detected {}", found.join(", "));
    }
    if let Some(for_most) = for_most {
        let _ = writeln!(out, "# most benchmarks are quiet enough for a threshold of {}", whole_percent(*for_most));
    }
    let _ = writeln!(out, "[gate]\nthreshold = \"{}\"", whole_percent(*threshold));
    for (name, threshold, noise) in benchmarks.iter().take(SUGGESTED) {
        let _ = writeln!(out, "\n[[benchmark]] # noise {} between runs", percent(noise.exp_m1()));
        let _ =
            writeln!(out, "match = {}\nthreshold = \"{}\"", quote(&Pattern::literal(name)), whole_percent(*threshold));
    }
    if benchmarks.len() > SUGGESTED {
        let _ = writeln!(
            out,
            "\n# … and {} that need another threshold",
            counted(benchmarks.len() - SUGGESTED, "more benchmark")
        );
    }
    out
}

fn share_detected(detection: &Detection) -> f64 {
    100.0 * detection.detected as f64 / detection.injected.max(1) as f64
}

fn whole_percent(fraction: f64) -> String {
    format!("{:.0}%", fraction * 100.0)
}

/// The replay as JSON.
pub fn replay_json(replay: &Replay, configured: f64, suggestion: Option<&Suggestion>) -> Value {
    let row = |row: &crate::replay::Row| {
        let caught: Vec<Value> = SLOWDOWNS
            .iter()
            .zip(&row.detections)
            .map(|(by, caught)| json!({"slowdown": by, "put_in": caught.injected, "called": caught.detected}))
            .collect();
        json!({
            "threshold": row.threshold.unwrap_or(configured), "configured": row.threshold.is_none(),
            "alarms": row.alarms, "persisted": row.persisted, "caught": caught, "passing": row.transient,
        })
    };
    let suggestion = suggestion.map(|s| {
        let benchmarks = s
            .benchmarks
            .iter()
            .map(|(name, threshold, noise)| json!({"name": name, "threshold": threshold, "noise": noise}));
        json!({"threshold": s.threshold, "transient": s.transient, "benchmarks": benchmarks.collect::<Vec<_>>()})
    });
    json!({
        "format": "perfgate-replay", "version": 1, "judged": replay.judged, "first": replay.first,
        "rows": replay.rows.iter().map(row).collect::<Vec<_>>(), "suggestion": suggestion,
    })
}
