//! What GitHub's refusals mean, and what to change: a permission, a setting, a number, or nothing but to wait.

use super::client::Answer;
use crate::model::Diagnostic;

/// Why a request to GitHub came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no token to ask with.
    #[error("there is no token; pass one in the environment: `env: {{GITHUB_TOKEN: ${{{{ github.token }}}}}}`")]
    NoToken,
    /// The API's address cannot be used.
    #[error("{0}")]
    Address(String),
    /// 401: the token is not one.
    #[error(
        "{doing}: GitHub refused the token (401: {said}); it is wrong or has run out. Pass the job's own, \
         `${{{{ github.token }}}}`, in GITHUB_TOKEN"
    )]
    Token {
        /// What was tried.
        doing: String,
        /// GitHub's own words.
        said: String,
    },
    /// 403: the token may not.
    #[error("{doing}: the token may not (403: {said}); {}", permission(*need, granted.as_deref()))]
    Permission {
        /// What was tried.
        doing: String,
        /// GitHub's own words.
        said: String,
        /// What it takes.
        need: Need,
        /// What GitHub says that it takes.
        granted: Option<String>,
    },
    /// 403: an organization's single sign-on stands before it.
    #[error(
        "{doing}: the organization asks for single sign-on (403); authorize the token for it under Settings → Developer \
         settings → Tokens, or use the job's own token"
    )]
    SignOn {
        /// What was tried.
        doing: String,
    },
    /// 403: nobody may write there.
    #[error("{doing}: the conversation is locked (403: {said}); unlock it, or set `comment: never`")]
    Locked {
        /// What was tried.
        doing: String,
        /// GitHub's own words.
        said: String,
    },
    /// 404: it is not there, or the token does not see it.
    #[error(
        "{doing}: GitHub finds nothing there (404); is the repository or the number right? A private repository looks the \
         same to a token that may not read it: give the job `permissions: {{{need}}}`",
        need = need.words()
    )]
    Absent {
        /// What was tried.
        doing: String,
        /// What it takes.
        need: Need,
    },
    /// 422 and its like: GitHub understood and did not take it.
    #[error("{doing}: GitHub did not take it ({status}: {said})")]
    Refused {
        /// What was tried.
        doing: String,
        /// The answer's status.
        status: u16,
        /// GitHub's own words.
        said: String,
    },
    /// 429, or 403 with a limit: too many requests.
    #[error(
        "{doing}: GitHub's {} of requests is used up{}; the next run of the job renews what is missing",
        if *secondary { "secondary limit" } else { "hourly limit" },
        wait.map(|wait| format!(", it asks to wait {wait} s")).unwrap_or_default()
    )]
    Limit {
        /// What was tried.
        doing: String,
        /// The limit on bursts, not that of the hour.
        secondary: bool,
        /// Seconds that it asks to wait.
        wait: Option<u64>,
    },
    /// 5xx: GitHub is not well.
    #[error("{doing}: GitHub answered {status}, {attempts} times; run the job again when it is well")]
    Unwell {
        /// What was tried.
        doing: String,
        /// The last answer's status.
        status: u16,
        /// How often it was tried.
        attempts: u32,
    },
    /// No answer at all.
    #[error("{doing}: no answer of {host}: {said}, {attempts} times; is GITHUB_API_URL right, and the network there?")]
    Network {
        /// What was tried.
        doing: String,
        /// Whom.
        host: String,
        /// The system's answer.
        said: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer that is not what GitHub's API answers.
    #[error("{doing}: the answer is not GitHub's: {said}; does GITHUB_API_URL name the API?")]
    Strange {
        /// What was tried.
        doing: String,
        /// What is wrong with it.
        said: String,
    },
    /// Others wrote the same comment again and again.
    #[error("{doing}: other jobs kept writing over it, {attempts} times; run the job again")]
    Contended {
        /// What was tried.
        doing: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// The comment of all parts is full.
    #[error("{doing}: the comment is full; give these jobs a `key` of their own")]
    Full {
        /// What was tried.
        doing: String,
    },
}

/// The permission that a request takes, as a workflow writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Reading the repository.
    Contents,
    /// Reading pull requests.
    ReadPulls,
    /// Comments and the text of pull requests.
    Pulls,
    /// Check runs.
    Checks,
}

impl Need {
    /// As a workflow writes it.
    pub fn words(self) -> &'static str {
        match self {
            Need::Contents => "contents: read",
            Need::ReadPulls => "pull-requests: read",
            Need::Pulls => "pull-requests: write",
            Need::Checks => "checks: write",
        }
    }
}

fn permission(need: Need, granted: Option<&str>) -> String {
    let words = need.words();
    let granted = granted.map(|granted| format!(" (GitHub asks for {granted})")).unwrap_or_default();
    format!(
        "give the job `permissions: {{{words}}}`{granted}; in an organization Settings → Actions → General → Workflow \
         permissions can forbid it. In a pull request from a fork the token only reads: publish from a workflow_run \
         workflow"
    )
}

impl Fault {
    /// Stable, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Fault::NoToken | Fault::Token { .. } | Fault::SignOn { .. } => "github-token",
            Fault::Address(_) => "github-address",
            Fault::Permission { .. } => "github-permission",
            Fault::Locked { .. } => "github-locked",
            Fault::Absent { .. } => "github-not-found",
            Fault::Refused { .. } => "github-refused",
            Fault::Limit { .. } => "github-rate-limit",
            Fault::Unwell { .. } => "github-unwell",
            Fault::Network { .. } => "github-network",
            Fault::Strange { .. } => "github-answer",
            Fault::Contended { .. } => "github-contended",
            Fault::Full { .. } => "github-comment-full",
        }
    }

    /// True where it is not known whether GitHub did what was asked for, or where asking again may help.
    pub fn passes(&self) -> bool {
        matches!(self, Fault::Unwell { .. } | Fault::Network { .. })
    }

    /// As a warning: what failed at GitHub never changes a verdict.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::warning(self.code(), "", self.to_string())
    }

    /// What an answer that is no success means.
    pub(super) fn of(answer: &Answer, doing: &str, need: Need) -> Fault {
        let doing = doing.to_owned();
        let said = answer.said();
        match answer.status {
            401 => Fault::Token { doing, said },
            _ if answer.limited() => {
                let secondary = answer.header("x-ratelimit-remaining") != Some("0");
                Fault::Limit { doing, secondary, wait: answer.wait() }
            }
            403 if answer.header("x-github-sso").is_some() => Fault::SignOn { doing },
            403 if said.to_ascii_lowercase().contains("locked") => Fault::Locked { doing, said },
            403 => {
                let granted = answer.header("x-accepted-github-permissions").map(plain);
                Fault::Permission { doing, said, need, granted }
            }
            404 => Fault::Absent { doing, need },
            status @ 500.. => Fault::Unwell { doing, status, attempts: 1 },
            status => Fault::Refused { doing, status, said },
        }
    }
}

/// Words of a header, as far as they are words.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " _-=;,:".contains(*c)).take(200).collect()
}
