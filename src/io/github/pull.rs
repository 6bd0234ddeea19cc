//! Pull requests: read one, find those of a commit, and update a description.

use super::api_error::{ApiError, RequiredPermission};
use super::client::{Client, Request};
use super::slug::Slug;
use serde::Deserialize;
use serde_json::json;

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: u64,
    /// URL.
    #[serde(default)]
    pub html_url: String,
    /// `open` or `closed`.
    #[serde(default)]
    pub state: String,
    /// Branch to merge.
    pub head: Branch,
    /// Target branch.
    pub base: Branch,
    /// Description.
    #[serde(default)]
    pub body: Option<String>,
}

/// Head or base branch of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Branch {
    /// Name; untrusted text.
    #[serde(rename = "ref")]
    pub name: String,
    /// Its commit.
    pub sha: String,
    /// Its repository; `None` for a deleted fork.
    #[serde(default)]
    pub repo: Option<RepositoryName>,
}

/// The repository of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RepositoryName {
    /// `owner/name`.
    pub full_name: String,
}

/// Reads a pull request by its number.
pub fn pull(client: &Client, repository: &Slug, number: u64) -> Result<Pull, ApiError> {
    let doing = format!("reading pull request #{number} of {repository}");
    client.get(Request {
        route: &format!("/repos/{repository}/pulls/{number}"),
        doing: &doing,
        permission: RequiredPermission::ReadPulls,
    })
}

/// Finds the open pull requests whose head is this commit, ordered by number. `head` is the owner and branch, if known:
/// GitHub does not always list a fork's pull request by commit, so the branch is searched first.
pub fn pulls_of(
    client: &Client,
    repository: &Slug,
    commit: &str,
    head: Option<(&str, &str)>,
) -> Result<Vec<Pull>, ApiError> {
    let doing = format!("finding the pull request of a commit in {repository}");
    let list = |route: &str| -> Result<Vec<Pull>, ApiError> {
        let found: Vec<Pull> =
            client.get(Request { route, doing: &doing, permission: RequiredPermission::ReadPulls })?;
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

/// Replaces a pull request's description.
pub fn update_body(client: &Client, repository: &Slug, number: u64, body: &str) -> Result<(), ApiError> {
    let doing = format!("updating the description of pull request #{number}");
    let route = format!("/repos/{repository}/pulls/{number}");
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::Pulls };
    client.patch::<serde_json::Value>(request, &json!({"body": body})).map(drop)
}

/// Percent-encodes a text as one URL parameter.
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
    fn a_branch_name_is_encoded_as_one_url_parameter() {
        assert_eq!(encoded("me:fix/a&state=closed#x"), "me%3Afix%2Fa%26state%3Dclosed%23x");
    }
}
