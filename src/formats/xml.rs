//! What the readers of XML share: events without entity expansion, bounded depth, and attributes by name.

use super::builder::ReadingBuilder;
use super::{Source, text};
use crate::model::Diagnostic;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Deeper elements than this are an error: no report nests so deep.
const DEPTH: usize = 200;

/// One step through the elements of a document.
pub(super) enum Step<'a> {
    /// An element begins; true when it is empty and ends at once, with no [`Step::Close`].
    Open(BytesStart<'a>, bool),
    /// The innermost element ends.
    Close,
}

/// The elements of a document one after the other; nothing but the current one is kept.
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

    /// The next step, or `None` at the end. Where the document is broken it ends, with a warning: what came before is
    /// good.
    pub(super) fn next(&mut self, builder: &mut ReadingBuilder<'_>) -> Option<Step<'a>> {
        self.step().unwrap_or_else(|error| {
            builder.warn(&error.code, error.message);
            None
        })
    }

    fn step(&mut self) -> Result<Option<Step<'a>>, Diagnostic> {
        loop {
            match self.reader.read_event() {
                Ok(Event::Start(element)) => {
                    self.depth += 1;
                    if self.depth > DEPTH {
                        return Err(self.broken("elements are nested too deep to be a report"));
                    }
                    return Ok(Some(Step::Open(element, false)));
                }
                Ok(Event::Empty(element)) => return Ok(Some(Step::Open(element, true))),
                Ok(Event::End(_)) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Some(Step::Close));
                }
                Ok(Event::Eof) if self.depth > 0 => {
                    return Err(self.broken("it ends too early; was the run cut off? Run it again"));
                }
                Ok(Event::Eof) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(self.broken(&error.to_string())),
            }
        }
    }

    fn broken(&self, why: &str) -> Diagnostic {
        let message = format!("is not a whole XML document: {why} (at byte {})", self.reader.buffer_position());
        Diagnostic::error("unreadable", self.source.name, message)
    }
}

/// An attribute's text. Only XML's own five entities and character references are resolved; a text with another one is
/// taken as it stands.
pub(super) fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.attributes().with_checks(false).flatten().find(|a| a.key.as_ref() == name)?;
    let text = attribute.normalized_value(XmlVersion::Implicit1_0);
    Some(text.unwrap_or_else(|_| attribute.value.clone()).into_owned())
}

/// An attribute's number, thousands commas allowed.
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
    fn no_entity_is_expanded() {
        let text = r#"<!DOCTYPE a [<!ENTITY e "lol"><!ENTITY f SYSTEM "file:///etc/hostname">]><a n="&e;&f;"><b n="&lt;&#65;"/></a>"#;
        assert_eq!(steps(text).unwrap(), ["&e;&f;", "<A"]);
    }

    #[test]
    fn deep_or_broken_documents_are_one_error() {
        assert!(steps(&"<a>".repeat(100_000)).unwrap_err().message.contains("too deep"));
        assert!(steps("<a><b></a>").is_err());
        assert!(steps("<a>").unwrap_err().message.contains("too early"));
    }
}
