//! Check runs: the verdict of a commit. They have no annotations, because no input format provides source lines.

use super::api_error::{ApiError, RequiredPermission};
use super::client::{Client, Request};
use super::slug::Slug;
use super::unique::unique_word;
use crate::model::Commit;
use serde::Deserialize;
use serde_json::json;

/// Longest summary that GitHub accepts, in characters.
const MAX_SUMMARY_CHARS: usize = 65_535;

/// The content of a check run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Name; identifies the check run together with the commit.
    pub name: String,
    /// Head commit of the pull request.
    pub commit: Commit,
    /// Result.
    pub conclusion: Conclusion,
    /// Verdict in one sentence.
    pub title: String,
    /// Report in Markdown.
    pub summary: String,
    /// URL of the job's log.
    pub details_url: Option<String>,
}

/// Result of a check run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The gate passes.
    Success,
    /// The gate fails.
    Failure,
    /// The gate passes, but something is undecided.
    Neutral,
}

impl Conclusion {
    /// The value in GitHub's API.
    pub fn word(self) -> &'static str {
        match self {
            Conclusion::Success => "success",
            Conclusion::Failure => "failure",
            Conclusion::Neutral => "neutral",
        }
    }
}

/// Start of the external id of perfgate's check runs.
const OWN: &str = "perfgate:";

/// True for the external id of a check run that perfgate created. GitHub lists jobs as check runs too, and a job may have the
/// same name.
pub(super) fn is_own(external_id: &str) -> bool {
    external_id.starts_with(OWN)
}

#[derive(Deserialize)]
struct CheckRunResponse {
    id: u64,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct List {
    check_runs: Vec<CheckRunResponse>,
}

/// Creates the check run of a commit and returns its URL. If the outcome of a request is unknown, checks whether the check
/// run exists before retrying.
pub fn put_check(client: &Client, repository: &Slug, check: &CheckRun) -> Result<Option<String>, ApiError> {
    let doing = format!("creating the check run of {}", check.commit.short());
    // Distinguishes this check run from an earlier one with the same content, and from a job with the same name.
    let id = format!("{OWN}{}", unique_word());
    let mut body = json!({
        "name": check.name,
        "head_sha": check.commit.as_str(),
        "status": "completed",
        "conclusion": check.conclusion.word(),
        "external_id": id,
        "output": {"title": shortened(&check.title, 255), "summary": shortened(&check.summary, MAX_SUMMARY_CHARS)},
    });
    if let Some(url) = &check.details_url {
        body["details_url"] = url.as_str().into();
    }
    let route = format!("/repos/{repository}/check-runs");
    let find = || -> Result<Option<CheckRunResponse>, ApiError> {
        let list = format!("/repos/{repository}/commits/{}/check-runs?filter=all", check.commit);
        let request = Request { route: &list, doing: &doing, permission: RequiredPermission::Checks };
        let (known, _) = client.pages(request, |page: List| page.check_runs)?;
        let same = known.into_iter().filter(|check| check.external_id.as_deref() == Some(&id));
        Ok(same.max_by_key(|check| check.id))
    };
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::Checks };
    Ok(client.post_once(request, &body, find)?.html_url)
}

/// FNV-1a hash of texts; not collision-resistant against an attacker.
pub fn fingerprint(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
