//! Stored Runs -> Series -> their changes; and which stored runs stand for the base today. Numbers are `stats`' work,
//! where runs are stored is `io`'s, what a change means for the gate is `verdict`'s.

mod series;
mod trace;
mod window;

pub use series::{Point, Reading, Series, series};
pub use trace::{Change, Place, Trace, trace};
pub use window::{HISTORY_RUNS, WINDOW_RUNS, Window, window, window_of};
