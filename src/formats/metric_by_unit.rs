//! Chooses a metric's name and direction by its unit, for files that state neither. Rates are better when higher, times
//! and memory when lower. Else the words of the name decide, or the direction is unknown.

use super::direction_words::{direction_of_words, is_remaining};
use crate::model::{Direction, Metric, Unit};
use std::borrow::Cow;

/// The metric of a value: as the file states it, else by its unit and the words of its name.
pub(super) fn stated_metric(name: Option<&str>, label: &str, unit: Unit, direction: Option<Direction>) -> Metric {
    let stated = name.filter(|name| !name.is_empty()).map(|name| Cow::Owned(name.to_owned()));
    let unnamed = if unit == Unit::Count { "count" } else { "value" };
    let name = stated.or_else(|| Some(Cow::Borrowed(name_of(&unit)?))).unwrap_or(Cow::Borrowed(unnamed));
    let is_doubtful =
        unit == Unit::Byte && is_remaining(&name) || unit == Unit::Nanosecond && name.eq_ignore_ascii_case("uptime");
    let assumed = || match is_doubtful {
        true => direction_of_words(&name),
        false => direction_of(&unit).or_else(|| direction_of_words(&name)).or_else(|| direction_of_words(label)),
    };
    match direction {
        Some(direction) => Metric::measured(name, unit, direction),
        None => {
            let direction = assumed();
            Metric::measured(name, unit, Direction::Unknown).with_assumed(direction)
        }
    }
}

/// The metric of a value that has no name but the benchmark's. That name may contradict the unit (`Free Memory` in MB). The
/// name of a time is never consulted: `lock_free_queue` and `malloc/free` are programs.
pub(super) fn metric_of_benchmark(benchmark: &str, label: &str, unit: Unit, direction: Option<Direction>) -> Metric {
    let metric = stated_metric(None, label, unit, direction);
    let is_amount = matches!(metric.unit, Unit::Byte | Unit::Count | Unit::Percent);
    let is_doubtful =
        direction.is_none() && metric.direction == Direction::Lower && is_amount && is_remaining(benchmark);
    if is_doubtful { Metric { direction: Direction::Unknown, ..metric } } else { metric }
}

/// The metric of a tool that names only units: times are `time`, rates `throughput`. For any other unit, the metric
/// has the name of the unit, and the words in it decide the direction.
pub(super) fn metric_by_unit(unit: Unit, label: &str) -> Metric {
    let bare = ["/op", "/iter"].iter().find_map(|end| label.strip_suffix(end)).unwrap_or(label);
    let name = name_of(&unit).map_or_else(|| Cow::Owned(bare.to_owned()), Cow::Borrowed);
    match direction_of(&unit) {
        Some(direction) => Metric::measured(name, unit, direction),
        None => Metric::measured(name, unit, Direction::Unknown).with_assumed(direction_of_words(label)),
    }
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
    const ENDS: [&str; 9] = ["/s", "/sec", "/second", " per second", "/min", "/minute", " per minute", "/h", "/hour"];
    const NAMES: [&str; 9] = ["bps", "kbps", "Kbps", "Mbps", "Gbps", "Tbps", "kHz", "MHz", "GHz"];
    ENDS.iter().any(|end| label.ends_with(end)) || NAMES.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_that_neither_unit_nor_words_determine_is_unknown() {
        let unit = |label: &str| Unit::parse(label).map_or_else(|| Unit::Other(label.into()), |scale| scale.unit);
        let direction = |label: &str| stated_metric(None, label, unit(label), None).direction;
        assert_eq!(["ms", "MB"].map(direction), [Direction::Lower; 2]);
        assert_eq!(["req/s", "MB/s", "ops/sec", "widgets/s"].map(direction), [Direction::Higher; 4]);
        assert_eq!(["Mbit/s", "Mbps", "kHz", "GHz", "jobs/min", "pages/h"].map(direction), [Direction::Higher; 6]);
        assert_eq!(["points", "%", ""].map(direction), [Direction::Unknown; 3]);
        let stated = |name, direction| stated_metric(Some(name), "points", unit("points"), direction).direction;
        assert_eq!(stated("hit-rate", None), Direction::Higher);
        assert_eq!(stated("hit-rate", Some(Direction::Lower)), Direction::Lower);
        let of = |name, direction| metric_of_benchmark(name, "MB", Unit::Byte, direction).direction;
        assert_eq!(
            ["Free Memory", "disk space available", "headroom"].map(|name| of(name, None)),
            [Direction::Unknown; 3]
        );
        assert_eq!(["malloc_free", "lock-free queue", "saved graph"].map(|name| of(name, None)), [Direction::Lower; 3]);
        assert_eq!(
            (of("Memory", None), of("Free Memory", Some(Direction::Higher))),
            (Direction::Lower, Direction::Higher)
        );
    }

    #[test]
    fn words_for_what_remains_do_not_apply_to_times() {
        let time = |name| metric_of_benchmark(name, "ns", Unit::Nanosecond, None).direction;
        assert_eq!(["lock_free_queue", "malloc/free", "saved_game/load"].map(time), [Direction::Lower; 3]);
        let stated = |name, label, unit| stated_metric(Some(name), label, unit, None).direction;
        assert_eq!(stated("time_free", "ns", Unit::Nanosecond), Direction::Lower);
        assert_eq!(stated("uptime", "ms", Unit::Nanosecond), Direction::Unknown);
        assert_eq!(stated("free_memory", "bytes", Unit::Byte), Direction::Unknown);
        assert_eq!(stated("lock_free", "req/s", Unit::PerSecond), Direction::Higher);
    }
}
