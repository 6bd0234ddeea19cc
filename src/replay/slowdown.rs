//! Injects a slowdown into a stored run: makes some of its benchmarks worse by a factor.

use crate::history::SeriesRules;
use crate::model::{Direction, Evidence, Measurement, Run};

/// The run with one of `one_of` benchmarks worse by a fraction, and the changed ones (name, metric). The selection rotates
/// with the time of the run, so that it covers all benchmarks over a history. Those whose better direction is unknown cannot
/// get worse, and those with the value 0 cannot get worse by a factor.
pub(super) fn slowed(run: &Run, fraction: f64, one_of: usize, rules: &SeriesRules<'_>) -> (Run, Vec<(String, String)>) {
    let mut run = run.clone();
    let every = one_of.min(run.measurements.len()).max(1);
    let offset = (run.time / 60).unsigned_abs() as usize + run.commit.as_ref().map_or(0, |c| digit(c.as_str()));
    let mut names = Vec::new();
    for (index, measurement) in run.measurements.iter_mut().enumerate() {
        if (index + offset).is_multiple_of(every) {
            let (name, metric) = (rules.name(measurement.benchmark.as_str()), &measurement.metric);
            let direction = (rules.direction)(&name, metric).unwrap_or(metric.direction);
            let is_zero = measurement.evidence.iter().all(|one| one.centre() == 0.0);
            if !direction.is_known() || is_zero {
                continue;
            }
            worsen(measurement, fraction, direction);
            names.push((measurement.benchmark.to_string(), measurement.metric.name.to_string()));
        }
    }
    (run, names)
}

/// The last character of the commit id as a number, so that the rotation also varies if runs are at regular times.
fn digit(commit: &str) -> usize {
    commit.bytes().last().map_or(0, usize::from)
}

fn worsen(measurement: &mut Measurement, fraction: f64, direction: Direction) {
    let factor = match direction {
        Direction::Lower | Direction::Unknown => 1.0 + fraction,
        Direction::Higher => 1.0 / (1.0 + fraction),
    };
    for evidence in &mut measurement.evidence {
        *evidence = std::mem::replace(evidence, Evidence::Value(0.0)).scaled(factor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Metric, Unit};

    const RULES: SeriesRules<'static> =
        SeriesRules { rename: &|_| None, epoch: &|_| None, direction: &|_, _| None, floor: &|_, _| None, ignored: &[] };

    #[test]
    fn a_count_of_zero_is_not_slowed_by_a_factor() {
        let errors = |count| Measurement::new("t", format!("b{count}"), Metric::time(), Evidence::Value(count));
        let run = Run { measurements: vec![errors(0.0), errors(2.0)], ..Run::default() };
        let (_, names) = slowed(&run, 0.5, 1, &RULES);
        assert_eq!(names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b2"]);
    }

    #[test]
    fn one_benchmark_of_eight_is_slowed_and_a_rate_falls() {
        let rate = Metric::measured("rate", Unit::PerSecond, Direction::Higher);
        let metrics = (0..16).map(|i| if i < 8 { Metric::time() } else { rate.clone() });
        let measurements = metrics
            .enumerate()
            .map(|(i, metric)| Measurement::new("t", format!("b{i:02}"), metric, Evidence::Value(100.0)))
            .collect();
        let (slow, names) = slowed(&Run { measurements, ..Run::default() }, 0.25, 8, &RULES);
        assert_eq!(names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["b00", "b08"]);
        let values: Vec<f64> = slow.measurements.iter().map(|m| m.evidence[0].centre()).collect();
        assert_eq!((values[0], values[8]), (125.0, 80.0));
        assert_eq!(values.iter().filter(|x| **x == 100.0).count(), 14);
    }
}
