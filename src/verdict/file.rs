//! Reasons in the comparison file. `reasons` has them in words, for people; only `failed_on` is read back.

use super::limits::BudgetStatus;
use super::outcome::Outcome;
use super::reason::Reason;
use super::report::{Report, Verdict};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct File<'a> {
            #[serde(flatten, serialize_with = "Report::serialize")]
            report: &'a Report,
            #[serde(skip_serializing_if = "<[Reason]>::is_empty")]
            failed_on: &'a [Reason],
        }
        File { report: self, failed_on: &self.reasons }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Report {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Report, D::Error> {
        let mut report = Report::deserialize(deserializer)?;
        if report.verdict == Verdict::Fail && report.reasons.is_empty() {
            report.reasons = default_reasons(&report);
        }
        Ok(report)
    }
}

/// The reasons for a file from before `failed_on`, which does not contain its `fail-on`: those of the default `fail-on`.
fn default_reasons(report: &Report) -> Vec<Reason> {
    let over_budget = report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).count();
    let reasons = [
        (report.counts.regressed, Reason::Outcome(Outcome::Regressed, report.counts.regressed)),
        (over_budget, Reason::OverBudget(over_budget)),
    ];
    let reasons: Vec<Reason> = reasons.into_iter().filter(|(count, _)| *count > 0).map(|(_, reason)| reason).collect();
    if reasons.is_empty() { vec![Reason::Unknown] } else { reasons }
}
