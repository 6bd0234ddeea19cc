//! The errors of `explain`.

use crate::gate::measure::MeasureError;
use crate::io::command::CommandError;
use crate::io::profile::ProfileFileError;

/// An error of `explain`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The profiler is not installed.
    #[error(
        "{program} is not installed, and explain needs it to count instructions; install it (`apt-get install valgrind`), or compare \
        two existing profiles with `perfgate explain BASE_PROFILE HEAD_PROFILE`"
    )]
    NoProfiler {
        /// Its program.
        program: &'static str,
    },
    /// No bench target has the benchmark.
    #[error("no bench target of {side} has the benchmark {benchmark:?}; {found}")]
    NoBenchmark {
        /// `base` or `head`.
        side: &'static str,
        /// The benchmark.
        benchmark: String,
        /// The nearest name, or what there is.
        found: String,
    },
    /// `go test` ran no such benchmark.
    #[error(
        "`{command}` of {side} ran no benchmark {benchmark:?}; to list the names, run `go test -list 'Benchmark.*'`"
    )]
    NoGoBenchmark {
        /// `base` or `head`.
        side: &'static str,
        /// The benchmark.
        benchmark: String,
        /// The command.
        command: String,
    },
    /// The profiles of the sides cover different parts of the benchmark.
    #[error(
        "the profiles of {benchmark:?} cannot be compared: that of base covers {base}, and that of head covers {head}"
    )]
    DifferentExtents {
        /// The benchmark.
        benchmark: String,
        /// What the profile of base covers.
        base: &'static str,
        /// What the profile of head covers.
        head: &'static str,
    },
    /// The profiler ran and wrote nothing.
    #[error("`{command}` wrote no profile")]
    NoProfile {
        /// The command.
        command: String,
    },
    /// The command under the profiler failed.
    #[error("{side} fails under the profiler")]
    Run {
        /// `base` or `head`.
        side: &'static str,
        /// How it ended.
        source: CommandError,
    },
    /// A side cannot be checked out or built.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// The profile cannot be read.
    #[error(transparent)]
    Profile(#[from] ProfileFileError),
}

impl ExplainError {
    /// True if other benchmarks may still be explained.
    pub(super) fn concerns_one_benchmark(&self) -> bool {
        matches!(
            self,
            ExplainError::NoBenchmark { .. }
                | ExplainError::NoGoBenchmark { .. }
                | ExplainError::DifferentExtents { .. }
                | ExplainError::Measure(MeasureError::OutputTooLong { .. })
        )
    }
}
