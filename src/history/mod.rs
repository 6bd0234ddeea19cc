//! Stored Runs -> Series -> their changes; and which stored runs stand for the base today. Numbers are `stats`' work,
//! where runs are stored is `io`'s, what a change means for the gate is `verdict`'s.

mod changes;
mod retention;
mod series;
mod shards;
mod thin;
mod window;

pub use changes::{CommitRange, SegmentedSeries, SeriesChange, segment};
pub use retention::{BranchKind, PruneAction, PruneCandidate, Pruner, Retention};
pub use series::{Point, Series, SeriesRules, machine_class, series};
pub use shards::{common_facts, count_joined, join_shards};
pub use thin::{summary, thin};
pub use window::{BaseWindow, HISTORY_RUNS, WINDOW_RUNS, base_window, base_window_of};
