//! The errors of a gate.

use super::measure::MeasureError;
use crate::io::input::InputError;
use crate::io::repository::RepositoryError;
use crate::io::store::StoreError;
use crate::model::record::RecordError;
use crate::policy::Problems;
use std::path::PathBuf;

/// An error that prevents a verdict. The message states what is wrong and how to fix it; the cause, if there is one, is the
/// [`source`](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No stored run can be the base, as in the first run of a repository: see [`Error::is_missing_baseline`].
    #[error("{0}")]
    MissingBaseline(String),
    /// Head is a revision without a stored run: it was not measured.
    #[error("{0}")]
    HeadNotStored(String),
    /// The config file cannot be read.
    #[error("{path}: cannot read the config")]
    ConfigFile {
        /// The file.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The config has problems.
    #[error("{name} has {} {}", .problems.iter().len(), if .problems.iter().len() == 1 { "problem" } else { "problems" })]
    Config {
        /// The file.
        name: String,
        /// All of them.
        problems: Box<Problems>,
    },
    /// Budgets or goals of the config match no benchmark of head.
    #[error("{message}")]
    UnmatchedLimits {
        /// The first of them, with its line, and how many more there are.
        message: String,
        /// Those with a line in the config, each framed under its line.
        frames: Option<Box<Problems>>,
        /// Those without a line, from the command line.
        unframed: Vec<String>,
    },
    /// A path does not exist.
    #[error("{word}: no such file or directory")]
    NoSuchPath {
        /// As the user wrote it.
        word: String,
        /// If it could be a git revision: why it is not one.
        source: Option<RepositoryError>,
    },
    /// A path that does not exist, outside of a git repository.
    #[error("{word} is neither a path nor a git revision: {} is not in a git repository", directory.display())]
    NotInRepository {
        /// As the user wrote it.
        word: String,
        /// The working directory.
        directory: PathBuf,
    },
    /// `PATH@NAME`, but PATH is a file.
    #[error("{word}: {path} is not a directory, so it has no saved baseline")]
    NotADirectory {
        /// As the user wrote it.
        word: String,
        /// The part before the `@`.
        path: String,
    },
    /// Neither a path nor a revision.
    #[error("{word}: neither a path nor a git revision; check the spelling, or fetch the revision first")]
    UnknownSide {
        /// As the user wrote it.
        word: String,
    },
    /// A revision next to other words.
    #[error("{word}: a revision cannot be combined with other values for a side; give one revision, or paths")]
    RevisionAmongPaths {
        /// The revision.
        word: String,
    },
    /// No results were named, and there are none in the default place.
    #[error("no results{} in {looked}; {advice}", if *.is_head { " for head" } else { "" })]
    NoResults {
        /// True if they would be the head of a comparison.
        is_head: bool,
        /// Where they were searched.
        looked: String,
        /// The results that could be meant, or how to get some.
        advice: String,
    },
    /// One path was given, and there is nothing to compare it with.
    #[error(
        "{word}: nothing to compare it with: no stored runs in {store}, no results in {looked}; store a baseline with \
         `perfgate record`, fetch the runs of others with `perfgate runs pull`, or give two paths, as in `perfgate compare OLD NEW`"
    )]
    OnePath {
        /// As the user wrote it.
        word: String,
        /// The store.
        store: String,
        /// Where results were searched.
        looked: String,
    },
    /// A path of `[[input]]` does not exist.
    #[error("{place}: {path} does not exist; run the benchmarks first")]
    MissingInput {
        /// The line of the config.
        place: String,
        /// The path.
        path: String,
    },
    /// The base was left out, and only a git repository has a default base.
    #[error(
        "no base given, and {} is not in a git repository with stored runs; give two results, as in `perfgate compare OLD NEW`",
        directory.display()
    )]
    NoDefaultBase {
        /// The working directory.
        directory: PathBuf,
    },
    /// The store is empty.
    #[error("{store} has no runs; store one with `perfgate record`, or fetch shared ones with `perfgate runs pull`")]
    EmptyStore {
        /// The store.
        store: String,
    },
    /// No stored run can be read.
    #[error("none of the runs in {store} can be read:\n{problems}")]
    UnreadableRuns {
        /// The store.
        store: String,
        /// What is wrong with each, one per line.
        problems: String,
    },
    /// All results of the work tree are older than the checked-out commit.
    #[error("nothing was measured for {commit}: all results are older than the commit; run the benchmarks")]
    OnlyOlderResults {
        /// The commit.
        commit: String,
    },
    /// Results that a user named, and that count as those of the checked-out commit, are all older than it.
    #[error(
        "{results}: nothing was measured for {commit}: all results are older than the commit; run the benchmarks, or name a base to \
         compare these results with, as in `--base REVISION`"
    )]
    OlderThanCommit {
        /// The results, as the user wrote them.
        results: String,
        /// The commit.
        commit: String,
    },
    /// Results to store are exactly those stored for an earlier commit.
    #[error(
        "nothing was measured for {commit}: the results are exactly those stored for {earlier}; run the benchmarks"
    )]
    StoredForEarlierCommit {
        /// The commit that they would be stored for.
        commit: String,
        /// The earlier commit.
        earlier: String,
    },
    /// Head has exactly the samples of base.
    #[error("{}", same_results(base, *base_runs, head, *same_place))]
    SameResults {
        /// The label of the base.
        base: String,
        /// The number of its runs.
        base_runs: usize,
        /// The label of the head.
        head: String,
        /// True if both are the same files.
        same_place: bool,
    },
    /// The two sides have no benchmark in common.
    #[error("nothing to compare: {base} and {head} have no benchmark in common; {hint}")]
    NothingInCommon {
        /// The label of the base.
        base: String,
        /// The label of the head.
        head: String,
        /// What to check.
        hint: String,
    },
    /// The two sides are results of different tools.
    #[error(
        "base and head have results of different tools: {base_tools} ({base}) and {head_tools} ({head}); use one format for both sides, or join their series with [[continue]] in perfgate.toml"
    )]
    DifferentTools {
        /// The label of the base.
        base: String,
        /// Its tools.
        base_tools: String,
        /// The label of the head.
        head: String,
        /// Its tools.
        head_tools: String,
    },
    /// The results have no commit to be stored for.
    #[error("the results have no commit to be stored for")]
    NoCommit {
        /// What git reported.
        source: Option<RepositoryError>,
    },
    /// Results state another commit than the one they would be stored for.
    #[error(
        "{word}: the results state commit {stated}, and {commit} is checked out; use --commit {stated} to store them for their commit, or --commit HEAD to store them for the checked-out one"
    )]
    OtherCommit {
        /// The path, as the user wrote it.
        word: String,
        /// The commit that the results state.
        stated: String,
        /// The checked-out commit.
        commit: String,
    },
    /// Results state another commit than the one they would be compared as.
    #[error(
        "{word}: the results state commit {stated}, and {commit} is checked out; run the benchmarks again. If the results are of the checked-out commit, use --commit HEAD; to compare them with the base of their own commit, use --commit {stated}"
    )]
    OtherHead {
        /// The paths, as the user wrote them.
        word: String,
        /// The commit that the results state.
        stated: String,
        /// The checked-out commit.
        commit: String,
    },
    /// Results of head state a commit of the base.
    #[error(
        "{word}: the results state commit {stated}, which is part of the base; run the benchmarks on the checked-out commit"
    )]
    ResultsOfBase {
        /// The paths, as the user wrote them.
        word: String,
        /// The commit that the results state.
        stated: String,
    },
    /// There are no results to store.
    #[error("no benchmark results, so nothing was stored")]
    NothingToStore,
    /// All benchmarks failed.
    #[error("all benchmarks failed, so nothing was stored: {what} failed{}{why}", if why.is_empty() { "" } else { ": " })]
    AllFailed {
        /// The first one, or the run.
        what: String,
        /// The tool's message; may be empty.
        why: String,
    },
    /// The results cannot be stored.
    #[error("cannot store these results")]
    Encode {
        /// Why not.
        source: RecordError,
    },
    /// Results cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The git repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// A benchmark command failed, or its sides could not be checked out.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// A measurement stopped after some of its runs were stored.
    #[error("{stored} finished {} stored; the others are lost or were not measured", if *.stored == 1 { "run is" } else { "runs are" })]
    Stopped {
        /// How many.
        stored: usize,
        /// What stopped it.
        source: Box<Error>,
    },
    /// A measurement stopped after some of its runs had finished, and stored none.
    #[error(
        "{lost} finished {} lost (`perfgate measure --record` stores each run of the whole suite when it ends)",
        if *.lost == 1 { "run is" } else { "runs are" }
    )]
    RunsLost {
        /// How many.
        lost: usize,
        /// What stopped it.
        source: Box<Error>,
    },
}

fn same_results(base: &str, base_runs: usize, head: &str, same_place: bool) -> String {
    if same_place {
        return format!("base and head are the same results ({head}); give two different results to compare");
    }
    let base = if base_runs > 1 { format!("a run of base ({base})") } else { base.to_owned() };
    format!("nothing was measured for {head}: it has exactly the samples of {base}; run the benchmarks")
}

impl Error {
    /// True if there is no stored run to compare with, as on the first run of a repository.
    pub fn is_missing_baseline(&self) -> bool {
        matches!(self, Error::MissingBaseline(_))
    }
}
