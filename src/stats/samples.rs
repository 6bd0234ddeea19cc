//! What perfgate computes from the samples of one run: their fast edge, its drift within the run, and their typical mean.
//!
//! Disturbances only slow samples down, so the fastest samples depend least on the machine: from run to run they
//! move about half as far as the median. The drift of the fast edge between the batches of one run predicts how far it
//! moves from run to run; neither single spikes nor one pre-empted batch change it. docs/statistics.md has the figures.
//!
//! The fast edge does not change when only the slower samples change, for example because a lock is taken more often. The
//! typical mean does. It is computed per batch without the slowest batch, because a busy moment fills one batch, while a slow
//! path occurs in most of them.

use std::num::NonZeroU32;

/// Which samples are the fast ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FastEnd {
    /// The smallest: times, memory, counts.
    Smallest,
    /// The largest: rates.
    Largest,
}

/// Share of a run's samples that the fast edge is the mean of, and the least number of samples in that mean.
const EDGE_SHARE: f64 = 0.06;
const EDGE_MIN_SAMPLES: usize = 3;
/// Target number of samples in a batch, and the limits on the number of batches.
const BATCH_SIZE: f64 = 7.0;
const MIN_BATCHES: usize = 3;
pub(super) const MAX_BATCHES: usize = 7;
/// Fewer samples show no drift.
pub const DRIFT_MIN_SAMPLES: usize = 6;
/// This many samples in ascending or descending order were sorted by their tool, which destroys the order in time: by
/// chance it happens once in 10! = 3.6 million runs.
const SORTED_MIN_SAMPLES: usize = 10;

/// The fast edge: the geometric mean of the fastest samples. `None` for no samples, and where one is not positive: it has
/// no logarithm.
pub fn fast_edge(samples: &[f64], fast: FastEnd) -> Option<f64> {
    if samples.is_empty() || samples.iter().any(|x| *x <= 0.0) {
        return None;
    }
    Some(ln_fast_edge(&mut keys(samples, fast), EDGE_MIN_SAMPLES).exp())
}

/// The within-run drift, on the log scale: the standard deviation of the fast edges of consecutive batches, the slowest
/// batch left out. `None` for too few samples, for samples that the tool sorted, and where a sample is not positive.
pub fn within_run_drift(samples: &[f64], fast: FastEnd) -> Option<f64> {
    let n = samples.len();
    if samples.iter().any(|x| *x <= 0.0) || n < DRIFT_MIN_SAMPLES || n >= SORTED_MIN_SAMPLES && is_sorted(samples) {
        return None;
    }
    let mut edges: Vec<f64> = batches(samples).map(|batch| ln_fast_edge_of_batch(batch, fast)).collect();
    edges.sort_unstable_by(f64::total_cmp);
    edges.remove(match fast {
        FastEnd::Smallest => edges.len() - 1,
        FastEnd::Largest => 0,
    });
    let mean = edges.iter().sum::<f64>() / edges.len() as f64;
    let squares: f64 = edges.iter().map(|edge| (edge - mean).powi(2)).sum();
    Some((squares / (edges.len() - 1) as f64).sqrt())
}

/// The typical mean of the samples of a run; see the module's description.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TypicalMean {
    ln_ratio: f32,
    /// The bits of the error, plus one: so `None` needs no space of its own in a digest.
    error: NonZeroU32,
}

impl TypicalMean {
    /// A typical mean; the error is not negative.
    pub fn new(ln_ratio: f32, error: f32) -> TypicalMean {
        TypicalMean { ln_ratio, error: NonZeroU32::MIN.saturating_add(error.abs().to_bits()) }
    }

    /// `ln(typical mean / median)`.
    pub fn ln_ratio(self) -> f32 {
        self.ln_ratio
    }

    /// Its standard error according to the spread between the batches, on the log scale.
    pub fn error(self) -> f32 {
        f32::from_bits(self.error.get() - 1)
    }

    /// `ln(mean of all samples / median)`, if the omitted batch alone causes the spread between the batches. For n batches, that
    /// batch then differs from the others by n standard errors on the log scale.
    pub fn ln_mean_with_slowest_batch(self, samples: usize, fast: FastEnd) -> f64 {
        let count = batch_count(samples) as f64;
        let apart = match fast {
            FastEnd::Smallest => count * f64::from(self.error()),
            FastEnd::Largest => -count * f64::from(self.error()),
        };
        f64::from(self.ln_ratio) + (apart.exp_m1() / count).ln_1p()
    }
}

/// The typical mean. `None` for too few samples, and where a sample is not positive.
pub fn typical_mean(samples: &[f64], median: f64, fast: FastEnd) -> Option<TypicalMean> {
    if samples.len() < DRIFT_MIN_SAMPLES || samples.iter().any(|x| *x <= 0.0) {
        return None;
    }
    // Samples that the tool sorted are distributed to the batches in turn, so that each batch has samples of all sizes.
    let mean = |sum: f64, count: usize| (sum / count as f64).ln();
    let mut means: Vec<f64> = if is_sorted(samples) {
        let count = batch_count(samples.len());
        let dealt = |first: usize| samples[first..].iter().step_by(count);
        (0..count).map(|first| mean(dealt(first).sum(), dealt(first).count())).collect()
    } else {
        batches(samples).map(|batch| mean(batch.iter().sum(), batch.len())).collect()
    };
    let count = means.len() as f64;
    let centre = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>() / (count - 1.0);
    means.sort_unstable_by(f64::total_cmp);
    let kept = match fast {
        FastEnd::Smallest => &means[..means.len() - 1],
        FastEnd::Largest => &means[1..],
    };
    let typical = kept.iter().sum::<f64>() / kept.len() as f64;
    Some(TypicalMean::new((typical - median.ln()) as f32, (variance / count).sqrt() as f32))
}

/// How many samples the batch that the typical mean leaves out may have.
pub fn largest_batch(samples: usize) -> usize {
    samples.div_ceil(batch_count(samples))
}

fn batch_count(samples: usize) -> usize {
    ((samples as f64 / BATCH_SIZE + 0.5).floor() as usize).clamp(MIN_BATCHES, MAX_BATCHES)
}

/// Batches of consecutive samples, of nearly the same size.
fn batches(samples: &[f64]) -> impl Iterator<Item = &[f64]> {
    let count = batch_count(samples.len());
    let (size, longer) = (samples.len() / count, samples.len() % count);
    let mut rest = samples;
    (0..count).map(move |batch| {
        let (now, later) = rest.split_at(size + usize::from(batch < longer));
        rest = later;
        now
    })
}

/// The samples with a sign such that the fastest are the smallest.
fn keys(samples: &[f64], fast: FastEnd) -> Vec<f64> {
    let sign = match fast {
        FastEnd::Smallest => 1.0,
        FastEnd::Largest => -1.0,
    };
    samples.iter().map(|x| sign * x).collect()
}

/// Mean of the logarithms of the fastest samples: `least` of them, but at most a third and at least [`EDGE_SHARE`].
fn ln_fast_edge(keys: &mut [f64], least: usize) -> f64 {
    let count = edge_count(keys.len(), least);
    if count < keys.len() {
        keys.select_nth_unstable_by(count, f64::total_cmp);
    }
    // Summed in order, so that the rounding does not depend on how the selection left them.
    keys[..count].sort_unstable_by(f64::total_cmp);
    keys[..count].iter().map(|key| key.abs().ln()).sum::<f64>() / count as f64
}

/// The edge of a batch, at least one sample. That of most batches is a single sample, which needs no copy and no selection:
/// `perfgate compare` of 1,000 benchmarks takes 16 of 277 million instructions less.
fn ln_fast_edge_of_batch(batch: &[f64], fast: FastEnd) -> f64 {
    if edge_count(batch.len(), 1) > 1 {
        return ln_fast_edge(&mut keys(batch, fast), 1);
    }
    match fast {
        FastEnd::Smallest => batch.iter().copied().fold(f64::INFINITY, f64::min).ln(),
        FastEnd::Largest => batch.iter().copied().fold(0.0, f64::max).ln(),
    }
}

fn edge_count(samples: usize, least: usize) -> usize {
    let share = (EDGE_SHARE * samples as f64 + 0.5).floor() as usize;
    least.min(samples.div_ceil(3)).max(share).max(1)
}

/// True for values in ascending or descending order that are not all the same.
fn is_sorted(samples: &[f64]) -> bool {
    samples.first() != samples.last() && (samples.is_sorted() || samples.iter().rev().is_sorted())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(samples: &[f64]) -> f64 {
        fast_edge(samples, FastEnd::Smallest).unwrap()
    }

    fn drift(samples: &[f64]) -> Option<f64> {
        within_run_drift(samples, FastEnd::Smallest)
    }

    #[test]
    fn rates_mirror_times() {
        let times: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i * i % 17)).collect();
        let rates: Vec<f64> = times.iter().map(|x| 1.0 / x).collect();
        assert!((edge(&times) * fast_edge(&rates, FastEnd::Largest).unwrap() - 1.0).abs() < 1e-12);
        let [of_times, of_rates] =
            [drift(&times), within_run_drift(&rates, FastEnd::Largest)].map(|x| x.unwrap() as f32);
        assert_eq!(of_times, of_rates);
    }

    #[test]
    fn a_short_batch_has_the_edge_of_its_sorted_samples() {
        for count in 1..40 {
            let batch: Vec<f64> = (0..count).map(|i| 100.0 + f64::from(i * 29 % 37)).collect();
            for fast in [FastEnd::Smallest, FastEnd::Largest] {
                assert_eq!(ln_fast_edge_of_batch(&batch, fast), ln_fast_edge(&mut keys(&batch, fast), 1), "{count}");
            }
        }
    }

    #[test]
    fn the_fast_edge_ignores_spikes() {
        let quiet: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i % 5)).collect();
        let mut spiky = quiet.clone();
        spiky.iter_mut().skip(30).step_by(2).for_each(|x| *x *= 3.0);
        assert!((edge(&spiky) / edge(&quiet) - 1.0).abs() < 1e-12);
        // 6% of 50 is three samples, all 100.
        assert!((edge(&quiet) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn one_pre_empted_batch_is_not_drift_but_a_trend_is() {
        let quiet: Vec<f64> = (0..49).map(|i| 100.0 + f64::from(i % 7)).collect();
        assert!(drift(&quiet).unwrap() < 1e-12);
        let mut once = quiet.clone();
        once[14..21].iter_mut().for_each(|x| *x *= 2.0);
        assert!(drift(&once).unwrap() < 1e-12);
        let drifting: Vec<f64> = quiet.iter().enumerate().map(|(i, x)| x * (1.0 + i as f64 / 100.0)).collect();
        assert!(drift(&drifting).unwrap() > 0.05);
    }

    #[test]
    fn samples_sorted_by_their_tool_have_no_drift() {
        let mut sorted: Vec<f64> = (0..50).map(|i| 100.0 + f64::from(i / 2)).collect();
        assert_eq!(drift(&sorted), None);
        assert_eq!(within_run_drift(&sorted, FastEnd::Largest), None);
        sorted.swap(10, 30);
        assert!(drift(&sorted).is_some());
        assert_eq!(drift(&[5.0; 50]), Some(0.0), "equal samples come from a coarse clock, not from sorting");
        assert!(drift(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).is_some(), "a few samples may rise by chance");
    }

    #[test]
    fn a_slow_path_moves_the_typical_mean_and_one_busy_moment_does_not() {
        let quiet: Vec<f64> = (0..49).map(|i| 100.0 + f64::from(i % 5)).collect();
        let typical = |samples: &[f64]| {
            f64::from(typical_mean(samples, 100.0, FastEnd::Smallest).unwrap().ln_ratio()).exp() * 100.0
        };
        assert!((typical(&quiet) - 102.0).abs() < 1.0);
        let mut once = quiet.clone();
        once[14..21].iter_mut().for_each(|x| *x *= 3.0);
        assert!((typical(&once) - 102.0).abs() < 1.0);
        let mut often = quiet.clone();
        often.iter_mut().step_by(3).for_each(|x| *x *= 3.0);
        assert!((150.0..190.0).contains(&typical(&often)), "{}", typical(&often));
        // Sorted by the tool: the same samples have nearly the same mean.
        often.sort_unstable_by(f64::total_cmp);
        assert!((150.0..190.0).contains(&typical(&often)), "{}", typical(&often));
    }

    #[test]
    fn few_samples_have_no_drift() {
        assert_eq!(drift(&[3.0, 1.0, 2.0]), None);
        // A third of three samples: the smallest.
        assert!((edge(&[3.0, 1.0, 2.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_sample_that_is_not_positive_has_no_logarithm() {
        let samples = [1.0, 2.0, 0.0, 4.0, 5.0, 6.0];
        assert_eq!((fast_edge(&samples, FastEnd::Smallest), drift(&samples)), (None, None));
    }
}
