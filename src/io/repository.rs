//! Read-only facts about the user's git repository: what is checked out, and which commits can be a base for it.

mod error;

pub use error::RepositoryError;
pub(super) use error::failed;

use super::git_open::{self, RepositoryLocation};
use super::reftable::RefsCopy;
use super::{git_files, loose, watchdog};
use crate::model::Commit;
use error::unresolved;
use git2::{BranchType, ErrorCode, ObjectFormat, Oid};
use std::path::{Path, PathBuf};

/// The number of commits that are searched for a base.
pub const CANDIDATES: usize = 500;

/// A git repository.
pub struct Repository {
    inner: git2::Repository,
    location: RepositoryLocation,
    /// Set if the refs are in a reftable; then `inner` is this copy.
    copy: Option<RefsCopy>,
    /// The default branch, if it is known.
    configured_default: Option<String>,
}

/// The checked-out commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit.
    pub commit: Commit,
    /// The committer's time, seconds since 1970.
    pub time: i64,
    /// The branch; `None` if HEAD is detached.
    pub branch: Option<String>,
}

impl Repository {
    /// Opens the repository around a directory: a clone, one of its work trees, or a bare repository.
    pub fn discover(directory: &Path) -> Result<Repository, RepositoryError> {
        let git_open::OpenRepository { repository, location, copy } = git_open::open(directory)?;
        Ok(Repository { inner: repository, location, copy, configured_default: None })
    }

    /// libgit2's repository.
    pub(super) fn git(&self) -> &git2::Repository {
        &self.inner
    }

    /// Its own git directory, which a linked work tree does not share.
    pub(super) fn git_dir(&self) -> &Path {
        &self.location.git_dir
    }

    /// The copy of the refs, where libgit2 does not read the repository's own.
    pub(super) fn copy(&self) -> Option<&RefsCopy> {
        self.copy.as_ref()
    }

    /// Watches an operation of libgit2 until the result is dropped.
    pub(super) fn watched(&self) -> Option<watchdog::Operation> {
        watchdog::begin(&self.location.common.join("objects"))
    }

    /// Refuses an object that libgit2 would read forever.
    fn check(&self, id: Oid) -> Result<Oid, RepositoryError> {
        let id_text = id.to_string();
        if loose::is_truncated(&self.location.common.join("objects"), &id_text) {
            return Err(RepositoryError::Truncated { id: id_text });
        }
        Ok(id)
    }

    /// The top of the work tree; `None` in a bare repository.
    pub fn root(&self) -> Option<&Path> {
        self.inner.workdir()
    }

    /// True for a clone without the full history.
    pub fn is_shallow(&self) -> bool {
        self.inner.is_shallow()
    }

    /// The checked-out commit.
    pub fn head(&self) -> Result<Head, RepositoryError> {
        let head = self.inner.head().map_err(|error| match error.code() {
            ErrorCode::UnbornBranch | ErrorCode::NotFound => RepositoryError::Unborn,
            _ => self.damaged_branch().unwrap_or_else(|| failed("read HEAD")(error)),
        })?;
        head.target().map(|id| self.check(id)).transpose()?;
        let commit = head.peel_to_commit().map_err(failed("read HEAD's commit"))?;
        let branch = head.is_branch().then(|| String::from_utf8_lossy(head.shorthand_bytes()).into_owned());
        Ok(Head { commit: name(commit.id())?, time: commit.time().seconds(), branch })
    }

    /// The error for a damaged file of the checked-out branch.
    fn damaged_branch(&self) -> Option<RepositoryError> {
        let head = self.inner.find_reference("HEAD").ok()?;
        let branch = String::from_utf8_lossy(head.symbolic_target_bytes()?).into_owned();
        let why = git_files::damage_of_ref(&self.location.common, &branch)?;
        Some(RepositoryError::DamagedBranch { why, log: self.location.git_dir.join("logs").join("HEAD") })
    }

    /// The directory that all work trees of the repository share.
    pub fn common_directory(&self) -> &Path {
        &self.location.common
    }

    /// The commits after `good` up to `bad`, oldest first, along first parents; `None` if `good` is not an ancestor of `bad`.
    pub fn between(&self, good: &Commit, bad: &Commit) -> Result<Option<Vec<Commit>>, RepositoryError> {
        let _watched = self.watched();
        let reading = failed("read the history");
        let (good, bad) = (self.commit(good)?.id(), self.commit(bad)?.id());
        if !self.inner.graph_descendant_of(bad, good).map_err(&reading)? {
            return Ok(None);
        }
        let mut walk = self.inner.revwalk().map_err(&reading)?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE).map_err(&reading)?;
        walk.simplify_first_parent().map_err(&reading)?;
        walk.push(bad).map_err(&reading)?;
        walk.hide(good).map_err(&reading)?;
        walk.map(|id| name(id.map_err(&reading)?)).collect::<Result<Vec<Commit>, _>>().map(Some)
    }

    /// The parents of a commit, those that the clone has.
    pub fn parents(&self, commit: &Commit) -> Result<Vec<Commit>, RepositoryError> {
        self.commit(commit)?.parent_ids().map(name).collect()
    }

    /// The first line of a commit's message.
    pub fn subject(&self, commit: &Commit) -> String {
        let commit = self.commit(commit).ok();
        let line = commit.as_ref().and_then(|commit| commit.summary_bytes());
        line.map(|line| String::from_utf8_lossy(line).into_owned()).unwrap_or_default()
    }

    /// The name of a commit's author; empty for an unknown commit.
    pub fn author(&self, commit: &Commit) -> String {
        let commit = self.commit(commit).ok();
        commit.map(|commit| String::from_utf8_lossy(commit.author().name_bytes()).into_owned()).unwrap_or_default()
    }

    /// The address of the remote, as configured.
    pub fn remote_address(&self) -> Option<String> {
        let key = format!("remote.{}.url", self.remote()?);
        self.inner.config().and_then(|mut config| config.snapshot()?.get_string(&key)).ok()
    }

    /// The commit of a revision (`main`, `HEAD~3`, `v1.2`, a short id).
    pub fn resolve(&self, revision: &str) -> Result<Commit, RepositoryError> {
        let _watched = self.watched();
        let object = self.inner.revparse_single(revision).and_then(|object| object.peel_to_commit());
        let unknown = |e: git2::Error| {
            if self.inner.is_empty().is_ok_and(|is_empty| is_empty) {
                return RepositoryError::Unborn;
            }
            if revision.starts_with("HEAD")
                && self.inner.head().is_err()
                && let Err(error) = self.head()
            {
                return error;
            }
            match self.target(revision) {
                Some(id) => RepositoryError::Missing { revision: revision.to_owned(), id: id.to_string() },
                None => unresolved(revision, e),
            }
        };
        name(object.map_err(unknown)?.id())
    }

    /// The object that a ref points to, whether or not it is there.
    fn target(&self, revision: &str) -> Option<Oid> {
        let names = ["", "refs/heads/", "refs/tags/", "refs/remotes/"].map(|prefix| format!("{prefix}{revision}"));
        names.iter().find_map(|name| self.inner.refname_to_id(name).ok())
    }

    /// The content of a file at a revision (`gh-pages:dev/bench/data.js`), also of a branch that only `origin` has.
    pub fn file_at(&self, spec: &str) -> Result<Vec<u8>, RepositoryError> {
        let _watched = self.watched();
        let find = |spec: &str| self.inner.revparse_single(spec).and_then(|object| object.peel_to_blob());
        let blob = find(spec).or_else(|error| find(&format!("origin/{spec}")).map_err(|_| error));
        Ok(blob.map_err(|error| unresolved(spec, error))?.content().to_vec())
    }

    /// The committer's time, seconds since 1970.
    pub fn time(&self, commit: &Commit) -> Result<i64, RepositoryError> {
        Ok(self.commit(commit)?.time().seconds())
    }

    /// A commit and its first parents, newest first, at most `most`.
    pub fn ancestors(
        &self,
        commit: &Commit,
        most: usize,
    ) -> Result<impl Iterator<Item = Commit> + use<'_>, RepositoryError> {
        let first = self.commit(commit)?;
        // In a shallow clone, the chain ends at a missing parent.
        let chain = std::iter::successors(Some(first), |commit| {
            let _watched = self.watched();
            commit.parent(0).ok()
        });
        Ok(chain.filter_map(|commit| name(commit.id()).ok()).take(most))
    }

    /// States the default branch.
    pub fn set_default_branch(&mut self, name: &str) {
        self.configured_default = Some(name.to_owned());
    }

    /// The name of the default branch: the stated one, or the remote's HEAD, `init.defaultBranch`, `main` or `master`,
    /// whichever exists first, else the only branch.
    pub fn default_branch(&self) -> Result<String, RepositoryError> {
        if let Some(configured) = &self.configured_default {
            let missing = || RepositoryError::ConfiguredBranchMissing { branch: configured.clone() };
            return if self.is_branch(configured) { Ok(configured.clone()) } else { Err(missing()) };
        }
        let remote = self.remote();
        let head = remote.as_ref().and_then(|remote| {
            let prefix = format!("refs/remotes/{remote}/");
            let head = self.inner.find_reference(&format!("{prefix}HEAD")).ok()?;
            let target = String::from_utf8_lossy(head.symbolic_target_bytes()?).into_owned();
            target.strip_prefix(&prefix).map(str::to_owned)
        });
        let configured = self.inner.config().and_then(|c| c.get_string("init.defaultBranch")).ok();
        let usual = ["main", "master"].map(|name| Some(name.to_owned()));
        let candidates = [head, configured].into_iter().chain(usual).flatten();
        let there = candidates.into_iter().find(|name| !self.branch_commits(name).is_empty());
        there.or_else(|| self.only_branch()).ok_or(RepositoryError::NoDefaultBranch { remote })
    }

    /// The merge base with the default branch. Local and remote branch may both be behind, so the one with the newer merge
    /// base counts.
    pub fn merge_base(&self, commit: &Commit) -> Result<Commit, RepositoryError> {
        let branch = self.default_branch().map_err(|error| match error {
            // A shallow clone usually has only the branch that was cloned.
            RepositoryError::NoDefaultBranch { .. } | RepositoryError::ConfiguredBranchMissing { .. }
                if self.is_shallow() =>
            {
                RepositoryError::Shallow { commit: commit.clone() }
            }
            other => other,
        })?;
        self.merge_base_with(commit, &branch, None)
    }

    /// The merge base with a branch, or with a commit that is known to have been on it.
    pub fn merge_base_with(
        &self,
        commit: &Commit,
        branch: &str,
        known: Option<&Commit>,
    ) -> Result<Commit, RepositoryError> {
        let id = self.commit(commit)?.id();
        let _watched = self.watched();
        let known = known.and_then(|known| self.commit(known).ok()).map(|known| known.id());
        let mut nearest: Option<(usize, Oid)> = None;
        for other in self.branch_commits(branch).into_iter().chain(known) {
            let base = match self.inner.merge_base(id, other) {
                Ok(base) => base,
                Err(error) if error.code() == ErrorCode::NotFound => continue,
                Err(error) => return Err(failed("find the merge base")(error)),
            };
            let (ahead, _) = self.inner.graph_ahead_behind(id, base).map_err(failed("find the merge base"))?;
            if nearest.is_none_or(|(least, _)| ahead < least) {
                nearest = Some((ahead, base));
            }
        }
        match nearest {
            Some((_, base)) => name(base),
            None if self.is_shallow() => Err(RepositoryError::Shallow { commit: commit.clone() }),
            None => Err(RepositoryError::Unrelated { commit: commit.clone(), branch: branch.to_owned() }),
        }
    }

    /// True if `commit` is `other`, descends from it or merges it, so that its results include the changes of `other`.
    /// `None` if the clone does not have `other`, which may be a commit of a fork.
    pub fn includes(&self, commit: &Commit, other: &Commit) -> Option<bool> {
        let _watched = self.watched();
        let found = self.commit(commit).ok()?;
        let id = object_id(other).ok()?;
        if found.id() == id || found.parent_ids().any(|parent| parent == id) {
            return Some(true);
        }
        self.commit(other).ok()?;
        self.inner.graph_descendant_of(found.id(), id).ok()
    }

    /// True for the name of a branch, local or at the remote.
    pub fn is_branch(&self, name: &str) -> bool {
        !self.branch_commits(name).is_empty()
    }

    /// True if a branch contains a commit.
    pub fn contains(&self, branch: &str, commit: &Commit) -> bool {
        let _watched = self.watched();
        let Ok(id) = self.commit(commit).map(|commit| commit.id()) else { return false };
        self.branch_commits(branch)
            .into_iter()
            .any(|newest| newest == id || self.inner.graph_descendant_of(newest, id).unwrap_or(false))
    }

    /// The commits whose runs can be the base of a commit, best first: the merge base with the default branch, then its first
    /// parents. For a commit of the default branch, its own first parents. Empty for the first commit.
    pub fn base_candidates(&self, head: &Commit) -> Result<Vec<Commit>, RepositoryError> {
        let base = self.merge_base(head)?;
        let own = usize::from(base == *head);
        let candidates: Vec<Commit> = self.ancestors(&base, CANDIDATES + own)?.skip(own).collect();
        if candidates.is_empty() && self.is_shallow() {
            return Err(RepositoryError::Shallow { commit: head.clone() });
        }
        Ok(candidates)
    }

    pub(super) fn commit(&self, commit: &Commit) -> Result<git2::Commit<'_>, RepositoryError> {
        let unknown = |error| unresolved(commit.as_str(), error);
        let id = self.check(object_id(commit).map_err(&unknown)?)?;
        self.inner.find_commit(id).map_err(unknown)
    }

    /// The name of the remote: `origin`, else the only one.
    pub fn remote(&self) -> Option<String> {
        let remotes = self.inner.remotes().ok()?;
        let mut names: Vec<String> = remotes.iter().flatten().flatten().map(str::to_owned).collect();
        match names.iter().position(|name| name == "origin") {
            Some(origin) => Some(names.swap_remove(origin)),
            None if names.len() == 1 => names.pop(),
            None => None,
        }
    }

    /// The newest commits of a branch, at the remote and in this repository.
    pub(super) fn branch_commits(&self, branch: &str) -> Vec<Oid> {
        let remote = self.remote().map(|remote| format!("refs/remotes/{remote}/{branch}"));
        let names = remote.into_iter().chain([format!("refs/heads/{branch}")]);
        names.filter_map(|name| self.inner.refname_to_id(&name).ok()).collect()
    }

    fn only_branch(&self) -> Option<String> {
        let mut branches = self.inner.branches(Some(BranchType::Local)).ok()?.flatten();
        let (branch, _) = branches.next()?;
        let name = String::from_utf8_lossy(branch.name_bytes().ok()?).into_owned();
        branches.next().is_none().then_some(name)
    }
}

#[cfg(unix)]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)).into()
}

#[cfg(not(unix))]
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    String::from_utf8_lossy(bytes).into_owned().into()
}

/// The id as libgit2 has it: 64 digits are SHA-256.
pub(super) fn object_id(commit: &Commit) -> Result<Oid, git2::Error> {
    let format = if commit.as_str().len() == 64 { ObjectFormat::Sha256 } else { ObjectFormat::Sha1 };
    Oid::from_str_ext(commit.as_str(), format)
}

pub(super) fn name(id: Oid) -> Result<Commit, RepositoryError> {
    let unknown = || git2::Error::from_str("unknown kind of object id");
    Commit::parse(&id.to_string()).ok_or_else(|| failed("read a commit id")(unknown()))
}
