//! Where a pull request's people see a report: comment, check run, the pull request's own text, the job's summary,
//! outputs and annotations. What fails here is told and never changes the report's exit code.

mod command;
mod document;

pub use command::{PublishArgs, run};

use super::output;
use crate::io::github::{
    self, Client, Commented, Fault, Part, Slug, Token, When, add_outputs, add_summary, put_check, put_comment,
};
use crate::model::Diagnostic;
use crate::render;
use crate::render::template::{LONGEST, Template};
use crate::verdict::Report;
use clap::ValueEnum;
use document::{check_run, document, has_news, parts, state, summary};
use std::path::PathBuf;

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
    /// The page of the job's run; it ends in the run's number, which tells a later run from an earlier one.
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

/// A key that needs no mention.
pub const DEFAULT_KEY: &str = "default";

/// Writes comment, check run and the pull request's text.
pub fn publish(report: &Report, target: &Target, options: &Options) -> Published {
    let mut published = Published::default();
    let commented = target.pull.filter(|_| options.comment != CommentMode::Never);
    let checked = target.commit.as_ref().filter(|_| options.check);
    let told = target.pull.filter(|_| options.body);
    if commented.is_none() && checked.is_none() && told.is_none() {
        return published;
    }
    let client = match Client::new(&target.api_url, target.token.as_ref()) {
        Ok(client) => client,
        Err(fault) => {
            published.problems.push(fault.diagnostic());
            return published;
        }
    };
    let repository = &target.repository;
    if let Some(pull) = commented {
        match comment(report, target, options, &client, pull) {
            Ok(Commented::Not) => {}
            Ok(Commented::There(url)) => published.comment_url = url,
            Ok(Commented::Outrun(url)) => {
                published.comment_url = url;
                let message = "the comment is of a later run of this job, and was left as it is";
                published.problems.push(Diagnostic::note("later-run", "", message));
            }
            Err(fault) => published.problems.push(fault.diagnostic()),
        }
    }
    if let Some(commit) = checked {
        match put_check(&client, repository, &check_run(report, target, options, commit)) {
            Ok(url) => published.check_url = url,
            Err(fault) => published.problems.push(fault.diagnostic()),
        }
    }
    if let Some(pull) = told {
        match body(report, options, &client, repository, pull) {
            Ok(problem) => published.problems.extend(problem),
            Err(fault) => published.problems.push(fault.diagnostic()),
        }
    }
    published.problems.dedup();
    published
}

fn comment(
    report: &Report,
    target: &Target,
    options: &Options,
    client: &Client,
    pull: u64,
) -> Result<Commented, Fault> {
    let news = has_news(report);
    let when = match options.comment {
        CommentMode::Always => When::Always,
        CommentMode::OnChange => When::Changed { news },
        CommentMode::Auto | CommentMode::Never => When::Told { news },
    };
    let part = Part {
        key: &options.key,
        shard: options.shard.as_deref(),
        state: state(report),
        run: target.run_url.as_deref().and_then(|url| url.rsplit('/').next()?.parse().ok()),
        text: &|room| document(report, target, options, room),
    };
    put_comment(client, &target.repository, pull, &part, when)
}

/// Renews perfgate's parts of the pull request's own text, and keeps every other byte of it.
fn body(
    report: &Report,
    options: &Options,
    client: &Client,
    repository: &Slug,
    pull: u64,
) -> Result<Option<Diagnostic>, Fault> {
    let old = github::pull(client, repository, pull)?.body.unwrap_or_default();
    let problem = |message: String| {
        let place = format!("the text of pull request #{pull}");
        Ok(Some(Diagnostic::warning("pull-request-body", place, format!("{message}; it is as it was"))))
    };
    let mut longest = LONGEST;
    for _ in 0..3 {
        let parts = match parts(&options.template, report, longest) {
            Ok(parts) => parts,
            Err(message) => return problem(message),
        };
        let renewed = match parts.renew(&old) {
            Ok(renewed) => renewed.text,
            Err(error) => return problem(format!("line {}: {}; {}", error.line, error.message, error.help)),
        };
        let length = renewed.chars().count();
        if length <= LONGEST {
            return match renewed == old {
                true => Ok(None),
                false => github::update_body(client, repository, pull, &renewed).map(|()| None),
            };
        }
        longest = longest.saturating_sub(length - LONGEST);
    }
    problem("it has no room for perfgate's parts".to_owned())
}

/// What a job of GitHub Actions is told: the files that it names in its environment.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// GITHUB_STEP_SUMMARY.
    pub summary: Option<PathBuf>,
    /// GITHUB_OUTPUT.
    pub output: Option<PathBuf>,
}

/// Writes the job's summary and its outputs, and, where GitHub reads the log, `::error` and `::warning` lines on standard
/// output.
pub fn tell_job(report: &Report, job: &Job, outputs: &[(&str, String)]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut failed = |path: &PathBuf, what: &str, error: std::io::Error| {
        let message = format!("cannot write {what}: {error}");
        problems.push(Diagnostic::warning("job-file", path.display().to_string(), message));
    };
    if let Some(path) = &job.summary
        && let Err(error) = add_summary(path, &summary(report, LONGEST))
    {
        failed(path, "the job's summary", error);
    }
    if let Some(path) = &job.output
        && let Err(error) = add_outputs(path, outputs)
    {
        failed(path, "the step's outputs", error);
    }
    if in_workflow() {
        let _ = output::print(render::workflow(report).as_bytes());
    }
    problems
}

/// Whether GitHub reads the log.
pub fn in_workflow() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}
