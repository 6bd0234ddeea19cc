//! Amounts and limits: `5ns` for a floor, `<50ms`, `<= 3 queries` or `-60%` for a budget.
//! Whether a measured value keeps a limit, given its uncertainty, is the verdict's to say.

use super::near::nearest;
use super::problem::{Wrong, shown};
use super::value::number;
use crate::model::{Direction, Unit};
use std::fmt;

/// An amount of something, in the house unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity {
    /// In `unit`; finite, not negative.
    pub value: f64,
    /// `None` where only a number was written: it fits whatever is not a time, an amount of data, or a rate of it.
    pub unit: Option<Unit>,
}

/// Which side of a limit is the good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// What a budget asks for; shows as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    written: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// A bound on the value itself.
    Absolute {
        /// The good side.
        comparison: Comparison,
        /// The bound.
        bound: Quantity,
    },
    /// A bound on the change against the base, as a fraction: `-60%` is -0.6.
    Relative {
        /// The good side, where it was written.
        comparison: Option<Comparison>,
        /// head / base - 1; above -1.
        change: f64,
    },
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

impl Comparison {
    /// True when the value is on the good side of the bound.
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::Below => value < bound,
            Comparison::AtMost => value <= bound,
            Comparison::Above => value > bound,
            Comparison::AtLeast => value >= bound,
        }
    }

    /// True where smaller values are on the good side.
    fn is_upper(self) -> bool {
        matches!(self, Comparison::Below | Comparison::AtMost)
    }

    fn sign(self) -> &'static str {
        match self {
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
        }
    }

    /// The comparison that a text begins with, and the rest.
    fn split(text: &str) -> (Option<Comparison>, &str) {
        use Comparison::{Above, AtLeast, AtMost, Below};
        let found = [AtMost, AtLeast, Below, Above].into_iter().find_map(|c| Some((c, text.strip_prefix(c.sign())?)));
        found.map_or((None, text), |(comparison, rest)| (Some(comparison), rest.trim_start()))
    }
}

impl Limit {
    /// Which side is the good one; a change without a sign of comparison bounds the metric's worse side.
    pub fn comparison(&self, direction: Direction) -> Comparison {
        match &self.kind {
            Kind::Absolute { comparison, .. } | Kind::Relative { comparison: Some(comparison), .. } => *comparison,
            Kind::Relative { comparison: None, .. } => match direction {
                Direction::Lower => Comparison::AtMost,
                Direction::Higher => Comparison::AtLeast,
            },
        }
    }

    /// The bound on the value itself, in the metric's unit; `None` where the limit is of another unit, or relative
    /// and there is no base.
    pub fn bound(&self, unit: &Unit, base: Option<f64>) -> Option<f64> {
        match &self.kind {
            Kind::Absolute { bound, .. } => bound.within(unit),
            Kind::Relative { change, .. } => base.map(|base| base * (1.0 + change)),
        }
    }

    /// True where the limit is on the change against the base.
    pub fn is_relative(&self) -> bool {
        matches!(self.kind, Kind::Relative { .. })
    }

    /// Says what is wrong where `acceptable` is not a wider limit of the same kind. A bare change tells its good side
    /// only with the metric, so that of those only equal ones are refused here.
    pub(super) fn check_acceptable(&self, acceptable: &Limit) -> Result<(), Wrong> {
        let wrong = |what: &str, help: &str| {
            let message =
                format!("`acceptable` {} {what} `target` {}", shown(&acceptable.written), shown(&self.written));
            Err(Wrong::new("acceptable-not-looser", message, help))
        };
        let same_side = |a: Comparison, b: Comparison| a.is_upper() == b.is_upper();
        let (target, limit, upper) = match (&self.kind, &acceptable.kind) {
            (Kind::Absolute { comparison: a, bound: x }, Kind::Absolute { comparison: b, bound: y })
                if same_side(*a, *b) && x.unit == y.unit =>
            {
                (x.value, y.value, Some(a.is_upper()))
            }
            (Kind::Relative { comparison: None, change: x }, Kind::Relative { comparison: None, change: y }) => {
                (*x, *y, None)
            }
            (Kind::Relative { comparison: Some(a), change: x }, Kind::Relative { comparison: Some(b), change: y })
                if same_side(*a, *b) =>
            {
                (*x, *y, Some(a.is_upper()))
            }
            _ => return wrong("is of another kind than", "both need the same kind of sign and of unit"),
        };
        let (looser, help) = match upper {
            Some(true) => (limit > target, "it must be above the target, as <100ms is above <50ms"),
            Some(false) => (limit < target, "it must be below the target, as >80/s is below >100/s"),
            None => (limit != target, "leave it out where nothing lies between good and bad"),
        };
        if looser { Ok(()) } else { wrong("is not looser than", help) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
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

/// What a budget asks for: `<50ms`, `>= 100/s`, `<= 3 queries`, `-60%`, `< +10%`.
pub(super) fn limit(text: &str) -> Result<Limit, Wrong> {
    const HELP: &str = "write a bound like \"<50ms\", \">100/s\", \"<= 3 queries\", or a change like \"-60%\"";
    let text = text.trim();
    let (comparison, rest) = Comparison::split(text);
    let of = |kind| Ok(Limit { written: text.into(), kind });
    let wrong = |message: String, help: String| Err(Wrong::new("bad-limit", message, help));
    if let (true, Some(percent)) = (rest.starts_with(['+', '-']), rest.strip_suffix('%')) {
        return match number(percent.trim_end()) {
            Some(percent) if percent > -100.0 => of(Kind::Relative { comparison, change: percent / 100.0 }),
            Some(_) => wrong(
                format!("no change can be `{}`: nothing would be left", shown(rest)),
                "a relative limit lies above -100%".to_owned(),
            ),
            None => wrong(format!("`{}` is no limit", shown(text)), HELP.to_owned()),
        };
    }
    let bound = quantity(rest).map_err(|problem| problem.into_wrong("bad-limit", text, HELP))?;
    let bare = shown(rest);
    match comparison {
        Some(comparison) => of(Kind::Absolute { comparison, bound }),
        None if bound.unit == Some(Unit::Percent) => wrong(
            format!("`{bare}` says neither bound nor change"),
            format!(
                "write \"<{bare}\" or \">{bare}\" for a bound, \"-{bare}\" or \"+{bare}\" for a change against the base"
            ),
        ),
        None => wrong(
            format!("`{bare}` does not say which side of it is good"),
            format!("write \"<{bare}\" or \">{bare}\""),
        ),
    }
}

/// Why a text is no amount.
enum NoQuantity {
    Number,
    Unit(String),
}

impl NoQuantity {
    fn into_wrong(self, code: &'static str, text: &str, help: &str) -> Wrong {
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

fn quantity(text: &str) -> Result<Quantity, NoQuantity> {
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

    #[test]
    fn limits_are_bounds_or_changes() {
        let kind = |text| limit(text).map(|limit| limit.kind);
        let absolute = |comparison, value, unit| Ok(Kind::Absolute { comparison, bound: amount(value, unit) });
        assert_eq!(kind("<50ms"), absolute(Comparison::Below, 50e6, Unit::Nanosecond));
        assert_eq!(kind("<= 3 queries"), absolute(Comparison::AtMost, 3.0, Unit::Count));
        assert_eq!(kind(">100/s"), absolute(Comparison::Above, 100.0, Unit::PerSecond));
        assert_eq!(kind(">= 95%"), absolute(Comparison::AtLeast, 95.0, Unit::Percent));
        assert_eq!(kind("-60%"), Ok(Kind::Relative { comparison: None, change: -0.6 }));
        assert_eq!(kind("< +10 %"), Ok(Kind::Relative { comparison: Some(Comparison::Below), change: 0.1 }));
        assert_eq!(limit(" <50ms ").map(|limit| limit.to_string()), Ok("<50ms".to_owned()));
    }

    #[test]
    fn a_limit_without_a_side_is_refused_with_both_offered() {
        let help = |text| limit(text).map_err(|w| w.help);
        assert_eq!(help("50ms"), Err("write \"<50ms\" or \">50ms\"".to_owned()));
        assert!(help("60%").is_err_and(|h| h.contains("\"-60%\"")));
        for bad in ["", "<", "<<5ms", "=5ms", "-5ms", "<-5ms", "-100%", "-%", "- 60%", "≤ 5ms"] {
            assert_eq!(limit(bad).map_err(|w| w.code), Err("bad-limit"), "{bad}");
        }
    }

    #[test]
    fn a_bare_change_bounds_the_worse_side() -> Result<(), Wrong> {
        let faster = limit("-60%")?;
        assert_eq!(faster.comparison(Direction::Lower), Comparison::AtMost);
        assert_eq!(faster.comparison(Direction::Higher), Comparison::AtLeast);
        assert_eq!(faster.bound(&Unit::Nanosecond, Some(1000.0)), Some(400.0));
        assert_eq!(faster.bound(&Unit::Nanosecond, None), None);
        Ok(())
    }

    #[test]
    fn acceptable_is_looser_than_the_target() -> Result<(), Wrong> {
        let check = |target: &str, acceptable: &str| -> Result<bool, Wrong> {
            Ok(limit(target)?.check_acceptable(&limit(acceptable)?).is_ok())
        };
        assert!(check("<50ms", "<=0.1s")?);
        assert!(check(">100/s", ">80 ops/s")?);
        assert!(check("-60%", "-40%")?);
        assert!(!check("<50ms", "<50ms")?);
        assert!(!check("<50ms", "<40ms")?);
        assert!(!check(">100/s", ">120/s")?);
        assert!(!check("<50ms", ">100ms")?);
        assert!(!check("<50ms", "<100MB")?);
        assert!(!check("<50ms", "-40%")?);
        assert!(!check("< +10%", "< +5%")?);
        assert!(!check("-60%", "-60%")?);
        Ok(())
    }
}
