//! How steady a run was inside, which foretells how far the next run will be.

use crate::model::Digest;

/// What a verdict needs of a run's samples; `samples` is not empty.
pub fn digest(samples: &[f64]) -> Digest {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 0 { (sorted[middle - 1] + sorted[middle]) / 2.0 } else { sorted[middle] };
    Digest { median, samples: samples.len() as u32, steadiness: [0.0; 3] }
}
