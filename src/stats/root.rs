//! Finds where a falling function crosses zero.

/// A place and the value of the function there.
type Point = (f64, f64);

/// The root of a falling function between `low`, where it is positive, and `high`, where it is negative; regula falsi,
/// Illinois variant. Each third step halves the interval, so that the number of steps is bounded. `precision` holds for the
/// place and for the value. Where the function is not positive at `low`, the result is `low`.
pub(super) fn of_falling(function: impl Fn(f64) -> f64, low: Point, high: Point, precision: f64) -> f64 {
    let ((mut low, mut above), (mut high, mut below)) = (low, high);
    if above <= 0.0 {
        return low;
    }
    for step in 1..200 {
        if high - low <= precision || above <= 0.0 || below >= 0.0 {
            break;
        }
        let falsi = (low * below - high * above) / (below - above);
        let x = if step % 3 != 0 && falsi > low && falsi < high { falsi } else { f64::midpoint(low, high) };
        let at = function(x);
        if at.abs() <= precision {
            return x;
        }
        if at > 0.0 {
            (low, above, below) = (x, at, below / 2.0);
        } else {
            (high, below, above) = (x, at, above / 2.0);
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::of_falling;

    #[test]
    fn roots_are_found_to_the_precision() {
        let cube = |x: f64| 2.0 - x.powi(3);
        let root = of_falling(cube, (0.0, cube(0.0)), (50.0, cube(50.0)), 1e-12);
        assert!((root - 2.0_f64.cbrt()).abs() < 1e-10, "{root}");
        assert_eq!(of_falling(cube, (2.0, cube(2.0)), (50.0, cube(50.0)), 1e-12), 2.0);
    }
}
