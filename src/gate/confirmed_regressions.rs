//! Regressions on a baseline branch that more than one run shows. Each is compared with the runs before the first commit that
//! showed it, so that its own slow runs are not part of the base.

use super::builder::Gate;
use super::error::Error;
use super::judge::ReportDetail;
use super::side::Side;
use crate::history;
use crate::io::repository::Repository;
use crate::model::{Commit, Detail, Diagnostic};
use crate::render;
use crate::verdict::{Finding, Outcome, Report};

/// Number of earlier commits that are searched for the first one with the regression. Usually that is the previous
/// commit; an older one is needed if a job failed in between.
const MAX_PREVIOUS_COMMITS: usize = 3;

/// Regressions that are confirmed.
#[derive(Debug)]
pub(crate) struct ConfirmedRegressions {
    /// The commit before the first one that showed them; its runs and those before are the base.
    pub base: Commit,
    /// The first commit that showed them.
    pub since: Commit,
    /// The newest run against that base.
    pub report: Report,
    /// The regressions, worst first.
    pub regressions: Vec<Finding>,
}

/// The regressions of a report.
fn regressed(report: &Report) -> Vec<Finding> {
    report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Regressed).cloned().collect()
}

/// Keeps the findings that another report shows as regressions too.
fn keep_shown(findings: &mut Vec<Finding>, other: &Report) {
    let shown = regressed(other);
    findings.retain(|finding| shown.iter().any(|other| other.is_of_same_series(finding)));
}

impl ConfirmedRegressions {
    /// The regressions of a run against the previous commit that a second measurement of both commits shows too.
    pub(crate) fn measured_again(
        base: &Commit,
        since: &Commit,
        report: &Report,
        again: &Report,
    ) -> ConfirmedRegressions {
        let mut regressions = regressed(report);
        keep_shown(&mut regressions, again);
        let report = Report { explanations: again.explanations.clone(), ..report.clone() };
        ConfirmedRegressions { base: base.clone(), since: since.clone(), report, regressions }
    }
}

impl Gate {
    /// Compares a side with the stored runs of a commit and of the commits before it.
    pub(crate) fn judge_since(&self, base: &Commit, head: Side) -> Result<Report, Error> {
        let environment = head.environment.clone().unwrap_or_default();
        let base = self.read_commit_and_before(base, &environment, Detail::Samples)?;
        self.judge_sides(base, head, true, ReportDetail::ALL)
    }

    /// Compares the checked-out commit, which is recorded, with the runs before it; `None` if there are none.
    pub(crate) fn judge_recorded(&self, head: Side) -> Result<Option<Report>, Error> {
        let repository = Repository::discover(&self.directory)?;
        let Some(parent) = repository.ancestors(&repository.head()?.commit, 2)?.nth(1) else { return Ok(None) };
        let mut report = match self.judge_since(&parent, head) {
            Ok(report) => report,
            Err(error) if error.is_missing_baseline() => return Ok(None),
            Err(error) => return Err(error),
        };
        report.base.label = "stored runs of the commits before".to_owned();
        report.diagnostics.retain(|diagnostic| diagnostic.code != "earlier-baseline");
        if let Some(gap) = report.base.gap.take() {
            report.diagnostics.push(Diagnostic::note("earlier-baseline", "", render::recorded_gap(&gap)));
        }
        Ok(Some(report))
    }

    /// The regressions of a run that the runs right before it showed too. `previous` are their commits, newest first. The
    /// base is the runs before the first one that showed them; of two such bases, the older one counts.
    pub(crate) fn confirmed_regressions(
        &self,
        previous: &[Commit],
        head: &Side,
    ) -> Result<Vec<ConfirmedRegressions>, Error> {
        let repository = Repository::discover(&self.directory)?;
        let mut found: Vec<ConfirmedRegressions> = Vec::new();
        for (at, since) in previous.iter().enumerate().take(MAX_PREVIOUS_COMMITS).rev() {
            let Some(base) = repository.ancestors(since, 2)?.nth(1) else { continue };
            let environment = head.environment.clone().unwrap_or_default();
            let before = match self.read_commit_and_before(&base, &environment, Detail::Samples) {
                Err(error) if error.is_missing_baseline() => continue,
                before => before?,
            };
            let report = self.judge_sides(before.clone(), head.clone(), true, ReportDetail::ALL)?;
            let mut regressions = regressed(&report);
            regressions.retain(|one| {
                !found.iter().flat_map(|confirmed| &confirmed.regressions).any(|known| known.is_of_same_series(one))
            });
            for commit in &previous[..=at] {
                if regressions.is_empty() {
                    break;
                }
                let shown = self.judge_sides(before.clone(), self.read_own(commit)?, true, ReportDetail::default())?;
                keep_shown(&mut regressions, &shown);
            }
            if !regressions.is_empty() {
                found.push(ConfirmedRegressions { base, since: since.clone(), report, regressions });
            }
        }
        Ok(found)
    }

    /// The machine class of a side, as text.
    pub(crate) fn machine_class_of(&self, side: &Side) -> String {
        let environment = side.environment.clone().unwrap_or_default();
        history::machine_class(&environment, self.config.policy.ignored_environment())
    }
}
