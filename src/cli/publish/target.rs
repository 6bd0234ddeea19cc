//! Where and how a report is published.

use super::filled::FilledTemplate;
use crate::io::github::{JobRun, Slug, Token};
use crate::model::Commit;
use clap::ValueEnum;

/// The key of jobs that set none; reports do not show it.
pub const DEFAULT_KEY: &str = "default";

/// Where a report is published.
#[derive(Debug, Clone)]
pub struct Target {
    /// GITHUB_API_URL.
    pub api_url: String,
    /// GITHUB_SERVER_URL.
    pub server_url: String,
    /// The repository of the pull request.
    pub repository: Slug,
    /// The token. If it is missing, nothing is published and a warning is reported.
    pub token: Option<Token>,
    /// The pull request to comment on, if any.
    pub pull: Option<u64>,
    /// The head commit of the pull request (not GitHub's merge commit) for the check run, if one is wanted.
    pub commit: Option<Commit>,
    /// The workflow run; its number orders runs.
    pub run: Option<JobRun>,
}

/// When a comment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CommentMode {
    /// Create a comment when there is something to report; always update an existing one
    Auto,
    /// Create or update the comment every time
    Always,
    /// As auto, but keep an existing comment while the findings are the same
    OnChange,
    /// Never comment
    Never,
}

/// How a report is published.
#[derive(Debug, Clone)]
pub struct Options {
    /// Distinguishes jobs that have separate comments.
    pub key: String,
    /// Distinguishes jobs that share a comment.
    pub shard: Option<String>,
    /// When a comment is written.
    pub comment: CommentMode,
    /// The report in the template of the comment.
    pub document: FilledTemplate,
    /// Whether a check run is created.
    pub check: bool,
    /// Whether perfgate's sections of the pull request description are updated.
    pub body: bool,
    /// Whether a comment on the commit is written.
    pub commit_comment: bool,
    /// Names that the comment on the commit mentions: `@team`.
    pub mention: Option<String>,
}
