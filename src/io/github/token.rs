//! The API token. Sent only in a request header and never printed.

use crate::io::secrets;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A token for GitHub's API. `Debug` and `Display` hide its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    /// Environment variable of the token; a flag would be visible in the process list.
    pub const VARIABLE: &'static str = "GITHUB_TOKEN";

    /// A token; `None` for an empty text, which a workflow passes for a missing secret.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(text.into()))
    }

    /// False for a text that cannot be sent in a header.
    pub(super) fn is_plain(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_graphic())
    }

    /// Reads the token from the environment.
    pub fn of_environment() -> Option<Self> {
        secrets::variable(Self::VARIABLE).as_deref().and_then(Self::new)
    }

    /// HTTP header that passes the token to git.
    pub fn git_header(&self) -> String {
        format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{}", self.0)))
    }

    /// The value, for the request header only.
    #[cfg(any(feature = "github", test))]
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_gets_the_token_as_a_password() {
        // The output of `printf x-access-token:ghs_1 | base64`.
        let header = Token::new("ghs_1").unwrap().git_header();
        assert_eq!(header, "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE=");
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::new(" ghs_secret\n").unwrap();
        assert_eq!(token.reveal(), "ghs_secret");
        assert!(!format!("{token} {token:?} {:?}", Some(&token)).contains("secret"));
        assert_eq!(Token::new(" "), None);
        assert!(token.is_plain() && !Token::new("ghs_secret\nghs_other").unwrap().is_plain());
    }
}
