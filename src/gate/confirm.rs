//! Runs that a command took of both sides, and what they say: screened first, then the suspects by fresh runs alone. Shared
//! by `measure`, which takes them, and `ci`, which is handed those of a fork's job.

use super::config::Config;
use super::side::{self, Side};
use crate::compare::{self, Compared, Suspect};
use crate::model::{Diagnostic, Run, Strip};
use crate::policy::Policy;
use crate::verdict::{Circumstances, Finding, Report, SideReport, judge};
use anyhow::bail;
use std::collections::{BTreeMap, BTreeSet};

/// The runs that a report was made from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Taken {
    /// Whole rounds of the base.
    pub base: Vec<Run>,
    /// Whole rounds of the head.
    pub head: Vec<Run>,
    /// Runs of the suspects, of base and head; none where nothing was suspect.
    pub again: [Vec<Run>; 2],
}

impl Taken {
    /// The samples that pictures are made from: of the suspects, those that decided.
    pub fn strips(&self, policy: &Policy) -> BTreeMap<Suspect, [Vec<Strip>; 2]> {
        let strips =
            |base: &[Run], head: &[Run]| compare::strips(base, head, |old| policy.rename(old).map(str::to_owned));
        let mut all = strips(&self.base, &self.head);
        all.extend(strips(&self.again[0], &self.again[1]));
        all
    }
}

/// The report of runs that were taken elsewhere, as if they had been taken here.
pub fn judge_taken(config: &Config, taken: &Taken, base: SideReport, head: SideReport) -> anyhow::Result<Report> {
    let policy = &config.policy;
    let side = |report: &SideReport, runs: &[Run]| {
        let environment = runs.last().map(|run| run.environment.clone());
        Side { runs: Vec::new(), report: report.clone(), environment, diagnostics: Vec::new() }
    };
    let sides = [side(&base, &taken.base), side(&head, &taken.head)];
    let today = jiff::Zoned::now().date();
    let judged = |mut compared: Compared| {
        let (environment, diagnostic) = side::machines(&sides[0], &sides[1], policy.ignored_environment());
        compared.diagnostics.extend(diagnostic);
        judge(compared, policy, Circumstances { base: base.clone(), head: head.clone(), environment, today })
    };
    let mut compared = compared(policy, &taken.base, &taken.head)?;
    // Another config may suspect more than was measured again; what was not keeps its first runs.
    let again: BTreeSet<&str> =
        taken.again[1].iter().flat_map(|run| &run.measurements).map(|m| m.benchmark.as_str()).collect();
    let suspects = suspects(&judged(compared.clone()));
    let suspects: BTreeSet<Suspect> =
        suspects.into_iter().filter(|suspect| again.contains(&*suspect.benchmark)).collect();
    if !suspects.is_empty() {
        confirm(policy, &mut compared, &suspects, &taken.again, taken.again[1].len());
    }
    Ok(judged(compared))
}

/// Compares by a policy's renames and its share of false alarms.
pub fn compare(policy: &Policy, base: &[Run], head: &[Run]) -> Compared {
    compare::compare(base, head, policy.alpha(), |old| policy.rename(old).map(str::to_owned))
}

/// The same; nothing in common is an error.
pub fn compared(policy: &Policy, base: &[Run], head: &[Run]) -> anyhow::Result<Compared> {
    let compared = compare(policy, base, head);
    if compared.shared == 0 {
        bail!(
            "nothing to judge: base and head have no benchmark in common; does the command run the same suite on both?"
        );
    }
    Ok(compared)
}

/// What a first judgement suspects.
pub fn suspects(screened: &Report) -> BTreeSet<Suspect> {
    let suspects = screened.benchmarks.iter().filter(|finding| finding.suspect);
    let suspect = |finding: &Finding| Suspect {
        benchmark: finding.name.clone(),
        metric: finding.metric.to_string(),
        tool: finding.tool.to_string(),
    };
    suspects.map(suspect).collect()
}

/// Lets the fresh runs of the suspects decide.
pub fn confirm(
    policy: &Policy,
    compared: &mut Compared,
    suspects: &BTreeSet<Suspect>,
    again: &[Vec<Run>; 2],
    pairs: usize,
) {
    let rename = |old: &str| policy.rename(old).map(str::to_owned);
    let [base, head] = again.each_ref().map(|runs| compare::only(runs, suspects, rename));
    let fresh = compare::compare_again(&base, &head, policy.alpha(), rename, compared);
    compared.confirm(suspects, fresh, &compare::control(&base, rename));
    let noun = if suspects.len() == 1 { "suspect" } else { "suspects" };
    let message =
        format!("{} {noun} measured again on both sides, {pairs} pairs, and judged by these alone", suspects.len());
    compared.diagnostics.push(Diagnostic::note("measured-again", "", message));
}
