//! Base Runs against head Runs: which measurements belong together, and how much each changed. Judges nothing: what a
//! change means is for `verdict`.

pub mod bisection;
mod confirm;
pub mod filter;
mod pairs;
mod plot_samples;
mod sample_statistics;
pub mod schedule;

pub use confirm::{Suspect, control, keep_suspects};
pub use pairs::{Pair, SideValue, pair};
pub use plot_samples::plot_samples;

use crate::model::{BenchId, Diagnostic, Metric, Run, SampleStatistics, Work};
use crate::stats::estimate::Estimate;
use crate::stats::prior::{Observation, ValueKind};
use crate::stats::suite::{BenchmarkRuns, Suite};
use crate::stats::suite_test;
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One metric of one benchmark on both sides.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The benchmark, by its name in head.
    pub benchmark: BenchId,
    /// The metric.
    pub metric: Arc<Metric>,
    /// The tool that measured it.
    pub tool: Cow<'static, str>,
    /// The work of one operation, where known.
    pub work: Option<Work>,
    /// The base's value.
    pub base: Option<SideValue>,
    /// The head's value.
    pub head: Option<SideValue>,
    /// How the two differ.
    pub effect: Effect,
    /// How the samples of base and head spread, where they were read.
    pub statistics: Option<Box<[Option<SampleStatistics>; 2]>>,
    /// Whether this is what came out when a suspect was measured again.
    pub confirmed: bool,
}

/// How two sides differ.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Only the base has it.
    BaseOnly,
    /// Only the head has it.
    HeadOnly,
    /// There are numbers that cannot be compared; why.
    Invalid(String),
    /// Counts that repeat exactly: compared as they are, `ln` of the worse-side ratio, infinite from zero.
    Exact(f64),
    /// A change with its uncertainty.
    Estimated(Estimate),
}

/// All comparisons of two sides.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// By benchmark, metric, tool.
    pub comparisons: Vec<Comparison>,
    /// How many benchmark metrics both sides have.
    pub shared: usize,
    /// How many of them went through a test.
    pub tests: usize,
    /// The common factor of all times between the sides, as a fraction (0.08: head is 8 % slower as a whole).
    pub common_shift: f64,
    /// What was odd.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compares every metric of every benchmark. `rename` maps a base name to its name today; `alpha` is the share of false
/// alarms that is borne.
pub fn compare(base: &[Run], head: &[Run], alpha: f64, rename: impl Fn(&str) -> Option<String>) -> Compared {
    tested(base, head, alpha, rename, None)
}

/// Compares fresh runs of some benchmarks, whose noise is told by the screening of the whole suite too.
pub fn compare_again(
    base: &[Run],
    head: &[Run],
    alpha: f64,
    rename: impl Fn(&str) -> Option<String>,
    screened: &Compared,
) -> Compared {
    tested(base, head, alpha, rename, Some(screened))
}

fn tested(
    base: &[Run],
    head: &[Run],
    alpha: f64,
    rename: impl Fn(&str) -> Option<String>,
    screened: Option<&Compared>,
) -> Compared {
    let pairs = pair(base, head, rename);
    let mut compared = Compared { diagnostics: repeated_samples(&pairs).into_iter().collect(), ..Compared::default() };
    compared.shared = pairs.iter().filter(|pair| pair.is_shared()).count();

    let (decided, families) = families(&pairs);
    let mut parts = vec![decided];
    for (kind, members) in families {
        let suite = Members { pairs: &pairs, members: &members, samples: kind.samples, runs: [base.len(), head.len()] };
        let nature = if kind.exact { ValueKind::Counted } else { ValueKind::Measured };
        let family = match screened {
            None => suite_test::estimate_suite(&suite, nature, alpha),
            Some(screened) => suite_test::estimate_remeasured(&suite, nature, alpha, &screened.observations(&kind)),
        };
        if family.count() > compared.tests / 2 && kind.metric == "time" || compared.tests == 0 {
            compared.common_shift = family.shift().exp_m1();
        }
        compared.tests += family.count();
        if !family.shift_taken_out() {
            compared.diagnostics.push(moved_together(kind.metric, family.count(), family.shift()));
        }
        let estimated =
            |(place, index): (usize, &usize)| pairs[*index].comparison(Effect::Estimated(family.estimate(place)));
        parts.push(members.par_iter().enumerate().map(estimated).collect());
    }
    compared.comparisons = in_order(parts);
    compared
}

/// All comparisons by benchmark, metric and tool; each part is in this order.
fn in_order(parts: Vec<Vec<Comparison>>) -> Vec<Comparison> {
    let (mut all, mut several) = (Vec::new(), false);
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if all.is_empty() {
            all = part;
        } else {
            several = true;
            all.extend(part);
        }
    }
    if several {
        all.sort_by(|a, b| (&a.benchmark, &a.metric.name, &a.tool).cmp(&(&b.benchmark, &b.metric.name, &b.tool)));
    }
    all
}

impl Compared {
    /// What each benchmark of a kind says of the noise.
    fn observations(&self, kind: &Kind<'_>) -> Vec<Observation> {
        let of_kind = |metric: &Metric| metric.name == kind.metric && metric.exact == kind.exact;
        let estimated = self.comparisons.iter().filter(|comparison| of_kind(&comparison.metric));
        estimated.filter_map(Comparison::estimate).map(Estimate::observation).collect()
    }
}

impl Comparison {
    /// How the samples of base and head spread.
    pub fn statistics(&self) -> [Option<&SampleStatistics>; 2] {
        self.statistics.as_deref().map_or([None, None], |[base, head]| [base.as_ref(), head.as_ref()])
    }

    /// The estimate, where there is one.
    pub fn estimate(&self) -> Option<&Estimate> {
        match &self.effect {
            Effect::Estimated(estimate) => Some(estimate),
            _ => None,
        }
    }
}

/// What is judged together: each has its own noise and its own correction for the number of tests.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind<'a> {
    metric: &'a str,
    exact: bool,
    samples: bool,
}

/// The pairs of a kind.
struct Members<'a> {
    pairs: &'a [Pair<'a>],
    members: &'a [usize],
    samples: bool,
    runs: [usize; 2],
}

impl Suite for Members<'_> {
    fn count(&self) -> usize {
        self.members.len()
    }

    fn runs(&self) -> [usize; 2] {
        self.runs
    }

    fn has_fast_edges(&self) -> bool {
        self.samples
    }

    fn observed(&self, index: usize) -> BenchmarkRuns {
        self.pairs[self.members[index]].observed()
    }
}

/// What needs no test, and the pairs that want one, by kind.
fn families<'a>(pairs: &'a [Pair<'_>]) -> (Vec<Comparison>, BTreeMap<Kind<'a>, Vec<usize>>) {
    let looks: Vec<Result<Kind<'_>, Box<Comparison>>> = pairs.par_iter().map(Pair::look).collect();
    let (mut decided, mut families) = (Vec::new(), BTreeMap::<Kind<'_>, Vec<usize>>::new());
    for (index, look) in looks.into_iter().enumerate() {
        match look {
            Ok(kind) => families.entry(kind).or_default().push(index),
            Err(comparison) => decided.push(*comparison),
        }
    }
    (decided, families)
}

fn moved_together(metric: &str, count: usize, shift: f64) -> Diagnostic {
    let message = format!(
        "the bulk of the {count} benchmarks moved together, by a factor of {:.2} in {metric} for the worse: the machine, or \
         a change of all code? It is not taken out; measure both sides again, side by side",
        shift.exp()
    );
    Diagnostic::warning("common-shift", "", message)
}

/// A benchmark whose head holds the very samples of its base was not run again: old results lie about.
fn repeated_samples(pairs: &[Pair<'_>]) -> Option<Diagnostic> {
    let repeated: Vec<&str> =
        pairs.par_iter().filter(|pair| pair.same_samples()).map(|pair| &*pair.benchmark).collect();
    let first = repeated.first()?;
    let message = if repeated.len() == pairs.iter().filter(|pair| pair.is_shared()).count() {
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
