//! Results that another job measured. That job runs code under test, so it has no secret: it packs its results into a file and
//! ends. This job records, compares and publishes them, and runs no code of the repository. Where to publish comes from the
//! event and the API, never from the file.
//!
//! There are two such jobs. In pull requests from forks and from Dependabot the token cannot write, so a workflow on
//! `workflow_run` publishes, with the config of the base branch. Everywhere else it is a second job of the same workflow.

use super::job_names::JobNames;
use super::plan::{BaseChoice, ComparisonTask, MERGE_BASE};
use super::variable;
use super::work::{CiJob, JobResults, output_directory};
use crate::cli::{facts, measure, output, record};
use crate::gate::{
    AcceptableOnPull, MeasurePlan, MeasuredRuns, ReportDetail, Side, judge_measured, note_unused_rules, refuse_empty,
};
use crate::io::github::event::WorkflowRun;
use crate::io::github::packed_results::{FILE_NAME, PackedResults};
use crate::io::github::{Client, Pull, Slug, api_url, pulls_of};
use crate::io::repository::Repository;
use crate::model::{Commit, Detail, Run};
use crate::render::escape;
use crate::verdict::{Report, SideReport};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Maximum number of files; each job of a matrix has one.
const MAX_FILES: usize = 64;

impl CiJob<'_> {
    /// Measures or reads the results and packs them for the job that publishes.
    pub fn pack_only(&self, task: &ComparisonTask) -> anyhow::Result<u8> {
        let stopped = self.reporter.stop_commands();
        let paths = self.inputs.paths()?;
        let runs = match self.inputs.bench_command() {
            None => None,
            Some(command) => Some(match &task.base_choice {
                BaseChoice::Nothing => measure::measure_head(self.gate, &command)?,
                _ => {
                    let base = Some(task.base_word());
                    let plan = MeasurePlan { base, explain: self.inputs.explain, ..MeasurePlan::default() };
                    measure::measure_completely(self.gate, &command, &plan)?.1
                }
            }),
        };
        let path = self.pack(task, runs, &paths, &output_directory()?)?;
        drop(stopped);
        output::note("the results are packed; the job that downloads them will publish the report (docs/github.md)");
        self.reporter.outputs(&[("artifact", path.display().to_string())]);
        Ok(0)
    }

    /// Packs runs, or the results at paths, into a file.
    pub(super) fn pack(
        &self,
        task: &ComparisonTask,
        runs: Option<MeasuredRuns>,
        paths: &[String],
        directory: &Path,
    ) -> anyhow::Result<PathBuf> {
        let path = directory.join(FILE_NAME);
        let runs = match runs {
            Some(runs) => runs,
            None => {
                MeasuredRuns { head: vec![record::read_run_or_failures(self.gate, paths)?], ..MeasuredRuns::default() }
            }
        };
        let (head, measured, base) = (task.head.clone(), task.measured.clone(), task.base.clone());
        let config = self.gate.config.source().map(|(_, text)| text.to_owned());
        let results = PackedResults {
            head,
            measured,
            base,
            runs: runs.head,
            base_runs: runs.base,
            again: runs.re_measured,
            pull: task.pull,
            config,
            explanations: runs.explanations,
            are_counts: runs.are_counts,
        };
        let left_out = results.write(&path)?;
        if !left_out.is_empty() {
            let left_out: Vec<String> = left_out.iter().map(|name| escape::terminal(name)).collect();
            output::warn(&format!(
                "explanations left out of the packed results (size limit): {}; `perfgate explain` prints them",
                left_out.join(", ")
            ));
        }
        Ok(path)
    }

    /// Judges and publishes the results of a pull request whose own jobs cannot publish.
    pub fn judge_workflow_run(&self, run: &WorkflowRun) -> anyhow::Result<u8> {
        if run.event != "pull_request" {
            bail!("the completed workflow ran for {:?}; only results of pull_request are published", run.event);
        }
        let repository =
            self.event.repository.as_ref().context("neither the event nor GITHUB_REPOSITORY names the repository")?;
        let paths = self.packed_files()?;
        // The pull request's own workflow failed then; this job runs on the default branch and has nothing to publish.
        let Some(first) = paths.first() else {
            output::note(NO_RESULTS);
            self.reporter.outputs(&[("verdict", "neutral".to_owned())]);
            return Ok(0);
        };
        let named = self.unpack(first, &run.head)?.pull;
        let Some(pull) = self.pull_of(repository, run, named)? else {
            output::note(&format!(
                "no open pull request has {} as its newest commit: it was closed, or the run of a newer commit will be \
                 published",
                run.head.short()
            ));
            return Ok(0);
        };
        let here = Repository::discover(Path::new(".")).context("check out the base branch first")?;
        let stopped = self.reporter.stop_commands();
        self.check_template()?;
        self.pull_runs()?;
        let mut reports = Vec::new();
        for path in &paths {
            let results = self.unpack(path, &run.head)?;
            let base = results.base.clone();
            if !here.contains(&pull.base.name, &base) {
                bail!(
                    "the base in the file, {}, is not on {:?}; check that the whole history is fetched (fetch-depth: 0)",
                    base.short(),
                    pull.base.name
                );
            }
            let names = self.names_of(&results)?;
            let config = results.config.clone().unwrap_or_default();
            let gate = self.gate_for(results.are_counts);
            let job = CiJob { gate: &gate, ..*self };
            let report = job.judge_packed(results, &base, MERGE_BASE)?;
            let mut report =
                report.with_base_branch(&pull.base.name).withhold_verdict_for_gap(self.inputs.baseline_required);
            note_unused_rules(&mut report, self.gate.config.source().map_or("", |(_, text)| text), &config);
            report.acceptable = Some(AcceptableOnPull { commit: run.head.clone(), by_waiver: false });
            self.accept_on_request(&mut report, pull.number, &run.head, &names);
            reports.push((report, names));
        }
        drop(stopped);
        let code = self.publish_all(reports, Some(pull.number), &run.head, false)?;
        // The verdict is the check run on the pull request's commit. This job runs on the default branch and must not fail there.
        Ok(if code == 1 { 0 } else { code })
    }

    /// Judges and publishes what an earlier job of this workflow measured.
    pub fn judge_artifact(&self, task: &ComparisonTask) -> anyhow::Result<u8> {
        if let BaseChoice::Named(word) = &task.base_choice
            && Repository::discover(Path::new("."))?.resolve(word).is_err()
        {
            bail!("base: {word:?} is not a revision; the results of another job cannot be compared with a path");
        }
        let paths = self.packed_results()?;
        let stopped = self.reporter.stop_commands();
        self.check_template()?;
        self.pull_runs()?;
        let mut reports = Vec::new();
        for path in &paths {
            let results = self.unpack(path, &task.head)?;
            self.refuse_other_checkout(path, &results, &task.measured)?;
            let names = self.names_of(&results)?;
            let gate = self.gate_for(results.are_counts);
            let job = CiJob { gate: &gate, ..*self };
            let report = job.judge_packed(results, &task.base, task.base_label())?;
            let mut report = task.with_branch(report, self.inputs.baseline_required);
            self.note_pull(&mut report, task, &names);
            reports.push((report, names));
        }
        drop(stopped);
        self.publish_all(reports, task.pull, &task.head, false)
    }

    /// Stores, judges and publishes what an earlier job of this workflow measured on a baseline branch.
    pub fn record_artifact(&self, branch: &str) -> anyhow::Result<u8> {
        let head = Repository::discover(Path::new("."))?.head()?.commit;
        let paths = self.packed_results()?;
        let stopped = self.reporter.stop_commands();
        // All files are checked before anything is stored.
        let mut measured = Vec::new();
        for path in &paths {
            let results = self.unpack(path, &head)?;
            self.refuse_other_checkout(path, &results, &head)?;
            if results.runs.iter().any(|run| run.commit.as_ref() != Some(&head)) {
                bail!("{}: contains a run of a commit other than {}", path.display(), head.short());
            }
            results.runs.iter().try_for_each(refuse_empty).with_context(|| path.display().to_string())?;
            let names = self.names_of(&results)?;
            measured.push((results.runs, names, results.are_counts));
        }
        let store = self.gate.open_store()?;
        let runs = || measured.iter().flat_map(|(runs, ..)| runs);
        runs().try_for_each(|run| self.gate.refuse_repeated(&*store, run))?;
        let mut lines = String::new();
        for run in runs() {
            // `refuse_repeated` checked all of them above.
            let _ = writeln!(lines, "{}", self.gate.store(&*store, run, true)?);
        }
        output::print(lines.as_bytes())?;
        self.push_runs(&*store)?;
        drop(stopped);
        self.announce_recorded(branch, &lines);
        let results = measured.into_iter().map(|(runs, names, are_counts)| {
            let side = Ok(self.head_side(runs, &head));
            JobResults { side, names, are_counts }
        });
        self.report_recorded(branch, results.collect())
    }

    /// The downloaded files of an earlier job of this workflow; an error if there are none, since nothing was measured.
    fn packed_results(&self) -> anyhow::Result<Vec<PathBuf>> {
        let paths = self.packed_files()?;
        if paths.is_empty() {
            bail!(NO_RESULTS);
        }
        Ok(paths)
    }

    /// The downloaded files: one, or one in each directory of an artifact.
    fn packed_files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let path = self.inputs.artifact.as_ref().context(
            "the input `artifact` is missing: the path where actions/download-artifact stored the results of the other job",
        )?;
        if !path.is_dir() {
            return Ok(path.exists().then(|| path.clone()).into_iter().collect());
        }
        let unreadable = || format!("{}: cannot list the directory", path.display());
        let mut files: Vec<PathBuf> = std::fs::read_dir(path)
            .with_context(unreadable)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<_>>()
            .with_context(unreadable)?;
        files.push(path.clone());
        files.sort_unstable();
        let mut files: Vec<PathBuf> = files.iter().map(|directory| directory.join(FILE_NAME)).collect();
        files.retain(|file| file.is_file());
        if files.len() > MAX_FILES {
            bail!("{}: at most {MAX_FILES} jobs can be published together", path.display());
        }
        Ok(files)
    }

    /// Reads a file, if it belongs to the commit of the event.
    fn unpack(&self, path: &Path, head: &Commit) -> anyhow::Result<PackedResults> {
        let results = PackedResults::read(path)?;
        if results.head != *head {
            bail!(
                "{}: these are results of {}, but the event is about {}; nothing is published",
                path.display(),
                results.head.short(),
                head.short()
            );
        }
        Ok(results)
    }

    fn refuse_other_checkout(&self, path: &Path, results: &PackedResults, measured: &Commit) -> anyhow::Result<()> {
        if results.measured != *measured {
            bail!(
                "{}: {} was measured, but {} is checked out; check out the same commit in both jobs",
                path.display(),
                results.measured.short(),
                measured.short()
            );
        }
        Ok(())
    }

    /// The key and shard of the job that measured.
    fn names_of(&self, results: &PackedResults) -> anyhow::Result<JobNames> {
        let own = JobNames::of_inputs(self.inputs);
        let Some(run) = results.runs.last() else { return Ok(own) };
        JobNames::of_run(run).map(|names| names.or(own))
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

    /// Compares with the runs of the base that the job also measured, or with stored runs. `label` is the name of the base in
    /// reports.
    fn judge_packed(&self, results: PackedResults, base: &Commit, label: &str) -> anyhow::Result<Report> {
        if !results.base_runs.is_empty() {
            let side = |label: &str, runs: &[Run], commit: &Commit| SideReport {
                label: label.to_owned(),
                runs: runs.len(),
                commit: Some(commit.clone()),
                environment: runs.last().map(|run| run.environment.0.clone()).unwrap_or_default(),
                ..SideReport::default()
            };
            let head = side(LABEL, &results.runs, &results.head);
            let base = side(&format!("{label}, measured in the same job"), &results.base_runs, &results.base);
            let both = MeasuredRuns {
                base: results.base_runs,
                head: results.runs,
                re_measured: results.again,
                explanations: results.explanations,
                are_counts: results.are_counts,
                ..MeasuredRuns::default()
            };
            let mut report = judge_measured(&self.gate.config, &both, base, head)?;
            report.facts = Some(facts::of_measured(self.gate, &report, None));
            return Ok(report);
        }
        let measured = |run: Run| Run { commit: Some(results.measured.clone()), ..run };
        let head = self.head_side(results.runs.into_iter().map(measured).collect(), &results.head);
        let environment = head.environment.clone().unwrap_or_default();
        let mut report = match self.gate.read_commit_and_before(base, &environment, Detail::Samples) {
            Ok(base) => self.gate.judge_sides(base, head, true, ReportDetail::ALL)?,
            Err(error) => match self.missing_baseline().filter(|_| error.is_missing_baseline()) {
                Some(hint) => self.gate.judge_first_run(head, &error, hint, ReportDetail::ALL)?,
                None => return Err(error.into()),
            },
        };
        facts::complete_packed(self.gate, &mut report);
        Ok(report)
    }

    fn head_side(&self, runs: Vec<Run>, commit: &Commit) -> Side {
        let environment = runs.last().map(|run| run.environment.clone());
        let report = SideReport {
            label: LABEL.to_owned(),
            runs: runs.len(),
            commit: Some(commit.clone()),
            environment: environment.clone().unwrap_or_default().0,
            ..SideReport::default()
        };
        Side { runs, report, environment, diagnostics: Vec::new(), locations: Vec::new(), older: BTreeMap::new() }
    }
}

/// Why there is nothing to publish.
const NO_RESULTS: &str = "there are no results: the job that measures failed before perfgate packed them";
/// What the results of another job are called in a report.
const LABEL: &str = "results of the measuring job";
