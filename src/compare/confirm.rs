//! Suspects measured again: their fresh runs take the place of those that made them suspects, which would only repeat
//! the luck that they were chosen by.

use super::{Compared, Comparison, Effect};
use crate::model::{Evidence, Measurement, Run};
use std::collections::{BTreeMap, BTreeSet};

/// A metric of a benchmark that is worth measuring again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Suspect {
    /// The benchmark, by its name in head.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The tool.
    pub tool: String,
}

impl Suspect {
    fn of(comparison: &Comparison) -> Suspect {
        Suspect {
            benchmark: comparison.benchmark.as_str().to_owned(),
            metric: comparison.metric.name.to_string(),
            tool: comparison.tool.to_string(),
        }
    }
}

/// Runs with the suspects' measurements only: what they are compared and corrected over.
pub fn keep_suspects(runs: &[Run], suspects: &BTreeSet<Suspect>, rename: impl Fn(&str) -> Option<String>) -> Vec<Run> {
    let is_suspect = |measurement: &&Measurement| {
        let name = measurement.benchmark.as_str();
        suspects.contains(&Suspect {
            benchmark: rename(name).unwrap_or_else(|| name.to_owned()),
            metric: measurement.metric.name.to_string(),
            tool: measurement.tool.to_string(),
        })
    };
    let keep = |run: &Run| Run {
        measurements: run.measurements.iter().filter(is_suspect).cloned().collect(),
        environment: run.environment.clone(),
        ..Run::default()
    };
    runs.iter().map(keep).collect()
}

/// How far the base moved against itself: for each benchmark and metric, the largest log ratio between two of its runs.
/// Of four runs or more the one farthest from the middle is left out, being what the verdict's centres shrug off too.
pub fn control(base: &[Run], rename: impl Fn(&str) -> Option<String>) -> BTreeMap<Suspect, f64> {
    let mut values: BTreeMap<Suspect, Vec<f64>> = BTreeMap::new();
    for measurement in base.iter().flat_map(|run| &run.measurements) {
        let name = measurement.benchmark.as_str();
        let suspect = Suspect {
            benchmark: rename(name).unwrap_or_else(|| name.to_owned()),
            metric: measurement.metric.name.to_string(),
            tool: measurement.tool.to_string(),
        };
        let direction = measurement.metric.direction;
        let value = |one: &Evidence| one.fast_edge(direction).unwrap_or_else(|| one.centre());
        let logs = measurement.replicates.iter().map(|one| value(one).ln());
        values.entry(suspect).or_default().extend(logs);
    }
    let range = |mut logs: Vec<f64>| {
        logs.sort_unstable_by(f64::total_cmp);
        let n = logs.len();
        if n >= 4 {
            let middle = (logs[(n - 1) / 2] + logs[n / 2]) / 2.0;
            if middle - logs[0] > logs[n - 1] - middle {
                logs.remove(0)
            } else {
                logs.remove(n - 1)
            };
        }
        match (logs.first(), logs.last()) {
            (Some(low), Some(high)) if low.is_finite() && high.is_finite() => high - low,
            _ => 0.0,
        }
    };
    values.into_iter().map(|(suspect, logs)| (suspect, range(logs))).collect()
}

impl Compared {
    /// Puts the fresh comparisons of the suspects in the place of those of the screening. A change that is no larger
    /// than what the base did against itself in the same minutes cannot be called, nor one that was not measured again.
    pub fn confirm(&mut self, suspects: &BTreeSet<Suspect>, fresh: Compared, control: &BTreeMap<Suspect, f64>) {
        let mut again: BTreeMap<Suspect, Comparison> =
            fresh.comparisons.into_iter().map(|comparison| (Suspect::of(&comparison), comparison)).collect();
        for comparison in &mut self.comparisons {
            let suspect = Suspect::of(comparison);
            if !suspects.contains(&suspect) {
                continue;
            }
            match again.remove(&suspect) {
                Some(fresh) if fresh.base.is_some() && fresh.head.is_some() => {
                    *comparison = Comparison { confirmed: true, ..fresh };
                    let moved = control.get(&suspect).copied().unwrap_or_default();
                    if let Effect::Estimated(estimate) = &mut comparison.effect {
                        estimate.control = Some(moved);
                    }
                }
                _ => {
                    let why = "it stood out, and the second measurement did not run it on both sides";
                    comparison.effect = Effect::Invalid(why.to_owned());
                }
            }
        }
        self.diagnostics.extend(fresh.diagnostics);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::model::Metric;

    fn run(values: &[(&str, f64)]) -> Run {
        let measurement =
            |(name, value): &(&str, f64)| Measurement::new("t", *name, Metric::time(), Evidence::Value(*value));
        Run { measurements: values.iter().map(measurement).collect(), ..Run::default() }
    }

    fn suspect(name: &str) -> Suspect {
        Suspect { benchmark: name.into(), metric: "time".into(), tool: "t".into() }
    }

    #[test]
    fn fresh_runs_replace_those_of_the_screening() {
        let mut compared =
            compare(&[run(&[("a", 100.0), ("b", 50.0)])], &[run(&[("a", 200.0), ("b", 50.0)])], 0.05, |_| None);
        let suspects = BTreeSet::from([suspect("a"), suspect("b")]);
        let fresh = [run(&[("a", 100.0)]), run(&[("a", 102.0)]), run(&[("a", 101.0)])];
        let again = compare(
            &keep_suspects(&fresh, &suspects, |_| None),
            &keep_suspects(&fresh, &suspects, |_| None),
            0.05,
            |_| None,
        );
        compared.confirm(&suspects, again, &control(&fresh, |_| None));
        let a = &compared.comparisons[0];
        assert!(a.confirmed);
        assert_eq!(a.head.map(|level| (level.value, level.runs)), Some((101.0, 3)));
        let b = &compared.comparisons[1];
        assert!(!b.confirmed && matches!(b.effect, Effect::Invalid(_)));
    }

    #[test]
    fn the_control_is_how_far_the_base_moved_against_itself() {
        let runs: Vec<Run> = [100.0, 110.0, 105.0].iter().map(|value| run(&[("a", *value)])).collect();
        let moved = control(&runs, |_| None)[&suspect("a")];
        assert!((moved - 1.1_f64.ln()).abs() < 1e-12);
        // Of five runs the one disturbed run is left out: 100 to 104 remain.
        let runs: Vec<Run> = [100.0, 104.0, 300.0, 102.0, 101.0].iter().map(|value| run(&[("a", *value)])).collect();
        let moved = control(&runs, |_| None)[&suspect("a")];
        assert!((moved - 1.04_f64.ln()).abs() < 1e-12);
    }
}
