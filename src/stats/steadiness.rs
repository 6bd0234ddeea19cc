//! A run's digest: its good edge, its median, and how much that edge wandered inside the run.
//!
//! Disturbance only ever adds time (or takes from a rate: then the good edge is the upper one), so the lowest samples say most of the code and least of the machine: from run to
//! run they move half as far as the median. And how far they moved between the batches of one run foretells how far
//! they will move to the next; spikes do not touch that, nor does one batch that was pre-empted.

use super::centre;
use crate::model::{Digest, Direction, Evidence, Measurement};

/// The share of a run that its low edge is the mean of, and the least number of samples for that.
const LOW_SHARE: f64 = 0.06;
const LOW_LEAST: usize = 3;
/// Samples of a batch, as far as the number of batches allows.
const BATCH: f64 = 7.0;
const BATCHES: (usize, usize) = (3, 7);
/// Runs of fewer samples say nothing of their steadiness.
const STEADINESS_OF: usize = 6;
/// As many samples in ascending order were sorted by their tool, not taken so: by chance they stand so once in 3.6 million
/// runs. Their order says nothing of how the run went.
const SORTED_OF: usize = 10;

/// What a verdict needs of a run's samples, in the order taken, at least one. Samples that are not positive have no
/// logarithm: then the median stands for the edge, and nothing is said of steadiness.
pub fn digest(samples: &[f64], direction: Direction) -> Digest {
    let median = centre::median(samples);
    let count = samples.len() as u32;
    if samples.iter().any(|x| *x <= 0.0) {
        return Digest { median, low: median, samples: count, wander: None };
    }
    // Ordered by a key that is smaller the better; the logarithm keeps that order, and only a few are taken.
    let sign = match direction {
        Direction::Lower => 1.0,
        Direction::Higher => -1.0,
    };
    let keys: Vec<f64> = samples.iter().map(|x| sign * x).collect();
    let wander = wander(&keys).map(|sd| sd as f32);
    Digest { median, low: low_edge(&mut { keys }, LOW_LEAST).exp(), samples: count, wander }
}

/// Puts digests in the place of samples.
pub fn condense(measurement: &mut Measurement) {
    let direction = measurement.metric.direction;
    for evidence in &mut measurement.replicates {
        if let Evidence::Samples(samples) = evidence {
            *evidence = Evidence::Digest(digest(samples, direction));
        }
    }
}

/// Mean of the logarithms of the best samples: `least` of them, but at most a third and at least [`LOW_SHARE`].
fn low_edge(keys: &mut [f64], least: usize) -> f64 {
    let n = keys.len();
    let share = (LOW_SHARE * n as f64 + 0.5).floor() as usize;
    let count = least.min(n.div_ceil(3)).max(share).max(1);
    if count < n {
        keys.select_nth_unstable_by(count, f64::total_cmp);
    }
    // Summed in order, so that the result does not hang on how the selection went.
    keys[..count].sort_unstable_by(f64::total_cmp);
    keys[..count].iter().map(|key| key.abs().ln()).sum::<f64>() / count as f64
}

/// True for values in ascending or descending order that are not all the same.
fn is_sorted(keys: &[f64]) -> bool {
    keys.first() != keys.last() && (keys.is_sorted() || keys.iter().rev().is_sorted())
}

/// Standard deviation of the low edges of consecutive batches, the highest of them left out.
fn wander(keys: &[f64]) -> Option<f64> {
    let n = keys.len();
    if n < STEADINESS_OF || n >= SORTED_OF && is_sorted(keys) {
        return None;
    }
    let batches = ((n as f64 / BATCH + 0.5).floor() as usize).clamp(BATCHES.0, BATCHES.1);
    let (size, longer) = (n / batches, n % batches);
    let mut rest = keys;
    let mut lows: Vec<f64> = (0..batches)
        .map(|batch| {
            let (now, later) = rest.split_at(size + usize::from(batch < longer));
            rest = later;
            low_edge(&mut now.to_vec(), 1)
        })
        .collect();
    // The worst batch goes: the highest of times, the lowest of rates.
    lows.sort_unstable_by(f64::total_cmp);
    let worst = if keys[0] < 0.0 { 0 } else { lows.len() - 1 };
    lows.remove(worst);
    let mean = lows.iter().sum::<f64>() / lows.len() as f64;
    let squares: f64 = lows.iter().map(|low| (low - mean).powi(2)).sum();
    Some((squares / (lows.len() - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(samples: &[f64]) -> Digest {
        super::digest(samples, Direction::Lower)
    }

    #[test]
    fn rates_are_times_upside_down() {
        let times: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i * i % 17)).collect();
        let rates: Vec<f64> = times.iter().map(|x| 1.0 / x).collect();
        let (time, rate) = (digest(&times), super::digest(&rates, Direction::Higher));
        assert!((time.low * rate.low - 1.0).abs() < 1e-12);
        assert_eq!(time.wander, rate.wander);
    }

    #[test]
    fn the_low_edge_ignores_spikes() {
        let quiet: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i % 5)).collect();
        let mut spiky = quiet.clone();
        spiky.iter_mut().skip(30).step_by(2).for_each(|x| *x *= 3.0);
        assert!((digest(&spiky).low / digest(&quiet).low - 1.0).abs() < 1e-12);
        assert_eq!(digest(&quiet).median, 102.0);
        // 6 % of 50 is three samples, all 100.
        assert!((digest(&quiet).low - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_pre_empted_batch_is_not_unsteadiness_and_wandering_is() {
        let quiet: Vec<f64> = (0..49).map(|i| 100.0 + f64::from(i % 7)).collect();
        assert!(digest(&quiet).wander.unwrap() < 1e-12);
        let mut once = quiet.clone();
        once[14..21].iter_mut().for_each(|x| *x *= 2.0);
        assert!(digest(&once).wander.unwrap() < 1e-12);
        let drifting: Vec<f64> = quiet.iter().enumerate().map(|(i, x)| x * (1.0 + i as f64 / 100.0)).collect();
        assert!(digest(&drifting).wander.unwrap() > 0.05);
    }

    #[test]
    fn samples_that_the_tool_sorted_say_nothing_of_steadiness() {
        let mut sorted: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i / 2)).collect();
        assert_eq!(digest(&sorted).wander, None);
        assert_eq!(super::digest(&sorted, Direction::Higher).wander, None);
        sorted.swap(10, 30);
        assert!(digest(&sorted).wander.is_some());
        assert_eq!(digest(&[5.0; 50]).wander, Some(0.0), "a clock that is too coarse is no sorting");
        assert!(digest(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).wander.is_some(), "few samples may well rise");
    }

    #[test]
    fn few_samples_say_nothing_of_steadiness() {
        assert_eq!(digest(&[3.0, 1.0, 2.0]).wander, None);
        // A third of three samples: the lowest.
        assert!((digest(&[3.0, 1.0, 2.0]).low - 1.0).abs() < 1e-12);
    }
}
