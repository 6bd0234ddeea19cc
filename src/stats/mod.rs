//! Numbers only: how much two sets of runs differ and how sure one can be, and where a series of runs changed. Knows no
//! benchmark, no file, no policy.

pub mod centre;
pub mod changepoint;
pub mod estimate;
pub mod fdr;
mod partition;
pub mod prior;
pub mod quantile;
pub mod samples;
pub mod shift;
mod slope;
pub mod student;
pub mod suite;
pub mod suite_test;
