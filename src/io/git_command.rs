//! The git command, and the only code that parses its messages, because git has one exit status for many errors.

use super::github::Token;
pub(super) use super::limited_output::output_within;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Variables that would point git at another repository or index, as inside a hook.
pub const GIT_VARIABLES: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
];

/// Advice if the git command cannot be started; empty if it exists.
pub(super) fn advice(error: &std::io::Error) -> &'static str {
    if error.kind() == std::io::ErrorKind::NotFound { "; install git, or put it on PATH" } else { "" }
}

/// A git command without prompts. In English, because this file reads its messages.
pub(super) fn git() -> Command {
    let mut command = Command::new("git");
    for name in GIT_VARIABLES {
        command.env_remove(name);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env_remove("LANGUAGE").stdin(Stdio::null());
    command
}

/// In a workflow without git credentials (`persist-credentials: false`) git gets the job's token, only for the server
/// of the workflow. It is passed through the environment, because other users can see arguments and URLs.
pub(super) fn pass_token(command: &mut Command, git_dir: &Path, directory: &Path) {
    let variable = |name: &str| std::env::var(name).ok();
    let server = variable("GITHUB_SERVER_URL").filter(|url| url.starts_with("http://") || url.starts_with("https://"));
    let (Some(server), Some(token)) = (server, Token::of_environment()) else { return };
    let server = format!("{}/", server.trim_end_matches('/'));
    if has_header(&server, git_dir, directory) {
        return; // set by actions/checkout; the server refuses two
    }
    let before = variable("GIT_CONFIG_COUNT").and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
    command.env("GIT_CONFIG_COUNT", (before + 1).to_string());
    command.env(format!("GIT_CONFIG_KEY_{before}"), format!("http.{server}.extraheader"));
    command.env(format!("GIT_CONFIG_VALUE_{before}"), token.git_header());
}

fn has_header(server: &str, git_dir: &Path, directory: &Path) -> bool {
    let mut option = OsString::from("--git-dir=");
    option.push(git_dir);
    let words = ["config", "--get-urlmatch", "http.extraheader", server];
    let output = output_within(git().current_dir(directory).arg(option).args(words), LOCAL_LIMIT);
    output.is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().is_empty())
}

/// The longest that an exchange with a remote may take.
pub(super) const EXCHANGE_LIMIT: Duration = Duration::from_secs(30 * 60);

/// The longest that a command on local files may take: a checkout of a large repository onto a slow disk takes minutes.
pub(super) const LOCAL_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Stops a transfer over HTTP that stalls (less than 1,000 bytes a second for a minute), unless the user has set
/// other limits.
pub(super) fn end_if_stalled(command: &mut Command) {
    for (name, value) in [("GIT_HTTP_LOW_SPEED_LIMIT", "1000"), ("GIT_HTTP_LOW_SPEED_TIME", "60")] {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
}

/// A line of git's standard error without its label and full stop; empty for advice that follows every failed exchange.
pub(super) fn plain_line(line: &str) -> &str {
    const ADVICE: [&str; 3] = [
        "Could not read from remote repository",
        "Please make sure you have the correct access rights",
        "and the repository exists",
    ];
    let line = ["fatal: ", "error: "].into_iter().find_map(|label| line.strip_prefix(label)).unwrap_or(line);
    let line = line.trim_end().trim_end_matches('.');
    if ADVICE.contains(&line) { "" } else { line }
}

/// A failure that only git's message identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GitFailure {
    /// A checkout could not write a file. Its exit status is 128, as for a commit that does not exist. The disk cannot be
    /// checked afterwards, because git removes the incomplete work tree.
    CannotWrite,
    /// A push lost the race to another writer.
    LostRace,
    /// A push would have replaced commits, and the remote refuses that.
    ForceRefused,
}

impl GitFailure {
    /// The failure of a checkout, from its standard error.
    pub(super) fn of_checkout(stderr: &str) -> Option<GitFailure> {
        stderr.contains("unable to write").then_some(GitFailure::CannotWrite)
    }

    /// The failure of a push, from the line that `git push --porcelain` prints for a rejected ref. The exit status is 1 for every
    /// rejection. `forced` is true for a push that would replace commits. Comparing the remote's ref would not work: while
    /// another writer holds its lock, the ref has not changed yet. A ref that stays locked is reported in the same way; the
    /// retries then run out.
    pub(super) fn of_push(rejected: &str, forced: bool) -> Option<GitFailure> {
        let (_, why) = rejected.split_once('\t')?; // the refs, and why
        const REFUSED: [&str; 4] = ["declined", "protected", "denied", "prohibited"];
        const LOST_RACE_MESSAGES: [&str; 8] = [
            "non-fast-forward",
            "fetch first",
            "stale info",
            "cannot lock ref",
            "failed to lock",
            "failed to update ref",
            "incorrect old value",
            "reference already exists",
        ];
        let has = |words: &[&str]| words.iter().any(|word| why.contains(word));
        if forced && has(&["[remote rejected]"]) && has(&["non-fast-forward"]) {
            Some(GitFailure::ForceRefused)
        } else {
            (has(&LOST_RACE_MESSAGES) && !has(&REFUSED)).then_some(GitFailure::LostRace)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lost_race_is_retried() {
        let failure = |why: &str, forced| GitFailure::of_push(&format!("refs/denied:refs/denied\t{why}"), forced);
        for why in [
            "[rejected] (fetch first)",
            "[rejected] (non-fast-forward)",
            "[remote rejected] (failed to update ref)",
            "[remote rejected] (cannot lock ref 'refs/perfgate/baselines': is at 1 but expected 2)",
            "[remote rejected] (incorrect old value provided)",
        ] {
            assert_eq!(failure(why, true), Some(GitFailure::LostRace), "{why}");
        }
        for why in [
            "[remote rejected] (pre-receive hook declined)",
            "[remote rejected] (hook declined)",
            "[remote rejected] (protected branch hook declined)",
            "[remote rejected] (cannot lock ref 'refs/perfgate/baselines': Permission denied)",
            "[remote rejected] (deny updating a hidden ref)",
        ] {
            assert_eq!(failure(why, true), None, "{why}");
        }
        let unforced = "[remote rejected] (non-fast-forward)";
        assert_eq!(failure(unforced, true), Some(GitFailure::ForceRefused));
        assert_eq!(failure(unforced, false), Some(GitFailure::LostRace));
    }
}
