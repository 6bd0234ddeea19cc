//! Change points in series with known steps, and in series without any: counted, on several draws. The series are
//! synthetic (see `changepoints/series.rs`): a third without a step, a third with one and a third with three.
//! `examples/change_points.rs` prints more of such counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

#[path = "changepoints/series.rs"]
mod series;

use perfgate::stats::changepoint::{Shape, segmentation};
use series::{Draw, count, series, steps};

#[test]
fn known_steps_are_found_and_nothing_else() {
    for seed in 1..=5 {
        let mut draw = Draw(seed);
        let (mut known, mut found, mut false_ones, mut stepless, mut given_one) = (0, 0, 0, 0, 0);
        for index in 0..200 {
            let (values, truth) = series(&mut draw, 500, [0, 1, 3][index % 3]);
            let (hits, wrong) = count(steps(&values), &truth);
            known += truth.len();
            stepless += usize::from(truth.is_empty());
            given_one += usize::from(truth.is_empty() && wrong > 0);
            found += hits;
            false_ones += wrong;
        }
        assert!(found * 265 >= 251 * known, "seed {seed}: {found} of {known}");
        assert!(false_ones <= 7, "seed {seed}: {false_ones} false");
        assert!(given_one * 50 <= stepless, "seed {seed}: {given_one} of {stepless} without a step were given one");
    }
}

#[test]
fn short_series_without_a_step_rarely_get_one() {
    let mut draw = Draw(99);
    for n in [8, 12, 20, 40, 60] {
        let given = (0..500).filter(|_| !segmentation(&series(&mut draw, n, 0).0, 0.02).changes.is_empty()).count();
        assert!(given <= 10, "{given} of 500 series of {n} points");
    }
}

#[test]
fn autocorrelated_series_rarely_get_a_step() {
    // A machine that is slow for a while is slow in several runs: correlation 0.4 from one to the next.
    let mut draw = Draw(7);
    let mut given = 0;
    for _ in 0..300 {
        let mut state = 0.0;
        let values: Vec<f64> = (0..60)
            .map(|_| {
                state = 0.4 * state + 0.84_f64.sqrt() * draw.normal();
                0.03 * state
            })
            .collect();
        given += usize::from(!segmentation(&values, 0.02).changes.is_empty());
    }
    assert!(given <= 30, "{given} of 300");
}

/// Values with a drift over all of them except `flat` at each end.
fn drift(draw: &mut Draw, length: usize, flat: usize, slope: f64, noise: f64) -> Vec<f64> {
    let level = |i: usize| slope * (i.saturating_sub(flat).min(length) as f64);
    (0..length + 2 * flat).map(|i| 6.0 + level(i) + noise * draw.normal()).collect()
}

#[test]
fn a_steady_drift_is_found_at_every_slope_and_noise() {
    for flat in [0, 10, 40] {
        let (mut draw, mut drifts, mut found) = (Draw(11), 0, 0);
        for (length, slope) in [
            (30, 0.004),
            (30, 0.01),
            (30, 0.02),
            (80, 0.002),
            (80, 0.005),
            (80, 0.01),
            (150, 0.001),
            (150, 0.002),
            (150, 0.01),
        ] {
            for noise in [0.001, 0.0025, 0.005, 0.01, 0.02] {
                let changes = segmentation(&drift(&mut draw, length, flat, slope, noise), 0.02).changes;
                drifts += 1;
                found += usize::from(changes.iter().any(|change| change.shape == Shape::Drift && change.size > 0.0));
            }
        }
        assert_eq!(drifts, 45);
        assert!(100 * found >= 95 * drifts, "{found} of {drifts} with {flat} flat points at each end");
    }
}

#[test]
fn a_drift_does_not_count_as_noise_between_commits() {
    let values = drift(&mut Draw(3), 150, 0, 0.01, 0.005);
    let found = segmentation(&values, 0.02);
    let [change] = found.changes[..] else { panic!("{found:?}") };
    assert!((change.size - 1.5).abs() < 0.05 && change.shape == Shape::Drift, "{change:?}");
    assert!((0.004..0.006).contains(&found.noise), "{}", found.noise);
}

#[test]
fn two_modes_at_random_are_not_steps() {
    // 12% more in 30% of the runs at random; without a step, and with one of 20% in the middle.
    for (size, known) in [(0.0, vec![]), (0.2, vec![100])] {
        let (mut draw, mut found, mut false_ones) = (Draw(5), 0, 0);
        for _ in 0..40 {
            let values: Vec<f64> = (0..200)
                .map(|i| {
                    let mode = if draw.uniform() < 0.3 { f64::ln_1p(0.12) } else { 0.0 };
                    mode + if i >= 100 { f64::ln_1p(size) } else { 0.0 } + 0.01 * draw.normal()
                })
                .collect();
            let (hits, wrong) = count(steps(&values), &known);
            (found, false_ones) = (found + hits, false_ones + wrong);
        }
        assert_eq!((found, false_ones), (40 * known.len(), 0), "a step of {size}");
    }
}

#[test]
fn a_clear_step_names_one_point() {
    let (mut draw, mut clear) = (Draw(21), 0);
    for number in 0..200 {
        let n = [16, 20, 40, 60][number % 4];
        let level = |i: usize| if i >= n / 2 { f64::ln_1p(0.4) } else { 0.0 };
        let values: Vec<f64> = (0..n).map(|i| level(i) + 0.004 * draw.normal()).collect();
        let changes = segmentation(&values, 0.02).changes;
        clear += usize::from(changes.len() == 1 && (changes[0].first, changes[0].last) == (n / 2, n / 2));
    }
    assert!(clear >= 198, "{clear} of 200");
}
