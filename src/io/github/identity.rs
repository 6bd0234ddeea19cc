//! Whose token it is: only a comment of the same author is ours.

use super::client::{Ask, Client};
use super::fault::{Fault, Need};
use serde::Deserialize;
use serde_json::{Value, json};

/// Who the job's own token writes as.
const ACTIONS: &str = "github-actions[bot]";

#[derive(Deserialize)]
struct User {
    login: String,
}

/// The login that the token writes as.
///
/// A person's token says so itself. A job's token and an App's may not ask `/user`; GraphQL tells them. Where neither
/// answers, it is the job's own.
pub(super) fn login(client: &Client) -> Result<String, Fault> {
    let ask = Ask { route: "/user", doing: "looking whose token it is", need: Need::Contents };
    match client.get::<User>(ask) {
        Ok(user) => return Ok(user.login),
        Err(Fault::Permission { .. } | Fault::Absent { .. } | Fault::Refused { .. }) => {}
        Err(fault) => return Err(fault),
    }
    let route = graphql(client.base());
    let query = json!({"query": "query { viewer { login } }"});
    match client.post::<Value>(Ask { route: &route, ..ask }, &query) {
        Ok(answer) => Ok(bot(answer["data"]["viewer"]["login"].as_str().unwrap_or(ACTIONS))),
        Err(fault @ (Fault::Token { .. } | Fault::Network { .. })) => Err(fault),
        Err(_) => Ok(ACTIONS.to_owned()),
    }
}

/// An App's account as the REST API names it; GraphQL leaves out its suffix in places.
fn bot(login: &str) -> String {
    format!("{}[bot]", login.strip_suffix("[bot]").unwrap_or(login))
}

/// Where GraphQL is answered: beside the REST API, on an Enterprise server one step above `/api/v3`.
fn graphql(base: &str) -> String {
    format!("{}/graphql", base.strip_suffix("/v3").unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_has_one_name() {
        assert_eq!((bot("an-app").as_str(), bot("an-app[bot]").as_str()), ("an-app[bot]", "an-app[bot]"));
    }

    #[test]
    fn graphql_is_found_on_an_enterprise_server_too() {
        assert_eq!(graphql("https://api.github.com"), "https://api.github.com/graphql");
        assert_eq!(graphql("https://ghe.example.org/api/v3"), "https://ghe.example.org/api/graphql");
    }
}
