//! Amounts with their units: `5ns`, `1 KiB`, `100/s`, `3 queries`, a plain number.

use super::near::nearest;
use super::problem::{Wrong, shown};
use super::value::number;
use crate::model::Unit;

/// An amount of something, in the house unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// In `unit`; finite, not negative.
    pub value: f64,
    /// `None` where only a number was written: it fits whatever is not a time, an amount of data, or a rate of it.
    pub unit: Option<Unit>,
}

impl Quantity {
    /// The amount in a metric's unit, or `None` where it is an amount of something else.
    pub fn within(&self, unit: &Unit) -> Option<f64> {
        let fits = match &self.unit {
            Some(own) => own == unit,
            None => !matches!(unit, Unit::Nanosecond | Unit::Byte | Unit::BytePerSecond),
        };
        fits.then_some(self.value)
    }
}

/// The smallest change that counts: `5ns`, `1 KiB`, `3`.
pub(super) fn floor(text: &str) -> Result<Quantity, Wrong> {
    const HELP: &str = "write the smallest change that counts, with its unit: \"5ns\", \"1 KiB\", or a plain count";
    if text.trim_end().ends_with('%') {
        let help = "a floor is absolute, like \"5ns\" or \"1 KiB\"; for a share use `threshold`";
        return Err(Wrong::new("bad-floor", format!("`{}` is no absolute change", shown(text)), help));
    }
    quantity(text.trim()).map_err(|problem| problem.into_wrong("bad-floor", text, HELP))
}

/// Why a text is no amount.
pub(super) enum NoQuantity {
    Number,
    Unit(String),
}

impl NoQuantity {
    pub fn into_wrong(self, code: &'static str, text: &str, help: &str) -> Wrong {
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
            NoQuantity::Number => Wrong::new(code, format!("`{}` is no amount", shown(text)), help),
            NoQuantity::Unit(label) => {
                let help = match nearest(&label, UNITS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("units are {}, … ; what has none is written as a plain number", UNITS.join(", ")),
                };
                Wrong::new("unknown-unit", format!("`{}` is no unit that perfgate knows", shown(&label)), help)
            }
        }
    }
}

pub(super) fn quantity(text: &str) -> Result<Quantity, NoQuantity> {
    let (digits, label) = text.split_at(number_end(text));
    let value = number(digits).filter(|value| *value >= 0.0).ok_or(NoQuantity::Number)?;
    let (unit, factor) = match label.trim() {
        "" => (None, 1.0),
        "/s" => (Some(Unit::PerSecond), 1.0),
        "query" => (Some(Unit::Count), 1.0),
        label => {
            let scale = Unit::parse(label).ok_or_else(|| NoQuantity::Unit(label.to_owned()))?;
            (Some(scale.unit), scale.factor)
        }
    };
    let value = value * factor;
    if value.is_finite() { Ok(Quantity { value, unit }) } else { Err(NoQuantity::Number) }
}

/// Where the number that a text begins with ends. An `e` belongs to it only with digits behind: `5 elem/s`, `5e3`.
fn number_end(text: &str) -> usize {
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
    fn floors_are_amounts_in_the_house_unit() {
        assert_eq!(floor("5ns"), Ok(amount(5.0, Unit::Nanosecond)));
        assert_eq!(floor("1.5 µs"), Ok(amount(1500.0, Unit::Nanosecond)));
        assert_eq!(floor("1 KiB"), Ok(amount(1024.0, Unit::Byte)));
        assert_eq!(floor("2e3 elem/s"), Ok(amount(2000.0, Unit::PerSecond)));
        assert_eq!(floor("5elem/s"), Ok(amount(5.0, Unit::PerSecond)));
        assert_eq!(floor("3"), Ok(Quantity { value: 3.0, unit: None }));
    }

    #[test]
    fn what_is_no_amount_says_so() {
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
        assert_eq!(three.within(&Unit::Count), Some(3.0));
        assert_eq!(three.within(&Unit::Other("furlong".into())), Some(3.0));
        assert_eq!(three.within(&Unit::Nanosecond), None);
        assert_eq!(amount(5.0, Unit::Nanosecond).within(&Unit::Byte), None);
    }
}
