//! Names and messages in Markdown: without markup, mentions, links and references of their own.

use super::{lines, shortened, visible};
use std::fmt::Write;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Maximum width, in columns, of a name that a narrow table prints without a break, and of each part of a longer name. Next to
/// wide intervals and values, longer parts do not fit into a comment, which is 760 pixels wide.
const LONGEST_UNBROKEN: usize = 32;
const LONGEST_PART: usize = 24;

/// For Markdown, also inside a table: a code span, in which GitHub creates no links, mentions or HTML. Names without special
/// characters are put between backticks; in others, punctuation becomes character references.
pub fn markdown(text: &str) -> String {
    code(&visible(&shortened(text)))
}

/// For a cell of a narrow Markdown table: as [`markdown`], but a long name may break at the ends of its words. GitHub breaks a
/// code span nowhere else, and a table of unbroken names is wider than a comment.
pub fn markdown_cell(text: &str) -> String {
    let name = visible(&shortened(text));
    if name.width() <= LONGEST_UNBROKEN {
        return code(&name);
    }
    let parts: Vec<String> = breakable(&name).into_iter().map(|part| references(&part)).collect();
    format!("<code>{}</code>", parts.join("<wbr>"))
}

/// The parts of a long name, none longer than a line of a narrow table.
fn breakable(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut count = 0;
    let mut after = ' ';
    for c in name.chars() {
        let is_end = !after.is_alphanumeric() && c.is_alphanumeric();
        if count >= LONGEST_PART || is_end && count >= LONGEST_PART / 2 {
            parts.push(String::new());
            count = 0;
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
        count += c.width().unwrap_or(0);
        after = c;
    }
    parts
}

/// A code span of visible text.
fn code(text: &str) -> String {
    if is_plain_code(text) { format!("`{text}`") } else { format!("<code>{}</code>", references(text)) }
}

/// True for text that stays literal between backticks, also in a table, and that no other reader of the document, such as a
/// workflow, could interpret as a command.
fn is_plain_code(text: &str) -> bool {
    let is_plain = |(at, c): (usize, char)| match c {
        '<' | '>' => is_comparison(text, at),
        c => c.is_alphanumeric() || "_/.:,=+-−…× ()[];%'\"*!?^~".contains(c),
    };
    !text.is_empty() && text.trim() == text && text.char_indices().all(is_plain)
}

/// True for `<` and `>` before a number, which no browser takes as the start or end of a tag.
fn is_comparison(text: &str, at: usize) -> bool {
    let rest = text[at + 1..].trim_start_matches(['=', ' ']);
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '+') && !text[..at].ends_with(['-', '<', '>'])
}

/// Text with its punctuation as character references.
fn references(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        if c.is_ascii_punctuation() && !matches!(c, '/' | '.' | ',') && !is_inside_word(text, at, c) {
            let _ = write!(out, "&#{};", c as u32);
        } else {
            out.push(c);
        }
    }
    unlinked(&out)
}

/// For Markdown text, such as messages with names: without markup, mentions and table separators. Text between backticks is
/// code.
pub fn markdown_text(text: &str) -> String {
    let text = visible(text);
    let mut out = String::new();
    let mut rest = &*text;
    while let Some((before, from)) = rest.split_once('`')
        && let Some((inside, after)) = from.split_once('`')
    {
        out.push_str(&plain_text(before));
        out.push_str(&if inside.is_empty() { "&#96;&#96;".to_owned() } else { code(inside) });
        rest = after;
    }
    out + &plain_text(rest)
}

/// Visible text without markup, mentions and table separators.
fn plain_text(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '_' if is_inside_word(text, at, c) => out.push(c),
            '<' if is_comparison(text, at) => out.push(c),
            // At the start of a line it would begin a quotation.
            '>' if is_comparison(text, at) && text[..at].trim_end().ends_with(char::is_alphanumeric) => out.push(c),
            // A word joiner after `@` and `#` prevents mentions and references.
            '@' | '#' => {
                let _ = write!(out, "{c}\u{2060}");
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '!' | '$' => {
                let _ = write!(out, "&#{};", c as u32);
            }
            c => out.push(c),
        }
    }
    unlinked(&out)
}

/// For text that GitHub shows without markup, such as the title of an issue: nothing hidden, no mentions, no references.
pub fn title(text: &str) -> String {
    let text = visible(&shortened(text)).replace('@', "@\u{2060}").replace('#', "#\u{2060}").replace('`', "'");
    unreferenced(&text)
}

/// True for an underscore between two ASCII letters or digits, which Markdown never takes as emphasis.
fn is_inside_word(text: &str, at: usize, c: char) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    c == '_' && is_word(text[..at].chars().next_back()) && is_word(text[at + 1..].chars().next())
}

/// Prevents automatic links.
fn unlinked(text: &str) -> String {
    let mut out = text.replace("://", "&#58;//");
    while let Some(at) = out.to_ascii_lowercase().find("www.") {
        out.replace_range(at + 3..at + 4, "&#46;");
    }
    unreferenced(&out)
}

/// Prevents references to issues in the form `GH-2`: after the word `closes`, one closes the issue. As after `#`, a
/// word joiner breaks them.
fn unreferenced(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in lower.match_indices("gh-") {
        let end = at + found.len();
        if lower[end..].starts_with(|c: char| c.is_ascii_digit()) {
            out.push_str(&text[from..end]);
            out.push('\u{2060}');
            from = end;
        }
    }
    out + &text[from..]
}

/// A link if the text is a plain http address, else code.
pub fn markdown_link(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#=&%+,;".contains(c);
    let scheme = text.starts_with("https://") || text.starts_with("http://");
    if scheme && text.chars().all(plain) { format!("<{text}>") } else { markdown(text) }
}

/// A code block, with a fence longer than any run of backticks in the text.
pub fn markdown_fence(text: &str, language: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}{fence}", lines(text))
}
