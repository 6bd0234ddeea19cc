//! The nouns of the house: what was measured, by which tool, on which machine, and what was odd about it.
//! Numbers are kept as measured; what they mean statistically is for `stats`, how they look is for `render`.

mod diagnostic;
mod environment;
mod facts;
mod measurement;
mod metric;
mod name;
mod places;
mod plot_samples;
pub mod record;
mod replicates;
mod run;
mod sample_statistics;
mod unit;

pub use diagnostic::{Diagnostic, Severity};
pub use environment::{Difference, Environment, differences};
pub use facts::{Change, Dependency, Facts, FileChange, Said, Statement, Tests};
pub use measurement::{Detail, Digest, Evidence, Measurement, Summary, Thinned, Work, WorkUnit};
pub use metric::{Direction, Metric};
pub use name::{BenchId, Commit};
pub use places::Places;
pub use plot_samples::PlotSamples;
pub use replicates::Replicates;
pub use run::Run;
pub use sample_statistics::{SampleStatistics, Statistic};
pub use unit::{Unit, UnitScale};
