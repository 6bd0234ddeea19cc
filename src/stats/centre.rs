//! Robust centres, and the variance of the centre of several runs.

/// The median; 0 for no values.
pub fn median(values: &[f64]) -> f64 {
    match values {
        [] => 0.0,
        [only] => *only,
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
        count => {
            let mut means = Vec::with_capacity(count * (count + 1) / 2);
            for (i, one) in values.iter().enumerate() {
                means.extend(values[i..].iter().map(|other| (one + other) / 2.0));
            }
            median_of(&mut means)
        }
    }
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
