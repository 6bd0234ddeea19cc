//! A lower limit for the cost of a comparison of two baselines: reads and parses benchmark.json, estimates.json and
//! sample.json of `base` and `new` in a tree, on two threads.
//! `cargo run --release --example read_tree -- DIR/criterion`; docs/scale.md has its figures.

use serde::Deserialize;
use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow)]
    full_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
}

#[derive(Deserialize)]
struct Sample {
    iters: Vec<f64>,
    times: Vec<f64>,
}

fn read(folder: &Path) -> Result<usize, Box<dyn Error + Send + Sync>> {
    let identity = fs::read(folder.join("benchmark.json"))?;
    let estimates = fs::read(folder.join("estimates.json"))?;
    let sample = fs::read(folder.join("sample.json"))?;
    let name = serde_json::from_slice::<Identity<'_>>(&identity)?.full_id.len();
    let median = serde_json::from_slice::<Estimates>(&estimates)?.median.point_estimate;
    let sample: Sample = serde_json::from_slice(&sample)?;
    Ok(name.min(sample.iters.len()).min(sample.times.len()).min(median as usize + 1))
}

fn walk(folder: &Path) -> usize {
    let children = || fs::read_dir(folder).into_iter().flatten().flatten();
    let folders: Vec<PathBuf> = children()
        .filter(|child| child.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|child| child.path())
        .collect();
    let (sides, below): (Vec<_>, Vec<_>) =
        folders.into_iter().partition(|path| path.ends_with("base") || path.ends_with("new"));
    sides.iter().filter(|side| read(side).is_ok()).count() + below.iter().map(|path| walk(path)).sum::<usize>()
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args().nth(1).ok_or("usage: read_tree DIR/criterion")?;
    let groups: Vec<PathBuf> = fs::read_dir(root)?.flatten().map(|entry| entry.path()).collect();
    let (left, right) = groups.split_at(groups.len() / 2);
    let of = |part: &[PathBuf]| part.iter().map(|path| walk(path)).sum::<usize>();
    println!(
        "{} sides read",
        std::thread::scope(|scope| {
            let other = scope.spawn(|| of(right));
            of(left) + other.join().unwrap_or_default()
        })
    );
    Ok(())
}
