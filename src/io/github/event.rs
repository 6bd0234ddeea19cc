//! Reads the event that started a GitHub workflow. `cli::ci` acts on it.
//!
//! Everything in the event file is untrusted: only numbers, full commit ids and well-formed repository names are used;
//! branch names stay plain text.

mod payload;

use self::payload::{Payload, Repository, payload};
use super::merge_queue::MergeGroup;
use super::slug::Slug;
use crate::io::regular;
use crate::model::Commit;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest event file to read; GitHub limits payloads to 25 MB.
const MAX_EVENT_BYTES: u64 = 25 << 20;

/// A supported event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Repository of the event; `None` if neither the file nor the environment has it.
    pub repository: Option<Slug>,
    /// Default branch of the repository, if the file has it.
    pub default_branch: Option<String>,
    /// Kind of event, with its data.
    pub kind: EventKind,
}

/// Kinds of events, with their data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A branch: push, schedule, workflow_dispatch.
    Branch {
        /// The full ref; `None` for a schedule, which is always on the default branch.
        reference: Option<String>,
        /// The commit, if the file has it.
        head: Option<Commit>,
    },
    /// A pull request.
    PullRequest(PullRequest),
    /// A group of a merge queue.
    MergeGroup {
        /// The commit to check.
        head: Commit,
        /// The commit that it is based on.
        base: Commit,
        /// The target branch, and the newest pull request.
        group: MergeGroup,
    },
    /// A completed workflow, possibly of a fork.
    WorkflowRun(WorkflowRun),
    /// An event after which there is nothing to measure or publish, and why.
    Nothing(&'static str),
}

/// A pull request, as described by its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its newest commit. The checkout is usually GitHub's test merge of it.
    pub head: Commit,
    /// Repository of that commit; `None` if the fork was deleted.
    pub head_repository: Option<Slug>,
    /// The target branch.
    pub branch: String,
    /// The newest commit of that branch at the time of the event.
    pub base: Commit,
}

/// A completed workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// Commit of the run; for a pull request, its newest commit.
    pub head: Commit,
    /// Repository of that commit.
    pub head_repository: Slug,
    /// Branch in that repository.
    pub head_branch: String,
    /// Event that started it.
    pub event: String,
}

/// Why the event cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not inside a workflow.
    #[error(
        "no event: {0} is not set, so this is not a GitHub workflow; to try it elsewhere, run `perfgate ci --event \
         pull_request --event-path event.json --dry-run`"
    )]
    Unset(&'static str),
    /// An unsupported event.
    #[error(
        "event {0:?} is not supported; use push, pull_request, merge_group, schedule, workflow_dispatch or workflow_run"
    )]
    Unknown(String),
    /// An event that would run untrusted code with a token that can write.
    #[error(
        "pull_request_target is not supported: it would run untrusted code with a token that can write. Use pull_request, and \
         workflow_run for the comment on pull requests from forks; `perfgate init --github` writes both workflows"
    )]
    Target,
    /// The file could not be read.
    #[error("{}: cannot read the event file: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Error of the operating system.
        error: std::io::Error,
    },
    /// The file is not an event.
    #[error("{}: the event file {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file belongs to another event.
    #[error("{}: not a {event} event: {why}; check that --event and --event-path belong together", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The event's name.
        event: String,
        /// What is missing.
        why: String,
    },
}

impl Event {
    /// Reads an event by its name and file. `variable` looks up environment variables.
    pub fn read(name: &str, path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Event, EventError> {
        match name {
            "push" | "pull_request" | "merge_group" | "schedule" | "workflow_dispatch" | "workflow_run" => {}
            "pull_request_target" => return Err(EventError::Target),
            other => return Err(EventError::Unknown(other.chars().take(100).collect())),
        }
        Event::parse(name, &content(path)?, path, variable)
    }

    /// Reads the content of an event file; `path` is for messages.
    pub fn parse(
        name: &str,
        bytes: &[u8],
        path: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Event, EventError> {
        let payload = payload(bytes, path)?;
        let mismatch =
            |why: &str| EventError::Mismatch { path: path.to_owned(), event: name.to_owned(), why: why.to_owned() };
        let kind = kind(name, &payload).map_err(|why| mismatch(&why))?;
        let repository = payload.repository.as_ref().and_then(|repository| repository.full_name.clone());
        let repository = repository.or_else(|| variable("GITHUB_REPOSITORY").filter(|name| !name.is_empty()));
        let repository = match repository {
            None => None,
            Some(name) => {
                Some(Slug::parse(&name).ok_or_else(|| mismatch(&format!("{name:?} is not a repository name")))?)
            }
        };
        let default_branch = payload.repository.and_then(|repository| repository.default_branch);
        Ok(Event { repository, default_branch, kind })
    }

    /// True for a pull request from another repository, including a deleted fork.
    pub fn is_from_fork(&self) -> bool {
        match &self.kind {
            EventKind::PullRequest(pull) => pull.head_repository.is_none() || pull.head_repository != self.repository,
            _ => false,
        }
    }
}

fn content(path: &Path) -> Result<Vec<u8>, EventError> {
    let unreadable = |error| EventError::Unreadable { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    let file = regular::open(path).map_err(unreadable)?;
    file.take(MAX_EVENT_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_EVENT_BYTES {
        let why = format!("is larger than {} MB", MAX_EVENT_BYTES >> 20);
        return Err(EventError::Damaged { path: path.to_owned(), why });
    }
    Ok(bytes)
}

/// Builds the event from the payload; an error names the missing field.
fn kind(name: &str, payload: &Payload) -> Result<EventKind, String> {
    match name {
        "push" => {
            let reference = payload.reference.clone().filter(|name| !name.is_empty()).ok_or("it has no `ref`")?;
            if payload.deleted == Some(true) {
                return Ok(EventKind::Nothing("the branch or tag was deleted"));
            }
            Ok(EventKind::Branch { reference: Some(reference), head: Some(commit(payload.after.as_deref(), "after")?) })
        }
        // The payload of a schedule has no ref or commit; it always runs on the default branch.
        "schedule" => Ok(EventKind::Branch { reference: None, head: None }),
        "workflow_dispatch" => {
            let reference = payload.reference.clone().ok_or("it has no `ref`")?;
            Ok(EventKind::Branch { reference: Some(reference), head: None })
        }
        "pull_request" => {
            let pull = payload.pull_request.as_ref().ok_or("it has no `pull_request`")?;
            if payload.action.as_deref() == Some("closed") {
                return Ok(EventKind::Nothing("the pull request was closed"));
            }
            let name = |repository: &Option<Repository>| {
                let name = repository.as_ref()?.full_name.as_deref()?;
                Slug::parse(name)
            };
            Ok(EventKind::PullRequest(PullRequest {
                number: pull.number,
                head: commit(pull.head.sha.as_deref(), "pull_request.head.sha")?,
                head_repository: name(&pull.head.repo),
                branch: pull.base.reference.clone().ok_or("it has no `pull_request.base.ref`")?,
                base: commit(pull.base.sha.as_deref(), "pull_request.base.sha")?,
            }))
        }
        "merge_group" => {
            let group = payload.merge_group.as_ref().ok_or("it has no `merge_group`")?;
            let branch = group.base_ref.as_deref().ok_or("it has no `merge_group.base_ref`")?;
            Ok(EventKind::MergeGroup {
                head: commit(group.head_sha.as_deref(), "merge_group.head_sha")?,
                base: commit(group.base_sha.as_deref(), "merge_group.base_sha")?,
                group: MergeGroup::of_ref(
                    group.head_ref.as_deref(),
                    branch.strip_prefix("refs/heads/").unwrap_or(branch),
                ),
            })
        }
        _ => {
            let run = payload.workflow_run.as_ref().ok_or("it has no `workflow_run`")?;
            if matches!(run.head_repository, Some(None)) {
                return Ok(EventKind::Nothing("the fork was deleted"));
            }
            let from = run.head_repository.as_ref().and_then(Option::as_ref);
            let from = from.and_then(|repository| repository.full_name.as_deref());
            Ok(EventKind::WorkflowRun(WorkflowRun {
                head: commit(run.head_sha.as_deref(), "workflow_run.head_sha")?,
                head_repository: from
                    .and_then(Slug::parse)
                    .ok_or("it has no `workflow_run.head_repository.full_name`")?,
                head_branch: run.head_branch.clone().ok_or("it has no `workflow_run.head_branch`")?,
                event: run.event.clone().ok_or("it has no `workflow_run.event`")?,
            }))
        }
    }
}

fn commit(id: Option<&str>, field: &str) -> Result<Commit, String> {
    let id = id.ok_or_else(|| format!("it has no `{field}`"))?;
    Commit::parse(id).ok_or_else(|| format!("its `{field}` is not a commit id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::fs::File;

    const HEAD: &str = "1111111111111111111111111111111111111111";
    const BASE: &str = "2222222222222222222222222222222222222222";

    fn read(name: &str, text: &str) -> Result<Event, EventError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.json");
        std::fs::write(&path, text).unwrap();
        Event::read(name, &path, &|_| None)
    }

    fn pull(head_repository: Value) -> String {
        json!({
            "action": "synchronize", "number": 7,
            "repository": {"full_name": "octo/r", "default_branch": "main"},
            "pull_request": {
                "number": 7, "title": "$(touch x) ${{ secrets.X }}",
                "head": {"sha": HEAD, "ref": "a;b`c`", "repo": head_repository},
                "base": {"sha": BASE, "ref": "release/1.0", "repo": {"full_name": "octo/r"}},
            },
        })
        .to_string()
    }

    #[test]
    fn pull_requests_from_forks_are_recognized() {
        let event = read("pull_request", &pull(json!({"full_name": "octo/r"}))).unwrap();
        assert!(!event.is_from_fork());
        assert_eq!(event.default_branch.as_deref(), Some("main"));
        let EventKind::PullRequest(pull_request) = event.kind else { panic!("{event:?}") };
        assert_eq!((pull_request.number, pull_request.head.as_str()), (7, HEAD));
        assert_eq!((pull_request.branch.as_str(), pull_request.base.as_str()), ("release/1.0", BASE));
        assert!(read("pull_request", &pull(json!({"full_name": "stranger/r"}))).unwrap().is_from_fork());
        assert!(read("pull_request", &pull(Value::Null)).unwrap().is_from_fork(), "a fork that was deleted");
        assert!(read("pull_request", &pull(json!({"full_name": "octo/r/../x"}))).unwrap().is_from_fork());
    }

    #[test]
    fn events_after_which_there_is_nothing_to_do_are_no_errors() {
        let is_nothing = |name: &str, payload: Value| {
            matches!(read(name, &payload.to_string()).unwrap().kind, EventKind::Nothing(_))
        };
        assert!(is_nothing("push", json!({"ref": "refs/heads/x", "after": HEAD, "deleted": true})));
        let mut closed: Value = serde_json::from_str(&pull(json!({"full_name": "octo/r"}))).unwrap();
        closed["action"] = "closed".into();
        assert!(is_nothing("pull_request", closed));
        let mut run = json!({"event": "pull_request", "head_sha": HEAD, "head_branch": "x", "head_repository": null});
        assert!(is_nothing("workflow_run", json!({"workflow_run": run})));
        run.as_object_mut().unwrap().remove("head_repository");
        assert!(read("workflow_run", &json!({"workflow_run": run}).to_string()).is_err());
    }

    #[test]
    fn an_error_names_what_the_event_file_lacks() {
        let why = |name: &str, text: &str| read(name, text).unwrap_err().to_string();
        let push = json!({"ref": "refs/heads/main", "after": HEAD, "repository": {"full_name": "octo/r"}}).to_string();
        assert!(read("push", &push).is_ok());
        assert!(why("pull_request", &push).contains("not a pull_request event: it has no `pull_request`"));
        assert!(why("workflow_run", &push).contains("not a workflow_run event"));
        assert!(why("merge_group", &push).contains("it has no `merge_group`"));
        assert!(why("push", &push[..push.len() / 2]).contains("is cut off"));
        assert!(why("push", "").contains("is empty"));
        assert!(why("push", &push.replace("refs/heads/main", "")).contains("it has no `ref`"));
        assert!(why("push", "[1]").contains("is not an event of GitHub"));
        assert!(why("push", &push.replace(HEAD, "HEAD")).contains("its `after` is not a commit id"));
        assert!(why("push", &push.replace("octo/r", "octo")).contains("is not a repository name"));
        assert!(
            Event::read("push", Path::new("/nowhere/e.json"), &|_| None)
                .unwrap_err()
                .to_string()
                .contains("cannot read")
        );
    }

    #[test]
    fn unsupported_and_unsafe_events_are_refused() {
        assert!(matches!(read("pull_request_target", "{}"), Err(EventError::Target)));
        assert!(read("release", "{}").unwrap_err().to_string().contains("event \"release\" is not supported"));
    }

    #[test]
    fn a_schedule_takes_its_repository_from_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.json");
        std::fs::write(&path, r#"{"schedule": "0 3 * * *"}"#).unwrap();
        let event = Event::read("schedule", &path, &|name| (name == "GITHUB_REPOSITORY").then(|| "octo/r".into()));
        let event = event.unwrap();
        assert_eq!(event.kind, EventKind::Branch { reference: None, head: None });
        assert_eq!(event.repository.unwrap().to_string(), "octo/r");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.json");
        File::create(&path).unwrap().set_len(MAX_EVENT_BYTES + 1).unwrap();
        assert!(Event::read("push", &path, &|_| None).unwrap_err().to_string().contains("larger than 25 MB"));
    }
}
