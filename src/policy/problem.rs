//! What is wrong with a config file: a list of problems, each framed under its line.
//! Which problems there are is for `written` (shape) and `validate` (values).

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use std::fmt;
use std::ops::Range;

/// Frames shown before the rest is only counted: a broken generator can make a hundred thousand.
const FRAMES: usize = 100;
/// Bytes shown before and after the place in a very long line.
const WINDOW: usize = 1_000;

/// A value that does not mean anything, as the readers of single values see it: no place yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrong {
    pub code: &'static str,
    pub message: String,
    pub help: String,
}

impl Wrong {
    pub fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Wrong { code, message: message.into(), help: help.into() }
    }
}

/// One thing wrong, at one place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    span: Range<usize>,
}

/// Everything wrong with one config file, in the order of its lines. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    name: String,
    text: String,
    list: Vec<ConfigProblem>,
}

/// Where each line of a text begins.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub fn of(text: &str) -> Self {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line that holds a byte, counted from 1.
    pub fn line(&self, byte: usize) -> usize {
        self.0.partition_point(|start| *start <= byte)
    }

    /// Where the line that holds a byte begins.
    fn start(&self, byte: usize) -> usize {
        self.0.get(self.line(byte).saturating_sub(1)).copied().unwrap_or(0)
    }
}

/// Collects problems while a file is read.
#[derive(Debug, Default)]
pub(super) struct Sink(Vec<(Range<usize>, Wrong)>);

impl Sink {
    pub fn add(&mut self, span: Range<usize>, wrong: Wrong) {
        self.0.push((span, wrong));
    }

    /// The value, or nothing and one problem more.
    pub fn take<T>(&mut self, span: Range<usize>, result: Result<T, Wrong>) -> Option<T> {
        result.map_err(|wrong| self.add(span, wrong)).ok()
    }

    /// The problems in line order, or `None` where there was none.
    pub fn into_problems(mut self, text: &str, name: &str, lines: &Lines) -> Option<Problems> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by(|(a, x), (b, y)| (a.start, x.code, &x.message).cmp(&(b.start, y.code, &y.message)));
        let mut last = (0, 1); // byte and column of the problem before: a long line is walked once, not for each
        let place = |(span, wrong): (Range<usize>, Wrong)| {
            let start = boundary(text, span.start);
            let span = start..boundary(text, span.end.max(start));
            let (from, column) = if last.0 >= lines.start(start) { last } else { (lines.start(start), 1) };
            let column = column + text.get(from..start).map_or(0, |between| between.chars().count());
            last = (start, column);
            let Wrong { code, message, help } = wrong;
            ConfigProblem { code, message, help, line: lines.line(start), column, span }
        };
        Some(Problems { name: name.to_owned(), text: text.to_owned(), list: self.0.into_iter().map(place).collect() })
    }
}

impl Problems {
    /// One problem of a text that is not a config, framed in the same way.
    pub fn one(name: &str, text: &str, span: Range<usize>, code: &'static str, message: &str, help: &str) -> Problems {
        let mut sink = Sink::default();
        sink.add(span, Wrong::new(code, message, help));
        let empty = || Problems { name: name.to_owned(), text: text.to_owned(), list: Vec::new() };
        sink.into_problems(text, name, &Lines::of(text)).unwrap_or_else(empty)
    }

    /// The same for a line of the text, counted from 1.
    pub fn on_line(name: &str, text: &str, line: usize, code: &'static str, message: &str, help: &str) -> Problems {
        let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
        let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, |line| line.trim_end().len());
        Problems::one(name, text, start..start + length, code, message, help)
    }

    /// The problems one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &ConfigProblem> {
        self.list.iter()
    }

    /// Every problem framed under its line, for a terminal that shows colours or one that does not. Text from the
    /// file comes out with its control characters made visible.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled().hyperlink(false) } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.list.iter().take(FRAMES) {
            out.push_str(&self.frame(&renderer, problem));
            out.push_str("\n\n");
        }
        let count = self.list.len();
        match count.checked_sub(FRAMES).filter(|more| *more > 0) {
            Some(more) => out.push_str(&format!("{}: {count} problems, {more} of them not shown\n", shown(&self.name))),
            None if count == 1 => out.push_str(&format!("{}: 1 problem\n", shown(&self.name))),
            None => out.push_str(&format!("{}: {count} problems\n", shown(&self.name))),
        }
        out
    }

    /// The frame gets one line, or a window of a very long one: nothing here grows with the file.
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
        let name = shown(&self.name);
        let title = Level::ERROR.primary_title(problem.message.as_str()).id(problem.code);
        let mut group = if from_start {
            title.element(snippet.path(name))
        } else {
            // The snippet would count its columns from the window's edge.
            title.element(Origin::path(name).line(problem.line).char_column(problem.column)).element(snippet)
        };
        if !problem.help.is_empty() {
            group = group.element(Level::HELP.message(problem.help.as_str()));
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

/// The nearest character boundary at or before a byte, inside the text.
fn boundary(text: &str, byte: usize) -> usize {
    (0..=byte.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// A user's text as a message may show it: one line, no control or direction-turning characters, not too long.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut out = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == LONGEST {
            out.push('…');
            break;
        }
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
            sink.add(span.clone(), Wrong::new("odd", "odd value", "mend it"));
        }
        sink.into_problems(text, "perfgate.toml", &Lines::of(text)).expect("there are problems")
    }

    #[test]
    fn problems_come_in_line_order_with_line_and_column_in_characters() {
        let all = problems("a = 1\né = 2\n", &[9..10, 0..1]);
        let places: Vec<_> = all.iter().map(|p| (p.line, p.column)).collect();
        assert_eq!(places, [(1, 1), (2, 3)]); // byte 9 is the `=`: é takes bytes 6 and 7, a space byte 8
    }

    #[test]
    fn a_span_outside_the_text_or_inside_a_character_does_no_harm() {
        for span in [7..8, 100..200, 6..100, 0..100, 12..12] {
            let all = problems("a = 1\né = 2\n", &[span]);
            assert!(all.render(false).contains("error[odd]: odd value"));
            assert!(all.render(true).contains("odd value"));
        }
        assert!(problems("", &[0..0, 5..9]).render(false).contains("perfgate.toml: 2 problems"));
        assert!(problems("\r\n\r", &[0..1, 1..2, 2..3]).render(false).contains("3 problems"));
    }

    #[test]
    fn a_line_of_a_megabyte_is_shown_through_a_window() {
        let text = format!("a = \"{}\"", "é".repeat(500_000));
        let all = problems(&text, &[500_000..500_002, 0..1]);
        assert!(all.render(false).len() < 2_000);
        assert_eq!(all.iter().last().map(|p| p.column), Some(250_003)); // 5 bytes, then (500,000 - 5) / 2 whole letters
    }

    #[test]
    fn more_than_a_hundred_problems_are_counted() {
        let text = "x\n".repeat(150);
        let spans: Vec<_> = (0..150).map(|i| i * 2..i * 2 + 1).collect();
        let out = problems(&text, &spans).render(false);
        assert_eq!(out.matches("error[odd]").count(), 100);
        assert!(out.ends_with("perfgate.toml: 150 problems, 50 of them not shown\n"));
    }

    #[test]
    fn escapes_of_the_file_do_not_reach_the_terminal() {
        assert_eq!(shown("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\nb\\u{202e}");
        let out = problems("x = \u{1b}[31m\u{202e}\n", std::slice::from_ref(&(0..1))).render(false);
        assert!(!out.contains('\u{1b}') && !out.contains('\u{202e}'));
    }
}
