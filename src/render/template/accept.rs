//! Waivers to accept regressions: lines for perfgate.toml, ready to paste.

use crate::model::Direction;
use crate::policy::MAX_ACCEPTED;
use crate::render::escape;
use crate::render::quantity::{change, counted, thousands};
use crate::verdict::{BudgetStatus, Finding, Outcome, Report, Verdict};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Waivers are suggested for this many regressions; more are unlikely to be intended.
const MAX_WAIVERS: usize = 10;
/// Days until a suggested waiver expires.
const DAYS_UNTIL_EXPIRY: i64 = 90;

/// `[[accept]]` entries for the first regressions, and a line with the number of further ones. Empty
///
/// - without a regression;
/// - if the date of the report is unknown;
/// - in a pull request from a fork, whose waivers do not apply;
/// - if other commits may have caused the regressions.
pub fn suggested_waivers(report: &Report) -> String {
    let no_waiver = report.acceptable.as_ref().is_some_and(|acceptable| !acceptable.by_waiver);
    if no_waiver || report.verdict == Verdict::None && report.base.gap.is_some() {
        return String::new();
    }
    let day = report.facts.as_ref().and_then(|facts| facts.day.as_deref());
    let Some(until) =
        day.and_then(|day| day.parse::<Date>().ok()).and_then(|day| day.checked_add(DAYS_UNTIL_EXPIRY.days()).ok())
    else {
        return String::new();
    };
    let mut out = of_suite(report, until);
    let regressed = report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Regressed);
    // The entry for the worst machine class covers the others.
    let mut seen = BTreeSet::new();
    let regressed = regressed.filter(|finding| seen.insert((finding.own_name(), &*finding.metric)));
    // The config refuses an entry without a name.
    let named = regressed.filter(|finding| !finding.own_name().trim().is_empty());
    let mut entries = named.filter_map(|finding| Some((finding, up_to(finding)?)));
    for (finding, up_to) in entries.by_ref().take(MAX_WAIVERS) {
        let (name, metric) = (escape::toml(finding.own_name()), escape::toml(&finding.metric));
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = write!(
            out,
            "{gap}[[accept]]\nbenchmark = {name}\nmetric = {metric}\nup-to = \"{up_to}\"{}\nreason = \"why this is accepted\"\n\
             until = \"{until}\"\n",
            origin(finding)
        );
    }
    let more = entries.count();
    if more > 0 {
        let regressions = counted(more, "more regression");
        let _ = write!(out, "\n# {regressions}: copy an entry and change its benchmark, metric and up-to\n");
    }
    if !out.is_empty() {
        out.push_str(&missed_budgets(report));
    }
    out
}

/// A comment on the budgets that the entries do not accept.
fn missed_budgets(report: &Report) -> String {
    match report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).count() {
        0 => String::new(),
        1 => "\n# this does not cover the missed budget, whose limit is in a [[budget]] entry\n".to_owned(),
        count => {
            let count = thousands(count);
            format!("\n# this does not cover the {count} missed budgets, whose limits are in [[budget]] entries\n")
        }
    }
}

/// Where the accepted change comes from, as a comment: it may be much larger than the measured one.
fn origin(finding: &Finding) -> String {
    let worse = |change: f64| finding.direction.worse(change);
    match (finding.adjusted.or(finding.change), finding.interval) {
        (Some(by), Some([low, high])) if whole_percent(worse(low).max(worse(high))) > whole_percent(worse(by)) => {
            format!(" # measured: {}; this is the worse end of its 95% interval, rounded up", change(by))
        }
        _ => String::new(),
    }
}

/// The entry for the change of the whole suite, if that regressed.
fn of_suite(report: &Report, until: Date) -> String {
    let suite = report.suite.filter(|suite| suite.outcome == Outcome::Regressed);
    let Some(suite) = suite.filter(|suite| suite.interval[1] < MAX_ACCEPTED) else { return String::new() };
    let up_to = whole_percent(suite.interval[1]);
    format!("[[accept]]\nsuite = true\nup-to = \"{up_to}%\"\nreason = \"why this is accepted\"\nuntil = \"{until}\"\n")
}

fn whole_percent(fraction: f64) -> f64 {
    (fraction * 100.0).ceil()
}

/// The worse end of the interval, rounded up to whole percent. Where no percentage covers the change, as from 0, a limit on the
/// value of head.
fn up_to(finding: &Finding) -> Option<String> {
    let worse = |change: f64| finding.direction.worse(change);
    let tested = finding.adjusted.or(finding.change).map(worse);
    let ends = finding.interval.unwrap_or_default().map(worse);
    let ends = || ends.into_iter().filter(|end| end.is_finite());
    let most = tested.map(|tested| ends().fold(tested, f64::max));
    match most {
        Some(most) if most > 0.0 && most < MAX_ACCEPTED => Some(format!("{}%", whole_percent(most))),
        _ => limit_on(finding.head?.value, finding),
    }
}

/// A limit that a value of head meets.
fn limit_on(value: f64, finding: &Finding) -> Option<String> {
    let sign = match finding.direction {
        Direction::Lower => "<=",
        Direction::Higher => ">=",
        Direction::Unknown => return None,
    };
    let unit = match &*finding.unit {
        "ns" | "B" | "B/s" | "/s" | "%" => &*finding.unit,
        _ => "",
    };
    Some(format!("{sign}{value}{unit}"))
}
