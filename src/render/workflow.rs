//! The Report as workflow commands: `::error` and `::warning` lines that GitHub shows as annotations. All texts in them
//! are escaped. The commands name no file, as benchmark results have no source lines.

use super::escape::{workflow_message, workflow_property};
use super::quantity::{change, interval, pair};
use super::remarks::Remarks;
use super::summary;
use super::verdict_text::verdict;
use crate::model::{Diagnostic, Severity};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, Outcome, Reason, Report, Verdict};
use std::collections::BTreeSet;

/// GitHub shows at most this many annotations per level and step.
const MAX_ANNOTATIONS: usize = 10;

/// A line for each row and each missed budget that fails the gate, for each other reason, and for each suspect. Each reason has
/// one of the first lines. If there are too many, the last line of a level counts the rest.
pub fn workflow(report: &Report) -> String {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for reason in &report.reasons {
        errors.push(of_reason(report, *reason));
    }
    for one in &report.benchmarks {
        let is_worse = matches!(one.outcome, Outcome::Regressed | Outcome::Failed);
        if report.fails_by_outcome(one) {
            errors.push(Some(finding(report, one)));
        } else if is_worse || one.is_suspected_regression() {
            warnings.push(finding(report, one));
        }
    }
    let missed = report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).map(budget);
    if report.reasons.iter().any(|reason| matches!(reason, Reason::OverBudget(_))) {
        errors.extend(missed.map(Some));
    } else {
        warnings.extend(missed);
    }
    let mut errors: Vec<(String, String)> = unique(errors.into_iter().flatten());
    // A first run needs no annotation; its log and summary name what is missing.
    let is_without_verdict = report.verdict == Verdict::None && !report.first_run;
    if errors.is_empty() && (report.verdict == Verdict::Fail || is_without_verdict && warnings.is_empty()) {
        errors.push(("perfgate".to_owned(), verdict(report)));
    }
    if is_without_verdict {
        return lines("warning", unique(errors.into_iter().chain(warnings)));
    }
    lines("error", errors) + &lines("warning", warnings)
}

/// The first annotation of a reason: its worst row or budget, or a sentence where it has none.
fn of_reason(report: &Report, reason: Reason) -> Option<(String, String)> {
    match reason {
        Reason::Outcome(outcome, _) => {
            let is_one = |one: &&Finding| one.outcome == outcome && report.fails_by_outcome(one);
            report.benchmarks.iter().find(is_one).map(|one| finding(report, one))
        }
        Reason::OverBudget(_) => report.budgets.iter().find(|line| line.status == BudgetStatus::Fail).map(budget),
        Reason::WholeSuite | Reason::DifferentMachines | Reason::Unknown => {
            Some(("perfgate".to_owned(), summary::reason(report, &reason)))
        }
    }
}

/// The annotations without duplicates.
fn unique(all: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(one.clone())).collect()
}

/// A line for each diagnostic that is not part of the report.
pub fn workflow_notes(diagnostics: &[Diagnostic]) -> String {
    let line = |diagnostic: &Diagnostic| {
        let command = match diagnostic.severity {
            Severity::Note => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let title = workflow_property(&format!("perfgate {}", diagnostic.code));
        format!("::{command} title={title}::{}\n", workflow_message(&diagnostic.to_string()))
    };
    diagnostics.iter().map(line).collect()
}

fn finding(report: &Report, finding: &Finding) -> (String, String) {
    let [base, head] = summary::sides(finding);
    let mut text = format!("{} {}: {base} → {head}", finding.metric, finding.word());
    if let Some(by) = finding.change {
        text.push_str(&format!(", {}", change(by)));
    }
    if let Some(ends) = summary::interval_of(finding) {
        text.push_str(&format!(" [{}]", interval(finding.change, ends)));
    }
    for remark in Remarks::alone(report, finding) {
        text.push_str(&format!("; {remark}"));
    }
    (finding.name.clone(), text)
}

fn budget(line: &BudgetLine) -> (String, String) {
    let [value] = pair([line.value], &line.unit);
    (line.benchmark.clone(), format!("{} budget not met: {value}, target {}", line.metric, line.target))
}

fn lines(command: &str, annotations: Vec<(String, String)>) -> String {
    let more = annotations.len().saturating_sub(MAX_ANNOTATIONS);
    let shown = if more > 0 { MAX_ANNOTATIONS - 1 } else { MAX_ANNOTATIONS };
    let line = |(name, text): &(String, String)| {
        format!("::{command} title={}::{}\n", workflow_property(name), workflow_message(text))
    };
    let mut out: String = annotations.iter().take(shown).map(line).collect();
    if more > 0 {
        out.push_str(&format!("::{command} title=perfgate::and {} more; see the job summary\n", more + 1));
    }
    out
}
