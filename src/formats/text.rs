//! What the readers of text output share: numbered lines without colour codes, and numbers as people print them.

use super::{Source, json};
use crate::model::Diagnostic;
use std::borrow::Cow;

/// The lines of a text with their numbers from 1, line ends and colour codes left out. Bytes that are not UTF-8 become
/// replacement characters in their own line only; UTF-16 is refused by name.
pub(super) fn lines<'a>(source: Source<'a>) -> Result<impl Iterator<Item = (usize, Cow<'a, str>)>, Diagnostic> {
    let bytes = json::utf8(source)?;
    let plain_line = |line: &'a [u8]| match String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)) {
        Cow::Borrowed(line) => plain(line),
        Cow::Owned(line) => Cow::Owned(plain(&line).into_owned()),
    };
    Ok((1..).zip(bytes.split(|byte| *byte == b'\n').map(plain_line)))
}

/// A line without terminal escape sequences.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    if !line.contains('\x1b') {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c != '\x1b' {
            out.push(c);
        } else if chars.next() == Some('[') {
            // A control sequence ends with its first letter or one of @ [ \ ] ^ _ ` { | } ~.
            chars.by_ref().find(|c| ('\x40'..='\x7e').contains(c));
        }
    }
    Cow::Owned(out)
}

/// A number with optional thousands commas: `1,270,513`, `1.50`, `-5`, `NaN`.
pub(super) fn number(text: &str) -> Option<f64> {
    if text.contains(',') { text.replace(',', "").parse().ok() } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_codes_and_line_ends_are_not_part_of_a_line() {
        let source = Source { name: "x", bytes: b"\x1b[1;32mtest\x1b[0m a\r\n\xFFb" };
        let read: Vec<_> = lines(source).unwrap().map(|(n, line)| (n, line.into_owned())).collect();
        assert_eq!(read, [(1, "test a".to_owned()), (2, "\u{FFFD}b".to_owned())]);
    }

    #[test]
    fn numbers_may_carry_thousands_commas() {
        assert_eq!(number("1,270,513"), Some(1_270_513.0));
        assert_eq!(number("1.50"), Some(1.5));
        assert_eq!(number("abc"), None);
    }
}
