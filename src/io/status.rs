//! Which files of the work tree differ from HEAD. The answer comes from libgit2, except in three cases where the git
//! command is used: sparse checkouts, whose missing files libgit2 reports as deleted, submodules, and repositories with
//! reftable.

use super::git_command::{LOCAL_LIMIT, git, output_within};
use super::git_files;
use super::repository::{Repository, RepositoryError, failed, path_of};
use git2::{ErrorClass, StatusOptions};
use std::path::{Path, PathBuf};

/// Differences of the work tree from HEAD; paths are relative to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Changed, deleted and new files, without ignored ones.
    pub files: Vec<PathBuf>,
    /// Submodules with another commit or changed files. New files in them do not count.
    pub submodules: Vec<PathBuf>,
}

impl Repository {
    /// True if a tracked file differs from HEAD, staged or not. Untracked files do not count.
    pub fn is_dirty(&self) -> Result<bool, RepositoryError> {
        let Changes { files, submodules } = self.status(false)?;
        Ok(!files.is_empty() || !submodules.is_empty())
    }

    /// The same without files of a name: perfgate's own config changes no result.
    pub fn differs_except_for(&self, name: &str) -> Result<bool, RepositoryError> {
        let Changes { files, submodules } = self.status(false)?;
        let is_other = |path: &PathBuf| path.file_name().is_none_or(|file| file != name);
        Ok(files.iter().any(is_other) || !submodules.is_empty())
    }

    /// All changes of the work tree, with new files.
    pub fn changes(&self) -> Result<Changes, RepositoryError> {
        self.status(true)
    }

    /// True if a part of the files is not checked out.
    pub(super) fn is_sparse(&self) -> bool {
        self.git_dir().join("info/sparse-checkout").exists()
    }

    fn status(&self, untracked: bool) -> Result<Changes, RepositoryError> {
        let Some(root) = self.root() else { return Ok(Changes::default()) };
        self.refuse_special_files(root, untracked)?;
        if self.is_sparse() || self.copy().is_some() || root.join(".gitmodules").exists() {
            return self.status_by_git(root, untracked);
        }
        let _watched = self.watched();
        let mut options = StatusOptions::new();
        options.include_untracked(untracked).recurse_untracked_dirs(untracked).include_ignored(false);
        options.exclude_submodules(true);
        let statuses = self.git().statuses(Some(&mut options)).map_err(|error| match error.class() {
            ErrorClass::Index => RepositoryError::DamagedIndex { path: self.git_dir().join("index") },
            _ => failed("compare the work tree with HEAD")(error),
        })?;
        let files = statuses.iter().map(|entry| path_of(entry.path_bytes())).collect();
        Ok(Changes { files, submodules: Vec::new() })
    }

    /// Refuses named pipes in place of the files that git reads below the top of the work tree. Those at the top are refused when
    /// the repository is opened.
    fn refuse_special_files(&self, root: &Path, untracked: bool) -> Result<(), RepositoryError> {
        let index = self.git().index();
        let paths: Vec<PathBuf> =
            index.iter().flat_map(|index| index.iter()).map(|entry| path_of(&entry.path)).collect();
        let tracked = paths.iter().flat_map(|path| path.ancestors().skip(1)).map(Path::to_owned).collect();
        let is_ignored = |path: &Path| self.git().is_path_ignored(path).unwrap_or(false);
        let is_ignored: Option<&dyn Fn(&Path) -> bool> = if untracked { Some(&is_ignored) } else { None };
        match git_files::find_special_file_in_work_tree(root, &tracked, is_ignored) {
            Some(path) => Err(RepositoryError::NotAFile { path }),
            None => Ok(()),
        }
    }

    fn status_by_git(&self, root: &Path, untracked: bool) -> Result<Changes, RepositoryError> {
        let what = "compare the work tree with HEAD";
        let untracked = if untracked { "--untracked-files=all" } else { "--untracked-files=no" };
        let mut command = git();
        command.current_dir(root).env("GIT_OPTIONAL_LOCKS", "0");
        command.args(["status", "--porcelain=v2", "-z", "--ignore-submodules=none", "--no-renames", untracked]);
        let output = output_within(&mut command, LOCAL_LIMIT).map_err(|error| {
            let why = match error.kind() {
                std::io::ErrorKind::TimedOut => format!("it was stopped after {} minutes", LOCAL_LIMIT.as_secs() / 60),
                _ => error.to_string(),
            };
            RepositoryError::Command { what, why }
        })?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(RepositoryError::Command { what, why });
        }
        Ok(parse(&output.stdout))
    }
}

/// Parses `git status --porcelain=v2 -z --no-renames` (git-status(1)).
fn parse(output: &[u8]) -> Changes {
    let mut changes = Changes::default();
    for entry in output.split(|byte| *byte == 0) {
        // The kind, the submodule's state, and the number of fields before the path.
        let fields = match entry.first() {
            Some(b'1') => 8,
            Some(b'u') => 10,
            Some(b'?') => 1,
            _ => continue,
        };
        let parts: Vec<&[u8]> = entry.splitn(fields + 1, |byte| *byte == b' ').collect();
        let Some(path) = parts.get(fields).filter(|path| !path.is_empty()) else { continue };
        match parts[2.min(fields)] {
            // S, then C: another commit, M: changed files, U: new files.
            [b'S', commit, files, _] if fields > 1 => {
                let staged = entry.get(2).is_some_and(|index| *index != b'.');
                if *commit == b'C' || *files == b'M' || staged {
                    changes.submodules.push(path_of(path));
                }
            }
            _ => changes.files.push(path_of(path)),
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_submodules_are_distinguished() {
        let zeros = "0000000";
        let entries = [
            format!("1 .M N... 100644 100644 100644 {zeros} {zeros} a file"),
            format!("1 .M SC.. 160000 160000 160000 {zeros} {zeros} moved"),
            format!("1 .M S..U 160000 160000 160000 {zeros} {zeros} new-files"),
            format!("1 .M S.M. 160000 160000 160000 {zeros} {zeros} changed"),
            format!("u UU N... 100644 100644 100644 100644 {zeros} {zeros} {zeros} both"),
            "? new file".to_owned(),
        ];
        let changes = parse((entries.join("\0") + "\0").as_bytes());
        assert_eq!(changes.files, ["a file", "both", "new file"].map(PathBuf::from));
        assert_eq!(changes.submodules, ["moved", "changed"].map(PathBuf::from));
        assert_eq!(parse(b""), Changes::default());
    }
}
