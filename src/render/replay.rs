//! The results of a replay: a table to choose a threshold from, the same as JSON, and lines for perfgate.toml.

use super::fit::{hanging, paragraph};
use super::quantity::{counted, percent, thousands};
use super::rows::{Column, Narrow, Row, rows};
use crate::policy::literal;
use crate::replay::{ACCEPTED, ForMost, LARGEST, Replay, SLOWDOWNS, STANDARD_DEVIATIONS, STEP, Suggestion};
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
    let _ = writeln!(out);
    let as_suggested = |suggestion: &Suggestion| match has_lines(suggestion, configured) {
        true => "as suggested: as configured, and with the lines below",
        false => "as suggested: as configured, since perfgate.toml needs no change",
    };
    let detected = format!(
        "+10% … +50%: share detected of {} of each size that were injected into stored runs (benchmarks that regressed anyway do \
         not count)",
        counted(injected, "slowdown")
    );
    let to_choose = format!(
        "to choose: the smallest threshold with at most {} per 100 runs that did not persist (`--suggest` finds it)",
        counted(ACCEPTED, "alarm")
    );
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
        (has_persisted && suggestion.is_none()).then_some(&*to_choose),
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

/// Width of the comments for perfgate.toml.
const COMMENT_WIDTH: usize = 80;

/// A text of words as a comment of TOML.
fn comment(text: &str) -> String {
    hanging(text, "# ", "# ", Some(COMMENT_WIDTH))
}

/// Lines of TOML as a comment.
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
        out.push_str(&comment("lines to add to perfgate.toml:"));
    }
    out.push_str(&comment(&format!("with these settings: {}", alarms(row, judged))));
    if let Some(for_most) = for_most {
        out.push_str(&comment(&lower_threshold(*for_most, row.alarms - row.persisted)));
    }
    let gate = format!("[gate]\nthreshold = \"{suggested}\"\n");
    if keeps_gate {
        out.push_str(&comment(&format!("{suggested} is the threshold in use: [gate] needs no change")));
    } else if existing.gate {
        let _ = write!(out, "# [gate] is already there; change its threshold:\n{}", commented(&gate));
    } else {
        out.push_str(&gate);
    }
    for (name, threshold, noise) in benchmarks {
        out.push('\n');
        out.push_str(&comment(&noise_text(*noise, *threshold)));
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
    let (persisted, transient) = (thousands(row.persisted), thousands(row.alarms - row.persisted));
    match row.alarms {
        0 => format!("no alarm in {runs}"),
        all => format!(
            "{} in {runs}: {persisted} persisted (probably real), {transient} did not (probably false)",
            counted(all, "alarm")
        ),
    }
}

/// Why a lower threshold, which suits the noise of most benchmarks, is not suggested. `transient` is the number of alarms that did
/// not persist with the suggested settings.
fn lower_threshold(for_most: ForMost, transient: usize) -> String {
    let lower = whole_percent(for_most.threshold);
    let alarms = counted(for_most.transient, "alarm");
    if for_most.transient <= transient {
        return format!("{lower} would also suit the noise of most benchmarks ({alarms} did not persist there)");
    }
    let left = if transient == 0 { "none".to_owned() } else { thousands(transient) };
    format!(
        "{lower} would suit the noise of most benchmarks, but there {alarms} did not persist; with these settings {left}"
    )
}

/// How a threshold follows from the noise of a benchmark, which is on the log scale.
fn noise_text(noise: f64, threshold: f64) -> String {
    let (deviations, limit) = (STANDARD_DEVIATIONS, whole_percent(threshold));
    let needed = (deviations * noise).exp_m1();
    let start = format!("noise {} between runs (SD); {deviations} SD", percent(noise.exp_m1()));
    let needed_text = percent(needed);
    if needed <= STEP {
        format!("{start} would be {needed_text}, the smallest suggested threshold is {limit}")
    } else if needed > LARGEST {
        format!("{start} would be {needed_text}, the largest suggested threshold is {limit}")
    } else {
        format!("{start} are {needed_text}, rounded up to a multiple of {}", whole_percent(STEP))
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

    #[test]
    fn a_threshold_of_a_benchmark_states_its_noise_and_the_limit_that_applies() {
        let text = |noise: f64, threshold| noise_text(noise.ln_1p(), threshold);
        assert_eq!(
            text(0.008, 0.05),
            "noise 0.8% between runs (SD); 4 SD would be 3.2%, the smallest suggested threshold is 5%"
        );
        assert_eq!(text(0.05, 0.25), "noise 5% between runs (SD); 4 SD are 21.6%, rounded up to a multiple of 5%");
        assert!(text(1.0, 10.0).ends_with("the largest suggested threshold is 1000%"));
    }

    #[test]
    fn comments_for_the_configuration_fit_80_columns() {
        let suggested = Suggestion {
            threshold: 0.1,
            for_most: Some(ForMost { threshold: 0.05, transient: 12 }),
            benchmarks: vec![("parse/large".to_owned(), 0.25, 0.05)],
            row: crate::replay::Row { alarms: 1234, persisted: 1200, ..Default::default() },
        };
        for config in [None, Some("[gate]\nthreshold = '20%'\n[[benchmark]]\nmatch = 'parse/large'\n")] {
            for configured in [0.1, 0.2] {
                let lines = suggestion(&suggested, 8800, configured, config);
                assert!(lines.lines().all(|line| line.chars().count() <= 80), "{lines}");
                let joined = lines.replace("\n# ", " ");
                assert!(joined.contains("with these settings: 1,234 alarms in 8,800 runs: 1,200 persisted"), "{lines}");
                assert!(lines.parse::<toml::Table>().is_ok(), "{lines}");
            }
        }
    }

    #[test]
    fn a_lower_threshold_states_the_alarms_that_did_not_persist() {
        let text = |transient, left| lower_threshold(ForMost { threshold: 0.1, transient }, left);
        assert_eq!(
            text(8, 0),
            "10% would suit the noise of most benchmarks, but there 8 alarms did not persist; with these settings none"
        );
        assert_eq!(text(1, 1), "10% would also suit the noise of most benchmarks (1 alarm did not persist there)");
    }
}
