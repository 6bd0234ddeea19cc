//! Everything that touches the disk, the network, a process, the clock or git.

pub mod probe;
