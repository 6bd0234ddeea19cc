//! One Comparison held against the policy. The order of the rules is that of docs/statistics.md.

use super::report::{BudgetReport, Finding, Outcome, Value, WorkReport};
use crate::compare::{Comparison, Effect, SideValue};
use crate::model::{Direction, Work};
use crate::policy::Policy;
use crate::stats::estimate::Estimate;

/// A change over half the threshold that is not clearly chance is worth measuring again.
const SUSPECT_P: f64 = 0.35;
/// More of the pairs of a base and a head run than this may not lie the wrong way when a suspect is called: of three
/// runs a side none, of five one in twenty-five.
const MOST_OVERLAP: f64 = 0.05;

/// What a rule says, and what to know beside it.
struct Ruling {
    outcome: Outcome,
    suspect: bool,
    notes: Vec<String>,
}

impl Ruling {
    fn of(outcome: Outcome) -> Self {
        Ruling { outcome, suspect: false, notes: Vec::new() }
    }

    fn suspect(self, suspect: bool) -> Self {
        Ruling { suspect, ..self }
    }

    fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// What becomes of a comparison, before waivers: the whole finding costs some twenty times as much.
pub fn outcome(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Outcome {
    Gate::of(comparison, policy).judge(comparison, same_machine).outcome
}

/// Judges one comparison.
pub fn find(comparison: &Comparison, policy: &Policy, same_machine: bool) -> Finding {
    let Comparison { benchmark, metric, base, head, .. } = comparison;
    let gate = Gate::of(comparison, policy);
    let ruling = gate.judge(comparison, same_machine);
    let estimate = match &comparison.effect {
        Effect::Estimated(estimate) => Some(estimate),
        _ => None,
    };
    let change = match (base, head) {
        (Some(base), Some(head)) => fraction(head.value / base.value - 1.0),
        _ => None,
    };
    // A worse-side log ratio as a change in the metric's own units.
    let own = |log: f64| match metric.direction {
        Direction::Lower => log.exp_m1(),
        Direction::Higher => (-log).exp_m1(),
    };
    Finding {
        name: benchmark.as_str().to_owned(),
        tool: comparison.tool.clone(),
        metric: metric.name.clone(),
        unit: metric.unit.kept_label(),
        direction: metric.direction,
        outcome: ruling.outcome,
        suspect: ruling.suspect,
        confirmed: comparison.confirmed,
        base: base.map(value),
        head: head.map(value),
        change,
        interval: estimate.map(|estimate| {
            let (low, high) = estimate.interval(0.95);
            let (a, b) = (own(low), own(high));
            // The change of the values as shown: its runs have not had their common factors taken out.
            let shown = change.unwrap_or(a);
            [a.min(b).min(shown), a.max(b).max(shown)].map(|x| x.clamp(-1.0, f64::MAX))
        }),
        adjusted: estimate.and_then(|estimate| fraction(own(estimate.delta))),
        p: estimate.map(Estimate::p),
        q: estimate.map(Estimate::q),
        detectable: estimate.and_then(|estimate| fraction(own(estimate.detectable()).abs())),
        runs_needed: estimate
            .filter(|_| ruling.outcome == Outcome::Inconclusive && same_machine)
            .and_then(|estimate| estimate.runs_needed(gate.bound(), gate.alpha)),
        threshold: gate.threshold,
        budget: BudgetReport::default(),
        notes: ruling.notes,
        spread: comparison.statistics.clone(),
        work: comparison.work.map(|Work { amount, unit }| WorkReport { amount, unit }),
        strips: None,
    }
}

/// What a change must clear.
struct Gate {
    threshold: f64,
    floor: f64,
    alpha: f64,
}

impl Gate {
    /// What holds for a benchmark.
    fn of(comparison: &Comparison, policy: &Policy) -> Gate {
        let bounds = policy.bounds(comparison.benchmark.as_str(), &comparison.metric);
        Gate {
            threshold: bounds.threshold.unwrap_or(policy.gate_threshold()),
            floor: bounds.floor.unwrap_or(0.0),
            alpha: policy.alpha(),
        }
    }

    fn judge(&self, comparison: &Comparison, same_machine: bool) -> Ruling {
        let below_floor = match (comparison.base, comparison.head) {
            (Some(base), Some(head)) => (head.value - base.value).abs() < self.floor,
            _ => false,
        };
        match &comparison.effect {
            Effect::BaseOnly => Ruling::of(Outcome::Removed),
            Effect::HeadOnly => Ruling::of(Outcome::Added),
            Effect::Invalid(why) => Ruling::of(Outcome::Inconclusive).note(why.clone()),
            Effect::Exact(worse) => self.rule_exact(*worse, below_floor),
            Effect::Estimated(estimate) if !same_machine => {
                let ruling = Ruling::of(Outcome::Inconclusive).suspect(estimate.delta > self.bound());
                ruling.note("measured on different machines")
            }
            Effect::Estimated(estimate) => self.rule(estimate, below_floor),
        }
    }

    /// The threshold on the log scale: 20 % worse is a factor of 1.2 either way.
    fn bound(&self) -> f64 {
        self.threshold.ln_1p()
    }

    fn rule_exact(&self, worse: f64, below_floor: bool) -> Ruling {
        if below_floor || worse.abs() <= self.bound() {
            Ruling::of(Outcome::Unchanged)
        } else if worse > 0.0 {
            Ruling::of(Outcome::Regressed)
        } else {
            Ruling::of(Outcome::Improved)
        }
    }

    fn rule(&self, estimate: &Estimate, below_floor: bool) -> Ruling {
        let bound = self.bound();
        let over = estimate.delta > bound;
        if below_floor && (over || estimate.delta < -bound) {
            let note = format!("the absolute change is below the floor of {}", self.floor);
            return Ruling::of(Outcome::Unchanged).note(note);
        }
        // The edge of the samples is tested; the medians must have moved the same way.
        let called = |q: f64| q < self.alpha && (!estimate.low_evidence || estimate.delta.abs() > 2.0 * bound);
        if over && called(estimate.q_worse) && estimate.median_delta > bound / 2.0 {
            return match estimate.control.filter(|control| *control >= estimate.delta) {
                Some(control) => Ruling::of(Outcome::Inconclusive).suspect(true).note(format!(
                    "disturbed: in the same minutes base against itself moved by {:.0} %",
                    100.0 * control.exp_m1()
                )),
                None if estimate.overlap.is_some_and(|overlap| overlap > MOST_OVERLAP) => {
                    let note = "the runs of base and head overlap: by chance one may look so";
                    Ruling::of(Outcome::Inconclusive).suspect(true).note(note)
                }
                None => Ruling::of(Outcome::Regressed).suspect(true),
            };
        }
        if estimate.delta < -bound && called(estimate.q_better) && estimate.median_delta < -bound / 2.0 {
            return Ruling::of(Outcome::Improved);
        }
        let suspect =
            over || estimate.median_delta > bound || estimate.delta > bound / 2.0 && estimate.p_worse < SUSPECT_P;
        let undecided = Ruling::of(Outcome::Inconclusive).suspect(suspect);
        if estimate.raw.abs() > bound && estimate.delta.abs() <= bound {
            return undecided.note("over the threshold only together with the common shift of the whole suite");
        }
        if estimate.median_delta.abs() < bound && estimate.lies_within(bound, self.alpha) {
            return Ruling::of(Outcome::Unchanged);
        }
        if over && called(estimate.q_worse) || estimate.delta < -bound && called(estimate.q_better) {
            return undecided.note("the least disturbed samples moved so far, the medians did not");
        }
        if over && estimate.low_evidence {
            return undecided
                .note("one run against one, of few benchmarks: only a change of twice the threshold is called");
        }
        undecided
    }
}

fn value(level: SideValue) -> Value {
    Value { value: level.value, runs: level.runs, samples: level.samples }
}

/// A number that JSON can hold.
fn fraction(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
