//! Replays verdicts over recorded benchmark histories: how many alarms vanish, and how many injected slowdowns are found.
//!
//! `cargo run --release --example history_accuracy -- DIR [HEADS]` reads every `*.json` and `*.json.gz` of a directory:
//! `{"series": [{"benchmark", "unit", "direction"}], "runs": [{"values": [number | [samples] | null, ...]}]}`, oldest
//! run first. HEADS (default: 40) is the number of runs at the end of each history that are tested as head.

#[path = "../tests/histories/replay.rs"]
mod replay;

use flate2::read::MultiGzDecoder;
use perfgate::model::{Direction, Evidence, Unit};
use rayon::prelude::*;
use replay::{FACTORS, History, Score, Series, WINDOWS, replay};
use serde_json::Value;
use std::error::Error;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().ok_or("usage: history_accuracy DIR [HEADS]")?;
    let heads = arguments.next().map_or(Ok(40), |heads| heads.parse())?;
    let mut paths: Vec<PathBuf> =
        fs::read_dir(&directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| [".json", ".json.gz"].iter().any(|end| path.to_string_lossy().ends_with(end)));
    paths.sort();
    let histories: Vec<History> = paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    println!(
        "{} histories; heads of a hundred with an alarm that vanished, or that the head before had too; found of injected x{FACTORS:?}",
        paths.len()
    );
    for window in WINDOWS {
        let scores: Vec<Score> = histories.par_iter().map(|history| replay(history, window, heads)).collect();
        let mut all = Score::default();
        scores.into_iter().for_each(|score| all.add(score));
        let recall = all.recall().map(|percent| format!("{percent:.0}%")).join(" / ");
        let (bases, together) = window;
        println!(
            "{bases:2} base, {together} head: {:5} heads, {:.1} vanished, {:.1} repeated, {recall}",
            all.heads,
            all.vanished_percent(),
            all.repeated_percent()
        );
    }
    Ok(())
}

fn read(path: &Path) -> Result<History, Box<dyn Error>> {
    let mut text = String::new();
    if path.extension().is_some_and(|end| end == "gz") {
        MultiGzDecoder::new(File::open(path)?).read_to_string(&mut text)?;
    } else {
        File::open(path)?.read_to_string(&mut text)?;
    }
    let document: Value = serde_json::from_str(&text)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let series = |one: &Value| Series {
        name: text(&one["benchmark"]),
        unit: Unit::from_label(&text(&one["unit"])),
        direction: if one["direction"] == "higher" { Direction::Higher } else { Direction::Lower },
    };
    let evidence = |value: &Value| match value {
        Value::Array(samples) => Some(Evidence::Samples(samples.iter().filter_map(Value::as_f64).collect())),
        value => value.as_f64().map(Evidence::Value),
    };
    let run = |run: &Value| list(&run["values"]).iter().map(evidence).collect();
    Ok(History {
        series: list(&document["series"]).iter().map(series).collect(),
        runs: list(&document["runs"]).iter().map(run).collect(),
    })
}
