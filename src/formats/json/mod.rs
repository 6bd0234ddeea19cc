//! Parsing of JSON as benchmark tools write it, including Python's bare `NaN`, and the messages for JSON errors.

mod value;

pub(super) use value::{Number, Numbers, Pairs, Present, ignore_wrong_type};

use super::Source;
use super::text::utf8;
use crate::model::Diagnostic;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Parses one JSON document.
pub fn parse<'a, T: Deserialize<'a>>(source: Source<'a>) -> Result<T, Diagnostic> {
    serde_json::from_slice(utf8(source)?).map_err(|error| unreadable(source, &error))
}

/// Parses a JSON document that may contain the bare `NaN` and `Infinity` of Python's json module; they become `null`.
/// The changed text is in `scratch`. A file without such numbers is neither copied nor scanned twice.
pub(super) fn parse_lenient<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    scratch: &'a mut Vec<u8>,
) -> Result<T, Diagnostic> {
    parse_with(source, scratch, without_nan)
}

/// [`parse_lenient`] for a format in which `null` and a bare `NaN` differ: `NaN` becomes the text `"NaN"`.
pub(super) fn parse_with_nan<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    scratch: &'a mut Vec<u8>,
) -> Result<T, Diagnostic> {
    parse_with(source, scratch, |text| replace_nan(text, b"\"NaN\""))
}

fn parse_with<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    scratch: &'a mut Vec<u8>,
    clean: impl Fn(&[u8]) -> Cow<'_, [u8]>,
) -> Result<T, Diagnostic> {
    let text = utf8(source)?;
    serde_json::from_slice(text).or_else(|error| match clean(text) {
        Cow::Borrowed(_) => Err(unreadable(source, &error)),
        Cow::Owned(clean) => {
            *scratch = clean;
            serde_json::from_slice(scratch).map_err(|error| unreadable(source, &error))
        }
    })
}

/// Parses documents that follow each other. `visit` gets each of them, or a message for one that does not parse; the documents
/// after it are not read. If the first one does not parse, that is the returned error.
pub fn for_each_document<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    mut visit: impl FnMut(Result<T, String>),
) -> Result<(), Diagnostic> {
    let documents = serde_json::Deserializer::from_slice(utf8(source)?).into_iter::<T>();
    for (at, document) in documents.enumerate() {
        match document {
            Ok(document) => visit(Ok(document)),
            Err(error) if at == 0 => return Err(unreadable(source, &error)),
            Err(error) => {
                visit(Err(entry_message("the documents", at, &error)));
                break;
            }
        }
    }
    Ok(())
}

/// Parses the entries of the list under the key `list`, keeping only the current one in memory. `visit` gets each entry,
/// or a message for an entry that does not parse. Invalid JSON is the returned error.
pub fn for_each_entry<'a, T: Deserialize<'a>>(
    source: Source<'a>,
    list: &'static str,
    mut visit: impl FnMut(Result<T, String>),
) -> Result<(), Diagnostic> {
    let bytes = utf8(source)?;
    let mut parsed = 0;
    let Err(error) = visit_list(bytes, list, |entry| {
        parsed += 1;
        visit(Ok(entry));
    }) else {
        return Ok(());
    };
    // serde cannot continue after an entry that does not parse. So go through the list once more as raw JSON, and parse
    // the remaining entries one by one.
    let mut at = 0;
    let rest = visit_list(bytes, list, |raw: &RawValue| {
        if at >= parsed {
            visit(serde_json::from_str(raw.get()).map_err(|error| entry_message(list, at, &error)));
        }
        at += 1;
    });
    rest.map_err(|_| unreadable(source, &error))
}

/// Visits the entries of one list, up to the first that does not parse.
fn visit_list<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    list: &'static str,
    mut visit: impl FnMut(T),
) -> serde_json::Result<()> {
    let mut document = serde_json::Deserializer::from_slice(bytes);
    ListVisitor { list, visit: &mut visit, in_list: false, entry: PhantomData }.deserialize(&mut document)?;
    document.end()
}

/// Visits the keys of the document or, with `in_list`, the entries of the list.
struct ListVisitor<'f, T, F> {
    list: &'static str,
    visit: &'f mut F,
    in_list: bool,
    entry: PhantomData<T>,
}

impl<'a, T: Deserialize<'a>, F: FnMut(T)> DeserializeSeed<'a> for ListVisitor<'_, T, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.in_list { deserializer.deserialize_seq(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'a, T: Deserialize<'a>, F: FnMut(T)> Visitor<'a> for ListVisitor<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.in_list { write!(f, "a list of {}", self.list) } else { write!(f, "an object with {}", self.list) }
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<Cow<'_, str>>()? {
            if key != self.list {
                map.next_value::<IgnoredAny>()?;
            } else if std::mem::replace(&mut found, true) {
                return Err(A::Error::duplicate_field(self.list));
            } else {
                let (list, visit) = (self.list, &mut *self.visit);
                map.next_value_seed(ListVisitor { list, visit, in_list: true, entry: PhantomData })?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(self.list)) }
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element()? {
            (self.visit)(entry);
        }
        Ok(())
    }
}

/// The diagnostic for a JSON document that does not parse.
pub fn unreadable(source: Source<'_>, error: &serde_json::Error) -> Diagnostic {
    let message = match error.classify() {
        serde_json::error::Category::Eof if source.bytes.iter().all(u8::is_ascii_whitespace) => {
            "the file is empty; run the benchmarks again".to_owned()
        }
        serde_json::error::Category::Eof => {
            format!("the JSON ends too early at line {}; run the benchmarks again", error.line())
        }
        // Without a position, the whole document has another structure.
        serde_json::error::Category::Data if error.column() == 0 => {
            format!("unexpected JSON structure: {}", reason(error))
        }
        serde_json::error::Category::Data => {
            format!("unexpected JSON structure: {}", in_words_of_json(error.to_string()))
        }
        _ => format!("not valid JSON: {error}"),
    };
    Diagnostic::error("unreadable", source.name, message)
}

/// The message for a list entry that does not parse. serde counts lines from the start of the entry, so they are dropped.
pub(super) fn entry_message(list: &str, at: usize, error: &serde_json::Error) -> String {
    format!("entry {} of {list} skipped: {}", at + 1, reason(error))
}

/// The message for a line of an ndjson file that does not parse.
pub(super) fn line_message(error: &serde_json::Error) -> String {
    format!("line skipped: {} at column {}", reason(error), error.column())
}

/// serde's message without the position.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let error = error.to_string();
    in_words_of_json(error.rsplit_once(" at line ").map_or(error.as_str(), |(reason, _)| reason).to_owned())
}

/// serde's message with the words of JSON's users: an object is a map to serde, and an array a sequence.
fn in_words_of_json(message: String) -> String {
    const WORDS: [(&str, &str); 4] = [
        ("invalid type: map", "found an object"),
        ("invalid type: sequence", "found an array"),
        ("expected a map", "expected an object"),
        ("expected a sequence", "expected an array"),
    ];
    WORDS.iter().fold(message, |message, (serde, json)| message.replace(serde, json))
}

/// Replaces each bare `NaN`, `Infinity`, `-Infinity` (from Python's json module) and `-NaN` (from Google Benchmark) by
/// `null`. Text without them is not copied.
pub fn without_nan(bytes: &[u8]) -> Cow<'_, [u8]> {
    replace_nan(bytes, b"null")
}

fn replace_nan<'a>(bytes: &'a [u8], replacement: &[u8]) -> Cow<'a, [u8]> {
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
                    out.extend_from_slice(replacement);
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

    fn read(text: &str) -> Result<Vec<Result<f64, String>>, Diagnostic> {
        let mut entries = Vec::new();
        let source = Source { name: "x.json", bytes: text.as_bytes() };
        for_each_entry(source, "list", |entry| entries.push(entry)).map(|()| entries)
    }

    #[test]
    fn a_document_of_another_structure_is_described_in_words_of_json() {
        let source = Source { name: "x.json", bytes: b"{}" };
        let error = serde_json::from_str::<Vec<u8>>("{}").unwrap_err();
        assert_eq!(unreadable(source, &error).message, "unexpected JSON structure: found an object, expected an array");
    }

    #[test]
    fn each_entry_is_visited_once_and_an_invalid_one_gives_a_message() {
        let entries = read(r#"{"a": {"list": [9]}, "list": [1, "x", 1e400, 4]}"#).unwrap();
        assert_eq!(entries.len(), 4);
        assert_eq!((&entries[0], &entries[3]), (&Ok(1.0), &Ok(4.0)));
        assert!(entries[1].as_ref().unwrap_err().starts_with("entry 2 of list skipped: invalid type"));
        for broken in
            [r#"{"list": [1, 2"#, r#"{"list": [1]} 2"#, r#"{"list": [1], "list": [2]}"#, "{}", "[1]", r#"{"list": 1}"#]
        {
            assert!(read(broken).is_err(), "{broken}");
        }
    }
}
