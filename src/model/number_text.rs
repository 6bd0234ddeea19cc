//! Changes, shares and counts as text, the same in every message and view.

/// From this fraction on (a factor of ten), changes are printed as factors.
const FACTOR: f64 = 9.0;

/// A fraction as a signed percentage: `+24.9%`; factors of ten and more as `12.5×`.
pub fn change(fraction: f64) -> String {
    if fraction >= FACTOR { factor(1.0 + fraction) } else { signed_percent(fraction) }
}

/// True if [`change`] prints a factor, and not `∞`.
pub fn is_factor(fraction: f64) -> bool {
    fraction >= FACTOR && 1.0 + fraction < f64::MAX
}

/// The size of a change, without its sign: `5.8%`; factors of ten and more as `12.5×`.
pub fn size(fraction: f64) -> String {
    if fraction >= FACTOR { factor(1.0 + fraction) } else { percent(fraction.abs()) }
}

/// The interval of a change: `+80.2% … +1,240%`, or `8.1× … 19.3×` for a change of a factor of ten and more. Both ends have the
/// same notation: that of the change, or factors if the interval reaches a factor of 100.
pub fn interval(by: Option<f64>, ends: [f64; 2]) -> String {
    interval_ends(by, ends).join(" … ")
}

/// From this upper end on (a factor of 100), percentages have too many digits to read.
const WIDE: f64 = 99.0;

/// Upper ends of intervals above this are printed as `∞`: the data do not limit the change. Lower ends are at most this.
const HUGE: f64 = 1e12;

/// The ends of an interval.
pub fn interval_ends(by: Option<f64>, [low, high]: [f64; 2]) -> [String; 2] {
    let is_factor = high >= WIDE || by.map_or(low >= FACTOR, |by| by >= FACTOR);
    let text = |end: f64| if is_factor { factor(1.0 + end) } else { signed_percent(end) };
    [text(low.min(HUGE)), if high > HUGE { "∞".to_owned() } else { text(high) }]
}

/// A factor: `0.45×`, `12.5×`, `26,738×`. One that rounds to 0 is a change of `−100%`; the largest number stands for infinity.
fn factor(factor: f64) -> String {
    match factor {
        factor if factor < 0.005 => "−100%".to_owned(),
        factor if factor >= f64::MAX => "∞".to_owned(),
        factor if factor < 1.0 => format!("{factor:.2}×"),
        factor if factor < 999.95 => format!("{factor:.1}×"),
        factor if factor < 1e7 => format!("{}×", thousands(factor.round() as usize)),
        factor => format!("{factor:.1e}×"),
    }
}

fn signed_percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    match percent.abs() {
        size if size < 0.05 => "0.0%".to_owned(),
        size if size < 1e3 => format!("{percent:+.1}%").replace('-', "−"),
        size if size < 1e7 => format!("+{}%", thousands(size.round() as usize)),
        _ => format!("{percent:+.1e}%"),
    }
}

/// A fraction as a plain percentage: `20%`, `2.5%`.
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let rounded = (percent * 10.0).round() / 10.0 + 0.0; // not -0
    if (1e3..1e15).contains(&rounded) {
        return format!("{}%", thousands(rounded.round() as usize));
    }
    if rounded.fract() == 0.0 { format!("{rounded:.0}%") } else { format!("{rounded:.1}%") }
}

/// A share of a whole: `42%`; below 10% with a decimal.
pub fn share(fraction: f64) -> String {
    if fraction < 0.0995 { percent(fraction) } else { format!("{:.0}%", fraction * 100.0) }
}

/// A count with its noun, which takes an `s` in the plural: `1 run`, `10,000 runs`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(count))
}

/// A count with separators: `10,000`.
pub fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_an_interval_have_the_notation_of_the_change() {
        assert_eq!(interval(Some(0.8), [0.5, 1.3]), "+50.0% … +130.0%");
        assert_eq!(interval(Some(1.842), [-0.585, 18.5]), "−58.5% … +1,850%");
        assert_eq!(interval(Some(11.5), [-0.55, 20.0]), "0.45× … 21.0×");
        assert_eq!(interval(Some(11.5), [8.0, 1e5]), "9.0× … 100,001×");
        assert_eq!(interval(Some(8.9), [-0.0001, 2e6]), "1.00× … 2,000,001×");
        assert_eq!(interval(Some(0.3), [-1.0, 26_736.6]), "−100% … 26,738×");
        assert_eq!(interval(Some(0.3), [-0.99, 26_736.6]), "0.01× … 26,738×");
        assert_eq!(interval(Some(8.0), [3.4, f64::INFINITY]), "4.4× … ∞");
        assert_eq!(interval(Some(2e8), [98.5, 2e8]), "99.5× … 2.0e8×");
        assert_eq!(interval(None, [0.1, 9.5]), "+10.0% … +950.0%");
        assert_eq!(interval(Some(1e20), [-0.5, f64::MAX]), "0.50× … ∞");
        assert_eq!(interval(Some(f64::MAX), [f64::MAX, f64::MAX]), "1.0e12× … ∞");
    }

    #[test]
    fn a_change_without_a_limit_is_infinite() {
        assert_eq!(change(f64::MAX), "∞");
        assert_eq!(change(1e300), "1.0e300×");
        assert_eq!(change(-1.0), "−100.0%");
    }

    #[test]
    fn counts_have_the_right_plural_and_separators() {
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(999, "test"), "999 tests");
        assert_eq!(counted(1000, "test"), "1,000 tests");
        assert_eq!(counted(10_000, "test"), "10,000 tests");
        assert_eq!(counted(1_234_567, "test"), "1,234,567 tests");
    }
}
