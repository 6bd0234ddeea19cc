//! Fetches and pushes with the git command, which uses the credentials, proxies and headers that the user has configured.
//! (libgit2 also loses pushes to remotes that are paths.) `sync` decides what is fetched and pushed.

use super::error::StoreError;
use crate::io::git_command::{EXCHANGE_LIMIT, GitFailure, end_if_stalled, git, output_within, pass_token, plain_line};
use git2::Oid;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A remote, by name or URL, seen from a repository.
#[derive(Debug)]
pub(super) struct Remote<'a> {
    git_dir: &'a Path,
    /// The directory that relative URLs start from: the user's work tree.
    directory: PathBuf,
    name: &'a str,
    /// Set if the name can only be that of a remote, and the repository has none of this name: the names of its remotes.
    known_instead: Option<Vec<String>>,
}

/// The outcome of a push.
#[derive(Debug)]
pub(super) enum PushOutcome {
    Done,
    /// Another writer was first. Git's own text.
    LostRace(String),
    /// The remote does not allow a forced push. Git's own text.
    ForceRefused(String),
}

impl<'a> Remote<'a> {
    /// Refuses a name that git would take for an option.
    pub(super) fn new(repository: &git2::Repository, git_dir: &'a Path, name: &'a str) -> Result<Self, StoreError> {
        if name.is_empty() || name.starts_with('-') || name.chars().any(char::is_control) {
            return Err(StoreError::Remote(clean(name)));
        }
        let directory = repository.workdir().unwrap_or(repository.path()).to_owned();
        let is_name = !name.contains(['/', '\\', ':']) && !directory.join(name).exists();
        let known_instead = (is_name && repository.find_remote(name).is_err()).then(|| remote_names(repository));
        Ok(Remote { git_dir, directory, name, known_instead })
    }

    /// The remote for a message, without a password.
    pub(super) fn shown(&self) -> String {
        clean(self.name)
    }

    /// Fetches a ref into another one; false if the remote has no such ref.
    ///
    /// Nothing else may be updated: no tags, no FETCH_HEAD, and none of the remote's own refspecs (in a mirror they would
    /// overwrite our ref). The fetch must be complete, even in a clone with a filter: libgit2 cannot fetch missing objects.
    pub(super) fn fetch(&self, reference: &str, into: &str) -> Result<bool, StoreError> {
        let refspec = format!("+{reference}:{into}");
        let options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune", "--no-recurse-submodules"];
        let more = ["--no-filter", "--no-auto-maintenance", "--refmap=", "--", self.name, &refspec];
        let fetch = || self.git("fetch", options.into_iter().chain(more));
        let mut output = fetch()?;
        if output.status.success() {
            return Ok(true);
        }
        // A fetch has the same exit status for a missing ref and for all faults.
        match self.has(reference)? {
            Some(false) => return Ok(false),
            Some(true) => output = fetch()?, // another writer may just have created it
            None => {}
        }
        match output.status.success() {
            true => Ok(true),
            false => Err(self.failed("fetch from", &String::from_utf8_lossy(&output.stderr))),
        }
    }

    /// True if the remote has a ref; `None` if it cannot be read.
    fn has(&self, reference: &str) -> Result<Option<bool>, StoreError> {
        let output = self.git("ls-remote", ["--quiet", "--exit-code", "--", self.name, reference].into_iter())?;
        Ok(match output.status.code() {
            Some(0) => Some(true),
            Some(2) => Some(false),
            _ => None,
        })
    }

    /// Pushes a ref to the same name. Forces it only if it replaces a commit, and only while the remote is at that commit.
    pub(super) fn push(&self, reference: &str, in_place_of: Option<Oid>) -> Result<PushOutcome, StoreError> {
        let refspec = format!("{reference}:{reference}");
        let lease = in_place_of.map(|there| format!("--force-with-lease={reference}:{there}"));
        let options = ["--porcelain", "--no-follow-tags", "--recurse-submodules=no"];
        let place = ["--", self.name, &refspec];
        let output = self.git("push", options.iter().copied().chain(lease.as_deref()).chain(place))?;
        if output.status.success() {
            return Ok(PushOutcome::Done);
        }
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let Some(rejected) = stdout.lines().find_map(|line| line.strip_prefix("!\t")) else {
            return Err(self.failed("push to", &stderr));
        };
        match GitFailure::of_push(rejected, lease.is_some()) {
            Some(GitFailure::ForceRefused) => Ok(PushOutcome::ForceRefused(clean(rejected))),
            Some(GitFailure::LostRace) => Ok(PushOutcome::LostRace(clean(rejected))),
            _ => Err(self.refused(&last_lines(&format!("{stderr}\n{rejected}")))),
        }
    }

    /// The error for a push that the remote refused.
    pub(super) fn refused(&self, stderr: &str) -> StoreError {
        StoreError::Refused { remote: self.shown(), stderr: stderr.to_owned() }
    }

    fn failed(&self, what: &'static str, stderr: &str) -> StoreError {
        if let Some(known) = &self.known_instead {
            return StoreError::NoRemote { name: self.shown(), known: known.clone() };
        }
        StoreError::Network { what, remote: self.shown(), stderr: last_lines(stderr) }
    }

    fn git<'s>(&self, verb: &str, arguments: impl Iterator<Item = &'s str>) -> Result<Output, StoreError> {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(self.git_dir);
        let mut command = git();
        pass_token(&mut command, self.git_dir, &self.directory);
        end_if_stalled(&mut command);
        command.current_dir(&self.directory).arg(git_dir).arg(verb).args(arguments);
        output_within(&mut command, EXCHANGE_LIMIT).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => {
                self.failed("exchange runs with", &format!("it took over {} minutes", EXCHANGE_LIMIT.as_secs() / 60))
            }
            _ => StoreError::NoGit(error),
        })
    }
}

fn remote_names(repository: &git2::Repository) -> Vec<String> {
    let Ok(names) = repository.remotes() else { return Vec::new() };
    names.iter().flatten().flatten().map(str::to_owned).collect()
}

/// The last lines of git's output on one line.
fn last_lines(stderr: &str) -> String {
    let lines = stderr.lines().map(|line| clean(plain_line(line))).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.collect();
    let lines = &lines[lines.len().saturating_sub(5)..];
    if lines.is_empty() { "git printed nothing".to_owned() } else { lines.join("; ") }
}

/// Text without control characters, and without the user and password of a URL.
fn clean(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut parts = text.split("://");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(part.len());
        let from = part[..end].rfind('@').unwrap_or(0);
        clean.push_str(if from == 0 { "://" } else { "://***" });
        clean.push_str(&part[from..]);
    }
    clean.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_output_is_shown_without_passwords_and_escapes() {
        let stderr = "remote: \u{1b}[31mno\nfatal: https://me:pw@example.org/x and http://a/b@c, ssh://u@h\n\n";
        let shown = "remote:  [31mno; https://***@example.org/x and http://a/b@c, ssh://***@h";
        assert_eq!(last_lines(stderr), shown);
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6"), "2; 3; 4; 5; 6");
        let missing = "fatal: 'origin' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\n\
                       Please make sure you have the correct access rights\nand the repository exists.\n";
        assert_eq!(last_lines(missing), "'origin' does not appear to be a git repository");
    }
}
