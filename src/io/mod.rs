//! Everything that touches disk, network, process or git. What the bytes mean is for `formats` and `model`.

pub mod repository;
pub mod store;
