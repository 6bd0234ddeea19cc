//! What is to be done about an event: decided from the event, the inputs and the repository, before anything is done.

use super::inputs::Inputs;
use crate::gate::Gate;
use crate::io::github::event::{Event, Kind, WorkflowRun};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::render::escape;
use anyhow::{Context, bail};
use std::fmt::Write;

/// What is to be done.
#[derive(Debug)]
pub enum Plan {
    /// Store the results of the default branch's commit, and share them.
    Record {
        /// The branch.
        branch: String,
    },
    /// Judge the head against a base and tell it.
    Judge(Judging),
    /// Judge what a fork's job measured and tell it.
    Trusted(WorkflowRun),
}

/// What a head is judged against.
#[derive(Debug)]
pub enum Against {
    /// The commit where it parted from a branch, and those before it.
    MergeBase(String),
    /// What the input `base` names: a revision or a path.
    Named(String),
}

/// What is judged, and where it is told.
#[derive(Debug)]
pub struct Judging {
    /// What it is judged against.
    pub against: Against,
    /// The base's commit; of a path, where the head parted from the branch.
    pub base: Commit,
    /// What is checked out.
    pub measured: Commit,
    /// The commit that it is told on.
    pub head: Commit,
    /// The pull request.
    pub pull: Option<u64>,
    /// Whether it comes from a fork, so that nothing can be written.
    pub fork: bool,
}

impl Plan {
    /// Decides; an event that does not fit what is checked out is refused.
    pub fn make(event: &Event, inputs: &Inputs) -> anyhow::Result<Plan> {
        if let Kind::WorkflowRun(run) = &event.kind {
            return Ok(Plan::Trusted(run.clone()));
        }
        let repository = Repository::discover(std::path::Path::new("."))
            .context("the stored runs belong to a git repository; does a step with actions/checkout come first?")?;
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
            Kind::Branch { reference, head } => {
                let on_default = reference.as_ref().is_none_or(|name| *name == format!("refs/heads/{default}"));
                if on_default {
                    if let Some(head) = head.as_ref().filter(|head| **head != measured) {
                        bail!(
                            "the push ended at {}, and {} is checked out: a run is recorded for what was pushed",
                            head.short(),
                            measured.short()
                        );
                    }
                    return Ok(Plan::Record { branch: default });
                }
                // What a tag's push names may be the tag itself, which nothing can be told on.
                let branch = reference.as_ref().is_some_and(|name| name.starts_with("refs/heads/"));
                judging(&default, None, head.as_ref().filter(|_| branch).unwrap_or(&measured))?
            }
            Kind::PullRequest(pull) => Judging {
                pull: Some(pull.number),
                fork: event.is_from_fork(),
                ..judging(&pull.branch, Some(&pull.base), &pull.head)?
            },
            Kind::MergeGroup { head, base, branch } => judging(branch, Some(base), head)?,
            Kind::WorkflowRun(run) => return Ok(Plan::Trusted(run.clone())),
        };
        if let Against::MergeBase(branch) = &judging.against
            && judging.base == judging.measured
        {
            bail!(
                "{} is on {branch} already, so there is nothing to compare; is the pull request's own state checked out?",
                measured.short()
            );
        }
        Ok(Plan::Judge(judging))
    }

    /// The plan for a person, a line each.
    pub fn describe(&self, event: &Event, inputs: &Inputs, gate: &Gate) -> String {
        let mut out = String::new();
        let mut line = |what: &str, text: String| {
            let _ = writeln!(out, "{what:<10} {}", escape::terminal(&text));
        };
        let repository = event.repository.as_ref().map_or("this repository".to_owned(), ToString::to_string);
        let store = gate.store_url();
        let results = match (&inputs.command, inputs.results.as_slice()) {
            (Some(command), _) => format!("measured by `{command}`"),
            (None, []) => "results where [[input]] of perfgate.toml or criterion has them".to_owned(),
            (None, paths) => format!("results in {}", paths.join(", ")),
        };
        match self {
            Plan::Record { branch } => {
                line("event", format!("a commit of {branch}, the default branch of {repository}"));
                line("head", results);
                line("store", format!("recorded in {store}, shared with origin"));
                line("publishes", "the job's summary".to_owned());
                line("exit", "0 once the run is stored".to_owned());
            }
            Plan::Judge(judging) => {
                let what = judging.pull.map_or("a branch".to_owned(), |number| format!("pull request #{number}"));
                let origin = if judging.fork { ", from a fork" } else { "" };
                line("event", format!("{what} of {repository}{origin}"));
                line("head", format!("{} ({results})", judging.measured.short()));
                let commit = judging.base.short();
                let base = match (&judging.against, &inputs.command) {
                    (Against::Named(word), _) => format!("{word}, as the input says"),
                    (Against::MergeBase(branch), Some(_)) => {
                        format!("{commit}, the merge base with {branch}, measured too")
                    }
                    (Against::MergeBase(branch), None) => {
                        format!("stored runs of {commit}, the merge base with {branch}, and before")
                    }
                };
                line("base", base);
                line("store", format!("{store}, fetched from origin"));
                let told = match (judging.fork, judging.pull) {
                    (true, _) => "the job's summary, and a file of results for the trusted workflow".to_owned(),
                    (false, Some(number)) => format!(
                        "a comment on #{number} ({}), {}the job's summary",
                        clap::ValueEnum::to_possible_value(&inputs.comment)
                            .map_or(String::new(), |v| v.get_name().to_owned()),
                        check(inputs, &judging.head)
                    ),
                    (false, None) => format!("{}the job's summary", check(inputs, &judging.head)),
                };
                line("publishes", told);
                line("exit", "1 when the gate fails, 2 without a verdict, else 0".to_owned());
            }
            Plan::Trusted(run) => {
                line("event", format!("a workflow of {} that ended, for {repository}", run.head_repository));
                line("head", format!("{} (the results that its job measured)", run.head.short()));
                line(
                    "base",
                    "stored runs of the commit that it was compared with, once that is found on the base branch"
                        .to_owned(),
                );
                line("store", format!("{store}, fetched from origin"));
                line("publishes", "a comment on the fork's pull request, and what else is asked for".to_owned());
                line("exit", "1 when the gate fails, 2 without a verdict, else 0".to_owned());
            }
        }
        out
    }
}

fn check(inputs: &Inputs, head: &Commit) -> String {
    if inputs.check { format!("a check run on {}, ", head.short()) } else { String::new() }
}
