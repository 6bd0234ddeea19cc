//! Sentences that every view shares: the verdict, the counts, what the sides are, what to do next.

use super::quantity::{change, pair, percent};
use crate::model::{Commit, WorkUnit};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, GoalStatus, Outcome, Report, SideReport, Verdict};

/// The verdict in a sentence: `FAIL: 1 regressed` or `PASS: 2 inconclusive, 12 unchanged`.
pub fn verdict(report: &Report) -> String {
    match report.verdict {
        Verdict::Fail => format!("FAIL: {}", reasons(report).join(", ")),
        Verdict::Pass => {
            let nothing = report.counts.regressed + report.counts.inconclusive == 0;
            let word = if nothing { "no regression" } else { "nothing that fails the gate" };
            format!("PASS: {word}")
        }
    }
}

/// What failed the gate, a few words each.
pub fn reasons(report: &Report) -> Vec<String> {
    report.reasons.iter().map(ToString::to_string).collect()
}

/// The verdict as the heading of a document that has room for nothing else.
pub fn heading(report: &Report) -> String {
    let mark = match report.verdict {
        Verdict::Pass => "✅",
        Verdict::Fail => "❌",
    };
    format!("### {mark} perfgate: {}\n\n{}.", verdict(report), counts(report))
}

/// The counts by outcome, those that are zero left out.
pub fn counts(report: &Report) -> String {
    let count = |outcome: Outcome| (report.counts.get(outcome), outcome.word());
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .map(count)
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(", ")
}

/// A side's label with its runs: `main (a1b2c3d4e5, 3 runs)`.
pub fn side(side: &SideReport) -> String {
    let runs = if side.runs == 1 { "1 run".to_owned() } else { format!("{} runs", side.runs) };
    match &side.commit {
        Some(commit) if !side.label.contains(commit.short()) => {
            format!("{} ({}, {runs})", side.label, commit.short())
        }
        _ => format!("{} ({runs})", side.label),
    }
}

/// The commits whose stored runs a side is made of, where there are several.
pub fn commits(side: &SideReport) -> Option<String> {
    let short: Vec<&str> = side.commits.iter().map(Commit::short).collect();
    (short.len() > 1).then(|| short.join(" "))
}

/// How the verdict was reached, in a line.
pub fn method(report: &Report) -> String {
    let mut text = format!(
        "threshold {}, false alarms held to {} over {} tests",
        percent(report.threshold),
        percent(report.alpha),
        report.tests
    );
    if report.common_shift.abs() >= 0.005 {
        text.push_str(&format!(", common shift of the suite {}", change(report.common_shift)));
    }
    text
}

/// All benchmarks together, in a line.
pub fn overall(report: &Report) -> Option<String> {
    let mean = report.mean_change?;
    let [low, high] = mean.interval.map(change);
    Some(format!("geometric mean of all times {} [{low}, {high}]", change(mean.change)))
}

/// How far head is from the pinned release, in a line; names are made harmless by `escape`.
pub fn pinned(report: &Report, escape: impl Fn(&str) -> String) -> Option<String> {
    const SHOWN: usize = 3;
    let pinned = report.pinned.as_ref()?;
    let noun = if pinned.runs == 1 { "run" } else { "runs" };
    let mut text = format!("since {} ({} {noun}): ", escape(&pinned.revision), pinned.runs);
    let mut parts = Vec::new();
    if let Some(mean) = pinned.mean_change {
        let [low, high] = mean.interval.map(change);
        parts.push(format!("geometric mean of all times {} [{low}, {high}]", change(mean.change)));
    }
    for (outcome, word) in [(Outcome::Regressed, "slower"), (Outcome::Improved, "faster")] {
        let of_it = || pinned.benchmarks.iter().filter(|finding| finding.outcome == outcome);
        let count = of_it().count();
        if count > 0 {
            let named = of_it().take(SHOWN).filter_map(|f| Some(format!("{} {}", escape(&f.name), change(f.change?))));
            let more = if count > SHOWN { ", …" } else { "" };
            parts.push(format!("{count} {word} ({}{more})", named.collect::<Vec<_>>().join(", ")));
        }
    }
    if parts.len() == usize::from(pinned.mean_change.is_some()) {
        parts.push(format!("no benchmark beyond {} for sure", percent(report.threshold)));
    }
    text.push_str(&parts.join("; "));
    Some(text)
}

/// What to do about an undecided benchmark.
pub fn advice(finding: &Finding) -> Option<String> {
    if finding.outcome != Outcome::Inconclusive {
        return None;
    }
    match (finding.runs_needed, finding.detectable) {
        (Some(runs), Some(least)) => {
            let more = if runs == 1 { "1 more run".to_owned() } else { format!("{runs} more runs") };
            Some(format!("could show {} or more; {more} of each side would decide", percent(least)))
        }
        (None, Some(least)) => {
            Some(format!("could show {} or more; 20 more runs of each side would not decide", percent(least)))
        }
        _ => None,
    }
}

/// A budget or an expectation in a line: its status, the benchmark (raw), and the rest.
pub struct LimitLine<'a> {
    /// Whether it is met.
    pub status: LimitStatus,
    /// The benchmark's name: hostile text.
    pub name: &'a str,
    /// `time:p95 62.10 ms, target <50ms, acceptable <55ms`.
    pub text: String,
}

/// Whether a budget or an expectation is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitStatus {
    /// Of a budget.
    Budget(BudgetStatus),
    /// Of an expectation.
    Goal(GoalStatus),
}

impl LimitStatus {
    /// `FAIL`, `not met` …
    pub fn word(self) -> &'static str {
        match self {
            LimitStatus::Budget(status) => status.word(),
            LimitStatus::Goal(status) => status.word(),
        }
    }
}

/// The budgets that are not simply kept, then every expectation.
pub fn limits(report: &Report) -> Vec<LimitLine<'_>> {
    let kept = |line: &&BudgetLine| line.status == BudgetStatus::Pass && !line.near;
    let budgets = report.budgets.iter().filter(|line| !kept(line)).map(|line| {
        let [value, low, high] =
            pair([line.value, line.interval.map(|i| i[0]), line.interval.map(|i| i[1])], &line.unit);
        let mut text = format!("{} {value}", line.metric);
        if line.near {
            text.push_str(&format!(" [{low} … {high}]"));
        }
        text.push_str(&format!(", target {}", line.target));
        if let Some(acceptable) = &line.acceptable {
            text.push_str(&format!(", acceptable {acceptable}"));
        }
        for note in &line.notes {
            text.push_str(&format!("; {note}"));
        }
        LimitLine { status: LimitStatus::Budget(line.status), name: &line.benchmark, text }
    });
    let goals = report.goals.iter().map(|line| {
        let [value] = pair([line.value], &line.unit);
        let by = match (line.change, line.interval) {
            (Some(by), Some([low, high])) => format!(", {} [{} … {}]", change(by), change(low), change(high)),
            (Some(by), None) => format!(", {}", change(by)),
            _ => String::new(),
        };
        let text = format!("{} {value}{by}, expected {}", line.metric, line.expect);
        LimitLine { status: LimitStatus::Goal(line.status), name: &line.benchmark, text }
    });
    budgets.chain(goals).collect()
}

/// How many budgets have which status: `7 PASS, 1 FAIL`.
pub fn budget_counts(report: &Report) -> Option<String> {
    let count =
        |status: BudgetStatus| (report.budgets.iter().filter(|line| line.status == status).count(), status.word());
    let all = [BudgetStatus::Fail, BudgetStatus::Acceptable, BudgetStatus::NoData, BudgetStatus::Pass].map(count);
    let parts: Vec<String> =
        all.into_iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    (!parts.is_empty()).then(|| format!("budgets: {}", parts.join(", ")))
}

/// The rate that a time and its work make, in work units a second.
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
