//! Everything that touches disk, network, process, clock or git. What is read here is given to `formats` and `model`
//! as bytes.

mod capture;
pub mod changes;
pub mod collect;
pub mod command;
pub mod counters;
mod files;
pub mod github;
pub mod glob;
pub mod gnuplot;
pub mod input;
pub mod interrupt;
pub mod lake;
mod landmarks;
pub mod manifest;
pub mod noise;
mod orphan;
pub mod probe;
pub mod repository;
pub mod store;
mod tree;
pub mod worktree;
