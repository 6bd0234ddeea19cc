//! How `measure` judges on a machine with two speeds: simulated suites that another program slows down for stretches of time.
//!
//! `cargo run --release --example two_speeds` prints the percentage of unchanged suites with an alarm, and of slowdowns of one
//! benchmark that are found. docs/statistics.md has the table.

#[path = "../tests/histories/draw.rs"]
mod draw;

use draw::Draw;
use perfgate::compare::schedule::{self, SideKind};
use perfgate::compare::{BenchmarkMetric, SuiteComparison, base_ranges, compare, compare_re_measured, keep_suspects};
use perfgate::model::{Evidence, Measurement, Metric, Run};
use perfgate::policy::Policy;
use perfgate::stats::suite_test::TestRules;
use perfgate::verdict::{EnvironmentReport, Finding, JudgeContext, Outcome, SideReport, judge};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

const SUITES: usize = 1000;
const BENCHMARKS: usize = 10;
const SAMPLES: usize = 20;
/// Seconds of a sample, of the warm-up of a benchmark, and of the start of a run.
const SAMPLE: f64 = 0.003;
const WARM_UP: f64 = 0.02;
const START: f64 = 0.3;
/// Standard deviation of the samples, on the log scale.
const NOISE: f64 = 0.03;
/// The factor between the two speeds.
const SLOW: f64 = 1.4;
const SLOWDOWNS: [f64; 3] = [1.3, 1.5, 3.0];

fn main() {
    println!("mean seconds at one speed, share of slow time: alarms; found of {SLOWDOWNS:?}");
    for mean in [0.05, 0.2, 0.5, 2.0, 10.0] {
        for share in [0.2, 0.5] {
            let percent = |factor: f64| {
                let hits = (0..SUITES).into_par_iter().map(|suite| regressed(suite, mean, share, factor));
                let (others, slow) = hits.reduce(|| (0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
                (100.0 * others as f64 / SUITES as f64, 100.0 * slow as f64 / SUITES as f64)
            };
            let (alarms, _) = percent(1.0);
            let found = SLOWDOWNS.map(|factor| format!("{:.0}", percent(factor).1)).join(", ");
            println!("{mean:4}, {share}: {alarms:4.1}; {found}");
        }
    }
}

/// Whether an unchanged benchmark of the suite regressed, and whether the slow one did.
fn regressed(suite: usize, mean: f64, share: f64, factor: f64) -> (usize, usize) {
    let mut draw = Draw((suite * 7919 + (mean * 1000.0) as usize * 31) as u64);
    (0..20).for_each(|_| {
        draw.uniform();
    });
    let levels: Vec<f64> = (0..BENCHMARKS).map(|_| 1e4 * (10.0 * draw.uniform()).exp()).collect();
    let slow = (suite % BENCHMARKS, factor);
    let mut machine = Machine { draw, now: 0.0, is_slow: false, until: 0.0, mean, share };
    let names = measure(&mut machine, &levels, slow);
    let is_found = names.contains(&name(slow.0));
    let has_alarm = if factor == 1.0 { !names.is_empty() } else { names.iter().any(|one| *one != name(slow.0)) };
    (usize::from(has_alarm), usize::from(is_found))
}

/// The regressed benchmarks, by the procedure of `perfgate measure`: one round, then three or five pairs of the suspects, and two
/// more pairs of the few that three pairs show as changed.
fn measure(machine: &mut Machine, levels: &[f64], slow: (usize, f64)) -> Vec<String> {
    let alpha = Policy::default().alpha();
    let all: BTreeSet<String> = (0..BENCHMARKS).map(name).collect();
    let [base, head] = machine.runs(levels, &all, slow, 0..1);
    let screened = compare(&base, &head, TestRules::in_turn(alpha), |_: &str| None);
    let suspects = selected(screened.clone(), Finding::should_re_measure);
    let mut confirmed = screened.clone();
    if !suspects.is_empty() {
        let mut pairs = schedule::pairs(suspects.len(), BENCHMARKS, true);
        let [mut base, mut head] = machine.runs(levels, &names(&suspects), slow, 0..pairs);
        confirmed = confirm(&screened, &suspects, [&base, &head]);
        let is_change = |one: &Finding| matches!(one.outcome, Outcome::Regressed | Outcome::Improved);
        let mut findings = selected(confirmed.clone(), is_change);
        findings.retain(|one| suspects.contains(one));
        let more = schedule::pairs(findings.len(), BENCHMARKS, true);
        if !findings.is_empty() && more > pairs {
            let [more_base, more_head] = machine.runs(levels, &names(&findings), slow, pairs..more);
            base.extend(more_base);
            head.extend(more_head);
            pairs = more;
            confirmed = confirm(&screened, &suspects, [&base, &head]);
        }
        assert_eq!(base.len(), pairs);
    }
    names(&selected(confirmed, |one| one.outcome == Outcome::Regressed)).into_iter().collect()
}

/// The comparison after the suspects were re-measured.
fn confirm(screened: &SuiteComparison, suspects: &BTreeSet<BenchmarkMetric>, runs: [&Vec<Run>; 2]) -> SuiteComparison {
    let [base, head] = runs.map(|runs| keep_suspects(runs, suspects, |_: &str| None));
    let fresh = compare_re_measured(&base, &head, Policy::default().alpha(), |_: &str| None, screened);
    let mut confirmed = screened.clone();
    confirmed.confirm(suspects, fresh, &base_ranges(&base, |_: &str| None), schedule::FEW_PAIRS);
    confirmed
}

fn selected(compared: SuiteComparison, is_selected: impl Fn(&Finding) -> bool) -> BTreeSet<BenchmarkMetric> {
    let context = JudgeContext {
        base: SideReport::default(),
        head: SideReport::default(),
        environment: EnvironmentReport { matches: true, ..EnvironmentReport::default() },
        today: jiff::civil::date(2026, 1, 1),
    };
    let findings = judge(compared, &Policy::default(), context).benchmarks.into_iter().filter(is_selected);
    findings
        .map(|one| BenchmarkMetric {
            benchmark: one.name,
            metric: one.metric.into_owned(),
            tool: one.tool.into_owned(),
        })
        .collect()
}

fn names(selected: &BTreeSet<BenchmarkMetric>) -> BTreeSet<String> {
    selected.iter().map(|one| one.benchmark.clone()).collect()
}

fn name(index: usize) -> String {
    format!("b{index}")
}

/// A machine that another program slows down for stretches of time.
struct Machine {
    draw: Draw,
    now: f64,
    is_slow: bool,
    /// The end of the present stretch.
    until: f64,
    /// Mean length of a stretch, in seconds.
    mean: f64,
    /// Share of the time in which the machine is slow.
    share: f64,
}

impl Machine {
    /// The factor of the present speed.
    fn factor(&mut self) -> f64 {
        while self.now >= self.until {
            self.is_slow = !self.is_slow;
            let share = if self.is_slow { self.share } else { 1.0 - self.share };
            self.until -= self.draw.uniform().ln() * self.mean * 2.0 * share;
        }
        if self.is_slow { SLOW } else { 1.0 }
    }

    /// Pairs of runs of these benchmarks, in the order of `measure`.
    fn runs(
        &mut self,
        levels: &[f64],
        names: &BTreeSet<String>,
        slow: (usize, f64),
        pairs: Range<usize>,
    ) -> [Vec<Run>; 2] {
        let mut runs = [Vec::new(), Vec::new()];
        for kind in schedule::order(pairs.end).into_iter().skip(2 * pairs.start) {
            let factor = if kind == SideKind::Head { slow.1 } else { 1.0 };
            runs[kind as usize].push(self.run(levels, names, (slow.0, factor)));
        }
        runs
    }

    fn run(&mut self, levels: &[f64], names: &BTreeSet<String>, (slow, factor): (usize, f64)) -> Run {
        self.now += START;
        let indices = (0..levels.len()).filter(|index| names.contains(&name(*index)));
        let measurements = indices.map(|index| {
            self.now += WARM_UP;
            let level = levels[index] * if index == slow { factor } else { 1.0 };
            let samples = (0..SAMPLES).map(|_| {
                self.now += SAMPLE;
                level * self.factor() * (NOISE * self.draw.normal()).exp()
            });
            let samples = Evidence::Samples(samples.collect());
            let mut measurement = Measurement::new("criterion", name(index), Metric::time(), samples);
            measurement.condense();
            measurement
        });
        let measurements = measurements.collect();
        Run { measurements, ..Run::default() }
    }
}
