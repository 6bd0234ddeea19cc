//! Opens a git repository with libgit2, which refuses some that the git command opens: it checks `safe.directory` only in
//! configuration files, and does not read all formats.

use super::git_command::git;
use super::repository::RepositoryError;
use git2::{ErrorCode, Repository};
use std::path::{Path, PathBuf};

/// An open repository, and how to open it again.
pub(super) struct Opened {
    pub repository: Repository,
    pub place: Place,
}

/// Where a repository is.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    pub git_dir: PathBuf,
    /// Belongs to another user, and git's configuration allows it.
    is_foreign: bool,
    work_tree: Option<PathBuf>,
}

impl Place {
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
pub(super) fn open(directory: &Path) -> Result<Opened, RepositoryError> {
    let refused = match Repository::discover(directory) {
        Ok(repository) => {
            let place = Place { git_dir: repository.path().to_owned(), ..Place::default() };
            return Ok(Opened { repository, place });
        }
        Err(error) => error,
    };
    let none =
        |why: &git2::Error| RepositoryError::None { directory: directory.to_owned(), why: why.message().to_owned() };
    let Ok(found) = Repository::discover_path(directory, None::<&Path>) else { return Err(none(&refused)) };
    if refused.code() == ErrorCode::Owner {
        let Some(place) = allowed_by_git(directory) else {
            let is_bare = found.file_name().is_none_or(|name| name != ".git");
            let top = if is_bare { &found } else { found.parent().unwrap_or(&found) };
            return Err(RepositoryError::Owner { directory: top.to_owned() });
        };
        let repository = place.open().map_err(|error| none(&error))?;
        return Ok(Opened { repository, place });
    }
    Err(unsupported(&found).map_or_else(|| none(&refused), |format| RepositoryError::Format { format }))
}

/// The place of a repository of another user, where git's configuration, which includes environment variables, allows it.
fn allowed_by_git(directory: &Path) -> Option<Place> {
    let ask = |what: &str| {
        let output = git().current_dir(directory).args(["rev-parse", what]).output().ok()?;
        let line = output.status.success().then(|| String::from_utf8(output.stdout).ok()).flatten()?;
        Some(PathBuf::from(line.trim_end_matches(['\r', '\n'])))
    };
    Some(Place { git_dir: ask("--absolute-git-dir")?, is_foreign: true, work_tree: ask("--show-toplevel") })
}

/// A format of repositories that libgit2 does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// Objects named by SHA-256.
    Sha256,
    /// Refs in a table instead of files.
    Reftable,
}

/// The format of a repository that was refused, if that is the reason.
fn unsupported(git_dir: &Path) -> Option<Unsupported> {
    // A linked work tree has its configuration in the repository that it belongs to.
    let common = std::fs::read_to_string(git_dir.join("commondir")).map(|path| git_dir.join(path.trim_end()));
    let common = common.unwrap_or_else(|_| git_dir.to_owned());
    let config = git2::Config::open(&common.join("config")).ok()?;
    let is = |key: &str, value: &str| config.get_string(key).is_ok_and(|set| set.eq_ignore_ascii_case(value));
    if is("extensions.objectformat", "sha256") {
        Some(Unsupported::Sha256)
    } else {
        is("extensions.refstorage", "reftable").then_some(Unsupported::Reftable)
    }
}
