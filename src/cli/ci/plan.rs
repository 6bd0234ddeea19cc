//! What to do for an event, planned from the event, the inputs and the repository before anything is done.

use super::inputs::Inputs;
use crate::gate::Gate;
use crate::io::github::event::{Event, EventKind, WorkflowRun};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render::escape;
use anyhow::{Context, bail};
use std::fmt::Write;

/// What to do.
#[derive(Debug)]
pub enum Plan {
    /// Store the results of a commit on the default branch, and push them.
    Record {
        /// The branch.
        branch: String,
    },
    /// Compare head with a base and publish the report.
    Judge(Judging),
    /// Judge the results of a fork's job and publish the report.
    Trusted(WorkflowRun),
}

/// What head is compared with.
#[derive(Debug)]
pub enum Against {
    /// Its merge base with a branch, and the commits before.
    MergeBase(String),
    /// The input `base`: a revision or a path.
    Named(String),
}

/// What is judged, and where the report is published.
#[derive(Debug)]
pub struct Judging {
    /// What it is compared with.
    pub against: Against,
    /// The commit of the base; the merge base where the base is a path.
    pub base: Commit,
    /// The commit that is checked out.
    pub measured: Commit,
    /// The commit of the check run.
    pub head: Commit,
    /// The pull request.
    pub pull: Option<u64>,
    /// Whether it comes from a fork, whose job cannot publish.
    pub fork: bool,
}

impl Plan {
    /// Plans; an event that does not match the checked-out commit is an error.
    pub fn make(event: &Event, inputs: &Inputs) -> anyhow::Result<Plan> {
        if let EventKind::WorkflowRun(run) = &event.kind {
            return Ok(Plan::Trusted(run.clone()));
        }
        let repository = Repository::discover(std::path::Path::new("."))
            .context("there is no git repository; is there an earlier step with actions/checkout?")?;
        let measured = repository.head()?.commit;
        let default = match &event.default_branch {
            Some(branch) => branch.clone(),
            None => repository.default_branch()?,
        };
        let judging = |branch: &str, known: Option<&Commit>, head: &Commit| -> anyhow::Result<Judging> {
            let merge_base = |branch: &str, known| repository.merge_base_with(&measured, branch, known);
            let (against, base) = match inputs.base.as_deref() {
                None => (Against::MergeBase(branch.to_owned()), merge_base(branch, known)?),
                Some(word) if repository.is_branch(word) => {
                    (Against::MergeBase(word.to_owned()), merge_base(word, None)?)
                }
                Some(word) => {
                    let commit = repository.resolve(word).or_else(|_| merge_base(branch, known))?;
                    (Against::Named(word.to_owned()), commit)
                }
            };
            let (measured, head) = (measured.clone(), head.clone());
            Ok(Judging { against, base, measured, head, pull: None, fork: false })
        };
        let judging = match &event.kind {
            EventKind::Branch { reference, head } => {
                let on_default = reference.as_ref().is_none_or(|name| *name == format!("refs/heads/{default}"));
                if on_default {
                    if let Some(head) = head.as_ref().filter(|head| **head != measured) {
                        bail!(
                            "{} was pushed, but {} is checked out; check out the pushed commit to record it",
                            head.short(),
                            measured.short()
                        );
                    }
                    return Ok(Plan::Record { branch: default });
                }
                // The push of a tag can name the tag object, which cannot have a check run.
                let branch = reference.as_ref().is_some_and(|name| name.starts_with("refs/heads/"));
                judging(&default, None, head.as_ref().filter(|_| branch).unwrap_or(&measured))?
            }
            EventKind::PullRequest(pull) => Judging {
                pull: Some(pull.number),
                fork: event.is_from_fork(),
                ..judging(&pull.branch, Some(&pull.base), &pull.head)?
            },
            EventKind::MergeGroup { head, base, branch } => judging(branch, Some(base), head)?,
            EventKind::WorkflowRun(run) => return Ok(Plan::Trusted(run.clone())),
        };
        if let Against::MergeBase(branch) = &judging.against
            && judging.base == judging.measured
        {
            bail!(
                "{} is already on {branch}, so there is nothing to compare; check out the head of the pull request",
                measured.short()
            );
        }
        Ok(Plan::Judge(judging))
    }

    /// The plan as text, for `--dry-run`.
    pub fn describe(&self, event: &Event, inputs: &Inputs, gate: &Gate) -> String {
        let mut out = String::new();
        let mut line = |what: &str, text: String| {
            let _ = writeln!(out, "{what:<10} {}", escape::terminal(&text));
        };
        let repository = event.repository.as_ref().map_or("this repository".to_owned(), ToString::to_string);
        let store = gate.store_url();
        let results = match (&inputs.command, inputs.results.as_slice()) {
            (Some(command), _) => format!("measured by `{command}`"),
            (None, []) => "results of [[input]] in perfgate.toml, or of criterion".to_owned(),
            (None, paths) => format!("results in {}", paths.join(", ")),
        };
        match self {
            Plan::Record { branch } => {
                line("event", format!("a commit of {branch}, the default branch of {repository}"));
                line("head", results);
                line("store", format!("recorded in {store}, pushed to origin"));
                line("publishes", "the job summary".to_owned());
                line("exit", "0 when the run is stored".to_owned());
            }
            Plan::Judge(judging) => {
                let what = judging.pull.map_or("a branch".to_owned(), |number| format!("pull request #{number}"));
                let origin = if judging.fork { ", from a fork" } else { "" };
                line("event", format!("{what} of {repository}{origin}"));
                line("head", format!("{} ({results})", judging.measured.short()));
                let commit = judging.base.short();
                let base = match (&judging.against, &inputs.command) {
                    (Against::Named(word), _) => format!("{word}, from the input"),
                    (Against::MergeBase(branch), Some(_)) => {
                        format!("{commit}, the merge base with {branch}, also measured")
                    }
                    (Against::MergeBase(branch), None) => {
                        format!("stored runs of {commit}, the merge base with {branch}, and before")
                    }
                };
                line("base", base);
                line("store", format!("{store}, fetched from origin"));
                let places = match (judging.fork, judging.pull) {
                    (true, _) => "the job summary, and a file of results for the trusted workflow".to_owned(),
                    (false, Some(number)) => format!(
                        "a comment on #{number} ({}), {}the job summary",
                        clap::ValueEnum::to_possible_value(&inputs.comment)
                            .map_or(String::new(), |v| v.get_name().to_owned()),
                        check(inputs, &judging.head)
                    ),
                    (false, None) => format!("{}the job summary", check(inputs, &judging.head)),
                };
                line("publishes", places);
                line("exit", "1 when the gate fails, 2 without a verdict, else 0".to_owned());
            }
            Plan::Trusted(run) => {
                line("event", format!("a completed workflow of {}, for {repository}", run.head_repository));
                line("head", format!("{} (results of its job)", run.head.short()));
                line(
                    "base",
                    "stored runs of the commit that it was compared with, if it is on the base branch".to_owned(),
                );
                line("store", format!("{store}, fetched from origin"));
                line(
                    "publishes",
                    "a comment on the fork's pull request, and the other outputs that are enabled".to_owned(),
                );
                line("exit", "1 when the gate fails, 2 without a verdict, else 0".to_owned());
            }
        }
        out
    }
}

fn check(inputs: &Inputs, head: &Commit) -> String {
    if inputs.check { format!("a check run on {}, ", head.short()) } else { String::new() }
}
