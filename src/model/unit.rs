//! Units: inside perfgate times are in nanoseconds, memory in bytes, rates per second. A format converts once, with
//! [`Unit::parse`].

use std::borrow::Cow;
use std::fmt;

/// The unit of a value inside perfgate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A time, in nanoseconds.
    Nanosecond,
    /// An amount of memory or data, in bytes.
    Byte,
    /// A count (queries, allocations, instructions, errors).
    Count,
    /// Events per second (requests, iterations, transactions).
    PerSecond,
    /// Data per second, in bytes.
    BytePerSecond,
    /// A share or score in percent.
    Percent,
    /// A plain number without a unit (a ratio, an index, a score).
    Ratio,
    /// An unknown unit, by the name the tool uses; compared only with the same name.
    Other(Box<str>),
}

/// The conversion of a tool's unit: `value * factor` is in `unit`.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitScale {
    /// The unit inside perfgate.
    pub unit: Unit,
    /// Factor for a value in the tool's unit.
    pub factor: f64,
}

impl Unit {
    /// Parses the label of a tool's unit (`ns`, `µs`, `sec`, `MiB`, `MB/s`, `ops/sec`, `B/op` …); `None` for an unknown label.
    ///
    /// Decimal prefixes are powers of 1000 (`MB` is 10^6 bytes), binary ones powers of 1024 (`MiB`).
    /// A trailing `/op` or `/iter` is dropped, since the values of a benchmark are per operation.
    pub fn parse(label: &str) -> Option<UnitScale> {
        let label = label.trim();
        let bare = ["/op", "/iter", "/iteration"].iter().find_map(|s| label.strip_suffix(s)).unwrap_or(label);
        let scale = |unit, factor| Some(UnitScale { unit, factor });
        if let Some(factor) = time_factor(bare) {
            return scale(Unit::Nanosecond, factor);
        }
        if let Some(factor) = byte_factor(bare) {
            return scale(Unit::Byte, factor);
        }
        if let Some((amount, per)) = bare.rsplit_once('/')
            && let Some(span) = time_factor(per)
        {
            let seconds = if span == 1e9 { 1.0 } else { 1e9 / span }; // spans of time in one second
            if let Some(factor) = byte_factor(amount) {
                return scale(Unit::BytePerSecond, factor * seconds);
            }
            let factor = match amount {
                "op" | "ops" | "req" | "requests" | "request" | "iter" | "iters" | "i" | "elem" | "elements"
                | "txn" | "transactions" | "queries" | "items" | "rows" | "events" | "hits" | "calls" => 1.0,
                "Kelem" | "kops" | "K" => 1e3,
                "Melem" | "Mops" | "M" => 1e6,
                "Gelem" | "Gops" | "G" => 1e9,
                _ => return None,
            };
            return scale(Unit::PerSecond, factor * seconds);
        }
        match bare {
            "bytes/s" => scale(Unit::BytePerSecond, 1.0),
            "Hz" | "hz" | "ops" | "rps" | "qps" | "tps" | "iops" | "i/s" | "fps" => scale(Unit::PerSecond, 1.0),
            "count" | "counts" | "allocs" | "alloc" | "instructions" | "queries" | "errors" | "calls" | "items"
            | "cycles" => scale(Unit::Count, 1.0),
            "%" | "percent" => scale(Unit::Percent, 1.0),
            "" | "1" | "ratio" | "x" => scale(Unit::Ratio, 1.0),
            // A word with capitals (`Megabytes`, `Percent`). Short symbols are case-sensitive.
            word if word.len() > 3 && word.bytes().any(|b| b.is_ascii_uppercase()) && !word.contains('/') => {
                Unit::parse(&word.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    /// True for times and rates, which depend on the machine.
    pub fn is_speed(&self) -> bool {
        *self == Unit::Nanosecond || self.label().ends_with("/s")
    }

    /// The unit's label in JSON and in stored runs; [`Unit::from_label`] reads it back.
    pub fn label(&self) -> &str {
        self.known_label().unwrap_or_else(|name| name)
    }

    /// The label as an owned value; only an unknown unit is copied.
    pub fn kept_label(&self) -> Cow<'static, str> {
        self.known_label().map_or_else(|name| Cow::Owned(name.to_owned()), Cow::Borrowed)
    }

    fn known_label(&self) -> Result<&'static str, &str> {
        Ok(match self {
            Unit::Nanosecond => "ns",
            Unit::Byte => "B",
            Unit::Count => "count",
            Unit::PerSecond => "/s",
            Unit::BytePerSecond => "B/s",
            Unit::Percent => "%",
            Unit::Ratio => "1",
            Unit::Other(name) => return Err(name),
        })
    }

    /// Parses a label written by [`Unit::label`].
    pub fn from_label(label: &str) -> Unit {
        match label {
            "ns" => Unit::Nanosecond,
            "B" => Unit::Byte,
            "count" => Unit::Count,
            "/s" => Unit::PerSecond,
            "B/s" => Unit::BytePerSecond,
            "%" => Unit::Percent,
            "1" => Unit::Ratio,
            other => Unit::Other(other.into()),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Nanoseconds in a unit of time.
fn time_factor(label: &str) -> Option<f64> {
    Some(match label {
        "ps" | "picoseconds" => 1e-3,
        "ns" | "nsec" | "nanosecond" | "nanoseconds" => 1.0,
        "us" | "µs" | "μs" | "usec" | "microsecond" | "microseconds" => 1e3,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e6,
        "s" | "sec" | "secs" | "second" | "seconds" => 1e9,
        "m" | "min" | "mins" | "minute" | "minutes" => 60e9,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3600e9,
        "day" | "days" => 86400e9,
        _ => return None,
    })
}

/// Bytes in a unit of data.
fn byte_factor(label: &str) -> Option<f64> {
    Some(match label {
        "B" | "byte" | "bytes" | "Bytes" => 1.0,
        "kB" | "KB" | "kilobytes" => 1e3,
        "MB" | "megabytes" => 1e6,
        "GB" | "gigabytes" => 1e9,
        "TB" => 1e12,
        "KiB" | "kibibytes" => 1024.0,
        "MiB" | "mebibytes" => 1024.0 * 1024.0,
        "GiB" | "gibibytes" => 1024.0 * 1024.0 * 1024.0,
        "TiB" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_tools_are_parsed() {
        let scale = |label| Unit::parse(label).map(|s| (s.unit, s.factor));
        assert_eq!(scale("µs"), Some((Unit::Nanosecond, 1e3)));
        assert_eq!(scale("ns/iter"), Some((Unit::Nanosecond, 1.0)));
        assert_eq!(scale("B/op"), Some((Unit::Byte, 1.0)));
        assert_eq!(scale("allocs/op"), Some((Unit::Count, 1.0)));
        assert_eq!(scale("MiB/s"), Some((Unit::BytePerSecond, 1048576.0)));
        assert_eq!(scale("ops/sec"), Some((Unit::PerSecond, 1.0)));
        assert_eq!(scale("ops/ms"), Some((Unit::PerSecond, 1e3)));
        assert_eq!(scale("MB/min"), Some((Unit::BytePerSecond, 1e6 / 60.0)));
        assert_eq!(scale("Megabytes"), Some((Unit::Byte, 1e6)));
        assert_eq!(scale("furlongs"), None);
    }

    #[test]
    fn stored_labels_round_trip() {
        for unit in [Unit::Nanosecond, Unit::Byte, Unit::PerSecond, Unit::Other("furlong".into())] {
            assert_eq!(Unit::from_label(unit.label()), unit);
        }
    }
}
