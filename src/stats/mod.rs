//! Numbers only: how much two sets of runs differ and how sure one can be. Knows no benchmark, no file, no policy.

pub mod centre;
pub mod estimate;
pub mod fdr;
pub mod prior;
pub mod quantile;
pub mod shift;
pub mod steadiness;
pub mod student;
