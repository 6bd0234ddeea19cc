//! Main got slower, or faster, in its newest commits. A head that starts from there has the new value, too, and is not the cause.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

mod common;
#[path = "histories/draw.rs"]
mod draw;
#[path = "histories/judged.rs"]
mod judged;

use common::workflow::{benches, check_out_test_merge, ci, project, pull};
use draw::Draw;
use judged::judged;
use perfgate::model::{Direction, Evidence, Measurement, Metric, Run, Unit};
use perfgate::verdict::{Doubt, Finding, Outcome};

/// Suites of 16 benchmarks in which the first ones changed.
#[derive(Debug, Clone, Copy)]
struct Suite {
    has_samples: bool,
    /// Higher is better.
    is_rate: bool,
    runs: [usize; 2],
    noise: f64,
    /// The number of benchmarks that changed.
    changed: usize,
    /// In how many of the newest base runs these are slower, and by how much.
    step: (usize, f64),
    /// The slowdown of head relative to the newest base run.
    slowdown: f64,
}

impl Suite {
    fn runs(self, draw: &mut Draw) -> [Vec<Run>; 2] {
        let (newer, step) = self.step;
        let [base_runs, head_runs] = self.runs;
        let run = |draw: &mut Draw, factor: f64| {
            let machine = self.noise * draw.normal();
            let mut measurement = |index: usize| {
                let slower = if index < self.changed { factor } else { 1.0 };
                let ns = 1e6 * (machine + self.noise * draw.normal()).exp() * slower;
                let level = if self.is_rate { 1e12 / ns } else { ns };
                let spread = if self.is_rate { -0.02 } else { 0.02 };
                let evidence = match self.has_samples {
                    true => Evidence::Samples((0..20).map(|_| level * (1.0 + spread * draw.normal().abs())).collect()),
                    false => Evidence::Value(level),
                };
                let metric = if self.is_rate { Metric::throughput() } else { Metric::time() };
                Measurement::new("criterion", format!("b{index}"), metric, evidence)
            };
            Run { measurements: (0..16).map(&mut measurement).collect(), ..Run::default() }
        };
        let of_base = |at: usize| if base_runs - at <= newer { step } else { 1.0 };
        let base = (0..base_runs).map(|at| run(draw, of_base(at))).collect();
        let head = (0..head_runs).map(|_| run(draw, of_base(base_runs - 1) * self.slowdown)).collect();
        [base, head]
    }

    /// The row of the first benchmark.
    fn first_row(self, draw: &mut Draw) -> Finding {
        let [base, head] = self.runs(draw);
        findings(&base, &head).into_iter().find(|finding| finding.name == "b0").unwrap()
    }

    /// The percentage of suites in which the first benchmark has this outcome.
    fn percent(self, outcome: Outcome, suites: usize) -> f64 {
        let mut draw = Draw(11);
        let count = (0..suites).filter(|_| self.first_row(&mut draw).outcome == outcome).count();
        100.0 * count as f64 / suites as f64
    }
}

fn findings(base: &[Run], head: &[Run]) -> Vec<Finding> {
    judged(base, head).benchmarks
}

/// Number of suites per figure. `PERFGATE_SUITES=200` gives the table of docs/statistics.md.
fn suites(usual: usize) -> usize {
    std::env::var("PERFGATE_SUITES").ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

const QUIET: Suite =
    Suite { has_samples: true, is_rate: false, runs: [10, 1], noise: 0.02, changed: 1, step: (0, 1.0), slowdown: 1.0 };

/// Every kind of values and number of runs.
fn kinds() -> impl Iterator<Item = Suite> {
    let shapes = [[3, 1], [10, 1], [3, 2], [10, 2], [10, 5]];
    [true, false].into_iter().flat_map(move |has_samples| shapes.map(|runs| Suite { has_samples, runs, ..QUIET }))
}

#[test]
fn a_step_of_main_is_rarely_a_regression_of_head() {
    for (noise, most) in [(0.02, 0.0), (0.05, 3.0)] {
        let mut all = Vec::new();
        for kind in kinds() {
            let shares = |step, slowdown, outcome| {
                let suite = Suite { noise, step, slowdown, ..kind };
                suite.percent(outcome, suites(4))
            };
            let regressed = [1.3, 1.5, 2.0].map(|by| shares((1, by), 1.0, Outcome::Regressed));
            let improved = [1.3, 1.5, 2.0].map(|by| shares((1, 1.0 / by), 1.0, Outcome::Improved));
            all.extend(regressed.iter().chain(&improved).copied());
            if suites(0) == 0 {
                continue;
            }
            let later = [1.3, 1.5, 2.0].map(|by| shares((2, by), 1.0, Outcome::Regressed));
            let found = [1.25, 1.5, 2.0].map(|by| shares((0, 1.0), by, Outcome::Regressed));
            let further = [1.25, 1.5, 2.0].map(|by| shares((1, 1.3), by, Outcome::Regressed));
            println!(
                "{}, {:?} runs, {:.0}% noise: regressed after a step in the newest base run {regressed:.0?}, in the newest two {later:.0?}, \
                 improved {improved:.0?}; slowdowns found {found:.0?}, after a step of 1.3 {further:.0?}",
                if kind.has_samples { "samples" } else { "numbers" },
                kind.runs,
                100.0 * noise
            );
        }
        // Without the rule, it is over half of the heads with samples and ten base runs.
        let share = all.iter().sum::<f64>() / all.len() as f64;
        assert!(share <= most, "{noise}: {share}%");
        // One suite of four, where the figure has no more.
        assert!(all.iter().all(|one| *one <= 25.0), "{noise}: {all:?}");
    }
}

/// With half of the suite slower, the newest base run seems to have a shift of its own, and head has none.
#[test]
fn a_step_of_main_in_a_part_of_the_suite_is_no_regression_of_head() {
    for (changed, kind) in [4, 8, 10, 12, 16].into_iter().flat_map(|changed| kinds().map(move |kind| (changed, kind))) {
        for by in [1.3, 1.6] {
            let suite = Suite { changed, step: (1, by), ..kind };
            let mut draw = Draw(13);
            for _ in 0..suites(2) {
                let [base, head] = suite.runs(&mut draw);
                let rows = findings(&base, &head);
                let regressed = rows.iter().filter(|row| row.outcome == Outcome::Regressed).count();
                assert_eq!(regressed, 0, "{by}: {suite:?}");
            }
        }
    }
}

/// Judges this row of one benchmark among 15 unchanged ones, all with the same number of runs.
fn row_of(base: &[f64], head: &[f64], has_samples: bool, is_rate: bool) -> Finding {
    let mut draw = Draw(4);
    let mut side = |values: &[f64]| -> Vec<Run> {
        let mut run = |value: f64| {
            let mut measurement = |index: usize| {
                let level = if index == 0 { value } else { 100.0 * (0.003 * draw.normal()).exp() };
                let evidence = match has_samples {
                    true => Evidence::Samples((0..20).map(|i| level * (1.0 + 1e-3 * f64::from(i % 7))).collect()),
                    false => Evidence::Value(level),
                };
                let metric = if is_rate { Metric::throughput() } else { Metric::time() };
                Measurement::new("t", format!("b{index}"), metric, evidence)
            };
            Run { measurements: (0..16).map(&mut measurement).collect(), ..Run::default() }
        };
        values.iter().map(|value| run(*value)).collect()
    };
    let (base, head) = (side(base), side(head));
    findings(&base, &head).into_iter().find(|finding| finding.name == "b0").unwrap()
}

const NOTE: &str = "the newest base run shows at least half of the change, so it may come from base; \
                    `perfgate measure` would decide";

#[test]
fn a_head_with_the_value_of_the_newest_base_run_is_inconclusive() {
    let doubted = Some(Doubt::InNewestBaseRun);
    for has_samples in [true, false] {
        for head in [&[131.0][..], &[131.0, 130.5], &[131.0, 130.0, 130.4, 131.1, 130.9]] {
            for (is_rate, outcome) in [(false, Outcome::Regressed), (true, Outcome::Improved)] {
                let row = |base: &[f64], head: &[f64]| row_of(base, head, has_samples, is_rate);
                let base = [100.0, 101.0, 99.0, 100.4, 99.6, 100.2, 99.9, 130.0];
                let one = row(&base, head);
                assert_eq!((one.outcome, one.doubt, &*one.notes[0]), (Outcome::Inconclusive, doubted, NOTE));
                assert_eq!((one.suspect, one.runs_needed, one.detectable), (!is_rate, None, None));
                // The mirror.
                let [base, head] = [&base[..], head].map(|side| side.iter().map(|x| 1e4 / x).collect::<Vec<_>>());
                let mirror = row(&base, &head);
                assert_eq!((mirror.outcome, mirror.doubt, mirror.suspect), (Outcome::Inconclusive, doubted, is_rate));
                // If an older base run has this value, the others are newer and decide. With one number per run, its size counts.
                let older = row(&[130.0, 100.0, 101.0, 99.0, 100.4, 99.6, 100.2, 99.9], &[131.0, 130.5]);
                assert_ne!(older.doubt, doubted);
                let far = row(&[100.0, 101.0, 99.0, 100.4, 99.6, 100.2, 99.9, 110.0], &[200.0, 201.0]);
                assert_eq!((far.outcome, far.doubt), (outcome, None), "most of the change is new");
                let own = row(&[100.0, 101.0, 99.0, 100.4, 99.6, 100.2, 99.9, 310.0], &[900.0, 901.0]);
                assert_eq!((own.outcome, own.doubt), (outcome, None), "head is far beyond the newest base run");
            }
        }
    }
}

/// A head that has the value of the newest base run, on a machine that slowed both of them down.
#[test]
fn a_slow_machine_in_the_newest_base_run_is_not_blamed_on_two_head_runs() {
    for has_samples in [true, false] {
        let suite = Suite { has_samples, runs: [10, 2], ..QUIET };
        let [mut base, mut head] = suite.runs(&mut Draw(2));
        for run in base[9..].iter_mut().chain(&mut head) {
            for measurement in &mut run.measurements {
                measurement.evidence = measurement.evidence.iter().map(|one| one.clone().scaled(1.4)).collect();
            }
        }
        let rows = findings(&base, &head);
        assert!(rows.iter().all(|row| row.doubt == Some(Doubt::InNewestBaseRun)), "{rows:?}");
        // If main was as fast until its newest run, head is the cause.
        let rows = findings(&base[..9], &head);
        assert!(rows.iter().all(|row| row.outcome == Outcome::Regressed), "{rows:?}");
    }
}

fn counted(base: &[f64], head: &[f64], metric: &Metric) -> Finding {
    let run = |value: &f64| Run {
        measurements: vec![Measurement::new("t", "b0", metric.clone(), Evidence::Value(*value))],
        ..Run::default()
    };
    let side = |values: &[f64]| values.iter().map(run).collect::<Vec<_>>();
    findings(&side(base), &side(head)).remove(0)
}

#[test]
fn counts_of_the_newest_base_run_are_not_blamed_on_head() {
    let exact = Metric::counted("allocations", Unit::Count, Direction::Lower);
    let same = counted(&[1000.0, 1000.0, 1300.0], &[1300.0], &exact);
    assert_eq!((same.outcome, same.change, same.base.unwrap().runs), (Outcome::Unchanged, Some(0.0), 1));
    assert_eq!(counted(&[1000.0, 1000.0, 1000.0], &[1300.0], &exact).outcome, Outcome::Regressed);
    assert_ne!(counted(&[1300.0, 1000.0, 1000.0], &[1300.0], &exact).outcome, Outcome::Unchanged, "an older run");
    let events = Metric::measured("errors", Unit::Count, Direction::Lower);
    let doubted = counted(&[0.0, 1.0, 0.0, 14.0], &[15.0], &events);
    assert_eq!((doubted.outcome, doubted.doubt), (Outcome::Inconclusive, Some(Doubt::InNewestBaseRun)));
    assert_eq!(counted(&[0.0, 1.0, 0.0, 1.0], &[15.0], &events).outcome, Outcome::Regressed);
}

#[test]
fn a_pull_request_is_not_blamed_for_the_newest_commit_of_main() {
    let sandbox = project();
    sandbox.commit("r", "main 5, which is slower");
    benches(&sandbox, 5, 1400.0);
    sandbox.perfgate_at("r", &["record", "--push"]).exits(0);
    let base = check_out_test_merge(&sandbox);
    benches(&sandbox, 9, 1405.0);
    let event = pull(&sandbox, &base, "octo/r");
    ci(&sandbox, "pull_request", &event, &[], &[]).exits(0).prints("1 inconclusive");
    let compared = sandbox.perfgate_at("r", &["compare", "--format", "json"]);
    compared.exits(0);
    let row = &compared.json()["benchmarks"][0];
    assert_eq!(
        (&row["name"], &row["outcome"], &row["suspect"]),
        (&"parse".into(), &"inconclusive".into(), &true.into())
    );
    assert_eq!((&row["doubt"], &row["notes"][0]), (&"in-newest-base-run".into(), &NOTE.into()));
    sandbox.perfgate_at("r", &["compare"]).exits(0).prints("`perfgate measure` would decide");
    // Its own slowdown is found.
    benches(&sandbox, 10, 4000.0);
    ci(&sandbox, "pull_request", &event, &[], &[]).exits(1).prints("1 regressed");
}
