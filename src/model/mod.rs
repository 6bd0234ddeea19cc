//! The types that every other layer uses: runs, measurements, environments, diagnostics, and the stored record.

mod conditions;
mod diagnostic;
mod environment;
mod facts;
mod floor;
mod measurement;
mod metric;
mod name;
pub mod number_text;
mod per_class;
mod plot_samples;
pub mod record;
mod run;
mod sample_group;
mod sample_noun;
mod sample_statistics;
pub(crate) mod suggest;
mod suite_shift;
mod unit;

pub use conditions::{JOB, Settings, is_notable_condition, is_other_condition, is_speed_of_machine};
pub use diagnostic::{Diagnostic, Severity};
pub use environment::{Difference, Environment, cpu_words, differences};
pub use facts::{CodeChange, Dependency, Facts, FileChange, FileChangeKind, Statement, Tests, ToolReports};
pub use floor::Floor;
pub use measurement::{Detail, Digest, Evidence, Measurement, RoundedSamples, Summary, ThinnedSamples, Work, WorkUnit};
pub use metric::{Certainty, Direction, Metric, VALGRIND};
pub use name::{BenchId, Commit, CommitPrefix, InvalidCommit};
pub use per_class::ClassBenchmark;
pub use plot_samples::PlotSamples;
pub use run::{EarlyEnd, EndScope, FailedBenchmark, Failures, Run, SkippedBenchmark};
pub use sample_group::{PerSide, SampleGroup, SampleGroups, SlowPart};
pub use sample_noun::sample_noun;
pub use sample_statistics::{SampleStatistics, Statistic};
pub use suite_shift::{ShiftTreatment, SuiteShift};
pub use unit::{Unit, UnitScale};
