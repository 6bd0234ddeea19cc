//! Errors of GitHub's API, each with the fix: change a permission, a setting or a number, or wait.

use super::response::{RateLimit, Response};
use crate::model::Diagnostic;

/// Why a request to GitHub failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No token.
    #[error(
        "no GitHub token; pass one in the environment: `env: {{GITHUB_TOKEN: ${{{{ github.token }}}}}}` (the input `github-token` of the action)"
    )]
    NoToken,
    /// A text that cannot be a token.
    #[error(
        "the GitHub token has a line break or another character that no token has; pass the job's token, \
         `${{{{ github.token }}}}`, in GITHUB_TOKEN"
    )]
    MalformedToken,
    /// The API's address is invalid.
    #[error("{0}")]
    Address(String),
    /// 401: the token is invalid.
    #[error(
        "{doing}: GitHub rejected the token (401: {reason}); it is wrong or has expired. Pass the job's token, \
         `${{{{ github.token }}}}`, in GITHUB_TOKEN"
    )]
    Token {
        /// What was attempted.
        doing: String,
        /// GitHub's message.
        reason: String,
    },
    /// 403: a permission is missing.
    #[error("{doing}: the token lacks a permission (403: {reason}); {}", permission_advice(*permission, required_by_github.as_deref()))]
    Permission {
        /// What was attempted.
        doing: String,
        /// GitHub's message.
        reason: String,
        /// Required permission.
        permission: RequiredPermission,
        /// Required permission according to GitHub.
        required_by_github: Option<String>,
    },
    /// 403: the organization requires single sign-on.
    #[error(
        "{doing}: the organization requires single sign-on (403); authorize the token under Settings → Developer \
         settings → Tokens, or use the job's token"
    )]
    SignOn {
        /// What was attempted.
        doing: String,
    },
    /// 403: the conversation is locked.
    #[error("{doing}: the conversation is locked (403: {reason}); unlock it, or set `comment: never`")]
    Locked {
        /// What was attempted.
        doing: String,
        /// GitHub's message.
        reason: String,
    },
    /// 404: not found, or no access.
    #[error(
        "{doing}: not found (404); check the repository and the number. A private repository gives the same error if the \
         token has no access: give the job `permissions: {{{permission}}}`",
        permission = permission.words()
    )]
    Absent {
        /// What was attempted.
        doing: String,
        /// Required permission.
        permission: RequiredPermission,
    },
    /// 422 and similar: GitHub rejected the content.
    #[error("{doing}: GitHub rejected the request ({status}: {reason})")]
    Refused {
        /// What was attempted.
        doing: String,
        /// Status of the response.
        status: u16,
        /// GitHub's message.
        reason: String,
    },
    /// 429, or 403 with a limit: too many requests.
    #[error(
        "{doing}: GitHub's {} was exceeded{}; re-run the job later",
        if *secondary { "secondary rate limit" } else { "hourly rate limit" },
        wait.map(|wait| format!(" (wait {wait} s)")).unwrap_or_default()
    )]
    Limit {
        /// What was attempted.
        doing: String,
        /// Whether it is the limit on bursts, not the hourly one.
        secondary: bool,
        /// Seconds to wait.
        wait: Option<u64>,
    },
    /// 5xx: an error at GitHub.
    #[error("{doing}: GitHub returned {status} after {attempts} attempts; re-run the job later")]
    ServerError {
        /// What was attempted.
        doing: String,
        /// Status of the last response.
        status: u16,
        /// Number of attempts.
        attempts: u32,
    },
    /// No response.
    #[error(
        "{doing}: no response from {host} after {attempts} attempts: {reason}; check GITHUB_API_URL and the network"
    )]
    Network {
        /// What was attempted.
        doing: String,
        /// The server.
        host: String,
        /// Error of the network.
        reason: String,
        /// Number of attempts.
        attempts: u32,
    },
    /// A response that is not from GitHub's API.
    #[error("{doing}: unexpected response: {reason}; check that GITHUB_API_URL is the address of GitHub's API")]
    UnexpectedResponse {
        /// What was attempted.
        doing: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Other jobs kept overwriting the comment.
    #[error("{doing}: other jobs overwrote the comment {attempts} times; re-run the job")]
    Overwritten {
        /// What was attempted.
        doing: String,
        /// Number of attempts.
        attempts: u32,
    },
    /// The shared comment is full.
    #[error("{doing}: the comment is full; give each of these jobs its own `key`")]
    CommentFull {
        /// What was attempted.
        doing: String,
    },
}

/// The permission that a request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredPermission {
    /// Reading the repository.
    Contents,
    /// `contents: write`.
    WriteContents,
    /// Reading pull requests.
    ReadPulls,
    /// Comments and descriptions of pull requests.
    Pulls,
    /// Check runs.
    Checks,
    /// Issues.
    Issues,
}

impl RequiredPermission {
    /// As written in a workflow.
    pub fn words(self) -> &'static str {
        match self {
            RequiredPermission::Contents => "contents: read",
            RequiredPermission::WriteContents => "contents: write",
            RequiredPermission::ReadPulls => "pull-requests: read",
            RequiredPermission::Pulls => "pull-requests: write",
            RequiredPermission::Checks => "checks: write",
            RequiredPermission::Issues => "issues: write",
        }
    }
}

fn permission_advice(permission: RequiredPermission, required_by_github: Option<&str>) -> String {
    let words = permission.words();
    let required =
        required_by_github.map(|permissions| format!(" (GitHub requires {permissions})")).unwrap_or_default();
    format!(
        "give the job `permissions: {{{words}}}`{required}; an organization may forbid it under Settings → Actions → General → Workflow \
         permissions. In a pull request from a fork the token is read-only: publish from a workflow_run \
         workflow"
    )
}

impl ApiError {
    /// Stable code in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            ApiError::NoToken | ApiError::MalformedToken | ApiError::Token { .. } | ApiError::SignOn { .. } => {
                "github-token"
            }
            ApiError::Address(_) => "github-address",
            ApiError::Permission { .. } => "github-permission",
            ApiError::Locked { .. } => "github-locked",
            ApiError::Absent { .. } => "github-not-found",
            ApiError::Refused { .. } => "github-refused",
            ApiError::Limit { .. } => "github-rate-limit",
            ApiError::ServerError { .. } => "github-unwell",
            ApiError::Network { .. } => "github-network",
            ApiError::UnexpectedResponse { .. } => "github-answer",
            ApiError::Overwritten { .. } => "github-contended",
            ApiError::CommentFull { .. } => "github-comment-full",
        }
    }

    /// True for temporary errors, after which it is unknown whether the request took effect.
    pub fn is_temporary(&self) -> bool {
        matches!(self, ApiError::ServerError { .. } | ApiError::Network { .. })
    }

    /// The error with the number of attempts.
    pub(super) fn after(self, attempts: u32) -> ApiError {
        match self {
            ApiError::ServerError { doing, status, .. } => ApiError::ServerError { doing, status, attempts },
            ApiError::Network { doing, host, reason, .. } => ApiError::Network { doing, host, reason, attempts },
            error => error,
        }
    }

    /// As a warning: a failed request never changes the verdict.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::warning(self.code(), "", self.to_string())
    }

    /// The error of an unsuccessful response.
    pub(super) fn of(response: &Response, doing: &str, permission: RequiredPermission) -> ApiError {
        let doing = doing.to_owned();
        let reason = response.message();
        if let Some(limit) = response.rate_limit() {
            return ApiError::Limit { doing, secondary: limit == RateLimit::Secondary, wait: response.wait() };
        }
        match response.status {
            401 => ApiError::Token { doing, reason },
            403 if response.header("x-github-sso").is_some() => ApiError::SignOn { doing },
            403 if response.is_locked() => ApiError::Locked { doing, reason },
            403 => {
                let required_by_github = response.header("x-accepted-github-permissions").map(plain);
                ApiError::Permission { doing, reason, permission, required_by_github }
            }
            404 => ApiError::Absent { doing, permission },
            status @ 500.. => ApiError::ServerError { doing, status, attempts: 1 },
            status => ApiError::Refused { doing, status, reason },
        }
    }
}

/// A header value with unusual characters removed.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " _-=;,:".contains(*c)).take(200).collect()
}
