//! Plain text as command line tools print it: UTF-8 or nearly, and numbers with their unit behind them.

use super::{Source, json};
use crate::model::{Diagnostic, Unit};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The source as text; bytes that are not UTF-8 become replacement characters, UTF-16 is refused by name.
pub(super) fn text<'a>(source: Source<'a>) -> Result<Cow<'a, str>, Diagnostic> {
    json::utf8(source).map(String::from_utf8_lossy)
}

/// The lines of a text with their numbers, from 1.
pub(super) fn numbered(text: &str) -> impl Iterator<Item = (u64, &str)> {
    (1..).zip(text.lines())
}

/// A finite number as tools print it; words such as `nan` are none.
pub(super) fn number(word: &str) -> Option<f64> {
    let word = word.trim();
    if !word.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return None;
    }
    word.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A time with its unit attached, `63.28ms`, in nanoseconds.
pub(super) fn time(word: &str) -> Option<f64> {
    let word = word.trim();
    let at = word.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (value, label) = word.split_at(at);
    let scale = Unit::parse(label).filter(|scale| scale.unit == Unit::Nanosecond)?;
    number(value).map(|value| value * scale.factor)
}

/// The path of a URL: what stays the same when host and port change between runs.
pub(super) fn url_path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find(['/', '?']) {
        Some(at) => &rest[at..],
        None => "/",
    }
}

/// Tells entries of one name apart by their order: the second `f` becomes `f#2`.
#[derive(Default)]
pub(super) struct Namesakes(BTreeMap<String, usize>);

impl Namesakes {
    /// The name, with its number where it is not the first one.
    pub(super) fn tell_apart(&mut self, name: String) -> String {
        let seen = self.0.entry(name.clone()).or_default();
        *seen += 1;
        if *seen == 1 { name } else { format!("{name}#{seen}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_carries_its_unit() {
        assert_eq!(time("63.28ms"), Some(63.28 * 1e6));
        assert_eq!(time("75us"), Some(75e3));
        assert_eq!(time("1.5m"), Some(90e9));
        assert_eq!(time("12"), None);
        assert_eq!(time("5furlongs"), None);
        assert_eq!(time("ms"), None);
    }

    #[test]
    fn words_are_no_numbers() {
        assert_eq!((number("nan"), number("inf"), number("1e999"), number(" 2 ")), (None, None, None, Some(2.0)));
    }

    #[test]
    fn a_url_is_named_by_its_path() {
        assert_eq!(url_path("http://127.0.0.1:8080/search?q=1"), "/search?q=1");
        assert_eq!(url_path("https://host"), "/");
        assert_eq!(url_path("/search"), "/search");
    }
}
