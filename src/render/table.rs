//! The Report as a terminal table: worst first, unchanged benchmarks counted in one line, warnings below.
//! Colours are always written; the output stream strips them where they are not wanted.

use super::quantity::{change, counted, pair};
use super::summary::{Glance, LimitStatus};
use super::{escape, summary};
use crate::model::Severity;
use crate::verdict::{BudgetStatus, Finding, GoalStatus, Outcome, Report};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Diagnostics shown per code; the rest are counted.
const SHOWN_PER_CODE: usize = 5;

/// The change of the values is printed if it differs from the tested change by at least this.
const NOTABLE_DIFFERENCE: f64 = 0.05;

/// Notes below a row start at this column, and a clause that would not end within `WIDTH` columns begins a new line.
const NOTES: usize = 16;
const WIDTH: usize = 100;

/// Options of the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    /// List unchanged benchmarks too.
    pub all: bool,
}

/// The Report as a table.
pub fn table(report: &Report, options: TableOptions) -> String {
    let mut out = String::new();
    let style = match Glance::of(report) {
        Glance::Pass => AnsiColor::Green.on_default().bold(),
        Glance::Undecided => AnsiColor::Yellow.on_default().bold(),
        Glance::Fail => AnsiColor::Red.on_default().bold(),
    };
    let _ = writeln!(out, "{style}{}{style:#}", summary::verdict(report));
    for (label, side) in [("base", &report.base), ("head", &report.head)] {
        let _ = writeln!(out, "{label}  {}", escape::message(&summary::side(side)));
        if let Some(commits) = summary::commits(side) {
            let _ = writeln!(out, "      {}", escape::message(&commits));
        }
    }
    let _ = writeln!(out, "      {}", summary::method(report));

    let shown: Vec<&Finding> = report.benchmarks.iter().filter(|finding| options.all || finding.is_listed()).collect();
    if !shown.is_empty() {
        let _ = writeln!(out);
        rows(&mut out, &shown);
    }
    let unchanged = report.benchmarks.iter().filter(|finding| !finding.is_listed()).count();
    if unchanged > 0 && !options.all {
        let (dim, count) = (Style::new().dimmed(), counted(unchanged, "benchmark"));
        let _ = writeln!(out, "{dim}{count} unchanged (--all lists them){dim:#}");
    }
    let _ = writeln!(out);
    let _ = writeln!(out, "{}", summary::counts(report));
    if let Some(overall) = summary::overall(report) {
        let _ = writeln!(out, "{overall}");
    }
    if let Some(budgets) = summary::budget_counts(report) {
        let _ = writeln!(out, "{budgets}");
    }
    for line in summary::limits(report) {
        let style = match line.status {
            LimitStatus::Budget(BudgetStatus::Fail) | LimitStatus::Goal(GoalStatus::NotMet) => {
                AnsiColor::Red.on_default().bold()
            }
            LimitStatus::Budget(BudgetStatus::Pass) | LimitStatus::Goal(GoalStatus::Met) => {
                AnsiColor::Green.on_default()
            }
            LimitStatus::Budget(BudgetStatus::None | BudgetStatus::Acceptable | BudgetStatus::NoData)
            | LimitStatus::Goal(GoalStatus::Undecided) => AnsiColor::Yellow.on_default(),
        };
        let (status, name) = (line.status.word(), escape::terminal(line.name));
        let _ = writeln!(out, "  {style}{status}{style:#} {name} {}", escape::message(&line.text));
    }
    if let Some(pinned) = summary::pinned(report, escape::terminal) {
        let _ = writeln!(out, "{pinned}");
    }
    diagnostics(&mut out, report);
    out
}

/// A column: its title, its alignment, and its cell for a finding.
struct Column {
    title: &'static str,
    left: bool,
    cell: fn(&Finding) -> String,
}

const fn left(title: &'static str, cell: fn(&Finding) -> String) -> Column {
    Column { title, left: true, cell }
}

const fn right(title: &'static str, cell: fn(&Finding) -> String) -> Column {
    Column { title, left: false, cell }
}

/// The columns that these findings need.
fn columns(findings: &[&Finding]) -> Vec<Column> {
    let mut columns = vec![left("", word), left("benchmark", |finding| escape::terminal(&finding.name))];
    if findings.iter().any(|finding| finding.metric != "time") {
        columns.push(left("metric", |finding| escape::terminal(&finding.metric)));
    }
    columns.push(right("base", |finding| values(finding)[0].clone()));
    columns.push(right("head", |finding| values(finding)[1].clone()));
    if findings.iter().any(|finding| summary::rate(finding).is_some()) {
        columns.push(right("rate", |finding| {
            summary::rate(finding).map(|(rate, unit)| pair([Some(rate)], unit)[0].clone()).unwrap_or_default()
        }));
    }
    columns.push(right("change", |finding| finding.change.map(change).unwrap_or_else(|| "–".to_owned())));
    columns.push(right("95% CI", |finding| {
        finding.interval.map(|[low, high]| format!("{} … {}", change(low), change(high))).unwrap_or_default()
    }));
    columns.push(right("q", |finding| finding.q.map(q_value).unwrap_or_default()));
    columns
}

/// The values of base and head in one unit.
fn values(finding: &Finding) -> [String; 2] {
    pair([finding.base, finding.head].map(|side| side.map(|side| side.value)), &finding.unit)
}

fn rows(out: &mut String, findings: &[&Finding]) {
    let columns = columns(findings);
    let cells: Vec<Vec<String>> =
        findings.iter().map(|finding| columns.iter().map(|column| (column.cell)(finding)).collect()).collect();
    let width = |column: usize| {
        let title = columns[column].title.width();
        cells.iter().map(|row| row[column].width()).fold(title, usize::max)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let titles: Vec<String> = columns.iter().map(|column| column.title.to_owned()).collect();
    line(out, &columns, &widths, &titles, Style::new().dimmed());
    for (finding, row) in findings.iter().zip(&cells) {
        line(out, &columns, &widths, row, style(finding.outcome));
        row_notes(out, finding);
    }
}

/// A line of the table; only its first cell has the style.
fn line(out: &mut String, columns: &[Column], widths: &[usize], cells: &[String], style: Style) {
    for (index, ((column, width), cell)) in columns.iter().zip(widths).zip(cells).enumerate() {
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        let gap = if index == 0 { "" } else { "  " };
        let _ = match (column.left, index) {
            (_, 0) => write!(out, "{style}{cell}{style:#}{pad}"),
            (true, _) => write!(out, "{gap}{cell}{pad}"),
            (false, _) => write!(out, "{gap}{pad}{cell}"),
        };
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// The notes and advice below a row.
fn row_notes(out: &mut String, finding: &Finding) {
    let dim = Style::new().dimmed();
    let mut notes: Vec<String> = finding.notes.iter().map(|note| escape::message(note)).collect();
    notes.extend(summary::advice(finding));
    if let (Some(tested), Some(base), Some(head)) = (finding.adjusted, finding.base, finding.head) {
        let of_values = head.value / base.value - 1.0;
        if finding.outcome != Outcome::Unchanged
            && of_values.is_finite()
            && (tested - of_values).abs() >= NOTABLE_DIFFERENCE
        {
            notes.push(format!("the medians differ by {}", change(of_values)));
        }
    }
    for line in filled(&notes.join("; ")) {
        let _ = writeln!(out, "{dim}{:NOTES$}{line}{dim:#}", "");
    }
}

/// The clauses of notes, as many on each line as fit.
fn filled(notes: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for clause in notes.split_inclusive("; ") {
        match lines.last_mut() {
            Some(line) if NOTES + line.width() + clause.trim_end().width() <= WIDTH => line.push_str(clause),
            _ => lines.push(clause.to_owned()),
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn word(finding: &Finding) -> String {
    if let Some(within) = summary::within(finding) {
        return format!("  {within}");
    }
    let mark = match finding.outcome {
        Outcome::Failed | Outcome::Regressed => "✗",
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
        Outcome::Failed | Outcome::Regressed => AnsiColor::Red.on_default().bold(),
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

/// The diagnostics below the table; beyond the first few of a code they are counted.
fn diagnostics(out: &mut String, report: &Report) {
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
        let shown = *count < SHOWN_PER_CODE;
        *count += diagnostic.count();
        if !shown {
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
        if count > SHOWN_PER_CODE {
            let more = count - SHOWN_PER_CODE;
            let _ = writeln!(out, "{dim}… and {more} more {code} (see --format json){dim:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_filled_by_clauses() {
        let undecided = "changes below 31% cannot be told from noise here; 5 more runs per side would decide";
        assert_eq!(
            filled(&format!("a note; {undecided}")),
            ["a note; changes below 31% cannot be told from noise here;", "5 more runs per side would decide",]
        );
        assert_eq!(filled(&"x".repeat(200)), ["x".repeat(200)]);
        assert!(filled("").is_empty());
    }
}
