//! What is particular to a pull request: changes of the gate's own rules, and regressions that someone accepts for its newest
//! commit.

use crate::io::github::acceptance::Requests;
use crate::model::Commit;
use crate::policy::rule_changes;
use crate::render;
use crate::verdict::Report;

/// Adds what the config of a pull request changes against the one of its base.
pub(crate) fn note_changed_rules(report: &mut Report, base: &str, head: &str) {
    let changes = rule_changes(base, head);
    if !changes.is_empty() {
        report.notices.push(render::changed_rules(&changes));
    }
}

/// Adds what the config of a fork would change, which was not used.
pub(crate) fn note_unused_rules(report: &mut Report, used: &str, of_fork: &str) {
    let changes = rule_changes(used, of_fork);
    if !changes.is_empty() {
        report.notices.push(render::unused_rules(&changes));
    }
}

/// Accepts what was requested for this head. If regressions are left, adds why the newest other request accepts nothing.
pub(crate) fn accept_requested(report: &mut Report, head: &Commit, requests: &Requests) {
    for acceptance in &requests.accepted {
        let is_named = |name: &str| acceptance.benchmark.as_ref().is_none_or(|wanted| name == wanted);
        let accepted = report.accept(|finding| is_named(&finding.name), &render::acceptance_remark(acceptance));
        let suite = acceptance.benchmark.is_none() && report.accept_suite();
        if accepted > 0 || suite {
            report.notices.push(render::accepted(acceptance, accepted, suite, head));
        }
    }
    if let Some(refusal) = requests.refused.last().filter(|_| report.fails_on_regressions()) {
        report.notices.push(render::refused(refusal, head));
    }
}
