//! The runs of a measurement, in turn: whole rounds of both sides, then the suspects alone.

use super::bench::{Bench, TimedRun};
use super::error::MeasureError;
use super::session::{Checkouts, Session};
use crate::compare::schedule::{self, Costs, SideKind};
use crate::compare::{self, BenchmarkMetric, SuiteComparison};
use crate::gate::confirm;
use crate::gate::error::Error;
use crate::model::Diagnostic;
use crate::policy::Policy;
use crate::stats::centre;
use crate::verdict::Report;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// The number of pairs of runs of the suspects.
#[derive(Clone, Copy)]
pub(super) struct PlannedPairs {
    /// If they can run alone.
    pub alone: usize,
    /// If the whole suite runs with them.
    pub with_suite: usize,
}

impl Session<'_> {
    /// The number of pairs for which a time budget reserves time, before the suspects are known.
    fn planned_pairs(&self) -> usize {
        self.plan.pairs.unwrap_or(schedule::FEW_PAIRS)
    }

    /// The number of pairs. It depends on the results of earlier pairs in one way only: findings get two more pairs, which can
    /// refute a finding, but not create one.
    pub(super) fn pairs(
        &self,
        suspects: &BTreeSet<BenchmarkMetric>,
        screened: &SuiteComparison,
        can_filter: bool,
    ) -> usize {
        if self.plan.pairs.is_some() || self.plan.budget.is_some() {
            return self.planned_pairs();
        }
        let suspects: BTreeSet<&str> = suspects.iter().map(|suspect| &*suspect.benchmark).collect();
        let suite: BTreeSet<&str> = screened.comparisons.iter().map(|one| one.benchmark.as_str()).collect();
        schedule::pairs(suspects.len(), suite.len(), can_filter)
    }

    pub(super) fn rounds(&self, bench: &Bench<'_>) -> usize {
        self.plan.rounds.unwrap_or(if bench.is_process_timed() { 5 } else { 1 })
    }

    /// Runs whole rounds of both sides, or head once if its base is stored runs.
    pub(super) fn measure_rounds(
        &mut self,
        bench: &mut Bench<'_>,
        checkouts: &Checkouts,
        head_only: bool,
        started: Instant,
    ) -> Result<(), Error> {
        let first = if head_only { SideKind::Head } else { SideKind::Base };
        let mut warmups = self.plan.warmup.unwrap_or(0);
        let mut ready = None;
        if self.plan.warmup.is_none() {
            let measured = self.run_side(bench, checkouts, first, "first run")?;
            // The first run of a process fills the caches, so it is a warm-up.
            if bench.is_process_timed() { warmups = 1 } else { ready = Some(measured) }
        }
        for _ in 0..warmups {
            for side_kind in [SideKind::Base, SideKind::Head] {
                self.run_side(bench, checkouts, side_kind, "warm-up")?;
            }
        }
        if head_only {
            let measured = match ready {
                Some(measured) => measured,
                None => self.run_side(bench, checkouts, SideKind::Head, "head")?,
            };
            return self.keep(SideKind::Head, measured);
        }
        let mut rounds = self.rounds(bench);
        self.progress.plan(usize::from(ready.is_some()), 2 * rounds);
        let mut index = 0;
        let mut cost = Duration::ZERO;
        while index < 2 * rounds {
            let side_kind =
                if (index / 2).is_multiple_of(2) == index.is_multiple_of(2) { SideKind::Base } else { SideKind::Head };
            let step = format!("round {} of {rounds}, {}", index / 2 + 1, side_kind.word());
            let measured = match ready.take() {
                Some(measured) => measured,
                None => self.run_side(bench, checkouts, side_kind, &step)?,
            };
            cost += measured.wall;
            self.keep(side_kind, measured)?;
            index += 1;
            if index == 2
                && let Some(budget) = self.plan.budget
            {
                let can_filter = bench.can_filter();
                let costs =
                    Costs { budget, spent: started.elapsed(), round: cost, pairs: self.planned_pairs(), can_filter };
                rounds = schedule::rounds_within(costs);
                self.progress.plan(2, 2 * rounds);
                self.progress.message(&self.describe_plan(rounds, costs));
            }
        }
        Ok(())
    }

    /// The rounds that fit the time budget, and the change that they can show.
    fn describe_plan(&self, rounds: usize, costs: Costs) -> String {
        let compared = confirm::compare_runs(self.policy(), &self.runs.base, &self.runs.head);
        let mut smallest: Vec<f64> = compared
            .comparisons
            .iter()
            .filter_map(|comparison| match &comparison.effect {
                compare::Effect::Estimated(estimate) => Some(estimate.detectable().exp_m1()),
                _ => None,
            })
            .collect();
        smallest.sort_unstable_by(f64::total_cmp);
        let mut text = format!(
            "plan: {rounds} {} of about {:.0} s, then {} pairs of the suspects",
            if rounds == 1 { "round" } else { "rounds" },
            costs.round.as_secs_f64(),
            costs.pairs
        );
        if !smallest.is_empty() {
            let typical = schedule::detectable(centre::median(&smallest), rounds.max(costs.pairs));
            text += &if typical < 1.0 {
                format!("; smallest detectable change of a typical benchmark: {:.0}%", 100.0 * typical)
            } else {
                format!("; smallest detectable change of a typical benchmark: {:.1}×", 1.0 + typical)
            };
        }
        if costs.spent + costs.round > costs.budget {
            text += "; the budget is too small for more than one round";
        }
        text
    }

    pub(super) fn run_side(
        &self,
        bench: &mut Bench<'_>,
        checkouts: &Checkouts,
        side_kind: SideKind,
        step: &str,
    ) -> Result<TimedRun, Error> {
        self.progress.begin(step);
        let side = match side_kind {
            SideKind::Base => &checkouts.base,
            SideKind::Head => &checkouts.head,
        };
        let measured = bench.run(side, None)?;
        self.progress.done(step, measured.wall);
        Ok(measured)
    }

    pub(super) fn keep(&mut self, side_kind: SideKind, measured: TimedRun) -> Result<(), Error> {
        self.finished += 1;
        if self.plan.record {
            self.store(measured.run.clone())?;
        }
        match side_kind {
            SideKind::Base => self.runs.base.push(measured.run),
            SideKind::Head => self.runs.head.push(measured.run),
        }
        Ok(())
    }

    /// Re-measures suspects in pairs of runs, after the pairs that earlier calls measured. A run that fails ends the re-measuring: the
    /// complete pairs before it count. Only an interruption is an error.
    pub(super) fn re_measure(
        &mut self,
        bench: &mut Bench<'_>,
        checkouts: &Checkouts,
        suspects: &BTreeSet<BenchmarkMetric>,
        planned: PlannedPairs,
    ) -> Result<(), Error> {
        let gate = self.gate;
        let policy = gate.policy();
        let done = self.runs.re_measured[0].len();
        let mut alone = bench.can_filter() && !self.filter_failed;
        let mut pairs = if alone { planned.alone } else { planned.with_suite };
        let names = self.names_in_both(suspects);
        let noun = if suspects.len() == 1 { "suspect" } else { "suspects" };
        let how = match (alone, self.filter_failed) {
            (true, _) => "alone",
            (false, true) => "with the whole suite: the filter failed before",
            (false, false) => "with the whole suite: COMMAND has no {filter}",
        };
        let count = if done == 0 { format!("{pairs} pairs") } else { format!("{} more pairs", pairs - done) };
        self.progress.message(&format!("re-measuring {} {noun} in {count}, {how}", suspects.len()));
        self.progress.plan(0, 2 * (pairs - done));
        let (mut base, mut head) = (Vec::new(), Vec::new());
        for (index, side_kind) in schedule::order(pairs).into_iter().enumerate().skip(2 * done) {
            if index == 2 * pairs {
                break;
            }
            let step = format!("suspects, pair {} of {pairs}, {}", index / 2 + 1, side_kind.word());
            self.progress.begin(&step);
            let (side, runs) = match side_kind {
                SideKind::Base => (&checkouts.base, &mut base),
                SideKind::Head => (&checkouts.head, &mut head),
            };
            let mut measured = bench.run(side, alone.then_some(&*names));
            // A process that is timed as a whole has no filter: all of its runs are alike.
            if alone
                && !bench.is_process_timed()
                && let Some(problem) = filter_problem(policy, suspects, &measured)
            {
                (alone, self.filter_failed) = (false, true);
                if index == 0 {
                    pairs = planned.with_suite;
                    self.progress.plan(0, 2 * pairs);
                }
                let until = if index == 0 { format!("{pairs} pairs") } else { "from this run on".to_owned() };
                self.progress.message(&format!("with the filter, {problem}; running the whole suite, {until}"));
                measured = bench.run(side, None);
            }
            match measured {
                Ok(measured) => {
                    self.finished += 1;
                    self.progress.done(&step, measured.wall);
                    runs.push(measured.run);
                }
                Err(error) if error.is_interrupted() => return Err(error.into()),
                Err(error) => {
                    self.stop_re_measuring(&step, &error);
                    break;
                }
            }
        }
        let complete = base.len().min(head.len());
        for (earlier, mut runs) in self.runs.re_measured.iter_mut().zip([base, head]) {
            runs.truncate(complete);
            earlier.extend(confirm::keep_suspects(policy, &runs, suspects));
        }
        Ok(())
    }

    /// The names of the suspects, also the old ones that base has.
    fn names_in_both(&self, suspects: &BTreeSet<BenchmarkMetric>) -> Vec<String> {
        let mut names: BTreeSet<String> = suspects.iter().map(|suspect| suspect.benchmark.clone()).collect();
        let of_base = self.runs.base.iter().flat_map(|run| &run.measurements).map(|m| m.benchmark.as_str());
        let renamed: Vec<String> = of_base
            .filter(|old| self.policy().rename(old).is_some_and(|new| names.contains(&new)))
            .map(str::to_owned)
            .collect();
        names.extend(renamed);
        names.into_iter().collect()
    }

    /// Notes that re-measuring ends early, and prints the error with the last lines of the command.
    pub(super) fn stop_re_measuring(&mut self, step: &str, error: &MeasureError) {
        self.progress.message(&format!("{step}: {}", error.reason()));
        let message = format!(
            "re-measuring stopped, because {}. Complete pairs before it count; suspects with too few of them stay inconclusive",
            error.in_a_line()
        );
        self.runs.stopped = Some(Diagnostic::warning(Report::RE_MEASURING_STOPPED, "", message));
    }
}

/// Why the filter cannot be used; `None` if it works, or if the run failed for another reason. Of several tools, the filter may be in
/// the syntax of one, because `cargo bench` runs all kinds of bench targets. Some tools fail if they get a filter, or if it selects
/// nothing.
fn filter_problem(
    policy: &Policy,
    suspects: &BTreeSet<BenchmarkMetric>,
    measured: &Result<TimedRun, MeasureError>,
) -> Option<String> {
    match measured {
        Ok(measured) if confirm::has_all(policy, &measured.run, suspects) => None,
        Err(error) if error.is_interrupted() || error.is_timeout() => None,
        Err(error) if !error.is_without_results() => Some(error.in_a_line()),
        _ => Some("results of suspects are missing".to_owned()),
    }
}
