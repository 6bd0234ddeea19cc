//! A few samples of a benchmark become three times slower: the mean changes, the fast edge and the median do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

#[path = "histories/draw.rs"]
mod draw;
#[path = "histories/judged.rs"]
mod judged;

use draw::Draw;
use judged::judged;
use perfgate::model::{Evidence, Measurement, Metric, Run};
use perfgate::verdict::Outcome;

const SAMPLES: usize = 40;
const FACTOR: f64 = 3.0;
const TRIALS: usize = 40;

/// A run of `benchmarks` benchmarks of 100 ms with 40 samples each. `slow` samples of the first one, at random places, are
/// three times as long.
fn run(draw: &mut Draw, benchmarks: usize, slow: usize) -> Run {
    run_with(draw, benchmarks, slow, FACTOR)
}

/// The same, where the slow samples are `factor` times as long.
fn run_with(draw: &mut Draw, benchmarks: usize, slow: usize, factor: f64) -> Run {
    let machine = 0.01 * draw.normal();
    let measurement = |index: usize| {
        let level = 1e8 * (machine + 0.01 * draw.normal()).exp();
        let mut samples: Vec<f64> = (0..SAMPLES).map(|_| level * (1.0 + 0.02 * draw.normal().abs())).collect();
        let mut places: Vec<usize> = (0..SAMPLES).collect();
        for one in 0..if index == 0 { slow } else { 0 } {
            let other = one + (draw.uniform() * (SAMPLES - one) as f64) as usize;
            places.swap(one, other);
            samples[places[one]] *= factor;
        }
        Measurement::new("hyperfine", format!("b{index}"), Metric::time(), Evidence::Samples(samples))
    };
    Run { measurements: (0..benchmarks).map(measurement).collect(), ..Run::default() }
}

/// How many of 40 comparisons call the first of eight benchmarks unchanged, inconclusive and regressed. `slow` is the number of
/// slow samples in base and head.
fn outcomes(runs: usize, slow: [usize; 2]) -> [usize; 3] {
    let mut draw = Draw(11 + slow[1] as u64);
    let mut counts = [0; 3];
    for _ in 0..TRIALS {
        let [base, head] = slow.map(|slow| (0..runs).map(|_| run(&mut draw, 8, slow)).collect::<Vec<_>>());
        let report = judged(&base, &head);
        let first = report.benchmarks.iter().find(|finding| finding.name == "b0").unwrap();
        counts[match first.outcome {
            Outcome::Unchanged => 0,
            Outcome::Inconclusive => 1,
            Outcome::Regressed => 2,
            other => panic!("{other:?}"),
        }] += 1;
    }
    counts
}

#[test]
fn a_grown_tail_is_not_unchanged_and_regressed_with_three_runs() {
    for runs in [1, 3] {
        for slow in [0, 1, 2, 3, 4, 5, 6, 8, 10] {
            let counts = outcomes(runs, [0, slow]);
            let [unchanged, inconclusive, regressed] = counts.map(|count| 100 * count / TRIALS);
            let mean = 100.0 * (FACTOR - 1.0) * slow as f64 / SAMPLES as f64;
            println!(
                "{runs} run(s) per side, {slow:2} of {SAMPLES} samples slow (mean +{mean:.0}%): {unchanged}% unchanged, \
                 {inconclusive}% inconclusive, {regressed}% regressed"
            );
            match (slow, runs) {
                (0 | 1, _) => assert_eq!(unchanged, 100, "{slow} {runs}"),
                (5.., _) => assert_eq!(unchanged, 0, "{slow} {runs}"),
                (4, _) => assert!(unchanged <= 5, "{slow} {runs}: {unchanged}%"),
                _ => assert_eq!(regressed, 0, "{slow} {runs}"),
            }
            assert!(runs == 1 || slow < 6 || regressed >= 75, "{slow}: {regressed}%");
        }
    }
}

/// One of 40 samples takes 20 times as long in every head run: the mean grows by 48%. The typical mean, which leaves out the slowest
/// batch, does not change.
#[test]
fn one_very_slow_sample_in_every_head_run_is_not_unchanged() {
    let outcome_of = |slow_in_base: [usize; 3], slow_in_head: [usize; 3]| {
        let mut draw = Draw(31);
        let [base, head] =
            [slow_in_base, slow_in_head].map(|side| side.map(|slow| run_with(&mut draw, 8, slow, 20.0)).to_vec());
        let report = judged(&base, &head);
        let first = report.benchmarks.into_iter().find(|finding| finding.name == "b0").unwrap();
        (first.outcome, first.suspect, first.notes.concat())
    };
    let (outcome, suspect, note) = outcome_of([0; 3], [1; 3]);
    assert!(outcome == Outcome::Inconclusive && suspect && note.contains("in every head run"), "{outcome:?} {note}");
    // One run may contain a very slow sample by chance, and in base it is no regression.
    for (base, head) in [([0; 3], [1, 1, 0]), ([0, 0, 1], [1; 3]), ([1; 3], [0; 3]), ([1; 3], [1; 3])] {
        assert_eq!(outcome_of(base, head).0, Outcome::Unchanged, "{base:?} {head:?}");
    }
}

/// Five samples have no typical mean, so the means of all samples are compared. In a suite of one, three runs per side show more than chance.
#[test]
fn two_slow_samples_of_five_in_every_head_run_are_not_unchanged() {
    let run = |at: usize, slow: f64| {
        let drift = 0.1 * at as f64;
        let samples = vec![100.0 + drift, 101.0 * slow, 102.0, 101.5 * slow + drift, 100.7];
        let measurement = Measurement::new("t", "b0", Metric::time(), Evidence::Samples(samples));
        Run { measurements: vec![measurement], ..Run::default() }
    };
    let side = |runs: usize, slow: f64| (0..runs).map(|at| run(at, slow)).collect::<Vec<_>>();
    let outcome_of =
        |runs: usize, base: f64, head: f64| judged(&side(runs, base), &side(runs, head)).benchmarks[0].outcome;
    assert_eq!(outcome_of(2, 1.0, 3.0), Outcome::Inconclusive);
    assert_eq!(outcome_of(3, 1.0, 3.0), Outcome::Regressed);
    assert_eq!(outcome_of(3, 1.0, 1.001), Outcome::Unchanged);
    assert_eq!([2, 3].map(|runs| outcome_of(runs, 3.0, 1.0)), [Outcome::Unchanged, Outcome::Improved]);
}

/// Two of five samples of the only head run become slow: without a mean that leaves out a batch, and at the beginning of few
/// samples, where the slow ones fill the batch that is left out.
#[test]
fn slow_samples_of_a_single_head_run_with_few_samples_are_not_unchanged() {
    let side = |count: usize, slow: usize, runs: std::ops::Range<usize>| -> Vec<Run> {
        let samples = |drift: f64, slow: usize| {
            let sample = |index: usize| 100.0 + drift + 0.3 * (index * 7 % 5) as f64;
            (0..count).map(|index| sample(index) * if index < slow { 3.0 } else { 1.0 }).collect::<Vec<f64>>()
        };
        let measurement = |run: usize, at: usize| {
            let samples = samples(0.1 * ((run * 5 + at * 3) % 7) as f64, if at == 0 { slow } else { 0 });
            Measurement::new("t", format!("b{at}"), Metric::time(), Evidence::Samples(samples))
        };
        let run = |run| Run { measurements: (0..8).map(|at| measurement(run, at)).collect(), ..Run::default() };
        runs.map(run).collect()
    };
    let is_open = |count: usize, base_slow: usize, slow: usize, base_runs: usize| {
        let report = judged(&side(count, base_slow, 0..base_runs), &side(count, slow, 9..10));
        let first = report.benchmarks.into_iter().find(|finding| finding.name == "b0").unwrap();
        if let Some(mean) = first.sample_mean_change {
            let expected = 2.0 * slow as f64 / count as f64;
            assert!((mean / expected - 1.0).abs() < 0.1, "{slow} of {count}: {mean}");
        }
        first.outcome != Outcome::Unchanged && first.suspect == (first.outcome == Outcome::Inconclusive)
    };
    for count in 5..=20 {
        for base_runs in [1, 3] {
            let slow = count * 2 / 5;
            assert!(is_open(count, 0, slow, base_runs), "{slow} of {count}, {base_runs} base run(s)");
            // A single slow sample may be chance, and what base has as well is no change.
            assert!(!is_open(count, 0, 1, base_runs), "1 of {count}, {base_runs} base run(s)");
            assert!(!is_open(count, slow, slow, base_runs), "{slow} of {count} in both, {base_runs} base run(s)");
        }
    }
}

/// Four of ten samples are slow in every head run, always the first ones. Busy moments in all five runs of one side alone are not
/// chance, so the mean of all samples decides.
#[test]
fn slow_first_samples_of_every_head_run_are_a_regression() {
    let mut draw = Draw(41);
    let mut side = |slow: &[usize]| -> Vec<Run> {
        let mut run = |slow: usize| {
            let mut measurement = |at: usize| {
                let slow = if at == 0 { slow } else { 0 };
                let level = 1e8 * (1.0 + 0.01 * draw.normal());
                let mut sample =
                    |index: usize| level * (1.0 + 0.01 * draw.normal().abs()) * if index < slow { 3.0 } else { 1.0 };
                let samples = (0..10).map(&mut sample).collect();
                Measurement::new("hyperfine", format!("b{at}"), Metric::time(), Evidence::Samples(samples))
            };
            Run { measurements: (0..8).map(&mut measurement).collect(), ..Run::default() }
        };
        slow.iter().map(|slow| run(*slow)).collect()
    };
    let mut outcome_of = |base: &[usize], head: &[usize]| {
        let report = judged(&side(base), &side(head));
        let first = report.benchmarks.into_iter().find(|finding| finding.name == "b0").unwrap();
        println!("{base:?} {head:?}: {:?} {:?} {:?} {:?}", first.outcome, first.change, first.interval, first.notes);
        assert!(first.outcome != Outcome::Regressed || first.interval.unwrap()[0] > 0.0);
        first.outcome
    };
    assert_eq!(outcome_of(&[0; 5], &[4; 5]), Outcome::Regressed);
    assert_eq!(outcome_of(&[4; 5], &[0; 5]), Outcome::Improved);
    assert_eq!(outcome_of(&[4; 5], &[4; 5]), Outcome::Unchanged);
    // In a suite of eight, one benchmark may have busy moments in all of three runs, and in some of five.
    assert_eq!(outcome_of(&[0; 3], &[4; 3]), Outcome::Inconclusive);
    for (base, head) in [([0; 5], [4, 0, 0, 4, 0]), ([4, 0, 0, 0, 0], [0; 5]), ([4, 0, 0, 4, 0], [4; 5])] {
        assert_ne!(outcome_of(&base, &head), Outcome::Regressed, "{base:?} {head:?}");
    }
}

/// A busy moment makes 3 of 10 samples slow, in half of the runs of each benchmark. By chance, all head runs of one can have it.
#[test]
fn busy_moments_are_seldom_a_regression() {
    let mut draw = Draw(43);
    let mut run = || {
        let mut measurement = |at: usize| {
            let level = 1e8 * (1.0 + 0.01 * draw.normal());
            let mut samples: Vec<f64> = (0..10).map(|_| level * (1.0 + 0.01 * draw.normal().abs())).collect();
            let start = (draw.uniform() * 8.0) as usize;
            let factor = if draw.uniform() < 0.5 { 2.5 } else { 1.0 };
            samples[start..start + 3].iter_mut().for_each(|sample| *sample *= factor);
            Measurement::new("hyperfine", format!("b{at}"), Metric::time(), Evidence::Samples(samples))
        };
        Run { measurements: (0..8).map(&mut measurement).collect(), ..Run::default() }
    };
    for runs in [3, 5] {
        let mut side = || (0..runs).map(|_| run()).collect::<Vec<Run>>();
        let has_alarm = |report: perfgate::verdict::Report| {
            report.benchmarks.iter().any(|finding| finding.outcome == Outcome::Regressed)
        };
        let alarms = (0..100).filter(|_| has_alarm(judged(&side(), &side()))).count();
        println!("{runs} runs per side: {alarms} of 100 unchanged suites have an alarm");
        assert!(alarms <= 5, "{runs} runs per side: {alarms} of 100");
    }
}

/// The fast edge stays the same as long as a few samples are as fast as before.
#[test]
fn a_benchmark_with_few_fast_samples_left_is_regressed() {
    for slow in [16, 24, 32, 36, 38, 39, 40] {
        for runs in [1, 3] {
            let [unchanged, inconclusive, regressed] = outcomes(runs, [0, slow]).map(|count| 100 * count / TRIALS);
            println!(
                "{runs} run(s) per side, {slow} of {SAMPLES} samples slow: {unchanged}% unchanged, {inconclusive}% inconclusive, \
                 {regressed}% regressed"
            );
            assert_eq!(unchanged, 0, "{slow} {runs}");
            assert!(runs == 1 || regressed >= 95, "{slow} {runs}: {regressed}%");
        }
    }
}

#[test]
fn an_equal_tail_on_both_sides_is_not_a_regression() {
    for slow in [4, 10, 16] {
        let [unchanged, _, regressed] = outcomes(1, [slow, slow]);
        println!("{slow} of {SAMPLES} samples slow on both sides: {unchanged} of {TRIALS} unchanged");
        assert!(regressed == 0 && 4 * unchanged >= TRIALS, "{slow}: {unchanged} unchanged, {regressed} regressed");
    }
}
