//! Quantiles of samples and their confidence intervals.

/// Number of samples that a quantile needs, so that at least one is expected beyond it: 20 for p95, 100 for p99.
pub fn samples_needed(share: f64) -> usize {
    let beyond = share.min(1.0 - share);
    // Subtracting 1e-6 keeps rounding errors from turning 1 / 0.05 into 21.
    if beyond <= 0.0 { 1 } else { (1.0 / beyond - 1e-6).ceil() as usize }
}

/// The quantile of sorted samples, interpolated; `None` for too few samples.
pub fn of_sorted(sorted: &[f64], share: f64) -> Option<f64> {
    if sorted.is_empty() || share != 0.5 && sorted.len() < samples_needed(share) {
        return None;
    }
    let at = share * (sorted.len() - 1) as f64;
    let (low, high) = (*sorted.get(at.floor() as usize)?, *sorted.get(at.ceil() as usize)?);
    Some(low + (high - low) * at.fract())
}

/// 95% confidence interval of a quantile, from binomial ranks in their normal approximation; `None` for fewer than 6
/// samples. Limited to the outermost samples.
pub fn interval(sorted: &[f64], share: f64) -> Option<[f64; 2]> {
    let count = sorted.len();
    if count < 6 {
        return None;
    }
    let n = count as f64;
    let half = 1.96 * (n * share * (1.0 - share)).sqrt();
    let rank = |rank: f64| sorted.get((rank.clamp(1.0, n) as usize).saturating_sub(1)).copied();
    Some([rank((n * share - half).floor())?, rank((n * share + half).ceil() + 1.0)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_has_a_sample_beyond_it() {
        assert_eq!([0.5, 0.9, 0.95, 0.99].map(samples_needed), [2, 10, 20, 100]);
        let samples: Vec<f64> = (1..=19).map(f64::from).collect();
        assert_eq!(of_sorted(&samples, 0.95), None);
        assert_eq!(of_sorted(&samples, 0.5), Some(10.0));
        let samples: Vec<f64> = (0..=20).map(f64::from).collect();
        assert_eq!(of_sorted(&samples, 0.95), Some(19.0));
    }

    #[test]
    fn the_interval_of_a_median_matches_the_sign_test() {
        // 100 samples: ranks 50 ∓ 9.8, rounded outwards: 40 and 61, as in printed tables.
        let samples: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(interval(&samples, 0.5), Some([40.0, 61.0]));
        assert_eq!(interval(&samples[..5], 0.5), None);
        assert_eq!(interval(&samples[..20], 0.95).map(|i| i[1]), Some(20.0));
    }
}
