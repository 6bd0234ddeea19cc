//! Which functions made a benchmark slower: the section of the report, and the page of one explanation.

use super::{Page, STYLE, wide};
use crate::profile::Explanation;
use crate::render::escape::{message, xml};
use crate::render::explanation::{explanation_text, notes, totals};
use crate::render::flame::flame_graph;
use std::fmt::Write;

/// Functions of each explanation.
const MAX_FUNCTIONS: usize = 20;

/// The page of one explanation.
pub fn page(explanation: &Explanation) -> String {
    let sentence = message(&explanation.sentence());
    let mut out = format!("<header><h1>{}</h1>\n", xml(&sentence));
    let totals = totals(explanation);
    for (word, side, total) in [("Base", &explanation.base, &totals[0]), ("Head", &explanation.head, &totals[1])] {
        let _ = writeln!(out, "<p>{word}: {}, {}</p>", xml(&message(side)), xml(total));
    }
    out.push_str("</header>\n<main>\n");
    details(&mut out, explanation, usize::MAX, true);
    for note in notes(std::slice::from_ref(explanation)) {
        let _ = writeln!(out, "<p class=\"dim\">{}</p>", xml(&message(note)));
    }
    out.push_str("</main>\n");
    let title = format!("perfgate: {sentence}");
    Page { title: &title, body: &out, style: STYLE, data: "{}", scripts: &[], has_files: false }.html()
}

/// The section; nothing without explanations.
pub(super) fn section(out: &mut String, explanations: &[Explanation]) {
    if explanations.is_empty() {
        return;
    }
    out.push_str("<h2>Functions that changed</h2>\n");
    for (index, explanation) in explanations.iter().enumerate() {
        let open = if index == 0 { " open" } else { "" }; // all of them would move the findings out of sight
        let sentence = xml(&message(&explanation.sentence()));
        let _ = writeln!(out, "<details{open} class=\"explanation\"><summary>{sentence}</summary>");
        details(out, explanation, MAX_FUNCTIONS, false);
        out.push_str("</details>\n");
    }
    for note in notes(explanations) {
        let _ = writeln!(out, "<p class=\"dim\">{}</p>", xml(note));
    }
}

/// The functions, and the flame graph where there is one.
fn details(out: &mut String, explanation: &Explanation, listed: usize, is_alone: bool) {
    let text = explanation_text(explanation, listed);
    if !text.functions.is_empty() {
        let _ = write!(out, "{}<table><thead><tr>", wide("Functions"));
        for title in ["function", "place"] {
            let _ = write!(out, "<th scope=\"col\">{title}</th>");
        }
        for title in ["base", "head", "change", "share"] {
            let _ = write!(out, "<th scope=\"col\" class=\"number\">{title}</th>");
        }
        out.push_str("<th scope=\"col\">status</th>");
        out.push_str("</tr></thead><tbody>\n");
        for function in text.functions {
            let share = function.share.unwrap_or_else(|| "–".to_owned());
            let place = function.place.unwrap_or_default();
            let _ = write!(
                out,
                "<tr><td class=\"name\">{}</td><td class=\"name\">{}</td>",
                xml(&function.name),
                xml(&place)
            );
            for cell in [function.base, function.head, function.change, share] {
                let _ = write!(out, "<td class=\"number\">{}</td>", xml(&cell));
            }
            let _ = writeln!(out, "<td>{}</td></tr>", xml(&function.status));
        }
        out.push_str("</tbody></table></div>\n");
    }
    if let Some(more) = text.more {
        let _ = writeln!(out, "<p class=\"dim\">{} not listed</p>", xml(&more));
    }
    let growth = &explanation.growth;
    let Some(flame) = &growth.flame else { return };
    let Some(graph) = flame_graph(flame, growth.measure) else { return };
    let estimated = if flame.estimated {
        " The profiler counts calls and keeps no stacks: the cost of a function is shared among its callers in proportion to the \
         cost of their calls."
    } else {
        ""
    };
    let open = if is_alone { " open" } else { "" };
    let _ = writeln!(
        out,
        "<details{open} class=\"explanation\"><summary>Flame graph of the difference</summary><p class=\"dim\">Callers are above the functions \
         that they call. The width of a frame is its share of head. Its colour is the change of the function's own code: red for \
         more than in base, blue for less, white for no change. Calls with less than 0.1% of head count for their \
         caller.{estimated}</p><div class=\"wide flame\" tabindex=\"0\" role=\"group\" aria-label=\"Flame \
         graph\">{graph}</div></details>"
    );
}
