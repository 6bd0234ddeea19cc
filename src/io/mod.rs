//! Everything that touches disk, network, process, clock or git. What is read here is given to `formats` as bytes.

pub mod input;
pub mod probe;
mod tree;
