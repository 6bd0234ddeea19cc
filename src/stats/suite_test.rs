//! Estimates the changes of all benchmarks of a suite together: the suite-wide shift, the prior for the noise, and the
//! correction for the number of tests.

use super::estimate::{Estimate, Noise, NullDistribution};
use super::fdr;
use super::head_noise;
use super::jumps::{self, Jumps};
use super::newest_base::ShiftHandling;
use super::prior::{ONE_RUN_PER_SIDE_DF, Observation, Prior, ValueKind};
use super::shift::{self, MIN_SUITE};
use super::suite::{RawChange, SingleRuns, Suite, TestedValue, least_of_pairs, raw_changes};
use rayon::prelude::*;
use std::sync::Arc;

/// A suite-wide shift up to this, and up to half the threshold, is attributed to the machine and subtracted. A larger
/// one may come from the code.
const MAX_SUBTRACTED_SHIFT: f64 = 0.139_761_942_375_158_77; // ln 1.15

/// Limits of the degrees of freedom where head is a single number: the lower one for one run per side, the upper one
/// for many base runs. On hosted runners, a single result can be far off, however many base runs there are.
/// docs/statistics.md has the results of other values on public histories.
const DF_OF_ONE_NUMBER: (f64, f64) = (ONE_RUN_PER_SIDE_DF, 4.0);
/// The upper limit for a suite too small to show how noisy its head run was.
const MAX_DF_OF_SMALL_SUITE: f64 = 3.0;

/// The largest degrees of freedom where head is a single number: those of the base's own runs, half of them in a small suite.
fn max_df_of_one_number(base_runs: usize, small: bool) -> f64 {
    let (least, most) = DF_OF_ONE_NUMBER;
    let of_base = base_runs as f64 - 1.0;
    if small { (of_base / 2.0).clamp(least, MAX_DF_OF_SMALL_SUITE) } else { of_base.clamp(least, most) }
}

/// The 97.5% quantile of the normal distribution.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// If fewer benchmarks of the newest base run share its shift, main may have changed a part of the suite.
const MIN_SHARE_OF_SHIFTED_RUN: f64 = 0.75;

/// The error rate, and what a suite-wide shift means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestRules {
    /// Accepted false discovery rate.
    pub alpha: f64,
    /// The treatment of a suite-wide shift.
    pub shift: ShiftRule,
}

/// The treatment of a suite-wide shift; on the log scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ShiftRule {
    /// Base and head ran at different times. A shift up to this is attributed to the machine and subtracted. If it is larger,
    /// a change in a single head run counts only if it is significant both with and without the shift.
    SubtractUpTo(f64),
    /// Base and head ran in turn on one machine, so a shift comes from the code.
    Keep,
}

impl TestRules {
    /// Base and head ran at different times. At most half the threshold is subtracted: a larger correction could hide a
    /// real change or create a false one.
    pub fn at_different_times(alpha: f64, threshold: f64) -> TestRules {
        let limit = MAX_SUBTRACTED_SHIFT.min(threshold.ln_1p() / 2.0);
        TestRules { alpha, shift: ShiftRule::SubtractUpTo(limit) }
    }

    /// Base and head ran in turn on one machine.
    pub fn in_turn(alpha: f64) -> TestRules {
        TestRules { alpha, shift: ShiftRule::Keep }
    }
}

/// The estimates of a suite. Each is computed on request: for a large suite all of them take much memory.
#[derive(Debug)]
pub struct SuiteEstimates {
    changes: Vec<RawChange>,
    prior: Arc<Prior>,
    shift: f64,
    median_shift: f64,
    rule: ShiftRule,
    one_run: [bool; 2],
    /// True if there are several runs of base and of head, and no single run explains the suite-wide shift.
    shift_in_every_run: bool,
    /// True if nearly all benchmarks of the newest base run share its shift, and head does not: it comes from the machine.
    newest_base_is_shifted: bool,
    /// True if the fast edges of samples are tested.
    of_fast_edges: bool,
    /// One number per run, and not re-measured: a single outlier must not decide.
    checks_single_runs: bool,
    /// Samples, and not re-measured: a change must exceed what base runs differ by.
    checks_base_runs: bool,
    max_df: f64,
    /// The noise that the differences between the runs of a benchmark do not show: of a single head run, and of the suite-wide
    /// shift, whether it is subtracted or not.
    excess_variance: f64,
    /// For samples, and not re-measured: whether base and head have exactly two runs.
    two_runs: [bool; 2],
    /// Jumps of single results, for a single head run.
    jumps: Option<Jumps>,
    small: bool,
    tests: Tests,
}

/// The results of the tests, in the order of the benchmarks.
#[derive(Debug, Default)]
struct Tests {
    /// P values, each towards the side of its change.
    p: Vec<f64>,
    q_worse: Vec<f64>,
    q_better: Vec<f64>,
    /// The p values that one more finding would need, towards worse and towards better.
    critical_p: [f64; 2],
    /// Tail probabilities of the intervals of findings, towards worse and towards better.
    finding_tails: [f64; 2],
    /// For re-measured suspects: the smallest change that a pair of their runs shows.
    least_of_pairs: Option<Vec<f64>>,
}

/// Estimates the changes of a suite; the p values are corrected as by Benjamini and Hochberg.
pub fn estimate_suite(suite: &dyn Suite, kind: ValueKind, rules: TestRules) -> SuiteEstimates {
    estimate(suite, kind, rules, None)
}

/// Estimates the changes of re-measured suspects; the p values are corrected as by Holm.
///
/// The prior is fitted to the first measurement of the whole suite and to the new runs: the suspects alone are few, and
/// selected for being far off. No suite-wide shift is subtracted: it may be the change that they were selected for.
pub fn estimate_re_measured(
    suspects: &dyn Suite,
    kind: ValueKind,
    alpha: f64,
    suite: &[Observation],
) -> SuiteEstimates {
    estimate(suspects, kind, TestRules::in_turn(alpha), Some(suite))
}

/// `screened` is the first measurement of the suite, where suspects are re-measured.
fn estimate(suite: &dyn Suite, kind: ValueKind, rules: TestRules, screened: Option<&[Observation]>) -> SuiteEstimates {
    let (mut changes, run_shifts) = raw_changes(suite);
    let common = |change: fn(&RawChange) -> f64| match screened {
        Some(_) => 0.0,
        None => shift::suite_wide_shift(&changes.iter().map(change).collect::<Vec<_>>()),
    };
    // In a noisy suite, the densest changes may be few. Their centre is not a suite-wide shift.
    let is_shift = |shift: f64| match rules.shift {
        ShiftRule::SubtractUpTo(limit) if shift.abs() > limit => {
            // More than half of the changes are in its direction, and at most twice as large.
            shift::share_with(changes.iter().map(|one| one.observation.change), shift, 1.0) > 0.5
        }
        ShiftRule::SubtractUpTo(_) | ShiftRule::Keep => true,
    };
    let centre = common(|one| one.observation.change);
    let [shift, median_shift] = if is_shift(centre) { [centre, common(|one| one.median_raw)] } else { [0.0; 2] };

    // The fit needs changes around zero, even if the shift is too large to be subtracted from the estimates.
    changes.iter_mut().for_each(|one| one.observation.change -= shift);
    let fitted = screened.unwrap_or_default().iter().copied().chain(changes.iter().map(|one| one.observation));
    let small = screened.map_or(changes.len(), <[Observation]>::len) < MIN_SUITE;
    let prior = Arc::new(Prior::fit(&fitted.collect::<Vec<_>>(), kind, small));
    let [base_runs, head_runs] = suite.run_counts();
    let one_run = [base_runs == 1, head_runs == 1];
    let shift_error = shift::error_of_shift(&run_shifts);
    let shift_in_every_run = match rules.shift {
        ShiftRule::SubtractUpTo(limit) => {
            let is_shown = shift.abs() > shift_error.unwrap_or_default();
            one_run == [false; 2] && shift.abs() > limit && is_shown && shift::least_shift(shift, &run_shifts) > limit
        }
        ShiftRule::Keep => true,
    };
    let newest = || changes.iter().map(|one| one.single_runs.newest);
    let newest_shift = newest().next().map_or(0.0, |newest| newest.as_measured - newest.without_run_shift);
    // If head is shifted as well, the cause may be a change of main.
    let newest_base_is_shifted = centre.abs() < newest_shift.abs() / 2.0
        && shift::share_with(newest().map(|newest| newest.as_measured), newest_shift, 0.5) >= MIN_SHARE_OF_SHIFTED_RUN;
    // Re-measured suspects have a rule of their own for single runs: the smallest change of a pair.
    let can_have_outliers = kind == ValueKind::Measured && screened.is_none();
    let samples_can_have_outliers = can_have_outliers && suite.tested() == TestedValue::FastEdge;
    let of_one_number = can_have_outliers && head_runs == 1 && suite.tested() == TestedValue::Centre;
    let of_head = if of_one_number { head_noise::excess_variance(suite) } else { 0.0 };
    let of_shift = match shift_error {
        // The shift of each run was subtracted, so the differences between the runs do not contain the error of a shift that stays.
        Some(error) if shift_in_every_run => (error / NORMAL_QUANTILE).powi(2),
        // The test of a single number has few degrees of freedom, so its interval is wide enough.
        _ if shift_in_every_run || of_one_number || screened.is_some() || small => 0.0,
        _ => shift::variance_of_shift(changes.iter().map(|one| one.observation.change)),
    };
    let excess_variance = of_head + of_shift;
    let mut estimates = SuiteEstimates {
        changes,
        prior,
        shift,
        median_shift,
        rule: rules.shift,
        one_run,
        shift_in_every_run,
        newest_base_is_shifted,
        of_fast_edges: suite.tested() == TestedValue::FastEdge,
        checks_single_runs: can_have_outliers && suite.tested() != TestedValue::FastEdge,
        checks_base_runs: samples_can_have_outliers,
        two_runs: [base_runs, head_runs].map(|runs| samples_can_have_outliers && runs == 2),
        max_df: if of_one_number { max_df_of_one_number(base_runs, small) } else { f64::INFINITY },
        excess_variance,
        jumps: None,
        small,
        tests: Tests::default(),
    };
    let all = 0..estimates.count();
    let p_value = |i: usize| estimates.null_distribution(i).tail(estimates.shown_change(i));
    estimates.tests.p = all.clone().into_par_iter().map(p_value).collect();
    if can_have_outliers && head_runs == 1 && base_runs >= jumps::MIN_BASE_RUNS && !small {
        estimates.jumps = estimates.jumps(suite, &run_shifts[0], rules.alpha);
    }
    let least = |i: usize| least_of_pairs(&suite.benchmark(i), suite.tested(), estimates.delta(i));
    estimates.tests.least_of_pairs = screened.map(|_| all.map(least).collect());
    estimates.correct(rules.alpha, screened.is_some());
    estimates
}

impl SuiteEstimates {
    /// Number of benchmarks.
    pub fn count(&self) -> usize {
        self.changes.len()
    }

    /// The suite-wide shift.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// True if the suite-wide shift was subtracted.
    pub fn shift_is_subtracted(&self) -> bool {
        matches!(self.rule, ShiftRule::SubtractUpTo(limit) if self.shift.abs() <= limit)
    }

    /// A suite-wide shift that is too large to be subtracted and whose cause is unknown: a side has a single run, or a
    /// single run explains it.
    pub fn unexplained_shift(&self) -> Option<f64> {
        let is_apart = matches!(self.rule, ShiftRule::SubtractUpTo(_));
        (is_apart && !self.shift_in_every_run && !self.shift_is_subtracted()).then_some(self.shift)
    }

    /// The estimates, in the order of the benchmarks.
    #[cfg(feature = "internals")]
    pub fn estimates(&self) -> impl Iterator<Item = Estimate> {
        (0..self.count()).map(|index| self.estimate(index))
    }

    /// The estimate of one benchmark.
    pub fn estimate(&self, index: usize) -> Estimate {
        let [p_worse, p_better] = self.p_values(index);
        let way = usize::from(p_better < p_worse);
        let RawChange { raw, median_raw, observation, variance_floor, max_sd, single_runs } = self.changes[index];
        Estimate {
            delta: self.delta(index),
            raw,
            of_fast_edges: self.of_fast_edges,
            median_delta: median_raw - self.subtracted(self.median_shift),
            median_raw,
            least_of_two: self.least_of_two(index),
            single_runs: self.single_runs(single_runs),
            base_deviation: self.checks_base_runs.then(|| {
                let [above, below] = single_runs.frequent_base_deviations;
                if self.delta(index) > 0.0 { above } else { below }
            }),
            newest_base_share: self.newest_base_share(index),
            newest_base_stands_out: single_runs.newest.stands_out,
            unexplained_shift: self.unexplained_shift(),
            one_run: self.one_run.map(|one| one && matches!(self.rule, ShiftRule::SubtractUpTo(_))),
            similar_jumps: self.jumps.as_ref().map(|jumps| jumps.similar_to(observation.change)),
            p_worse,
            p_better,
            q_worse: self.tests.q_worse[index],
            q_better: self.tests.q_better[index],
            low_evidence: self.small && observation.df == 0.0,
            base_range: None,
            least_of_pairs: self.tests.least_of_pairs.as_ref().map(|least| least[index]),
            critical_p: self.tests.critical_p[0],
            finding_tail: match p_worse.min(p_better) < self.tests.finding_tails[way] {
                true => self.tests.finding_tails[way],
                false => self.tests.critical_p[way],
            },
            noise: Noise {
                prior: Arc::clone(&self.prior),
                observation,
                variance_floor,
                excess_variance: self.excess_variance,
                max_df: self.max_df,
                max_sd,
            },
        }
    }

    fn delta(&self, index: usize) -> f64 {
        self.changes[index].raw - self.subtracted(self.shift)
    }

    /// For one number per run: what single runs show, the suite-wide shift subtracted.
    fn single_runs(&self, runs: SingleRuns) -> Option<Box<SingleRuns>> {
        let head_extremes = runs.head_extremes.map(|change| change - self.subtracted(self.shift));
        self.checks_single_runs.then(|| Box::new(SingleRuns { head_extremes, ..runs }))
    }

    fn newest_base_share(&self, index: usize) -> f64 {
        let shift = match (self.rule, self.unexplained_shift()) {
            (ShiftRule::Keep, _) => return 0.0,
            (_, Some(shift)) => ShiftHandling::Unexplained(shift),
            (_, None) if self.shift_is_subtracted() && self.newest_base_is_shifted => ShiftHandling::Subtracted,
            (_, None) if self.shift_is_subtracted() => ShiftHandling::SubtractedFromBoth(self.shift),
            _ => ShiftHandling::Kept,
        };
        self.changes[index].single_runs.newest.share_of(self.delta(index), shift)
    }

    /// For sides with exactly two runs: the smaller of the changes that the two show, in the direction of the change.
    fn least_of_two(&self, index: usize) -> Option<Box<[Option<f64>; 2]>> {
        let least = self.changes[index].single_runs.least(self.delta(index), self.subtracted(self.shift));
        let [base, head] = self.two_runs;
        (base || head).then(|| Box::new([base.then_some(least[0]), head.then_some(least[1])]))
    }

    /// The jumps of a suite of measured values.
    fn jumps(&self, suite: &dyn Suite, base_shifts: &[f64], alpha: f64) -> Option<Jumps> {
        match suite.tested() {
            TestedValue::Centre => Some(Jumps::of_numbers(&self.changes, suite.run_counts()[0])),
            TestedValue::FastEdge => {
                let tail = |change: &RawChange, size: f64| self.null_distribution_of(change).tail(size);
                Some(Jumps::of_samples(suite, &self.changes, base_shifts, (&self.tests.p, alpha), tail))
            }
            TestedValue::TypicalMean => Some(Jumps::of_means(&self.changes, suite.run_counts()[0])),
            TestedValue::UncorrectedTypicalMean => None,
        }
    }

    /// The size of the change that is tested. Where the whole run shifted without a known cause, the change must be
    /// shown with the shift and without it.
    fn shown_change(&self, index: usize) -> f64 {
        let delta = self.delta(index);
        match self.unexplained_shift() {
            Some(shift) => delta.abs().min((delta - shift) * delta.signum()).max(0.0),
            None => delta.abs(),
        }
    }

    /// The part of a suite-wide shift that is subtracted: all or nothing.
    fn subtracted(&self, shift: f64) -> f64 {
        match self.rule {
            ShiftRule::SubtractUpTo(limit) if shift.abs() <= limit => shift,
            ShiftRule::SubtractUpTo(_) | ShiftRule::Keep => 0.0,
        }
    }

    fn null_distribution(&self, index: usize) -> NullDistribution<'_> {
        self.null_distribution_of(&self.changes[index])
    }

    fn null_distribution_of<'a>(&'a self, change: &'a RawChange) -> NullDistribution<'a> {
        let RawChange { observation, variance_floor, max_sd, .. } = change;
        NullDistribution {
            prior: &self.prior,
            observation,
            variance_floor: *variance_floor,
            excess_variance: self.excess_variance,
            max_df: self.max_df,
            max_sd: *max_sd,
        }
    }

    /// P values towards worse and towards better.
    fn p_values(&self, index: usize) -> [f64; 2] {
        let (nearer, further) = (self.tests.p[index], 1.0 - self.tests.p[index]);
        if self.delta(index) > 0.0 { [nearer, further] } else { [further, nearer] }
    }

    /// Corrects the p values for the number of tests.
    fn correct(&mut self, alpha: f64, re_measured: bool) {
        let correction = if re_measured { fdr::holm } else { fdr::benjamini_hochberg };
        let corrected = |way: usize| correction(&(0..self.count()).map(|i| self.p_values(i)[way]).collect::<Vec<_>>());
        let (worse, better) = (corrected(0), corrected(1));
        // Benjamini and Yekutieli (2005): the level is 1 - R alpha / tests for R findings. All findings of Holm's method have
        // p values below alpha / (tests - R + 1), which is never larger. An interval has two ends, so each has at most half of
        // alpha.
        let tests = self.count().max(1);
        let limit = |findings: usize| {
            let findings = findings.clamp(1, tests) as f64;
            let level = if re_measured { 1.0 / (tests as f64 - findings + 1.0) } else { findings / tests as f64 };
            alpha * level.min(0.5)
        };
        let found = [&worse, &better].map(|q| q.iter().filter(|q| **q < alpha).count());
        self.tests.finding_tails = found.map(limit);
        self.tests.critical_p = found.map(|found| limit(found + 1));
        (self.tests.q_worse, self.tests.q_better) = (worse, better);
    }
}

#[cfg(test)]
mod tests;
