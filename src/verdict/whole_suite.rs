//! Judges the change of a whole suite that was measured in turn. The unit of replication is the run.

use super::finding::Finding;
use super::outcome::Outcome;
use super::waivers::WaiverUse;
use crate::compare::RunLevels;
use crate::policy::Policy;
use crate::stats::student;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The change of a whole suite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SuiteReport {
    /// `regressed`, `improved`, `unchanged`, `inconclusive`, or `accepted` by a person on the pull request or by waivers.
    pub outcome: Outcome,
    /// The change of the geometric mean of all times.
    pub change: f64,
    /// Its 95% confidence interval, from the runs.
    pub interval: [f64; 2],
    /// Number of runs of base and head.
    pub runs: [usize; 2],
    /// Number of benchmarks.
    pub benchmarks: usize,
}

/// The outcome of a suite; `None` for a single run on a side, and for few benchmarks.
pub(super) fn judge(levels: &RunLevels, threshold: f64) -> Option<SuiteReport> {
    let (base, head) = (&levels.base, &levels.head);
    if base.len() < 2 || head.len() < 2 || !levels.are_of_a_suite() {
        return None;
    }
    let count = |side: &[f64]| side.len() as f64;
    let mean = |side: &[f64]| side.iter().sum::<f64>() / count(side);
    let squares = |side: &[f64]| side.iter().map(|x| (x - mean(side)).powi(2)).sum::<f64>();
    let df = count(base) + count(head) - 2.0;
    let variance = (squares(base) + squares(head)) / df * (1.0 / count(base) + 1.0 / count(head));
    let (change, half) = (mean(head) - mean(base), student::quantile(0.975, df) * variance.sqrt());
    let (low, high) = (change - half, change + half);

    let log_threshold = threshold.ln_1p();
    let range = |side: &[f64]| {
        side.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
    };
    let ((base_low, base_high), (head_low, head_high)) = (range(base), range(head));
    // As for a suspect, head must be worse in every pair of runs.
    let outcome = if change > log_threshold && low > 0.0 && head_low > base_high {
        Outcome::Regressed
    } else if change < -log_threshold && high < 0.0 && head_high < base_low {
        Outcome::Improved
    } else if low > -log_threshold && high < log_threshold {
        Outcome::Unchanged
    } else {
        Outcome::Inconclusive
    };
    let [change, low, high] = [change, low, high].map(f64::exp_m1);
    let is_finite = change.is_finite() && low.is_finite() && high.is_finite();
    is_finite.then_some(SuiteReport {
        outcome,
        change,
        interval: [low, high],
        runs: [base.len(), head.len()],
        benchmarks: levels.benchmarks,
    })
}

/// Accepts the change of a suite under two conditions. Waivers cover every time that is worse by more than the threshold,
/// significant or not. And they accept at least as much as the suite changed. Marks these waivers as needed in `used`.
pub(super) fn waive(
    suite: SuiteReport,
    findings: &[Finding],
    policy: &Policy,
    today: Date,
    used: &mut [WaiverUse],
) -> SuiteReport {
    let covering = |finding: &Finding| {
        policy.waivers().iter().position(|waiver| {
            waiver.covers(finding.own_name(), &finding.metric)
                && !waiver.is_expired(today)
                && waiver.covers_change(suite.change)
        })
    };
    let is_accepted = |finding: &Finding| finding.outcome == Outcome::Accepted && finding.metric == "time";
    let slowdowns = || findings.iter().filter(|one| is_accepted(one) || one.is_unaccepted_slowdown());
    let is_waived = suite.outcome == Outcome::Regressed
        && findings.iter().all(|finding| finding.outcome != Outcome::Regressed)
        && slowdowns().next().is_some()
        && slowdowns().all(|finding| covering(finding).is_some());
    if !is_waived {
        return suite;
    }
    slowdowns().filter_map(covering).for_each(|waiver| used[waiver] = WaiverUse::Needed);
    SuiteReport { outcome: Outcome::Accepted, ..suite }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::model::{Evidence, Measurement, Metric, Run};
    use crate::stats::suite_test::TestRules;
    use crate::verdict::{EnvironmentReport, JudgeContext, Reason, Report, SideReport, Verdict};

    fn outcome(base: &[f64], head: &[f64], threshold: f64) -> Option<Outcome> {
        let levels = RunLevels { base: base.to_vec(), head: head.to_vec(), benchmarks: 20 };
        judge(&levels, threshold).map(|suite| suite.outcome)
    }

    #[test]
    fn a_suite_is_judged_by_its_runs() {
        let (base, slower) = ([0.0, 0.01, -0.01], [0.13, 0.12, 0.14]);
        assert_eq!(outcome(&base, &slower, 0.05), Some(Outcome::Regressed));
        assert_eq!(outcome(&slower, &base, 0.05), Some(Outcome::Improved));
        assert_eq!(outcome(&base, &slower, 0.20), Some(Outcome::Unchanged));
        assert_eq!(outcome(&base, &[0.01, 0.0, 0.0], 0.05), Some(Outcome::Unchanged));
        // The runs vary by more than the change.
        assert_eq!(outcome(&[0.0, 0.2, -0.2], &[0.13, 0.3, 0.0], 0.05), Some(Outcome::Inconclusive));
        assert_eq!(outcome(&[0.0], &[0.13], 0.05), None);
    }

    fn regressed_suite(factor: f64, config: &str) -> Report {
        suite_with(factor, 100.0, config)
    }

    /// A suite that regressed by 49%, in which one benchmark regressed by this factor. The others take 100 ns in base and
    /// `others` in head.
    fn suite_with(factor: f64, others: f64, config: &str) -> Report {
        suite_of([factor; 2], others, config)
    }

    /// The same with two factors, one for each run of head.
    fn suite_of(factors: [f64; 2], others: f64, config: &str) -> Report {
        let run = |first: f64, others: f64| {
            let samples = |ns: f64| Evidence::Samples((0..50).map(|i| ns * (1.0 + f64::from(i) / 5000.0)).collect());
            let ns = |i: u32| if i == 0 { first } else { others };
            let named = |i: u32| Measurement::new("t", format!("b{i}"), Metric::time(), samples(ns(i)));
            Run { measurements: (0..20).map(named).collect(), ..Run::default() }
        };
        let rules = TestRules::at_different_times(0.05, 0.2);
        let mut compared = compare(
            &[run(100.0, 100.0), run(100.0, 100.0)],
            &factors.map(|factor| run(100.0 * factor, others)),
            rules,
            |_: &str| None,
        );
        compared.levels = Some(RunLevels { base: vec![0.0, 0.01], head: vec![0.40, 0.41], benchmarks: 20 });
        let environment = EnvironmentReport { matches: true, assumed: false, differences: Vec::new() };
        let (base, head) = (SideReport::default(), SideReport::default());
        let context = JudgeContext { base, head, environment, today: Date::constant(2026, 1, 1) };
        crate::verdict::judge(compared, &Policy::parse(config, "perfgate.toml").unwrap(), context)
    }

    #[test]
    fn waivers_accept_a_suite_if_they_accept_as_much_as_it_changed() {
        let waiver = |up_to: &str| {
            format!(
                "[[accept]]\nbenchmark = \"b0\"\nmetric = \"time\"\nup-to = \"{up_to}\"\nreason = \"r\"\nuntil = \"2027-01-01\"\n"
            )
        };
        let open = regressed_suite(1.4, "");
        assert_eq!(open.reasons, [Reason::WholeSuite, Reason::Outcome(Outcome::Regressed, 1)]);
        let short = regressed_suite(1.4, &waiver("45%"));
        assert_eq!((short.counts.accepted, short.reasons.as_slice()), (1, [Reason::WholeSuite].as_slice()));
        // The others are as much slower, and nobody accepted them.
        let others = suite_with(1.4, 140.0, &waiver("60%"));
        assert_ne!(others.suite.unwrap().outcome, Outcome::Accepted);
        assert!(others.reasons.contains(&Reason::WholeSuite));
        let accepted = regressed_suite(1.4, &waiver("60%"));
        assert_eq!((accepted.verdict, accepted.suite.unwrap().outcome), (Verdict::Pass, Outcome::Accepted));
    }

    #[test]
    fn a_waiver_of_a_suspect_counts_for_the_suite() {
        let waiver = "[[accept]]\nbenchmark = \"b0\"\nup-to = \"60%\"\nreason = \"r\"\nuntil = \"2027-01-01\"\n";
        let open = suite_of([1.9, 1.0], 100.0, "");
        assert_eq!((open.counts.inconclusive, open.reasons.as_slice()), (1, [Reason::WholeSuite].as_slice()));
        assert!(open.benchmarks[0].suspect);
        let accepted = suite_of([1.9, 1.0], 100.0, waiver);
        assert_eq!((accepted.verdict, accepted.suite.unwrap().outcome), (Verdict::Pass, Outcome::Accepted));
        assert!(accepted.diagnostics.iter().all(|one| !one.code.starts_with("waiver")), "{:?}", accepted.diagnostics);
        let short = suite_of([1.9, 1.0], 100.0, &waiver.replace("60%", "30%"));
        assert_eq!(short.reasons, [Reason::WholeSuite]);
        let by_suite = suite_of([1.9, 1.0], 100.0, &suite_waiver("50%", "2027-01-01"));
        assert_eq!((by_suite.verdict, by_suite.suite.unwrap().outcome), (Verdict::Pass, Outcome::Accepted));
    }

    fn suite_waiver(up_to: &str, until: &str) -> String {
        format!("[[accept]]\nsuite = true\nup-to = \"{up_to}\"\nreason = \"r\"\nuntil = \"{until}\"\n")
    }

    #[test]
    fn a_waiver_of_the_suite_accepts_its_change_whatever_the_benchmarks_show() {
        let codes = |report: &Report| -> Vec<String> {
            let of_waiver = report.diagnostics.iter().filter(|one| one.place.starts_with("perfgate.toml"));
            of_waiver.map(|one| one.code.to_string()).collect()
        };
        // No benchmark regressed, so waivers of benchmarks cannot accept it.
        let open = regressed_suite(1.0, "");
        assert_eq!((open.counts.regressed, open.reasons.as_slice()), (0, [Reason::WholeSuite].as_slice()));
        let next = crate::render::next_step(&open).unwrap();
        assert!(next.contains("`[[accept]]` with `suite = true`"), "{next}");
        let accepted = regressed_suite(1.0, &suite_waiver("50%", "2027-01-01"));
        assert_eq!((accepted.verdict, accepted.suite.unwrap().outcome), (Verdict::Pass, Outcome::Accepted));
        assert_eq!(codes(&accepted), ["suite-accepted"]);
        // It accepts no regression of a benchmark, less than its limit, and nothing after its last day.
        let regressed = regressed_suite(1.4, &suite_waiver("50%", "2027-01-01"));
        assert_eq!(regressed.reasons, [Reason::Outcome(Outcome::Regressed, 1)]);
        let small = regressed_suite(1.0, &suite_waiver("20%", "2027-01-01"));
        assert_eq!(
            (small.reasons.as_slice(), codes(&small)),
            ([Reason::WholeSuite].as_slice(), vec!["waiver-exceeded".into()])
        );
        let ended = regressed_suite(1.0, &suite_waiver("50%", "2025-01-01"));
        assert_eq!((ended.verdict, codes(&ended)), (Verdict::Fail, vec!["waiver-ended".into()]));
    }

    #[test]
    fn a_suite_that_regressed_can_be_accepted() {
        let mut report = regressed_suite(1.0, "");
        assert_eq!((report.verdict, report.reasons.as_slice()), (Verdict::Fail, [Reason::WholeSuite].as_slice()));
        assert!(report.fails_on_regressions());
        assert_eq!(report.accept(|_| true, "accepted"), 0);
        assert!(report.accept_suite() && !report.accept_suite() && !report.fails_on_regressions());
        assert_eq!((report.verdict, report.suite.unwrap().outcome), (Verdict::Pass, Outcome::Accepted));
    }
}
