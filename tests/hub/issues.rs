//! Issues of the stand-in.

use super::{ME, State, error};
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

/// A stored issue.
#[derive(Debug, Clone)]
pub struct Issue {
    pub number: u64,
    pub author: String,
    pub title: String,
    pub body: String,
    pub state: String,
    pub reason: Option<String>,
    pub comments: Vec<String>,
}

impl State {
    pub fn open_issue(&mut self, author: &str, title: &str, body: &str) -> u64 {
        let number = 20 + self.issues.len() as u64;
        let [author, title, body, state] = [author, title, body, "open"].map(str::to_owned);
        self.issues.push(Issue { number, author, title, body, state, reason: None, comments: Vec::new() });
        number
    }
}

pub fn answer(state: &mut State, verb: &str, rest: &[&str], request: &Request, body: &Value) -> ResponseTemplate {
    let found =
        rest.first().and_then(|number| state.issues.iter_mut().find(|issue| issue.number.to_string() == *number));
    match (verb, rest, found) {
        ("GET", [], _) => list(state, request),
        ("POST", [], _) => match (body["title"].as_str(), body["body"].as_str()) {
            (Some(title), Some(text)) if text.chars().count() <= 65_536 && title.chars().count() <= 256 => {
                state.open_issue(ME, title, text);
                ResponseTemplate::new(201).set_body_json(shown(&state.issues[state.issues.len() - 1]))
            }
            _ => error(422, "Validation Failed"),
        },
        ("PATCH", [_], Some(issue)) => {
            let set = |field: &mut String, name: &str| *field = body[name].as_str().unwrap_or(field).to_owned();
            set(&mut issue.body, "body");
            set(&mut issue.state, "state");
            issue.reason = body["state_reason"].as_str().map(str::to_owned).or(issue.reason.take());
            ResponseTemplate::new(200).set_body_json(shown(issue))
        }
        ("POST", [_, "comments"], Some(issue)) => {
            issue.comments.push(body["body"].as_str().unwrap().to_owned());
            ResponseTemplate::new(201).set_body_json(json!({"id": 1, "body": body["body"]}))
        }
        ("GET", [_, "comments"], Some(issue)) => {
            let shown = |text: &String| json!({"id": 1, "body": text, "user": {"login": ME}});
            ResponseTemplate::new(200).set_body_json(issue.comments.iter().map(shown).collect::<Vec<_>>())
        }
        _ => error(404, "Not Found"),
    }
}

fn list(state: &State, request: &Request) -> ResponseTemplate {
    let query =
        |name: &str| request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let number = |name: &str, usual: usize| query(name).and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (per, page) = (number("per_page", 30), number("page", 1));
    let wanted = |issue: &&Issue| {
        let of_state = query("state").unwrap_or_else(|| "open".to_owned());
        (of_state == "all" || issue.state == of_state) && query("creator").is_none_or(|creator| issue.author == creator)
    };
    let all: Vec<Value> = state.issues.iter().rev().filter(wanted).map(shown).collect();
    let answer = ResponseTemplate::new(200);
    let answer = match all.len() > per * page {
        true => answer.insert_header("link", format!("<{}?page={}>; rel=\"next\"", request.url, page + 1).as_str()),
        false => answer,
    };
    answer.set_body_json(all.iter().skip(per * (page - 1)).take(per).collect::<Vec<_>>())
}

fn shown(issue: &Issue) -> Value {
    json!({
        "number": issue.number, "title": issue.title, "body": issue.body, "state": issue.state,
        "html_url": format!("https://github.example/o/r/issues/{}", issue.number), "user": {"login": issue.author},
    })
}
