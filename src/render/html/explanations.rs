//! The section of the report that says which functions made its largest regressions slower.

use crate::profile::Explanation;
use crate::render::escape::xml;
use crate::render::explanation::{explanation_text, notes};
use std::fmt::Write;

/// Functions of each explanation.
const LISTED: usize = 20;

/// The section; nothing without explanations.
pub(super) fn section(out: &mut String, explanations: &[Explanation]) {
    if explanations.is_empty() {
        return;
    }
    out.push_str("<h2>Functions that changed</h2>\n");
    for (index, explanation) in explanations.iter().enumerate() {
        let open = if index == 0 { " open" } else { "" }; // all of them would move the findings out of sight
        let text = explanation_text(explanation, LISTED);
        let _ = writeln!(out, "<details{open} class=\"explanation\"><summary>{}</summary>", xml(&text.sentence));
        if !text.functions.is_empty() {
            out.push_str("<div class=\"wide\"><table><thead><tr>");
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
        out.push_str("</details>\n");
    }
    for note in notes(explanations) {
        let _ = writeln!(out, "<p class=\"dim\">{}</p>", xml(note));
    }
}
