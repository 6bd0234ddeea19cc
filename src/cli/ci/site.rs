//! The input `site`: the page of the stored history, for a workflow that publishes it.

use super::work::CiJob;
use crate::cli::history::{self, HistoryArgs};
use crate::cli::{Global, output};
use crate::render::escape;
use anyhow::bail;
use std::path::Path;

impl CiJob<'_> {
    /// Pulls the stored runs and writes the page.
    pub(super) fn write_site(&self, directory: &Path, global: &Global, dry_run: bool) -> anyhow::Result<u8> {
        if self.inputs.command.is_some() || !self.inputs.results.is_empty() {
            bail!("invalid inputs of the action: site: cannot be combined with results or command; use another step");
        }
        if dry_run {
            let shown = escape::terminal(&directory.display().to_string());
            output::print(format!("writes the page of the history to {shown}; nothing else\n").as_bytes())?;
            return Ok(0);
        }
        let _stopped = self.reporter.stop_commands();
        self.pull_runs()?;
        history::run(HistoryArgs::site(directory.to_owned(), self.inputs.store.clone()), global)
    }
}
