//! What grew between two profiles: a sentence, then the functions. As a table for the terminal, as Markdown and as JSON.

use super::escape;
use super::fit::paragraph;
use super::quantity::{change, counted, pair};
use super::rows::{Column, Narrow, Row, rows};
use super::template::{ExplanationText, FunctionText};
use crate::model::number_text::{share, thousands};
use crate::profile::{Explanation, GrownFunction, Growth, Inlining, Measure, Presence};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;

/// Number of functions listed without `--all`.
const MAX_FUNCTIONS: usize = 10;
/// Functions of the Markdown, and of each explanation in a report.
pub(super) const MAX_FUNCTIONS_IN_REPORT: usize = 5;

/// The explanation for a terminal.
pub fn explanation_table(explanation: &Explanation, all: bool, width: Option<usize>) -> String {
    let mut out = String::new();
    sentence(&mut out, explanation, width);
    let growth = &explanation.growth;
    let [base, head] = totals(explanation);
    for (label, side, total) in [("base", &explanation.base, base), ("head", &explanation.head, head)] {
        let text = format!("{label}  {}: {total}", escape::message(side));
        out.push_str(&paragraph(&text, 6, width));
    }
    let shown = if all { growth.functions.len() } else { MAX_FUNCTIONS };
    if !growth.functions.is_empty() {
        out.push('\n');
        let more = functions(&mut out, explanation, shown, width);
        let dim = Style::new().dimmed();
        if let Some(more) = more {
            out.push_str(&paragraph(&format!("{dim}{more} with smaller changes (--all lists them){dim:#}"), 2, width));
        }
        let legend = legend(growth, &listed(growth, shown));
        out.push_str(&paragraph(&format!("{dim}{legend}{dim:#}"), 2, width));
    }
    for note in &explanation.notes {
        out.push_str(&paragraph(&format!("note: {}", escape::message(note)), 2, width));
    }
    out
}

/// What the columns and words of these functions mean.
fn legend(growth: &Growth, shown: &[&GrownFunction]) -> String {
    let (all, other) =
        if growth.totals[1] >= growth.totals[0] { ("increases", "decrease") } else { ("decreases", "increase") };
    let is_other = shown.iter().any(|function| function.share.is_none());
    let dash = if is_other { format!(" (–: {other})") } else { String::new() };
    let is_one_sided = shown.iter().any(|function| function.presence != Presence::Both);
    let words = if is_one_sided { "; new, gone: the other profile does not have the function at all" } else { "" };
    format!("share: of all {all}{dash}{words}; a function's cost includes the standard library code that it calls")
}

/// The explanations of a report for a terminal: for each the sentence and the first functions.
pub(super) fn explanations_in_table(out: &mut String, explanations: &[Explanation], width: Option<usize>) {
    let dim = Style::new().dimmed();
    for explanation in explanations {
        out.push('\n');
        sentence(out, explanation, width);
        if let Some(more) = functions(out, explanation, MAX_FUNCTIONS_IN_REPORT, width) {
            out.push_str(&paragraph(&format!("{dim}{more} not listed{dim:#}"), 2, width));
        }
    }
    for note in notes(explanations) {
        out.push_str(&paragraph(&format!("{dim}{}{dim:#}", escape::message(note)), 2, width));
    }
}

/// The notes of explanations, each once.
pub(super) fn notes(explanations: &[Explanation]) -> Vec<&str> {
    let mut notes: Vec<&str> = Vec::new();
    for note in explanations.iter().flat_map(|explanation| &explanation.notes) {
        if !notes.contains(&note.as_str()) {
            notes.push(note);
        }
    }
    notes
}

fn sentence(out: &mut String, explanation: &Explanation, width: Option<usize>) {
    let bold = Style::new().bold();
    let sentence = escape::message(&explanation.sentence());
    out.push_str(&paragraph(&format!("{bold}{sentence}{bold:#}"), 2, width));
}

/// The first functions as rows; returns how many are not shown.
fn functions(out: &mut String, explanation: &Explanation, most: usize, width: Option<usize>) -> Option<String> {
    let columns = [
        Column::right("share", Narrow::Keep),
        Column::left("function", Narrow::Shorten),
        Column::right("base", Narrow::Drop(1)),
        Column::right("head", Narrow::Drop(1)),
        Column::right("change", Narrow::Keep),
        Column::left("", Narrow::Keep),
        Column::left("place", Narrow::Below),
    ];
    let growth = &explanation.growth;
    let text = explanation_text(explanation, most);
    let listed = listed(growth, most).into_iter();
    let table: Vec<Row> = listed.zip(text.functions).map(|(one, text)| row(one, text, growth)).collect();
    if !table.is_empty() {
        rows(out, &columns, &table, 7, width);
    }
    text.more
}

/// What base and head cost, with the unit.
pub(super) fn totals(explanation: &Explanation) -> [String; 2] {
    let growth = &explanation.growth;
    let noun = match growth.measure {
        Measure::Instructions => " instructions",
        Measure::Samples => " samples",
        Measure::Count => " events",
        Measure::Time | Measure::Bytes => "",
    };
    costs(growth.totals, growth.measure).map(|total| format!("{total}{noun}"))
}

fn row(function: &GrownFunction, text: FunctionText, growth: &Growth) -> Row {
    let style = match (function.share.is_some(), growth.totals[1] >= growth.totals[0]) {
        (true, true) => AnsiColor::Red.on_default(),
        (true, false) => AnsiColor::Green.on_default(),
        (false, _) => Style::new().dimmed(),
    };
    let cells = vec![
        text.share.unwrap_or_else(|| "–".to_owned()),
        escape::terminal(&text.name),
        text.base,
        text.head,
        text.change,
        text.status,
        text.place.map(|place| escape::terminal(&place)).unwrap_or_default(),
    ];
    Row::new(style, cells)
}

/// An explanation as texts, with at most this many functions. Names and places are untrusted text.
pub(super) fn explanation_text(explanation: &Explanation, most: usize) -> ExplanationText {
    let growth = &explanation.growth;
    let function = |function: &GrownFunction| {
        let [base, head] = costs(function.costs, growth.measure);
        FunctionText {
            name: function.name.clone(),
            place: place(function),
            base,
            head,
            change: difference(function),
            share: function.share.map(share),
            status: words(function).join(", "),
        }
    };
    let left = growth.functions.len().saturating_sub(most);
    ExplanationText {
        name: explanation.benchmark.clone(),
        sentence: explanation.sentence(),
        functions: listed(growth, most).into_iter().map(function).collect(),
        more: (left > 0).then(|| counted(left, "more function")),
        notes: explanation.notes.clone(),
    }
}

/// The first functions. If none of them is in the diff, the last one is replaced: by the first function that is in the
/// diff and changed in the direction of the total. It may be the cause.
fn listed(growth: &Growth, most: usize) -> Vec<&GrownFunction> {
    let (first, rest) = growth.functions.split_at(growth.functions.len().min(most));
    let mut listed: Vec<&GrownFunction> = first.iter().collect();
    let is_in_diff = |function: &&GrownFunction| function.in_diff == Some(true) && function.share.is_some();
    let cause = rest.iter().find(is_in_diff).filter(|_| !first.iter().any(|function| is_in_diff(&function)));
    if let (Some(last), Some(cause)) = (listed.last_mut(), cause) {
        *last = cause;
    }
    listed
}

/// Costs in one unit; counts with separators, because they have many digits.
fn costs(costs: [f64; 2], measure: Measure) -> [String; 2] {
    match measure.unit() {
        "count" if costs.iter().all(|cost| (0.0..1e15).contains(cost)) => {
            costs.map(|cost| thousands(cost.round() as usize))
        }
        unit => pair(costs.map(Some), unit),
    }
}

fn difference(function: &GrownFunction) -> String {
    let [base, head] = function.costs;
    if base > 0.0 { change(head / base - 1.0) } else { "–".to_owned() }
}

fn words(function: &GrownFunction) -> Vec<&'static str> {
    let presence = match function.presence {
        Presence::Both => None,
        Presence::New => Some("new"),
        Presence::Gone => Some("gone"),
    };
    let inlining = match function.inlining {
        Some(Inlining::Lost) => Some("no longer inlined"),
        Some(Inlining::Gained) => Some("now inlined"),
        None => None,
    };
    presence.into_iter().chain(inlining).chain((function.in_diff == Some(true)).then_some("in the diff")).collect()
}

/// `src/lib.rs:21`
fn place(function: &GrownFunction) -> Option<String> {
    let file = function.file.as_ref()?;
    Some(match function.line {
        Some(line) => format!("{file}:{line}"),
        None => file.clone(),
    })
}

/// The explanation as Markdown: the sentence, and the first functions folded below it.
pub fn explanation_markdown(explanation: &Explanation) -> String {
    let text = explanation_text(explanation, MAX_FUNCTIONS_IN_REPORT);
    let sentence = escape::markdown_text(&text.sentence);
    if text.functions.is_empty() {
        return format!("{sentence}\n");
    }
    let mut out = format!("<details>\n<summary>{sentence}</summary>\n\n");
    out.push_str("| function | place | base | head | change | share | |\n|---|---|--:|--:|--:|--:|---|\n");
    for function in text.functions {
        let FunctionText { name, place, base, head, change, share, status } = function;
        let place = place.map(|place| escape::markdown(&place)).unwrap_or_default();
        let (name, share) = (escape::markdown(&name), share.unwrap_or_default());
        let _ = writeln!(out, "| {name} | {place} | {base} | {head} | {change} | {share} | {status} |");
    }
    out.push_str("\n</details>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(totals: [f64; 2], shares: &[f64]) -> Explanation {
        let function = |share: &f64| GrownFunction {
            name: "x::y | <b>\u{1b}[2J".to_owned(),
            file: Some("src/lib.rs".to_owned()),
            line: Some(21),
            costs: [100.0, 100.0 + 41.0 * share],
            own: [0.0; 2],
            share: Some(*share),
            presence: Presence::Both,
            inlining: None,
            in_diff: Some(true),
        };
        let functions: Vec<_> = shares.iter().map(function).collect();
        let most = Some((shares.len(), shares.iter().sum()));
        let growth = Growth { measure: Measure::Instructions, totals, functions, most, flame: None };
        let [base, head] = ["main", "HEAD"].map(str::to_owned);
        Explanation {
            benchmark: Some("parse/large".to_owned()),
            base,
            head,
            growth,
            changed: vec![],
            time_change: None,
            of_command: false,
            notes: vec![],
        }
    }

    #[test]
    fn a_function_of_the_diff_has_a_place_among_the_first_functions() {
        let mut explanation = explanation([100.0, 141.0], &[0.3, 0.2, 0.2, 0.1, 0.1, 0.06, 0.04]);
        for (place, function) in explanation.growth.functions.iter_mut().enumerate() {
            (function.name, function.in_diff) = (format!("f{place}"), Some(false));
        }
        let names = |explanation: &Explanation| -> String {
            explanation_text(explanation, 3).functions.into_iter().map(|function| function.name).collect()
        };
        assert_eq!(names(&explanation), "f0f1f2");
        explanation.growth.functions[5].in_diff = Some(true);
        assert_eq!(names(&explanation), "f0f1f5");
        let markdown = explanation_markdown(&explanation);
        assert!(markdown.contains("f5") && !markdown.contains("f4"), "{markdown}");
        explanation.growth.functions[1].in_diff = Some(true);
        assert_eq!(names(&explanation), "f0f1f2");
        explanation.growth.functions[1].in_diff = Some(false);
        explanation.growth.functions[5].share = None;
        assert_eq!(names(&explanation), "f0f1f2");
        assert!(explanation_text(&explanation, 0).functions.is_empty());
    }

    #[test]
    fn names_of_a_profile_are_escaped_in_every_view() {
        let explanation = explanation([100.0, 141.0], &[1.0]);
        for width in [None, Some(60), Some(100)] {
            let table = anstream::adapter::strip_str(&explanation_table(&explanation, false, width)).to_string();
            assert!(!table.contains('\u{1b}') && table.contains("\\u{1b}"), "{table}");
            assert!(table.contains("src/lib.rs:21") && table.contains("in the diff"));
            let mut out = String::new();
            explanations_in_table(&mut out, std::slice::from_ref(&explanation), width);
            let part = anstream::adapter::strip_str(&out).to_string();
            assert!(part.contains("41% more instructions") && !part.contains('\u{1b}'), "{part}");
        }
        let markdown = explanation_markdown(&explanation);
        assert!(!markdown.contains("<b>") && !markdown.contains('\u{1b}') && markdown.contains("&#124;"), "{markdown}");
    }
}
