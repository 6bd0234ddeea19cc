//! The gate: which runs are compared with which, and the steps from results to a verdict.
//!
//! A [`Gate`] has a config, a store and an input format. It compares results on disk with other results ([`Gate::compare`])
//! or with stored runs ([`Gate::compare_with_store`]), and stores results ([`Gate::record`]). The outcome is a [`Report`]: a
//! verdict, and a [`Finding`] for each metric of each benchmark.
//!
//! # Compare two directories
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
//! # Compare with stored runs
//!
//! Runs are stored for commits, so this takes a git repository. On the default branch, results are recorded; on other
//! branches they are compared with the stored runs of the merge base.
//!
//! ```
//! use perfgate::gate::{Gate, Verdict};
//!
//! # let scratch = tempfile::tempdir()?;
//! # let directory = scratch.path().join("repository");
//! # let repository = git2::Repository::init(&directory)?;
//! # let author = git2::Signature::new("A", "a@example.com", &git2::Time::new(1, 0))?;
//! # let empty = repository.find_tree(repository.treebuilder(None)?.write()?)?;
//! # repository.commit(Some("HEAD"), &author, &author, "first", &empty, &[])?;
//! # let store = scratch.path().join("runs");
//! # let tree = std::env::current_dir()?.join("tests/data/criterion-08").display().to_string();
//! # let (results, new_results) = (format!("{tree}/criterion@before"), format!("{tree}/criterion@after"));
//! let gate = Gate::builder()
//!     .repository(&directory)
//!     .store(format!("dir:{}", store.display()))
//!     .config_text("[gate]\nthreshold = \"10%\"")
//!     .build()?;
//!
//! let recorded = gate.record(&[&results])?;
//! assert!(recorded.added);
//!
//! // Later, with new results, of which some are slower.
//! let report = gate.compare_with_store(&[&new_results])?;
//! assert_eq!(report.verdict, Verdict::Fail);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base_search;
mod baseline;
mod bisect;
mod builder;
mod class_names;
mod conclusion;
mod config;
mod confirm;
mod confirmed_regressions;
mod error;
mod explain;
mod history_facts;
mod history_source;
mod imported;
mod judge;
mod machine_class;
mod measure;
mod pinned;
mod prune;
mod pull_request;
mod record;
mod renames;
mod repository;
mod series;
mod shallow;
mod side;
mod sources;
mod stated;
mod stored_history;
mod stored_side;
mod tools;

pub use crate::model::{
    ClassBenchmark, CodeChange, Commit, Dependency, Diagnostic, Direction, Facts, FileChange, PlotSamples,
    SampleStatistics, Severity, Statement, Statistic, Summary, Tests, ToolReports, WorkUnit,
};
pub use crate::profile::{Explanation, GrownFunction, Growth, Measure, Presence};
pub use crate::verdict::{
    AcceptableOnPull, BudgetLine, BudgetReport, BudgetStatus, ChangeDirection, Counts, EnvironmentDifference,
    EnvironmentReport, Failure, Finding, GoalLine, GoalStatus, MeanChange, Outcome, PinnedFinding, PinnedReport,
    Reason, Report, SeriesPoint, SeriesReport, SideReport, UndecidedReason, Value, Verdict, WorkReport,
};
pub use builder::{Gate, GateBuilder};
pub use error::Error;
pub use explain::ExplainError;
pub use measure::MeasureError;
pub use record::RecordedRun;

pub(crate) use bisect::{BisectPlan, BisectResult, bisect, word as bisect_word};
pub(crate) use conclusion::{conclusion, needs_comment};
pub(crate) use config::Config;
pub(crate) use confirm::{MeasuredRuns, judge_measured};
pub(crate) use confirmed_regressions::ConfirmedRegressions;
pub(crate) use explain::{ExplainPlan, explain};
pub(crate) use history_source::CommitSource;
pub(crate) use judge::{NoVerdictOptions, ReportDetail};
pub(crate) use measure::{BenchCommand, MeasurePlan, Progress, measure, measure_and_store, measure_head};
pub(crate) use prune::{PrunePlan, SpecialCommits};
pub(crate) use pull_request::{accept_requested, note_changed_rules, note_unused_rules};
pub(crate) use record::{ResultsOf, is_dirty, refuse_empty};
pub(crate) use side::Side;
pub(crate) use sources::{DefaultSide, SideSource};
pub(crate) use stored_history::{OlderRuns, StoredHistory, unused_directions, with_series_rules};
