//! Correction for the number of tests: Benjamini and Hochberg (1995), step-up.

/// The q value of each p value: the smallest false discovery rate at which it would be called. In the order given.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        let rank = p.len() - place;
        least = least.min(p[index] * p.len() as f64 / rank as f64);
        q[index] = least;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_are_those_of_scipy() {
        // scipy.stats.false_discovery_control([0.001, 0.04, 0.03, 0.5, 0.02])
        let expected = [0.005, 0.05, 0.05, 0.5, 0.05];
        for (q, expected) in benjamini_hochberg(&[0.001, 0.04, 0.03, 0.5, 0.02]).iter().zip(expected) {
            assert!((q - expected).abs() < 1e-12, "{q} {expected}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(benjamini_hochberg(&[0.3]), [0.3]);
    }
}
