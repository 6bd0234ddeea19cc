//! The size of stored runs and a lower limit for it: `cargo run --release --example run_size -- FILE.pgrun...`. The
//! limit is the entropy of the samples at the stored precision (0.02% steps of the logarithm). It does not count the
//! bytes that would describe the distribution of each benchmark.

use perfgate::model::{Detail, Evidence, record};
use std::collections::BTreeMap;
use std::error::Error;

/// The width of a step, as docs/store.md has it.
const STEP: f64 = 1.999e-4;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut bytes, mut benchmarks, mut samples, mut pooled_bits, mut fitted_bits) = (0, 0, 0, 0.0, 0.0);
    for path in std::env::args().skip(1) {
        let record = std::fs::read(&path)?;
        bytes += record.len();
        let run = record::decode(&record, Detail::Samples)?;
        benchmarks += run.measurements.len();
        let mut all: BTreeMap<i64, usize> = BTreeMap::new();
        for evidence in run.measurements.iter().flat_map(|measurement| &measurement.evidence) {
            let Evidence::Samples(values) = evidence else { continue };
            let median = evidence.centre();
            let steps: Vec<i64> = values.iter().map(|x| ((x / median).ln() / STEP).round() as i64).collect();
            samples += steps.len();
            // The entropy if a normal distribution with the samples' own spread were known.
            let mean = steps.iter().sum::<i64>() as f64 / steps.len() as f64;
            let variance = steps.iter().map(|y| (*y as f64 - mean).powi(2)).sum::<f64>() / steps.len() as f64;
            let bits = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E * (variance + 1.0 / 12.0)).log2();
            fitted_bits += bits.max(0.0) * steps.len() as f64;
            for step in steps {
                *all.entry(step).or_default() += 1;
            }
        }
        let n: usize = all.values().sum();
        pooled_bits += all.values().map(|k| -(*k as f64) * (*k as f64 / n as f64).log2()).sum::<f64>();
    }
    let each = |total: f64| total / benchmarks.max(1) as f64;
    println!("{benchmarks} benchmarks, {samples} samples, {bytes} bytes");
    println!("bytes a benchmark: {:.1}", each(bytes as f64));
    println!("entropy of the samples, all of a run in one distribution: {:.1}", each(pooled_bits / 8.0));
    println!("entropy of normal distributions with each benchmark's spread: {:.1}", each(fitted_bits / 8.0));
    Ok(())
}
