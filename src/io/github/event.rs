//! The event that started a GitHub workflow: its name and its file, checked, as one of the few that perfgate knows.
//! What is done about it is for `cli::ci`. Everything in the file may have been written by a stranger; only numbers, full
//! commit ids and names of a plain shape come out of it as such, branch names stay text.

use super::slug::Slug;
use crate::model::Commit;
use serde::Deserialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest event file that is read: GitHub sends none above 25 MB.
const LARGEST: u64 = 25 << 20;

/// An event that perfgate does something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Where it happened; `None` where neither the file nor the environment says.
    pub repository: Option<Slug>,
    /// The repository's default branch, where the file names it.
    pub default_branch: Option<String>,
    /// What happened.
    pub kind: Kind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A branch as it stands: push, schedule, workflow_dispatch.
    Branch {
        /// The full ref; `None` for a schedule, which is always on the default branch.
        reference: Option<String>,
        /// The commit, where the file names it.
        head: Option<Commit>,
    },
    /// A pull request.
    PullRequest(PullRequest),
    /// A merge queue's trial.
    MergeGroup {
        /// The commit on trial.
        head: Commit,
        /// What it is built on.
        base: Commit,
        /// The branch that it is to go to.
        branch: String,
    },
    /// A workflow that ended, which may have been a fork's.
    WorkflowRun(WorkflowRun),
}

/// A pull request as its event tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// Its newest commit: what is commented on. What is checked out is usually GitHub's trial merge of it.
    pub head: Commit,
    /// Where that commit lives; `None` where the fork was deleted.
    pub head_repository: Option<Slug>,
    /// The branch that it is to go to.
    pub branch: String,
    /// The tip of that branch when the event was made.
    pub base: Commit,
}

/// A workflow that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowRun {
    /// The commit that it ran for: of a pull request, the newest one of its branch.
    pub head: Commit,
    /// Where that commit lives.
    pub head_repository: Slug,
    /// The branch there.
    pub head_branch: String,
    /// What had started it.
    pub event: String,
}

/// Why there is no event. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not inside a workflow.
    #[error(
        "no event: {0} is not set, so this is no GitHub workflow; name one, as in `perfgate ci --event pull_request \
         --event-path event.json --dry-run`"
    )]
    Unset(&'static str),
    /// An event that is not for us.
    #[error(
        "perfgate does nothing for the event {0:?}; it knows push, pull_request, merge_group, schedule, workflow_dispatch and workflow_run"
    )]
    Unknown(String),
    /// An event under which judging would be dangerous.
    #[error(
        "perfgate refuses pull_request_target: it would run a stranger's code with a token that writes. Use pull_request, and \
         workflow_run for the comment on pull requests from forks; `perfgate init --github` writes both workflows"
    )]
    Target,
    /// The file could not be read.
    #[error("{}: cannot read the event file: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no event at all.
    #[error("{}: the event file {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file is of another event.
    #[error("{}: is no {event} event: {why}; do --event and --event-path belong together?", path.display())]
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
    /// Reads the event of a name from its file. `variable` reads the process environment.
    pub fn read(name: &str, path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Event, EventError> {
        match name {
            "push" | "pull_request" | "merge_group" | "schedule" | "workflow_dispatch" | "workflow_run" => {}
            "pull_request_target" => return Err(EventError::Target),
            other => return Err(EventError::Unknown(other.chars().take(100).collect())),
        }
        let payload = payload(path)?;
        let mismatch =
            |why: &str| EventError::Mismatch { path: path.to_owned(), event: name.to_owned(), why: why.to_owned() };
        let kind = kind(name, &payload).map_err(|why| mismatch(&why))?;
        let repository = payload.repository.as_ref().and_then(|repository| repository.full_name.clone());
        let repository = repository.or_else(|| variable("GITHUB_REPOSITORY").filter(|name| !name.is_empty()));
        let repository = match repository {
            None => None,
            Some(name) => Some(Slug::parse(&name).ok_or_else(|| mismatch(&format!("{name:?} names no repository")))?),
        };
        let default_branch = payload.repository.and_then(|repository| repository.default_branch);
        Ok(Event { repository, default_branch, kind })
    }

    /// True for a pull request whose commits live in another repository, and for one whose fork is gone.
    pub fn is_from_fork(&self) -> bool {
        match &self.kind {
            Kind::PullRequest(pull) => pull.head_repository.is_none() || pull.head_repository != self.repository,
            _ => false,
        }
    }
}

fn payload(path: &Path) -> Result<Payload, EventError> {
    let unreadable = |error| EventError::Unreadable { path: path.to_owned(), error };
    let damaged = |why: String| EventError::Damaged { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(damaged(format!("is larger than {} MB, which no event is", LARGEST >> 20)));
    }
    if bytes.trim_ascii().is_empty() {
        return Err(damaged("is empty".to_owned()));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = if error.is_eof() { "is cut off" } else { "is no event that GitHub writes" };
        damaged(format!("{what} ({error})"))
    })
}

/// What the payload says happened; an error names what it lacks.
fn kind(name: &str, payload: &Payload) -> Result<Kind, String> {
    match name {
        "push" => {
            let reference = payload.reference.clone().ok_or("it has no `ref`")?;
            if payload.deleted == Some(true) {
                return Err(format!("{reference:?} was deleted, so there is nothing to measure"));
            }
            Ok(Kind::Branch { reference: Some(reference), head: Some(commit(payload.after.as_deref(), "after")?) })
        }
        // The payload of a schedule says next to nothing, and it always runs on the default branch.
        "schedule" => Ok(Kind::Branch { reference: None, head: None }),
        "workflow_dispatch" => {
            let reference = payload.reference.clone().ok_or("it has no `ref`")?;
            Ok(Kind::Branch { reference: Some(reference), head: None })
        }
        "pull_request" => {
            let pull = payload.pull_request.as_ref().ok_or("it has no `pull_request`")?;
            let name = |repository: &Option<Repository>| {
                let name = repository.as_ref()?.full_name.as_deref()?;
                Slug::parse(name)
            };
            Ok(Kind::PullRequest(PullRequest {
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
            Ok(Kind::MergeGroup {
                head: commit(group.head_sha.as_deref(), "merge_group.head_sha")?,
                base: commit(group.base_sha.as_deref(), "merge_group.base_sha")?,
                branch: branch.strip_prefix("refs/heads/").unwrap_or(branch).to_owned(),
            })
        }
        _ => {
            let run = payload.workflow_run.as_ref().ok_or("it has no `workflow_run`")?;
            let from = run.head_repository.as_ref().and_then(|repository| repository.full_name.as_deref());
            Ok(Kind::WorkflowRun(WorkflowRun {
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
    Commit::parse(id).ok_or_else(|| format!("its `{field}` is no commit id"))
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "ref")]
    reference: Option<String>,
    after: Option<String>,
    deleted: Option<bool>,
    repository: Option<Repository>,
    pull_request: Option<Pull>,
    merge_group: Option<Group>,
    workflow_run: Option<Run>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
    default_branch: Option<String>,
}

#[derive(Deserialize)]
struct Pull {
    number: u64,
    head: End,
    base: End,
}

/// One end of a pull request.
#[derive(Deserialize)]
struct End {
    sha: Option<String>,
    #[serde(rename = "ref")]
    reference: Option<String>,
    repo: Option<Repository>,
}

#[derive(Deserialize)]
struct Group {
    head_sha: Option<String>,
    base_sha: Option<String>,
    base_ref: Option<String>,
}

#[derive(Deserialize)]
struct Run {
    head_sha: Option<String>,
    head_branch: Option<String>,
    event: Option<String>,
    head_repository: Option<Repository>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

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
    fn a_pull_request_of_the_repository_and_of_a_fork_are_told_apart() {
        let event = read("pull_request", &pull(json!({"full_name": "octo/r"}))).unwrap();
        assert!(!event.is_from_fork());
        assert_eq!(event.default_branch.as_deref(), Some("main"));
        let Kind::PullRequest(pull_request) = event.kind else { panic!("{event:?}") };
        assert_eq!((pull_request.number, pull_request.head.as_str()), (7, HEAD));
        assert_eq!((pull_request.branch.as_str(), pull_request.base.as_str()), ("release/1.0", BASE));
        assert!(read("pull_request", &pull(json!({"full_name": "stranger/r"}))).unwrap().is_from_fork());
        assert!(read("pull_request", &pull(Value::Null)).unwrap().is_from_fork(), "a fork that was deleted");
        assert!(read("pull_request", &pull(json!({"full_name": "octo/r/../x"}))).unwrap().is_from_fork());
    }

    #[test]
    fn a_file_that_does_not_fit_its_event_is_refused_with_what_it_lacks() {
        let why = |name: &str, text: &str| read(name, text).unwrap_err().to_string();
        let push = json!({"ref": "refs/heads/main", "after": HEAD, "repository": {"full_name": "octo/r"}}).to_string();
        assert!(read("push", &push).is_ok());
        assert!(why("pull_request", &push).contains("no pull_request event: it has no `pull_request`"));
        assert!(why("workflow_run", &push).contains("no workflow_run event"));
        assert!(why("merge_group", &push).contains("it has no `merge_group`"));
        assert!(why("push", &push[..push.len() / 2]).contains("is cut off"));
        assert!(why("push", "").contains("is empty"));
        assert!(why("push", "[1]").contains("is no event that GitHub writes"));
        assert!(why("push", &push.replace(HEAD, "HEAD")).contains("its `after` is no commit id"));
        let deleted = json!({"ref": "refs/heads/x", "after": HEAD, "deleted": true}).to_string();
        assert!(why("push", &deleted).contains("was deleted"));
        assert!(why("push", &push.replace("octo/r", "octo")).contains("names no repository"));
        assert!(
            Event::read("push", Path::new("/nowhere/e.json"), &|_| None)
                .unwrap_err()
                .to_string()
                .contains("cannot read")
        );
    }

    #[test]
    fn events_that_are_unknown_or_dangerous_are_refused_by_name() {
        assert!(matches!(read("pull_request_target", "{}"), Err(EventError::Target)));
        assert!(read("release", "{}").unwrap_err().to_string().contains("does nothing for the event \"release\""));
    }

    #[test]
    fn a_schedule_is_of_the_default_branch_and_its_repository_may_come_from_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.json");
        std::fs::write(&path, r#"{"schedule": "0 3 * * *"}"#).unwrap();
        let event = Event::read("schedule", &path, &|name| (name == "GITHUB_REPOSITORY").then(|| "octo/r".into()));
        let event = event.unwrap();
        assert_eq!(event.kind, Kind::Branch { reference: None, head: None });
        assert_eq!(event.repository.unwrap().to_string(), "octo/r");
    }

    #[test]
    fn a_file_larger_than_any_event_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("event.json");
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(Event::read("push", &path, &|_| None).unwrap_err().to_string().contains("larger than 25 MB"));
    }
}
