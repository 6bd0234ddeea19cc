//! The values of a pair's runs for the statistics.

use super::pairs::{Pair, RunEvidence, evidence, runs_of};
use super::repetitions;
use crate::model::{Digest, Direction, Evidence, SampleStatistics, Summary};
use crate::stats::centre;
use crate::stats::samples::largest_batch;
use crate::stats::suite::{BenchmarkRuns, RunValue};

/// Variance of the error of a rounded value. Values that are whole numbers may be rounded, as the nanoseconds of libtest are.
const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// Fewer repetitions do not show whether a part of them is slow.
const MIN_REPETITIONS: usize = 6;
/// A part of the samples is slow if it is at least this share, and more than one sample.
const MIN_SLOW_SHARE: f64 = 0.15;
const MIN_SLOW_SAMPLES: f64 = 1.5;

impl Pair<'_> {
    /// The values for the statistics: on the log scale, larger is worse. Zero has no logarithm and is replaced by half of
    /// the smallest positive value.
    pub(super) fn runs(&self) -> BenchmarkRuns {
        let centres = self.evidence.iter().map(|one| one.evidence.centre());
        let for_zero = centres.filter(|value| *value > 0.0).min_by(f64::total_cmp).unwrap_or(1.0) / 2.0;
        let side = |side: &[RunEvidence<'_>]| runs_of(side).map(|run| self.run_value(run, for_zero)).collect();
        let mut runs = BenchmarkRuns { base: side(self.base()), head: side(self.head()) };
        // A median is not compared with a fast edge.
        if self.lacks_an_edge() {
            let all = runs.base.iter_mut().chain(&mut runs.head);
            all.for_each(|run| run.fast_edge = run.fast_edge.and(Some(run.centre)));
        }
        if let Some(ratio) = self.work_ratio() {
            runs.base.iter_mut().for_each(|run| run.shift(ratio.ln()));
        }
        runs
    }

    fn run_value(&self, run: &[RunEvidence<'_>], for_zero: f64) -> RunValue {
        let direction = self.direction;
        let (digest, centre, mut variance) = match run {
            [one] => (one.evidence.digest(direction), one.evidence.centre(), centre_variance(one.evidence)),
            entries => {
                let entries = evidence(entries);
                let centres: Vec<f64> = entries.iter().map(|one| one.centre()).collect();
                let digest = repetitions::digest(&entries, direction);
                let variance = if digest.is_some() { 0.0 } else { repetitions::variance_of_centre(&centres) };
                (digest, centre::median(&centres), variance)
            }
        };
        if digest.is_none() && !self.metric.exact && centre > 0.0 && centre.fract() == 0.0 {
            variance += ROUNDING_VARIANCE / centre.powi(2);
        }
        let means = if digest.is_none() { self.means(run) } else { None };
        // The error of several processes is the one between them, not between their batches.
        let of_process = digest.filter(|_| run.len() == 1);
        let with_slow_part = of_process.and_then(|digest| ln_mean_with_slow_part(digest, direction));
        let ln = |value: f64| if value > 0.0 { value.ln() } else { for_zero.ln() };
        let sign = direction.sign();
        RunValue {
            run: run[0].run,
            fast_edge: digest.map(|digest| sign * ln(digest.fast_edge)),
            centre: sign * ln(centre),
            within_run_drift: digest.and_then(|digest| digest.within_run_drift).map(f64::from),
            centre_variance: variance,
            typical_mean: digest
                .and_then(|digest| Some((digest.median, digest.typical_mean?)))
                .map(|(median, mean)| (sign * (ln(median) + f64::from(mean.ln_ratio())), f64::from(mean.error()))),
            mean_with_slowest: with_slow_part
                .map(|(mean, _)| mean)
                .or_else(|| of_process?.ln_mean_with_slowest_batch(direction))
                .or_else(|| of_process.and_then(|_| ln_mean(run[0].evidence)))
                .or(means.map(|means| means.mean.ln()))
                .map(|mean| sign * mean),
            slow_part_error: with_slow_part
                .map(|(_, error)| error)
                .or_else(|| means.filter(|means| means.has_slow_part(centre)).map(Means::standard_error)),
        }
    }

    /// The mean of a run without samples, where it is not the value that is tested: of repetitions, or of a summary. A tool that reports the
    /// mean next to quantiles (`time:p50`, `time:mean`) has a row for each.
    fn means(&self, run: &[RunEvidence<'_>]) -> Option<Means> {
        if self.metric.exact || SampleStatistics::split_metric(&self.metric.name).is_some() {
            return None;
        }
        let means = match run {
            [one] => match one.evidence {
                Evidence::Summary(summary) => {
                    Means { mean: summary.mean?, sd: summary.sd, samples: summary.samples.map(|count| count as f64) }
                }
                _ => return None,
            },
            entries if entries.len() >= MIN_REPETITIONS => {
                let centres: Vec<f64> = evidence(entries).iter().map(|one| one.centre()).collect();
                let count = centres.len() as f64;
                let mean = centres.iter().sum::<f64>() / count;
                let squares: f64 = centres.iter().map(|value| (value - mean).powi(2)).sum();
                Means { mean, sd: Some((squares / count).sqrt()), samples: Some(count) }
            }
            _ => return None,
        };
        (means.mean > 0.0).then_some(means)
    }

    /// True if every run of both sides has samples, with fast edges on the same side.
    pub(super) fn has_samples(&self) -> bool {
        let direction = self.direction;
        if self.directions_differ || !direction.is_known() {
            return false;
        }
        // Samples with zeros are noisier than those of their suite. Their medians are tested like single numbers.
        let sampled = |run: &[RunEvidence<'_>]| digest(run, direction).is_some_and(|digest| !digest.has_zero());
        [self.base(), self.head()].into_iter().all(|side| runs_of(side).all(sampled))
    }

    fn lacks_an_edge(&self) -> bool {
        let lacks = |run: &[RunEvidence<'_>]| digest(run, self.direction).is_some_and(|digest| digest.lacks_edge());
        [self.base(), self.head()].into_iter().any(|side| runs_of(side).any(lacks))
    }
}

/// Mean and standard deviation of samples that were not read.
#[derive(Clone, Copy)]
struct Means {
    mean: f64,
    sd: Option<f64>,
    samples: Option<f64>,
}

impl Means {
    /// The standard error of the mean, on the log scale.
    fn standard_error(self) -> f64 {
        self.sd.unwrap_or_default() / self.mean / self.samples.unwrap_or(1.0).sqrt()
    }

    /// True if the distance of mean and median comes from a part of the samples. If a share p of them takes longer by D, and the others
    /// vary little, the distance is pD and the standard deviation is D √(p (1 − p)), so the square of their ratio is p / (1 − p).
    fn has_slow_part(self, median: f64) -> bool {
        let Some(sd) = self.sd.filter(|sd| *sd > 0.0) else { return false };
        let odds = ((self.mean - median) / sd).powi(2);
        let share = odds / (1.0 + odds);
        share >= MIN_SLOW_SHARE && self.samples.is_none_or(|samples| share * samples >= MIN_SLOW_SAMPLES)
    }
}

/// The mean of the slow part of the samples and the others, if the typical mean may contain nothing of that part: there is no typical
/// mean, or the batch that it leaves out is large enough, as in few samples that begin slowly. On the log scale, with its
/// standard error, if each sample is slow by chance.
fn ln_mean_with_slow_part(digest: Digest, direction: Direction) -> Option<(f64, f64)> {
    let split = digest.split?;
    let upper = split.upper_share();
    let share = if direction == Direction::Higher { 1.0 - upper } else { upper };
    let samples = f64::from(digest.samples);
    let slow = (share * samples).round();
    let is_left_out = digest.typical_mean.is_none() || slow <= largest_batch(digest.samples as usize) as f64;
    let [low, high] = split.values(digest.median);
    let mean = (1.0 - upper) * low + upper * high;
    let error = (share * (1.0 - share) / samples).sqrt() * (high - low) / mean;
    (share >= MIN_SLOW_SHARE && slow >= MIN_SLOW_SAMPLES && is_left_out).then(|| (mean.ln(), error))
}

/// The digest of the entries of a run.
fn digest(run: &[RunEvidence<'_>], direction: Direction) -> Option<Digest> {
    match run {
        [one] => one.evidence.digest(direction),
        entries => repetitions::digest(&evidence(entries), direction),
    }
}

/// The logarithm of the mean of all samples, for runs without a typical mean: few samples, or some of zero. `None` if a single sample
/// is all there is.
fn ln_mean(evidence: &Evidence) -> Option<f64> {
    let samples = evidence.all_samples().filter(|samples| samples.len() > 1)?;
    let mean = samples.iter().sum::<f64>() / samples.len() as f64;
    (mean > 0.0).then(|| mean.ln())
}

/// Variance of the centre of a summary, on the log scale. The samples of one run are correlated and count as a quarter of
/// their number.
fn centre_variance(evidence: &Evidence) -> f64 {
    let Evidence::Summary(summary) = evidence else { return 0.0 };
    match **summary {
        Summary { centre, sd: Some(sd), samples: Some(samples), .. } if samples > 0 && centre > 0.0 => {
            4.0 * (sd / centre).powi(2) / samples as f64
        }
        _ => 0.0,
    }
}
