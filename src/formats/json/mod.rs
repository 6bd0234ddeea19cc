//! JSON as benchmark tools write it: typed and borrowed, with Python's `NaN` tolerated, and one clear message otherwise.

mod value;

pub(super) use value::{Number, Numbers, Pairs, Present};

use super::Source;
use super::text::utf8;
use crate::model::Diagnostic;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Reads one JSON document. The error says where it stopped and what was expected.
pub fn parse<'a, T: Deserialize<'a>>(source: Source<'a>) -> Result<T, Diagnostic> {
    serde_json::from_slice(utf8(source)?).map_err(|error| unreadable(source, &error))
}

/// Reads a JSON document; where it holds the bare `NaN` and `Infinity` of Python's json module they become `null`.
/// The cleaned text is kept in `scratch`. A clean file is neither copied nor looked at twice.
pub(super) fn parse_lenient<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    scratch: &'a mut Vec<u8>,
) -> Result<T, Diagnostic> {
    let text = utf8(source)?;
    serde_json::from_slice(text).or_else(|error| match without_nan(text) {
        Cow::Borrowed(_) => Err(unreadable(source, &error)),
        Cow::Owned(clean) => {
            *scratch = clean;
            serde_json::from_slice(scratch).map_err(|error| unreadable(source, &error))
        }
    })
}

/// Reads the entries of a list of the document, one at a time, so that only the current one is held. An entry that
/// cannot be read is a message in its place; the error is a document that is broken as a whole.
pub fn for_each_entry<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    list: &'static str,
    mut take: impl FnMut(Result<T, String>),
) -> Result<(), Diagnostic> {
    let bytes = utf8(source)?;
    let mut taken = 0;
    let Err(error) = walk(bytes, list, |entry| {
        taken += 1;
        take(Ok(entry));
    }) else {
        return Ok(());
    };
    // The parser cannot go on behind a broken entry. So again from there, as text that is read entry by entry.
    let mut at = 0;
    let rest = walk(bytes, list, |raw: &RawValue| {
        if at >= taken {
            take(serde_json::from_str(raw.get()).map_err(|error| entry_message(list, at, &error)));
        }
        at += 1;
    });
    rest.map_err(|_| unreadable(source, &error))
}

/// Hands over the entries of one list of a document up to the first that is no `T`.
fn walk<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    list: &'static str,
    mut take: impl FnMut(T),
) -> serde_json::Result<()> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    Walk { list, take: &mut take, inside: false, entry: PhantomData }.deserialize(&mut document)?;
    document.end()
}

/// First over the document's keys, then, `inside`, over the list.
struct Walk<'f, T, F> {
    list: &'static str,
    take: &'f mut F,
    inside: bool,
    entry: PhantomData<T>,
}

impl<'a, T: Deserialize<'a>, F: FnMut(T)> DeserializeSeed<'a> for Walk<'_, T, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.inside { deserializer.deserialize_seq(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'a, T: Deserialize<'a>, F: FnMut(T)> Visitor<'a> for Walk<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside { write!(f, "a list of {}", self.list) } else { write!(f, "an object with {}", self.list) }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key != self.list {
                map.next_value::<IgnoredAny>()?;
            } else if std::mem::replace(&mut found, true) {
                return Err(A::Error::duplicate_field(self.list));
            } else {
                map.next_value_seed(Walk { list: self.list, take: &mut *self.take, inside: true, entry: PhantomData })?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(self.list)) }
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element()? {
            (self.take)(entry);
        }
        Ok(())
    }
}

/// The message for JSON that could not be read.
pub fn unreadable(source: Source<'_>, error: &serde_json::Error) -> Diagnostic {
    let message = match error.classify() {
        serde_json::error::Category::Eof if source.bytes.iter().all(u8::is_ascii_whitespace) => {
            "is empty; run the benchmarks again".to_owned()
        }
        serde_json::error::Category::Eof => {
            format!("ends too early at line {}; was the run cut off? Run the benchmarks again", error.line())
        }
        serde_json::error::Category::Data => format!("has an unexpected shape: {error}"),
        _ => format!("is not valid JSON: {error}"),
    };
    Diagnostic::error("unreadable", source.name, message)
}

/// The message for one entry of a list that could not be read. Its own line numbers would mislead, so they are cut.
pub(super) fn entry_message(list: &str, at: usize, error: &serde_json::Error) -> String {
    format!("entry {} of {list} is left out: {}", at + 1, reason(error))
}

/// The message for a line of an ndjson file that could not be read.
pub(super) fn line_message(error: &serde_json::Error) -> String {
    format!("the line is left out: {} at column {}", reason(error), error.column())
}

/// What was wrong, without where.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let error = error.to_string();
    error.rsplit_once(" at line ").map_or(error.as_str(), |(reason, _)| reason).to_owned()
}

/// The text with each bare `NaN`, `Infinity` and `-Infinity` (Python's json module writes them; Google Benchmark adds
/// `-NaN`) made `null`. Read such a
/// field as `Option<f64>` and report the `None`. Text without them is not copied.
pub fn without_nan(bytes: &[u8]) -> Cow<'_, [u8]> {
    const WORDS: [&[u8]; 4] = [b"NaN", b"Infinity", b"-Infinity", b"-NaN"];
    let mut out: Vec<u8> = Vec::new();
    let (mut at, mut copied, mut in_string) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            b'N' | b'I' | b'-' if !in_string => {
                if let Some(word) = WORDS.into_iter().find(|word| bytes[at..].starts_with(word)) {
                    out.extend_from_slice(&bytes[copied..at]);
                    out.extend_from_slice(b"null");
                    copied = at + word.len();
                    at = copied - 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    out.extend_from_slice(&bytes[copied..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_outside_strings_becomes_null() {
        let text = br#"{"NaN": [NaN, -Infinity, -1, "a \" NaN"]}"#;
        assert_eq!(&*without_nan(text), br#"{"NaN": [null, null, -1, "a \" NaN"]}"#);
        assert!(matches!(without_nan(b"[-1]"), Cow::Borrowed(_)));
    }

    #[test]
    fn each_entry_is_read_once_and_a_broken_one_is_a_message() {
        let read = |text: &str| {
            let mut entries = Vec::new();
            let source = Source { name: "x.json", bytes: text.as_bytes() };
            for_each_entry::<f64>(source, "list", |entry| entries.push(entry)).map(|()| entries)
        };
        let entries = read(r#"{"a": {"list": [9]}, "list": [1, "x", 1e400, 4]}"#).unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!((&entries[0], &entries[3]), (&Ok(1.0), &Ok(4.0)));
        assert!(entries[1].as_ref().unwrap_err().starts_with("entry 2 of list is left out: invalid type"));
        for broken in
            [r#"{"list": [1, 2"#, r#"{"list": [1]} 2"#, r#"{"list": [1], "list": [2]}"#, "{}", "[1]", r#"{"list": 1}"#]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
