//! A Run: what one pass over a benchmark suite left behind.

use super::{BenchId, Commit, Environment, Measurement};

/// The results of one pass over a suite, with where and when it was made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The commit that was measured, where known.
    pub commit: Option<Commit>,
    /// The commit's time, else the time of the measurement; seconds since 1970.
    pub time: i64,
    /// The branch, where known.
    pub branch: Option<String>,
    /// The machine and toolchain.
    pub environment: Environment,
    /// Ordered by benchmark, then metric, then tool; no two alike in all three.
    pub measurements: Vec<Measurement>,
    /// Benchmarks that were run but whose numbers could not be read; not stored.
    pub unreadable: Vec<BenchId>,
}
