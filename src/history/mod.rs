//! Builds series from stored runs, finds their changes, and selects the runs that a head is compared with and those that
//! pruning keeps.

mod changes;
mod jobs;
mod long_names;
mod measured;
mod packages;
mod processors;
mod removed;
mod retention;
mod series;
mod shards;
mod thin;
mod window;

pub use changes::{CommitRange, SegmentedSeries, SeriesChange, segment};
pub use jobs::match_jobs;
pub use long_names::{LongNames, adopt_long_names};
pub use measured::mark_measured;
pub use packages::match_packages;
pub use processors::match_processors;
pub use removed::leave_out_removed;
pub use retention::{BranchKind, PruneAction, PruneCandidate, Pruner, Retention};
pub use series::{CommitOrRun, Epoch, Point, Series, SeriesRules, machine_class, series, set_positions};
pub use shards::{common_facts, count_joined, join_shards};
pub use thin::{summary, thin};
pub use window::{Baseline, HISTORY_RUNS, WINDOW_RUNS, baseline_of, into_baseline};
