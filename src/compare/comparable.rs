//! What two sides must share to be compared: how they were sampled, and the work of one operation.

use crate::model::Measurement;
use crate::model::number_text::{counted, thousands};
use crate::stats::centre;

/// Smallest factor between the numbers of samples that makes base and head incomparable.
const OTHER_COUNT: f64 = 9.99;
/// Smallest factor between the iterations per sample that makes base and head incomparable. Criterion chooses the iterations in
/// a short warm-up, which other programs disturb. With equal settings, the factor is at most 18.7 in 4,656 pairs of recorded
/// results (7 have 10 or more). With measurement times that differ by a factor of 100, it is at least 25.6 in 63 pairs.
const OTHER_ITERATIONS: f64 = 20.0;
/// Replaces [`OTHER_ITERATIONS`] in a suite of fewer than [`MIN_SUITE`] benchmarks, which are too few to show that the settings
/// are equal. The 7 pairs above (0.15%) are then inconclusive.
const OTHER_ITERATIONS_OF_FEW: f64 = 9.99;
/// Smallest median factor of a suite of at least [`MIN_SUITE`] benchmarks that indicates other settings, because a setting
/// affects all benchmarks. The limit of each benchmark is then [`OTHER_TIME`]. With equal settings this median is at most 3.4 in
/// 161 pairs of results, and at most 1.04 except with 50 ms per benchmark on a busy machine.
const OTHER_ITERATIONS_OF_SUITE: f64 = 6.0;
const MIN_SUITE: usize = 5;
/// Smallest factor between the times spent that indicates other settings. A tool takes fewer samples of a slower benchmark, so
/// its total time hardly changes.
const OTHER_TIME: f64 = 3.0;

/// Tools whose number of samples is a setting. Others take as many samples as fit into a time, which varies by chance.
const FIXED_COUNT: [&str; 2] = ["criterion", "cargo-criterion"];

/// How a side was sampled, as far as the tool reports it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling {
    /// Iterations in one sample.
    pub iterations: Option<f64>,
    /// Number of samples of a run.
    pub samples: Option<f64>,
    /// Time of one iteration.
    pub time: f64,
}

/// By which factors, on the log scale, the samples of a benchmark became longer from base to head: in iterations and in
/// time. `None` if one side takes more iterations in less time, or if the times differ by less than the factor
/// [`OTHER_TIME`].
fn longer(base: f64, head: f64, slower: f64) -> Option<(f64, f64)> {
    let (count, spent) = ((head / base).ln(), (head / base).ln() + slower);
    (count * spent > 0.0 && spent.abs() >= OTHER_TIME.ln()).then_some((count, spent))
}

/// The smallest factor of the iterations per sample that indicates other settings, for the benchmarks of one tool.
pub(super) fn iterations_limit(suite: &[[Sampling; 2]]) -> f64 {
    let change = |[base, head]: &[Sampling; 2]| {
        let (of_base, of_head) = (base.iterations?, head.iterations?);
        Some(longer(of_base, of_head, (head.time / base.time).ln()).map_or(0.0, |(count, _)| count))
    };
    let changes: Vec<f64> = suite.iter().filter_map(change).filter(|change| change.is_finite()).collect();
    if changes.len() < MIN_SUITE {
        OTHER_ITERATIONS_OF_FEW
    } else if centre::median(&changes).abs() >= OTHER_ITERATIONS_OF_SUITE.ln() {
        OTHER_TIME
    } else {
        OTHER_ITERATIONS
    }
}

/// Why two sides were sampled too differently to be compared: a short sample fits between two interruptions, a long one
/// contains several. `limit` is the largest accepted factor between the iterations per sample.
pub(super) fn other_settings(tool: &str, [base, head]: [Sampling; 2], limit: f64) -> Option<String> {
    let slower = (head.time / base.time).ln();
    let why = |of: fn(Sampling) -> Option<f64>, limit: f64, noun: &str, per: &str| {
        let (base, head) = (of(base)?, of(head)?);
        let message = || {
            format!(
                "{} {per}in base, {} in head; re-measure both with the same settings",
                counted(base.round() as usize, noun),
                thousands(head.round() as usize)
            )
        };
        longer(base, head, slower).filter(|(count, _)| count.abs() >= limit.ln()).map(|_| message())
    };
    let by_iterations = why(|side| side.iterations, limit, "iteration", "per sample ");
    by_iterations
        .or_else(|| why(|side| side.samples, OTHER_COUNT, "sample", "").filter(|_| FIXED_COUNT.contains(&tool)))
}

/// Work per operation of head divided by that of base, where they differ.
pub(super) fn work_ratio(base: &Measurement, head: &Measurement) -> Option<f64> {
    /// Tools that print rounded times and rates: the work computed from them is inexact.
    const ROUNDED: [&str; 3] = ["criterion-text", "divan", "go-bench"];
    let rounded = ROUNDED.contains(&&*head.tool);
    let (base_work, head_work) = (base.work?, head.work?);
    let ratio = head_work.amount / base_work.amount;
    let least = if rounded { 0.02 } else { 1e-3 };
    if base_work.unit != head_work.unit || !ratio.is_finite() || ratio <= 0.0 || (ratio - 1.0).abs() <= least {
        return None;
    }
    // If the work changed exactly as the time did, the rate stayed the same to the last digit, so it does not come from
    // this time.
    let time_ratio = head.evidence.last()?.centre() / base.evidence.last()?.centre();
    (!rounded || (ratio / time_ratio - 1.0).abs() > 1e-6).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Metric, Work, WorkUnit};

    #[test]
    fn small_differences_of_work_computed_from_rounded_rates_are_ignored() {
        let ratio = |tool: &'static str, work: [f64; 2], time: [f64; 2]| {
            let [base, head] = [0, 1].map(|side| {
                let mut measurement = Measurement::new(tool, "b", Metric::time(), Evidence::Value(time[side]));
                measurement.work = Some(Work { amount: work[side], unit: WorkUnit::Elements });
                measurement
            });
            work_ratio(&base, &head)
        };
        assert_eq!(ratio("divan", [1000.0, 1009.0], [5.0, 6.0]), None);
        assert_eq!(ratio("divan", [1000.0, 2000.0], [5.0, 9.0]), Some(2.0));
        assert_eq!(ratio("criterion", [1000.0, 1010.0], [5.0, 5.0]), Some(1.01));
        // The same rate next to another time, and a tool that states the work itself.
        assert_eq!(ratio("divan", [999.8301, 1400.642], [840.9, 1178.0]), None);
        assert_eq!(ratio("criterion", [1000.0, 1400.0], [5.0, 7.0]), Some(1.4));
    }

    fn sides(iterations: [f64; 2], samples: [f64; 2], time: [f64; 2]) -> [Sampling; 2] {
        [0, 1].map(|side| Sampling {
            iterations: Some(iterations[side]),
            samples: Some(samples[side]),
            time: time[side],
        })
    }

    #[test]
    fn other_settings_are_distinguished_from_a_slower_benchmark() {
        let other = |iterations, samples, time| {
            other_settings("criterion", sides(iterations, samples, time), OTHER_ITERATIONS).is_some()
        };
        assert!(!other([1000.0, 1000.0], [100.0, 100.0], [5.0, 5.0]));
        // The tool keeps the time of a sample, or the time of the whole benchmark.
        assert!(!other([1000.0, 50.0], [100.0, 100.0], [5.0, 100.0]));
        assert!(!other([1.0, 1.0], [1000.0, 50.0], [5.0, 100.0]));
        // A tool cannot run less than one iteration.
        assert!(!other([1.0, 1.0], [100.0, 100.0], [5.0, 100.0]));
        // A disturbed warm-up.
        assert!(!other([42.0, 4.0], [100.0, 100.0], [133_000.0, 131_000.0]));
        assert!(!other([18.0, 1.0], [100.0, 100.0], [5.0, 5.0]));
        assert!(other([1.0, 50.0], [100.0, 100.0], [100.0, 120.0]));
        assert!(other([1000.0, 10.0], [100.0, 100.0], [5.0, 5.0]));
        assert!(other([1000.0, 1000.0], [100.0, 10.0], [5.0, 5.0]));
        let fewer = sides([1.0, 1.0], [262.0, 20.0], [5.0, 5.0]);
        assert_eq!(other_settings("pytest-benchmark", fewer, OTHER_ITERATIONS), None);
        let why = other_settings("criterion", sides([9.0, 900.0], [5.0, 5.0], [1e6, 1e6]), OTHER_ITERATIONS).unwrap();
        assert!(why.contains("9 iterations per sample in base, 900 in head"), "{why}");
    }

    #[test]
    fn a_setting_changes_the_whole_suite_and_a_disturbed_warm_up_only_some_benchmarks() {
        let suite = |factors: [f64; 6]| {
            let benchmark = |factor: f64| sides([1000.0, 1000.0 * factor], [100.0, 100.0], [5.0, 5.0]);
            iterations_limit(&factors.map(benchmark))
        };
        assert_eq!(suite([10.0, 9.0, 12.0, 4.0, 25.0, 10.0]), OTHER_TIME);
        assert_eq!(suite([10.0, 1.0, 12.0, 1.0, 1.0, 1.0]), OTHER_ITERATIONS);
        let few = [sides([1000.0, 10.0], [100.0, 100.0], [5.0, 5.0]); 3];
        assert_eq!(iterations_limit(&few), OTHER_ITERATIONS_OF_FEW);
    }
}
