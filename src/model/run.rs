//! A run: the results of one execution of a suite.

use super::{BenchId, Commit, Environment, Measurement, Statement, Tests};

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
    /// How many tests passed and failed, where a test runner's report was read; not stored.
    pub tests: Option<Tests>,
    /// Database statements that ran often, where a log of statements was read; not stored.
    pub repeated: Option<Vec<Statement>>,
}
