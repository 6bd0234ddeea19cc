//! Values as text, in one suitable unit with four significant digits, or three below 1.

pub use crate::model::number_text::{change, counted, interval, interval_ends, is_factor, percent, size, thousands};

const KIB: f64 = 1024.0;
const GIB: f64 = KIB * KIB * KIB;

/// Prefixes of a unit, smallest first: (factor, label).
fn scales(unit: &str) -> &'static [(f64, &'static str)] {
    match unit {
        "ns" => &[(1e-3, "ps"), (1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")],
        "B" => {
            &[(1.0, "B"), (KIB, "KiB"), (KIB * KIB, "MiB"), (GIB, "GiB"), (KIB * GIB, "TiB"), (KIB * KIB * GIB, "PiB")]
        }
        "B/s" => &[
            (1.0, "B/s"),
            (KIB, "KiB/s"),
            (KIB * KIB, "MiB/s"),
            (GIB, "GiB/s"),
            (KIB * GIB, "TiB/s"),
            (KIB * KIB * GIB, "PiB/s"),
        ],
        "/s" => &[(1.0, "/s"), (1e3, "K/s"), (1e6, "M/s"), (1e9, "G/s")],
        "count" => &[(1.0, "")],
        "1" => &[(1.0, "")],
        _ => &[],
    }
}

/// Numbers of at least `HUGE`, and numbers below `TINY`, are written with an exponent.
const HUGE: f64 = 1e15;
const TINY: f64 = 1e-15;

/// The factor to divide values by and the resulting unit, chosen for the largest value.
pub fn scale(largest: f64, unit: &str) -> (f64, &str) {
    let scales = scales(unit);
    let largest = if largest == 0.0 { 1.0 } else { largest };
    scales.iter().rev().find(|(factor, _)| largest >= *factor).or(scales.first()).copied().unwrap_or((1.0, unit))
}

/// Values in one unit, chosen for the largest: `["1.250 ms", "0.987 ms"]`; `–` for a missing value. A value of which less than two
/// digits would remain has its own unit and number of decimals: `["1.000 s", "1.000 ns"]`.
pub fn pair<const N: usize>(values: [Option<f64>; N], unit: &str) -> [String; N] {
    let largest = values.iter().flatten().fold(0.0_f64, |a, b| a.max(b.abs()));
    let (factor, label) = scale(largest, unit);
    // Exact counts have no decimals.
    let whole =
        matches!(unit, "count") || values.iter().flatten().all(|v| v.fract() == 0.0 && v.abs() < 1e6 && unit == "1");
    let digits = decimals(largest / factor);
    let has_few_digits = |value: f64| value != 0.0 && (value / factor).abs() * 10_f64.powi(digits as i32) < 9.5;
    values.map(|value| match value {
        None => "–".to_owned(),
        Some(value) if value.abs() < largest && has_few_digits(value) => {
            let [alone] = pair([Some(value)], unit);
            alone
        }
        // As decimals such a number would have dozens of digits, or only zeros next to a huge one.
        Some(value)
            if value.abs() >= HUGE * factor
                || value / factor != 0.0 && (value.abs() < TINY * factor || largest >= HUGE * factor) =>
        {
            with_label(exponential(value / factor), label)
        }
        Some(value) if whole && value.fract() == 0.0 => with_label(format!("{value:.0}"), label),
        Some(value) => with_label(format!("{:.digits$}", value / factor), label),
    })
}

/// Values as numbers in one unit, chosen for the largest, and the label of that unit; at most four significant digits.
pub fn scaled(values: &[f64], unit: &str) -> (Vec<f64>, String) {
    let largest = values.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    let (factor, label) = scale(largest, unit);
    let power = 10_f64.powi(decimals(largest / factor) as i32);
    let rounded = |value: &f64| {
        if value.abs() >= HUGE * factor { value / factor } else { (value / factor * power).round() / power + 0.0 }
    };
    (values.iter().map(rounded).collect(), label.to_owned())
}

/// With at most four significant digits: `1.79e299`.
fn exponential(value: f64) -> String {
    let text = format!("{value:.3e}");
    match text.split_once('e') {
        Some((digits, power)) => format!("{}e{power}", digits.trim_end_matches('0').trim_end_matches('.')),
        None => text,
    }
}

fn with_label(number: String, label: &str) -> String {
    // A small negative number is rounded to -0.
    let number = match number.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| matches!(byte, b'0' | b'.')) => zero.to_owned(),
        _ => number,
    };
    match label {
        "" => number,
        "%" => number + "%",
        label => format!("{number} {label}"),
    }
}

/// The number of decimals that gives four significant digits.
fn decimals(value: f64) -> usize {
    match value {
        v if v >= 1000.0 => 0,
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        v if v >= 0.1 || v <= 0.0 => 3,
        v => (3.0 - v.log10().floor()).min(18.0) as usize,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_row_have_one_unit() {
        assert_eq!(pair([Some(812.4), Some(1051.9)], "ns"), ["0.812 µs", "1.052 µs"]);
        assert_eq!(pair([Some(3.0), Some(9.0)], "count"), ["3", "9"]);
        assert_eq!(pair([Some(0.00004), Some(0.000065)], "1"), ["0.00004000", "0.00006500"]);
        assert_eq!(pair([Some(0.0104), Some(0.0132)], "1"), ["0.01040", "0.01320"]);
        assert_eq!(pair([None, Some(2.0e9)], "ns"), ["–", "2.000 s"]);
        assert_eq!(pair([Some(0.4), Some(0.5)], "ns"), ["400.0 ps", "500.0 ps"]);
        assert_eq!(pair([Some(0.0), Some(0.0)], "ns"), ["0.000 ns", "0.000 ns"]);
        assert_eq!(pair([Some(1.5e300), Some(0.0)], "ns"), ["1.5e291 s", "0 s"]);
        assert_eq!(pair([Some(5e-300), Some(2e20)], "count"), ["5e-300", "2e20"]);
        assert_eq!(pair([Some(6.0), Some(1e308)], "ns"), ["6.000 ns", "1e299 s"]);
        assert_eq!(pair([Some(1e9), Some(1.0)], "ns"), ["1.000 s", "1.000 ns"]);
        assert_eq!(pair([Some(1e9), Some(5e6)], "ns"), ["1.000 s", "5.000 ms"]);
        assert_eq!(pair([Some(0.5), Some(0.0001)], "1"), ["0.500", "0.0001000"]);
        assert_eq!(pair([Some(5000.0), Some(1.0), Some(0.25)], "count"), ["5000", "1", "0.250"]);
        assert_eq!(pair([Some(1.8e18)], "B"), ["1599 PiB"]);
        assert_eq!(pair([Some(7.0), None], "furlong"), ["7.000 furlong", "–"]);
    }

    #[test]
    fn changes_have_a_sign() {
        assert_eq!(change(0.2489), "+24.9%");
        assert_eq!(change(-0.3), "−30.0%");
        assert_eq!(change(0.0001), "0.0%");
        assert_eq!(change(11.5), "12.5×");
        assert_eq!(percent(0.2), "20%");
        assert_eq!(percent(0.025), "2.5%");
        assert_eq!(percent(10.703), "1,070%");
        assert_eq!(pair([Some(97.25)], "%"), ["97.25%"]);
        assert_eq!(percent(-0.0001), "0%");
        assert_eq!(pair([Some(-0.0001), Some(5.0)], "furlong"), ["-0.0001000 furlong", "5.000 furlong"]);
        assert_eq!(pair([Some(-0.0)], "count"), ["0"]);
        assert!(scaled(&[-0.0001, 5.0], "ns").0[0].is_sign_positive());
    }
}
