//! A check run: the verdict beside the commit. Benchmarks' source lines are not known to any input format, so it carries
//! no annotations.

use super::client::{Ask, Client};
use super::fault::{Fault, Need};
use super::slug::Slug;
use crate::model::Commit;
use serde::Deserialize;
use serde_json::json;

/// The longest summary that GitHub takes.
const SUMMARY: usize = 65_535;

/// What a check run says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRun {
    /// Its name; with the commit it makes the check run.
    pub name: String,
    /// The head commit of the pull request.
    pub commit: Commit,
    /// Its result.
    pub conclusion: Conclusion,
    /// The verdict in a sentence.
    pub title: String,
    /// The document, Markdown.
    pub summary: String,
    /// Where the job's log is.
    pub details_url: Option<String>,
}

/// A check run's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// The gate passes.
    Success,
    /// The gate fails.
    Failure,
    /// The gate passes, and something is not decided.
    Neutral,
}

impl Conclusion {
    /// GitHub's word.
    pub fn word(self) -> &'static str {
        match self {
            Conclusion::Success => "success",
            Conclusion::Failure => "failure",
            Conclusion::Neutral => "neutral",
        }
    }
}

#[derive(Deserialize)]
struct Made {
    id: u64,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
}

#[derive(Deserialize)]
struct List {
    check_runs: Vec<Made>,
}

/// Makes the check run of a commit, and says where it is. After an answer that leaves open whether it was made, it is
/// looked for before it is made again.
pub fn put_check(client: &Client, repository: &Slug, check: &CheckRun) -> Result<Option<String>, Fault> {
    let doing = format!("making the check run of {}", check.commit.short());
    // Whoever looks for it later knows it by this.
    let id = format!("{:016x}", fingerprint(&[&check.name, &check.title, &check.summary, check.conclusion.word()]));
    let mut body = json!({
        "name": check.name,
        "head_sha": check.commit.as_str(),
        "status": "completed",
        "conclusion": check.conclusion.word(),
        "external_id": id,
        "output": {"title": shortened(&check.title, 255), "summary": shortened(&check.summary, SUMMARY)},
    });
    if let Some(url) = &check.details_url {
        body["details_url"] = url.as_str().into();
    }
    let route = format!("/repos/{repository}/check-runs");
    let mut attempts = 0;
    loop {
        attempts += 1;
        let fault = match client.post::<Made>(Ask { route: &route, doing: &doing, need: Need::Checks }, &body) {
            Ok(made) => return Ok(made.html_url),
            Err(fault) => fault,
        };
        if !fault.passes() || attempts >= client.patience().attempts {
            return Err(fault);
        }
        client.pause(client.patience().pause * attempts);
        let list = format!("/repos/{repository}/commits/{}/check-runs?filter=all&per_page=100", check.commit);
        let known: List = client.get(Ask { route: &list, doing: &doing, need: Need::Checks })?;
        let made = known.check_runs.into_iter().filter(|made| made.external_id.as_deref() == Some(&id));
        if let Some(made) = made.max_by_key(|made| made.id) {
            return Ok(made.html_url);
        }
    }
}

/// A digest of texts; of no use against anyone who wants two texts to have one.
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
