//! Everything that touches disk, network, process, clock or git. What is read here is given to `formats` and `model`
//! as bytes.

mod capture;
pub mod changes;
pub mod collect;
pub mod command;
mod files;
pub mod github;
pub mod glob;
pub mod input;
pub mod interrupt;
pub mod manifest;
pub mod noise;
pub mod probe;
pub mod repository;
pub mod store;
mod tree;
pub mod worktree;
