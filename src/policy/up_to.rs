//! How far a waiver goes: `up-to = "35%"`, or a limit on the value of head as in a budget: `up-to = "<=4"`.

use super::limit::{self, Limit};
use super::problem::{Invalid, printable};
use super::value::{self, Scalar};
use crate::model::{Direction, Unit};
use std::fmt;

/// The worst that a waiver accepts.
#[derive(Debug, Clone, PartialEq)]
pub enum UpTo {
    /// A change for the worse, as a fraction. A rise from 0 exceeds every percentage.
    Change(f64),
    /// A limit on the value of head. It is never relative.
    Value(Limit),
}

impl UpTo {
    /// Whether the waiver covers a value of head and its change for the worse. The change is `None` if base is 0.
    pub fn covers(&self, worse: Option<f64>, value: Option<f64>, unit: &Unit, direction: Direction) -> bool {
        match self {
            UpTo::Change(most) => worse.is_some_and(|worse| worse <= *most),
            UpTo::Value(limit) => {
                let limit_value = limit.limit_value(unit, None).filter(|_| limit.limits_worse_side(direction));
                let comparison = limit.comparison(direction);
                value
                    .zip(limit_value)
                    .zip(comparison)
                    .is_some_and(|((value, limit_value), one)| one.is_met_by(value, limit_value))
            }
        }
    }

    /// Whether it can apply to a metric at all.
    pub fn fits(&self, unit: &Unit, direction: Direction) -> bool {
        match self {
            UpTo::Change(_) => true,
            UpTo::Value(limit) => limit.limit_value(unit, None).is_some() && limit.limits_worse_side(direction),
        }
    }
}

impl fmt::Display for UpTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UpTo::Change(most) => write!(f, "{}%", (most * 1e4).round() / 100.0),
            UpTo::Value(limit) => limit.fmt(f),
        }
    }
}

/// Parses `up-to`.
pub(super) fn up_to(value: &Scalar) -> Result<UpTo, Invalid> {
    const CHANGE: &str = "write the accepted change without a sign: \"35%\"";
    let Scalar::Text(text) = value else { return Ok(UpTo::Change(value::accepted(value)?)) };
    if !text.trim_start().starts_with(['<', '>']) {
        return Ok(UpTo::Change(value::accepted(value)?));
    }
    let limit = limit::limit(text)?;
    if limit.is_relative() {
        return Err(Invalid::new("bad-share", format!("`{}` is not an accepted value", printable(text)), CHANGE));
    }
    Ok(UpTo::Value(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<UpTo, Invalid> {
        up_to(&Scalar::Text(text.to_owned()))
    }

    #[test]
    fn a_waiver_goes_up_to_a_change_or_a_value() {
        let covers = |text: &str, worse: Option<f64>, value: f64, unit: Unit, direction: Direction| {
            read(text).is_ok_and(|up_to| up_to.covers(worse, Some(value), &unit, direction))
        };
        assert!(covers("35%", Some(0.35), 1.35, Unit::Count, Direction::Lower));
        assert!(!covers("35%", Some(0.36), 1.36, Unit::Count, Direction::Lower));
        assert!(!covers("35%", None, 4.0, Unit::Count, Direction::Lower), "from 0");
        assert!(covers("<=4", None, 4.0, Unit::Count, Direction::Lower));
        assert!(!covers("<=4", None, 5.0, Unit::Count, Direction::Lower));
        assert!(covers("<=3%", None, 3.0, Unit::Percent, Direction::Lower));
        assert!(covers(">= 20/s", Some(1.0), 25.0, Unit::PerSecond, Direction::Higher));
        // The wrong unit, and the side on which every value is good enough.
        assert!(!covers("<=4", None, 3.0, Unit::Nanosecond, Direction::Lower));
        assert!(!covers(">=4", None, 5.0, Unit::Count, Direction::Lower));
        assert_eq!(read("<+10%").map_err(|wrong| wrong.code), Err("bad-share"));
        assert_eq!(read("35").map_err(|wrong| wrong.code), Err("bad-share"));
        assert_eq!(read("0.125").map(|up_to| up_to.to_string()), Ok("12.5%".to_owned()));
    }
}
