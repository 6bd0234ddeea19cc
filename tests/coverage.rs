//! How often the printed interval contains the real change, in simulated suites whose machine also drifts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

use perfgate::stats::prior::ValueKind;
use perfgate::stats::suite::{BenchmarkRuns, RunValue};
use perfgate::stats::suite_test::{TestRules, estimate_suite};

/// A fixed sequence of numbers.
struct Draw(u64);

impl Draw {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// One kind of suite.
#[derive(Debug, Clone, Copy)]
struct Cell {
    benchmarks: usize,
    base_runs: usize,
    /// Standard deviation of the benchmarks from run to run: the typical one.
    noise: f64,
    /// Standard deviation of the speed of the machine from run to run.
    machine: f64,
    /// Samples, whose drift predicts the noise of a benchmark, or one number per run.
    samples: bool,
}

/// Of all benchmarks, the share whose interval contains the real change.
fn coverage(cell: Cell, suites: usize) -> f64 {
    let mut draw = Draw(1 + cell.benchmarks as u64 * 31 + cell.base_runs as u64);
    let (mut inside, mut all) = (0, 0);
    for _ in 0..suites {
        let noise: Vec<f64> = (0..cell.benchmarks).map(|_| cell.noise * (0.6 * draw.normal()).exp()).collect();
        let mut suite: Vec<BenchmarkRuns> =
            noise.iter().map(|_| BenchmarkRuns { base: Vec::new(), head: Vec::new() }).collect();
        for run in 0..=cell.base_runs {
            let machine = cell.machine * draw.normal();
            for (benchmark, noise) in suite.iter_mut().zip(&noise) {
                let value = machine + noise * draw.normal();
                // The within-run drift that the prior's prediction expects of a benchmark with this noise, give or take.
                let drift = ((noise.powi(2).ln() + 0.60) / 0.79 / 2.0 + 0.3 * draw.normal()).exp();
                let side = if run < cell.base_runs { &mut benchmark.base } else { &mut benchmark.head };
                side.push(RunValue {
                    run: side.len(),
                    fast_edge: cell.samples.then_some(value),
                    centre: value,
                    within_run_drift: cell.samples.then_some(drift),
                    centre_variance: 0.0,
                    typical_mean: None,
                });
            }
        }
        let estimates = estimate_suite(&suite, ValueKind::Measured, TestRules::at_different_times(0.05, 0.2));
        for estimate in estimates.estimates() {
            let (low, high) = estimate.interval(false);
            all += 1;
            inside += usize::from(low <= 0.0 && 0.0 <= high);
        }
    }
    100.0 * f64::from(inside as u32) / f64::from(all as u32)
}

/// Machine speeds that differ by more than the part that is subtracted are frequent here: a sixth of the suites shift by more than 9%.
#[test]
fn intervals_contain_the_real_change() {
    let mut wrong = Vec::new();
    for samples in [true, false] {
        for machine in [0.0, 0.05] {
            for (benchmarks, suites) in [(4, 100), (12, 60)] {
                for base_runs in [1, 10] {
                    let cell = Cell { benchmarks, base_runs, noise: 0.02, machine, samples };
                    let covered = coverage(cell, suites);
                    println!("{covered:.1}% {cell:?}");
                    // The standard error is about 1 point.
                    if covered < 91.0 {
                        wrong.push(format!("{covered:.1}% {cell:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
