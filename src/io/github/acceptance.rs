//! Regressions that a person with write access accepts for the present head of a pull request: by a comment
//! `/perfgate accept NAME|all [reason]`, or by a label.
//!
//! Permissions come from the API, never from an event. A comment counts only if the head had a check run of perfgate
//! before it was written: GitHub dates both, whereas the dates of commits can be chosen. So the next push needs it again.

use super::client::{Client, Request};
use super::fault::{Fault, Need};
use super::slug::Slug;
use crate::model::Commit;
use jiff::Timestamp;
use serde::Deserialize;

/// Most pages of comments to read.
const PAGES: usize = 25;
const PER_PAGE: usize = 100;
/// Longest reason, in characters.
const REASON: usize = 300;

/// What a person accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The person's login.
    pub who: String,
    /// The benchmark; `None` for all of them.
    pub benchmark: Option<String>,
    /// Why; may be empty.
    pub reason: String,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    created_at: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Permission {
    #[serde(default)]
    permission: String,
}

#[derive(Deserialize)]
struct Checks {
    check_runs: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    #[serde(default)]
    started_at: Option<String>,
}

#[derive(Deserialize)]
struct Labels {
    head: Sha,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Sha {
    sha: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

/// What is accepted by comments, in their order. `check` is the name of perfgate's check run on the head.
pub fn by_comments(
    client: &Client,
    repository: &Slug,
    pull: u64,
    head: &Commit,
    check: &str,
) -> Result<Vec<Acceptance>, Fault> {
    let doing = format!("reading who accepts regressions of pull request #{pull}");
    let route = format!("/repos/{repository}/commits/{head}/check-runs?filter=all&per_page=100");
    let checks: Checks = client.get(Request { route: &route, doing: &doing, need: Need::Checks })?;
    let started = checks
        .check_runs
        .iter()
        .filter(|run| run.name == check)
        .filter_map(|run| run.started_at.as_ref()?.parse().ok());
    let first: Option<Timestamp> = started.min();
    let Some(first) = first else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for page in 1..=PAGES {
        let route = format!("/repos/{repository}/issues/{pull}/comments?per_page={PER_PAGE}&page={page}");
        let (comments, next): (Vec<Comment>, bool) =
            client.page(Request { route: &route, doing: &doing, need: Need::ReadPulls })?;
        for Comment { body, user, created_at } in comments {
            let is_later = created_at.parse::<Timestamp>().is_ok_and(|created| created > first);
            let (Some(body), Some(user), true) = (body, user, is_later) else { continue };
            found.extend(body.lines().filter_map(command).map(|(benchmark, reason)| Acceptance {
                who: user.login.clone(),
                benchmark,
                reason,
            }));
        }
        if !next {
            break;
        }
    }
    let mut allowed = Vec::new();
    for acceptance in found {
        if may_write(client, repository, &acceptance.who)? {
            allowed.push(acceptance);
        }
    }
    Ok(allowed)
}

/// What a person accepts by having set a label, as an event states; `None` if the API does not confirm it for this head.
pub fn by_label(
    client: &Client,
    repository: &Slug,
    pull: u64,
    head: &Commit,
    label: &str,
    who: &str,
) -> Result<Option<Acceptance>, Fault> {
    let doing = format!("reading the labels of pull request #{pull}");
    let route = format!("/repos/{repository}/pulls/{pull}");
    let found: Labels = client.get(Request { route: &route, doing: &doing, need: Need::ReadPulls })?;
    let is_set = found.head.sha == head.as_str() && found.labels.iter().any(|known| known.name == label);
    let reason = format!("label {label:?}");
    let accepted = is_set && may_write(client, repository, who)?;
    Ok(accepted.then(|| Acceptance { who: who.to_owned(), benchmark: None, reason }))
}

/// True for a person who may write to the repository.
fn may_write(client: &Client, repository: &Slug, login: &str) -> Result<bool, Fault> {
    let plain = !login.is_empty() && login.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !plain {
        return Ok(false); // bots have brackets in their names
    }
    let doing = format!("reading the permission of {login}");
    let route = format!("/repos/{repository}/collaborators/{login}/permission");
    match client.get::<Permission>(Request { route: &route, doing: &doing, need: Need::Contents }) {
        Ok(Permission { permission }) => Ok(matches!(permission.as_str(), "admin" | "write")),
        Err(Fault::Absent { .. }) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// The benchmark and the reason of a line `/perfgate accept NAME|all [reason]`; a name with spaces is in quotes.
fn command(line: &str) -> Option<(Option<String>, String)> {
    let rest = line.trim().strip_prefix("/perfgate accept ")?.trim_start();
    let (name, reason) = match rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        Some(quoted) => quoted,
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    let name = name.trim_matches('`');
    let reason = reason.trim().chars().take(REASON).collect();
    (!name.is_empty()).then(|| ((name != "all").then(|| name.to_owned()), reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_a_benchmark_or_all() {
        let read = |line: &str| command(line).map(|(name, reason)| (name.unwrap_or("-".to_owned()), reason));
        let is = |name: &str, reason: &str| Some((name.to_owned(), reason.to_owned()));
        assert_eq!(read("/perfgate accept all"), is("-", ""));
        assert_eq!(read("  /perfgate accept `parse/large` bounds checks "), is("parse/large", "bounds checks"));
        assert_eq!(read("/perfgate accept \"a b\" why"), is("a b", "why"));
        for other in ["/perfgate accept", "/perfgate accept  ", "> /perfgate accept all", "/perfgate accepted all", ""]
        {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
