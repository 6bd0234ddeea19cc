//! The Report: everything that was found, in the form that every view and exit code is made from. It is also the
//! comparison file (`--save`, `--format json`): see the contract in docs/comparison.md for each field.

use super::pinned::Pinned;
use super::reason::Reason;
use crate::compare::Suspect;
use crate::model::{Commit, Diagnostic, Direction, Environment, Facts, PlotSamples, SampleStatistics, WorkUnit};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name in every comparison file.
pub const FORMAT: &str = "perfgate-comparison";
/// The version that this perfgate writes.
pub const VERSION: u32 = 1;

/// A judged comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// [`FORMAT`].
    pub format: String,
    /// [`VERSION`].
    pub version: u32,
    /// Whether the gate passes.
    pub verdict: Verdict,
    /// Why it fails; empty where it passes.
    #[serde(default)]
    pub reasons: Vec<Reason>,
    /// True for a first run, which has no baseline to be compared with.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_run: bool,
    /// The base side.
    pub base: SideReport,
    /// The head side.
    pub head: SideReport,
    /// Whether both come from one kind of machine.
    pub environment: EnvironmentReport,
    /// How many benchmark metrics went through a test: what `q` is corrected for.
    pub tests: usize,
    /// The gate's threshold as a fraction.
    pub threshold: f64,
    /// The share of false alarms that is borne.
    pub alpha: f64,
    /// The common change of all benchmarks, as a fraction; taken out of each change before it is judged when it is
    /// small enough to be the machine's.
    pub common_shift: f64,
    /// Geometric mean of head / base - 1 over all tested times, with its 95 % interval. Information, never a gate.
    #[serde(default)]
    pub mean_change: Option<MeanChange>,
    /// Findings by outcome.
    pub counts: Counts,
    /// Worst first, then by name.
    pub benchmarks: Vec<Finding>,
    /// How far head is from the release that `[baseline] pin` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
    /// What was odd.
    pub diagnostics: Vec<Diagnostic>,
    /// Every budget, held against every benchmark that it is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetLine>,
    /// Every expectation, held against every benchmark that it is on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<GoalLine>,
    /// What the templates say beside the numbers; only in a saved comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The worst findings over the stored runs that stand for the base, head last; only in a saved comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesReport>,
}

/// A metric of a benchmark over commits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesReport {
    /// The benchmark's full name: hostile text.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// In time order; the last one is head.
    pub points: Vec<SeriesPoint>,
}

/// A commit of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// The commit, where known.
    pub commit: Option<Commit>,
    /// Runs behind the value.
    pub runs: usize,
    /// The centre of the runs' medians.
    pub value: f64,
}

/// Whether the gate passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing that `fail-on` lists.
    Pass,
    /// Something that `fail-on` lists.
    Fail,
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SideReport {
    /// What the user called it, or which stored runs it is.
    pub label: String,
    /// How many runs.
    pub runs: usize,
    /// The commit, where known (for several, the newest).
    pub commit: Option<Commit>,
    /// All commits whose runs were used, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// Facts on the machine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

/// Whether both sides come from one kind of machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentReport {
    /// False when a fact differs that makes times incomparable.
    #[serde(rename = "match")]
    pub matches: bool,
    /// True when nothing is known and one machine is taken for granted.
    #[serde(default)]
    pub assumed: bool,
    /// All facts that differ.
    pub differences: Vec<EnvironmentDifference>,
}

/// A fact that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentDifference {
    /// The fact, `cpu`.
    pub key: String,
    /// In the base.
    pub base: String,
    /// In the head.
    pub head: String,
    /// Whether it makes times incomparable.
    pub decisive: bool,
}

/// A geometric mean with its interval, as fractions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanChange {
    /// The mean change.
    pub change: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
}

/// What became of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// Worse by more than the threshold, clear of chance and of the floor.
    Regressed,
    /// Worse, and a waiver holds.
    Accepted,
    /// Not shown either way by this evidence.
    Inconclusive,
    /// In the base only.
    Removed,
    /// In the head only.
    Added,
    /// Better by more than the threshold, clear of chance.
    Improved,
    /// Shown to lie within the threshold.
    Unchanged,
}

impl Outcome {
    /// Every outcome, worst first.
    pub const ALL: [Outcome; 7] = [
        Outcome::Regressed,
        Outcome::Accepted,
        Outcome::Inconclusive,
        Outcome::Removed,
        Outcome::Added,
        Outcome::Improved,
        Outcome::Unchanged,
    ];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Regressed => "regressed",
            Outcome::Accepted => "accepted",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Removed => "removed",
            Outcome::Added => "added",
            Outcome::Improved => "improved",
            Outcome::Unchanged => "unchanged",
        }
    }
}

/// Findings by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the outcomes' own names
pub struct Counts {
    pub regressed: usize,
    pub improved: usize,
    pub unchanged: usize,
    pub inconclusive: usize,
    pub added: usize,
    pub removed: usize,
    pub accepted: usize,
}

impl Counts {
    /// Counts the outcomes.
    pub fn of(outcomes: impl Iterator<Item = Outcome>) -> Self {
        let mut counts = Counts::default();
        outcomes.for_each(|outcome| *counts.slot(outcome) += 1);
        counts
    }

    /// How many of an outcome.
    pub fn get(mut self, outcome: Outcome) -> usize {
        *self.slot(outcome)
    }

    fn slot(&mut self, outcome: Outcome) -> &mut usize {
        match outcome {
            Outcome::Regressed => &mut self.regressed,
            Outcome::Improved => &mut self.improved,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Inconclusive => &mut self.inconclusive,
            Outcome::Added => &mut self.added,
            Outcome::Removed => &mut self.removed,
            Outcome::Accepted => &mut self.accepted,
        }
    }
}

/// A judged metric of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The benchmark's full name: hostile text.
    pub name: String,
    /// The tool that measured it.
    #[serde(default)]
    pub tool: Cow<'static, str>,
    /// `time`, `time:p95`, `throughput` …
    pub metric: Cow<'static, str>,
    /// The unit of both values.
    pub unit: Cow<'static, str>,
    /// Which way is better.
    pub direction: Direction,
    /// What became of it.
    pub outcome: Outcome,
    /// Worth measuring again.
    pub suspect: bool,
    /// Was measured again, and this is what came out.
    pub confirmed: bool,
    /// The base's value; `null` when it has none.
    pub base: Option<Value>,
    /// The head's value; `null` when it has none.
    pub head: Option<Value>,
    /// head / base - 1; `null` without both, or from zero.
    pub change: Option<f64>,
    /// 95 % interval of `change`; `null` where nothing was estimated.
    pub interval: Option<[f64; 2]>,
    /// The change that was tested: of the good edge of the samples (the low edge of times), the suite's common shift
    /// taken out. It is less moved by disturbance than `change`, which is that of the medians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<f64>,
    /// One-sided p value of the change, towards the side it lies on.
    pub p: Option<f64>,
    /// The same, corrected for the number of tests (Benjamini and Hochberg; Holm for what was measured again).
    pub q: Option<f64>,
    /// The smallest change for the worse that these runs could have shown, as a fraction.
    pub detectable: Option<f64>,
    /// For an inconclusive one: how many more runs of each side would decide, where fewer than 20 would.
    pub runs_needed: Option<u32>,
    /// The threshold that held for it, as a fraction.
    pub threshold: f64,
    /// Its budget.
    pub budget: BudgetReport,
    /// What to know beside it.
    pub notes: Vec<String>,
    /// How the samples of base and head spread; only in a saved comparison, or where a budget asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Box<[Option<SampleStatistics>; 2]>>,
    /// Work of one operation, for a rate shown beside the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkReport>,
    /// The samples of the runs of base and head, thinned out for a picture; only where one is made, or the comparison
    /// is saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strips: Option<[Vec<PlotSamples>; 2]>,
}

/// A side's value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// In the finding's unit.
    pub value: f64,
    /// Runs behind it.
    pub runs: usize,
    /// Samples behind it.
    pub samples: u64,
}

/// A budget and whether it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BudgetReport {
    /// As written in perfgate.toml.
    pub target: Option<String>,
    /// As written in perfgate.toml.
    pub acceptable: Option<String>,
    /// Whether it is kept.
    pub status: BudgetStatus,
}

/// Whether a budget is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum BudgetStatus {
    /// There is none.
    #[default]
    None,
    /// Within the target.
    Pass,
    /// Above the target and within what is acceptable.
    Acceptable,
    /// Clearly above both.
    Fail,
    /// There is one, and nothing was measured that it could be held against.
    #[serde(rename = "no-data")]
    NoData,
}

impl BudgetStatus {
    /// The word of a table; empty where there is no budget.
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

/// A budget held against one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BudgetLine {
    /// The benchmark's full name: hostile text.
    pub benchmark: String,
    /// The metric that the budget is on, `time:p95`.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// As written in perfgate.toml.
    pub target: String,
    /// As written in perfgate.toml.
    pub acceptable: Option<String>,
    /// Whether it is kept.
    pub status: BudgetStatus,
    /// The head's value that was held against it.
    pub value: Option<f64>,
    /// The base's value of the same metric.
    pub base: Option<f64>,
    /// 95 % interval of the head's value.
    pub interval: Option<[f64; 2]>,
    /// True where the interval holds the limit: the value lies on one side of it, and not clearly.
    pub near: bool,
    /// Where the budget is written.
    pub place: String,
    /// What to know beside it.
    pub notes: Vec<String>,
}

/// Whether an expectation was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GoalStatus {
    /// Shown to be met.
    Met,
    /// Shown not to be met.
    NotMet,
    /// This evidence does not decide.
    NotShown,
}

impl GoalStatus {
    /// The words of a table.
    pub fn word(self) -> &'static str {
        match self {
            GoalStatus::Met => "met",
            GoalStatus::NotMet => "not met",
            GoalStatus::NotShown => "not shown by this evidence",
        }
    }
}

/// An expectation held against one benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GoalLine {
    /// The benchmark's full name: hostile text.
    pub benchmark: String,
    /// The metric.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// What was expected, as written.
    pub expect: String,
    /// Whether it was met.
    pub status: GoalStatus,
    /// The head's value.
    pub value: Option<f64>,
    /// head / base - 1.
    pub change: Option<f64>,
    /// 95 % interval of the change.
    pub interval: Option<[f64; 2]>,
}

/// The work of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkReport {
    /// Amount for each operation.
    pub amount: f64,
    /// What it is counted in.
    pub unit: WorkUnit,
}

impl Report {
    /// The exit code of the gate: the only place where a verdict becomes one.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => 0,
            Verdict::Fail => 1,
        }
    }

    /// Takes the samples over that pictures are made from.
    pub fn keep(&mut self, mut strips: BTreeMap<Suspect, [Vec<PlotSamples>; 2]>) {
        for finding in &mut self.benchmarks {
            let (metric, tool) = (finding.metric.to_string(), finding.tool.to_string());
            finding.strips = strips.remove(&Suspect { benchmark: finding.name.clone(), metric, tool });
        }
    }

    /// Facts on the head's machine, for a header.
    pub fn machine(&self) -> Option<&str> {
        self.head.environment.get(Environment::CPU).map(String::as_str)
    }
}
