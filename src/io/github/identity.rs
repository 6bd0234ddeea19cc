//! The account of the token: only its own comments may be edited.

use super::api_error::{ApiError, RequiredPermission};
use super::client::{Client, Request};
use serde::Deserialize;
use serde_json::{Value, json};

/// The account of a job's token.
const ACTIONS: &str = "github-actions[bot]";

#[derive(Deserialize)]
struct User {
    login: String,
}

/// The login of the token's account.
///
/// `/user` works for tokens of people. Tokens of jobs and Apps have no access to it and use GraphQL. If neither works,
/// assumes the job's token.
pub(super) fn login(client: &Client) -> Result<String, ApiError> {
    let request =
        Request { route: "/user", doing: "reading the account of the token", permission: RequiredPermission::Contents };
    match client.get::<User>(request) {
        Ok(user) => return Ok(user.login),
        Err(ApiError::Permission { .. } | ApiError::Absent { .. } | ApiError::Refused { .. }) => {}
        Err(error) => return Err(error),
    }
    let route = graphql(client.base());
    let query = json!({"query": "query { viewer { login } }"});
    // The query creates nothing, so there is nothing to find.
    match client.post_once::<Value>(Request { route: &route, ..request }, &query, || Ok(None)) {
        Ok(answer) => Ok(bot(answer["data"]["viewer"]["login"].as_str().unwrap_or(ACTIONS))),
        Err(ApiError::Permission { .. } | ApiError::Absent { .. } | ApiError::Refused { .. }) => Ok(ACTIONS.to_owned()),
        // With a wrong account, what perfgate posted earlier would not be found, and would be posted again.
        Err(error) => Err(error),
    }
}

/// The login of an App in the REST API; GraphQL sometimes omits the suffix.
fn bot(login: &str) -> String {
    format!("{}[bot]", login.strip_suffix("[bot]").unwrap_or(login))
}

/// URL of GraphQL: next to the REST API, or one level above `/api/v3` on an Enterprise server.
fn graphql(base: &str) -> String {
    format!("{}/graphql", base.strip_suffix("/v3").unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_login_has_one_suffix() {
        assert_eq!((bot("an-app").as_str(), bot("an-app[bot]").as_str()), ("an-app[bot]", "an-app[bot]"));
    }

    #[test]
    fn the_graphql_url_is_right_for_enterprise_servers() {
        assert_eq!(graphql("https://api.github.com"), "https://api.github.com/graphql");
        assert_eq!(graphql("https://ghe.example.org/api/v3"), "https://ghe.example.org/api/graphql");
    }
}
