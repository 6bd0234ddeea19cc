//! Requests to accept the regressions of a pull request, by people with write access: a comment
//! `/perfgate accept NAME|all COMMIT [reason]`, or a label.
//!
//! Both are valid for one head. The next push needs a new request, even a force push back to an earlier commit.
//! A comment names the commit. A label cannot, so it must have been set after a report on the head. That report must be
//! newer than the last force push and the last change of the base branch. All these times are GitHub's, because the
//! dates of commits can be chosen freely. Permissions come from the API, never from an event.

use super::accept_command::commands;
use super::api_error::{ApiError, RequiredPermission};
use super::check::is_own;
use super::client::{Client, Request};
use super::marker;
use super::slug::Slug;
use crate::model::Commit;
use jiff::Timestamp;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What a person accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The person's login.
    pub who: String,
    /// The benchmark; `None` for all of them.
    pub benchmark: Option<String>,
    /// Why; may be empty.
    pub reason: String,
}

/// A request by someone with write access that does not accept this head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The person's login.
    pub who: String,
    /// Why it does not.
    pub why: RefusalReason,
}

/// Why a request does not accept a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusalReason {
    /// The comment does not name a commit by its whole id.
    NoCommit,
    /// The comment names another commit: untrusted text.
    OtherCommit(String),
    /// The label was set before a report on this head, or before it was pushed again or got another base branch.
    EarlyLabel(String),
    /// All regressions of one pull request, in a merge group with others.
    OneOfGroup(u64),
}

/// All requests for a head, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requests {
    /// What is accepted.
    pub accepted: Vec<Acceptance>,
    /// What is not.
    pub refused: Vec<Refusal>,
}

/// The head of a pull request.
#[derive(Debug, Clone, Copy)]
pub struct PullHead<'a> {
    /// The repository of the pull request.
    pub repository: &'a Slug,
    /// Its number.
    pub pull: u64,
    /// Its newest commit.
    pub commit: &'a Commit,
    /// The name of perfgate's check run.
    pub check: &'a str,
}

/// Reads all requests: comments, and the label, if one is given.
pub fn requests(client: &Client, head: PullHead<'_>, label: Option<&str>) -> Result<Requests, ApiError> {
    let reader = Reader { client, head, may_write: RefCell::default() };
    let mut requests = Requests::default();
    reader.comments(&mut requests)?;
    if let Some(label) = label {
        reader.label(label, &mut requests)?;
    }
    Ok(requests)
}

#[derive(Deserialize)]
struct Comment {
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Permission {
    #[serde(default)]
    permission: String,
}

#[derive(Deserialize)]
struct Checks {
    check_runs: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    name: String,
    #[serde(default, deserialize_with = "time")]
    started_at: Option<Timestamp>,
    #[serde(default)]
    external_id: Option<String>,
}

impl Check {
    /// True for perfgate's own check run of this name.
    fn is_report(&self, name: &str) -> bool {
        self.name == name && self.external_id.as_deref().is_some_and(is_own)
    }
}

#[derive(Deserialize)]
struct Pull {
    head: Sha,
    #[serde(default)]
    labels: Vec<Label>,
}

#[derive(Deserialize)]
struct Sha {
    sha: String,
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

/// An event of the timeline. Some kinds have no date.
#[derive(Deserialize)]
struct TimelineEvent {
    #[serde(default)]
    event: String,
    #[serde(default, deserialize_with = "time")]
    created_at: Option<Timestamp>,
    #[serde(default)]
    label: Option<Label>,
    #[serde(default)]
    actor: Option<User>,
}

/// A time; none if there is none, or no valid one.
fn time<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.and_then(|text| text.parse().ok()))
}

struct Reader<'a> {
    client: &'a Client,
    head: PullHead<'a>,
    /// Known permissions by login, because one person may write many comments.
    may_write: RefCell<BTreeMap<String, bool>>,
}

impl Requests {
    /// True if all regressions are accepted.
    pub fn accept_all(&self) -> bool {
        self.accepted.iter().any(|acceptance| acceptance.benchmark.is_none())
    }

    /// Keeps only the acceptances that name a benchmark: other regressions of the group may come from other pull requests.
    pub fn only_named(&mut self, pull: u64) {
        let (named, all) = std::mem::take(&mut self.accepted).into_iter().partition(|one| one.benchmark.is_some());
        self.accepted = named;
        let all: Vec<Acceptance> = all;
        self.refused.extend(all.into_iter().map(|one| Refusal { who: one.who, why: RefusalReason::OneOfGroup(pull) }));
    }
}

impl Reader<'_> {
    fn comments(&self, requests: &mut Requests) -> Result<(), ApiError> {
        let PullHead { repository, pull, commit, .. } = self.head;
        let doing = self.doing();
        let route = format!("/repos/{repository}/issues/{pull}/comments");
        let (comments, _): (Vec<Comment>, _) = self
            .client
            .pages(Request { route: &route, doing: &doing, permission: RequiredPermission::ReadPulls }, |page| page)?;
        for Comment { body, user } in comments {
            let (Some(body), Some(User { login })) = (body, user) else { continue };
            // Our own comment shows the command.
            if marker::is_ours(&body) {
                continue;
            }
            for command in commands(&body) {
                if !self.may_write(&login)? {
                    break;
                }
                let why = match command.commit {
                    None => Some(RefusalReason::NoCommit),
                    Some(id) if commit.as_str() == id => None,
                    Some(id) => Some(RefusalReason::OtherCommit(id)),
                };
                let who = login.clone();
                match why {
                    None => {
                        requests.accepted.push(Acceptance { who, benchmark: command.benchmark, reason: command.reason })
                    }
                    Some(why) => requests.refused.push(Refusal { who, why }),
                }
            }
        }
        Ok(())
    }

    fn label(&self, label: &str, requests: &mut Requests) -> Result<(), ApiError> {
        let PullHead { repository, pull, commit, check } = self.head;
        let route = format!("/repos/{repository}/pulls/{pull}");
        let found: Pull = self.client.get(Request {
            route: &route,
            doing: &self.doing(),
            permission: RequiredPermission::ReadPulls,
        })?;
        if found.head.sha != commit.as_str() || !found.labels.iter().any(|known| known.name == label) {
            return Ok(());
        }
        let doing = self.doing();
        let route = format!("/repos/{repository}/issues/{pull}/timeline");
        let (events, is_complete): (Vec<TimelineEvent>, _) = self
            .client
            .pages(Request { route: &route, doing: &doing, permission: RequiredPermission::ReadPulls }, |page| page)?;
        let is_label = |event: &&TimelineEvent| {
            event.event == "labeled" && event.label.as_ref().is_some_and(|set| set.name == label)
        };
        let set = events.iter().filter(is_label).filter_map(|event| Some((event.created_at?, event.actor.as_ref()?)));
        let Some((set, User { login })) = set.max_by_key(|(set, _)| *set) else { return Ok(()) };
        if !self.may_write(login)? {
            return Ok(());
        }
        // A report on another base is about other regressions.
        let is_change = |event: &&TimelineEvent| matches!(&*event.event, "head_ref_force_pushed" | "base_ref_changed");
        let changed = events.iter().filter(is_change).filter_map(|event| event.created_at).max();
        let route = format!("/repos/{repository}/commits/{commit}/check-runs?filter=all");
        let (checks, _): (Vec<Check>, _) = self.client.pages(
            Request { route: &route, doing: &doing, permission: RequiredPermission::Checks },
            |page: Checks| page.check_runs,
        )?;
        let mut reports = checks.iter().filter(|run| run.is_report(check)).filter_map(|run| run.started_at);
        let is_seen = reports.any(|report| report < set && changed.is_none_or(|changed| changed < report));
        let who = login.clone();
        if is_complete && is_seen {
            requests.accepted.push(Acceptance { who, benchmark: None, reason: format!("label {label:?}") });
        } else {
            requests.refused.push(Refusal { who, why: RefusalReason::EarlyLabel(label.to_owned()) });
        }
        Ok(())
    }

    /// True for a person who may write to the repository.
    fn may_write(&self, login: &str) -> Result<bool, ApiError> {
        if let Some(known) = self.may_write.borrow().get(login) {
            return Ok(*known);
        }
        let plain = !login.is_empty() && login.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        // Bots have brackets in their names.
        let may = plain && self.is_writer(login)?;
        self.may_write.borrow_mut().insert(login.to_owned(), may);
        Ok(may)
    }

    fn is_writer(&self, login: &str) -> Result<bool, ApiError> {
        let doing = format!("reading the permission of {login}");
        let route = format!("/repos/{}/collaborators/{login}/permission", self.head.repository);
        match self.client.get::<Permission>(Request {
            route: &route,
            doing: &doing,
            permission: RequiredPermission::Contents,
        }) {
            Ok(Permission { permission }) => Ok(matches!(permission.as_str(), "admin" | "write")),
            Err(ApiError::Absent { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn doing(&self) -> String {
        format!("reading who accepts regressions of pull request #{}", self.head.pull)
    }
}
