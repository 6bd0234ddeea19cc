//! Repetitions of a benchmark inside one run: `go test -count`, Google Benchmark's repetitions, forks of
//! JMH. They share a job and a machine, so they show how steady that run was, not how far the next run will differ.
//! Together they are the evidence of one run.
//!
//! Single numbers count as one number with an error: counted as runs, or as samples with a drift, they would make a
//! steady job look like a steady machine.

use crate::model::{Digest, Direction, Evidence};
use crate::stats::centre;
use crate::stats::samples::TypicalMean;
use crate::stats::split::Split;

/// The digest of processes with samples of their own (JMH forks, pyperf processes); `None` for other entries. Processes
/// vary more than the samples of one process, and less than two jobs do: the spread between them counts as drift within
/// the run.
pub fn digest(entries: &[&Evidence], direction: Direction) -> Option<Digest> {
    let digests: Vec<Digest> = entries.iter().map(|one| one.digest(direction)).collect::<Option<_>>()?;
    let edges: Vec<f64> = digests.iter().map(|one| one.fast_edge.ln()).collect();
    let medians: Vec<f64> = digests.iter().map(|one| one.median).collect();
    let drifts: Vec<f32> = digests.iter().filter_map(|one| one.within_run_drift).collect();
    let mean_drift = (!drifts.is_empty()).then(|| drifts.iter().sum::<f32>() / drifts.len() as f32);
    let between = sd(&edges).filter(|sd| sd.is_finite()).map(|sd| sd as f32);
    let typical_means: Option<Vec<TypicalMean>> = digests.iter().map(|one| one.typical_mean).collect();
    let splits: Vec<Option<Split>> = digests.iter().map(|one| one.split).collect();
    let median = centre::median(&medians);
    if digests.iter().any(Digest::lacks_edge) {
        let samples = digests.iter().map(|one| one.samples).fold(0, u32::saturating_add);
        let none = Digest { fast_edge: median, within_run_drift: None, typical_mean: None, ..*digests.first()? };
        return Some(Digest { median, samples, ..none });
    }
    Some(Digest {
        median,
        fast_edge: centre::median(&edges).exp(),
        samples: digests.iter().map(|one| one.samples).fold(0, u32::saturating_add),
        within_run_drift: mean_drift.into_iter().chain(between).reduce(f32::max),
        typical_mean: typical_means.map(|means| typical_mean_of(&means)),
        split: Split::typical(&splits).and_then(|typical| splits[typical]),
    })
}

/// The typical mean of processes: the median of theirs, with the largest error.
fn typical_mean_of(processes: &[TypicalMean]) -> TypicalMean {
    let ratios: Vec<f64> = processes.iter().map(|one| f64::from(one.ln_ratio())).collect();
    let between = sd(&ratios).unwrap_or_default() as f32;
    let error = processes.iter().map(|one| one.error()).fold(between, f32::max);
    TypicalMean::new(centre::median(&ratios) as f32, error)
}

/// One in this many repetitions may be an outlier, which does not move the median.
const MAY_DEVIATE: usize = 5;
/// The variance of normal values is this many times larger, per share of them left out, than that of the rest; within 7%
/// for up to a fifth of at least five values.
const LEFT_OUT_VARIANCE: f64 = 6.0;

/// Variance of the centre of the repetitions, on the log scale: the samples of one run are correlated and count as a
/// quarter of their number. Without the repetitions farthest from the median: a single slow one in ten would make the error 17
/// times as large.
pub fn variance_of_centre(centres: &[f64]) -> f64 {
    let logs: Vec<f64> = centres.iter().filter(|value| **value > 0.0).map(|value| value.ln()).collect();
    if logs.is_empty() {
        return 0.0;
    }
    let (median, count) = (centre::median(&logs), logs.len() as f64);
    let mut nearest_first = logs;
    nearest_first.sort_unstable_by(|a, b| (a - median).abs().total_cmp(&(b - median).abs()));
    let left_out = nearest_first.len() / MAY_DEVIATE;
    nearest_first.truncate(nearest_first.len() - left_out);
    let correction = 1.0 + LEFT_OUT_VARIANCE * left_out as f64 / count;
    sd(&nearest_first).map_or(0.0, |sd| 4.0 * correction * sd * sd / count)
}

/// Standard deviation; `None` for fewer than two values.
fn sd(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.len() > 1).then(|| (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::ContinuousCDF;

    fn digest_of(entries: &[Evidence]) -> Option<Digest> {
        digest(&entries.iter().collect::<Vec<_>>(), Direction::Lower)
    }

    #[test]
    fn single_numbers_have_no_fast_edge() {
        assert_eq!(digest_of(&[103.0, 101.0, 102.0, 100.0, 104.0, 105.0].map(Evidence::Value)), None);
    }

    #[test]
    fn the_spread_between_processes_is_drift_within_the_run() {
        let process =
            |level: f64| Evidence::Samples((0..20).map(|i| level * (1.0 + 0.001 * f64::from(i % 5))).collect());
        let drift = |levels: [f64; 3]| digest_of(&levels.map(process)).and_then(|one| one.within_run_drift).unwrap();
        let (near, far) = (drift([100.0, 100.1, 99.9]), drift([100.0, 110.0, 90.0]));
        assert!(near < 0.002 && (0.09..0.11).contains(&far), "{near} {far}");
    }

    #[test]
    fn four_times_the_repetitions_halve_the_error_of_the_centre() {
        let of = |copies: usize| variance_of_centre(&[99.0, 101.0].repeat(copies));
        assert!((of(50) / of(200) - 4.0).abs() < 0.1);
        assert_eq!([variance_of_centre(&[5.0]), variance_of_centre(&[])], [0.0; 2]);
    }

    #[test]
    fn one_slow_repetition_does_not_make_the_others_uncertain() {
        let steady = [100.0, 101.0, 99.0, 102.0, 98.0, 100.5, 99.5, 101.5, 98.5, 100.0];
        let with_slow = |slow: usize| {
            let mut values = steady;
            values[..slow].iter_mut().for_each(|value| *value *= 3.0);
            variance_of_centre(&values).sqrt()
        };
        assert!(with_slow(1) < 1.5 * with_slow(0), "{} {}", with_slow(1), with_slow(0));
        // With four slow ones, the next median may be one of them.
        assert!(with_slow(4) > 0.3, "{}", with_slow(4));
    }

    #[test]
    fn the_error_of_normal_repetitions_is_that_of_all_of_them() {
        let normal = statrs::distribution::Normal::new(0.0, 0.02).unwrap();
        let mut state = 1_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            normal.inverse_cdf(((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
        };
        for count in [5, 7, 10, 14, 20, 100] {
            let (mut without, mut of_all) = (0.0, 0.0);
            for _ in 0..1000 {
                let logs: Vec<f64> = (0..count).map(|_| draw()).collect();
                without += variance_of_centre(&logs.iter().map(|log| log.exp()).collect::<Vec<_>>());
                of_all += 4.0 * sd(&logs).unwrap().powi(2) / count as f64;
            }
            assert!((0.9..1.15).contains(&(without / of_all)), "{count}: {}", without / of_all);
        }
    }
}
