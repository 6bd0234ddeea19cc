//! The Report as JUnit XML, which GitLab, Jenkins and others show as tests: a case for each benchmark, and one for the
//! gate as a whole. A case fails where its benchmark is a reason that the gate fails; what is not decided is skipped.

use super::escape::xml;
use super::quantity::{change, pair};
use super::summary;
use crate::verdict::{BudgetStatus, Finding, Outcome, Report, Verdict};
use std::fmt::Write;

/// The Report as JUnit XML.
pub fn junit(report: &Report) -> String {
    let fails = |word: &str| report.reasons.iter().any(|reason| reason.ends_with(word));
    let fails = |finding: &Finding| {
        fails(finding.outcome.word()) || finding.budget.status == BudgetStatus::Fail && fails("over budget")
    };
    let failed = report.verdict == Verdict::Fail;
    let failures = report.benchmarks.iter().filter(|finding| fails(finding)).count() + usize::from(failed);
    let open = |finding: &&Finding| finding.outcome == Outcome::Inconclusive && !fails(finding);
    let skipped = report.benchmarks.iter().filter(open).count();
    let tests = report.benchmarks.len() + 1;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\" errors=\"0\"");
    let _ = writeln!(out, "<testsuites name=\"perfgate\" {counts}>\n  <testsuite name=\"perfgate\" {counts}>");
    let _ = writeln!(out, "    <testcase classname=\"perfgate\" name=\"the gate\">");
    if failed {
        let _ = writeln!(out, "      <failure type=\"gate\" message=\"{}\"/>", xml(&summary::verdict(report)));
    }
    let _ = writeln!(out, "    </testcase>");
    for finding in &report.benchmarks {
        let class = xml(&format!("perfgate.{}", finding.metric));
        let said = xml(&sentence(finding));
        let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{}\">", xml(&finding.name));
        let word = finding.outcome.word();
        let _ = if fails(finding) {
            let kind = if fails_by_outcome(report, finding) { word } else { "budget" };
            writeln!(out, "      <failure type=\"{kind}\" message=\"{said}\"/>")
        } else if finding.outcome == Outcome::Inconclusive {
            writeln!(out, "      <skipped message=\"{said}\"/>")
        } else {
            writeln!(out, "      <system-out>{said}</system-out>")
        };
        let _ = writeln!(out, "    </testcase>");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn fails_by_outcome(report: &Report, finding: &Finding) -> bool {
    report.reasons.iter().any(|reason| reason.ends_with(finding.outcome.word()))
}

fn sentence(finding: &Finding) -> String {
    let [base, head] = pair([finding.base, finding.head].map(|side| side.map(|v| v.value)), &finding.unit);
    let mut text = format!("{}: {base} → {head}", finding.outcome.word());
    if let Some(by) = finding.change {
        let _ = write!(text, ", {}", change(by));
    }
    if let Some([low, high]) = finding.interval {
        let _ = write!(text, " [{} … {}]", change(low), change(high));
    }
    for note in finding.notes.iter().cloned().chain(summary::advice(finding)) {
        let _ = write!(text, "; {note}");
    }
    text
}
