//! Pull requests from forks. Their job measures, cannot publish, and packs its results into a file. The trusted job runs no
//! code of the fork: it judges the file with the config of the base branch and publishes the report. Where to publish comes
//! from the event and the API, never from the file.

use super::plan::Judging;
use super::variable;
use super::work::{Place, Work, output_directory};
use crate::cli::{facts, output, record};
use crate::gate::{AcceptableOnPull, MeasuredRuns, ReportDetail, Side, judge_measured, note_unused_rules};
use crate::io::github::event::WorkflowRun;
use crate::io::github::fork_results::{FILE_NAME, ForkResults};
use crate::io::github::{Client, Pull, Slug, api_url, pulls_of};
use crate::io::repository::Repository;
use crate::model::{Commit, Detail, Run};
use crate::verdict::{Report, SideReport};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

impl Work<'_> {
    /// Packs the results of a fork's job; a failure is a warning and does not change the verdict.
    pub(super) fn pack(
        &self,
        judging: &Judging,
        runs: Option<MeasuredRuns>,
        paths: &[String],
        directory: &Path,
    ) -> Option<PathBuf> {
        let path = directory.join(FILE_NAME);
        let pack = || -> anyhow::Result<()> {
            let runs = match runs {
                Some(runs) => runs,
                None => MeasuredRuns {
                    head: vec![record::read_run(self.gate, paths, Some("HEAD"), false)?],
                    ..MeasuredRuns::default()
                },
            };
            let (head, measured, base) = (judging.head.clone(), judging.measured.clone(), judging.base.clone());
            let config = self.gate.config.source().map(|(_, text)| text.to_owned());
            let (runs, base_runs, again) = (runs.head, runs.base, runs.re_measured);
            Ok(ForkResults { head, measured, base, runs, base_runs, again, pull: judging.pull, config }.write(&path)?)
        };
        match pack() {
            Ok(()) => Some(path),
            Err(error) => {
                output::warn(&format!(
                    "cannot pack the results, so the trusted workflow will not publish them: {error:#}"
                ));
                None
            }
        }
    }

    /// Judges the results of a fork's job and publishes the report.
    pub fn judge_fork(&self, run: &WorkflowRun) -> anyhow::Result<u8> {
        if run.event != "pull_request" {
            bail!("the completed workflow ran for {:?}; only results of pull_request are published", run.event);
        }
        let repository =
            self.event.repository.as_ref().context("neither the event nor GITHUB_REPOSITORY names the repository")?;
        if run.head_repository == *repository {
            output::note("the pull request is not from a fork; its own job published the results");
            return Ok(0);
        }
        let Some(fork_results) = self.unpack(run)? else {
            output::note("the fork's job has left no results; it may have failed before perfgate ran");
            return Ok(0);
        };
        let Some(pull) = self.pull_of(repository, run, fork_results.pull)? else {
            output::note(&format!(
                "no open pull request has {} as its newest commit: it was closed, or the run of a newer commit will be \
                 published",
                run.head.short()
            ));
            return Ok(0);
        };
        let here = Repository::discover(Path::new(".")).context("check out the base branch first")?;
        if !here.contains(&pull.base.name, &fork_results.base) {
            bail!(
                "the file names {} as the base, which is not on {:?}; is the whole history fetched (fetch-depth: 0)?",
                fork_results.base.short(),
                pull.base.name
            );
        }
        let stopped = self.reporter.stop_commands();
        self.check_template()?;
        self.fetch()?;
        let config = fork_results.config.clone().unwrap_or_default();
        let report = self.judge_fork_results(run, fork_results)?;
        let mut report = report.leave_gap_open(&pull.base.name, self.inputs.baseline_required);
        facts::complete_compared(&self.gate.config, &mut report);
        note_unused_rules(&mut report, self.gate.config.source().map_or("", |(_, text)| text), &config);
        report.acceptable = Some(AcceptableOnPull { commit: run.head.clone(), by_waiver: false });
        self.accept_on_request(&mut report, pull.number, &run.head);
        let outputs = self.save(&report, &output_directory()?)?;
        drop(stopped);
        let published =
            self.publish(&report, &Place { pull: Some(pull.number), head: run.head.clone(), pushed: false })?;
        // The verdict is the check run on the fork's commit. Nothing is wrong with the default branch, where this job runs.
        self.finish(&report, published, outputs).map(|code| if code == 1 { 0 } else { code })
    }

    /// The downloaded results, if they belong to the commit of the event.
    fn unpack(&self, run: &WorkflowRun) -> anyhow::Result<Option<ForkResults>> {
        let path = self.inputs.artifact.as_ref().context(
            "the input `artifact` is missing: the path where actions/download-artifact stored the file of the fork's job",
        )?;
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.clone() };
        if !path.exists() {
            return Ok(None);
        }
        let fork_results = ForkResults::read(&path)?;
        if fork_results.head != run.head {
            bail!(
                "{}: these are results of {}, but the event is about {}; nothing is published",
                path.display(),
                fork_results.head.short(),
                run.head.short()
            );
        }
        Ok(Some(fork_results))
    }

    /// The open pull request with this newest commit, from the API; of several, the one that the file names.
    fn pull_of(&self, repository: &Slug, run: &WorkflowRun, named: Option<u64>) -> anyhow::Result<Option<Pull>> {
        let client = Client::new(&api_url(&variable), self.inputs.token.as_ref())?;
        let owner = run.head_repository.as_str().split('/').next().unwrap_or_default();
        let found = pulls_of(&client, repository, run.head.as_str(), Some((owner, &run.head_branch)))?;
        let same = |pull: &Pull| {
            let home = pull.head.repo.as_ref().map(|home| home.full_name.to_ascii_lowercase());
            home == Some(run.head_repository.as_str().to_ascii_lowercase())
        };
        let mut found: Vec<Pull> = found.into_iter().filter(same).collect();
        let at = found.iter().position(|pull| Some(pull.number) == named).unwrap_or_default();
        Ok((!found.is_empty()).then(|| found.swap_remove(at)))
    }

    fn judge_fork_results(&self, run: &WorkflowRun, fork_results: ForkResults) -> anyhow::Result<Report> {
        let side = |label: &str, runs: &[Run], commit: &Commit| SideReport {
            label: label.to_owned(),
            runs: runs.len(),
            commit: Some(commit.clone()),
            environment: runs.last().map(|run| run.environment.0.clone()).unwrap_or_default(),
            ..SideReport::default()
        };
        let report = side("the fork's results", &fork_results.runs, &run.head);
        if !fork_results.base_runs.is_empty() {
            let base = side("the merge base, measured in the fork's job", &fork_results.base_runs, &fork_results.base);
            let both = MeasuredRuns {
                base: fork_results.base_runs,
                head: fork_results.runs,
                re_measured: fork_results.again,
                ..MeasuredRuns::default()
            };
            return Ok(judge_measured(&self.gate.config, &both, base, report)?);
        }
        let environment = fork_results.runs.last().map(|run| run.environment.clone());
        let measured = |run: Run| Run { commit: Some(fork_results.measured.clone()), ..run };
        let runs = fork_results.runs.into_iter().map(measured).collect();
        let head = Side { runs, report, environment: environment.clone(), diagnostics: Vec::new() };
        match self.gate.read_commit_and_before(&fork_results.base, &environment.unwrap_or_default(), Detail::Samples) {
            Ok(base) => Ok(self.gate.judge_sides(base, head, true, ReportDetail::ALL)?),
            Err(error) if error.is_missing_baseline() && !self.inputs.baseline_required => self.first(head, &error),
            Err(error) => Err(error.into()),
        }
    }
}
