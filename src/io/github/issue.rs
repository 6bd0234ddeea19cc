//! Issues about regressions on a baseline branch: one per benchmark and metric, found by its marker and author.
//!
//! GitHub has no conditional write. So the issues are read again after one was opened, and of two about the same series the
//! older one is kept.

use super::api_error::{ApiError, RequiredPermission};
use super::check::fingerprint;
use super::client::{Client, Request};
use super::comment::Comment;
use super::identity;
use super::marker::{MAX_COMMENT_CHARS, Mark};
use super::slug::Slug;
use super::unique::unique_word;
use crate::model::Commit;
use serde::Deserialize;
use serde_json::json;
use std::fmt;

/// Longest name in a marker; the rest of a longer one becomes a hash.
const MAX_NAME_CHARS: usize = 300;
/// Longest title, in characters.
const MAX_TITLE_CHARS: usize = 256;

const BEGIN: &str = "<!-- perfgate:issue ";
const BASE: &str = " base=";
const OVER: &str = " over";
const CLOSE: &str = " -->";
/// The marker of the comment with the reason, to recognize it.
const CLOSED: &str = "<!-- perfgate:issue-closed ";

/// The series that an issue is about. Two series with the same benchmark name differ in one of the other names.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The key of the job.
    pub key: &'a str,
    /// The shard of the job.
    pub shard: &'a str,
    /// The branch.
    pub branch: &'a str,
    /// The machine class.
    pub machine: &'a str,
    /// The benchmark.
    pub benchmark: &'a str,
    /// The metric.
    pub metric: &'a str,
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Subject { key, shard, branch, machine, benchmark, metric } = *self;
        let names = [("key", key), ("shard", shard), ("branch", branch), ("machine", machine)];
        for (label, name) in names.into_iter().chain([("benchmark", benchmark), ("metric", metric)]) {
            let space = if label == "key" { "" } else { " " };
            write!(f, "{space}{label}={}", mark(name))?;
        }
        Ok(())
    }
}

/// A name as one word of a marker, of limited length.
fn mark(name: &str) -> String {
    let mark = Mark::new(name).to_string();
    if mark.len() <= MAX_NAME_CHARS {
        return mark;
    }
    format!("{}.{:016x}", mark.get(..MAX_NAME_CHARS).unwrap_or_default(), fingerprint(&[&mark]))
}

/// An issue that perfgate opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number.
    pub number: u64,
    /// Its page.
    pub url: String,
    /// Its text, without the marker.
    pub text: String,
    /// False if it is closed.
    pub is_open: bool,
    /// The series, as its marker states it.
    subject: String,
    /// The commit before the regression; its runs and those before it are the base.
    pub base: Commit,
    /// True if perfgate has recorded the end of the regression.
    pub is_over: bool,
}

#[derive(Deserialize)]
struct IssueResponse {
    number: u64,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    /// Present if it is a pull request.
    #[serde(default)]
    pull_request: Option<serde_json::Value>,
}

/// What is needed of an issue that was just opened.
#[derive(Deserialize)]
struct NewIssue {
    number: u64,
    #[serde(default)]
    html_url: String,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

impl Issue {
    /// True if it is about this series.
    pub fn is_about(&self, subject: &Subject<'_>) -> bool {
        self.subject == subject.to_string()
    }

    /// The name of its benchmark when it was opened; cut if it is very long.
    pub fn benchmark(&self) -> String {
        let named = self.subject.split(' ').find_map(|word| Mark::read(word.strip_prefix("benchmark=")?));
        named.map(|mark| mark.text()).unwrap_or_default()
    }

    fn read(listed: IssueResponse) -> Option<Issue> {
        let body = listed.body?.replace("\r\n", "\n");
        // A person may have written above the marker.
        let marker = body.lines().find_map(|line| line.trim_end().strip_prefix(BEGIN)?.strip_suffix(CLOSE))?;
        let (subject, rest) = marker.split_once(BASE)?;
        let (base, is_over) = rest.strip_suffix(OVER).map_or((rest, false), |base| (base, true));
        let line = format!("{BEGIN}{marker}{CLOSE}");
        let text = body.replacen(&format!("{line}\n"), "", 1);
        Some(Issue {
            number: listed.number,
            url: listed.html_url,
            text: if text == body { body.replacen(&line, "", 1) } else { text },
            is_open: listed.state != "closed",
            subject: subject.to_owned(),
            base: Commit::parse(base)?,
            is_over,
        })
    }

    fn body(&self) -> String {
        let over = if self.is_over { OVER } else { "" };
        format!("{BEGIN}{}{BASE}{}{over}{CLOSE}\n{}", self.subject, self.base, self.text)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} issue #{}", self.number)
    }
}

/// Why an issue is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The regression is gone.
    Completed,
    /// The regression is accepted.
    NotPlanned,
}

impl CloseReason {
    fn word(self) -> &'static str {
        match self {
            CloseReason::Completed => "completed",
            CloseReason::NotPlanned => "not_planned",
        }
    }
}

/// Characters that are left for the text of an issue.
pub fn room_in_issue(subject: &Subject<'_>) -> usize {
    MAX_COMMENT_CHARS.saturating_sub(subject.to_string().len() + 120)
}

/// All issues that perfgate opened with this token's account, newest first.
pub fn issues(client: &Client, repository: &Slug) -> Result<Vec<Issue>, ApiError> {
    let author = identity::login(client)?;
    let doing = format!("reading the issues of {repository}");
    let creator = author.replace('[', "%5B").replace(']', "%5D");
    let route = format!("/repos/{repository}/issues?state=all&creator={creator}&sort=created&direction=desc");
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::Issues };
    let (listed, _) = client.pages(request, |page: Vec<IssueResponse>| page)?;
    let is_ours = |one: &IssueResponse| {
        let by_us = one.user.as_ref().is_some_and(|user| user.login.eq_ignore_ascii_case(&author));
        by_us && one.pull_request.is_none()
    };
    Ok(listed.into_iter().filter(is_ours).filter_map(Issue::read).collect())
}

/// Opens an issue and returns its page, or the page of an issue about the same series that is already open.
pub fn open_issue(
    client: &Client,
    repository: &Slug,
    subject: &Subject<'_>,
    base: &Commit,
    title: &str,
    text: &str,
) -> Result<String, ApiError> {
    let doing = "opening an issue".to_owned();
    let marker = format!("{BEGIN}{subject}{BASE}{base}{CLOSE}\n");
    let title: String = title.chars().take(MAX_TITLE_CHARS).collect();
    let body = json!({"title": title, "body": format!("{marker}{text}")});
    let route = format!("/repos/{repository}/issues");
    let oldest = || -> Result<Option<Issue>, ApiError> {
        let open = issues(client, repository)?.into_iter().filter(|issue| issue.is_open && issue.is_about(subject));
        Ok(open.min_by_key(|issue| issue.number))
    };
    let find = || Ok(oldest()?.map(|Issue { number, url, .. }| NewIssue { number, html_url: url }));
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::Issues };
    let made = client.post_once(request, &body, find)?;
    match oldest()?.filter(|issue| issue.number < made.number) {
        None => Ok(made.html_url),
        Some(older) => {
            let route = format!("/repos/{repository}/issues/{}", made.number);
            let body = json!({"state": "closed", "state_reason": "not_planned", "body": format!("Duplicate of #{}.", older.number)});
            client.patch::<IssueResponse>(
                Request { route: &route, doing: &doing, permission: RequiredPermission::Issues },
                &body,
            )?;
            Ok(older.url)
        }
    }
}

/// Replaces the text of an issue.
pub fn update_issue(client: &Client, repository: &Slug, issue: &Issue, text: &str) -> Result<(), ApiError> {
    if issue.text == text {
        return Ok(());
    }
    let renewed = Issue { text: text.to_owned(), ..issue.clone() };
    patch(client, repository, issue, "updating", &json!({"body": renewed.body()}))
}

/// Closes an issue, with a comment that gives the reason.
pub fn close_issue(
    client: &Client,
    repository: &Slug,
    issue: &Issue,
    closed: CloseReason,
    comment: &str,
) -> Result<(), ApiError> {
    // Close first: if the comment then fails, only the comment is lost, and the next run does not repeat it.
    let over = Issue { is_over: true, ..issue.clone() };
    let body = json!({"state": "closed", "state_reason": closed.word(), "body": over.body()});
    patch(client, repository, issue, "closing", &body)?;
    let doing = issue.doing("commenting on");
    let route = format!("/repos/{repository}/issues/{}/comments", issue.number);
    let request = Request { route: &route, doing: &doing, permission: RequiredPermission::Issues };
    // Distinguishes this comment from one of an earlier closing.
    let marker = format!("{CLOSED}{}{CLOSE}", unique_word());
    let find = || -> Result<Option<Comment>, ApiError> {
        let author = identity::login(client)?;
        let (comments, _) = client.pages(request, |page: Vec<Comment>| page)?;
        let is_this =
            |one: &Comment| one.is_by(&author) && one.body.as_deref().is_some_and(|body| body.contains(&marker));
        Ok(comments.into_iter().find(is_this))
    };
    client.post_once(request, &json!({"body": format!("{comment}\n{marker}\n")}), find).map(drop)
}

fn patch(
    client: &Client,
    repository: &Slug,
    issue: &Issue,
    what: &str,
    body: &serde_json::Value,
) -> Result<(), ApiError> {
    let doing = issue.doing(what);
    let route = format!("/repos/{repository}/issues/{}", issue.number);
    client
        .patch::<IssueResponse>(Request { route: &route, doing: &doing, permission: RequiredPermission::Issues }, body)
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: Subject<'static> =
        Subject { key: "a b", shard: "", branch: "main", machine: "X, 4 cores", benchmark: "p --> q", metric: "time" };

    fn listed(body: &str) -> IssueResponse {
        serde_json::from_value(json!({"number": 3, "state": "open", "body": body})).unwrap()
    }

    #[test]
    fn the_marker_of_an_issue_is_read_back() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let body = format!("{BEGIN}{SUBJECT}{BASE}{commit}{CLOSE}\nthe\ntext\n");
        assert!(body.lines().next().unwrap().matches("--").count() == 2, "{body}");
        let issue = Issue::read(listed(&body)).unwrap();
        assert_eq!(issue.benchmark(), SUBJECT.benchmark);
        assert!(issue.is_about(&SUBJECT) && issue.is_open && !issue.is_over);
        assert_eq!((issue.text.as_str(), issue.base.as_str(), issue.body()), ("the\ntext\n", commit, body.clone()));
        let over = Issue { is_over: true, ..issue.clone() };
        assert!(Issue::read(listed(&over.body())).unwrap().is_over);
        let edited = format!("We know.\r\n\r\n{}", body.replace('\n', "\r\n"));
        assert_eq!(Issue::read(listed(&edited)).unwrap().text, "We know.\n\nthe\ntext\n");
        for other in ["", "text", &body.replace(commit, "here"), &body.replace(BEGIN, "<!-- other ")] {
            assert_eq!(Issue::read(listed(other)), None, "{other}");
        }
    }

    #[test]
    fn each_name_makes_another_subject() {
        let issue = Issue::read(listed(&format!("{BEGIN}{SUBJECT}{BASE}{}{CLOSE}\n", "a".repeat(40)))).unwrap();
        let others = [
            Subject { key: "a", ..SUBJECT },
            Subject { shard: "1", ..SUBJECT },
            Subject { branch: "release", ..SUBJECT },
            Subject { machine: "Y", ..SUBJECT },
            Subject { benchmark: "p", ..SUBJECT },
            Subject { metric: "memory", ..SUBJECT },
        ];
        for other in others {
            assert!(!issue.is_about(&other), "{other}");
        }
        let long = [format!("{}a", "x".repeat(5000)), format!("{}b", "x".repeat(5000))];
        let marks = long.each_ref().map(|name| mark(name));
        assert!(marks[0] != marks[1] && marks[0].len() < MAX_NAME_CHARS + 20);
    }
}
