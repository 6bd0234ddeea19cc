//! Base Runs against head Runs: which measurements belong together, and how much each changed. Judges nothing: what a
//! change means is for `verdict`.

mod pairs;

pub use pairs::{Level, Pair, pair};

use crate::model::{BenchId, Diagnostic, Metric, Run, Work};
use crate::stats::estimate::{self, Estimate, Family};
use std::borrow::Cow;

/// One metric of one benchmark on both sides.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The benchmark, by its name in head.
    pub benchmark: BenchId,
    /// The metric.
    pub metric: Metric,
    /// The tool that measured it.
    pub tool: Cow<'static, str>,
    /// The work of one operation, where known.
    pub work: Option<Work>,
    /// The base's value.
    pub base: Option<Level>,
    /// The head's value.
    pub head: Option<Level>,
    /// How the two differ.
    pub effect: Effect,
}

/// How two sides differ.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Only the base has it.
    BaseOnly,
    /// Only the head has it.
    HeadOnly,
    /// There are numbers that cannot be compared; why.
    Invalid(String),
    /// Counts that repeat exactly: compared as they are, `ln` of the worse-side ratio, infinite from zero.
    Exact(f64),
    /// Not yet estimated.
    Untested,
    /// A change with its uncertainty.
    Estimated(Estimate),
}

/// All comparisons of two sides.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// By benchmark, metric, tool.
    pub comparisons: Vec<Comparison>,
    /// How many of them went through a test.
    pub tests: usize,
    /// The common factor of all times between the sides, as a fraction (0.08: head is 8 % slower as a whole).
    pub common_shift: f64,
    /// What was odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares every metric of every benchmark. `rename` maps a base name to its name today.
pub fn compare(base: &[Run], head: &[Run], rename: impl Fn(&str) -> Option<String>) -> Compared {
    let (pairs, mut diagnostics) = pair(base, head, rename);
    diagnostics.extend(repeated_samples(&pairs));

    let mut comparisons: Vec<Comparison> = Vec::with_capacity(pairs.len());
    let mut families: Vec<(&str, Vec<usize>)> = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let effect = match (pair.base.is_empty(), pair.head.is_empty()) {
            _ if pair.unreadable => Effect::Invalid("its result in head could not be read".to_owned()),
            (false, true) => Effect::BaseOnly,
            (true, _) => Effect::HeadOnly,
            _ => pair.first_look().unwrap_or(Effect::Untested),
        };
        if effect == Effect::Untested {
            let family: &str = &pair.metric.name;
            match families.iter_mut().find(|(name, _)| *name == family) {
                Some((_, members)) => members.push(index),
                None => families.push((family, vec![index])),
            }
        }
        comparisons.push(pair.comparison(effect));
    }

    let mut compared = Compared { diagnostics, ..Compared::default() };
    for (name, members) in &families {
        let observed: Vec<_> = members.iter().map(|index| pairs[*index].observed()).collect();
        let Family { estimates, shift } = estimate::family(&observed);
        compared.tests += estimates.len();
        if *name == "time" || families.len() == 1 {
            compared.common_shift = shift.exp_m1();
        }
        for (index, estimate) in members.iter().zip(estimates) {
            comparisons[*index].effect = Effect::Estimated(estimate);
        }
    }
    compared.comparisons = comparisons;
    compared
}

/// A benchmark whose head holds the very samples of its base was not run again: old results lie about.
fn repeated_samples(pairs: &[Pair<'_>]) -> Option<Diagnostic> {
    let repeated: Vec<&str> = pairs.iter().filter(|pair| pair.same_samples()).map(|pair| &*pair.benchmark).collect();
    let first = repeated.first()?;
    let tested = pairs.iter().filter(|pair| !pair.base.is_empty() && !pair.head.is_empty()).count();
    let message = if repeated.len() == tested {
        "both sides are the same results, sample for sample; nothing was measured anew".to_owned()
    } else {
        let others = match repeated.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!("{first:?}{others} have the same samples on both sides: left over, not run again?")
    };
    Some(Diagnostic::warning("same-samples", "", message))
}
