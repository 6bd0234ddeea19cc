//! Results of head that are identical to those of base: left over from an earlier run, or the same file given twice.

use super::pairs::{Pair, RunEvidence, runs_of};
use crate::model::{Digest, Direction, Run, Unit, differences};
use rayon::prelude::*;
use std::collections::HashSet;

/// Equal numbers are not chance if they have at least this many random digits together: a probability of 1 in 10^9.
const MIN_DIGITS: f64 = 9.0;
/// Two measurements of a time may agree in this many digits by chance: steady benchmarks differ by less than 0.1%, and the last
/// digits may be steps of a clock.
const DIGITS_OF_STEADY_TIME: usize = 4;
/// Generic formats. Their times may be computed, for example by a simulator.
const GENERIC: [&str; 3] = ["csv", "github-action-benchmark", "bencher-bmf"];
/// Digits of a value that are compared: unit conversions change the later ones.
const SIGNIFICANT_DIGITS: usize = 12;

/// Whether every benchmark of head has exactly the results of base: nothing was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SameResults {
    /// Some results differ, or they have too few digits to rule out chance.
    #[default]
    No,
    /// All results are equal, including samples.
    Samples,
    /// All results are equal and have repetitions, or times with many digits, but no samples: `go test -count`, Google Benchmark,
    /// pyperf, JMH.
    Numbers,
}

/// The benchmarks with equal results in base and head.
#[derive(Debug, Default)]
pub(super) struct RepeatedResults<'a> {
    /// Those whose results cannot be equal by chance.
    pub repeated: Vec<&'a str>,
    /// Whether all results are equal, and not by chance.
    pub same_results: SameResults,
}

impl<'a> RepeatedResults<'a> {
    /// Compares the results of the runs of each pair.
    pub(super) fn of(pairs: &'a [Pair<'_>], base: &[Run], head: &[Run]) -> Self {
        let found: Vec<(&str, Repetition)> = pairs
            .par_iter()
            .filter(|pair| pair.is_shared())
            .map(|pair| (&*pair.benchmark, pair.repetition()))
            .collect();
        // If the facts differ, the file was not just copied, so equal repetitions prove nothing. Equal samples still do.
        let same_facts =
            |head: &Run| base.iter().any(|base| differences(&base.environment, &head.environment, &[]).is_empty());
        let equal_numbers_are_evidence = head.iter().any(same_facts);
        let is_repeated = |found: &Repetition| match found {
            Repetition::SameSamples => true,
            Repetition::SameValues { digits, .. } => equal_numbers_are_evidence && *digits >= MIN_DIGITS,
            Repetition::Different => false,
        };
        let digits = |(_, found): &(&str, Repetition)| match found {
            Repetition::SameValues { digits, of_single } if equal_numbers_are_evidence => digits + of_single,
            _ => 0.0,
        };
        let mut repeated: Vec<&str> = found.iter().filter(|(_, one)| is_repeated(one)).map(|(name, _)| *name).collect();
        let is_shown = !repeated.is_empty() || found.iter().map(digits).sum::<f64>() >= MIN_DIGITS;
        let is_everything = is_shown && found.iter().all(|(_, one)| *one != Repetition::Different);
        let same_results = match found.iter().any(|(_, one)| *one == Repetition::SameSamples) {
            _ if !is_everything => SameResults::No,
            true => SameResults::Samples,
            false => SameResults::Numbers,
        };
        if same_results != SameResults::No {
            repeated = found.iter().map(|(name, _)| *name).collect();
        }
        // Pairs are sorted by benchmark, and one benchmark may have several metrics.
        repeated.dedup();
        RepeatedResults { repeated, same_results }
    }
}

/// Whether a head run has exactly the results of a base run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Repetition {
    /// No head run has the values of a base run.
    Different,
    /// The values are the same. The probability of this by chance is 10^-`digits` for repetitions, and 10^-`of_single` for a time
    /// with a single number.
    SameValues { digits: f64, of_single: f64 },
    /// The samples are the same, which never happens for two measurements.
    SameSamples,
}

impl Pair<'_> {
    /// Whether a head run has exactly the results of a base run.
    fn repetition(&self) -> Repetition {
        let [base, head] = [self.base(), self.head()].map(|side| results_of(side, self.metric.direction));
        let mut found = Repetition::Different;
        for run in &head {
            match base.iter().find(|other| other.entries == run.entries) {
                Some(_) if run.has_drift => return Repetition::SameSamples,
                Some(_) if self.metric.exact => found = Repetition::SameValues { digits: 0.0, of_single: 0.0 },
                Some(_) => {
                    let of_single = if self.is_clock_time() { run.digits_of_single() } else { 0.0 };
                    found = Repetition::SameValues { digits: run.digits(), of_single };
                }
                None => {}
            }
        }
        found
    }
}

impl Pair<'_> {
    /// True for a time that a tool measured with a clock. Rates are left out: those of a coarse clock have few values, but many digits.
    fn is_clock_time(&self) -> bool {
        self.metric.unit == Unit::Nanosecond && !GENERIC.contains(&&*self.measurement.tool)
    }
}

/// What distinguishes the results of one run from those of another.
struct RunResults {
    /// Median, number of samples and within-run drift of each entry.
    entries: Vec<(u64, u32, u32)>,
    /// True for samples: two measurements never have the same ones. Repetitions are few and may be rounded, so they may be equal.
    has_drift: bool,
}

impl RunResults {
    /// The number of random digits of all repetitions together: the digits in which the repetitions differ, once for each
    /// distinct value after the first. A constant value has none: it may not be measured at all.
    fn digits(&self) -> f64 {
        let values: Vec<f64> = self.entries.iter().map(|(bits, ..)| f64::from_bits(*bits)).collect();
        let distinct: HashSet<u64> = self.entries.iter().map(|(bits, ..)| *bits).collect();
        let range = values.iter().copied().fold(0.0, f64::max) - values.iter().copied().fold(f64::INFINITY, f64::min);
        let steps = range / values.iter().map(|value| step(*value)).fold(f64::INFINITY, f64::min);
        if distinct.len() < 2 || !steps.is_finite() {
            0.0
        } else {
            (distinct.len() - 1) as f64 * steps.log10().max(0.0)
        }
    }

    /// The digits of a single number beyond those that two measurements may have in common; 0 for repetitions.
    fn digits_of_single(&self) -> f64 {
        match self.entries[..] {
            [(bits, ..)] => {
                let value = f64::from_bits(bits).abs();
                ((value / step(value)).log10().floor() + 1.0 - DIGITS_OF_STEADY_TIME as f64).max(0.0)
            }
            _ => 0.0,
        }
    }
}

/// The size of the last digit of a value.
pub(super) fn step(value: f64) -> f64 {
    let text = format!("{value:.0$e}", SIGNIFICANT_DIGITS - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let decimals = mantissa.split_once('.').map_or("", |(_, decimals)| decimals.trim_end_matches('0')).len();
    10_f64.powi(exponent.parse::<i32>().unwrap_or(0) - decimals as i32)
}

/// The results of each run of a side.
fn results_of(side: &[RunEvidence<'_>], direction: Direction) -> Vec<RunResults> {
    let of_run = |run: &[RunEvidence<'_>]| {
        let digests: Vec<Option<Digest>> = run.iter().map(|one| one.evidence.digest(direction)).collect();
        let drift = |digest: &Option<Digest>| digest.and_then(|one| one.within_run_drift).unwrap_or(0.0);
        let entry = |(one, digest): (&RunEvidence<'_>, &Option<Digest>)| match digest {
            Some(known) => (known.median.to_bits(), known.samples, drift(digest).to_bits()),
            None => (one.evidence.centre().to_bits(), 1, 0),
        };
        RunResults {
            entries: run.iter().zip(&digests).map(entry).collect(),
            has_drift: digests.iter().any(|digest| drift(digest) > 0.0),
        }
    };
    runs_of(side).map(of_run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(values: &[f64]) -> f64 {
        let entries = values.iter().map(|value| (value.to_bits(), 1, 0)).collect();
        RunResults { entries, has_drift: false }.digits()
    }

    #[test]
    fn a_single_number_counts_from_its_fifth_digit() {
        let single =
            |value: f64| RunResults { entries: vec![(value.to_bits(), 1, 0)], has_drift: false }.digits_of_single();
        assert_eq!([0.0, 1.0, 123.4, 99_161.0, 1234.5678, 0.1 + 0.2].map(single), [0.0, 0.0, 0.0, 1.0, 4.0, 0.0]);
        assert_eq!(single(std::f64::consts::PI), 8.0);
    }

    #[test]
    fn only_digits_that_vary_count() {
        assert_eq!([digits(&[1234.0]), digits(&[1234.0, 1234.0]), digits(&[])], [0.0; 3]);
        assert!((digits(&[1234.0, 1244.0, 1240.0]) - 2.0).abs() < 1e-9);
        assert!((digits(&[12.34, 12.44]) - 1.0).abs() < 1e-9);
        // Only 12 digits count, so 0.1 + 0.2 (0.30000000000000004) has those of 0.3.
        assert!((digits(&[0.1 + 0.2, 0.5]) - 0.301).abs() < 0.001);
    }
}
