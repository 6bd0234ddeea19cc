//! Repositories with reftable, which libgit2 does not read. libgit2 gets a temporary repository without objects instead: the git
//! command lists the refs, and the objects are read where they are. Nothing can be written to it.

use super::git_command::{LOCAL_LIMIT, git, output_within};
use git2::{Config, Index, Repository};
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The temporary repository; removed when dropped.
#[derive(Debug)]
pub(super) struct RefsCopy {
    directory: PathBuf,
    git_dir: PathBuf,
    common: PathBuf,
}

impl Drop for RefsCopy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl RefsCopy {
    /// Copies the refs of a repository. `common` is the directory that its work trees share.
    pub fn new(git_dir: &Path, common: &Path) -> io::Result<RefsCopy> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("perfgate-refs-{}-{number}", std::process::id()));
        fs::create_dir(&directory)?;
        let copy = RefsCopy { directory, git_dir: git_dir.to_owned(), common: common.to_owned() };
        fs::create_dir(copy.directory.join("refs"))?;
        fs::create_dir_all(copy.directory.join("objects/info"))?;
        let objects = common.join("objects").display().to_string().replace('\\', "/");
        fs::write(copy.directory.join("objects/info/alternates"), objects + "\n")?;
        let config = copy.directory.join("config");
        fs::copy(common.join("config"), &config)?;
        let without = Config::open(&config).and_then(|mut config| config.remove("extensions.refstorage"));
        without.map_err(|error| io::Error::other(error.message().to_owned()))?;
        copy.fill()?;
        Ok(copy)
    }

    /// Copies the refs again.
    pub fn fill(&self) -> io::Result<()> {
        let head = match self.git(&["symbolic-ref", "--quiet", "HEAD"]) {
            Ok(branch) => format!("ref: {branch}"),
            Err(_) => self.git(&["rev-parse", "--verify", "HEAD"])?, // detached
        };
        fs::write(self.directory.join("HEAD"), head)?;
        let refs = self.git(&["for-each-ref", "--format=%(objectname) %(refname) %(symref)"])?;
        let mut packed = String::new();
        for line in refs.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                [id, name, ""] => {
                    let _ = writeln!(packed, "{id} {name}");
                }
                [_, name, target] => {
                    let path = self.directory.join(name);
                    path.parent().map_or(Ok(()), fs::create_dir_all)?;
                    fs::write(path, format!("ref: {target}\n"))?;
                }
                _ => {}
            }
        }
        fs::write(self.directory.join("packed-refs"), packed)?;
        match fs::copy(self.common.join("shallow"), self.directory.join("shallow")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the copy, with the work tree and the index of the repository.
    pub fn open(&self, work_tree: Option<&Path>) -> Result<Repository, git2::Error> {
        let repository = Repository::open_bare(&self.directory)?;
        if let Some(work_tree) = work_tree {
            repository.set_workdir(work_tree, false)?;
            let index = self.git_dir.join("index");
            repository.set_index(&mut Index::open_ext(&index, repository.object_format())?)?;
        }
        Ok(repository)
    }

    fn git(&self, arguments: &[&str]) -> io::Result<String> {
        let mut command = git();
        command.arg("--git-dir").arg(&self.git_dir).args(arguments);
        let output = output_within(&mut command, LOCAL_LIMIT)?;
        if !output.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        String::from_utf8(output.stdout).map_err(|_| io::Error::other("a ref's name is not UTF-8"))
    }
}
