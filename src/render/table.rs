//! The Report as a terminal table: the verdict, the benchmarks worst first, then budgets, warnings, and the verdict again,
//! because the first line of a long report has scrolled away. Colours are always written; the output stream strips them if it
//! does not support them.

use super::explanation::explanations_in_table;
use super::fit::{hanging, paragraph};
use super::listing::Listing;
use super::method::method;
use super::next::next_jobs_of_compare;
use super::quantity::{interval, pair, thousands};
use super::remarks::{Remarks, is_beyond_more_runs};
use super::rows::{COLUMN_GAP, Column, Narrow, Row, rows};
use super::summary::LimitStatus;
use super::verdict_text::{HeadlineStatus, verdict};
use super::{escape, legend, summary};
use crate::model::{Diagnostic, Severity};
use crate::verdict::{BudgetStatus, Finding, GoalStatus, Outcome, Report};
use anstyle::{AnsiColor, Style};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Diagnostics shown per code; the rest are counted.
const SHOWN_PER_CODE: usize = 5;

/// Notes below a row start this many columns after the name of its benchmark.
const NOTES_AFTER_NAME: usize = 2;
/// At most this part of a narrow terminal is the indent of notes.
const MAX_INDENT_SHARE: usize = 3;

/// The style of what fails the gate.
const FAILS: Style = AnsiColor::Red.on_default().bold();

/// The titles of the columns that the legend explains.
const INTERVAL: &str = "95% CI";
const Q: &str = "q";
const RATE: &str = "rate";

/// Options of the table.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    /// List every benchmark.
    pub all: bool,
    /// The columns of the terminal; `None` if the output is not a terminal.
    pub width: Option<usize>,
}

/// The Report as a table.
pub fn table(report: &Report, options: TableOptions) -> String {
    let mut out = String::new();
    let width = options.width;
    let style = match HeadlineStatus::of(report) {
        HeadlineStatus::Pass => AnsiColor::Green.on_default().bold(),
        HeadlineStatus::Undecided => AnsiColor::Yellow.on_default().bold(),
        HeadlineStatus::Fail => AnsiColor::Red.on_default().bold(),
    };
    let verdict = paragraph(&format!("{style}{}{style:#}", verdict(report)), 2, width);
    out.push_str(&verdict);
    for (label, side) in [("base", &report.base), ("head", &report.head)] {
        out.push_str(&paragraph(&format!("{label}  {}", escape::message(&summary::side(side))), 6, width));
        if let Some(commits) = summary::commits(side) {
            out.push_str(&hanging(&escape::message(&commits), "      ", "      ", width));
        }
    }
    out.push_str(&hanging(&method(report), "      ", "      ", width));

    let remarks = Remarks::of(report);
    let Listing { rows: shown, others, others_count } = Listing::of(report, options.all);
    let dim = Style::new().dimmed();
    if !shown.is_empty() {
        let _ = writeln!(out);
        let columns = columns(&shown);
        let on_budgets = notes_on_budgets(report);
        let row = |finding: &&Finding| {
            let row = row(finding, &columns, &remarks, &on_budgets);
            if report.fails_by_outcome(finding) { Row { style: FAILS, ..row } } else { row }
        };
        let table: Vec<Row> = shown.iter().map(row).collect();
        let columns: Vec<Column<'_>> = columns.into_iter().map(|(column, _)| column).collect();
        let titles = rows(&mut out, &columns, &table, indent_of_notes(&table, width), width);
        let left_out = columns.iter().filter(|column| column.can_be_left_out() && !titles.contains(&column.title));
        let left_out: Vec<&str> = left_out.map(|column| column.title).collect();
        // Without a column of its own, the interval is below its row.
        let has_interval = columns.iter().any(|column| column.title == INTERVAL);
        let signs = signs(report, &shown, &titles, has_interval, &left_out);
        for legend in [legend::values(report, &shown), signs].into_iter().flatten() {
            out.push_str(&paragraph(&format!("{dim}{legend}{dim:#}"), 2, width));
        }
    }
    if !others.is_empty() {
        let them = if others_count == 1 { "it" } else { "them" };
        out.push_str(&paragraph(&format!("{dim}{} (--all lists {them}){dim:#}", others.join(", ")), 2, width));
    }
    let _ = writeln!(out);
    out.push_str(&paragraph(&summary::counts(report), 2, width));
    let lines = [
        remarks
            .shared_advice(if options.all { "" } else { " (the others: see their rows; `--all` lists all)" })
            .map(|advice| escape::message(&advice)),
        summary::overall(report),
        summary::budget_counts(report),
    ];
    for line in lines.into_iter().flatten() {
        out.push_str(&paragraph(&line, 2, width));
    }
    let mut goal_counts = summary::goal_counts(report);
    for line in summary::limits(report) {
        if let Some(counts) = goal_counts.take_if(|_| matches!(line.status, LimitStatus::Goal(_))) {
            out.push_str(&paragraph(&counts, 2, width));
        }
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
        let (status, name) = (line.word, escape::terminal(line.name));
        let text = format!("{style}{status}{style:#} {name} {}", escape::message(&line.text));
        out.push_str(&hanging(&text, "  ", "      ", width));
    }
    if let Some(pinned) = summary::pinned(report, escape::terminal) {
        out.push_str(&paragraph(&pinned, 2, width));
    }
    explanations_in_table(&mut out, &report.explanations, width);
    diagnostics(&mut out, report, width);
    let _ = writeln!(out);
    match next_jobs_of_compare(report).as_slice() {
        [] => {}
        [job] => out.push_str(&paragraph(&format!("Next: {}", job.text), 2, width)),
        jobs => {
            out.push_str("Next:\n");
            jobs.iter().for_each(|job| out.push_str(&hanging(&job.text, "- ", "  ", width)));
        }
    }
    out + &verdict
}

/// The column at which notes start. The first cells of the rows are never shortened.
fn indent_of_notes(rows: &[Row], width: Option<usize>) -> usize {
    let outcome = rows.iter().filter_map(|row| row.cells.first()).map(|cell| cell.width()).max().unwrap_or_default();
    let indent = outcome + COLUMN_GAP + NOTES_AFTER_NAME;
    width.map_or(indent, |width| indent.min(width / MAX_INDENT_SHARE))
}

/// A column and its cell for a finding.
type Cell = (Column<'static>, fn(&Finding) -> String);

/// The columns that these findings need.
fn columns(findings: &[&Finding]) -> Vec<Cell> {
    use Narrow::{Drop, Keep, Shorten, ShortenOrBelow, TitledBelow};
    let mut columns: Vec<Cell> = vec![
        (Column::left("", Keep), word),
        (Column::left("benchmark", Shorten), |finding| escape::terminal(&finding.name)),
    ];
    if findings.iter().any(|finding| finding.metric != "time") {
        columns.push((Column::left("metric", ShortenOrBelow(4)), |finding| escape::terminal(&finding.metric)));
    }
    columns.push((Column::right("base", Drop(5)), |finding| summary::sides(finding)[0].clone()));
    columns.push((Column::right("head", Drop(6)), |finding| summary::sides(finding)[1].clone()));
    if findings.iter().any(|finding| summary::rate(finding).is_some()) {
        columns.push((Column::right(RATE, Drop(2)), |finding| {
            summary::rate(finding).map(|(rate, unit)| pair([Some(rate)], unit)[0].clone()).unwrap_or_default()
        }));
    }
    columns
        .push((Column::right("change", Keep), |finding| summary::change_of(finding).unwrap_or_else(|| "–".to_owned())));
    if findings.iter().any(|finding| summary::interval_of(finding).is_some()) {
        columns.push((Column::right(INTERVAL, TitledBelow(3)), |finding| {
            summary::interval_of(finding).map(|ends| interval(finding.change, ends)).unwrap_or_default()
        }));
    }
    if findings.iter().any(|finding| finding.q.is_some()) {
        columns.push((Column::right(Q, Drop(1)), |finding| finding.q.map(q_value).unwrap_or_default()));
    }
    columns
}

/// What the signs mean that these rows and columns have, and which columns do not fit.
fn signs(
    report: &Report,
    findings: &[&Finding],
    titles: &[&str],
    has_interval: bool,
    left_out: &[&str],
) -> Option<String> {
    let [has_q, has_rate] = [Q, RATE].map(|title| titles.contains(&title));
    let mut suspects = findings.iter().filter(|finding| finding.is_suspected_regression()).peekable();
    let has_suspect = suspects.peek().is_some();
    // `measure` has re-measured suspects already, and noisy ones may need many more runs; the next step or a note states what to do.
    let re_measure =
        if report.by_measure || suspects.all(|one| is_beyond_more_runs(one)) { "" } else { ": re-measure it" };
    let parts = [
        has_suspect.then(|| format!("!: suspected regression, not proven{re_measure}")),
        legend::re_measured(report, findings),
        legend::factor(findings),
        has_rate.then(|| legend::RATE.to_owned()),
        has_interval.then(|| legend::interval(report, findings)),
        has_interval.then(|| legend::interval_around_threshold(findings)).flatten(),
        has_q.then(|| legend::q(report, findings, has_interval)),
        (!left_out.is_empty()).then(|| format!("not shown at this width: {}", left_out.join(", "))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The notes of budgets, each with its benchmark. The line of the budget has them.
fn notes_on_budgets(report: &Report) -> BTreeSet<(&str, &str)> {
    let lines = report.budgets.iter();
    lines.flat_map(|line| line.notes.iter().map(|note| (line.benchmark.as_str(), note.as_str()))).collect()
}

/// The row of a finding, with its notes and advice.
fn row(finding: &Finding, columns: &[Cell], remarks: &Remarks, on_budgets: &BTreeSet<(&str, &str)>) -> Row {
    let remarks = remarks.on(finding);
    let own = remarks.iter().filter(|note| !on_budgets.contains(&(finding.name.as_str(), note.as_str())));
    let notes: Vec<String> = own.map(|note| escape::message(note)).collect();
    let cells = columns.iter().map(|(_, cell)| cell(finding)).collect();
    Row { remark: notes.join("; "), ..Row::new(style(finding.outcome), cells) }
}

fn word(finding: &Finding) -> String {
    let sign = legend::sign(finding);
    if let Some(within) = summary::within(finding) {
        return format!("  {within}{sign}");
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
    let suspect = if finding.is_suspected_regression() { "!" } else { "" };
    format!("{mark} {}{suspect}{sign}", finding.word())
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Failed | Outcome::Regressed => FAILS,
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
        // With two decimals, 0.0499 and 0.0501 would both print as 0.05, the usual limit.
        q if (0.045..0.055).contains(&q) => format!("{q:.4}"),
        q => format!("{q:.2}"),
    }
}

/// The diagnostics below the table; beyond the first few of a code they are counted.
fn diagnostics(out: &mut String, report: &Report, width: Option<usize>) {
    let dim = Style::new().dimmed();
    let mut shown: BTreeMap<&str, usize> = BTreeMap::new();
    for diagnostic in &report.diagnostics {
        let shown = shown.entry(&diagnostic.code).or_default();
        if *shown == SHOWN_PER_CODE || diagnostic.stands_for.is_some() {
            continue;
        }
        *shown += 1;
        let style = match diagnostic.severity {
            Severity::Error => AnsiColor::Red.on_default(),
            Severity::Warning => AnsiColor::Yellow.on_default(),
            Severity::Note => dim,
        };
        let label = diagnostic.severity.word();
        let text = format!("{style}{label}{style:#}: {}", escape::message(&diagnostic.to_string()));
        out.push_str(&paragraph(&text, 2, width));
    }
    for (code, shown) in shown {
        let of_code = || report.diagnostics.iter().filter(|diagnostic| diagnostic.code == code);
        let all: usize = of_code().map(Diagnostic::count).sum();
        let listed = of_code().filter(|diagnostic| diagnostic.stands_for.is_none()).count();
        if all > shown {
            // Of a file with very many problems, the report contains only some.
            let which = match (listed == all, listed > shown) {
                (true, _) => " (--format json lists them)".to_owned(),
                (false, true) => format!(" (--format json lists the first {})", thousands(listed)),
                (false, false) => String::new(),
            };
            let text = format!("{dim}… and {} more {code}{which}{dim:#}", thousands(all - shown));
            out.push_str(&paragraph(&text, 2, width));
        }
    }
}
