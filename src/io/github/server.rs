//! The addresses of GitHub: its own, or those of an Enterprise server, from the variables of a job.

/// The address of the API.
pub fn api_url(variable: &dyn Fn(&str) -> Option<String>) -> String {
    variable("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned())
}

/// The address of the pages.
pub fn server_url(variable: &dyn Fn(&str) -> Option<String>) -> String {
    variable("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned())
}
