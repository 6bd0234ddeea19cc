//! Pull requests from forks. Their own job measures and may not write; it packs its results. The trusted job, which ran
//! none of their code, unpacks them, judges with the base branch's config and tells it. Nothing of the parcel decides where:
//! the pull request and its commit are the event's and the API's.

use super::plan::Judging;
use super::variable;
use super::work::{Place, Work, room};
use crate::cli::{facts, output, record};
use crate::gate::{MeasuredRuns, ReportDetail, Side, judge_measured};
use crate::io::github::event::WorkflowRun;
use crate::io::github::parcel::{FILE_NAME, Parcel};
use crate::io::github::{Client, Pull, Slug, pulls_of};
use crate::io::repository::Repository;
use crate::model::{Commit, Detail, Run};
use crate::verdict::{Report, SideReport};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

impl Work<'_> {
    /// Packs the results of a fork's job; what stands in the way is told and does not change the verdict.
    pub(super) fn pack(
        &self,
        judging: &Judging,
        runs: Option<MeasuredRuns>,
        paths: &[String],
        room: &Path,
    ) -> Option<PathBuf> {
        let path = room.join(FILE_NAME);
        let pack = || -> anyhow::Result<()> {
            let runs = match runs {
                Some(runs) => runs,
                None => {
                    MeasuredRuns { head: vec![record::read_run(self.gate, paths, "HEAD")?], ..MeasuredRuns::default() }
                }
            };
            let (head, measured, base) = (judging.head.clone(), judging.measured.clone(), judging.base.clone());
            let (runs, base_runs, again) = (runs.head, runs.base, runs.re_measured);
            Ok(Parcel { head, measured, base, runs, base_runs, again }.write(&path)?)
        };
        match pack() {
            Ok(()) => Some(path),
            Err(error) => {
                output::warn(&format!("the trusted workflow will have nothing to comment: {error:#}"));
                None
            }
        }
    }

    /// Judges what a fork's job measured and tells it.
    pub fn judge_fork(&self, run: &WorkflowRun) -> anyhow::Result<u8> {
        if run.event != "pull_request" {
            bail!(
                "the workflow that ended was started by {:?}; only results of a pull_request are published",
                run.event
            );
        }
        let repository =
            self.event.repository.as_ref().context("neither the event nor GITHUB_REPOSITORY names the repository")?;
        if run.head_repository == *repository {
            output::note("the pull request is the repository's own: its own job has published the results");
            return Ok(0);
        }
        let parcel = self.unpack(run)?;
        let Some(pull) = self.pull_of(repository, run)? else {
            output::note(&format!(
                "no open pull request has {} for its newest commit: it was closed, or has newer commits whose run will be \
                 published",
                run.head.short()
            ));
            return Ok(0);
        };
        let here = Repository::discover(Path::new(".")).context("the base branch is to be checked out first")?;
        if !here.contains(&pull.base.name, &parcel.base) {
            bail!(
                "the results are said to be compared with {}, which is not on {:?}; is the whole history fetched (fetch-depth: 0)?",
                parcel.base.short(),
                pull.base.name
            );
        }
        let hush = self.told.hush();
        self.fetch()?;
        let mut report = self.judge_parcel(run, parcel)?;
        facts::complete_compared(&self.gate.config, &mut report);
        let outputs = self.save(&report, &room()?)?;
        drop(hush);
        let published = self.publish(&report, &Place { pull: Some(pull.number), head: run.head.clone() })?;
        self.finish(&report, published, outputs)
    }

    /// The results that were downloaded, if they are those of the event's commit.
    fn unpack(&self, run: &WorkflowRun) -> anyhow::Result<Parcel> {
        let path = self.inputs.artifact.as_ref().context(
            "the input `artifact` is missing: the file that the fork's job left, as actions/download-artifact stored it",
        )?;
        let path = if path.is_dir() { path.join(FILE_NAME) } else { path.clone() };
        let parcel = Parcel::read(&path)?;
        if parcel.head != run.head {
            bail!(
                "{}: holds results of {}, and the event is about {}: nothing is published",
                path.display(),
                parcel.head.short(),
                run.head.short()
            );
        }
        Ok(parcel)
    }

    /// The open pull request with this newest commit, from the API.
    fn pull_of(&self, repository: &Slug, run: &WorkflowRun) -> anyhow::Result<Option<Pull>> {
        let api_url = variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        let client = Client::new(&api_url, self.inputs.token.as_ref())?;
        let owner = run.head_repository.as_str().split('/').next().unwrap_or_default();
        let found = pulls_of(&client, repository, run.head.as_str(), Some((owner, &run.head_branch)))?;
        let same = |pull: &Pull| {
            let home = pull.head.repo.as_ref().map(|home| home.full_name.to_ascii_lowercase());
            home == Some(run.head_repository.as_str().to_ascii_lowercase())
        };
        Ok(found.into_iter().find(same))
    }

    fn judge_parcel(&self, run: &WorkflowRun, parcel: Parcel) -> anyhow::Result<Report> {
        let side = |label: &str, runs: &[Run], commit: &Commit| SideReport {
            label: label.to_owned(),
            runs: runs.len(),
            commit: Some(commit.to_string()),
            environment: runs.last().map(|run| run.environment.0.clone()).unwrap_or_default(),
            ..SideReport::default()
        };
        let report = side("the fork's results", &parcel.runs, &run.head);
        if !parcel.base_runs.is_empty() {
            let base = side("the merge base, measured in the fork's job", &parcel.base_runs, &parcel.base);
            let both = MeasuredRuns { base: parcel.base_runs, head: parcel.runs, re_measured: parcel.again };
            return Ok(judge_measured(&self.gate.config, &both, base, report)?);
        }
        let environment = parcel.runs.last().map(|run| run.environment.clone());
        let measured = |run: Run| Run { commit: Some(parcel.measured.clone()), ..run };
        let runs = parcel.runs.into_iter().map(measured).collect();
        let head = Side { runs, report, environment: environment.clone(), diagnostics: Vec::new() };
        match self.gate.read_commit_and_before(&parcel.base, &environment.unwrap_or_default(), Detail::Samples) {
            Ok(base) => Ok(self.gate.judge_sides(base, head, false, ReportDetail::ALL)?),
            Err(error) if error.is_missing_baseline() && !self.inputs.insist => self.first(head, &error),
            Err(error) => Err(error.into()),
        }
    }
}
