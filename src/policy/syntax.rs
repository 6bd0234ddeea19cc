//! Messages about broken TOML. The parser only reports "duplicate key". The message needs the place of the first one and the fix.

use super::problem::{Invalid, Lines, printable};
use std::ops::Range;

/// A line that opens a table, `[gate]` or `[[budget]]`.
#[derive(Clone, Copy, PartialEq)]
struct Header<'t> {
    name: &'t str,
    /// True with double brackets, of which there may be several.
    is_entry: bool,
}

/// A problem of the syntax, from the parser's message and the place that it marks. The search for the first of two equal names
/// reads the file up to that place, so only problems that are `shown` get it.
pub(super) fn invalid(text: &str, span: &Range<usize>, message: &str, lines: &Lines, shown: bool) -> Invalid {
    if let Some(invalid) = shown.then(|| duplicate(text, span, lines)).flatten() {
        return invalid;
    }
    let help = if is_bare_value(text, span) {
        "text needs quotes, as in threshold = \"20%\"; https://toml.io has the syntax of all values"
    } else {
        "fix the TOML syntax, see https://toml.io"
    };
    Invalid::new("config-syntax", printable(message), help)
}

/// True if a value without quotes begins here.
fn is_bare_value(text: &str, span: &Range<usize>) -> bool {
    let before = text.get(..span.start).unwrap_or_default();
    let value = text.get(span.clone()).unwrap_or_default();
    before.trim_end_matches([' ', '\t']).ends_with('=') && value.starts_with(|c: char| c.is_alphanumeric())
}

/// The problem, if the parser marks the name of a table or a key that an earlier line has.
fn duplicate(text: &str, span: &Range<usize>, lines: &Lines) -> Option<Invalid> {
    let line = lines.line(span.start);
    let marked = text.lines().nth(line - 1)?;
    let name_end = lines.start(span.start) + marked.find(['=', ']']).unwrap_or_default();
    let is_name = !span.is_empty() && span.end <= name_end;
    let earlier: Vec<&str> = text.lines().take(line - 1).collect();
    match header(marked).filter(|_| is_name) {
        Some(own) => {
            let is_same = |first: &Header<'_>| first.name == own.name && !(first.is_entry && own.is_entry);
            let mut headers = (1..).zip(&earlier).filter_map(|(number, line)| Some((number, header(line)?)));
            headers.find(|(_, first)| is_same(first)).map(|(number, first)| second_table(own, first, number))
        }
        None => {
            let name = key(marked).filter(|_| is_name)?;
            first_in_table(&earlier, name).map(|first| {
                let message = format!("`{}` is already set on line {first}", printable(name));
                Invalid::new("config-syntax", message, format!("remove line {first} or line {line}"))
            })
        }
    }
}

/// The first line that sets a key of the last table of these lines.
fn first_in_table(earlier: &[&str], name: &str) -> Option<usize> {
    let own = earlier.iter().rev().find_map(|line| header(line));
    let (mut table, mut first) = (None, None);
    for (number, line) in (1..).zip(earlier) {
        match header(line) {
            Some(found) => {
                table = Some(found);
                // Each entry has its own keys.
                first = first.filter(|_| !found.is_entry || table != own);
            }
            None if table == own && key(line) == Some(name) => first = first.or(Some(number)),
            None => {}
        }
    }
    first
}

fn second_table(own: Header<'_>, first: Header<'_>, line: usize) -> Invalid {
    let name = printable(own.name);
    let (message, help) = match (own.is_entry, first.is_entry) {
        (false, false) => (
            format!("`[{name}]` is already on line {line}"),
            format!("a table is written once: move these keys below line {line}, and remove this line"),
        ),
        _ => (
            format!("`{name}` has one pair of brackets here or on line {line}, and two in the other place"),
            format!("write the same in both: `[[{name}]]` for each of several entries, `[{name}]` for a single table"),
        ),
    };
    Invalid::new("config-syntax", message, help)
}

/// The table that a line opens.
fn header(line: &str) -> Option<Header<'_>> {
    let name = line.trim_start().strip_prefix('[')?;
    let is_entry = name.starts_with('[');
    let name = name.trim_start_matches('[');
    Some(Header { name: name.split(']').next()?.trim(), is_entry })
}

/// The key that a line sets.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    let key = key.trim();
    (!key.is_empty() && !key.starts_with(['#', '['])).then_some(key)
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;

    fn problems(text: &str) -> Vec<(usize, String)> {
        let problems = Policy::read(text.as_bytes(), "perfgate.toml", &[]).expect_err(text);
        problems.iter().map(|problem| (problem.line, format!("{}; {}", problem.message, problem.help))).collect()
    }

    #[test]
    fn a_second_table_names_the_line_of_the_first() {
        let text = "[gate]\nthreshold = \"20%\"\n\n[store]\nurl = \"dir:runs\"\n[gate] # again\nalpha = 0.1\n";
        let expected = "`[gate]` is already on line 1; a table is written once: move these keys below line 1, and remove this line";
        assert_eq!(problems(text), [(6, expected.to_owned())]);
        let text = "[[benchmark]]\nmatch = \"a\"\n[benchmark]\nmatch = \"b\"\n";
        assert!(problems(text)[0].1.contains("`[[benchmark]]` for each"), "{:?}", problems(text));
    }

    #[test]
    fn a_second_key_names_the_line_of_the_first_in_the_same_table() {
        let text = "[gate]\nalpha = 0.05\n[store]\nalpha = 1\n\nalpha = 2\n";
        assert_eq!(problems(text), [(6, "`alpha` is already set on line 4; remove line 4 or line 6".to_owned())]);
        let text = "[[benchmark]]\nmatch = \"a\"\n[[benchmark]]\nmatch = \"b\"\nmatch = \"c\"\n";
        assert_eq!(problems(text), [(5, "`match` is already set on line 4; remove line 4 or line 5".to_owned())]);
    }

    #[test]
    fn another_problem_on_a_line_of_a_known_key_keeps_its_message() {
        let text = "[[benchmark]]\nmatch = \"a\"\n[[benchmark]]\nmatch = b\n";
        assert!(problems(text)[0].1.contains("quotes"), "{:?}", problems(text));
        assert!(problems("[gate]\n[gate\n").iter().all(|(_, text)| !text.contains("already")), "an unclosed table");
    }
}
