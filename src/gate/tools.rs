//! What the tools of a side reported next to their numbers.

use super::side::Side;
use crate::model::{Diagnostic, Said, Statement, Tests};
use std::collections::BTreeSet;

/// What the tools of a side said beside their numbers.
pub fn said(side: &Side) -> Said {
    let tools: BTreeSet<&str> = side.runs.iter().flat_map(|run| &run.measurements).map(|m| &*m.tool).collect();
    let tests = tools.contains(RUNNER).then(|| {
        let of_run = |run: &crate::model::Run| run.measurements.iter().filter(|m| m.tool == RUNNER).count();
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
