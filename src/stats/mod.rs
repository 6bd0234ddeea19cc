//! Statistics on plain numbers: the difference of two sets of runs with its confidence interval, and the change points of
//! a series. Independent of the model, of files and of the policy.

pub mod centre;
pub mod changepoint;
pub mod counts;
pub mod estimate;
pub mod fdr;
mod head_noise;
pub mod jumps;
pub mod newest_base;
mod partition;
pub mod prior;
pub mod quantile;
mod root;
pub mod samples;
pub mod shift;
mod slope;
pub mod split;
pub mod student;
pub mod suite;
pub mod suite_test;
