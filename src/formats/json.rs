//! JSON as benchmark tools write it: typed and borrowed, with Python's `NaN` tolerated, and one clear message otherwise.

use super::Source;
use crate::model::Diagnostic;
use serde::Deserialize;
use std::borrow::Cow;

/// The bytes without a byte order mark, as the parser takes them; UTF-16 is refused by name.
pub fn utf8<'a>(source: Source<'a>) -> Result<&'a [u8], Diagnostic> {
    let bytes = source.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source.bytes);
    let utf16 = bytes.starts_with(b"\xFF\xFE")
        || bytes.starts_with(b"\xFE\xFF")
        || (bytes.len() > 3 && (bytes[1] == 0 && bytes[3] == 0 || bytes[0] == 0 && bytes[2] == 0));
    if utf16 {
        return Err(Diagnostic::error("not-utf8", source.name, "is UTF-16; save it as UTF-8"));
    }
    Ok(bytes)
}

/// Reads one JSON document. The error says where it stopped and what was expected.
pub fn parse<'a, T: Deserialize<'a>>(source: Source<'a>) -> Result<T, Diagnostic> {
    serde_json::from_slice(utf8(source)?).map_err(|error| unreadable(source, &error))
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
pub fn entry_message(list: &str, at: usize, error: &serde_json::Error) -> String {
    format!("entry {} of {list} is left out: {}", at + 1, reason(error))
}

/// The message for a line of an ndjson file that could not be read.
pub fn line_message(error: &serde_json::Error) -> String {
    format!("the line is left out: {} at column {}", reason(error), error.column())
}

/// What was wrong, without where.
fn reason(error: &serde_json::Error) -> String {
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
    fn utf16_is_refused_by_name() {
        let source = Source { name: "x.json", bytes: b"\xFF\xFE{\0}\0" };
        assert!(parse::<f64>(source).unwrap_err().message.contains("UTF-16"));
    }
}
