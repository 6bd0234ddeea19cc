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

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// Its number; a later run has a higher one.
    pub number: u64,
    /// Its page.
    pub url: String,
}

impl JobRun {
    /// The run that this job belongs to; `None` outside of one.
    pub fn of(repository: &Slug, variable: &dyn Fn(&str) -> Option<String>) -> Option<JobRun> {
        let number: u64 = variable("GITHUB_RUN_ID")?.parse().ok()?;
        Some(JobRun { number, url: format!("{}/{repository}/actions/runs/{number}", server_url(variable)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_is_the_number_of_a_run() {
        let repository = Slug::parse("o/r").unwrap();
        let url = |id: &str| {
            let variable = |name: &str| (name == "GITHUB_RUN_ID").then(|| id.to_owned());
            JobRun::of(&repository, &variable).map(|run| run.url)
        };
        assert_eq!(url("42").as_deref(), Some("https://github.com/o/r/actions/runs/42"));
        for id in ["", "x", "-1", "1/../2", " 1", "1)", "99999999999999999999"] {
            assert_eq!(url(id), None, "{id:?}");
        }
    }
}
