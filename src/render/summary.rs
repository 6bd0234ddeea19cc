//! Sentences that every view shares: the verdict, the counts, what the sides are, what to do next.

use super::quantity::{change, percent};
use crate::verdict::{Finding, Outcome, Report, SideReport, Verdict};

/// The verdict in a sentence: `FAIL: 1 regressed` or `PASS: 2 inconclusive, 12 unchanged`.
pub fn verdict(report: &Report) -> String {
    match report.verdict {
        Verdict::Fail => format!("FAIL: {}", report.reasons.join(", ")),
        Verdict::Pass => {
            let nothing = report.counts.regressed + report.counts.inconclusive == 0;
            let word = if nothing { "no regression" } else { "nothing that fails the gate" };
            format!("PASS: {word}")
        }
    }
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
        Some(commit) if !side.label.contains(&commit[..commit.len().min(10)]) => {
            format!("{} ({}, {runs})", side.label, &commit[..commit.len().min(10)])
        }
        _ => format!("{} ({runs})", side.label),
    }
}

/// The commits whose stored runs a side is made of, where there are several.
pub fn commits(side: &SideReport) -> Option<String> {
    let short: Vec<&str> = side.commits.iter().map(|commit| &commit[..commit.len().min(10)]).collect();
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

/// The rate that a time and its work make, in work units a second.
pub fn rate(finding: &Finding) -> Option<(f64, &'static str)> {
    let work = finding.work.as_ref()?;
    let time = finding.head?.value;
    let unit = match work.unit.as_str() {
        "bytes" | "bytes-decimal" => "B/s",
        "bits" => "bit/s",
        _ => "/s",
    };
    (time > 0.0 && work.amount > 0.0).then(|| (work.amount / time * 1e9, unit))
}
