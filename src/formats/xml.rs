//! A pull reader for XML reports: elements and attributes, with bounded depth and without entity expansion.

use super::builder::ReadingBuilder;
use super::{Source, text};
use crate::model::{Diagnostic, EndScope};
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Maximum nesting of elements. Reports need far less.
const MAX_DEPTH: usize = 200;

/// The start or end of an element.
pub(super) enum Step<'a> {
    /// Start of an element. True if it is empty (`<a/>`): then no [`Step::Close`] follows.
    Open(BytesStart<'a>, bool),
    /// End of the innermost element.
    Close,
}

/// Iterates over the elements of a document without building a tree.
pub(super) struct Elements<'a> {
    source: Source<'a>,
    reader: Reader<&'a [u8]>,
    depth: usize,
}

impl<'a> Elements<'a> {
    /// The elements of `source`.
    pub(super) fn of(source: Source<'a>) -> Result<Self, Diagnostic> {
        Ok(Elements { source, reader: Reader::from_reader(text::utf8(source)?), depth: 0 })
    }

    /// The next step, or `None` at the end. An XML error ends the document with a warning; earlier steps stay valid.
    pub(super) fn next(&mut self, builder: &mut ReadingBuilder<'_>) -> Option<Step<'a>> {
        self.step().unwrap_or_else(|error| {
            // Benchmarks after the error are missing, not removed.
            builder.record_early_end(EndScope::Suite, &error.message);
            builder.warn(&error.code, error.message);
            None
        })
    }

    fn step(&mut self) -> Result<Option<Step<'a>>, Diagnostic> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(element)) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(self.error("elements are nested too deep"));
                    }
                    return Ok(Some(Step::Open(element, false)));
                }
                Ok(Event::Empty(element)) => return Ok(Some(Step::Open(element, true))),
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Step::Close));
                }
                Ok(Event::Eof) if self.depth > 0 => {
                    return Err(self.error("the file ends too early; run the tool again"));
                }
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(self.error(&error.to_string())),
            }
        }
    }

    fn error(&self, reason: &str) -> Diagnostic {
        let message = format!("invalid XML at byte {}: {reason}", self.reader.buffer_position());
        Diagnostic::error("unreadable", self.source.name, message)
    }
}

/// The text of an attribute. The five predefined entities and character references are resolved; a text with any other
/// entity is returned as written.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.attributes().with_checks(false).flatten().find(|a| a.key.as_ref() == name)?;
    let text = attribute.normalized_value(XmlVersion::Implicit1_0);
    Some(text.unwrap_or_else(|_| attribute.value.clone()).into_owned())
}

/// The number in an attribute, with or without thousands separators.
pub(super) fn number(element: &BytesStart<'_>, name: &str) -> Option<f64> {
    super::text::number(attribute(element, name)?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> Result<Vec<String>, Diagnostic> {
        let mut elements = Elements::of(Source { name: "x.xml", bytes: text.as_bytes() })?;
        let mut names = Vec::new();
        while let Some(step) = elements.step()? {
            if let Step::Open(element, _) = step {
                names.push(attribute(&element, "n").unwrap_or_default());
            }
        }
        Ok(names)
    }

    #[test]
    fn entities_declared_in_the_document_are_not_expanded() {
        let text = r#"<!DOCTYPE a [<!ENTITY e "lol"><!ENTITY f SYSTEM "file:///etc/hostname">]><a n="&e;&f;"><b n="&lt;&#65;"/></a>"#;
        assert_eq!(steps(text).unwrap(), ["&e;&f;", "<A"]);
    }

    #[test]
    fn deeply_nested_or_incomplete_documents_are_an_error() {
        assert!(steps(&"<a>".repeat(100_000)).unwrap_err().message.contains("too deep"));
        assert!(steps("<a><b></a>").is_err());
        assert!(steps("<a>").unwrap_err().message.contains("too early"));
    }
}
