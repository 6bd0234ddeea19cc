//! Problems of a config file, each framed under its line. `raw` finds wrong tables, keys and types, `validate` invalid
//! values.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::fmt;
use std::ops::Range;

/// Maximum number of frames shown; the rest are only counted. A broken generator can cause 100,000.
pub(super) const MAX_FRAMES: usize = 100;
/// Bytes shown before and after the position in a very long line.
const WINDOW: usize = 1_000;

/// An invalid value, before its position is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Invalid {
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

impl Invalid {
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Invalid { code, message: message.into(), help: help.into() }
    }
}

/// One problem at one position in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Stable code in kebab-case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    span: Range<usize>,
}

/// One problem of a whole line.
#[derive(Debug, Clone, Copy)]
pub struct LineProblem<'a> {
    /// The line, counted from 1.
    pub line: usize,
    /// Stable code in kebab-case.
    pub code: &'static str,
    /// What is wrong.
    pub message: &'a str,
    /// How to fix it.
    pub help: &'a str,
}

/// All problems of one config file, in line order. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    name: String,
    text: String,
    list: Vec<ConfigProblem>,
}

/// Byte offsets of the starts of a text's lines.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }

    /// Offset at which a byte's line starts.
    pub fn start(&self, byte: usize) -> usize {
        self.0.get(self.line(byte).saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub(super) struct Sink(Vec<(Range<usize>, Invalid)>);

impl Sink {
    pub fn add(&mut self, span: Range<usize>, wrong: Invalid) {
        self.0.push((span, wrong));
    }

    /// The value, or `None` after adding the problem.
    pub fn value_or_report<T>(&mut self, span: Range<usize>, result: Result<T, Invalid>) -> Option<T> {
        result.map_err(|wrong| self.add(span, wrong)).ok()
    }

    /// The problems in line order, or `None` if there are none.
    pub fn into_problems(mut self, text: &str, name: &str, lines: &Lines) -> Option<Problems> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by(|(a, x), (b, y)| (a.start, x.code, &x.message).cmp(&(b.start, y.code, &y.message)));
        let mut last = (0, 1); // offset and column of the previous problem, so that a long line is scanned only once
        let locate = |(span, wrong): (Range<usize>, Invalid)| {
            let start = boundary(text, span.start);
            let span = start..boundary(text, span.end.max(start));
            let (from, column) = if last.0 >= lines.start(start) { last } else { (lines.start(start), 1) };
            let column = column + text.get(from..start).map_or(0, |between| between.chars().count());
            last = (start, column);
            let Invalid { code, message, help } = wrong;
            ConfigProblem { code, message, help, line: lines.line(start), column, span }
        };
        Some(Problems { name: name.to_owned(), text: text.to_owned(), list: self.0.into_iter().map(locate).collect() })
    }
}

impl Problems {
    /// One problem of another kind of file, framed in the same way.
    pub fn one(name: &str, text: &str, span: Range<usize>, code: &'static str, message: &str, help: &str) -> Problems {
        let mut sink = Sink::default();
        sink.add(span, Invalid::new(code, message, help));
        let empty = || Problems { name: name.to_owned(), text: text.to_owned(), list: Vec::new() };
        sink.into_problems(text, name, &Lines::of(text)).unwrap_or_else(empty)
    }

    /// Like [`Problems::one`], for a whole line, counted from 1.
    pub fn on_line(name: &str, text: &str, line: usize, code: &'static str, message: &str, help: &str) -> Problems {
        Problems::one(name, text, span_of_line(text, line), code, message, help)
    }

    /// Problems of whole lines; `None` if there are none.
    pub fn on_lines(name: &str, text: &str, problems: &[LineProblem<'_>]) -> Option<Problems> {
        let mut sink = Sink::default();
        for LineProblem { line, code, message, help } in problems {
            sink.add(span_of_line(text, *line), Invalid::new(code, *message, *help));
        }
        sink.into_problems(text, name, &Lines::of(text))
    }

    /// The name of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first problem and its place on one line: `perfgate.toml:3:5: …`.
    pub fn first_line(&self) -> String {
        let first = self.list.first();
        let place = first.map(|first| format!(":{}:{}: {}", first.line, first.column, first.message));
        format!("{}{}", self.name, place.unwrap_or_default())
    }

    /// Iterates over the problems.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ConfigProblem> {
        self.list.iter()
    }

    /// Renders every problem framed under its line. Control characters from the file are made visible.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.list.iter().take(MAX_FRAMES) {
            out.push_str(&self.frame(&renderer, problem));
            out.push_str("\n\n");
        }
        let count = self.list.len();
        match count.checked_sub(MAX_FRAMES).filter(|more| *more > 0) {
            Some(more) => {
                out.push_str(&format!("{}: {count} problems, {more} of them not shown\n", printable(&self.name)))
            }
            None if count == 1 => out.push_str(&format!("{}: 1 problem\n", printable(&self.name))),
            None => out.push_str(&format!("{}: {count} problems\n", printable(&self.name))),
        }
        out
    }

    /// Passes one line, or a window of a very long one, to the renderer: its cost must not grow with the file.
    fn frame(&self, renderer: &Renderer, problem: &ConfigProblem) -> String {
        let text = self.text.as_str();
        let at = problem.span.start;
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |more| at + more);
        let from_start = at - start <= WINDOW;
        let start = start.max(boundary(text, at.saturating_sub(WINDOW)));
        let end = end.min(boundary(text, at + WINDOW)).max(at);
        let line = text[start..end].trim_end_matches('\r');
        let from = boundary(line, at - start);
        let to = boundary(line, problem.span.end.saturating_sub(start)).max(from);
        let mark = AnnotationKind::Primary.span(from..to);
        let snippet = Snippet::source(line).line_start(problem.line).annotation(mark);
        let name = printable(&self.name);
        let title = Level::ERROR.primary_title(problem.message.as_str()).id(problem.code);
        let mut group = if from_start {
            title.element(snippet.path(name))
        } else {
            // The snippet would count columns from the start of the window.
            title.element(Origin::path(name).line(problem.line).char_column(problem.column)).element(snippet)
        };
        if !problem.help.is_empty() {
            group = group.element(Level::HELP.message(one_line(&problem.help)));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}

/// The bytes of a line, counted from 1, without its end.
fn span_of_line(text: &str, line: usize) -> Range<usize> {
    let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, |line| line.trim_end().len());
    start..start + length
}

/// The last character boundary at or before a byte, within the text.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Text from a file, safe to print in a message: one line, shortened, control and bidirectional characters escaped.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => one_line(&text[..end]) + "…",
        None => one_line(text),
    }
}

/// The text with control and bidirectional characters escaped.
fn one_line(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => out.extend(c.escape_default()),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str, spans: &[Range<usize>]) -> Problems {
        let mut sink = Sink::default();
        for span in spans {
            sink.add(span.clone(), Invalid::new("odd", "odd value", "fix it"));
        }
        sink.into_problems(text, "perfgate.toml", &Lines::of(text)).expect("there are problems")
    }

    #[test]
    fn names_of_results_in_a_help_cannot_control_the_terminal() {
        let mut sink = Sink::default();
        sink.add(0..1, Invalid::new("odd", "odd value", "did you mean `a\u{1b}[2J\n::error::b`?"));
        let text = "a = 1\n";
        let problems = sink.into_problems(text, "perfgate.toml", &Lines::of(text)).expect("there are problems");
        let shown = problems.to_string();
        assert!(shown.contains("a\\u{1b}[2J\\n::error::b") && !shown.contains('\u{1b}'), "{shown:?}");
    }

    #[test]
    fn problems_come_in_line_order_with_line_and_column_in_characters() {
        let all = problems("a = 1\né = 2\n", &[9..10, 0..1]);
        let places: Vec<_> = all.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, [(1, 1), (2, 3)]); // byte 9 is the `=`: é takes bytes 6 and 7, a space byte 8
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_is_clamped() {
        for span in [7..8, 100..200, 6..100, 0..100, 12..12] {
            let all = problems("a = 1\né = 2\n", &[span]);
            assert!(all.render(false).contains("error[odd]: odd value"));
            assert!(all.render(true).contains("odd value"));
        }
        assert!(problems("", &[0..0, 5..9]).render(false).contains("perfgate.toml: 2 problems"));
        assert!(problems("\r\n\r", &[0..1, 1..2, 2..3]).render(false).contains("3 problems"));
    }

    #[test]
    fn only_a_window_of_a_very_long_line_is_shown() {
        let text = format!("a = \"{}\"", "é".repeat(500_000));
        let all = problems(&text, &[500_000..500_002, 0..1]);
        assert!(all.render(false).len() < 2_000);
        assert_eq!(all.iter().last().map(|p| p.column), Some(250_003)); // 5 bytes, then (500,000 - 5) / 2 whole letters
    }

    #[test]
    fn problems_beyond_the_first_hundred_are_only_counted() {
        let text = "x\n".repeat(150);
        let spans: Vec<_> = (0..150).map(|i| i * 2..i * 2 + 1).collect();
        let out = problems(&text, &spans).render(false);
        assert_eq!(out.matches("error[odd]").count(), 100);
        assert!(out.ends_with("perfgate.toml: 150 problems, 50 of them not shown\n"));
    }

    #[test]
    fn escape_sequences_in_the_file_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\nb\\u{202e}");
        let out = problems("x = \u{1b}[31m\u{202e}\n", std::slice::from_ref(&(0..1))).render(false);
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'));
    }
}
