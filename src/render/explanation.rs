//! What grew between two profiles: a sentence, then the functions. As a table for the terminal, as Markdown and as JSON.

use super::escape;
use super::fit::paragraph;
use super::quantity::{change, counted, pair, percent};
use super::rows::{Column, Narrow, Row, rows};
use crate::profile::{Explanation, GrownFunction, Growth, Measure, Presence};
use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use std::fmt::Write;

/// Functions that are listed unless all are.
const LISTED: usize = 10;
/// Functions of the Markdown.
const TOP: usize = 5;
/// A total that grew by this factor is written as a factor.
const FACTOR: f64 = 3.0;

/// The first sentence, as in `parse/large executes 41% more instructions; 96% of the growth is in 2 functions`.
pub fn explanation_sentence(explanation: &Explanation) -> String {
    let subject = explanation.benchmark.as_deref().unwrap_or("head");
    let growth = &explanation.growth;
    let Some(whole) = growth.change() else { return format!("{subject}: the profile of base is empty") };
    let (verb, noun, many) = match growth.measure {
        Measure::Instructions => ("executes", "instructions", true),
        Measure::Time => ("takes", "time", false),
        Measure::Samples => ("has", "samples", true),
        Measure::Bytes => ("allocates", "bytes", true),
        Measure::Count => ("has", "counted events", true),
    };
    if growth.is_none() {
        let as_much = if many { "as many" } else { "as much" };
        let reasons = match growth.measure {
            Measure::Instructions => "; if its time changed, the cause is code layout, caches, waiting, or the machine",
            _ => "",
        };
        return format!("{subject} {verb} {as_much} {noun} as base ({}){reasons}", change(whole));
    }
    let amount = if whole >= FACTOR - 1.0 {
        format!("{:.1} times as {} {noun}", 1.0 + whole, if many { "many" } else { "much" })
    } else if whole > 0.0 {
        format!("{} more {noun}", rounded(whole))
    } else {
        format!("{} {} {noun}", rounded(-whole), if many { "fewer" } else { "less" })
    };
    let direction = if whole > 0.0 { "growth" } else { "reduction" };
    let most = match growth.most {
        Some((count, share)) => format!("; {} of the {direction} is in {}", rounded(share), counted(count, "function")),
        None => String::new(),
    };
    format!("{subject} {verb} {amount}{most}")
}

/// Whole percentages, but for small ones.
fn rounded(share: f64) -> String {
    if share < 0.0995 { percent(share) } else { format!("{:.0}%", share * 100.0) }
}

/// The explanation for a terminal.
pub fn explanation_table(explanation: &Explanation, all: bool, width: Option<usize>) -> String {
    let mut out = String::new();
    let bold = Style::new().bold();
    let sentence = escape::message(&explanation_sentence(explanation));
    out.push_str(&paragraph(&format!("{bold}{sentence}{bold:#}"), 2, width));
    let growth = &explanation.growth;
    let [base, head] = pair(growth.totals.map(Some), growth.measure.unit());
    for (label, side, total) in [("base", &explanation.base, base), ("head", &explanation.head, head)] {
        let text = format!("{label}  {}: {total}{}", escape::message(side), noun(growth.measure, " "));
        out.push_str(&paragraph(&text, 6, width));
    }
    let shown = if all { growth.functions.len() } else { LISTED };
    if !growth.functions.is_empty() {
        out.push('\n');
        let columns = [
            Column::right("share", Narrow::Keep),
            Column::left("function", Narrow::Shorten),
            Column::right("base", Narrow::Drop(1)),
            Column::right("head", Narrow::Drop(1)),
            Column::right("change", Narrow::Keep),
            Column::left("", Narrow::Keep),
            Column::left("place", Narrow::Below),
        ];
        let table: Vec<Row> = growth.functions.iter().take(shown).map(|function| row(function, growth)).collect();
        rows(&mut out, &columns, &table, 7, width);
        let more = growth.functions.len().saturating_sub(shown);
        let dim = Style::new().dimmed();
        if more > 0 {
            out.push_str(&paragraph(
                &format!("{dim}{} with smaller changes (--all lists them){dim:#}", counted(more, "function")),
                2,
                width,
            ));
        }
        let legend = "share: of all changes in this direction; a function's cost includes the standard library code that it calls";
        out.push_str(&paragraph(&format!("{dim}{legend}{dim:#}"), 2, width));
    }
    for note in &explanation.notes {
        out.push_str(&paragraph(&format!("note: {}", escape::message(note)), 2, width));
    }
    out
}

fn noun(measure: Measure, gap: &str) -> String {
    match measure {
        Measure::Instructions => format!("{gap}instructions"),
        Measure::Samples => format!("{gap}samples"),
        Measure::Count => format!("{gap}events"),
        Measure::Time | Measure::Bytes => String::new(),
    }
}

fn row(function: &GrownFunction, growth: &Growth) -> Row {
    let [base, head] = pair(function.costs.map(Some), growth.measure.unit());
    let style = match (function.share.is_some(), growth.totals[1] >= growth.totals[0]) {
        (true, true) => AnsiColor::Red.on_default(),
        (true, false) => AnsiColor::Green.on_default(),
        (false, _) => Style::new().dimmed(),
    };
    let cells = vec![
        function.share.map(rounded).unwrap_or_else(|| "–".to_owned()),
        escape::terminal(&function.name),
        base,
        head,
        difference(function),
        words(function).join(", "),
        place(function).map(|place| escape::terminal(&place)).unwrap_or_default(),
    ];
    Row::new(style, cells)
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
    presence.into_iter().chain((function.in_diff == Some(true)).then_some("in the diff")).collect()
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
    let growth = &explanation.growth;
    let sentence = escape::markdown_text(&explanation_sentence(explanation));
    if growth.functions.is_empty() {
        return format!("{sentence}\n");
    }
    let mut out = format!("<details>\n<summary>{sentence}</summary>\n\n");
    out.push_str("| function | place | base | head | change | share | |\n|---|---|--:|--:|--:|--:|---|\n");
    for function in growth.functions.iter().take(TOP) {
        let [base, head] = pair(function.costs.map(Some), growth.measure.unit());
        let _ = writeln!(
            out,
            "| {} | {} | {base} | {head} | {} | {} | {} |",
            escape::markdown(&function.name),
            place(function).map(|place| escape::markdown(&place)).unwrap_or_default(),
            difference(function),
            function.share.map(rounded).unwrap_or_default(),
            words(function).join(", ")
        );
    }
    out.push_str("\n</details>\n");
    out
}

/// The explanation as JSON.
pub fn explanation_json(explanation: &Explanation) -> Value {
    let growth = &explanation.growth;
    let function = |function: &GrownFunction| {
        json!({
            "name": function.name,
            "file": function.file,
            "line": function.line,
            "base": function.costs[0],
            "head": function.costs[1],
            "own": {"base": function.own[0], "head": function.own[1]},
            "share": function.share,
            "status": match function.presence {
                Presence::Both => "changed",
                Presence::New => "new",
                Presence::Gone => "gone",
            },
            "in_diff": function.in_diff,
        })
    };
    json!({
        "format": "perfgate-explanation",
        "version": 1,
        "benchmark": explanation.benchmark,
        "metric": growth.measure.metric(),
        "unit": growth.measure.unit(),
        "summary": explanation_sentence(explanation),
        "base": {"label": explanation.base, "value": growth.totals[0]},
        "head": {"label": explanation.head, "value": growth.totals[1]},
        "change": growth.change(),
        "functions": growth.functions.iter().map(function).collect::<Vec<_>>(),
        "notes": explanation.notes,
    })
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
            in_diff: Some(true),
        };
        let functions: Vec<_> = shares.iter().map(function).collect();
        let most = Some((shares.len(), shares.iter().sum()));
        let growth = Growth { measure: Measure::Instructions, totals, functions, most };
        let [base, head] = ["main", "HEAD"].map(str::to_owned);
        Explanation { benchmark: Some("parse/large".to_owned()), base, head, growth, notes: vec![] }
    }

    #[test]
    fn the_first_sentence_has_the_change_and_where_it_is() {
        let sentence = |totals, shares: &[f64]| explanation_sentence(&explanation(totals, shares));
        assert_eq!(
            sentence([100.0, 141.0], &[0.9, 0.06]),
            "parse/large executes 41% more instructions; 96% of the growth is in 2 functions"
        );
        assert_eq!(
            sentence([100.0, 97.4], &[0.95]),
            "parse/large executes 2.6% fewer instructions; 95% of the reduction is in 1 function"
        );
        assert!(
            sentence([100.0, 100.1], &[]).starts_with("parse/large executes as many instructions as base (+0.1%); if")
        );
        assert!(
            sentence([100.0, 350.0], &[1.0]).starts_with("parse/large executes 3.5 times as many instructions; 100%")
        );
    }

    #[test]
    fn names_of_a_profile_are_escaped_in_every_view() {
        let explanation = explanation([100.0, 141.0], &[1.0]);
        for width in [None, Some(60), Some(100)] {
            let table = anstream::adapter::strip_str(&explanation_table(&explanation, false, width)).to_string();
            assert!(!table.contains('\u{1b}') && table.contains("\\u{1b}"), "{table}");
            assert!(table.contains("src/lib.rs:21") && table.contains("in the diff"));
        }
        let markdown = explanation_markdown(&explanation);
        assert!(!markdown.contains("<b>") && !markdown.contains('\u{1b}') && markdown.contains("&#124;"), "{markdown}");
    }
}
