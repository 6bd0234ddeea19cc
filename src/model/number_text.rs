//! Changes, shares and counts as text, the same in every message and view.

/// A fraction as a signed percentage: `+24.9%`; factors of ten and more as `12.5×`.
pub fn change(fraction: f64) -> String {
    if fraction >= 9.0 {
        let factor = 1.0 + fraction;
        return if factor < 1e4 { format!("{factor:.1}×") } else { format!("{factor:.1e}×") };
    }
    let percent = fraction * 100.0;
    if percent.abs() < 0.05 { "0.0%".to_owned() } else { format!("{percent:+.1}%").replace('-', "−") }
}

/// A fraction as a plain percentage: `20%`, `2.5%`.
pub fn percent(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let rounded = (percent * 10.0).round() / 10.0 + 0.0; // not -0
    if rounded.fract() == 0.0 { format!("{rounded:.0}%") } else { format!("{rounded:.1}%") }
}

/// A share of a whole: whole percentages, but for small ones.
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
    fn counts_have_the_right_plural_and_separators() {
        assert_eq!(counted(0, "run"), "0 runs");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(999, "test"), "999 tests");
        assert_eq!(counted(1000, "test"), "1,000 tests");
        assert_eq!(counted(10_000, "test"), "10,000 tests");
        assert_eq!(counted(1_234_567, "test"), "1,234,567 tests");
    }
}
