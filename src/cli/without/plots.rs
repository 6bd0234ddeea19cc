//! Replaces `cli/plots.rs` in a build without the feature `plots`: the command line refuses `--plots`.

use crate::render::HistoryView;
use crate::verdict::Report;
use std::str::FromStr;

/// The value of `--plots`; no value is valid.
#[derive(Debug, Clone, Copy)]
pub enum Directory {}

impl FromStr for Directory {
    type Err = &'static str;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Err("this perfgate was built without plots; build it with --features plots")
    }
}

pub fn write_report(directory: &Directory, _: &Report) -> anyhow::Result<()> {
    match *directory {}
}

pub fn write_history(directory: &Directory, _: &HistoryView<'_>) -> anyhow::Result<()> {
    match *directory {}
}
