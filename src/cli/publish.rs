//! Publishes a report on GitHub: comment, check run, pull request description, job summary, outputs and annotations. A
//! failure here is a warning and never changes the exit code of the report.

mod command;
mod document;
mod filled;
mod target;

pub use command::{PublishArgs, run};
pub use filled::FilledTemplate;
pub use target::{CommentMode, DEFAULT_KEY, Options, Target};

use super::output;
use crate::gate::needs_comment;
use crate::io::github::{
    self, ApiError, Client, CommentCondition, CommentOutcome, Part, Slug, add_outputs, add_summary, put_check,
    put_comment, put_commit_comment,
};
use crate::model::Diagnostic;
use crate::render;
use crate::render::template::MAX_COMMENT_CHARS;
use crate::verdict::Report;
use document::{candidate_parts, check_run, document, findings_digest, summary, updated_description};
use std::path::PathBuf;

pub use document::{check_name, safe_link_url};

/// What was published.
#[derive(Debug, Clone, Default)]
pub struct PublishResult {
    /// The comment's page.
    pub comment_url: Option<String>,
    /// The check run's page.
    pub check_url: Option<String>,
    /// What could not be published, and how to fix it.
    pub problems: Vec<Diagnostic>,
}

/// Publishes the comments on the pull request and the commit, the check run and the pull request description.
pub fn publish(report: &Report, target: &Target, options: &Options) -> PublishResult {
    let mut published = PublishResult::default();
    let commented = target.pull.filter(|_| options.comment != CommentMode::Never);
    let checked = target.commit.as_ref().filter(|_| options.check);
    let described = target.pull.filter(|_| options.body);
    let on_commit = target.commit.as_ref().filter(|_| options.commit_comment);
    if commented.is_none() && checked.is_none() && described.is_none() && on_commit.is_none() {
        return published;
    }
    let client = match Client::new(&target.api_url, target.token.as_ref()) {
        Ok(client) => client,
        Err(error) => {
            let places = [
                commented.map(|_| "the comment"),
                checked.map(|_| "the check run"),
                on_commit.map(|_| "the comment on the commit"),
                described.map(|_| "the pull request description"),
            ];
            let places: Vec<&str> = places.into_iter().flatten().collect();
            let mut problem = error.diagnostic();
            problem.message = format!("not published: {}: {}", places.join(", "), problem.message);
            published.problems.push(problem);
            return published;
        }
    };
    let repository = &target.repository;
    if let Some(pull) = commented {
        match comment(report, target, options, &client, pull) {
            Ok(CommentOutcome::None) => {}
            Ok(CommentOutcome::UpToDate(url)) => published.comment_url = url,
            Ok(CommentOutcome::Superseded(url)) => {
                published.comment_url = url;
                let message = "the comment comes from a later run of this job, so it was not updated";
                published.problems.push(Diagnostic::note("later-run", "", message));
            }
            Err(error) => published.problems.push(error.diagnostic()),
        }
    }
    if let Some(commit) = checked {
        match put_check(&client, repository, &check_run(report, target, options, commit)) {
            Ok(url) => published.check_url = url,
            Err(error) => published.problems.push(error.diagnostic()),
        }
    }
    if let Some(commit) = on_commit {
        let mention = options.mention.as_deref().map(|mention| format!("{mention}\n\n")).unwrap_or_default();
        let room = MAX_COMMENT_CHARS.saturating_sub(200 + mention.chars().count());
        let text = document(report, target, options, room).unwrap_or_default();
        match put_commit_comment(&client, repository, commit, &options.key, &format!("{mention}{text}")) {
            Ok(url) => published.comment_url = url,
            Err(error) => published.problems.push(error.diagnostic()),
        }
    }
    if let Some(pull) = described {
        match body(report, options, &client, repository, pull) {
            Ok(problem) => published.problems.extend(problem),
            Err(error) => published.problems.push(error.diagnostic()),
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
) -> Result<CommentOutcome, ApiError> {
    let news = needs_comment(report);
    let when = match options.comment {
        CommentMode::Always => CommentCondition::Always,
        CommentMode::OnChange => CommentCondition::Changed { news },
        CommentMode::Auto | CommentMode::Never => CommentCondition::Auto { news },
    };
    let part = Part {
        key: &options.key,
        shard: options.shard.as_deref(),
        findings_digest: findings_digest(report),
        run: target.run.as_ref().map(|run| run.number),
        text: &|room| document(report, target, options, room),
    };
    put_comment(client, &target.repository, pull, &part, when)
}

/// Updates perfgate's sections of the pull request description and keeps all other text.
fn body(
    report: &Report,
    options: &Options,
    client: &Client,
    repository: &Slug,
    pull: u64,
) -> Result<Option<Diagnostic>, ApiError> {
    let old = github::pull(client, repository, pull)?.body.unwrap_or_default();
    let problem = |message: String| {
        let place = format!("the description of pull request #{pull}");
        Ok(Some(Diagnostic::warning("pull-request-body", place, format!("{message}; it was not updated"))))
    };
    let mut longest = MAX_COMMENT_CHARS;
    for _ in 0..3 {
        let candidates = match candidate_parts(&options.document, report, longest) {
            Ok(candidates) => candidates,
            Err(message) => return problem(message),
        };
        let updated = match updated_description(&candidates, &old) {
            Ok(updated) => updated.text,
            Err(error) => return problem(format!("line {}: {}; {}", error.line, error.message, error.help)),
        };
        let length = updated.chars().count();
        if length <= MAX_COMMENT_CHARS {
            return match updated == old {
                true => Ok(None),
                false => github::update_body(client, repository, pull, &updated).map(|()| None),
            };
        }
        longest = longest.saturating_sub(length - MAX_COMMENT_CHARS);
    }
    problem("perfgate's sections are too long for it".to_owned())
}

/// Files that GitHub Actions reads after a step.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// GITHUB_STEP_SUMMARY.
    pub summary: Option<PathBuf>,
    /// GITHUB_OUTPUT.
    pub output: Option<PathBuf>,
}

/// Writes the job summary and the outputs. In a workflow, also prints annotations on standard output.
pub fn publish_to_job(report: &Report, job: &Job, outputs: &[(&str, String)]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut failed = |path: &PathBuf, what: &str, error: std::io::Error| {
        let message = format!("cannot write {what}: {error}");
        problems.push(Diagnostic::warning("job-file", path.display().to_string(), message));
    };
    if let Some(path) = &job.summary
        && let Err(error) = add_summary(path, &summary(report, MAX_COMMENT_CHARS))
    {
        failed(path, "the job summary", error);
    }
    if let Some(path) = &job.output
        && let Err(error) = add_outputs(path, outputs)
    {
        failed(path, "the step outputs", error);
    }
    if in_workflow() {
        let _ = output::print(render::workflow(report).as_bytes());
    }
    problems
}

/// True in a GitHub workflow, where log lines can be commands.
pub fn in_workflow() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}
