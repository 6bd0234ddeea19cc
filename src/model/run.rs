//! A run: the results of one execution of a suite.

use super::{BenchId, Commit, Environment, Measurement};

/// The results of one execution of a suite on one machine at one commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// The commit that was measured, where known.
    pub commit: Option<Commit>,
    /// Time of the commit, otherwise of the measurement, in seconds since 1970.
    pub time: i64,
    /// The branch, where known.
    pub branch: Option<String>,
    /// The machine and toolchain.
    pub environment: Environment,
    /// Sorted by benchmark, metric and tool; unique in these three.
    pub measurements: Vec<Measurement>,
    /// Benchmarks whose results could not be read; not stored.
    pub unreadable: Vec<BenchId>,
}
