//! Text of servers and of the client, made fit to show.

/// Maximum number of characters shown of a server's or client's error.
const MAX_ERROR_CHARS: usize = 240;

/// Untrusted text, reduced to one line: no control characters, no user, password or query of a URL, at most
/// [`MAX_ERROR_CHARS`] characters.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (index, word) in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate()
    {
        if index > 0 {
            out.push(' ');
        }
        match word.split_once("://") {
            Some((scheme, rest)) => {
                let rest = rest.split(['?', '#']).next().unwrap_or_default();
                let host = rest.split_once('@').map_or(rest, |(_, host)| host);
                out.push_str(&format!("{scheme}://{host}"));
            }
            None => out.push_str(word),
        }
    }
    if out.chars().count() > MAX_ERROR_CHARS {
        out = out.chars().take(MAX_ERROR_CHARS).chain("…".chars()).collect();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_control_characters_are_not_shown() {
        assert_eq!(clean("a\u{1b}[31m b\nhttps://u:p@h/x?sig=s#t c"), "a [31m b https://h/x c");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), MAX_ERROR_CHARS + 1);
    }
}
