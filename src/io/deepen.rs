//! Fetches the commits that a shallow clone lacks to find a base.

use super::git_command::{EXCHANGE_LIMIT, end_if_stalled, git, output_within, pass_token};
use super::reftable::RefsCopy;
use super::repository::{CANDIDATES, Repository, RepositoryError};
use crate::model::Commit;

impl Repository {
    /// Fetches more commits of the checked-out commit and of a branch from `origin`, as many as are searched for a base. Only
    /// the remote-tracking branch is updated.
    pub fn deepen(&self, measured: &Commit, branch: &str) -> Result<(), RepositoryError> {
        let failed = |why: String| RepositoryError::Command { what: "fetch the history", why };
        let directory = self.root().unwrap_or_else(|| self.common_directory()).to_owned();
        let mut command = git();
        pass_token(&mut command, self.common_directory(), &directory);
        end_if_stalled(&mut command);
        command.current_dir(&directory).args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"]);
        command.args(["--no-recurse-submodules", "--no-auto-maintenance"]).arg(format!("--deepen={CANDIDATES}"));
        command.args([
            "--",
            "origin",
            measured.as_str(),
            &format!("+refs/heads/{branch}:refs/remotes/origin/{branch}"),
        ]);
        let output = output_within(&mut command, EXCHANGE_LIMIT).map_err(|error| failed(error.to_string()))?;
        match output.status.success() {
            true => self.copy().map_or(Ok(()), RefsCopy::fill).map_err(|error| failed(error.to_string())),
            false => Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned())),
        }
    }
}
