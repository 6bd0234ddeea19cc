//! Selects the samples to plot. Separate from the comparison, so that a comparison without plots has no cost for it.

use super::pairs::{self, Pair};
use super::{BenchmarkMetric, MatchRules};
use crate::model::{Evidence, PlotSamples, Run, Summary};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Number of newest runs to plot.
const MAX_RUNS: usize = 10;
/// Target number of values of a side, over all its runs.
const SIDE_VALUES: usize = 40;
/// Limits of the number of values of one run; five include the quartiles.
const MAX_VALUES: usize = 17;
const MIN_VALUES: usize = 5;

/// The samples to plot, for each metric of each benchmark that both sides have: the newest runs of base and head, in time
/// order.
pub fn plot_samples(
    base: &[Run],
    head: &[Run],
    matching: impl MatchRules,
) -> BTreeMap<BenchmarkMetric, [Vec<PlotSamples>; 2]> {
    let pairs = pairs::pair(base, head, matching);
    pairs
        .par_iter()
        .filter(|pair| pair.is_shared())
        .map(|pair| (name(pair), pair.evidence_of_sides().map(|evidence| side(&evidence))))
        .collect()
}

fn name(pair: &Pair<'_>) -> BenchmarkMetric {
    let (benchmark, metric, tool) = pair.key();
    BenchmarkMetric { benchmark: benchmark.to_owned(), metric: metric.to_owned(), tool: tool.to_owned() }
}

fn side(evidence: &[&Evidence]) -> Vec<PlotSamples> {
    let newest = &evidence[evidence.len().saturating_sub(MAX_RUNS)..];
    // An odd number includes the median.
    let count = ((SIDE_VALUES / newest.len().max(1)).clamp(MIN_VALUES, MAX_VALUES) - 1) | 1;
    newest.iter().map(|one| of_run(one, count)).collect()
}

fn of_run(evidence: &Evidence, count: usize) -> PlotSamples {
    let spread = |samples: &[f64]| {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        evenly_spaced(&sorted, count)
    };
    let values = match evidence {
        Evidence::Samples(samples) => spread(samples),
        Evidence::Rounded(rounded) => spread(&rounded.samples),
        Evidence::Summary(summary) => of_summary(summary),
        Evidence::Thinned(thinned) => of_summary(&thinned.quantiles),
        Evidence::Digest(_) | Evidence::Value(_) => vec![evidence.centre()],
    };
    PlotSamples { samples: evidence.samples(), values: values.into_iter().map(rounded).collect() }
}

fn evenly_spaced(sorted: &[f64], count: usize) -> Vec<f64> {
    if sorted.len() <= count {
        return sorted.to_vec();
    }
    let at = |i: usize| {
        let position = i as f64 * (sorted.len() - 1) as f64 / (count - 1) as f64;
        let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
        low + (high - low) * position.fract()
    };
    (0..count).map(at).collect()
}

/// The five-number summary where the tool reports it, otherwise the extremes, otherwise only the centre.
fn of_summary(summary: &Summary) -> Vec<f64> {
    let stated = |share: f64| summary.quantiles.iter().find(|(s, _)| (s - share).abs() < 1e-9).map(|(_, value)| *value);
    let (low, high) = (stated(0.0), stated(1.0));
    let middle = stated(0.5).unwrap_or(summary.centre);
    let quartiles: Option<Vec<f64>> = [low, stated(0.25), Some(middle), stated(0.75), high].into_iter().collect();
    let ends = || -> Option<Vec<f64>> { Some(vec![low?, middle, high?]) };
    let ascending = |values: &Vec<f64>| values.windows(2).all(|two| two[0] <= two[1]);
    quartiles.or_else(ends).filter(ascending).unwrap_or_else(|| vec![summary.centre])
}

/// Five digits suffice for a plot and take a third of the bytes.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Measurement, Metric};

    #[test]
    fn a_run_keeps_evenly_spaced_values_or_all_of_a_few() {
        let samples = |count: u32| Evidence::Samples((0..count).rev().map(f64::from).collect());
        let one = side(&[&samples(161)]);
        // 0, 10, ... 160.
        assert_eq!(one[0].values, (0..=16).map(|i| f64::from(10 * i)).collect::<Vec<_>>());
        assert_eq!((one[0].samples, side(&[&samples(3)])[0].values.as_slice()), (161, &[0.0, 1.0, 2.0][..]));
        let twelve = vec![samples(161); 12];
        let many = side(&twelve.iter().collect::<Vec<_>>());
        assert_eq!((many.len(), many[0].values.as_slice()), (10, &[0.0, 40.0, 80.0, 120.0, 160.0][..]));
    }

    #[test]
    fn only_reported_quartiles_are_used() {
        let summary = |quantiles: Vec<(f64, f64)>| {
            of_run(&Evidence::summary(Summary { centre: 3.0, quantiles, ..Summary::default() }), 17).values
        };
        assert_eq!(summary(vec![(0.0, 1.0), (1.0, 9.0)]), [1.0, 3.0, 9.0]);
        assert_eq!(
            summary(vec![(0.0, 1.0), (0.25, 2.0), (0.5, 4.0), (0.75, 5.0), (1.0, 9.0)]),
            [1.0, 2.0, 4.0, 5.0, 9.0]
        );
        assert_eq!(summary(vec![(0.95, 9.0)]), [3.0]);
        // A centre above the maximum does not fit the quantiles.
        assert_eq!(summary(vec![(0.0, 1.0), (1.0, 2.0)]), [3.0]);
    }

    #[test]
    fn a_benchmark_of_one_side_is_not_plotted() {
        let run = |names: &[&str]| {
            let measurements = names.iter().map(|n| Measurement::new("t", *n, Metric::time(), Evidence::Value(2.0)));
            Run { measurements: measurements.collect(), ..Run::default() }
        };
        let all = plot_samples(&[run(&["old", "gone"])], &[run(&["new"])], |old: &str| {
            (old == "old").then(|| "new".to_owned())
        });
        assert_eq!(all.len(), 1);
        let (name, [base, head]) = all.first_key_value().unwrap();
        assert_eq!((name.benchmark.as_str(), base.len(), head.len(), base[0].values[0]), ("new", 1, 1, 2.0));
    }
}
