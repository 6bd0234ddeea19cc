//! A suite-wide shift of unknown cause: the machine, or a change that affects all benchmarks.

use super::finding::Finding;
use super::outcome::Outcome;
use super::reason::Reason;
use super::report::{Report, Verdict};
use crate::model::{Direction, ShiftTreatment, SuiteShift};

/// A suite-wide shift that was not subtracted, of sides that were measured at different times.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsubtractedShift {
    /// The shift.
    pub shift: SuiteShift,
    /// True if the only base run may be the cause: several head runs have the shift.
    pub by_single_base_run: bool,
    /// True if benchmarks are inconclusive and the shift may be the reason.
    pub may_explain_inconclusive: bool,
    /// True if re-measuring may change the verdict. That is so if the gate passes although most benchmarks are
    /// worse, or if benchmarks are inconclusive and the gate passes, or fails because of them. It is also so if the gate fails because of
    /// regressions and most benchmarks are worse in every run: all runs of head may be from a slower machine.
    pub needs_re_measuring: bool,
}

impl UnsubtractedShift {
    /// That of a report. Between different machines a shift explains nothing.
    pub fn of(report: &Report) -> Option<UnsubtractedShift> {
        let is_open =
            |shift: &&SuiteShift| matches!(shift.treatment, ShiftTreatment::Unexplained | ShiftTreatment::InEveryRun);
        // Older comparison files have only the shift of times.
        let of_older = || {
            let shift = report.unexplained_shift.filter(|_| report.shifts.is_empty())?;
            Some(SuiteShift::new("time".into(), Direction::Lower, shift, ShiftTreatment::Unexplained))
        };
        let worst = report.shifts.iter().filter(is_open).max_by(|a, b| a.shift.total_cmp(&b.shift));
        let shift = worst.cloned().or_else(of_older);
        let shift = shift.filter(|_| report.environment.matches)?;
        let is_unexplained = shift.treatment == ShiftTreatment::Unexplained;
        let may_explain_inconclusive = is_unexplained && report.benchmarks.iter().any(Finding::is_undecided);
        // Who accepts the regressions accepts the shift that they have in common.
        let is_accepted =
            report.counts.accepted > 0 || report.suite.is_some_and(|suite| suite.outcome == Outcome::Accepted);
        let fails_on_inconclusive = |reason: &Reason| matches!(reason, Reason::Outcome(Outcome::Inconclusive, _));
        let needs_re_measuring = match report.verdict {
            Verdict::Pass => shift.shift > 0.0 && !is_accepted || may_explain_inconclusive,
            Verdict::Fail if is_unexplained => {
                may_explain_inconclusive && report.reasons.iter().any(fails_on_inconclusive)
            }
            Verdict::Fail => shift.shift > 0.0 && !is_accepted && report.fails_on_regressions(),
            Verdict::None => false,
        };
        let by_single_base_run = is_unexplained && report.base.runs == 1 && report.head.runs > 1;
        Some(UnsubtractedShift { shift, by_single_base_run, may_explain_inconclusive, needs_re_measuring })
    }
}
