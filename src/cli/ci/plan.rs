//! What to do for an event, planned from the event, the inputs and the repository before anything is done.

use super::inputs::Inputs;
use crate::cli::output;
use crate::gate::Gate;
use crate::io::github::MergeGroup;
use crate::io::github::event::{Event, EventKind, PullRequest, WorkflowRun};
use crate::io::repository::Repository;
use crate::model::Commit;
use crate::policy::Policy;
use crate::render::escape;
use crate::verdict::Report;
use anyhow::{Context, bail};
use std::fmt::Write;

/// What the base of a pull request is called.
pub(super) const MERGE_BASE: &str = "the merge base";

/// What to do.
#[derive(Debug)]
pub enum CiPlan {
    /// Store the results of a commit on a baseline branch, and push them.
    Record {
        /// The branch.
        branch: String,
    },
    /// Compare head with a base and publish the report.
    Judge(ComparisonTask),
    /// Pack the results for the job that publishes.
    Pack(ComparisonTask),
    /// Judge the results of a pull request whose jobs cannot publish, and publish the report.
    JudgeWorkflowRun(WorkflowRun),
    /// Nothing: the event has no results to judge. The text is the reason.
    Nothing(String),
}

/// What head is compared with.
#[derive(Debug)]
pub enum BaseChoice {
    /// Its merge base with a branch, and the commits before.
    MergeBase(String),
    /// The input `base`: a revision or a path.
    Named(String),
    /// Nothing: the commit of a baseline branch is recorded first.
    Nothing,
}

/// What is judged, and where the report is published.
#[derive(Debug)]
pub struct ComparisonTask {
    /// What it is compared with.
    pub base_choice: BaseChoice,
    /// The commit of the base; if the base is a path, the merge base.
    pub base: Commit,
    /// The commit that is checked out.
    pub measured: Commit,
    /// The commit of the check run.
    pub head: Commit,
    /// The pull request.
    pub pull: Option<u64>,
    /// The group of a merge queue.
    pub group: Option<MergeGroup>,
    /// Whether it comes from a fork, whose job cannot publish.
    pub fork: bool,
}

impl ComparisonTask {
    /// What the event is about.
    fn what(&self) -> String {
        match (self.pull, &self.group) {
            (Some(number), _) => format!("pull request #{number}"),
            (None, Some(_)) => "a merge group".to_owned(),
            (None, None) => "a branch".to_owned(),
        }
    }

    /// The base, for `--dry-run`.
    fn describe_base(&self, inputs: &Inputs) -> String {
        let commit = self.base.short();
        match (&self.base_choice, &inputs.command) {
            (BaseChoice::Named(word), _) => format!("{word}, from the input"),
            (BaseChoice::MergeBase(branch), Some(_)) => {
                format!("{commit}, the merge base with {branch}, also measured")
            }
            (BaseChoice::MergeBase(branch), None) => {
                format!("stored runs of {commit} (the merge base with {branch}) and of earlier commits")
            }
            (BaseChoice::Nothing, _) => "none".to_owned(),
        }
    }

    /// Where the report is published, for `--dry-run`.
    fn describe_places(&self, inputs: &Inputs) -> String {
        let comment = clap::ValueEnum::to_possible_value(&inputs.comment);
        let comment = comment.map_or(String::new(), |value| value.get_name().to_owned());
        match (self.fork, self.pull) {
            (true, _) => "the job summary, and a file of results for the trusted workflow".to_owned(),
            (false, Some(number)) => {
                format!("a comment on #{number} ({comment}), {}the job summary", check(inputs, &self.head))
            }
            (false, None) => format!("{}the job summary", check(inputs, &self.head)),
        }
    }

    /// What the base is called in reports.
    pub fn base_label(&self) -> &str {
        match &self.base_choice {
            BaseChoice::Named(word) => word,
            BaseChoice::MergeBase(_) | BaseChoice::Nothing => MERGE_BASE,
        }
    }

    /// Adds the branch of the base. Withholds the verdict if commits of that branch may have caused the changes.
    pub fn with_branch(&self, report: Report, strict: bool) -> Report {
        match &self.base_choice {
            BaseChoice::MergeBase(branch) => report.with_base_branch(branch).withhold_verdict_for_gap(strict),
            BaseChoice::Named(_) | BaseChoice::Nothing => report,
        }
    }

    /// The base as a revision or path.
    pub fn base_word(&self) -> String {
        match &self.base_choice {
            BaseChoice::Named(word) => word.clone(),
            BaseChoice::MergeBase(_) | BaseChoice::Nothing => self.base.to_string(),
        }
    }
}

impl CiPlan {
    /// Plans what to do. A job that does not publish packs the results instead.
    pub fn make(event: &Event, inputs: &Inputs, policy: &Policy, may_fetch: bool) -> anyhow::Result<CiPlan> {
        let plan = CiPlan::publishing(event, inputs, policy, may_fetch)?;
        Ok(match plan {
            CiPlan::Record { .. } if !inputs.publish => {
                let head = Repository::discover(std::path::Path::new("."))?.head()?.commit;
                let (base, measured) = (head.clone(), head.clone());
                let (pull, group) = (None, None);
                CiPlan::Pack(ComparisonTask {
                    base_choice: BaseChoice::Nothing,
                    base,
                    measured,
                    head,
                    pull,
                    group,
                    fork: false,
                })
            }
            CiPlan::Judge(task) if !inputs.publish => CiPlan::Pack(task),
            plan => plan,
        })
    }

    /// Plans; an event that does not match the checked-out commit is an error. `may_fetch` allows fetching the history that a
    /// shallow clone lacks.
    fn publishing(event: &Event, inputs: &Inputs, policy: &Policy, may_fetch: bool) -> anyhow::Result<CiPlan> {
        // These two kinds of events need no repository.
        match &event.kind {
            EventKind::WorkflowRun(run) => return Ok(CiPlan::JudgeWorkflowRun(run.clone())),
            EventKind::Nothing(why) => return Ok(CiPlan::Nothing((*why).to_owned())),
            _ => {}
        }
        let checked_out = CheckedOutRepository::of(event, inputs, policy, may_fetch)?;
        let task = match &event.kind {
            EventKind::Branch { reference, head } => {
                return checked_out.plan_branch(reference.as_deref(), head.as_ref(), policy);
            }
            EventKind::PullRequest(pull) => checked_out.plan_pull_request(event, pull)?,
            EventKind::MergeGroup { head, base, group } => checked_out.plan_merge_group(head, base, group)?,
            EventKind::WorkflowRun(run) => return Ok(CiPlan::JudgeWorkflowRun(run.clone())),
            EventKind::Nothing(why) => return Ok(CiPlan::Nothing((*why).to_owned())),
        };
        checked_out.plan_comparison(task)
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
            _ if inputs.artifact.is_some() => "results of another job".to_owned(),
            (Some(command), _) => format!("measured by `{command}`"),
            (None, []) => "results of [[input]] in perfgate.toml, or of criterion".to_owned(),
            (None, paths) => format!("results in {}", paths.join(", ")),
        };
        match self {
            CiPlan::Record { branch } => {
                line("event", format!("a commit of {branch}, a baseline branch of {repository}"));
                line("head", results);
                line("store", format!("recorded in {store}, pushed to origin"));
                line("publishes", format!("{}the job summary, compared with the runs before", check_of_push(inputs)));
                line(
                    "exit",
                    format!(
                        "0 when the run is stored{}",
                        if inputs.fail_on_push { ", 1 when it regressed" } else { "" }
                    ),
                );
            }
            CiPlan::Judge(task) => {
                let origin = if task.fork { ", from a fork" } else { "" };
                line("event", format!("{} of {repository}{origin}", task.what()));
                line("head", format!("{} ({results})", task.measured.short()));
                line("base", task.describe_base(inputs));
                line("store", format!("{store}, fetched from origin"));
                line("publishes", task.describe_places(inputs));
                line("exit", "1 when the gate fails, 2 without a verdict, else 0".to_owned());
            }
            CiPlan::Pack(task) => {
                line("event", task.what());
                line("head", format!("{} ({results})", task.measured.short()));
                line("publishes", "nothing: a file of results for the job that publishes".to_owned());
                line("exit", "0, or 2 without results".to_owned());
            }
            CiPlan::Nothing(why) => {
                line("event", why.clone());
                line("exit", "0, because there is nothing to do".to_owned());
            }
            CiPlan::JudgeWorkflowRun(run) => {
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
                line("exit", "0, even when the gate fails; 2 without a verdict".to_owned());
            }
        }
        out
    }
}

/// The checked-out commit and its repository.
struct CheckedOutRepository<'a> {
    repository: Repository,
    measured: Commit,
    /// The default branch.
    default: String,
    inputs: &'a Inputs,
}

impl CheckedOutRepository<'_> {
    fn of<'a>(
        event: &Event,
        inputs: &'a Inputs,
        policy: &Policy,
        may_fetch: bool,
    ) -> anyhow::Result<CheckedOutRepository<'a>> {
        let open = || {
            Repository::discover(std::path::Path::new("."))
                .context("no git repository was found; add a step with actions/checkout before this one")
        };
        let mut repository = open()?;
        let measured = repository.head()?.commit;
        let default = match policy.default_branch().or(event.default_branch.as_deref()) {
            Some(branch) => branch.to_owned(),
            None => repository.default_branch()?,
        };
        if repository.is_shallow() && may_fetch {
            let branch = match &event.kind {
                EventKind::PullRequest(pull) => &pull.branch,
                EventKind::MergeGroup { group, .. } => &group.branch,
                _ => &default,
            };
            match repository.deepen(&measured, branch) {
                Ok(()) => repository = open()?, // an open repository keeps the old end of the history
                Err(error) => output::warn(&escape::terminal(&error.to_string())),
            }
        }
        Ok(CheckedOutRepository { repository, measured, default, inputs })
    }

    /// A comparison with a branch; `known` is a commit of it that the event names.
    fn comparison_with_branch(
        &self,
        branch: &str,
        known: Option<&Commit>,
        head: &Commit,
    ) -> anyhow::Result<ComparisonTask> {
        let repository = &self.repository;
        let merge_base = |branch: &str, known| repository.merge_base_with(&self.measured, branch, known);
        let (base_choice, base) = match self.inputs.base.as_deref() {
            None => (BaseChoice::MergeBase(branch.to_owned()), merge_base(branch, known)?),
            Some(word) if repository.is_branch(word) => {
                (BaseChoice::MergeBase(word.to_owned()), merge_base(word, None)?)
            }
            Some(word) => {
                let commit = repository.resolve(word).or_else(|_| merge_base(branch, known))?;
                (BaseChoice::Named(word.to_owned()), commit)
            }
        };
        let (measured, head) = (self.measured.clone(), head.clone());
        Ok(ComparisonTask { base_choice, base, measured, head, pull: None, group: None, fork: false })
    }

    fn plan_branch(&self, reference: Option<&str>, head: Option<&Commit>, policy: &Policy) -> anyhow::Result<CiPlan> {
        let CheckedOutRepository { repository, measured, default, .. } = self;
        let branch = match reference {
            None => Some(default.as_str()),
            Some(reference) => reference.strip_prefix("refs/heads/"),
        };
        // The push of a tag can name the tag object, which cannot be checked out and cannot have a check run.
        let head = head.filter(|_| branch.is_some());
        if let Some(head) = head.filter(|head| *head != measured) {
            bail!("{} was pushed, but {} is checked out; check out the pushed commit", head.short(), measured.short());
        }
        if let Some(branch) = branch.filter(|branch| branch == default || policy.is_baseline_branch(branch)) {
            // A schedule names no commit, and a later step may have checked out another one.
            if repository.is_branch(branch) && !repository.contains(branch, measured) {
                bail!(
                    "{} is checked out, which is not on {branch}, so it cannot be recorded as its baseline; check out \
                     {branch}",
                    measured.short()
                );
            }
            return Ok(CiPlan::Record { branch: branch.to_owned() });
        }
        let task = self.comparison_with_branch(default, None, head.unwrap_or(measured))?;
        if matches!(task.base_choice, BaseChoice::MergeBase(_)) && task.base == task.measured {
            let name = reference.unwrap_or_default();
            return Ok(CiPlan::Nothing(format!("{name} is at {}, which is on {default}", measured.short())));
        }
        self.plan_comparison(task)
    }

    fn plan_pull_request(&self, event: &Event, pull: &PullRequest) -> anyhow::Result<ComparisonTask> {
        let planned = ComparisonTask {
            pull: Some(pull.number),
            fork: event.is_from_fork(),
            ..self.comparison_with_branch(&pull.branch, Some(&pull.base), &pull.head)?
        };
        let (head, other) = (pull.head.short(), self.measured.short());
        match self.repository.includes(&self.measured, &pull.head) {
            Some(true) => {}
            Some(false) => bail!(
                "the newest commit of the pull request is {head}, but {other} is checked out, which does not include \
                 it; check out the pull request (the default of actions/checkout)"
            ),
            None => output::warn(&format!(
                "this clone does not have {head}, the newest commit of the pull request; the checked-out commit \
                 {other} may not belong to it"
            )),
        }
        Ok(planned)
    }

    fn plan_merge_group(&self, head: &Commit, base: &Commit, group: &MergeGroup) -> anyhow::Result<ComparisonTask> {
        if self.repository.includes(&self.measured, head) == Some(false) {
            bail!(
                "the commit of the merge group is {}, but {} is checked out; check out the commit of the event",
                head.short(),
                self.measured.short()
            );
        }
        Ok(ComparisonTask {
            group: Some(group.clone()),
            ..self.comparison_with_branch(&group.branch, Some(base), head)?
        })
    }

    fn plan_comparison(&self, task: ComparisonTask) -> anyhow::Result<CiPlan> {
        if let BaseChoice::MergeBase(branch) = &task.base_choice
            && task.base == task.measured
        {
            bail!(
                "{} is already on {branch}, so there is nothing to compare; check out the head of the pull request",
                self.measured.short()
            );
        }
        Ok(CiPlan::Judge(task))
    }
}

fn check_of_push(inputs: &Inputs) -> &'static str {
    if inputs.check { "a check run on the commit, " } else { "" }
}

fn check(inputs: &Inputs, head: &Commit) -> String {
    if inputs.check { format!("a check run on {}, ", head.short()) } else { String::new() }
}
