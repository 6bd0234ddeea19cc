//! Change points in series with known steps, and in series without any: counted, on several draws. The series are
//! synthetic (see `changepoints/series.rs`): a third without a step, a third with one and a third with three.
//! `examples/change_points.rs` prints more of such counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

#[path = "changepoints/series.rs"]
mod series;

use perfgate::stats::changepoint::segmentation;
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
