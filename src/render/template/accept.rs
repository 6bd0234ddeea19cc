//! How a regression is accepted: the lines of perfgate.toml that do it, ready to be pasted.

use crate::render::escape;
use crate::verdict::{Finding, Outcome, Report};
use jiff::ToSpan;
use jiff::civil::Date;
use std::fmt::Write;

/// Regressions that get their lines; whoever has more has another question to answer.
const LINES_FOR: usize = 10;
/// How long such a waiver holds.
const DAYS: i64 = 90;

/// `[[accept]]` for the first regressions; empty where there is none, or where the day is not known.
pub fn accept(report: &Report) -> String {
    let day = report.facts.as_ref().and_then(|facts| facts.day.as_deref());
    let Some(until) = day.and_then(|day| day.parse::<Date>().ok()).and_then(|day| day.checked_add(DAYS.days()).ok())
    else {
        return String::new();
    };
    let mut out = String::new();
    let regressed = report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Regressed);
    for (finding, percent) in regressed.filter_map(|f| Some((f, up_to(f)?))).take(LINES_FOR) {
        let (name, metric) = (escape::toml(&finding.name), escape::toml(&finding.metric));
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = write!(
            out,
            "{gap}[[accept]]\nbenchmark = {name}\nmetric = {metric}\nup-to = \"{percent}%\"\nreason = \"say why\"\n\
             until = \"{until}\"\n"
        );
    }
    out
}

/// The worse end of the interval in whole percent: as far as this evidence reaches.
fn up_to(finding: &Finding) -> Option<u64> {
    let worse = |change: f64| finding.direction.worse(change);
    let tested = worse(finding.adjusted.or(finding.change)?);
    let ends = finding.interval.unwrap_or_default().map(worse);
    let most = ends.into_iter().filter(|end| end.is_finite()).fold(tested, f64::max);
    (most > 0.0 && most < 1e9).then(|| (most * 100.0).ceil() as u64)
}
