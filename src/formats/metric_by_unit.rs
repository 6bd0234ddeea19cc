//! Chooses a metric's name and direction by its unit, for files that state neither. Rates are better when higher, times
//! and memory when lower. For other units lower is assumed to be better, which is reported once per unit.

use super::builder::ReadingBuilder;
use super::direction_words::direction_of_words;
use crate::model::{Direction, Metric, Unit};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Number of values per unit whose direction neither the file nor the unit states.
#[derive(Debug, Default)]
pub(super) struct AssumedDirections(BTreeMap<String, usize>);

impl AssumedDirections {
    /// The metric of a value: as the file states it, else by its unit.
    pub fn metric(&mut self, name: Option<&str>, label: &str, unit: Unit, direction: Option<Direction>) -> Metric {
        let stated = name.filter(|name| !name.is_empty()).map(|name| Cow::Owned(name.to_owned()));
        let unnamed = if unit == Unit::Count { "count" } else { "value" };
        let name = stated.or_else(|| Some(Cow::Borrowed(name_of(&unit)?))).unwrap_or(Cow::Borrowed(unnamed));
        let by_words = || direction_of_words(&name).or_else(|| direction_of_words(label));
        let direction = direction.or_else(|| direction_of(&unit)).or_else(by_words).unwrap_or_else(|| {
            *self.0.entry(label.to_owned()).or_default() += 1;
            Direction::Lower
        });
        Metric::measured(name, unit, direction)
    }

    /// Reports each unit with an assumed direction. `advice` explains how to state it in this format.
    pub fn report(self, builder: &mut ReadingBuilder<'_>, advice: &str) {
        for (label, count) in self.0 {
            let values = if count == 1 { "value" } else { "values" };
            let unit = if label.is_empty() { "without a unit".to_owned() } else { format!("in `{label}`") };
            let message = format!("{count} {values} {unit}: assuming that lower is better. {advice}");
            builder.note("assumed-direction", message);
        }
    }
}

/// The metric of a tool that names only units: times are `time`, rates `throughput`. For any other unit the metric is
/// called like the unit, and words in it decide.
pub(super) fn metric_by_unit(builder: &mut ReadingBuilder<'_>, unit: Unit, label: &str) -> Metric {
    let direction =
        direction_of(&unit).or_else(|| direction_of_words(label)).unwrap_or_else(|| builder.assume_lower(label));
    let bare = ["/op", "/iter"].iter().find_map(|end| label.strip_suffix(end)).unwrap_or(label);
    let name = name_of(&unit).map_or_else(|| Cow::Owned(bare.to_owned()), Cow::Borrowed);
    Metric::measured(name, unit, direction)
}

/// The better direction, if the unit alone determines it.
fn direction_of(unit: &Unit) -> Option<Direction> {
    match unit {
        Unit::Nanosecond | Unit::Byte => Some(Direction::Lower),
        Unit::PerSecond | Unit::BytePerSecond => Some(Direction::Higher),
        Unit::Other(label) => is_rate(label).then_some(Direction::Higher),
        Unit::Count | Unit::Percent | Unit::Ratio => None,
    }
}

/// The metric name, if the unit alone determines it.
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
    fn only_directions_that_the_unit_does_not_determine_are_assumed() {
        let mut assumed = AssumedDirections::default();
        let unit = |label: &str| Unit::parse(label).map_or_else(|| Unit::Other(label.into()), |scale| scale.unit);
        let mut direction = |label: &str| assumed.metric(None, label, unit(label), None).direction;
        assert_eq!(["ms", "MB"].map(&mut direction), [Direction::Lower; 2]);
        assert_eq!(["req/s", "MB/s", "ops/sec", "widgets/s"].map(&mut direction), [Direction::Higher; 4]);
        assert_eq!(["points", "%", ""].map(&mut direction), [Direction::Lower; 3]);
        let reported: Vec<&str> = assumed.0.keys().map(String::as_str).collect();
        assert_eq!(reported, ["", "%", "points"]);
    }
}
