//! Thins a stored run: replaces samples by their digests, to the last bit, and their quantiles. Comparisons and series of a
//! thinned run give the same results.

use crate::model::record::{self, RecordError, SHARES};
use crate::model::{Detail, Evidence, Run, Summary, ThinnedSamples};
use crate::stats::quantile;

/// The thinned form of a stored run; `None` if it has no samples.
pub fn thin(bytes: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
    let mut any = false;
    let mut thin = record::decode(bytes, Detail::Samples)?;
    for measurement in &mut thin.measurements {
        let direction = measurement.metric.direction;
        for evidence in &mut measurement.evidence {
            let (Some(samples), Some(digest)) = (evidence.all_samples(), evidence.digest(direction)) else { continue };
            let quantiles = Summary { centre: digest.median, ..summary(samples) };
            *evidence = Evidence::Thinned(Box::new(ThinnedSamples { digest, quantiles }));
            any = true;
        }
    }
    let thin = Run { unreadable: Vec::new(), tests: None, repeated: None, ..thin };
    if any { record::encode(&thin).map(Some) } else { Ok(None) }
}

/// Mean, standard deviation, and the quantiles for which there are enough samples.
pub fn summary(samples: &[f64]) -> Summary {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let squares: f64 = sorted.iter().map(|x| (x - mean).powi(2)).sum();
    let quantiles = SHARES.iter().filter_map(|share| Some((*share, quantile::of_sorted(&sorted, *share)?)));
    Summary {
        centre: quantile::of_sorted(&sorted, 0.5).unwrap_or(mean),
        mean: mean.is_finite().then_some(mean),
        sd: (sorted.len() > 1).then(|| (squares / (n - 1.0)).sqrt()).filter(|sd| sd.is_finite()),
        samples: Some(sorted.len() as u64),
        quantiles: quantiles.filter(|(_, value)| value.is_finite()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Direction, Environment, Measurement, Metric, Unit};

    fn run() -> Run {
        // 1..=100 in an order of its own: the 37 multiples are all residues of 101.
        let samples: Vec<f64> = (1..=100).map(|i| f64::from(i * 37 % 101)).collect();
        let rate = Metric::measured("throughput", Unit::PerSecond, Direction::Higher);
        let count = Metric::counted("queries", Unit::Count, Direction::Lower);
        let mut environment = Environment::default();
        environment.set(Environment::CPU, "Imaginary 9000");
        let measurements = vec![
            Measurement::new("criterion", "a", Metric::time(), Evidence::Samples(samples.clone())),
            Measurement::new("criterion", "a/rate", rate, Evidence::Samples(vec![0.0, 3.0, 5.0])),
            Measurement::new("criterion", "b", count, Evidence::Value(7.0)),
        ];
        Run { time: 1, branch: Some("main".into()), environment, measurements, ..Run::default() }
    }

    fn stored(run: &Run) -> Vec<u8> {
        record::encode(run).unwrap()
    }

    #[test]
    fn thinning_preserves_digests_to_the_last_bit() {
        let whole = stored(&run());
        let thinned = thin(&whole).unwrap().unwrap();
        let digests = |bytes: &[u8]| record::decode(bytes, Detail::Digests).unwrap();
        assert_eq!(digests(&thinned), digests(&whole));
        assert!(thinned.len() < whole.len());
        assert_eq!(thin(&thinned).unwrap(), None, "already thinned");
    }

    #[test]
    fn thinning_keeps_the_quantiles_of_the_samples() {
        let thinned = thin(&stored(&run())).unwrap().unwrap();
        let back = record::decode(&thinned, Detail::Samples).unwrap();
        let Evidence::Thinned(time) = &back.measurements[0].evidence[0] else { panic!("not thinned") };
        // Of 1..=100: the quantile q lies at 1 + 99 q. The variance is (100² - 1) / 12 · 100 / 99.
        for (share, value) in &time.quantiles.quantiles {
            let expected = 1.0 + 99.0 * share;
            assert!((value / expected - 1.0).abs() < 2e-4, "{share}: {value}"); // twice a step of the record
        }
        let shares: Vec<f64> = time.quantiles.quantiles.iter().map(|(share, _)| *share).collect();
        assert_eq!(shares, SHARES);
        assert!((time.quantiles.mean.unwrap() / 50.5 - 1.0).abs() < 1e-4);
        assert!((time.quantiles.sd.unwrap() / 29.011_491_975 - 1.0).abs() < 1e-4);
        // Three samples have a minimum, a median and a maximum; zero is kept exactly.
        let Evidence::Thinned(rate) = &back.measurements[1].evidence[0] else { panic!("not thinned") };
        assert_eq!(rate.quantiles.quantiles, [(0.0, 0.0), (0.5, 3.0), (1.0, 5.0)]);
        assert_eq!(back.measurements[2].evidence, [Evidence::Value(7.0)]);
    }

    /// 100 benchmarks of 100 samples, as noisy as criterion's. docs/store.md has measurements.
    #[test]
    fn a_thinned_benchmark_takes_less_than_half() {
        let mut state = 1_u64;
        let mut uniform = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let measurements = (0..100).map(|i| {
            let level = 10_f64.powf(1.0 + 6.0 * uniform());
            let mut sample = || level * (1.0 + 0.03 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0));
            let samples = Evidence::Samples((0..100).map(|_| sample()).collect());
            Measurement::new("criterion", format!("group_{:02}/bench_{i}", i / 20), Metric::time(), samples)
        });
        let whole = stored(&Run { measurements: measurements.collect(), ..run() });
        let thinned = thin(&whole).unwrap().unwrap();
        println!("{} and {} bytes a benchmark", whole.len() / 100, thinned.len() / 100);
        assert!(2 * thinned.len() < whole.len(), "{} and {}", thinned.len(), whole.len());
    }

    #[test]
    fn a_run_without_samples_is_not_thinned() {
        let mut run = run();
        run.measurements.drain(..2);
        assert_eq!(thin(&stored(&run)).unwrap(), None);
    }
}
