//! With `issue-on-push`, one issue per regression that lands on a baseline branch. It is opened when a second run in a row
//! shows the regression, or when `command` confirms it by measuring again. Later runs update it. It is closed when a run is
//! back at the earlier level, or when the regression is accepted. A failure here is a warning.

use super::job_names::JobNames;
use super::variable;
use super::work::CiJob;
use crate::cli::publish::{self, DEFAULT_KEY};
use crate::cli::{facts, measure, output};
use crate::gate::{ConfirmedRegressions, MeasurePlan, Side};
use crate::io::github::{self, ApiError, Client, CloseReason, Issue, JobRun, Slug, Subject};
use crate::io::repository::Repository;
use crate::model::{Commit, Diagnostic};
use crate::render::template::{Parts, Template, with_line_digests};
use crate::render::{change, counted, escape, percent};
use crate::verdict::{Finding, Outcome, Report};
use std::collections::BTreeMap;
use std::path::Path;

/// Maximum number of issues that one run opens.
const MAX_ISSUES_OPENED: usize = 10;
/// The part of the template `issue` with the functions that made the benchmark slower.
const EXPLANATION: &str = "explanation";
/// Maximum number of characters in an issue's text in addition to the template.
const MAX_FRAME_CHARS: usize = 3_000;

/// A pushed commit whose results were recorded.
pub(super) struct RecordedCommit<'a> {
    pub branch: &'a str,
    pub commit: &'a Commit,
    pub side: Side,
    /// The commit compared with the runs before it.
    pub report: &'a Report,
    /// The names of the job that measured it.
    pub names: JobNames,
}

/// What is the same for all issues of a run.
struct Issues<'a> {
    job: &'a CiJob<'a>,
    recorded: RecordedCommit<'a>,
    repository: &'a Slug,
    client: Client,
    machine: String,
    problems: Vec<Diagnostic>,
}

/// Why the issues could not be read or updated.
#[derive(Debug, thiserror::Error)]
enum IssueError {
    #[error(transparent)]
    GitHub(#[from] ApiError),
    #[error("cannot update the issues of this branch: {0:#}")]
    Judge(anyhow::Error),
}

impl CiJob<'_> {
    /// Opens, updates and closes the issues of a branch.
    pub(super) fn sync_issues(&self, recorded: RecordedCommit<'_>) -> Vec<Diagnostic> {
        let Some(repository) = &self.event.repository else { return Vec::new() };
        let client = match Client::new(&github::api_url(&variable), self.inputs.token.as_ref()) {
            Ok(client) => client,
            Err(error) => return vec![error.diagnostic()],
        };
        let machine = self.gate.machine_class_of(&recorded.side);
        let mut issues = Issues { job: self, recorded, repository, client, machine, problems: Vec::new() };
        match issues.sync() {
            Ok(()) => {}
            Err(IssueError::GitHub(error)) => issues.problems.push(error.diagnostic()),
            Err(error) => issues.problems.push(Diagnostic::warning("issues", "", error.to_string())),
        }
        issues.problems
    }
}

impl Issues<'_> {
    fn sync(&mut self) -> Result<(), IssueError> {
        let known = github::issues(&self.client, self.repository)?;
        let mut handled: Vec<u64> = Vec::new();
        let mut reports: BTreeMap<&str, Option<Report>> = BTreeMap::new();
        for issue in known.iter().filter(|issue| issue.is_open) {
            if !self.recorded.report.benchmarks.iter().any(|finding| self.is_about(issue, finding)) {
                continue; // of another job, branch or machine, or not measured
            }
            handled.push(issue.number);
            if !reports.contains_key(issue.base.as_str()) {
                reports.insert(issue.base.as_str(), self.judged_since(&issue.base)?);
            }
            let Some(Some(report)) = reports.get(issue.base.as_str()) else {
                let message = format!(
                    "the runs from before the regression of issue #{} are no longer stored; close the issue yourself",
                    issue.number
                );
                self.problems.push(Diagnostic::note("issues", "", message));
                continue;
            };
            let Some(finding) = report.benchmarks.iter().find(|finding| self.is_about(issue, finding)) else {
                continue;
            };
            if let Err(error) = self.update_or_close(issue, report, finding) {
                self.problems.push(error.diagnostic());
            }
        }
        let confirmed = self.confirmed_regressions().map_err(IssueError::Judge)?;
        let (mut opened, mut left) = (0, 0);
        for (confirmed, finding) in
            confirmed.iter().flat_map(|confirmed| confirmed.regressions.iter().map(move |one| (confirmed, one)))
        {
            let is_known = |issue: &Issue| {
                handled.contains(&issue.number) || !issue.is_over && self.base_includes_before(issue, &confirmed.report)
            };
            if known.iter().filter(|issue| self.is_about(issue, finding)).any(is_known) {
                continue;
            }
            if opened == MAX_ISSUES_OPENED {
                left += 1;
                continue;
            }
            opened += 1;
            self.open(confirmed, finding)?;
        }
        if left > 0 {
            let message = format!(
                "{} more regressed; at most {MAX_ISSUES_OPENED} issues are opened at once",
                counted(left, "benchmark")
            );
            self.problems.push(Diagnostic::note("issues", "", message));
        }
        Ok(())
    }

    fn subject<'f>(&'f self, finding: &'f Finding) -> Subject<'f> {
        let names = &self.recorded.names;
        Subject {
            key: names.key.as_deref().unwrap_or(DEFAULT_KEY),
            shard: names.shard.as_deref().unwrap_or_default(),
            branch: self.recorded.branch,
            machine: &self.machine,
            benchmark: &finding.name,
            metric: &finding.metric,
        }
    }

    fn is_about(&self, issue: &Issue, finding: &Finding) -> bool {
        let subject = self.subject(finding);
        let old = issue.benchmark();
        let is_renamed = || self.job.gate.policy().rename(&old).is_some_and(|name| name == finding.name);
        issue.is_about(&subject) || is_renamed() && issue.is_about(&Subject { benchmark: &old, ..subject })
    }

    /// The run against a base; `None` if the base is not stored any more.
    fn judged_since(&self, base: &Commit) -> Result<Option<Report>, IssueError> {
        match self.job.gate.judge_since(base, self.recorded.side.clone()) {
            Ok(mut report) => {
                facts::complete_compared(self.job.gate, &mut report);
                Ok(Some(report))
            }
            Err(error) if error.is_missing_baseline() => Ok(None),
            Err(error) => Err(IssueError::Judge(error.into())),
        }
    }

    /// The confirmed regressions of this run.
    fn confirmed_regressions(&self) -> anyhow::Result<Vec<ConfirmedRegressions>> {
        let RecordedCommit { commit, side, report, .. } = &self.recorded;
        let gate = self.job.gate;
        let Some(previous) = report.base.commits.first().filter(|_| report.environment.matches) else {
            return Ok(Vec::new());
        };
        let mut confirmed = gate.confirmed_regressions(&report.base.commits, side)?;
        for confirmed in &mut confirmed {
            facts::complete_compared(gate, &mut confirmed.report);
        }
        if let Some(command) = self.job.inputs.bench_command()
            && confirmed.is_empty()
            && report.counts.regressed > 0
        {
            output::note("a benchmark regressed; measuring this commit and the one before it again");
            let (base, explain) = (Some(previous.to_string()), self.job.inputs.explain);
            let plan = MeasurePlan { base, explain, ..MeasurePlan::default() };
            let (again, _) = measure::measure_completely(gate, &command, &plan)?;
            confirmed.push(ConfirmedRegressions::measured_again(previous, commit, report, &again));
        }
        Ok(confirmed)
    }

    /// True if the base of a report includes runs from before the regression of an issue that a person closed: the report
    /// then shows the same regression again.
    fn base_includes_before(&self, issue: &Issue, report: &Report) -> bool {
        let Ok(here) = Repository::discover(Path::new(".")) else { return false };
        report.base.commits.last().is_none_or(|oldest| here.includes(&issue.base, oldest) != Some(false))
    }

    fn open(&mut self, confirmed: &ConfirmedRegressions, finding: &Finding) -> Result<(), ApiError> {
        let subject = self.subject(finding);
        let room = github::room_in_issue(&subject).saturating_sub(MAX_FRAME_CHARS);
        let mention = self.job.inputs.mention.as_deref().map(|names| format!("{names}\n\n")).unwrap_or_default();
        let text = format!("{mention}{}", self.text(&confirmed.report, finding, room));
        let title = format!(
            "{}: {} {} on {} since {}",
            escape::title(&finding.name),
            escape::title(&finding.metric),
            finding.change.map(change).unwrap_or_default(),
            escape::title(self.recorded.branch),
            confirmed.since.short()
        );
        let url = github::open_issue(&self.client, self.repository, &subject, &confirmed.base, &title, &text)?;
        output::note(&format!("opened an issue: {}", escape::terminal(&url)));
        Ok(())
    }

    /// Brings an issue up to date with this run.
    fn update_or_close(&mut self, issue: &Issue, report: &Report, finding: &Finding) -> Result<(), ApiError> {
        let (closed, why) = match finding.outcome {
            Outcome::Regressed => return self.update(issue, report, finding),
            Outcome::Unchanged => (CloseReason::Completed, "is back to its level from before the regression"),
            Outcome::Improved => (CloseReason::Completed, "is better than before the regression"),
            Outcome::Accepted => (CloseReason::NotPlanned, "is still worse than before the regression"),
            _ => return Ok(()), // undecided
        };
        let notes = finding.notes.iter().map(|note| format!("\n* {}", escape::markdown_text(note)));
        let notes: String = if closed == CloseReason::NotPlanned { notes.collect() } else { String::new() };
        let accepted = if closed == CloseReason::NotPlanned { "The regression is accepted.\n\n" } else { "" };
        let comment = format!(
            "{accepted}{} {} {why}: {} ({}, threshold {}).\n{notes}\n\n{}\n",
            escape::markdown(&finding.name),
            escape::markdown_text(&finding.metric),
            finding.outcome.word(),
            finding.change.map_or("no change".to_owned(), change),
            percent(finding.threshold),
            self.origin()
        );
        github::close_issue(&self.client, self.repository, issue, closed, &comment)?;
        output::note(&format!("closed issue #{}", issue.number));
        Ok(())
    }

    /// Updates perfgate's sections and keeps what people wrote.
    fn update(&mut self, issue: &Issue, report: &Report, finding: &Finding) -> Result<(), ApiError> {
        let room = github::room_in_issue(&self.subject(finding)).saturating_sub(MAX_FRAME_CHARS);
        let mut longest = room;
        for _ in 0..3 {
            let parts = Parts::of(&self.text(report, finding, longest)).and_then(|mut parts| {
                // Only the run that opened the issue was explained.
                if report.explanations.is_empty() {
                    parts.keep(EXPLANATION, &issue.text)?;
                }
                Ok(parts)
            });
            let updated = match parts.and_then(|parts| parts.update_in(&issue.text)) {
                Ok(updated) => updated.text,
                Err(error) => {
                    let place = format!("issue #{}, line {}", issue.number, error.line);
                    let message = format!("{}; {}; it was not updated", error.message, error.help);
                    self.problems.push(Diagnostic::warning("issues", place, message));
                    return Ok(());
                }
            };
            let length = updated.chars().count();
            if length <= room + MAX_FRAME_CHARS {
                return github::update_issue(&self.client, self.repository, issue, &updated);
            }
            longest = longest.saturating_sub(length - room);
        }
        let message = format!("issue #{}: perfgate's sections are too long for it; it was not updated", issue.number);
        self.problems.push(Diagnostic::warning("issues", "", message));
        Ok(())
    }

    /// The text of an issue: the regression, then the template.
    fn text(&self, report: &Report, finding: &Finding, room: usize) -> String {
        let names = &self.recorded.names;
        let named = |label: &str, name: Option<&str>| name.map(|name| format!("{label} {}", escape::markdown(name)));
        let machine = self.machine.split(", key ").next().filter(|machine| !machine.is_empty());
        let of: Vec<String> = [
            Some(format!("branch {}", escape::markdown(self.recorded.branch))),
            named("key", names.key.as_deref()),
            named("shard", names.shard.as_deref()),
            named("machine", machine),
        ]
        .into_iter()
        .flatten()
        .collect();
        let head = format!(
            "<!-- perfgate:part regression -->\n{} {}: {} compared with the runs of {} and before ({}).\n\nNewest run: {}. perfgate \
             updates its sections of this text, and closes the issue when a run is back to the earlier level, or when \
             `[[accept]]` in perfgate.toml accepts the regression.\n<!-- /perfgate:part regression -->\n\n",
            escape::markdown(&finding.name),
            escape::markdown_text(&finding.metric),
            finding.change.map(change).unwrap_or_default(),
            report.base.commits.first().map(Commit::short).unwrap_or("the base"),
            of.join(", "),
            self.origin(),
        );
        let template = Template::built_in("issue");
        let document = template.and_then(|template| template.render_within(&report.only(finding), room).ok());
        with_line_digests(&head) + &document.unwrap_or_default()
    }

    /// Links to the commit and to the log of this job.
    fn origin(&self) -> String {
        let page = publish::safe_link_url(&format!("{}/{}", github::server_url(&variable), self.repository));
        let commit = self.recorded.commit;
        let log = JobRun::of(self.repository, &variable);
        let log = log.map(|run| format!(" ([job log]({}))", publish::safe_link_url(&run.url))).unwrap_or_default();
        format!("[{}]({page}/commit/{commit}){log}", commit.short())
    }
}
