//! Pull requests: what they are, which of them a commit belongs to, and their own text.

use super::client::{Ask, Client};
use super::fault::{Fault, Need};
use super::slug::Slug;
use serde::Deserialize;
use serde_json::json;

/// A pull request as GitHub has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// Its page.
    #[serde(default)]
    pub html_url: String,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// What is to be merged.
    pub head: Branch,
    /// What it is to be merged into.
    pub base: Branch,
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
}

/// A branch that a pull request is about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// The branch's name: hostile text.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub sha: String,
    /// Its repository; `None` for a fork that was removed.
    #[serde(default)]
    pub repo: Option<Home>,
}

/// The repository of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Home {
    /// `owner/name`.
    pub full_name: String,
}

/// A pull request by its number.
pub fn pull(client: &Client, repository: &Slug, number: u64) -> Result<Pull, Fault> {
    let doing = format!("reading pull request #{number} of {repository}");
    client.get(Ask { route: &format!("/repos/{repository}/pulls/{number}"), doing: &doing, need: Need::ReadPulls })
}

/// The open pull requests whose head is this commit, by number; `head` is the owner and the branch, where known. A commit
/// of a fork is not always among those that GitHub lists for a commit, so the branch is asked for too.
pub fn pulls_of(
    client: &Client,
    repository: &Slug,
    commit: &str,
    head: Option<(&str, &str)>,
) -> Result<Vec<Pull>, Fault> {
    let doing = format!("looking for the pull request of a commit of {repository}");
    let list = |route: &str| -> Result<Vec<Pull>, Fault> {
        let found: Vec<Pull> = client.get(Ask { route, doing: &doing, need: Need::ReadPulls })?;
        Ok(found.into_iter().filter(|pull| pull.head.sha == commit && pull.state != "closed").collect())
    };
    let mut found = Vec::new();
    if let Some((owner, branch)) = head {
        let head = encoded(&format!("{owner}:{branch}"));
        found = list(&format!("/repos/{repository}/pulls?state=open&per_page=100&head={head}"))?;
    }
    if found.is_empty() {
        found = list(&format!("/repos/{repository}/commits/{}/pulls?per_page=100", encoded(commit)))?;
    }
    found.sort_unstable_by_key(|pull| pull.number);
    Ok(found)
}

/// Replaces a pull request's text.
pub fn update_body(client: &Client, repository: &Slug, number: u64, body: &str) -> Result<(), Fault> {
    let doing = format!("writing the text of pull request #{number}");
    let route = format!("/repos/{repository}/pulls/{number}");
    let ask = Ask { route: &route, doing: &doing, need: Need::Pulls };
    client.patch::<serde_json::Value>(ask, &json!({"body": body})).map(drop)
}

/// Text as one value of an address.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_name_stays_one_value_of_the_address() {
        assert_eq!(encoded("me:fix/a&state=closed#x"), "me%3Afix%2Fa%26state%3Dclosed%23x");
    }
}
