//! What the tools of a side reported besides their numbers.

use super::side::Side;
use crate::model::{Diagnostic, Run, Said, Statement, Tests};
use std::collections::BTreeSet;

/// The tools of some runs.
pub(super) fn of(runs: &[Run]) -> BTreeSet<&str> {
    let mut tools = BTreeSet::new();
    // Neighbours mostly have the same tool, so the set is searched only where the tool changes.
    let mut last = None;
    for tool in runs.iter().flat_map(|run| &run.measurements).map(|measurement| &*measurement.tool) {
        if last.replace(tool) != Some(tool) {
            tools.insert(tool);
        }
    }
    tools
}

/// What the tools of a side reported besides their numbers.
pub(super) fn reported(side: &Side) -> Said {
    let tools = of(&side.runs);
    let tests = tools.contains(RUNNER).then(|| {
        let of_run = |run: &Run| run.measurements.iter().filter(|m| m.tool == RUNNER).count();
        let failed = side.diagnostics.iter().filter(|diagnostic| diagnostic.code == "failed-test").count();
        Tests { passed: side.runs.last().map(of_run).unwrap_or_default(), failed }
    });
    let environment = side.environment.clone().unwrap_or_default().0;
    let repeated = side.diagnostics.iter().filter_map(statement).collect();
    Said { tools: tools.into_iter().map(str::to_owned).collect(), environment, tests, repeated }
}

/// The format whose results are tests that passed.
const RUNNER: &str = "junit-xml";

/// `runs 8 times (…): SELECT …`, as the reader of the log writes it down.
fn statement(diagnostic: &Diagnostic) -> Option<Statement> {
    if diagnostic.code != "repeated-statement" {
        return None;
    }
    let (times, text) = diagnostic.message.strip_prefix("runs ")?.split_once(" times")?;
    let text = text.split_once("): ").map_or(text, |(_, text)| text);
    Some(Statement { text: text.to_owned(), times: times.parse().ok()? })
}
