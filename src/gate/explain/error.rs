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
        "{program} is not installed, and explain counts instructions with it; install it (`apt-get install valgrind`), or compare \
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
        "`{command}` of {side} ran no benchmark {benchmark:?}; `go test -list 'Benchmark.*'` lists those of a package"
    )]
    NoGoBenchmark {
        /// `base` or `head`.
        side: &'static str,
        /// The benchmark.
        benchmark: String,
        /// The command.
        command: String,
    },
    /// Criterion runs the benchmark on one side only.
    #[error(
        "{side} runs {benchmark:?} without criterion's `iter`, and the other side with it; their instructions cannot be compared"
    )]
    NoIteration {
        /// `base` or `head`.
        side: &'static str,
        /// The benchmark.
        benchmark: String,
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
