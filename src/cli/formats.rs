//! `perfgate formats`: what can be read.

use super::output;
use crate::formats::{FORMATS, criterion};
use std::fmt::Write;

/// List the input formats
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  perfgate formats")]
pub struct FormatsArgs {}

/// Prints each format with the command that makes it and what it carries.
pub fn run(_: FormatsArgs) -> anyhow::Result<u8> {
    let tree = [(criterion::NAME, "cargo bench (target/criterion)", "time: every sample; throughput beside it")];
    let files = FORMATS.iter().map(|format| (format.name(), format.produced_by(), format.carries()));
    let mut out = String::new();
    for (name, produced_by, carries) in tree.into_iter().chain(files) {
        let _ = writeln!(out, "{name:<24} {produced_by}\n{:<24}   {carries}", "");
    }
    output::print(out.as_bytes())?;
    Ok(0)
}
