//! Budgets and goals as the report shows them: the limit, the value and the status.

use serde::{Deserialize, Serialize};

/// A budget and whether it is met.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// As written in perfgate.toml.
    pub target: Option<String>,
    /// As written in perfgate.toml.
    pub acceptable: Option<String>,
    /// Whether it is met.
    pub status: BudgetStatus,
}

/// Whether a budget is met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BudgetStatus {
    /// No budget.
    #[default]
    None,
    /// Within the target.
    Pass,
    /// Target not met, but within the acceptable limit.
    Acceptable,
    /// Clearly beyond both.
    Fail,
    /// Not checked, as nothing comparable was measured.
    #[serde(rename = "no-data")]
    NoData,
}

impl BudgetStatus {
    /// The word in a table; empty without a budget.
    pub fn word(self) -> &'static str {
        match self {
            BudgetStatus::None => "",
            BudgetStatus::Pass => "PASS",
            BudgetStatus::Acceptable => "ACCEPTABLE",
            BudgetStatus::Fail => "FAIL",
            BudgetStatus::NoData => "NO DATA",
        }
    }
}

/// What would decide a budget whose limit is within noise.
const MORE_RUNS: &str = "; more runs are needed";

/// A budget checked on one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetLine {
    /// The benchmark's full name: untrusted text.
    pub benchmark: String,
    /// The metric that the budget is on, `time:p95`.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// As written in perfgate.toml.
    pub target: String,
    /// As written in perfgate.toml.
    pub acceptable: Option<String>,
    /// Whether it is met.
    pub status: BudgetStatus,
    /// The value of head.
    pub value: Option<f64>,
    /// The value of base.
    pub base: Option<f64>,
    /// 95% confidence interval of the value of head.
    pub interval: Option<[f64; 2]>,
    /// True if the interval contains the limit.
    pub near: bool,
    /// True if the value misses every limit, but within noise: `status` is then `acceptable`, and the gate does not fail.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undecided: bool,
    /// True if a limit of the budget is relative to base.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub relative: bool,
    /// Where the budget is written: `perfgate.toml:3`.
    pub place: String,
    /// Remarks.
    pub notes: Vec<String>,
}

impl BudgetLine {
    /// The note that it is not met, or that noise leaves it undecided. `advises`: whether it has the advice to add runs. The row of an
    /// inconclusive benchmark has its own advice, which may be that more runs do not decide.
    pub(super) fn status_note(&self, advises: bool) -> Option<String> {
        let (metric, place) = (&self.metric, &self.place);
        let limit = match &self.acceptable {
            Some(acceptable) if self.status != BudgetStatus::Pass => acceptable,
            _ => &self.target,
        };
        if self.status == BudgetStatus::Fail {
            Some(format!("budget {limit} on {metric} not met ({place})"))
        } else if self.near {
            let advice = if advises { MORE_RUNS } else { "" };
            Some(format!("within noise of the budget {limit} on {metric}{advice} ({place})"))
        } else {
            None
        }
    }

    /// The notes for a line that states metric and limit itself.
    pub fn notes_next_to_limit(&self) -> Vec<String> {
        let [advised, plain] = [true, false].map(|advises| self.status_note(advises));
        let note = |note: &String| {
            let advice = match Some(note) {
                same if same == advised.as_ref() => MORE_RUNS,
                same if same == plain.as_ref() => "",
                _ => return note.clone(),
            };
            match self.status {
                BudgetStatus::Fail => format!("not met ({})", self.place),
                _ => format!("within noise of the limit{advice} ({})", self.place),
            }
        };
        self.notes.iter().map(note).collect()
    }

    /// The word in a table. Nobody accepted a value that misses every limit, so it is not called acceptable.
    pub fn word(&self) -> &'static str {
        if self.undecided { "UNDECIDED" } else { self.status.word() }
    }
}

/// Whether a goal was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GoalStatus {
    /// Significantly met.
    Met,
    /// Significantly not met.
    NotMet,
    /// Not decided by these results.
    #[serde(rename = "not-shown")]
    Undecided,
}

impl GoalStatus {
    /// The words in a table.
    pub fn word(self) -> &'static str {
        match self {
            GoalStatus::Met => "met",
            GoalStatus::NotMet => "not met",
            GoalStatus::Undecided => "undecided",
        }
    }
}

/// A goal checked on one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GoalLine {
    /// The benchmark's full name: untrusted text.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// The goal, as written.
    pub expect: String,
    /// Whether it was met.
    pub status: GoalStatus,
    /// The value of head.
    pub value: Option<f64>,
    /// The change from base: that of the benchmark's row, or of a statistic of the samples.
    pub change: Option<f64>,
    /// 95% confidence interval of the change.
    pub interval: Option<[f64; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_of_a_budget_within_noise_advises_more_runs_only_if_the_row_has_no_advice() {
        let mut line = BudgetLine {
            benchmark: "a".to_owned(),
            metric: "time".to_owned(),
            unit: "ns".to_owned(),
            target: "<1us".to_owned(),
            acceptable: None,
            status: BudgetStatus::Acceptable,
            value: Some(1100.0),
            base: Some(1000.0),
            interval: Some([900.0, 1300.0]),
            near: true,
            undecided: true,
            relative: false,
            place: "perfgate.toml:3".to_owned(),
            notes: Vec::new(),
        };
        line.notes.extend(line.status_note(false));
        assert_eq!(line.notes, ["within noise of the budget <1us on time (perfgate.toml:3)"]);
        assert_eq!(line.notes_next_to_limit(), ["within noise of the limit (perfgate.toml:3)"]);
        line.notes = line.status_note(true).into_iter().collect();
        assert_eq!(line.notes, ["within noise of the budget <1us on time; more runs are needed (perfgate.toml:3)"]);
        assert_eq!(line.notes_next_to_limit(), ["within noise of the limit; more runs are needed (perfgate.toml:3)"]);
        line.status = BudgetStatus::Fail;
        line.notes = line.status_note(false).into_iter().collect();
        assert_eq!(line.notes_next_to_limit(), ["not met (perfgate.toml:3)"]);
    }
}
