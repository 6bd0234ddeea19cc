//! What to do about each reason for which the gate fails.

use super::{config, decide, named, same_machine};
use crate::model::Environment;
use crate::render::quantity::thousands;
use crate::verdict::{Finding, Outcome, Reason, Report};

/// True if the machines decide, so that the next step is to use one machine.
pub(super) fn is_about_machines(reason: Reason, report: &Report) -> bool {
    match reason {
        Reason::DifferentMachines => true,
        Reason::Outcome(Outcome::Inconclusive, _) => !report.environment.matches,
        _ => false,
    }
}

pub(super) fn failed(reason: Reason, report: &Report) -> String {
    let text = match reason {
        reason if is_about_machines(reason, report) => return same_machine(report),
        Reason::Outcome(Outcome::Regressed, count) => return regressed(count == 1, report),
        Reason::Outcome(Outcome::Failed, _) => return failed_benchmarks(report),
        Reason::Outcome(Outcome::Inconclusive, _) => return decide(report),
        Reason::Outcome(Outcome::Added, _) => "Check that the added benchmarks are intended.",
        Reason::Outcome(..) => "Check that the benchmarks were removed on purpose.",
        Reason::WholeSuite => return whole_suite(report),
        Reason::OverBudget(count) => return over_budget(count == 1, report),
        Reason::DifferentMachines => return same_machine(report),
        Reason::Unknown => "Read the report with the version of perfgate that wrote it.",
    };
    text.to_owned()
}

fn over_budget(is_single: bool, report: &Report) -> String {
    let file = config(report);
    let step = if is_single {
        format!("Bring the value that is over budget within its limit, or change the limit in {file}")
    } else {
        format!("Bring the values that are over budget within their limits, or change the limits in {file}")
    };
    let accepting = if report.fails_on_regressions() { "; accepting regressions does not change budgets" } else { "" };
    format!("{step}{accepting}.")
}

fn failed_benchmarks(report: &Report) -> String {
    let failed: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.outcome == Outcome::Failed).collect();
    let failed_in_base: Vec<&Finding> = failed.iter().copied().filter(|one| one.failed_in_base).collect();
    let in_base = failed_in_base.len();
    let (noun, them) = if failed.len() == 1 { ("benchmark", "it") } else { ("benchmarks", "them") };
    match in_base {
        0 => format!("Fix the failed {noun}."),
        all if all == failed.len() => format!(
            "The failed {noun} failed in base too: fix {them}, do not run {them}, or leave `failed` out of `fail-on` in {}.",
            config(report)
        ),
        some => {
            let which = named(&failed_in_base).unwrap_or_else(|| format!("{} of them", thousands(some)));
            format!("Fix the failed {noun}. In base, {which} failed too.")
        }
    }
}

/// The facts about how base and head were built and measured that differ and that a person can set: `build-type and cpu-scaling`.
pub(super) fn different_facts(report: &Report) -> Option<String> {
    const SHOWN: usize = 3;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let is_set = |key: &&str| {
        let of_machine = [Environment::MHZ, Environment::KERNEL, Environment::RUNNER, Environment::KEY];
        !of_machine.contains(key) && key.chars().all(plain) && key.len() <= 40
    };
    let keys = report.environment.differences.iter().map(|difference| difference.key.as_str());
    let keys: Vec<&str> = keys.filter(is_set).take(SHOWN).collect();
    match keys.as_slice() {
        _ if !report.environment.matches => None,
        [] => None,
        [one] => Some((*one).to_owned()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

fn whole_suite(report: &Report) -> String {
    let cause = "Look for a cause that all benchmarks share (compiler, settings, dependencies)";
    let entry = "`[[accept]]` with `suite = true`";
    match report.acceptable.as_ref().map(|acceptable| acceptable.by_waiver) {
        None => format!("{cause}, or accept the change in perfgate.toml ({entry})."),
        Some(true) => {
            format!("{cause}, or accept the change: in perfgate.toml ({entry}), or by a comment on the pull request.")
        }
        Some(false) => format!("{cause}, or ask someone with write access to accept the change in a comment."),
    }
}

fn regressed(is_single: bool, report: &Report) -> String {
    let is_time = |finding: &&Finding| finding.metric == "time" || finding.metric.starts_with("time:");
    let mut regressed = report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Regressed);
    let (noun, them) = if is_single { ("benchmark", "it") } else { ("benchmarks", "them") };
    let fix = if regressed.all(|finding| is_time(&finding)) {
        format!("Make the regressed {noun} faster")
    } else {
        format!("Improve the regressed {noun}")
    };
    let fix = match different_facts(report) {
        Some(facts) => {
            format!("Measure base and head with the same {facts} first: the difference may be the cause. {fix}")
        }
        None => fix,
    };
    match report.acceptable.as_ref().map(|acceptable| acceptable.by_waiver) {
        None => format!("{fix}, or accept {them} in perfgate.toml (`[[accept]]`)."),
        Some(true) => {
            format!("{fix}, or accept {them}: in perfgate.toml (`[[accept]]`), or by a comment on the pull request.")
        }
        Some(false) => format!("{fix}, or ask someone with write access to accept {them} in a comment."),
    }
}
