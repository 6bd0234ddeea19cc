//! Work trees for measurements, outside the user's: each side is checked out and built below one scratch directory, which
//! is removed afterwards. The user's work tree and index are only read.
//!
//! There is one lock for each repository. The system releases it when the process ends in any way. A second file names the
//! process and its scratch directory, so that the next perfgate removes what a killed one left. It is not the lock file
//! itself, because on Windows other processes cannot read a locked file.

mod directory;

use super::git_command::{self, EXCHANGE_LIMIT, GitFailure, LOCAL_LIMIT};
use super::pid_file;
use super::regular;
use super::repository::{Repository, RepositoryError, path_of};
use crate::model::Commit;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// The prefix of every scratch directory's name.
const PREFIX: &str = "perfgate-";

/// Why there is no work tree.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// Another perfgate is measuring in this repository.
    #[error(
        "another perfgate ({who}) is measuring in this repository, and two at once would disturb each other; wait for it \
         to end, or stop it"
    )]
    Locked {
        /// Its process, if known.
        who: String,
    },
    /// A bare repository.
    #[error("this repository is bare and has no work tree to measure; run perfgate in a clone")]
    Bare,
    /// A file could not be read or written.
    #[error("cannot {what} {}: {error}", path.display())]
    File {
        /// The operation.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The git command could not be started.
    #[error("cannot start the git command: {}{}", .0, git_command::advice(.0))]
    NoGit(io::Error),
    /// The directory for the work trees cannot be used.
    #[error(
        "cannot open the scratch directory {}: {error}; create it, or choose another one with --scratch", path.display()
    )]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// Git returned an error.
    #[error("git cannot {what}: {stderr}")]
    Git {
        /// The operation.
        what: String,
        /// Git's last lines.
        stderr: String,
    },
    /// A path of `--copy` that cannot be copied.
    #[error("--copy {path}: {why}")]
    Copy {
        /// The path, as written.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A submodule differs from what HEAD records.
    #[error(
        "the submodule {} differs from what HEAD records (another commit or changed files), and the difference would \
        not be measured; commit it in both repositories, or reset it with `git submodule update`", path.display()
    )]
    Submodule {
        /// Relative to the root.
        path: PathBuf,
    },
    /// The repository could not be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

fn failed<'a>(what: &'static str, path: &'a Path) -> impl Fn(io::Error) -> WorktreeError + 'a {
    move |error| WorktreeError::File { what, path: path.to_owned(), error }
}

/// A scratch directory for one measurement, and the lock on the repository. Dropping it removes both.
#[derive(Debug)]
pub struct Scratch {
    root: PathBuf,
    user: PathBuf,
    common: PathBuf,
    holder: PathBuf,
    /// What earlier processes left and could not be removed.
    left: Vec<PathBuf>,
    is_removed: bool,
    _lock: File,
}

/// A side's work tree.
#[derive(Debug, Clone)]
pub struct Checkout {
    /// The top directory.
    pub root: PathBuf,
}

impl Scratch {
    /// Locks the repository, removes what a killed perfgate left, and creates a directory below `parent`.
    pub fn open(repository: &Repository, parent: &Path) -> Result<Scratch, WorktreeError> {
        let user = repository.root().ok_or(WorktreeError::Bare)?.to_owned();
        let common = repository.common_directory().to_owned();
        let path = common.join("perfgate-measure");
        let holder = common.join("perfgate-measure-holder");
        let lock = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open the lock", &path))?;
        let locked = lock.try_lock();
        let note = Note::parse(&regular::read(&holder).unwrap_or_default());
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let who = if note.process.is_empty() { "just started".to_owned() } else { note.process };
                return Err(WorktreeError::Locked { who });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
        }
        let mut left: Vec<PathBuf> = note.directories.into_iter().filter(|left| is_scratch(left)).collect();
        for directory in &left {
            pid_file::kill_stale(directory);
            clear(directory, &common);
        }
        left.retain(|directory| directory.exists()); // for the next perfgate
        let unusable = |error| WorktreeError::Scratch { path: parent.to_owned(), error };
        let parent = dunce::canonicalize(parent).map_err(unusable)?;
        let root = create(&parent)?;
        let scratch = Scratch { root, user, common, holder, left, is_removed: false, _lock: lock };
        scratch.write_note(&scratch.root).map_err(failed("write", &scratch.holder))?;
        Ok(scratch)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Checks a commit out into a new directory of this name, without running hooks.
    pub fn check_out(&self, name: &str, commit: &Commit) -> Result<Checkout, WorktreeError> {
        let root = self.root.join(name);
        let what = format!("check out {}", commit.short());
        let arguments = ["worktree", "add", "--quiet", "--force", "--detach"].map(OsStr::new);
        let arguments = arguments.into_iter().chain([root.as_os_str(), OsStr::new(commit.as_str())]);
        let added = git(&self.user, &what, arguments);
        match added {
            Ok(()) => Ok(Checkout { root }),
            // Git does not print why it cannot write.
            Err(WorktreeError::Git { what, stderr })
                if GitFailure::of_checkout(&stderr) == Some(GitFailure::CannotWrite) =>
            {
                let scratch = self.root.display();
                let stderr = format!("{stderr}\n{scratch} may be full; choose another directory with --scratch DIR");
                Err(WorktreeError::Git { what, stderr })
            }
            Err(error) => Err(error),
        }
    }

    /// Checks another commit out, and removes all files of the previous one.
    pub fn switch(&self, checkout: &Checkout, commit: &Commit) -> Result<(), WorktreeError> {
        let what = format!("check out {}", commit.short());
        git(&checkout.root, &what, ["checkout", "--quiet", "--force", "--detach", commit.as_str()])?;
        git(&checkout.root, "clean its own work tree", ["clean", "-ffdxq"])
    }

    /// Fetches the submodules of a work tree.
    pub fn add_submodules(&self, checkout: &Checkout) -> Result<(), WorktreeError> {
        let arguments = ["submodule", "--quiet", "update", "--init", "--recursive"];
        git_within(EXCHANGE_LIMIT, &checkout.root, "fetch the submodules", arguments)
    }

    /// Refuses submodules that differ from what HEAD records: a checkout of HEAD has them as recorded.
    pub fn refuse_changed_submodules(&self, repository: &Repository) -> Result<(), WorktreeError> {
        match repository.changes()?.submodules.first() {
            Some(path) => Err(WorktreeError::Submodule { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// Copies the user's uncommitted changes to a work tree of HEAD: changed and new files are copied, deleted ones deleted.
    /// Returns the number of files, and the named pipes, sockets and devices that were left out.
    pub fn copy_changes(
        &self,
        repository: &Repository,
        checkout: &Checkout,
    ) -> Result<(usize, Vec<PathBuf>), WorktreeError> {
        let mut left_out = Vec::new();
        let changes = repository.changes()?.files;
        for path in &changes {
            let (from, to) = (self.user.join(path), checkout.root.join(path));
            directory::remove(&to).map_err(failed("replace", &to))?;
            if from.symlink_metadata().is_ok() {
                directory::copy(&from, &to, &mut left_out).map_err(failed("copy", &from))?;
            }
        }
        Ok((changes.len(), self.relative(left_out)))
    }

    /// Copies the user's `Cargo.lock`, where git ignores it: without it each side would resolve its dependencies again, perhaps
    /// to other versions than those that the user measures. It is looked for in `directory`, which is relative to the root,
    /// and above.
    pub fn copy_ignored_lock_file(&self, checkout: &Checkout, directory: &Path) -> Result<(), WorktreeError> {
        for directory in directory.ancestors() {
            let path = directory.join("Cargo.lock");
            let (from, to) = (self.user.join(&path), checkout.root.join(&path));
            if from.is_file() && !to.exists() {
                directory::copy(&from, &to, &mut Vec::new()).map_err(failed("copy", &from))?;
            }
        }
        Ok(())
    }

    /// Copies a file or directory, for example an untracked one, from the user's work tree. `path` is relative to `directory`,
    /// which is in that work tree. Returns the named pipes, sockets and devices in the directory that were left out.
    pub fn copy_into(&self, checkout: &Checkout, directory: &Path, path: &str) -> Result<Vec<PathBuf>, WorktreeError> {
        let wrong = |why| WorktreeError::Copy { path: path.to_owned(), why };
        let relative = directory.join(path);
        let stays = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !stays {
            return Err(wrong("use a path inside the repository, without `..`"));
        }
        let (from, to) = (self.user.join(&relative), checkout.root.join(&relative));
        if from.symlink_metadata().is_err() {
            return Err(wrong("no such file or directory"));
        }
        if from.symlink_metadata().is_ok_and(|metadata| directory::is_special(&metadata)) {
            return Err(wrong("it is a named pipe, socket or device; use files and directories"));
        }
        directory::remove(&to).map_err(failed("replace", &to))?;
        let mut left_out = Vec::new();
        directory::copy(&from, &to, &mut left_out).map_err(failed("copy", &from))?;
        Ok(self.relative(left_out))
    }

    /// Paths in the user's work tree, relative to its top.
    fn relative(&self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        paths.into_iter().map(|path| path.strip_prefix(&self.user).map(Path::to_owned).unwrap_or(path)).collect()
    }
}

impl Scratch {
    /// Removes the directory. Returns the directories that stay, of this process and of earlier ones; the next perfgate tries
    /// to remove them again.
    pub fn remove(&mut self) -> Vec<PathBuf> {
        if !self.is_removed {
            self.is_removed = true;
            clear(&self.root, &self.common);
            if self.root.exists() {
                self.left.push(self.root.clone());
            }
            let _ = match self.left.split_last() {
                None => fs::remove_file(&self.holder),
                Some((last, _)) => self.write_note(last),
            };
        }
        self.left.clone()
    }

    /// Notes this process, its directory and what earlier ones left.
    fn write_note(&self, own: &Path) -> io::Result<()> {
        let mut note = format!("process {}\n", std::process::id()).into_bytes();
        for directory in self.left.iter().map(PathBuf::as_path).filter(|left| *left != own).chain([own]) {
            note.extend_from_slice(&bytes_of(directory));
            note.push(0);
        }
        fs::write(&self.holder, note)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The content of the file that names the process.
struct Note {
    process: String,
    directories: Vec<PathBuf>,
}

impl Note {
    /// The process on the first line, then paths, which may contain any other byte, each with a zero at its end.
    fn parse(note: &[u8]) -> Note {
        let end = note.iter().position(|byte| *byte == b'\n').unwrap_or(note.len());
        let process = String::from_utf8_lossy(&note[..end]).into_owned();
        let paths = note.get(end + 1..).unwrap_or_default().split(|byte| *byte == 0).filter(|path| !path.is_empty());
        Note { process, directories: paths.map(|path| path_of(path.strip_suffix(b"\n").unwrap_or(path))).collect() }
    }
}

#[cfg(unix)]
fn bytes_of(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(not(unix))]
fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

/// Creates a directory that only this user can read.
fn create(parent: &Path) -> Result<PathBuf, WorktreeError> {
    let process = std::process::id();
    let mut number = 0;
    loop {
        let root = parent.join(format!("{PREFIX}{process}-{number}"));
        match directory::private_directory().create(&root) {
            Ok(()) => return Ok(root),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            Err(source) => return Err(failed("make", &root)(source)),
        }
    }
}

/// True for a path that can only be a scratch directory of perfgate: nothing else is ever removed.
fn is_scratch(path: &Path) -> bool {
    let named = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX));
    let real = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
    path.is_absolute() && named && (real || !path.exists())
}

/// Removes a scratch directory and git's records of the work trees in it. Retries, since dying processes may still write.
fn clear(root: &Path, common: &Path) {
    for attempt in 0..20 {
        match fs::remove_dir_all(root) {
            Ok(()) => break,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(_) => {
                directory::make_writable(root);
                std::thread::sleep(std::time::Duration::from_millis(10 * attempt));
            }
        }
    }
    let worktrees = common.join("worktrees");
    let Ok(entries) = fs::read_dir(&worktrees) else { return };
    for entry in entries.flatten() {
        let ours =
            regular::read(&entry.path().join("gitdir")).is_ok_and(|at| path_of(at.trim_ascii()).starts_with(root));
        if ours {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let _ = fs::remove_dir(&worktrees); // removes only an empty directory, as git does
}

/// Runs git in a directory, without the repository's hooks.
fn git<A: AsRef<OsStr>>(
    directory: &Path,
    what: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(), WorktreeError> {
    git_within(LOCAL_LIMIT, directory, what, arguments)
}

/// The same with a time limit.
fn git_within<A: AsRef<OsStr>>(
    limit: Duration,
    directory: &Path,
    what: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<(), WorktreeError> {
    let mut command = git_command::git();
    command.args(["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]).args(arguments);
    command.current_dir(directory).env("GIT_OPTIONAL_LOCKS", "0");
    git_command::end_if_stalled(&mut command);
    let output = git_command::output_within(&mut command, limit).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => {
            let stderr = format!("it was stopped after {} minutes", limit.as_secs() / 60);
            WorktreeError::Git { what: what.to_owned(), stderr }
        }
        _ => WorktreeError::NoGit(error),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stderr: Vec<&str> = stderr.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let stderr = stderr[stderr.len().saturating_sub(5)..].join("\n");
    Err(WorktreeError::Git { what: what.to_owned(), stderr })
}
