//! The two groups that the samples of a benchmark fall into, for the report.

use serde::{Deserialize, Serialize};

/// Part of the samples of a side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleGroup {
    /// The median of the group, in the unit of the metric.
    pub value: f64,
    /// Its share of the samples.
    pub share: f64,
}

/// The samples of a side in two groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleGroups {
    /// The group with the smaller values.
    pub lower: SampleGroup,
    /// The group with the larger values.
    pub upper: SampleGroup,
    /// True if the groups are two modes, false for an arbitrary limit within a wide distribution.
    pub are_modes: bool,
}

/// A value for each side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PerSide<T> {
    /// The value of base; `None` if it has none.
    pub base: Option<T>,
    /// The value of head; `None` if it has none.
    pub head: Option<T>,
}

impl<T> PerSide<T> {
    /// The values; `None` if neither side has one.
    pub fn of([base, head]: [Option<T>; 2]) -> Option<Self> {
        (base.is_some() || head.is_some()).then_some(PerSide { base, head })
    }
}

/// The slow part of the samples of a side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SlowPart {
    /// Its share of the samples.
    pub share: f64,
    /// Its median divided by that of the other samples: 3.0 for a time, 0.33 for a rate.
    pub factor: f64,
}
