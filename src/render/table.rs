//! The terminal's table: worst first, unchanged ones counted in one line, warnings as footnotes.
//! Colours are always written; the stream that prints them decides whether they are kept.

use super::quantity::{change, pair};
use super::{escape, summary};
use crate::model::Severity;
use crate::verdict::{Finding, Outcome, Report, Verdict};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Footnotes of one code that are shown in full.
const SHOWN_OF_A_CODE: usize = 5;

/// How far the tested change lies from the shown one before the row says so.
const WORTH_SAYING: f64 = 0.05;

/// What the table shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    /// Unchanged benchmarks too.
    pub all: bool,
}

/// The Report as a table.
pub fn table(report: &Report, options: TableOptions) -> String {
    let mut out = String::new();
    let style = match report.verdict {
        Verdict::Pass => AnsiColor::Green.on_default().bold(),
        Verdict::Fail => AnsiColor::Red.on_default().bold(),
    };
    let _ = writeln!(out, "{style}{}{style:#}", summary::verdict(report));
    let _ = writeln!(out, "base  {}", escape::message(&summary::side(&report.base)));
    let _ = writeln!(out, "head  {}", escape::message(&summary::side(&report.head)));
    let _ = writeln!(out, "      {}", summary::method(report));

    let shown: Vec<&Finding> =
        report.benchmarks.iter().filter(|finding| options.all || finding.outcome != Outcome::Unchanged).collect();
    if !shown.is_empty() {
        let _ = writeln!(out);
        rows(&mut out, &shown);
    }
    let unchanged = report.counts.unchanged;
    if unchanged > 0 && !options.all {
        let noun = if unchanged == 1 { "benchmark" } else { "benchmarks" };
        let dim = Style::new().dimmed();
        let _ = writeln!(out, "{dim}{unchanged} {noun} unchanged (--all shows them){dim:#}");
    }
    let _ = writeln!(out);
    let _ = writeln!(out, "{}", summary::counts(report));
    if let Some(overall) = summary::overall(report) {
        let _ = writeln!(out, "{overall}");
    }
    if let Some(pinned) = summary::pinned(report, escape::terminal) {
        let _ = writeln!(out, "{pinned}");
    }
    footnotes(&mut out, report);
    out
}

fn rows(out: &mut String, findings: &[&Finding]) {
    let metric = findings.iter().any(|finding| finding.metric != "time");
    let mut header = vec!["", "benchmark", "base", "head", "change", "95 % interval", "q"];
    if metric {
        header.insert(2, "metric");
    }
    let left = |column: usize| column < 2 || metric && column == 2;
    let mut lines: Vec<(Style, Vec<String>)> = Vec::with_capacity(findings.len() + 1);
    lines.push((Style::new().dimmed(), header.into_iter().map(str::to_owned).collect()));
    for finding in findings {
        let [base, head] = pair([finding.base, finding.head].map(|side| side.map(|v| v.value)), &finding.unit);
        let mut cells = vec![
            word(finding),
            escape::terminal(&finding.name),
            base,
            head,
            finding.change.map(change).unwrap_or_else(|| "–".to_owned()),
            finding.interval.map(|[low, high]| format!("{} … {}", change(low), change(high))).unwrap_or_default(),
            finding.q.map(q_value).unwrap_or_default(),
        ];
        if metric {
            cells.insert(2, escape::terminal(&finding.metric));
        }
        lines.push((style(finding.outcome), cells));
    }
    let columns = lines.iter().map(|(_, cells)| cells.len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| lines.iter().map(|(_, cells)| cells[column].width()).max().unwrap_or_default())
        .collect();
    for (index, (style, cells)) in lines.iter().enumerate() {
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(width.saturating_sub(cell.width()));
            let gap = if column == 0 { "" } else { "  " };
            let last = column + 1 == columns;
            let (style, reset) = if index == 0 || column == 0 {
                (style.render().to_string(), style.render_reset().to_string())
            } else {
                Default::default()
            };
            let _ = match (left(column), last && cell.is_empty()) {
                (_, true) => Ok(()),
                (true, _) => write!(out, "{gap}{style}{cell}{reset}{pad}"),
                (false, _) => write!(out, "{gap}{pad}{style}{cell}{reset}"),
            };
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
        if index > 0 {
            below(out, findings[index - 1]);
        }
    }
}

/// What stands below a row: notes, advice, and the rate.
fn below(out: &mut String, finding: &Finding) {
    let dim = Style::new().dimmed();
    let mut notes: Vec<String> = finding.notes.iter().map(|note| escape::message(note)).collect();
    notes.extend(summary::advice(finding));
    if let (Some(tested), Some(change)) = (finding.adjusted, finding.change)
        && finding.outcome != Outcome::Unchanged
        && (tested - change).abs() >= WORTH_SAYING
    {
        notes.push(format!("{} tested, on the low edge and without the common shift", self::change(tested)));
    }
    if let Some((rate, unit)) = summary::rate(finding) {
        let [rate] = pair([Some(rate)], unit);
        notes.push(rate);
    }
    if !notes.is_empty() {
        let _ = writeln!(out, "{dim}                {}{dim:#}", notes.join("; "));
    }
}

fn word(finding: &Finding) -> String {
    let mark = match finding.outcome {
        Outcome::Regressed => "✗",
        Outcome::Accepted => "~",
        Outcome::Inconclusive => "?",
        Outcome::Removed => "-",
        Outcome::Added => "+",
        Outcome::Improved => "✓",
        Outcome::Unchanged => " ",
    };
    let suspect = if finding.suspect && finding.outcome == Outcome::Inconclusive { "!" } else { "" };
    format!("{mark} {}{suspect}", finding.outcome.word())
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Regressed => AnsiColor::Red.on_default().bold(),
        Outcome::Improved => AnsiColor::Green.on_default(),
        Outcome::Inconclusive | Outcome::Accepted => AnsiColor::Yellow.on_default(),
        Outcome::Removed | Outcome::Added => AnsiColor::Cyan.on_default(),
        Outcome::Unchanged => Style::new(),
    }
}

/// A q value with two significant digits, none smaller than 0.0001.
pub(super) fn q_value(q: f64) -> String {
    match q {
        q if q < 1e-4 => "<0.0001".to_owned(),
        q if q < 1e-2 => format!("{q:.4}"),
        q => format!("{q:.2}"),
    }
}

/// Warnings below the table; many of one kind are counted.
fn footnotes(out: &mut String, report: &Report) {
    let dim = Style::new().dimmed();
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for diagnostic in &report.diagnostics {
        let count = match seen.iter_mut().find(|(code, _)| *code == diagnostic.code) {
            Some((_, count)) => count,
            None => {
                seen.push((&diagnostic.code, 0));
                match seen.last_mut() {
                    Some((_, count)) => count,
                    None => continue,
                }
            }
        };
        *count += 1;
        if *count > SHOWN_OF_A_CODE {
            continue;
        }
        let (label, style) = match diagnostic.severity {
            Severity::Error => ("error", AnsiColor::Red.on_default()),
            Severity::Warning => ("warning", AnsiColor::Yellow.on_default()),
            Severity::Note => ("note", dim),
        };
        let _ = writeln!(out, "{style}{label}{style:#}: {}", escape::message(&diagnostic.to_string()));
    }
    for (code, count) in seen {
        if count > SHOWN_OF_A_CODE {
            let _ = writeln!(
                out,
                "{dim}… and {} more of {code} (--format json has them all){dim:#}",
                count - SHOWN_OF_A_CODE
            );
        }
    }
}
