//! Access to disk, network, processes, the clock and git. `formats` and `model` get bytes.

mod assemble;
pub mod capture;
pub mod cargo_seed;
pub mod cargo_target;
pub mod changes;
pub mod collect;
pub mod command;
mod compressed;
pub mod counters;
mod criterion_tree;
mod deepen;
#[cfg(feature = "parquet")]
pub mod export;
pub mod files;
pub mod forge;
pub mod git_command;
mod git_files;
mod git_open;
pub mod github;
pub mod glob;
#[cfg(feature = "plots")]
pub mod gnuplot;
pub mod in_parallel;
pub mod input;
mod input_error;
pub mod interrupt;
mod last_changes;
mod limited_output;
mod loose;
pub mod manifest;
pub mod noise;
mod pid_file;
pub mod probe;
mod process_group;
pub mod profile;
pub mod project;
mod refs;
mod reftable;
pub mod regular;
pub mod repository;
mod same_suite;
pub mod secrets;
mod status;
pub mod store;
pub mod valgrind;
pub mod watchdog;
pub mod worktree;
