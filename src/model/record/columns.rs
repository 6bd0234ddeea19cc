//! What the index of a record consists of: the numbers of its columns and codes, and the order of its measurements.
//! `write` and `read` are its two sides.

use super::RecordError;
use super::wire::damaged;
use crate::model::{Measurement, Metric, WorkUnit};

/// The columns. A number is never given to another meaning; a reader steps over those that it does not know.
pub(super) mod tag {
    pub const RUN: u64 = 1;
    pub const NAMES: u64 = 2;
    pub const KINDS: u64 = 3;
    pub const WORK: u64 = 4;
    pub const EVIDENCE: u64 = 5;
    pub const CENTRES: u64 = 6;
    pub const MEASURES: u64 = 7;
    pub const SUMMARIES: u64 = 8;
    pub const VALUES: u64 = 9;
    /// Quantiles beside digests whose samples were thinned; left out where there are none.
    pub const QUANTILES: u64 = 10;
}

/// What one replicate's evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Samples as steps on the log scale.
    Steps = 0,
    /// Samples to the last bit.
    Exact = 1,
    /// A digest without its samples.
    Digest = 2,
    Summary = 3,
    Value = 4,
}

impl Form {
    pub(super) fn of(byte: u8) -> Result<Form, RecordError> {
        [Form::Steps, Form::Exact, Form::Digest, Form::Summary, Form::Value]
            .into_iter()
            .find(|form| *form as u8 == byte)
            .ok_or_else(|| damaged("an unknown form of evidence"))
    }
}

/// Tool and metric: few differ within a run, so each is written once.
pub(super) type Kind<'a> = (&'a str, &'a Metric);

/// Bytes of a kind's texts, which a record holds once and a run for each measurement.
pub(super) fn weight((tool, metric): Kind<'_>) -> usize {
    tool.len() + metric.name.len() + metric.unit.label().len()
}

/// The house order of measurements.
pub(super) fn order(a: &Measurement, b: &Measurement) -> std::cmp::Ordering {
    a.benchmark.cmp(&b.benchmark).then_with(|| a.metric.cmp(&b.metric)).then_with(|| a.tool.cmp(&b.tool))
}

pub(super) fn work_code(unit: WorkUnit) -> u8 {
    match unit {
        WorkUnit::Bytes => 1,
        WorkUnit::BytesDecimal => 2,
        WorkUnit::Bits => 3,
        WorkUnit::Elements => 4,
    }
}

pub(super) fn work_unit(code: u8) -> Result<WorkUnit, RecordError> {
    [WorkUnit::Bytes, WorkUnit::BytesDecimal, WorkUnit::Bits, WorkUnit::Elements]
        .into_iter()
        .find(|unit| work_code(*unit) == code)
        .ok_or_else(|| damaged("an unknown unit of work"))
}
