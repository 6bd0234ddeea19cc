//! The Report as GitHub-flavoured Markdown: verdict, a table of everything that changed, then notes and warnings.

use super::explanation::explanation_markdown;
use super::legend::{legend, sign};
use super::listing::Listing;
use super::method::method;
use super::next::next_jobs_of_compare;
use super::quantity::{interval, pair};
use super::remarks::Remarks;
use super::table::q_value;
use super::verdict_text::{HeadlineStatus, verdict};
use super::{escape, summary};
use crate::model::Diagnostic;
use crate::verdict::{Finding, Outcome, Report};
use std::fmt::Write;

/// The Report as Markdown; `all` lists the unchanged benchmarks too.
pub fn markdown(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let mark = HeadlineStatus::of(report).mark();
    let _ = writeln!(out, "### {mark} perfgate: {}\n", verdict(report));
    let _ = writeln!(out, "{}; {}.", summary::counts(report), method(report));
    if let Some(overall) = summary::overall(report) {
        let _ = writeln!(out, "{}.", summary::capitalized(&overall));
    }
    if let Some(pinned) = summary::pinned(report, escape::markdown) {
        let _ = writeln!(out, "{}.", summary::capitalized(&pinned));
    }
    for (label, side) in [("Base", &report.base), ("Head", &report.head)] {
        let commits = summary::commits(side).map(|commits| format!(": {commits}")).unwrap_or_default();
        let _ = writeln!(out, "{label}: {}.", escape::markdown_text(&(summary::side(side) + &commits)));
    }
    match next_jobs_of_compare(report).as_slice() {
        [] => {}
        [job] => {
            let _ = writeln!(out, "\nNext: {}", escape::markdown_text(&job.text));
        }
        jobs => {
            out.push_str("\nNext:\n\n");
            for job in jobs {
                let _ = writeln!(out, "- {}", escape::markdown_text(&job.text));
            }
        }
    }
    let Listing { rows: shown, others, .. } = Listing::of(report, all);
    if !shown.is_empty() {
        out.push_str("\n| | benchmark | metric | base | head | change | 95% CI | q |\n");
        out.push_str("|:--|:--|:--|--:|--:|--:|:-:|--:|\n");
        shown.iter().for_each(|finding| row(&mut out, finding));
        if let Some(legend) = legend(report, &shown) {
            let _ = writeln!(out, "\n{}.", summary::capitalized(&legend));
        }
    }
    if !others.is_empty() {
        let _ = writeln!(out, "\nNot listed: {}.", others.join(", "));
    }
    let remarks = Remarks::of(report);
    notes(&mut out, &shown, &remarks);
    if let Some(advice) = remarks.shared_advice("") {
        let _ = writeln!(out, "\n{}.", escape::markdown_text(&summary::capitalized(&advice)));
    }
    if let Some(counts) = summary::budget_counts(report) {
        let _ = writeln!(out, "\n{}.\n", summary::capitalized(&counts));
    }
    let mut goal_counts = summary::goal_counts(report);
    for line in summary::limits(report) {
        if let Some(counts) = goal_counts.take_if(|_| matches!(line.status, summary::LimitStatus::Goal(_))) {
            let _ = writeln!(out, "\n{}.\n", summary::capitalized(&counts));
        }
        let (status, name) = (line.word, escape::markdown(line.name));
        let _ = writeln!(out, "- **{status}** {name} {}", escape::markdown_text(&line.text));
    }
    for explanation in &report.explanations {
        let _ = write!(out, "\n{}", explanation_markdown(explanation));
    }
    if !report.diagnostics.is_empty() {
        out.push('\n');
        for diagnostic in report.diagnostics.iter().take(20) {
            let label = summary::capitalized(diagnostic.severity.word());
            let _ = writeln!(out, "- {label}: {}", escape::markdown_text(&diagnostic.to_string()));
        }
        let more: usize = report.diagnostics.iter().skip(20).map(Diagnostic::count).sum();
        if more > 0 {
            let _ = writeln!(out, "- … and {more} more");
        }
    }
    out
}

fn row(out: &mut String, finding: &Finding) {
    let [base, mut head] = summary::sides(finding);
    if let Some((rate, unit)) = summary::rate(finding) {
        let [rate] = pair([Some(rate)], unit);
        head = format!("{head} ({rate})");
    }
    let _ = writeln!(
        out,
        "| {}{} | {} | {} | {base} | {head} | {} | {} | {} |",
        summary::within(finding).unwrap_or_else(|| word(finding).to_owned()),
        sign(finding),
        escape::markdown_cell(&finding.name),
        escape::markdown_text(&finding.metric),
        summary::change_of(finding).unwrap_or_else(|| "–".to_owned()),
        summary::interval_of(finding).map(|ends| interval(finding.change, ends)).unwrap_or_default(),
        finding.q.map(q_value).unwrap_or_default(),
    );
}

fn notes(out: &mut String, findings: &[&Finding], remarks: &Remarks) {
    let with_notes: Vec<(&Finding, String)> = findings
        .iter()
        .filter_map(|finding| {
            let notes = remarks.on(finding);
            (!notes.is_empty()).then(|| (*finding, notes.join("; ")))
        })
        .collect();
    if !with_notes.is_empty() {
        out.push('\n');
    }
    for (finding, note) in with_notes {
        let metric = if finding.metric == "time" { String::new() } else { format!(" {}", finding.metric) };
        let (name, metric) = (escape::markdown(&finding.name), escape::markdown_text(&metric));
        let _ = writeln!(out, "- {name}{metric}: {}", escape::markdown_text(&note));
    }
}

fn word(finding: &Finding) -> &'static str {
    match finding.outcome {
        Outcome::Failed => "💥 failed",
        Outcome::Regressed => "❌ regressed",
        Outcome::Accepted => "☑️ accepted",
        Outcome::Inconclusive if !finding.is_judged() => "❔ not judged",
        Outcome::Inconclusive if finding.suspect => "❔ inconclusive, suspected regression",
        Outcome::Inconclusive => "❔ inconclusive",
        Outcome::Removed if finding.not_run => "➖ not run",
        Outcome::Removed => "➖ removed",
        Outcome::Added => "➕ added",
        Outcome::Improved => "🚀 improved",
        Outcome::Unchanged => "unchanged",
    }
}
