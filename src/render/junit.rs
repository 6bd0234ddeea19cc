//! The Report as JUnit XML, which GitLab, Jenkins and others show as tests: a case per benchmark, and one for the gate.
//! A case fails if its benchmark makes the gate fail; an inconclusive one is skipped.

use super::escape::xml;
use super::quantity::interval;
use super::remarks::Remarks;
use super::summary;
use super::verdict_text::verdict;
use crate::verdict::{Failure, Finding, Outcome, Report, Verdict};
use std::fmt::Write;

/// The Report as JUnit XML.
pub fn junit(report: &Report) -> String {
    let failed = report.verdict == Verdict::Fail;
    let results: Vec<CaseResult> = report.benchmarks.iter().map(|finding| CaseResult::of(report, finding)).collect();
    let failures = results.iter().filter(|result| matches!(result, CaseResult::Failed(_))).count();
    let failures = failures + usize::from(failed);
    let skipped = results.iter().filter(|result| **result == CaseResult::Skipped).count();
    let skipped = skipped + usize::from(report.verdict == Verdict::None);
    let tests = report.benchmarks.len() + 1;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\" errors=\"0\"");
    let _ = writeln!(out, "<testsuites name=\"perfgate\" {counts}>\n  <testsuite name=\"perfgate\" {counts}>");
    let _ = writeln!(out, "    <testcase classname=\"perfgate\" name=\"the gate\">");
    let message = xml(&verdict(report));
    let _ = match report.verdict {
        Verdict::Fail => writeln!(out, "      <failure type=\"gate\" message=\"{message}\"/>"),
        Verdict::None => writeln!(out, "      <skipped message=\"{message}\"/>"),
        Verdict::Pass => writeln!(out, "      <system-out>{message}</system-out>"),
    };
    let _ = writeln!(out, "    </testcase>");
    for (finding, result) in report.benchmarks.iter().zip(results) {
        let class = xml(&format!("perfgate.{}", finding.metric));
        let message = xml(&sentence(report, finding));
        let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{}\">", xml(&finding.name));
        let _ = match result {
            CaseResult::Failed(kind) => writeln!(out, "      <failure type=\"{kind}\" message=\"{message}\"/>"),
            CaseResult::Skipped => writeln!(out, "      <skipped message=\"{message}\"/>"),
            CaseResult::Passed => writeln!(out, "      <system-out>{message}</system-out>"),
        };
        let _ = writeln!(out, "    </testcase>");
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// The result of a benchmark's test case.
#[derive(PartialEq)]
enum CaseResult {
    /// The type of the failure.
    Failed(&'static str),
    Skipped,
    Passed,
}

impl CaseResult {
    fn of(report: &Report, finding: &Finding) -> CaseResult {
        match report.failure(finding) {
            Some(Failure::Outcome(outcome)) => CaseResult::Failed(outcome.word()),
            Some(Failure::Budget) => CaseResult::Failed("budget"),
            None if finding.outcome == Outcome::Inconclusive => CaseResult::Skipped,
            None => CaseResult::Passed,
        }
    }
}

fn sentence(report: &Report, finding: &Finding) -> String {
    let [base, head] = summary::sides(finding);
    let word = summary::within(finding).unwrap_or_else(|| finding.word().to_owned());
    let mut text = match (finding.base, finding.head) {
        (None, None) => word,
        _ => format!("{word}: {base} → {head}"),
    };
    if let Some(by) = summary::change_of(finding) {
        let _ = write!(text, ", {by}");
    }
    if let Some(ends) = summary::interval_of(finding) {
        let _ = write!(text, " [{}]", interval(finding.change, ends));
    }
    for note in Remarks::alone(report, finding) {
        let _ = write!(text, "; {note}");
    }
    text
}
