//! The note on metrics whose better direction neither their file nor the config states.

use super::finding::Finding;
use super::outcome::Outcome;
use crate::model::Diagnostic;
use std::collections::BTreeSet;

/// Metrics listed in the note.
const MAX_METRICS: usize = 10;

/// One note for the whole report, with the lines that state the direction. The worst finding comes first.
pub(super) fn unknown(findings: &[Finding]) -> Option<Diagnostic> {
    let is_shown = |one: &&Finding| matches!(one.outcome, Outcome::Inconclusive | Outcome::Added);
    let unknown: Vec<&Finding> = findings.iter().filter(|one| !one.direction.is_known()).filter(is_shown).collect();
    let metric = &*unknown.first()?.metric;
    let mut metrics: Vec<&str> = Vec::new();
    for finding in &unknown {
        if !metrics.contains(&&*finding.metric) {
            metrics.push(&finding.metric);
        }
    }
    let benchmarks: BTreeSet<&str> =
        unknown.iter().filter(|one| one.metric == metric).map(|one| one.own_name()).collect();
    let mut names = metrics.iter().take(MAX_METRICS).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if metrics.len() > MAX_METRICS {
        names.push_str(&format!(" and {} more", metrics.len() - MAX_METRICS));
    }
    // The same plain `value` of two benchmarks may be two quantities.
    let is_plain = metric.starts_with("value") || metric == "count" || metric == "rate";
    let pattern = if benchmarks.len() > 1 && !is_plain { "*" } else { unknown.first()?.own_name() };
    let message = format!(
        "the better direction of {names} is unknown, so changes are shown but not tested. To state it, add a [[benchmark]] to \
         perfgate.toml with match = {pattern:?}, metric = {metric:?} and direction = \"higher\" or \"lower\""
    );
    Some(Diagnostic::note("assumed-direction", "", message))
}
