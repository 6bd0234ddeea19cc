//! The results of a replay: a table to choose a threshold from, the same as JSON, and lines for perfgate.toml.

use super::fit::paragraph;
use super::quantity::{counted, percent, thousands};
use super::rows::{Column, Narrow, Row, rows};
use crate::policy::literal;
use crate::replay::{Replay, SLOWDOWNS, STANDARD_DEVIATIONS, Suggestion};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The title of a column that narrow terminals do not have.
const PERSISTED: &str = "persisted";

/// The replay as a table, with a row for the suggested settings; `width` is that of the terminal.
pub fn replay_table(replay: &Replay, suggestion: Option<&Suggestion>, configured: f64, width: Option<usize>) -> String {
    let mut out = paragraph(&compared_runs(replay), 2, width);
    let slowdowns = SLOWDOWNS.map(|slowdown| format!("+{}", percent(slowdown)));
    let mut columns = vec![Column::left("threshold", Narrow::Keep)];
    // The rate follows from the number of alarms.
    columns.extend([
        Column::right("alarms", Narrow::Keep),
        Column::right("per 100 runs", Narrow::Drop(1)),
        Column::right(PERSISTED, Narrow::Drop(2)),
    ]);
    columns.extend(slowdowns.iter().map(|slowdown| Column::right(slowdown, Narrow::Keep)));
    let mut table = Vec::new();
    let suggested = suggestion.map(|suggestion| (&suggestion.row, true));
    for (row, is_suggested) in replay.rows.iter().map(|row| (row, false)).chain(suggested) {
        let threshold = match row.threshold {
            Some(threshold) if is_suggested => format!("as suggested ({})", percent(threshold)),
            Some(threshold) => percent(threshold),
            None => format!("as configured ({})", percent(configured)),
        };
        let rate = if replay.judged == 0 { 0.0 } else { 100.0 * row.alarms as f64 / replay.judged as f64 };
        let persisted = if row.alarms == 0 { "–".to_owned() } else { format!("{} of {}", row.persisted, row.alarms) };
        let mut cells = vec![threshold, row.alarms.to_string(), format!("{rate:.1}"), persisted];
        cells.extend(row.detections.iter().map(|detection| match detection.injected {
            0 => "–".to_owned(),
            of => format!("{:.0}%", 100.0 * detection.detected as f64 / of as f64),
        }));
        table.push(Row::new(anstyle::Style::new(), cells));
    }
    let _ = writeln!(out);
    let titles = rows(&mut out, &columns, &table, 0, width);
    let injected = replay
        .rows
        .iter()
        .flat_map(|row| &row.detections)
        .map(|detection| detection.injected)
        .max()
        .unwrap_or_default();
    let of = counted(injected, "injected slowdown");
    let _ = writeln!(out);
    let as_suggested = |suggestion: &Suggestion| match has_lines(suggestion, configured) {
        true => "as suggested: as configured, and with the lines below",
        false => "as suggested: as configured, since perfgate.toml needs no change",
    };
    let detected =
        format!("+10% … +50%: share of {of} of that size that were detected, without benchmarks that regressed anyway");
    // A narrow terminal does not have every column.
    let has_persisted = titles.contains(&PERSISTED);
    let lines = [
        Some("as configured: with the entries of perfgate.toml; the other rows have one threshold for all benchmarks"),
        suggestion.map(as_suggested),
        Some("alarms: benchmarks that regressed in a run, but not in the run before it; suspects are not re-measured"),
        has_persisted.then_some(
            "persisted: alarms whose change lasted (probably real regressions); the others are probably false alarms",
        ),
        Some(&*detected),
        (has_persisted && suggestion.is_none())
            .then_some("to choose: the smallest threshold with few alarms that did not persist (`--suggest` finds it)"),
    ];
    for line in lines.iter().flatten() {
        out.push_str(&paragraph(line, 2, width));
    }
    out
}

/// How many of the stored runs were compared.
fn compared_runs(replay: &Replay) -> String {
    let others = match replay.without_earlier_run {
        0 => return format!("{} compared with the runs before them", counted(replay.judged, "stored run")),
        1 => "the other one has no earlier run of its machine class".to_owned(),
        count => format!("the other {} have no earlier run of their machine class", thousands(count)),
    };
    let all = counted(replay.judged + replay.without_earlier_run, "stored run");
    format!("{} of {all} compared with the runs before them; {others}", thousands(replay.judged))
}

/// True if a suggestion has lines for perfgate.toml.
fn has_lines(suggestion: &Suggestion, configured: f64) -> bool {
    whole_percent(suggestion.threshold) != whole_percent(configured) || !suggestion.benchmarks.is_empty()
}

/// What perfgate.toml has already. A second `[gate]`, or a second rule with the same `match`, would make it invalid.
#[derive(Default)]
struct ExistingTables {
    gate: bool,
    /// The `match` of each `[[benchmark]]` for all metrics.
    rules: BTreeSet<String>,
}

impl ExistingTables {
    fn of(config: &str) -> ExistingTables {
        let Ok(config) = config.parse::<toml::Table>() else { return ExistingTables::default() };
        let rules = config.get("benchmark").and_then(toml::Value::as_array);
        let pattern = |rule: &toml::Value| match rule.get("metric") {
            Some(_) => None,
            None => Some(rule.get("match")?.as_str()?.to_owned()),
        };
        let rules = rules.into_iter().flatten().filter_map(pattern).collect();
        ExistingTables { gate: config.contains_key("gate"), rules }
    }
}

/// A text as a comment of TOML.
fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// The lines for perfgate.toml: together with its present text, `config`, they are valid. `configured` is its present threshold.
pub fn suggestion(suggestion: &Suggestion, judged: usize, configured: f64, config: Option<&str>) -> String {
    let mut out = String::new();
    let existing = config.map(ExistingTables::of).unwrap_or_default();
    let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let Suggestion { threshold, for_most, benchmarks, row } = suggestion;
    let suggested = whole_percent(*threshold);
    let keeps_gate = suggested == whole_percent(configured);
    if has_lines(suggestion, configured) {
        let _ = writeln!(out, "# lines to add to perfgate.toml:");
    }
    let _ = writeln!(out, "# with these settings: {}", alarms(row, judged));
    if let Some(for_most) = for_most {
        let (for_most, threshold) = (whole_percent(*for_most), whole_percent(*threshold));
        let _ = writeln!(
            out,
            "# by their noise alone, {for_most} would be enough for most benchmarks; {threshold} also covers outliers"
        );
    }
    let gate = format!("[gate]\nthreshold = \"{suggested}\"\n");
    if keeps_gate {
        let _ = writeln!(out, "# {suggested} is the threshold in use: [gate] needs no change");
    } else if existing.gate {
        let _ = write!(out, "# [gate] is already there; change its threshold:\n{}", commented(&gate));
    } else {
        out.push_str(&gate);
    }
    for (name, threshold, noise) in benchmarks {
        let (noise, deviations) = (noise.exp(), STANDARD_DEVIATIONS);
        let _ = writeln!(
            out,
            "\n# noise {} between runs (SD); threshold: {deviations} SD, a factor of {noise:.3}^{deviations} = {:.2}",
            percent(noise - 1.0),
            noise.powf(deviations)
        );
        let pattern = literal(name);
        let (quoted, threshold) = (quote(&pattern), whole_percent(*threshold));
        let entry = format!("[[benchmark]]\nmatch = {quoted}\nthreshold = \"{threshold}\"\n");
        if existing.rules.contains(&pattern) {
            let _ = write!(out, "# this entry is already there; change its threshold:\n{}", commented(&entry));
        } else {
            out.push_str(&entry);
        }
    }
    out
}

/// The alarms of a row, by what they probably are: `6 alarms in 199 runs: 3 persisted (probably real), 3 did not (probably false)`.
fn alarms(row: &crate::replay::Row, judged: usize) -> String {
    let runs = counted(judged, "run");
    let (persisted, transient) = (row.persisted, row.alarms - row.persisted);
    match row.alarms {
        0 => format!("no alarm in {runs}"),
        all => format!(
            "{} in {runs}: {persisted} persisted (probably real), {transient} did not (probably false)",
            counted(all, "alarm")
        ),
    }
}

fn whole_percent(fraction: f64) -> String {
    format!("{:.0}%", fraction * 100.0)
}

/// The replay as JSON. `config` is the present text of perfgate.toml.
pub fn replay_json(replay: &Replay, configured: f64, suggested: Option<&Suggestion>, config: Option<&str>) -> Value {
    let row = |row: &crate::replay::Row| {
        let caught: Vec<Value> = SLOWDOWNS
            .iter()
            .zip(&row.detections)
            .map(|(by, caught)| {
                // `put_in` and `called` are the names of older versions.
                let (injected, detected) = (caught.injected, caught.detected);
                json!({
                    "slowdown": by, "injected": injected, "detected": detected, "put_in": injected, "called": detected,
                })
            })
            .collect();
        json!({
            "threshold": row.threshold.unwrap_or(configured), "configured": row.threshold.is_none(),
            "alarms": row.alarms, "persisted": row.persisted, "slowdowns": caught, "transient": row.transient,
            "caught": caught, "passing": row.transient, // the names of older versions
        })
    };
    let suggestion = suggested.map(|s| {
        let toml = suggestion(s, replay.judged, configured, config);
        let benchmarks = s
            .benchmarks
            .iter()
            .map(|(name, threshold, noise)| json!({"name": name, "threshold": threshold, "noise": noise}));
        json!({"threshold": s.threshold, "benchmarks": benchmarks.collect::<Vec<_>>(), "row": row(&s.row), "toml": toml})
    });
    json!({
        "format": "perfgate-replay", "version": 1, "judged": replay.judged, "without_earlier_run": replay.without_earlier_run,
        "first": replay.without_earlier_run, // the name of older versions
        "rows": replay.rows.iter().map(row).collect::<Vec<_>>(), "suggestion": suggestion,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_are_counted_by_what_they_probably_are() {
        let row = |alarms, persisted| crate::replay::Row { alarms, persisted, ..Default::default() };
        let text = |all, persisted| alarms(&row(all, persisted), 199);
        assert_eq!(text(0, 0), "no alarm in 199 runs");
        assert_eq!(text(1, 1), "1 alarm in 199 runs: 1 persisted (probably real), 0 did not (probably false)");
        assert_eq!(text(6, 3), "6 alarms in 199 runs: 3 persisted (probably real), 3 did not (probably false)");
    }
}
