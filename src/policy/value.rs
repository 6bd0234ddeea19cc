//! Single values of perfgate.toml and of the command line: percentages, dates, store addresses, `fail-on` words.

use super::problem::{Invalid, printable};
use super::suggest::closest;
use crate::model::Direction;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// What makes the gate fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailOn {
    /// A benchmark is significantly worse than its threshold allows.
    Regressed,
    /// A budget is not met.
    Budget,
    /// A benchmark failed, or its run ended in an error.
    Failed,
    /// A benchmark is inconclusive.
    Inconclusive,
    /// A benchmark of the base is missing from the head.
    Removed,
    /// A benchmark of the head is missing from the base.
    Added,
    /// Base and head ran on different machine classes.
    Environment,
}

impl FailOn {
    /// All of them.
    pub const ALL: [FailOn; 7] = [
        FailOn::Regressed,
        FailOn::Budget,
        FailOn::Failed,
        FailOn::Inconclusive,
        FailOn::Removed,
        FailOn::Added,
        FailOn::Environment,
    ];

    /// The word in the config and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            FailOn::Regressed => "regressed",
            FailOn::Budget => "budget",
            FailOn::Failed => "failed",
            FailOn::Inconclusive => "inconclusive",
            FailOn::Removed => "removed",
            FailOn::Added => "added",
            FailOn::Environment => "environment",
        }
    }

    pub(super) fn read(word: &str) -> Result<FailOn, Invalid> {
        if let Some(found) = FailOn::ALL.into_iter().find(|f| f.name() == word) {
            return Ok(found);
        }
        let names = FailOn::ALL.map(FailOn::name);
        let help = match closest(word, names) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known words are {}", names.join(", ")),
        };
        Err(Invalid::new("unknown-outcome", format!("the gate cannot fail on `{}`", printable(word)), help))
    }
}

impl FromStr for FailOn {
    type Err = ValueError;

    fn from_str(word: &str) -> Result<Self, ValueError> {
        FailOn::read(word).map_err(ValueError::from)
    }
}

/// An invalid value on the command line: what is wrong and how to fix it, in one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(String);

impl From<Invalid> for ValueError {
    fn from(wrong: Invalid) -> Self {
        ValueError(format!("{}; {}", wrong.message, wrong.help))
    }
}

/// A threshold as a fraction, from `20%` or `0.2`.
pub fn parse_threshold(text: &str) -> Result<f64, ValueError> {
    Ok(threshold(&Scalar::Text(text.to_owned()))?)
}

/// The false discovery rate as a fraction, from `0.05` or `5%`.
pub fn parse_alpha(text: &str) -> Result<f64, ValueError> {
    Ok(alpha(&Scalar::Text(text.to_owned()))?)
}

/// A number, or a string that may contain one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Number(f64),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Text(text) => f.write_str(&printable(text)),
            Scalar::Number(number) => number.fmt(f),
        }
    }
}

/// Parses a better direction.
pub(super) fn direction(word: &str) -> Result<Direction, Invalid> {
    [Direction::Lower, Direction::Higher].into_iter().find(|direction| direction.word() == word).ok_or_else(|| {
        let message = format!("`{}` is not a direction", printable(word));
        Invalid::new("bad-direction", message, "write \"higher\" or \"lower\": which values are better")
    })
}

/// The largest threshold, as a fraction.
const MAX_THRESHOLD: f64 = 10.0;
/// The largest change that a waiver accepts, as a fraction. It is larger than any change that is measured in practice.
pub const MAX_ACCEPTED: f64 = 1e9;

/// Parses a threshold: above 0, at most 1000%. A threshold of 2000% would never fail.
pub(super) fn threshold(value: &Scalar) -> Result<f64, Invalid> {
    let help = "a threshold is above 0% and at most 1000%; every machine has some noise, so \"5%\" is already tight";
    change(value, MAX_THRESHOLD, help)
}

/// Parses a change that a waiver accepts: any that can be measured.
pub(super) fn accepted(value: &Scalar) -> Result<f64, Invalid> {
    change(value, MAX_ACCEPTED, "an accepted change is above 0%: write it without a sign, such as \"35%\"")
}

/// Parses a change above 0; `help` is the message with the valid values. A plain number of 1 or more is refused:
/// `threshold = 20` is meant as 20%.
fn change(value: &Scalar, max: f64, help: &str) -> Result<f64, Invalid> {
    let wrong = |message: String, help: &str| Err(Invalid::new("bad-share", message, help));
    match fraction(value) {
        Some(Share::Plain(number)) if number >= 1.0 => {
            let help = format!("a plain number is a fraction (0.2 is 20%); for {number}% write \"{number}%\"");
            wrong(format!("`{value}` is not a fraction below 1"), &help)
        }
        Some(Share::Plain(share) | Share::Percent(share)) if share > max => {
            wrong(format!("`{value}` is too high"), &format!("the maximum is \"{}%\"", max * 100.0))
        }
        Some(Share::Plain(share) | Share::Percent(share)) if share > 0.0 => Ok(share),
        Some(_) => wrong(format!("`{value}` is not above 0%"), help),
        None => wrong(format!("`{value}` is not a percentage"), "write \"20%\" or 0.2"),
    }
}

/// Parses the false discovery rate: above 0, at most 0.5.
pub(super) fn alpha(value: &Scalar) -> Result<f64, Invalid> {
    match fraction(value) {
        Some(Share::Plain(share) | Share::Percent(share)) if share > 0.0 && share <= 0.5 => Ok(share),
        _ => Err(Invalid::new(
            "bad-alpha",
            format!("`{value}` is not a valid false discovery rate"),
            "it must be above 0 and at most 0.5; the default is 0.05",
        )),
    }
}

enum Share {
    Plain(f64),
    Percent(f64),
}

fn fraction(value: &Scalar) -> Option<Share> {
    let share = match value {
        Scalar::Number(number) => Share::Plain(*number),
        Scalar::Text(text) => match text.trim().strip_suffix('%') {
            Some(percent) => Share::Percent(number(percent.trim_end())? / 100.0),
            None => Share::Plain(number(text.trim())?),
        },
    };
    let (Share::Plain(fraction) | Share::Percent(fraction)) = share;
    fraction.is_finite().then_some(share)
}

/// A finite decimal number. Rust's parser also accepts `inf` and `nan`, which are never valid here.
pub(super) fn number(text: &str) -> Option<f64> {
    let digits = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| digits && number.is_finite())
}

/// Parses a day such as `2027-03-01`.
pub(super) fn date(text: &str) -> Result<Date, Invalid> {
    let wrong = |message: String| Invalid::new("bad-date", message, "write a date like \"2027-03-01\"");
    let parts: Vec<&str> = text.split('-').collect();
    let all_digits = text.bytes().all(|b| b == b'-' || b.is_ascii_digit());
    let [year, month, day] = parts[..] else { return Err(wrong(format!("`{}` is not a valid date", printable(text)))) };
    let (true, 4, 2, 2) = (all_digits, year.len(), month.len(), day.len()) else {
        return Err(wrong(format!("`{}` is not a valid date", printable(text))));
    };
    let (Ok(year), Ok(month), Ok(day)) = (year.parse(), month.parse(), day.parse()) else {
        return Err(wrong(format!("`{}` is not a valid date", printable(text))));
    };
    Date::new(year, month, day).map_err(|_| wrong(format!("`{}` does not exist in the calendar", printable(text))))
}

/// Checks a store's address: `git:REF`, `dir:PATH` or `s3://BUCKET/PREFIX` (or gs://, az://). Does not open the store.
pub(super) fn store_url(url: &str) -> Result<(), Invalid> {
    let wrong = |help: &str| {
        let help = format!("{help}; use git:refs/perfgate/baselines, dir:PATH or s3://BUCKET/PREFIX");
        Err(Invalid::new("bad-store-url", format!("`{}` is not a valid store address", printable(url)), help))
    };
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    match (scheme, rest) {
        ("git", rest) if rest.starts_with("refs/") && rest.len() > 5 && !rest.ends_with('/') => Ok(()),
        ("git", _) => wrong("a git store needs a full ref below refs/"),
        ("dir", rest) if !rest.is_empty() => Ok(()),
        ("dir", _) => wrong("the path of the directory is missing"),
        ("s3" | "gs" | "az", rest)
            if rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/')) =>
        {
            Ok(())
        }
        ("s3" | "gs" | "az", _) => wrong("the bucket is missing"),
        _ => wrong("it does not start with a known kind of store"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Scalar {
        Scalar::Text(text.into())
    }

    #[test]
    fn a_threshold_is_a_percentage_or_a_fraction() {
        assert_eq!(threshold(&text("20%")), Ok(0.2));
        assert_eq!(threshold(&text(" 7.5 % ")), Ok(0.075));
        assert_eq!(threshold(&text("0.2")), Ok(0.2));
        assert_eq!(threshold(&Scalar::Number(0.2)), Ok(0.2));
        assert_eq!(threshold(&text("1000%")), Ok(10.0));
    }

    #[test]
    fn a_threshold_that_would_never_or_always_fail_is_refused() {
        for bad in ["1001%", "1e300%", "0%", "-5%", "0", "20", "1", "nan", "inf%", "", "%", "20%%", "a fifth"] {
            let wrong = threshold(&text(bad)).expect_err(bad);
            assert_eq!(wrong.code, "bad-share", "{bad}");
        }
        let twenty = threshold(&Scalar::Number(20.0)).expect_err("20 is not 20%");
        assert!(twenty.help.contains("\"20%\""), "{}", twenty.help);
        assert!(threshold(&Scalar::Number(f64::NAN)).is_err());
    }

    #[test]
    fn an_accepted_change_may_be_a_large_factor() {
        assert_eq!(accepted(&text("3023%")), Ok(30.23));
        assert_eq!(accepted(&text("100000000000%")), Ok(MAX_ACCEPTED));
        assert!(accepted(&text("100000000001%")).is_err_and(|wrong| wrong.help.contains("\"100000000000%\"")));
        assert!(accepted(&Scalar::Number(20.0)).is_err());
    }

    #[test]
    fn alpha_is_above_zero_and_at_most_a_half() {
        assert_eq!(alpha(&Scalar::Number(0.5)), Ok(0.5));
        assert_eq!(alpha(&text("5%")), Ok(0.05));
        for bad in [0.0, -0.1, 0.51, 5.0, f64::NAN, f64::INFINITY] {
            assert_eq!(alpha(&Scalar::Number(bad)).map_err(|w| w.code), Err("bad-alpha"));
        }
    }

    #[test]
    fn a_date_must_exist_in_the_calendar() {
        assert_eq!(date("2028-02-29").map(|d| d.to_string()), Ok("2028-02-29".to_owned()));
        for bad in ["2027-02-29", "2027-13-01", "27-03-01", "2027-3-1", "20270301", "2027-03-01T10:00", "soon", "", "-"]
        {
            assert_eq!(date(bad).map_err(|w| w.code), Err("bad-date"), "{bad}");
        }
        assert_eq!(
            date("2027-02-29").map_err(|w| w.message),
            Err("`2027-02-29` does not exist in the calendar".to_owned())
        );
    }

    #[test]
    fn a_store_address_has_a_known_scheme() {
        for good in
            ["git:refs/perfgate/baselines", "dir:../runs", "dir:C:\\runs", "s3://bucket", "s3://bucket/a/b", "gs://b/c"]
        {
            assert_eq!(store_url(good), Ok(()), "{good}");
        }
        for bad in ["", "git:", "git:main", "git:refs/", "dir:", "s3://", "s3:bucket", "s3:///x", "http://x", "runs"] {
            assert_eq!(store_url(bad).map_err(|w| w.code), Err("bad-store-url"), "{bad}");
        }
    }

    #[test]
    fn an_invalid_value_on_the_command_line_gives_one_line() {
        assert_eq!("removed".parse(), Ok(FailOn::Removed));
        let error = "regresed".parse::<FailOn>().map_err(|e| e.to_string());
        assert_eq!(error, Err("the gate cannot fail on `regresed`; did you mean `regressed`?".to_owned()));
        assert_eq!(parse_threshold("10%"), Ok(0.1));
        assert!(parse_alpha("2").is_err());
    }
}
