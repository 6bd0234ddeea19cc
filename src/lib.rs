//! perfgate reads what benchmark tools left on disk, compares it with stored baselines, and says what got slower.
//!
//! The rooms, top to bottom; each imports only those below it: `cli`, `gate` and `render`, `replay`, `verdict`, then `compare`, `history`,
//! `policy`, `formats` and `io`, then `stats` and `model`.

pub mod cli;
pub mod compare;
pub mod formats;
pub mod gate;
pub mod history;
pub mod io;
pub mod model;
pub mod policy;
pub mod render;
pub mod replay;
pub mod stats;
pub mod verdict;
