//! Replaces `cli/parquet.rs` in a build without the feature `parquet`: the command line refuses `--parquet`.

use crate::io::store::Store;
use std::str::FromStr;

/// The value of `--parquet`; no value is valid.
#[derive(Debug, Clone, Copy)]
pub enum Target {}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Err("this perfgate was built without parquet; build it with --features parquet")
    }
}

pub fn export(_: &dyn Store, target: &Target, _: Option<&str>) -> anyhow::Result<u8> {
    match *target {}
}
