//! How suites are judged whose samples agree although their runs differ, as on a machine whose speed varies from run to run:
//! simulated suites with samples and one run per side.
//!
//! `cargo run --release --example steady_samples` prints the percentage of unchanged suites with an alarm, of their intervals that
//! contain 0, and of slowdowns that are found, in every eighth benchmark and in one alone. docs/statistics.md has the table.

#[path = "../tests/histories/draw.rs"]
mod draw;
#[path = "../tests/histories/judged.rs"]
mod judged;

use draw::Draw;
use judged::judged;
use perfgate::model::{Evidence, Measurement, Metric, Run};
use perfgate::verdict::{Finding, Outcome};
use rayon::prelude::*;

const SUITES: usize = 500;
/// Standard deviation of the samples of a run, on the log scale.
const NOISE: f64 = 0.01;

fn main() {
    println!(
        "samples, benchmarks, base runs, noise from run to run: alarms, intervals with 0; 1.5× and 2× in every eighth, 2× and 10× alone"
    );
    for samples in [50, 10] {
        for benchmarks in [1, 4, 8, 12, 20] {
            for base_runs in [1, 3] {
                for noise in [0.02, 0.05, 0.07, 0.1] {
                    println!("{}", Cell { samples, benchmarks, base_runs, noise }.row());
                }
            }
        }
    }
}

/// A kind of suite.
struct Cell {
    samples: usize,
    benchmarks: usize,
    base_runs: usize,
    /// Standard deviation of a benchmark from run to run, on the log scale.
    noise: f64,
}

impl Cell {
    fn row(&self) -> String {
        let Cell { samples, benchmarks, base_runs, noise } = *self;
        let alone = |suite: usize| vec![suite % benchmarks];
        let every_eighth = |suite: usize| (0..benchmarks).filter(|i| (i + suite).is_multiple_of(8)).collect();
        let [alarms, covered, _] = self.percentages(&|_| Vec::new(), 1.0);
        let found = [
            self.percentages(&every_eighth, 1.5)[2],
            self.percentages(&every_eighth, 2.0)[2],
            self.percentages(&alone, 2.0)[2],
            self.percentages(&alone, 10.0)[2],
        ];
        let found = found.map(|percent| format!("{percent:.0}")).join(", ");
        format!("{samples}, {benchmarks:2}, {base_runs}, {noise:4}: {alarms:4.1}, {covered:3.0}; {found}")
    }

    /// Makes the benchmarks `slow` slower by `factor`. Returns the percentage of suites with a regression, of intervals that contain
    /// 0, and of slow benchmarks found.
    fn percentages(&self, slow: &(dyn Fn(usize) -> Vec<usize> + Sync), factor: f64) -> [f64; 3] {
        let suite = |number: usize| {
            let mut draw = Draw((number * 7919 + self.benchmarks * 31 + self.base_runs) as u64);
            (0..20).for_each(|_| {
                draw.uniform();
            });
            let levels: Vec<f64> = (0..self.benchmarks).map(|_| 1e4 * (10.0 * draw.uniform()).exp()).collect();
            let base: Vec<Run> = (0..self.base_runs).map(|_| self.run(&mut draw, &levels, &[], 1.0)).collect();
            let slow = slow(number);
            let head = self.run(&mut draw, &levels, &slow, factor);
            let findings = judged(&base, &[head]).benchmarks;
            let contains_zero = |one: &&Finding| one.interval.is_some_and(|[low, high]| low <= 0.0 && high >= 0.0);
            let covered = findings.iter().filter(contains_zero).count();
            let regressed: Vec<String> =
                findings.into_iter().filter(|one| one.outcome == Outcome::Regressed).map(|one| one.name).collect();
            let found = slow.iter().filter(|index| regressed.contains(&name(**index))).count();
            [usize::from(!regressed.is_empty()), covered, found, slow.len()]
        };
        let sum = |one: [usize; 4], other: [usize; 4]| std::array::from_fn(|i| one[i] + other[i]);
        let [alarms, covered, found, all] = (0..SUITES).into_par_iter().map(suite).reduce(|| [0; 4], sum);
        let percent = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
        [percent(alarms, SUITES), percent(covered, SUITES * self.benchmarks), percent(found, all)]
    }

    fn run(&self, draw: &mut Draw, levels: &[f64], slow: &[usize], factor: f64) -> Run {
        let measurements = levels.iter().enumerate().map(|(index, level)| {
            let level = level * if slow.contains(&index) { factor } else { 1.0 } * (self.noise * draw.normal()).exp();
            let samples = (0..self.samples).map(|_| level * (NOISE * draw.normal()).exp()).collect();
            let mut measurement =
                Measurement::new("criterion", name(index), Metric::time(), Evidence::Samples(samples));
            measurement.condense();
            measurement
        });
        Run { measurements: measurements.collect(), ..Run::default() }
    }
}

fn name(index: usize) -> String {
    format!("b{index}")
}
