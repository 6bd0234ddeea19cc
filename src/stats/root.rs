//! Finds where a decreasing function crosses zero.

/// The root of a decreasing function between `low`, where it is not negative, and `high`, where it is not positive. Takes
/// secant steps from `start`, which need about five values where the function is nearly straight. Every sixth step halves
/// the interval instead, and so does a step that would leave it. This limits the number of steps. `precision` is that of
/// the root or of the function's value.
pub(super) fn of_decreasing(function: impl Fn(f64) -> f64, [low, high]: [f64; 2], start: f64, precision: f64) -> f64 {
    let (mut low, mut high) = (low, high);
    let (mut x, mut latest): (f64, Option<(f64, f64)>) = (start.clamp(low, high), None);
    for step in 1..200 {
        let value = function(x);
        if value.abs() <= precision {
            return x;
        }
        if value > 0.0 {
            low = x
        } else {
            high = x
        }
        // The first step goes as far as a slope of -1 would.
        let slope = latest.map_or(-1.0, |(other, value_there)| (value - value_there) / (x - other));
        let secant = x - value / slope;
        latest = Some((x, value));
        let next = if step % 6 != 0 && secant > low && secant < high { secant } else { f64::midpoint(low, high) };
        if (next - x).abs() <= precision || high - low <= precision {
            return next;
        }
        x = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::of_decreasing;
    use std::cell::Cell;

    #[test]
    fn roots_are_found_to_the_precision() {
        let cube = |x: f64| 2.0 - x.powi(3);
        for start in [-7.0, 0.0, 1.2, 3.0, 50.0, 1e9] {
            let root = of_decreasing(cube, [0.0, 50.0], start, 1e-12);
            assert!((root - 2.0_f64.cbrt()).abs() < 1e-10, "{start}: {root}");
        }
    }

    #[test]
    fn a_root_at_an_end_and_steps_are_found() {
        let nearest = |x: f64| (of_decreasing(|at| x - at, [2.0, 50.0], 10.0, 1e-12) - x.clamp(2.0, 50.0)).abs();
        assert!(nearest(2.0) < 1e-9 && nearest(1.0) < 1e-9 && nearest(50.0) < 1e-9 && nearest(99.0) < 1e-9);
        // A step has no slope.
        let step = of_decreasing(|x| if x < 3.3 { 5.0 } else { -0.1 }, [0.0, 50.0], 1.0, 1e-12);
        assert!((step - 3.3).abs() < 1e-9, "{step}");
    }

    #[test]
    fn a_nearly_straight_function_needs_few_values() {
        let count = Cell::new(0);
        let bent = |x: f64| {
            count.set(count.get() + 1);
            -3.0 * x - 0.1 * x * x + 7.0
        };
        of_decreasing(bent, [-5.0, 5.0], 1.0, 1e-7);
        assert!(count.get() <= 6, "{}", count.get());
    }
}
