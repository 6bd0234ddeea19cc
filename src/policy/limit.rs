//! What a budget asks for: `<50ms`, `<= 3 queries`, `-60%`.
//! Whether a measured value keeps a limit, given its uncertainty, is the verdict's to say.

use super::problem::{Wrong, shown};
use super::quantity::{Quantity, quantity};
use super::value::number;
use crate::model::{Direction, Unit};
use std::fmt;

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
    /// Reads a limit as it was written; `None` where it is none.
    pub fn parse(text: &str) -> Option<Limit> {
        limit(text).ok()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(value: f64, unit: Unit) -> Quantity {
        Quantity { value, unit: Some(unit) }
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
