//! The page of a Report: verdict, budgets, every finding with its interval drawn and its samples on demand, warnings,
//! machines. The findings are data; `report.js` creates their rows when they scroll into view.

use super::samples::{samples, value_limits};
use super::{Page, STYLE, explanations, filter_bar, header_cell, wide};
use crate::model::Severity;
use crate::render::escape::{terminal, xml};
use crate::render::legend::{legend, sign};
use crate::render::listing::failing_first;
use crate::render::method::method;
use crate::render::next::next_jobs;
use crate::render::remarks::Remarks;
use crate::render::summary::{self, capitalized};
use crate::render::template::budget_text;
use crate::render::verdict_text::{HeadlineStatus, verdict};
use crate::verdict::{ChangeDirection, Finding, Outcome, Report};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Width of the drawing of an interval, in pixels.
const WIDTH: f64 = 180.0;
/// Minimum distance between two ticks of the scale above the intervals, in pixels.
const MIN_TICK_DISTANCE: f64 = 42.0;
/// Changes that may have a tick.
const TICKS: [f64; 14] = [-0.8, -0.5, -0.3, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 3.0];

/// Replaces larger ends of intervals; the page writes it as `∞` (`HUGE` in `change.js`). JSON has no infinity.
const UNLIMITED: f64 = 1e13;

/// The page of a Report.
pub fn page(report: &Report) -> String {
    let mut out = String::new();
    let class = match HeadlineStatus::of(report) {
        HeadlineStatus::Fail => "bad",
        HeadlineStatus::Pass => "good",
        HeadlineStatus::Undecided => "open",
    };
    let verdict = verdict(report);
    let _ = writeln!(out, "<header><h1 class=\"{class}\">{}</h1>", xml(&verdict));
    let _ = writeln!(out, "<p>{}</p>", xml(&summary::counts(report)));
    for (word, side) in [("Base", &report.base), ("Head", &report.head)] {
        let _ = writeln!(out, "<p>{word}: {}</p>", xml(&summary::side(side)));
    }
    let plain = |text: &str| text.to_owned();
    let remarks = Remarks::of(report);
    for line in
        [Some(method(report)), summary::overall(report), summary::pinned(report, plain), remarks.shared_advice("")]
    {
        let _ = line.map(|line| writeln!(out, "<p class=\"dim\">{}</p>", with_code(&xml(&line))));
    }
    match next_jobs(report).as_slice() {
        [] => {}
        [job] => {
            let _ = writeln!(out, "<p>Next: {}</p>", with_code(&xml(&job.text)));
        }
        jobs => {
            let items: String = jobs.iter().map(|job| format!("<li>{}</li>\n", with_code(&xml(&job.text)))).collect();
            let _ = writeln!(out, "<p>Next:</p>\n<ul>\n{items}</ul>");
        }
    }
    out.push_str("</header>\n<main>\n");
    limits(&mut out, report);
    explanations::section(&mut out, &report.explanations);
    let present: BTreeSet<&str> = report.benchmarks.iter().map(|finding| KINDS[kind(finding)].0).collect();
    let kinds: Vec<&str> = KINDS.iter().map(|(word, _)| *word).filter(|word| present.contains(word)).collect();
    out.push_str(&filter_bar(&kinds, report.benchmarks.len()));
    let reach = reach(report);
    table(&mut out, report, reach);
    facts(&mut out, report);
    out.push_str("</main>\n");
    let data = data(report, &remarks, reach).to_string();
    let scripts =
        [concat!("\"use strict\";\n", include_str!("sort.js"), include_str!("change.js"), include_str!("report.js"))];
    let title = format!("perfgate: {verdict}");
    Page { title: &title, body: &out, style: STYLE, data: &data, scripts: &scripts, has_files: false }.html()
}

/// Escaped text with its `commands` as code.
fn with_code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let tags = ["</code>", "<code>"];
    let part = |(index, part): (usize, &&str)| match (index, is_paired) {
        (0, _) => (*part).to_owned(),
        (_, false) => format!("`{part}"),
        (index, true) => format!("{}{part}", tags[index % 2]),
    };
    parts.iter().enumerate().map(part).collect()
}

/// The empty table of findings.
fn table(out: &mut String, report: &Report, reach: f64) {
    let findings: Vec<&Finding> = report.benchmarks.iter().collect();
    let legend = legend(report, &findings).map(|legend| format!(" {}.", xml(&summary::capitalized(&legend))));
    let _ = write!(
        out,
        "<table class=\"sortable\" aria-rowcount=\"{}\"><caption class=\"dim\">Benchmarks: those that fail the gate, then the others, worst first; select a name for \
         details and samples. Dotted line: the threshold for a regression.{}</caption><thead><tr>",
        report.benchmarks.len() + 1,
        legend.unwrap_or_default()
    );
    for (text, class, extra) in [
        ("outcome", "outcome", ""),
        ("benchmark", "", ""),
        ("metric", "metric", ""),
        ("base", "number side", ""),
        ("head", "number side", ""),
        ("change", "number change", ""),
        ("95% CI", "ci", &*scale(reach)),
        ("q", "number q", ""),
    ] {
        out.push_str(&header_cell(text, class, extra));
    }
    out.push_str("</tr></thead>\n<tbody></tbody></table>\n<p id=\"end\" class=\"dim\">more rows follow</p>\n");
    out.push_str("<noscript><p class=\"bad\">The rows of this table need JavaScript.</p></noscript>\n");
}

/// The place of a change in the drawings.
fn place(fraction: f64, reach: f64) -> f64 {
    (fraction.max(-0.99).ln_1p() / reach).clamp(-1.0, 1.0).mul_add(WIDTH / 2.0 - 4.0, WIDTH / 2.0)
}

/// The scale above the intervals: round changes with enough room between them.
fn scale(reach: f64) -> String {
    let mut ticks = vec![(WIDTH / 2.0, "0".to_owned())];
    let rises = TICKS.iter().filter(|by| **by > 0.0);
    let falls = TICKS.iter().rev().filter(|by| **by < 0.0);
    let (rises, falls): (Vec<&f64>, Vec<&f64>) = (rises.collect(), falls.collect());
    for side in [rises, falls] {
        let mut last = WIDTH / 2.0;
        for by in side {
            let at = place(*by, reach);
            if by.ln_1p().abs() < 0.95 * reach
                && (at - last).abs() >= MIN_TICK_DISTANCE
                && (20.0..=WIDTH - 20.0).contains(&at)
            {
                ticks.push((at, format!("{:+.0}%", 100.0 * by).replace('-', "−")));
                last = at;
            }
        }
    }
    let mut out = format!("<svg width=\"{WIDTH}\" height=\"16\" aria-hidden=\"true\">");
    for (at, text) in ticks {
        let _ = write!(
            out,
            "<text x=\"{at:.1}\" y=\"10\" text-anchor=\"middle\">{text}</text><line class=\"zero\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"12\" y2=\"16\"/>"
        );
    }
    out + "</svg>"
}

/// Half the width of the drawings, on the log scale.
fn reach(report: &Report) -> f64 {
    let ends = report.benchmarks.iter().filter_map(|finding| finding.interval).flatten();
    let widest = ends.map(|end| end.max(-0.99).ln_1p().abs()).fold(0.0, f64::max);
    // Not `clamp`, which panics where the bounds cross: a threshold of 172% is beyond 1.5. A saved comparison may even
    // have a negative one, whose logarithm is not a number.
    let least = 1.5 * report.threshold.max(0.0).ln_1p();
    widest.min(least.max(1.5)).max(least)
}

/// The kinds that rows are filtered by, and the class of their colour.
const KINDS: [(&str, &str); 12] = [
    ("failed", "bad"),
    ("regressed", "bad"),
    ("accepted", "open"),
    ("inconclusive", "open"),
    ("removed", "dim"),
    ("added", "dim"),
    ("improved", "good"),
    ("unchanged", "dim"),
    ("worse, within threshold", "open"),
    ("better, within threshold", "open"),
    ("not run", "dim"),
    ("not judged", "dim"),
];

/// The place of a finding's kind in `KINDS`.
fn kind(finding: &Finding) -> usize {
    match (finding.within, finding.outcome) {
        (Some(ChangeDirection::Slower), _) => 8,
        (Some(ChangeDirection::Faster), _) => 9,
        (None, Outcome::Failed) => 0,
        (None, Outcome::Regressed) => 1,
        (None, Outcome::Accepted) => 2,
        (None, Outcome::Inconclusive) if !finding.is_judged() => 11,
        (None, Outcome::Inconclusive) => 3,
        (None, Outcome::Removed) if finding.not_run => 10,
        (None, Outcome::Removed) => 4,
        (None, Outcome::Added) => 5,
        (None, Outcome::Improved) => 6,
        (None, Outcome::Unchanged) => 7,
    }
}

/// The kinds; those that fail the gate have the colour of a regression.
fn kinds(report: &Report) -> Vec<(&'static str, &'static str)> {
    let failing = report.benchmarks.iter().filter(|finding| report.fails_by_outcome(finding)).map(kind);
    let failing: BTreeSet<usize> = failing.collect();
    let colour = |(index, (word, class))| (word, if failing.contains(&index) { "bad" } else { class });
    KINDS.into_iter().enumerate().map(colour).collect()
}

/// The data of the rows. Each is a list, in the order of the constants of `report.js`, without empty values at its end.
fn data(report: &Report, remarks: &Remarks, reach: f64) -> Value {
    let mut metrics: Vec<&str> = Vec::new();
    let limit = report.threshold;
    let findings = failing_first(report, report.benchmarks.iter());
    let value_limit = value_limits(&findings);
    let rows: Vec<Value> = findings
        .into_iter()
        .enumerate()
        .map(|(index, finding)| {
            let metric = metrics.iter().position(|known| *known == finding.metric).unwrap_or_else(|| {
                metrics.push(&finding.metric);
                metrics.len() - 1
            });
            let samples = samples(finding, value_limit(index));
            row(finding, remarks.on(finding), metric, limit, samples)
        })
        .collect();
    let metrics: Vec<String> = metrics.into_iter().map(terminal).collect();
    json!({"width": WIDTH, "reach": reach, "limit": limit, "metrics": metrics, "kinds": kinds(report), "rows": rows})
}

fn row(finding: &Finding, notes: Vec<String>, metric: usize, usual_limit: f64, samples: Option<Value>) -> Value {
    let kind = kind(finding);
    let sign = sign(finding);
    let word = match summary::within(finding) {
        Some(within) => Some(format!("{within}{sign}")),
        None if finding.is_suspected_regression() => Some(format!("inconclusive (suspected regression){sign}")),
        None => (!sign.is_empty()).then(|| format!("{}{sign}", finding.word())),
    };
    let values = [finding.base, finding.head].map(|side| side.map(|value| value.value));
    let [base, head] = summary::sides(finding).map(|text| terminal(&text));
    let text = |value: Option<f64>, text: String| value.map(|_| text);
    let short = |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| significant(value, 5));
    let fraction =
        |value: Option<f64>| value.filter(|value| value.is_finite()).map(|value| (value * 1e7).round() / 1e7);
    let end = |at: usize| fraction(finding.interval.map(|interval| interval[at].clamp(-UNLIMITED, UNLIMITED)));
    let limit = finding.direction.worse(finding.threshold);
    let notes = (!notes.is_empty()).then(|| terminal_lines(&notes.join("; ")));
    let mut row = vec![
        json!(terminal_lines(&finding.name)),
        json!(kind),
        json!(metric),
        json!(word),
        json!(short(values[0])),
        json!(text(values[0], base)),
        json!(short(values[1])),
        json!(text(values[1], head)),
        json!(fraction(finding.change)),
        json!(end(0)),
        json!(end(1)),
        json!(finding.q.map(|q| significant(q, 6))),
        json!(Some(limit).filter(|limit| *limit != usual_limit)),
        json!(notes),
        json!(samples),
    ];
    while row.last().is_some_and(Value::is_null) {
        row.pop();
    }
    Value::Array(row)
}

/// Text of any length with visible control characters.
fn terminal_lines(text: &str) -> String {
    crate::render::escape::message(text)
}

pub(crate) fn significant(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits - 1).parse().unwrap_or(value)
}

/// The budgets that are not clearly met, the others folded, and the goals.
fn limits(out: &mut String, report: &Report) {
    let budgets: Vec<_> = report.budgets.iter().map(budget_text).collect();
    let (met, missed): (Vec<_>, Vec<_>) = budgets.iter().partition(|line| line.status == "PASS");
    let head = ["status", "benchmark (metric)", "value", "limit", "off by"];
    let cells = |line: &&crate::render::template::BudgetText| {
        let bound = line.bound.as_ref().map(|bound| format!(" ({bound})")).unwrap_or_default();
        let acceptable = line.acceptable.as_ref().map(|acceptable| format!(", acceptable {acceptable}"));
        let limit = format!("{}{bound}{}", line.target, acceptable.unwrap_or_default());
        let missing = || "–".to_owned();
        let class = match line.status.as_str() {
            "FAIL" => "bad",
            "PASS" => "good",
            _ => "open",
        };
        let name = format!("{} ({})", line.name, line.metric);
        let note = if line.near || line.value.is_none() { line.notes.join("; ") } else { String::new() };
        let [value, off] = [&line.value, &line.off_by].map(|text| text.clone().unwrap_or_else(missing));
        (class, note, [line.status.clone(), name, value, limit, off])
    };
    if !missed.is_empty() {
        out.push_str("<h2>Budgets</h2>\n");
        small_table(out, "Budgets", head, missed.iter().map(cells));
    }
    if !met.is_empty() {
        let _ = writeln!(out, "<details><summary>Budgets met: {}</summary>", met.len());
        small_table(out, "Budgets met", head, met.iter().map(cells));
        out.push_str("</details>\n");
    }
    if !report.goals.is_empty() {
        out.push_str("<h2>Expected and actual</h2>\n<p class=\"dim\">not part of the verdict</p>\n");
        let goals = report.goals.iter().map(crate::render::template::goal_text).map(|line| {
            let class = match line.status.as_str() {
                "met" => "good",
                "not met" => "bad",
                _ => "open",
            };
            let achieved = line.achieved.unwrap_or_else(|| "–".to_owned());
            (class, String::new(), [line.status, format!("{} ({})", line.name, line.metric), line.promised, achieved])
        });
        small_table(out, "Expected and actual", ["status", "benchmark (metric)", "expected", "actual"], goals);
    }
}

/// A table with a coloured first column, and a note below the second.
fn small_table<const N: usize>(
    out: &mut String,
    label: &str,
    head: [&str; N],
    rows: impl Iterator<Item = (&'static str, String, [String; N])>,
) {
    let _ = write!(out, "{}<table class=\"limits\"><thead><tr>", wide(label));
    for (index, text) in head.into_iter().enumerate() {
        let class = if index < 2 { "" } else { " class=\"short\"" };
        let _ = write!(out, "<th scope=\"col\"{class}>{text}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for (class, note, cells) in rows {
        out.push_str("<tr>");
        for (index, cell) in cells.iter().enumerate() {
            let class = match index {
                0 => class,
                1 => "name",
                _ => "short",
            };
            let note = match note.as_str() {
                "" => String::new(),
                note => format!("<div class=\"notes\">{}</div>", with_code(&xml(note))),
            };
            let note = if index == 1 { note } else { String::new() };
            let _ = write!(out, "<td class=\"{class}\">{}{note}</td>", xml(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

/// The warnings and the machines.
fn facts(out: &mut String, report: &Report) {
    if !report.diagnostics.is_empty() {
        out.push_str("<h2>Warnings and notes</h2>\n<ul>\n");
        for diagnostic in &report.diagnostics {
            let class = match diagnostic.severity {
                Severity::Error => "bad",
                Severity::Warning => "open",
                Severity::Note => "dim",
            };
            let label = capitalized(diagnostic.severity.word());
            let _ = writeln!(out, "<li class=\"{class}\">{label}: {}</li>", with_code(&xml(&diagnostic.to_string())));
        }
        out.push_str("</ul>\n");
    }
    let (base, head) = (&report.base.environment, &report.head.environment);
    let keys: BTreeSet<&String> = base.keys().chain(head.keys()).collect();
    if !keys.is_empty() {
        let _ = write!(out, "<h2>Machines</h2>\n{}", wide("Machines"));
        out.push_str("<table><thead><tr><th scope=\"col\">fact</th><th scope=\"col\">base</th><th scope=\"col\">head</th></tr></thead><tbody>\n");
        for fact in keys {
            let [base, head] = [base, head].map(|side| side.get(fact).map(|value| xml(value)).unwrap_or_default());
            let class = if base == head { "" } else { " class=\"open\"" };
            let _ = writeln!(out, "<tr{class}><th scope=\"row\">{}</th><td>{base}</td><td>{head}</td></tr>", xml(fact));
        }
        out.push_str("</tbody></table></div>\n");
    }
}
