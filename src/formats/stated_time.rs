//! The time of a measurement that a file states, in seconds since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Seconds by which a local time can lie before its UTC time, with a margin.
pub(super) const UNKNOWN_ZONE: i64 = 24 * 60 * 60;

/// A date with a time zone (`2026-11-21T09:10:05+00:00`). A local time without its zone could be wrong by hours: `None`.
pub(super) fn with_zone(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_second())
}

/// The same, for tools that write UTC without a time zone.
pub fn utc(text: &str) -> Option<i64> {
    let without_zone = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    with_zone(text).or_else(|| without_zone().map(|time| time.timestamp().as_second()))
}

/// Seconds since 1970.
pub(super) fn seconds(number: f64) -> Option<i64> {
    let whole = number as i64;
    (number >= 1.0 && Timestamp::from_second(whole).is_ok()).then_some(whole)
}

/// Milliseconds since 1970.
pub fn milliseconds(number: f64) -> Option<i64> {
    seconds(number / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_that_is_certain_counts() {
        assert_eq!(with_zone("2026-11-21T09:10:05+02:00"), Some(1_795_245_005));
        assert_eq!(with_zone("2026-11-21T07:10:05.123456789Z"), Some(1_795_245_005));
        assert_eq!(with_zone("2026-11-21 09:10:05"), None);
        assert_eq!(utc("2026-11-21T07:10:05.123456"), Some(1_795_245_005));
        for text in ["", "yesterday", "2026-13-21T09:10:05Z", "1795252205"] {
            assert_eq!((with_zone(text), utc(text)), (None, None), "{text}");
        }
        assert_eq!(milliseconds(1_795_245_005_999.0), Some(1_795_245_005));
        for number in [0.0, 0.5, -1.0, f64::NAN, f64::INFINITY, 1e30] {
            assert_eq!(seconds(number), None, "{number}");
        }
    }
}
