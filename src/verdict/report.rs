//! The Report, which every view and the exit code are made from. It is also the comparison file (`--save`,
//! `--format json`); docs/comparison.md documents its fields.

use super::limits::{BudgetLine, BudgetReport, GoalLine};
use super::outcome::{Counts, MeanChange, Outcome, Undecided, Within};
use super::pinned::{Pinned, PinnedFinding};
use super::reason::Reason;
use super::whole_suite::SuiteReport;
use crate::compare::Suspect;
use crate::model::{
    Commit, Diagnostic, Direction, Environment, Facts, OfSides, PlotSamples, SampleGroup, SampleStatistics, SlowPart,
    WorkUnit,
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A change over half the threshold is worth measuring again if its p value is below this.
pub(super) const SUSPECT_P: f64 = 0.35;

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
    /// True for a report of `perfgate measure`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_measure: bool,
    /// The base side.
    pub base: SideReport,
    /// The head side.
    pub head: SideReport,
    /// Whether both sides ran on the same machine class.
    pub environment: EnvironmentReport,
    /// Number of tests, which `q` is corrected for.
    pub tests: usize,
    /// The gate's threshold as a fraction.
    pub threshold: f64,
    /// The accepted false discovery rate.
    pub alpha: f64,
    /// The suite-wide shift, as a fraction. It is removed from each change before judging, if it is small enough to come
    /// from the machine.
    pub common_shift: f64,
    /// `common_shift`, where it is too large for the machine and a single head run, or one of several, cannot attribute it to the code
    /// either.
    /// Benchmarks that do not stand clear of it are inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained_shift: Option<f64>,
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
    pub pinned: Option<Pinned>,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Sentences that a comment opens with: what a pull request changes of the gate's own rules, and who accepted which
    /// regressions. Hostile text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
    /// How regressions can be accepted on the pull request; `None` outside of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptable: Option<AcceptableOnPull>,
    /// Every budget, checked on every benchmark that it matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetLine>,
    /// Every expectation, checked on every benchmark that it matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goals: Vec<GoalLine>,
    /// Facts for templates; only in a saved comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// The worst findings over the baseline's commits, head last; only in a saved comparison.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<SeriesReport>,
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
    /// The benchmark's full name: hostile text.
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
    /// Nothing was judged: base and head ran on different machines, or have no benchmark in common.
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
    /// Facts about the machine.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// If the base is older than the commit that head started from, which has no stored run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<BaselineGap>,
}

/// Commits between the newest run of the base and the commit that head started from. Their changes may look like head's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineGap {
    /// How many.
    pub commits: usize,
    /// The branch that they are on, where known: hostile text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
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
    /// Its outcome.
    pub outcome: Outcome,
    /// If removed: true where it seems not to have been run, rather than taken out of the suite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_run: bool,
    /// If unchanged: the direction of a change that is shown, but below the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// Worth re-measuring.
    pub suspect: bool,
    /// Was re-measured; the values are from the second measurement.
    pub confirmed: bool,
    /// The value of base; `null` if it has none.
    pub base: Option<Value>,
    /// The value of head; `null` if it has none.
    pub head: Option<Value>,
    /// The tested change: of the fast edge where there are samples, without the suite-wide shift where that is subtracted, so
    /// it may differ from head / base - 1 of the two values. `null` if a value is missing or base is zero.
    pub change: Option<f64>,
    /// Confidence interval of `change`, from the test that decides the outcome: 95%, or wider for a finding (regressed or
    /// improved) among many tests. `null` without an estimate.
    pub interval: Option<[f64; 2]>,
    /// The tested change again, where there is a test; equal to `change`. Files of earlier versions have another `change`,
    /// that of the medians.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<f64>,
    /// One-sided p value of the change, in its direction.
    pub p: Option<f64>,
    /// `p` corrected for the number of tests (Benjamini-Hochberg; Holm if re-measured).
    pub q: Option<f64>,
    /// The smallest regression that these runs can detect, as a fraction.
    pub detectable: Option<f64>,
    /// If inconclusive: how many more runs per side would decide, up to 20.
    pub runs_needed: Option<u32>,
    /// Its threshold, as a fraction.
    pub threshold: f64,
    /// The smallest change that counts as regressed or improved, where it exceeds the threshold: with one run per side and
    /// fewer than eight benchmarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needed_change: Option<f64>,
    /// Why the tests leave it undecided, where no note has the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<Undecided>,
    /// The worst of its budgets.
    pub budget: BudgetReport,
    /// Remarks.
    pub notes: Vec<String>,
    /// The slow part of the samples, where their mean decides and not their fastest part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_part: Option<Box<OfSides<SlowPart>>>,
    /// The two modes of the samples of a side, the smaller first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Box<OfSides<[SampleGroup; 2]>>>,
    /// Statistics of the samples of base and head; only in a saved comparison, or if a budget needs them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<Box<[Option<SampleStatistics>; 2]>>,
    /// Work of one operation, for a rate shown next to the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkReport>,
    /// How many times the work of base one operation does in head, where it differs: `change` is per unit of work then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_ratio: Option<f64>,
    /// The samples of the runs of base and head, thinned for plots; only if plots are made or the comparison is saved.
    #[serde(default, rename = "strips", skip_serializing_if = "Option::is_none")]
    pub plot_samples: Option<[Vec<PlotSamples>; 2]>,
}

impl Finding {
    /// The word for its outcome in views.
    pub fn word(&self) -> &'static str {
        if self.not_run { "not run" } else { self.outcome.word() }
    }

    /// True for a finding about the same metric of the same benchmark.
    pub fn is_of_same_series(&self, other: &Finding) -> bool {
        self.name == other.name && self.metric == other.metric && self.tool == other.tool
    }

    /// True where it is measured again before it is judged: what looks worse, and what looks better.
    pub fn is_worth_measuring_again(&self) -> bool {
        self.suspect || self.looks_better()
    }

    /// The mirror image of a suspect. Exact counts have no p value and do not change when they are measured again.
    fn looks_better(&self) -> bool {
        let is_open = matches!(self.outcome, Outcome::Improved | Outcome::Inconclusive) && self.direction.is_known();
        let (Some(change), Some(p)) = (self.change, self.p.filter(|_| is_open)) else { return false };
        let better = -self.direction.worse(change).max(-0.999).ln_1p();
        let bound = self.threshold.ln_1p();
        let of_medians = match (self.base, self.head) {
            (Some(base), Some(head)) if base.value > 0.0 => {
                -self.direction.worse(head.value / base.value - 1.0).ln_1p()
            }
            _ => 0.0,
        };
        better > bound || of_medians > bound || better > bound / 2.0 && p < SUSPECT_P
    }

    /// True where it counts for the verdict: without a better direction, a change is only shown.
    pub fn is_judged(&self) -> bool {
        self.outcome != Outcome::Inconclusive || self.direction.is_known()
    }

    /// True for the same value in base and head of a metric whose better direction is unknown.
    pub(super) fn is_constant_of_unknown_direction(&self) -> bool {
        let is_constant = self.outcome == Outcome::Unchanged && self.change.is_none_or(|change| change == 0.0);
        is_constant && !self.direction.is_known()
    }

    /// The smallest regression that these runs would have shown, where that explains why an inconclusive benchmark is undecided.
    /// It explains nothing where the change exceeds it, where it is 100% or more, and where it lies outside the printed
    /// interval, because it contains the correction for many tests.
    pub fn noise_limit(&self) -> Option<f64> {
        let is_in_interval = |least: f64| self.interval.is_none_or(|[low, high]| high.max(-low) >= least);
        let explains = |least: &f64| {
            *least < 1.0
                && is_in_interval(*least)
                && self.needed_change.is_none()
                && self.change.is_none_or(|change| change.abs() < *least)
        };
        self.detectable.filter(explains).filter(|_| self.outcome == Outcome::Inconclusive)
    }

    /// True where views list it without being asked for all: anything but an unchanged benchmark without a shown change,
    /// whose work is the same.
    pub fn is_listed(&self) -> bool {
        self.outcome != Outcome::Unchanged || self.within.is_some() || self.work_ratio.is_some()
    }
}

/// The value of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// In the unit of the finding.
    pub value: f64,
    /// Number of runs behind it.
    pub runs: usize,
    /// Number of samples behind it.
    pub samples: u64,
    /// Of a share in percent: how many of the samples it counts, such as requests that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
}

/// The work of one operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkReport {
    /// Amount per operation.
    pub amount: f64,
    /// The unit of the amount.
    pub unit: WorkUnit,
}

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

    fn pass_without_reasons(&mut self) {
        if self.verdict == Verdict::Fail && self.reasons.is_empty() {
            self.verdict = Verdict::Pass;
        }
    }

    /// True where regressions fail the gate, which someone may accept.
    pub fn fails_on_regressions(&self) -> bool {
        let is_regression =
            |reason: &Reason| matches!(reason, Reason::WholeSuite | Reason::Outcome(Outcome::Regressed, _));
        self.verdict == Verdict::Fail && self.reasons.iter().any(is_regression)
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
        (report.mean_change, report.suite, report.pinned) = (None, None, None);
        report.notices.clear();
        report
    }

    /// Leaves the verdict open where the base has a gap and only changes against it fail the gate: they may come from the
    /// commits in the gap, which are those of `branch`. If `strict`, a base with a gap never has a verdict.
    pub fn leave_gap_open(mut self, branch: &str, strict: bool) -> Report {
        let Some(gap) = &mut self.base.gap else { return self };
        gap.branch = Some(branch.to_owned());
        let is_change = |reason: &Reason| {
            use Outcome::{Added, Inconclusive, Regressed, Removed};
            matches!(reason, Reason::WholeSuite | Reason::Outcome(Regressed | Inconclusive | Added | Removed, _))
        };
        if strict || self.verdict == Verdict::Fail && self.reasons.iter().all(is_change) {
            self.verdict = Verdict::None;
            self.reasons.clear();
        }
        self
    }

    /// The exit code of the gate. A first run is made only where a missing baseline is allowed.
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Pass => 0,
            Verdict::None if self.first_run => 0,
            Verdict::Fail => 1,
            Verdict::None => 2,
        }
    }

    /// Attaches the samples for plots to their findings.
    pub fn attach_samples(&mut self, mut samples: BTreeMap<Suspect, [Vec<PlotSamples>; 2]>) {
        for finding in &mut self.benchmarks {
            let (metric, tool) = (finding.metric.to_string(), finding.tool.to_string());
            finding.plot_samples = samples.remove(&Suspect { benchmark: finding.name.clone(), metric, tool });
        }
    }

    /// The CPU of head.
    pub fn machine(&self) -> Option<&str> {
        self.head.environment.get(Environment::CPU).map(String::as_str)
    }

    /// The pinned part of another report, from this report against the release.
    pub fn into_pinned(self, revision: &str) -> Pinned {
        let both = self.benchmarks.into_iter().filter(|finding| finding.base.is_some() && finding.head.is_some());
        let benchmarks = both.map(|finding| PinnedFinding {
            name: finding.name,
            metric: finding.metric.into_owned(),
            outcome: finding.outcome,
            change: finding.change,
            interval: finding.interval,
        });
        Pinned {
            revision: revision.to_owned(),
            commit: self.base.commit,
            runs: self.base.runs,
            counts: self.counts,
            mean_change: self.mean_change,
            benchmarks: benchmarks.collect(),
        }
    }
}
