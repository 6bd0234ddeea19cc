//! `perfgate publish`: publishes a saved comparison on GitHub.

use super::document::document;
use super::target::{CommentMode, DEFAULT_KEY, Options, Target};
use super::{FilledTemplate, Job, in_workflow, publish, publish_to_job};
use crate::cli::{output, render as rendering};
use crate::gate::needs_comment;
use crate::io::github::{self, JobRun, Slug, Token};
use crate::io::regular;
use crate::model::Commit;
use crate::render;
use crate::verdict::{Report, Verdict};
use anyhow::Context;
use clap::Args;
use serde_json::Value;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  perfgate compare --save comparison.json
  perfgate publish comparison.json              in the job of a pull request
  perfgate publish comparison.json --key linux  one of several comments
  perfgate publish comparison.json --repository me/repo --pull 12 --dry-run";

/// Publish a saved comparison: pull request comment, check run, job summary, annotations
///
/// The token is read only from GITHUB_TOKEN and needs `pull-requests: write` and `checks: write`. The repository, the pull
/// request and the files of the job are read from the environment of GitHub Actions. The exit code is that of the comparison.
/// If something cannot be published, perfgate prints a warning.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PublishArgs {
    /// File that `perfgate compare --save` wrote
    #[arg(value_name = "COMPARISON")]
    comparison: PathBuf,
    /// Number of the pull request [default: that of the GitHub Actions job]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pull: Option<u64>,
    /// Repository [default: the variable GITHUB_REPOSITORY]
    #[arg(long, value_name = "OWNER/NAME", value_parser = slug)]
    repository: Option<Slug>,
    /// When to comment
    #[arg(long, value_enum, default_value_t = CommentMode::Auto, value_name = "WHEN")]
    comment: CommentMode,
    /// Key of the comment; each key has a separate comment, for example one per suite
    #[arg(long, value_name = "NAME", default_value = DEFAULT_KEY)]
    key: String,
    /// Name of this job's section in the comment that jobs with the same key share
    #[arg(long, value_name = "NAME")]
    shard: Option<String>,
    /// Template of the comment: comment, pr, library, issue, report, summary, or your own file
    #[arg(long, value_name = "NAME|FILE", default_value = "comment")]
    template: String,
    /// Also update perfgate's sections of the pull request description; without such sections it stays unchanged
    #[arg(long)]
    body: bool,
    /// Print the comment, and what else would be published; publish nothing
    #[arg(long)]
    dry_run: bool,
}

/// Publishes; the exit code is the report's.
pub fn run(args: PublishArgs) -> anyhow::Result<u8> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let environment = Environment::of(&variable)?;
    let template = rendering::template(&args.template)?;
    let report = rendering::read(&args.comparison)?;
    let text = rendering::fill(&template, &report)?; // a faulty template is reported before anything is published
    let repository = args
        .repository
        .or(environment.repository)
        .context("no repository: GITHUB_REPOSITORY is not set; give it with --repository OWNER/NAME")?;
    let target = Target {
        api_url: environment.api_url,
        run: JobRun::of(&repository, &variable),
        server_url: environment.server_url,
        repository,
        token: Token::of_environment(),
        pull: args.pull.or(environment.pull),
        commit: environment.commit.or_else(|| report.head.commit.clone()),
    };
    let options = Options {
        key: args.key,
        shard: args.shard,
        comment: args.comment,
        document: FilledTemplate::new(template, text.clone()),
        check: true,
        body: args.body,
        commit_comment: false,
        mention: None,
    };
    if args.dry_run {
        return dry_run(&report, &target, &options, &environment.job);
    }
    github::available()?;
    if target.pull.is_none() && options.comment != CommentMode::Never {
        output::note("no pull request, so no comment; give one with --pull N");
    }
    let published = publish(&report, &target, &options);
    if let Some(url) = &published.comment_url {
        output::note(&format!("commented: {url}"));
    }
    let outputs = outputs(&report, &args.comparison.display().to_string(), text, published.comment_url);
    let mut problems = published.problems;
    problems.extend(publish_to_job(&report, &environment.job, &outputs));
    output::diagnostics(&problems);
    if in_workflow() {
        output::print(render::workflow_notes(&problems).as_bytes())?;
    }
    Ok(report.exit_code())
}

/// Outputs of the step.
fn outputs(report: &Report, comparison: &str, text: String, url: Option<String>) -> [(&'static str, String); 5] {
    let verdict = match report.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::None => "neutral",
    };
    [
        ("verdict", verdict.to_owned()),
        ("regressions", report.counts.regressed.to_string()),
        ("comparison", comparison.to_owned()),
        ("document", text),
        ("comment-url", url.unwrap_or_default()),
    ]
}

fn dry_run(report: &Report, target: &Target, options: &Options, job: &Job) -> anyhow::Result<u8> {
    let place = target.pull.map_or("no pull request".to_owned(), |pull| format!("pull request #{pull}"));
    let what = match (options.comment, needs_comment(report)) {
        _ if target.pull.is_none() => "no comment",
        (CommentMode::Never, _) => "no comment",
        (CommentMode::Always, _) | (_, true) => "this comment would be created or updated",
        (_, false) => "nothing to report; an existing comment would be updated to this",
    };
    output::note(&format!("{place} of {}: {what}; nothing was published", target.repository));
    let others = [
        target.commit.as_ref().filter(|_| options.check).map(|commit| format!("a check run on {}", commit.short())),
        target.pull.filter(|_| options.body).map(|_| "perfgate's sections of the pull request description".to_owned()),
        job.summary.is_some().then(|| "the job summary".to_owned()),
        job.output.is_some().then(|| "the outputs of the step".to_owned()),
        in_workflow().then(|| "annotations in the log".to_owned()),
    ];
    let others: Vec<String> = others.into_iter().flatten().collect();
    if !others.is_empty() {
        output::note(&format!("also published without --dry-run: {}", others.join(", ")));
    }
    let room = crate::render::template::MAX_COMMENT_CHARS;
    output::print(document(report, target, options, room).unwrap_or_default().as_bytes())?;
    Ok(report.exit_code())
}

fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).ok_or_else(|| "write it as OWNER/NAME".to_owned())
}

/// The environment of a job in GitHub Actions.
struct Environment {
    api_url: String,
    server_url: String,
    repository: Option<Slug>,
    pull: Option<u64>,
    commit: Option<Commit>,
    job: Job,
}

impl Environment {
    fn of(variable: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let repository = variable("GITHUB_REPOSITORY")
            .map(|text| {
                slug(&text)
                    .map_err(|help| anyhow::anyhow!("GITHUB_REPOSITORY {text:?} is not a valid repository; {help}"))
            })
            .transpose()?;
        // The head commit comes from the event of a pull request; what is checked out is a merge commit made by GitHub.
        let event: Value = variable("GITHUB_EVENT_PATH")
            .and_then(|path| regular::read(path.as_ref()).ok())
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default();
        let reference = variable("GITHUB_REF").unwrap_or_default();
        let number = reference.strip_prefix("refs/pull/").and_then(|rest| rest.split('/').next()?.parse().ok());
        let head = event["pull_request"]["head"]["sha"].as_str().map(str::to_owned);
        Ok(Environment {
            api_url: github::api_url(variable),
            server_url: github::server_url(variable),
            repository,
            pull: event["pull_request"]["number"].as_u64().or(number),
            commit: head
                .or_else(|| variable("GITHUB_SHA").filter(|_| number.is_none()))
                .and_then(|sha| Commit::parse(&sha)),
            job: Job {
                summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
                output: variable("GITHUB_OUTPUT").map(PathBuf::from),
            },
        })
    }
}
