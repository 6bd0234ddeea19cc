//! What to do about a verdict, in a sentence or a few.

use crate::verdict::{AcceptableOnPull, Finding, Outcome, Reason, Report, Verdict};

/// The sentence; `None` if there is nothing to do. It names no benchmark, because the rows do.
pub fn next_step(report: &Report) -> Option<String> {
    let steps: Vec<String> = match report.verdict {
        Verdict::Pass => passed(report).into_iter().map(str::to_owned).collect(),
        Verdict::None if report.first_run && report.by_measure => Vec::new(),
        Verdict::None if report.first_run => vec!["The first stored run becomes the baseline.".to_owned()],
        Verdict::None if !report.environment.matches => vec![same_machine(report).to_owned()],
        Verdict::None if report.base.gap.is_some() => vec![
            "Run this again when the merge base has a stored run, or measure base and head in turn (the input command)."
                .to_owned(),
        ],
        Verdict::None if !report.benchmarks.iter().all(Finding::is_judged) => {
            vec![format!("State which way is better: `direction` of a `[[benchmark]]` in {}.", config(report))]
        }
        Verdict::None => {
            let file = config(report);
            vec![format!(
                "Compare results that have benchmark names in common, or map old names to new ones with `[rename]` in {file}."
            )]
        }
        Verdict::Fail => report.reasons.iter().map(|reason| failed(*reason, report)).collect(),
    };
    (!steps.is_empty()).then(|| steps.join(" "))
}

/// The file whose settings apply: in a pull request from a fork, that of the base branch.
fn config(report: &Report) -> &'static str {
    match &report.acceptable {
        Some(AcceptableOnPull { by_waiver: false, .. }) => "perfgate.toml of the base branch",
        _ => "perfgate.toml",
    }
}

fn same_machine(report: &Report) -> &'static str {
    if report.by_measure {
        "Measure base too (without `--stored`)."
    } else {
        "Measure base and head on one machine (`perfgate measure`), or list the facts that may differ under `[environment] ignore` in perfgate.toml."
    }
}

fn passed(report: &Report) -> Option<&'static str> {
    let is_suspect = |finding: &&Finding| finding.suspect && finding.outcome == Outcome::Inconclusive;
    let suspects: Vec<&Finding> = report.benchmarks.iter().filter(is_suspect).collect();
    let has_number = suspects.iter().any(|finding| finding.runs_needed.is_some());
    match (report.counts.failed, !suspects.is_empty()) {
        (0, true) if !report.environment.matches => Some(same_machine(report)),
        (0, true) if report.by_measure => {
            Some("The notes give the number of pairs or rounds that would decide (`--confirm`, `--rounds`).")
        }
        (0, true) if !has_number => {
            Some("Measure the suspected benchmarks again, base and head in turn (`perfgate measure`).")
        }
        (0, true) => Some(
            "Measure the suspected benchmarks again (`perfgate measure`). The notes give the number of runs needed.",
        ),
        (0, false) => None,
        (1, _) => Some("Check the benchmark that failed."),
        _ => Some("Check the benchmarks that failed."),
    }
}

fn failed(reason: Reason, report: &Report) -> String {
    let text = match reason {
        Reason::Outcome(Outcome::Regressed, count) => regressed(count == 1, report),
        Reason::Outcome(Outcome::Failed, _) => "Fix the failed benchmarks.",
        Reason::Outcome(Outcome::Inconclusive, _) => "Measure the inconclusive benchmarks again with more runs.",
        Reason::Outcome(Outcome::Added, _) => "Check that the added benchmarks are intended.",
        Reason::Outcome(..) => "Check that the benchmarks were removed on purpose.",
        Reason::WholeSuite => "Look for a cause that all benchmarks share (compiler, settings, dependencies).",
        Reason::OverBudget(1) => {
            return format!("Bring the value within its budget, or change the budget in {}.", config(report));
        }
        Reason::OverBudget(_) => {
            return format!("Bring the values within their budgets, or change the budgets in {}.", config(report));
        }
        Reason::DifferentMachines => same_machine(report),
        Reason::Unknown => "Read the report with the version of perfgate that wrote it.",
    };
    text.to_owned()
}

fn regressed(is_single: bool, report: &Report) -> &'static str {
    match (report.acceptable.as_ref().map(|acceptable| acceptable.by_waiver), is_single) {
        (None, true) => "Make the regressed benchmark faster, or accept it in perfgate.toml (`[[accept]]`).",
        (None, false) => "Make the regressed benchmarks faster, or accept them in perfgate.toml (`[[accept]]`).",
        (Some(true), true) => {
            "Make the regressed benchmark faster, or accept it: in perfgate.toml (`[[accept]]`), or by a comment on the pull request."
        }
        (Some(true), false) => {
            "Make the regressed benchmarks faster, or accept them: in perfgate.toml (`[[accept]]`), or by a comment on the pull request."
        }
        (Some(false), true) => {
            "Make the regressed benchmark faster, or ask someone with write access to accept it in a comment."
        }
        (Some(false), false) => {
            "Make the regressed benchmarks faster, or ask someone with write access to accept them in a comment."
        }
    }
}
