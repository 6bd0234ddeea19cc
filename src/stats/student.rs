//! Student's t distribution, also for fractional degrees of freedom. All of perfgate uses statrs' distributions through
//! here: outside their usual range they panic or loop forever. Here every argument gives a result: NaN counts as no
//! evidence, and many degrees of freedom use the normal limit.

use super::root;
use statrs::function::beta::checked_beta_reg;
use statrs::function::erf::{erfc, erfc_inv};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::f64::consts::{FRAC_2_PI, SQRT_2};

/// From here on the transformation to a normal value is more precise than statrs' continued fraction, which is cut off:
/// relative error of a tail below 1e-8 up to t = 8.
const NORMAL_DF: f64 = 1e5;
/// From here on the normal distribution gives the same number.
const SAME_DF: f64 = 1e16;
/// Relative precision of quantiles.
const PRECISION: f64 = 1e-14;

/// For whole degrees of freedom up to this, the tail is a sum of a few terms. The sum gives the complement, so a tail smaller
/// than the second constant would lose digits. It reduces the instructions for the tests and intervals of a suite with one run
/// per side from 367 to 93 million for 100 benchmarks, and from 286 to 117 million for 1,000.
const MAX_SUM_DF: f64 = 32.0;
const MIN_TAIL_OF_SUM: f64 = 1e-5;
/// Limit of `t` for the sum: its square does not overflow, and beyond it every tail is below `MIN_TAIL_OF_SUM`.
const MAX_SUM_T: f64 = 1e6;

/// P(T > t) with `df` degrees of freedom; 1 for no degrees of freedom, and where `t` is not a number.
pub fn upper_tail(t: f64, df: f64) -> f64 {
    if (1.0..=MAX_SUM_DF).contains(&df) && f64::from(df as u32) == df && (0.0..MAX_SUM_T).contains(&t) {
        let tail = tail_by_sum(t, df as u32);
        if tail >= MIN_TAIL_OF_SUM {
            return tail;
        }
    }
    tail_by_fraction(t, df)
}

/// The tail from the finite series for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
fn tail_by_sum(t: f64, df: u32) -> f64 {
    let square = f64::from(df) + t * t;
    let (sine, cosine_squared) = (t / square.sqrt(), f64::from(df) / square);
    let is_odd = df % 2 == 1;
    let (mut term, mut sum) = if is_odd { (cosine_squared.sqrt(), 0.0) } else { (1.0, 0.0) };
    let mut k = if is_odd { 3 } else { 2 };
    while k <= df {
        sum += term;
        term *= f64::from(k - 1) / f64::from(k) * cosine_squared;
        k += 2;
    }
    let within = if is_odd { ((t / f64::from(df).sqrt()).atan() + sine * sum) * FRAC_2_PI } else { sine * sum };
    0.5 - 0.5 * within
}

/// The tail for any degrees of freedom.
fn tail_by_fraction(t: f64, df: f64) -> f64 {
    if t.is_nan() || !has_degrees(df) {
        return 1.0;
    }
    if t < 0.0 {
        return 1.0 - tail_by_fraction(-t, df);
    }
    if df >= NORMAL_DF {
        return 0.5 * erfc(normal_value(t, df) / SQRT_2);
    }
    let (a, square) = (df / 2.0, t * t);
    // Where the square overflows, the tail is 0.
    let tail = if square.is_infinite() {
        Ok(0.0)
    } else if square < 3.0 {
        // Near the centre, one minus the complement is more precise than the tail itself.
        checked_beta_reg(0.5, a, square / (df + square)).map(|both| 0.5 - 0.5 * both)
    } else {
        checked_beta_reg(a, 0.5, df / (df + square)).map(|both| 0.5 * both)
    };
    tail.map_or(1.0, |tail| tail.clamp(0.0, 0.5))
}

/// The quantile `p`; infinite for no degrees of freedom. `p` is clamped to the range from 0 to 1.
pub fn quantile(p: f64, df: f64) -> f64 {
    // A suite needs the same few quantiles many times, and each costs as much as ten tail probabilities. Without this,
    // `perfgate compare` of 1,000 benchmarks takes 138 ms of processor time instead of 76 ms.
    thread_local!(static LATEST: RefCell<VecDeque<(f64, f64, f64)>> = const { RefCell::new(VecDeque::new()) });
    LATEST.with_borrow_mut(|latest| {
        if let Some((.., t)) = latest.iter().find(|known| (known.0, known.1) == (p, df)) {
            return *t;
        }
        let t = compute_quantile(p, df);
        latest.push_front((p, df, t));
        latest.truncate(32);
        t
    })
}

fn has_degrees(df: f64) -> bool {
    df > 0.0
}

/// The normal value with about the same upper tail (Wallace 1959).
fn normal_value(t: f64, df: f64) -> f64 {
    if df >= SAME_DF {
        return t;
    }
    // Far out the square overflows; its logarithm does not.
    let ln = if t.abs() < 1e150 { (t * t / df).ln_1p() } else { 2.0 * t.abs().ln() - df.ln() };
    t.signum() * (df * ln).sqrt() * (8.0 * df + 1.0) / (8.0 * df + 3.0)
}

fn compute_quantile(p: f64, df: f64) -> f64 {
    if p.is_nan() || !has_degrees(df) {
        return f64::INFINITY;
    }
    if p < 0.5 {
        return -quantile_of_tail(p.max(f64::MIN_POSITIVE), df);
    }
    quantile_of_tail((1.0 - p).max(f64::EPSILON / 2.0), df)
}

/// The value that is exceeded with probability `tail` (at most one half).
fn quantile_of_tail(tail: f64, df: f64) -> f64 {
    let normal = SQRT_2 * erfc_inv(2.0 * tail);
    if df >= NORMAL_DF {
        let scaled = normal * (8.0 * df + 3.0) / (8.0 * df + 1.0);
        return if df >= SAME_DF { normal } else { (df * (scaled * scaled / df).exp_m1()).sqrt() };
    }
    if normal <= 0.0 {
        return 0.0;
    }
    // On logarithmic axes the tail is nearly straight. It is heavier than the normal one, so the quantile is not smaller.
    let excess = |x: f64| (tail_by_fraction(x.exp(), df) / tail).ln();
    let (mut low, mut reach) = (normal.ln(), 0.25);
    let mut high = low + reach;
    while excess(high) > 0.0 && high < f64::MAX.ln() {
        (low, reach) = (high, 2.0 * reach);
        high = (low + reach).min(f64::MAX.ln());
    }
    root::of_decreasing(excess, [low, high], low, PRECISION).exp()
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
        assert_eq!(upper_tail(f64::NEG_INFINITY, 3.0), 1.0);
        assert!((quantile(0.05, 10.0) + 1.812_461).abs() < 1e-5);
        assert_eq!(quantile(0.5, 7.0), 0.0);
    }

    #[test]
    fn far_tails_are_precise() {
        // With one degree of freedom this is the Cauchy distribution: P(T > 1e6) = atan(1e-6) / pi.
        let expected = 1e-6_f64.atan() / std::f64::consts::PI;
        assert!((upper_tail(1e6, 1.0) / expected - 1.0).abs() < 1e-6);
    }

    #[test]
    fn sum_and_fraction_agree() {
        for df in 1..=MAX_SUM_DF as u32 {
            for t in [0.0, 0.01, 0.5, 1.0, 1.7, 1.8, 2.5, 4.0, 12.0, 300.0, 3e4] {
                let (sum, fraction) = (tail_by_sum(t, df), tail_by_fraction(t, f64::from(df)));
                let is_used = sum >= MIN_TAIL_OF_SUM;
                assert!(!is_used || (sum / fraction - 1.0).abs() < 1e-9, "{t} at {df}: {sum} {fraction}");
            }
        }
    }

    #[test]
    fn many_degrees_of_freedom_have_the_normal_limit() {
        for df in [9.9e4, 1e5, 2e7, 1e18, 1e308, f64::INFINITY] {
            assert!((quantile(0.975, df) - 1.959_964).abs() < 3e-5, "{df}");
            assert!((upper_tail(1.959_964, df) - 0.025).abs() < 2e-6, "{df}");
        }
        // Both formulas agree where they meet.
        for t in [0.01, 0.5, 1.96, 5.0, 8.0] {
            let [below, above] = [NORMAL_DF * 0.999_999, NORMAL_DF].map(|df| upper_tail(t, df));
            assert!((below / above - 1.0).abs() < 1e-7, "{t}: {below} {above}");
        }
    }

    #[test]
    fn quantiles_invert_tails() {
        for df in [0.2, 1.0, 2.5, 30.0, 4e3, 9e4, 1e6, 1e12] {
            for tail in [0.4999, 0.3, 0.025, 1e-4, 1e-9, 1e-14] {
                let t = quantile_of_tail(tail, df);
                assert!((upper_tail(t, df) / tail - 1.0).abs() < 1e-9, "{tail} at {df}: {t}");
            }
        }
    }

    #[test]
    fn every_argument_has_a_result() {
        let edges = [0.0, 5e-324, 1e-300, 1e-17, 0.025, 0.5, 1.0, 3.0, 99_999.0, 2e7, 1e19, 1e154, 1e300, f64::MAX];
        let all: Vec<f64> =
            edges.iter().flat_map(|x| [*x, -x]).chain([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]).collect();
        for x in &all {
            for df in &all {
                let p = upper_tail(*x, *df);
                assert!((0.0..=1.0).contains(&p), "{x} {df}: {p}");
                let t = quantile(*x, *df);
                assert!(!t.is_nan(), "{x} {df}: {t}");
                assert!(t.is_finite() || x.is_nan() || df.is_nan() || *df <= 0.0, "{x} {df}: {t}");
            }
        }
    }
}
