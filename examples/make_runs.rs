//! Fills a store with synthetic runs: `cargo run --release --example make_runs -- STORE COUNT [each] < COMMITS`.
//! Every line of COMMITS is a commit id and its time in seconds; each commit gets a run of COUNT benchmarks of 100 samples
//! with the environment of this machine. `each` writes every run separately, as `perfgate record` does. docs/scale.md uses
//! it for measurements.

use perfgate::io::probe;
use perfgate::io::store::{self, Key};
use perfgate::model::{Commit, Evidence, Measurement, Metric, Run, record};
use std::error::Error;
use std::io::BufRead;
use std::path::Path;

/// Runs in memory at a time.
const AT_ONCE: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, count, each) = match arguments.as_slice() {
        [url, count] => (url, count.parse::<usize>()?, false),
        [url, count, each] if each == "each" => (url, count.parse()?, true),
        _ => return Err("usage: make_runs STORE COUNT [each] < COMMITS".into()),
    };
    let here = Path::new(".");
    let environment = probe::probe(here, &|name| std::env::var(name).ok());
    let store = store::open(url, here)?;
    let mut waiting = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (id, time) = line.split_once(' ').ok_or("a line must have a commit id and a time")?;
        let commit = Some(Commit::parse(id).ok_or("not a full commit id")?);
        let measurements = suite(count, u64::from_str_radix(&id[..16], 16)?);
        let run = Run {
            commit,
            time: time.trim().parse()?,
            environment: environment.clone(),
            measurements,
            ..Run::default()
        };
        let bytes = record::encode(&run)?;
        waiting.push((Key::new(&run, &bytes), bytes));
        if each || waiting.len() * count > AT_ONCE * 1000 || waiting.len() > AT_ONCE {
            store.write(&waiting)?;
            waiting.clear();
        }
    }
    if !waiting.is_empty() {
        store.write(&waiting)?;
    }
    Ok(())
}

/// The suite of `make_tree` with the same names and levels, and with noise by seed: 0.5% between runs.
fn suite(count: usize, seed: u64) -> Vec<Measurement> {
    let uniform = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let (mut levels, mut noise) = (1_u64, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    (0..count)
        .map(|index| {
            let name = format!("group_{:04}/bench_{:02}", index / 20, index % 20);
            let level = 10_f64.powf(1.0 + 5.0 * uniform(&mut levels));
            // Skips the numbers that make_tree draws for the samples of its two baselines.
            (0..800).for_each(|_| {
                uniform(&mut levels);
            });
            let level = level * (1.0 + 0.01 * (uniform(&mut noise) - 0.5));
            let mut sample = || {
                let four: f64 = (0..4).map(|_| uniform(&mut noise)).sum();
                level * (1.0 + 0.01 * (four - 2.0))
            };
            let samples = (0..100).map(|_| sample()).collect();
            Measurement::new("criterion", name, Metric::time(), Evidence::Samples(samples))
        })
        .collect()
}
