//! Suites that keep samples, in which a few results are outliers: all samples of one benchmark in one run are too slow. And suites
//! in which some benchmarks have two speeds: all samples of a run have one or the other. How often an unchanged head fails, and how
//! often a real slowdown is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

#[path = "histories/draw.rs"]
mod draw;
#[path = "histories/judged.rs"]
mod judged;

use draw::Draw;
use judged::judged;
use perfgate::model::{Evidence, Measurement, Metric, Run};
use perfgate::verdict::{Finding, Outcome};

const SAMPLES: usize = 20;

/// One kind of suite.
#[derive(Debug, Clone, Copy)]
struct Cell {
    benchmarks: usize,
    base_runs: usize,
    head_runs: usize,
    /// The share of results that are 1.3 to 3 times too slow.
    outliers: f64,
    /// The share of runs in which every fourth benchmark takes 1.3 times as long, each on its own.
    slow_runs: f64,
}

/// Which benchmarks got slower in head.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Slow {
    None,
    One,
    EveryEighth,
}

impl Cell {
    /// The runs of base and head. The machine and each benchmark vary by 2% from run to run, some benchmarks more than others.
    fn runs(self, draw: &mut Draw, slow: Slow, factor: f64) -> [Vec<Run>; 2] {
        let noise: Vec<f64> = (0..self.benchmarks).map(|_| 0.02 * (0.5 * draw.normal()).exp()).collect();
        let mut side = |runs: usize, is_head: bool| -> Vec<Run> {
            let is_slow = |index: usize| match slow {
                Slow::None => false,
                Slow::One => index == 0,
                Slow::EveryEighth => index.is_multiple_of(8),
            };
            let mut run = || {
                let machine = 0.02 * draw.normal();
                let mut measurement = |index: usize| {
                    let slowdown = if is_head && is_slow(index) { factor } else { 1.0 };
                    let outlier = if draw.uniform() < self.outliers { 1.3 + 1.7 * draw.uniform() } else { 1.0 };
                    let has_two_speeds = self.slow_runs > 0.0 && index % 4 == 3;
                    let speed = if has_two_speeds && draw.uniform() < self.slow_runs { 1.3 } else { 1.0 };
                    let level = 1e6 * (machine + noise[index] * draw.normal()).exp() * slowdown * outlier * speed;
                    let samples = (0..SAMPLES).map(|_| level * (1.0 + 0.02 * draw.normal().abs())).collect();
                    Measurement::new("criterion", format!("b{index}"), Metric::time(), Evidence::Samples(samples))
                };
                Run { measurements: (0..self.benchmarks).map(&mut measurement).collect(), ..Run::default() }
            };
            (0..runs).map(|_| run()).collect()
        };
        [side(self.base_runs, false), side(self.head_runs, true)]
    }

    /// The names of the benchmarks that regressed.
    fn regressed(self, draw: &mut Draw, slow: Slow, factor: f64) -> Vec<String> {
        let [base, head] = self.runs(draw, slow, factor);
        let regressed = findings(&base, &head).into_iter().filter(|finding| finding.outcome == Outcome::Regressed);
        regressed.map(|finding| finding.name).collect()
    }

    /// The percentage of unchanged heads with an alarm.
    fn alarms(self, suites: usize) -> f64 {
        let mut draw = Draw(3 + self.base_runs as u64);
        let alarms = (0..suites).filter(|_| !self.regressed(&mut draw, Slow::None, 1.0).is_empty()).count();
        100.0 * alarms as f64 / suites as f64
    }

    /// The percentage of heads in which the first benchmark, which got slower, is found.
    fn found(self, slow: Slow, factor: f64, suites: usize) -> f64 {
        let mut draw = Draw(5 + self.base_runs as u64);
        let is_found = |_: &usize| self.regressed(&mut draw, slow, factor).iter().any(|name| name == "b0");
        100.0 * (0..suites).filter(is_found).count() as f64 / suites as f64
    }
}

fn findings(base: &[Run], head: &[Run]) -> Vec<Finding> {
    judged(base, head).benchmarks
}

/// Number of suites per figure. `PERFGATE_SUITES=340` gives the table of docs/statistics.md.
fn suites(usual: usize) -> usize {
    std::env::var("PERFGATE_SUITES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

#[test]
fn few_unchanged_suites_with_outliers_have_an_alarm() {
    // With three base runs, 62% of the suites have no outlier in base, and 15% have one in head. So a rule on base runs
    // cannot get below 9%, or 11% if outliers in the newest base run do not count. Without the rules for outliers it is
    // 16%, 17% and 8%.
    for (base_runs, head_runs, most) in [(3, 1, 13.0), (10, 1, 5.0), (10, 2, 1.5)] {
        let cell = Cell { benchmarks: 16, base_runs, head_runs, outliers: 0.01, slow_runs: 0.0 };
        let alarms = cell.alarms(suites(80));
        println!("{base_runs} base runs, {head_runs} head runs: {alarms:.1}% of unchanged heads have an alarm");
        assert!(alarms <= most, "{cell:?}: {alarms}%");
    }
}

#[test]
fn slowdowns_are_found_where_they_are_larger_or_more_frequent_than_outliers() {
    for (base_runs, outliers, slow, least) in [
        (3, 0.0, Slow::One, 95.0),
        (10, 0.0, Slow::One, 95.0),
        (3, 0.01, Slow::EveryEighth, 85.0),
        (10, 0.01, Slow::EveryEighth, 80.0),
        (3, 0.01, Slow::One, 60.0),
        (10, 0.01, Slow::One, 30.0),
    ] {
        let cell = Cell { benchmarks: 16, base_runs, head_runs: 1, outliers, slow_runs: 0.0 };
        let found = [1.3, 1.5, 2.0].map(|factor| cell.found(slow, factor, suites(20)));
        println!("{base_runs} base runs, {}% outliers, {slow:?} slower: {found:.0?}% found", 100.0 * outliers);
        assert!(found[1] >= least, "{cell:?} {slow:?}: {found:?}%");
    }
    // Ten times slower is more than an outlier of at most three times.
    let cell = Cell { benchmarks: 16, base_runs: 10, head_runs: 1, outliers: 0.01, slow_runs: 0.0 };
    let found = cell.found(Slow::One, 10.0, suites(20));
    println!("10 base runs, 1% outliers, one 10 times slower: {found:.0}% found");
    assert!(found >= 90.0, "{found}%");
}

#[test]
fn few_unchanged_suites_have_an_alarm_where_benchmarks_have_two_speeds() {
    // Three base runs often show only one of the speeds. If a single head run has the other one, it looks like a slowdown.
    for (base_runs, head_runs, slow_runs, most) in [
        (3, 1, 0.2, 30.0),
        (3, 3, 0.2, 5.0),
        (10, 1, 0.2, 12.0),
        (10, 2, 0.2, 7.5),
        (10, 5, 0.2, 3.0),
        (3, 1, 0.5, 25.0),
        (3, 3, 0.5, 10.0),
        (10, 1, 0.5, 2.0),
        (10, 2, 0.5, 5.0),
        (10, 5, 0.5, 4.0),
    ] {
        let cell = Cell { benchmarks: 16, base_runs, head_runs, outliers: 0.0, slow_runs };
        let alarms = cell.alarms(suites(80));
        println!(
            "{base_runs} base runs, {head_runs} head runs, {:.0}% slow: {alarms:.1}% of unchanged heads have an alarm",
            100.0 * slow_runs
        );
        assert!(alarms <= most, "{cell:?}: {alarms}%");
    }
}

/// Multiplies the samples of one result.
fn slow_down(run: &mut Run, benchmark: usize, factor: f64) {
    let evidence = &mut run.measurements[benchmark].evidence;
    *evidence = evidence.iter().map(|one| one.clone().scaled(factor)).collect();
}

/// The row of the first benchmark, which must be inconclusive and a suspect, with this note.
#[track_caller]
fn is_doubted(base: &[Run], head: &[Run], note: &str) {
    let rows = findings(base, head);
    let row = rows.iter().find(|finding| finding.name == "b0").unwrap();
    assert_eq!((row.outcome, row.suspect, &*row.notes[0]), (Outcome::Inconclusive, true, note));
}

#[test]
fn a_change_as_large_as_the_outliers_of_base_needs_a_second_head_run() {
    let cell = Cell { benchmarks: 16, base_runs: 10, head_runs: 2, outliers: 0.0, slow_runs: 0.0 };
    let [mut base, mut head] = cell.runs(&mut Draw(1), Slow::One, 1.6);
    assert_eq!(findings(&base, &head[..1])[0].outcome, Outcome::Regressed);
    slow_down(&mut base[3], 7, 1.5);
    let note = "1 benchmark has a base run that deviates from the others by 22% or more, so a single head run may be an outlier; \
                another head run may decide";
    is_doubted(&base, &head[..1], note);
    assert_eq!(findings(&base, &head)[0].outcome, Outcome::Regressed, "two head runs show it");
    slow_down(&mut head[0], 9, 1.4);
    let two = findings(&base, &head[..1]);
    assert_eq!([two[0].outcome, two[1].outcome], [Outcome::Regressed; 2], "one outlier in ten runs is not two at once");
}

#[test]
fn a_step_of_main_in_another_benchmark_is_not_an_outlier() {
    let cell = Cell { benchmarks: 16, base_runs: 10, head_runs: 1, outliers: 0.0, slow_runs: 0.0 };
    for newer in 1..=3 {
        // A step in several runs is not significant for any of them.
        let [mut base, head] = cell.runs(&mut Draw(1), Slow::One, 1.6);
        base[10 - newer..].iter_mut().for_each(|run| slow_down(run, 7, 1.5));
        let rows = findings(&base, &head);
        let row = rows.iter().find(|finding| finding.name == "b0").unwrap();
        assert_eq!(row.outcome, Outcome::Regressed, "{newer}: {:?}", row.notes);
    }
}

#[test]
fn a_speed_that_base_runs_have_too_is_no_regression() {
    let cell = Cell { benchmarks: 16, base_runs: 10, head_runs: 5, outliers: 0.0, slow_runs: 0.0 };
    let [mut base, head] = cell.runs(&mut Draw(1), Slow::One, 1.4);
    assert_eq!(findings(&base, &head)[0].outcome, Outcome::Regressed);
    slow_down(&mut base[3], 0, 1.4);
    assert_eq!(findings(&base, &head)[0].outcome, Outcome::Regressed, "one of ten base runs may be an outlier");
    slow_down(&mut base[5], 0, 1.4);
    is_doubted(&base, &head, "a base run deviates from the others by a similar amount or more");
}

#[test]
fn one_run_of_two_decides_nothing() {
    let cell = Cell { benchmarks: 16, base_runs: 10, head_runs: 2, outliers: 0.0, slow_runs: 0.0 };
    let [base, mut head] = cell.runs(&mut Draw(1), Slow::None, 1.0);
    slow_down(&mut head[1], 0, 3.0);
    is_doubted(&base, &head, "only one of the two head runs changed by this much; more head runs are needed");
    let [mut base, head] = Cell { base_runs: 2, head_runs: 10, ..cell }.runs(&mut Draw(1), Slow::None, 1.0);
    slow_down(&mut base[1], 0, 1.0 / 3.0);
    is_doubted(&base, &head, "only one of the two base runs differs by this much; more base runs are needed");
}
