//! Counts the change points that perfgate finds in series with known steps. `tests/peers/change_points.py` prints the
//! same counts for other tools.
//!
//! `cargo run --release --example change_points -- DIR...` reads many.csv, long.csv and truth.json of each directory, and
//! writes them first if they are missing. Without arguments it counts how drifts and steps are distinguished.

#[path = "../tests/changepoints/series.rs"]
mod series;

use perfgate::stats::changepoint::{Shape, segmentation};
use serde_json::Value;
use series::{Draw, count, odd, sized_series, steps};
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let directories: Vec<String> = std::env::args().skip(1).collect();
    if directories.is_empty() {
        drifts_by_noise();
    }
    for (number, directory) in directories.iter().map(Path::new).enumerate() {
        if !directory.join("many.csv").exists() {
            write_series(directory, number as u64 + 1)?;
        }
        count_steps(directory)?;
    }
    Ok(())
}

/// Counts found and false steps as `tests/peers/change_points.py` does.
fn count_steps(directory: &Path) -> Result<(), Box<dyn Error>> {
    let truth: Value = serde_json::from_slice(&fs::read(directory.join("truth.json"))?)?;
    let known_steps = |name: &str| -> Vec<(usize, f64)> {
        let steps = truth[name]["steps"].as_array().into_iter().flatten();
        steps.filter_map(|step| Some((step[0].as_u64()? as usize, step[1].as_f64()?))).collect()
    };
    let (mut known, mut found, mut false_ones, mut stepless) = (0, 0, 0, 0);
    let (mut small_found, mut small_known) = (0, 0);
    let mut spent = Duration::ZERO;
    for (name, values) in read_series(&directory.join("many.csv"))? {
        let started = Instant::now();
        let reported = steps(&values);
        spent += started.elapsed();
        let truth = known_steps(&name);
        let at: Vec<usize> = truth.iter().map(|(at, _)| *at).collect();
        let (hits, wrong) = count(reported.clone(), &at);
        (known, found, false_ones) = (known + at.len(), found + hits, false_ones + wrong);
        stepless += usize::from(at.is_empty() && wrong > 0);
        let five: Vec<usize> = truth.iter().filter(|(_, by)| (by - 1.0).abs() < 0.06).map(|(at, _)| *at).collect();
        (small_found, small_known) = (small_found + count(reported, &five).0, small_known + five.len());
    }
    let long = read_series(&directory.join("long.csv"))?;
    let (name, values) = long.first().ok_or("long.csv has no series")?;
    let started = Instant::now();
    let reported = steps(values);
    let one = started.elapsed();
    let (hits, wrong) = count(reported, &known_steps(name).iter().map(|(at, _)| *at).collect::<Vec<_>>());
    println!(
        "{} perfgate: {found} of {known} found, {false_ones} false, steps of 5%: {small_found} of {small_known}, \
         {stepless} stepless series given one, 200 x 500 in {:.3} s, 1 x 10,000 in {:.4} s ({hits} of 20, {wrong} false)",
        directory.display(),
        spent.as_secs_f64(),
        one.as_secs_f64()
    );
    Ok(())
}

/// A name and the logarithms of its values.
type Series = (String, Vec<f64>);

/// The series of a table.
fn read_series(path: &Path) -> Result<Vec<Series>, Box<dyn Error>> {
    let mut table = csv::Reader::from_path(path)?;
    let mut series: Vec<Series> = table.headers()?.iter().skip(2).map(|name| (name.to_owned(), Vec::new())).collect();
    for row in table.records() {
        for ((_, values), cell) in series.iter_mut().zip(row?.iter().skip(2)) {
            values.push(cell.parse::<f64>()?.ln());
        }
    }
    Ok(series)
}

fn write_series(directory: &Path, seed: u64) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(directory)?;
    let mut draw = Draw(seed);
    let mut truth = serde_json::Map::new();
    let mut write = |file: &str, names: Vec<String>, n: usize, counts: &[usize]| {
        let columns: Vec<_> = (0..names.len()).map(|i| sized_series(&mut draw, n, counts[i % counts.len()])).collect();
        let mut text = format!("time,commit,{}\n", names.join(","));
        for row in 0..n {
            let cells: Vec<String> = columns.iter().map(|(values, _)| format!("{:.6e}", values[row].exp())).collect();
            text += &format!("{},{row:040x},{}\n", 1_700_000_000 + 3600 * row, cells.join(","));
        }
        for (name, (_, steps)) in names.into_iter().zip(columns) {
            truth.insert(name, serde_json::json!({ "steps": steps }));
        }
        fs::write(directory.join(file), text)
    };
    write("many.csv", (0..200).map(|i| format!("s{i:03}")).collect(), 500, &[0, 1, 3])?;
    write("long.csv", vec!["s".to_owned()], 10_000, &[20])?;
    fs::write(directory.join("truth.json"), Value::Object(truth).to_string())?;
    Ok(())
}

/// Of 200 drifts of each kind, prints how many are called one drift, steps only, both, and nothing. Then how many true
/// steps are called a drift.
fn drifts_by_noise() {
    let kinds = |values: &[f64]| {
        let changes = segmentation(values, 0.02).changes;
        let drifts = changes.iter().filter(|change| change.shape == Shape::Drift).count();
        (drifts, changes.len() - drifts)
    };
    for (size, length, n) in [(0.09, 40, 100), (0.09, 40, 200), (0.15, 60, 200), (0.3, 100, 300), (0.05, 80, 200)] {
        for noise in [0.005, 0.01, 0.02, 0.03, 0.05] {
            let (mut draw, mut reported) = (Draw(5), [0; 4]);
            for _ in 0..200 {
                let at = |i: usize| ((i as f64 - (n - length) as f64 / 2.0) / length as f64).clamp(0.0, 1.0);
                let values: Vec<f64> =
                    (0..n).map(|i| f64::ln_1p(size) * at(i) + noise * draw.normal() + odd(&mut draw)).collect();
                reported[match kinds(&values) {
                    (0, 0) => 3,
                    (1, 0) => 0,
                    (0, _) => 1,
                    _ => 2,
                }] += 1;
            }
            println!(
                "{:.0}% over {length} of {n}, noise {:.1}%: drift, steps, both, nothing: {reported:?}",
                100.0 * size,
                100.0 * noise
            );
        }
    }
    for noise in [0.005, 0.02, 0.05] {
        for (size, apart) in [(0.05, 15), (0.05, 30), (0.1, 15), (0.1, 30)] {
            let (mut draw, mut called) = (Draw(8), 0);
            for _ in 0..500 {
                let level = |i: usize| f64::ln_1p(size) * (usize::from(i >= 90) + usize::from(i >= 90 + apart)) as f64;
                let values: Vec<f64> = (0..200).map(|i| level(i) + noise * draw.normal() + odd(&mut draw)).collect();
                called += usize::from(kinds(&values).0 > 0);
            }
            println!(
                "two steps of {:.0}% {apart} apart, noise {:.1}%: {called} of 500 called a drift",
                100.0 * size,
                100.0 * noise
            );
        }
        for size in [0.05, 0.1, 0.3] {
            let (mut draw, mut called) = (Draw(6), 0);
            for _ in 0..500 {
                let level = |i: usize| if i >= 120 { f64::ln_1p(size) } else { 0.0 };
                let values: Vec<f64> = (0..200).map(|i| level(i) + noise * draw.normal() + odd(&mut draw)).collect();
                called += usize::from(kinds(&values).0 > 0);
            }
            println!("one step of {:.0}%, noise {:.1}%: {called} of 500 called a drift", 100.0 * size, 100.0 * noise);
        }
    }
}
