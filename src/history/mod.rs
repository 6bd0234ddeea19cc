//! Stored Runs -> Series -> their changes; and which stored runs stand for the base today. Numbers are `stats`' work,
//! where runs are stored is `io`'s, what a change means for the gate is `verdict`'s.

mod keep;
mod series;
mod shards;
mod thin;
mod trace;
mod window;

pub use keep::{Fate, Keep, Keeper, Line, StoredRun};
pub use series::{Point, Reading, Series, class as machine, series};
pub use shards::{common, count as joined_count, joined};
pub use thin::{summary, thinned};
pub use trace::{Change, Place, Trace, trace};
pub use window::{HISTORY_RUNS, WINDOW_RUNS, Window, window, window_of};
