//! The steps of `perfgate ci`: record and push, or judge, save and publish.

use super::inputs::Inputs;
use super::issues::RecordedCommit;
use super::job_names::JobNames;
use super::plan::{BaseChoice, ComparisonTask};
use super::reporter::JobReporter;
use super::variable;
use crate::cli::publish::{self, CommentMode, DEFAULT_KEY, FilledTemplate, Options, PublishResult, Target};
use crate::cli::{compare, facts, measure, output, record, render as rendering, sync};
use crate::gate::{DefaultSide, Gate, MeasurePlan, NoVerdictOptions, ReportDetail, Side, SideSource};
use crate::io::github::{self, JobRun, event::Event};
use crate::io::repository::Repository;
use crate::io::store::Store;
use crate::model::Commit;
use crate::render::template::Template;
use crate::render::{self, escape};
use crate::verdict::{Outcome, Report, Verdict};
use anyhow::{Context, bail};
use std::fs;
use std::path::{Path, PathBuf};

/// The remote of the stored runs.
const REMOTE: &str = "origin";

/// A job in GitHub Actions.
pub struct CiJob<'a> {
    /// Its event.
    pub event: &'a Event,
    /// Its inputs.
    pub inputs: &'a Inputs,
    /// The gate, with the inputs applied.
    pub gate: &'a Gate,
    /// Where results are reported to the job.
    pub reporter: &'a JobReporter,
}

/// Where a report is published on GitHub.
pub struct ReportDestination {
    /// The pull request.
    pub pull: Option<u64>,
    /// The commit of the check run.
    pub head: Commit,
    /// Whether it was pushed to a baseline branch.
    pub pushed: bool,
    /// The job that measured.
    pub names: JobNames,
}

/// The results that one job measured on a baseline branch.
pub(super) struct JobResults {
    /// Its runs, or why they cannot be judged.
    pub side: anyhow::Result<Side>,
    /// The job.
    pub names: JobNames,
    /// True for counts of instructions.
    pub are_counts: bool,
}

impl CiJob<'_> {
    /// The gate for the results of a job: counts have a threshold of their own.
    pub(super) fn gate_for(&self, are_counts: bool) -> Gate {
        let mut gate = self.gate.clone();
        gate.config.policy = self.inputs.apply(gate.config.policy, are_counts);
        gate
    }

    /// Only a store in a git ref is synchronized with a remote; other stores are shared.
    fn is_git(&self) -> bool {
        self.gate.store_url().starts_with("git:")
    }

    /// Pulls the runs that others stored.
    pub(super) fn pull_runs(&self) -> anyhow::Result<()> {
        if self.is_git() {
            sync::unless_shared(self.gate.open_store()?.pull(REMOTE)).context("cannot fetch the stored runs")?;
        }
        Ok(())
    }

    /// Pushes the runs that were stored.
    pub(super) fn push_runs(&self, store: &dyn Store) -> anyhow::Result<()> {
        if self.is_git() {
            sync::push(store, REMOTE).context(
                "the runs are recorded here but not pushed, so pull requests cannot use them; the job needs `permissions: \
                 {contents: write}`",
            )?;
        }
        Ok(())
    }

    /// Adds what was recorded to the job summary.
    pub(super) fn announce_recorded(&self, branch: &str, line: &str) {
        self.reporter.summary(&format!(
            "### perfgate: recorded a baseline for {}\n\n{}\n",
            escape::markdown(branch),
            escape::markdown_text(line.trim())
        ));
    }

    /// Stores the results of the checked-out commit, and pushes them.
    pub fn record(&self, branch: &str) -> anyhow::Result<u8> {
        let stopped = self.reporter.stop_commands();
        let store = self.gate.open_store()?;
        let line = match self.inputs.bench_command() {
            Some(command) => {
                measure::measure_and_store(self.gate, &command, &MeasurePlan::default())?;
                "recorded the runs".to_owned()
            }
            None => {
                let run = record::read_run(self.gate, &self.inputs.paths()?)?;
                let line = format!("{}\n", self.gate.store(&*store, &run, false)?);
                output::print(line.as_bytes())?;
                line
            }
        };
        self.push_runs(&*store)?;
        drop(stopped);
        self.announce_recorded(branch, &line);
        let head = Repository::discover(Path::new("."))?.head()?.commit;
        let side = match self.inputs.command {
            Some(_) => self.gate.read_own(&head).map_err(Into::into),
            None => self.inputs.paths().and_then(|paths| Ok(self.gate.read_head(&self.gate.results(&paths)?)?)),
        };
        let names = JobNames::of_inputs(self.inputs);
        self.report_recorded(branch, vec![JobResults { side, names, are_counts: self.inputs.counts_instructions }])
    }

    /// Judges recorded results and publishes the reports. The runs are already stored, so what cannot be compared is a warning.
    pub(super) fn report_recorded(&self, branch: &str, jobs: Vec<JobResults>) -> anyhow::Result<u8> {
        let head = Repository::discover(Path::new("."))?.head()?.commit;
        let mut reports = Vec::new();
        let mut recorded = Vec::new();
        for JobResults { side, names, are_counts } in jobs {
            let gate = self.gate_for(are_counts);
            let job = CiJob { gate: &gate, ..*self };
            let _stopped = self.reporter.stop_commands();
            let kept = side.as_ref().ok().filter(|_| self.inputs.issue_on_push).cloned();
            match side.and_then(|side| job.judge_recorded(branch, side)) {
                Ok(Some(report)) => {
                    let of_issues = kept.map(|side| (side, report.clone(), names.clone(), are_counts));
                    recorded.extend(of_issues);
                    reports.push((report, names));
                }
                Ok(None) => {}
                Err(error) => output::warn(&format!("the run is recorded, but could not be compared: {error:#}")),
            }
        }
        if reports.is_empty() {
            self.reporter.outputs(&[("verdict", "recorded".to_owned())]);
            return Ok(0);
        }
        let failed = reports.iter().any(|(report, _)| report.verdict == Verdict::Fail);
        self.publish_all(reports, None, &head, true)?;
        for (side, report, names, are_counts) in recorded {
            let gate = self.gate_for(are_counts);
            let job = CiJob { gate: &gate, ..*self };
            let problems = {
                let _stopped = self.reporter.stop_commands();
                job.sync_issues(RecordedCommit { branch, commit: &head, side, report: &report, names })
            };
            self.reporter.problems(&problems);
        }
        Ok(u8::from(failed && self.inputs.fail_on_push))
    }

    /// Compares a recorded commit with the runs before it; `None` if there are none.
    fn judge_recorded(&self, branch: &str, head: Side) -> anyhow::Result<Option<Report>> {
        let report = self.gate.judge_recorded(head)?;
        Ok(report.map(|mut report| {
            report.base.branch = Some(branch.to_owned());
            match (&self.inputs.artifact, &self.inputs.command) {
                (None, None) => facts::complete_compared(self.gate, &mut report),
                _ => facts::complete_packed(self.gate, &mut report),
            }
            report
        }))
    }

    /// Judges the checked-out commit and publishes the report.
    pub fn judge(&self, task: &ComparisonTask) -> anyhow::Result<u8> {
        let on_pull = task.pull.is_some() && (self.inputs.comment != CommentMode::Never || self.inputs.body);
        if !task.fork && (on_pull || self.inputs.check) {
            github::available()?;
        }
        let stopped = self.reporter.stop_commands();
        let paths = self.inputs.paths()?;
        self.check_template()?;
        self.pull_runs()?;
        let (mut report, runs) = match self.inputs.bench_command() {
            Some(command) => {
                let base = Some(task.base_word());
                let plan = MeasurePlan { base, explain: self.inputs.explain, ..MeasurePlan::default() };
                let (report, runs) = measure::measure_completely(self.gate, &command, &plan)?;
                let mut report = task.with_branch(report, self.inputs.baseline_required);
                report.base.label = task.base_label().to_owned(); // it was measured by its commit id
                report.attach_samples(runs.plot_samples(self.gate.policy()));
                report.facts = Some(facts::of_measured(self.gate, &report, Some((&command, &plan))));
                (report, Some(runs))
            }
            None => {
                let mut report = self.compare(task, &paths)?;
                facts::complete_compared(self.gate, &mut report);
                (report, None)
            }
        };
        report.allow_missing_baseline = !self.inputs.baseline_required;
        let names = JobNames::of_inputs(self.inputs);
        self.note_pull(&mut report, task, &names);
        let directory = output_directory()?;
        let artifact = if task.fork { Some(self.pack(task, runs, &paths, &directory)) } else { None };
        let artifact = artifact.and_then(|packed| {
            let warning = "cannot pack the results, so the trusted workflow will not publish them";
            packed.inspect_err(|error| output::warn(&format!("{warning}: {error:#}"))).ok()
        });
        let mut outputs = self.save(&report, &directory)?;
        drop(stopped);
        let published = if task.fork {
            output::note(
                "this pull request comes from a fork, whose job cannot publish. The workflow that runs on workflow_run publishes \
                 the results (docs/github.md)",
            );
            PublishResult::default()
        } else {
            self.publish(
                &report,
                &ReportDestination { pull: task.pull, head: task.head.clone(), pushed: false, names },
            )?
        };
        outputs.push(("artifact", artifact.map(|path| path.display().to_string()).unwrap_or_default()));
        self.finish(&report, published, outputs)
    }

    /// Compares the results on disk with stored runs, or with the input `base`.
    fn compare(&self, task: &ComparisonTask, paths: &[String]) -> anyhow::Result<Report> {
        let head = SideSource::WorkTree(self.gate.results(paths)?);
        let base = match &task.base_choice {
            BaseChoice::Named(word) => self.gate.resolve(std::slice::from_ref(word), DefaultSide::Base)?,
            BaseChoice::MergeBase(_) | BaseChoice::Nothing => SideSource::CommitAndBefore(task.base.clone()),
        };
        let allowed = NoVerdictOptions { nothing_in_common: true, missing_baseline: self.missing_baseline() };
        let report = self.gate.judge_sources(&base, &head, allowed, ReportDetail::ALL)?;
        Ok(task.with_branch(report, self.inputs.baseline_required))
    }

    /// The end of the warning on a missing baseline, if it is allowed.
    pub(super) fn missing_baseline(&self) -> Option<&'static str> {
        (!self.inputs.baseline_required).then_some("; `missing-baseline: fail` makes this an error")
    }

    /// Saves and prints the report.
    pub(super) fn save(&self, report: &Report, directory: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
        let (comparison, page) = (directory.join("comparison.json"), directory.join("report.html"));
        compare::save(report, &comparison)?;
        // The page is optional: if it cannot be made or written, there is still a verdict.
        let written = std::panic::catch_unwind(|| render::report_page(report))
            .map_err(|_| anyhow::anyhow!("the page cannot be drawn; please report this with the comparison file"))
            .and_then(|text| output::file(&page, text.as_bytes()));
        if let Err(error) = &written {
            output::warn(&format!("no HTML report: {error:#}"));
        }
        compare::show(report, compare::View::Table, false)?;
        if let Some(acceptable) = report.acceptable.as_ref().filter(|_| report.fails_on_regressions()) {
            let command = render::accept_command(&acceptable.commit);
            output::note(&format!("to accept the regressions, comment on the pull request: {command}"));
        }
        let page = written.map(|()| page.display().to_string()).unwrap_or_default();
        let badge = directory.join("badge.json");
        let badge = output::file(&badge, render::badge(report).as_bytes()).map(|()| badge.display().to_string());
        // Failed benchmarks come before regressed ones.
        let worst = report.benchmarks.iter().find(|finding| finding.outcome == Outcome::Regressed);
        // In ASCII, without separators, for scripts.
        let change = worst.and_then(|finding| finding.change).map(|change| format!("{:+.1}%", 100.0 * change));
        let mut outputs = vec![
            ("verdict", word(report).to_owned()),
            ("regressions", report.counts.regressed.to_string()),
            ("comparison", comparison.display().to_string()),
            ("report", page),
            ("badge", badge.unwrap_or_default()),
            ("worst", worst.map(|finding| escape::terminal(&finding.name)).unwrap_or_default()),
            ("worst-change", change.unwrap_or_default()),
        ];
        outputs.extend(Outcome::ALL.map(|outcome| (outcome.word(), report.counts.get(outcome).to_string())));
        Ok(outputs)
    }

    pub(super) fn publish(&self, report: &Report, destination: &ReportDestination) -> anyhow::Result<PublishResult> {
        let repository = self
            .event
            .repository
            .clone()
            .context("cannot publish: neither the event nor GITHUB_REPOSITORY names the repository")?;
        let target = Target {
            api_url: github::api_url(&variable),
            run: JobRun::of(&repository, &variable),
            server_url: github::server_url(&variable),
            repository,
            token: self.inputs.token.clone(),
            pull: destination.pull,
            commit: (self.inputs.check || destination.pushed).then(|| destination.head.clone()),
        };
        let (document, warning) = FilledTemplate::or_built_in(self.template()?, report);
        let options = Options {
            key: destination.names.key.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned()),
            shard: destination.names.shard.clone(),
            comment: self.inputs.comment,
            document,
            check: self.inputs.check,
            body: self.inputs.body,
            commit_comment: destination.pushed && self.inputs.comment_on_push && report.verdict == Verdict::Fail,
            mention: self.inputs.mention.clone(),
        };
        let mut published = publish::publish(report, &target, &options);
        published.problems.splice(0..0, warning);
        Ok(published)
    }

    /// Refuses a template that cannot be filled, before anything is measured.
    pub(super) fn check_template(&self) -> anyhow::Result<()> {
        rendering::check(&self.template()?, self.gate.policy().fields())
    }

    /// The template of the comment.
    pub(super) fn template(&self) -> anyhow::Result<Template> {
        rendering::template(self.inputs.template.as_deref().unwrap_or("comment"))
    }

    /// Reports to the job; publishing does not change the exit code of the report.
    pub(super) fn finish(
        &self,
        report: &Report,
        published: PublishResult,
        mut outputs: Vec<(&'static str, String)>,
    ) -> anyhow::Result<u8> {
        outputs.push(("comment-url", published.comment_url.unwrap_or_default()));
        let mut problems = published.problems;
        problems.extend(publish::publish_to_job(report, &self.reporter.job, &outputs));
        self.reporter.problems(&problems);
        Ok(match report.verdict {
            Verdict::None if self.inputs.baseline_required => 2,
            // Commits of others may be the cause.
            Verdict::None if report.has_regressed_behind_gap() => 0,
            _ => report.exit_code(),
        })
    }
}

/// The output `verdict`.
fn word(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Fail => "fail",
        Verdict::None => "neutral",
        Verdict::Pass => "pass",
    }
}

/// A new directory for files that later steps can use.
pub(super) fn output_directory() -> anyhow::Result<PathBuf> {
    let parent = variable("RUNNER_TEMP").map_or_else(std::env::temp_dir, PathBuf::from);
    for number in 1..10_000 {
        let directory = parent.join(format!("perfgate-{number}"));
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(error).with_context(|| format!("{}: cannot create the directory", directory.display()));
            }
        }
    }
    bail!("{}: too many directories `perfgate-…` from earlier steps; remove them", parent.display())
}
