//! The name of a GitHub repository, `owner/name`. It becomes part of URLs, so it is validated.

use std::fmt;

/// `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(Box<str>);

impl Slug {
    /// Parses a name; `None` if it has characters that GitHub does not allow.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let plain = |part: &str| {
            let letters = part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
            letters && (1..=100).contains(&part.len()) && part.bytes().any(|b| b != b'.')
        };
        (plain(owner) && plain(name)).then(|| Slug(text.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_change_the_url() {
        assert_eq!(Slug::parse("o-1/r_2.rs").unwrap().as_str(), "o-1/r_2.rs");
        for bad in ["o", "o/", "/r", "o/r/x", "o/..", "./r", "o/r?x", "o/r#", "o /r", "o/r\n", "ö/r"] {
            assert_eq!(Slug::parse(bad), None, "{bad:?}");
        }
    }
}
