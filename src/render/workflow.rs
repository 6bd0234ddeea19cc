//! The Report as workflow commands: `::error` and `::warning` lines that GitHub shows as annotations. All texts in them
//! are escaped. The commands name no file, as benchmark results have no source lines.

use super::escape::{workflow_message, workflow_property};
use super::quantity::{change, pair};
use super::remarks::Remarks;
use super::summary;
use crate::model::{Diagnostic, Severity};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, Outcome, Report, Verdict};

/// GitHub shows at most this many annotations per level and step.
const SHOWN: usize = 10;

/// A line for each regression and failed benchmark, each missed budget and each suspect; the last line of a level counts the rest.
pub fn workflow(report: &Report) -> String {
    let failed = report.verdict == Verdict::Fail;
    let level = if failed { "error" } else { "warning" };
    let budgets = report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).map(budget);
    let annotation = |one: &Finding| finding(report, one);
    let is_failure = |finding: &&Finding| matches!(finding.outcome, Outcome::Regressed | Outcome::Failed);
    let worse = report.benchmarks.iter().filter(is_failure).map(annotation);
    let mut failures: Vec<(String, String)> = worse.chain(budgets).collect();
    // A first run needs no annotation; its log and summary name what is missing.
    let is_without_verdict = report.verdict == Verdict::None && !report.first_run;
    if (failed || is_without_verdict) && failures.is_empty() {
        failures.push(("perfgate".to_owned(), summary::verdict(report)));
    }
    let suspects = report.benchmarks.iter().filter(|f| f.suspect && f.outcome == Outcome::Inconclusive);
    let suspects = suspects.map(annotation);
    lines(level, failures) + &lines("warning", suspects.collect())
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
    let [base, head] = pair([finding.base, finding.head].map(|side| side.map(|value| value.value)), &finding.unit);
    let mut text = format!("{} {}: {base} → {head}", finding.metric, finding.word());
    if let Some(by) = finding.change {
        text.push_str(&format!(", {}", change(by)));
    }
    if let Some([low, high]) = finding.interval {
        text.push_str(&format!(" [{} … {}]", change(low), change(high)));
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
    let more = annotations.len().saturating_sub(SHOWN);
    let shown = if more > 0 { SHOWN - 1 } else { SHOWN };
    let line = |(name, text): &(String, String)| {
        format!("::{command} title={}::{}\n", workflow_property(name), workflow_message(text))
    };
    let mut out: String = annotations.iter().take(shown).map(line).collect();
    if more > 0 {
        out.push_str(&format!("::{command} title=perfgate::and {} more; see the job summary\n", more + 1));
    }
    out
}
