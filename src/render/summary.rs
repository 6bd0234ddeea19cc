//! Sentences that all views share: counts, sides, method, advice.

use super::method::LEAST_KEPT_SHIFT;
use super::quantity::{change, counted, interval, pair, percent, size, thousands};
use super::template::budget_text;
use super::verdict_text::{HeadlineStatus, names, verdict};
use crate::model::{Commit, WorkUnit};
use crate::verdict::{
    BudgetLine, BudgetStatus, ChangeDirection, Finding, GoalStatus, MeanChange, Outcome, Reason, Report, SideReport,
    SuiteReport, UnsubtractedShift, Value,
};

/// Which facts about the machines differ: `base and head ran on different machines (cpu differs)`.
pub(super) fn different_machines(report: &Report) -> String {
    const SHOWN: usize = 3;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_plain = |key: &&str| key.chars().all(plain) && key.len() <= 40;
    let decisive = report.environment.differences.iter().filter(|difference| difference.decisive);
    let keys: Vec<&str> = decisive.map(|difference| difference.key.as_str()).filter(is_plain).take(SHOWN).collect();
    let which = match keys.len() {
        0 => String::new(),
        1 => format!(" ({} differs)", keys[0]),
        _ => format!(" ({} differ)", keys.join(", ")),
    };
    format!("base and head ran on different machines{which}")
}

/// The text with a capital first letter.
pub fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    let first: String = rest.next().into_iter().flat_map(char::to_uppercase).collect();
    first + rest.as_str()
}

/// The words for a significant change within the threshold: `slower, within 20%`.
pub fn within(finding: &Finding) -> Option<String> {
    let is_speed = ["time", "throughput"].iter().any(|metric| finding.metric.starts_with(metric));
    let word = match (finding.within?, is_speed) {
        (ChangeDirection::Slower, true) => "slower",
        (ChangeDirection::Faster, true) => "faster",
        (ChangeDirection::Slower, false) => "worse",
        (ChangeDirection::Faster, false) => "better",
    };
    Some(format!("{word}, within {}", percent(finding.threshold)))
}

/// A whole suite that is slower: `the whole suite is 13.9% slower`.
pub(super) fn slower_suite(suite: SuiteReport) -> String {
    format!("the whole suite is {} slower", size(suite.change))
}

/// Why the gate fails, a few words each.
pub fn reasons(report: &Report) -> Vec<String> {
    report.reasons.iter().map(|one| reason(report, one)).collect()
}

/// One reason, in a few words.
pub(super) fn reason(report: &Report, reason: &Reason) -> String {
    match (reason, report.suite) {
        (Reason::WholeSuite, Some(suite)) => slower_suite(suite),
        (Reason::Outcome(outcome, count), _) => {
            let findings: Vec<&Finding> = report.benchmarks.iter().filter(|one| one.outcome == *outcome).collect();
            // Without a noun, a reader takes several metrics of one benchmark for several benchmarks.
            let are_metrics = !matches!(outcome, Outcome::Removed | Outcome::Added)
                && findings.len() == *count
                && names(&findings).len() < *count;
            let noun = if are_metrics { "metrics " } else { "" };
            of_outcome(findings.into_iter(), *count, &format!("{noun}{}", outcome.word()), *outcome)
        }
        (Reason::OverBudget(count), _) => format!("{} over budget", thousands(*count)),
        (Reason::DifferentMachines, _) => format!("{}, and fail-on lists environment", different_machines(report)),
        _ => reason.to_string(),
    }
}

/// Verdict and counts as a Markdown heading, for a document too short for anything else.
pub fn heading(report: &Report) -> String {
    let mark = HeadlineStatus::of(report).mark();
    format!("### {mark} perfgate: {}\n\n{}.", verdict(report), counts(report))
}

/// Number of benchmarks that seem not to have been run, rather than removed.
pub fn not_run(report: &Report) -> usize {
    report.benchmarks.iter().filter(|finding| finding.not_run).count()
}

/// Follows the number of changes whose better direction is unknown.
pub(super) const NOT_JUDGED: &str = "not judged (better direction unknown)";

/// Number of changes that are inconclusive because their better direction is unknown.
pub fn of_unknown_direction(report: &Report) -> usize {
    report.benchmarks.iter().filter(|finding| !finding.is_judged()).count()
}

/// The counts by outcome, without zeros.
pub fn counts(report: &Report) -> String {
    let not_run = not_run(report);
    let unknown = of_unknown_direction(report);
    let count = |outcome: Outcome| {
        let apart = match outcome {
            Outcome::Removed => not_run,
            Outcome::Inconclusive => unknown,
            _ => 0,
        };
        (report.counts.get(outcome).saturating_sub(apart), outcome.word(), outcome, false)
    };
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .map(count)
        .chain([(not_run, "not run", Outcome::Removed, true), (unknown, NOT_JUDGED, Outcome::Inconclusive, false)])
        .filter(|(count, ..)| *count > 0)
        .map(|(count, word, outcome, not_run)| {
            let is_one = |finding: &&Finding| finding.outcome == outcome && finding.not_run == not_run;
            let text = of_outcome(report.benchmarks.iter().filter(is_one), count, word, outcome);
            // Without these words, "unchanged" would contradict the headline of a suite that is slower as a whole.
            // A change below the floor may be over the threshold.
            let is_within = |finding: &Finding| {
                finding.outcome != Outcome::Unchanged
                    || finding.change.is_none_or(|change| change.ln_1p().abs() <= finding.threshold.ln_1p())
            };
            let has_shift = outcome == Outcome::Unchanged
                && UnsubtractedShift::of(report).is_some()
                && report.benchmarks.iter().all(is_within);
            if has_shift { format!("{text} (within the threshold with and without the shift)") } else { text }
        })
        .collect();
    parts.join(", ")
}

/// A number of findings with an outcome: `3 regressed`. What only one side has is counted in benchmarks: `2 removed (4 metrics)`.
fn of_outcome<'a>(findings: impl Iterator<Item = &'a Finding>, count: usize, word: &str, outcome: Outcome) -> String {
    if matches!(outcome, Outcome::Removed | Outcome::Added) {
        let findings: Vec<&Finding> = findings.collect();
        if findings.len() == count {
            let (benchmarks, metrics) = in_benchmarks(&findings);
            return format!("{benchmarks} {word}{metrics}");
        }
    }
    format!("{} {word}", thousands(count))
}

/// The number of benchmarks of findings, and their metrics if there are more of those: `2` and ` (4 metrics)`.
fn in_benchmarks(findings: &[&Finding]) -> (String, String) {
    let benchmarks = names(findings).len();
    let metrics =
        if benchmarks < findings.len() { format!(" ({})", counted(findings.len(), "metric")) } else { String::new() };
    (thousands(benchmarks), metrics)
}

/// The benchmarks that only one side has, without those that fail the gate: `Removed: 2 (6 metrics), added: 1`.
pub fn one_sided(report: &Report) -> String {
    let parts = [(Outcome::Removed, false), (Outcome::Removed, true), (Outcome::Added, false)].into_iter().filter_map(
        |(outcome, not_run)| {
            let is_one = |finding: &&Finding| {
                finding.outcome == outcome && finding.not_run == not_run && !report.fails_by_outcome(finding)
            };
            let found: Vec<&Finding> = report.benchmarks.iter().filter(is_one).collect();
            let (benchmarks, metrics) = in_benchmarks(&found);
            found.first().map(|one| format!("{}: {benchmarks}{metrics}", one.word()))
        },
    );
    capitalized(&parts.collect::<Vec<_>>().join(", "))
}

/// A side's label with its runs: `main (a1b2c3d4e5, 3 runs)`.
pub fn side(side: &SideReport) -> String {
    let runs = counted(side.runs, "run");
    match &side.commit {
        Some(commit) if !side.label.contains(commit.short()) => {
            format!("{} ({}, {runs})", side.label, commit.short())
        }
        _ => format!("{} ({runs})", side.label),
    }
}

/// The commits of the stored runs that make up a side, if there are several.
pub fn commits(side: &SideReport) -> Option<String> {
    let short: Vec<&str> = side.commits.iter().map(Commit::short).collect();
    (short.len() > 1).then(|| short.join(" "))
}

/// The overall change of all times, in a line.
pub fn overall(report: &Report) -> Option<String> {
    if let Some(suite) = report.suite {
        let (ends, by) = (interval(Some(suite.change), suite.interval), change(suite.change));
        return Some(format!("whole suite {by} (95% CI {ends}), {}", suite.outcome.word()));
    }
    mean_to_show(report).map(|mean| format!("for information: {}", mean_change(mean)))
}

/// The overall change of all times, where there is one.
pub(super) fn overall_change(report: &Report) -> Option<MeanChange> {
    let suite = report.suite.map(|suite| MeanChange { change: suite.change, interval: suite.interval });
    suite.or(report.mean_change)
}

/// True if the suite-wide shift and the mean change have opposite signs: a few large changes outweigh the shift.
pub(super) fn mean_contradicts_shift(report: &Report) -> bool {
    let shift = report.common_shift;
    shift.abs() >= LEAST_KEPT_SHIFT && report.mean_change.is_some_and(|mean| mean.change * shift < 0.0)
}

/// The mean change, unless it is noise that contradicts the suite-wide shift, or repeats that shift.
pub(super) fn mean_to_show(report: &Report) -> Option<MeanChange> {
    let is_shown = |mean: &MeanChange| mean.interval[0] > 0.0 || mean.interval[1] < 0.0;
    report
        .mean_change
        .filter(|mean| is_shown(mean) || !mean_contradicts_shift(report))
        .filter(|mean| !repeats_shift(report, *mean))
}

/// True if the mean change is about that of a suite-wide shift that the changes still contain: one of two numbers for the same change.
fn repeats_shift(report: &Report, mean: MeanChange) -> bool {
    const SAME: f64 = 0.1;
    let shift = report.common_shift.ln_1p();
    let is_kept = report.shift_is_subtracted != Some(true) && report.common_shift.abs() >= LEAST_KEPT_SHIFT;
    is_kept && (mean.change.ln_1p() - shift).abs() <= SAME * shift.abs()
}

/// The interval is over the benchmarks: it shows how much they differ, and not how precise their changes are.
fn mean_change(mean: MeanChange) -> String {
    let ends = interval(Some(mean.change), mean.interval);
    format!("geometric mean of all times {} (95% CI over the benchmarks: {ends})", change(mean.change))
}

/// How far head is from the pinned release, in a line; names go through `escape`.
pub fn pinned(report: &Report, escape: impl Fn(&str) -> String) -> Option<String> {
    const SHOWN: usize = 3;
    let pinned = report.pinned.as_ref()?;
    let mut text = format!("since {} ({}): ", escape(&pinned.revision), counted(pinned.runs, "run"));
    let mut parts = Vec::new();
    if let Some(mean) = pinned.mean_change {
        parts.push(mean_change(mean));
    }
    for outcome in [Outcome::Regressed, Outcome::Improved] {
        let found: Vec<_> = pinned.benchmarks.iter().filter(|finding| finding.outcome == outcome).collect();
        if !found.is_empty() {
            let named = found.iter().take(SHOWN);
            let named = named.filter_map(|f| Some(format!("{} {}", escape(&f.name), change(f.change?))));
            let named = named.collect::<Vec<_>>().join(", ");
            let more = if found.len() > SHOWN { ", …" } else { "" };
            parts.push(format!("{} {} ({named}{more})", found.len(), outcome.word()));
        }
    }
    if parts.len() == usize::from(pinned.mean_change.is_some()) {
        parts.push(format!("no significant change beyond {}", percent(report.threshold)));
    }
    text.push_str(&parts.join("; "));
    Some(text)
}

/// One line on a budget or a goal.
pub struct LimitLine<'a> {
    /// Whether the budget or goal is met.
    pub status: LimitStatus,
    /// `FAIL`, `not met` …
    pub word: &'static str,
    /// The benchmark's name: untrusted text.
    pub name: &'a str,
    /// `time:p95 62.10 ms, target <50ms, acceptable <55ms`.
    pub text: String,
}

/// Whether a budget or a goal is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitStatus {
    /// The status of a budget.
    Budget(BudgetStatus),
    /// The status of a goal.
    Goal(GoalStatus),
}

/// The budgets that are not clearly met, then all goals.
pub fn limits(report: &Report) -> Vec<LimitLine<'_>> {
    let clearly_met = |line: &&BudgetLine| line.status == BudgetStatus::Pass && !line.near;
    let budgets = report.budgets.iter().filter(|line| !clearly_met(line)).map(|line| {
        let [value, low, high] =
            pair([line.value, line.interval.map(|i| i[0]), line.interval.map(|i| i[1])], &line.unit);
        let mut text = format!("{} {value}", line.metric);
        if line.near {
            text.push_str(&format!(" (95% CI {low} … {high})"));
        }
        let bound = budget_text(line).bound.map(|bound| format!(" ({bound})")).unwrap_or_default();
        text.push_str(&format!(", target {}{bound}", line.target));
        if let Some(acceptable) = &line.acceptable {
            text.push_str(&format!(", acceptable {acceptable}"));
        }
        for note in line.notes_next_to_limit() {
            text.push_str(&format!("; {note}"));
        }
        LimitLine { status: LimitStatus::Budget(line.status), word: line.word(), name: &line.benchmark, text }
    });
    let goals = report.goals.iter().map(|line| {
        let [value] = pair([line.value], &line.unit);
        let by = match (line.change, line.interval) {
            (Some(by), Some(ends)) => format!(", {} (95% CI {})", change(by), interval(Some(by), ends)),
            (Some(by), None) => format!(", {}", change(by)),
            _ => String::new(),
        };
        let text = format!("{} {value}{by}, expected `{}`", line.metric, line.expect);
        LimitLine { status: LimitStatus::Goal(line.status), word: line.status.word(), name: &line.benchmark, text }
    });
    budgets.chain(goals).collect()
}

/// The values of base and head in one unit, or each in its own where they cannot be compared; `–` for a missing one.
pub fn sides(finding: &Finding) -> [String; 2] {
    let values = [finding.base, finding.head].map(|side| side.map(|side| side.value));
    match (&finding.base_unit, values) {
        (None, values) => pair(values, &finding.unit),
        (Some(unit), [base, head]) => {
            let ([base], [head]) = (pair([base], unit), pair([head], &finding.unit));
            [base, head]
        }
    }
}

/// The number of budgets per status: `budgets: 1 FAIL, 7 PASS`.
pub fn budget_counts(report: &Report) -> Option<String> {
    let mut all: Vec<(usize, &str)> = Vec::new();
    for line in &report.budgets {
        match all.iter_mut().find(|(_, word)| *word == line.word()) {
            Some((count, _)) => *count += 1,
            None => all.push((1, line.word())),
        }
    }
    let parts: Vec<String> = all
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(count)))
        .collect();
    (!parts.is_empty()).then(|| format!("budgets: {}", parts.join(", ")))
}

/// The number of goals per status: `goals: 1 met, 1 not met (not part of the verdict)`.
pub fn goal_counts(report: &Report) -> Option<String> {
    let count = |status| report.goals.iter().filter(|line| line.status == status).count();
    let parts: Vec<String> = [GoalStatus::NotMet, GoalStatus::Undecided, GoalStatus::Met]
        .into_iter()
        .map(|status| (count(status), status))
        .filter(|(count, _)| *count > 0)
        .map(|(count, status)| format!("{} {}", thousands(count), status.word()))
        .collect();
    (!parts.is_empty()).then(|| format!("goals: {} (not part of the verdict)", parts.join(", ")))
}

/// The change of a finding; a decided rise from zero has no percentage.
pub fn change_of(finding: &Finding) -> Option<String> {
    let is_decided = !matches!(finding.outcome, Outcome::Inconclusive | Outcome::Failed) && finding.base_unit.is_none();
    let rose = finding.head.is_some_and(|head| head.value > 0.0);
    let from_zero = is_decided && rose && is_base_zero(finding);
    finding.change.map(change).or_else(|| from_zero.then(|| "from zero".to_owned()))
}

/// True if base is zero in every run, as far as the finding shows it: events in any of them would limit the change.
fn is_base_zero(finding: &Finding) -> bool {
    let is_zero = |base: Value| base.value == 0.0 && base.events.unwrap_or_default() == 0;
    let is_unlimited = finding.interval.is_none_or(|[_, high]| high >= f64::MAX);
    finding.base.is_some_and(is_zero) && is_unlimited
}

/// The interval of the change; a change from zero has no size, and so none.
pub fn interval_of(finding: &Finding) -> Option<[f64; 2]> {
    let is_from_zero = finding.change.is_none() && finding.base.is_some_and(|base| base.value == 0.0);
    finding.interval.filter(|_| !is_from_zero)
}

/// Work per second, from the time and the work of one operation.
pub fn rate(finding: &Finding) -> Option<(f64, &'static str)> {
    let work = finding.work.as_ref()?;
    let time = finding.head?.value;
    let unit = match work.unit {
        WorkUnit::Bytes | WorkUnit::BytesDecimal => "B/s",
        WorkUnit::Bits => "bit/s",
        WorkUnit::Elements => "/s",
    };
    (time > 0.0 && work.amount > 0.0).then(|| (work.amount / time * 1e9, unit))
}
