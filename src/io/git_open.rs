//! Opens a git repository with libgit2, which refuses some that the git command opens: it checks `safe.directory` only in
//! configuration files, and does not read all formats.

use super::git_command::{LOCAL_LIMIT, git, output_within};
use super::git_files::{self, common_directory};
use super::reftable::RefsCopy;
use super::repository::RepositoryError;
use git2::{ErrorCode, Repository};
use std::path::{Path, PathBuf};

/// An open repository, and how to open it again.
pub(super) struct OpenRepository {
    pub repository: Repository,
    pub location: RepositoryLocation,
    /// Set if the refs are in a reftable; then `repository` is this copy.
    pub copy: Option<RefsCopy>,
}

/// Where a repository is.
#[derive(Debug, Clone, Default)]
pub(super) struct RepositoryLocation {
    pub git_dir: PathBuf,
    /// The directory that all its work trees share.
    pub common: PathBuf,
    /// Belongs to another user, and git's configuration allows it.
    is_foreign: bool,
    work_tree: Option<PathBuf>,
}

impl RepositoryLocation {
    /// Opens the repository again.
    pub fn open(&self) -> Result<Repository, git2::Error> {
        if !self.is_foreign {
            return Repository::open(&self.git_dir);
        }
        // This function leaves the check of the owner to its caller: git has made it.
        let repository = Repository::open_bare(&self.git_dir)?;
        if let Some(work_tree) = &self.work_tree {
            repository.set_workdir(work_tree, false)?;
        }
        Ok(repository)
    }
}

/// Opens the repository around a directory.
pub(super) fn open(directory: &Path) -> Result<OpenRepository, RepositoryError> {
    if let Some(path) = git_files::find_special_file(directory) {
        return Err(RepositoryError::NotAFile { path });
    }
    let mut refused = match Repository::discover(directory) {
        Ok(repository) => {
            let (git_dir, common) = (repository.path().to_owned(), repository.commondir().to_owned());
            return Ok(OpenRepository {
                repository,
                location: RepositoryLocation { git_dir, common, ..RepositoryLocation::default() },
                copy: None,
            });
        }
        Err(error) => error,
    };
    let Ok(found) = Repository::discover_path(directory, None::<&Path>) else {
        let directory = dunce::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
        return Err(RepositoryError::None { directory });
    };
    let is_reftable = has_reftable(&found);
    let by_git = if refused.code() == ErrorCode::Owner || is_reftable { known_to_git(directory) } else { None };
    if refused.code() == ErrorCode::Owner {
        let Some(location) = &by_git else {
            let is_bare = found.file_name().is_none_or(|name| name != ".git");
            let top = if is_bare { &found } else { found.parent().unwrap_or(&found) };
            return Err(RepositoryError::Owner { directory: top.to_owned() });
        };
        match location.open() {
            Ok(repository) => return Ok(OpenRepository { repository, location: location.clone(), copy: None }),
            Err(error) => refused = error,
        }
    }
    let Some(location) = by_git.filter(|_| is_reftable) else {
        return Err(RepositoryError::Unreadable { directory: found, why: refused.message().to_owned() });
    };
    let unreadable = |why: String| RepositoryError::Unreadable { directory: found.clone(), why };
    let copy = RefsCopy::new(&location.git_dir, &location.common).map_err(|error| unreadable(error.to_string()))?;
    let opened = copy.open(location.work_tree.as_deref());
    let repository = opened.map_err(|error| unreadable(error.message().to_owned()))?;
    Ok(OpenRepository { repository, location, copy: Some(copy) })
}

/// The location of a repository, if git's configuration (which includes environment variables) allows its use.
fn known_to_git(directory: &Path) -> Option<RepositoryLocation> {
    let git_path = |what: &[&str]| {
        let output = output_within(git().current_dir(directory).arg("rev-parse").args(what), LOCAL_LIMIT).ok()?;
        let line = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
        Some(PathBuf::from(line.trim_end_matches(['\r', '\n'])))
    };
    let git_dir = git_path(&["--absolute-git-dir"])?;
    let common = common_directory(&git_dir);
    Some(RepositoryLocation { git_dir, common, is_foreign: true, work_tree: git_path(&["--show-toplevel"]) })
}

/// True for a repository whose refs are in a table instead of files.
fn has_reftable(git_dir: &Path) -> bool {
    let config = git2::Config::open(&common_directory(git_dir).join("config"));
    let format = config.and_then(|config| config.get_string("extensions.refstorage"));
    format.is_ok_and(|format| format.eq_ignore_ascii_case("reftable"))
}
