//! Correction for the number of tests: Benjamini and Hochberg (1995), step-up, for the screening of a suite; Holm (1979),
//! step-down, for re-measured suspects.

/// The q value of each p value: the smallest false discovery rate at which it is significant. In the given order.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut q = vec![1.0; p.len()];
    let mut least = 1.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        let rank = p.len() - place;
        least = least.min(p[index] * p.len() as f64 / rank as f64);
        q[index] = least;
    }
    q
}

/// The adjusted p value of each p value: the smallest family-wise error rate at which it is significant. In the given
/// order.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut most = 0.0_f64;
    for (place, index) in order.into_iter().enumerate() {
        most = most.max(p[index] * (p.len() - place) as f64).min(1.0);
        adjusted[index] = most;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_values_match_scipy() {
        // scipy.stats.false_discovery_control([0.001, 0.04, 0.03, 0.5, 0.02])
        let expected = [0.005, 0.05, 0.05, 0.5, 0.05];
        for (q, expected) in benjamini_hochberg(&[0.001, 0.04, 0.03, 0.5, 0.02]).iter().zip(expected) {
            assert!((q - expected).abs() < 1e-12, "{q} {expected}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(benjamini_hochberg(&[0.3]), [0.3]);
    }

    #[test]
    fn holm_multiplies_the_smallest_p_value_by_all_tests_and_each_next_by_one_less() {
        // By hand: 5 * 0.001, 4 * 0.02, 3 * 0.03; 2 * 0.04 is less than the previous value and is raised to it; 1 * 0.5.
        let expected = [0.005, 0.09, 0.09, 0.5, 0.08];
        for (q, expected) in holm(&[0.001, 0.04, 0.03, 0.5, 0.02]).iter().zip(expected) {
            assert!((q - expected).abs() < 1e-12, "{q} {expected}");
        }
        assert!(holm(&[]).is_empty());
        assert_eq!(holm(&[0.3, 0.9]), [0.6, 0.9]);
    }
}
