//! What is measured and how, and where the steps are reported.

use std::path::PathBuf;
use std::time::Duration;

/// A benchmark command, and how it is run.
#[derive(Debug, Clone, Default)]
pub(crate) struct BenchCommand {
    /// The command. `{filter}` and `{out}` in it are replaced.
    pub words: Vec<String>,
    /// Time limit of one run.
    pub timeout: Option<Duration>,
    /// Processors to run on; empty for all.
    pub processors: Vec<usize>,
    /// Untracked files and directories that are copied to each side.
    pub copy: Vec<String>,
    /// Whether the submodules of each side are fetched.
    pub submodules: bool,
    /// A shell command that builds a side.
    pub setup: Option<String>,
    /// Where each side is checked out; `None` for the temporary directory.
    pub scratch: Option<PathBuf>,
    /// Count instructions instead of measuring time.
    pub counts_instructions: bool,
    /// Where the dependencies that cargo built are stored for the next measurement.
    pub cache: Option<PathBuf>,
}

/// How both sides are measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct MeasurePlan {
    /// The base, a git revision; `None` for the merge base.
    pub base: Option<String>,
    /// Screen head against stored runs of the base instead of new ones.
    pub stored: bool,
    /// Rounds before the suspects; `None` for 1, or 5 where the process itself is timed.
    pub rounds: Option<usize>,
    /// Pairs of runs of the suspects; `None` to choose by their number.
    pub pairs: Option<usize>,
    /// Time that the measurement should fit into.
    pub budget: Option<Duration>,
    /// Runs of each side that are not counted; `None` for 0, or 1 where the process itself is timed.
    pub warmup: Option<usize>,
    /// Store each finished run of the whole suite.
    pub record: bool,
    /// Explain the largest confirmed regressions by the functions that grew.
    pub explain: bool,
}

/// Where a measurement reports its steps.
pub(crate) trait Progress {
    /// The plan changed: `done` of `runs` runs are done.
    fn plan(&self, done: usize, runs: usize);
    /// A stage begins whose length is not known: a checkout, a build.
    fn stage(&self, what: &str);
    /// A step begins.
    fn begin(&self, step: &str);
    /// A run has ended.
    fn done(&self, step: &str, wall: Duration);
    /// A message that stays on the screen.
    fn message(&self, line: &str);
}
