//! What the tools of a side reported besides their numbers.

use super::side::Side;
use crate::model::{Run, ToolReports};
use std::collections::BTreeSet;

/// The tools of some runs.
pub(super) fn of(runs: &[Run]) -> BTreeSet<&str> {
    let mut tools = BTreeSet::new();
    // Consecutive measurements mostly have the same tool, so the set is searched only when the tool changes.
    let mut last = None;
    for tool in runs.iter().flat_map(|run| &run.measurements).map(|measurement| &*measurement.tool) {
        if last.replace(tool) != Some(tool) {
            tools.insert(tool);
        }
    }
    tools
}

/// What the tools of a side reported besides their numbers. Counts are those of the last run that has them.
pub(super) fn reported(side: &Side) -> ToolReports {
    let newest_first = || side.runs.iter().rev();
    ToolReports {
        tools: of(&side.runs).into_iter().map(str::to_owned).collect(),
        environment: side.environment.clone().unwrap_or_default().0,
        tests: newest_first().find_map(|run| run.tests),
        repeated: newest_first().find_map(|run| run.repeated.clone()).unwrap_or_default(),
    }
}
