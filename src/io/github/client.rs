//! Requests to GitHub's REST API with one token, retries and time limits.
//!
//! Waits for rate limits if the wait is short. Read requests are retried after a 5xx or no response. Write requests are
//! not: `post_once` and the loop of `comment` first check whether the write took effect.

use super::api_error::{ApiError, RequiredPermission};
use super::response::{Method, Response};
use super::token::Token;
use super::transport::Transport;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// Limits of retries and waiting.
#[derive(Debug, Clone, Copy)]
pub struct RetryLimits {
    /// Attempts per request.
    pub attempts: u32,
    /// Limit for all failed attempts and waits together.
    pub total: Duration,
    /// Limit for one request.
    pub request: Duration,
    /// First wait; each next one is twice as long.
    pub pause: Duration,
}

impl Default for RetryLimits {
    fn default() -> Self {
        RetryLimits {
            attempts: 4,
            total: Duration::from_secs(90),
            request: Duration::from_secs(20),
            pause: Duration::from_millis(500),
        }
    }
}

impl RetryLimits {
    /// The wait after this number of failed attempts.
    fn wait_after(self, attempts: u32) -> Duration {
        self.pause * 2_u32.pow(attempts.saturating_sub(1).min(6))
    }
}

/// A connection to GitHub's API.
pub struct Client {
    transport: Transport,
    base: String,
    retry_limits: RetryLimits,
    spent: Cell<Duration>,
    /// After this error no further requests are sent.
    connection_failure: RefCell<Option<ApiError>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// Maximum number of pages of a list, and the number of items in a full page.
const MAX_PAGES: usize = 50;
const PER_PAGE: usize = 100;

/// A request: the path below the API's address (or a full URL), a description for messages, and the required permission.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub route: &'a str,
    pub doing: &'a str,
    pub permission: RequiredPermission,
}

impl Client {
    /// Connects to the API at an address (`GITHUB_API_URL`): `https://api.github.com` or an Enterprise server.
    pub fn new(api_url: &str, token: Option<&Token>) -> Result<Client, ApiError> {
        Client::with_retry_limits(api_url, token, RetryLimits::default())
    }

    /// Connects with other limits.
    pub fn with_retry_limits(
        api_url: &str,
        token: Option<&Token>,
        retry_limits: RetryLimits,
    ) -> Result<Client, ApiError> {
        let token = token.ok_or(ApiError::NoToken)?;
        if !token.is_plain() {
            return Err(ApiError::MalformedToken);
        }
        let base = check_address(api_url)?;
        let transport = Transport::open(&base, token, retry_limits.request)?;
        Ok(Client {
            transport,
            base,
            retry_limits,
            spent: Cell::new(Duration::ZERO),
            connection_failure: RefCell::new(None),
        })
    }

    /// The limits.
    pub(super) fn retry_limits(&self) -> RetryLimits {
        self.retry_limits
    }

    /// The API's address.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Sends a GET request.
    pub(super) fn get<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<T, ApiError> {
        typed(&self.send(Method::Get, request, None)?, request.doing)
    }

    /// Reads a list, up to 50 pages of it, with the `items` of each page; also returns whether that is all. After a full page
    /// the next one is requested, even if the server does not name it.
    pub(super) fn pages<P: DeserializeOwned, T>(
        &self,
        request: Request<'_>,
        items: impl Fn(P) -> Vec<T>,
    ) -> Result<(Vec<T>, bool), ApiError> {
        let mut all = Vec::new();
        let sign = if request.route.contains('?') { '&' } else { '?' };
        for page in 1..=MAX_PAGES {
            let route = format!("{}{sign}per_page={PER_PAGE}&page={page}", request.route);
            let (found, next) = self.page(Request { route: &route, ..request })?;
            let found = items(found);
            let is_last = !next && found.len() < PER_PAGE;
            all.extend(found);
            if is_last {
                return Ok((all, true));
            }
        }
        Ok((all, false))
    }

    /// Sends a GET request; also returns whether there is a next page.
    fn page<T: DeserializeOwned>(&self, request: Request<'_>) -> Result<(T, bool), ApiError> {
        let response = self.send(Method::Get, request, None)?;
        let next = response.header("link").is_some_and(|link| link.contains("rel=\"next\""));
        Ok((typed(&response, request.doing)?, next))
    }

    /// Sends a POST request once, without retries.
    pub(super) fn post<T: DeserializeOwned>(&self, request: Request<'_>, body: &impl Serialize) -> Result<T, ApiError> {
        typed(&self.send(Method::Post, request, Some(value(body, request)?))?, request.doing)
    }

    /// Sends a POST request that may take effect only once. If the outcome of an attempt is unknown, `find` looks for what the
    /// attempt may have created, before the next one is sent. If the request creates nothing, `find` returns `None`.
    pub(super) fn post_once<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        body: &impl Serialize,
        find: impl Fn() -> Result<Option<T>, ApiError>,
    ) -> Result<T, ApiError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.post(request, body) {
                Err(error) if error.is_temporary() && attempts < self.retry_limits.attempts => {
                    self.pause(self.retry_limits.wait_after(attempts));
                    if let Some(found) = find()? {
                        return Ok(found);
                    }
                }
                created => return created.map_err(|error| error.after(attempts)),
            }
        }
    }

    /// Sends a PATCH request.
    pub(super) fn patch<T: DeserializeOwned>(
        &self,
        request: Request<'_>,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        typed(&self.send(Method::Patch, request, Some(value(body, request)?))?, request.doing)
    }

    /// Sends a DELETE request; succeeds if the resource is already gone.
    pub(super) fn delete(&self, request: Request<'_>) -> Result<(), ApiError> {
        match self.send(Method::Delete, request, None) {
            Ok(_) | Err(ApiError::Absent { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Waits, at most the total limit.
    pub(super) fn pause(&self, wait: Duration) {
        std::thread::sleep(wait.min(self.retry_limits.total));
    }

    fn send(&self, method: Method, request: Request<'_>, body: Option<Value>) -> Result<Response, ApiError> {
        if let Some(error) = self.connection_failure.borrow().clone() {
            return Err(error);
        }
        let mut attempts = 0;
        loop {
            attempts += 1;
            let started = Instant::now();
            let address = if request.route.starts_with('/') {
                format!("{}{}", self.base, request.route)
            } else {
                request.route.to_owned()
            };
            let (error, wait) = match self.transport.send(method, &address, body.as_ref(), self.retry_limits.request) {
                Ok(response) if response.status < 300 => return Ok(response),
                Ok(response) => {
                    let error = ApiError::of(&response, request.doing, request.permission).after(attempts);
                    (error, response.wait().map(Duration::from_secs))
                }
                Err(reason) => (
                    ApiError::Network { doing: request.doing.to_owned(), host: self.base.clone(), reason, attempts },
                    None,
                ),
            };
            let again = match &error {
                ApiError::Limit { .. } => true, // the request was rejected before it took effect
                error => error.is_temporary() && method == Method::Get,
            };
            let wait = wait.unwrap_or(self.retry_limits.wait_after(attempts));
            let spent = self.spent.get() + started.elapsed();
            self.spent.set(spent);
            if again && attempts < self.retry_limits.attempts && spent + wait <= self.retry_limits.total {
                self.spent.set(spent + wait);
                std::thread::sleep(wait);
                continue;
            }
            // The server does not respond at all: fail further requests at once.
            if matches!(error, ApiError::Network { .. }) && (again || spent > self.retry_limits.total) {
                self.connection_failure.replace(Some(error.clone()));
            }
            return Err(error);
        }
    }
}

fn typed<T: DeserializeOwned>(response: &Response, doing: &str) -> Result<T, ApiError> {
    serde_json::from_str(&response.text)
        .map_err(|error| ApiError::UnexpectedResponse { doing: doing.to_owned(), reason: error.to_string() })
}

fn value(body: &impl Serialize, request: Request<'_>) -> Result<Value, ApiError> {
    serde_json::to_value(body)
        .map_err(|error| ApiError::UnexpectedResponse { doing: request.doing.to_owned(), reason: error.to_string() })
}

/// The address without a trailing slash. Refuses plain HTTP except to this machine, because the token would be readable.
fn check_address(api_url: &str) -> Result<String, ApiError> {
    let base = api_url.trim().trim_end_matches('/');
    let wrong = |what: &str| Err(ApiError::Address(format!("GITHUB_API_URL {base:?} {what}")));
    if base.chars().any(|c| c.is_control() || c.is_whitespace()) || base.contains(['@', '?', '#']) {
        return wrong("is not a plain URL");
    }
    if base.starts_with("https://") {
        return Ok(base.to_owned());
    }
    let Some(rest) = base.strip_prefix("http://") else { return wrong("is not a URL; it must start with https://") };
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
    fn a_token_is_sent_only_over_tls() {
        assert_eq!(check_address("https://ghe.example.org/api/v3/").unwrap(), "https://ghe.example.org/api/v3");
        assert_eq!(check_address("http://127.0.0.1:4001").unwrap(), "http://127.0.0.1:4001");
        assert!(check_address("http://ghe.example.org/api/v3").is_err());
        assert!(check_address("http://127.0.0.1.example.org").is_err());
        assert!(check_address("ftp://x").is_err());
        assert!(check_address("https://user@x").is_err());
    }
}
