//! The gate: which runs are compared with which, and the steps from results to a verdict.

mod baseline;
mod budgets;
mod config;
pub mod confirm;
mod judge;
mod machine_class;
mod pinned;
mod series;
pub mod side;
pub mod stored;
mod tools;

pub use config::Config;
pub use judge::{Wants, judge_sides, report};
pub use side::{Default, MissingBaseline, Origin, Results, Scene, Side};
