//! Limits of budgets and goals: `<50ms`, `<= 3 queries`, `-60%`.
//! The verdict decides whether a measured value meets a limit.

use super::problem::{Invalid, printable};
use super::quantity::{Quantity, number_end, quantity};
use super::value::number;
use crate::model::{Direction, Unit};
use std::fmt;

/// On which side of a limit the good values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComparisonSign {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A limit; displayed as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    written: Box<str>,
    kind: LimitKind,
}

#[derive(Debug, Clone, PartialEq)]
enum LimitKind {
    /// A limit on the value itself.
    Absolute {
        /// Which side is good.
        comparison: ComparisonSign,
        /// The limit.
        limit: Quantity,
    },
    /// A limit on the change against the base, as a fraction: `-60%` is -0.6.
    Relative {
        /// Which side is good, if written.
        comparison: Option<ComparisonSign>,
        /// head / base - 1; above -1.
        change: f64,
    },
}

impl ComparisonSign {
    /// True if the value is on the good side of the limit.
    pub fn is_met_by(self, value: f64, limit: f64) -> bool {
        match self {
            ComparisonSign::Below => value < limit,
            ComparisonSign::AtMost => value <= limit,
            ComparisonSign::Above => value > limit,
            ComparisonSign::AtLeast => value >= limit,
        }
    }

    /// True if smaller values are good.
    fn is_upper(self) -> bool {
        matches!(self, ComparisonSign::Below | ComparisonSign::AtMost)
    }

    fn sign(self) -> &'static str {
        match self {
            ComparisonSign::Below => "<",
            ComparisonSign::AtMost => "<=",
            ComparisonSign::Above => ">",
            ComparisonSign::AtLeast => ">=",
        }
    }

    /// Splits a leading comparison sign off a text.
    fn split(text: &str) -> (Option<ComparisonSign>, &str) {
        use ComparisonSign::{Above, AtLeast, AtMost, Below};
        let found = [AtMost, AtLeast, Below, Above].into_iter().find_map(|c| Some((c, text.strip_prefix(c.sign())?)));
        found.map_or((None, text), |(comparison, rest)| (Some(comparison), rest.trim_start()))
    }
}

impl Limit {
    /// Parses a limit; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Limit> {
        limit(text).ok()
    }

    /// Which side is good; a change without a comparison sign limits the metric's worse side.
    /// `None` if that is unknown.
    pub fn comparison(&self, direction: Direction) -> Option<ComparisonSign> {
        match &self.kind {
            LimitKind::Absolute { comparison, .. } | LimitKind::Relative { comparison: Some(comparison), .. } => {
                Some(*comparison)
            }
            LimitKind::Relative { comparison: None, .. } => match direction {
                Direction::Lower => Some(ComparisonSign::AtMost),
                Direction::Higher => Some(ComparisonSign::AtLeast),
                Direction::Unknown => None,
            },
        }
    }

    /// The limit for the value, in the metric's unit; `None` if the limit has another unit, or is relative without a
    /// base.
    pub fn limit_value(&self, unit: &Unit, base: Option<f64>) -> Option<f64> {
        match &self.kind {
            LimitKind::Absolute { limit, .. } => limit.value_in(unit),
            LimitKind::Relative { change, .. } => base.map(|base| base * (1.0 + change)),
        }
    }

    /// This limit with a unit that fits a metric, as a suggestion: `<50ms` for `<50` on a time.
    pub fn in_unit(&self, unit: &Unit) -> String {
        let (comparison, rest) = ComparisonSign::split(&self.written);
        let digits = rest.get(..number_end(rest)).unwrap_or(rest);
        let unit = match unit {
            Unit::Nanosecond => "ms",
            Unit::Byte => "MB",
            Unit::BytePerSecond => "MB/s",
            Unit::PerSecond => "/s",
            Unit::Percent => "%",
            Unit::Count | Unit::Ratio | Unit::Other(_) => "",
        };
        format!("{}{digits}{unit}", comparison.map_or("", ComparisonSign::sign))
    }

    /// True if it can limit values in a unit.
    pub fn fits(&self, unit: &Unit) -> bool {
        match &self.kind {
            LimitKind::Absolute { limit, .. } => limit.value_in(unit).is_some(),
            LimitKind::Relative { .. } => true,
        }
    }

    /// True if the limit bounds the worse side: better values always meet it.
    pub(super) fn limits_worse_side(&self, direction: Direction) -> bool {
        let is_upper = self.comparison(direction).map(ComparisonSign::is_upper);
        direction.is_known() && is_upper == Some(direction == Direction::Lower)
    }

    /// True if the limit is a change relative to the base.
    pub fn is_relative(&self) -> bool {
        matches!(self.kind, LimitKind::Relative { .. })
    }

    /// Checks that `acceptable` is a looser limit of the same kind. The good side of a bare change depends on the
    /// metric, which is not known here, so of two bare changes only equal ones are refused.
    pub(super) fn check_acceptable(&self, acceptable: &Limit) -> Result<(), Invalid> {
        let wrong = |what: &str, help: &str| {
            let message =
                format!("`acceptable` {} {what} `target` {}", printable(&acceptable.written), printable(&self.written));
            Err(Invalid::new("acceptable-not-looser", message, help))
        };
        let same_side = |a: ComparisonSign, b: ComparisonSign| a.is_upper() == b.is_upper();
        let (target, limit, upper) = match (&self.kind, &acceptable.kind) {
            (LimitKind::Absolute { comparison: a, limit: x }, LimitKind::Absolute { comparison: b, limit: y })
                if same_side(*a, *b) && x.unit == y.unit =>
            {
                (x.value, y.value, Some(a.is_upper()))
            }
            (
                LimitKind::Relative { comparison: None, change: x },
                LimitKind::Relative { comparison: None, change: y },
            ) => (*x, *y, None),
            (
                LimitKind::Relative { comparison: Some(a), change: x },
                LimitKind::Relative { comparison: Some(b), change: y },
            ) if same_side(*a, *b) => (*x, *y, Some(a.is_upper())),
            _ => {
                return wrong(
                    "is not the same kind of limit as",
                    "use the same comparison sign and the same kind of unit in both",
                );
            }
        };
        let (looser, help) = match upper {
            Some(true) => (limit > target, "it must be above the target: <100ms is looser than <50ms"),
            Some(false) => (limit < target, "it must be below the target: >80/s is looser than >100/s"),
            None => (limit != target, "remove `acceptable` if it equals the target"),
        };
        if looser { Ok(()) } else { wrong("is not looser than", help) }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Parses a limit: `<50ms`, `>= 100/s`, `<= 3 queries`, `-60%`, `< +10%`.
pub(super) fn limit(text: &str) -> Result<Limit, Invalid> {
    const HELP: &str = "write a limit like \"<50ms\", \">100/s\", \"<= 3 queries\", or a change like \"-60%\"";
    let text = text.trim();
    let (comparison, rest) = ComparisonSign::split(text);
    let of = |kind| Ok(Limit { written: text.into(), kind });
    let wrong = |message: String, help: String| Err(Invalid::new("bad-limit", message, help));
    if let (true, Some(percent)) = (rest.starts_with(['+', '-']), rest.strip_suffix('%')) {
        return match number(percent.trim_end()) {
            Some(percent) if percent > -100.0 => of(LimitKind::Relative { comparison, change: percent / 100.0 }),
            Some(_) => wrong(
                format!("`{}` is not a possible change: the value would be 0 or negative", printable(rest)),
                "a change against the base is above -100%: \"-50%\" is half of the base".to_owned(),
            ),
            None => wrong(format!("`{}` is not a valid limit", printable(text)), HELP.to_owned()),
        };
    }
    let limit = quantity(rest).map_err(|problem| problem.into_invalid("bad-limit", text, HELP))?;
    let bare = printable(rest);
    match comparison {
        Some(comparison) => of(LimitKind::Absolute { comparison, limit }),
        None if limit.unit == Some(Unit::Percent) => wrong(
            format!("`{bare}` is neither a limit nor a change"),
            format!(
                "write \"<{bare}\" or \">{bare}\" for a limit, \"-{bare}\" or \"+{bare}\" for a change against the base"
            ),
        ),
        None => wrong(format!("`{bare}` has no comparison sign"), format!("write \"<{bare}\" or \">{bare}\"")),
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
        let absolute = |comparison, value, unit| Ok(LimitKind::Absolute { comparison, limit: amount(value, unit) });
        assert_eq!(kind("<50ms"), absolute(ComparisonSign::Below, 50e6, Unit::Nanosecond));
        assert_eq!(kind("<= 3 queries"), absolute(ComparisonSign::AtMost, 3.0, Unit::Count));
        assert_eq!(kind(">100/s"), absolute(ComparisonSign::Above, 100.0, Unit::PerSecond));
        assert_eq!(kind(">= 95%"), absolute(ComparisonSign::AtLeast, 95.0, Unit::Percent));
        assert_eq!(kind("-60%"), Ok(LimitKind::Relative { comparison: None, change: -0.6 }));
        assert_eq!(kind("< +10 %"), Ok(LimitKind::Relative { comparison: Some(ComparisonSign::Below), change: 0.1 }));
        assert_eq!(limit(" <50ms ").map(|limit| limit.to_string()), Ok("<50ms".to_owned()));
    }

    #[test]
    fn a_limit_without_a_comparison_sign_is_refused_and_both_signs_are_suggested() {
        let help = |text| limit(text).map_err(|w| w.help);
        assert_eq!(help("50ms"), Err("write \"<50ms\" or \">50ms\"".to_owned()));
        assert!(help("60%").is_err_and(|h| h.contains("\"-60%\"")));
        for bad in ["", "<", "<<5ms", "=5ms", "-5ms", "<-5ms", "-100%", "-%", "- 60%", "≤ 5ms"] {
            assert_eq!(limit(bad).map_err(|w| w.code), Err("bad-limit"), "{bad}");
        }
    }

    #[test]
    fn a_unit_that_fits_is_suggested() -> Result<(), Invalid> {
        assert_eq!(limit("<50")?.in_unit(&Unit::Nanosecond), "<50ms");
        assert_eq!(limit("<= 1e3 ms")?.in_unit(&Unit::Byte), "<=1e3MB");
        assert_eq!(limit("> 5 ms")?.in_unit(&Unit::Count), ">5");
        assert!(limit("<50")?.fits(&Unit::Count) && limit("+5%")?.fits(&Unit::Byte));
        assert!(!limit("<50")?.fits(&Unit::Nanosecond));
        Ok(())
    }

    #[test]
    fn a_bare_change_limits_the_worse_side() -> Result<(), Invalid> {
        let faster = limit("-60%")?;
        assert_eq!(faster.comparison(Direction::Lower), Some(ComparisonSign::AtMost));
        assert_eq!(faster.comparison(Direction::Higher), Some(ComparisonSign::AtLeast));
        assert_eq!(faster.limit_value(&Unit::Nanosecond, Some(1000.0)), Some(400.0));
        assert_eq!(faster.limit_value(&Unit::Nanosecond, None), None);
        Ok(())
    }

    #[test]
    fn acceptable_must_be_looser_than_the_target() -> Result<(), Invalid> {
        let check = |target: &str, acceptable: &str| -> Result<bool, Invalid> {
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
