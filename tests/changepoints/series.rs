//! Series with known steps: levels over five decades, noise of 0.5, 2 or 5%, one point in fifty 15 to 65% too high, steps
//! of 5 to 50%. And how found steps are counted. For `tests/changepoints.rs` and `examples/change_points.rs`.
#![allow(dead_code)] // each of the two uses its own part

use perfgate::stats::changepoint::{Shape, segmentation};

/// SplitMix64: the draws are the same everywhere.
pub struct Draw(pub u64);

impl Draw {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.uniform() * choices.len() as f64) as usize]
    }
}

pub fn series(draw: &mut Draw, n: usize, count: usize) -> (Vec<f64>, Vec<usize>) {
    let (values, steps) = sized_series(draw, n, count);
    (values, steps.into_iter().map(|(at, _)| at).collect())
}

/// Logarithms of the values, and for each step its index and its factor.
pub type Sized = (Vec<f64>, Vec<(usize, f64)>);

/// Like `series`, with the factor of each step.
pub fn sized_series(draw: &mut Draw, n: usize, count: usize) -> Sized {
    let mut places: Vec<usize> = Vec::new();
    while places.len() < count {
        let place = n / 20 + 10 * (draw.uniform() * (n - n / 10) as f64 / 10.0) as usize;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort();
    let sizes: Vec<f64> = places.iter().map(|_| draw.of(&[0.6, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3, 1.5])).collect();
    let (level, noise) = (10f64.powf(1.0 + 5.0 * draw.uniform()), draw.of(&[0.005, 0.02, 0.05]));
    let values = (0..n).map(|i| {
        let factor: f64 = places.iter().zip(&sizes).filter(|(at, _)| **at <= i).map(|(_, size)| size).product();
        let odd = if draw.uniform() < 0.02 { 1.15 + 0.5 * draw.uniform() } else { 1.0 };
        (level * factor * odd).ln() + noise * draw.normal()
    });
    let values = values.collect();
    (values, places.into_iter().zip(sizes).collect())
}

/// The numbers of found steps and of false ones. A step is found if the nearest reported step is within five points;
/// other reported steps are false.
pub fn count(mut reported: Vec<usize>, truth: &[usize]) -> (usize, usize) {
    let before = reported.len();
    for at in truth {
        let nearest = (0..reported.len()).min_by_key(|i| reported[*i].abs_diff(*at));
        if let Some(nearest) = nearest.filter(|i| reported[*i].abs_diff(*at) <= 5) {
            reported.remove(nearest);
        }
    }
    (before - reported.len(), reported.len())
}

pub fn steps(values: &[f64]) -> Vec<usize> {
    segmentation(values, 0.02).changes.iter().filter(|c| c.shape == Shape::Step).map(|c| c.at).collect()
}

/// The outlier of a point on the log scale: one point in fifty is 15 to 65% too high, the others get 0.
pub fn odd(draw: &mut Draw) -> f64 {
    if draw.uniform() < 0.02 { (1.15 + 0.5 * draw.uniform()).ln() } else { 0.0 }
}
