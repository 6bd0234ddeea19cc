//! The frame of the self-contained HTML pages: no network access, no inline handlers, and a content security policy
//! that lets the browser run only the embedded scripts and, for a history in several files, those in the directory of
//! the page. `report`, `history` and `explanations` fill it.

mod explanations;
mod history;
mod report;
mod samples;

pub use explanations::page as explanation_page;
pub use history::{HistorySite, page as history_page, site as history_site};
pub use report::page as report_page;

use super::escape::xml;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

/// A page: its body, the JSON that its scripts make rows and charts from, and those scripts.
struct Page<'a> {
    title: &'a str,
    body: &'a str,
    style: &'static str,
    data: &'a str,
    scripts: &'a [&'static str],
    /// True if the scripts load files from the directory of the page.
    has_files: bool,
}

impl Page<'_> {
    fn html(&self) -> String {
        let Page { title, body, style, data, scripts, has_files } = self;
        let mut out = String::with_capacity(body.len() + data.len() + 24_576);
        let hash = |text: &str| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
        let hashes: String = scripts.iter().map(|script| hash(script)).collect();
        let files = if *has_files { " 'self'" } else { "" };
        let policy = format!(
            "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src{}; script-src{hashes}{files}",
            hash(style)
        );
        out.push_str("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        let _ = writeln!(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">");
        out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        out.push_str("<link rel=\"icon\" href=\"data:,\">\n");
        let _ = writeln!(out, "<title>{}</title>\n<style>{style}</style>\n</head>\n<body>", xml(title));
        out.push_str(body);
        // In JSON `<` occurs only in strings, where `\u003c` is the same character.
        let data = data.replace('<', "\\u003c");
        let _ = writeln!(out, "<script type=\"application/json\" id=\"data\">{data}</script>");
        for script in *scripts {
            let _ = writeln!(out, "<script>{script}</script>");
        }
        out.push_str("</body>\n</html>\n");
        out
    }
}

/// The search field and the drop-down list that filter the rows.
fn filter_bar(kinds: &[&str], rows: usize) -> String {
    let mut out = String::from(
        "<div class=\"tools\"><label>Find <input type=\"search\" id=\"search\" placeholder=\"part of a name\"></label>\n\
         <label>Show <select id=\"kind\"><option value=\"\">all</option>",
    );
    kinds.iter().for_each(|kind| {
        let _ = write!(out, "<option value=\"{0}\">{0}</option>", xml(kind));
    });
    let _ =
        writeln!(out, "</select></label>\n<span class=\"dim\"><output id=\"shown\">{rows}</output> shown</span></div>");
    out
}

/// A column header that sorts by its column, with more markup below its text.
fn header_cell(text: &str, class: &str, extra: &str) -> String {
    format!("<th scope=\"col\" class=\"{class}\"><button type=\"button\">{text}</button>{extra}</th>")
}

/// The start of a `div` whose content may be wider than the page. The keyboard scrolls it.
fn wide(label: &str) -> String {
    format!("<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{label}\">")
}
