//! What two sides must share to be compared: how they were sampled, and the work of one operation.

use crate::model::Work;

/// Smallest factor between the iterations per sample, or the numbers of samples, that makes base and head incomparable.
const OTHER_SETTINGS: f64 = 9.99;
/// Smallest factor between the times spent that indicates other settings. A tool takes fewer samples of a slower benchmark, so
/// its total time hardly changes.
const OTHER_TIME: f64 = 3.0;

/// Lengths of samples in nanoseconds that make a difference. A sample of less than 10 ms is seldom interrupted: a time slice is
/// a few milliseconds. In one of less than 0.5 µs, reading the clock (20 to 50 ns) takes a notable part.
const INTERRUPTED: f64 = 1e7;
const CLOCK_COUNTS: f64 = 500.0;

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

/// Why two sides were sampled too differently to be compared: a short sample fits between two interruptions, a long one
/// contains several.
pub(super) fn other_settings(tool: &str, [base, head]: [Sampling; 2]) -> Option<String> {
    let slower = (head.time / base.time).ln();
    let differs = |base: f64, head: f64| {
        let (count, spent) = ((head / base).ln(), (head / base).ln() + slower);
        count * spent > 0.0 && count.abs() >= OTHER_SETTINGS.ln() && spent.abs() >= OTHER_TIME.ln()
    };
    let why = |of: fn(Sampling) -> Option<f64>, what: &str| {
        let (base, head) = (of(base)?, of(head)?);
        let message = || {
            format!(
                "sampled differently: {base:.0} {what} in base, {head:.0} in head; measure both again with the same settings"
            )
        };
        differs(base, head).then(message)
    };
    // Criterion takes ten times fewer iterations with equal settings where its warm-up was disturbed.
    let length = |side: Sampling| side.iterations.map_or(0.0, |iterations| iterations * side.time);
    let (shorter, longer) = (length(base).min(length(head)), length(base).max(length(head)));
    let matters = longer >= INTERRUPTED || shorter <= CLOCK_COUNTS;
    let by_iterations = why(|side| side.iterations, "iterations a sample").filter(|_| matters);
    by_iterations.or_else(|| why(|side| side.samples, "samples").filter(|_| FIXED_COUNT.contains(&tool)))
}

/// How many times the work of base one operation does in head, where it differs.
pub(super) fn work_ratio(base: Option<Work>, head: Option<Work>) -> Option<f64> {
    let (base, head) = (base?, head?);
    let ratio = head.amount / base.amount;
    (base.unit == head.unit && ratio.is_finite() && ratio > 0.0 && (ratio - 1.0).abs() > 1e-3).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides(iterations: [f64; 2], samples: [f64; 2], time: [f64; 2]) -> [Sampling; 2] {
        [0, 1].map(|side| Sampling {
            iterations: Some(iterations[side]),
            samples: Some(samples[side]),
            time: time[side],
        })
    }

    #[test]
    fn other_settings_are_told_from_a_slower_benchmark() {
        let same = |iterations, samples, time| other_settings("criterion", sides(iterations, samples, time)).is_none();
        assert!(same([1000.0, 1000.0], [100.0, 100.0], [5.0, 5.0]));
        // The tool keeps the time of a sample, or the time of the whole benchmark.
        assert!(same([1000.0, 50.0], [100.0, 100.0], [5.0, 100.0]));
        assert!(same([1.0, 1.0], [1000.0, 50.0], [5.0, 100.0]));
        // It cannot run less than one iteration.
        assert!(same([1.0, 1.0], [100.0, 100.0], [5.0, 100.0]));
        let ms = 1e6;
        assert!(!same([1.0, 100.0], [100.0, 100.0], [1.0 * ms, 1.2 * ms]));
        // Both are shorter than the time between two interruptions.
        assert!(same([42.0, 4.0], [100.0, 100.0], [0.133 * ms, 0.131 * ms]));
        assert!(same([217.0, 2.0], [100.0, 100.0], [312.0, 312.5]));
        assert!(!same([1000.0, 10.0], [100.0, 100.0], [5.0, 5.0]));
        assert!(!same([1000.0, 1000.0], [100.0, 10.0], [5.0, 5.0]));
        let fewer = sides([1.0, 1.0], [262.0, 20.0], [5.0, 5.0]);
        assert_eq!(other_settings("pytest-benchmark", fewer), None);
        let why = other_settings("criterion", sides([9.0, 900.0], [5.0, 5.0], [1e6, 1e6])).unwrap();
        assert!(why.contains("9 iterations a sample in base, 900 in head"), "{why}");
    }
}
