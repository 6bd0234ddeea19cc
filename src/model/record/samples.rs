//! Samples in a record: quantized on a log scale with an error of at most 0.01%, or without loss where that fails.
//!
//! A sample x of a measurement with median m is kept as y = round(ln(x / m) / STEP), and read back as m * exp(y * STEP).
//! The samples of a benchmark vary by some percent, so y has about ten bits, whatever the unit and size of x. Most of the
//! 52 bits of a double are noise. y is zigzag-encoded and written in three byte planes. The two upper planes are nearly
//! empty and compress to almost nothing, the lowest one to its entropy.

use super::wire::Planes;

/// Width of a step of ln(x). Half a step is an error of e^(0.5 STEP) - 1 = 0.009995%.
const STEP: f64 = 1.999e-4;

/// Largest relative error of a decoded sample.
const ERROR: f64 = 1e-4;

/// A quantized sample, zigzag-encoded.
pub(super) type Step = [u8; 3];

/// The samples as steps from their median; `None` if a sample cannot be represented: zero, a negative number, or a
/// ratio to the median that is out of range.
pub(super) fn quantize(samples: &[f64], median: f64) -> Option<Vec<Step>> {
    samples.iter().map(|&x| step(x, median)).collect()
}

/// A sample as a step from the median.
pub(super) fn step(x: f64, median: f64) -> Option<Step> {
    let y = ((x / median).ln() / STEP).round();
    // The logarithm of zero is infinite, that of a negative number NaN.
    if !y.is_finite() || y.abs() >= f64::from(1 << 22) {
        return None;
    }
    let y = y as i32;
    // Subnormal numbers are too coarse.
    if (restore(y, median) - x).abs() > ERROR * x.abs() {
        return None;
    }
    let zigzag = ((y << 1) ^ (y >> 31)) as u32;
    let [low, middle, high, _] = zigzag.to_le_bytes();
    Some([low, middle, high])
}

fn restore(y: i32, median: f64) -> f64 {
    median * (f64::from(y) * STEP).exp()
}

/// The samples of the steps `from..from + n`.
pub(super) fn read(steps: &Planes<'_, 3>, from: usize, n: usize, median: f64) -> Vec<f64> {
    (from..from + n).map(|i| sample(steps.get(i), median)).collect()
}

/// The sample of a step from the median.
pub(super) fn sample([low, middle, high]: Step, median: f64) -> f64 {
    let zigzag = u32::from_le_bytes([low, middle, high, 0]);
    restore((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32), median)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::wire::{Cursor, put_planes};

    fn round_trip(samples: &[f64], median: f64) -> Option<Vec<f64>> {
        let steps = quantize(samples, median)?;
        let mut bytes = Vec::new();
        put_planes(&mut bytes, &steps);
        Some(read(&Cursor(&bytes).planes(samples.len()).unwrap(), 0, samples.len(), median))
    }

    #[test]
    fn samples_are_preserved_within_a_hundredth_of_a_percent() {
        let samples = [812.4, 1e-3, 790.01, 812.4, 812.5, 1e9, 811.99];
        for (x, back) in samples.iter().zip(round_trip(&samples, 812.4).unwrap()) {
            assert!((back / x - 1.0).abs() <= 1e-4, "{x} came back as {back}");
        }
        assert_eq!(round_trip(&[812.4], 812.4), Some(vec![812.4]), "the median itself is exact");
    }

    #[test]
    fn samples_without_a_logarithm_are_refused() {
        for (sample, median) in [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (1.0, f64::NAN), (5e-324, 1.7e-323), (1.0, -1.0)]
        {
            assert_eq!(round_trip(&[1.0, sample], median), None, "{sample} with median {median}");
        }
        assert!(round_trip(&[-1.0, -2.0], -1.5).is_some(), "a ratio of two negatives is a ratio");
    }
}
