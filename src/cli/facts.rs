//! Facts that a saved comparison stores next to the numbers: git's, the tools' own reports, and `[template]`.

use super::output;
use super::reproduce::{compare_line, measure_line};
use crate::gate::{BenchCommand, Gate, MeasurePlan};
use crate::io::repository::RepositoryError;
use crate::model::{Facts, ToolReports};
use crate::verdict::{Report, SideReport};
use std::collections::BTreeSet;

/// Why a file without facts does not describe the change.
const NOT_SAVED: &str = "the comparison file does not describe it; write the file with `--save`";

fn today() -> Option<String> {
    Some(jiff::Zoned::now().date().to_string())
}

/// All facts. If git fails, the change is left out, with a warning.
fn gather(gate: &Gate, base: ToolReports, head: ToolReports, reproduce: Option<String>) -> Facts {
    let (change, change_unknown) = match gate.repository().and_then(|repository| repository.change()) {
        Ok(change) => (Some(change), None),
        Err(RepositoryError::None { .. }) => (None, None),
        Err(error) => {
            output::warn(&format!("the report does not describe the change in git: {error}"));
            (None, Some(error.to_string()))
        }
    };
    Facts { change, change_unknown, fields: gate.policy().fields().clone(), base, head, day: today(), reproduce }
}

/// Adds what the report of a comparison file has itself, and today for the waivers that it suggests, if the file has no facts:
/// `perfgate compare --format json` does not gather them.
pub fn complete_saved(report: &mut Report) {
    if report.facts.is_none() {
        let [base, head] = tool_reports(report);
        report.facts =
            Some(Facts { base, head, day: today(), change_unknown: Some(NOT_SAVED.to_owned()), ..Facts::default() });
    }
}

/// Adds git's facts, the team's fields and the command line to what the tools of both sides reported.
pub fn complete_compared(gate: &Gate, report: &mut Report) {
    // The label of a single path is the path itself.
    let path = |side: &SideReport| {
        if side.runs == 1 && side.commits.is_empty() { vec![side.label.clone()] } else { Vec::new() }
    };
    let paths = [path(&report.base), path(&report.head)];
    complete_sides(gate, report, paths);
}

/// The same with the paths of both sides, one for each run.
pub fn complete_sides(gate: &Gate, report: &mut Report, paths: [Vec<String>; 2]) {
    complete(gate, report, &paths);
}

/// Like [`complete_compared`], for results of another job, which have no path here.
pub fn complete_packed(gate: &Gate, report: &mut Report) {
    complete(gate, report, &[Vec::new(), Vec::new()]);
}

fn complete(gate: &Gate, report: &mut Report, paths: &[Vec<String>; 2]) {
    let Some(facts) = report.facts.take() else { return };
    let remote = gate.stated_repository().ok().and_then(|repository| repository.remote());
    let line = compare_line(gate, remote.as_deref(), &report.base, &report.head, paths, &facts.head.tools);
    report.facts = Some(gather(gate, facts.base, facts.head, line));
}

/// Facts for a report. `measured` is the command that measured both sides, if it is known.
pub fn of_measured(gate: &Gate, report: &Report, measured: Option<(&BenchCommand, &MeasurePlan)>) -> Facts {
    let line = measured.zip(report.base.commit.as_ref());
    let line = line.map(|((command, plan), base)| measure_line(gate, base, command, plan));
    let [base, head] = tool_reports(report);
    gather(gate, base, head, line)
}

/// The tools and environments of base and head, from the report alone.
fn tool_reports(report: &Report) -> [ToolReports; 2] {
    let tools: BTreeSet<&str> = report.benchmarks.iter().map(|finding| &*finding.tool).collect();
    let tools: Vec<String> = tools.into_iter().map(str::to_owned).collect();
    [&report.base, &report.head].map(|side| {
        let (tools, environment) = (tools.clone(), side.environment.clone());
        ToolReports { tools, environment, ..ToolReports::default() }
    })
}
