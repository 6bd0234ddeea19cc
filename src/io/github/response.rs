//! A response of GitHub's API, and what its status, headers and error message mean.

use serde_json::Value;

/// A request's HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

/// A response of any status.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

/// The limit that a request exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RateLimit {
    /// The number of requests in an hour.
    Hourly,
    /// The limit on bursts of requests.
    Secondary,
}

/// The reason for a 403 that only the text of GitHub's message gives: neither status, headers nor other fields of the
/// response differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MessageReason {
    /// The conversation is locked.
    Locked,
    /// A rate limit. A secondary one has its headers only sometimes.
    RateLimit,
    Other,
}

impl Response {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Seconds to wait, if the response requires it.
    pub fn wait(&self) -> Option<u64> {
        if let Some(seconds) = self.header("retry-after") {
            return seconds.parse().ok();
        }
        if self.rate_limit() != Some(RateLimit::Hourly) {
            return None;
        }
        let reset: i64 = self.header("x-ratelimit-reset")?.parse().ok()?;
        Some(reset.saturating_sub(jiff::Timestamp::now().as_second()).max(1).unsigned_abs())
    }

    /// The limit that was exceeded, if that is the reason for the failure.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let none_left = self.header("x-ratelimit-remaining") == Some("0");
        let is_limit = match self.status {
            429 => true,
            403 => {
                none_left || self.header("retry-after").is_some() || self.message_reason() == MessageReason::RateLimit
            }
            _ => false,
        };
        is_limit.then_some(if none_left { RateLimit::Hourly } else { RateLimit::Secondary })
    }

    /// True if the conversation is locked.
    pub fn is_locked(&self) -> bool {
        self.status == 403 && self.message_reason() == MessageReason::Locked
    }

    /// The one place that searches GitHub's message.
    fn message_reason(&self) -> MessageReason {
        let body = self.body();
        let message = body["message"].as_str().unwrap_or_default().to_ascii_lowercase();
        if message.contains("rate limit") {
            MessageReason::RateLimit
        } else if message.contains("locked") {
            MessageReason::Locked
        } else {
            MessageReason::Other
        }
    }

    /// GitHub's error message, including those for single fields.
    pub fn message(&self) -> String {
        let body = self.body();
        let mut parts: Vec<&str> = body["message"].as_str().into_iter().collect();
        for error in body["errors"].as_array().into_iter().flatten().take(3) {
            parts.extend(error.as_str().or(error["message"].as_str()).or(error["code"].as_str()));
        }
        let message = parts.join(": ");
        if message.is_empty() { "no reason given".to_owned() } else { message.chars().take(300).collect() }
    }

    /// The parsed body; null where it is not JSON.
    fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, headers: &[(&str, &str)], text: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, text: text.to_owned() }
    }

    #[test]
    fn a_rate_limit_is_read_from_status_headers_or_message() {
        let limit = |status, headers: &[(&str, &str)], text| response(status, headers, text).rate_limit();
        assert_eq!(limit(429, &[], "{}"), Some(RateLimit::Secondary));
        assert_eq!(limit(403, &[("x-ratelimit-remaining", "0")], "{}"), Some(RateLimit::Hourly));
        assert_eq!(limit(403, &[("retry-after", "5")], "{}"), Some(RateLimit::Secondary));
        let message = r#"{"message": "You have exceeded a secondary rate limit"}"#;
        assert_eq!(limit(403, &[("x-ratelimit-remaining", "12")], message), Some(RateLimit::Secondary));
        assert_eq!(limit(404, &[], message), None);
        // Text outside of the message does not count.
        assert_eq!(limit(403, &[], r#"{"message": "Forbidden", "documentation_url": "about/rate limit"}"#), None);
        assert_eq!(limit(403, &[], "<html>rate limit</html>"), None);
    }

    #[test]
    fn errors_of_fields_follow_the_message() {
        let text = r#"{"message": "Validation Failed", "errors": [{"code": "custom"}, "too long", 3, "fourth"]}"#;
        assert_eq!(response(422, &[], text).message(), "Validation Failed: custom: too long");
        assert_eq!(response(502, &[], "<html>").message(), "no reason given");
    }
}
