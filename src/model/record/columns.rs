//! The format of the index of a record: tags of columns, codes, and the order of measurements. Used by `write` and `read`.

use super::error::RecordError;
use super::wire::damaged;
use crate::model::{Measurement, Metric, WorkUnit};

/// The tags of the columns. A tag never changes its meaning; a reader skips unknown tags.
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
    /// Quantiles of pruned samples; absent if there are none.
    pub const QUANTILES: u64 = 10;
    /// What the tools report as failed; absent if nothing is.
    pub const FAILURES: u64 = 11;
    /// Versions of benchmarks; absent if the tools state none.
    pub const VERSIONS: u64 = 12;
    /// Typical means of samples.
    pub const TYPICAL_MEANS: u64 = 13;
    /// Iterations of a sample of each measurement; absent if the tools report none.
    pub const ITERATIONS: u64 = 14;
    /// Splits of samples into two groups; absent if there are none.
    pub const SPLITS: u64 = 15;
    /// When the run was measured; absent if the results do not state it.
    pub const MEASURED: u64 = 16;
}

/// The encoding of the evidence of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Samples as steps on the log scale.
    Steps = 0,
    /// Samples without loss.
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

/// Tool and metric: a run has few different ones, so each is written once.
pub(super) type ToolMetric<'a> = (&'a str, &'a Metric);

/// Bytes of the names of tool and metric, which a record has once and a decoded run for each measurement.
pub(super) fn name_bytes((tool, metric): ToolMetric<'_>) -> usize {
    tool.len() + metric.name.len() + metric.unit.label().len()
}

/// The order of measurements.
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
