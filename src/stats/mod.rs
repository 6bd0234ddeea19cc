//! Numbers only: how much two sets of runs differ and how sure one can be, and where a series of runs changed. Knows no
//! benchmark, no file, no policy.

pub mod centre;
pub mod changepoint;
pub mod estimate;
pub mod family;
pub mod fdr;
mod levels;
pub mod observed;
pub mod prior;
pub mod quantile;
pub mod samples;
pub mod shift;
mod slope;
pub mod student;
