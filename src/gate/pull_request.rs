//! What applies only to pull requests: changes of the gate's own rules, and regressions that someone accepts for the newest
//! commit.

use crate::io::github::acceptance::Requests;
use crate::model::Commit;
use crate::policy::rule_changes;
use crate::render::{self, escape};
use crate::verdict::{Finding, Outcome, Report};
use std::collections::BTreeSet;

/// Adds how the config of a pull request differs from that of its base.
pub(crate) fn note_changed_rules(report: &mut Report, base: &str, head: &str) {
    let changes = rule_changes(base, head);
    if !changes.is_empty() {
        report.notices.push(render::changed_rules(&changes));
    }
}

/// Adds what the config of a fork, which was not used, would change.
pub(crate) fn note_unused_rules(report: &mut Report, used: &str, of_fork: &str) {
    let changes = rule_changes(used, of_fork);
    if !changes.is_empty() {
        report.notices.push(render::unused_rules(&changes));
    }
}

/// Accepts what was requested for this head; `pull` is the one of a merge group. If regressions are left, adds why the newest
/// other requests accept nothing.
pub(crate) fn accept_requested(report: &mut Report, head: &Commit, pull: Option<u64>, requests: &Requests) {
    let mut unknown = None;
    for acceptance in &requests.accepted {
        let names = acceptance.benchmark.as_deref().map(|wanted| named(report, wanted));
        let is_named = |name: &str| names.as_ref().is_none_or(|names| names.contains(name));
        let accepted = report.accept(|finding| is_named(&finding.name), &render::acceptance_remark(acceptance));
        let suite = acceptance.benchmark.is_none() && report.accept_suite();
        if accepted > 0 || suite {
            report.notices.push(render::accepted(acceptance, accepted, suite, head, pull));
        } else if names.is_some_and(|names| names.is_empty()) {
            unknown = Some(render::accepted_nothing(acceptance));
        }
    }
    if report.fails_on_regressions() {
        report.notices.extend(unknown);
        report.notices.extend(requests.refused.last().map(|refusal| render::refused(refusal, head)));
    }
}

/// The regressed or accepted benchmarks that a request names: by the exact name, or else by the name as it is
/// displayed.
fn named(report: &Report, wanted: &str) -> BTreeSet<String> {
    let seen = |name: &str| escape::terminal(name).split_whitespace().collect::<Vec<_>>().join(" ");
    let find = |is_wanted: &dyn Fn(&str) -> bool| -> BTreeSet<String> {
        let known = report
            .benchmarks
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::Regressed | Outcome::Accepted));
        let is_named = |finding: &&Finding| is_wanted(&finding.name) || is_wanted(finding.own_name());
        known.filter(is_named).map(|finding| finding.name.clone()).collect()
    };
    let exact = find(&|name| name == wanted);
    if exact.is_empty() { find(&|name| seen(name) == seen(wanted)) } else { exact }
}
