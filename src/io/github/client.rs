//! Requests to GitHub's REST API: one token, one host, a bound on tries and on time.
//!
//! A limit of requests is waited for where the wait is short; a request that only reads is tried again after a 5xx or
//! no answer. What writes is not: its caller looks first whether it was done after all.

use super::fault::{Fault, Need};
use super::token::Token;
use super::transport::Transport;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// How long GitHub is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries of one request.
    pub attempts: u32,
    /// What all failed tries and the waits between them may take together.
    pub total: Duration,
    /// What one request may take.
    pub request: Duration,
    /// The first wait; each next one is twice as long.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience {
            attempts: 4,
            total: Duration::from_secs(90),
            request: Duration::from_secs(20),
            pause: Duration::from_millis(500),
        }
    }
}

/// A connection to GitHub's API.
pub struct Client {
    transport: Transport,
    base: String,
    patience: Patience,
    spent: Cell<Duration>,
    /// The fault after which nothing is asked any more.
    gone: RefCell<Option<Fault>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// What is asked for (a path below the API's address, or a whole address), what a message calls it, and the permission
/// that it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub route: &'a str,
    pub doing: &'a str,
    pub need: Need,
}

/// An answer of any status.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

impl Client {
    /// A connection to the API at an address (`GITHUB_API_URL`), `https://api.github.com` or an Enterprise server's.
    pub fn new(api_url: &str, token: Option<&Token>) -> Result<Client, Fault> {
        Client::with_patience(api_url, token, Patience::default())
    }

    /// The same with other bounds.
    pub fn with_patience(api_url: &str, token: Option<&Token>, patience: Patience) -> Result<Client, Fault> {
        let token = token.ok_or(Fault::NoToken)?;
        let base = checked(api_url)?;
        let transport = Transport::open(&base, token, patience.request)?;
        Ok(Client { transport, base, patience, spent: Cell::new(Duration::ZERO), gone: RefCell::new(None) })
    }

    /// The bounds.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// The API's address.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Reads.
    pub(super) fn get<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, Fault> {
        typed(&self.ask(Verb::Get, ask, None)?, ask.doing)
    }

    /// Reads, and says whether there is a next page.
    pub(super) fn page<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<(T, bool), Fault> {
        let answer = self.ask(Verb::Get, ask, None)?;
        let next = answer.header("link").is_some_and(|link| link.contains("rel=\"next\""));
        Ok((typed(&answer, ask.doing)?, next))
    }

    /// Makes something.
    pub(super) fn post<T: DeserializeOwned>(&self, ask: Ask<'_>, body: &impl Serialize) -> Result<T, Fault> {
        typed(&self.ask(Verb::Post, ask, Some(value(body, ask)?))?, ask.doing)
    }

    /// Changes something.
    pub(super) fn patch<T: DeserializeOwned>(&self, ask: Ask<'_>, body: &impl Serialize) -> Result<T, Fault> {
        typed(&self.ask(Verb::Patch, ask, Some(value(body, ask)?))?, ask.doing)
    }

    /// Removes something; that it is gone already is as good.
    pub(super) fn delete(&self, ask: Ask<'_>) -> Result<(), Fault> {
        match self.ask(Verb::Delete, ask, None) {
            Ok(_) | Err(Fault::Absent { .. }) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Waits, within what is left of the patience.
    pub(super) fn pause(&self, wait: Duration) {
        std::thread::sleep(wait.min(self.patience.total));
    }

    fn ask(&self, verb: Verb, ask: Ask<'_>, body: Option<Value>) -> Result<Answer, Fault> {
        if let Some(fault) = self.gone.borrow().clone() {
            return Err(fault);
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            let started = Instant::now();
            let address =
                if ask.route.starts_with('/') { format!("{}{}", self.base, ask.route) } else { ask.route.to_owned() };
            let (fault, wait) = match self.transport.send(verb, &address, body.as_ref(), self.patience.request) {
                Ok(answer) if answer.status < 300 => return Ok(answer),
                Ok(answer) => {
                    let fault = match Fault::of(&answer, ask.doing, ask.need) {
                        Fault::Unwell { doing, status, .. } => Fault::Unwell { doing, status, attempts },
                        fault => fault,
                    };
                    (fault, answer.wait().map(Duration::from_secs))
                }
                Err(said) => {
                    (Fault::Network { doing: ask.doing.to_owned(), host: self.base.clone(), said, attempts }, None)
                }
            };
            let again = match &fault {
                Fault::Limit { .. } => true, // it was not done
                fault => fault.passes() && verb == Verb::Get,
            };
            let wait = wait.unwrap_or(self.patience.pause * 2_u32.pow((attempts - 1).min(6)));
            let spent = self.spent.get() + started.elapsed();
            self.spent.set(spent);
            if again && attempts < self.patience.attempts && spent + wait <= self.patience.total {
                self.spent.set(spent + wait);
                std::thread::sleep(wait);
                continue;
            }
            // Whoever does not answer at all is not asked for the next thing too.
            if matches!(fault, Fault::Network { .. }) && (again || spent > self.patience.total) {
                self.gone.replace(Some(fault.clone()));
            }
            return Err(fault);
        }
    }
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Seconds that GitHub asks to wait.
    pub fn wait(&self) -> Option<u64> {
        if let Some(seconds) = self.header("retry-after") {
            return seconds.parse().ok();
        }
        if self.header("x-ratelimit-remaining") != Some("0") || !self.limited() {
            return None;
        }
        let reset: i64 = self.header("x-ratelimit-reset")?.parse().ok()?;
        Some(reset.saturating_sub(jiff::Timestamp::now().as_second()).max(1).unsigned_abs())
    }

    /// True where too many requests are the reason.
    pub fn limited(&self) -> bool {
        let limit = self.header("retry-after").is_some()
            || self.header("x-ratelimit-remaining") == Some("0")
            || self.text.contains("rate limit");
        self.status == 429 || self.status == 403 && limit
    }

    /// GitHub's own words: its message, and what it says of single fields.
    pub fn said(&self) -> String {
        let value: Value = serde_json::from_str(&self.text).unwrap_or_default();
        let mut parts: Vec<&str> = value["message"].as_str().into_iter().collect();
        for error in value["errors"].as_array().into_iter().flatten().take(3) {
            parts.extend(error.as_str().or(error["message"].as_str()).or(error["code"].as_str()));
        }
        let said = parts.join(": ");
        if said.is_empty() { "no reason given".to_owned() } else { said.chars().take(300).collect() }
    }
}

fn typed<T: DeserializeOwned>(answer: &Answer, doing: &str) -> Result<T, Fault> {
    serde_json::from_str(&answer.text)
        .map_err(|error| Fault::Strange { doing: doing.to_owned(), said: error.to_string() })
}

fn value(body: &impl Serialize, ask: Ask<'_>) -> Result<Value, Fault> {
    serde_json::to_value(body).map_err(|error| Fault::Strange { doing: ask.doing.to_owned(), said: error.to_string() })
}

/// The address without its last slash; a token is not sent in clear text to another machine.
fn checked(api_url: &str) -> Result<String, Fault> {
    let base = api_url.trim().trim_end_matches('/');
    let wrong = |what: &str| Err(Fault::Address(format!("GITHUB_API_URL {base:?} {what}")));
    if base.chars().any(|c| c.is_control() || c.is_whitespace()) || base.contains(['@', '?', '#']) {
        return wrong("is no plain address");
    }
    if base.starts_with("https://") {
        return Ok(base.to_owned());
    }
    let Some(rest) = base.strip_prefix("http://") else { return wrong("is no address; it begins with https://") };
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    if matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return Ok(base.to_owned());
    }
    wrong("would send the token in clear text; use https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_over_tls_or_not_at_all() {
        assert_eq!(checked("https://ghe.example.org/api/v3/").unwrap(), "https://ghe.example.org/api/v3");
        assert_eq!(checked("http://127.0.0.1:4001").unwrap(), "http://127.0.0.1:4001");
        assert!(checked("http://ghe.example.org/api/v3").is_err());
        assert!(checked("http://127.0.0.1.example.org").is_err());
        assert!(checked("ftp://x").is_err());
        assert!(checked("https://user@x").is_err());
    }
}
