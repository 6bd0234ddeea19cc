//! A metric where the file leaves it to the unit. A rate is better when it is higher, a time or an amount of memory when
//! it is lower; for the rest the exchange formats take lower for better and say so once for each unit.

use super::builder::ReadingBuilder;
use crate::model::{Direction, Metric, Unit};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The units whose direction was taken for granted, with the number of values.
#[derive(Debug, Default)]
pub(super) struct AssumedDirections(BTreeMap<String, usize>);

impl AssumedDirections {
    /// The metric of a value: what the file says of it, else what its unit says.
    pub fn metric(&mut self, name: Option<&str>, label: &str, unit: Unit, direction: Option<Direction>) -> Metric {
        let stated = name.filter(|name| !name.is_empty()).map(|name| Cow::Owned(name.to_owned()));
        let unnamed = if unit == Unit::Count { "count" } else { "value" };
        let name = stated.or_else(|| Some(Cow::Borrowed(name_of(&unit)?))).unwrap_or(Cow::Borrowed(unnamed));
        let direction = direction.or_else(|| direction_of(&unit)).unwrap_or_else(|| {
            *self.0.entry(label.to_owned()).or_default() += 1;
            Direction::Lower
        });
        Metric::measured(name, unit, direction)
    }

    /// Reports what was taken for granted.
    pub fn report(self, builder: &mut ReadingBuilder<'_>, mend: &str) {
        for (label, count) in self.0 {
            let unit = if label.is_empty() { "without a unit".to_owned() } else { format!("in `{label}`") };
            let message = format!("{count} value(s) {unit}: lower is taken for better. {mend}");
            builder.note("assumed-direction", message);
        }
    }
}

/// The metric of a tool that names only units: times are `time`, rates `throughput`, and what has no name of the house
/// goes by the unit's own label, lower being better.
pub(super) fn metric_by_unit(unit: Unit, label: &str) -> Metric {
    let direction = direction_of(&unit).unwrap_or(Direction::Lower);
    let bare = ["/op", "/iter"].iter().find_map(|end| label.strip_suffix(end)).unwrap_or(label);
    let name = name_of(&unit).map_or_else(|| Cow::Owned(bare.to_owned()), Cow::Borrowed);
    Metric::measured(name, unit, direction)
}

/// Which way is better for a unit, where the unit alone says so.
fn direction_of(unit: &Unit) -> Option<Direction> {
    match unit {
        Unit::Nanosecond | Unit::Byte => Some(Direction::Lower),
        Unit::PerSecond | Unit::BytePerSecond => Some(Direction::Higher),
        Unit::Other(label) => is_rate(label).then_some(Direction::Higher),
        Unit::Count | Unit::Percent | Unit::Ratio => None,
    }
}

/// The metric's name, where the unit alone says it.
fn name_of(unit: &Unit) -> Option<&'static str> {
    match unit {
        Unit::Nanosecond => Some("time"),
        Unit::Byte => Some("memory"),
        Unit::PerSecond | Unit::BytePerSecond => Some("throughput"),
        Unit::Other(label) if is_rate(label) => Some("throughput"),
        Unit::Count | Unit::Percent | Unit::Ratio | Unit::Other(_) => None,
    }
}

fn is_rate(label: &str) -> bool {
    ["/s", "/sec", "/second", " per second"].iter().any(|end| label.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_decides_and_only_what_it_leaves_open_is_noted() {
        let mut assumed = AssumedDirections::default();
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
