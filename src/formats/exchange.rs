//! What the exchange formats share: a metric's name and direction, where the file leaves them to its unit. A rate is
//! better when it is higher, a time or an amount of memory when it is lower; anything else is taken as lower is better,
//! and the file gets one note for each such unit.

use super::entries::Entries;
use crate::model::{Direction, Metric, Unit};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The units whose direction was taken for granted, with the number of values.
#[derive(Debug, Default)]
pub(super) struct Assumed(BTreeMap<String, usize>);

impl Assumed {
    /// The metric of a value: what the file says of it, else what its unit says.
    pub fn metric(&mut self, name: Option<&str>, label: &str, unit: Unit, direction: Option<Direction>) -> Metric {
        let stated = name.filter(|name| !name.is_empty()).map(|name| Cow::Owned(name.to_owned()));
        let name = stated.unwrap_or(Cow::Borrowed(default_name(&unit)));
        let direction = direction.or_else(|| direction_of(&unit)).unwrap_or_else(|| {
            *self.0.entry(label.to_owned()).or_default() += 1;
            Direction::Lower
        });
        Metric::measured(name, unit, direction)
    }

    /// Reports what was taken for granted.
    pub fn report(self, entries: &mut Entries<'_>, mend: &str) {
        for (label, count) in self.0 {
            let unit = if label.is_empty() { "without a unit".to_owned() } else { format!("in `{label}`") };
            let message = format!("{count} value(s) {unit}: lower is taken for better. {mend}");
            entries.note("assumed-direction", message);
        }
    }
}

/// Which way is better for a unit, where the unit alone says so.
fn direction_of(unit: &Unit) -> Option<Direction> {
    match unit {
        Unit::Nanosecond | Unit::Byte => Some(Direction::Lower),
        Unit::PerSecond | Unit::BytePerSecond => Some(Direction::Higher),
        Unit::Other(label) => {
            let rate = ["/s", "/sec", "/second", " per second"].iter().any(|end| label.ends_with(end));
            rate.then_some(Direction::Higher)
        }
        Unit::Count | Unit::Percent | Unit::Ratio => None,
    }
}

fn default_name(unit: &Unit) -> &'static str {
    match unit {
        Unit::Nanosecond => "time",
        Unit::Byte => "memory",
        Unit::PerSecond | Unit::BytePerSecond => "throughput",
        Unit::Count => "count",
        Unit::Percent | Unit::Ratio | Unit::Other(_) => "value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_decides_and_only_what_it_leaves_open_is_noted() {
        let mut assumed = Assumed::default();
        let mut direction = |label: &str| {
            let unit = Unit::parse(label).map_or_else(|| Unit::Other(label.into()), |scale| scale.unit);
            assumed.metric(None, label, unit, None).direction
        };
        assert_eq!(["ms", "MB"].map(&mut direction), [Direction::Lower; 2]);
        assert_eq!(["req/s", "MB/s", "ops/sec", "widgets/s"].map(&mut direction), [Direction::Higher; 4]);
        assert_eq!(["points", "%", ""].map(&mut direction), [Direction::Lower; 3]);
        let noted: Vec<&str> = assumed.0.keys().map(String::as_str).collect();
        assert_eq!(noted, ["", "%", "points"]);
    }
}
