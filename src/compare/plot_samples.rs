//! The samples of both sides, thinned out for pictures. A pass of its own, so that a comparison that nobody draws does
//! not pay for it.

use super::Suspect;
use super::pairs::{self, Pair};
use crate::model::{Evidence, PlotSamples, Run, Summary};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// More runs than these newest ones are no clearer in a picture.
const RUNS: usize = 10;
/// Values of one side, over all its runs; each run has at least five, so that its quartiles are among them.
const VALUES: usize = 40;
/// Values of one run.
const MOST: usize = 17;
const LEAST: usize = 5;

/// What pictures of the samples are made from: for each metric of each benchmark that both sides have, the newest runs
/// of base and head in time order.
pub fn plot_samples(
    base: &[Run],
    head: &[Run],
    rename: impl Fn(&str) -> Option<String>,
) -> BTreeMap<Suspect, [Vec<PlotSamples>; 2]> {
    let pairs = pairs::pair(base, head, rename);
    pairs
        .par_iter()
        .filter(|pair| pair.is_shared())
        .map(|pair| (name(pair), pair.evidence().map(|e| side(&e))))
        .collect()
}

fn name(pair: &Pair<'_>) -> Suspect {
    let (benchmark, metric, tool) = pair.key();
    Suspect { benchmark: benchmark.to_owned(), metric: metric.to_owned(), tool: tool.to_owned() }
}

fn side(evidence: &[&Evidence]) -> Vec<PlotSamples> {
    let newest = &evidence[evidence.len().saturating_sub(RUNS)..];
    // Odd, so that the median is one of them.
    let count = ((VALUES / newest.len().max(1)).clamp(LEAST, MOST) - 1) | 1;
    newest.iter().map(|one| strip(one, count)).collect()
}

fn strip(evidence: &Evidence, count: usize) -> PlotSamples {
    let values = match evidence {
        Evidence::Samples(samples) => {
            let mut sorted = samples.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            thinned(&sorted, count)
        }
        Evidence::Summary(summary) => of_summary(summary),
        Evidence::Thinned(thinned) => of_summary(&thinned.quantiles),
        Evidence::Digest(_) | Evidence::Value(_) => vec![evidence.centre()],
    };
    PlotSamples { samples: evidence.samples(), values: values.into_iter().map(short).collect() }
}

fn thinned(sorted: &[f64], count: usize) -> Vec<f64> {
    if sorted.len() <= count {
        return sorted.to_vec();
    }
    let at = |i: usize| {
        let place = i as f64 * (sorted.len() - 1) as f64 / (count - 1) as f64;
        let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        low + (high - low) * place.fract()
    };
    (0..count).map(at).collect()
}

/// Quartiles where the tool states them, else the ends, else the centre alone.
fn of_summary(summary: &Summary) -> Vec<f64> {
    let stated = |share: f64| summary.quantiles.iter().find(|(s, _)| (s - share).abs() < 1e-9).map(|(_, value)| *value);
    let (low, high) = (stated(0.0), stated(1.0));
    let middle = stated(0.5).unwrap_or(summary.centre);
    let quartiles: Option<Vec<f64>> = [low, stated(0.25), Some(middle), stated(0.75), high].into_iter().collect();
    let ends = || -> Option<Vec<f64>> { Some(vec![low?, middle, high?]) };
    let ascending = |values: &Vec<f64>| values.windows(2).all(|two| two[0] <= two[1]);
    quartiles.or_else(ends).filter(ascending).unwrap_or_else(|| vec![summary.centre])
}

/// Five digits are more than a picture shows, and a third of the bytes.
fn short(value: f64) -> f64 {
    format!("{value:.4e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Measurement, Metric};

    #[test]
    fn a_run_keeps_values_at_equal_shares_and_few_samples_all() {
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
    fn a_tool_s_own_quartiles_are_taken_and_nothing_is_made_up() {
        let summary = |quantiles: Vec<(f64, f64)>| {
            strip(&Evidence::summary(Summary { centre: 3.0, quantiles, ..Summary::default() }), 17).values
        };
        assert_eq!(summary(vec![(0.0, 1.0), (1.0, 9.0)]), [1.0, 3.0, 9.0]);
        assert_eq!(
            summary(vec![(0.0, 1.0), (0.25, 2.0), (0.5, 4.0), (0.75, 5.0), (1.0, 9.0)]),
            [1.0, 2.0, 4.0, 5.0, 9.0]
        );
        assert_eq!(summary(vec![(0.95, 9.0)]), [3.0]);
        // A centre above the maximum is of another kind than the quantiles.
        assert_eq!(summary(vec![(0.0, 1.0), (1.0, 2.0)]), [3.0]);
    }

    #[test]
    fn what_one_side_has_alone_has_no_picture() {
        let run = |names: &[&str]| {
            let measurements = names.iter().map(|n| Measurement::new("t", *n, Metric::time(), Evidence::Value(2.0)));
            Run { measurements: measurements.collect(), ..Run::default() }
        };
        let all =
            plot_samples(&[run(&["old", "gone"])], &[run(&["new"])], |old| (old == "old").then(|| "new".to_owned()));
        assert_eq!(all.len(), 1);
        let (name, [base, head]) = all.first_key_value().unwrap();
        assert_eq!((name.benchmark.as_str(), base.len(), head.len(), base[0].values[0]), ("new", 1, 1, 2.0));
    }
}
