//! Waivers: which regressions `[[accept]]` covers, and which entries have no effect.

use super::finding::Finding;
use super::outcome::Outcome;
use super::whole_suite::SuiteReport;
use crate::model::{Diagnostic, Direction, Unit, number_text};
use crate::policy::suggest::nearest_name;
use crate::policy::unused::intended_metric;
use crate::policy::{Policy, UpTo, Waiver};
use jiff::civil::Date;
use std::collections::BTreeSet;

/// How a waiver was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum WaiverUse {
    /// It matches no regression.
    #[default]
    None,
    /// It accepts a regression, or it matches one that no waiver accepts.
    Needed,
    /// Others accept every regression that it matches: the line of the last one.
    Superseded(usize),
}

/// Accepts a regression that a waiver covers. `used` has the use of each waiver.
pub(super) fn waive(finding: &mut Finding, policy: &Policy, today: Date, used: &mut [WaiverUse]) {
    if finding.outcome != Outcome::Regressed {
        return;
    }
    let (unit, direction) = (Unit::from_label(&finding.unit), finding.direction);
    let worse = finding.adjusted.or(finding.change).map(|change| direction.worse(change));
    let value = finding.head.map(|head| head.value);
    let is_matching = |waiver: &Waiver| waiver.covers(finding.own_name(), &finding.metric) && !waiver.is_expired(today);
    let matching: Vec<(usize, &Waiver)> =
        policy.waivers().iter().enumerate().filter(|(_, waiver)| is_matching(waiver)).collect();
    // Of several, the one that lasts longest: the others can go.
    let covering = matching.iter().rev().filter(|(_, waiver)| waiver.up_to.covers(worse, value, &unit, direction));
    let Some(&(covering, waiver)) = covering.max_by_key(|(index, waiver)| (waiver.until, std::cmp::Reverse(*index)))
    else {
        for (index, waiver) in matching {
            used[index] = WaiverUse::Needed;
            let why = not_covered(&waiver.up_to, worse, &unit, direction);
            finding.notes.push(format!("{why} ({})", policy.place(waiver.line)));
        }
        return;
    };
    finding.outcome = Outcome::Accepted;
    finding.notes.push(format!("accepted until {}; reason: {}", waiver.until, waiver.reason));
    used[covering] = WaiverUse::Needed;
    for (index, _) in matching {
        if used[index] != WaiverUse::Needed {
            used[index] = WaiverUse::Superseded(waiver.line);
        }
    }
}

/// Why a waiver does not cover a regression of its benchmark.
fn not_covered(up_to: &UpTo, worse: Option<f64>, unit: &Unit, direction: Direction) -> String {
    match up_to {
        UpTo::Change(_) if worse.is_none() => {
            let limit = if direction == Direction::Higher { ">=" } else { "<=" };
            format!("a change from 0 has no percentage; accept a value with its unit: up-to = \"{limit}…\"")
        }
        up_to if !up_to.fits(unit, direction) => {
            format!("`up-to` {up_to} is not in the unit of this metric, or limits its better side")
        }
        // A rate that is worse by 40% has fallen by 28.6%, which is what its row shows.
        UpTo::Change(most) if direction == Direction::Higher => {
            let (own, factor) = (number_text::change(direction.worse(*most)), 1.0 + most);
            format!("worse than the accepted {own} (`up-to` {up_to} is a factor of {factor:.2})")
        }
        up_to => format!("worse than the accepted {up_to}"),
    }
}

/// Accepts the change of the whole suite if its waiver covers it, and what there is to report about that waiver.
pub(super) fn waive_suite(
    suite: Option<SuiteReport>,
    policy: &Policy,
    today: Date,
) -> (Option<SuiteReport>, Option<Diagnostic>) {
    let Some(waiver) = policy.suite_waiver() else { return (suite, None) };
    let place = policy.place(waiver.line);
    if waiver.is_expired(today) {
        let message =
            format!("the `[[accept]]` entry for the whole suite expired on {}; renew or remove it", waiver.until);
        return (suite, Some(Diagnostic::warning("waiver-ended", place, message)));
    }
    // Only `perfgate measure` judges the suite.
    let Some(report) = suite else { return (None, None) };
    let accepted = |outcome| Some(SuiteReport { outcome, ..report });
    match report.outcome {
        Outcome::Regressed if report.change <= waiver.up_to => {
            let by = number_text::change(report.change);
            let message = format!(
                "the change of the whole suite ({by}) is accepted until {}; reason: {}",
                waiver.until, waiver.reason
            );
            (accepted(Outcome::Accepted), Some(Diagnostic::note("suite-accepted", place, message)))
        }
        Outcome::Regressed => {
            let message = format!("the whole suite is worse than the accepted {}", UpTo::Change(waiver.up_to));
            (suite, Some(Diagnostic::warning("waiver-exceeded", place, message)))
        }
        Outcome::Inconclusive => {
            let message = "the `[[accept]]` entry for the whole suite was not applied: its change is inconclusive";
            (suite, Some(Diagnostic::note("waiver-not-needed", place, message)))
        }
        Outcome::Accepted => (suite, None),
        _ => {
            let message = format!("the `[[accept]]` entry for the whole suite matches no regression; {REMOVE}");
            (suite, Some(Diagnostic::warning("waiver-unused", place, message)))
        }
    }
}

/// What there is to report about waivers that cover no regression. `is_shard`: head has only a part of the benchmarks.
pub(super) fn stale_waivers(
    policy: &Policy,
    today: Date,
    used: &[WaiverUse],
    findings: &[Finding],
    is_shard: bool,
) -> Vec<Diagnostic> {
    let stale = |(waiver, used): (&Waiver, &WaiverUse)| {
        let place = policy.place(waiver.line);
        if waiver.is_expired(today) {
            let message = format!(
                "the `[[accept]]` entry for {:?} expired on {}; renew or remove it",
                waiver.benchmark, waiver.until
            );
            Some(Diagnostic::warning("waiver-ended", place, message))
        } else if let WaiverUse::Superseded(line) = used {
            let (name, other) = (&waiver.benchmark, policy.place(*line));
            let message = format!(
                "the `[[accept]]` entry for {name:?} has no effect, because {other} accepts the regression; remove it"
            );
            Some(Diagnostic::warning("waiver-unused", place, message))
        } else if *used == WaiverUse::Needed
            || is_shard && !findings.iter().any(|one| one.own_name() == waiver.benchmark)
        {
            None
        } else if let Some(why) = undecided(waiver, findings) {
            let message = format!("the `[[accept]]` entry for {:?} was not applied: {why}", waiver.benchmark);
            Some(Diagnostic::note("waiver-not-needed", place, message))
        } else {
            let message =
                format!("the `[[accept]]` entry for {:?} matches {}", waiver.benchmark, unused(waiver, findings));
            Some(Diagnostic::warning("waiver-unused", place, message))
        }
    };
    policy.waivers().iter().zip(used).filter_map(stale).collect()
}

/// Why it is unknown whether a waiver is still needed.
fn undecided(waiver: &Waiver, findings: &[Finding]) -> Option<&'static str> {
    let covered = findings.iter().filter(|one| waiver.covers(one.own_name(), &one.metric));
    let why = |one: &Finding| match one.outcome {
        Outcome::Inconclusive => Some("the benchmark is inconclusive"),
        Outcome::Failed => Some("the benchmark failed"),
        Outcome::Removed if one.not_run => Some("the benchmark was not run"),
        _ => None,
    };
    covered.filter_map(why).next()
}

/// What a waiver without effect does not match, and how to fix it.
fn unused(waiver: &Waiver, findings: &[Finding]) -> String {
    let named = findings.iter().filter(|one| one.own_name() == waiver.benchmark);
    let metrics: BTreeSet<&str> = named.map(|one| &*one.metric).collect();
    if metrics.is_empty() {
        let help = match nearest_name(&waiver.benchmark, findings.iter().map(Finding::own_name)) {
            _ if waiver.benchmark.contains('*') => {
                "it names one benchmark and has no patterns; add an entry for each benchmark".to_owned()
            }
            Some(name) => format!("did you mean `{name}`?"),
            None => "correct or remove it".to_owned(),
        };
        return format!("no benchmark of these results; {help}");
    }
    match waiver.metric.as_deref().filter(|metric| !metrics.contains(metric)) {
        Some(metric) => format!("no metric of this benchmark; {}", intended_metric(metric, &metrics)),
        None => format!("no regression; {REMOVE}"),
    }
}

/// What to do about a waiver that matches no regression. It may be written before the change that needs it.
const REMOVE: &str = "remove it if no coming change needs it";
