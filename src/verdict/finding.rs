//! What is reported of one comparison: its outcome with the numbers behind it.

mod queries;

use super::doubt::{Doubt, doubt};
use super::gap::BaselineGap;
use super::limits::BudgetReport;
use super::outcome::{ChangeDirection, ChangeOf, Outcome, UndecidedReason, UntestedReason, WithoutQ};
use super::ruling::{Criteria, as_change};
use super::samples;
use crate::compare::{Comparison, Effect, SideValue};
use crate::model::number_text::thousands;
use crate::model::sample_noun;
use crate::model::{
    ClassBenchmark, Direction, PerSide, PlotSamples, SampleGroup, SampleStatistics, SlowPart, Work, WorkUnit,
};
use crate::policy::Policy;
use crate::stats::estimate::Estimate;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A change over half the threshold is re-measured if its p value is below this.
pub(super) const SUSPECT_P: f64 = 0.35;

/// A judged metric of a benchmark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Finding {
    /// The benchmark's full name, with the machine class where several measured it: untrusted text.
    pub name: String,
    /// The machine class and the benchmark's own name, where several classes measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_class: Option<Box<ClassBenchmark>>,
    /// The tool that measured it.
    #[serde(default)]
    pub tool: Cow<'static, str>,
    /// `time`, `time:p95`, `throughput` …
    pub metric: Cow<'static, str>,
    /// The unit of both values.
    pub unit: Cow<'static, str>,
    /// The unit of base, where it differs: the values cannot be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_unit: Option<Box<str>>,
    /// Which way is better.
    pub direction: Direction,
    /// Its outcome.
    pub outcome: Outcome,
    /// If removed: true where it seems not to have been run, rather than taken out of the suite.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_run: bool,
    /// If failed: true where it failed in base too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed_in_base: bool,
    /// If unchanged: the direction of a significant change within the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<ChangeDirection>,
    /// Worth re-measuring.
    pub suspect: bool,
    /// Was re-measured; the values are from the second measurement.
    #[serde(rename = "confirmed")]
    pub re_measured: bool,
    /// The value of base; `null` if it has none.
    pub base: Option<Value>,
    /// If the commit that head started from has stored runs, but none with this benchmark: how old the value of base is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_gap: Option<Box<BaselineGap>>,
    /// The value of head; `null` if it has none.
    pub head: Option<Value>,
    /// The tested change. It may differ from head / base - 1 of the two values: it is that of the fast edge where there
    /// are samples, and the suite-wide shift may be subtracted. `null` if a value is missing, if base is zero, or if
    /// the units differ.
    pub change: Option<f64>,
    /// Confidence interval of `change`, from the test that decides the outcome: 95%, or wider for a change over the threshold
    /// among many tests. `null` without an estimate.
    pub interval: Option<[f64; 2]>,
    /// A copy of `change`; `None` if the benchmark was not tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<f64>,
    /// What `change` is that of, if not of the values: the medians may have changed by another amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_of: Option<ChangeOf>,
    /// One-sided p value of the change, in its direction.
    pub p: Option<f64>,
    /// `p` corrected for the number of tests (Benjamini-Hochberg; Holm if re-measured), at least twice `p`.
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
    /// The change of the mean of all samples, where that makes it a suspect and not its `change`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_mean_change: Option<f64>,
    /// Why the tests leave it undecided, if no note gives the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<UndecidedReason>,
    /// Why it was not tested at all; a note has the reason in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_tested: Option<UntestedReason>,
    /// Why it has no `q` although both sides have a value, unless `not_tested` has the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_q: Option<WithoutQ>,
    /// Why single runs make a change over the threshold doubtful; a note explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
    /// True if base and head were measured with different settings; a note names them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub other_settings: bool,
    /// The worst of its budgets.
    pub budget: BudgetReport,
    /// Remarks.
    pub notes: Vec<String>,
    /// The slow part of the samples, where it is the reason that the benchmark is inconclusive or their mean decides and not their
    /// fastest part, and where the benchmark improved although some samples got slower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_part: Option<Box<PerSide<SlowPart>>>,
    /// The two modes of the samples of a side, the smaller first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modes: Option<Box<PerSide<[SampleGroup; 2]>>>,
    /// Statistics of the samples of base and head; only in a saved comparison, or if a budget needs them.
    #[serde(default, rename = "spread", skip_serializing_if = "Option::is_none")]
    pub sample_statistics: Option<Box<[Option<SampleStatistics>; 2]>>,
    /// Work of one operation, for a rate shown next to the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<WorkReport>,
    /// Work per operation of head divided by that of base, where they differ: `change` is then per unit of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_ratio: Option<f64>,
    /// The samples of the runs of base and head, thinned for plots; only if plots are made or the comparison is saved.
    #[serde(default, rename = "strips", skip_serializing_if = "Option::is_none")]
    pub plot_samples: Option<[Vec<PlotSamples>; 2]>,
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
    /// For a share in percent: the number of samples that it counts, such as failed requests.
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

/// The outcome of a comparison, before waivers. The whole finding takes about 20 times as long.
pub fn outcome(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Outcome {
    Criteria::of(comparison, policy).judge(comparison, same_machine).outcome
}

/// Judges one comparison.
pub fn judge_comparison(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Finding {
    let Comparison { benchmark, metric, base, head, .. } = comparison;
    let criteria = Criteria::of(comparison, policy);
    let mut ruling = criteria.judge(comparison, same_machine);
    let is_open = ruling.outcome == Outcome::Inconclusive && ruling.notes.is_empty();
    ruling.notes.extend(share_of(*base, *head, sample_noun(&comparison.tool, benchmark.as_str(), &metric.name)));
    // A change that is not judged is reported without interval and p value.
    let is_tested = metric.direction.is_known() && same_machine && !ruling.by_floor;
    let estimate = comparison.mean.as_deref().filter(|_| ruling.by_mean).or(comparison.estimate());
    let estimate = estimate.filter(|_| is_tested);
    let as_change = |log: f64| as_change(log, metric.direction);
    let counts = match &comparison.effect {
        Effect::Counts(counts) if is_tested => Some(counts),
        _ => None,
    };
    let change = match (estimate, base, head) {
        _ if counts.is_some() => counts.and_then(|counts| finite(counts.ln_ratio.exp_m1())),
        _ if comparison.base_unit.is_some() => None,
        (Some(estimate), ..) => Some(as_change(estimate.delta).min(f64::MAX)),
        (None, Some(base), Some(head)) => {
            finite(head.value / (base.value * comparison.work_ratio.unwrap_or(1.0)) - 1.0)
        }
        _ => None,
    }
    .filter(|_| base.is_none_or(|base| base.value != 0.0));
    // Further runs of the same kind cannot distinguish a change from the suite-wide shift, or from other
    // settings.
    let could_decide = comparison.other_settings.is_none();
    let limited_by_noise = estimate.filter(|_| could_decide && !ruling.fast_edges_alone);
    let limited_by_noise =
        limited_by_noise.filter(|estimate| doubt(estimate, criteria.log_threshold(), criteria.alpha).is_none());
    Finding {
        name: benchmark.as_str().to_owned(),
        per_class: comparison.per_class.clone(),
        tool: comparison.tool.clone(),
        metric: metric.name.clone(),
        unit: metric.unit.kept_label(),
        base_unit: comparison.base_unit.clone(),
        direction: metric.direction,
        outcome: ruling.outcome,
        not_run: matches!(comparison.effect, Effect::NotRun),
        failed_in_base: matches!(&comparison.effect, Effect::Failed(failed) if failed.in_base),
        within: criteria.within(comparison).filter(|_| ruling.outcome == Outcome::Unchanged),
        suspect: ruling.suspect,
        re_measured: comparison.re_measured,
        base: base.map(value),
        base_gap: None,
        head: head.map(value),
        change,
        interval: estimate
            .map(|estimate| {
                let (low, high) = estimate.interval(criteria.is_over(estimate));
                let (a, b) = (as_change(low), as_change(high));
                [a.min(b), a.max(b)]
            })
            .or(counts.map(|counts| [counts.interval.0.exp_m1(), counts.interval.1.exp_m1()]))
            .map(|ends| ends.map(|x| x.clamp(-1.0, largest_change(comparison)))),
        adjusted: estimate.map(|estimate| as_change(estimate.delta).min(f64::MAX)),
        change_of: estimate.and_then(|estimate| match ruling.by_mean {
            true => Some(ChangeOf::Mean),
            false => estimate.of_fast_edges.then_some(ChangeOf::FastestSamples),
        }),
        p: estimate.map(Estimate::p).or(counts.map(|counts| counts.p_more.min(counts.p_fewer))),
        q: estimate.map(Estimate::q),
        detectable: limited_by_noise.and_then(|estimate| {
            let least = estimate.detectable().max(criteria.needed(estimate).unwrap_or_default());
            finite(as_change(least).abs())
        }),
        runs_needed: limited_by_noise
            .filter(|_| ruling.outcome == Outcome::Inconclusive)
            // The difference between base runs does not shrink with more of them.
            .filter(|estimate| estimate.base_range.is_none_or(|range| range < estimate.delta.abs()))
            .and_then(|estimate| estimate.runs_needed(criteria.log_threshold(), criteria.alpha)),
        threshold: criteria.threshold,
        needed_change: estimate.and_then(|one| criteria.needed(one)).and_then(|log| finite(log.exp_m1())),
        sample_mean_change: ruling.sample_mean_change.and_then(finite),
        undecided: estimate.filter(|_| is_open).map(|estimate| criteria.why_undecided(estimate)),
        not_tested: ruling.not_tested,
        without_q: without_q(comparison).filter(|_| ruling.not_tested.is_none()),
        doubt: ruling.doubt.filter(|_| is_tested),
        other_settings: comparison.other_settings.is_some() && ruling.outcome == Outcome::Inconclusive,
        budget: BudgetReport::default(),
        notes: ruling.notes,
        slow_part: samples::slow_parts(comparison)
            .filter(|_| {
                ruling.by_mean
                    || ruling.doubt == Some(Doubt::SlowSamples)
                    || ruling.outcome == Outcome::Improved && samples::some_got_slower(comparison)
            })
            .map(Box::new),
        modes: samples::modes(comparison).map(Box::new),
        sample_statistics: comparison.statistics.clone(),
        work: comparison.work.map(|Work { amount, unit }| WorkReport { amount, unit }),
        work_ratio: comparison.work_ratio,
        plot_samples: None,
    }
}

/// Why a comparison has no q value, if both sides have a value.
fn without_q(comparison: &Comparison) -> Option<WithoutQ> {
    comparison.base.zip(comparison.head)?;
    match &comparison.effect {
        Effect::Exact(_) if comparison.metric.exact => Some(WithoutQ::ExactCount),
        // Other values are compared like exact counts only if a side is zero.
        Effect::Exact(_) | Effect::Zero { .. } => Some(WithoutQ::Zero),
        Effect::Counts(_) => Some(WithoutQ::FewEvents),
        Effect::Invalid(_) => Some(WithoutQ::NotComparable),
        Effect::NotConfirmed { .. } => Some(WithoutQ::TooFewResults),
        Effect::BaseOnly | Effect::NotRun | Effect::HeadOnly | Effect::Failed(_) | Effect::Estimated(_) => None,
    }
}

/// The largest possible change: a share cannot exceed its whole.
fn largest_change(comparison: &Comparison) -> f64 {
    let values = comparison.base.zip(comparison.head).map(|(base, head)| [base.value, head.value]);
    match values.zip(comparison.metric.whole()) {
        Some(([base, head], whole)) if base > 0.0 && base.max(head) <= whole => whole / base - 1.0,
        _ => f64::MAX,
    }
}

/// The numbers behind a share: `12,008 of 60,040 requests in base, 24,000 of 120,000 requests in head`.
fn share_of(base: Option<SideValue>, head: Option<SideValue>, noun: &str) -> Option<String> {
    let side = |side: Option<SideValue>, word: &str| {
        let side = side?;
        Some(format!("{} of {} {noun} in {word}", thousands(side.events? as usize), thousands(side.samples as usize)))
    };
    let parts: Vec<String> = [side(base, "base"), side(head, "head")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn value(level: SideValue) -> Value {
    Value { value: level.value, runs: level.runs, samples: level.samples, events: level.events }
}

/// The value if it is finite, as JSON has no other numbers.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
