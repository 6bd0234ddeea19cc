//! Text that fits into the columns of a terminal. Without a width, as in a pipe or a file, nothing is shortened or wrapped.

use std::borrow::Cow;
use textwrap::{Options, WordSplitter};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text of several words as one paragraph: at most `width` columns, lines after the first are indented.
pub fn paragraph(text: &str, indent: usize, width: Option<usize>) -> String {
    hanging(text, "", &" ".repeat(indent), width)
}

/// The same with a text in front of the first line, and another in front of the others.
pub fn hanging(text: &str, first: &str, others: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return format!("{first}{text}\n") };
    // On a very narrow terminal an indent would leave no room for words.
    let width = width.max(others.width() + 20);
    let options =
        Options::new(width).initial_indent(first).subsequent_indent(others).word_splitter(WordSplitter::NoHyphenation); // not at the hyphens of names and options
    textwrap::fill(text, options) + "\n"
}

/// The lines of a text, each at most `width` columns. A longer word is broken after the separators of paths, lists and calls;
/// without one, as in a long option, its line is longer.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = Options::new(width).word_splitter(WordSplitter::NoHyphenation).break_words(false);
    let words: Vec<Cow<'_, str>> = text.split(' ').map(|word| with_breaks(word, width)).collect();
    textwrap::wrap(&words.join(" "), options).into_iter().map(Cow::into_owned).collect()
}

/// A word that is too long for a line, with line breaks after the separators of paths, lists and calls.
fn with_breaks(word: &str, width: usize) -> Cow<'_, str> {
    let mut ends =
        word.match_indices(['/', ',', '(', ':']).map(|(at, _)| at + 1).filter(|end| word[..*end].width() <= width);
    match ends.next_back().filter(|_| word.width() > width) {
        Some(end) => Cow::from(format!("{}\n{}", &word[..end], with_breaks(&word[end..], width))),
        None => Cow::from(word),
    }
}

/// A text of at most `width` columns: `…` takes the place of its middle.
pub fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let rest = width.saturating_sub(1);
    if let Some(text) = text.strip_prefix('…') {
        // The start was already left out.
        return format!("…{}", last_columns(text, rest));
    }
    // The last part of a name distinguishes it from its neighbours.
    let last = text.rsplit(['/', ':', '.']).next().map_or(0, UnicodeWidthStr::width);
    let kept = if last < rest { last.max(rest / 2) } else { rest / 2 };
    let head = first_columns(text.chars(), rest - kept);
    format!("{head}…{}", last_columns(text, kept))
}

/// The last characters that fit into `width` columns.
fn last_columns(text: &str, width: usize) -> String {
    first_columns(text.chars().rev(), width).chars().rev().collect()
}

/// The first characters that fit into `width` columns.
fn first_columns(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= width
    };
    chars.take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_name_is_cut_out() {
        assert_eq!(shortened("parse/large/64", 20), "parse/large/64");
        assert_eq!(shortened("parse/large/64", 9), "pars…e/64");
        // Wide characters take two columns each.
        assert_eq!(shortened("性能測試基準名稱", 9), "性能…名稱");
        assert_eq!(shortened("abc", 1), "…");
        // The part after the last separator is kept, where it fits.
        assert_eq!(shortened("time:system", 9), "ti…system");
        assert_eq!(shortened("codec::tests::roundtrip", 14), "code…roundtrip");
        assert_eq!(shortened("codec::a_very_long_function", 14), "codec::…nction");
        assert_eq!(shortened("…parse/large/64", 9), "…large/64");
    }

    #[test]
    fn a_paragraph_has_a_hanging_indent_and_breaks_no_word() {
        assert_eq!(paragraph("one two-three four", 2, Some(30)), "one two-three four\n");
        assert_eq!(
            paragraph("note: a text that is --longer-than the line", 2, Some(22)),
            "note: a text that is\n  --longer-than the\n  line\n"
        );
        assert_eq!(wrapped("an --unbreakable-option x", 5), ["an", "--unbreakable-option", "x"]);
        assert_eq!(wrapped("of (a/bc/def.json) and x/y", 9), ["of (a/bc/", "def.json)", "and x/y"]);
        assert_eq!(wrapped("name,value,unit x::write(a)", 11), ["name,value,", "unit", "x::write(a)"]);
        assert_eq!(paragraph(&"word ".repeat(100), 2, None).lines().count(), 1);
    }
}
