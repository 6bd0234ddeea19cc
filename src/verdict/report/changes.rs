//! Changes of a report after its verdict: accepted regressions, a verdict that is withheld, parts that are attached.

use super::{Report, Verdict};
use crate::compare::BenchmarkMetric;
use crate::model::PlotSamples;
use crate::verdict::Finding;
use crate::verdict::gap::BaselineGap;
use crate::verdict::limits::BudgetStatus;
use crate::verdict::outcome::{Counts, Outcome};
use crate::verdict::reason::Reason;
use std::collections::BTreeMap;

impl Report {
    /// Accepts the regressions for which `is_accepted` is true, with a remark on each. Returns how many.
    pub fn accept(&mut self, is_accepted: impl Fn(&Finding) -> bool, remark: &str) -> usize {
        let mut accepted = 0;
        for finding in self.benchmarks.iter_mut().filter(|finding| finding.outcome == Outcome::Regressed) {
            if is_accepted(finding) {
                finding.outcome = Outcome::Accepted;
                finding.notes.push(remark.to_owned());
                accepted += 1;
            }
        }
        self.counts = Counts::of(self.benchmarks.iter().map(|finding| finding.outcome));
        let left = self.counts.regressed;
        self.reasons.retain(|reason| left > 0 || !matches!(reason, Reason::Outcome(Outcome::Regressed, _)));
        for reason in &mut self.reasons {
            if let Reason::Outcome(Outcome::Regressed, count) = reason {
                *count = left;
            }
        }
        if accepted > 0 {
            self.pass_without_reasons();
        }
        accepted
    }

    /// Accepts that the whole suite regressed. Returns whether it did.
    pub fn accept_suite(&mut self) -> bool {
        let Some(suite) = self.suite.as_mut().filter(|suite| suite.outcome == Outcome::Regressed) else { return false };
        suite.outcome = Outcome::Accepted;
        self.reasons.retain(|reason| *reason != Reason::WholeSuite);
        self.pass_without_reasons();
        true
    }

    /// The report of results that were compared with themselves: unless budgets were checked, the gate checked nothing.
    pub(crate) fn of_same_results(mut self) -> Report {
        self.same_results = true;
        if self.budgets.iter().all(|line| line.value.is_none()) {
            self.verdict = Verdict::None;
            self.reasons.clear();
        }
        self
    }

    fn pass_without_reasons(&mut self) {
        if self.verdict == Verdict::Fail && self.reasons.is_empty() {
            self.verdict = Verdict::Pass;
        }
    }

    /// The report of one of its findings, for a document about it alone.
    pub fn only(&self, finding: &Finding) -> Report {
        let mut report = self.clone();
        report.benchmarks = vec![finding.clone()];
        report.counts = Counts::of([finding.outcome].into_iter());
        report.verdict = if finding.outcome == Outcome::Regressed { Verdict::Fail } else { Verdict::Pass };
        report.reasons = vec![Reason::Outcome(finding.outcome, 1)];
        report.reasons.retain(|_| report.verdict == Verdict::Fail);
        report.budgets.retain(|line| line.benchmark == finding.name && line.metric == finding.metric);
        report.goals.retain(|line| line.benchmark == finding.name && line.metric == finding.metric);
        report.series.retain(|series| series.name == finding.name && series.metric == finding.metric);
        report.explanations.retain(|explanation| explanation.benchmark.as_ref() == Some(&finding.name));
        (report.mean_change, report.suite, report.pinned) = (None, None, None);
        report.notices.clear();
        report
    }

    /// Names the branch that the base was taken from.
    pub fn with_base_branch(mut self, branch: &str) -> Report {
        self.base.branch = Some(branch.to_owned());
        if let Some(gap) = &mut self.base.gap {
            gap.branch = Some(branch.to_owned());
        }
        self
    }

    /// Withholds the verdict if the base has a gap and the gate fails only on regressed, inconclusive, added or removed
    /// benchmarks, or on budgets relative to base. Commits in the gap may have caused these. If `strict`, a base with a
    /// gap that no machine measured never gives a verdict.
    pub fn withhold_verdict_for_gap(mut self, strict: bool) -> Report {
        let Some(gap) = &self.base.gap else { return self };
        let strict = strict && !gap.elsewhere;
        let mut missed = self.budgets.iter().filter(|line| line.status == BudgetStatus::Fail);
        let misses_are_changes = missed.all(|line| line.relative);
        let is_change = |reason: &Reason| {
            use Outcome::{Added, Inconclusive, Regressed, Removed};
            match reason {
                Reason::WholeSuite | Reason::Outcome(Regressed | Inconclusive | Added | Removed, _) => true,
                Reason::OverBudget(_) => misses_are_changes,
                _ => false,
            }
        };
        if strict || self.verdict == Verdict::Fail && self.reasons.iter().all(is_change) {
            self.verdict = Verdict::None;
            self.reasons.clear();
        }
        self
    }

    /// States the gap of each benchmark whose base is older than the base of the others.
    pub fn attach_base_gaps(&mut self, mut gaps: BTreeMap<BenchmarkMetric, BaselineGap>) {
        let of_report = self.base.gap.as_ref().map_or(0, |gap| gap.commits);
        gaps.retain(|_, gap| gap.commits > of_report);
        if gaps.is_empty() {
            return;
        }
        for finding in &mut self.benchmarks {
            if let Some(gap) = gaps.remove(&finding.series()) {
                finding.notes.push(gap.note_of_row());
                finding.base_gap = Some(Box::new(gap));
            }
        }
    }

    /// Attaches the samples for plots to their findings.
    pub fn attach_samples(&mut self, mut samples: BTreeMap<BenchmarkMetric, [Vec<PlotSamples>; 2]>) {
        for finding in &mut self.benchmarks {
            finding.plot_samples = samples.remove(&finding.series());
        }
    }
}
