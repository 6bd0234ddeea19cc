//! Check boxes that the results decide, each with the evidence.

use super::context::{Check, Checks};
use super::headline::{is_load, sums};
use crate::render::quantity::counted;
use crate::render::summary::{NOT_JUDGED, of_unknown_direction, slower_suite};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, GoalStatus, Outcome, Report, SuiteReport, UnsubtractedShift};

/// All check boxes of a report.
pub fn checks(report: &Report) -> Checks {
    let memory = |metric: &str| metric.starts_with("memory");
    let cpu = |metric: &str| metric.starts_with("cpu") || metric == "time:user" || metric == "time:self";
    let change = report.facts.as_ref().and_then(|facts| facts.change.as_ref());
    let in_change = |found: &dyn Fn(&crate::model::CodeChange) -> (bool, String)| match change {
        None => open("the changed files are unknown"),
        Some(change) => {
            let (ticked, by) = found(change);
            Check { ticked, by }
        }
    };
    Checks {
        improved: improved(report),
        no_regression: no_regression(report),
        load: unchanged_or_improved(report, "endpoint metric", "no load test results", &is_load),
        memory: budgets(report, "on memory", &memory),
        queries_stable: unchanged_or_improved(report, "statement count", "no statements logged", &|f| {
            f.metric.starts_with("queries")
        }),
        queries_fewer: queries_fewer(report),
        resources: resources(budgets(report, "on memory", &memory), budgets(report, "on CPU", &cpu)),
        tests: tests(report),
        budgets: budgets(report, "", &|_| true),
        no_database_change: in_change(&|change| match (change.indexes.len(), change.migrations.as_slice()) {
            (0, []) => (true, format!("none in {}", counted(change.files.len() + change.more_files, "changed file"))),
            (_, [first, ..]) => (false, format!("`{first}`")),
            (count, []) => (false, counted(count, "index statement")),
        }),
        index_added: in_change(&|change| match change.indexes.first() {
            Some(_) => (true, format!("{} in the change", counted(change.indexes.len(), "index statement"))),
            None => (false, "no index statement in the change".to_owned()),
        }),
        migration: in_change(&|change| match change.migrations.as_slice() {
            [] => (false, "no migration in the change".to_owned()),
            files => (true, format!("{} in the change", counted(files.len(), "file"))),
        }),
        complexity: complexity(report),
    }
}

fn resources(memory: Check, cpu: Check) -> Check {
    Check { ticked: memory.ticked && cpu.ticked, by: format!("{}; {}", memory.by, cpu.by) }
}

fn complexity(report: &Report) -> Check {
    let Some((before, after)) = sums(report, "complexity") else { return open("complexity not measured") };
    let rose =
        report.benchmarks.iter().filter(|f| f.metric == "complexity" && f.change.is_some_and(|change| change > 0.0));
    let rose = rose.count();
    let by = format!("{} with more complexity, sum {before} → {after}", counted(rose, "function"));
    Check { ticked: rose == 0 && after <= before, by }
}

fn open(by: &str) -> Check {
    Check { ticked: false, by: by.to_owned() }
}

fn improved(report: &Report) -> Check {
    let counts = report.counts;
    let is_clean = counts.regressed == 0 && counts.failed == 0;
    let failed = if counts.failed > 0 { format!(", {} failed", counts.failed) } else { String::new() };
    let met = report.goals.iter().filter(|goal| goal.status == GoalStatus::Met).count();
    if !report.goals.is_empty() {
        let by =
            format!("{met} of {} met, {} regressed{failed}", counted(report.goals.len(), "goal"), counts.regressed);
        return Check { ticked: met == report.goals.len() && is_clean, by };
    }
    let by = format!("{} improved, {} regressed{failed}", counts.improved, counts.regressed);
    Check { ticked: counts.improved > 0 && is_clean, by }
}

fn no_regression(report: &Report) -> Check {
    let counts = report.counts;
    let good = counts.improved + counts.unchanged;
    let judged = good + counts.regressed + counts.inconclusive + counts.accepted + counts.failed;
    if judged == 0 {
        return open("nothing was compared");
    }
    let mut by = format!("{good} of {judged} unchanged or improved");
    let unknown = of_unknown_direction(report);
    let parts = [
        (counts.regressed, Outcome::Regressed.word()),
        (counts.inconclusive.saturating_sub(unknown), Outcome::Inconclusive.word()),
        (unknown, NOT_JUDGED),
        (counts.accepted, Outcome::Accepted.word()),
        (counts.failed, Outcome::Failed.word()),
    ];
    for (count, word) in parts {
        if count > 0 {
            by.push_str(&format!(", {count} {word}"));
        }
    }
    let suite = suite_is_slower(report);
    if let Some(suite) = &suite {
        by.push_str(&format!("; {suite}"));
    }
    Check { ticked: good == judged && suite.is_none(), by }
}

/// In words, if the suite as a whole is slower, although each benchmark may be within its threshold.
fn suite_is_slower(report: &Report) -> Option<String> {
    let is_shown = |suite: &SuiteReport| matches!(suite.outcome, Outcome::Regressed | Outcome::Accepted);
    report.suite.filter(is_shown).map(slower_suite).or_else(|| {
        UnsubtractedShift::of(report).filter(|open| open.shift.shift > 0.0).map(|open| open.shift.sentence())
    })
}

/// Ticked if all findings of a kind are unchanged or improved. Those with a value on one side alone do not count, unless they failed.
fn unchanged_or_improved(report: &Report, what: &str, nothing: &str, belongs: &dyn Fn(&Finding) -> bool) -> Check {
    let is_compared = |f: &&Finding| f.base.is_some() && f.head.is_some() || f.outcome == Outcome::Failed;
    let found: Vec<&Finding> = report.benchmarks.iter().filter(|f| belongs(f)).filter(is_compared).collect();
    if found.is_empty() {
        return open(nothing);
    }
    let count = |belongs: &dyn Fn(&Finding) -> bool| found.iter().filter(|finding| belongs(finding)).count();
    let with = |outcome: Outcome| count(&|finding| finding.outcome == outcome && finding.is_judged());
    let good = with(Outcome::Unchanged) + with(Outcome::Improved);
    let mut by = format!("{good} of {} unchanged or improved", counted(found.len(), what));
    let others = [
        (with(Outcome::Regressed), Outcome::Regressed.word()),
        (with(Outcome::Inconclusive), Outcome::Inconclusive.word()),
        (count(&|finding| !finding.is_judged()), NOT_JUDGED),
        (with(Outcome::Accepted), Outcome::Accepted.word()),
        (with(Outcome::Failed), Outcome::Failed.word()),
    ];
    for (count, word) in others.into_iter().filter(|(count, _)| *count > 0) {
        by.push_str(&format!(", {count} {word}"));
    }
    Check { ticked: good == found.len(), by }
}

fn queries_fewer(report: &Report) -> Check {
    let totals =
        report.benchmarks.iter().filter(|f| f.metric == "queries").filter_map(|f| Some((f.base?.value, f.head?.value)));
    match totals.max_by(|a, b| a.0.max(a.1).total_cmp(&b.0.max(b.1))) {
        None => open("no statements logged"),
        Some((before, after)) => Check { ticked: after < before, by: format!("{before} → {after} statements") },
    }
}

fn tests(report: &Report) -> Check {
    match report.facts.as_ref().and_then(|facts| facts.head.tests) {
        None => open("no test report"),
        Some(tests) => {
            let by = format!("{} passed, {} failed", tests.passed, tests.failed);
            Check { ticked: tests.failed == 0 && tests.passed > 0, by }
        }
    }
}

fn budgets(report: &Report, what: &str, belongs: &dyn Fn(&str) -> bool) -> Check {
    let lines: Vec<&BudgetLine> = report.budgets.iter().filter(|line| belongs(&line.metric)).collect();
    if lines.is_empty() {
        return Check { ticked: false, by: format!("no budget {what}").trim_end().to_owned() };
    }
    let good = lines.iter().filter(|line| line.status == BudgetStatus::Pass).count();
    let acceptable = lines.iter().filter(|line| line.status == BudgetStatus::Acceptable && !line.undecided).count();
    let by = format!("{good} of {} {what}", counted(lines.len(), "budget")).trim_end().to_owned();
    let others = if acceptable > 0 { format!(", {acceptable} acceptable") } else { String::new() };
    Check { ticked: good == lines.len(), by: format!("{by} met{others}") }
}
