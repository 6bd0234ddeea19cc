//! How outliers of suites with one number per run are judged: simulated suites in which 1% of all results are 1 to 3 times too slow.
//!
//! `cargo run --release --example number_outliers` prints the percentage of unchanged heads with an alarm, and of slowdowns that are
//! found: of 1.5× in every eighth benchmark, and of 1.5× and 10× in one benchmark alone. docs/statistics.md has the table.

#[path = "../tests/histories/draw.rs"]
mod draw;
#[path = "../tests/histories/judged.rs"]
mod judged;

use draw::Draw;
use judged::judged;
use perfgate::model::{Direction, Evidence, Measurement, Metric, Run, Unit};
use perfgate::verdict::Outcome;
use rayon::prelude::*;

const SUITES: usize = 288;
/// Standard deviation from run to run, on the log scale.
const NOISE: f64 = 0.02;
const OUTLIERS: f64 = 0.01;

fn main() {
    println!("benchmarks, base runs, head runs: alarms; 1.5× in every eighth, 1.5× alone, 10× alone");
    for benchmarks in [8, 16, 30, 60] {
        for (base_runs, head_runs) in [(1, 1), (3, 1), (10, 1), (10, 2)] {
            let cell = Cell { benchmarks, base_runs, head_runs };
            let alone = |suite: usize| vec![suite % benchmarks];
            let every_eighth = |suite: usize| (0..benchmarks).filter(|i| (i + suite).is_multiple_of(8)).collect();
            let (alarms, _) = cell.percentages(&|_| Vec::new(), 1.0);
            let found = [
                cell.percentages(&every_eighth, 1.5).1,
                cell.percentages(&alone, 1.5).1,
                cell.percentages(&alone, 10.0).1,
            ];
            let found = found.map(|percent| format!("{percent:.0}")).join(", ");
            println!("{benchmarks:2}, {base_runs:2}, {head_runs}: {alarms:4.1}; {found}");
        }
    }
}

/// A kind of suite.
struct Cell {
    benchmarks: usize,
    base_runs: usize,
    head_runs: usize,
}

impl Cell {
    /// Makes the benchmarks `slow` slower by `factor`. Returns the percentage of heads with a regression and of slow benchmarks found.
    fn percentages(&self, slow: &(dyn Fn(usize) -> Vec<usize> + Sync), factor: f64) -> (f64, f64) {
        let suite = |number: usize| {
            let mut draw = Draw((number * 7919 + self.benchmarks * 31 + self.base_runs) as u64);
            (0..20).for_each(|_| {
                draw.uniform();
            });
            let levels: Vec<f64> = (0..self.benchmarks).map(|_| 1e4 * (10.0 * draw.uniform()).exp()).collect();
            let base: Vec<Run> = (0..self.base_runs).map(|_| run(&mut draw, &levels, &[], 1.0)).collect();
            let slow = slow(number);
            let head: Vec<Run> = (0..self.head_runs).map(|_| run(&mut draw, &levels, &slow, factor)).collect();
            let regressed: Vec<String> = judged(&base, &head)
                .benchmarks
                .into_iter()
                .filter(|finding| finding.outcome == Outcome::Regressed)
                .map(|finding| finding.name)
                .collect();
            let found = slow.iter().filter(|index| regressed.contains(&name(**index))).count();
            [usize::from(!regressed.is_empty()), found, slow.len()]
        };
        let sum = |one: [usize; 3], other: [usize; 3]| std::array::from_fn(|i| one[i] + other[i]);
        let [alarms, found, all] = (0..SUITES).into_par_iter().map(suite).reduce(|| [0; 3], sum);
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        (percent(alarms, SUITES), percent(found, all))
    }
}

fn name(index: usize) -> String {
    format!("b{index}")
}

fn run(draw: &mut Draw, levels: &[f64], slow: &[usize], factor: f64) -> Run {
    let measurement = |(index, level): (usize, &f64)| {
        let outlier = if draw.uniform() < OUTLIERS { 1.0 + 2.0 * draw.uniform() } else { 1.0 };
        let slowdown = if slow.contains(&index) { factor } else { 1.0 };
        let time = level * (NOISE * draw.normal()).exp() * outlier * slowdown;
        let metric = Metric::measured("time", Unit::Nanosecond, Direction::Lower);
        Measurement::new("simulated", name(index).as_str(), metric, Evidence::Value(time))
    };
    Run { measurements: levels.iter().enumerate().map(measurement).collect(), ..Run::default() }
}
