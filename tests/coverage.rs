//! Simulated suites: how often the printed interval contains the real change, also where the machine drifts, and how many runs
//! it takes to find a slowdown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

#[path = "histories/draw.rs"]
mod draw;

use draw::Draw;
use perfgate::stats::prior::ValueKind;
use perfgate::stats::suite::{BenchmarkRuns, RunValue};
use perfgate::stats::suite_test::{TestRules, estimate_suite};

/// One kind of suite.
#[derive(Debug, Clone, Copy)]
struct Cell {
    benchmarks: usize,
    base_runs: usize,
    /// Typical standard deviation of a benchmark from run to run.
    noise: f64,
    /// Standard deviation of the speed of the machine from run to run.
    machine: f64,
    /// True for samples, whose drift predicts the noise of a benchmark; false for one number per run.
    samples: bool,
}

impl Cell {
    /// A suite of benchmarks with `head_runs` head runs, of which the first benchmark got slower by a factor.
    fn suite(self, draw: &mut Draw, head_runs: usize, factor: f64) -> Vec<BenchmarkRuns> {
        let spread = |_: usize| self.noise * (0.6 * draw.normal()).exp();
        let mut noise: Vec<f64> = (0..self.benchmarks).map(spread).collect();
        if factor > 1.0 {
            noise[0] = self.noise;
        }
        let mut suite: Vec<BenchmarkRuns> =
            noise.iter().map(|_| BenchmarkRuns { base: Vec::new(), head: Vec::new() }).collect();
        for run in 0..self.base_runs + head_runs {
            let machine = self.machine * draw.normal();
            for (index, (benchmark, noise)) in suite.iter_mut().zip(&noise).enumerate() {
                let is_base = run < self.base_runs;
                let slower = if is_base || index > 0 { 0.0 } else { factor.ln() };
                let value = machine + slower + noise * draw.normal();
                // The within-run drift that the prior predicts for a benchmark with this noise, plus random error.
                let drift = ((noise.powi(2).ln() + 0.60) / 0.79 / 2.0 + 0.3 * draw.normal()).exp();
                let side = if is_base { &mut benchmark.base } else { &mut benchmark.head };
                side.push(RunValue {
                    run: side.len(),
                    fast_edge: self.samples.then_some(value),
                    centre: value,
                    within_run_drift: self.samples.then_some(drift),
                    centre_variance: 0.0,
                    typical_mean: None,
                    mean_with_slowest: None,
                    slow_part_error: None,
                });
            }
        }
        suite
    }
}

fn rules() -> TestRules {
    TestRules::at_different_times(0.05, 0.2)
}

/// The percentage of benchmarks whose interval contains the real change.
fn coverage(cell: Cell, head_runs: usize, suites: usize) -> f64 {
    let mut draw = Draw(1 + cell.benchmarks as u64 * 31 + cell.base_runs as u64);
    let (mut inside, mut all) = (0, 0);
    for _ in 0..suites {
        let suite = cell.suite(&mut draw, head_runs, 1.0);
        for estimate in estimate_suite(&suite, ValueKind::Measured, rules()).estimates() {
            let (low, high) = estimate.interval(false);
            all += 1;
            inside += usize::from(low <= 0.0 && 0.0 <= high);
        }
    }
    100.0 * inside as f64 / all as f64
}

/// The percentage of suites in which a slowdown is significant and over the threshold of 20%.
fn found(cell: Cell, head_runs: usize, factor: f64, suites: usize) -> f64 {
    let mut draw = Draw(7 + cell.base_runs as u64);
    let is_found = |_: &usize| {
        let suite = cell.suite(&mut draw, head_runs, factor);
        let estimates = estimate_suite(&suite, ValueKind::Measured, rules());
        let first = estimates.estimate(0);
        first.delta.min(first.raw) > 0.2_f64.ln_1p() && first.q_worse < 0.05 && first.is_clear_of_zero()
    };
    100.0 * (0..suites).filter(is_found).count() as f64 / suites as f64
}

/// The number of benchmarks per figure. `PERFGATE_BENCHMARKS=4000` gives the table of docs/statistics.md.
fn benchmarks(usual: usize) -> usize {
    std::env::var("PERFGATE_BENCHMARKS").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

#[test]
fn intervals_contain_the_real_change() {
    let mut wrong = Vec::new();
    for samples in [true, false] {
        for machine in [0.0, 0.05] {
            for count in [1, 4, 8, 12, 60] {
                for (base_runs, head_runs) in [(1, 1), (3, 1), (3, 3), (10, 1), (10, 10)] {
                    let cell = Cell { benchmarks: count, base_runs, noise: 0.02, machine, samples };
                    let covered = coverage(cell, head_runs, (benchmarks(480) / count).max(1));
                    println!("{covered:.1}%, {head_runs} head runs, {cell:?}");
                    // The standard error is about 1 point.
                    if covered < 91.5 {
                        wrong.push(format!("{covered:.1}%, {head_runs} head runs, {cell:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn more_runs_find_smaller_slowdowns_of_noisier_benchmarks() {
    let mut table = Vec::new();
    for noise in [0.02, 0.05, 0.10] {
        for runs in [1, 3, 5, 10] {
            let cell = Cell { benchmarks: 30, base_runs: runs, noise, machine: 0.02, samples: true };
            let row = [1.25, 1.3, 1.5, 2.0].map(|factor| found(cell, runs, factor, 40));
            println!("noise {:2.0}%, {runs:2} runs a side: x1.25, 1.3, 1.5, 2 found: {row:.0?}", 100.0 * noise);
            table.push(row);
        }
    }
    // With 2% noise, three runs per side find a slowdown of 1.5×. With more noise, ten runs find what one run does not.
    assert!(table[1][2] > 95.0 && table[7][1] > 80.0 && table[11][2] > 95.0, "{table:.0?}");
    assert!(table[8][0] < table[11][0], "{table:.0?}");
}
