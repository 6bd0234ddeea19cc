//! Compares the statistics with an independent implementation (numpy and scipy) and checks properties.
//! tests/data/statistics/vectors.json has digests and centres as inputs, and every result of the method.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a panic fails the test

use jiff::civil::Date;
use perfgate::compare::compare;
use perfgate::model::{Digest, Direction, Evidence, Measurement, Metric, Run};
use perfgate::policy::Policy;
use perfgate::stats::estimate::Estimate;
use perfgate::stats::prior::ValueKind;
use perfgate::stats::suite::{BenchmarkRuns, RunValue};
use perfgate::stats::suite_test::{ShiftRule, TestRules, estimate_suite};
use perfgate::stats::{centre, fdr, shift, student};
use perfgate::verdict::{EnvironmentReport, Finding, JudgeContext, Outcome, SideReport, judge};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;

/// The rules of the reference: a shift of up to 15% is subtracted.
const RULES: TestRules = TestRules { alpha: 0.05, shift: ShiftRule::SubtractUpTo(0.139_761_942_375) };

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/statistics/vectors.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[track_caller]
fn close(given: f64, expected: &Value, what: &str) {
    let expected = number(expected);
    let tolerance = 1e-7 + 2e-6 * expected.abs();
    assert!((given - expected).abs() <= tolerance, "{what}: {given} instead of {expected}");
}

/// The value of a run from a digest of the vectors.
fn value(run: usize, digest: &Value, sign: f64) -> RunValue {
    let get = |key: &str| digest.get(key).and_then(Value::as_f64);
    let centre = get("median").or(get("mean")).or(get("value")).unwrap();
    let within = match (get("wander"), get("sd"), get("n")) {
        (None, Some(sd), Some(n)) => 4.0 * (sd / centre).powi(2) / n,
        _ => 0.0,
    };
    RunValue {
        run,
        fast_edge: get("low").map(|low| sign * low.ln()),
        centre: sign * centre.ln(),
        within_run_drift: get("wander"),
        centre_variance: within,
        typical_mean: None,
        mean_with_slowest: None,
        slow_part_error: None,
    }
}

/// Larger changes use the limit of the noise of a single number per run, which the reference lacks: three standard errors for runs
/// that differ by 35% / (df + 1)^0.6, or by as much as they do.
fn start_of_limit(estimate: &Estimate) -> f64 {
    let observed = estimate.observation();
    let of_runs = if observed.df > 0.0 { (observed.sum_of_squares / observed.df).sqrt() } else { 0.0 };
    let limit = 3.0 * (0.35 / (observed.df + 1.0).powf(0.6)).max(of_runs) * observed.variance_factor.sqrt();
    if estimate.of_fast_edges { f64::INFINITY } else { limit }
}

#[test]
fn every_result_matches_the_reference() {
    let mut cases = 0;
    for case in vectors()["cases"].as_array().unwrap() {
        let options = &case["options"];
        if options["kind"] == "count" {
            continue; // exact counts are compared without statistics
        }
        cases += 1;
        let name = case["name"].as_str().unwrap();
        let sign = if options["higher_is_better"] == true { -1.0 } else { 1.0 };
        let expected = case["expected"].as_object().unwrap();
        let side = |side: &str, id: &str| -> Vec<RunValue> {
            let runs = case[side].as_array().unwrap();
            runs.iter().enumerate().map(|(run, digests)| value(run, &digests[id], sign)).collect()
        };
        let observed: Vec<BenchmarkRuns> =
            expected.keys().map(|id| BenchmarkRuns { base: side("base", id), head: side("head", id) }).collect();
        let estimates = estimate_suite(&observed, ValueKind::Measured, RULES);
        close(estimates.shift(), &case["suite"]["shift"], name);
        assert_eq!(estimates.shift_is_subtracted(), case["suite"]["shift_subtracted"], "{name}");
        // The reference tests the changes as they are where the shift is too large to be subtracted.
        let kept = TestRules { shift: ShiftRule::Keep, ..RULES };
        let estimates = match estimates.shift_is_subtracted() {
            true => estimates,
            false => estimate_suite(&observed, ValueKind::Measured, kept),
        };
        let is_limited = |one: &Estimate| one.delta.abs() > start_of_limit(one);
        let has_limited = estimates.estimates().any(|one| is_limited(&one));
        for (estimate, (id, expected)) in estimates.estimates().zip(expected) {
            let check = |given: f64, key: &str| close(given, &expected[key], &format!("{name}, {id}, {key}"));
            let is_less =
                |given: f64, key: &str| assert!(given < number(&expected[key]), "{name}, {id}, {key}: {given}");
            check(estimate.raw, "raw");
            check(estimate.delta, "delta");
            check(estimate.median_delta, "delta_median");
            assert!((estimate.p_worse + estimate.p_better - 1.0).abs() < 1e-9, "{name}, {id}");
            if is_limited(&estimate) {
                is_less(estimate.p(), if estimate.delta > 0.0 { "p_reg" } else { "p_imp" });
            } else {
                check(estimate.p_worse, "p_reg");
                check(estimate.p_better, "p_imp");
            }
            if !has_limited {
                check(estimate.q_worse, "q_reg");
                check(estimate.q_better, "q_imp");
            }
            check(estimate.standard_error(), "se");
            assert_eq!(estimate.low_evidence, expected["low_evidence"], "{name}, {id}");
            // The reference gives the interval of the fast edges, with the suite-wide shift subtracted.
            let (low, high) = estimate.delta_interval(0.95);
            assert!((low + high - 2.0 * estimate.delta).abs() < 1e-6, "{name}, {id}");
            if number(&expected["hi95"]) - estimate.delta > start_of_limit(&estimate) {
                is_less(high, "hi95");
                assert!(high - estimate.delta >= start_of_limit(&estimate) - 1e-9, "{name}, {id}");
            } else {
                // An end may be near zero, where only its difference from the change has a relative precision.
                let half = (number(&expected["hi95"]) - number(&expected["lo95"])) / 2.0;
                close((high - low) / 2.0, &half.into(), &format!("{name}, {id}, half of the interval"));
            }
        }
    }
    assert_eq!(cases, 13);
}

#[test]
fn digests_match_the_reference() {
    for item in vectors()["digests"].as_array().unwrap() {
        let samples: Vec<f64> = item["samples"].as_array().unwrap().iter().map(number).collect();
        let digest = Digest::of(&samples, Direction::Lower);
        let expected = &item["digest"];
        close(digest.median, &expected["median"], "median");
        close(digest.fast_edge, &expected["low"], "low");
        match (digest.within_run_drift, expected["wander"].as_f64()) {
            (Some(drift), Some(_)) => close(f64::from(drift), &expected["wander"], "wander"),
            (given, expected) => assert_eq!(given.is_none(), expected.is_none()),
        }
    }
}

#[test]
fn scalars_match_scipy() {
    let vectors = vectors();
    let scalars = &vectors["scalars"];
    for item in scalars["t_sf"].as_array().unwrap() {
        close(student::upper_tail(number(&item[0]), number(&item[1])), &item[2], "t tail");
    }
    for item in scalars["t_ppf"].as_array().unwrap() {
        close(student::quantile(number(&item[0]), number(&item[1])), &item[2], "t quantile");
    }
    let list = |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(number).collect() };
    for item in scalars["bh"].as_array().unwrap() {
        for (q, expected) in fdr::benjamini_hochberg(&list(&item["p"])).into_iter().zip(item["q"].as_array().unwrap()) {
            close(q, expected, "q");
        }
    }
    for item in scalars["centre"].as_array().unwrap() {
        let runs = list(&item["y"]);
        close(centre::of_runs(&runs), &item["centre"], "centre");
        close(centre::variance_factor(runs.len()), &item["f"], "factor");
    }
    for item in scalars["common_shift"].as_array().unwrap() {
        close(shift::suite_wide_shift(&list(&item["raw"])), &item["shift"], "common shift");
    }
}

/// A fixed sequence of normal values.
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Simulated suites of 40 unchanged benchmarks, three runs against one. Each benchmark has its own standard deviation from
/// run to run (about 1 to 6%), which its within-run drift predicts roughly. The false-positive rate is at most 5%; 8%
/// allows for chance.
#[test]
fn unchanged_suites_rarely_have_a_false_positive() {
    let mut normal = Normal(7);
    let suites = 500;
    let mut false_positives = 0;
    for _ in 0..suites {
        let observed: Vec<BenchmarkRuns> = (0..40)
            .map(|_| {
                let sd = 0.025 * (0.5 * normal.next()).exp();
                let mut run = |run: usize| {
                    let y = sd * normal.next();
                    let drift = 0.5 * sd * (0.4 * normal.next()).exp();
                    RunValue {
                        run,
                        fast_edge: Some(y),
                        centre: y + 0.002 * normal.next(),
                        within_run_drift: Some(drift),
                        centre_variance: 0.0,
                        typical_mean: None,
                        mean_with_slowest: None,
                        slow_part_error: None,
                    }
                };
                BenchmarkRuns { base: (0..3).map(&mut run).collect(), head: vec![run(0)] }
            })
            .collect();
        let estimates = estimate_suite(&observed, ValueKind::Measured, RULES);
        let threshold = 0.2_f64.ln_1p();
        false_positives += usize::from(estimates.estimates().any(|e| e.delta > threshold && e.q_worse < 0.05));
    }
    assert!(false_positives * 100 <= 8 * suites, "{false_positives} of {suites} suites had a false positive");
}

fn suite() -> impl Strategy<Value = Vec<(Vec<f64>, Vec<f64>)>> {
    let runs = |count| proptest::collection::vec(0.9..1.3_f64, count);
    (1..4_usize, 1..3_usize, 1..14_usize)
        .prop_flat_map(move |(k, h, n)| proptest::collection::vec((runs(k..=k), runs(h..=h)), n..=n))
}

fn estimates(suite: &[(Vec<f64>, Vec<f64>)], scale: f64, direction: Direction) -> Vec<(f64, f64, f64)> {
    let sign = if direction == Direction::Lower { 1.0 } else { -1.0 };
    let side = |values: &[f64]| -> Vec<RunValue> {
        let value = |(run, x): (usize, &f64)| {
            let y = sign * (x * scale).ln();
            RunValue {
                run,
                fast_edge: Some(y),
                centre: y,
                within_run_drift: Some(0.01),
                centre_variance: 0.0,
                typical_mean: None,
                mean_with_slowest: None,
                slow_part_error: None,
            }
        };
        values.iter().enumerate().map(value).collect()
    };
    let observed: Vec<BenchmarkRuns> =
        suite.iter().map(|(base, head)| BenchmarkRuns { base: side(base), head: side(head) }).collect();
    let estimates = estimate_suite(&observed, ValueKind::Measured, RULES);
    estimates.estimates().map(|e| (e.delta, e.p_worse, e.q_better)).collect()
}

/// A suite to test: true log changes of its benchmarks, the noise of its runs, its shift, and how it was measured.
#[derive(Debug, Clone)]
struct Simulated {
    changes: Vec<f64>,
    noise: f64,
    shift: f64,
    runs: [usize; 2],
    /// True if the newest of several base runs has the values of head.
    has_newest: bool,
    has_samples: bool,
    is_rate: bool,
    seed: u64,
}

fn simulated() -> impl Strategy<Value = Simulated> {
    let change = prop_oneof![3 => Just(0.0), 1 => -0.3..0.3_f64, 1 => -1.5..1.5_f64];
    let shift = prop_oneof![Just(0.0), -0.3..0.3_f64];
    let shape = (any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>());
    (proptest::collection::vec(change, 1..40), -7.0..-1.0_f64, shift, 1..=5_usize, 1..=5_usize, shape).prop_map(
        |(changes, noise, shift, base, head, (has_newest, has_samples, is_rate, seed))| Simulated {
            changes,
            noise: noise.exp(),
            shift,
            runs: [base, head],
            has_newest: has_newest && base > 1,
            has_samples,
            is_rate,
            seed,
        },
    )
}

impl Simulated {
    fn judged(&self, policy: &Policy) -> Vec<Finding> {
        let mut normal = Normal(self.seed);
        let mut side = |is_head: bool| -> Vec<Run> {
            let mut measurement = |(index, change): (usize, &f64), is_new: bool| {
                let moved = if is_new { change + self.shift } else { 0.0 };
                let y = 5.0 + 0.1 * index as f64 + moved + self.noise * normal.next();
                let (median, fast_edge) = (y + 0.3 * self.noise * normal.next(), y - 0.02);
                let worse = |log: f64| if self.is_rate { (-log).exp() } else { log.exp() };
                let evidence = if self.has_samples {
                    Evidence::Digest(Digest {
                        median: worse(median),
                        fast_edge: worse(fast_edge),
                        samples: 50,
                        within_run_drift: Some((0.5 * self.noise) as f32),
                        typical_mean: None,
                        split: None,
                    })
                } else {
                    Evidence::Value(worse(y))
                };
                let metric = if self.is_rate { Metric::throughput() } else { Metric::time() };
                Measurement::new("t", format!("b{index}"), metric, evidence)
            };
            let count = self.runs[usize::from(is_head)];
            let mut run = |at: usize| {
                let is_new = is_head || self.has_newest && at + 1 == count;
                let measurements = self.changes.iter().enumerate().map(|one| measurement(one, is_new)).collect();
                Run { measurements, ..Run::default() }
            };
            (0..count).map(&mut run).collect()
        };
        let (base, head) = (side(false), side(true));
        let compared =
            compare(&base, &head, TestRules::at_different_times(policy.alpha(), policy.gate_threshold()), |_: &str| {
                None
            });
        let environment = EnvironmentReport { matches: true, assumed: false, differences: Vec::new() };
        let (base, head) = (SideReport::default(), SideReport::default());
        judge(compared, policy, JudgeContext { base, head, environment, today: Date::constant(2026, 1, 1) }).benchmarks
    }
}

/// The change and its interval as log ratios, larger is worse.
fn logs(finding: &Finding) -> (f64, f64, f64) {
    let sign = if finding.direction == Direction::Lower { 1.0 } else { -1.0 };
    let log = |change: f64| sign * change.ln_1p();
    let ends = finding.interval.unwrap().map(log);
    (log(finding.change.unwrap()), ends[0].min(ends[1]), ends[0].max(ends[1]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outcome_change_and_interval_of_a_row_never_contradict_each_other(
        suite in simulated(),
        threshold in prop_oneof![Just("20%"), Just("5%"), Just("50%")],
        alpha in prop_oneof![3 => Just("0.05"), 1 => Just("0.01"), 1 => Just("0.001"), 1 => Just("0.2")],
    ) {
        let config = format!("[gate]\nthreshold = \"{threshold}\"\nalpha = {alpha}\n");
        let policy = Policy::parse(&config, "perfgate.toml").unwrap();
        for finding in suite.judged(&policy) {
            let (change, low, high) = logs(&finding);
            let limit = finding.threshold.ln_1p();
            let holds = low <= change && change <= high && finding.change == finding.adjusted && match finding.outcome {
                Outcome::Regressed => change > limit && low > 0.0,
                Outcome::Improved => change < -limit && high < 0.0,
                Outcome::Unchanged => -limit <= low && high <= limit,
                _ => finding.outcome == Outcome::Inconclusive,
            };
            prop_assert!(holds, "{} {change} [{low}, {high}] {finding:?}", finding.outcome.word());
            let is_called = matches!(finding.outcome, Outcome::Regressed | Outcome::Improved);
            let is_old = suite.has_newest && suite.noise < 0.0025;
            prop_assert!(!(is_called && is_old), "the newest base run has this value: {finding:?}");
            let is_doubted = finding.doubt.is_some();
            let is_consistent = finding.outcome == Outcome::Inconclusive && finding.runs_needed.is_none();
            prop_assert!(!is_doubted || is_consistent && !finding.notes.is_empty(), "{finding:?}");
            let is_undecided = finding.outcome == Outcome::Inconclusive;
            let has_reason = !finding.notes.is_empty() || finding.undecided.is_some();
            prop_assert!(!is_undecided || has_reason, "no reason: {finding:?}");
            // A change over the threshold is significant exactly if its interval does not contain 0. Smaller changes have the plain
            // 95% interval, which contains 0 for some that are significant at a larger alpha.
            let (is_significant, is_clear) = (finding.q.unwrap() < policy.alpha(), low > 0.0 || high < 0.0);
            let agrees = if change.abs() > limit {
                is_significant == is_clear
            } else {
                !is_significant || is_clear || policy.alpha() > 0.05
            };
            prop_assert!(agrees, "q and the interval disagree: {change} [{low}, {high}] {finding:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_unit_does_not_matter(suite in suite()) {
        let (ns, ms) = (estimates(&suite, 1.0, Direction::Lower), estimates(&suite, 1e-6, Direction::Lower));
        for (a, b) in ns.iter().zip(&ms) {
            prop_assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-6 && (a.2 - b.2).abs() < 1e-6);
        }
    }

    #[test]
    fn a_rate_mirrors_a_time(suite in suite()) {
        let inverted: Vec<_> = suite
            .iter()
            .map(|(base, head)| {
                let invert = |side: &[f64]| side.iter().map(|x| 1.0 / x).collect::<Vec<f64>>();
                (invert(base), invert(head))
            })
            .collect();
        let (times, rates) = (estimates(&suite, 1.0, Direction::Lower), estimates(&inverted, 1.0, Direction::Higher));
        for (a, b) in times.iter().zip(&rates) {
            prop_assert!((a.0 - b.0).abs() < 1e-9 && (a.1 - b.1).abs() < 1e-6);
        }
    }

    #[test]
    fn the_order_of_benchmarks_does_not_matter(suite in suite()) {
        let mut turned = suite.clone();
        turned.reverse();
        let (forward, mut backward) = (estimates(&suite, 1.0, Direction::Lower), estimates(&turned, 1.0, Direction::Lower));
        backward.reverse();
        for (a, b) in forward.iter().zip(&backward) {
            prop_assert!((a.1 - b.1).abs() < 1e-9 && (a.2 - b.2).abs() < 1e-9);
        }
    }

    #[test]
    fn q_values_keep_the_order_of_p_values(p in proptest::collection::vec(0.0..1.0_f64, 0..40)) {
        let q = fdr::benjamini_hochberg(&p);
        for i in 0..p.len() {
            prop_assert!(q[i] >= p[i] - 1e-15 && q[i] <= 1.0);
            for j in 0..p.len() {
                prop_assert!(p[i] > p[j] || q[i] <= q[j]);
            }
        }
    }
}
