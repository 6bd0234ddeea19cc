//! Tests of the estimates of a suite.

use super::super::suite::{BenchmarkRuns, RunValue};
use super::*;

fn run(run: usize, y: f64, drift: f64) -> RunValue {
    RunValue {
        run,
        fast_edge: Some(y),
        centre: y,
        within_run_drift: Some(drift),
        centre_variance: 0.0,
        typical_mean: None,
        mean_with_slowest: None,
        slow_part_error: None,
    }
}

/// Three pairs of runs of one benchmark that is slower by 0.25 on the log scale; its runs lie 0.02 apart.
fn suspect() -> Vec<BenchmarkRuns> {
    let side = |centre: f64| (0..3).map(|i| run(i, centre + 0.02 * (i as f64 - 1.0), 0.01)).collect();
    vec![BenchmarkRuns { base: side(0.0), head: side(0.25) }]
}

/// Thirty benchmarks with one run on each side, which move by about `sd`.
fn screened(sd: f64) -> Vec<Observation> {
    let change = |i: u32| sd * (f64::from(i % 7) - 3.0) / 2.0;
    let suite: Vec<BenchmarkRuns> =
        (0..30).map(|i| BenchmarkRuns { base: vec![run(0, 0.0, 0.01)], head: vec![run(0, change(i), 0.01)] }).collect();
    let estimates = estimate_suite(&suite, ValueKind::Measured, TestRules::at_different_times(0.05, 0.5));
    estimates.estimates().map(|estimate| estimate.observation()).collect()
}

#[test]
fn a_suspect_is_as_noisy_as_its_suite() {
    let p =
        |suite: &[Observation]| estimate_re_measured(&suspect(), ValueKind::Measured, 0.05, suite).estimate(0).p_worse;
    let (quiet, noisy, alone) = (p(&screened(0.005)), p(&screened(0.2)), p(&[]));
    assert!(quiet < alone && alone < noisy, "{quiet} {alone} {noisy}");
    assert!(quiet < 0.001);
}

/// Twelve benchmarks that did not change. Each side has runs on machines of these speeds.
fn on_machines(base: &[f64], head: &[f64]) -> Vec<BenchmarkRuns> {
    let own = |benchmark: usize, at: usize| 0.01 * ((7 * benchmark + 3 * at) % 5) as f64 - 0.02;
    let side = |speeds: &[f64], benchmark: usize| -> Vec<RunValue> {
        let value = |(at, speed): (usize, &f64)| run(at, speed + own(benchmark, at), 0.01);
        speeds.iter().enumerate().map(value).collect()
    };
    (0..12).map(|index| BenchmarkRuns { base: side(base, index), head: side(head, index) }).collect()
}

#[test]
fn an_interval_contains_the_error_of_a_shift_that_stays() {
    let suite = on_machines(&[-0.05, 0.0, 0.03], &[0.02, 0.08, 0.05]);
    let measured = estimate_suite(&suite, ValueKind::Measured, TestRules::in_turn(0.05));
    assert!(measured.shift() > 0.03);
    for estimate in measured.estimates() {
        let (low, high) = estimate.delta_interval(0.95);
        assert!(low < 0.0 && high > 0.0, "{low} {high}");
    }
    // The machine is as fast in all runs of a side.
    let suite = on_machines(&[0.0; 3], &[0.05; 3]);
    let measured = estimate_suite(&suite, ValueKind::Measured, TestRules::in_turn(0.05));
    assert!(measured.estimates().all(|estimate| estimate.delta_interval(0.95).0 > 0.0));
}

#[test]
fn a_shift_that_the_differences_between_runs_explain_is_not_in_every_run() {
    let rules = TestRules::at_different_times(0.05, 0.2);
    let is_unexplained = |base: &[f64], head: &[f64]| {
        estimate_suite(&on_machines(base, head), ValueKind::Measured, rules).unexplained_shift().is_some()
    };
    assert!(is_unexplained(&[-0.15, 0.2, 0.11, 0.0, -0.1], &[0.13, 0.26]));
    assert!(!is_unexplained(&[0.0, 0.01, -0.01, 0.0, 0.01], &[0.19, 0.2]));
}

#[test]
fn a_change_common_to_all_suspects_is_not_subtracted() {
    let slower: Vec<BenchmarkRuns> = (0..12).flat_map(|_| suspect()).collect();
    let suspects = estimate_re_measured(&slower, ValueKind::Measured, 0.05, &screened(0.02));
    assert!(suspects.estimates().all(|estimate| (estimate.delta - 0.25).abs() < 1e-9));
    assert_eq!(suspects.shift(), 0.0);
}
