//! Check boxes that evidence decides: ticked only where it does, and each says by what.

use super::context::{Check, Checks};
use super::headline::{is_load, sums};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, GoalStatus, Outcome, Report};

/// All of them.
pub fn checks(report: &Report) -> Checks {
    let budgets_on = |belongs: &dyn Fn(&str) -> bool, what: &str| {
        let lines: Vec<&BudgetLine> = report.budgets.iter().filter(|line| belongs(&line.metric)).collect();
        kept(&lines, what)
    };
    let memory = |metric: &str| metric.starts_with("memory");
    let cpu = |metric: &str| metric.starts_with("cpu") || metric == "time:user" || metric == "time:self";
    let change = report.facts.as_ref().and_then(|facts| facts.change.as_ref());
    let in_change = |found: &dyn Fn(&crate::model::Change) -> (bool, String)| match change {
        None => open("the change is not known: no git repository"),
        Some(change) => {
            let (ticked, by) = found(change);
            Check { ticked, by }
        }
    };
    Checks {
        improved: improved(report),
        no_regression: no_regression(report),
        load: steady(report, "endpoint metrics", "no load test was read", &is_load),
        memory: budgets_on(&memory, "on memory"),
        queries_stable: steady(report, "counts of statements", "no statements were logged", &|f| {
            f.metric.starts_with("queries")
        }),
        queries_fewer: queries_fewer(report),
        resources: resources(budgets_on(&memory, "on memory"), budgets_on(&cpu, "on CPU")),
        tests: tests(report),
        budgets: budgets_on(&|_| true, ""),
        no_database_change: in_change(&|change| match (change.indexes.len(), change.migrations.as_slice()) {
            (0, []) => (true, format!("none of the {} changed files", change.files.len() + change.more_files)),
            (_, [first, ..]) => (false, first.clone()),
            (count, []) => (false, format!("{count} index statements")),
        }),
        index_added: in_change(&|change| match change.indexes.first() {
            Some(first) => (true, first.clone()),
            None => (false, "no index statement in the change".to_owned()),
        }),
        migration: in_change(&|change| match change.migrations.as_slice() {
            [] => (false, "no migration in the change".to_owned()),
            files => (true, files.join(", ")),
        }),
        complexity: complexity(report),
    }
}

fn resources(memory: Check, cpu: Check) -> Check {
    Check { ticked: memory.ticked && cpu.ticked, by: format!("{}; {}", memory.by, cpu.by) }
}

fn complexity(report: &Report) -> Check {
    let Some((before, after)) = sums(report, "complexity") else { return open("complexity was not measured") };
    let rose =
        report.benchmarks.iter().filter(|f| f.metric == "complexity" && f.change.is_some_and(|change| change > 0.0));
    let rose = rose.count();
    let by = format!("{rose} functions got more complex, sum of complexity {before} → {after}");
    Check { ticked: rose == 0 && after <= before, by }
}

fn open(by: &str) -> Check {
    Check { ticked: false, by: by.to_owned() }
}

fn improved(report: &Report) -> Check {
    let counts = report.counts;
    let met = report.goals.iter().filter(|goal| goal.status == GoalStatus::Met).count();
    if !report.goals.is_empty() {
        let by = format!("{met} of {} expectations met, {} regressed", report.goals.len(), counts.regressed);
        return Check { ticked: met == report.goals.len() && counts.regressed == 0, by };
    }
    let by = format!("{} improved, {} regressed", counts.improved, counts.regressed);
    Check { ticked: counts.improved > 0 && counts.regressed == 0, by }
}

fn no_regression(report: &Report) -> Check {
    let counts = report.counts;
    let judged = counts.improved + counts.unchanged + counts.regressed + counts.inconclusive + counts.accepted;
    if judged == 0 {
        return open("nothing was compared");
    }
    let shown = counts.improved + counts.unchanged;
    let mut by = format!("{shown} of {judged} shown unchanged or improved");
    for (count, word) in
        [(counts.regressed, "regressed"), (counts.inconclusive, "inconclusive"), (counts.accepted, "accepted")]
    {
        if count > 0 {
            by.push_str(&format!(", {count} {word}"));
        }
    }
    Check { ticked: shown == judged, by }
}

/// Everything of a kind that both sides have is unchanged or better.
fn steady(report: &Report, what: &str, nothing: &str, belongs: &dyn Fn(&Finding) -> bool) -> Check {
    let both = report.benchmarks.iter().filter(|f| belongs(f) && f.base.is_some() && f.head.is_some());
    let outcomes: Vec<Outcome> = both.map(|finding| finding.outcome).collect();
    if outcomes.is_empty() {
        return open(nothing);
    }
    let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    let good = count(Outcome::Unchanged) + count(Outcome::Improved);
    let mut by = format!("{good} of {} {what} unchanged or improved", outcomes.len());
    for outcome in [Outcome::Regressed, Outcome::Inconclusive, Outcome::Accepted] {
        if count(outcome) > 0 {
            by.push_str(&format!(", {} {}", count(outcome), outcome.word()));
        }
    }
    Check { ticked: good == outcomes.len(), by }
}

fn queries_fewer(report: &Report) -> Check {
    let totals =
        report.benchmarks.iter().filter(|f| f.metric == "queries").filter_map(|f| Some((f.base?.value, f.head?.value)));
    match totals.max_by(|a, b| a.0.max(a.1).total_cmp(&b.0.max(b.1))) {
        None => open("no statements were logged"),
        Some((before, after)) => Check { ticked: after < before, by: format!("{before} → {after} statements") },
    }
}

fn tests(report: &Report) -> Check {
    match report.facts.as_ref().and_then(|facts| facts.head.tests) {
        None => open("no test report was read"),
        Some(tests) => {
            let by = format!("{} passed, {} failed", tests.passed, tests.failed);
            Check { ticked: tests.failed == 0 && tests.passed > 0, by }
        }
    }
}

fn kept(lines: &[&BudgetLine], what: &str) -> Check {
    if lines.is_empty() {
        return Check { ticked: false, by: format!("there is no budget {what}").trim_end().to_owned() };
    }
    let keeps = |line: &&&BudgetLine| match line.status {
        BudgetStatus::Pass => true,
        BudgetStatus::Acceptable => !line.near, // near may also be over the last limit, and not clearly
        _ => false,
    };
    let good = lines.iter().filter(keeps).count();
    let by = format!("{good} of {} budgets {what}", lines.len()).trim_end().to_owned();
    Check { ticked: good == lines.len(), by: format!("{by} kept") }
}
