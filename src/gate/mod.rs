//! The gate: which runs are compared with which, and the steps from results to a verdict.
//!
//! A [`Gate`] has a config, a store and an input format. It judges results on disk against other results
//! ([`Gate::compare`]) or against stored runs ([`Gate::compare_with_store`]), and stores results ([`Gate::record`]). The
//! answer is a [`Report`]: a verdict, and a [`Finding`] for each metric of each benchmark.
//!
//! # Judge two directories
//!
//! ```
//! use perfgate::gate::{Gate, Outcome, Verdict};
//!
//! let gate = Gate::builder().build()?;
//! let base = "tests/data/criterion-08/criterion@before"; // a baseline that criterion saved
//! let head = "tests/data/criterion-08/criterion@after";
//! let report = gate.compare(&[base], &[head])?;
//!
//! assert_eq!(report.verdict, Verdict::Fail);
//! let worst = &report.benchmarks[0];
//! assert_eq!(worst.outcome, Outcome::Regressed);
//! println!("{}: {:+.1}%", worst.name, 100.0 * worst.change.unwrap_or_default());
//! # Ok::<(), perfgate::gate::Error>(())
//! ```
//!
//! # Judge against a store
//!
//! Runs are stored for commits, so this takes a git repository. On the default branch, results are recorded; on other
//! branches they are judged against the stored runs of the merge base.
//!
//! ```
//! use perfgate::gate::{Gate, Verdict};
//!
//! # let scratch = tempfile::tempdir()?;
//! # let directory = scratch.path().join("repository");
//! # let repository = git2::Repository::init(&directory)?;
//! # let author = git2::Signature::now("A", "a@example.com")?;
//! # let tree = repository.find_tree(repository.treebuilder(None)?.write()?)?;
//! # repository.commit(Some("HEAD"), &author, &author, "first", &tree, &[])?;
//! # let store = scratch.path().join("runs");
//! # let results = std::env::current_dir()?.join("tests/data/criterion-08/criterion@before");
//! let gate = Gate::builder()
//!     .repository(&directory)
//!     .store(format!("dir:{}", store.display()))
//!     .config_text("[gate]\nthreshold = \"10%\"")
//!     .build()?;
//!
//! let recorded = gate.record(&[&results])?;
//! assert!(recorded.added);
//!
//! // Later, with new results. Here they are the same, so nothing has changed.
//! let report = gate.compare_with_store(&[&results])?;
//! assert_eq!(report.verdict, Verdict::Pass);
//! assert_eq!(report.counts.regressed, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod baseline;
mod bisect;
mod config;
mod confirm;
mod error;
mod judge;
mod machine_class;
mod measure;
mod pinned;
mod record;
mod series;
mod side;
mod sources;
mod stored_history;
mod tools;

pub use crate::model::{
    Change, Dependency, Diagnostic, Direction, Facts, FileChange, PlotSamples, Said, SampleStatistics, Severity,
    Statement, Statistic, Summary, Tests, WorkUnit,
};
pub use crate::verdict::{
    BudgetLine, BudgetReport, BudgetStatus, Counts, EnvironmentDifference, EnvironmentReport, Failure, Finding,
    GoalLine, GoalStatus, MeanChange, Outcome, Pinned, PinnedFinding, Reason, Report, SeriesPoint, SeriesReport,
    SideReport, Value, Verdict, WorkReport,
};
pub use error::Error;
pub use measure::MeasureError;
pub use record::Recorded;

pub(crate) use bisect::{BisectPlan, BisectResult, bisect, word as bisect_word};
pub(crate) use config::Config;
pub(crate) use confirm::{MeasuredRuns, judge_measured};
pub(crate) use judge::ReportDetail;
pub(crate) use measure::{BenchCommand, MeasurePlan, Progress, measure, measure_and_store};
pub(crate) use record::{is_dirty, store_run};
pub(crate) use side::Side;
pub(crate) use sources::{DefaultSide, SideSource};
pub(crate) use stored_history::{Older, StoredHistory, with_reading};

use crate::policy::Policy;
use std::path::{Path, PathBuf};

/// A performance-regression gate: judges the results of benchmarks. [`Gate::builder`] makes one.
#[derive(Debug, Clone)]
pub struct Gate {
    pub(crate) config: Config,
    store: Option<String>,
    input_format: Option<String>,
    /// Where the git repository is searched from.
    directory: PathBuf,
}

impl Gate {
    /// Starts to make a gate.
    pub fn builder() -> GateBuilder {
        GateBuilder { config: Source::Default, store: None, input_format: None, directory: PathBuf::from(".") }
    }

    /// Judges results against other results. Each side is one path or more, one a run, in time order. A path is a file or
    /// directory that an input format reads, or `DIR@NAME` for a baseline that criterion saved.
    ///
    /// # Errors
    ///
    /// Where a path does not exist or cannot be read, where the sides have no benchmark in common, and where a budget or
    /// goal of the config matches no benchmark. A regression is not an error: see [`Report::verdict`].
    pub fn compare<B: AsRef<Path>, H: AsRef<Path>>(&self, base: &[B], head: &[H]) -> Result<Report, Error> {
        let base = SideSource::Paths(self.results(&words(base))?);
        let head = SideSource::Paths(self.results(&words(head))?);
        self.judge_sources(&base, &head, false, ReportDetail::default())
    }

    /// Judges results of the checked-out commit against stored runs: of its merge base with the default branch and of the
    /// commits before that. Several paths are one run together; without paths, the results are those of `[[input]]` in
    /// the config, or `target/criterion`.
    ///
    /// # Errors
    ///
    /// As [`Gate::compare`]; also where the store cannot be read, outside of a git repository, and where no stored run
    /// can be the base ([`Error::is_missing_baseline`]).
    pub fn compare_with_store<H: AsRef<Path>>(&self, head: &[H]) -> Result<Report, Error> {
        let head = SideSource::WorkTree(self.results(&words(head))?);
        self.judge_sources(&SideSource::MergeBase, &head, false, ReportDetail::default())
    }

    /// Stores results as a run of the checked-out commit. Paths as in [`Gate::compare_with_store`]. Storing the same
    /// results again changes nothing.
    ///
    /// # Errors
    ///
    /// Where the results cannot be read or are empty, outside of a git repository, and where the store cannot be written.
    pub fn record<P: AsRef<Path>>(&self, results: &[P]) -> Result<Recorded, Error> {
        let loaded = self.read_run(&words(results), "HEAD")?;
        store_run(&*self.open_store()?, &loaded.run)
    }

    /// A gate for the command line, which reads the config itself.
    pub(crate) fn new(config: Config, store: Option<&str>, input_format: Option<&str>) -> Gate {
        let (store, input_format) = (store.map(str::to_owned), input_format.map(str::to_owned));
        Gate { config, store, input_format, directory: PathBuf::from(".") }
    }

    /// The policy of the config.
    pub(crate) fn policy(&self) -> &Policy {
        &self.config.policy
    }
}

fn words<P: AsRef<Path>>(paths: &[P]) -> Vec<String> {
    paths.iter().map(|path| path.as_ref().to_string_lossy().into_owned()).collect()
}

/// Settings of a [`Gate`].
#[derive(Debug, Clone)]
pub struct GateBuilder {
    config: Source,
    store: Option<String>,
    input_format: Option<String>,
    directory: PathBuf,
}

#[derive(Debug, Clone)]
enum Source {
    Default,
    File(PathBuf),
    Text(String),
}

impl GateBuilder {
    /// Reads the config from a file. Without a config the defaults apply.
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config = Source::File(path.into());
        self
    }

    /// Takes the config from text, in the format of `perfgate.toml`.
    pub fn config_text(mut self, text: impl Into<String>) -> Self {
        self.config = Source::Text(text.into());
        self
    }

    /// The URL of the store, as `git:REF`, `dir:PATH` or `s3://BUCKET/PREFIX`. Default: that of the config, or
    /// `git:refs/perfgate/baselines`.
    pub fn store(mut self, url: impl Into<String>) -> Self {
        self.store = Some(url.into());
        self
    }

    /// The input format of all results, as `perfgate formats` lists them. Default: recognised by content.
    pub fn input_format(mut self, name: impl Into<String>) -> Self {
        self.input_format = Some(name.into());
        self
    }

    /// A directory inside the git repository. Default: the working directory.
    pub fn repository(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// Makes the gate.
    ///
    /// # Errors
    ///
    /// Where the config cannot be read or has problems; [`Error::Config`] has all of them.
    pub fn build(self) -> Result<Gate, Error> {
        let GateBuilder { config, store, input_format, directory } = self;
        let config = match config {
            Source::Default => Config::at(&directory),
            Source::File(path) => Config::read(&path)?,
            Source::Text(text) => Config::parse(text.as_bytes(), "perfgate.toml", &directory)?,
        };
        Ok(Gate { config, store, input_format, directory })
    }
}
