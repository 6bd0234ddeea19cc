//! What to do about each reason for which the gate fails.

use super::words::{Form, named, named_series, object, plural_noun_of, pronoun, subject};
use super::{Job, config, decide, same_machine};
use crate::model::Environment;
use crate::render::quantity::{counted, thousands};
use crate::render::remarks::slow_samples_of_head;
use crate::verdict::{BudgetLine, BudgetStatus, Finding, Outcome, Reason, Report};

/// True if the machines decide, so that the next step is to use one machine.
pub(super) fn is_about_machines(reason: Reason, report: &Report) -> bool {
    match reason {
        Reason::DifferentMachines => true,
        Reason::Outcome(Outcome::Inconclusive, _) => !report.environment.matches,
        _ => false,
    }
}

pub(super) fn failed(reason: Reason, report: &Report, form: Form) -> Vec<Job> {
    let job = match reason {
        reason if is_about_machines(reason, report) => same_machine(report),
        Reason::Outcome(Outcome::Regressed, _) => regressed(report, form),
        Reason::Outcome(Outcome::Failed, _) => failed_benchmarks(report, form),
        Reason::Outcome(Outcome::Inconclusive, _) => return decide(report, form),
        Reason::Outcome(Outcome::Added, _) => Job::new("", "Check that the added benchmarks are intended."),
        Reason::Outcome(..) => Job::new("", "Check that the benchmarks were removed on purpose."),
        Reason::WholeSuite => Job::new("whole suite", whole_suite(report)),
        Reason::OverBudget(count) => over_budget(count, report, form),
        Reason::DifferentMachines => same_machine(report),
        Reason::Unknown => Job::new("", "Read the report with the version of perfgate that wrote it."),
    };
    vec![job]
}

fn over_budget(count: usize, report: &Report, form: Form) -> Job {
    let file = config(report);
    let values = match (form, count) {
        (Form::Sentence, 1) => "the value that is over budget",
        (Form::Sentence, _) => "the values that are over budget",
        (Form::Item, count) => pronoun(count),
    };
    let (its_limit, limit) = if count == 1 { ("its limit", "limit") } else { ("their limits", "limits") };
    let accepting = if report.fails_on_regressions() { "; accepting regressions does not change budgets" } else { "" };
    let missed: Vec<&BudgetLine> = report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).collect();
    let which = named_series(missed.iter().map(|line| (&*line.benchmark, &*line.metric)));
    let which = which.unwrap_or_else(|| counted(missed.len(), "value"));
    let text = format!("Bring {values} within {its_limit}, or change the {limit} in {file}{accepting}.");
    Job::new(format!("over budget ({which})"), text)
}

fn failed_benchmarks(report: &Report, form: Form) -> Job {
    let failed: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.outcome == Outcome::Failed).collect();
    let failed_in_base: Vec<&Finding> = failed.iter().copied().filter(|one| one.failed_in_base).collect();
    let in_base = failed_in_base.len();
    let (noun, them) = (if failed.len() == 1 { "benchmark" } else { "benchmarks" }, pronoun(failed.len()));
    let fix = match form {
        Form::Sentence => format!("Fix the failed {noun}."),
        Form::Item => format!("Fix {them}."),
    };
    let text = match in_base {
        0 => fix,
        all if all == failed.len() => {
            let what = match form {
                Form::Sentence => format!("The failed {noun} failed in base too"),
                Form::Item => "Failed in base too".to_owned(),
            };
            format!("{what}: fix {them}, do not run {them}, or leave `failed` out of `fail-on` in {}.", config(report))
        }
        some => {
            let which = named(&failed_in_base).unwrap_or_else(|| format!("{} of them", thousands(some)));
            format!("{fix} In base, {which} failed too.")
        }
    };
    Job::new(subject("failed", &failed), text)
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

/// True if the mean of the suite grew although fewer than half of the times grew by half as much.
fn is_of_single_benchmarks(report: &Report) -> bool {
    let least = report.suite.map_or(0.0, |suite| suite.change / 2.0);
    let times = || report.benchmarks.iter().filter(|one| one.metric == "time").filter_map(|one| one.change);
    2 * times().filter(|change| *change >= least).count() < times().count()
}

fn whole_suite(report: &Report) -> String {
    let cause = if is_of_single_benchmarks(report) {
        "Find the benchmarks that became slower: most of the suite did not"
    } else {
        "Look for a cause that all benchmarks share (compiler, settings, dependencies)"
    };
    let entry = "`[[accept]]` with `suite = true`";
    match report.acceptable.as_ref().map(|acceptable| acceptable.by_waiver) {
        None => format!("{cause}, or accept the change in perfgate.toml ({entry})."),
        Some(true) => {
            format!("{cause}, or accept the change: in perfgate.toml ({entry}), or by a comment on the pull request.")
        }
        Some(false) => format!("{cause}, or ask someone with write access to accept the change in a comment."),
    }
}

fn regressed(report: &Report, form: Form) -> Job {
    let is_time = |finding: &&Finding| finding.metric == "time" || finding.metric.starts_with("time:");
    let regressed: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.outcome == Outcome::Regressed).collect();
    let object = object("regressed", &regressed, form);
    let is_of_times = regressed.iter().all(is_time) && (form == Form::Item || plural_noun_of(&regressed) != "metrics");
    // A higher speed of the code would not remove a few slow samples.
    let fix = match slow_samples(&regressed) {
        Some(slow) => format!("Find what makes {slow} (a lock, a cache, a retry, another program)"),
        None if is_of_times => format!("Make {object} faster"),
        None => format!("Improve {object}"),
    };
    let fix = match different_facts(report) {
        Some(facts) => {
            format!("Measure base and head with the same {facts} first: the difference may be the cause. {fix}")
        }
        None => fix,
    };
    let them = pronoun(regressed.len());
    let text = match report.acceptable.as_ref().map(|acceptable| acceptable.by_waiver) {
        None => format!("{fix}, or accept {them} in perfgate.toml (`[[accept]]`)."),
        Some(true) => {
            format!("{fix}, or accept {them}: in perfgate.toml (`[[accept]]`), or by a comment on the pull request.")
        }
        Some(false) => format!("{fix}, or ask someone with write access to accept {them} in a comment."),
    };
    Job { accepts: true, ..Job::new(subject("regressed", &regressed), text) }
}

/// The slow samples of regressed benchmarks, if all of them regressed because of such samples.
fn slow_samples(regressed: &[&Finding]) -> Option<String> {
    let slow: Vec<String> = regressed.iter().filter_map(|finding| slow_samples_of_head(finding)).collect();
    match slow.as_slice() {
        [one] if regressed.len() == 1 => Some(one.clone()),
        [_, ..] if slow.len() == regressed.len() => Some("a part of head's samples slow".to_owned()),
        _ => None,
    }
}
