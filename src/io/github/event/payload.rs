//! The fields of an event file that are read.

use super::EventError;
use serde::Deserialize;
use std::path::Path;

/// Reads the content of an event file; `path` is for messages.
pub(super) fn payload(bytes: &[u8], path: &Path) -> Result<Payload, EventError> {
    let damaged = |why: String| EventError::Damaged { path: path.to_owned(), why };
    if bytes.trim_ascii().is_empty() {
        return Err(damaged("is empty".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        let what = if error.is_eof() { "is cut off" } else { "is not an event of GitHub" };
        damaged(format!("{what} ({error})"))
    })
}

#[derive(Deserialize)]
pub(super) struct Payload {
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub after: Option<String>,
    pub action: Option<String>,
    pub deleted: Option<bool>,
    pub repository: Option<Repository>,
    pub pull_request: Option<Pull>,
    pub merge_group: Option<Group>,
    pub workflow_run: Option<Run>,
}

#[derive(Deserialize)]
pub(super) struct Repository {
    pub full_name: Option<String>,
    pub default_branch: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Pull {
    pub number: u64,
    pub head: PullSide,
    pub base: PullSide,
}

/// Head or base of a pull request.
#[derive(Deserialize)]
pub(super) struct PullSide {
    pub sha: Option<String>,
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub repo: Option<Repository>,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub head_sha: Option<String>,
    pub head_ref: Option<String>,
    pub base_sha: Option<String>,
    pub base_ref: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Run {
    pub head_sha: Option<String>,
    pub head_branch: Option<String>,
    pub event: Option<String>,
    /// `null` if the fork was deleted, which is not the same as missing.
    #[serde(default, deserialize_with = "present")]
    pub head_repository: Option<Option<Repository>>,
}

/// A field that is there, even if it is `null`.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<Repository>>, D::Error> {
    Option::deserialize(from).map(Some)
}
