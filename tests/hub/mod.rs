//! A stand-in for GitHub: it stores comments, check runs, issues and two pull requests (7 and 8), answers as
//! documented, and fails on demand.
#![allow(dead_code)] // each test file uses its own part

mod issues;

#[allow(unused_imports)]
pub use issues::Issue;

use serde_json::{Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The token of all tests. It must never be printed.
pub const TOKEN: &str = "ghs_s3cr3tS3cr3tS3cr3t";
/// The token's user.
pub const ME: &str = "octo";

/// A stored comment.
#[derive(Debug, Clone)]
pub struct Comment {
    pub id: u64,
    pub author: String,
    pub body: String,
    pub created_at: String,
}

/// A failure of matching requests.
pub struct InjectedFailure {
    verb: &'static str,
    path: &'static str,
    times: usize,
    answer: ResponseTemplate,
    /// True if the request takes effect anyway.
    done: bool,
}

/// What another job does right after a request.
type OtherJob = Box<dyn FnMut(&mut State) + Send>;

#[derive(Default)]
pub struct State {
    pub comments: Vec<Comment>,
    pub checks: Vec<Value>,
    pub body: String,
    /// Labels of the pull request.
    pub labels: Vec<String>,
    /// Events of the pull request.
    pub timeline: Vec<Value>,
    /// Logins with write access.
    pub writers: Vec<String>,
    /// Comments on commits.
    pub commit_comments: Vec<Value>,
    /// Issues, oldest first.
    pub issues: Vec<Issue>,
    /// The newest commit of the pull request.
    pub head: String,
    /// Whether the pull request is closed.
    pub is_closed: bool,
    /// The newest commit of pull request 8, if there is one.
    pub second: Option<String>,
    /// The comments of pull request 8.
    pub second_comments: Vec<Value>,
    /// The repository of the pull requests' branch; empty for the fork `fork/r`.
    pub head_repository: String,
    last: u64,
    /// Seconds since the start; each change takes one.
    clock: u64,
    injected_failures: Vec<InjectedFailure>,
    other_jobs: Vec<(&'static str, OtherJob)>,
}

impl State {
    pub fn add(&mut self, author: &str, body: &str) -> u64 {
        self.last += 1;
        let created_at = self.tick();
        self.comments.push(Comment { id: self.last, author: author.to_owned(), body: body.to_owned(), created_at });
        self.last
    }

    /// The time of a change.
    fn tick(&mut self) -> String {
        self.clock += 1;
        format!("2026-01-01T{:02}:{:02}:{:02}Z", self.clock / 3600, self.clock / 60 % 60, self.clock % 60)
    }

    /// Sets a label of the pull request.
    pub fn label(&mut self, name: &str, author: &str) {
        let at = self.tick();
        self.labels.push(name.to_owned());
        self.timeline
            .push(json!({"event": "labeled", "created_at": at, "label": {"name": name}, "actor": {"login": author}}));
    }

    /// Removes all labels of the pull request.
    pub fn unlabel(&mut self) {
        let at = self.tick();
        self.timeline.push(json!({"event": "unlabeled", "created_at": at, "actor": {"login": ME}}));
        self.labels.clear();
    }

    /// Gives the pull request another base branch.
    pub fn retarget(&mut self) {
        let at = self.tick();
        self.timeline.push(json!({"event": "base_ref_changed", "created_at": at, "actor": {"login": "author"}}));
    }

    /// Pushes a commit to the pull request; `force` as one that replaces others.
    pub fn push(&mut self, head: &str, force: bool) {
        let at = self.tick();
        self.head = head.to_owned();
        self.timeline.push(match force {
            true => json!({"event": "head_ref_force_pushed", "created_at": at, "actor": {"login": ME}}),
            false => json!({"event": "committed", "sha": head}),
        });
    }
}

/// The server.
pub struct Hub {
    server: MockServer,
    state: Arc<Mutex<State>>,
    runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Answers(Arc<Mutex<State>>);

impl Hub {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let state = Arc::new(Mutex::new(State::default()));
        runtime.block_on(Mock::given(any()).respond_with(Answers(state.clone())).mount(&server));
        Hub { server, state, runtime }
    }

    pub fn url(&self) -> String {
        self.server.uri()
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Fails the next `times` requests of this verb whose path contains a text.
    pub fn fails(&self, verb: &'static str, path: &'static str, times: usize, answer: ResponseTemplate) -> &Self {
        self.state().injected_failures.push(InjectedFailure { verb, path, times, answer, done: false });
        self
    }

    /// Like a lost answer: the request takes effect and fails.
    pub fn fails_though_done(&self, verb: &'static str, path: &'static str, answer: ResponseTemplate) -> &Self {
        self.state().injected_failures.push(InjectedFailure { verb, path, times: 1, answer, done: true });
        self
    }

    /// Changes the state right after the next request of this verb.
    pub fn then(&self, verb: &'static str, other_job: impl FnMut(&mut State) + Send + 'static) -> &Self {
        self.state().other_jobs.push((verb, Box::new(other_job)));
        self
    }

    /// All requests, `VERB PATH`.
    pub fn requested(&self) -> Vec<String> {
        let requests = self.runtime.block_on(self.server.received_requests()).unwrap();
        requests.iter().map(|request| format!("{} {}", request.method, request.url.path())).collect()
    }

    /// The number of requests of a verb whose path contains a text.
    pub fn count(&self, verb: &str, path: &str) -> usize {
        self.requested().iter().filter(|requested| requested.starts_with(verb) && requested.contains(path)).count()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.runtime.block_on(self.server.received_requests()).unwrap()
    }
}

/// An error in GitHub's format.
pub fn error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"message": message}))
}

/// A delayed answer.
pub fn late(wait: Duration) -> ResponseTemplate {
    ResponseTemplate::new(200).set_delay(wait).set_body_json(json!([]))
}

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let (verb, path) = (request.method.as_str(), request.url.path());
        let trouble =
            state.injected_failures.iter_mut().find(|t| t.times > 0 && t.verb == verb && path.contains(t.path));
        let trouble = trouble.map(|trouble| {
            trouble.times -= 1;
            (trouble.answer.clone(), trouble.done)
        });
        if let Some((answer, false)) = trouble {
            return answer;
        }
        let answer = answer(&mut state, verb, path, request);
        if let Some(at) = state.other_jobs.iter().position(|(on, _)| *on == verb) {
            let (_, mut other_job) = state.other_jobs.remove(at);
            other_job(&mut state);
        }
        trouble.map_or(answer, |(trouble, _)| trouble)
    }
}

fn answer(state: &mut State, verb: &str, path: &str, request: &Request) -> ResponseTemplate {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let authorized = request.headers.get("authorization").and_then(|value| value.to_str().ok());
    if authorized != Some(&format!("Bearer {TOKEN}")) {
        return error(401, "Bad credentials");
    }
    let ok = |value: Value| ResponseTemplate::new(200).set_body_json(value);
    let path = path.strip_prefix("/api/v3").unwrap_or(path); // the prefix of an Enterprise server
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (verb, parts.as_slice()) {
        ("GET", ["user"]) => ok(json!({"login": ME})),
        ("GET", ["repos", "o", "r", "issues", "7", "comments"]) => {
            let all: Vec<Value> = state.comments.iter().map(|comment| shown(comment, comment.id)).collect();
            paged(request, &all, |page| json!(page))
        }
        ("POST", ["repos", "o", "r", "issues", "7", "comments"]) => match body["body"].as_str() {
            Some(text) if text.chars().count() <= 65_536 => {
                let id = state.add(ME, text);
                ResponseTemplate::new(201).set_body_json(shown(&state.comments[state.comments.len() - 1].clone(), id))
            }
            _ => error(422, "Validation Failed"),
        },
        ("GET", ["repos", "o", "r", "issues", "comments", id]) => {
            match state.comments.iter().find(|comment| comment.id.to_string() == *id) {
                Some(comment) => ok(shown(comment, comment.id)),
                None => error(404, "Not Found"),
            }
        }
        ("PATCH", ["repos", "o", "r", "issues", "comments", id]) => {
            match state.comments.iter_mut().find(|comment| comment.id.to_string() == *id) {
                Some(comment) if body["body"].is_string() => {
                    comment.body = body["body"].as_str().unwrap().to_owned();
                    ok(shown(comment, comment.id))
                }
                _ => error(404, "Not Found"),
            }
        }
        ("DELETE", ["repos", "o", "r", "issues", "comments", id]) => {
            let before = state.comments.len();
            state.comments.retain(|comment| comment.id.to_string() != *id);
            if state.comments.len() < before { ResponseTemplate::new(204) } else { error(404, "Not Found") }
        }
        ("POST", ["repos", "o", "r", "check-runs"]) => {
            let mut made = body;
            made["id"] = (state.checks.len() as u64 + 1).into();
            made["html_url"] = "https://github.example/check".into();
            made["started_at"] = state.tick().into();
            state.checks.push(made.clone());
            ResponseTemplate::new(201).set_body_json(made)
        }
        ("GET", ["repos", "o", "r", "commits", commit, "check-runs"]) => {
            let of_commit: Vec<Value> =
                state.checks.iter().filter(|check| check["head_sha"] == **commit).cloned().collect();
            paged(request, &of_commit, |page| json!({"total_count": of_commit.len(), "check_runs": page}))
        }
        ("GET", ["repos", "o", "r", "issues", "7", "timeline"]) => paged(request, &state.timeline, |page| json!(page)),
        ("GET", ["repos", "o", "r", "commits", commit, "pulls"]) => match &state.second {
            Some(second) if second == commit => ok(json!([second_pull(state)])),
            _ => ok(json!([pull(state, commit)])),
        },
        ("GET", ["repos", "o", "r", "pulls", "8"]) if state.second.is_some() => ok(second_pull(state)),
        ("GET", ["repos", "o", "r", "issues", "8", "comments"]) => ok(json!(state.second_comments)),
        ("GET", ["repos", "o", "r", "pulls", "7"]) => ok(pull(state, "c0ffee")),
        ("PATCH", ["repos", "o", "r", "pulls", "7"]) => {
            state.body = body["body"].as_str().unwrap().to_owned();
            ok(pull(state, "c0ffee"))
        }
        ("GET", ["repos", "o", "r", "pulls"]) => ok(json!([])),
        ("GET", ["repos", "o", "r", "collaborators", login, "permission"]) => {
            let may = state.writers.iter().any(|writer| writer == login);
            ok(json!({"permission": if may { "write" } else { "read" }}))
        }
        ("GET", ["repos", "o", "r", "commits", commit, "comments"]) => {
            let of_commit: Vec<Value> =
                state.commit_comments.iter().filter(|comment| comment["commit_id"] == **commit).cloned().collect();
            paged(request, &of_commit, |page| json!(page))
        }
        ("POST", ["repos", "o", "r", "commits", commit, "comments"]) => {
            let made = json!({"id": 900 + state.commit_comments.len(), "body": body["body"], "commit_id": commit, "html_url": "https://github.example/c", "user": {"login": ME}});
            state.commit_comments.push(made.clone());
            ResponseTemplate::new(201).set_body_json(made)
        }
        ("PATCH", ["repos", "o", "r", "comments", id]) => {
            match state.commit_comments.iter_mut().find(|comment| comment["id"].as_u64() == id.parse().ok()) {
                Some(comment) => {
                    comment["body"] = body["body"].clone();
                    ok(comment.clone())
                }
                None => error(404, "Not Found"),
            }
        }
        (_, ["repos", "o", "r", "issues", rest @ ..]) => issues::answer(state, verb, rest, request, &body),
        _ => error(404, "Not Found"),
    }
}

/// One page of items, with a link to the next one.
fn paged(request: &Request, all: &[Value], answer: impl Fn(&[Value]) -> Value) -> ResponseTemplate {
    let query = |name: &str| {
        let found = request.url.query_pairs().find(|(key, _)| key == name);
        found.and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let (per, page) = (query("per_page").unwrap_or(30).min(100), query("page").unwrap_or(1));
    let items: Vec<Value> = all.iter().skip(per * (page - 1)).take(per).cloned().collect();
    let answer = ResponseTemplate::new(200).set_body_json(answer(&items));
    if all.len() > per * page {
        return answer.insert_header("link", format!("<{}?page={}>; rel=\"next\"", request.url, page + 1).as_str());
    }
    answer
}

fn shown(comment: &Comment, id: u64) -> Value {
    json!({
        "id": id,
        "body": comment.body,
        "html_url": format!("https://github.example/o/r/pull/7#issuecomment-{id}"),
        "created_at": comment.created_at,
        "user": {"login": comment.author},
    })
}

fn second_pull(state: &State) -> Value {
    let mut second = pull(state, "c0ffee");
    second["number"] = 8.into();
    second["head"]["sha"] = json!(state.second);
    second["labels"] = json!([]);
    second
}

fn pull(state: &State, head: &str) -> Value {
    let head = if state.head.is_empty() { head } else { &state.head };
    let repository = if state.head_repository.is_empty() { "fork/r" } else { &state.head_repository };
    let labels: Vec<Value> = state.labels.iter().map(|label| json!({"name": label})).collect();
    json!({
        "number": 7, "state": if state.is_closed { "closed" } else { "open" }, "html_url": "https://github.example/o/r/pull/7", "body": state.body, "labels": labels,
        "head": {"ref": "work", "sha": head, "repo": {"full_name": repository}},
        "base": {"ref": "main", "sha": "ba5e", "repo": {"full_name": "o/r"}},
    })
}
