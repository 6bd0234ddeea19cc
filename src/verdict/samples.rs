//! What the report contains about the samples of a benchmark: the slow part where their mean decides, and two modes.

use crate::compare::Comparison;
use crate::model::{Direction, PerSide, SampleGroup, SampleGroups, SlowPart};

/// The slow parts of base and head.
pub(super) fn slow_parts(comparison: &Comparison) -> Option<PerSide<SlowPart>> {
    let direction = comparison.metric.direction;
    let slow = |groups: SampleGroups| {
        let (slow, others) = match direction {
            Direction::Lower | Direction::Unknown => (groups.upper, groups.lower),
            Direction::Higher => (groups.lower, groups.upper),
        };
        SlowPart { share: slow.share, factor: slow.value / others.value }
    };
    PerSide::of(groups(comparison).map(|side| side.map(slow).filter(|slow| slow.factor.is_finite())))
}

/// Fewer slow samples of an improved benchmark are not mentioned.
const MIN_SLOWER_SHARE: f64 = 0.2;

/// True if a part of head's samples is slower than the typical sample of base, which has no such part.
pub(super) fn some_got_slower(comparison: &Comparison) -> bool {
    let Some(parts) = slow_parts(comparison) else { return false };
    let (Some(head), None) = (parts.head, parts.base) else { return false };
    let (Some(base_value), Some(head_value)) = (comparison.base, comparison.head) else { return false };
    let direction = comparison.metric.direction;
    let slow = groups(comparison)[1].map_or(head_value.value, |groups| match direction {
        Direction::Lower | Direction::Unknown => groups.upper.value,
        Direction::Higher => groups.lower.value,
    });
    head.share >= MIN_SLOWER_SHARE && direction.worse(slow / base_value.value - 1.0) > 0.0
}

/// The factors between the modes of base and head differ by at most this share of the larger, on the log scale.
const SAME_RATIO: f64 = 0.25;

/// The modes of base and head, the smaller first. Two modes on one side alone may come from another program that takes turns
/// with the benchmark.
pub(super) fn modes(comparison: &Comparison) -> Option<PerSide<[SampleGroup; 2]>> {
    let modes = |groups: SampleGroups| groups.are_modes.then_some([groups.lower, groups.upper]);
    let [base, head] = groups(comparison).map(|side| side.and_then(modes));
    let ratio = |[lower, upper]: [SampleGroup; 2]| (upper.value / lower.value).ln();
    let (of_base, of_head) = (ratio(base?), ratio(head?));
    let alike = (of_base - of_head).abs() <= SAME_RATIO * of_base.max(of_head);
    PerSide::of([base, head]).filter(|_| alike)
}

fn groups(comparison: &Comparison) -> [Option<SampleGroups>; 2] {
    comparison.sample_groups.as_deref().copied().unwrap_or_default()
}
