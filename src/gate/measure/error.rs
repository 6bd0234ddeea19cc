//! Why a measurement stopped.

use crate::io::capture::MAX_BYTES;
use crate::io::command::CommandError;
use crate::io::input::InputError;
use crate::io::profile::ProfileFileError;
use crate::io::repository::RepositoryError;
use crate::io::worktree::WorktreeError;
use std::path::PathBuf;

/// Why a measurement stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// There is no git repository to check both sides out from.
    #[error("no git repository to check both sides out from")]
    NoRepository {
        /// What git reported.
        source: RepositoryError,
    },
    /// A bare repository.
    #[error("this repository has no work tree; run perfgate in a clone of it")]
    NoWorkTree,
    /// `--pin` names a processor that this process cannot use.
    #[error("--pin: processor {processor} is not available; use some of {}", available.iter().map(usize::to_string).collect::<Vec<_>>().join(","))]
    NoProcessor {
        /// Its number.
        processor: usize,
        /// The processors that can be used.
        available: Vec<usize>,
    },
    /// A file or directory cannot be read or written.
    #[error("{}: cannot {what}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of valgrind cannot be read.
    #[error(transparent)]
    Profile(#[from] ProfileFileError),
    /// The scratch directory is inside the work tree.
    #[error("the scratch directory {} is inside the work tree; choose one outside it", path.display())]
    ScratchInside {
        /// The directory.
        path: PathBuf,
    },
    /// A side does not build.
    #[error("{side} ({commit}) does not build{hint}")]
    Build {
        /// `base` or `head`.
        side: &'static str,
        /// Its commit, short.
        commit: String,
        /// What may be missing, or nothing.
        hint: &'static str,
        /// How the build ended.
        source: Box<CommandError>,
    },
    /// A run failed, so there is no verdict.
    #[error("no verdict: a run of {side} ({commit}) failed{hint}")]
    Run {
        /// `base` or `head`.
        side: &'static str,
        /// Its commit, short.
        commit: String,
        /// What may be missing, or nothing.
        hint: &'static str,
        /// What went wrong.
        source: Box<MeasureError>,
    },
    /// A command without results left some in a later run.
    #[error("`{command}` wrote results in this run and none in earlier runs; check that it does the same in each run")]
    LateResults {
        /// The command.
        command: String,
    },
    /// A benchmark command left no results.
    #[error(
        "`{command}` wrote no results in a known format: not to {{out}}, not below the work tree, not to standard output; \
         {output}"
    )]
    NoResults {
        /// The command.
        command: String,
        /// Its last lines.
        output: String,
    },
    /// The results may be in output that was too long to keep.
    #[error(
        "`{command}` printed more than {} MiB and wrote no results to files, so its results could not be kept; make it \
         print less, or write its results to {{out}}", MAX_BYTES >> 20
    )]
    OutputTooLong {
        /// The command.
        command: String,
    },
    /// Valgrind is not installed.
    #[error(
        "`--count instructions` needs valgrind, which is not installed; install it (`apt-get install valgrind`), or leave out \
         --count to measure time"
    )]
    NoValgrind,
    /// The command does not execute the same instructions each time.
    #[error(
        "instructions of `{command}` cannot be compared: --count supports `cargo bench` with criterion, and native programs that do \
         the same work in each run. It supports neither interpreters nor tools that choose the number of iterations by the clock. \
         Leave out --count to measure time"
    )]
    NotCountable {
        /// The command.
        command: String,
    },
    /// No bench target has benchmarks of criterion.
    #[error(
        "`{command}` has no criterion benchmarks to count: none of its bench targets lists any; choose the target with `-- cargo bench \
         --bench NAME`, or leave out --count to measure time"
    )]
    NothingToCount {
        /// The command.
        command: String,
    },
    /// The profile does not have criterion's functions.
    #[error(
        "no benchmark of `{command}` was counted: valgrind cannot find criterion's functions, because the programs have no symbols; set \
         CARGO_PROFILE_BENCH_STRIP=none, or remove `strip` from the profile"
    )]
    NoSymbols {
        /// The command.
        command: String,
    },
    /// Valgrind wrote no counts.
    #[error("valgrind wrote no counts for `{command}`; check that the command runs without perfgate")]
    NoCounts {
        /// The command.
        command: String,
    },
    /// Both sides have the same results.
    #[error(
        "nothing was measured: base and head have exactly the same results, down to the last digit; check that the command runs the \
         benchmarks of its work tree each time, and neither reuses earlier results nor reads them from another directory"
    )]
    SameResults,
    /// Base and head would be the same commit.
    #[error(
        "HEAD is on the default branch without changes, so both sides would be the same; choose the base with --base, as in \
         --base HEAD~1"
    )]
    SameSides,
    /// The stored runs to screen against come from other machines.
    #[error(
        "all stored runs of {base} ({commit}) come from other machines; leave out --stored to measure base here too"
    )]
    OtherMachines {
        /// The base.
        base: String,
        /// Its commit, short.
        commit: String,
    },
    /// The sides cannot be checked out.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// The repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// The command failed.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The results cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Bisect was given the same commit twice.
    #[error("{good} and {bad} are the same commit; there is nothing to search")]
    SameCommit {
        /// `--good`.
        good: String,
        /// `--bad`.
        bad: String,
    },
    /// The good commit is not an ancestor of the bad one.
    #[error("{good} is not an ancestor of {bad}; choose one with --good")]
    NotAnAncestor {
        /// `--good`.
        good: String,
        /// `--bad`.
        bad: String,
    },
    /// The bad commit is not slower than the good one.
    #[error("no evidence that {benchmark} is slower at {bad} than at {good}: {why}")]
    NotSlower {
        /// The benchmark.
        benchmark: String,
        /// `--bad`.
        bad: String,
        /// `--good`.
        good: String,
        /// What was measured.
        why: String,
    },
    /// The good commit cannot be measured.
    #[error("the good commit cannot be measured")]
    GoodCommit {
        /// Why not.
        source: Box<MeasureError>,
    },
    /// The benchmark is not among the results.
    #[error("{commit} has no result {benchmark} ({metric}). {found}")]
    NotInResults {
        /// The benchmark.
        benchmark: String,
        /// The metric.
        metric: String,
        /// The commit, short.
        commit: String,
        /// A sentence with the nearest name, or with some of the results.
        found: String,
    },
    /// The file does not state which way is better.
    #[error(
        "the better direction of {metric} of {benchmark} is unknown; state it in perfgate.toml: a [[benchmark]] with match = \
         \"{benchmark}\", metric = \"{metric}\" and direction = \"higher\" or \"lower\""
    )]
    UnknownDirection {
        /// The benchmark.
        benchmark: String,
        /// The metric.
        metric: String,
    },
    /// No ratio can be computed, because a run measured zero.
    #[error("{benchmark}: a run measured zero, and bisect compares ratios; choose another metric with --metric")]
    Zero {
        /// The benchmark.
        benchmark: String,
    },
}

impl MeasureError {
    /// True if the command ended well, and left no results.
    pub(crate) fn is_without_results(&self) -> bool {
        matches!(self.reason(), MeasureError::NoResults { .. })
    }

    /// True if a run exceeded its time limit.
    pub(crate) fn is_timeout(&self) -> bool {
        matches!(self.reason(), MeasureError::Command(CommandError::TimedOut { .. } | CommandError::Silent { .. }))
    }

    /// Why a run failed; for another error, the error itself.
    pub(crate) fn reason(&self) -> &MeasureError {
        match self {
            MeasureError::Run { source, .. } => source.reason(),
            error => error,
        }
    }

    /// The failed run and the reason in one line, without the output of the command.
    pub(crate) fn in_a_line(&self) -> String {
        let reason = self.reason().to_string();
        let first = reason.lines().next().unwrap_or_default();
        let output = ["; its last lines:", "; it printed nothing"];
        let first = output.iter().find_map(|end| first.strip_suffix(*end)).unwrap_or(first);
        match self {
            MeasureError::Run { side, commit, .. } => format!("a run of {side} ({commit}) failed: {first}"),
            _ => first.to_owned(),
        }
    }

    /// True if the user stopped it.
    pub(crate) fn is_interrupted(&self) -> bool {
        match self {
            MeasureError::Command(CommandError::Interrupted) => true,
            MeasureError::Build { source, .. } => matches!(**source, CommandError::Interrupted),
            MeasureError::Run { source, .. } | MeasureError::GoodCommit { source } => source.is_interrupted(),
            _ => false,
        }
    }
}
