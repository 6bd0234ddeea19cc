//! The Report as JUnit XML, which GitLab, Jenkins and others show as tests: a case per benchmark, and one for the verdict.
//! A case fails if its benchmark makes the gate fail; an inconclusive one is skipped.

use super::escape::xml;
use super::method::method;
use super::next::next_step;
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
    let of_gate = match report.verdict {
        Verdict::Fail => CaseResult::Failed("gate"),
        Verdict::None => CaseResult::Skipped,
        Verdict::Pass => CaseResult::Passed,
    };
    let next = next_step(report).map(|next| format!(". Next: {next}")).unwrap_or_default();
    let text = format!("{} ({}){next}", verdict(report), method(report));
    case(&mut out, "perfgate", VERDICT, &of_gate, &text);
    for (finding, result) in report.benchmarks.iter().zip(&results) {
        let class = format!("perfgate.{}", finding.metric);
        case(&mut out, &class, &finding.name, result, &sentence(report, finding));
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// The name of the case that fails with the gate.
const VERDICT: &str = "verdict on all benchmarks";

/// A test case. GitLab shows the content of a failure, Jenkins its message.
fn case(out: &mut String, class: &str, name: &str, result: &CaseResult, text: &str) {
    let (class, name, text) = (xml(class), xml(name), xml(text));
    let _ = writeln!(out, "    <testcase classname=\"{class}\" name=\"{name}\">");
    let _ = match result {
        CaseResult::Failed(kind) => writeln!(out, "      <failure type=\"{kind}\" message=\"{text}\">{text}</failure>"),
        CaseResult::Skipped => writeln!(out, "      <skipped message=\"{text}\"/>"),
        CaseResult::Passed => writeln!(out, "      <system-out>{text}</system-out>"),
    };
    let _ = writeln!(out, "    </testcase>");
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
