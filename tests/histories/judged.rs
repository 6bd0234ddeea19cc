//! A comparison of runs with the default policy.

use perfgate::compare::compare;
use perfgate::model::Run;
use perfgate::policy::Policy;
use perfgate::stats::suite_test::TestRules;
use perfgate::verdict::{EnvironmentReport, JudgeContext, Report, SideReport, judge};

/// The report on runs of the same machine that were measured at different times.
pub fn judged(base: &[Run], head: &[Run]) -> Report {
    let policy = Policy::default();
    let rules = TestRules::at_different_times(policy.alpha(), policy.gate_threshold());
    let context = JudgeContext {
        base: SideReport::default(),
        head: SideReport::default(),
        environment: EnvironmentReport { matches: true, ..EnvironmentReport::default() },
        today: jiff::civil::date(2026, 1, 1),
    };
    judge(compare(base, head, rules, |_: &str| None), &policy, context)
}
