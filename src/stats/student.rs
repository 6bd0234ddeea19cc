//! Student's t distribution, also for fractional degrees of freedom.

use statrs::distribution::{ContinuousCDF, StudentsT};
use std::cell::RefCell;
use std::collections::VecDeque;

fn distribution(df: f64) -> Option<StudentsT> {
    StudentsT::new(0.0, 1.0, df).ok()
}

/// P(T > t) with `df` degrees of freedom; 1 for no degrees of freedom.
pub fn upper_tail(t: f64, df: f64) -> f64 {
    if t == f64::INFINITY {
        return 0.0;
    }
    distribution(df).map_or(1.0, |student| student.sf(t))
}

/// The quantile `p`; infinite for no degrees of freedom.
pub fn quantile(p: f64, df: f64) -> f64 {
    // A suite needs the same few quantiles many times, and each costs as much as ten tail probabilities.
    thread_local!(static LATEST: RefCell<VecDeque<(f64, f64, f64)>> = const { RefCell::new(VecDeque::new()) });
    LATEST.with_borrow_mut(|latest| {
        if let Some((.., t)) = latest.iter().find(|known| (known.0, known.1) == (p, df)) {
            return *t;
        }
        let t = distribution(df).map_or(f64::INFINITY, |student| student.inverse_cdf(p));
        latest.push_front((p, df, t));
        latest.truncate(32);
        t
    })
}

/// Mean and half-width of its confidence interval; `None` for fewer than two values.
pub fn mean_interval(values: &[f64], level: f64) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Some((mean, quantile((1.0 + level) / 2.0, n - 1.0) * (variance / n).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_printed_tables() {
        // Critical values of Student's t: one-sided 5% at 3 and 10 degrees of freedom, two-sided 5% at 5.
        assert!((quantile(0.95, 3.0) - 2.353_363).abs() < 1e-5);
        assert!((quantile(0.95, 10.0) - 1.812_461).abs() < 1e-5);
        assert!((quantile(0.975, 5.0) - 2.570_582).abs() < 1e-5);
        assert!((upper_tail(2.353_363, 3.0) - 0.05).abs() < 1e-6);
        assert_eq!(upper_tail(f64::INFINITY, 3.0), 0.0);
    }

    #[test]
    fn far_tails_are_precise() {
        // With one degree of freedom this is the Cauchy distribution: P(T > 1e6) = atan(1e-6) / pi.
        let expected = 1e-6_f64.atan() / std::f64::consts::PI;
        assert!((upper_tail(1e6, 1.0) / expected - 1.0).abs() < 1e-6);
    }
}
