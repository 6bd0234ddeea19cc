//! What is reported of one comparison: its outcome with the numbers behind it.

use super::limits::BudgetReport;
use super::outcome::Outcome;
use super::report::{Finding, Value, WorkReport};
use super::ruling::{Gate, as_change, is_within_shift};
use super::samples;
use crate::compare::{Comparison, Effect, SideValue};
use crate::model::Work;
use crate::policy::Policy;
use crate::stats::estimate::Estimate;

/// The outcome of a comparison, before waivers. The whole finding takes about 20 times as long.
pub fn outcome(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Outcome {
    Gate::of(comparison, policy).judge(comparison, same_machine).outcome
}

/// Judges one comparison.
pub fn find(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Finding {
    let Comparison { benchmark, metric, base, head, .. } = comparison;
    let gate = Gate::of(comparison, policy);
    let mut ruling = gate.judge(comparison, same_machine);
    let is_open = ruling.outcome == Outcome::Inconclusive && ruling.notes.is_empty();
    if let Some(ratio) = comparison.work_ratio {
        ruling
            .notes
            .push(format!("one operation does {ratio:.3} times the work of base; the change is per unit of work"));
    }
    ruling.notes.extend(share_of(*base, *head));
    let estimate = comparison.mean.as_deref().filter(|_| ruling.by_mean).or(comparison.estimate());
    let as_change = |log: f64| as_change(log, metric.direction);
    let counts = match &comparison.effect {
        Effect::Counts(counts) => Some(counts),
        _ => None,
    };
    let change = match (estimate, base, head) {
        _ if counts.is_some() => counts.and_then(|counts| fraction(counts.ln_ratio.exp_m1())),
        (Some(estimate), ..) => fraction(as_change(estimate.delta)),
        (None, Some(base), Some(head)) => {
            fraction(head.value / (base.value * comparison.work_ratio.unwrap_or(1.0)) - 1.0)
        }
        _ => None,
    }
    .filter(|_| base.is_none_or(|base| base.value != 0.0));
    // Further runs of the same kind do not tell a change from the shift of the whole run, or from other settings.
    let could_decide = comparison.other_settings.is_none() && metric.direction.is_known() && same_machine;
    let limited_by_noise = estimate.filter(|_| could_decide);
    let limited_by_noise = limited_by_noise.filter(|estimate| !is_within_shift(estimate, gate.bound()));
    let is_finding = matches!(ruling.outcome, Outcome::Regressed | Outcome::Improved);
    Finding {
        name: benchmark.as_str().to_owned(),
        tool: comparison.tool.clone(),
        metric: metric.name.clone(),
        unit: metric.unit.kept_label(),
        direction: metric.direction,
        outcome: ruling.outcome,
        not_run: matches!(comparison.effect, Effect::NotRun),
        within: gate.within(comparison).filter(|_| ruling.outcome == Outcome::Unchanged),
        suspect: ruling.suspect,
        confirmed: comparison.confirmed,
        base: base.map(value),
        head: head.map(value),
        change,
        interval: estimate
            .map(|estimate| {
                let (low, high) = estimate.interval(is_finding);
                let (a, b) = (as_change(low), as_change(high));
                [a.min(b), a.max(b)]
            })
            .or(counts.map(|counts| [counts.interval.0.exp_m1(), counts.interval.1.exp_m1()]))
            .map(|ends| ends.map(|x| x.clamp(-1.0, f64::MAX))),
        adjusted: estimate.and_then(|estimate| fraction(as_change(estimate.delta))),
        p: estimate.map(Estimate::p).or(counts.map(|counts| counts.p_more.min(counts.p_fewer))),
        q: estimate.map(Estimate::q),
        detectable: limited_by_noise.and_then(|estimate| {
            let least = estimate.detectable().max(gate.needed(estimate).unwrap_or_default());
            fraction(as_change(least).abs())
        }),
        runs_needed: limited_by_noise
            .filter(|_| ruling.outcome == Outcome::Inconclusive)
            .and_then(|estimate| estimate.runs_needed(gate.bound(), gate.alpha)),
        threshold: gate.threshold,
        needed_change: estimate.and_then(|one| gate.needed(one)).and_then(|log| fraction(log.exp_m1())),
        undecided: estimate.filter(|_| is_open).map(|estimate| gate.why_undecided(estimate)),
        budget: BudgetReport::default(),
        notes: ruling.notes,
        slow_part: samples::slow_parts(comparison).filter(|_| ruling.by_mean).map(Box::new),
        modes: samples::modes(comparison).map(Box::new),
        spread: comparison.statistics.clone(),
        work: comparison.work.map(|Work { amount, unit }| WorkReport { amount, unit }),
        work_ratio: comparison.work_ratio,
        plot_samples: None,
    }
}

/// The numbers behind a share: `12008 of 60040 in base, 24000 of 120000 in head`.
fn share_of(base: Option<SideValue>, head: Option<SideValue>) -> Option<String> {
    let side = |side: Option<SideValue>, word: &str| {
        let side = side?;
        Some(format!("{} of {} in {word}", side.events?, side.samples))
    };
    let parts: Vec<String> = [side(base, "base"), side(head, "head")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn value(level: SideValue) -> Value {
    Value { value: level.value, runs: level.runs, samples: level.samples, events: level.events }
}

/// The value if it is finite, as JSON has no other numbers.
fn fraction(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
