//! The addresses of GitHub: its own, or those of an Enterprise server, from the variables of a job.

use super::slug::Slug;

/// The address of the API.
pub fn api_url(variable: &dyn Fn(&str) -> Option<String>) -> String {
    variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned())
}

/// The address of the pages.
pub fn server_url(variable: &dyn Fn(&str) -> Option<String>) -> String {
    variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned())
}

/// The page of this run of the workflow; none outside of one.
pub fn run_url(repository: &Slug, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let id = variable("GITHUB_RUN_ID").filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("{}/{repository}/actions/runs/{id}", server_url(variable)))
}
