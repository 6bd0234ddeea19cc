//! The token: it goes into one request header, and nothing shows it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A token for GitHub's API. Its `Debug` and `Display` show that there is one, and not which.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Box<str>);

impl Token {
    /// The environment variable that it is read from; a flag would show it in the list of processes.
    pub const VARIABLE: &'static str = "GITHUB_TOKEN";

    /// A token; `None` for an empty text, which is how a workflow passes on a secret that is not there.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(text.into()))
    }

    /// The token of the environment.
    pub fn of_environment() -> Option<Self> {
        std::env::var(Self::VARIABLE).ok().as_deref().and_then(Self::new)
    }

    /// The header by which git over HTTP takes the token, for a variable of git's own environment.
    pub fn git_header(&self) -> String {
        format!("Authorization: Basic {}", STANDARD.encode(format!("x-access-token:{}", self.0)))
    }

    /// The token itself, for the one header that it belongs in.
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
    fn git_is_given_the_token_as_a_password() {
        // The output of `printf x-access-token:ghs_1 | base64`.
        let header = Token::new("ghs_1").unwrap().git_header();
        assert_eq!(header, "Authorization: Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzE=");
    }

    #[test]
    fn a_token_shows_itself_nowhere() {
        let token = Token::new(" ghs_secret\n").unwrap();
        assert_eq!(token.reveal(), "ghs_secret");
        assert!(!format!("{token} {token:?} {:?}", Some(&token)).contains("secret"));
        assert_eq!(Token::new(" "), None);
    }
}
