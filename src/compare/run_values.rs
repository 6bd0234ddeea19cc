//! The values of a pair's runs for the statistics.

use super::pairs::{Pair, RunEvidence, evidence, runs_of};
use super::repetitions;
use crate::model::{Digest, Direction, Evidence, Summary};
use crate::stats::centre;
use crate::stats::suite::{BenchmarkRuns, RunValue};

/// Variance of the error of a rounded value. Values that are whole numbers may be rounded, as the nanoseconds of libtest are.
const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

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
            // The error of several processes is the one between them, not between their batches.
            mean_with_slowest: digest
                .filter(|_| run.len() == 1)
                .and_then(|digest| digest.ln_mean_with_slowest_batch(direction).or_else(|| ln_mean(run[0].evidence)))
                .map(|mean| sign * mean),
        }
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
