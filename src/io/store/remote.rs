//! The git command, for the network: credentials, proxies and extra headers are then those that the user has set up.
//! (libgit2 would also lose pushes to remotes that are paths.) What is exchanged is for `exchange`.

use super::StoreError;
use crate::io::github::Token;
use git2::Oid;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A remote, by name or URL, seen from a repository.
#[derive(Debug)]
pub(super) struct Remote<'a> {
    git_dir: &'a Path,
    /// Where relative URLs start from, as they do for a user in the work tree.
    directory: PathBuf,
    name: &'a str,
}

/// What became of a push.
#[derive(Debug)]
pub(super) enum Pushed {
    Done,
    /// Another writer was there first, in git's words.
    Overtaken(String),
    /// The remote takes no force, in git's words.
    Unforced(String),
}

impl<'a> Remote<'a> {
    /// Refuses what git would take for an option.
    pub(super) fn new(repository: &git2::Repository, git_dir: &'a Path, name: &'a str) -> Result<Self, StoreError> {
        if name.is_empty() || name.starts_with('-') || name.chars().any(char::is_control) {
            return Err(StoreError::Remote(clean(name)));
        }
        let directory = repository.workdir().unwrap_or(repository.path()).to_owned();
        Ok(Remote { git_dir, directory, name })
    }

    /// The remote as it may be shown.
    pub(super) fn shown(&self) -> String {
        clean(self.name)
    }

    /// Fetches a ref into another one; false where the remote has no such ref.
    ///
    /// Nothing else may move: neither tags nor FETCH_HEAD nor what the remote's own refspecs say (in a mirror they would
    /// overwrite our ref). All objects must come, whatever filter the clone was made with: libgit2 cannot fetch later.
    pub(super) fn fetch(&self, reference: &str, into: &str) -> Result<bool, StoreError> {
        let refspec = format!("+{reference}:{into}");
        let options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-prune", "--no-recurse-submodules"];
        let more = ["--no-filter", "--no-auto-maintenance", "--refmap=", "--", self.name, &refspec];
        let output = self.git("fetch", options.into_iter().chain(more))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() {
            Ok(true)
        } else if said.contains("couldn't find remote ref") {
            Ok(false)
        } else {
            Err(self.failed("fetch", &said))
        }
    }

    /// Pushes a ref to the same name. By force only in the place of a commit, and only while the remote is there.
    pub(super) fn push(&self, reference: &str, in_place_of: Option<Oid>) -> Result<Pushed, StoreError> {
        let refspec = format!("{reference}:{reference}");
        let lease = in_place_of.map(|there| format!("--force-with-lease={reference}:{there}"));
        let options = ["--porcelain", "--no-follow-tags", "--recurse-submodules=no"];
        let place = ["--", self.name, &refspec];
        let output = self.git("push", options.iter().copied().chain(lease.as_deref()).chain(place))?;
        if output.status.success() {
            return Ok(Pushed::Done);
        }
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let Some(rejected) = stdout.lines().find_map(|line| line.strip_prefix("!\t")) else {
            return Err(self.failed("push", &stderr));
        };
        if lease.is_some() && rejected.contains("[remote rejected]") && rejected.contains("non-fast-forward") {
            return Ok(Pushed::Unforced(clean(rejected)));
        }
        if lost_race(rejected) {
            return Ok(Pushed::Overtaken(clean(rejected)));
        }
        let said = last_lines(&format!("{stderr}\n{rejected}"));
        Err(StoreError::Refused { remote: self.shown(), said })
    }

    /// The error for a push that the remote does not take, in git's words.
    pub(super) fn refused(&self, said: &str) -> StoreError {
        StoreError::Refused { remote: self.shown(), said: said.to_owned() }
    }

    fn failed(&self, what: &'static str, said: &str) -> StoreError {
        StoreError::Network { what, remote: self.shown(), said: last_lines(said) }
    }

    fn git<'s>(&self, verb: &str, arguments: impl Iterator<Item = &'s str>) -> Result<Output, StoreError> {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(self.git_dir);
        let mut command = Command::new("git");
        // Inside a hook these point at another repository.
        for variable in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_PREFIX",
            "GIT_COMMON_DIR",
            "GIT_NAMESPACE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        ] {
            command.env_remove(variable);
        }
        self.lend_token(&mut command, &|name| std::env::var(name).ok());
        command
            .current_dir(&self.directory)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .env_remove("LANGUAGE")
            .arg(git_dir)
            .arg(verb)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(StoreError::NoGit)
    }
}

impl Remote<'_> {
    /// In a workflow without git credentials (`persist-credentials: false`) git is lent the job's token, for the server of
    /// the workflow alone, and through its environment alone: arguments and addresses can be seen by others.
    fn lend_token(&self, command: &mut Command, variable: &dyn Fn(&str) -> Option<String>) {
        let server =
            variable("GITHUB_SERVER_URL").filter(|url| url.starts_with("http://") || url.starts_with("https://"));
        let token = variable(Token::VARIABLE).as_deref().and_then(Token::new);
        let (Some(server), Some(token)) = (server, token) else { return };
        let server = format!("{}/", server.trim_end_matches('/'));
        if self.has_header(&server) {
            return; // actions/checkout left its own; two would be refused
        }
        let before = variable("GIT_CONFIG_COUNT").and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
        command.env("GIT_CONFIG_COUNT", (before + 1).to_string());
        command.env(format!("GIT_CONFIG_KEY_{before}"), format!("http.{server}.extraheader"));
        command.env(format!("GIT_CONFIG_VALUE_{before}"), token.git_header());
    }

    fn has_header(&self, server: &str) -> bool {
        let mut git_dir = OsString::from("--git-dir=");
        git_dir.push(self.git_dir);
        let mut command = Command::new("git");
        command.current_dir(&self.directory).arg(git_dir).args([
            "config",
            "--get-urlmatch",
            "http.extraheader",
            server,
        ]);
        let output = command.stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().is_empty())
    }
}

/// True for the words that git has for "another writer was first"; everything else is a refusal. A ref that is locked
/// for good ends in the same words, and then in the last of the tries.
fn lost_race(rejected: &str) -> bool {
    let refused = ["declined", "protected", "denied", "prohibited"];
    let raced = [
        "non-fast-forward",
        "fetch first",
        "stale info",
        "cannot lock ref",
        "failed to lock",
        "failed to update ref",
        "incorrect old value",
        "reference already exists",
    ];
    let has = |words: &[&str]| words.iter().any(|word| rejected.contains(word));
    has(&raced) && !has(&refused)
}

/// The last lines of what git said, fit to be shown in one.
fn last_lines(said: &str) -> String {
    let lines: Vec<String> = said.lines().map(clean).filter(|line| !line.is_empty()).collect();
    let lines = &lines[lines.len().saturating_sub(5)..];
    if lines.is_empty() { "git said nothing".to_owned() } else { lines.join("; ") }
}

/// Without control characters, and without the user and password of a URL.
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
    fn only_a_lost_race_is_tried_again() {
        let line = |why: &str| format!("refs/perfgate/baselines:refs/perfgate/baselines\t{why}");
        for why in [
            "[rejected] (fetch first)",
            "[rejected] (non-fast-forward)",
            "[remote rejected] (failed to update ref)",
            "[remote rejected] (cannot lock ref 'refs/perfgate/baselines': is at 1 but expected 2)",
            "[remote rejected] (incorrect old value provided)",
        ] {
            assert!(lost_race(&line(why)), "{why}");
        }
        for why in [
            "[remote rejected] (pre-receive hook declined)",
            "[remote rejected] (hook declined)",
            "[remote rejected] (protected branch hook declined)",
            "[remote rejected] (cannot lock ref 'refs/perfgate/baselines': Permission denied)",
            "[remote rejected] (deny updating a hidden ref)",
        ] {
            assert!(!lost_race(&line(why)), "{why}");
        }
    }

    #[test]
    fn what_git_said_is_shown_without_passwords_and_escapes() {
        let said = "remote: \u{1b}[31mno\nfatal: https://me:pw@example.org/x and http://a/b@c, ssh://u@h\n\n";
        let shown = "remote:  [31mno; fatal: https://***@example.org/x and http://a/b@c, ssh://***@h";
        assert_eq!(last_lines(said), shown);
        assert_eq!(last_lines("1\n2\n3\n4\n5\n6"), "2; 3; 4; 5; 6");
    }
}
