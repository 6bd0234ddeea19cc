//! Sentences that all views share: verdict, counts, sides, method, advice.

use super::quantity::{change, counted, pair, percent, thousands};
use super::template::budget_text;
use crate::model::{Commit, WorkUnit};
use crate::verdict::{
    BaselineGap, BudgetLine, BudgetStatus, Finding, GoalStatus, MeanChange, Outcome, Reason, Report, SideReport,
    Verdict, Within,
};

/// The verdict in a sentence: `FAIL: 1 regressed` or `PASS: no regression`.
pub fn verdict(report: &Report) -> String {
    // Between different machines it explains nothing.
    let is_open = report.counts.inconclusive > 0 && report.environment.matches;
    let shift = report.unexplained_shift.filter(|_| is_open);
    let shift = shift.map(whole_run).unwrap_or_default();
    let gap = report.base.gap.as_ref().map(|gap| format!("; {}", behind(gap))).unwrap_or_default();
    match report.verdict {
        Verdict::Fail => format!("FAIL: {}{shift}{gap}", reasons(report).join(", ")),
        Verdict::None => format!("NO VERDICT: {}", not_judged(report)),
        Verdict::Pass => {
            let nothing = report.counts.regressed + report.counts.inconclusive == 0;
            match undecided(report) {
                Some(undecided) => format!("PASS, but {undecided}{shift}{gap}"),
                None if nothing => format!("PASS: no regression{gap}"),
                None => format!("PASS: no failing checks{shift}{gap}"),
            }
        }
    }
}

/// Why there is no verdict.
pub fn not_judged(report: &Report) -> String {
    if report.first_run && report.by_measure {
        "the base does not have these benchmarks".to_owned()
    } else if report.first_run {
        "there is no baseline yet".to_owned()
    } else if !report.environment.matches {
        different_machines(report)
    } else if let Some(gap) = &report.base.gap {
        format!("{}, but {}", counts(report), behind(gap))
    } else if report.counts.inconclusive > 0 {
        "the better direction of every changed metric is unknown".to_owned()
    } else {
        "base and head have no benchmark in common".to_owned()
    }
}

/// Which facts about the machines differ: `base and head ran on different machines (cpu differs)`.
fn different_machines(report: &Report) -> String {
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

/// How far a base is behind: `the baseline is 2 commits of main behind the merge base, which has no stored run`.
fn behind(gap: &BaselineGap) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let branch = gap.branch.as_deref().filter(|branch| branch.chars().all(plain) && branch.len() <= 100);
    let branch = branch.map(|branch| format!(" of {branch}")).unwrap_or_default();
    let commits = counted(gap.commits, "commit");
    format!("the baseline is {commits}{branch} behind the merge base, which has no stored run")
}

/// What is undecided although the gate passes: failed benchmarks, suspects, or most of the suite.
fn undecided(report: &Report) -> Option<String> {
    let is_suspect = |finding: &&Finding| finding.outcome == Outcome::Inconclusive && finding.suspect;
    let counts = &report.counts;
    if counts.failed > 0 {
        return Some(format!("{} failed", counted(counts.failed, "benchmark")));
    }
    let is_open = |finding: &&Finding| finding.outcome == Outcome::Inconclusive && finding.is_judged();
    let inconclusive = report.benchmarks.iter().filter(is_open).count();
    let tested = counts.regressed + counts.improved + counts.unchanged + inconclusive + counts.accepted;
    match report.benchmarks.iter().filter(is_suspect).count() {
        0 if 2 * inconclusive > tested => {
            let verb = if inconclusive == 1 { "is" } else { "are" };
            Some(format!("{} of {} {verb} inconclusive", thousands(inconclusive), counted(tested, "benchmark")))
        }
        0 => {
            let not_run = not_run(report);
            let verb = if not_run == 1 { "was" } else { "were" };
            let all = not_run + tested;
            (not_run > tested)
                .then(|| format!("{} of {} {verb} not run", thousands(not_run), counted(all, "benchmark")))
        }
        1 => Some("1 suspected regression is inconclusive".to_owned()),
        suspects => Some(format!("{} suspected regressions are inconclusive", thousands(suspects))),
    }
}

/// How the verdict looks at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadlineStatus {
    /// The gate passes.
    Pass,
    /// There is no verdict, or the gate passes although benchmarks failed, or suspects or most of the suite are undecided.
    Undecided,
    /// The gate fails.
    Fail,
}

impl HeadlineStatus {
    /// That of a report.
    pub fn of(report: &Report) -> HeadlineStatus {
        match report.verdict {
            Verdict::Fail => HeadlineStatus::Fail,
            Verdict::Pass if undecided(report).is_some() => HeadlineStatus::Undecided,
            Verdict::None => HeadlineStatus::Undecided,
            Verdict::Pass => HeadlineStatus::Pass,
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

/// The words for a change that is shown, but below the threshold: `slower, within 20%`.
pub fn within(finding: &Finding) -> Option<String> {
    let is_speed = ["time", "throughput"].iter().any(|metric| finding.metric.starts_with(metric));
    let word = match (finding.within?, is_speed) {
        (Within::Slower, true) => "slower",
        (Within::Faster, true) => "faster",
        (Within::Slower, false) => "worse",
        (Within::Faster, false) => "better",
    };
    Some(format!("{word}, within {}", percent(finding.threshold)))
}

/// The shift of the whole head run: `; the whole run is 1.40× worse: re-measure`.
fn whole_run(shift: f64) -> String {
    let (factor, word) = if shift < 0.0 { (1.0 / (1.0 + shift), "better") } else { (1.0 + shift, "worse") };
    format!("; the whole run is {factor:.2}× {word}: re-measure")
}

/// Why the gate fails, a few words each.
pub fn reasons(report: &Report) -> Vec<String> {
    let words = |reason: &Reason| match (reason, report.suite) {
        (Reason::WholeSuite, Some(suite)) => format!("the whole suite is {} slower", percent(suite.change)),
        (Reason::Outcome(outcome, count), _) => format!("{} {}", thousands(*count), outcome.word()),
        (Reason::OverBudget(count), _) => format!("{} over budget", thousands(*count)),
        (Reason::DifferentMachines, _) => format!("{}, and fail-on lists environment", different_machines(report)),
        _ => reason.to_string(),
    };
    report.reasons.iter().map(words).collect()
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

/// The counts by outcome, without zeros.
pub fn counts(report: &Report) -> String {
    let not_run = not_run(report);
    let count = |outcome: Outcome| {
        let apart = if outcome == Outcome::Removed { not_run } else { 0 };
        (report.counts.get(outcome).saturating_sub(apart), outcome.word())
    };
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .map(count)
        .chain([(not_run, "not run")])
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", thousands(count)))
        .collect();
    parts.join(", ")
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

/// How the verdict was reached, in a line.
pub fn method(report: &Report) -> String {
    let mut text = format!("threshold {}", percent(report.threshold));
    if report.tests > 0 {
        let tests = counted(report.tests, "test");
        text.push_str(&format!(", {} false discovery rate across {tests}", percent(report.alpha)));
    }
    if report.common_shift.abs() >= 0.005 {
        let is_subtracted = match report.shift_is_subtracted {
            Some(true) => " subtracted from each change",
            Some(false) => " not subtracted",
            None => "",
        };
        text.push_str(&format!(", suite-wide shift {}{is_subtracted}", change(report.common_shift)));
    }
    text
}

/// The overall change of all times, in a line.
pub fn overall(report: &Report) -> Option<String> {
    if let Some(suite) = report.suite {
        let ([low, high], by) = (suite.interval.map(change), change(suite.change));
        return Some(format!("whole suite {by} (95% CI {low} … {high}), {}", suite.outcome.word()));
    }
    report.mean_change.map(mean_change)
}

fn mean_change(mean: MeanChange) -> String {
    let [low, high] = mean.interval.map(change);
    format!("geometric mean of all times {} (95% CI {low} … {high})", change(mean.change))
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
        for note in &line.notes {
            text.push_str(&format!("; {note}"));
        }
        LimitLine { status: LimitStatus::Budget(line.status), word: line.word(), name: &line.benchmark, text }
    });
    let goals = report.goals.iter().map(|line| {
        let [value] = pair([line.value], &line.unit);
        let by = match (line.change, line.interval) {
            (Some(by), Some([low, high])) => format!(", {} (95% CI {} … {})", change(by), change(low), change(high)),
            (Some(by), None) => format!(", {}", change(by)),
            _ => String::new(),
        };
        let text = format!("{} {value}{by}, expected {}", line.metric, line.expect);
        LimitLine { status: LimitStatus::Goal(line.status), word: line.status.word(), name: &line.benchmark, text }
    });
    budgets.chain(goals).collect()
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
