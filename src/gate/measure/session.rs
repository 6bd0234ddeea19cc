//! One measurement from beginning to end: checks out and builds both sides, screens them, re-measures suspects and reaches
//! the verdict.

use super::bench::{Bench, SideCheckout, TimedRun};
use super::error::MeasureError;
use super::plan::{MeasurePlan, Progress};
use super::rounds::PlannedPairs;
use crate::compare::{BenchmarkMetric, SuiteComparison};
use crate::gate::builder::Gate;
use crate::gate::confirm::{self, MeasuredRuns};
use crate::gate::error::Error;
use crate::gate::explain::explain_regressions;
use crate::gate::judge::{SideFacts, at_different_times, judge};
use crate::gate::machine_class::is_comparable;
use crate::gate::record::{RecordedRun, store_run};
use crate::gate::renames::{leave_out_joined, leave_out_replaced};
use crate::gate::side::Side;
use crate::io::noise;
use crate::io::repository::{Head, Repository};
use crate::model::{Commit, Detail, Diagnostic, Environment, Run};
use crate::policy::Policy;
use crate::stats::suite_test::TestRules;
use crate::verdict::{Report, SideReport, Verdict};
use std::collections::BTreeSet;
use std::time::Instant;

/// A measurement in progress.
pub(super) struct Session<'a> {
    pub gate: &'a Gate,
    pub plan: &'a MeasurePlan,
    pub progress: &'a dyn Progress,
    head: Head,
    /// Number of runs that were stored.
    stored: usize,
    /// Number of runs of both sides that have finished, without warm-ups.
    pub finished: usize,
    /// True once a filtered run lacked suspects: later runs are of the whole suite.
    pub filter_failed: bool,
    /// The runs so far.
    pub runs: MeasuredRuns,
}

/// The base that was chosen.
pub(super) struct Base {
    label: String,
    commit: Commit,
    /// Its branch, where known.
    branch: Option<String>,
}

/// Both sides, checked out and built.
pub(super) struct Checkouts {
    pub base: SideCheckout,
    pub head: SideCheckout,
    /// A bench target or package of the command that base does not have.
    pub only_in_head: Option<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(gate: &'a Gate, plan: &'a MeasurePlan, progress: &'a dyn Progress, head: Head) -> Session<'a> {
        let runs = MeasuredRuns::default();
        Session { gate, plan, progress, head, stored: 0, finished: 0, filter_failed: false, runs }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.gate.config.policy
    }

    /// The outcome with all runs; an error has the number of runs that were stored before it, or that are lost.
    pub(super) fn finish<T>(self, outcome: Result<T, Error>) -> Result<(T, MeasuredRuns), Error> {
        match outcome {
            Ok(outcome) => Ok((outcome, self.runs)),
            Err(error) if self.stored > 0 => Err(Error::Stopped { stored: self.stored, source: Box::new(error) }),
            Err(error @ Error::Measure(MeasureError::Run { .. })) if self.finished > 0 => {
                Err(Error::RunsLost { lost: self.finished, source: Box::new(error) })
            }
            Err(error) => Err(error),
        }
    }

    /// Measures head in place and stores each run as it ends.
    pub(super) fn measure_and_store(&mut self, bench: &mut Bench<'_>) -> Result<(), Error> {
        self.measure_in_place(bench, |session, run| {
            let recorded = session.store(run)?;
            session.progress.message(&recorded.to_string());
            Ok(())
        })
    }

    /// Measures head in place and keeps its runs.
    pub(super) fn measure_head(&mut self, bench: &mut Bench<'_>) -> Result<(), Error> {
        self.measure_in_place(bench, |session, run| {
            let run = session.with_time_and_branch(run)?;
            session.runs.head.push(run);
            Ok(())
        })
    }

    fn measure_in_place(
        &mut self,
        bench: &mut Bench<'_>,
        keep: impl Fn(&mut Self, Run) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.runs.are_counts = bench.counts_instructions();
        let rounds = self.plan.rounds.unwrap_or(1);
        let side = bench.in_place(&self.head.commit)?;
        if bench.has_setup() {
            self.progress.stage("building head");
            bench.build(&side)?;
        }
        self.progress.plan(0, rounds);
        for _ in 0..self.plan.warmup.unwrap_or(0) {
            bench.run(&side, None)?;
            self.progress.message("warm-up: not counted");
        }
        for round in 1..=rounds {
            let step = format!("run {round} of {rounds}");
            self.progress.begin(&step);
            let TimedRun { run, wall } = bench.run(&side, None)?;
            self.progress.done(&step, wall);
            keep(self, run)?;
        }
        for diagnostic in bench.take_diagnostics() {
            self.progress.message(&diagnostic.to_string());
        }
        Ok(())
    }

    pub(super) fn store(&mut self, run: Run) -> Result<RecordedRun, Error> {
        let recorded = store_run(&*self.gate.open_store()?, &self.with_time_and_branch(run)?)?;
        self.stored += 1;
        Ok(recorded)
    }

    /// The run with `time` and `branch` set from its commit.
    fn with_time_and_branch(&self, mut run: Run) -> Result<Run, Error> {
        let commit = run.commit.clone().ok_or(Error::NoCommit { source: None })?;
        run.time = Repository::discover(&self.gate.directory)?.time(&commit)?;
        run.branch = self.head.branch.clone().filter(|_| commit == self.head.commit);
        Ok(run)
    }

    /// Screens both sides, re-measures the suspects and judges.
    pub(super) fn measure(&mut self, bench: &mut Bench<'_>) -> Result<Report, Error> {
        let started = Instant::now();
        self.runs.are_counts = bench.counts_instructions();
        let base = self.choose_base(bench)?;
        let stored = if self.plan.stored { Some(self.stored_base(&base)?) } else { None };
        self.progress.plan(0, 2 * self.rounds(bench));
        // The number of instructions does not depend on the state of the machine.
        let conditions = if bench.counts_instructions() { Vec::new() } else { noise::conditions() };
        conditions.iter().for_each(|condition| self.progress.message(&condition.message));
        self.runs.already_reported.clone_from(&conditions);
        bench.diagnostics.extend(conditions);

        let checkouts = self.prepare(bench, &base)?;
        if let Some(missing) = &checkouts.only_in_head {
            let why = format!("{} has no `{missing}`, so head was measured alone", base.commit.short());
            return self.measure_head_alone(bench, &checkouts, &base, why);
        }
        let mut compared = if bench.counts_instructions() {
            self.count(bench, &base, &checkouts)?
        } else {
            self.measure_in_turn(bench, &base, &checkouts, stored, started)?
        };
        compared.diagnostics.extend(bench.take_diagnostics());
        compared.diagnostics.extend(self.runs.stopped.clone());
        let mut report = self.judge(compared, &base, &checkouts);
        // Suspects that could not be re-measured must not pass.
        if self.runs.stopped.is_some() && report.verdict == Verdict::Pass {
            report.verdict = Verdict::None;
        }
        if self.plan.explain {
            let sides = [&checkouts.base, &checkouts.head];
            explain_regressions(&mut report, bench, sides, &base.label, self.progress);
            self.runs.explanations.clone_from(&report.explanations);
        }
        Ok(report)
    }

    /// Runs both sides in turn, and the suspects again.
    fn measure_in_turn(
        &mut self,
        bench: &mut Bench<'_>,
        base: &Base,
        checkouts: &Checkouts,
        stored: Option<Side>,
        started: Instant,
    ) -> Result<SuiteComparison, Error> {
        self.measure_rounds(bench, checkouts, stored.is_some(), started)?;
        let rules = match &stored {
            Some(_) => at_different_times(self.policy()),
            None => TestRules::in_turn(self.policy().alpha()),
        };
        let (base_runs, diagnostics) = match stored {
            Some(side) => (side.runs, side.diagnostics),
            None => (self.runs.base.clone(), Vec::new()),
        };
        if self.runs.base.is_empty() {
            self.runs.base.clone_from(&base_runs);
        }
        let mut compared = confirm::screen(&self.gate.config, &base_runs, &self.runs.head, rules)?;
        compared.diagnostics.extend(diagnostics);
        let suspects = confirm::suspects(&self.judge(compared.clone(), base, checkouts));
        if !suspects.is_empty() {
            let [alone, with_suite] = [true, false].map(|alone| self.pairs(&suspects, &compared, alone));
            let planned = PlannedPairs { alone, with_suite };
            self.re_measure(bench, checkouts, &suspects, planned)?;
            if self.runs.stopped.is_none() {
                self.re_measure_findings(bench, base, checkouts, (&compared, &suspects))?;
            }
            confirm::confirm(self.policy(), &mut compared, &suspects, &self.runs.re_measured);
            if self.runs.stopped.is_none() {
                let command = bench.spec().words.join(" ");
                compared.diagnostics.extend(confirm::missing_results(&compared, Some(&command)));
            }
        }
        Ok(compared)
    }

    /// Measures further pairs of the suspects that the pairs so far show to be slower or faster, if those are few. On a noisy machine
    /// there are many suspects, and three pairs agree by chance for some of them.
    fn re_measure_findings(
        &mut self,
        bench: &mut Bench<'_>,
        base: &Base,
        checkouts: &Checkouts,
        (screened, suspects): (&SuiteComparison, &BTreeSet<BenchmarkMetric>),
    ) -> Result<(), Error> {
        let done = self.runs.re_measured[0].len();
        let mut compared = screened.clone();
        confirm::confirm(self.policy(), &mut compared, suspects, &self.runs.re_measured);
        let mut findings = confirm::findings(&self.judge(compared, base, checkouts));
        findings.retain(|finding| suspects.contains(finding));
        let pairs = self.pairs(&findings, screened, true);
        if findings.is_empty() || pairs <= done {
            return Ok(());
        }
        self.re_measure(bench, checkouts, &findings, PlannedPairs { alone: pairs, with_suite: pairs })
    }

    /// Measures head alone if base does not have its benchmarks: all of them are new.
    fn measure_head_alone(
        &mut self,
        bench: &mut Bench<'_>,
        checkouts: &Checkouts,
        base: &Base,
        why: String,
    ) -> Result<Report, Error> {
        self.measure_rounds(bench, checkouts, true, Instant::now())?;
        let mut compared = confirm::compare_runs(self.policy(), &[], &self.runs.head);
        compared.diagnostics.push(Diagnostic::note("only-in-head", "", why));
        compared.diagnostics.extend(bench.take_diagnostics());
        Ok(Report { first_run: true, ..self.judge(compared, base, checkouts) })
    }

    fn choose_base(&self, bench: &Bench<'_>) -> Result<Base, Error> {
        let repository = &bench.repository;
        if let Some(word) = &self.plan.base {
            return Ok(Base { label: word.clone(), commit: repository.resolve(word)?, branch: None });
        }
        let commit = repository.merge_base(&self.head.commit)?;
        if commit == self.head.commit && !repository.is_dirty()? {
            return Err(MeasureError::SameSides.into());
        }
        Ok(Base { label: "the merge base".to_owned(), commit, branch: repository.default_branch().ok() })
    }

    /// Stored runs of the base that head alone is screened against.
    fn stored_base(&self, base: &Base) -> Result<Side, Error> {
        let mut side = self.gate.read_base_revision(&base.label, &base.commit, i64::MAX, Detail::Digests)?;
        let here = self.gate.here()?;
        let ignored = self.policy().ignored_environment();
        side.runs.retain(|run| is_comparable(run, &here, ignored));
        if side.runs.is_empty() {
            let commit = base.commit.short().to_owned();
            return Err(MeasureError::OtherMachines { base: base.label.clone(), commit }.into());
        }
        side.diagnostics.extend(leave_out_replaced(self.policy(), &mut side.runs));
        side.diagnostics.extend(leave_out_joined(self.policy(), &mut side.runs));
        Ok(side)
    }

    /// Checks both sides out and builds them.
    fn prepare(&self, bench: &mut Bench<'_>, base: &Base) -> Result<Checkouts, Error> {
        self.progress.stage("checking out base and head");
        let mut checkouts = Checkouts {
            base: bench.check_out("base", &base.commit, false)?,
            head: bench.check_out("head", &self.head.commit, true)?,
            only_in_head: None,
        };
        for (name, side, other) in [("base", &checkouts.base, None), ("head", &checkouts.head, Some(&checkouts.base))] {
            if bench.has_build() {
                self.progress.stage(&format!("building {name} ({})", side.commit.short()));
            }
            bench.reuse_dependencies(side, other);
            match bench.build(side) {
                Ok(None) => {}
                Ok(Some(wall)) => {
                    let (commit, wall) = (side.commit.short(), wall.as_secs_f64());
                    self.progress.message(&format!("built {name} ({commit}): {wall:.1} s"));
                }
                Err(error) if other.is_none() && !error.is_interrupted() => {
                    checkouts.only_in_head = bench.only_in_head(side, &checkouts.head);
                    let Some(missing) = &checkouts.only_in_head else { return Err(error.into()) };
                    self.progress.message(&format!("base has no `{missing}`: head is measured alone"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        bench.cache_dependencies(&checkouts.head);
        self.progress.stage("measuring");
        Ok(checkouts)
    }

    pub(super) fn judge(&self, compared: SuiteComparison, base: &Base, checkouts: &Checkouts) -> Report {
        let label = match checkouts.head.environment.get(Environment::DIRTY) {
            Some(_) => "HEAD with uncommitted changes",
            None => "HEAD",
        };
        let mut facts = side_facts(&base.label, self.runs.base.len(), &checkouts.base);
        facts.report.branch.clone_from(&base.branch);
        let head = side_facts(label, self.runs.head.len(), &checkouts.head);
        let process_timed = confirm::is_process_timed(&self.runs.head);
        Report { by_measure: true, process_timed, ..judge(compared, self.policy(), facts, head) }
    }
}

fn side_facts(label: &str, runs: usize, side: &SideCheckout) -> SideFacts {
    let report = SideReport {
        label: label.to_owned(),
        runs,
        commit: Some(side.commit.clone()),
        environment: side.environment.0.clone(),
        ..SideReport::default()
    };
    SideFacts { report, environment: Some(side.environment.clone()) }
}
