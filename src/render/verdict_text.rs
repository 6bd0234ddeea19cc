//! The verdict in a sentence, and what a passing gate does not decide.

mod no_verdict;

use super::fit::shortened;
use super::open_reason::usual_reason;
use super::quantity::{change, counted, percent, thousands};
use super::summary::{NOT_JUDGED, of_unknown_direction, reasons, slower_suite};
use crate::model::ShiftTreatment;
use crate::verdict::{BudgetStatus, Finding, MIN_LISTED_CHANGE, Outcome, Reason, Report, UnsubtractedShift, Verdict};
use no_verdict::behind;
pub use no_verdict::not_judged;
pub(super) use no_verdict::{OF_THIS_CLASS, is_plain_branch};
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr;

/// A headline with the name of a suspect has at most this many columns.
const HEADLINE_WIDTH: usize = 100;
/// A longer name is not shortened to less than this.
const SHORTEST_NAME: usize = 12;
/// Of more suspects, the headline has only the number.
const MAX_NAMED_SUSPECTS: usize = 2;

/// The verdict in a sentence: `FAIL: 1 regressed` or `PASS: no regression in 12 benchmarks`.
pub fn verdict(report: &Report) -> String {
    with_worst_suspect(report).unwrap_or_else(|| headline(report, None))
}

/// The headline with the worst of one or two suspects, if its name fits.
fn with_worst_suspect(report: &Report) -> Option<String> {
    let suspects: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.is_suspected_regression()).collect();
    let change_of = |finding: &Finding| finding.sample_mean_change.or(finding.change);
    let worse =
        |finding: &Finding| change_of(finding).map(|change| finding.direction.worse(change)).unwrap_or_default();
    let worst = suspects.iter().max_by(|a, b| worse(a).total_cmp(&worse(b)));
    let worst = worst.filter(|worst| suspects.len() <= MAX_NAMED_SUSPECTS && worse(worst) > 0.0)?;
    let metric = if worst.metric == "time" { String::new() } else { format!(" {}", worst.metric) };
    let mean = if worst.sample_mean_change.is_some() { " mean" } else { "" };
    let size = format!("{metric}{mean} {}", change(change_of(worst)?));
    let room = HEADLINE_WIDTH.checked_sub(headline(report, Some(&size)).width())?;
    let is_named = is_plain_name(&worst.name) && is_plain_name(&worst.metric);
    let name = Some(shortened(&worst.name, room)).filter(|_| is_named && room >= SHORTEST_NAME.min(worst.name.width()));
    Some(headline(report, Some(&format!("{}{size}", name?))))
}

/// True if a name, which is untrusted text, is safe in every view of a headline.
pub(super) fn is_plain_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " /-_.:=,()+%".contains(c);
    let is_markup = name.starts_with('_') || ["__", "://", "www."].iter().any(|markup| name.contains(markup));
    name.chars().all(is_plain) && !is_markup
}

/// The sentence; `worst` is the name and the change of the worst suspect.
fn headline(report: &Report, worst: Option<&str>) -> String {
    // A failing gate names only a shift that leaves benchmarks open, or that every run has.
    let is_named = |open: &UnsubtractedShift| {
        report.verdict == Verdict::Pass
            || open.may_explain_inconclusive
            || open.shift.treatment == ShiftTreatment::InEveryRun
    };
    let shift =
        UnsubtractedShift::of(report).filter(is_named).map(|open| unsubtracted_shift(&open)).unwrap_or_default();
    let gap = report.base.gap.as_ref().map(|gap| format!("; {}", behind(gap))).unwrap_or_default();
    let suite = suite_within(report).map(|text| format!("; {text}")).unwrap_or_default();
    match report.verdict {
        Verdict::Fail => {
            let also = match not_in_fail_on(report).is_empty() {
                true => String::new(),
                false => format!("; also {}", OpenQuestion::NotInFailOn.text(report, worst)),
            };
            let inconclusive = also_inconclusive(report, worst).map(|text| format!("; {text}")).unwrap_or_default();
            format!("FAIL: {}{also}{inconclusive}{shift}{gap}", reasons(report).join(", "))
        }
        Verdict::None => format!("NO VERDICT: {}", not_judged(report)),
        Verdict::Pass => match OpenQuestion::of(report) {
            Some(open) => format!("PASS, but {}{suite}{shift}{gap}", with_not_in_fail_on(open, report, worst)),
            None => format!("PASS: {}{suite}{shift}{gap}", checked(report)),
        },
    }
}

/// The slowdown of a whole suite that is within the threshold: `the whole suite is 13.9% slower, within 20%`.
fn suite_within(report: &Report) -> Option<String> {
    let suite = report.suite.filter(|suite| suite.outcome == Outcome::Unchanged && suite.interval[0] > 0.0)?;
    let is_listed = suite.change.ln_1p() >= MIN_LISTED_CHANGE * report.threshold.ln_1p();
    is_listed.then(|| format!("{}, within {}", slower_suite(suite), percent(report.threshold)))
}

/// What a passing gate leaves open, in this order: the regressions and missed budgets that `fail-on` does not list, the open question,
/// the benchmarks that were not run, and the undecided budgets.
fn with_not_in_fail_on(open: OpenQuestion, report: &Report, worst: Option<&str>) -> String {
    let others = [
        Some(OpenQuestion::NotInFailOn).filter(|_| !not_in_fail_on(report).is_empty()),
        Some(open).filter(|open| {
            !matches!(open, OpenQuestion::NotInFailOn | OpenQuestion::NotRun(_) | OpenQuestion::Budgets { .. })
        }),
        OpenQuestion::not_run(report),
        OpenQuestion::budgets(report),
    ];
    others.iter().flatten().map(|open| open.text(report, worst)).collect::<Vec<_>>().join(", and ")
}

/// What a failing gate does not decide besides its reasons: `12 of 27 metrics inconclusive`.
fn also_inconclusive(report: &Report, worst: Option<&str>) -> Option<String> {
    let is_reason = report.reasons.iter().any(|reason| matches!(reason, Reason::Outcome(Outcome::Inconclusive, _)));
    let compared = compared(report);
    let count = count(&compared, Outcome::Inconclusive);
    let suspects = compared.iter().filter(|finding| finding.is_suspected_regression()).count();
    (count > 0 && !is_reason && report.environment.matches).then(|| {
        let suspected = suspected(suspects, count, worst);
        format!("{} of {} inconclusive{suspected}", thousands(count), counted(compared.len(), noun_of(&compared)))
    })
}

/// The suspects among the inconclusive benchmarks of a headline: the worst one, or else their number.
fn suspected(suspects: usize, inconclusive: usize, worst: Option<&str>) -> String {
    match (suspects, worst) {
        (0, _) => String::new(),
        (1, Some(worst)) => format!(" (suspected: {worst})"),
        (_, Some(worst)) => format!(" ({} suspected, the worst: {worst})", thousands(suspects)),
        (2.., None) if suspects == inconclusive => " (all suspected)".to_owned(),
        (_, None) => format!(" ({} suspected)", thousands(suspects)),
    }
}

/// A suite-wide shift of unknown cause: `; most benchmarks are about 40% slower: re-measure`.
fn unsubtracted_shift(open: &UnsubtractedShift) -> String {
    let where_from = match (open.by_single_base_run, open.shift.treatment) {
        (true, _) => " than in the single base run",
        (false, ShiftTreatment::InEveryRun) => " in every run",
        (false, _) => "",
    };
    let step = match (open.needs_re_measuring, open.by_single_base_run) {
        (false, _) => "",
        (true, true) => ": add another base run",
        (true, false) => ": re-measure",
    };
    format!("; {}{where_from}{step}", open.shift.sentence())
}

/// What a passing gate does not decide. The first variant that applies is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenQuestion {
    /// The number of failed benchmarks.
    Failed(usize),
    /// A run of head that ended in an error.
    RunError,
    /// Suspected regressions are inconclusive.
    Suspects,
    /// More than half of the compared rows are inconclusive.
    Inconclusive,
    /// The number of benchmarks that were not run, if they are more than half.
    NotRun(usize),
    /// There are regressions or missed budgets, but `fail-on` does not list them.
    NotInFailOn,
    /// Some budgets are neither met nor missed.
    Budgets {
        /// The number of those that were not checked.
        no_data: usize,
        /// The number of those that noise leaves undecided.
        undecided: usize,
    },
}

impl OpenQuestion {
    /// That of a report; `None` if everything was decided.
    pub fn of(report: &Report) -> Option<OpenQuestion> {
        let compared = compared(report);
        if report.counts.failed > 0 {
            Some(OpenQuestion::Failed(report.counts.failed))
        } else if report.ended_early > 0 {
            Some(OpenQuestion::RunError)
        } else if report.benchmarks.iter().any(Finding::is_suspected_regression) {
            Some(OpenQuestion::Suspects)
        } else if is_mostly_inconclusive(&compared) {
            Some(OpenQuestion::Inconclusive)
        } else {
            let not_in_fail_on = || (!not_in_fail_on(report).is_empty()).then_some(OpenQuestion::NotInFailOn);
            OpenQuestion::not_run(report).or_else(not_in_fail_on).or_else(|| OpenQuestion::budgets(report))
        }
    }

    /// The budgets that are neither met nor missed.
    fn budgets(report: &Report) -> Option<OpenQuestion> {
        let no_data = report.budgets.iter().filter(|line| line.status == BudgetStatus::NoData).count();
        let undecided = report.budgets.iter().filter(|line| line.undecided).count();
        (no_data + undecided > 0).then_some(OpenQuestion::Budgets { no_data, undecided })
    }

    /// The benchmarks that were not run, if they are more than half.
    fn not_run(report: &Report) -> Option<OpenQuestion> {
        let count = benchmarks_not_run(report);
        (count > names(&compared(report)).len()).then_some(OpenQuestion::NotRun(count))
    }

    fn text(self, report: &Report, worst: Option<&str>) -> String {
        let verb = |count, one, many| if count == 1 { one } else { many };
        let compared = compared(report);
        match self {
            OpenQuestion::Failed(count) => format!("{} failed", counted(count, "benchmark")),
            OpenQuestion::RunError => "a run of head ended in an error".to_owned(),
            OpenQuestion::Suspects | OpenQuestion::Inconclusive => undecided(report, &compared, worst),
            OpenQuestion::NotRun(count) => {
                let all = counted(count + names(&compared).len(), "benchmark");
                format!("{} of {all} {} not run", thousands(count), verb(count, "was", "were"))
            }
            OpenQuestion::NotInFailOn => format!("{} (not in fail-on)", not_in_fail_on(report).join(", ")),
            OpenQuestion::Budgets { no_data, undecided } => {
                let parts = [
                    (no_data, verb(no_data, "has no data", "have no data")),
                    (undecided, verb(undecided, "is undecided", "are undecided")),
                ];
                let parts = parts.into_iter().filter(|(count, _)| *count > 0);
                let text = |(count, verb): (usize, &str)| format!("{} {verb}", counted(count, "budget"));
                parts.map(text).collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// How many rows are inconclusive, and the most frequent reason: `12 of 30 inconclusive (5 suspected): 10 too noisy for one run per
/// side`. Short, so that the headline has at most 80 columns, unless it names a suspect.
fn undecided(report: &Report, compared: &[&Finding], worst: Option<&str>) -> String {
    let open: Vec<&Finding> = compared.iter().copied().filter(|finding| finding.is_undecided()).collect();
    let suspects = open.iter().filter(|finding| finding.is_suspected_regression()).count();
    let suspected = suspected(suspects, open.len(), worst);
    let why = usual_reason(report, &open).map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} of {} inconclusive{suspected}{why}", thousands(open.len()), thousands(compared.len()))
}

/// The number of benchmarks without any compared metric that were not run.
fn benchmarks_not_run(report: &Report) -> usize {
    let not_run: Vec<&Finding> = report.benchmarks.iter().filter(|finding| finding.not_run).collect();
    names(&not_run).difference(&names(&compared(report))).count()
}

/// Regressions and missed budgets that `fail-on` does not list.
pub(super) fn not_in_fail_on(report: &Report) -> Vec<String> {
    let fails = |reason: &Reason| report.reasons.iter().any(|other| is_of_same_kind(reason, other));
    let reasons = [
        report.suite.filter(|suite| suite.outcome == Outcome::Regressed).map(|_| Reason::WholeSuite),
        Some(report.counts.regressed).filter(|count| *count > 0).map(|n| Reason::Outcome(Outcome::Regressed, n)),
        Some(missed_budgets(report)).filter(|count| *count > 0).map(Reason::OverBudget),
    ];
    reasons
        .into_iter()
        .flatten()
        .filter(|reason| !fails(reason))
        .map(|reason| super::summary::reason(report, &reason))
        .collect()
}

/// True for reasons of the same kind, whatever their counts are.
fn is_of_same_kind(one: &Reason, other: &Reason) -> bool {
    match (one, other) {
        (Reason::Outcome(one, _), Reason::Outcome(other, _)) => one == other,
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn missed_budgets(report: &Report) -> usize {
    report.budgets.iter().filter(|line| line.status == BudgetStatus::Fail).count()
}

/// What a gate without open questions checked: `11 of 12 benchmarks without a regression, 1 inconclusive; 3 budgets met`.
fn checked(report: &Report) -> String {
    let compared = compared(report);
    let others: Vec<String> = [Outcome::Inconclusive, Outcome::Accepted]
        .into_iter()
        .map(|outcome| (count(&compared, outcome), outcome.word()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(count)))
        .collect();
    let good = count(&compared, Outcome::Improved) + count(&compared, Outcome::Unchanged);
    let all = all_of(&compared);
    let regressions = match (good, compared.len()) {
        (_, 0) => None,
        (0, _) => Some(others.join(", ")),
        (good, compared) if good == compared => Some(format!("no regression in {all}")),
        (good, _) => Some(format!("{} of {all} without a regression, {}", thousands(good), others.join(", "))),
    };
    let unknown = of_unknown_direction(report);
    let unknown = (unknown > 0).then(|| format!("{} {NOT_JUDGED}", counted(unknown, "metric")));
    let met = report.budgets.iter().filter(|line| line.status == BudgetStatus::Pass).count();
    let budgets = match (met, report.budgets.len()) {
        (_, 0) => None,
        (met, all) if met == all => Some(format!("{} met", counted(all, "budget"))),
        (met, all) => Some(format!("{} of {} met", thousands(met), counted(all, "budget"))),
    };
    let parts: Vec<String> = [regressions, unknown, budgets].into_iter().flatten().collect();
    if parts.is_empty() { "no regression".to_owned() } else { parts.join("; ") }
}

/// The rows with a comparison that counts for the verdict.
pub(super) fn compared(report: &Report) -> Vec<&Finding> {
    let counts = |finding: &&Finding| match finding.outcome {
        Outcome::Regressed | Outcome::Improved | Outcome::Unchanged | Outcome::Accepted => true,
        Outcome::Inconclusive => finding.is_judged(),
        Outcome::Failed | Outcome::Removed | Outcome::Added => false,
    };
    report.benchmarks.iter().filter(counts).collect()
}

fn count(findings: &[&Finding], outcome: Outcome) -> usize {
    findings.iter().filter(|finding| finding.outcome == outcome).count()
}

fn is_mostly_inconclusive(compared: &[&Finding]) -> bool {
    2 * count(compared, Outcome::Inconclusive) > compared.len()
}

pub(super) fn names<'a>(findings: &[&'a Finding]) -> BTreeSet<(&'a str, &'a str)> {
    findings.iter().map(|finding| (&*finding.tool, finding.name.as_str())).collect()
}

fn is_one_metric_each(findings: &[&Finding]) -> bool {
    names(findings).len() == findings.len()
}

/// The noun for a number of findings: `metric` if a benchmark has several, otherwise `benchmark`.
pub(super) fn noun_of(findings: &[&Finding]) -> &'static str {
    if is_one_metric_each(findings) { "benchmark" } else { "metric" }
}

/// `12 benchmarks`, or `36 metrics of 12 benchmarks`.
fn all_of(findings: &[&Finding]) -> String {
    let benchmarks = counted(names(findings).len(), "benchmark");
    if is_one_metric_each(findings) {
        benchmarks
    } else {
        format!("{} of {benchmarks}", counted(findings.len(), "metric"))
    }
}

/// How the verdict looks at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadlineStatus {
    /// The gate passes.
    Pass,
    /// The gate gives no verdict, or it passes and leaves something open (`OpenQuestion`), or a suite-wide shift of unknown
    /// cause is in doubt (`UnsubtractedShift::needs_re_measuring`).
    Undecided,
    /// The gate fails.
    Fail,
}

impl HeadlineStatus {
    /// That of a report.
    pub fn of(report: &Report) -> HeadlineStatus {
        match (report.verdict, OpenQuestion::of(report)) {
            (Verdict::Fail, _) => HeadlineStatus::Fail,
            (Verdict::Pass, None) if !UnsubtractedShift::of(report).is_some_and(|open| open.needs_re_measuring) => {
                HeadlineStatus::Pass
            }
            (Verdict::Pass | Verdict::None, _) => HeadlineStatus::Undecided,
        }
    }

    /// An emoji.
    pub fn mark(self) -> &'static str {
        match self {
            HeadlineStatus::Pass => "✅",
            HeadlineStatus::Undecided => "❔",
            HeadlineStatus::Fail => "❌",
        }
    }
}
