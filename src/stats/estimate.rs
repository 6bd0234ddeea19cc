//! How much each benchmark of a suite changed, and how sure one can be: what was measured held against what the
//! suite's own noise (`prior`) would give by chance. The order of the steps and the figures behind each constant are
//! in docs/statistics.md.

use super::prior::{Nature, Prior, Trace, Variance};
use super::shift::{self, MIN_SUITE, Residuals};
use super::{centre, fdr, student};
use rayon::prelude::*;
use std::sync::Arc;

/// A common change up to this is taken for the machine's and taken out; a larger one may be the code's.
const SHIFT_CAP: f64 = 0.139_761_942_375_158_77; // ln 1.15
/// Relative precision of quantiles.
const PRECISION: f64 = 1e-7;
/// No more runs than this are asked for.
const MOST_RUNS: u32 = 20;

/// One run's value on the log scale, the sign such that larger is worse.
#[derive(Debug, Clone, Copy)]
pub struct RunValue {
    /// Which of the side's runs.
    pub run: usize,
    /// The edge that disturbance leaves alone (the low edge of times), where there are samples.
    pub edge: Option<f64>,
    /// The median, or the best centre there is.
    pub centre: f64,
    /// How far the edge wandered inside the run.
    pub wander: Option<f64>,
    /// Variance of the centre as far as a summary tells it; 0 otherwise.
    pub within: f64,
}

/// All runs of one benchmark; each side has at least one.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Base runs.
    pub base: Vec<RunValue>,
    /// Head runs.
    pub head: Vec<RunValue>,
}

/// The benchmarks of one metric that are judged together, all with an edge or all by their centres. What was observed of
/// one is made when it is asked for: of a large suite with many runs all of it would fill memory.
pub trait Suite: Sync {
    /// How many benchmarks there are.
    fn count(&self) -> usize;

    /// How many runs base and head have.
    fn runs(&self) -> [usize; 2];

    /// True where every run of every benchmark has an edge.
    fn has_edges(&self) -> bool;

    /// All runs of one benchmark.
    fn observed(&self, index: usize) -> Observed;
}

impl Suite for Vec<Observed> {
    fn count(&self) -> usize {
        self.len()
    }

    fn runs(&self) -> [usize; 2] {
        let most = |runs: &[RunValue]| runs.iter().map(|run| run.run + 1).max().unwrap_or(0);
        let both = self.iter().map(|one| (most(&one.base), most(&one.head)));
        both.fold([0, 0], |[base, head], (b, h)| [base.max(b), head.max(h)])
    }

    fn has_edges(&self) -> bool {
        self.iter().flat_map(|one| one.base.iter().chain(&one.head)).all(|value| value.edge.is_some())
    }

    fn observed(&self, index: usize) -> Observed {
        self[index].clone()
    }
}

/// A benchmark's change on the log scale; larger is worse.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// The change that is tested: of the edges where there are samples, the common shift taken out.
    pub delta: f64,
    /// The same with the common shift left in.
    pub raw: f64,
    /// The change of the medians, the common shift taken out.
    pub median_delta: f64,
    /// The change of the medians as measured.
    pub median_raw: f64,
    /// P value against no change, towards worse.
    pub p_worse: f64,
    /// P value against no change, towards better.
    pub p_better: f64,
    /// `p_worse`, corrected over the suite.
    pub q_worse: f64,
    /// `p_better`, corrected over the suite.
    pub q_better: f64,
    /// True where one run stands against one and the suite is too small to tell its own noise.
    pub low_evidence: bool,
    /// How far the base moved against itself while this was measured, where that was looked at.
    pub control: Option<f64>,
    /// Of runs that were taken again: the share of their pairs, one of base and one of head, that do not lie the way of
    /// the change.
    pub overlap: Option<f64>,
    /// The p value that one more finding of this suite would have to reach.
    level: f64,
    noise: Noise,
}

/// What chance alone would do to one benchmark's change.
#[derive(Debug, Clone)]
struct Noise {
    prior: Arc<Prior>,
    trace: Trace,
    /// Variance of the change is never below this: what the runs themselves show.
    floor: f64,
}

/// The estimates of a suite, each of which is made when it is asked for: of a large suite all of them take much memory.
#[derive(Debug)]
pub struct Family {
    seen: Vec<Seen>,
    prior: Arc<Prior>,
    shift: f64,
    median_shift: f64,
    small: bool,
    tests: Tests,
}

/// What the tests of a suite say, in the order of its benchmarks.
#[derive(Debug, Default)]
struct Tests {
    /// P values, each towards the side on which its change lies.
    p: Vec<f64>,
    q_worse: Vec<f64>,
    q_better: Vec<f64>,
    /// The p value that one more finding would have to reach.
    level: f64,
    /// Where suspects were measured again: how their runs overlap.
    overlaps: Option<Vec<f64>>,
}

impl Noise {
    fn chance(&self) -> Chance<'_> {
        Chance { prior: &self.prior, trace: &self.trace, floor: self.floor }
    }
}

/// Noise as it is reckoned with.
struct Chance<'a> {
    prior: &'a Prior,
    trace: &'a Trace,
    floor: f64,
}

impl Chance<'_> {
    /// Weight, standard error of the change and degrees of freedom, for each point of the prior. Where a floor holds, many
    /// points come to the same, and are one.
    fn components(&self) -> impl Iterator<Item = (f64, f64, f64)> {
        let floored = |v: Variance| Variance { variance: (self.trace.factor * v.variance).max(self.floor), ..v };
        let mut points = self.prior.variances(self.trace).map(floored).peekable();
        std::iter::from_fn(move || {
            let mut one = points.next()?;
            while let Some(same) = points.next_if(|next| (next.variance, next.df) == (one.variance, one.df)) {
                one.weight += same.weight;
            }
            Some((one.weight, one.variance.sqrt(), one.df))
        })
    }

    /// P(a change of `x` or more by chance), averaged over the prior.
    fn tail(&self, x: f64) -> f64 {
        self.components().map(|(weight, se, df)| weight * student::upper_tail(x / se, df)).sum()
    }

    /// The change that chance reaches with probability `p` (below one half).
    fn quantile(&self, p: f64) -> f64 {
        // Each component alone would put it at its own quantile: the answer lies between the least and the largest.
        let alone = self.components().map(|(_, se, df)| se * student::quantile(1.0 - p, df));
        let (least, largest) = alone.fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        if least <= 0.0 || largest - least <= PRECISION * largest {
            return largest;
        }
        // Regula falsi, Illinois variant, where a tail is nearly straight: both axes logarithmic.
        let excess = |x: f64| (self.tail(x.exp()) / p).ln();
        let (mut low, mut high) = (least.ln(), largest.ln());
        let (mut above, mut below) = (excess(low), excess(high));
        for _ in 0..60 {
            if high - low <= PRECISION || above <= 0.0 || below >= 0.0 {
                break;
            }
            let x = (low * below - high * above) / (below - above);
            let at = excess(x);
            if at.abs() <= PRECISION {
                return x.exp();
            }
            if at > 0.0 {
                (low, above, below) = (x, at, below / 2.0);
            } else {
                (high, below, above) = (x, at, above / 2.0);
            }
        }
        f64::midpoint(low, high).exp()
    }

    /// One variance and its degrees of freedom that stand for the whole.
    fn typical(&self) -> (f64, f64) {
        let (mut log, mut inverse) = (0.0, 0.0);
        for (weight, se, df) in self.components() {
            log += weight * (se * se / self.trace.factor).ln();
            inverse += weight / df;
        }
        (log.exp(), 1.0 / inverse)
    }
}

impl Estimate {
    /// Interval of `delta` at a confidence level.
    pub fn edge_interval(&self, level: f64) -> (f64, f64) {
        let half = self.noise.chance().quantile((1.0 - level) / 2.0);
        (self.delta - half, self.delta + half)
    }

    /// Interval at a confidence level of the change as measured: that of the edges, and as much more as it takes to
    /// hold the change of the medians.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        let (low, high) = self.edge_interval(level);
        let shift = self.raw - self.delta;
        ((low + shift).min(self.median_raw), (high + shift).max(self.median_raw))
    }

    /// P value towards the side on which the change lies.
    pub fn p(&self) -> f64 {
        self.p_worse.min(self.p_better)
    }

    /// Q value towards the side on which the change lies.
    pub fn q(&self) -> f64 {
        if self.p_worse <= self.p_better { self.q_worse } else { self.q_better }
    }

    /// Two one-sided tests: shown to lie within ± `bound`.
    pub fn lies_within(&self, bound: f64, alpha: f64) -> bool {
        // Of the two tests the one at the nearer bound decides.
        self.delta.abs() < bound && self.noise.chance().tail(bound - self.delta.abs()) < alpha
    }

    /// What this benchmark says of its suite's noise.
    pub fn trace(&self) -> Trace {
        self.noise.trace
    }

    /// The smallest change for the worse that these runs would have told from none, beside what else was found.
    pub fn detectable(&self) -> f64 {
        self.noise.chance().quantile(self.level)
    }

    /// Standard error of the change, for charts: the prior's components taken together.
    pub fn standard_error(&self) -> f64 {
        (self.noise.chance().typical().0 * self.noise.trace.factor).sqrt()
    }

    /// The least number of fresh pairs of runs that would decide this change, where 20 would.
    pub fn runs_needed(&self, bound: f64, alpha: f64) -> Option<u32> {
        let (variance, df) = self.noise.chance().typical();
        // Within the threshold the question is whether it stays there; beyond it, whether it is chance.
        let (distance, level) =
            if self.delta.abs() <= bound { (bound - self.delta.abs(), alpha) } else { (self.delta.abs(), self.level) };
        (2..=MOST_RUNS).find(|runs| {
            let t = student::quantile(1.0 - level, df + 2.0 * f64::from(runs - 1));
            distance >= t * (2.0 * variance * centre::variance_factor(*runs as usize)).sqrt()
        })
    }
}

/// Estimates a suite.
pub fn family(suite: &dyn Suite, nature: Nature, alpha: f64) -> Family {
    estimated(suite, nature, alpha, None)
}

/// Estimates some benchmarks of a suite that were measured again, base and head in turn. Their noise is told by the
/// whole suite, as it was first measured, and by the fresh runs: those alone are few, and chosen for being far off. What
/// they have in common is not taken out, as that may be the very change that they were chosen for.
pub fn again(suspects: &dyn Suite, nature: Nature, alpha: f64, suite: &[Trace]) -> Family {
    estimated(suspects, nature, alpha, Some(suite))
}

fn estimated(benchmarks: &dyn Suite, nature: Nature, alpha: f64, suite: Option<&[Trace]>) -> Family {
    let by_edge = benchmarks.has_edges();
    let mut seen = seen(benchmarks, by_edge);
    let common = |change: fn(&Seen) -> f64| match suite {
        Some(_) => 0.0,
        None => shift::common(&seen.iter().map(change).collect::<Vec<_>>()),
    };
    let (shift, median_shift) = rayon::join(|| common(|one| one.trace.change), || common(|one| one.median_raw));

    // Where the common shift stays in, the fit still looks at the spread around the bulk.
    seen.iter_mut().for_each(|one| one.trace.change -= shift);
    let whole: Vec<Trace> = suite.unwrap_or_default().iter().copied().chain(seen.iter().map(|one| one.trace)).collect();
    let small = suite.map_or(seen.len(), <[Trace]>::len) < MIN_SUITE;
    let prior = Arc::new(Prior::fit(&whole, nature, small));
    drop(whole);
    let mut family = Family { seen, prior, shift, median_shift, small, tests: Tests::default() };
    let all = 0..family.count();
    family.tests.p = all.clone().into_par_iter().map(|i| family.chance(i).tail(family.delta(i).abs())).collect();
    family.tests.overlaps =
        suite.map(|_| all.map(|i| overlap(&benchmarks.observed(i), by_edge, family.delta(i))).collect());
    family.correct(alpha, suite.is_some());
    family
}

impl Family {
    /// How many benchmarks there are.
    pub fn count(&self) -> usize {
        self.seen.len()
    }

    /// The common shift.
    pub fn shift(&self) -> f64 {
        self.shift
    }

    /// Whether it was taken out.
    pub fn shift_taken_out(&self) -> bool {
        self.shift.abs() <= SHIFT_CAP
    }

    /// The estimates, in the order of the benchmarks.
    pub fn estimates(&self) -> impl Iterator<Item = Estimate> {
        (0..self.count()).map(|index| self.estimate(index))
    }

    /// The estimate of one benchmark.
    pub fn estimate(&self, index: usize) -> Estimate {
        let [p_worse, p_better] = self.p_values(index);
        let Seen { raw, median_raw, trace, floor } = self.seen[index];
        Estimate {
            delta: self.delta(index),
            raw,
            median_delta: median_raw - taken_out(self.median_shift),
            median_raw,
            p_worse,
            p_better,
            q_worse: self.tests.q_worse[index],
            q_better: self.tests.q_better[index],
            low_evidence: self.small && trace.df == 0.0,
            control: None,
            overlap: self.tests.overlaps.as_ref().map(|overlaps| overlaps[index]),
            level: self.tests.level,
            noise: Noise { prior: Arc::clone(&self.prior), trace, floor },
        }
    }

    fn delta(&self, index: usize) -> f64 {
        self.seen[index].raw - taken_out(self.shift)
    }

    fn chance(&self, index: usize) -> Chance<'_> {
        let Seen { trace, floor, .. } = &self.seen[index];
        Chance { prior: &self.prior, trace, floor: *floor }
    }

    /// Towards worse and towards better.
    fn p_values(&self, index: usize) -> [f64; 2] {
        let (nearer, further) = (self.tests.p[index], 1.0 - self.tests.p[index]);
        if self.delta(index) > 0.0 { [nearer, further] } else { [further, nearer] }
    }

    /// Fills in what hangs on the number of tests.
    fn correct(&mut self, alpha: f64, last_word: bool) {
        let correction = if last_word { fdr::holm } else { fdr::benjamini_hochberg };
        let corrected = |way: usize| correction(&(0..self.count()).map(|i| self.p_values(i)[way]).collect::<Vec<_>>());
        let (worse, better) = rayon::join(|| corrected(0), || corrected(1));
        let called = worse.iter().filter(|q| **q < alpha).count();
        let tests = self.count().max(1);
        self.tests.level = match last_word {
            true => alpha / tests.saturating_sub(called).max(1) as f64,
            false => alpha * (called + 1).min(tests) as f64 / tests as f64,
        };
        (self.tests.q_worse, self.tests.q_better) = (worse, better);
    }
}

/// What of a common shift is taken out.
fn taken_out(shift: f64) -> f64 {
    if shift.abs() <= SHIFT_CAP { shift } else { 0.0 }
}

/// The share of pairs of a base and a head run that do not lie the way of the change.
fn overlap(one: &Observed, by_edge: bool, delta: f64) -> f64 {
    let value = if by_edge { edge } else { centre };
    let against = |base: &RunValue| one.head.iter().filter(|head| (value(head) - value(base)) * delta <= 0.0).count();
    let count: usize = one.base.iter().map(against).sum();
    count as f64 / (one.base.len() * one.head.len()).max(1) as f64
}

fn edge(run: &RunValue) -> f64 {
    run.edge.unwrap_or(run.centre)
}

fn centre(run: &RunValue) -> f64 {
    run.centre
}

/// One benchmark between reading and judging.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The change that is tested: of the edges, or of the centres where there are none.
    raw: f64,
    /// The change of the centres.
    median_raw: f64,
    /// What the fit looks at.
    trace: Trace,
    floor: f64,
}

/// Looks at each benchmark, every run's common factor taken out of its side first.
fn seen(benchmarks: &dyn Suite, by_edge: bool) -> Vec<Seen> {
    let (edges, centres) = factors(benchmarks, by_edge);
    let look = |i: usize| {
        let one = benchmarks.observed(i);
        let medians = change(&one, centre, &centres);
        let tested = if by_edge { change(&one, edge, &edges) } else { medians };
        let trace = Trace {
            wander: wander(&one),
            change: tested.raw,
            squares: tested.squares,
            df: (one.base.len() + one.head.len()) as f64 - 2.0,
            factor: centre::variance_factor(one.base.len()) + centre::variance_factor(one.head.len()),
        };
        Seen { raw: tested.raw, median_raw: medians.raw, trace, floor: floor(&one) }
    };
    (0..benchmarks.count()).into_par_iter().map(look).collect()
}

/// The common factors of the runs of base and head: of their edges, and of their centres. None in a small suite, and of a
/// single run.
fn factors(benchmarks: &dyn Suite, by_edge: bool) -> ([Vec<f64>; 2], [Vec<f64>; 2]) {
    let wanted = benchmarks.runs().map(|runs| runs > 1 && benchmarks.count() >= MIN_SUITE);
    if wanted == [false, false] {
        return Default::default();
    }
    // Of the edges of base and head, then of their centres.
    let none = || <[Residuals; 4]>::default();
    let add = |mut sums: [Residuals; 4], i: usize| {
        let one = benchmarks.observed(i);
        for (side, runs) in [&one.base, &one.head].into_iter().enumerate().filter(|(side, _)| wanted[*side]) {
            let of = |value: fn(&RunValue) -> f64| runs.iter().map(|run| (run.run, value(run))).collect::<Vec<_>>();
            if by_edge {
                sums[side].add(&of(edge));
            }
            sums[2 + side].add(&of(centre));
        }
        sums
    };
    let both = |one: [Residuals; 4], other: [Residuals; 4]| {
        let mut other = other.into_iter();
        one.map(|side| side.and(other.next().unwrap_or_default()))
    };
    let sums = (0..benchmarks.count()).into_par_iter().fold(none, add).reduce(none, both);
    let [base, head, base_centres, head_centres] = sums.map(|side| side.factors());
    ([base, head], [base_centres, head_centres])
}

/// A benchmark's change, and how far its runs lie from their side's mean.
#[derive(Clone, Copy)]
struct Change {
    raw: f64,
    squares: f64,
}

fn change(one: &Observed, value: fn(&RunValue) -> f64, factors: &[Vec<f64>; 2]) -> Change {
    let side = |runs: &[RunValue], factors: &[f64]| -> Vec<f64> {
        runs.iter().map(|run| value(run) - factors.get(run.run).copied().unwrap_or(0.0)).collect()
    };
    let squares = |runs: &[f64]| {
        let mean = runs.iter().sum::<f64>() / runs.len() as f64;
        runs.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
    };
    let (base, head) = (side(&one.base, &factors[0]), side(&one.head, &factors[1]));
    Change { raw: centre::of_runs(&head) - centre::of_runs(&base), squares: squares(&base) + squares(&head) }
}

/// `ln(wander^2)` averaged over the runs that have one.
fn wander(one: &Observed) -> Option<f64> {
    let logs: Vec<f64> =
        one.base.iter().chain(&one.head).filter_map(|run| run.wander).map(|sd| (sd * sd + 1e-8).ln()).collect();
    (!logs.is_empty()).then(|| logs.iter().sum::<f64>() / logs.len() as f64)
}

/// The variance of the change below which it is not trusted: a run's centre is known no better than its edge wandered.
fn floor(one: &Observed) -> f64 {
    let side = |runs: &[RunValue]| {
        let wanders: Vec<f64> = runs.iter().filter_map(|run| run.wander).map(|sd| sd * sd).collect();
        let wander = if wanders.is_empty() { 0.0 } else { wanders.iter().sum::<f64>() / wanders.len() as f64 };
        let within = runs.iter().map(|run| run.within).sum::<f64>() / runs.len() as f64;
        centre::variance_factor(runs.len()) * (wander + within)
    };
    side(&one.base) + side(&one.head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(run: usize, y: f64, wander: f64) -> RunValue {
        RunValue { run, edge: Some(y), centre: y, wander: Some(wander), within: 0.0 }
    }

    /// Three pairs of one benchmark that is slower by 0.25 on the log scale, its runs 0.02 apart.
    fn fresh() -> Vec<Observed> {
        let side = |level: f64| (0..3).map(|i| run(i, level + 0.02 * (i as f64 - 1.0), 0.01)).collect();
        vec![Observed { base: side(0.0), head: side(0.25) }]
    }

    /// One run a side of thirty benchmarks that move by `sd` or so.
    fn suite(sd: f64) -> Vec<Trace> {
        let change = |i: u32| sd * (f64::from(i % 7) - 3.0) / 2.0;
        let observed: Vec<Observed> =
            (0..30).map(|i| Observed { base: vec![run(0, 0.0, 0.01)], head: vec![run(0, change(i), 0.01)] }).collect();
        family(&observed, Nature::Measured, 0.05).estimates().map(|estimate| estimate.trace()).collect()
    }

    #[test]
    fn what_is_measured_again_is_as_noisy_as_its_suite() {
        let p = |suite: &[Trace]| again(&fresh(), Nature::Measured, 0.05, suite).estimate(0).p_worse;
        let (quiet, noisy, alone) = (p(&suite(0.005)), p(&suite(0.2)), p(&[]));
        assert!(quiet < alone && alone < noisy, "{quiet} {alone} {noisy}");
        assert!(quiet < 0.001);
    }

    #[test]
    fn what_the_suspects_have_in_common_stays_in() {
        let slower: Vec<Observed> = (0..12).flat_map(|_| fresh()).collect();
        let suspects = again(&slower, Nature::Measured, 0.05, &suite(0.02));
        assert!(suspects.estimates().all(|estimate| (estimate.delta - 0.25).abs() < 1e-9));
        assert_eq!(suspects.shift(), 0.0);
    }
}
