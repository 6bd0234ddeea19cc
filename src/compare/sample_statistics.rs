//! Statistics of the samples of a side, from the samples or from the quantiles that the tool reports.

use crate::model::{Evidence, SampleStatistics, Statistic, Summary};
use crate::stats::{quantile, student};

/// The statistics of all evidence of a side; `None` if it has only values.
pub fn of(evidence: &[&Evidence]) -> Option<SampleStatistics> {
    let mut samples = Vec::new();
    for one in evidence {
        match one {
            Evidence::Samples(values) => samples.extend_from_slice(values),
            Evidence::Rounded(rounded) => samples.extend_from_slice(&rounded.samples),
            _ if evidence.len() > 1 => return None, // summaries of several runs cannot be combined
            Evidence::Summary(summary) => return of_summary(summary),
            Evidence::Thinned(thinned) => return of_summary(&thinned.quantiles),
            Evidence::Digest(_) | Evidence::Value(_) => return None,
        }
    }
    samples.sort_unstable_by(f64::total_cmp);
    of_samples(&samples)
}

fn of_samples(sorted: &[f64]) -> Option<SampleStatistics> {
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let n = sorted.len() as f64;
    let mut statistics = SampleStatistics { samples: sorted.len() as u64, ..SampleStatistics::default() };
    let mut set = |name: &str, value: f64, interval: Option<[f64; 2]>| {
        statistics.statistics.insert(name.to_owned(), Statistic { value, interval });
    };
    set("min", first, None);
    set("max", last, None);
    match student::mean_interval(sorted, 0.95) {
        Some((mean, half)) => set("mean", mean, Some([mean - half, mean + half])),
        None => set("mean", first, None),
    }
    for (name, share) in SampleStatistics::QUANTILES {
        if let Some(value) = quantile::of_sorted(sorted, share) {
            set(name, value, quantile::interval(sorted, share));
        }
    }
    let mean = statistics.get("mean")?;
    if sorted.len() > 1 {
        statistics.sd = Some((sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt());
    }
    if let (Some(q1), Some(q3)) = (quantile::of_sorted(sorted, 0.25), quantile::of_sorted(sorted, 0.75)) {
        let reach = 1.5 * (q3 - q1);
        statistics.iqr = Some(q3 - q1);
        statistics.outliers = Some(sorted.iter().filter(|x| **x < q1 - reach || **x > q3 + reach).count() as u64);
    }
    Some(statistics)
}

fn of_summary(summary: &Summary) -> Option<SampleStatistics> {
    if summary.mean.is_none() && summary.quantiles.is_empty() {
        return None;
    }
    let mut statistics =
        SampleStatistics { samples: summary.samples.unwrap_or(0), sd: summary.sd, ..SampleStatistics::default() };
    let quantile = |share: f64| summary.quantiles.iter().find(|(s, _)| (s - share).abs() < 1e-9).map(|(_, v)| *v);
    let named = [("min", 0.0), ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)];
    let quantiles = named.into_iter().filter_map(|(name, share)| Some((name, quantile(share)?)));
    for (name, value) in quantiles.chain(summary.mean.map(|mean| ("mean", mean))) {
        statistics.statistics.insert(name.to_owned(), Statistic { value, interval: None });
    }
    statistics.iqr = quantile(0.75).zip(quantile(0.25)).map(|(q3, q1)| q3 - q1);
    Some(statistics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p95_needs_twenty_samples() {
        let samples = |count: i32| Evidence::Samples((1..=count).map(f64::from).collect());
        assert_eq!(of(&[&samples(19)]).unwrap().get("p95"), None);
        // Twenty: position 0.95 * 19 = 18.05, between 19 and 20.
        assert!((of(&[&samples(20)]).unwrap().get("p95").unwrap() - 19.05).abs() < 1e-9);
        assert_eq!(of(&[&Evidence::Value(1.0)]), None);
    }

    #[test]
    fn only_reported_quantiles_are_used() {
        let quantiles = vec![(0.0, 1.0), (0.95, 9.0)];
        let summary = Summary { centre: 3.0, mean: Some(4.0), quantiles, ..Summary::default() };
        let statistics = of(&[&Evidence::Summary(Box::new(summary))]).unwrap();
        assert_eq!(
            (statistics.get("p95"), statistics.get("mean"), statistics.get("p99")),
            (Some(9.0), Some(4.0), None)
        );
    }
}
