//! Robust centres, and the variance of the centre of several runs.

/// The median; 0 for no values.
pub fn median(values: &[f64]) -> f64 {
    match values {
        [] => 0.0,
        [only] => *only,
        // Criterion's iterations are sorted. This branch saves 10 of 399 million instructions of `perfgate compare` of 1,000
        // benchmarks.
        sorted if sorted.is_sorted() => {
            let half = sorted.len() / 2;
            if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[half - 1], sorted[half]) } else { sorted[half] }
        }
        values => median_of(&mut values.to_vec()),
    }
}

/// The median of values; reorders them.
fn median_of(values: &mut [f64]) -> f64 {
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(values.len() / 2, f64::total_cmp);
    let upper = *upper;
    // The midpoint of two values near the largest number does not overflow.
    if even { f64::midpoint(below.iter().copied().fold(f64::NEG_INFINITY, f64::max), upper) } else { upper }
}

/// The centre of the values of several runs: the mean of two, the median of three or four, otherwise the Hodges-Lehmann
/// estimate (the median of all pairwise means, including each value with itself; Hodges and Lehmann 1963).
pub fn of_runs(values: &[f64]) -> f64 {
    match values.len() {
        0..=4 => median(values),
        count if count <= MAX_LISTED_VALUES => {
            let mut means = Vec::with_capacity(count * (count + 1) / 2);
            for (i, one) in values.iter().enumerate() {
                means.extend(values[i..].iter().map(|other| f64::midpoint(*one, *other)));
            }
            median_of(&mut means)
        }
        _ => hodges_lehmann(values),
    }
}

/// Up to this many values all pairwise means are listed, which is faster than the search and gives the same.
const MAX_LISTED_VALUES: usize = 64;

/// The median of all pairwise means, by bisection over the bits of the result: counts the means below each candidate in
/// the sorted values. Memory and time are linear in the number of values, apart from sorting.
fn hodges_lehmann(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len() as u64;
    let means = n * (n + 1) / 2;
    // Pairs of a value and one at or after it. As the first grows, the last partner does not.
    let count_up_to = |limit: f64| -> u64 {
        let (mut count, mut end) = (0, sorted.len());
        for (i, one) in sorted.iter().enumerate() {
            while end > i && f64::midpoint(*one, sorted[end - 1]) > limit {
                end -= 1;
            }
            if end <= i {
                break;
            }
            count += (end - i) as u64;
        }
        count
    };
    // The smallest number that at least `rank` of the means do not exceed.
    let ranked = |rank: u64| -> f64 {
        let (mut low, mut high) = (order_bits(sorted[0]), order_bits(sorted[sorted.len() - 1]));
        while low < high {
            let middle = low + (high - low) / 2;
            if count_up_to(from_order_bits(middle)) >= rank { high = middle } else { low = middle + 1 }
        }
        from_order_bits(low)
    };
    let below = ranked(means.div_ceil(2));
    if means % 2 == 1 { below } else { f64::midpoint(below, ranked(means / 2 + 1)) }
}

/// The bits of a number such that they have the order of the numbers (that of `f64::total_cmp`).
fn order_bits(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn from_order_bits(bits: u64) -> f64 {
    f64::from_bits(if bits >> 63 == 1 { bits & !(1 << 63) } else { !bits })
}

/// Variance of [`of_runs`] for runs of variance one. The factors above `1 / runs` are the loss of efficiency on normal
/// values, of the median (3 and 4 values) and of Hodges-Lehmann.
pub fn variance_factor(runs: usize) -> f64 {
    match runs {
        0 => 0.0,
        1 => 1.0,
        2 => 0.5,
        3 | 4 => 1.35 / runs as f64,
        _ => 1.1 / runs as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_values_give_the_median_of_all_pairwise_means() {
        let mut state = 7_u64;
        for count in [65, 66, 67, 68, 300] {
            let values: Vec<f64> = (0..count)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Coarse, so that many are equal; some are negative or zero.
                    ((state >> 40) % 41) as f64 / 8.0 - 1.0
                })
                .collect();
            let mut means: Vec<f64> = (0..count)
                .flat_map(|i| values[i..].iter().map(move |b| (i, *b)))
                .map(|(i, b)| (values[i] + b) / 2.0)
                .collect();
            assert_eq!(of_runs(&values), median_of(&mut means), "{count}");
        }
        // All pairwise means would take 40 GB.
        let values: Vec<f64> = (0..100_000).map(|i| f64::from(i) * 1.5).collect();
        assert_eq!(of_runs(&values), 99_999.0 * 1.5 / 2.0);
        assert_eq!(of_runs(&[f64::MAX; 100]), f64::MAX);
        assert_eq!(of_runs(&[-f64::MAX, f64::MAX].repeat(50)), 0.0);
        assert!(of_runs(&[f64::NAN; 100]).is_nan());
    }

    #[test]
    fn an_outlier_hardly_moves_the_centre() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(of_runs(&[1.0, 2.0]), 1.5);
        assert_eq!(of_runs(&[1.0, 2.0, 90.0]), 2.0);
        // Walsh averages of 1..5 are symmetric about 3.
        assert_eq!(of_runs(&[1.0, 2.0, 3.0, 4.0, 5.0]), 3.0);
        // The 15 pairwise means of 0 0 0 0 9 are ten 0, four 4.5 and one 9.
        assert_eq!(of_runs(&[0.0, 0.0, 0.0, 0.0, 9.0]), 0.0);
    }
}
