//! The Report, which every view and the exit code are made from. It is also the comparison file (`--save`,
//! `--format json`); docs/comparison.md documents its fields.

mod changes;

use super::finding::Finding;
use super::gap::BaselineGap;
use super::limits::{BudgetLine, BudgetStatus, GoalLine};
use super::outcome::{Counts, MeanChange, Outcome};
use super::pinned::{PinnedFinding, PinnedReport};
use super::reason::Reason;
use super::whole_suite::SuiteReport;
use crate::model::{Commit, Diagnostic, Environment, Facts, SuiteShift};
use crate::profile::Explanation;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The `format` of every comparison file.
pub const FORMAT: &str = "perfgate-comparison";
/// The `version` that this perfgate writes.
pub const VERSION: u32 = 1;

/// A judged comparison. `file` completes its JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Report {
    /// Always `perfgate-comparison`.
    pub format: String,
    /// The version of the format, 1.
    pub version: u32,
    /// Whether the gate passes.
    pub verdict: Verdict,
    /// Why it fails; empty if it passes.
    #[serde(default, rename(deserialize = "failed_on"), serialize_with = "super::reason::words")]
    pub reasons: Vec<Reason>,
    /// True for a first run, which has no baseline.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_run: bool,
    /// True if a missing baseline is not an error: the exit code without a verdict is 0 then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_missing_baseline: bool,
    /// True if base and head are the same results, so that nothing is compared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_results: bool,
    /// True for a report of `perfgate measure`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_measure: bool,
    /// True if `perfgate measure` found no benchmark results and timed the command as a whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub process_timed: bool,
    /// The base side.
    pub base: SideReport,
    /// The head side.
    pub head: SideReport,
    /// Whether both sides ran on the same machine class.
    pub environment: EnvironmentReport,
    /// Number of tests. `q` is corrected for those of the same group: the same metric, measured in the same way.
    pub tests: usize,
    /// The gate's threshold as a fraction.
    pub threshold: f64,
    /// The accepted false discovery rate.
    pub alpha: f64,
    /// The suite-wide shift, as a fraction. It is removed from each change before judging, if it is small enough to come
    /// from the machine.
    pub common_shift: f64,
    /// `common_shift`, where its cause is unknown: it is too large to be attributed to the machine, and a side has a single run or a
    /// single run explains it. Benchmarks whose change it can explain are inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained_shift: Option<f64>,
    /// Whether `common_shift` is subtracted from each change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift_is_subtracted: Option<bool>,
    /// The suite-wide shift of each metric that has one, and what the comparison did with it. `common_shift` is that of the
    /// first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shifts: Vec<SuiteShift>,
    /// Geometric mean of head / base - 1 over all tested times. Information only: it never fails the gate.
    #[serde(default)]
    pub mean_change: Option<MeanChange>,
    /// The change of the whole suite, where `perfgate measure` ran both sides in turn at least twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<SuiteReport>,
    /// Findings by outcome.
    pub counts: Counts,
    /// Worst first, then by name.
    pub benchmarks: Vec<Finding>,
    /// How far head is from the release that `[baseline] pin` names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PinnedReport>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Number of errors that ended a run of head, or a part of one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ended_early: usize,
    /// Sentences at the start of a comment: which of the gate's own rules a pull request changes, and who accepted
    /// which regressions. Untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// How regressions can be accepted on the pull request; `None` outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptable: Option<AcceptableOnPull>,
    /// Every budget, checked on every benchmark that it matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetLine>,
    /// Every goal, checked on every benchmark that it matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<GoalLine>,
    /// Which functions caused the largest regressions; only from `measure --explain`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explanations: Vec<Explanation>,
    /// Facts for templates; only in a saved comparison, and in the JSON that `perfgate measure` prints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The worst findings over the baseline's commits, head last; only in a saved comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesReport>,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How regressions of a pull request can be accepted: a comment names its newest commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AcceptableOnPull {
    /// The newest commit.
    pub commit: Commit,
    /// Whether waivers in the pull request's own perfgate.toml count, too: not in one from a fork.
    pub by_waiver: bool,
}

/// A metric of a benchmark over commits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeriesReport {
    /// The benchmark's full name: untrusted text.
    pub name: String,
    /// The metric.
    pub metric: String,
    /// The unit of the values.
    pub unit: String,
    /// In order of time; the last one is head.
    pub points: Vec<SeriesPoint>,
}

/// A commit of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesPoint {
    /// The commit, where known.
    pub commit: Option<Commit>,
    /// Number of runs behind the value.
    pub runs: usize,
    /// The centre of the runs' medians.
    pub value: f64,
}

/// Whether the gate passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No finding that `fail-on` lists.
    Pass,
    /// At least one finding that `fail-on` lists.
    Fail,
    /// No verdict, for example without a baseline, if base and head ran on different machines or have no benchmark in
    /// common, or if the base has a gap.
    None,
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SideReport {
    /// The label given by the user, or a description of the stored runs.
    pub label: String,
    /// Number of runs.
    pub runs: usize,
    /// The commit, where known (for several, the newest).
    pub commit: Option<Commit>,
    /// All commits whose runs were used, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<Commit>,
    /// The branch that the base was taken from, if known: untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Facts about the machine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// If the base is older than the commit that head started from, which has no stored run of this machine class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<BaselineGap>,
    /// Of the base: the machine classes of head that have no baseline and were left out: untrusted text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_classes: Vec<String>,
}

/// Whether both sides ran on the same machine class.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentReport {
    /// False if a fact differs that makes times incomparable.
    #[serde(rename = "match")]
    pub matches: bool,
    /// True if the results do not name a machine, so that the same one is assumed.
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

/// True if all benchmarks that both sides have are times or rates of zero.
pub(super) fn has_only_zero_measurements(findings: &[Finding]) -> bool {
    let mut shared = findings.iter().filter(|finding| finding.base.is_some() && finding.head.is_some()).peekable();
    shared.peek().is_some() && shared.all(Finding::is_zero_measurement)
}

impl Report {
    /// Code of the warning that a failed run ended the re-measuring.
    pub const RE_MEASURING_STOPPED: &str = "re-measuring-stopped";

    /// True if all benchmarks that both sides have are times or rates of zero, so nothing was measured.
    pub fn has_only_zero_measurements(&self) -> bool {
        has_only_zero_measurements(&self.benchmarks)
    }

    /// True if a failed run ended the re-measuring of `perfgate measure`, so that suspects may be undecided.
    pub fn re_measuring_stopped(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.code == Report::RE_MEASURING_STOPPED)
    }

    /// True if regressions fail the gate, which someone may accept.
    pub fn fails_on_regressions(&self) -> bool {
        let is_regression =
            |reason: &Reason| matches!(reason, Reason::WholeSuite | Reason::Outcome(Outcome::Regressed, _));
        self.verdict == Verdict::Fail && self.reasons.iter().any(is_regression)
    }

    /// True if head regressed or misses a budget relative to base, and base has a gap: not a missing baseline, but a regression
    /// of unknown origin.
    pub fn has_regressed_behind_gap(&self) -> bool {
        let suite = self.suite.is_some_and(|suite| suite.outcome == Outcome::Regressed);
        let over_budget = self.budgets.iter().any(|line| line.relative && line.status == BudgetStatus::Fail);
        self.base.gap.is_some() && (suite || over_budget || self.counts.regressed > 0)
    }

    /// True if the verdict is `none` because a machine class has no baseline, or only one behind a gap without a regression.
    /// Another suite is not a missing baseline.
    fn lacks_baseline(&self) -> bool {
        self.has_incomplete_baseline() && !self.has_regressed_behind_gap()
    }

    /// True if a machine class has no baseline, or only one behind a gap.
    fn has_incomplete_baseline(&self) -> bool {
        let is_shared = |one: &Finding| one.base.is_some() && (one.head.is_some() || one.outcome == Outcome::Failed);
        let is_missing = !self.environment.matches || !self.base.missing_classes.is_empty();
        (is_missing || self.base.gap.is_some()) && self.benchmarks.iter().any(is_shared)
    }

    /// True if the gate gives no verdict because a baseline is missing or behind a gap, and must fail in this case.
    pub fn lacks_required_baseline(&self) -> bool {
        self.verdict == Verdict::None
            && !self.first_run
            && !self.allow_missing_baseline
            && self.has_incomplete_baseline()
    }

    /// The exit code of the gate. `first_run` is only set if a missing baseline is allowed.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => 0,
            // Comparing a file with itself checks how it is read.
            Verdict::None if self.same_results => 0,
            Verdict::None if self.first_run || self.allow_missing_baseline && self.lacks_baseline() => 0,
            Verdict::Fail => 1,
            Verdict::None => 2,
        }
    }

    /// The CPU of head.
    pub fn machine(&self) -> Option<&str> {
        self.head.environment.get(Environment::CPU).map(String::as_str)
    }

    /// The pinned part of another report, from this report against the release.
    pub fn into_pinned(self, revision: &str) -> PinnedReport {
        let both = self.benchmarks.into_iter().filter(|finding| finding.base.is_some() && finding.head.is_some());
        let benchmarks = both.map(|finding| PinnedFinding {
            name: finding.name,
            metric: finding.metric.into_owned(),
            outcome: finding.outcome,
            change: finding.change,
            interval: finding.interval,
        });
        PinnedReport {
            revision: revision.to_owned(),
            commit: self.base.commit,
            runs: self.base.runs,
            counts: self.counts,
            mean_change: self.mean_change,
            benchmarks: benchmarks.collect(),
        }
    }
}
