//! What the name of a custom metric of k6 states: failures, successes, or neither.

use crate::formats::direction_words::words;

/// Words in the name of a custom metric that make it a rate or number of failures.
const FAILURE_WORDS: [&str; 15] = [
    "fail",
    "fails",
    "failing",
    "drop",
    "drops",
    "dropped",
    "reject",
    "rejects",
    "rejected",
    "rejection",
    "rejections",
    "miss",
    "misses",
    "missed",
    "unsuccessful",
];
/// Ends of such words in names without separators (`HTTPErrors`).
const FAILURE_ENDINGS: [&str; 7] = ["error", "errors", "failed", "failure", "failures", "timeout", "timeouts"];

/// Words in the names of metrics that count successes.
const SUCCESS_WORDS: [&str; 6] = ["success", "successes", "successful", "succeeded", "pass", "passed"];

/// Whether a custom metric counts failures, by its name.
pub(super) fn counts_failures(base: &str) -> bool {
    let words = words(base);
    let is_failure = |word: &String| {
        FAILURE_WORDS.contains(&word.as_str()) || FAILURE_ENDINGS.iter().any(|ending| word.ends_with(ending))
    };
    words.iter().any(is_failure) || names_success(&words) && is_negated(&words)
}

/// Whether a custom metric counts successes, by its name.
pub(super) fn counts_successes(base: &str) -> bool {
    let words = words(base);
    names_success(&words) && !is_negated(&words)
}

fn names_success(words: &[String]) -> bool {
    words.iter().any(|word| SUCCESS_WORDS.contains(&word.as_str()))
}

fn is_negated(words: &[String]) -> bool {
    words.iter().any(|word| matches!(word.as_str(), "un" | "not" | "non" | "no"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_state_what_a_rate_counts() {
        assert!(["login_success", "loginSucceeded", "passed"].iter().all(|name| counts_successes(name)));
        assert!(
            !["unsuccessful_logins", "not_passed", "bypassed", "compassed"].iter().any(|name| counts_successes(name))
        );
        assert!(
            ["unsuccessful_logins", "not_passed", "http_req_failed", "HTTPErrors", "cacheMiss", "TimeoutRate"]
                .iter()
                .all(|name| counts_failures(name))
        );
        assert!(!["permissions", "dropdown", "bypassed"].iter().any(|name| counts_failures(name)));
    }
}
