//! Amounts with units: `5ns`, `1 KiB`, `100/s`, `3 queries`, or a plain number.

use super::problem::{Invalid, printable};
use super::suggest::closest;
use super::value::number;
use crate::model::Unit;

/// An amount, in the unit perfgate uses for its kind (ns, bytes, …).
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// Value in `unit`; finite and not negative.
    pub value: f64,
    /// `None` for a plain number, which fits every unit except times, bytes and bytes per second.
    pub unit: Option<Unit>,
}

impl Quantity {
    /// An example of an amount that fits a unit: `5ns`.
    pub(super) fn example(unit: &Unit) -> &'static str {
        match unit {
            Unit::Nanosecond => "5ns",
            Unit::Byte => "1 KiB",
            Unit::BytePerSecond => "1 MiB/s",
            Unit::PerSecond => "5/s",
            Unit::Count | Unit::Percent | Unit::Ratio | Unit::Other(_) => "5",
        }
    }

    /// The value in a metric's unit, or `None` if the units do not match.
    pub fn value_in(&self, unit: &Unit) -> Option<f64> {
        let fits = match &self.unit {
            Some(own) => own == unit,
            None => !matches!(unit, Unit::Nanosecond | Unit::Byte | Unit::BytePerSecond),
        };
        fits.then_some(self.value)
    }
}

/// Parses a floor, the smallest change that counts: `5ns`, `1 KiB`, `3`.
pub(super) fn floor(text: &str) -> Result<Quantity, Invalid> {
    const HELP: &str = "write the smallest change that counts, with its unit: \"5ns\", \"1 KiB\", or a plain count";
    if text.trim_end().ends_with('%') {
        let help = "a floor is absolute, like \"5ns\" or \"1 KiB\"; use `threshold` for a percentage";
        return Err(Invalid::new("bad-floor", format!("`{}` is not an absolute change", printable(text)), help));
    }
    quantity(text.trim()).map_err(|problem| problem.into_invalid("bad-floor", text, HELP))
}

/// Why a text is not a valid amount.
pub(super) enum QuantityError {
    Number,
    Unit(String),
}

impl QuantityError {
    pub fn into_invalid(self, code: &'static str, text: &str, help: &str) -> Invalid {
        const UNITS: [&str; 21] = [
            "ns",
            "us",
            "µs",
            "ms",
            "s",
            "min",
            "h",
            "B",
            "KB",
            "MB",
            "GB",
            "KiB",
            "MiB",
            "GiB",
            "MB/s",
            "MiB/s",
            "/s",
            "ops/s",
            "queries",
            "allocs",
            "instructions",
        ];
        match self {
            QuantityError::Number => Invalid::new(code, format!("`{}` is not a valid amount", printable(text)), help),
            QuantityError::Unit(label) => {
                let help = match closest(&label, UNITS) {
                    Some(unit) => format!("did you mean `{unit}`?"),
                    None => format!("known units are {}, …; write a plain number for anything else", UNITS.join(", ")),
                };
                Invalid::new("unknown-unit", format!("`{}` is not a known unit", printable(&label)), help)
            }
        }
    }
}

pub(super) fn quantity(text: &str) -> Result<Quantity, QuantityError> {
    let (digits, label) = text.split_at(number_end(text));
    let value = number(digits).filter(|value| *value >= 0.0).ok_or(QuantityError::Number)?;
    let (unit, factor) = match label.trim() {
        "" => (None, 1.0),
        "/s" => (Some(Unit::PerSecond), 1.0),
        "query" => (Some(Unit::Count), 1.0),
        label => {
            let scale = Unit::parse(label).ok_or_else(|| QuantityError::Unit(label.to_owned()))?;
            (Some(scale.unit), scale.factor)
        }
    };
    let value = value * factor;
    if value.is_finite() { Ok(Quantity { value, unit }) } else { Err(QuantityError::Number) }
}

/// End of the number at the start of a text. An `e` belongs to the number only if digits follow: `5e3`, not `5elem/s`.
pub(super) fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, is: fn(&u8) -> bool| from + bytes.iter().skip(from).take_while(|b| is(b)).count();
    let signed = |from: usize| from + usize::from(matches!(bytes.get(from), Some(b'+' | b'-')));
    let mantissa = run(signed(0), |b| b.is_ascii_digit() || *b == b'.');
    if !matches!(bytes.get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let digits = signed(mantissa + 1);
    let end = run(digits, u8::is_ascii_digit);
    if end > digits { end } else { mantissa }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(value: f64, unit: Unit) -> Quantity {
        Quantity { value, unit: Some(unit) }
    }

    #[test]
    fn floors_are_converted_to_the_internal_unit() {
        assert_eq!(floor("5ns"), Ok(amount(5.0, Unit::Nanosecond)));
        assert_eq!(floor("1.5 µs"), Ok(amount(1500.0, Unit::Nanosecond)));
        assert_eq!(floor("1 KiB"), Ok(amount(1024.0, Unit::Byte)));
        assert_eq!(floor("2e3 elem/s"), Ok(amount(2000.0, Unit::PerSecond)));
        assert_eq!(floor("5elem/s"), Ok(amount(5.0, Unit::PerSecond)));
        assert_eq!(floor("3"), Ok(Quantity { value: 3.0, unit: None }));
    }

    #[test]
    fn invalid_amounts_are_refused() {
        let code = |text| floor(text).map_err(|w| w.code);
        for bad in ["", "ns", "five", "-5ns", "5%", "1e999", "1e300 h", "5.5.5ns", "inf", "nan ns", "."] {
            assert_eq!(code(bad), Err("bad-floor"), "{bad}");
        }
        assert_eq!(code("5 furlongs"), Err("unknown-unit"));
        assert_eq!(floor("5 nss").map_err(|w| w.help), Err("did you mean `ns`?".to_owned()));
    }

    #[test]
    fn a_plain_number_fits_counts_but_not_times() {
        let three = Quantity { value: 3.0, unit: None };
        assert_eq!(three.value_in(&Unit::Count), Some(3.0));
        assert_eq!(three.value_in(&Unit::Other("furlong".into())), Some(3.0));
        assert_eq!(three.value_in(&Unit::Nanosecond), None);
        assert_eq!(amount(5.0, Unit::Nanosecond).value_in(&Unit::Byte), None);
    }
}
