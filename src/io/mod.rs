//! Everything that touches disk, network, process, clock or git. What is read here is given to `formats` and `model`
//! as bytes.

pub mod changes;
mod files;
pub mod input;
pub mod manifest;
pub mod probe;
pub mod repository;
pub mod store;
mod tree;
